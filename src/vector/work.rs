//! Who works on graphs: two threads of the process for all databases, or who commits, where nothing is done in the background.
//!
//! One links what is in the tails, which writers may be waiting for. What takes longer has the other one: graphs are made,
//! looked through for what is deleted, and let go of.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use blaze_core::{Error, ErrorKind, Result};

use super::Graphs;
use super::making::Progress;
use super::open::OpenGraph;
use crate::crew::Crew;
use crate::database::core::Core;
use crate::session::Session;

/// Vectors that are linked before another index has its turn.
const LINKED_IN_TURN: usize = 64;

/// How often it is looked whether others are done.
const POLL: Duration = Duration::from_millis(1);

/// How often who waits for a graph is asked whether to go on, whether it has got any further or not.
const POLLS_PER_STEP: u32 = 64;

static LINKING: Crew = Crew::new("blaze-vector-link", |core| core.vectors.link_all(core));
static MAKING: Crew = Crew::new("blaze-vector-make", |core| core.vectors.tend(core));

impl Graphs {
    /// Sees to it that what is to be done is done: in the background, or now where there is none. What fails there is tried
    /// again after later commits.
    pub(crate) fn look_after(&self, core: &Arc<Core>) {
        if self.has_ended() || core.is_read_only() {
            return;
        }
        match self.background.get() {
            Some(background) => {
                let registry = self.registry.lock();
                let (links, makes) = (!registry.open.is_empty(), registry.has_work());
                drop(registry);
                if links {
                    LINKING.call(background);
                }
                if makes {
                    MAKING.call(background);
                }
            }
            None => {
                let _ = self.work(core);
            }
        }
    }

    /// Does all that there is to do, or waits until others have done it.
    pub(crate) fn catch_up(&self, core: &Arc<Core>) -> Result<()> {
        loop {
            self.work(core)?;
            if self.has_ended() || self.is_idle(core)? {
                return Ok(());
            }
            thread::park_timeout(POLL);
        }
    }

    fn is_idle(&self, core: &Arc<Core>) -> Result<bool> {
        let published = core.store.head()?.ts;
        let registry = self.registry.lock();
        let linked = |graph: &Arc<OpenGraph>| graph.tail_up_to(published).is_some_and(|tail| tail.is_empty());
        // Nobody writes it, reclaims of it or measures it.
        let rests = |graph: &Arc<OpenGraph>| graph.flushing.try_lock().is_some() && graph.is_calibrated_as_wanted();
        let open = || registry.open.values();
        let none_in_making = registry.in_making.is_empty() && registry.filters_in_work == 0;
        Ok(!registry.has_work() && none_in_making && open().all(linked) && open().all(rests))
    }

    fn work(&self, core: &Arc<Core>) -> Result<()> {
        self.tend(core)?;
        self.link_all(core)
    }

    /// Links what is published, in all graphs in turn.
    fn link_all(&self, core: &Arc<Core>) -> Result<()> {
        loop {
            let published = core.store.head()?.ts;
            let (mut linked, mut makes) = (0, false);
            for graph in self.all_open() {
                linked += graph.link(published, LINKED_IN_TURN);
                makes |= graph.needs_tending();
            }
            if makes {
                self.call_makers(core)?;
            }
            if linked == 0 || self.has_ended() {
                return Ok(());
            }
        }
    }

    /// Something is to be done that takes longer; where nothing is done in the background, with the next commit.
    pub(super) fn tend_soon(&self, core: &Core) {
        if let Some(background) = self.background.get().filter(|_| !core.is_read_only()) {
            MAKING.call(background);
        }
    }

    pub(super) fn call_makers(&self, core: &Arc<Core>) -> Result<()> {
        match self.background.get() {
            Some(background) => {
                MAKING.call(background);
                Ok(())
            }
            None => self.tend(core),
        }
    }

    /// Does what takes longer: makes graphs, and gives back what nobody needs.
    fn tend(&self, core: &Arc<Core>) -> Result<()> {
        drop(std::mem::take(&mut self.registry.lock().gone));
        while let Some(index) = self.next_wanted() {
            if let Err(error) = self.make_wanted(core, index) {
                if error.kind() == ErrorKind::Closed || self.has_ended() {
                    return Err(error);
                }
                if error.kind() != ErrorKind::NotFound {
                    tracing::warn!(index, %error, "the graph of a vector index cannot be made: all its vectors are looked at");
                }
            }
        }
        if self.has_ended() {
            return Ok(());
        }
        self.tend_filters(core)?;
        if let Some(oldest) = core.store.oldest_view()? {
            self.all_open().iter().for_each(|graph| graph.reclaim(oldest));
        }
        let flushed = self.flush_where_due(core);
        // Also while nothing can be written.
        let evicted = self.evict(core);
        let calibrated = self.calibrate_where_due(core);
        // What waits for commits that are under way.
        if let Some(background) = self.background.get()
            && !self.registry.lock().filters.is_empty()
        {
            MAKING.call(background);
        }
        flushed.and(evicted).and(calibrated)
    }

    /// Makes the graph of an index that is noted as being made, and notes how that ended.
    fn make_wanted(&self, core: &Arc<Core>, index: u32) -> Result<()> {
        let _ending = EndOfMaking { graphs: self, index };
        let made = self.make(core, index);
        self.registry.lock().end_making(index, &made);
        made
    }

    /// Waits until an index that is not used yet has its graph, or is to have none, and tells how many vectors are linked.
    ///
    /// # Errors
    /// Those of `linked`, and why the graph could not be made, unless its vectors are such that no graph is of use.
    pub(crate) fn make_beside(
        &self,
        core: &Arc<Core>,
        index: u32,
        linked: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let made = self.wait_for_graph(core, index, &mut |progress| linked(progress.linked as u64))?;
        let failure = self.registry.lock().failed.get(&index).cloned();
        match failure.filter(|failure| made.is_none() && !failure.is_refusal()) {
            None => Ok(()),
            Some(failure) => Err(Error::new(failure.kind, failure.message).context("the graph of the new index")),
        }
    }

    /// The graph of an index, once it is there; none if there is to be none, or it cannot be made. Calls `step` now and then.
    pub(super) fn wait_for_graph(
        &self,
        core: &Arc<Core>,
        index: u32,
        step: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Option<Arc<OpenGraph>>> {
        let (mut was_wanted, mut polls, mut told) = (false, 1_u32, 0);
        self.registry.lock().forget_failure(index);
        loop {
            let session = Session::read_only(core)?;
            let graph = self.find_or_load(&session, index)?.filter(|graph| graph.is_complete());
            drop(session);
            if let Some(graph) = graph {
                return Ok(Some(graph));
            }
            let (is_in_making, is_wanted, progress) = {
                let mut registry = self.registry.lock();
                if registry.closes_by.is_some() || self.has_ended() {
                    return Err(Error::closed("the database is closed"));
                }
                let is_in_making = registry.in_making.contains(&index);
                if !is_in_making && !was_wanted && !registry.failed.contains_key(&index) {
                    registry.wanted.insert(index);
                }
                (is_in_making, registry.wanted.contains(&index), registry.making.get(&index).copied())
            };
            if !is_in_making && !is_wanted {
                // It may have got there since.
                return Ok(self.find(index).filter(|graph| graph.is_complete()));
            }
            if !is_in_making {
                was_wanted = true;
                self.call_makers(core)?;
            }
            let progress = progress.unwrap_or_default();
            if progress.linked != told || polls.is_multiple_of(POLLS_PER_STEP) {
                told = progress.linked;
                step(progress)?;
            }
            polls = polls.wrapping_add(1);
            thread::park_timeout(POLL);
        }
    }

    fn next_wanted(&self) -> Option<u32> {
        let mut registry = self.registry.lock();
        if self.has_ended() || registry.closes_by.is_some() {
            return None;
        }
        let index = registry.wanted.iter().copied().find(|index| !registry.in_making.contains(index))?;
        registry.wanted.remove(&index);
        registry.in_making.insert(index);
        Some(index)
    }
}

/// Has the making of a graph end where it panics, so that nobody waits for it.
struct EndOfMaking<'a> {
    graphs: &'a Graphs,
    index: u32,
}

impl Drop for EndOfMaking<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let panicked = Err(Error::internal("the making of a graph panicked"));
            self.graphs.registry.lock().end_making(self.index, &panicked);
        }
    }
}
