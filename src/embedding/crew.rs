//! The thread of the process that has documents embedded, in all databases by turns. It is there while there is something to
//! do or to wait for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::database::core::Core;

/// How long the thread waits for more to do before it ends.
const IDLE: Duration = Duration::from_secs(5);

static CREW: Crew =
    Crew { waiting: Mutex::new(Waiting { turns: Vec::new(), has_thread: false }), changed: Condvar::new() };

struct Crew {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    /// Each database once.
    turns: Vec<Turn>,
    has_thread: bool,
}

/// When a database has its next turn.
struct Turn {
    at: Instant,
    core: Weak<Core>,
}

/// Has a database have its turn after a while, or earlier if it has one then.
pub(super) fn call(core: &Weak<Core>, after: Duration) {
    let Some(at) = now().checked_add(after) else { return };
    let mut waiting = CREW.lock();
    match waiting.turns.iter_mut().find(|turn| turn.core.ptr_eq(core)) {
        Some(turn) if turn.at <= at => return,
        Some(turn) => turn.at = at,
        None => waiting.turns.push(Turn { at, core: Weak::clone(core) }),
    }
    match waiting.has_thread {
        true => CREW.changed.notify_one(),
        // Without the thread, the next commit tries again.
        false => {
            let thread = thread::Builder::new().name(String::from("blaze-embed"));
            waiting.has_thread = thread.spawn(|| CREW.run()).is_ok();
        }
    }
}

/// Forgets the databases that are closed.
pub(super) fn sweep() {
    let mut cores = Vec::new(); // who drops the last of one closes a database, which comes here
    let mut waiting = CREW.lock();
    waiting.turns.retain(|turn| {
        let core = turn.core.upgrade();
        let is_open = core.as_ref().is_some_and(|core| !core.embedding.has_ended());
        cores.extend(core);
        is_open
    });
    CREW.changed.notify_one();
    drop(waiting);
}

impl Crew {
    fn run(&'static self) {
        let mut waiting = self.lock();
        loop {
            let first = waiting.turns.iter().enumerate().min_by_key(|(_, turn)| turn.at);
            let wait = first.map(|(place, turn)| (place, turn.at.saturating_duration_since(now())));
            match wait {
                Some((place, wait)) if wait.is_zero() => {
                    let turn = waiting.turns.swap_remove(place);
                    drop(waiting);
                    let _guard = EndOfThread(self); // also if the end of a database panics
                    if let Some(core) = turn.core.upgrade()
                        && let Some(after) = core.embedding.take_turn(&core)
                    {
                        call(&turn.core, after);
                    }
                    waiting = self.lock();
                }
                other => {
                    let wait = other.map_or(IDLE, |(_, wait)| wait);
                    let (again, timeout) =
                        self.changed.wait_timeout(waiting, wait).unwrap_or_else(PoisonError::into_inner);
                    waiting = again;
                    if timeout.timed_out() && waiting.turns.is_empty() {
                        waiting.has_thread = false;
                        return;
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets another thread begin if this one panics.
struct EndOfThread(&'static Crew);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().has_thread = false;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it decides when to look, and nothing that is stored")]
pub(super) fn now() -> Instant {
    Instant::now()
}
