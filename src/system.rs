//! The operating system's clock and randomness: the only place that asks for them.

use std::hash::{BuildHasher, RandomState};

use blaze_core::{Clock, Entropy};

/// The wall clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now_ms(&self) -> u64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // Before 1970 the clock is wrong anyway; timestamps go on from the last commit.
        since_epoch.map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Randomness that the operating system seeds; not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        // The standard library keys each hasher differently, from the operating system's random source.
        RandomState::new().hash_one(0_u8)
    }
}
