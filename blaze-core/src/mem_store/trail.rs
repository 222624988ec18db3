//! What the model's commits leave behind: its change feed, and from when on it and the histories can tell.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::State;
use crate::clock::Timestamp;
use crate::store::{
    Change, ChangeKind, CommitRequest, Expiry, Family, Feed, KeyRange, Marks, Prefix, Version, Write, prefix_of,
};

/// The change feed and the marks. The versions of the keys themselves are the history.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) marks: Arc<Marks>,
    feed: BTreeMap<(Timestamp, u32), Change>,
}

impl Trail {
    /// The rows above `after` and up to `through`.
    pub(super) fn changes(&self, after: Timestamp, through: Timestamp) -> Vec<Change> {
        if after >= through {
            return Vec::new(); // the map panics when the end is below the start
        }
        let bounds = (Bound::Excluded((after, u32::MAX)), Bound::Included((through, u32::MAX)));
        self.feed.range(bounds).map(|(_, change)| change.clone()).collect()
    }

    /// The earliest commit after which the rows take no more than `bytes`.
    pub(super) fn within(&self, bytes: u64) -> Timestamp {
        let mut taken = 0_u64;
        let mut newest_first = self.feed.iter().rev();
        let beyond = newest_first.find(|(_, row)| {
            taken += (row.key_bytes().len() + row.value_bytes().len()) as u64;
            taken > bytes
        });
        beyond.map_or(self.marks.feed_floor(), |((ts, _), _)| *ts)
    }

    pub(super) fn expire(&mut self, expiry: &Expiry, ts: Timestamp) {
        let marks = Arc::make_mut(&mut self.marks);
        marks.expire(expiry, ts);
        let floor = marks.feed_floor();
        self.feed.retain(|(ts, _), _| *ts > floor);
    }
}

impl State {
    /// Applies the writes of a request together with what they leave behind; answers the prefixes whose feed has grown.
    pub(super) fn apply_all(&mut self, request: CommitRequest, ts: Timestamp) -> Vec<Prefix> {
        let has_writes = request.has_writes();
        let CommitRequest { tracked, writes, expiry, .. } = request;
        if has_writes {
            for tracking in &tracked {
                Arc::make_mut(&mut self.trail.marks).track(tracking, ts);
            }
        }
        let mut rows = Vec::new();
        let mut prefixes = Vec::new();
        for write in writes {
            for tracking in tracked.iter().filter(|tracking| tracking.feed != Feed::Off) {
                if let Some(row) = self.row(&write, tracking.prefix, tracking.feed, ts, rows.len()) {
                    rows.push(row);
                    prefixes.push(tracking.prefix);
                }
            }
            self.apply(write, ts);
        }
        self.trail.feed.extend(rows.into_iter().map(|row| ((row.ts, row.ordinal), row)));
        if !expiry.is_empty() {
            self.trail.expire(&expiry, ts);
        }
        prefixes.dedup();
        prefixes
    }

    /// The row of the feed for a write that is about to be applied, if it is one of this prefix.
    fn row(&self, write: &Write, prefix: Prefix, feed: Feed, ts: Timestamp, ordinal: usize) -> Option<Change> {
        if write.family() != Family::Data {
            return None;
        }
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        let image = |value: &[u8]| (feed == Feed::Images).then(|| value.to_vec());
        let before = |key: &[u8]| self.family(Family::Data).get(key, ts).and_then(|value| image(value));
        let row = match write {
            Write::Put { key, value, stamp_at, .. } => {
                let mut after = image(value);
                if let (Some(after), Some(at)) = (&mut after, *stamp_at) {
                    after[at..at + 8].copy_from_slice(&ts.to_bits().to_be_bytes());
                }
                Change { ts, ordinal, kind: ChangeKind::Put, key: key.clone(), before: before(key), after }
            }
            Write::Delete { key, .. } => {
                Change { ts, ordinal, kind: ChangeKind::Delete, key: key.clone(), before: before(key), after: None }
            }
            Write::Add { .. } | Write::Touch { .. } => return None, // a put by now, and nothing
            Write::DeleteRange { range, .. } => {
                let inside = range.intersect(&KeyRange::prefix(&prefix));
                let kind = ChangeKind::DeleteRange(inside.end().map(<[u8]>::to_vec));
                let row = Change { ts, ordinal, kind, key: inside.start().to_vec(), before: None, after: None };
                return (!inside.is_empty()).then_some(row);
            }
        };
        let nothing = row.kind == ChangeKind::Delete && feed == Feed::Images && row.before.is_none();
        (prefix_of(&row.key) == Some(prefix) && !nothing).then_some(row)
    }

    /// What a key was up to `point`, the newest first.
    pub(super) fn versions(&self, key: &[u8], point: Timestamp, floor: Timestamp) -> Vec<Version> {
        let mut versions = Vec::<Version>::new();
        for (ts, value) in self.family(Family::Data).all(key).iter().filter(|(ts, _)| *ts <= point) {
            let version = Version { from: Some(*ts), until: None, value: value.as_ref().map(|value| value.to_vec()) };
            if *ts <= floor {
                versions = vec![Version { from: None, ..version }];
            } else if version.value.is_some() || versions.last().is_some_and(|last| last.value.is_some()) {
                if let Some(last) = versions.last_mut() {
                    last.until = Some(*ts);
                }
                versions.push(version);
            }
        }
        if versions.first().is_some_and(|first| first.value.is_none()) {
            versions.remove(0); // nothing was there yet
        }
        versions.reverse();
        versions
    }
}
