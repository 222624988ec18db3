//! What a commit leaves behind beside its writes: history and change feed, by the prefix of a key.

use super::KeyRange;
use crate::clock::Timestamp;

/// How all keys of a collection or keyspace begin.
pub type Prefix = [u8; 4];

/// How much the change feed says about each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feed {
    /// Nothing: there is no feed.
    #[default]
    Off,
    /// Which keys changed, and when.
    Keys,
    /// The values before and after each change, too.
    Images,
}

/// What the keys of one prefix in [`Family::Data`](super::Family::Data) leave behind when they change.
///
/// Every commit that writes to a tracked prefix must say so. The commit that first asks for a history or a feed begins
/// it; one that no longer asks for it ends it and removes what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// How the keys begin.
    pub prefix: Prefix,
    /// Whether what is replaced stays readable; see [`Store::read_point_at`](super::Store::read_point_at).
    pub history: bool,
    /// What the change feed says; see [`Store::changes`](super::Store::changes).
    pub feed: Feed,
    /// True if the commit removes everything under the prefix for good: its history goes at once, and the feed tells
    /// of the removal before it ends.
    pub dropped: bool,
}

/// What a commit lets go of. It takes effect once it is durable, whatever [`Durability`](super::Durability) was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// The history of each prefix below a timestamp: no one can read as of an earlier one. Floors never sink.
    pub history: Vec<(Prefix, Timestamp)>,
    /// The change feed up to and including this timestamp.
    pub feed: Option<Timestamp>,
}

impl Expiry {
    /// True if nothing is let go of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.history.is_empty() && self.feed.is_none()
    }
}

/// What a key was for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The commit that made it so; `None` if that was at the beginning of what is remembered, or before.
    pub from: Option<Timestamp>,
    /// The commit that ended it; `None` for what still is.
    pub until: Option<Timestamp>,
    /// The value, or `None` while there was none.
    pub value: Option<Vec<u8>>,
}

/// The versions of a key, the newest first.
pub type Versions = Box<dyn Iterator<Item = crate::error::Result<Version>> + Send>;

/// The prefix of a key, if it is long enough to have one.
#[must_use]
pub fn prefix_of(key: &[u8]) -> Option<Prefix> {
    key.first_chunk().copied()
}

/// The prefix that all keys of a range have, if they have one.
#[must_use]
pub fn prefix_of_range(range: &KeyRange) -> Option<Prefix> {
    let prefix = prefix_of(range.start())?;
    let whole = KeyRange::prefix(&prefix);
    let inside = match (range.end(), whole.end()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(end), Some(last)) => end <= last,
    };
    inside.then_some(prefix)
}
