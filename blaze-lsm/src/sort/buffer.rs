//! Rows in memory.

use blaze_core::{Family, Result};

use super::{Row, too_long};

/// Rows in memory, one behind the other, with a list of where they are: only that is sorted.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    limit_bytes: usize,
}

/// Where a row is.
#[derive(Clone, Copy)]
struct Slot {
    /// The first bytes of the key, so that most comparisons do not go to where it is.
    head: [u64; 2],
    start: usize,
    key_bytes: u32,
    value_bytes: u32,
    family: Family,
}

impl Buffer {
    pub(super) fn new(limit_bytes: usize) -> Buffer {
        Buffer { bytes: Vec::new(), slots: Vec::new(), limit_bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// True if a row fits the memory.
    pub(super) fn has_room(&self, key: &[u8], value: &[u8]) -> bool {
        let slots_bytes = (self.slots.len() + 1) * size_of::<Slot>();
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
        self.slots.push(Slot { head: head(key), start, key_bytes, value_bytes, family });
        Ok(())
    }

    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        self.slots.sort_unstable_by(|one, other| {
            let by_head = (one.family, one.head).cmp(&(other.family, other.head));
            by_head.then_with(|| one.key(bytes).cmp(other.key(bytes)))
        });
    }

    /// The row at a position.
    pub(super) fn row(&self, position: usize) -> Option<Row<'_>> {
        let slot = self.slots.get(position)?;
        let value_at = slot.start + slot.key_bytes as usize;
        Some((slot.family, slot.key(&self.bytes), &self.bytes[value_at..value_at + slot.value_bytes as usize]))
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.slots.clear();
    }
}

impl Slot {
    fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.start + self.key_bytes as usize]
    }
}

/// Bytes that compare as the keys do, as far as they go.
fn head(key: &[u8]) -> [u64; 2] {
    let mut head = [0; 16];
    let length = key.len().min(head.len());
    head[..length].copy_from_slice(&key[..length]);
    let (words, _) = head.as_chunks::<8>();
    [u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1])]
}
