//! Making the graph of an index of all its rows. How far it has come is kept in the database now and then, so that whoever
//! is interrupted goes on from there.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use blaze_core::fault::{self, Point};
use blaze_core::limits::VECTOR_GRAPH_MIN;
use blaze_core::{Direction, Durability, Error, ErrorKind, Family, Isolation, ReadPoint, Result, Write};
use blaze_vector::{Graph, Unlinked};

use super::build::{self, Rows};
use super::form::Form;
use super::ids::Ids;
use super::linked::Linked;
use super::{Graphs, layout, trial};
use crate::database::core::{Core, Storage};
use crate::index::scan_range;
use crate::session::{Session, commit_alone};

/// Vectors that are linked before they are kept in the database, at least, and as a part of those that were linked before: to
/// write them takes longer, the more there are.
const KEPT_MIN: usize = 16_384;
const KEPT_PART: usize = 4;

/// Vectors that are worth keeping when the database is closed.
const KEPT_AT_THE_END_MIN: usize = 1_024;

/// How far the making of a graph has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) linked: usize,
    pub(super) unlinked: usize,
}

/// A graph that is being made.
struct Making<'a> {
    graphs: &'a Graphs,
    core: &'a Arc<Core>,
    point: &'a dyn ReadPoint,
    index: u32,
    form: &'a Form,
    linked: Linked,
    unlinked: Unlinked,
}

impl Graphs {
    /// Makes a graph of all rows that a session sees, if they are enough for one; from what is `begun` on, if anything is.
    pub(super) fn build(
        &self,
        core: &Arc<Core>,
        session: &Session,
        index: u32,
        form: &Form,
        begun: Option<Linked>,
    ) -> Result<Option<Linked>> {
        let point = &**session.point();
        let is_begun = begun.is_some();
        let begun = match begun {
            Some(begun) => resume(point, index, begun)?,
            None => begin(point, index, form)?,
        };
        let Some((linked, unlinked)) = begun else {
            return if is_begun { remove(core, index).map(|()| None) } else { Ok(None) };
        };
        let making = Making { graphs: self, core, point, index, form, linked, unlinked };
        let made = making.run();
        let mut registry = self.registry.lock();
        let vectors = registry.making.remove(&index).map_or(0, |progress| progress.linked);
        if let Err(error) = &made {
            registry.note_failure(index, error, vectors);
        }
        drop(registry);
        self.loaded.notify_all();
        made.map(Some)
    }

    /// Waits until what is being made is kept, or the time is up: the database is about to be closed.
    pub(super) fn keep_at_the_end(&self, until: Instant) {
        let mut registry = self.registry.lock();
        while !registry.making.is_empty() {
            if self.loaded.wait_until(&mut registry, until).timed_out() {
                return;
            }
        }
    }
}

/// The keys of all rows, and a graph that has no node yet; none if they are too few for one.
fn begin(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Option<(Linked, Unlinked)>> {
    let mut ids = Ids::new();
    visit_entries(point, index, &mut |entry| {
        let slot = u32::try_from(ids.len()).map_err(|_| Error::limit_exceeded("an index has too many vectors"))?;
        ids.set(slot, entry);
        Ok(())
    })?;
    if ids.len() < VECTOR_GRAPH_MIN {
        return Ok(None);
    }
    let mut graph = Graph::begin(form.options.clone(), &Rows { point, index, form, ids: &ids })?;
    let unlinked = graph.give_slots(ids.len())?;
    Ok(Some((Linked::new(form.clone(), graph, ids, point.ts()), unlinked)))
}

/// Goes on with a graph that some rows have nodes in; none if there are no longer enough rows.
fn resume(point: &dyn ReadPoint, index: u32, mut linked: Linked) -> Result<Option<(Linked, Unlinked)>> {
    // What has changed since may be linked as it was before.
    build::visit_marks(point, index, linked.complete, &mut |_, entry| {
        linked.unlink(entry);
        Ok(ControlFlow::Continue(()))
    })?;
    let (mut rows, mut missing) = (0, 0);
    visit_entries(point, index, &mut |entry| {
        rows += 1;
        missing += usize::from(linked.ids.slot(entry).is_none());
        Ok(())
    })?;
    if rows < VECTOR_GRAPH_MIN {
        return Ok(None);
    }
    let unlinked = linked.graph.give_slots(missing)?;
    let mut slots: Vec<u32> = unlinked.slots().collect();
    slots.sort_unstable_by(|a, b| b.cmp(a));
    visit_entries(point, index, &mut |entry| {
        if linked.ids.slot(entry).is_none() {
            let slot = slots.pop().ok_or_else(|| Error::internal("two passes over the same rows differ"))?;
            linked.ids.set(slot, entry);
        }
        Ok(())
    })?;
    linked.complete = point.ts();
    Ok(Some((linked, unlinked)))
}

impl Making<'_> {
    fn run(mut self) -> Result<Linked> {
        let begun = self.linked.graph.len();
        let vectors = begun + self.unlinked.len();
        let _span = tracing::info_span!("build graph", index = self.index, vectors, begun).entered();
        self.note_progress(begun, self.unlinked.len());
        loop {
            let kept = self.linked.graph.len();
            let next = kept + (kept / KEPT_PART).max(KEPT_MIN);
            if self.extend(next)?.is_continue() {
                break;
            }
            let (closes_by, is_dropped) = {
                let registry = self.graphs.registry.lock();
                (registry.closes_by, registry.unwanted.contains(&self.index))
            };
            if is_dropped {
                return Err(Error::not_found("the index was dropped while its graph was made"));
            }
            let more = self.linked.graph.len() - kept;
            if !self.graphs.has_ended() && (closes_by.is_none() || more >= KEPT_AT_THE_END_MIN) {
                self = self.keep(closes_by)?;
            }
            if closes_by.is_some() || self.graphs.has_ended() {
                return Err(Error::closed("the database is closed"));
            }
        }
        let rows = Rows { point: self.point, index: self.index, form: self.form, ids: &self.linked.ids };
        if let Err(error) = trial::check_codes(&self.linked.graph, &rows, self.point, threads()) {
            if error.kind() == ErrorKind::Unsupported && self.linked.flushed.complete.is_some() {
                remove(self.core, self.index)?; // it is of no use
            }
            return Err(error);
        }
        self.linked.unflushed = self.linked.graph.len();
        Ok(self.linked)
    }

    /// Links vectors until there are `next` nodes, or nobody wants any more.
    fn extend(&mut self, next: usize) -> Result<ControlFlow<()>> {
        let Making { graphs, point, index, form, linked, unlinked, .. } = self;
        let vectors = linked.graph.len() + unlinked.len();
        let given = unlinked.given();
        let rows = Rows { point: *point, index: *index, form, ids: &linked.ids };
        linked.graph.extend(unlinked, &rows, threads(), &mut |done| {
            let left = given - done;
            let is_unwanted = graphs.note_progress(*index, vectors - left, left);
            match is_unwanted || graphs.has_ended() || vectors - left >= next {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    }

    fn note_progress(&self, linked: usize, unlinked: usize) {
        self.graphs.note_progress(self.index, linked, unlinked);
    }

    /// Writes what is linked to the database. Where that cannot be written now, nothing is lost but what a crash would cost.
    fn keep(mut self, until: Option<Instant>) -> Result<Self> {
        if matches!(self.core.storage, Storage::Memory) {
            return Ok(self);
        }
        let (linked, kept) = self.graphs.flush_begun(self.core, self.index, self.linked, until)?;
        self.linked = linked;
        match kept {
            Ok(()) => fault::reached(Point::GraphStepKept),
            Err(error) if matches!(error.kind(), ErrorKind::Closed | ErrorKind::NotFound) => return Err(error),
            Err(error) => {
                let index = self.index;
                tracing::warn!(index, %error, "what is linked of a graph cannot be kept: a crash costs its making");
            }
        }
        Ok(self)
    }
}

impl Graphs {
    /// True if it is not to go on: the database is about to be closed, or the index was dropped.
    fn note_progress(&self, index: u32, linked: usize, unlinked: usize) -> bool {
        let mut registry = self.registry.lock();
        registry.making.insert(index, Progress { linked, unlinked });
        registry.is_unwanted(index)
    }
}

/// Calls `visit` with what follows the number of the index in the key of each row.
fn visit_entries(point: &dyn ReadPoint, index: u32, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut cursor = point.cursor(Family::Vector, &scan_range(index), Direction::Forward)?;
    while let Some((key, _)) = cursor.next()? {
        visit(key.get(4..).unwrap_or_default())?;
    }
    Ok(())
}

/// Removes what is kept of a graph.
fn remove(core: &Arc<Core>, index: u32) -> Result<()> {
    commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
        session.write(Write::DeleteRange { family: Family::Vector, range: layout::blocks_range(index) })?;
        session.write(Write::delete(Family::Vector, layout::header_key(index)))
    })
}

/// Threads that build a graph: as many as can run at once.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
