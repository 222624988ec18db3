//! Whose turn it is: one writing operation of a transaction runs at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use blaze_core::{Error, Result};
use parking_lot::{Mutex, MutexGuard};

/// The holder when nobody has the turn; no thread is known by it.
const NOBODY: usize = 0;

thread_local! {
    /// Its address tells threads that are alive from each other.
    static THREAD: u8 = const { 0 };
}

/// Held by one operation at a time, so that a failing one takes back its own writes only.
#[derive(Debug, Default)]
pub(super) struct Turn {
    lock: Mutex<()>,
    /// The thread of the operation that runs.
    holder: AtomicUsize,
}

/// The turn of an operation, until it is dropped.
pub(super) struct Held<'a> {
    holder: &'a AtomicUsize,
    _lock: MutexGuard<'a, ()>,
}

impl Turn {
    /// Waits until no other operation runs. One that is called by code of the user's which the running operation has called
    /// would wait for ever, and is refused.
    pub(super) fn begin(&self) -> Result<Held<'_>> {
        let own = THREAD.with(|byte| std::ptr::from_ref(byte).addr());
        let lock = match self.lock.try_lock() {
            Some(lock) => lock,
            // Only this thread could have put its own address there, and only while it holds the turn.
            None if self.holder.load(Ordering::Relaxed) == own => {
                return Err(Error::invalid(
                    "a callback of an operation writes to the transaction of that operation, which is waiting for it: \
                     write before or behind the operation",
                ));
            }
            None => self.lock.lock(),
        };
        self.holder.store(own, Ordering::Relaxed);
        Ok(Held { holder: &self.holder, _lock: lock })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.holder.store(NOBODY, Ordering::Relaxed); // before the lock goes
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_turn_within_a_turn_is_refused_and_one_after_it_is_not() {
        let turn = Turn::default();
        let held = turn.begin().unwrap();
        assert!(turn.begin().is_err());
        assert!(turn.begin().is_err(), "still");
        drop(held);
        drop(turn.begin().unwrap());
        drop(turn.begin().unwrap());
    }

    #[test]
    fn other_threads_wait_for_their_turn() {
        let (turn, mut sum) = (Turn::default(), 0_u64);
        let sum_at = Mutex::new(&mut sum);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let _held = turn.begin().unwrap();
                        **sum_at.try_lock().expect("two have the turn") += 1;
                    }
                });
            }
        });
        assert_eq!(sum, 40_000);
    }
}
