//! What a commit asks for.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::{Expiry, Family, KeyRange, Tracking};
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// What a transaction is protected from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// As if transactions ran one after another: refused when anything it read has changed, absent keys and empty
    /// ranges included.
    #[default]
    Serializable,
    /// One immutable view and no lost update: refused when a key that it writes has changed. Write skew is possible.
    Snapshot,
}

/// What a commit survives by the time it returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Power loss: the log is synced to the disk.
    #[default]
    Sync,
    /// The death of the process, but not of the machine: the log is with the operating system. One commit in ten seconds at most
    /// is synced all the same, so that no loss of power has a timestamp given twice.
    Buffered,
    /// As [`Buffered`](Durability::Buffered), and power loss after this time: the log is synced in the background. A sync
    /// that fails there is noticed by the next commit.
    Interval(Duration),
}

/// A key that was read, whether it was there or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PointRead {
    /// The family of the key.
    pub family: Family,
    /// The key.
    pub key: Vec<u8>,
}

/// A range that was read: as much of it as really was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RangeRead {
    /// The family of the keys.
    pub family: Family,
    /// The keys.
    pub range: KeyRange,
}

/// One change. Those of a request apply in their order. A key is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets the value of a key.
    Put {
        /// The family of the key.
        family: Family,
        /// The key.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
        /// Where in `value` the store writes the commit timestamp, 8 bytes big-endian, if it shall.
        stamp_at: Option<usize>,
    },
    /// Removes a key; it need not be there.
    Delete {
        /// The family of the key.
        family: Family,
        /// The key.
        key: Vec<u8>,
    },
    /// Adds to the [counter](super::counter) under a key, as it is when the commit is applied: two that add to the same key
    /// never conflict. A counter that is not there counts from zero.
    Add {
        /// The family of the key.
        family: Family,
        /// The key.
        key: Vec<u8>,
        /// What to add.
        delta: i64,
    },
    /// Removes all keys of a range.
    DeleteRange {
        /// The family of the keys.
        family: Family,
        /// The keys.
        range: KeyRange,
    },
    /// Counts as written, for the validation of others, and writes nothing: whoever has read the key or a range with it
    /// conflicts with the commit. It is not validated itself, and neither readers nor histories nor the change feed see it.
    Touch {
        /// The family of the key.
        family: Family,
        /// The key.
        key: Vec<u8>,
    },
}

impl Write {
    /// A put without a stamp.
    pub fn put(family: Family, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Write {
        Write::Put { family, key: key.into(), value: value.into(), stamp_at: None }
    }

    /// The removal of a key.
    pub fn delete(family: Family, key: impl Into<Vec<u8>>) -> Write {
        Write::Delete { family, key: key.into() }
    }

    /// The family of what is written.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Write::Put { family, .. }
            | Write::Delete { family, .. }
            | Write::Add { family, .. }
            | Write::DeleteRange { family, .. }
            | Write::Touch { family, .. } => *family,
        }
    }

    /// The key of what is written, if it is one.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        match self {
            Write::Put { key, .. } | Write::Delete { key, .. } | Write::Add { key, .. } | Write::Touch { key, .. } => {
                Some(key)
            }
            Write::DeleteRange { .. } => None,
        }
    }

    /// Refuses what no store can write: an empty key and the families that a store keeps for itself, or a stamp outside
    /// the value.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid).
    pub fn validate(&self) -> Result<()> {
        match self {
            write if write.family().is_kept_by_the_store() => {
                let name = write.family().name();
                Err(Error::invalid(format!("the family {name} is kept by the store alone")))
            }
            write if write.key().is_some_and(<[u8]>::is_empty) => {
                Err(Error::invalid("a key of 0 bytes cannot be written, at least 1 is needed"))
            }
            Write::Put { value, stamp_at: Some(at), .. } if value.len() < 8 || *at > value.len() - 8 => {
                Err(Error::invalid(format!("a stamp of 8 bytes at {at} is outside a value of {} bytes", value.len())))
            }
            _ => Ok(()),
        }
    }
}

/// Who wants to be told of a commit that is certain, before anybody can see it: for what is derived of the data and kept in
/// memory.
pub trait CommitHook: Debug + Send + Sync {
    /// Called once with the timestamp of the commit, after it was written and before it is published, in the order of the
    /// timestamps; never for a request that was refused, or for one that writes nothing. When a sync fails afterwards, the
    /// commit is never published although it was told of.
    ///
    /// All commits wait for it: it takes no more than a short lock, and it neither reads the store nor fails.
    fn committed(&self, ts: Timestamp);
}

/// The [feature](CommitRequest::features) of a database that keeps graphs of its vector indexes, and says which vectors they may
/// lack: rows of the family `vector` that are no vectors.
pub const FEATURE_VECTOR_GRAPHS: u64 = 1;

/// The [feature](CommitRequest::features) of a database that has text indexes: the catalog declares them, and the family `text`
/// holds their rows.
pub const FEATURE_TEXT_INDEXES: u64 = 2;

/// A transaction, handed to the store to be committed.
#[derive(Clone, Debug, Default)]
pub struct CommitRequest {
    /// The read point at which everything below was read. The caller keeps that read point alive until the commit
    /// returns; a store forgets what only older ones could ask for.
    pub read_ts: Timestamp,
    /// Keys that must not have changed since, under every isolation: catalog entries, explicit locks.
    pub guards: Vec<PointRead>,
    /// Keys that were read; validated under [`Isolation::Serializable`].
    pub reads: Vec<PointRead>,
    /// Ranges that were read; validated under [`Isolation::Serializable`].
    pub ranges: Vec<RangeRead>,
    /// What to write, in this order.
    pub writes: Vec<Write>,
    /// What the writes leave behind. It counts only in a request that [has writes](CommitRequest::has_writes), and applies to
    /// all of them.
    pub tracked: Vec<Tracking>,
    /// What to let go of.
    pub expiry: Expiry,
    /// Whether `reads` and `ranges`, or the keys of `writes`, are validated.
    pub isolation: Isolation,
    /// What the commit survives by the time it returns.
    pub durability: Durability,
    /// How long the commit may wait to be admitted by a store that is stalled; as long as it takes, if not said. After
    /// that it is refused as [`Unavailable`](crate::ErrorKind::Unavailable), before anything of it is enqueued: what
    /// has been admitted is never given up.
    pub timeout: Option<Duration>,
    /// What a version of Blaze has to know to read the database from this commit on, a bit each: one that does not know all of
    /// them refuses to open it. A store that only this version ever sees need not keep them.
    pub features: u64,
    /// Who is told of the commit.
    pub hook: Option<Arc<dyn CommitHook>>,
}

impl CommitRequest {
    /// True if there is nothing to commit. [Touches](Write::Touch) alone are nothing: without another write nobody sees that
    /// there was a commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_writes() && self.expiry.is_empty()
    }

    /// True if one of the writes is more than a [touch](Write::Touch).
    #[must_use]
    pub fn has_writes(&self) -> bool {
        self.writes.iter().any(|write| !matches!(write, Write::Touch { .. }))
    }
}
