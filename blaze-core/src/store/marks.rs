//! From when on history and change feed can tell.

use std::collections::BTreeMap;

use super::tracking::{Expiry, Feed, Prefix, Tracking};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// From when on history and change feed can tell: by prefix, and for the feed as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    prefixes: BTreeMap<Prefix, Mark>,
    feed_floor: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    history: Option<Timestamp>,
    feed: Option<Timestamp>,
}

/// What the beginning or end of a history means for what is stored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkChange {
    /// All is as it was.
    Unchanged,
    /// A history or a feed began or ended; the history that was kept stays.
    Changed,
    /// The history ended: what was kept of it goes.
    HistoryEnded,
}

impl Marks {
    /// The earliest timestamp as of which the keys of a prefix can be read; `None` if they have no history.
    #[must_use]
    pub fn history_from(&self, prefix: Prefix) -> Option<Timestamp> {
        self.prefixes.get(&prefix)?.history
    }

    /// The earliest timestamp after which the changes of a prefix can be read; `None` if they have no feed.
    #[must_use]
    pub fn feed_from(&self, prefix: Prefix) -> Option<Timestamp> {
        Some(self.prefixes.get(&prefix)?.feed?.max(self.feed_floor))
    }

    /// The earliest timestamp after which the feed can be read.
    #[must_use]
    pub fn feed_floor(&self) -> Timestamp {
        self.feed_floor
    }

    /// All prefixes that have a history, each with the earliest timestamp as of which it can be read.
    pub fn histories(&self) -> impl Iterator<Item = (Prefix, Timestamp)> {
        self.prefixes.iter().filter_map(|(prefix, mark)| Some((*prefix, mark.history?)))
    }

    /// Refuses to read the keys of a prefix as of `ts` when that is not remembered.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) when they have no history; [`HistoryExpired`](ErrorKind::HistoryExpired)
    /// when it begins later.
    pub fn check_history(&self, prefix: Option<Prefix>, ts: Timestamp) -> Result<()> {
        match prefix.and_then(|prefix| self.history_from(prefix)) {
            None => Err(Error::unsupported("there is no history of these keys")),
            Some(from) if ts < from => {
                Err(Error::new(ErrorKind::HistoryExpired, format!("the history goes back to {from}, not to {ts}")))
            }
            Some(_) => Ok(()),
        }
    }

    /// Refuses to read the changes after `after` when some of them are gone; those of one prefix or all.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) when the prefix has no feed;
    /// [`FeedTruncated`](ErrorKind::FeedTruncated) when it begins later.
    pub fn check_feed(&self, prefix: Option<Prefix>, after: Timestamp) -> Result<()> {
        let from = match prefix {
            None => self.feed_floor,
            Some(prefix) => {
                self.feed_from(prefix).ok_or_else(|| Error::unsupported("there is no change feed of these keys"))?
            }
        };
        match after < from {
            true => {
                let message = format!("the change feed can be read after {from}, not after {after}");
                Err(Error::new(ErrorKind::FeedTruncated, message))
            }
            false => Ok(()),
        }
    }

    /// Begins and ends what a commit at `ts` asks for.
    pub fn track(&mut self, tracking: &Tracking, ts: Timestamp) -> MarkChange {
        let before = self.prefixes.get(&tracking.prefix).copied().unwrap_or_default();
        let begun = |wanted: bool, from: Option<Timestamp>| (wanted && !tracking.dropped).then(|| from.unwrap_or(ts));
        let after = Mark {
            history: begun(tracking.history, before.history),
            feed: begun(tracking.feed != Feed::Off, before.feed),
        };
        match after == Mark::default() {
            true => self.prefixes.remove(&tracking.prefix),
            false => self.prefixes.insert(tracking.prefix, after),
        };
        match after == before {
            true => MarkChange::Unchanged,
            false if after.history.is_none() && before.history.is_some() => MarkChange::HistoryEnded,
            false => MarkChange::Changed,
        }
    }

    /// Raises the floors that a commit at `ts` wants raised, as far as there are any.
    pub fn expire(&mut self, expiry: &Expiry, ts: Timestamp) {
        for (prefix, floor) in &expiry.history {
            if let Some(from) = self.prefixes.get_mut(prefix).and_then(|mark| mark.history.as_mut()) {
                *from = (*floor).min(ts).max(*from);
            }
        }
        if let Some(floor) = expiry.feed {
            self.feed_floor = floor.min(ts).max(self.feed_floor);
        }
    }

    /// The bytes in which a store keeps them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.feed_floor.to_bits().to_be_bytes().to_vec();
        for (prefix, Mark { history, feed }) in &self.prefixes {
            bytes.extend_from_slice(prefix);
            bytes.push(u8::from(history.is_some()) + 2 * u8::from(feed.is_some()));
            for from in [history, feed] {
                bytes.extend_from_slice(&from.unwrap_or(Timestamp::ZERO).to_bits().to_be_bytes());
            }
        }
        bytes
    }

    /// Reads what [`to_bytes`](Marks::to_bytes) has written.
    ///
    /// # Errors
    /// [`Corruption`](ErrorKind::Corruption) for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Marks> {
        let damaged = || Error::corruption(format!("the marks of the histories, {} bytes, do not parse", bytes.len()));
        let (feed_floor, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (rows, rest) = rest.as_chunks::<21>();
        let mut prefixes = BTreeMap::new();
        for [a, b, c, d, present, times @ ..] in rows {
            let (history, feed) = times.split_at(8);
            let time = |bit: u8, bytes: &[u8]| {
                let ts = bytes.try_into().map(|bytes| Timestamp::from_bits(u64::from_be_bytes(bytes)));
                (present & bit != 0).then(|| ts.unwrap_or_default())
            };
            let mark = Mark { history: time(1, history), feed: time(2, feed) };
            prefixes.insert([*a, *b, *c, *d], mark);
        }
        let marks = Marks { prefixes, feed_floor: Timestamp::from_bits(u64::from_be_bytes(*feed_floor)) };
        match rest.is_empty() && marks.to_bytes() == bytes {
            true => Ok(marks),
            false => Err(damaged()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn ts(bits: u64) -> Timestamp {
        Timestamp::from_bits(bits)
    }

    fn tracking(prefix: u8, history: bool, feed: Feed) -> Tracking {
        Tracking { prefix: [prefix; 4], history, feed, dropped: false }
    }

    #[test]
    fn a_history_begins_with_the_first_commit_that_asks_for_it() {
        let mut marks = Marks::default();
        assert_eq!(marks.track(&tracking(1, true, Feed::Off), ts(5)), MarkChange::Changed);
        assert_eq!(marks.track(&tracking(1, true, Feed::Off), ts(6)), MarkChange::Unchanged);
        assert_eq!(marks.history_from([1; 4]), Some(ts(5)));
        let kind = |prefix: u8, at: u64| marks.check_history(Some([prefix; 4]), ts(at)).map_err(|error| error.kind());
        assert_eq!(kind(1, 4), Err(ErrorKind::HistoryExpired));
        assert_eq!(kind(1, 5), Ok(()));
        assert_eq!(kind(2, 5), Err(ErrorKind::Unsupported));
    }

    #[test]
    fn a_history_that_ends_and_begins_anew_knows_nothing_of_before() {
        let mut marks = Marks::default();
        marks.track(&tracking(1, true, Feed::Keys), ts(5));
        assert_eq!(marks.track(&tracking(1, false, Feed::Keys), ts(6)), MarkChange::HistoryEnded);
        assert_eq!(marks.feed_from([1; 4]), Some(ts(5)));
        marks.track(&tracking(1, true, Feed::Keys), ts(7));
        assert_eq!(marks.history_from([1; 4]), Some(ts(7)));
        assert_eq!(
            marks.track(&Tracking { dropped: true, ..tracking(1, true, Feed::Keys) }, ts(8)),
            MarkChange::HistoryEnded
        );
        assert_eq!(marks, Marks::default());
    }

    #[test]
    fn floors_rise_and_never_sink() {
        let mut marks = Marks::default();
        marks.track(&tracking(1, true, Feed::Keys), ts(5));
        for (floor, expected) in [(3, 5), (9, 9), (7, 9), (100, 20)] {
            marks.expire(
                &Expiry { history: vec![([1; 4], ts(floor)), ([2; 4], ts(floor))], feed: Some(ts(floor)) },
                ts(20),
            );
            assert_eq!(marks.history_from([1; 4]), Some(ts(expected)));
            assert_eq!(marks.history_from([2; 4]), None);
            assert_eq!(marks.feed_from([1; 4]), Some(ts(expected)));
        }
        assert_eq!(marks.check_feed(None, ts(19)).map_err(|error| error.kind()), Err(ErrorKind::FeedTruncated));
        assert!(marks.check_feed(Some([1; 4]), ts(20)).is_ok());
    }

    proptest! {
        #[test]
        fn marks_read_back(commits in vec((0u8..4, any::<bool>(), any::<bool>(), any::<u64>()), 0..10), floor in any::<u64>()) {
            let mut marks = Marks::default();
            for (prefix, history, feed, at) in commits {
                marks.track(&tracking(prefix, history, if feed { Feed::Images } else { Feed::Off }), ts(at));
            }
            marks.expire(&Expiry { feed: Some(ts(floor)), ..Expiry::default() }, Timestamp::MAX);
            prop_assert_eq!(Marks::from_bytes(&marks.to_bytes()).unwrap(), marks);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(0u8..4, 0..60)) {
            if let Ok(marks) = Marks::from_bytes(&bytes) {
                prop_assert_eq!(marks.to_bytes(), bytes);
            }
        }
    }
}
