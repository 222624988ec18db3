//! Searches of an index: segments, and what is not folded into them, with statistics of all.

use std::fmt;
use std::ops::ControlFlow;

use blaze_core::Result;

use super::explain::{Explainer, Explanation};
use super::leaf_query::LeafQuery;
use super::plan::Plan;
use super::planner::{Planner, Prepared};
use super::top::{LeafTop, Top};
use super::{Accept, Leaf, Node};
use crate::{END, FieldTotals};

/// The leaves of an index, as of one moment.
///
/// What is found, and how it scores, is exactly what BM25 says of all live documents by the statistics of all leaves together,
/// whichever leaf a document is in: blocks of postings that cannot have a hit are gone past, but no score is estimated.
///
/// ```
/// use blaze_text::{Delta, DeltaLeaf, DocumentBuilder, Node, Searcher, TermKey};
///
/// let mut delta = Delta::new(1);
/// let mut builder = DocumentBuilder::new(1);
/// for (id, text) in [("dune", ["sand", "worm"]), ("jaws", ["sea", "shark"])] {
///     for (position, term) in text.iter().enumerate() {
///         builder.add(0, term.as_bytes(), position as u32)?;
///     }
///     delta.change(1, id.as_bytes(), None, Some(&builder.finish()))?;
/// }
/// let leaf = DeltaLeaf::new(delta.view(1));
/// let searcher = Searcher::new(Vec::<DeltaLeaf>::new(), vec![leaf]);
/// let found = searcher.top(&Node::Term { key: TermKey::new(0, "worm"), boost: 1.0 }, 10, None)?;
/// assert_eq!(&*found[0].id, b"dune");
/// assert_eq!(found.len(), 1);
/// # Ok::<(), blaze_core::Error>(())
/// ```
pub struct Searcher<S, D> {
    segments: Vec<S>,
    deltas: Vec<D>,
}

/// What visits documents: told the id and the score.
pub type FoundVisitor<'a> = dyn FnMut(&[u8], f32) -> Result<ControlFlow<()>> + 'a;

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its id.
    pub id: Box<[u8]>,
    /// Its score.
    pub score: f32,
}

impl<S: Leaf, D: Leaf> Searcher<S, D> {
    /// Searches segments and deltas, each delta above the former and all above the segments. Leaves say themselves which of
    /// their documents others above have changed.
    pub fn new(segments: Vec<S>, deltas: Vec<D>) -> Searcher<S, D> {
        Searcher { segments, deltas }
    }

    pub(super) fn segments(&self) -> &[S] {
        &self.segments
    }

    pub(super) fn deltas(&self) -> &[D] {
        &self.deltas
    }

    /// What is counted of a field, in all leaves together.
    pub fn totals(&self, field: u8) -> FieldTotals {
        let segments = self.segments.iter().map(|leaf| leaf.totals(field));
        let totals = segments.chain(self.deltas.iter().map(|leaf| leaf.totals(field)));
        let sum = totals.fold(FieldTotals::default(), |sum, leaf| FieldTotals {
            documents: sum.documents.saturating_add(leaf.documents),
            tokens: sum.tokens.saturating_add(leaf.tokens),
        });
        FieldTotals { documents: sum.documents.max(0), tokens: sum.tokens.max(0) }
    }

    /// The `k` best documents, the best first; equal ones in the order of the leaves and of the documents in them.
    ///
    /// `accept` is asked, with the id, only of documents that would be among the best of what has been seen so far.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a boost that is negative or not finite, for terms of several fields that
    /// are to count as one, and for a fuzzy term of more than
    /// [`TEXT_EDITS_MAX`](blaze_core::limits::TEXT_EDITS_MAX) edits;
    /// [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for a query of more than
    /// [`TEXT_CLAUSES_MAX`](blaze_core::limits::TEXT_CLAUSES_MAX) clauses; what leaves and `accept` answer.
    pub fn top(&self, node: &Node, k: usize, accept: Accept<'_>) -> Result<Vec<Found>> {
        if k == 0 {
            return Ok(Vec::new());
        }
        let prepared = Planner::prepare(self, node)?;
        let mut best = Best { plan: &prepared.plan, top: Top::new(k), accept };
        self.each(&prepared, &mut best)?;
        self.found(best.top)
    }

    /// The `k` best of the documents with these ids, the best first.
    ///
    /// # Errors
    /// As [`top`](Searcher::top).
    pub fn top_among(&self, node: &Node, k: usize, ids: &[impl AsRef<[u8]>]) -> Result<Vec<Found>> {
        if k == 0 {
            return Ok(Vec::new());
        }
        let prepared = Planner::prepare(self, node)?;
        let mut best = BestAmong { plan: &prepared.plan, top: Top::new(k), ids };
        self.each(&prepared, &mut best)?;
        self.found(best.top)
    }

    /// How many documents match.
    ///
    /// # Errors
    /// As [`top`](Searcher::top).
    pub fn count(&self, node: &Node) -> Result<u64> {
        let prepared = Planner::prepare(self, node)?;
        let mut count = Count { plan: &prepared.plan, count: 0 };
        self.each(&prepared, &mut count)?;
        Ok(count.count)
    }

    /// Visits every document that matches, with its id and score, in no particular order, until told to stop.
    ///
    /// # Errors
    /// As [`top`](Searcher::top), and what the visitor answers.
    pub fn for_each(&self, node: &Node, visit: &mut FoundVisitor<'_>) -> Result<()> {
        let prepared = Planner::prepare(self, node)?;
        self.each(&prepared, &mut Each { plan: &prepared.plan, visit })
    }

    /// The score of one document, if it matches, and what it is made of.
    ///
    /// # Errors
    /// As [`top`](Searcher::top).
    pub fn explain(&self, node: &Node, id: &[u8]) -> Result<Option<Explanation>> {
        self.explanation(&Planner::prepare(self, node)?, id)
    }

    /// As [`explain`](Searcher::explain), for each of some documents: terms are looked up once.
    ///
    /// # Errors
    /// As [`top`](Searcher::top).
    pub fn explain_all(&self, node: &Node, ids: &[impl AsRef<[u8]>]) -> Result<Vec<Option<Explanation>>> {
        let prepared = Planner::prepare(self, node)?;
        ids.iter().map(|id| self.explanation(&prepared, id.as_ref())).collect()
    }

    fn explanation(&self, prepared: &Prepared<S, D>, id: &[u8]) -> Result<Option<Explanation>> {
        for (number, leaf) in self.deltas.iter().enumerate().rev() {
            if let Some(document) = live(leaf, id)? {
                let query = LeafQuery { number, leaf, entries: &prepared.deltas[number] };
                return Explainer { query: &query, keys: &prepared.keys, document }.explain(&prepared.plan);
            }
        }
        for (number, leaf) in self.segments.iter().enumerate().rev() {
            if let Some(document) = live(leaf, id)? {
                let query = LeafQuery { number, leaf, entries: &prepared.segments[number] };
                return Explainer { query: &query, keys: &prepared.keys, document }.explain(&prepared.plan);
            }
        }
        Ok(None)
    }

    /// Does something in each leaf that has documents, until told to stop.
    fn each(&self, prepared: &Prepared<S, D>, does: &mut impl OnLeaf) -> Result<()> {
        for (number, (leaf, entries)) in self.segments.iter().zip(&prepared.segments).enumerate() {
            if does.on(LeafQuery { number, leaf, entries })?.is_break() {
                return Ok(());
            }
        }
        for (number, (leaf, entries)) in self.deltas.iter().zip(&prepared.deltas).enumerate() {
            let number = self.segments.len() + number;
            if does.on(LeafQuery { number, leaf, entries })?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The documents that were found, with their ids.
    fn found(&self, top: Top) -> Result<Vec<Found>> {
        let best = top.into_sorted();
        let mut found = Vec::with_capacity(best.len());
        for candidate in best {
            let id = match candidate.leaf.checked_sub(self.segments.len()) {
                None => self.segments[candidate.leaf].id(candidate.document)?,
                Some(delta) => self.deltas[delta].id(candidate.document)?,
            };
            found.push(Found { id, score: candidate.score });
        }
        Ok(found)
    }
}

/// The live document of an id in a leaf.
fn live<L: Leaf>(leaf: &L, id: &[u8]) -> Result<Option<u32>> {
    Ok(leaf.find_document(id)?.filter(|&document| leaf.is_live(document)))
}

/// What is done in each leaf.
trait OnLeaf {
    fn on<L: Leaf>(&mut self, query: LeafQuery<'_, L>) -> Result<ControlFlow<()>>;
}

struct Best<'p, 'a> {
    plan: &'p Plan,
    top: Top,
    accept: Accept<'a>,
}

impl OnLeaf for Best<'_, '_> {
    fn on<L: Leaf>(&mut self, query: LeafQuery<'_, L>) -> Result<ControlFlow<()>> {
        let accept: Accept<'_> = match &mut self.accept {
            Some(accept) => Some(&mut **accept),
            None => None,
        };
        query.best(self.plan, &mut self.top, accept)?;
        Ok(ControlFlow::Continue(()))
    }
}

struct BestAmong<'a, I> {
    plan: &'a Plan,
    top: Top,
    ids: &'a [I],
}

impl<I: AsRef<[u8]>> OnLeaf for BestAmong<'_, I> {
    fn on<L: Leaf>(&mut self, query: LeafQuery<'_, L>) -> Result<ControlFlow<()>> {
        let Some(mut unit) = query.unit(self.plan)? else { return Ok(ControlFlow::Continue(())) };
        let mut documents = Vec::new();
        for id in self.ids {
            documents.extend(live(query.leaf, id.as_ref())?);
        }
        documents.sort_unstable();
        documents.dedup();
        let mut top = LeafTop::new(&mut self.top, (query.number, query.leaf), None, None, 0);
        for document in documents {
            if unit.document() < document {
                unit.seek(document)?;
            }
            if unit.document() == document {
                top.offer(document, unit.score()?)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

struct Count<'a> {
    plan: &'a Plan,
    count: u64,
}

impl OnLeaf for Count<'_> {
    fn on<L: Leaf>(&mut self, query: LeafQuery<'_, L>) -> Result<ControlFlow<()>> {
        let Some(mut unit) = query.unit(self.plan)? else { return Ok(ControlFlow::Continue(())) };
        let mut document = unit.document();
        while document != END {
            self.count += u64::from(query.leaf.is_live(document));
            document = unit.next()?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

struct Each<'a> {
    plan: &'a Plan,
    visit: &'a mut FoundVisitor<'a>,
}

impl OnLeaf for Each<'_> {
    fn on<L: Leaf>(&mut self, query: LeafQuery<'_, L>) -> Result<ControlFlow<()>> {
        let Some(mut unit) = query.unit(self.plan)? else { return Ok(ControlFlow::Continue(())) };
        let mut document = unit.document();
        while document != END {
            if query.leaf.is_live(document) && (self.visit)(&query.leaf.id(document)?, unit.score()?)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            document = unit.next()?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl<S, D> fmt::Debug for Searcher<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (segments, deltas) = (self.segments.len(), self.deltas.len());
        f.debug_struct("Searcher").field("segments", &segments).field("deltas", &deltas).finish_non_exhaustive()
    }
}
