//! Transactions and snapshots.

use std::sync::{Arc, Weak};
use std::time::Duration;

use blaze_core::{Clock, Durability, Error, Isolation, Result, Timestamp};

use crate::catalog;
use crate::collection::Collection;
use crate::keyspace::Keyspace;
use crate::object::Objects;
use crate::session::{RetryLimits, Scope, Session};

/// How a transaction differs from what the database does by default.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct TransactionOptions {
    pub(crate) isolation: Option<Isolation>,
    pub(crate) durability: Option<Durability>,
    retries: Option<u32>,
    timeout: Option<Duration>,
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

    /// How often [`Database::transaction_with`](crate::Database::transaction_with) runs it again at most when another
    /// transaction gets in the way; 99 times by default, and twice if it took too long.
    pub fn retries(mut self, retries: u32) -> TransactionOptions {
        self.retries = Some(retries);
        self
    }

    /// How long it may take from its beginning, by the [clock](crate::DatabaseBuilder::clock) of the database and with
    /// all its tries; as long as it likes by default.
    ///
    /// After that it is not run again, and its commit waits no more for a store that is stalled, but answers
    /// [`Unavailable`](crate::ErrorKind::Unavailable), with nothing written. It ends neither work that is running nor a
    /// commit that was admitted.
    pub fn timeout(mut self, timeout: Duration) -> TransactionOptions {
        self.timeout = Some(timeout);
        self
    }

    /// What this means for a transaction that begins now.
    pub(crate) fn retry_limits(self, clock: &dyn Clock) -> RetryLimits {
        let after = |timeout: Duration| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let standard = RetryLimits::default();
        RetryLimits {
            tries_max: self.retries.map_or(standard.tries_max, |retries| retries.saturating_add(1)),
            deadline_ms: self.timeout.map(|timeout| clock.now_ms().saturating_add(after(timeout))),
        }
    }
}

/// A transaction: sees the database as it was when it began, and its own writes.
///
/// Its collections, keyspaces and object stores can be kept and shared between threads; they answer
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

    /// The object store `name`, read and written within this transaction: objects that it writes are held in memory and
    /// count among the bytes that it may write; see [`Objects::create`].
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// # use blaze::Error;
    /// let db = blaze::Database::in_memory()?;
    /// db.transaction(|tx| {
    ///     let mut writer = tx.objects("covers")?.create("solaris")?;
    ///     writer.write_all(b"\xFF\xD8\xFF").map_err(|error| Error::invalid(error.to_string()))?;
    ///     writer.finish()?;
    ///     tx.keyspace("films")?.put("solaris", "has a cover")
    /// })?;
    /// assert_eq!(db.objects("covers")?.info("solaris")?.map(|cover| cover.bytes), Some(3));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Database::objects`](crate::Database::objects).
    pub fn objects(&self, name: &str) -> Result<Objects> {
        Objects::named(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The keyspace `name` whose values may expire, read and written within this transaction. What it reads it sees as of its
    /// beginning, however long it takes.
    ///
    /// # Errors
    /// As [`Database::expiring_keyspace`](crate::Database::expiring_keyspace); [`Invalid`](crate::ErrorKind::Invalid) when a
    /// plain one would have to be switched under [snapshot isolation](crate::Isolation::Snapshot).
    pub fn expiring_keyspace(&self, name: &str) -> Result<Keyspace> {
        Keyspace::open_expiring(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The last commit that the transaction sees.
    #[must_use]
    pub fn read_ts(&self) -> Timestamp {
        self.session.read_ts()
    }

    /// Marks what is written so far, so that what comes after can be taken back: for a part of the work that may fail.
    ///
    /// ```
    /// let db = blaze::Database::in_memory()?;
    /// db.transaction(|tx| {
    ///     let letters = tx.keyspace("letters")?;
    ///     letters.put("a", "kept")?;
    ///     let savepoint = tx.savepoint()?;
    ///     letters.put("b", "taken back")?;
    ///     tx.rollback_to(&savepoint)
    /// })?;
    /// assert_eq!(db.keyspace("letters")?.count()?, 1);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`TransactionTooOld`](crate::ErrorKind::TransactionTooOld), if there is a limit to its age.
    pub fn savepoint(&self) -> Result<Savepoint> {
        let number = self.session.add_savepoint()?;
        Ok(Savepoint { session: Arc::downgrade(&self.session), number })
    }

    /// Takes back everything written since a savepoint, and the savepoints made since. It may be used again.
    ///
    /// What was read since then still counts as read: whoever decided to roll back may have done so because of it.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the savepoint is another transaction's, or was taken back itself by
    /// a rollback to an earlier one; [`TransactionTooOld`](crate::ErrorKind::TransactionTooOld), if there is a limit to
    /// its age.
    pub fn rollback_to(&self, savepoint: &Savepoint) -> Result<()> {
        if savepoint.session.as_ptr() != Arc::as_ptr(&self.session) {
            return Err(Error::invalid("the savepoint belongs to another transaction"));
        }
        self.session.roll_back_to(savepoint.number)
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

/// A place in a [`Transaction`] to which its writes can be taken back; see [`Transaction::savepoint`].
///
/// It is released when it is dropped. Savepoints nest: rolling back to one takes those back that were made after it.
#[derive(Debug)]
pub struct Savepoint {
    session: Weak<Session>,
    number: u64,
}

impl Drop for Savepoint {
    fn drop(&mut self) {
        if let Some(session) = self.session.upgrade() {
            session.forget_savepoint(self.number);
        }
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

    /// The object store `name` as it was: its objects stay readable, whatever has become of them since. Writing to it is
    /// refused.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it was not there; [`Unsupported`](crate::ErrorKind::Unsupported) in a
    /// view of the [past](crate::Database::as_of), of which objects keep no history; else as
    /// [`Database::objects`](crate::Database::objects).
    pub fn objects(&self, name: &str) -> Result<Objects> {
        Objects::named(Scope::Session(Arc::clone(&self.session)), name)
    }

    /// The last commit that the view contains.
    #[must_use]
    pub fn read_ts(&self) -> Timestamp {
        self.session.read_ts()
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::{
        Changes, CommitRequest, ErrorKind, ManualClock, Marks, MemStore, Prefix, ReadPoint, SeededEntropy, Store,
        Versions,
    };
    use parking_lot::Mutex;

    use super::*;
    use crate::database::Database;
    use crate::database::core::{Core, Storage};
    use crate::retention::Retention;

    /// A store that remembers how long commits may wait, and fails all that may not wait at all.
    #[derive(Debug)]
    struct Stalled {
        inner: MemStore,
        timeouts: Mutex<Vec<Option<Duration>>>,
    }

    impl Store for Stalled {
        fn read_point(&self) -> Result<Arc<dyn ReadPoint>> {
            self.inner.read_point()
        }

        fn commit(&self, request: CommitRequest) -> Result<Timestamp> {
            self.timeouts.lock().push(request.timeout);
            match request.timeout {
                Some(Duration::ZERO) => Err(Error::unavailable("the store is stalled")),
                _ => self.inner.commit(request),
            }
        }

        fn read_point_at(&self, ts: Timestamp) -> Result<Arc<dyn ReadPoint>> {
            self.inner.read_point_at(ts)
        }

        fn versions(&self, point: &Arc<dyn ReadPoint>, key: &[u8]) -> Result<Versions> {
            self.inner.versions(point, key)
        }

        fn changes(&self, point: &Arc<dyn ReadPoint>, after: Timestamp) -> Result<Changes> {
            self.inner.changes(point, after)
        }

        fn wait_for_changes(&self, after: Timestamp, prefix: Option<Prefix>, timeout: Duration) -> Result<bool> {
            self.inner.wait_for_changes(after, prefix, timeout)
        }

        fn marks(&self) -> Result<Arc<Marks>> {
            self.inner.marks()
        }

        fn feed_within(&self, bytes: u64) -> Result<Timestamp> {
            self.inner.feed_within(bytes)
        }

        fn sync(&self) -> Result<()> {
            self.inner.sync()
        }

        fn bytes_used(&self) -> Result<u64> {
            self.inner.bytes_used()
        }

        fn close(&self) -> Result<()> {
            self.inner.close()
        }
    }

    #[test]
    fn a_commit_is_told_how_long_it_may_wait_and_is_not_tried_again_when_it_gives_up() {
        let clock = Arc::new(ManualClock::at_ms(1_000));
        let store = Arc::new(Stalled { inner: MemStore::new(clock.clone()), timeouts: Mutex::default() });
        let (entropy, durability) = (Arc::new(SeededEntropy::new(1)), Durability::Buffered);
        let (isolation, retention) = (Isolation::Serializable, Retention::new(1_000, None));
        let core = Core::new(store.clone(), Storage::Memory, clock.clone(), entropy, isolation, durability, retention);
        let db = Database::new(Arc::new(core.unwrap()));
        db.keyspace("rows").unwrap();

        let options = TransactionOptions::new().timeout(Duration::from_millis(100));
        let mut runs = 0;
        let mut write_after = |ms| {
            db.transaction_with(options, |tx| {
                runs += 1;
                clock.advance_ms(ms);
                tx.keyspace("rows")?.put("a", "1")
            })
        };
        write_after(30).unwrap();
        let error = write_after(100).unwrap_err();
        assert_eq!((error.kind(), runs), (ErrorKind::Unavailable, 2));
        db.transaction(|tx| tx.keyspace("rows")?.put("b", "1")).unwrap();
        let timeouts = store.timeouts.lock();
        let last = &timeouts[timeouts.len() - 3..];
        assert_eq!(last, [Some(Duration::from_millis(70)), Some(Duration::ZERO), None]);
    }
}
