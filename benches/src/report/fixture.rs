//! Small reports for tests.

use super::{EngineInfo, FORMAT, Outcome, Report};
use crate::machine::{Disk, Machine};
use crate::measure::{Measurement, Resources, Unit};

/// A report without any outcome.
pub(super) fn empty() -> Report {
    Report {
        format: FORMAT,
        started: "2026-01-02T03:04:05Z".to_owned(),
        elapsed_s: 90.0,
        command: "--quick".to_owned(),
        revision: "abc123".to_owned(),
        machine: Machine {
            processor: "Abacus 3000".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            system: "linux 6.1".to_owned(),
            disk: Disk { filesystem: "ext4".to_owned(), is_memory: false, sync_p50_us: 1234.0, sync_p99_us: 4000.0 },
        },
        conditions: vec!["1 GiB of memory for each process".to_owned()],
        engines: ["blaze", "redb", "fjall"].map(engine).to_vec(),
        outcomes: Vec::new(),
        skipped: Vec::new(),
        missing: Vec::new(),
    }
}

fn engine(name: &str) -> EngineInfo {
    EngineInfo { name: name.to_owned(), version: "1.0".to_owned(), configuration: vec!["defaults".to_owned()] }
}

/// What one job of the workload `map` found.
pub(super) fn outcome(engine: &str, round: u32, measurements: Vec<Measurement>) -> Outcome {
    Outcome {
        workload: "map".to_owned(),
        description: "100 pairs".to_owned(),
        engine: engine.to_owned(),
        round,
        measurements,
        resources: Resources::default(),
        failure: None,
    }
}

/// A rate.
pub(super) fn rate(name: &str, value: f64) -> Measurement {
    Measurement::new(name, Unit::OperationsPerSecond, value)
}

/// A report with the row `reads`: the rates of each engine in each round.
pub(super) fn reads(rates: &[(&str, &[f64])]) -> Report {
    measured(rates, |value| rate("reads", value))
}

/// A report with one row: the figures of each engine in each round.
pub(super) fn measured(figures: &[(&str, &[f64])], measurement: impl Fn(f64) -> Measurement) -> Report {
    let mut report = empty();
    for (engine, rounds) in figures {
        for (round, figure) in (0..).zip(*rounds) {
            report.outcomes.push(outcome(engine, round, vec![measurement(*figure)]));
        }
    }
    report
}
