//! Who embeds: one thread at a time.

use std::thread::{self, ThreadId};

use blaze_core::{Error, Result};
use parking_lot::{Mutex, MutexGuard};

/// Held by the thread that embeds in a database.
#[derive(Debug, Default)]
pub(super) struct Working {
    held: Mutex<()>,
    /// The thread that holds it.
    holder: Mutex<Option<ThreadId>>,
}

/// Holds it until it is dropped.
pub(super) struct Held<'a> {
    working: &'a Working,
    _held: MutexGuard<'a, ()>,
}

impl Working {
    /// Waits until nobody else embeds. Refuses an embedder that would wait for itself.
    pub(super) fn begin(&self) -> Result<Held<'_>> {
        if *self.holder.lock() == Some(thread::current().id()) {
            return Err(Error::invalid(
                "an embedder waits for its database to embed, from within the call that embeds there: it would wait for itself",
            ));
        }
        Ok(self.hold(self.held.lock()))
    }

    /// Unless somebody embeds.
    pub(super) fn try_begin(&self) -> Option<Held<'_>> {
        self.held.try_lock().map(|held| self.hold(held))
    }

    fn hold<'a>(&'a self, held: MutexGuard<'a, ()>) -> Held<'a> {
        *self.holder.lock() = Some(thread::current().id());
        Held { working: self, _held: held }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        *self.working.holder.lock() = None;
    }
}
