//! Documents on their way into the store.

use std::ops::Range;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::model::Model;
use crate::Result;
use crate::measure::{Laps, Measurement, Unit};
use crate::workload::Phase;

/// Hands out the first documents of a model. It parses them meanwhile, and takes the time for that off the store's.
pub(super) struct Loading<'a> {
    model: &'a Model,
    places: Range<usize>,
    phase: Phase<'a>,
    laps: Laps,
    parsing: Duration,
    given_bytes: u64,
    failed: Result<()>,
}

/// Documents after which progress is told.
const STEP: usize = 1_000;

impl<'a> Loading<'a> {
    pub(super) fn new(model: &'a Model, count: usize, phase: Phase<'a>) -> Loading<'a> {
        let laps = Laps::start();
        Loading { model, places: 0..count, phase, laps, parsing: Duration::ZERO, given_bytes: 0, failed: Ok(()) }
    }

    /// The rate of the store, and the bytes of JSON that it was given.
    pub(super) fn finish(mut self) -> Result<(Measurement, u64)> {
        self.laps.lap();
        self.failed?;
        self.phase.advance(self.places.start as u64 - self.phase.done())?;
        let storing = self.laps.total().saturating_sub(self.parsing);
        let mut measurement = self.phase.rate();
        let count = measurement.operations.unwrap_or_default();
        (measurement.unit, measurement.value) =
            (Unit::OperationsPerSecond, count as f64 / storing.as_secs_f64().max(1e-9));
        Ok((measurement, self.given_bytes))
    }

    fn document(&mut self, place: usize) -> Result<(String, Map<String, Json>)> {
        if place.is_multiple_of(STEP) {
            self.phase.advance(place as u64 - self.phase.done())?;
        }
        let document = self.model.document(place)?.ok_or("it is not to be stored")?;
        self.given_bytes += self.model.text(place).map_or(0, |text| text.len() as u64);
        Ok((self.model.id(place).to_owned(), document))
    }
}

impl Iterator for Loading<'_> {
    type Item = (String, Map<String, Json>);

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.places.next()?;
        self.laps.lap();
        let document = self.document(place);
        self.parsing += self.laps.lap();
        match document {
            Ok(document) => Some(document),
            Err(error) => {
                self.failed = Err(error);
                None
            }
        }
    }
}
