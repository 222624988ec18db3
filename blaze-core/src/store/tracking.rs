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
    // What `KeyRange::prefix` ends with, without its allocations: every cursor asks.
    let Some(end) = u32::from_be_bytes(prefix).checked_add(1).map(u32::to_be_bytes) else { return Some(prefix) };
    let bytes = end.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    range.end().is_some_and(|range_end| range_end <= &end[..bytes]).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes around which prefixes end.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![Just(0), Just(1), Just(0xFE), Just(0xFF)]
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(byte(), 0..6)
    }

    proptest! {
        #[test]
        fn a_range_has_the_prefix_within_whose_range_it_is(start in key(), end in proptest::option::of(key())) {
            let range = KeyRange::new(start.clone(), end);
            let whole = start.first_chunk::<4>().map(|prefix| KeyRange::prefix(prefix));
            let is_inside = whole.is_some_and(|whole| match (range.end(), whole.end()) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(end), Some(whole_end)) => end <= whole_end,
            });
            prop_assert_eq!(prefix_of_range(&range), prefix_of(&start).filter(|_| is_inside));
        }
    }
}
