//! What a check has found.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::anomaly::{Anomaly, Kind};

/// Examples that are kept of each kind; the rest is counted.
const EXAMPLES_MAX: usize = 8;

/// What is wrong with a history: how often, and the smallest examples.
#[derive(Clone, Debug, Default)]
pub struct Report {
    counts: BTreeMap<Kind, u64>,
    examples: BTreeMap<Kind, Vec<Anomaly>>,
    /// Each anomaly counts once, however often it shows.
    known: HashSet<(Kind, Vec<u64>)>,
    /// How often anything was added, what was known included.
    added: u64,
}

impl Report {
    /// True if nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.counts.is_empty()
    }

    /// How often an anomaly was found. Cycles are counted as far as they were looked for: once for each dependency that goes back
    /// in time, at most.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// What was found at all.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.counts.keys().copied()
    }

    /// Examples, a few of each kind, those of the fewest transactions.
    pub fn anomalies(&self) -> impl Iterator<Item = &Anomaly> {
        self.examples.values().flatten()
    }

    /// How often anything was added: what is the same before and after something has found nothing wrong.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// Adds an anomaly, unless it is known.
    pub(crate) fn add(&mut self, kind: Kind, transactions: Vec<u64>, words: impl FnOnce() -> String) {
        self.added += 1;
        if !self.known.insert((kind, transactions.clone())) {
            return;
        }
        *self.counts.entry(kind).or_default() += 1;
        let examples = self.examples.entry(kind).or_default();
        if examples
            .last()
            .is_some_and(|last| examples.len() == EXAMPLES_MAX && last.transactions.len() <= transactions.len())
        {
            return;
        }
        examples.push(Anomaly { kind, transactions, words: words() });
        examples.sort_by_key(|anomaly| anomaly.transactions.len());
        examples.truncate(EXAMPLES_MAX);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sound() {
            return writeln!(f, "no anomalies");
        }
        for (kind, count) in &self.counts {
            writeln!(f, "{} times {}", count, kind.name())?;
            for example in self.examples.get(kind).into_iter().flatten() {
                writeln!(f, "  {}", example.words)?;
            }
        }
        Ok(())
    }
}
