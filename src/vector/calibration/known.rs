//! What is known of the recall of a graph that is in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blaze_core::Timestamp;
use blaze_vector::{CALIBRATION_QUERIES_MIN, Calibration, RecallTarget};
use parking_lot::Mutex;

/// A calibration, and what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::vector) struct Calibrated {
    pub(in crate::vector) calibration: Calibration,
    /// The moment that was measured.
    pub(in crate::vector) at: Timestamp,
    /// How many queries were to be measured; there may have been fewer vectors.
    pub(in crate::vector) asked: usize,
    /// True if the queries were given, false if they are vectors of the index.
    pub(in crate::vector) is_given: bool,
    /// What identifies how the graph was made.
    pub(in crate::vector) form: u32,
}

/// What is known of the recall of a graph, and what is wanted of it.
#[derive(Debug, Default)]
pub(in crate::vector) struct KnownRecall {
    /// How many queries it takes to show the highest recall that was asked for; zero while nobody asked for any.
    queries: AtomicUsize,
    calibrated: Mutex<Option<Arc<Calibrated>>>,
    /// Held by who measures.
    pub(super) measuring: Mutex<()>,
    /// Of how many vectors it could not be measured; zero if it could.
    failed_of: AtomicUsize,
}

impl Calibrated {
    /// True if it is to be made again for a graph of so many vectors, of which so many queries are wanted.
    fn is_outdated(&self, vectors: usize, queries: usize) -> bool {
        let (then, now) = (self.calibration.vectors, vectors as u64);
        let has_changed = now >= 2 * then || 2 * now <= then;
        has_changed || (!self.is_given && self.asked < queries)
    }
}

impl KnownRecall {
    /// What the index asks for, and what the database has.
    pub(in crate::vector) fn begin(&self, target: Option<RecallTarget>, stored: Option<Arc<Calibrated>>) {
        if let Some(target) = target {
            self.ask(target);
        }
        stored.iter().for_each(|calibrated| self.learn(calibrated));
    }

    /// A recall was asked for; true if nobody asked for as much before.
    pub(in crate::vector) fn ask(&self, target: RecallTarget) -> bool {
        let queries = target.queries();
        self.queries.load(Ordering::Relaxed) < queries && self.queries.fetch_max(queries, Ordering::AcqRel) < queries
    }

    /// How many queries are to be measured.
    pub(super) fn queries(&self) -> usize {
        self.queries.load(Ordering::Acquire).max(CALIBRATION_QUERIES_MIN)
    }

    pub(in crate::vector) fn calibrated(&self) -> Option<Arc<Calibrated>> {
        self.calibrated.lock().clone()
    }

    /// Takes in what was measured, unless something newer is known.
    pub(in crate::vector) fn learn(&self, calibrated: &Arc<Calibrated>) {
        let mut known = self.calibrated.lock();
        if known.as_ref().is_none_or(|known| known.at <= calibrated.at) {
            *known = Some(Arc::clone(calibrated));
        }
        self.failed_of.store(0, Ordering::Release);
    }

    /// A graph of so many vectors could not be measured: it is not tried again before there are twice as many.
    pub(super) fn give_up(&self, vectors: usize) {
        self.failed_of.store(vectors.max(1), Ordering::Release);
    }

    pub(in crate::vector) fn is_being_measured(&self) -> bool {
        self.measuring.is_locked()
    }

    /// True if a graph of so many vectors is to be measured.
    pub(in crate::vector) fn is_due(&self, vectors: usize) -> bool {
        let queries = self.queries.load(Ordering::Acquire);
        let failed_of = self.failed_of.load(Ordering::Acquire);
        let has_failed = failed_of > 0 && vectors < failed_of.saturating_mul(2);
        let is_wanted = queries > 0 && vectors >= CALIBRATION_QUERIES_MIN && !has_failed;
        is_wanted && self.calibrated().is_none_or(|calibrated| calibrated.is_outdated(vectors, queries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibrated(at: u64, vectors: u64, is_given: bool) -> Arc<Calibrated> {
        let calibration = Calibration { vectors, queries: 1_000, curves: Vec::new() };
        Arc::new(Calibrated { calibration, at: Timestamp::from_bits(at), asked: 1_000, is_given, form: 7 })
    }

    fn target(recall: f64) -> RecallTarget {
        RecallTarget::new(recall).unwrap()
    }

    #[test]
    fn only_a_graph_of_which_a_recall_is_asked_is_measured() {
        let known = KnownRecall::default();
        assert!(!known.is_due(5_000));
        assert!(known.ask(target(0.9)) && !known.ask(target(0.99)), "as many queries show either");
        assert!(known.is_due(5_000) && !known.is_due(999), "so few are looked at one by one");
    }

    #[test]
    fn what_could_not_be_measured_is_tried_again_with_twice_as_many_vectors_and_when_something_was_measured() {
        let known = KnownRecall::default();
        known.ask(target(0.9));
        known.give_up(5_000);
        assert!(!known.is_due(5_000) && !known.is_due(9_999) && known.is_due(10_000));
        known.learn(&calibrated(5, 2_000, false));
        assert!(known.is_due(5_000), "it was of fewer vectors");
    }

    #[test]
    fn it_is_measured_again_when_the_count_has_doubled_or_halved() {
        let known = KnownRecall::default();
        known.ask(target(0.9));
        known.learn(&calibrated(5, 10_000, false));
        let due = [4_999, 5_000, 5_001, 10_000, 19_999, 20_000].map(|vectors| known.is_due(vectors));
        assert_eq!(due, [true, true, false, false, false, true]);
    }

    #[test]
    fn a_higher_recall_takes_more_queries_unless_they_were_given() {
        for (is_given, is_due) in [(false, true), (true, false)] {
            let known = KnownRecall::default();
            known.ask(target(0.99));
            known.learn(&calibrated(5, 10_000, is_given));
            assert!(!known.is_due(10_000));
            assert!(known.ask(target(0.999)));
            assert_eq!(known.is_due(10_000), is_due);
        }
    }

    #[test]
    fn what_is_newer_stays() {
        let known = KnownRecall::default();
        for (at, left) in [(5, 5), (3, 5), (8, 8)] {
            known.learn(&calibrated(at, at, false));
            assert_eq!(known.calibrated().unwrap().at.to_bits(), left);
        }
    }
}
