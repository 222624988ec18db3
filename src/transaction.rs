//! Transactions and snapshots.

use std::sync::Arc;

use blaze_core::{Durability, Isolation, Result, Timestamp};

use crate::catalog;
use crate::collection::Collection;
use crate::keyspace::Keyspace;
use crate::session::{Scope, Session};

/// How a transaction differs from what the database does by default.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct TransactionOptions {
    pub(crate) isolation: Option<Isolation>,
    pub(crate) durability: Option<Durability>,
}

impl TransactionOptions {
    /// No difference.
    pub fn new() -> TransactionOptions {
        TransactionOptions::default()
    }

    /// What the transaction is protected from.
    pub fn isolation(mut self, isolation: Isolation) -> TransactionOptions {
        self.isolation = Some(isolation);
        self
    }

    /// What its commit survives by the time it returns.
    pub fn durability(mut self, durability: Durability) -> TransactionOptions {
        self.durability = Some(durability);
        self
    }
}

/// A transaction: sees the database as it was when it began, and its own writes.
///
/// Its collections and keyspaces can be kept and shared between threads; they answer
/// [`Closed`](crate::ErrorKind::Closed) once it has ended.
#[derive(Debug)]
pub struct Transaction {
    session: Arc<Session>,
}

impl Transaction {
    pub(crate) fn new(session: Arc<Session>) -> Transaction {
        Transaction { session }
    }

    /// The collection `name`, read and written within this transaction.
    ///
    /// # Errors
    /// As [`Database::collection`](crate::Database::collection).
    pub fn collection<T>(&self, name: &str) -> Result<Collection<T>> {
        Collection::open(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The keyspace `name`, read and written within this transaction.
    ///
    /// # Errors
    /// As [`Database::keyspace`](crate::Database::keyspace).
    pub fn keyspace(&self, name: &str) -> Result<Keyspace> {
        Keyspace::open(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The last commit that the transaction sees.
    #[must_use]
    pub fn read_ts(&self) -> Timestamp {
        self.session.read_ts()
    }

    /// Makes all writes visible at once and returns their version.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when something that the transaction read, or under snapshot isolation
    /// wrote, has changed since it began: nothing was written, run it again;
    /// [`TransactionTooOld`](crate::ErrorKind::TransactionTooOld) when that can no longer be told;
    /// [`CommitOutcomeUnknown`](crate::ErrorKind::CommitOutcomeUnknown) when the disk failed after the hand-over, and
    /// [`Unavailable`](crate::ErrorKind::Unavailable) from then on, until the database is reopened;
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn commit(self) -> Result<Timestamp> {
        self.try_commit().map_err(|error| catalog::name_conflict(self.session.core(), error))
    }

    /// As [`commit`](Transaction::commit), for one that is going to be tried again: spares the names in the error.
    pub(crate) fn try_commit(&self) -> Result<Timestamp> {
        self.session.commit()
    }

    /// Forgets all writes. Dropping the transaction does the same.
    pub fn rollback(self) {}
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.session.end();
    }
}

/// An immutable view of the whole database at one commit.
///
/// It costs nothing to keep for a while; kept for long, it keeps what was overwritten since from being reclaimed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    session: Arc<Session>,
}

impl Snapshot {
    pub(crate) fn new(session: Arc<Session>) -> Snapshot {
        Snapshot { session }
    }

    /// The collection `name` as it was. Writing to it is refused.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it was not there; else as
    /// [`Database::collection`](crate::Database::collection).
    pub fn collection<T>(&self, name: &str) -> Result<Collection<T>> {
        Collection::open(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The keyspace `name` as it was. Writing to it is refused.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it was not there; else as
    /// [`Database::keyspace`](crate::Database::keyspace).
    pub fn keyspace(&self, name: &str) -> Result<Keyspace> {
        Keyspace::open(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The last commit that the view contains.
    #[must_use]
    pub fn read_ts(&self) -> Timestamp {
        self.session.read_ts()
    }
}
