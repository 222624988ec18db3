//! Requests made ready by the threads that bring them, before anybody waits for anybody.

use blaze_core::{CommitRequest, Result, Timestamp, Write};

use super::batch::{Batch, FamilyNumbers};

/// A request with its part of the group's batch.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: CommitRequest,
    /// The writes as RocksDB takes them; none when they depend on what is stored.
    pub(crate) batch: Option<Batch>,
    /// Where in the batch the commit timestamp goes.
    stamps: Vec<usize>,
}

impl Prepared {
    /// Encodes what can be encoded without knowing what is stored.
    pub(crate) fn new(request: CommitRequest, families: &FamilyNumbers) -> Prepared {
        let late = request.writes.iter().any(depends_on_what_is_stored);
        let mut prepared = Prepared { request, batch: None, stamps: Vec::new() };
        if !late {
            prepared.encode(families);
        }
        prepared
    }

    fn encode(&mut self, families: &FamilyNumbers) {
        self.batch = Some(encode(&self.request.writes, families, &mut self.stamps));
    }

    /// Bytes that it adds to a group, as far as they are known.
    pub(crate) fn bytes(&self) -> usize {
        self.batch.as_ref().map_or(0, Batch::bytes)
    }

    /// Writes the commit timestamp wherever a value asks for it.
    pub(crate) fn stamp(&mut self, ts: Timestamp) {
        let Some(batch) = &mut self.batch else { return };
        for at in self.stamps.drain(..) {
            batch.patch(at, ts.to_bits().to_be_bytes());
        }
    }

    /// Encodes a request whose writes depend on what is stored, after `resolve` has made plain writes of them.
    ///
    /// # Errors
    /// What `resolve` returns; nothing was encoded then.
    pub(crate) fn encode_late(
        &mut self,
        families: &FamilyNumbers,
        resolve: impl FnOnce(&mut [Write]) -> Result<()>,
    ) -> Result<()> {
        resolve(&mut self.request.writes)?;
        self.encode(families);
        Ok(())
    }
}

/// Writes that depend on nothing, as RocksDB takes them; says where the stamps go.
pub(crate) fn encode(writes: &[Write], families: &FamilyNumbers, stamps: &mut Vec<usize>) -> Batch {
    let bytes = writes.iter().map(encoded_bytes_max).sum();
    let mut batch = Batch::with_capacity(bytes);
    for write in writes {
        let family = families[write.family() as usize];
        match write {
            Write::Put { key, value, stamp_at, .. } => {
                let value_at = batch.put(family, key, value);
                stamps.extend(stamp_at.map(|at| value_at + at));
            }
            Write::Delete { key, .. } => batch.delete(family, key),
            Write::Add { .. } | Write::Touch { .. } => {} // a put by now, and nothing
            Write::DeleteRange { range, .. } => {
                let start = range.start().max(&[0]); // spares what the store keeps under the empty key
                if let Some(end) = range.end().filter(|end| *end > start) {
                    batch.delete_range(family, start, end);
                }
            }
        }
    }
    batch
}

/// A sum depends on the counter, and the end of a range that has none on the last key: RocksDB wants an end, and no key
/// is above all others.
fn depends_on_what_is_stored(write: &Write) -> bool {
    match write {
        Write::Add { .. } => true,
        Write::DeleteRange { range, .. } => range.end().is_none(),
        Write::Put { .. } | Write::Delete { .. } | Write::Touch { .. } => false,
    }
}

fn encoded_bytes_max(write: &Write) -> usize {
    /// A tag, the number of a family, and the lengths of two slices.
    const FRAME_BYTES_MAX: usize = 1 + 1 + 5 + 5;
    match write {
        Write::Put { key, value, .. } => FRAME_BYTES_MAX + key.len() + value.len(),
        Write::Delete { key, .. } | Write::Add { key, .. } => FRAME_BYTES_MAX + key.len(),
        Write::DeleteRange { range, .. } => FRAME_BYTES_MAX + range.start().len() + range.end().map_or(0, <[u8]>::len),
        Write::Touch { .. } => 0,
    }
}
