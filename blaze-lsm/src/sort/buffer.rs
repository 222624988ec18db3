//! Rows in memory.

use std::collections::HashMap;
use std::ops::Range;
use std::thread;

use blaze_core::{Family, Result};

use super::{Row, too_long};

/// Bytes of a key that all rows of a lane have in common.
const PREFIX_BYTES: usize = 4;

/// Rows from which the lanes are sorted by two threads.
const PARALLEL_ROWS: usize = 16 * 1024;

/// Rows in memory, one behind the other, with lists of where they are: only those are sorted.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// In order once they are sorted.
    lanes: Vec<Lane>,
    /// Where in `lanes` each is, while they are not.
    places: HashMap<(Family, [u8; PREFIX_BYTES]), usize>,
    /// The lane of the last row: the next one most often goes to the same, or to that behind it.
    last: usize,
    rows: usize,
    limit_bytes: usize,
}

/// The rows of one family whose keys begin alike, which is to say, of one collection or index: they are compared with each
/// other only, and without that.
struct Lane {
    family: Family,
    prefix: [u8; PREFIX_BYTES],
    slots: Vec<Slot>,
}

/// Where a row is.
#[derive(Clone, Copy)]
struct Slot {
    /// The first bytes of the key behind the prefix, so that most comparisons do not go to where it is.
    head: [u64; 2],
    start: usize,
    key_bytes: u32,
    value_bytes: u32,
}

/// A place among sorted rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    lane: usize,
    slot: usize,
}

impl Buffer {
    pub(super) fn new(limit_bytes: usize) -> Buffer {
        Buffer { bytes: Vec::new(), lanes: Vec::new(), places: HashMap::new(), last: 0, rows: 0, limit_bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes of all keys and values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// True if a row fits the memory.
    pub(super) fn has_room(&self, key: &[u8], value: &[u8]) -> bool {
        let slots_bytes = (self.rows + 1) * size_of::<Slot>();
        let bytes = self.bytes.len().saturating_add(key.len()).saturating_add(value.len());
        bytes.saturating_add(slots_bytes) <= self.limit_bytes
    }

    /// Adds a row, whether it fits or not.
    pub(super) fn push(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<()> {
        let key_bytes = u32::try_from(key.len()).map_err(|_| too_long("the key", key.len()))?;
        let value_bytes = u32::try_from(value.len()).map_err(|_| too_long("the value", value.len()))?;
        let start = self.bytes.len();
        let needed = start + key.len() + value.len();
        if needed > self.bytes.capacity() {
            // Doubled, but not beyond the limit.
            let capacity = self.bytes.capacity().saturating_mul(2).min(self.limit_bytes).max(needed);
            self.bytes.reserve_exact(capacity - start);
        }
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        let slot = Slot { head: head(key), start, key_bytes, value_bytes };
        self.lane(family, prefix(key)).slots.push(slot);
        self.rows += 1;
        Ok(())
    }

    fn lane(&mut self, family: Family, prefix: [u8; PREFIX_BYTES]) -> &mut Lane {
        let is_it = |lane: &Lane| lane.family == family && lane.prefix == prefix;
        let guesses = [self.last, self.last + 1, 0];
        self.last = match guesses.into_iter().find(|&at| self.lanes.get(at).is_some_and(is_it)) {
            Some(known) => known,
            None => *self.places.entry((family, prefix)).or_insert_with(|| {
                self.lanes.push(Lane { family, prefix, slots: Vec::new() });
                self.lanes.len() - 1
            }),
        };
        &mut self.lanes[self.last]
    }

    pub(super) fn sort(&mut self) {
        self.lanes.sort_unstable_by_key(|lane| (lane.family, lane.prefix));
        let Buffer { bytes, lanes, rows, .. } = self;
        let bytes = bytes.as_slice();
        // Half of the rows each, about.
        let mut before = 0;
        let middle = lanes.iter().position(|lane| {
            before += lane.slots.len();
            2 * before >= *rows
        });
        let (one, other) = lanes.split_at_mut(middle.map_or(0, |middle| middle + 1));
        if *rows < PARALLEL_ROWS || other.is_empty() {
            lanes.iter_mut().for_each(|lane| lane.sort(bytes));
            return;
        }
        let spawned = thread::scope(|scope| {
            let sort = move || one.iter_mut().for_each(|lane| lane.sort(bytes));
            let spawned = thread::Builder::new().spawn_scoped(scope, sort).is_ok();
            other.iter_mut().for_each(|lane| lane.sort(bytes));
            spawned
        });
        if !spawned {
            lanes.iter_mut().for_each(|lane| lane.sort(bytes));
        }
    }

    /// The row at a position; none behind the last.
    pub(super) fn row(&self, position: Position) -> Option<Row<'_>> {
        let lane = self.lanes.get(position.lane)?;
        let (key, value) = lane.slots.get(position.slot)?.row(&self.bytes);
        Some((lane.family, key, value))
    }

    /// The position behind another one.
    pub(super) fn after(&self, position: Position) -> Position {
        let is_last = self.lanes.get(position.lane).is_none_or(|lane| position.slot + 1 >= lane.slots.len());
        match is_last {
            true => Position { lane: position.lane + 1, slot: 0 },
            false => Position { slot: position.slot + 1, ..position },
        }
    }

    /// The sorted rows in parts of about so many bytes, each of one lane; equal keys stay together.
    pub(super) fn parts(&self, bytes_max: usize) -> Vec<(usize, Range<usize>)> {
        let mut parts = Vec::new();
        for (number, lane) in self.lanes.iter().enumerate() {
            let (mut start, mut bytes) = (0, 0);
            for (at, slot) in lane.slots.iter().enumerate() {
                if bytes >= bytes_max && slot.key(&self.bytes) != lane.slots[at - 1].key(&self.bytes) {
                    parts.push((number, start..at));
                    (start, bytes) = (at, 0);
                }
                bytes += slot.key_bytes as usize + slot.value_bytes as usize;
            }
            parts.push((number, start..lane.slots.len()));
        }
        parts
    }

    pub(super) fn family_of(&self, lane: usize) -> Option<Family> {
        self.lanes.get(lane).map(|lane| lane.family)
    }

    /// Keys and values of a part.
    pub(super) fn rows_of(&self, lane: usize, slots: Range<usize>) -> impl Iterator<Item = (&[u8], &[u8])> {
        let slots = self.lanes.get(lane).and_then(|lane| lane.slots.get(slots)).unwrap_or_default();
        slots.iter().map(|slot| slot.row(&self.bytes))
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.lanes.clear();
        self.places.clear();
        self.rows = 0;
    }
}

impl Lane {
    fn sort(&mut self, bytes: &[u8]) {
        self.slots.sort_unstable_by(|one, other| {
            one.head.cmp(&other.head).then_with(|| one.key(bytes).cmp(other.key(bytes)))
        });
    }
}

impl Slot {
    fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.start + self.key_bytes as usize]
    }

    fn row<'a>(&self, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let value_at = self.start + self.key_bytes as usize;
        (self.key(bytes), &bytes[value_at..value_at + self.value_bytes as usize])
    }
}

/// The first bytes of a key; of one that has fewer, zeros behind it.
fn prefix(key: &[u8]) -> [u8; PREFIX_BYTES] {
    let mut prefix = [0; PREFIX_BYTES];
    let length = key.len().min(PREFIX_BYTES);
    prefix[..length].copy_from_slice(&key[..length]);
    prefix
}

/// Bytes that compare as the keys of a lane do, as far as they go.
fn head(key: &[u8]) -> [u64; 2] {
    let rest = key.get(PREFIX_BYTES..).unwrap_or_default();
    let mut head = [0; 16];
    let length = rest.len().min(head.len());
    head[..length].copy_from_slice(&rest[..length]);
    let (words, _) = head.as_chunks::<8>();
    [u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1])]
}
