//! [`LogReader`]: the batches of one log file, those behind damage, too.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use super::mark::LogMark;
use super::record::{self, BLOCK_BYTES, Found, HEADER_BYTES, Part};
use super::walk::{Step, Walk};

/// What comes next in a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Batch(Batch),
    /// The rest of the block at this offset begins with zeros. At the end of a file that is nothing; elsewhere batches
    /// are missing, and RocksDB does not notice.
    Zeros {
        offset: u64,
    },
    /// The batch at this offset is not whole. It is reported once in a file: RocksDB stops there.
    Damage {
        offset: u64,
    },
    /// RocksDB does not stop at the damage before, but never ends there, or further on.
    Endless,
}

/// A batch whose bytes are all sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) offset: u64,
    pub(crate) sequence: u64,
    pub(crate) count: u32,
    /// RocksDB writes batches of its own, which have none and change nothing.
    pub(crate) mark: Option<LogMark>,
}

impl Batch {
    /// Understands a batch by its first bytes; `None` when it has no whole header.
    fn read(offset: u64, prefix: &[u8]) -> Option<Batch> {
        let (header, _) = prefix.split_first_chunk::<12>()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *header;
        Some(Batch {
            offset,
            sequence: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            count: u32::from_le_bytes([i, j, k, l]),
            mark: LogMark::of_batch(prefix),
        })
    }
}

/// A batch of which the first fragments were read.
#[derive(Debug)]
struct Begun {
    offset: u64,
    /// As much of it as is needed to understand it. RocksDB takes it for none as long as it is empty.
    prefix: Vec<u8>,
}

/// Reads a log file as RocksDB does, up to the damage, and then whatever is sound behind it.
#[derive(Debug)]
pub(crate) struct LogReader<R> {
    input: R,
    block: Vec<u8>,
    /// Where the block lies in the file.
    block_offset: u64,
    /// How much of the block was read.
    at: usize,
    /// No block follows.
    is_last: bool,
    begun: Option<Begun>,
    is_damaged: bool,
    /// RocksDB, as long as it is on its way behind the damage.
    walk: Option<Walk>,
    /// What is still to be told of it.
    is_endless: bool,
}

impl<R: Read> LogReader<R> {
    pub(crate) fn new(input: R) -> LogReader<R> {
        let block = Vec::new();
        let (begun, walk) = (None, None);
        let (is_last, is_damaged, is_endless) = (false, false, false);
        LogReader { input, block, block_offset: 0, at: 0, is_last, begun, is_damaged, walk, is_endless }
    }

    /// What comes next; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            if std::mem::take(&mut self.is_endless) {
                return Ok(Some(Event::Endless));
            }
            let offset = self.offset();
            let rest = &self.block[self.at..];
            if rest.len() < HEADER_BYTES {
                if !self.is_last {
                    self.next_block()?;
                    continue;
                }
                let is_torn = !rest.is_empty() || self.begun.is_some();
                self.at = self.block.len();
                return Ok(if is_torn { self.damage(offset, None) } else { None });
            }
            let event = match record::read(rest) {
                Found::Fragment { part, payload } => {
                    let payload = self.at + HEADER_BYTES..self.at + HEADER_BYTES + payload.len();
                    self.at = payload.end;
                    self.add(part, offset, payload)
                }
                Found::Zeros if self.begun.is_none() => {
                    self.at += record::skip_damage(rest);
                    (!self.is_damaged).then_some(Event::Zeros { offset })
                }
                _ => {
                    let at = self.at;
                    self.at += record::skip_damage(rest);
                    self.damage(offset, Some(at))
                }
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    fn offset(&self) -> u64 {
        self.block_offset + self.at as u64
    }

    fn next_block(&mut self) -> io::Result<()> {
        self.block_offset += self.block.len() as u64;
        self.at = 0;
        self.block.resize(BLOCK_BYTES, 0);
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.input.read(&mut self.block[filled..]) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.block.truncate(filled);
        self.is_last = filled < BLOCK_BYTES;
        if let Some(walk) = self.walk.take() {
            self.walk(walk, 0);
        }
        Ok(())
    }

    /// Has RocksDB go through the block from a place on.
    fn walk(&mut self, mut walk: Walk, at: usize) {
        match walk.step(&self.block[at..], self.is_last) {
            Step::On => self.walk = Some(walk),
            Step::Ended => {}
            Step::Endless => self.is_endless = true,
        }
    }

    /// Takes in a fragment, with which a batch may be complete. The payload is a range of the block.
    fn add(&mut self, part: Part, offset: u64, payload: Range<usize>) -> Option<Event> {
        let prefix = &self.block[payload.start..payload.end.min(payload.start + LogMark::PREFIX_BYTES)];
        match (part, self.begun.take()) {
            (Part::Whole | Part::First, Some(begun)) if !begun.prefix.is_empty() && !self.is_damaged => {
                self.at = payload.start - HEADER_BYTES; // to be read again, as what lies behind the damage
                self.damage(begun.offset, Some(self.at))
            }
            (Part::Whole, _) => self.end(offset, Batch::read(offset, prefix)),
            (Part::First, _) => {
                self.begun = Some(Begun { offset, prefix: prefix.to_vec() });
                None
            }
            (Part::Middle | Part::Last, None) => self.damage(offset, Some(payload.start - HEADER_BYTES)),
            (Part::Middle | Part::Last, Some(mut begun)) => {
                let missing = LogMark::PREFIX_BYTES - begun.prefix.len();
                begun.prefix.extend(prefix.iter().take(missing));
                if part == Part::Last {
                    return self.end(begun.offset, Batch::read(begun.offset, &begun.prefix));
                }
                self.begun = Some(begun);
                None
            }
            (Part::None, begun) => {
                self.begun = begun;
                None
            }
        }
    }

    fn end(&mut self, offset: u64, batch: Option<Batch>) -> Option<Event> {
        match batch {
            Some(batch) => Some(Event::Batch(batch)),
            None => self.damage(offset, None), // which RocksDB takes for a batch first
        }
    }

    /// Gives up the batch that was begun. The first damage of a file is an event; from the place in the block, if there is one,
    /// RocksDB goes on in search of a whole batch.
    fn damage(&mut self, offset: u64, at: Option<usize>) -> Option<Event> {
        let offset = self.begun.take().map_or(offset, |begun| begun.offset);
        if self.is_damaged {
            return None;
        }
        self.is_damaged = true;
        if let Some(at) = at {
            self.walk(Walk::default(), at);
        }
        Some(Event::Damage { offset })
    }
}
