//! The keys that a transaction has read.

use std::collections::HashSet;

use blaze_core::{Family, KeyRange, PointRead, RangeRead};

/// Keys that are remembered one by one; beyond that, whole collections and indexes are.
const READS_MAX: usize = 65_536;

/// How all keys of one collection, keyspace or index begin.
type Prefix = [u8; 4];

/// The keys that a transaction has read, in bounded memory: one that reads very many is set against every write to the
/// same collections instead of the very keys.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    points: HashSet<PointRead>,
    widened: HashSet<(Family, Prefix)>,
}

impl ReadSet {
    pub(crate) fn insert(&mut self, family: Family, key: &[u8]) {
        if !self.widened.is_empty() && prefix_of(key).is_some_and(|prefix| self.widened.contains(&(family, prefix))) {
            return;
        }
        self.points.insert(PointRead { family, key: key.to_vec() });
        if self.points.len() > READS_MAX {
            self.widen();
        }
    }

    fn widen(&mut self) {
        let widened = &mut self.widened;
        self.points.retain(|point| match prefix_of(&point.key) {
            // The rows of the catalog are few and are everybody's.
            Some(prefix) if point.family != Family::Catalog => {
                widened.insert((point.family, prefix));
                false
            }
            _ => true,
        });
    }

    /// The keys, and the ranges that stand for those no longer known.
    pub(crate) fn into_reads(self) -> (Vec<PointRead>, Vec<RangeRead>) {
        let range = |(family, prefix): (Family, Prefix)| RangeRead { family, range: KeyRange::prefix(&prefix) };
        (self.points.into_iter().collect(), self.widened.into_iter().map(range).collect())
    }
}

fn prefix_of(key: &[u8]) -> Option<Prefix> {
    key.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_whole_collections_are_remembered_and_catalog_rows_stay() {
        let mut reads = ReadSet::default();
        reads.insert(Family::Catalog, b"\0\0\0\x01nfilms");
        for n in 0..2 * READS_MAX as u32 {
            reads.insert(Family::Data, &[[0, 0, 0, 7], n.to_be_bytes()].concat());
        }
        let (points, ranges) = reads.into_reads();
        assert_eq!(points, [PointRead { family: Family::Catalog, key: b"\0\0\0\x01nfilms".to_vec() }]);
        assert_eq!(ranges, [RangeRead { family: Family::Data, range: KeyRange::prefix(&[0, 0, 0, 7]) }]);
    }
}
