//! Randomness comes in from outside: a source of random bits, and a seeded one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bits, for replica ids and for the jitter of retries; not for secrets.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;
}

/// A source that a seed fixes: `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
///
/// ```
/// use blaze_core::{Entropy, SeededEntropy};
///
/// let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// ```
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

    /// The source that `seed` fixes.
    #[must_use]
    pub fn new(seed: u64) -> SeededEntropy {
        SeededEntropy(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn next_u64(&self) -> u64 {
        let mut z = self.0.fetch_add(Self::STEP, Ordering::Relaxed).wrapping_add(Self::STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
