//! Threads of the process that work for all databases, in the background.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use blaze_core::Result;

use crate::database::core::Core;

/// How long a thread waits for more to do before it ends.
const IDLE: Duration = Duration::from_secs(5);

/// A thread that works on databases, one after the other. It is there while there is something to do.
pub(crate) struct Crew {
    name: &'static str,
    work: fn(&Arc<Core>) -> Result<()>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    cores: VecDeque<Weak<Core>>,
    has_thread: bool,
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

impl Crew {
    pub(crate) const fn new(name: &'static str, work: fn(&Arc<Core>) -> Result<()>) -> Crew {
        let waiting = Waiting { cores: VecDeque::new(), has_thread: false };
        Crew { name, work, waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    /// Has the thread work on a database soon.
    pub(crate) fn call(&'static self, core: &Weak<Core>) {
        let mut waiting = self.lock();
        if !waiting.cores.iter().any(|there| there.ptr_eq(core)) {
            waiting.cores.push_back(Weak::clone(core));
        }
        match waiting.has_thread {
            true => self.changed.notify_one(),
            // Without the thread, the next commit tries again.
            false => {
                let thread = thread::Builder::new().name(String::from(self.name));
                waiting.has_thread = thread.spawn(|| self.run()).is_ok();
            }
        }
    }

    fn run(&'static self) {
        let mut waiting = self.lock();
        loop {
            match waiting.cores.pop_front() {
                Some(core) => {
                    drop(waiting);
                    if let Some(core) = core.upgrade() {
                        let _guard = EndOfThread(self);
                        // What fails now is tried again with the next commit.
                        let _ = (self.work)(&core);
                    }
                    waiting = self.lock();
                }
                None => {
                    let (again, timeout) =
                        self.changed.wait_timeout(waiting, IDLE).unwrap_or_else(PoisonError::into_inner);
                    waiting = again;
                    if timeout.timed_out() && waiting.cores.is_empty() {
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
