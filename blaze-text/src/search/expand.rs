//! Which terms of an index a prefix or a fuzzy term stands for.

use std::collections::HashMap;
use std::ops::ControlFlow;

use blaze_core::Result;
use blaze_core::limits::TEXT_EXPANSIONS_MAX;

use super::Leaf;
use super::edits::{Edits, Measured};
use super::reads::leading;
use crate::TermKey;

/// Terms with nothing to find among them that are gone past before the next one behind them is looked up.
const SKIPPED_MAX: usize = 64;

/// Terms that were found, with how many documents have each.
pub(super) struct Expansions {
    field: u8,
    /// By term, how far it is from the one that was asked for, and how many documents have it.
    terms: HashMap<Box<[u8]>, (u8, i64)>,
}

impl Expansions {
    /// None yet, of a field.
    pub(super) fn new(field: u8) -> Expansions {
        Expansions { field, terms: HashMap::new() }
    }

    fn add(&mut self, term: &[u8], distance: u8, documents: i64) {
        match self.terms.get_mut(term) {
            Some((_, known)) => *known = known.saturating_add(documents),
            None => {
                self.terms.insert(term.into(), (distance, documents));
            }
        }
    }

    /// Adds the terms of a leaf that begin so.
    pub(super) fn add_prefix<L: Leaf>(&mut self, leaf: &L, prefix: &[u8]) -> Result<()> {
        let from = TermKey::new(self.field, prefix);
        leaf.terms_from(&from, &mut |field, found, documents| {
            if field != self.field || !found.starts_with(prefix) {
                return Ok(ControlFlow::Break(()));
            }
            self.add(found, 0, documents);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Adds the terms of a leaf that are like one and begin with as many characters of it.
    pub(super) fn add_fuzzy<L: Leaf>(
        &mut self,
        leaf: &L,
        term: &str,
        distance: u8,
        prefix_length: usize,
    ) -> Result<()> {
        let prefix = leading(term, prefix_length).as_bytes();
        let mut edits = Edits::new(term, distance);
        let mut from = Some(TermKey::new(self.field, prefix));
        let (mut dead, mut skipped): (Box<[u8]>, usize) = (Box::default(), 0);
        while let Some(start) = from.take() {
            leaf.terms_from(&start, &mut |field, found, documents| {
                if field != self.field || !found.starts_with(prefix) {
                    return Ok(ControlFlow::Break(()));
                }
                if !dead.is_empty() && found.starts_with(&dead) {
                    skipped += 1;
                    if skipped < SKIPPED_MAX {
                        return Ok(ControlFlow::Continue(()));
                    }
                    from = behind(&dead).map(|term| TermKey { field: self.field, term });
                    return Ok(ControlFlow::Break(()));
                }
                let Ok(candidate) = std::str::from_utf8(found) else { return Ok(ControlFlow::Continue(())) };
                match edits.measure(candidate) {
                    Measured::Near(distance) => self.add(found, distance, documents),
                    Measured::Far => {}
                    Measured::Dead(bytes) => (dead, skipped) = (found[..bytes].into(), 0),
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }

    /// The nearest terms, of these those that most documents have; in the order of distances and terms.
    pub(super) fn best(self) -> Vec<(u8, TermKey)> {
        self.at_most(TEXT_EXPANSIONS_MAX)
    }

    /// All terms, in the order of distances and terms.
    pub(super) fn all(self) -> Vec<(u8, TermKey)> {
        self.at_most(usize::MAX)
    }

    fn at_most(self, most: usize) -> Vec<(u8, TermKey)> {
        let mut terms: Vec<_> = self
            .terms
            .into_iter()
            .filter(|(_, (_, having))| *having > 0)
            .map(|(term, (distance, having))| (distance, -having, term))
            .collect();
        if terms.len() > most {
            terms.sort_unstable();
            terms.truncate(most);
        }
        let mut keys: Vec<_> =
            terms.into_iter().map(|(distance, _, term)| (distance, TermKey { field: self.field, term })).collect();
        keys.sort_unstable();
        keys
    }
}

/// The first term behind all that begin so.
fn behind(prefix: &[u8]) -> Option<Box<[u8]>> {
    let last = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut term = prefix[..=last].to_vec();
    term[last] += 1;
    Some(term.into())
}
