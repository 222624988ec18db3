//! A sorted index of pending writes, whose copies cost nothing.

use std::ops::Bound;
use std::sync::Arc;

use blaze_core::{Direction, Write};

/// Entries of a node at most.
const NODE_ENTRIES_MAX: usize = 32;

/// The writes to single keys of one family, by key: a B-tree whose nodes are shared by its copies, so that a cursor can
/// keep one while the transaction goes on writing. Keys are never removed.
#[derive(Clone, Debug, Default)]
pub(super) struct WriteIndex {
    root: Option<Arc<Node>>,
}

/// The last write to a key.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) write: Arc<Write>,
    /// Its place among all writes; none once it was taken back.
    pub(super) position: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    entries: Vec<Pending>,
    /// None in a leaf; else one more than there are entries.
    children: Vec<Arc<Node>>,
}

impl Pending {
    pub(super) fn key(&self) -> &[u8] {
        match &*self.write {
            Write::Put { key, .. } | Write::Delete { key, .. } | Write::Add { key, .. } | Write::Touch { key, .. } => {
                key
            }
            Write::DeleteRange { range, .. } => range.start(), // none is ever in an index, and no touch
        }
    }
}

impl WriteIndex {
    pub(super) fn get(&self, key: &[u8]) -> Option<&Pending> {
        self.next(Bound::Included(key), Direction::Forward).filter(|pending| pending.key() == key)
    }

    /// The first write in a direction, from a bound on. Takes time logarithmic in the number of keys.
    pub(super) fn next(&self, from: Bound<&[u8]>, direction: Direction) -> Option<&Pending> {
        // Divides the keys into those on the left of the bound and those on its right.
        let on_the_left = |pending: &Pending| match (direction, from) {
            (_, Bound::Unbounded) => direction == Direction::Reverse,
            (Direction::Forward, Bound::Included(key)) | (Direction::Reverse, Bound::Excluded(key)) => {
                pending.key() < key
            }
            (Direction::Forward, Bound::Excluded(key)) | (Direction::Reverse, Bound::Included(key)) => {
                pending.key() <= key
            }
        };
        let mut node = self.root.as_ref()?;
        let mut nearest = None;
        loop {
            let at = node.entries.partition_point(on_the_left);
            let here = match direction {
                Direction::Forward => node.entries.get(at),
                Direction::Reverse => at.checked_sub(1).map(|last| &node.entries[last]),
            };
            nearest = here.or(nearest);
            match node.children.get(at) {
                Some(child) => node = child,
                None => return nearest,
            }
        }
    }

    /// Makes `pending` the last write to its key and answers the one before it.
    pub(super) fn set(&mut self, pending: Pending) -> Option<Pending> {
        let root = self.root.get_or_insert_default();
        if root.is_full() {
            let full = std::mem::take(root);
            let above = Arc::make_mut(root);
            above.children.push(full);
            above.split_child(0);
        }
        let mut node = Arc::make_mut(root);
        loop {
            match node.entries.binary_search_by(|entry| entry.key().cmp(pending.key())) {
                Ok(at) => return Some(std::mem::replace(&mut node.entries[at], pending)),
                Err(at) if node.children.is_empty() => {
                    node.entries.insert(at, pending);
                    return None;
                }
                // What goes up may be the key, or to the left of it: look again.
                Err(at) if node.children[at].is_full() => node.split_child(at),
                Err(at) => node = Arc::make_mut(&mut node.children[at]),
            }
        }
    }
}

impl Node {
    fn is_full(&self) -> bool {
        self.entries.len() >= NODE_ENTRIES_MAX
    }

    /// Moves the middle entry of a child up, and what is behind it into a child of its own.
    fn split_child(&mut self, at: usize) {
        let left = Arc::make_mut(&mut self.children[at]);
        let middle = left.entries.len() / 2;
        let children = match left.children.is_empty() {
            true => Vec::new(),
            false => left.children.split_off(middle + 1),
        };
        let right = Node { entries: left.entries.split_off(middle + 1), children };
        if let Some(entry) = left.entries.pop() {
            self.entries.insert(at, entry);
            self.children.insert(at + 1, Arc::new(right));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use blaze_core::Family;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn pending(key: u16, position: usize) -> Pending {
        Pending { write: Arc::new(Write::delete(Family::Data, key.to_be_bytes())), position: Some(position) }
    }

    fn seen(found: Option<&Pending>) -> Option<(Vec<u8>, Option<usize>)> {
        found.map(|pending| (pending.key().to_vec(), pending.position))
    }

    proptest! {
        #[test]
        fn an_index_and_its_copies_agree_with_maps(
            keys in vec(0_u16..2_000, 0..3_000),
            copy_at in 0_usize..3_000,
            probes in vec((0_u16..2_000, 0_u8..3, any::<bool>()), 50),
        ) {
            let (mut index, mut model) = (WriteIndex::default(), BTreeMap::new());
            let mut copy = (index.clone(), model.clone());
            for (position, key) in keys.iter().enumerate() {
                if position == copy_at {
                    copy = (index.clone(), model.clone());
                }
                let before = index.set(pending(*key, position));
                let expected = model.insert(key.to_be_bytes().to_vec(), Some(position));
                prop_assert_eq!(before.map(|before| before.position), expected);
            }
            for (index, model) in [(index, model), copy] {
                for (key, kind, forward) in &probes {
                    let key = key.to_be_bytes().to_vec();
                    let bound = [Bound::Included(key.clone()), Bound::Excluded(key.clone()), Bound::Unbounded][*kind as usize].clone();
                    let from = bound.as_ref().map(Vec::as_slice);
                    let (found, expected) = match forward {
                        true => (index.next(from, Direction::Forward), model.range((bound.clone(), Bound::Unbounded)).next()),
                        false => {
                            (index.next(from, Direction::Reverse), model.range((Bound::Unbounded, bound.clone())).next_back())
                        }
                    };
                    prop_assert_eq!(seen(found), expected.map(|(key, position)| (key.clone(), *position)));
                    prop_assert_eq!(index.get(&key).map(|found| found.position), model.get(&key).copied());
                }
            }
        }
    }
}
