//! Waking those who wait for the next change.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Prefix;
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// Where readers of the change feed wait until a commit announces what they want. Announcing never waits for them.
#[derive(Debug, Default)]
pub struct ChangeSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    newest: Timestamp,
    newest_by_prefix: HashMap<Prefix, Timestamp>,
}

impl ChangeSignal {
    /// Wakes those who wait for changes of these prefixes: `ts` is visible.
    pub fn announce(&self, ts: Timestamp, prefixes: &[Prefix]) {
        if prefixes.is_empty() {
            return;
        }
        let mut state = self.state();
        state.newest = state.newest.max(ts);
        for prefix in prefixes {
            let newest = state.newest_by_prefix.entry(*prefix).or_default();
            *newest = ts.max(*newest);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until a commit above `after` was announced, of one prefix or of any; false if the time is up before.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed), also when it is closed meanwhile.
    pub fn wait(&self, after: Timestamp, prefix: Option<Prefix>, timeout: Duration) -> Result<bool> {
        let quiet = |state: &mut State| {
            let newest = match prefix {
                None => state.newest,
                Some(prefix) => state.newest_by_prefix.get(&prefix).copied().unwrap_or_default(),
            };
            !state.closed && newest <= after
        };
        let (state, waited) =
            self.changed.wait_timeout_while(self.state(), timeout, quiet).unwrap_or_else(PoisonError::into_inner);
        match state.closed {
            true => Err(Error::closed("the database is closed")),
            false => Ok(!waited.timed_out()),
        }
    }

    /// Wakes everyone for good.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    // Nothing under the lock can panic but a failed allocation: the state is as good as before.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn ts(bits: u64) -> Timestamp {
        Timestamp::from_bits(bits)
    }

    #[test]
    fn a_change_that_was_announced_before_the_wait_is_not_missed() {
        let signal = ChangeSignal::default();
        signal.announce(ts(5), &[[1; 4]]);
        assert!(signal.wait(ts(4), Some([1; 4]), LONG).unwrap());
        assert!(signal.wait(ts(4), None, LONG).unwrap());
        for (after, prefix) in [(5, Some([1; 4])), (5, None), (4, Some([2; 4]))] {
            assert!(!signal.wait(ts(after), prefix, Duration::ZERO).unwrap());
        }
    }

    #[test]
    fn one_who_waits_is_woken_by_a_change_and_by_the_end() {
        let signal = ChangeSignal::default();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| signal.wait(ts(1), Some([7; 4]), LONG));
            signal.announce(ts(2), &[[6; 4]]);
            signal.announce(ts(3), &[[7; 4]]);
            assert!(waits.join().unwrap().unwrap());
            let waits = scope.spawn(|| signal.wait(ts(3), None, LONG));
            signal.close();
            assert!(waits.join().unwrap().is_err());
        });
    }
}
