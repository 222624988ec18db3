//! What a commit changes of the vectors of indexes.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{CommitHook, FEATURE_VECTOR_GRAPHS, Family, Result, Timestamp, Write};

use super::filters::{DocumentChanges, UnderWay};
use super::{Graphs, layout};
use crate::database::core::Core;

/// A vector that was written or removed, under what follows the number of the index in its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VectorChange {
    pub(super) entry: Box<[u8]>,
    /// The row; none if there is none any more.
    pub(super) row: Option<Box<[u8]>>,
}

/// What a commit does to one index.
#[derive(Clone, Debug)]
pub(super) enum IndexChange {
    /// Vectors were written or removed, each once.
    Vectors(Arc<[VectorChange]>),
    /// So many were, of an index whose graph nobody has in memory.
    Unread(usize),
    /// The index may be complete now.
    Completed,
    /// All that the index had is gone.
    Dropped,
}

/// What a version has to know to read what is written.
pub(crate) fn features_of(writes: &[Write]) -> u64 {
    let mut keys = writes.iter().filter(|write| write.family() == Family::Vector).filter_map(Write::key);
    match keys.any(layout::is_of_graph) {
        true => FEATURE_VECTOR_GRAPHS,
        false => 0,
    }
}

/// What a commit does to all indexes, told when it is certain.
pub(crate) struct VectorChanges {
    graphs: Arc<Graphs>,
    indexes: Vec<(u32, IndexChange)>,
    documents: DocumentChanges,
}

impl Graphs {
    /// What writes change of documents that somebody wants to be told of, and what their commit holds until it has ended. Nothing
    /// if they change no documents.
    pub(crate) fn enter(&self, writes: &[Write]) -> (Option<UnderWay>, DocumentChanges) {
        let (under_way, documents) = self.watch.enter(writes).unzip();
        (under_way, documents.unwrap_or_default())
    }
}

impl VectorChanges {
    /// What writes do, if anything, `documents` included. Appends the marks of the vectors to the writes, but for indexes that are only being built:
    /// of them there is no graph yet.
    pub(crate) fn of(
        graphs: &Arc<Graphs>,
        writes: &mut Vec<Write>,
        unbuilt: &BTreeSet<u32>,
        documents: DocumentChanges,
    ) -> Option<VectorChanges> {
        let mut changed: HashMap<u32, HashMap<&[u8], Option<&[u8]>>> = HashMap::new();
        let (mut completed, mut dropped) = (BTreeSet::new(), BTreeSet::new());
        for write in writes.iter().filter(|write| write.family() == Family::Vector) {
            if let Write::DeleteRange { range, .. } = write
                && let Some(index) = layout::whole_index(range)
            {
                changed.remove(&index);
                dropped.insert(index);
            }
            let Some((index, entry)) = write.key().and_then(layout::split) else { continue };
            match write {
                Write::Put { value, .. } if layout::is_vector(entry) => {
                    changed.entry(index).or_default().insert(entry, Some(value));
                }
                Write::Delete { .. } if layout::is_vector(entry) => {
                    changed.entry(index).or_default().insert(entry, None);
                }
                // The position of the build goes with the commit that completes the index.
                Write::Delete { .. } if layout::is_build_position(entry) => {
                    completed.insert(index);
                }
                _ => {}
            }
        }
        if changed.is_empty() && completed.is_empty() && dropped.is_empty() && documents.is_empty() {
            return None;
        }
        let mut indexes = Vec::with_capacity(changed.len());
        let mut marks = Vec::new();
        for (index, vectors) in changed {
            if !unbuilt.contains(&index) {
                marks.extend(vectors.keys().map(|entry| layout::mark(index, entry)));
            }
            let change = match graphs.is_open(index) {
                false => IndexChange::Unread(vectors.len()),
                true => {
                    let change = |(entry, row): (&[u8], Option<&[u8]>)| VectorChange {
                        entry: entry.into(),
                        row: row.map(Into::into),
                    };
                    IndexChange::Vectors(vectors.into_iter().map(change).collect())
                }
            };
            indexes.push((index, change));
        }
        indexes.extend(completed.into_iter().map(|index| (index, IndexChange::Completed)));
        indexes.extend(dropped.into_iter().map(|index| (index, IndexChange::Dropped)));
        writes.extend(marks);
        Some(VectorChanges { graphs: Arc::clone(graphs), indexes, documents })
    }

    /// Waits until the tails that take in what is written have room; before the commit, so that no other one waits for it.
    pub(crate) fn wait_for_room(&self, core: &Core, timeout: Option<Duration>) -> Result<()> {
        for (index, change) in &self.indexes {
            if let IndexChange::Vectors(_) = change
                && let Some(graph) = self.graphs.find(*index)
            {
                graph.wait_for_room(core, timeout)?;
            }
        }
        Ok(())
    }
}

impl CommitHook for VectorChanges {
    fn committed(&self, ts: Timestamp) {
        self.documents.tell(ts);
        self.graphs.take_in(ts, &self.indexes);
    }
}

impl fmt::Debug for VectorChanges {
    /// Without vectors: they belong to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VectorChanges").field("indexes", &self.indexes.len()).finish_non_exhaustive()
    }
}
