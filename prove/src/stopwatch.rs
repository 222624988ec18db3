//! Real time: how long to wait before a kill, and how fast a campaign goes.

use std::time::{Duration, Instant};

/// Time since it was started.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[must_use]
    pub fn start() -> Stopwatch {
        #[expect(clippy::disallowed_methods, reason = "processes are killed in real time")]
        Stopwatch(Instant::now())
    }

    /// The time since.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of some time; zero when it is up.
    #[must_use]
    pub fn left_of(&self, time: Duration) -> Duration {
        time.saturating_sub(self.elapsed())
    }
}
