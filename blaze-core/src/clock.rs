//! Time comes in from outside: the [`Clock`], and the timestamps made from it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of wall-clock time.
///
/// Blaze never asks the operating system itself, so that a test can simulate any clock, one that jumps included.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// True if the time passes by itself, as it does unless a clock says otherwise: work in the background waits for no
    /// clock that stands still.
    fn is_running(&self) -> bool {
        true
    }
}

/// A clock that stands still until it is told to move.
///
/// ```
/// use blaze_core::{Clock, ManualClock};
///
/// let clock = ManualClock::at_ms(1_000);
/// clock.advance_ms(5);
/// assert_eq!(clock.now_ms(), 1_005);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now_ms` milliseconds since the Unix epoch.
    #[must_use]
    pub fn at_ms(now_ms: u64) -> ManualClock {
        ManualClock(AtomicU64::new(now_ms))
    }

    /// Moves the clock forward.
    pub fn advance_ms(&self, by_ms: u64) {
        self.0.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Sets the clock, backwards too.
    pub fn set_ms(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn is_running(&self) -> bool {
        false
    }
}

/// A hybrid timestamp: 48 bits of milliseconds since the Unix epoch and a 16-bit counter.
///
/// As a commit timestamp it orders all commits of a database and is the version of what they wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Before every commit.
    pub const ZERO: Timestamp = Timestamp(0);
    /// After every commit.
    pub const MAX: Timestamp = Timestamp(u64::MAX);

    /// The timestamp with these 64 bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Timestamp {
        Timestamp(bits)
    }

    /// The first timestamp of a millisecond.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Timestamp {
        Timestamp(ms << 16)
    }

    /// All 64 bits; their order is the order of the timestamps.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0 >> 16
    }

    /// The counter within the millisecond.
    #[must_use]
    pub const fn counter(self) -> u16 {
        (self.0 & 0xFFFF) as u16
    }

    /// The next timestamp.
    #[must_use]
    pub const fn next(self) -> Timestamp {
        Timestamp(self.0.saturating_add(1))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.ms(), self.counter())
    }
}

/// Hands out timestamps that always grow, whatever the wall clock does.
#[derive(Debug, Default)]
pub struct HybridClock(AtomicU64);

impl HybridClock {
    /// A clock whose next timestamp is above `last`.
    #[must_use]
    pub fn after(last: Timestamp) -> HybridClock {
        HybridClock(AtomicU64::new(last.0))
    }

    /// The next timestamp: the wall clock's millisecond, or one above the last if that has not moved on.
    pub fn tick(&self, clock: &dyn Clock) -> Timestamp {
        let wall = Timestamp::from_ms(clock.now_ms().min(u64::MAX >> 16)).0;
        let next = |last: u64| Some(wall.max(last.saturating_add(1)));
        // The closure always answers Some, so both arms hold the value that was replaced.
        let (Ok(last) | Err(last)) = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        Timestamp(wall.max(last.saturating_add(1)))
    }

    /// The last timestamp handed out.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Acquire))
    }
}
