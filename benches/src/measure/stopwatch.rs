//! Measured time, and what many measurements say together.

use std::fmt;
use std::time::{Duration, Instant};

/// Measures how long `work` takes.
pub fn measure<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let mut laps = Laps::start();
    let result = work();
    (laps.lap(), result)
}

/// A stopwatch for operations that follow each other: one look at the clock for each.
#[derive(Clone, Copy, Debug)]
pub struct Laps {
    started: Instant,
    last: Instant,
}

impl Laps {
    /// Starts it.
    #[must_use]
    pub fn start() -> Laps {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
        let started = Instant::now();
        Laps { started, last: started }
    }

    /// Time since the last lap, or since the start.
    pub fn lap(&mut self) -> Duration {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
        let now = Instant::now();
        let lap = now - self.last;
        self.last = now;
        lap
    }

    /// The time since the last lap does not count.
    pub fn skip(&mut self) {
        let before = self.last;
        self.lap();
        self.started += self.last - before;
    }

    /// Time from the start to the last lap, without what was skipped.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.last - self.started
    }
}

/// Measurements of the same work in several rounds.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    nanoseconds: Vec<f64>,
}

impl Rounds {
    /// Adds a round in which `count` operations took `duration`.
    pub fn add(&mut self, duration: Duration, count: usize) {
        self.nanoseconds.push(duration.as_nanos() as f64 / count.max(1) as f64);
        self.nanoseconds.sort_by(f64::total_cmp);
    }

    /// Nanoseconds that an operation took in the middle round; NaN without a round.
    #[must_use]
    pub fn median_ns(&self) -> f64 {
        self.nanoseconds.get(self.nanoseconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// How far the slowest round is from the fastest, in percent of the median.
    #[must_use]
    pub fn spread_percent(&self) -> f64 {
        match (self.nanoseconds.first(), self.nanoseconds.last()) {
            (Some(fastest), Some(slowest)) => (slowest - fastest) / self.median_ns() * 100.0,
            _ => f64::NAN,
        }
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.0} ({:.0} %)", self.median_ns(), self.spread_percent()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_one_operation() {
        let mut rounds = Rounds::default();
        for nanoseconds in [300, 100, 200] {
            rounds.add(Duration::from_nanos(nanoseconds), 10);
        }
        assert_eq!((rounds.median_ns(), rounds.spread_percent()), (20.0, 100.0));
    }
}
