//! The oracle: which keys were written lately, and when, so that a commit learns whether what it read has changed.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use blaze_core::fault::{self, Mistake};
use blaze_core::{CommitRequest, Error, ErrorKind, Family, Isolation, KeyRange, Result, Timestamp, Write};

/// What one remembered key costs besides its bytes: its places in the map and in the queue, and the allocation.
const BYTES_PER_ENTRY: usize = 128;

/// Bytes of writes that are kept as they came before they are sorted into the maps, which have no use for the values.
const UNSORTED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The writes of all commits above `floor`.
///
/// They are kept as they came until someone has to be checked against them: most are forgotten before.
#[derive(Debug)]
pub(crate) struct Oracle {
    unsorted: VecDeque<(Timestamp, Vec<Write>)>,
    unsorted_bytes: usize,
    keys: [BTreeMap<Arc<[u8]>, Timestamp>; Family::ALL.len()],
    /// Every write of a key in the order of the commits; those that were overwritten since are still here.
    queue: VecDeque<(Timestamp, Family, Arc<[u8]>)>,
    /// Range deletes in the order of the commits. A request looks at each that is newer than it: there are few.
    ranges: VecDeque<(Timestamp, Family, KeyRange)>,
    bytes: usize,
    bytes_max: usize,
    /// Nothing is known about writes up to here: older readers cannot be validated.
    floor: Timestamp,
    newest: Timestamp,
    /// The last commit that wrote to the catalog, or any timestamp that is not below it.
    catalog_ts: Timestamp,
}

impl Oracle {
    /// An oracle that knows nothing of commits up to `floor` and spends about `bytes_max` on what comes.
    pub(crate) fn new(floor: Timestamp, bytes_max: usize) -> Oracle {
        Oracle {
            unsorted: VecDeque::new(),
            unsorted_bytes: 0,
            keys: Default::default(),
            queue: VecDeque::new(),
            ranges: VecDeque::new(),
            bytes: 0,
            bytes_max,
            floor,
            newest: floor,
            catalog_ts: floor,
        }
    }

    /// The last commit that wrote to the catalog, or any timestamp that is not below it.
    pub(crate) fn catalog_ts(&self) -> Timestamp {
        self.catalog_ts
    }

    /// Nothing is known about writes up to here.
    pub(crate) fn floor(&self) -> Timestamp {
        self.floor
    }

    /// Bytes spent, about, and how many written keys are remembered.
    pub(crate) fn size(&self) -> (usize, usize) {
        let unsorted = self.unsorted.iter().map(|(_, writes)| writes.len()).sum::<usize>();
        (self.bytes + self.unsorted_bytes, unsorted + self.queue.len() + self.ranges.len())
    }

    /// Refuses a request if something that it depends on was written after its `read_ts`, or if that cannot be told.
    pub(crate) fn validate(&mut self, request: &CommitRequest) -> Result<()> {
        let serializable = request.isolation == Isolation::Serializable;
        let same_catalog = self.catalog_ts <= request.read_ts;
        let unguarded = request.guards.iter().all(|guard| same_catalog && guard.family == Family::Catalog);
        let blind = unguarded && request.reads.is_empty() && request.ranges.is_empty();
        if (serializable && blind) || self.newest <= request.read_ts {
            return Ok(());
        }
        if request.read_ts < self.floor {
            return Err(Error::new(
                ErrorKind::TransactionTooOld,
                format!("the transaction reads at {}, writes are remembered from {} on", request.read_ts, self.floor),
            ));
        }
        self.sort();
        let point = |family, key: &[u8]| self.check_key(family, key, request.read_ts);
        let range = |family, range: &KeyRange| self.check_range(family, range, request.read_ts);
        request.guards.iter().try_for_each(|guard| point(guard.family, &guard.key))?;
        if serializable {
            request.reads.iter().try_for_each(|read| point(read.family, &read.key))?;
            return request.ranges.iter().try_for_each(|read| range(read.family, &read.range));
        }
        request.writes.iter().try_for_each(|write| match write {
            Write::Put { family, key, .. } | Write::Delete { family, key } => point(*family, key),
            Write::Add { .. } | Write::Touch { .. } => Ok(()),
            Write::DeleteRange { family, range: keys } => range(*family, keys),
        })
    }

    /// Remembers what a commit wrote. If that is too much, the oldest writes are forgotten and the floor rises.
    pub(crate) fn record(&mut self, ts: Timestamp, writes: Vec<Write>) {
        self.newest = ts;
        if writes.iter().any(|write| write.family() == Family::Catalog) {
            self.catalog_ts = ts;
        }
        self.unsorted_bytes += writes.iter().map(write_bytes).sum::<usize>();
        self.unsorted.push_back((ts, writes));
        if self.unsorted_bytes > UNSORTED_BYTES_MAX || self.bytes + self.unsorted_bytes > self.bytes_max {
            self.sort();
        }
    }

    /// Sorts everything into the maps, as far as the budget goes.
    fn sort(&mut self) {
        self.unsorted_bytes = 0;
        for (ts, writes) in std::mem::take(&mut self.unsorted) {
            self.insert(ts, writes);
        }
    }

    fn insert(&mut self, ts: Timestamp, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put { family, key, .. }
                | Write::Delete { family, key }
                | Write::Add { family, key, .. }
                | Write::Touch { family, key } => self.record_key(ts, family, key),
                Write::DeleteRange { range, .. } if range.is_empty() => {}
                Write::DeleteRange { family, range } => {
                    self.bytes += range_bytes(&range);
                    self.ranges.push_back((ts, family, range));
                }
            }
            while self.bytes > self.bytes_max {
                let oldest = self.queue.front().map(|entry| entry.0).into_iter();
                let Some(oldest) = oldest.chain(self.ranges.front().map(|entry| entry.0)).min() else { break };
                self.forget(oldest);
            }
        }
    }

    /// Forgets all writes up to `floor`, because no reader is older than that, or because memory is short.
    pub(crate) fn forget(&mut self, floor: Timestamp) {
        self.floor = self.floor.max(floor);
        self.newest = self.newest.max(floor);
        while let Some((ts, writes)) = self.unsorted.front()
            && *ts <= floor
        {
            self.unsorted_bytes -= writes.iter().map(write_bytes).sum::<usize>();
            self.unsorted.pop_front();
        }
        while let Some((ts, family, key)) = self.queue.front()
            && *ts <= floor
        {
            self.bytes -= key.len() + BYTES_PER_ENTRY;
            let keys = &mut self.keys[*family as usize];
            if keys.get(key) == Some(ts) {
                keys.remove(key);
            }
            self.queue.pop_front();
        }
        while let Some((ts, _, range)) = self.ranges.front()
            && *ts <= floor
        {
            self.bytes -= range_bytes(range);
            self.ranges.pop_front();
        }
    }

    fn record_key(&mut self, ts: Timestamp, family: Family, key: Vec<u8>) {
        self.bytes += key.len() + BYTES_PER_ENTRY;
        let keys = &mut self.keys[family as usize];
        let key = match keys.get_key_value(key.as_slice()) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(key),
        };
        keys.insert(Arc::clone(&key), ts);
        self.queue.push_back((ts, family, key));
    }

    fn check_key(&self, family: Family, key: &[u8], read_ts: Timestamp) -> Result<()> {
        if fault::makes(Mistake::SkippedConflictCheck) {
            return Ok(());
        }
        let written = self.keys[family as usize].get(key).is_some_and(|ts| *ts > read_ts);
        match written || self.deletes_after(read_ts, family).any(|range| range.contains(key)) {
            true => Err(Error::conflict_over(family, key, read_ts)),
            false => Ok(()),
        }
    }

    fn check_range(&self, family: Family, range: &KeyRange, read_ts: Timestamp) -> Result<()> {
        if range.is_empty() || fault::makes(Mistake::SkippedReadCheck) {
            return Ok(()); // of an empty one the map would panic
        }
        let bounds = (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded));
        let mut keys = self.keys[family as usize].range::<[u8], _>(bounds);
        if let Some((key, _)) = keys.find(|(_, ts)| **ts > read_ts) {
            return Err(Error::conflict_over(family, key, read_ts));
        }
        match self.deletes_after(read_ts, family).find(|other| other.overlaps(range)) {
            Some(deleted) => Err(Error::conflict_over(family, deleted.start().max(range.start()), read_ts)),
            None => Ok(()),
        }
    }

    fn deletes_after(&self, read_ts: Timestamp, family: Family) -> impl Iterator<Item = &KeyRange> {
        let newer = self.ranges.iter().rev().take_while(move |entry| entry.0 > read_ts);
        newer.filter(move |entry| entry.1 == family).map(|entry| &entry.2)
    }
}

/// What a write takes as it came.
fn write_bytes(write: &Write) -> usize {
    size_of::<Write>()
        + match write {
            Write::Put { key, value, .. } => key.len() + value.len(),
            Write::Delete { key, .. } | Write::Add { key, .. } | Write::Touch { key, .. } => key.len(),
            Write::DeleteRange { range, .. } => range_bytes(range),
        }
}

fn range_bytes(range: &KeyRange) -> usize {
    range.start().len() + range.end().map_or(0, <[u8]>::len) + BYTES_PER_ENTRY
}

#[cfg(test)]
mod tests {
    use blaze_core::PointRead;

    use super::*;

    fn ts(bits: u64) -> Timestamp {
        Timestamp::from_bits(bits)
    }

    fn put(key: &str) -> Write {
        Write::put(Family::Data, key, *b"value")
    }

    fn verdict(oracle: &mut Oracle, read_ts: u64, key: &str) -> Option<ErrorKind> {
        let reads = vec![PointRead { family: Family::Data, key: key.into() }];
        let request = CommitRequest { read_ts: ts(read_ts), reads, ..CommitRequest::default() };
        oracle.validate(&request).err().map(|error| error.kind())
    }

    #[test]
    fn nothing_is_kept_below_the_floor() {
        let mut oracle = Oracle::new(ts(0), 1 << 20);
        oracle.record(ts(1), vec![put("a"), put("b")]);
        oracle
            .record(ts(2), vec![put("a"), Write::DeleteRange { family: Family::Data, range: KeyRange::prefix(b"x") }]);
        oracle.forget(ts(1));
        assert_eq!(verdict(&mut oracle, 1, "a"), Some(ErrorKind::Conflict), "written again at 2");
        assert_eq!(verdict(&mut oracle, 1, "b"), None);
        assert_eq!(verdict(&mut oracle, 1, "xy"), Some(ErrorKind::Conflict));
        assert_eq!(verdict(&mut oracle, 0, "c"), Some(ErrorKind::TransactionTooOld));
        oracle.forget(ts(2));
        assert_eq!((oracle.bytes, oracle.queue.len(), oracle.ranges.len()), (0, 0, 0));
        assert!(oracle.keys.iter().all(BTreeMap::is_empty));
    }

    #[test]
    fn past_its_budget_it_ends_the_oldest_transactions() {
        let mut oracle = Oracle::new(ts(0), 10 * (1 + BYTES_PER_ENTRY));
        for commit in 1..=26 {
            oracle.record(ts(commit), vec![put(&char::from(b'a' + commit as u8 - 1).to_string())]);
            assert!(oracle.bytes <= oracle.bytes_max);
        }
        assert_eq!(verdict(&mut oracle, 15, "a"), Some(ErrorKind::TransactionTooOld));
        assert_eq!(verdict(&mut oracle, 16, "z"), Some(ErrorKind::Conflict));
        assert_eq!(verdict(&mut oracle, 16, "a"), None);
    }

    #[test]
    fn one_commit_beyond_the_budget_ends_all_that_began_before_it() {
        let mut oracle = Oracle::new(ts(0), BYTES_PER_ENTRY);
        oracle.record(ts(1), (0..100).map(|key| put(&format!("{key}"))).collect());
        assert_eq!(verdict(&mut oracle, 0, "other"), Some(ErrorKind::TransactionTooOld));
        assert_eq!(verdict(&mut oracle, 1, "7"), None);
    }
}
