//! Places at which a test may intervene, and mistakes that it may have the database make.
//!
//! In ordinary builds [`reached`] does nothing and [`makes`] is always false: nobody can intervene. With the feature `faults`,
//! which only Blaze's own proofs enable, a test says what happens where.

mod mistake;
mod point;

#[cfg(feature = "faults")]
use std::sync::OnceLock;
#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicU64, Ordering};

pub use mistake::Mistake;
pub use point::Point;

/// What a test does when a point is reached.
#[cfg(feature = "faults")]
type Hook = Box<dyn Fn(Point) + Send + Sync>;

#[cfg(feature = "faults")]
static HOOK: OnceLock<Hook> = OnceLock::new();

/// A bit for each mistake.
#[cfg(feature = "faults")]
static PLANTED: AtomicU64 = AtomicU64::new(0);

/// Says that a place was reached.
#[inline]
pub fn reached(point: Point) {
    #[cfg(feature = "faults")]
    if let Some(hook) = HOOK.get() {
        hook(point);
    }
    #[cfg(not(feature = "faults"))]
    let _ = point;
}

/// True if a test has the database make a mistake.
#[inline]
#[must_use]
pub fn makes(mistake: Mistake) -> bool {
    #[cfg(feature = "faults")]
    return PLANTED.load(Ordering::Relaxed) & (1 << mistake as u64) != 0;
    #[cfg(not(feature = "faults"))]
    {
        let _ = mistake;
        false
    }
}

/// Says what happens in this process wherever a point is reached; false if somebody has said so before.
#[cfg(feature = "faults")]
pub fn on_reach(hook: impl Fn(Point) + Send + Sync + 'static) -> bool {
    HOOK.set(Box::new(hook)).is_ok()
}

/// Has all databases of this process make a mistake from now on.
#[cfg(feature = "faults")]
pub fn plant(mistake: Mistake) {
    PLANTED.fetch_or(1 << mistake as u64, Ordering::Relaxed);
}
