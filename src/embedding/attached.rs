//! An embedder that is attached to an index, and how it gets on with the backlog.

use std::mem;

use blaze_core::{Entropy, Error};
use parking_lot::Mutex;

use super::embedder::SharedEmbedder;

/// The first wait after a failure, and the longest; each is doubled, and up to half as much is added at random.
const RETRY_MIN_MS: u64 = 1_000;
const RETRY_MAX_MS: u64 = 300_000;

/// Documents that fail in a row, each tried alone, before it is the embedder that counts as failing.
pub(super) const FAILURES_IN_ROW_MAX: u32 = 4;

/// An embedder of an index, for as long as the database is open or until another one comes.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) index: u32,
    pub(super) embedder: SharedEmbedder,
    pub(super) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The collection that had the index when it was last looked for.
    pub(super) collection: Option<String>,
    /// The last key of the backlog that this round has come to.
    pub(super) position: Option<Vec<u8>>,
    /// True if this round has found something to do.
    pub(super) has_found: bool,
    /// True if this round leaves nothing out that waits to be tried again.
    pub(super) takes_all: bool,
    /// True if something was left to wait since the last round began that takes all.
    has_left: bool,
    /// When the first of what was left out in this round is tried again.
    pub(super) next_due_ms: Option<u64>,
    /// True once what an embedder before this one could not do is to be done again.
    pub(super) has_taken_back: bool,
    /// Documents that failed in a row, and how often that was too many.
    failures_in_row: u32,
    rests: u32,
    /// When the embedder is called again.
    rests_until_ms: u64,
    last_error: Option<String>,
}

impl Attached {
    pub(super) fn new(index: u32, embedder: &SharedEmbedder) -> Attached {
        Attached { index, embedder: embedder.clone(), state: Mutex::default() }
    }

    /// When the embedder is called again, if that is not now.
    pub(super) fn rests_until(&self, moment: Moment) -> Option<u64> {
        let until = self.state.lock().rests_until_ms;
        (!moment.is_due(until)).then_some(until)
    }

    /// It has answered.
    pub(super) fn note_success(&self) {
        let mut state = self.state.lock();
        (state.failures_in_row, state.rests) = (0, 0);
    }

    /// A document could not be embedded, but others may be.
    pub(super) fn note_error(&self, error: &Error) {
        self.state.lock().last_error = Some(error.to_string());
    }

    /// It has not answered; true if that was so often in a row that it had better rest.
    pub(super) fn note_failure(&self) -> bool {
        let mut state = self.state.lock();
        state.failures_in_row = state.failures_in_row.saturating_add(1);
        state.failures_in_row >= FAILURES_IN_ROW_MAX
    }

    /// It is not called for a while.
    pub(super) fn rest(&self, now_ms: u64, entropy: &dyn Entropy) {
        let mut state = self.state.lock();
        state.rests = state.rests.saturating_add(1);
        state.rests_until_ms = now_ms.saturating_add(retry_after_ms(state.rests, entropy));
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.state.lock().last_error.clone()
    }

    /// This round is not the last: there may be something new before where it is. It goes on from there, so that whoever stands
    /// at the beginning and fails keeps nobody waiting.
    pub(super) fn want_another_round(&self) {
        self.state.lock().has_found = true;
    }

    /// The next round begins at the beginning. Says whether this one has found anything or is not the last, and when the first
    /// of what it left out is tried again.
    pub(super) fn begin_round(&self) -> (bool, Option<u64>) {
        let mut state = self.state.lock();
        state.position = None;
        (mem::take(&mut state.has_found), state.next_due_ms.take())
    }

    /// A round begins in which everything is tried, also what waits to be tried again, and the embedder.
    pub(super) fn begin_round_of_all(&self) {
        self.begin_round();
        let mut state = self.state.lock();
        (state.takes_all, state.has_left, state.has_found, state.rests_until_ms) = (true, false, true, 0);
    }

    /// Something that was looked at has to wait.
    pub(super) fn note_left(&self) {
        self.state.lock().has_left = true;
    }

    /// Whether the last round that takes all has left nothing to wait, once it is at its end.
    pub(super) fn round_of_all(&self) -> Option<bool> {
        let state = self.state.lock();
        (!state.takes_all).then_some(!state.has_left)
    }
}

/// When a turn takes place, and when the work began that it is a part of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now_ms: u64,
    pub(super) begun_ms: u64,
}

impl Moment {
    /// True if something that is to be done at this time is done now. What came due since the work began is left to wait: it may
    /// have failed in the course of that, and would be tried for ever.
    pub(super) fn is_due(self, due_ms: u64) -> bool {
        is_due(due_ms, self.now_ms) && !(due_ms > self.begun_ms && due_ms <= self.now_ms)
    }
}

/// True if a moment has come. One that is farther away than any wait was set by a clock that has gone back since.
fn is_due(due_ms: u64, now_ms: u64) -> bool {
    due_ms <= now_ms || due_ms - now_ms > RETRY_MAX_MS
}

/// How long to wait after so many failures.
pub(super) fn retry_after_ms(failures: u32, entropy: &dyn Entropy) -> u64 {
    let doublings = failures.saturating_sub(1).min(20);
    let wait = (RETRY_MIN_MS << doublings).min(RETRY_MAX_MS * 2 / 3);
    wait + entropy.next_u64() % (wait / 2 + 1)
}

#[cfg(test)]
mod tests {
    use blaze_core::SeededEntropy;

    use super::*;

    #[test]
    fn waits_grow_from_a_second_to_five_minutes() {
        let entropy = SeededEntropy::new(1);
        for (failures, least, most) in
            [(1, 1_000, 1_500), (2, 2_000, 3_000), (9, 200_000, 300_000), (u32::MAX, 200_000, 300_000)]
        {
            for _ in 0..100 {
                let wait = retry_after_ms(failures, &entropy);
                assert!((least..=most).contains(&wait), "{wait} ms after {failures} failures");
            }
        }
    }

    #[test]
    fn a_clock_that_has_gone_back_keeps_nobody_waiting() {
        assert!(is_due(5, 5) && !is_due(6, 5) && !is_due(RETRY_MAX_MS, 0));
        assert!(is_due(u64::MAX, 5));
    }

    #[test]
    fn what_comes_due_while_the_work_goes_on_waits_until_the_next() {
        let long = Moment { now_ms: 1_000 + 3 * RETRY_MAX_MS, begun_ms: 1_000 };
        for (due_ms, is_due) in [(0, true), (1_000, true), (1_001, false), (long.now_ms, false), (u64::MAX, true)] {
            assert_eq!(long.is_due(due_ms), is_due, "due at {due_ms}");
        }
    }
}
