//! The documents of a segment that are dead: replaced or removed, and still in its postings until a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use blaze_core::{Direction, Error, Family, ReadPoint, Result, Write};

use super::layout;
use crate::seal::{seal, unseal};

/// Documents that one row tells of.
const CHUNK_DOCUMENTS: u32 = 16_384;

const CHUNK_WORDS: usize = CHUNK_DOCUMENTS as usize / 64;

/// The dead documents of one segment; chunks are shared with those before and after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Dead {
    chunks: BTreeMap<u32, Arc<[u64; CHUNK_WORDS]>>,
}

impl Dead {
    pub(super) fn has(&self, document: u32) -> bool {
        match self.chunks.is_empty() {
            true => false,
            false => self.chunks.get(&(document / CHUNK_DOCUMENTS)).is_some_and(|chunk| {
                let bit = document % CHUNK_DOCUMENTS;
                chunk[bit as usize / 64] >> (bit % 64) & 1 == 1
            }),
        }
    }

    /// Adds a document; false if it was there.
    pub(super) fn insert(&mut self, document: u32) -> bool {
        let chunk = self.chunks.entry(document / CHUNK_DOCUMENTS).or_insert_with(|| Arc::new([0; CHUNK_WORDS]));
        let bit = document % CHUNK_DOCUMENTS;
        let (word, bit) = (bit as usize / 64, 1 << (bit % 64));
        let is_new = chunk[word] & bit == 0;
        if is_new {
            Arc::make_mut(chunk)[word] |= bit;
        }
        is_new
    }

    /// The rows of the chunks in which these documents are.
    pub(super) fn rows(&self, index: u32, segment: u64, documents: &BTreeSet<u32>) -> Vec<Write> {
        let chunks: BTreeSet<u32> = documents.iter().map(|document| document / CHUNK_DOCUMENTS).collect();
        let row = |number: u32| {
            let key = layout::dead_key(index, segment, number);
            let mut bytes: Vec<u8> = self.chunks.get(&number)?.iter().flat_map(|word| word.to_be_bytes()).collect();
            seal(&key, &mut bytes);
            Some(Write::put(Family::Text, key, bytes))
        };
        chunks.into_iter().filter_map(row).collect()
    }

    /// Those of a segment at a read point.
    pub(super) fn read(point: &dyn ReadPoint, index: u32, segment: u64) -> Result<Dead> {
        let mut dead = Dead::default();
        let mut cursor = point.cursor(Family::Text, &layout::dead_range(index, segment), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            dead.read_row(key, value)?;
        }
        Ok(dead)
    }

    /// Adds those that a row tells of.
    pub(super) fn read_row(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let damaged = || Error::corruption("a row of the dead documents of a segment does not parse");
        let number = key.last_chunk().map(|number| u32::from_be_bytes(*number)).ok_or_else(damaged)?;
        let words = unseal(key, value)?.as_chunks::<8>().0;
        let words: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
        let chunk: [u64; CHUNK_WORDS] = words.try_into().map_err(|_| damaged())?;
        self.chunks.insert(number, Arc::new(chunk));
        Ok(())
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.chunks.values().flat_map(|chunk| chunk.iter()).map(|word| u64::from(word.count_ones())).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_has_what_was_inserted(documents in vec(0u32..50_000, 0..200), others in vec(0u32..50_000, 0..50)) {
            let mut dead = Dead::default();
            let mut expected = BTreeSet::new();
            for document in &documents {
                prop_assert_eq!(dead.insert(*document), expected.insert(*document));
            }
            let before = dead.clone();
            for document in &others {
                dead.insert(*document);
            }
            for document in documents.iter().chain(&others) {
                prop_assert_eq!(before.has(*document), expected.contains(document));
                prop_assert!(dead.has(*document));
            }
        }
    }
}
