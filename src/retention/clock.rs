//! Which time retention may go by: not the clock's, when that has jumped.

/// How long commits must go on under a clock that has jumped ahead before it is believed.
const CONFIRMATION_MS: u64 = 10 * 60 * 1000;

/// A clock that is believed as long as it goes on plausibly: one that jumps ahead, and may be set back again, must not
/// make history expire that is young.
#[derive(Debug)]
pub(super) struct RetentionClock {
    believed_ms: u64,
    /// When the clock, having jumped, was seen first.
    doubted_since_ms: Option<u64>,
}

impl RetentionClock {
    pub(super) fn new(believed_ms: u64) -> RetentionClock {
        RetentionClock { believed_ms, doubted_since_ms: None }
    }

    /// The time to go by, now that the clock shows `now_ms` and `leap_ms` are the most it may have moved on since the
    /// last call. It never goes back.
    pub(super) fn observe(&mut self, now_ms: u64, leap_ms: u64) -> u64 {
        let since = self.doubted_since_ms.take().filter(|since| *since <= now_ms);
        let is_plausible = now_ms <= self.believed_ms.saturating_add(leap_ms);
        let is_confirmed = since.is_some_and(|since| {
            let run_ms = now_ms - since;
            (CONFIRMATION_MS..=CONFIRMATION_MS.saturating_add(leap_ms)).contains(&run_ms)
        });
        if is_plausible || is_confirmed {
            self.believed_ms = self.believed_ms.max(now_ms);
        } else {
            // A second jump begins a new doubt.
            let goes_on = |since: &u64| now_ms - since <= leap_ms;
            self.doubted_since_ms = Some(since.filter(goes_on).unwrap_or(now_ms));
        }
        self.believed_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    const MINUTE_MS: u64 = 60 * 1000;

    #[test]
    fn a_clock_that_goes_on_is_believed() {
        let mut clock = RetentionClock::new(5 * DAY_MS);
        assert_eq!(clock.observe(5 * DAY_MS + 1, DAY_MS), 5 * DAY_MS + 1);
        assert_eq!(clock.observe(6 * DAY_MS, DAY_MS), 6 * DAY_MS);
    }

    #[test]
    fn a_clock_that_goes_back_changes_nothing() {
        let mut clock = RetentionClock::new(5 * DAY_MS);
        assert_eq!(clock.observe(0, DAY_MS), 5 * DAY_MS);
        assert_eq!(clock.observe(5 * DAY_MS + 1, DAY_MS), 5 * DAY_MS + 1);
    }

    #[test]
    fn a_jump_ahead_is_believed_once_commits_have_confirmed_it() {
        let mut clock = RetentionClock::new(5 * DAY_MS);
        for minute in 0..10 {
            assert_eq!(clock.observe(3_000 * DAY_MS + minute * MINUTE_MS, DAY_MS), 5 * DAY_MS);
        }
        assert_eq!(clock.observe(3_000 * DAY_MS + 10 * MINUTE_MS, DAY_MS), 3_000 * DAY_MS + 10 * MINUTE_MS);
    }

    #[test]
    fn a_jump_ahead_that_is_taken_back_was_never_believed() {
        let mut clock = RetentionClock::new(5 * DAY_MS);
        assert_eq!(clock.observe(3_000 * DAY_MS, DAY_MS), 5 * DAY_MS);
        assert_eq!(clock.observe(5 * DAY_MS + MINUTE_MS, DAY_MS), 5 * DAY_MS + MINUTE_MS);
        assert_eq!(clock.observe(3_000 * DAY_MS + 10 * MINUTE_MS, DAY_MS), 5 * DAY_MS + MINUTE_MS);
    }

    #[test]
    fn a_second_jump_begins_a_new_doubt() {
        let mut clock = RetentionClock::new(0);
        assert_eq!(clock.observe(1_000 * DAY_MS, DAY_MS), 0);
        assert_eq!(clock.observe(2_000 * DAY_MS, DAY_MS), 0);
        assert_eq!(clock.observe(2_000 * DAY_MS + 9 * MINUTE_MS, DAY_MS), 0);
        assert_eq!(clock.observe(2_000 * DAY_MS + 10 * MINUTE_MS, DAY_MS), 2_000 * DAY_MS + 10 * MINUTE_MS);
    }
}
