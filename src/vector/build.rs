//! Seeing to it that an index has a graph, and having that catch up with what is committed meanwhile.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use blaze_core::{Direction, Error, Family, KeyRange, ReadPoint, Result, Timestamp};
use blaze_vector::{VectorBuffer, VectorRef, VectorSource};

use super::change::VectorChange;
use super::form::Form;
use super::ids::Ids;
use super::linked::Linked;
use super::open::OpenGraph;
use super::tail::{self, TailBatch};
use super::{Graphs, calibration, layout, stored};
use crate::catalog::{self, prefixed};
use crate::database::core::Core;
use crate::index::IndexFields;
use crate::session::Session;

/// The part of all memory for graphs that the sets of filters of one graph may take.
const FILTERS_PART: usize = 16;

/// How often, and how long, it is waited until a commit that was told of can be seen.
const PUBLICATION_POLLS_MAX: u32 = 60_000;
const PUBLICATION_POLL: Duration = Duration::from_millis(1);

/// Told of the commit of a mark and of what follows the number of the index in the key of its vector.
type VisitMark<'a> = dyn FnMut(Timestamp, &[u8]) -> Result<ControlFlow<()>> + 'a;

/// The vectors of an index at one read point, by their slots.
pub(super) struct Rows<'a> {
    pub(super) point: &'a dyn ReadPoint,
    pub(super) index: u32,
    pub(super) form: &'a Form,
    pub(super) ids: &'a Ids,
}

impl VectorSource for Rows<'_> {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn vector<'a>(&'a self, slot: usize, buffer: &'a mut VectorBuffer) -> Result<VectorRef<'a>> {
        let entry = u32::try_from(slot).ok().and_then(|slot| self.ids.key(slot));
        let key = prefixed(self.index, entry.ok_or_else(|| Error::internal("a slot of a graph has no key"))?);
        let there = self.point.visit(Family::Vector, &key, &mut |row| self.form.read(row, buffer).map(drop))?;
        match (there, self.form.options.metric.is_binary()) {
            (false, _) => Err(Error::corruption("a vector of an index is listed and not there")),
            (true, true) => Ok(VectorRef::Bits(&buffer.bits)),
            (true, false) => Ok(VectorRef::F32(&buffer.numbers)),
        }
    }
}

impl Graphs {
    /// Sees to it that an index has a graph in memory, if it needs one.
    pub(super) fn make(&self, core: &Arc<Core>, index: u32) -> Result<()> {
        if let Some(linked) = self.take_back(index) {
            return self.go_live(core, index, linked);
        }
        if self.is_open(index) {
            return Ok(()); // somebody has searched it meanwhile
        }
        let told = self.registry.lock().told;
        let session = session_from(core, told)?;
        let Some(form) = form_of(&session, index)? else { return Ok(()) };
        let stored = stored::load(&**session.point(), index, &form)?;
        let linked = match stored {
            Some(stored) if !stored.flushed.is_begun => Some(stored),
            begun => self.build(core, &session, index, &form, begun)?,
        };
        drop(session); // what is overwritten meanwhile could not be cleared away
        linked.map_or(Ok(()), |linked| self.go_live(core, index, linked))
    }

    /// The graph of an index whose tail has a gap: it is complete up to some commit.
    fn take_back(&self, index: u32) -> Option<Linked> {
        let mut registry = self.registry.lock();
        let graph = registry.open.get(&index).filter(|graph| graph.has_gap()).map(Arc::clone)?;
        registry.open.remove(&index);
        drop(registry);
        graph.take()
    }

    /// Has searches use a graph that is complete up to some commit, and with it what was committed since.
    pub(super) fn go_live(&self, core: &Arc<Core>, index: u32, mut linked: Linked) -> Result<()> {
        let graph = Arc::new(OpenGraph::new(index, self.memory_bytes / FILTERS_PART));
        graph.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.registry.lock().open.insert(index, Arc::clone(&graph));
        loop {
            // Commits that were made ready before the graph was there leave a gap: the next try has none of them.
            graph.begin_tail();
            let told = self.registry.lock().told;
            let gone_live = self.try_go_live(core, &graph, linked, told);
            let has_ended = self.has_ended().then(|| Error::closed("the database is closed"));
            linked = match (gone_live, has_ended) {
                (Ok(None), _) => return Ok(()),
                (Ok(Some(linked)), None) => linked,
                (Err(error), _) | (Ok(Some(_)), Some(error)) => {
                    graph.abandon(); // writers that wait go on
                    self.forget(&graph); // it could not take in what is committed for ever
                    return Err(error);
                }
            };
        }
    }

    /// As [`go_live`](Graphs::go_live); gives the graph back, further than it was, when too much is missing to be looked at
    /// by every search.
    fn try_go_live(
        &self,
        core: &Arc<Core>,
        graph: &OpenGraph,
        mut linked: Linked,
        told: Timestamp,
    ) -> Result<Option<Linked>> {
        // The commits that were told of before are not in the tail: they are read here.
        let session = session_from(core, told)?;
        let Some(form) = form_of(&session, graph.index)? else {
            return Err(Error::not_found("the index was dropped while its graph was made"));
        };
        let point = &**session.point();
        graph.recall.begin(form.recall, calibration::load(point, graph.index, &form)?);
        match marked_since(point, graph.index, linked.complete)? {
            Some(batches) => match graph.complete(linked, batches, point.ts()) {
                Ok(()) => Ok(None),
                Err(linked) => Ok(Some(*linked)),
            },
            None => {
                link_marked(point, graph, &mut linked, &|| self.has_ended())?;
                Ok(Some(linked))
            }
        }
    }
}

/// How the graph of an index is made; none if it is no vector index that is filled.
pub(super) fn form_of(session: &Session, index: u32) -> Result<Option<Form>> {
    for (_, definition) in catalog::definitions(session)? {
        if let Some(found) = definition.indexes.iter().find(|found| found.id == index && found.is_filled())
            && let IndexFields::Vector(fields) = found.parts()?
        {
            return Ok(Some(Form::of(fields)));
        }
    }
    Ok(None)
}

/// A session that sees a commit that was told of.
fn session_from(core: &Arc<Core>, told: Timestamp) -> Result<Arc<Session>> {
    for _ in 0..PUBLICATION_POLLS_MAX {
        if core.store.head()?.ts >= told {
            return Session::read_only(core);
        }
        thread::park_timeout(PUBLICATION_POLL); // until it is synced
    }
    Err(Error::unavailable("a commit was written and is not published"))
}

/// Calls `visit` with all marks of commits after `complete`.
pub(super) fn visit_marks(
    point: &dyn ReadPoint,
    index: u32,
    complete: Timestamp,
    visit: &mut VisitMark<'_>,
) -> Result<()> {
    let range: KeyRange = layout::marks_range(index);
    let mut cursor = point.cursor(Family::Vector, &range, Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        // One that is damaged may be of any commit.
        let ts = layout::marked_ts(value).unwrap_or(point.ts());
        if ts > complete && visit(ts, layout::marked_entry(key)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// As [`visit_marks`], with the rows of the vectors.
fn visit_marked(
    point: &dyn ReadPoint,
    index: u32,
    complete: Timestamp,
    visit: &mut dyn FnMut(Timestamp, VectorChange) -> Result<ControlFlow<()>>,
) -> Result<()> {
    visit_marks(point, index, complete, &mut |ts, entry| {
        let mut row = None;
        point.visit(Family::Vector, &prefixed(index, entry), &mut |bytes| {
            row = Some(bytes.into());
            Ok(())
        })?;
        visit(ts, VectorChange { entry: entry.into(), row })
    })
}

/// True if the vectors of all commits after `complete` are too many for a tail.
pub(super) fn is_far_behind(point: &dyn ReadPoint, index: u32, complete: Timestamp) -> Result<bool> {
    Ok(marked_since(point, index, complete)?.is_none())
}

/// The vectors of all commits after `complete`, as a tail has them; none if they are too many.
fn marked_since(point: &dyn ReadPoint, index: u32, complete: Timestamp) -> Result<Option<Vec<TailBatch>>> {
    let (mut marked, mut bytes) = (Vec::new(), 0);
    visit_marked(point, index, complete, &mut |ts, change| {
        bytes += tail::bytes(std::slice::from_ref(&change));
        marked.push((ts, change));
        Ok(match tail::fits(marked.len(), bytes) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    })?;
    if !tail::fits(marked.len(), bytes) {
        return Ok(None);
    }
    marked.sort_by_key(|(ts, _)| *ts);
    let mut batches = Vec::new();
    let mut marked = marked.into_iter().peekable();
    while let Some((ts, first)) = marked.next() {
        let mut changes = vec![first];
        while let Some((_, change)) = marked.next_if(|(next, _)| *next == ts) {
            changes.push(change);
        }
        batches.push(TailBatch { ts, changes: changes.into() });
    }
    Ok(Some(batches))
}

/// Links the vectors of all commits since the graph was complete.
fn link_marked(
    point: &dyn ReadPoint,
    graph: &OpenGraph,
    linked: &mut Linked,
    has_ended: &dyn Fn() -> bool,
) -> Result<()> {
    visit_marked(point, graph.index, linked.complete, &mut |ts, change| {
        let insertion = change.row.as_ref().and_then(|row| linked.prepare_or_warn(graph.index, row));
        linked.set(ts, &change.entry, insertion);
        graph.note_caught_up();
        Ok(if has_ended() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    linked.complete = point.ts();
    Ok(())
}
