//! Making the sets of filters, and bringing them up to date, in the background.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use blaze_core::record::Record;
use blaze_core::{DocumentId, ErrorKind, Family, Filter, Result, Timestamp};

use super::FilterCache;
use super::watch::Earlier;
use crate::catalog::{self, Definition};
use crate::collection::document_key;
use crate::database::core::Core;
use crate::query::{Candidates, Question, plan};
use crate::session::Session;
use crate::vector::Graphs;
use crate::vector::open::OpenGraph;

/// How often, and how long, it is waited for commits that are under way before something else has its turn.
const EARLIER_POLLS_MAX: u32 = 20;
const EARLIER_POLL: Duration = Duration::from_millis(1);

/// Documents that are put into a set at a time: as long, nothing is linked.
const MATCHES_AT_ONCE: usize = 256;

/// A set of a filter that is to be made, or brought up to date.
#[derive(Debug)]
pub(in crate::vector) struct FilterTask {
    graph: Weak<OpenGraph>,
    number: u64,
    /// What must have ended before.
    earlier: Earlier,
}

/// A slot whose document is looked at, and the entry that is in it.
type Unsure = (u32, Box<[u8]>);

impl Graphs {
    /// A search with a filter took reading documents, or an index: counts that, and has what matches be kept if it happens
    /// again.
    pub(crate) fn note_filtered(&self, session: &Session, collection: u32, index: u32, filter: &Filter) {
        let core = session.core();
        if session.is_serializable() || session.is_as_of() || core.is_read_only() {
            return; // they do without
        }
        let Some(graph) = self.find(index) else { return };
        let number = graph.with_linked(|linked| graph.filters.count_use(linked, filter)).flatten();
        if let Some(number) = number {
            let earlier = self.watch.begin(collection, &graph.filters);
            self.ask_for(core, FilterTask { graph: Arc::downgrade(&graph), number, earlier });
        }
    }

    /// More documents match a filter than an index had better be asked for.
    pub(crate) fn note_many(&self, index: u32, filter: &Filter) {
        if let Some(graph) = self.find(index) {
            graph.filters.note_many(filter);
        }
    }

    /// True if an index need not be asked for the documents that match a filter: they were too many, some searches ago.
    pub(crate) fn has_many(&self, index: u32, filter: &Filter) -> bool {
        self.find(index).is_some_and(|graph| graph.filters.has_many(filter))
    }

    /// Has a set be brought up to date.
    pub(in crate::vector) fn bring_up_to_date(&self, core: &Arc<Core>, graph: &Arc<OpenGraph>, number: u64) {
        if !graph.filters.begin_work(number) {
            return;
        }
        let earlier = Earlier::default(); // it is watching already
        self.ask_for(core, FilterTask { graph: Arc::downgrade(graph), number, earlier });
    }

    fn ask_for(&self, core: &Arc<Core>, task: FilterTask) {
        self.registry.lock().filters.push_back(task);
        if self.background.get().is_some() {
            self.look_after(core); // else who commits does it: a search does not wait for it
        }
    }

    /// Makes the sets that are asked for, and brings up to date those that are.
    pub(in crate::vector) fn tend_filters(&self, core: &Arc<Core>) -> Result<()> {
        let tasks = self.registry.lock().filters.len();
        for _ in 0..tasks {
            let Some(task) = self.next_filter() else { break };
            let done = match self.wait_for(&task.earlier) {
                true => self.do_filter(core, &task),
                false => {
                    self.registry.lock().filters.push_back(task);
                    Ok(())
                }
            };
            {
                let mut registry = self.registry.lock();
                registry.filters_in_work = registry.filters_in_work.saturating_sub(1); // none are left once it has ended
            }
            done?;
        }
        Ok(())
    }

    fn next_filter(&self) -> Option<FilterTask> {
        let mut registry = self.registry.lock();
        let task = registry.filters.pop_front()?;
        registry.filters_in_work += 1;
        Some(task)
    }

    fn wait_for(&self, earlier: &Earlier) -> bool {
        for _ in 0..EARLIER_POLLS_MAX {
            if earlier.have_ended() {
                return true;
            }
            thread::park_timeout(EARLIER_POLL);
        }
        earlier.have_ended()
    }

    fn do_filter(&self, core: &Arc<Core>, task: &FilterTask) -> Result<()> {
        let Some(graph) = task.graph.upgrade() else { return Ok(()) };
        let done = self.try_filter(core, &graph, task.number);
        if !matches!(done, Ok(true)) {
            graph.filters.drop_set(task.number);
        }
        match done {
            Err(error) if error.kind() == ErrorKind::Closed || self.has_ended() => Err(error),
            Err(error) => {
                tracing::warn!(index = graph.index, %error, "what matches a filter cannot be kept: documents are checked");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// False if nobody wants the set any more.
    fn try_filter(&self, core: &Arc<Core>, graph: &OpenGraph, number: u64) -> Result<bool> {
        let Some((filter, is_made)) = graph.filters.asked_for(number) else { return Ok(false) };
        let session = Session::read_only(core)?;
        let Some(definition) = definition_of(&session, graph.index)? else { return Ok(false) };
        match is_made {
            false => self.make_filter(&session, &definition, graph, (number, &filter)),
            true => self.settle_filter(&session, &definition, graph, (number, &filter)),
        }
    }

    /// Finds all documents that match, as a query does.
    fn make_filter(
        &self,
        session: &Arc<Session>,
        definition: &Definition,
        graph: &OpenGraph,
        (number, filter): (u64, &Filter),
    ) -> Result<bool> {
        let _span = tracing::info_span!("find what matches a filter", index = graph.index).entered();
        let found = plan(session, definition, Question::of_filter(filter))?;
        let mut candidates = Candidates::open(session, definition, &found, filter)?;
        let mut keys: Vec<Vec<u8>> = Vec::with_capacity(MATCHES_AT_ONCE);
        loop {
            let id = candidates.next_id()?;
            if let Some(id) = &id {
                let mut key = Vec::new();
                id.write_key(&mut key);
                keys.push(key);
            }
            if id.is_none() || keys.len() == MATCHES_AT_ONCE {
                let of = id.is_none().then(|| session.read_ts());
                if self.has_ended() || !add_matches(graph, number, &keys, of) {
                    return Ok(false);
                }
                keys.clear();
            }
            if id.is_none() {
                return Ok(true);
            }
        }
    }

    /// Looks at all documents of which it is not known whether they match.
    fn settle_filter(
        &self,
        session: &Session,
        definition: &Definition,
        graph: &OpenGraph,
        (number, filter): (u64, &Filter),
    ) -> Result<bool> {
        let Some(unsure) = unsure(graph, number) else { return Ok(false) };
        let mut settled = Vec::with_capacity(unsure.len());
        for (slot, entry) in unsure {
            if self.has_ended() {
                return Ok(false);
            }
            let matches = matches(session, definition, filter, &DocumentId::read_key(&entry)?)?;
            settled.push(((slot, entry), matches));
        }
        Ok(settle(graph, number, &settled, session.read_ts()))
    }
}

impl FilterCache {
    /// The filter of a set, and whether the set was made.
    fn asked_for(&self, number: u64) -> Option<(Arc<Filter>, bool)> {
        self.state.lock().set_mut(number).map(|set| (Arc::clone(&set.filter), set.of.is_some()))
    }

    fn drop_set(&self, number: u64) {
        self.state.lock().sets.retain(|set| set.number != number);
    }
}

/// Puts documents that match into a set, and says what view it is of once it has all; false if it is gone.
fn add_matches(graph: &OpenGraph, number: u64, keys: &[Vec<u8>], of: Option<Timestamp>) -> bool {
    let added = graph.with_linked(|linked| {
        let mut state = graph.filters.up_to_date(linked);
        let Some(set) = state.set_mut(number) else { return false };
        for key in keys {
            linked.for_slots_of(key, |slot| set.matching.add_match(slot));
        }
        if of.is_some() {
            (set.of, set.is_in_work) = (of, false);
            state.trim(usize::MAX, graph.filters.bytes_max);
        }
        true
    });
    added == Some(true)
}

/// The slots of a set whose documents may match or not.
fn unsure(graph: &OpenGraph, number: u64) -> Option<Vec<Unsure>> {
    let unsure = graph.with_linked(|linked| {
        let mut state = graph.filters.up_to_date(linked);
        let slots = state.set_mut(number)?.matching.unsure();
        Some(slots.filter_map(|slot| Some((slot, linked.ids.key(slot)?.into()))).collect())
    });
    unsure.flatten()
}

/// Says of slots, as far as the same entries are in them, whether their documents match in the view of `ts`; false if the set is
/// gone.
fn settle(graph: &OpenGraph, number: u64, settled: &[(Unsure, bool)], ts: Timestamp) -> bool {
    let done = graph.with_linked(|linked| {
        let mut state = graph.filters.up_to_date(linked);
        let Some(set) = state.set_mut(number) else { return false };
        for ((slot, entry), matches) in settled {
            if linked.ids.key(*slot) == Some(entry) {
                set.matching.settle(*slot, *matches, ts);
            }
        }
        (set.of, set.is_in_work) = (set.of.max(Some(ts)), false);
        state.trim(usize::MAX, graph.filters.bytes_max);
        true
    });
    done == Some(true)
}

/// The collection of an index.
fn definition_of(session: &Session, index: u32) -> Result<Option<Definition>> {
    let all = catalog::definitions(session)?.into_iter().map(|(_, definition)| definition);
    Ok(all.into_iter().find(|definition| definition.indexes.iter().any(|found| found.id == index)))
}

/// True if a document is there and matches.
fn matches(session: &Session, definition: &Definition, filter: &Filter, id: &DocumentId) -> Result<bool> {
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let mut matches = false;
    session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
        matches = Record::open(bytes, &dictionary)
            .and_then(|record| filter.matches_raw(&record.document().with_id(id)))
            .map_err(|error| error.context(format!("document {id:?}")))?;
        Ok(())
    })?;
    Ok(matches)
}
