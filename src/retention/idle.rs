//! Runs of retention that no commit brings about: one thread of the process sees to them for all databases.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::database::core::Core;

/// When a database is looked at next, if nobody writes to it before.
#[derive(Debug, Default)]
pub(super) struct NextRun {
    /// What the thread works on, which does not keep the database open; none where nothing is to be done by itself.
    core: OnceLock<Weak<Core>>,
    /// Taken before the lock of the timer.
    at: parking_lot::Mutex<Option<Instant>>,
    ended: AtomicBool,
}

/// A look at a database.
#[derive(Debug)]
struct Due {
    at: Instant,
    core: Weak<Core>,
}

/// The looks at all databases, and the thread that waits for the first of them. It is there while there is one.
#[derive(Debug, Default)]
struct Timer {
    due: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    due: BinaryHeap<Reverse<Due>>,
    has_thread: bool,
}

impl NextRun {
    /// From now on there is something to work on.
    pub(super) fn begin(&self, core: &Arc<Core>) {
        let _ = self.core.set(Arc::downgrade(core));
    }

    /// Has the database looked at after `wait`, or before.
    pub(super) fn schedule(&self, wait: Duration) {
        self.schedule_with(Timer::of_the_process(), wait);
    }

    fn schedule_with(&self, timer: &'static Timer, wait: Duration) {
        let (Some(core), Some(at)) = (self.core.get(), now().checked_add(wait)) else { return };
        let mut next = self.at.lock();
        if !self.has_ended() && next.is_none_or(|next| at < next) {
            *next = Some(at);
            timer.add(Due { at, core: Weak::clone(core) });
        }
    }

    /// True for the look that is due now; false for one that an earlier one has replaced.
    pub(super) fn take(&self, at: Instant) -> bool {
        self.at.lock().take_if(|next| *next == at).is_some() && !self.has_ended()
    }

    /// Nobody looks any more.
    pub(super) fn end(&self) {
        self.end_with(Timer::of_the_process());
    }

    fn end_with(&self, timer: &Timer) {
        self.ended.store(true, Ordering::Release);
        let waits = self.at.lock().take().is_some();
        if waits {
            timer.sweep();
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

impl Timer {
    fn of_the_process() -> &'static Timer {
        static TIMER: OnceLock<Timer> = OnceLock::new();
        TIMER.get_or_init(Timer::default)
    }

    fn add(&'static self, due: Due) {
        let mut waiting = self.lock();
        waiting.due.push(Reverse(due));
        match waiting.has_thread {
            true => self.changed.notify_one(),
            // Without the thread what is due waits for a commit.
            false => {
                let thread = thread::Builder::new().name(String::from("blaze-retention"));
                waiting.has_thread = thread.spawn(|| self.run()).is_ok();
            }
        }
    }

    /// Forgets the databases that are closed.
    fn sweep(&self) {
        let mut waiting = self.lock();
        waiting.due.retain(|Reverse(due)| due.core.upgrade().is_some_and(|core| !core.retention.next_run.has_ended()));
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut waiting = self.lock();
        loop {
            let wait = waiting.due.peek().map(|Reverse(first)| first.at.saturating_duration_since(now()));
            waiting = match wait {
                None => {
                    waiting.has_thread = false;
                    return;
                }
                Some(wait) if !wait.is_zero() => {
                    self.changed.wait_timeout(waiting, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let first = waiting.due.pop();
                    drop(waiting);
                    if let Some(Reverse(first)) = first
                        && let Some(core) = first.core.upgrade()
                    {
                        core.retention.look_after(&core, first.at);
                    }
                    self.lock()
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "it decides when to look, and nothing that is stored")]
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

#[cfg(test)]
mod tests {
    use blaze_core::{Document, ErrorKind};

    use super::*;
    use crate::catalog::{self, Kind};
    use crate::database::Database;
    use crate::session::Session;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn timer() -> &'static Timer {
        Box::leak(Box::default())
    }

    /// How many looks wait, and whether there is a thread.
    fn waiting(timer: &Timer) -> (usize, bool) {
        let waiting = timer.lock();
        (waiting.due.len(), waiting.has_thread)
    }

    #[test]
    fn the_thread_is_there_only_while_a_database_needs_it() {
        let timer = timer();
        assert_eq!(waiting(timer), (0, false));
        for _ in 0..2 {
            let databases = [(); 2].map(|()| Database::in_memory().unwrap());
            let [one, other] = databases.each_ref().map(|db| &db.core.retention.next_run);
            one.schedule_with(timer, HOUR);
            other.schedule_with(timer, HOUR);
            assert_eq!(waiting(timer), (2, true));
            one.end_with(timer);
            assert_eq!(waiting(timer), (1, true));
            other.end_with(timer);
            let start = now();
            while waiting(timer).1 {
                assert!(start.elapsed() < Duration::from_secs(60), "the thread waits for nothing");
                thread::park_timeout(Duration::from_millis(5));
            }
            one.schedule_with(timer, HOUR);
            assert_eq!(waiting(timer), (0, false), "it has ended for good");
        }
    }

    #[test]
    fn an_earlier_look_takes_the_place_of_a_later_one() {
        let (timer, db) = (timer(), Database::in_memory().unwrap());
        let next = &db.core.retention.next_run;
        next.schedule_with(timer, 2 * HOUR);
        let later = next.at.lock().unwrap();
        next.schedule_with(timer, HOUR);
        next.schedule_with(timer, 3 * HOUR);
        let earlier = next.at.lock().unwrap();
        assert!(earlier < later);
        assert_eq!((next.take(later), next.take(earlier), next.take(earlier)), (false, true, false));
    }

    #[test]
    fn who_works_in_the_background_reads_documents_of_shapes_that_were_learnt_later() {
        let db = Database::in_memory().unwrap();
        let films = db.collection::<Document>("films").unwrap();
        let at_work = db.core.retention.next_run.core.get().unwrap().upgrade().unwrap();
        for field in ["a", "b"] {
            let document = Document::new().with(field, 1);
            films.insert(&document).unwrap();
            let session = Session::read_only(&at_work).unwrap();
            let id = catalog::get(&session, "films", Kind::Collection).unwrap().id;
            assert!(at_work.catalog.dictionaries.get(&at_work, id).unwrap().knows(&document), "{field}");
        }
    }

    #[test]
    fn who_works_in_the_background_keeps_no_database_open() {
        for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
            let at_work = db.core.retention.next_run.core.get().unwrap().upgrade().unwrap();
            assert!(at_work.store.read_point().is_ok());
            drop(db);
            assert_eq!(at_work.store.read_point().unwrap_err().kind(), ErrorKind::Closed);
        }
    }
}
