//! Where a handle works: on the database, one session an operation, or in the session of a transaction.

use std::sync::Arc;

use blaze_core::{Durability, Error, Isolation, Result, Timestamp};

use super::{RetryLimits, Session, retry};
use crate::database::core::Core;

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
    pub(crate) fn write<R>(&self, work: impl FnMut(&Arc<Session>) -> Result<R>) -> Result<R> {
        self.write_stamped(work).map(|(result, _)| result)
    }

    /// As [`write`](Scope::write), with the version of the commit if that is part of it.
    pub(crate) fn write_stamped<R>(
        &self,
        mut work: impl FnMut(&Arc<Session>) -> Result<R>,
    ) -> Result<(R, Option<Timestamp>)> {
        match self {
            Scope::Database(core) => commit_stamped(core, core.isolation, core.durability, work)
                .map(|(result, version)| (result, Some(version))),
            Scope::Session(session) => session.atomically(|| work(session)).map(|result| (result, None)),
        }
    }

    /// The session of the transaction that the handle belongs to.
    pub(crate) fn transaction(&self) -> Result<&Arc<Session>> {
        match self {
            Scope::Session(session) if !session.is_read_only() => Ok(session),
            _ => Err(Error::invalid("a key is held for an update only in a transaction: there is none here")),
        }
    }
}

/// Runs `work` in a transaction of its own, as often as conflicts require.
pub(crate) fn commit_alone<R>(
    core: &Arc<Core>,
    isolation: Isolation,
    durability: Durability,
    work: impl FnMut(&Arc<Session>) -> Result<R>,
) -> Result<R> {
    commit_stamped(core, isolation, durability, work).map(|(result, _)| result)
}

/// As [`commit_alone`], with the version of the commit.
fn commit_stamped<R>(
    core: &Arc<Core>,
    isolation: Isolation,
    durability: Durability,
    mut work: impl FnMut(&Arc<Session>) -> Result<R>,
) -> Result<(R, Timestamp)> {
    core.check_writable()?;
    retry(core, RetryLimits::default(), || {
        let session = Session::read_write(core, isolation, durability)?;
        let result = work(&session)?;
        let version = session.commit()?;
        Ok((result, version))
    })
}
