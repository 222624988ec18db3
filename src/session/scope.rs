//! Where a handle works: on the database, one session an operation, or in the session of a transaction.

use std::sync::Arc;
use std::time::Duration;

use blaze_core::{Durability, Entropy, ErrorKind, Isolation, Result};

use super::Session;
use crate::database::core::Core;

/// Tries before a conflict is handed to the caller.
///
/// Each conflict means that some other commit went through, so what fails this often is a transaction that is always
/// overtaken by shorter ones.
const TRIES_MAX: u32 = 100;

/// Tries of a transaction that took too long: another one is likely to, as well.
const TRIES_OF_OLD_MAX: u32 = 3;

/// Where a handle works.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    /// Each operation is a transaction of its own.
    Database(Arc<Core>),
    /// All operations belong to one transaction or snapshot.
    Session(Arc<Session>),
}

impl Scope {
    /// True if nothing can be written here.
    pub(crate) fn is_read_only(&self) -> bool {
        match self {
            Scope::Database(core) => core.is_read_only(),
            Scope::Session(session) => session.is_read_only() || session.core().is_read_only(),
        }
    }

    /// Runs `work` on one consistent view.
    pub(crate) fn read<R>(&self, work: impl FnOnce(&Arc<Session>) -> Result<R>) -> Result<R> {
        match self {
            Scope::Database(core) => work(&Session::read_only(core)?),
            Scope::Session(session) => work(session),
        }
    }

    /// Runs `work` so that it happens whole or not at all; on the database, as often as conflicts require.
    pub(crate) fn write<R>(&self, mut work: impl FnMut(&Arc<Session>) -> Result<R>) -> Result<R> {
        match self {
            Scope::Database(core) => commit_alone(core, core.isolation, core.durability, work),
            Scope::Session(session) => session.atomically(|| work(session)),
        }
    }
}

/// Runs `work` in a transaction of its own, as often as conflicts require.
pub(crate) fn commit_alone<R>(
    core: &Arc<Core>,
    isolation: Isolation,
    durability: Durability,
    mut work: impl FnMut(&Arc<Session>) -> Result<R>,
) -> Result<R> {
    core.check_writable()?;
    retry(&*core.entropy, || {
        let session = Session::read_write(core, isolation, durability)?;
        let result = work(&session)?;
        session.commit()?;
        Ok(result)
    })
}

/// Runs `attempt` again while it fails with what a new try can cure.
pub(crate) fn retry<R>(entropy: &dyn Entropy, mut attempt: impl FnMut() -> Result<R>) -> Result<R> {
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt() {
            Err(error) if tries < tries_max(error.kind()) => back_off(entropy, tries),
            Err(error) if error.kind().is_retryable() => {
                return Err(error.context(format!("gave up after {tries} tries")));
            }
            result => return result,
        }
    }
}

fn tries_max(kind: ErrorKind) -> u32 {
    match kind {
        ErrorKind::TransactionTooOld => TRIES_OF_OLD_MAX,
        kind if kind.is_retryable() => TRIES_MAX,
        _ => 0,
    }
}

/// Waits for a random time that grows with the tries: those who collided shall not collide again.
#[expect(clippy::disallowed_methods, reason = "the wait is not measured and decides nothing")]
pub(crate) fn back_off(entropy: &dyn Entropy, tries: u32) {
    if tries < 3 {
        return std::thread::yield_now();
    }
    let longest_us = 50_u64 << tries.min(8);
    std::thread::sleep(Duration::from_micros(entropy.next_u64() % longest_us));
}
