//! Without the feature `metrics`: nothing is recorded, and none of this leaves a trace in the program.

use std::sync::Arc;

use crate::commit::Tally;
use crate::stats::DatabaseStats;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch;

impl Stopwatch {
    #[inline(always)]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch
    }
}

#[derive(Debug)]
pub(crate) struct Metrics;

impl Metrics {
    pub(crate) fn open(_label: Option<&str>) -> Arc<Metrics> {
        Arc::new(Metrics)
    }

    #[inline(always)]
    pub(crate) fn committed(&self, _time: Stopwatch) {}

    #[inline(always)]
    pub(crate) fn wrote(&self, _group: &Tally) {}

    #[inline(always)]
    pub(crate) fn synced(&self, _time: Stopwatch) {}

    #[inline(always)]
    pub(crate) fn reclaimed(&self) {}

    #[inline(always)]
    pub(crate) fn refresh(&self, _stats: &DatabaseStats) {}
}
