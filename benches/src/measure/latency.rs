//! How long single operations take.

use std::time::Duration;

use hdrhistogram::Histogram as Counts;
use serde::{Deserialize, Serialize};

/// Latencies of single operations, to three significant digits (`HdrHistogram`, Gil Tene).
#[derive(Clone, Debug)]
pub struct Histogram {
    nanoseconds: Counts<u64>,
}

/// Percentiles of a histogram, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half took at most this.
    pub p50_us: f64,
    /// 95 of 100 took at most this.
    pub p95_us: f64,
    /// 99 of 100 took at most this.
    pub p99_us: f64,
    /// 999 of 1,000 took at most this.
    pub p999_us: f64,
    /// The slowest.
    pub max_us: f64,
}

impl Histogram {
    /// Records one operation; a longer one than ten minutes counts as ten minutes.
    pub fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.saturating_record(nanoseconds.max(1));
    }

    /// Adds the operations of another.
    pub fn merge(&mut self, other: &Histogram) {
        // Both have the same bounds, which is all that could go wrong.
        let _ = self.nanoseconds.add(&other.nanoseconds);
    }

    /// How many operations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.nanoseconds.len()
    }

    /// The percentiles.
    #[must_use]
    pub fn latency(&self) -> Latency {
        let at = |quantile| self.nanoseconds.value_at_quantile(quantile) as f64 / 1000.0;
        Latency {
            p50_us: at(0.5),
            p95_us: at(0.95),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.nanoseconds.max() as f64 / 1000.0,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.nanoseconds.reset();
    }
}

impl Default for Histogram {
    fn default() -> Histogram {
        const LONGEST_NS: u64 = 600_000_000_000;
        #[expect(clippy::expect_used, reason = "the bounds are constants that the crate allows")]
        let nanoseconds = Counts::new_with_bounds(1, LONGEST_NS, 3).expect("bounds are in order");
        Histogram { nanoseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_operations_of_all_threads() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        for microseconds in 1..=500 {
            one.record(Duration::from_micros(microseconds));
            other.record(Duration::from_micros(500 + microseconds));
        }
        one.merge(&other);
        assert_eq!(one.count(), 1000);
        let latency = one.latency();
        for (found, expected) in [(latency.p50_us, 500.0), (latency.p99_us, 990.0), (latency.max_us, 1000.0)] {
            assert!((found - expected).abs() <= expected * 0.001, "{found} is not {expected}");
        }
    }

    #[test]
    fn an_operation_beyond_ten_minutes_is_not_lost() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_secs(3600));
        assert_eq!(histogram.count(), 1);
    }
}
