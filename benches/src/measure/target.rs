//! What a figure shall reach.

use serde::{Deserialize, Serialize};

/// What a figure of the first engine shall reach, or do better than.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// So many times as good as the best of the rivals in the same round: half the seconds are twice as good.
    Times {
        /// The rivals' names.
        rivals: Vec<String>,
        /// How many times.
        times: f64,
    },
    /// This figure, in the unit of the measurement.
    Figure(f64),
}

impl Target {
    /// So many times as good as a rival.
    #[must_use]
    pub fn times(rival: &str, times: f64) -> Target {
        Target::best_of(&[rival], times)
    }

    /// So many times as good as the best of several rivals.
    #[must_use]
    pub fn best_of(rivals: &[&str], times: f64) -> Target {
        Target::Times { rivals: rivals.iter().map(|&rival| rival.to_owned()).collect(), times }
    }
}
