//! One memory for all graphs of a database: reading a stored one when it is used, and letting go of those that are not.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use blaze_core::{ErrorKind, Result};
use blaze_lsm::VectorIndexStats;

use super::linked::Linked;
use super::open::OpenGraph;
use super::{Graphs, build, stored};
use crate::catalog;
use crate::database::core::{Core, Storage};
use crate::session::Session;

/// What came of reading a stored graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loaded {
    /// It is in memory.
    Open,
    /// There is none that can be read.
    Unstored,
    /// It lacks so much that searches had better not wait for it.
    Behind,
}

impl Graphs {
    /// The graph of an index: from the database, if it is there and not in memory. Who comes meanwhile waits for it: looking
    /// at all vectors takes longer than reading the graph.
    pub(super) fn find_or_load(&self, session: &Session, index: u32) -> Result<Option<Arc<OpenGraph>>> {
        loop {
            if let Some(graph) = self.find(index) {
                return Ok(Some(graph));
            }
            {
                let mut registry = self.registry.lock();
                if registry.loading.contains(&index) {
                    self.loaded.wait(&mut registry);
                    continue;
                }
                if registry.unstored.contains(&index) || registry.in_making.contains(&index) {
                    return Ok(None);
                }
                registry.in_making.insert(index);
                registry.loading.insert(index);
            }
            let loaded = self.load(session.core(), index);
            let mut registry = self.registry.lock();
            registry.in_making.remove(&index);
            registry.unwanted.remove(&index);
            registry.loading.remove(&index);
            if matches!(loaded, Ok(Loaded::Open)) {
                registry.failed.remove(&index);
            } else {
                registry.unstored.insert(index);
            }
            let was_passed_over = registry.wanted.contains(&index);
            drop(registry);
            self.loaded.notify_all();
            if was_passed_over {
                self.tend_soon(session.core()); // who makes graphs left it to this
            }
            match loaded {
                Err(error) if error.kind() != ErrorKind::Closed => {
                    tracing::warn!(index, %error, "a stored graph cannot be read: all vectors are looked at");
                    return Ok(None);
                }
                Err(error) => return Err(error),
                Ok(Loaded::Unstored) => return Ok(None),
                Ok(Loaded::Behind) => {
                    self.want(session.core(), index);
                    return Ok(self.find(index)); // who has no background has made it now
                }
                Ok(Loaded::Open) => self.make_room(session.core()),
            }
        }
    }

    /// Reads a stored graph, unless much is to be linked before it can be searched.
    fn load(&self, core: &Arc<Core>, index: u32) -> Result<Loaded> {
        let session = Session::read_only(core)?;
        let point = &**session.point();
        let Ok(Some(header)) = stored::header(point, index) else { return Ok(Loaded::Unstored) };
        // Where only is read, nobody else links; where a graph is only begun, nobody goes on with it.
        match (core.is_read_only(), header.is_begun) {
            (true, true) => return Ok(Loaded::Unstored),
            (false, true) => return Ok(Loaded::Behind),
            (false, false) if build::is_far_behind(point, index, header.complete)? => return Ok(Loaded::Behind),
            _ => {}
        }
        let Some(form) = build::form_of(&session, index)? else { return Ok(Loaded::Unstored) };
        let Some(linked) = stored::load(point, index, &form)? else { return Ok(Loaded::Unstored) };
        drop(session);
        self.go_live(core, index, linked)?;
        if core.is_read_only()
            && let Some(graph) = self.find(index)
        {
            graph.link(core.store.head()?.ts, usize::MAX); // nobody else does
        }
        Ok(Loaded::Open)
    }

    /// A graph was read: others may have to go. What cannot be written now stays, which is nothing to the search that read it.
    fn make_room(&self, core: &Arc<Core>) {
        match core.is_read_only() || self.background.get().is_none() {
            true => drop(self.evict(core)),
            false => self.tend_soon(core),
        }
    }

    /// Lets go of the graphs that were not used for longest, as long as there is too much in memory. One stays, and so does what
    /// could not be read again: what cannot be written now, and all graphs of a database in memory.
    pub(super) fn evict(&self, core: &Arc<Core>) -> Result<()> {
        let mut graphs = self.all_open();
        graphs.sort_by_key(|graph| Reverse(graph.used.load(Ordering::Relaxed)));
        let mut bytes: usize = graphs.iter().map(|graph| graph.size().bytes).sum();
        let (mut written, mut staying) = (Ok(()), Vec::new());
        let has_place = matches!(core.storage, Storage::Directory { .. });
        while has_place && bytes > self.memory_bytes && graphs.len() > 1 {
            let Some(graph) = graphs.pop() else { break };
            match self.let_go_of(core, &graph) {
                Ok(true) => {
                    bytes = bytes.saturating_sub(graph.size().bytes); // it may have grown
                    continue;
                }
                Ok(false) => {}
                Err(error) => written = written.and(Err(error)),
            }
            staying.push(graph);
        }
        graphs.append(&mut staying);
        self.share_out(bytes, &graphs);
        written
    }

    /// Writes a graph and lets go of it, unless it is not complete yet. Whoever searches it still has all that its view sees, or
    /// looks at all vectors.
    fn let_go_of(&self, core: &Arc<Core>, graph: &Arc<OpenGraph>) -> Result<bool> {
        let _flushing = graph.flushing.lock(); // nobody writes it once it may be read again
        if !graph.is_complete() {
            return Ok(false);
        }
        self.flush_alone(core, graph, None)?;
        self.registry.lock().unstored.remove(&graph.index);
        self.forget(graph);
        graph.abandon();
        Ok(true)
    }

    /// Gives what the graphs leave of the memory to the rows that searches read, in proportion to what all rows would take.
    fn share_out(&self, graph_bytes: usize, graphs: &[Arc<OpenGraph>]) {
        let left = self.memory_bytes.saturating_sub(graph_bytes);
        let wanted: Vec<usize> =
            graphs.iter().map(|graph| graph.with_linked(Linked::bytes_of_rows).unwrap_or(0)).collect();
        let all: usize = wanted.iter().sum();
        for (graph, wanted) in graphs.iter().zip(wanted) {
            let share = wanted as u128 * left as u128 / all.max(1) as u128;
            let limit = wanted.min(usize::try_from(share).unwrap_or(left));
            graph.with_linked(|linked| linked.rows.set_limit(limit));
        }
    }

    /// What is in memory, and what is being made.
    pub(crate) fn stats(&self, core: &Arc<Core>) -> Result<Vec<VectorIndexStats>> {
        let (open, making, progress) = {
            let registry = self.registry.lock();
            (registry.open.clone(), registry.in_making.clone(), registry.making.clone())
        };
        if open.is_empty() && making.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for (collection, definition) in catalog::definitions(&*Session::read_only(core)?)? {
            for index in &definition.indexes {
                let graph = open.get(&index.id);
                if graph.is_none() && !making.contains(&index.id) {
                    continue;
                }
                let size = graph.map(|graph| graph.size()).unwrap_or_default();
                let mut stats = VectorIndexStats::default();
                (stats.collection, stats.index) = (collection.clone(), index.name.clone());
                (stats.linked, stats.removed) = (size.linked as u64, size.removed as u64);
                (stats.tail, stats.filters) = (size.tail as u64, size.filters as u64);
                stats.memory_bytes = size.bytes as u64;
                stats.cached_bytes = size.cached_bytes as u64;
                if let Some(progress) = progress.get(&index.id) {
                    (stats.linked, stats.unlinked) = (progress.linked as u64, progress.unlinked as u64);
                }
                stats.is_complete = graph.is_some_and(|graph| graph.is_complete());
                stats.replaces = index.replaces();
                all.push(stats);
            }
        }
        Ok(all)
    }
}
