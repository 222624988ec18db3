//! All versions of the keys of one family.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::{Direction, KeyRange};

/// What a commit made of a key: no value where it removed it.
pub(super) type Version = (Timestamp, Option<Arc<[u8]>>);

/// Each key with its versions, oldest first.
#[derive(Debug, Default)]
pub(super) struct Versions {
    keys: BTreeMap<Vec<u8>, Vec<Version>>,
    bytes: u64,
}

impl Versions {
    /// Bytes of all keys and of all versions of their values.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The value of a key for those who read at `at`.
    pub(super) fn get(&self, key: &[u8], at: Timestamp) -> Option<&Arc<[u8]>> {
        visible(self.keys.get(key)?, at)
    }

    /// All versions of a key, oldest first.
    pub(super) fn all(&self, key: &[u8]) -> &[Version] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// The first entry of `range`, in `direction`, for those who read at `at`.
    pub(super) fn first(&self, range: &KeyRange, direction: Direction, at: Timestamp) -> Option<(&[u8], &Arc<[u8]>)> {
        let mut keys = self.range(range);
        loop {
            let (key, versions) = match direction {
                Direction::Forward => keys.next()?,
                Direction::Reverse => keys.next_back()?,
            };
            if let Some(value) = visible(versions, at) {
                return Some((key, value));
            }
        }
    }

    /// When a key was last written; [`Timestamp::ZERO`] if never.
    pub(super) fn last_change(&self, key: &[u8]) -> Timestamp {
        self.keys.get(key).map_or(Timestamp::ZERO, |versions| newest(versions))
    }

    /// When any key of a range was last written; [`Timestamp::ZERO`] if none ever was.
    pub(super) fn last_change_in(&self, range: &KeyRange) -> Timestamp {
        self.range(range).map(|(_, versions)| newest(versions)).max().unwrap_or(Timestamp::ZERO)
    }

    /// Makes `value` the value of a key from `ts` on; the last of several calls with the same `ts` counts.
    pub(super) fn set(&mut self, key: Vec<u8>, ts: Timestamp, value: Option<Arc<[u8]>>) {
        self.bytes += value.as_ref().map_or(0, |value| value.len() as u64);
        let key_bytes = key.len() as u64;
        let versions = self.keys.entry(key).or_default();
        if versions.is_empty() {
            self.bytes += key_bytes;
        }
        if let Some((_, replaced)) = versions.pop_if(|(newest, _)| *newest == ts) {
            self.bytes -= replaced.map_or(0, |value| value.len() as u64);
        }
        versions.push((ts, value));
    }

    /// Removes every key of a range that is there.
    pub(super) fn delete_range(&mut self, range: &KeyRange, ts: Timestamp) {
        let present = self.range(range).filter(|(_, versions)| visible(versions, ts).is_some());
        for key in present.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.set(key, ts, None);
        }
    }

    fn range(&self, range: &KeyRange) -> Range<'_, Vec<u8>, Vec<Version>> {
        let bounds = (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded));
        match range.is_empty() {
            true => Range::default(), // the map panics when the end is below the start
            false => self.keys.range::<[u8], _>(bounds),
        }
    }
}

fn visible(versions: &[Version], at: Timestamp) -> Option<&Arc<[u8]>> {
    versions.iter().rev().find(|(ts, _)| *ts <= at)?.1.as_ref()
}

fn newest(versions: &[Version]) -> Timestamp {
    versions.last().map_or(Timestamp::ZERO, |(ts, _)| *ts)
}
