//! The Store port: what the database asks of its storage.
//!
//! A store maps keys to values in a few fixed [`Family`]s. Reads happen at a [`ReadPoint`], an immutable view of all
//! commits up to one timestamp. Writes happen in a [`CommitRequest`], which names what was read so that the store can
//! refuse it when that has changed: optimistic concurrency control with backward validation.
//!
//! There are two: [`MemStore`](crate::MemStore), the model, and `blaze-lsm`'s store over RocksDB. Both pass the same contract tests.
//! A store may refuse a commit without need; it may never accept one wrongly or answer wrongly.

mod change;
mod commit;
pub mod counter;
mod marks;
mod range;
mod signal;
mod tracking;
mod undo;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

pub use change::{Change, ChangeKind, Changes};
pub use commit::{
    CommitHook, CommitRequest, Durability, FEATURE_TEXT_INDEXES, FEATURE_VECTOR_GRAPHS, Isolation, PointRead,
    RangeRead, Write,
};
pub use marks::{MarkChange, Marks};
pub use range::{Direction, KeyRange};
pub use signal::ChangeSignal;
pub use tracking::{Expiry, Feed, Prefix, Tracking, Version, Versions, prefix_of, prefix_of_range};
pub use undo::UndoKey;

use crate::clock::Timestamp;
use crate::error::Result;

/// Where a key lives, by access pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Family {
    /// Collections, keyspaces, indexes and dictionaries: few, small, read at open.
    Catalog = 0,
    /// Documents and raw values: point reads and scans.
    Data = 1,
    /// Index entries: short scans, empty values.
    Index = 2,
    /// Vectors, out of the way of scans over documents.
    Vector = 3,
    /// What data was before it was replaced. Kept by the store alone, which answers from it through
    /// [`read_point_at`](Store::read_point_at).
    History = 4,
    /// What has changed, by commit. Kept by the store alone, which answers from it through
    /// [`changes`](Store::changes).
    Feed = 5,
    /// Text indexes: the terms of documents, what is not folded yet, and pages of segments.
    Text = 6,
}

impl Family {
    /// All families, in the order of their discriminants.
    pub const ALL: [Family; 7] =
        [Family::Catalog, Family::Data, Family::Index, Family::Vector, Family::History, Family::Feed, Family::Text];

    /// True if only the store itself writes to the family.
    #[must_use]
    pub const fn is_kept_by_the_store(self) -> bool {
        matches!(self, Family::History | Family::Feed)
    }

    /// The name under which a store keeps the family.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Family::Catalog => "catalog",
            Family::Data => "data",
            Family::Index => "index",
            Family::Vector => "vector",
            Family::History => "history",
            Family::Feed => "feed",
            Family::Text => "text",
        }
    }
}

/// Where a store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last commit that new readers see.
    pub ts: Timestamp,
    /// The last of them that wrote to the catalog, as [`ReadPoint::catalog_ts`] says.
    pub catalog_ts: Timestamp,
}

/// Transactional storage of ordered keys.
pub trait Store: Send + Sync + Debug + 'static {
    /// A view of everything committed so far.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) after [`close`](Store::close).
    fn read_point(&self) -> Result<Arc<dyn ReadPoint>>;

    /// As [`read_point`](Store::read_point), for a reader that commits nothing upon it: a store need not remember
    /// later writes for its sake. A commit that did name its timestamp could be refused as too old.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) after [`close`](Store::close).
    fn read_only_point(&self) -> Result<Arc<dyn ReadPoint>> {
        self.read_point()
    }

    /// Calls `read` with a read point as [`read_only_point`](Store::read_only_point) answers it, for a single read: cheaper,
    /// since nobody comes to hold it. `read` must not close the store.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) after [`close`](Store::close); or what `read` returns.
    fn read_now(&self, read: &mut dyn FnMut(&dyn ReadPoint) -> Result<()>) -> Result<()> {
        read(&*self.read_only_point()?)
    }

    /// What a read point would say now of itself, for who writes without reading: cheaper than one.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) after [`close`](Store::close).
    fn head(&self) -> Result<Head> {
        let point = self.read_only_point()?;
        Ok(Head { ts: point.ts(), catalog_ts: point.catalog_ts() })
    }

    /// The commit of the oldest view that anybody holds, the last one if there is none: what was overwritten or removed up to
    /// there is seen by nobody any more, now or later. `None` if the store does not know.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) after [`close`](Store::close).
    fn oldest_view(&self) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// Validates and applies a request as one unit, and returns its timestamp once it is visible to new read points
    /// and as durable as asked. Timestamps grow from commit to commit, across reopening too. A request that is
    /// [empty](CommitRequest::is_empty) is not validated and gets its own `read_ts`: what it read was one consistent view.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when something the request depends on was written after its
    /// `read_ts`; [`TransactionTooOld`](crate::ErrorKind::TransactionTooOld) when that can no longer be told;
    /// [`Invalid`](crate::ErrorKind::Invalid) and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when something is
    /// added to what is no counter, or too much; `LimitExceeded` when the history of a range to be deleted is too large;
    /// [`Closed`](crate::ErrorKind::Closed);
    /// [`CommitOutcomeUnknown`](crate::ErrorKind::CommitOutcomeUnknown) when the disk failed after the hand-over. Nothing
    /// is written in all cases but the last.
    fn commit(&self, request: CommitRequest) -> Result<Timestamp>;

    /// A view of [`Family::Data`] as it was right after the last commit at or before `ts`, of [`Family::Catalog`] as it
    /// is now, and of no other family. A timestamp that is still ahead means now. The view goes on answering when the
    /// history expires meanwhile.
    ///
    /// It reads keys and ranges of one [tracked](Tracking) prefix at a time, and answers
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for what has no history and
    /// [`HistoryExpired`](crate::ErrorKind::HistoryExpired) where the history begins later than `ts`. A read takes the
    /// time of two.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    fn read_point_at(&self, ts: Timestamp) -> Result<Arc<dyn ReadPoint>>;

    /// What a key of [`Family::Data`] was, up to `point` and back to the beginning of its history.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the key has no history;
    /// [`HistoryExpired`](crate::ErrorKind::HistoryExpired) when that begins after `point`;
    /// [`Closed`](crate::ErrorKind::Closed).
    fn versions(&self, point: &Arc<dyn ReadPoint>, key: &[u8]) -> Result<Versions>;

    /// The rows of the change feed of all commits above `after` and up to `point`.
    ///
    /// # Errors
    /// [`FeedTruncated`](crate::ErrorKind::FeedTruncated) when some of them are gone;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a point of the past; [`Closed`](crate::ErrorKind::Closed).
    fn changes(&self, point: &Arc<dyn ReadPoint>, after: Timestamp) -> Result<Changes>;

    /// Waits until a commit above `after` has written to the change feed, under one prefix or any; false if the time is
    /// up before. Commits never wait for it. Only commits since the store was opened count: read first, then wait.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed), also when the store is closed meanwhile.
    fn wait_for_changes(&self, after: Timestamp, prefix: Option<Prefix>, timeout: Duration) -> Result<bool>;

    /// From when on history and change feed can tell.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    fn marks(&self) -> Result<Arc<Marks>>;

    /// The earliest commit after which the rows of the change feed take no more than `bytes`, about: a store on disk
    /// estimates what they take there. The floor of the feed if all of them do.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable);
    /// [`Corruption`](crate::ErrorKind::Corruption).
    fn feed_within(&self, bytes: u64) -> Result<Timestamp>;

    /// Makes every commit so far durable.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the disk fails; the store must then be reopened.
    fn sync(&self) -> Result<()>;

    /// Bytes used on disk, or in memory for a store that lives there.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    fn bytes_used(&self) -> Result<u64>;

    /// Makes everything durable and lets go of every resource, those of leaked read points and cursors too, which
    /// answer [`Closed`](crate::ErrorKind::Closed) from then on. A second call does nothing. It waits for calls that are
    /// running, so it must not be called from inside a visitor.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the last sync fails; the store is closed all the same.
    fn close(&self) -> Result<()>;
}

/// What [`ReadPoint::visit_many`] calls: with the position of a key, and its value if there is one.
pub type VisitMany<'a> = dyn FnMut(usize, Option<&[u8]>) -> Result<()> + 'a;

/// An immutable view of all commits up to one timestamp.
pub trait ReadPoint: Send + Sync + Debug {
    /// The timestamp of the last commit that this view contains.
    fn ts(&self) -> Timestamp;

    /// The timestamp of the last commit in this view that wrote to [`Family::Catalog`]; below the first commit since
    /// the store was opened, any timestamp that no earlier such commit is above. Two views with the same one have the
    /// same catalog.
    fn catalog_ts(&self) -> Timestamp;

    /// Calls `visit` once with the value of `key` if there is one, and says whether there was. The slice may be the
    /// store's own memory: nothing is copied that the caller does not copy.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed), [`Corruption`](crate::ErrorKind::Corruption),
    /// [`Unavailable`](crate::ErrorKind::Unavailable); or what `visit` returns.
    fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool>;

    /// Calls `visit` once for each of `keys`, in their order, with its position and its value if there is one.
    ///
    /// # Errors
    /// As [`visit`](ReadPoint::visit).
    fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()>;

    /// A cursor over the keys in `range`. It owns its view: it may outlive this read point.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>>;

    /// A copy of the value of `key`, if there is one.
    ///
    /// # Errors
    /// As [`visit`](ReadPoint::visit).
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut value = None;
        self.visit(family, key, &mut |bytes| {
            value = Some(bytes.to_vec());
            Ok(())
        })?;
        Ok(value)
    }
}

/// A key and its value, borrowed until the cursor moves.
pub type Entry<'a> = (&'a [u8], &'a [u8]);

/// A walk over the keys of a range at one read point.
pub trait Cursor: Send {
    /// The next entry in the cursor's direction, or `None` at the end of the range.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed), [`Corruption`](crate::ErrorKind::Corruption),
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    fn next(&mut self) -> Result<Option<Entry<'_>>>;

    /// Moves so that [`next`](Cursor::next) answers the first entry at or beyond `key` in the cursor's direction,
    /// within the range; back, too.
    ///
    /// # Errors
    /// As [`next`](Cursor::next).
    fn seek(&mut self, key: &[u8]) -> Result<()>;
}
