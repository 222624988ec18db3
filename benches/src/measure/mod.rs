//! What is measured, and how: rates and latencies of operations, recall, memory, disk.

mod latency;
mod peak;
mod process;
mod stopwatch;
mod target;

use serde::{Deserialize, Serialize};

pub use self::latency::{Histogram, Latency};
pub use self::peak::DiskPeak;
pub use self::process::{DiskUse, Resources, directory_bytes, resident_bytes, written_bytes};
pub use self::stopwatch::{Laps, Rounds, measure};
pub use self::target::Target;

/// What a figure counts, and which direction is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Operations a second; more is better.
    OperationsPerSecond,
    /// Seconds; less is better.
    Seconds,
    /// Bytes; less is better.
    Bytes,
    /// One amount by another, such as bytes written by bytes of data; less is better.
    Ratio,
    /// A share of 1 that should be 1, such as recall.
    Share,
}

impl Unit {
    /// True when more of it is better.
    #[must_use]
    pub fn more_is_better(self) -> bool {
        matches!(self, Unit::OperationsPerSecond | Unit::Share)
    }
}

/// One figure of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured; the row of a table.
    pub name: String,
    /// What `value` counts.
    pub unit: Unit,
    /// The figure.
    pub value: f64,
    /// How many operations it is made of, for rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// How long single operations took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// How the rate and the latency went over time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Moment>,
    /// What the answers add up to: the same for every engine and in every round, or one of them is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<u64>,
    /// Where this figure belongs in a plot: the figures with the same `series` make a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// What the first engine shall reach here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What it shall reach besides, in runs that have the rivals of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_targets: Vec<Target>,
}

impl Measurement {
    /// A plain figure.
    #[must_use]
    pub fn new(name: impl Into<String>, unit: Unit, value: f64) -> Measurement {
        Measurement {
            name: name.into(),
            unit,
            value,
            operations: None,
            latency: None,
            timeline: Vec::new(),
            checksum: None,
            point: None,
            target: None,
            further_targets: Vec::new(),
        }
    }

    /// The same, with what the first engine shall reach.
    #[must_use]
    pub fn target(mut self, target: Target) -> Measurement {
        self.target = Some(target);
        self
    }

    /// The same, with what the first engine shall reach besides, in runs that have the rivals of this.
    #[must_use]
    pub fn further_target(mut self, target: Target) -> Measurement {
        self.further_targets.push(target);
        self
    }

    /// The same, to be compared with what other engines answer.
    #[must_use]
    pub fn checksum(mut self, checksum: u64) -> Measurement {
        self.checksum = Some(checksum);
        self
    }

    /// The same, as a point of a line in a plot.
    #[must_use]
    pub fn at(mut self, series: Series, x: f64) -> Measurement {
        self.point = Some(Point { series, x });
        self
    }
}

/// What a second of a long phase looked like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since the phase began.
    pub at_s: f64,
    /// Operations a second.
    pub rate: f64,
    /// Half of the operations took at most so many microseconds.
    pub p50_us: f64,
    /// 99 of 100 operations took at most so many microseconds.
    pub p99_us: f64,
    /// The slowest took so many microseconds.
    pub max_us: f64,
}

/// The kinds of plots whose lines are made of several figures; `x` of each is what is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// Reads a second by the number of threads.
    ReadsByThreads,
    /// Commits a second by the number of threads.
    CommitsByThreads,
    /// Queries a second by recall.
    QueriesByRecall,
}

/// A place in a plot; the figure's value is its `y`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The plot.
    pub series: Series,
    /// The place on its horizontal axis.
    pub x: f64,
}
