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
    /// When a key was last touched.
    touched: BTreeMap<Vec<u8>, Timestamp>,
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
        let mut keys = entries(&self.keys, range);
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

    /// When a key was last written or touched; [`Timestamp::ZERO`] if never.
    pub(super) fn last_change(&self, key: &[u8]) -> Timestamp {
        let written = self.keys.get(key).map_or(Timestamp::ZERO, |versions| newest(versions));
        self.touched.get(key).map_or(written, |touched| written.max(*touched))
    }

    /// When any key of a range was last written or touched; [`Timestamp::ZERO`] if none ever was.
    pub(super) fn last_change_in(&self, range: &KeyRange) -> Timestamp {
        let written = entries(&self.keys, range).map(|(_, versions)| newest(versions)).max();
        let touched = entries(&self.touched, range).map(|(_, ts)| *ts).max();
        written.max(touched).unwrap_or(Timestamp::ZERO)
    }

    /// Counts a key as written, and leaves its versions as they are.
    pub(super) fn touch(&mut self, key: Vec<u8>, ts: Timestamp) {
        self.touched.insert(key, ts);
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
        let present = entries(&self.keys, range).filter(|(_, versions)| visible(versions, ts).is_some());
        for key in present.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.set(key, ts, None);
        }
    }
}

fn entries<'a, T>(keys: &'a BTreeMap<Vec<u8>, T>, range: &KeyRange) -> Range<'a, Vec<u8>, T> {
    let bounds = (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded));
    match range.is_empty() {
        true => Range::default(), // the map panics when the end is below the start
        false => keys.range::<[u8], _>(bounds),
    }
}

fn visible(versions: &[Version], at: Timestamp) -> Option<&Arc<[u8]>> {
    versions.iter().rev().find(|(ts, _)| *ts <= at)?.1.as_ref()
}

fn newest(versions: &[Version]) -> Timestamp {
    versions.last().map_or(Timestamp::ZERO, |(ts, _)| *ts)
}
