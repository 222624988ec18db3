//! Search through a graph: it proposes, rows decide.

mod known;
mod offer;
mod question;
mod rows;

use std::collections::HashSet;
use std::sync::Arc;

use blaze_core::{DocumentId, Family, KeyRange, Result, Write};
use blaze_vector::{CodeError, KeptHits};

use super::breadth::Breadth;
use super::filters;
use super::layout;
use super::linked::Linked;
use super::open::OpenGraph;
use super::proposals::{Proposal, Proposals};
use crate::catalog::prefix;
use crate::index::{Width, scan_range};
use crate::session::Session;
use known::Known;
pub(crate) use question::{Accept, Among, Answer, Question};

/// How many times more candidates are asked for when too few of them were any good.
const EF_GROWTH: usize = 4;

/// The part of all vectors from which on looking at each of them is as fast as asking the graph for so many.
const EF_PART: usize = 8;

/// The part by which a search that has to be wider, as more were refused than it was made for, is made for more still: not
/// to be too narrow again for a few.
const SLACK_PART: usize = 4;

/// A search that is under way.
struct Search<'a> {
    session: &'a Session,
    question: &'a Question<'a>,
    accept: &'a mut Accept<'a>,
    /// The documents that the session has written itself, by the keys of their ids, where that matters.
    own_documents: Vec<Vec<u8>>,
    nearest: KeptHits<DocumentId>,
    /// What the graph proposed and was taken, or was farther than enough others, or than is wanted; of a document once.
    settled: usize,
    /// The documents of it, where each may have been proposed several times.
    documents: Option<HashSet<Box<[u8]>>>,
    /// Whether `accept` did not take something that the graph proposed, or a document was proposed again.
    has_refused: bool,
    /// What codes are wrong by.
    code_error: CodeError,
    /// What the graph counted of its changes when it proposed.
    changes: u64,
    /// How often `accept` was asked, and how often it took what it was asked about.
    asked: usize,
    taken: usize,
    buffer: Vec<f32>,
    compared: u64,
}

/// The `k` nearest documents that a session sees and `accept` takes, or none if that is not for the graph to say: then all
/// vectors have to be looked at. `accept` is asked of as few as possible. In a serializable transaction, all vectors of the
/// index count as read.
pub(crate) fn nearest(session: &Session, question: &Question<'_>, accept: &mut Accept<'_>) -> Result<Option<Answer>> {
    let range = scan_range(question.index);
    if session.is_as_of() {
        return Ok(None);
    }
    let vectors = &session.core().vectors;
    let (graph, own_documents) = match question.among {
        // What a serializable transaction has read of documents or of an index could not be told.
        Among::Matches { .. } if session.is_serializable() => return Ok(None),
        Among::Matches { collection, filter } => {
            let graph = vectors.find(question.index);
            let knowing = graph.filter(|graph| graph.filters.has(filter, session.read_ts()));
            if knowing.is_none() {
                return Ok(None);
            }
            (knowing, own_documents(session, collection)?)
        }
        Among::All | Among::Documents(_) => (vectors.find_or_load(session, question.index)?, Some(Vec::new())),
    };
    let (Some(graph), Some(own_documents)) = (graph, own_documents) else { return Ok(None) };
    if !graph.serves(session.read_ts()) {
        return Ok(None);
    }
    let Some(own) = session.own_writes(Family::Vector, &range)? else { return Ok(None) };
    // Before the graph: what is linked meanwhile is in both, and not in neither.
    let Some(tail) = graph.tail_up_to(session.read_ts()) else { return Ok(None) };
    session.read_range(Family::Vector, &range)?;
    let known = Known::of(&own, &tail);
    if let Width::Recall(target) = question.width
        && graph.recall.ask(target)
        && graph.is_calibration_due()
    {
        session.core().vectors.tend_soon(session.core());
    }
    let all = KeptHits::new(question.k);
    let mut search = Search {
        session,
        question,
        accept,
        own_documents,
        nearest: if question.several { all.distinct() } else { all },
        settled: 0,
        documents: question.several.then(HashSet::new),
        has_refused: false,
        asked: 0,
        taken: 0,
        code_error: CodeError::default(),
        changes: 0,
        buffer: Vec::new(),
        compared: 0,
    };
    for (entry, row) in known.rows() {
        search.offer_row(entry, row)?;
    }
    (search.asked, search.taken) = (0, 0); // they say nothing of what the graph proposes
    search.through(&graph, &known)
}

/// The documents of a collection that a session has written, by the keys of their ids; none if it has removed many at once.
fn own_documents(session: &Session, collection: u32) -> Result<Option<Vec<Vec<u8>>>> {
    if session.is_read_only() {
        return Ok(Some(Vec::new()));
    }
    let own = session.own_writes(Family::Data, &KeyRange::prefix(&prefix(collection)))?;
    let key = |write: &Arc<Write>| write.key().and_then(layout::split).map(|(_, key)| key.to_vec());
    Ok(own.map(|own| own.iter().filter_map(key).collect()))
}

impl Search<'_> {
    fn through(mut self, graph: &Arc<OpenGraph>, known: &Known<'_>) -> Result<Option<Answer>> {
        let k = self.question.k;
        let (mut ef, mut visited, mut near) = (0, 0, k);
        // Mostly, few of what the graph keeps on its way are looked at.
        let mut wants_all = self.question.is_filtered || self.question.several;
        let mut seen = HashSet::new();
        loop {
            let (found, breadth, is_cut, most, among, outdated) = {
                let linked = graph.linked.read();
                let Some(linked) = &*linked else { return Ok(None) };
                let Some((kept, among)) = self.known(graph, linked) else { return Ok(None) };
                let breadth = Breadth::of(self.question.width, graph, linked, near, among);
                let Some(breadth) = breadth else { return Ok(None) };
                ef = ef.max(breadth.ef);
                let wanted = if wants_all { ef } else { breadth.ordered(linked.graph.options().code, ef) };
                let Some(found) = self.propose(linked, ef, wanted, kept.as_ref())? else { return Ok(None) };
                visited += found.visited as u64;
                self.question.visited.set(visited);
                self.changes = found.changes;
                let outdated = kept.and_then(|kept| kept.outdated);
                (found, breadth, wanted < ef, self.most(linked), among, outdated)
            };
            if let Some(number) = outdated {
                let core = self.session.core();
                core.vectors.bring_up_to_date(core, graph, number);
            }
            let is_new = |proposal: &Proposal| !known.has(&proposal.entry) && !seen.contains(&proposal.entry);
            let mut proposals: Vec<Proposal> = found.nearest.into_iter().filter(is_new).collect();
            let looked_at = self.look_at(graph, &proposals, &breadth)?;
            // If codes do not tell that what was not looked at is too far, nor is what was cut off.
            let is_sure = looked_at < proposals.len();
            let is_cut_short = is_cut && !is_sure;
            let wider = Some(ef.saturating_mul(EF_GROWTH)).filter(|wider| *wider <= most);
            // At last all that may match, if that is not much.
            let wider = wider.unwrap_or(found.among.min(most));
            let is_last = wants_all && wider <= ef || found.is_all;
            // Where some are refused, the last of few that are left were hardly looked for.
            let needed = if self.has_refused && !is_last { breadth.enough } else { k };
            let near_of_all = self.near_of_all();
            let mut is_too_narrow = false;
            if breadth.measured.is_some() && near_of_all > near {
                let wider = |linked: &Linked| Breadth::of(self.question.width, graph, linked, near_of_all, among);
                let Some(wider) = graph.with_linked(wider).flatten() else { return Ok(None) };
                is_too_narrow = wider.ef > ef;
            }
            match is_too_narrow {
                true => near = near_of_all + near_of_all / SLACK_PART,
                false if is_sure || self.settled >= needed && !is_cut_short || found.is_all => {
                    let (hits, compared, strategy) = (self.nearest.into_sorted(), self.compared, found.strategy);
                    return Ok(Some(Answer { hits, visited, compared, strategy, ef, measured: breadth.measured }));
                }
                false if is_last => return Ok(None), // perhaps there are not so many, which only the rows can say
                false if wants_all => ef = wider,
                false => wants_all = true,
            }
            seen.extend(proposals.drain(..looked_at).map(|proposal| proposal.entry));
        }
    }

    /// What is kept of the filter, and among how many vectors is searched, if that is known; none if it is not known what matches.
    /// What a graph says of documents of several vectors each, it says of all.
    fn known(&self, graph: &OpenGraph, linked: &Linked) -> Option<(Option<filters::Known>, Option<usize>)> {
        match self.question.among {
            Among::Documents(among) if !self.question.several => Some((None, Some(among.len()))),
            Among::All | Among::Documents(_) => Some((None, None)),
            Among::Matches { filter, .. } => {
                let known = graph.filters.find(linked, filter, self.session.read_ts())?;
                let among = known.matching.slots().len();
                Some((Some(known), Some(among)))
            }
        }
    }

    /// How many candidates the graph is asked for at most. What it knows of documents of one vector each, it says at once.
    fn most(&self, linked: &Linked) -> usize {
        let part = linked.len() / EF_PART;
        match self.question.among {
            Among::All | Among::Matches { .. } => part,
            Among::Documents(among) if self.question.several => part.min(among.len()),
            Among::Documents(_) => 0,
        }
    }

    /// The last of the `k` nearest that `accept` takes is about the so many nearest of all: a search has to find as many of all
    /// to find these.
    fn near_of_all(&self) -> usize {
        let k = self.question.k;
        (k * self.asked).div_ceil(self.taken.max(1)).max(k)
    }

    /// What the graph proposes; nothing, if it does not know the documents that may be answers as the session sees them.
    fn propose(
        &self,
        linked: &Linked,
        ef: usize,
        wanted: usize,
        kept: Option<&filters::Known>,
    ) -> Result<Option<Proposals>> {
        let query = linked.graph.query(self.question.query.as_stored(&mut Vec::new()))?;
        let read_ts = self.session.read_ts();
        match self.question.among {
            Among::Documents(among) if !self.question.several => {
                Ok(linked.propose_among(&query, ef, wanted, read_ts, among))
            }
            Among::Matches { .. } => {
                Ok(kept.map(|kept| linked.propose_matching(&query, ef, read_ts, &kept.matching, &self.own_documents)))
            }
            // Which vectors a document has is not known here: it is for `accept` to say whose are wanted.
            Among::All | Among::Documents(_) => Ok(Some(linked.propose(&query, ef, wanted, read_ts))),
        }
    }
}
