//! Search through a graph: it proposes, rows decide.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use blaze_core::{DocumentId, Family, Result, Write};
use blaze_vector::{Code, Hit, Query};

use super::layout;
use super::linked::{Linked, Proposals};
use super::open::OpenGraph;
use super::tail::TailBatch;
use crate::catalog::prefixed;
use crate::index::scan_range;
use crate::session::Session;

/// How many times more candidates are asked for when too few of them were any good.
const EF_GROWTH: usize = 4;

/// The part of all vectors from which on looking at each of them is as fast as asking the graph for so many.
const EF_PART: usize = 8;

/// What is asked of a graph.
pub(crate) struct Question<'a> {
    /// The number of the index.
    pub(crate) index: u32,
    pub(crate) query: &'a Query,
    /// How many are wanted.
    pub(crate) k: usize,
    /// How many candidates the graph keeps on its way.
    pub(crate) ef: usize,
    /// What is farther is not wanted.
    pub(crate) within: f32,
    /// The only documents that may be answers, if they are known.
    pub(crate) among: Option<&'a [DocumentId]>,
}

/// What was found, and what that took.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As many as were wanted, the nearest first, equally near ones by id; with the distances of their rows.
    pub(crate) hits: Vec<Hit<DocumentId>>,
    /// Nodes of the graph that were compared with the query.
    pub(crate) visited: u64,
    /// Vectors that were compared in full.
    pub(crate) compared: u64,
    /// How many candidates it took.
    pub(crate) ef: usize,
}

/// What is known of the rows of a session beside the graph: of its own writes, and of the tail.
struct Known<'a> {
    own: HashMap<&'a [u8], Option<&'a [u8]>>,
    tail: HashMap<&'a [u8], Option<&'a [u8]>>,
}

impl<'a> Known<'a> {
    fn of(own: &'a [Arc<Write>], tail: &'a [TailBatch]) -> Known<'a> {
        let own = own.iter().filter_map(|write| {
            let (_, entry) = write.key().and_then(layout::split)?;
            let row = match &**write {
                Write::Put { value, .. } => Some(value.as_slice()),
                _ => None,
            };
            Some((entry, row))
        });
        // Of one entry, the last commit counts.
        let changes = tail.iter().flat_map(|batch| &*batch.changes);
        let tail = changes.map(|change| (&*change.entry, change.row.as_deref())).collect();
        Known { own: own.collect(), tail }
    }

    fn has(&self, entry: &[u8]) -> bool {
        self.own.contains_key(entry) || self.tail.contains_key(entry)
    }

    /// The vectors that there are.
    fn rows(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let of_tail = self.tail.iter().filter(|(entry, _)| !self.own.contains_key(*entry));
        self.own.iter().chain(of_tail).filter_map(|(entry, row)| Some((*entry, (*row)?)))
    }
}

/// A search that is under way.
struct Search<'a> {
    session: &'a Session,
    question: &'a Question<'a>,
    accept: &'a mut dyn FnMut(&DocumentId) -> Result<bool>,
    /// The farthest on top.
    nearest: BinaryHeap<Hit<DocumentId>>,
    /// What the graph proposed and was taken, or was farther than enough others, or than is wanted.
    settled: usize,
    /// Whether `accept` did not take something that the graph proposed.
    has_refused: bool,
    buffer: Vec<f32>,
    compared: u64,
}

/// The `k` nearest documents that a session sees and `accept` takes, or none if that is not for the graph to say: then all
/// vectors have to be looked at. `accept` is asked of as few as possible. In a serializable transaction, all vectors of the
/// index count as read.
pub(crate) fn nearest(
    session: &Session,
    question: &Question<'_>,
    accept: &mut dyn FnMut(&DocumentId) -> Result<bool>,
) -> Result<Option<Answer>> {
    let range = scan_range(question.index);
    if session.is_as_of() {
        return Ok(None);
    }
    let Some(graph) = session.core().vectors.find_or_load(session, question.index)? else { return Ok(None) };
    if !graph.serves(session.read_ts()) {
        return Ok(None);
    }
    let Some(own) = session.own_writes(Family::Vector, &range)? else { return Ok(None) };
    // Before the graph: what is linked meanwhile is in both, and not in neither.
    let Some(tail) = graph.tail_up_to(session.read_ts()) else { return Ok(None) };
    session.read_range(Family::Vector, &range)?;
    let known = Known::of(&own, &tail);
    let nearest = BinaryHeap::new();
    let mut search =
        Search { session, question, accept, nearest, settled: 0, has_refused: false, buffer: Vec::new(), compared: 0 };
    for (entry, row) in known.rows() {
        search.offer_row(entry, row)?;
    }
    search.through(&graph, &known)
}

impl Search<'_> {
    fn through(mut self, graph: &OpenGraph, known: &Known<'_>) -> Result<Option<Answer>> {
        let k = self.question.k;
        let (mut ef, mut visited) = (self.question.ef, 0);
        let mut seen = HashSet::new();
        loop {
            let (proposals, enough, most) = {
                let linked = graph.linked.read();
                let Some(linked) = &*linked else { return Ok(None) };
                let enough = reranked(linked.graph.options().code, k);
                ef = ef.max(enough);
                let Some(found) = self.propose(linked, ef)? else { return Ok(None) };
                visited += found.visited as u64;
                (found.entries, enough, linked.len() / EF_PART)
            };
            let new = proposals.into_iter().filter(|entry| !known.has(entry) && seen.insert(entry.clone()));
            self.look_at(new, enough)?;
            let is_last = ef.saturating_mul(EF_GROWTH) > most || self.question.among.is_some();
            // Where some are refused, the last of few that are left were hardly looked for.
            let needed = if self.has_refused && !is_last { enough } else { k };
            if self.settled >= needed {
                let (hits, compared) = (self.nearest.into_sorted_vec(), self.compared);
                return Ok(Some(Answer { hits, visited, compared, ef }));
            }
            if is_last {
                return Ok(None); // perhaps there are not so many, which only the rows can say
            }
            ef = ef.saturating_mul(EF_GROWTH);
        }
    }

    /// What the graph proposes; nothing, if it does not know the documents that may be answers as the session sees them.
    fn propose(&self, linked: &Linked, ef: usize) -> Result<Option<Proposals>> {
        let (query, read_ts) = (linked.graph.query(self.question.query.vector())?, self.session.read_ts());
        match self.question.among {
            None => Ok(Some(linked.propose(&query, ef, read_ts))),
            Some(among) => Ok(linked.propose_among(&query, ef, read_ts, among)),
        }
    }

    /// Looks at the rows of proposals, the nearest first, until enough of them are any good: at `width` of them at once.
    fn look_at(&mut self, proposals: impl Iterator<Item = Box<[u8]>>, width: usize) -> Result<()> {
        let point = Arc::clone(self.session.point());
        let mut proposals = proposals.peekable();
        while proposals.peek().is_some() {
            let batch: Vec<Box<[u8]>> = proposals.by_ref().take(width).collect();
            let keys: Vec<_> = batch.iter().map(|entry| prefixed(self.question.index, entry)).collect();
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            let mut distances: Vec<Option<f32>> = vec![None; batch.len()];
            let (query, buffer) = (self.question.query, &mut self.buffer);
            point.visit_many(Family::Vector, &keys, &mut |position, row| {
                distances[position] = row.map(|row| query.distance_to_stored(row, buffer)).transpose()?;
                Ok(())
            })?;
            for (entry, distance) in batch.iter().zip(distances) {
                if let Some(distance) = distance {
                    let is_settled = self.offer(entry, distance)?;
                    self.settled += usize::from(is_settled);
                    self.has_refused |= !is_settled;
                }
            }
            if self.settled >= width {
                break;
            }
        }
        Ok(())
    }

    fn offer_row(&mut self, entry: &[u8], row: &[u8]) -> Result<()> {
        let distance = self.question.query.distance_to_stored(row, &mut self.buffer)?;
        self.offer(entry, distance).map(drop)
    }

    /// Offers what the session sees; false if `accept` does not take it.
    fn offer(&mut self, entry: &[u8], distance: f32) -> Result<bool> {
        self.compared += 1;
        let is_full = self.nearest.len() >= self.question.k;
        let is_beyond = is_full && self.nearest.peek().is_none_or(|farthest| distance > farthest.distance);
        if is_beyond || distance > self.question.within {
            return Ok(true); // there are enough that are nearer, or it is not wanted
        }
        let id = DocumentId::read_key(entry)?;
        if !(self.accept)(&id)? {
            return Ok(false);
        }
        self.nearest.push(Hit { key: id, distance });
        if is_full {
            self.nearest.pop();
        }
        Ok(true)
    }
}

/// How many proposals are compared in full for `k` answers: codes may put the nearest a little behind.
fn reranked(code: Code, k: usize) -> usize {
    match code {
        Code::Eight => k + k / 2 + 8,
        Code::Four => 3 * k + 16,
        Code::Bits => k,
    }
}
