//! Interrupts: the run ends, and what was found so far is reported.

use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the run is to end, and the process to be ended then.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    raised: AtomicBool,
    child: Mutex<Option<Child>>,
}

impl Interrupt {
    /// From now on the keyboard's interrupt, and a request to terminate, raise it; a second one ends the program at once.
    ///
    /// # Errors
    /// When there is such a handler already.
    pub fn install(&self) -> Result<(), ctrlc::Error> {
        let interrupt = self.clone();
        ctrlc::set_handler(move || {
            if interrupt.is_raised() {
                std::process::exit(130); // as shells have it for an interrupt
            }
            interrupt.raise();
        })
    }

    /// Raises it: the process that is running is killed.
    pub fn raise(&self) {
        self.shared.raised.store(true, Ordering::SeqCst);
        self.kill();
    }

    /// True once it was raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.shared.raised.load(Ordering::SeqCst)
    }

    /// Puts a process into the interrupt's hands.
    pub(super) fn guard(&self, child: Child) {
        *self.child() = Some(child);
        if self.is_raised() {
            self.kill();
        }
    }

    /// Takes the process back.
    pub(super) fn release(&self) -> Option<Child> {
        self.child().take()
    }

    /// Kills the process that is running, for one reason or another.
    pub(super) fn kill(&self) {
        if let Some(child) = &mut *self.child() {
            let _ = child.kill(); // it may have ended by itself
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.shared.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
