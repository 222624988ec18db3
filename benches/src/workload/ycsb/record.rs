//! The records: what they hold, and how a wrong one is told.

use crate::distribution::{Random, fnv64};
use crate::engine::{Pairs, Write};

pub(super) const VALUE_BYTES: usize = 1000;
/// Under which a record lies: `user` and twenty digits.
pub(super) const KEY_BYTES: usize = 24;

/// A key and a value that can be told from a torn or a foreign one: the record's number at both ends of it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) key: Vec<u8>,
    value: Vec<u8>,
}

impl Default for Record {
    fn default() -> Record {
        Record { key: b"user00000000000000000000".to_vec(), value: vec![0; VALUE_BYTES] }
    }
}

impl Record {
    pub(super) fn write_key(&mut self, number: u64) {
        let mut hash = fnv64(number);
        for digit in self.key.iter_mut().skip(4).rev() {
            *digit = b'0' + (hash % 10) as u8;
            hash /= 10;
        }
    }

    pub(super) fn write(&mut self, number: u64, version: u64) {
        self.write_key(number);
        Record::fill(&mut self.value, number, version);
    }

    pub(super) fn put(&self) -> Write<'_> {
        Write::Put(&self.key, &self.value)
    }

    /// Number, version, random bytes of both, number and version mixed.
    fn fill(value: &mut [u8], number: u64, version: u64) {
        Random::seeded(number ^ version.rotate_left(32)).fill(value);
        value[..8].copy_from_slice(&number.to_le_bytes());
        value[8..16].copy_from_slice(&version.to_le_bytes());
        let end = value.len() - 8;
        value[end..].copy_from_slice(&(number ^ version).to_le_bytes());
    }

    pub(super) fn is_whole(value: &[u8], number: u64) -> bool {
        let word = |at: usize| {
            value.get(at..at + 8).map(|bytes| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
        };
        value.len() == VALUE_BYTES
            && word(0) == Some(number)
            && word(8).is_some_and(|version| word(VALUE_BYTES - 8) == Some(number ^ version))
    }

    /// Counts the version up, in a value that is whole; another one stays as it is, and is found when it is read.
    pub(super) fn next_version(value: &mut [u8], number: u64) {
        if Record::is_whole(value, number) {
            let version = value[8..16].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)).wrapping_add(1);
            Record::fill(value, number, version);
        }
    }
}

/// The records of the load, in the order of their numbers, which their hashed keys are not in.
pub(super) struct Load {
    next: u64,
    end: u64,
    record: Record,
}

impl Load {
    pub(super) fn of(records: u64) -> Load {
        Load { next: 0, end: records, record: Record::default() }
    }
}

impl Pairs for Load {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        if self.next == self.end {
            return None;
        }
        self.record.write(self.next, 0);
        self.next += 1;
        Some((&self.record.key, &self.record.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_from_a_torn_and_from_a_foreign_one() {
        let (mut record, mut other) = (Record::default(), Record::default());
        record.write(7, 1);
        other.write(7, 2);
        assert!(Record::is_whole(&record.value, 7) && !Record::is_whole(&record.value, 8));
        record.value[500..].copy_from_slice(&other.value[500..]);
        assert!(!Record::is_whole(&record.value, 7), "the second half is of another version");
        Record::next_version(&mut other.value, 7);
        record.write(7, 3);
        assert_eq!(record.value, other.value);
    }
}
