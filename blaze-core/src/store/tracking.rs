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

/// The prefix that all keys of a range have, if they have one. Allocates nothing.
#[must_use]
pub fn prefix_of_range(range: &KeyRange) -> Option<Prefix> {
    let prefix = prefix_of(range.start())?;
    let is_inside = match u32::from_be_bytes(prefix).checked_add(1) {
        None => true, // no key is above those with the last prefix
        Some(next) => {
            // The keys end at the shortest that is above them, which lacks the zeros at the end of the next prefix.
            let kept = 4 - next.trailing_zeros() as usize / 8;
            range.end().is_some_and(|end| end <= &next.to_be_bytes()[..kept])
        }
    };
    is_inside.then_some(prefix)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Bytes that carry and that run out.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(prop::sample::select(vec![0u8, 1, 0xFE, 0xFF]), 0..7)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_range_has_the_prefix_of_its_start_if_it_ends_within_it(
            start in key(),
            end in prop::option::of(key()),
        ) {
            let expected = prefix_of(&start).filter(|prefix| match KeyRange::prefix(prefix).end() {
                None => true,
                Some(last) => end.as_deref().is_some_and(|end| end <= last),
            });
            prop_assert_eq!(prefix_of_range(&KeyRange::new(start, end)), expected);
        }

        #[test]
        fn the_keys_of_a_prefix_are_a_range_with_that_prefix(prefix in any::<Prefix>()) {
            prop_assert_eq!(prefix_of_range(&KeyRange::prefix(&prefix)), Some(prefix));
        }
    }
}
