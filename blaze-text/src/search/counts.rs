//! How many documents have which terms.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use blaze_core::Result;

use super::plan::{BooleanPlan, Plan};
use super::planner::Planner;
use super::{Leaf, Node, Searcher};
use crate::TermKey;

/// Terms of a leaf that are looked at before those of the next one.
const TERMS_AT_ONCE: usize = 4_096;

impl<S: Leaf, D: Leaf> Searcher<S, D> {
    /// How many segments are searched, and how many documents there are in what is not folded into them, dead ones included.
    pub fn leaves(&self) -> (usize, u64) {
        let unfolded = self.deltas().iter().map(|leaf| u64::from(leaf.documents()));
        (self.segments().len(), unfolded.sum())
    }

    /// How many documents have a term.
    ///
    /// # Errors
    /// What leaves answer.
    pub fn documents_with(&self, key: &TermKey) -> Result<u64> {
        let mut documents = 0_i64;
        for leaf in self.segments() {
            documents = documents.saturating_add(added(leaf, key)?);
        }
        for leaf in self.deltas() {
            documents = documents.saturating_add(added(leaf, key)?);
        }
        Ok(documents.max(0).unsigned_abs())
    }

    /// The terms of a query that documents have, those that a prefix or a fuzzy term stands for among them, in order, with how
    /// many have each.
    ///
    /// # Errors
    /// As [`top`](Searcher::top).
    pub fn terms_of(&self, node: &Node) -> Result<Vec<(TermKey, u64)>> {
        let mut terms = Vec::new();
        for key in Planner::prepare(self, node)?.keys {
            let documents = self.documents_with(&key)?;
            if documents > 0 {
                terms.push((key, documents));
            }
        }
        terms.sort_unstable();
        Ok(terms)
    }

    /// How many documents match at most, as far as the counts of its terms tell.
    ///
    /// # Errors
    /// As [`top`](Searcher::top).
    pub fn documents_at_most(&self, node: &Node) -> Result<u64> {
        Ok(at_most(&Planner::prepare(self, node)?.plan))
    }

    /// Visits the terms of a field that begin so and that documents have, in order, each with how many have it.
    ///
    /// Takes time linear in the terms that begin so, and bounded memory.
    ///
    /// # Errors
    /// What leaves and `visit` answer.
    pub fn visit_terms(&self, field: u8, prefix: &[u8], visit: &mut dyn FnMut(&[u8], u64) -> Result<()>) -> Result<()> {
        let mut from = TermKey::new(field, prefix);
        loop {
            let mut part = Part { prefix, terms: BTreeMap::new(), last: None };
            for leaf in self.segments() {
                part.read(leaf, &from)?;
            }
            for leaf in self.deltas() {
                part.read(leaf, &from)?;
            }
            let Part { terms, last, .. } = part;
            let is_whole = |term: &[u8]| last.as_deref().is_none_or(|last| term <= last);
            for (term, documents) in terms.iter().take_while(|(term, _)| is_whole(term)) {
                if *documents > 0 {
                    visit(term, documents.unsigned_abs())?;
                }
            }
            match last {
                Some(last) => from.term = [&last, [0].as_slice()].concat().into(),
                None => return Ok(()),
            }
        }
    }
}

fn added<L: Leaf>(leaf: &L, key: &TermKey) -> Result<i64> {
    Ok(leaf.find(key)?.map_or(0, |entry| leaf.added(&entry)))
}

fn at_most(plan: &Plan) -> u64 {
    match plan {
        Plan::Nothing => 0,
        Plan::Term(term) => {
            let documents = term.rarity.documents.max(0).unsigned_abs();
            documents.saturating_mul(term.keys.len() as u64)
        }
        Plan::Phrase(phrase) => phrase.rarity.documents.max(0).unsigned_abs(),
        Plan::Boolean(BooleanPlan { must, should, .. }) if must.is_empty() => {
            should.iter().map(at_most).fold(0, u64::saturating_add)
        }
        Plan::Boolean(BooleanPlan { must, .. }) => must.iter().map(at_most).min().unwrap_or_default(),
    }
}

/// The terms of all leaves from one on, as far as all leaves were read.
struct Part<'a> {
    prefix: &'a [u8],
    terms: BTreeMap<Box<[u8]>, i64>,
    /// The last term of which all leaves have told, if there may be more.
    last: Option<Box<[u8]>>,
}

impl Part<'_> {
    fn read<L: Leaf>(&mut self, leaf: &L, from: &TermKey) -> Result<()> {
        let mut count = 0;
        leaf.terms_from(from, &mut |field, term, documents| {
            if field != from.field || !term.starts_with(self.prefix) {
                return Ok(ControlFlow::Break(()));
            }
            let known = self.terms.entry(term.into()).or_default();
            *known = known.saturating_add(documents);
            count += 1;
            if count < TERMS_AT_ONCE {
                return Ok(ControlFlow::Continue(()));
            }
            if self.last.as_ref().is_none_or(|last| term < &**last) {
                self.last = Some(term.into());
            }
            Ok(ControlFlow::Break(()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delta, DeltaLeaf, DocumentBuilder, DocumentPostings};

    const DOCUMENTS: u64 = 6_000;

    /// A document with a term of its own in two fields, and one that every third has.
    fn document(n: u64) -> DocumentPostings {
        let mut builder = DocumentBuilder::new(2);
        let own = format!("n{n:05}");
        for field in [0, 1] {
            builder.add(field, own.as_bytes(), 0).unwrap();
        }
        if n.is_multiple_of(3) {
            builder.add(0, b"third", 1).unwrap();
        }
        builder.finish()
    }

    /// A delta of the first documents, and one above it that has others, and takes away every fifth of the first.
    fn deltas() -> (Delta, Delta) {
        let (mut below, mut above) = (Delta::new(2), Delta::new(2));
        for n in 0..DOCUMENTS {
            below.change(1, &n.to_be_bytes(), None, Some(&document(n))).unwrap();
        }
        for n in (0..DOCUMENTS).step_by(5) {
            above.change(1, &n.to_be_bytes(), Some(document(n).terms()), None).unwrap();
        }
        for n in DOCUMENTS..2 * DOCUMENTS {
            above.change(1, &n.to_be_bytes(), None, Some(&document(n))).unwrap();
        }
        (below, above)
    }

    fn is_there(n: u64) -> bool {
        n >= DOCUMENTS || !n.is_multiple_of(5)
    }

    #[test]
    fn terms_are_visited_in_order_with_what_all_leaves_together_have_of_them() {
        let (below, above) = deltas();
        let leaves = vec![DeltaLeaf::new(below.view(1)), DeltaLeaf::new(above.view(1))];
        let searcher = Searcher::new(Vec::<DeltaLeaf<'_>>::new(), leaves);
        for (field, prefix) in [(0, "n"), (1, ""), (0, "n01"), (0, "third"), (0, "x"), (1, "third")] {
            let mut found = Vec::new();
            let visit = &mut |term: &[u8], documents| {
                found.push((String::from_utf8(term.to_vec()).unwrap(), documents));
                Ok(())
            };
            searcher.visit_terms(field, prefix.as_bytes(), visit).unwrap();
            let own = (0..2 * DOCUMENTS).filter(|n| is_there(*n)).map(|n| (format!("n{n:05}"), 1));
            let thirds = (0..2 * DOCUMENTS).filter(|n| is_there(*n) && n.is_multiple_of(3)).count() as u64;
            let all = own.chain((field == 0).then(|| ("third".to_owned(), thirds)));
            let expected: Vec<_> = all.filter(|(term, _)| term.starts_with(prefix)).collect();
            assert_eq!(found, expected, "{field} {prefix:?}");
        }
    }

    #[test]
    fn counts_are_those_of_all_leaves_and_bounds_are_not_below_what_matches() {
        let (below, above) = deltas();
        let (below, above) = (below.view(1), above.view(1));
        let masks = |id: &[u8]| above.masks(id);
        let leaves = vec![DeltaLeaf::below(below, &masks), DeltaLeaf::new(above)];
        let searcher = Searcher::new(Vec::<DeltaLeaf<'_>>::new(), leaves);
        let key = |term: &str| TermKey::new(0, term);
        let thirds = (0..2 * DOCUMENTS).filter(|n| is_there(*n) && n.is_multiple_of(3)).count() as u64;
        for (term, expected) in [("third", thirds), ("n00005", 0), ("n00006", 1), ("n06005", 1), ("nowhere", 0)] {
            assert_eq!(searcher.documents_with(&key(term)).unwrap(), expected, "{term}");
        }
        let term = |term: &str| Node::Term { key: key(term), boost: 1.0 };
        let prefix = Node::Prefix { field: 0, prefix: b"n0000".as_slice().into(), boost: 1.0 };
        let boolean = |must, should, least_should| Node::Boolean { must, should, must_not: Vec::new(), least_should };
        for node in [
            term("third"),
            prefix.clone(),
            boolean(vec![term("third"), prefix.clone()], Vec::new(), 0),
            boolean(Vec::new(), vec![term("third"), prefix.clone(), term("n00001")], 1),
            boolean(vec![term("nowhere")], vec![term("third")], 0),
        ] {
            assert!(searcher.documents_at_most(&node).unwrap() >= searcher.count(&node).unwrap(), "{node:?}");
        }
        let terms = searcher.terms_of(&boolean(Vec::new(), vec![term("third"), prefix], 1)).unwrap();
        let names: Vec<_> = terms.iter().map(|(key, _)| String::from_utf8_lossy(&key.term).into_owned()).collect();
        let expected = ["n00001", "n00002", "n00003", "n00004", "n00006", "n00007", "n00008", "n00009", "third"];
        assert_eq!(names, expected);
        assert_eq!(terms.last().map(|(_, documents)| *documents), Some(thirds));
        assert_eq!(searcher.leaves(), (0, 2 * DOCUMENTS));
    }
}
