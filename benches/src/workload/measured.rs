//! What a workload measures in a test: it runs in a directory of its own, and nobody else is told.

use std::sync::{Arc, Mutex};

use super::{Context, Event, Recorder};
use crate::measure::Measurement;

/// Runs something, and answers what it measured.
pub(super) fn measured<R>(run: impl FnOnce(&Context<'_>) -> R) -> (R, Vec<Measurement>) {
    let directory = tempfile::tempdir().unwrap();
    let measurements = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&measurements);
    let recorder = Recorder::new(move |event| {
        if let Event::Measured(measurement) = event {
            told.lock().unwrap().push(measurement);
        }
        Ok(())
    });
    let context = Context {
        directory: directory.path(),
        kept: directory.path(),
        cache_bytes: 8 << 20,
        memory_group: None,
        seed: 1,
        recorder: &recorder,
    };
    let result = run(&context);
    let measurements = std::mem::take(&mut *measurements.lock().unwrap());
    (result, measurements)
}

/// The value of a measurement, by its name.
pub(super) fn value(measurements: &[Measurement], name: &str) -> f64 {
    let named = measurements.iter().find(|measurement| measurement.name == name);
    named.unwrap_or_else(|| panic!("no {name} in {measurements:?}")).value
}
