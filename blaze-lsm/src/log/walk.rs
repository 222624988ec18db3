//! [`Walk`]: how RocksDB goes from record to record, and where it would never end.

use super::record::{self, BLOCK_BYTES, Found, HEADER_BYTES, Part};

/// What comes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// RocksDB goes on with the next block.
    On,
    /// It has a whole batch, or the end of the file.
    Ended,
    /// It reads the same record for ever.
    Endless,
}

/// RocksDB on its way from what is damaged to the next whole batch: having dropped the rest of a block, it goes on with the next
/// one, and looks at the kind of what stands there before it looks at the checksum.
#[derive(Debug, Default)]
pub(super) struct Walk {
    in_batch: bool,
}

impl Walk {
    /// Goes through the rest of a block.
    pub(super) fn step(&mut self, mut rest: &[u8], is_last: bool) -> Step {
        let next = if is_last { Step::Ended } else { Step::On };
        while rest.len() >= HEADER_BYTES {
            let (part, payload) = match record::read(rest) {
                Found::Endless => return Step::Endless,
                Found::Fragment { part, payload } => (part, payload),
                Found::Zeros | Found::Damage => {
                    self.in_batch = false;
                    return next;
                }
            };
            match part {
                Part::Whole => return Step::Ended,
                Part::Last if self.in_batch => return Step::Ended,
                Part::First => self.in_batch = true,
                Part::Middle | Part::Last | Part::None => {}
            }
            rest = &rest[HEADER_BYTES + payload.len()..];
        }
        next
    }
}

/// Where the record lies on which RocksDB would never end, had it to read a log, or a manifest, which has the same form; none if it ends.
pub(crate) fn endless_at(bytes: &[u8]) -> Option<usize> {
    for (number, block) in bytes.chunks(BLOCK_BYTES).enumerate() {
        let mut at = 0;
        while let Some(rest) = block.get(at..).filter(|rest| rest.len() >= HEADER_BYTES) {
            match record::read(rest) {
                Found::Endless => return Some(number * BLOCK_BYTES + at),
                Found::Fragment { payload, .. } => at += HEADER_BYTES + payload.len(),
                Found::Zeros | Found::Damage => break,
            }
        }
    }
    None
}
