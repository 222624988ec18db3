//! Batches in RocksDB's own representation, built without a call for each entry.

use blaze_core::Family;

use crate::log::LogMark;

/// What each family is called in a batch.
pub(crate) type FamilyNumbers = [u32; Family::ALL.len()];

/// Bytes of the header: a sequence number that RocksDB fills in, and the number of records.
const HEADER_BYTES: usize = 12;

/// Bytes before the first record: the header, and the mark, which is no record and is not stored.
const RECORDS_AT: usize = LogMark::PREFIX_BYTES;

/// The kinds of records (`db/dbformat.h` of RocksDB). Those of the default family do not name it.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    DeletionOfDefault = 0x0,
    ValueOfDefault = 0x1,
    Deletion = 0x4,
    Value = 0x5,
    RangeDeletion = 0xE,
    RangeDeletionOfDefault = 0xF,
}

/// Changes that become visible and durable together (`db/write_batch.cc` of RocksDB).
#[derive(Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    records: u32,
}

impl Batch {
    /// An empty batch with room for so many bytes of records.
    pub(crate) fn with_capacity(bytes: usize) -> Batch {
        let mut batch = Batch { bytes: Vec::with_capacity(RECORDS_AT + bytes), records: 0 };
        batch.bytes.resize(RECORDS_AT, 0);
        batch
    }

    /// Bytes of all records.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() - RECORDS_AT
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> u32 {
        self.records
    }

    /// Sets the value of a key and answers where in the batch that value begins.
    pub(crate) fn put(&mut self, family: u32, key: &[u8], value: &[u8]) -> usize {
        self.begin(family, Tag::ValueOfDefault, Tag::Value);
        self.slice(key);
        self.slice(value);
        self.bytes.len() - value.len()
    }

    pub(crate) fn delete(&mut self, family: u32, key: &[u8]) {
        self.begin(family, Tag::DeletionOfDefault, Tag::Deletion);
        self.slice(key);
    }

    /// Removes the keys from `start` on and below `end`.
    pub(crate) fn delete_range(&mut self, family: u32, start: &[u8], end: &[u8]) {
        self.begin(family, Tag::RangeDeletionOfDefault, Tag::RangeDeletion);
        self.slice(start);
        self.slice(end);
    }

    /// Writes over 8 bytes of a value that [`put`](Batch::put) has told the place of.
    pub(crate) fn patch(&mut self, at: usize, bytes: [u8; 8]) {
        self.bytes[at..at + 8].copy_from_slice(&bytes);
    }

    /// Adds all records of another batch behind those of this one.
    pub(crate) fn append(&mut self, other: &Batch) {
        self.bytes.extend_from_slice(&other.bytes[RECORDS_AT..]);
        self.records += other.records;
    }

    /// What RocksDB takes, with a mark for those who read the log.
    pub(crate) fn representation(&mut self, mark: LogMark) -> &[u8] {
        self.bytes[8..HEADER_BYTES].copy_from_slice(&self.records.to_le_bytes());
        self.bytes[HEADER_BYTES..RECORDS_AT].copy_from_slice(&mark.entry());
        &self.bytes
    }

    fn begin(&mut self, family: u32, of_default: Tag, of_other: Tag) {
        self.records += 1;
        match family {
            0 => self.bytes.push(of_default as u8),
            _ => {
                self.bytes.push(of_other as u8);
                self.number(family);
            }
        }
    }

    fn slice(&mut self, slice: &[u8]) {
        // Keys and values are limited to far less than 4 GiB, which RocksDB could not take either.
        self.number(u32::try_from(slice.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(slice);
    }

    /// A number in groups of 7 bits, the lowest first.
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::Timestamp;
    use rocksdb::WriteBatch;

    use super::*;

    const MARK: LogMark =
        LogMark { last: Timestamp::from_bits(3), previous: Timestamp::from_bits(2), durable: Timestamp::from_bits(1) };

    /// An empty batch of RocksDB's with the mark.
    fn marked() -> WriteBatch {
        let mut batch = WriteBatch::default();
        batch.put_log_data(MARK.encode());
        batch
    }

    #[test]
    fn a_batch_is_what_rocksdb_itself_would_write() {
        let long = vec![7; 300];
        let mut theirs = marked();
        theirs.put(b"key", &long);
        theirs.delete(b"gone");
        theirs.delete_range(b"a".as_slice(), b"b");
        let mut ours = Batch::with_capacity(0);
        let value_at = ours.put(0, b"key", &long);
        ours.delete(0, b"gone");
        ours.delete_range(0, b"a", b"b");
        assert_eq!(ours.representation(MARK), theirs.data());
        assert_eq!(ours.bytes[value_at..value_at + 300], long);
    }

    #[test]
    fn batches_can_be_joined_and_patched() {
        let mut first = Batch::with_capacity(8);
        let at = first.put(0, b"a", &[0; 8]);
        first.patch(at, *b"replaced");
        let mut second = Batch::with_capacity(8);
        second.delete(0, b"b");
        first.append(&second);
        let mut theirs = marked();
        theirs.put(b"a", b"replaced");
        theirs.delete(b"b");
        assert_eq!(first.representation(MARK), theirs.data());
    }
}
