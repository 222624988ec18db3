//! The keys that a transaction has read.

use std::collections::HashSet;

use blaze_core::{Family, KeyRange, PointRead, RangeRead};

/// Keys that are remembered one by one, and ranges; beyond that, whole collections and indexes are.
const READS_MAX: usize = 65_536;

/// Bytes of the keys that are remembered one by one.
const READ_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How all keys of one collection, keyspace or index begin.
type Prefix = [u8; 4];

/// The keys and ranges that a transaction has read, in bounded memory: one that reads very many is set against every
/// write to the same collections instead of the very keys.
#[derive(Debug, Default)]
pub(super) struct ReadSet {
    points: Vec<PointRead>,
    /// Bytes of the keys of `points`.
    bytes: usize,
    ranges: Vec<RangeRead>,
    widened: HashSet<(Family, Prefix)>,
}

impl ReadSet {
    pub(super) fn insert(&mut self, family: Family, key: &[u8]) {
        let repeated = self.points.last().is_some_and(|last| last.family == family && last.key == key);
        if repeated || self.is_widened(family, key) {
            return;
        }
        self.points.push(PointRead { family, key: key.to_vec() });
        self.bytes += key.len();
        if self.points.len() > READS_MAX || self.bytes > READ_BYTES_MAX {
            self.points.sort_unstable_by(|a, b| (a.family, &a.key).cmp(&(b.family, &b.key)));
            self.points.dedup();
            self.bytes = self.points.iter().map(|point| point.key.len()).sum();
            if self.points.len() > READS_MAX / 2 || self.bytes > READ_BYTES_MAX / 2 {
                self.widen();
            }
        }
    }

    pub(super) fn insert_range(&mut self, read: RangeRead) {
        if self.is_widened(read.family, read.range.start()) && within_a_prefix(&read.range) {
            return;
        }
        self.ranges.push(read);
        if self.ranges.len() > READS_MAX {
            self.join_ranges();
            if self.ranges.len() > READS_MAX / 2 {
                self.widen();
            }
        }
    }

    fn is_widened(&self, family: Family, key: &[u8]) -> bool {
        !self.widened.is_empty() && prefix_of(key).is_some_and(|prefix| self.widened.contains(&(family, prefix)))
    }

    /// Makes one of ranges that touch each other.
    fn join_ranges(&mut self) {
        self.ranges.sort_unstable_by(|a, b| (a.family, a.range.start()).cmp(&(b.family, b.range.start())));
        self.ranges.dedup_by(|next, joined| {
            let touches = joined.range.end().is_none_or(|end| next.range.start() <= end);
            if joined.family != next.family || !touches {
                return false;
            }
            let end = match (joined.range.end(), next.range.end()) {
                (Some(a), Some(b)) => Some(a.max(b).to_vec()),
                _ => None,
            };
            joined.range = KeyRange::new(joined.range.start(), end);
            true
        });
    }

    fn widen(&mut self) {
        let widened = &mut self.widened;
        // The rows of the catalog are few and are everybody's.
        let mut keep = |family: Family, key: &[u8], whole: bool| match prefix_of(key) {
            Some(prefix) if family != Family::Catalog && whole => {
                widened.insert((family, prefix));
                false
            }
            _ => true,
        };
        self.points.retain(|point| keep(point.family, &point.key, true));
        self.ranges.retain(|read| keep(read.family, read.range.start(), within_a_prefix(&read.range)));
        self.bytes = self.points.iter().map(|point| point.key.len()).sum();
    }

    /// The keys, and the ranges, also those that stand for what is no longer known one by one.
    pub(super) fn into_reads(self) -> (Vec<PointRead>, Vec<RangeRead>) {
        let range = |(family, prefix): (Family, Prefix)| RangeRead { family, range: KeyRange::prefix(&prefix) };
        let mut ranges = self.ranges;
        ranges.extend(self.widened.into_iter().map(range));
        (self.points, ranges)
    }
}

fn prefix_of(key: &[u8]) -> Option<Prefix> {
    key.first_chunk().copied()
}

/// True if all keys of a range begin alike.
fn within_a_prefix(range: &KeyRange) -> bool {
    let whole = prefix_of(range.start()).map(|prefix| KeyRange::prefix(&prefix));
    whole.is_some_and(|whole| match (range.end(), whole.end()) {
        (Some(end), Some(last)) => end <= last,
        (_, None) => true,
        (None, Some(_)) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(collection: u32, n: u32) -> Vec<u8> {
        [collection.to_be_bytes(), n.to_be_bytes()].concat()
    }

    #[test]
    fn beyond_the_limit_whole_collections_are_remembered_and_catalog_rows_stay() {
        let mut reads = ReadSet::default();
        reads.insert(Family::Catalog, b"\0\0\0\x01nfilms");
        for n in 0..2 * READS_MAX as u32 {
            reads.insert(Family::Data, &key(7, n));
        }
        let (points, ranges) = reads.into_reads();
        assert_eq!(points, [PointRead { family: Family::Catalog, key: b"\0\0\0\x01nfilms".to_vec() }]);
        assert_eq!(ranges, [RangeRead { family: Family::Data, range: KeyRange::prefix(&[0, 0, 0, 7]) }]);
    }

    #[test]
    fn long_keys_count_by_their_bytes() {
        let mut reads = ReadSet::default();
        for n in 0..=(READ_BYTES_MAX / 8_192) as u32 {
            reads.insert(Family::Data, &[key(7, n), vec![0; 8_184]].concat());
        }
        let (points, ranges) = reads.into_reads();
        assert_eq!((points.len(), ranges.len()), (0, 1));
    }

    #[test]
    fn reading_few_keys_again_and_again_keeps_them_apart() {
        let mut reads = ReadSet::default();
        for n in 0..2 * READS_MAX as u32 {
            reads.insert(Family::Data, &key(7, n % 100));
        }
        let (mut points, ranges) = reads.into_reads();
        points.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        points.dedup();
        assert_eq!((points.len(), ranges.len()), (100, 0));
    }

    #[test]
    fn ranges_that_touch_become_one_and_too_many_become_their_collection() {
        let range = |from: u32, to: u32| RangeRead {
            family: Family::Index,
            range: KeyRange::new(key(9, from), Some(key(9, to))),
        };
        let mut reads = ReadSet::default();
        for n in 0..=READS_MAX as u32 {
            reads.insert_range(range(n, n + 1));
        }
        let (_, ranges) = reads.into_reads();
        assert_eq!(ranges, [range(0, READS_MAX as u32 + 1)]);

        let mut reads = ReadSet::default();
        for n in 0..2 * READS_MAX as u32 {
            reads.insert_range(range(2 * n, 2 * n + 1));
        }
        let (_, ranges) = reads.into_reads();
        assert_eq!(ranges, [RangeRead { family: Family::Index, range: KeyRange::prefix(&9_u32.to_be_bytes()) }]);
    }
}
