//! What each batch says in the log about the commits around it.

use blaze_core::Timestamp;

/// The first byte of a mark, so that the log data of others is not taken for one.
const MAGIC: u8 = 0xB7;
const VERSION: u8 = 1;
/// RocksDB's tag of an entry that is logged and not stored.
const LOG_DATA_TAG: u8 = 3;
/// Sequence number and count of a batch, as RocksDB writes them.
const BATCH_HEADER_BYTES: usize = 12;

/// The first entry of every batch: `magic (1) | version (1) | last (8) | previous (8) | durable (8)`, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogMark {
    /// The last commit in the batch.
    pub(crate) last: Timestamp,
    /// The last commit before the batch, or what a reopened database went on from; it says whether one is missing.
    pub(crate) previous: Timestamp,
    /// Every commit up to this one had been synced when the batch was written.
    pub(crate) durable: Timestamp,
}

impl LogMark {
    /// The bytes of a mark.
    pub(crate) const BYTES: usize = 26;
    /// How many bytes of a batch are enough to find its mark.
    pub(crate) const PREFIX_BYTES: usize = BATCH_HEADER_BYTES + 2 + LogMark::BYTES;

    /// The bytes for [`WriteBatch::put_log_data`](rocksdb::WriteBatch::put_log_data), before any other entry.
    pub(crate) fn encode(&self) -> [u8; LogMark::BYTES] {
        let mut bytes = [0; LogMark::BYTES];
        bytes[0] = MAGIC;
        bytes[1] = VERSION;
        bytes[2..10].copy_from_slice(&self.last.to_bits().to_be_bytes());
        bytes[10..18].copy_from_slice(&self.previous.to_bits().to_be_bytes());
        bytes[18..26].copy_from_slice(&self.durable.to_bits().to_be_bytes());
        bytes
    }

    /// Reads a mark; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<LogMark> {
        let bytes: &[u8; LogMark::BYTES] = bytes.try_into().ok()?;
        let timestamp = |at: usize| {
            let bits = bytes[at..].iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
            Timestamp::from_bits(bits)
        };
        let mark = LogMark { last: timestamp(2), previous: timestamp(10), durable: timestamp(18) };
        (bytes[..2] == [MAGIC, VERSION]).then_some(mark)
    }

    /// The mark of a batch whose first bytes these are.
    pub(crate) fn of_batch(batch: &[u8]) -> Option<LogMark> {
        let entry = batch.get(BATCH_HEADER_BYTES..LogMark::PREFIX_BYTES)?;
        (entry[..2] == [LOG_DATA_TAG, LogMark::BYTES as u8]).then(|| LogMark::decode(&entry[2..]))?
    }

    /// The mark as an entry of a batch, the first after its header.
    pub(crate) fn entry(&self) -> [u8; LogMark::PREFIX_BYTES - BATCH_HEADER_BYTES] {
        let mut entry = [0; LogMark::PREFIX_BYTES - BATCH_HEADER_BYTES];
        entry[..2].copy_from_slice(&[LOG_DATA_TAG, LogMark::BYTES as u8]);
        entry[2..].copy_from_slice(&self.encode());
        entry
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rocksdb::WriteBatch;

    use super::*;

    fn mark(last: u64, previous: u64, durable: u64) -> LogMark {
        let [last, previous, durable] = [last, previous, durable].map(Timestamp::from_bits);
        LogMark { last, previous, durable }
    }

    #[test]
    fn a_mark_is_found_in_the_batch_that_rocksdb_makes_of_it() {
        let mark = mark(3, 2, 1);
        let mut batch = WriteBatch::default();
        batch.put_log_data(mark.encode());
        batch.put(b"key", b"value");
        assert_eq!(LogMark::of_batch(batch.data()), Some(mark));
        assert_eq!(batch.len(), 1, "a mark takes no sequence number");

        assert_eq!(mark.entry(), batch.data()[BATCH_HEADER_BYTES..LogMark::PREFIX_BYTES]);
    }

    proptest! {
        #[test]
        fn a_mark_reads_back(last: u64, previous: u64, durable: u64) {
            let mark = mark(last, previous, durable);
            prop_assert_eq!(LogMark::decode(&mark.encode()), Some(mark));
        }

        #[test]
        fn no_bytes_make_reading_a_mark_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = LogMark::of_batch(&bytes);
            prop_assert!(LogMark::decode(&bytes).is_none_or(|mark| mark.encode().as_slice() == bytes));
        }
    }
}
