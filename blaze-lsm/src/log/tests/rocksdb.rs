//! RocksDB's reader of a log as its `log_reader.cc` (11.8.1) has it, as far as it decides whether it ends, and no torn end is
//! spun on once the audit has cut it.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::record::{BLOCK_BYTES, HEADER_BYTES, mask};
use super::{Log, commits, file_number};
use crate::crc32c::crc32c;

/// Bytes of the header of a record of a recycled log.
const RECYCLED_HEADER_BYTES: usize = 11;

/// What `ReadPhysicalRecord` answers.
enum Physical {
    /// A record of a kind, with so many bytes.
    Kind(u8, usize),
    /// A record that was dropped with the rest of its block, or not read at all.
    Bad,
    /// The end, or what counts as it.
    End,
}

struct Reader<'a> {
    blocks: std::slice::Chunks<'a, u8>,
    rest: &'a [u8],
    has_all: bool,
    has_read: bool,
    is_recycled: bool,
    number: u32,
}

impl Reader<'_> {
    fn more(&mut self) -> bool {
        if self.has_all {
            return false;
        }
        self.rest = self.blocks.next().unwrap_or_default();
        self.has_all = self.rest.len() < BLOCK_BYTES;
        true
    }

    fn physical(&mut self) -> Physical {
        loop {
            if self.rest.len() < HEADER_BYTES {
                if !self.more() {
                    return Physical::End;
                }
                continue;
            }
            let (kind, length) = (self.rest[6], usize::from(u16::from_le_bytes([self.rest[4], self.rest[5]])));
            let is_recycled = matches!(kind, 5..=8 | 11 | 131);
            let header = if is_recycled { RECYCLED_HEADER_BYTES } else { HEADER_BYTES };
            if is_recycled {
                if self.has_read && !self.is_recycled {
                    return Physical::Bad; // and nothing is dropped
                }
                self.is_recycled = true;
                if self.rest.len() < header {
                    if !self.more() {
                        return Physical::End;
                    }
                    continue;
                }
            }
            if header + length > self.rest.len() {
                self.rest = &[];
                return if self.has_all { Physical::End } else { Physical::Bad };
            }
            let record = &self.rest[..header + length];
            if is_recycled && record[7..11] != self.number.to_le_bytes() {
                self.rest = &self.rest[record.len()..];
                return Physical::End; // of an older log
            }
            let is_sound = record[..4] == mask(crc32c(&record[6..])).to_le_bytes();
            if (kind == 0 && length == 0) || !is_sound {
                self.rest = &[];
                return Physical::Bad;
            }
            self.rest = &self.rest[record.len()..];
            return Physical::Kind(kind, length);
        }
    }

    /// `ReadRecord`: whether there was a batch, and nothing wrong on the way to it; none if it would never end.
    fn batch(&mut self) -> Option<bool> {
        let (mut begun, mut is_right) = (None, true);
        // More steps than there are bytes are those of somebody who stands still.
        for _ in 0..1 << 18 {
            match self.physical() {
                Physical::End => return Some(false),
                Physical::Kind(1 | 5, _) => {
                    self.has_read = true;
                    return Some(is_right && begun.unwrap_or_default() == 0);
                }
                Physical::Kind(2 | 6, bytes) => {
                    is_right &= begun.unwrap_or_default() == 0;
                    begun = Some(bytes);
                }
                Physical::Kind(4 | 8, _) if begun.is_some() => {
                    self.has_read = true;
                    return Some(is_right);
                }
                Physical::Kind(3 | 7, more) if begun.is_some() => begun = begun.map(|bytes| bytes + more),
                Physical::Kind(128.., _) => {}
                Physical::Kind(..) | Physical::Bad => (begun, is_right) = (None, false),
            }
        }
        None
    }
}

/// True if RocksDB ends reading the file: behind damage it looks for no second batch.
fn ends(number: u64, file: &[u8]) -> bool {
    let mut blocks = file.chunks(BLOCK_BYTES);
    let rest = blocks.next().unwrap_or_default();
    let has_all = rest.len() < BLOCK_BYTES;
    let mut reader = Reader { blocks, rest, has_all, has_read: false, is_recycled: false, number: number as u32 };
    loop {
        match reader.batch() {
            Some(true) => {}
            Some(false) => return true,
            None => return false,
        }
    }
}

/// The beginning of a record of any kind, with a length.
fn header() -> impl Strategy<Value = [u8; HEADER_BYTES]> {
    let kind = prop_oneof![0..13_u8, 128..133_u8];
    (kind, prop_oneof![0..100_u16, any::<u16>()], any::<[u8; 4]>()).prop_map(|(kind, length, [a, b, c, d])| {
        let [low, high] = length.to_le_bytes();
        [a, b, c, d, low, high, kind]
    })
}

fn overwrite(file: &mut [u8], at: usize, bytes: &[u8]) {
    file.iter_mut().skip(at).zip(bytes).for_each(|(byte, new)| *byte = *new);
}

proptest! {
    #[test]
    fn what_is_left_of_a_torn_log_can_be_read_to_its_end(
        mut log in commits(),
        torn in prop::collection::vec((any::<Index>(), prop::collection::vec(any::<u8>(), 1..20)), 0..3),
        blocks in prop::collection::vec((any::<Index>(), header()), 0..6),
    ) {
        for file in log.files.iter_mut().filter(|file| !file.is_empty()) {
            for (at, bytes) in &torn {
                let at = at.index(file.len());
                overwrite(file, at, bytes);
            }
            for (block, header) in &blocks {
                let at = block.index(file.len().div_ceil(BLOCK_BYTES)) * BLOCK_BYTES;
                overwrite(file, at, header);
            }
        }
        assert_ends(&log)?;
    }
}

fn assert_ends(log: &Log) -> Result<(), TestCaseError> {
    let found = log.audit();
    if found.damage.is_some() {
        return Ok(()); // and nobody reads it
    }
    for (index, file) in log.files.iter().enumerate() {
        let number = file_number(index);
        let end = match found.cut {
            Some(cut) if cut.file == number => cut.offset as usize,
            Some(cut) if cut.file < number => 0,
            _ => file.len(),
        };
        prop_assert!(ends(number, &file[..end]), "RocksDB never ends with file {number}, cut {:?}", found.cut);
    }
    Ok(())
}

#[test]
fn the_model_spins_where_rocksdb_does() {
    let mut log = Log::of(&[(10, true, false), (70_000, false, false)]);
    let offset = log.commits[1].at.offset as usize;
    let number = file_number(0);
    log.files[0][offset + 20] ^= 1;
    assert!(ends(number, &log.files[0]));
    log.files[0][BLOCK_BYTES + 6] = 5;
    assert!(!ends(number, &log.files[0]));
}
