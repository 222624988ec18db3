//! Documents that follow each other, as a search takes them from a cursor.

/// Documents in a batch at most: those of a block.
pub(crate) const BATCH: usize = 128;

/// Frequencies that are compared in one step.
const STEP: usize = 8;

/// Documents in ascending order, with how often a term is in each: of those that a cursor went past, the ones that have it often
/// enough.
#[derive(Clone, Debug)]
pub struct Batch {
    documents: [u32; BATCH],
    frequencies: [u32; BATCH],
    count: usize,
    end: u32,
}

impl Batch {
    /// A batch without documents.
    pub fn new() -> Batch {
        Batch { documents: [0; BATCH], frequencies: [0; BATCH], count: 0, end: 0 }
    }

    /// Takes all documents out.
    pub fn clear(&mut self) {
        (self.count, self.end) = (0, 0);
    }

    /// Goes past a document, and takes it if it has the term at least so often; false if there is no room.
    pub fn push(&mut self, document: u32, frequency: u32, least_frequency: u32) -> bool {
        if frequency >= least_frequency {
            let room = (self.documents.get_mut(self.count), self.frequencies.get_mut(self.count));
            let (Some(at), Some(often)) = room else { return false };
            (*at, *often) = (document, frequency);
            self.count += 1;
        }
        self.end = document.saturating_add(1);
        true
    }

    /// Goes past these documents, at most as many as there is room for, in place of what is there.
    pub(crate) fn fill(&mut self, documents: &[u32], frequencies: &[u32], least_frequency: u32) {
        self.clear();
        let count = documents.len().min(frequencies.len()).min(BATCH);
        let (documents, frequencies) = (&documents[..count], &frequencies[..count]);
        if least_frequency <= 1 {
            self.documents[..count].copy_from_slice(documents);
            self.frequencies[..count].copy_from_slice(frequencies);
            self.count = count;
        } else {
            for (documents, frequencies) in documents.chunks(STEP).zip(frequencies.chunks(STEP)) {
                if frequencies.iter().fold(0, |most, frequency| most.max(*frequency)) >= least_frequency {
                    self.take(documents, frequencies, least_frequency);
                }
            }
        }
        self.end = documents.last().map_or(0, |last| last.saturating_add(1));
    }

    fn take(&mut self, documents: &[u32], frequencies: &[u32], least_frequency: u32) {
        for (document, frequency) in documents.iter().zip(frequencies) {
            if *frequency >= least_frequency {
                (self.documents[self.count], self.frequencies[self.count]) = (*document, *frequency);
                self.count += 1;
            }
        }
    }

    /// The documents.
    #[inline]
    pub fn documents(&self) -> &[u32] {
        &self.documents[..self.count]
    }

    /// How often the term is in each of them.
    #[inline]
    pub fn frequencies(&self) -> &[u32] {
        &self.frequencies[..self.count]
    }

    /// The document behind the last one that the cursor went past; 0 if there was none.
    #[inline]
    pub fn end(&self) -> u32 {
        self.end
    }
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Batch;
    use crate::{END, Postings};

    /// Checks that a cursor goes in batches where it goes one by one.
    pub(crate) fn assert_goes_in_batches<P: Postings>(mut begin: impl FnMut() -> P, random: impl Fn(u64) -> u64) {
        let (mut all, mut cursor) = (Vec::new(), begin());
        while cursor.document() != END {
            all.push((cursor.document(), cursor.frequency().unwrap()));
            cursor.next().unwrap();
        }
        for least in 0..4 {
            let often: Vec<(u32, u32)> = all.iter().copied().filter(|(_, frequency)| *frequency >= least).collect();
            let (mut cursor, mut batch, mut found, mut step) = (begin(), Batch::new(), Vec::new(), u64::from(least));
            let mut from = cursor.document();
            while from != END {
                step += 4;
                let last = from.saturating_add(random(step) as u32 % (1 << (random(step) >> 32 & 15))).min(END - 1);
                cursor.batch(last, least, &mut batch).unwrap();
                let frequencies = batch.frequencies().iter().copied();
                found.extend(batch.documents().iter().copied().zip(frequencies));
                assert!(batch.end() > from && batch.end() <= last + 1);
                assert!((cursor.document() == batch.end() - 1) || cursor.document() >= batch.end());
                from = cursor.document();
                if from < batch.end() {
                    from = cursor.seek(batch.end()).unwrap();
                }
            }
            cursor.batch(END - 1, least, &mut batch).unwrap();
            assert!(batch.documents().is_empty() && batch.end() == 0);
            assert_eq!(found, often);
        }
    }
}
