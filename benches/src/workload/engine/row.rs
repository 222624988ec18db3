//! The rows of the engine's table.

use crate::dataset::pairs::RandomPairs;
use crate::engine::Pairs;

pub(super) const KEY_BYTES: usize = 24;
pub(super) const VALUE_BYTES: usize = 150;
/// Bytes of a row, for sizing memory by it.
pub(super) const ROW_BYTES: u64 = (KEY_BYTES + VALUE_BYTES) as u64;

pub(super) type Key = [u8; KEY_BYTES];
pub(super) type Value = [u8; VALUE_BYTES];

/// Rows that a seed generates. Row numbers say nothing about the order of their keys. A value tells which row it is of, in
/// which version, and whether it is whole: it takes some nanoseconds to make sure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    keys: RandomPairs,
}

impl Rows {
    pub(super) fn seeded(seed: u64) -> Rows {
        Rows { keys: RandomPairs { seed, key_bytes: KEY_BYTES, value_bytes: VALUE_BYTES } }
    }

    pub(super) fn key(&self, row: u64) -> Key {
        let mut key = [0; KEY_BYTES];
        self.keys.write_key(row, &mut key);
        key
    }

    pub(super) fn value(&self, row: u64, version: u64) -> Value {
        let mut value = [0; VALUE_BYTES];
        let (words, rest) = value.as_chunks_mut::<8>();
        words[0] = row.to_le_bytes();
        words[1] = version.to_le_bytes();
        let mut filling = self.filling(row, version);
        for word in &mut words[2..] {
            *word = filling.next();
        }
        rest.copy_from_slice(&filling.next()[..REST]);
        value
    }

    /// The row and the version of a value; `None` for what was never written.
    pub(super) fn parse(&self, value: &[u8]) -> Option<(u64, u64)> {
        let value: &Value = value.try_into().ok()?;
        let (words, rest) = value.as_chunks::<8>();
        let (row, version) = (u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]));
        let mut filling = self.filling(row, version);
        let mut whole = true;
        for word in &words[2..] {
            whole &= *word == filling.next();
        }
        whole &= rest == &filling.next()[..REST];
        whole.then_some((row, version))
    }

    /// Rows in their first version, for [`KeyValue::load`](crate::engine::KeyValue::load); calls `progress` every
    /// thousand of them.
    pub(super) fn load<'a>(self, count: u64, progress: &'a mut dyn FnMut(u64)) -> impl Pairs + 'a {
        Load { rows: self, next: 0, count, key: [0; KEY_BYTES], value: [0; VALUE_BYTES], progress }
    }

    fn filling(&self, row: u64, version: u64) -> Filling {
        let start = (self.keys.seed ^ row).wrapping_mul(ODD) ^ version.wrapping_mul(ANOTHER_ODD);
        Filling { next: start ^ (start >> 29) }
    }
}

/// Bytes of a value behind its last whole word.
const REST: usize = VALUE_BYTES % 8;
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
const ANOTHER_ODD: u64 = 0xD6E8_FEB8_6659_FD93;

/// Words that no compression makes smaller and that are made as fast as they are compared.
struct Filling {
    next: u64,
}

impl Filling {
    fn next(&mut self) -> [u8; 8] {
        let word = self.next;
        self.next = word.wrapping_add(ODD);
        word.to_le_bytes()
    }
}

struct Load<'a> {
    rows: Rows,
    next: u64,
    count: u64,
    key: Key,
    value: Value,
    progress: &'a mut dyn FnMut(u64),
}

impl Pairs for Load<'_> {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        if self.next == self.count {
            return None;
        }
        if self.next.is_multiple_of(1000) {
            (self.progress)(self.next);
        }
        self.key = self.rows.key(self.next);
        self.value = self.rows.value(self.next, 0);
        self.next += 1;
        Some((&self.key, &self.value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_value_tells_its_row_and_its_version() {
        let rows = Rows::seeded(7);
        for (row, version) in [(0, 0), (1, 0), (0, 1), (u64::MAX, u64::MAX), (1_999_999, 12)] {
            assert_eq!(rows.parse(&rows.value(row, version)), Some((row, version)));
        }
        assert_eq!(rows.parse(&Rows::seeded(8).value(1, 1)), None);
    }

    #[test]
    fn a_value_with_any_bit_changed_or_of_another_length_is_not_whole() {
        let rows = Rows::seeded(7);
        let value = rows.value(5, 2);
        for bit in 0..VALUE_BYTES * 8 {
            let mut damaged = value;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(rows.parse(&damaged), None, "bit {bit}");
        }
        assert_eq!(rows.parse(&value[1..]), None);
        assert_eq!(rows.parse(&[]), None);
    }

    #[test]
    fn rows_are_loaded_each_once_in_their_first_version_and_in_no_order_of_keys() {
        let rows = Rows::seeded(7);
        let mut ignored = |_| ();
        let mut load = rows.load(2500, &mut ignored);
        let (mut keys, mut number) = (BTreeSet::new(), 0);
        let mut ascending = 0;
        while let Some((key, value)) = load.next() {
            assert_eq!((key, rows.parse(value)), (rows.key(number).as_slice(), Some((number, 0))));
            ascending += u64::from(keys.last().is_none_or(|last: &Vec<u8>| last.as_slice() < key));
            keys.insert(key.to_vec());
            number += 1;
        }
        assert_eq!((keys.len(), number), (2500, 2500));
        assert!(ascending < 100, "{ascending} of 2500 keys were above all before them");
    }
}
