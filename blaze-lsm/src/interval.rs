//! Syncs that are due some time after a commit: one thread of the process does them for all stores.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::commit::Pipeline;

/// When the next sync of a store is due, if one is.
#[derive(Debug, Default)]
pub(crate) struct NextSync(Mutex<Option<Instant>>);

/// A sync of a store.
#[derive(Debug)]
struct Due {
    at: Instant,
    pipeline: Weak<Pipeline>,
}

/// The syncs of all stores, and the thread that waits for the first of them.
#[derive(Debug, Default)]
struct Timer {
    due: std::sync::Mutex<BinaryHeap<Reverse<Due>>>,
    changed: std::sync::Condvar,
}

impl NextSync {
    /// Has the store of `pipeline` synced after `interval` at the latest.
    pub(crate) fn schedule(&self, pipeline: &Arc<Pipeline>, interval: Duration) {
        let Some(at) = now().checked_add(interval) else { return }; // beyond the end of time
        let mut next = self.0.lock();
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            Timer::of_the_process().add(Due { at, pipeline: Arc::downgrade(pipeline) });
        }
    }

    /// A sync begins: commits from now on need another.
    pub(crate) fn take(&self) {
        self.0.lock().take();
    }
}

impl Timer {
    /// The timer, whose thread begins with the first use and ends with the process.
    fn of_the_process() -> &'static Timer {
        static TIMER: OnceLock<&'static Timer> = OnceLock::new();
        TIMER.get_or_init(|| {
            let timer: &'static Timer = Box::leak(Box::default());
            // Without the thread commits are as durable as `Buffered` ones, until `sync` or `close`.
            let _ = thread::Builder::new().name(String::from("blaze-sync")).spawn(|| timer.run());
            timer
        })
    }

    fn add(&self, due: Due) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse(due));
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let wait = due.peek().map(|Reverse(first)| first.at.saturating_duration_since(now()));
            due = match wait {
                None => self.changed.wait(due).unwrap_or_else(PoisonError::into_inner),
                Some(wait) if !wait.is_zero() => {
                    self.changed.wait_timeout(due, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let first = due.pop();
                    drop(due);
                    if let Some(pipeline) = first.and_then(|Reverse(first)| first.pipeline.upgrade()) {
                        pipeline.sync_because_it_is_due();
                    }
                    self.due.lock().unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it decides when to sync, and nothing that is stored")]
fn now() -> Instant {
    Instant::now()
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}
