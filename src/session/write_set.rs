//! What a transaction has written and not yet committed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use blaze_core::{Direction, Family, KeyRange, Write};

/// Bytes that a pending write takes beside its key and value.
const OVERHEAD_BYTES: usize = 64;

/// What a transaction has written, by key.
///
/// At commit the removed ranges go first: what was written into a range before its removal is dropped here, what is
/// written after it follows.
#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    writes: BTreeMap<WrittenKey, Pending>,
    removed: Vec<(Family, KeyRange)>,
    bytes: usize,
    undo: Option<Undo>,
}

/// A key in its family.
type WrittenKey = (Family, Vec<u8>);

/// The last write to a key.
#[derive(Clone, Debug)]
enum Pending {
    Put { value: Arc<Vec<u8>>, stamp_at: Option<usize> },
    Delete,
}

/// How to take back the writes of an operation that fails.
#[derive(Debug)]
struct Undo {
    before: Vec<(WrittenKey, Option<Pending>)>,
    removed: usize,
    bytes: usize,
}

/// What a transaction itself knows of a key.
pub(crate) enum Lookup {
    Put(Arc<Vec<u8>>),
    Deleted,
    Unwritten,
}

/// A key and what the transaction has made of it: a value, or nothing.
pub(crate) type OverlayEntry = (Vec<u8>, Option<Arc<Vec<u8>>>);

/// The part of a write set that a cursor lays over the store: keys in the cursor's direction.
pub(crate) struct Overlay {
    pub(crate) entries: Vec<OverlayEntry>,
    pub(crate) removed: Vec<KeyRange>,
}

impl WriteSet {
    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Lookup {
        match self.writes.get(&(family, key.to_vec())) {
            Some(Pending::Put { value, .. }) => Lookup::Put(Arc::clone(value)),
            Some(Pending::Delete) => Lookup::Deleted,
            None if self.removed.iter().any(|(of, range)| *of == family && range.contains(key)) => Lookup::Deleted,
            None => Lookup::Unwritten,
        }
    }

    pub(crate) fn put(&mut self, family: Family, key: Vec<u8>, value: Vec<u8>, stamp_at: Option<usize>) {
        self.set((family, key), Pending::Put { value: Arc::new(value), stamp_at });
    }

    pub(crate) fn delete(&mut self, family: Family, key: Vec<u8>) {
        self.set((family, key), Pending::Delete);
    }

    pub(crate) fn delete_range(&mut self, family: Family, range: KeyRange) {
        let keys: Vec<Vec<u8>> = self.in_range(family, &range).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.forget((family, key));
        }
        self.removed.push((family, range));
    }

    fn set(&mut self, key: WrittenKey, pending: Pending) {
        self.bytes += cost(&key.1, &pending);
        let old = self.writes.insert(key.clone(), pending);
        self.bytes -= old.as_ref().map_or(0, |old| cost(&key.1, old));
        if let Some(undo) = &mut self.undo {
            undo.before.push((key, old));
        }
    }

    fn forget(&mut self, key: WrittenKey) {
        let old = self.writes.remove(&key);
        self.bytes -= old.as_ref().map_or(0, |old| cost(&key.1, old));
        if let Some(undo) = &mut self.undo {
            undo.before.push((key, old));
        }
    }

    /// From here on, [`end_undo`](WriteSet::end_undo) can take everything back.
    pub(crate) fn begin_undo(&mut self) {
        self.undo = Some(Undo { before: Vec::new(), removed: self.removed.len(), bytes: self.bytes });
    }

    /// Keeps what was written since [`begin_undo`](WriteSet::begin_undo), or takes it back.
    pub(crate) fn end_undo(&mut self, keep: bool) {
        let Some(undo) = self.undo.take() else { return };
        if keep {
            return;
        }
        for (key, before) in undo.before.into_iter().rev() {
            match before {
                Some(pending) => self.writes.insert(key, pending),
                None => self.writes.remove(&key),
            };
        }
        self.removed.truncate(undo.removed);
        self.bytes = undo.bytes;
    }

    /// What a cursor over `range` must lay over the store.
    pub(crate) fn overlay(&self, family: Family, range: &KeyRange, direction: Direction) -> Overlay {
        let entry = |(key, pending): (&Vec<u8>, &Pending)| match pending {
            Pending::Put { value, .. } => (key.clone(), Some(Arc::clone(value))),
            Pending::Delete => (key.clone(), None),
        };
        let mut entries: Vec<_> = self.in_range(family, range).map(entry).collect();
        if direction == Direction::Reverse {
            entries.reverse();
        }
        let overlapping = |(of, removed): &&(Family, KeyRange)| *of == family && removed.overlaps(range);
        let removed = self.removed.iter().filter(overlapping).map(|(_, range)| range.clone()).collect();
        Overlay { entries, removed }
    }

    fn in_range(&self, family: Family, range: &KeyRange) -> impl Iterator<Item = (&Vec<u8>, &Pending)> {
        let start = Bound::Included((family, range.start().to_vec()));
        let inside = move |key: &[u8]| range.end().is_none_or(|end| key < end);
        self.writes
            .range((start, Bound::Unbounded))
            .take_while(move |((of, key), _)| *of == family && inside(key))
            .map(|((_, key), pending)| (key, pending))
    }

    /// Everything, in the order in which it must be applied.
    pub(crate) fn into_writes(self) -> Vec<Write> {
        let removed = self.removed.into_iter().map(|(family, range)| Write::DeleteRange { family, range });
        let writes = self.writes.into_iter().map(|((family, key), pending)| match pending {
            Pending::Put { value, stamp_at } => {
                Write::Put { family, key, value: Arc::unwrap_or_clone(value), stamp_at }
            }
            Pending::Delete => Write::Delete { family, key },
        });
        removed.chain(writes).collect()
    }
}

fn cost(key: &[u8], pending: &Pending) -> usize {
    let value = match pending {
        Pending::Put { value, .. } => value.len(),
        Pending::Delete => 0,
    };
    OVERHEAD_BYTES + key.len() + value
}
