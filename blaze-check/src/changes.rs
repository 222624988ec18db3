//! When objects began and ceased to match.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Attribute, Predicate};
use crate::ledger::Ledger;

/// What objects are found by: their keys, or the attributes of one name.
pub(crate) type By = Option<u32>;

/// An object got a value or lost it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change {
    /// The number of the commit.
    pub(crate) commit: u32,
    /// The number of the object's key.
    pub(crate) key: u32,
    pub(crate) value: u64,
    pub(crate) is_gain: bool,
}

/// All changes of what objects are found by, in the order of commits.
#[derive(Debug)]
pub(crate) struct Changes(BTreeMap<By, Vec<Change>>);

/// What a predicate looks for: the name, and the first and the last value.
pub(crate) fn range_of(predicate: &Predicate) -> (By, u64, u64) {
    match *predicate {
        Predicate::Keys { from, to } => (None, from, to),
        Predicate::Attribute { name, from, to } => (Some(name), from, to),
    }
}

impl Changes {
    /// The changes by what is asked for in the history; others nobody needs.
    pub(crate) fn of(ledger: &Ledger<'_>, asked: &BTreeSet<By>) -> Changes {
        let mut changes: BTreeMap<By, Vec<Change>> = asked.iter().map(|by| (*by, Vec::new())).collect();
        if changes.is_empty() {
            return Changes(changes);
        }
        for key in 0..ledger.timelines.len() as u32 {
            let mut old: Option<&[Attribute]> = None;
            for (version, written) in ledger.timeline(key).versions.iter().enumerate() {
                let new = ledger.attributes(key, version);
                let mut add = |by: By, value: u64, is_gain: bool| {
                    if let Some(changes) = changes.get_mut(&by) {
                        changes.push(Change { commit: written.commit, key, value, is_gain });
                    }
                };
                if old.is_some() != new.is_some() {
                    add(None, ledger.keys[key as usize], new.is_some());
                }
                let (before, after) = (old.unwrap_or_default(), new.unwrap_or_default());
                let lost = before.iter().filter(|attribute| !after.contains(attribute));
                lost.for_each(|attribute| add(Some(attribute.name), attribute.value, false));
                let gained = after.iter().filter(|attribute| !before.contains(attribute));
                gained.for_each(|attribute| add(Some(attribute.name), attribute.value, true));
                old = new;
            }
        }
        for changes in changes.values_mut() {
            changes.sort_unstable();
            changes.dedup();
        }
        Changes(changes)
    }

    pub(crate) fn all(&self, by: By) -> &[Change] {
        self.0.get(&by).map_or(&[], Vec::as_slice)
    }

    /// Those after so many commits and before the commit of a number.
    pub(crate) fn between(&self, by: By, after: u32, before: u32) -> &[Change] {
        let all = self.all(by);
        let end = all.partition_point(|change| change.commit < before);
        let start = all.partition_point(|change| change.commit <= after);
        &all[start.min(end)..end]
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = By> {
        self.0.keys().copied()
    }
}

/// Which objects have which values after some commits; goes forward only.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    changes: &'a [Change],
    next: usize,
    entries: BTreeSet<(u64, u32)>,
}

impl<'a> Index<'a> {
    pub(crate) fn new(changes: &'a [Change]) -> Index<'a> {
        Index { changes, next: 0, entries: BTreeSet::new() }
    }

    /// The numbers of the keys with values in a range after so many commits; one that has several of them comes as often.
    pub(crate) fn find(&mut self, commits: u32, from: u64, to: u64) -> impl Iterator<Item = u32> {
        while let Some(change) = self.changes.get(self.next).filter(|change| change.commit <= commits) {
            match change.is_gain {
                true => self.entries.insert((change.value, change.key)),
                false => self.entries.remove(&(change.value, change.key)),
            };
            self.next += 1;
        }
        let range = (from <= to).then(|| self.entries.range((from, 0)..=(to, u32::MAX)));
        range.into_iter().flatten().map(|(_, key)| *key)
    }
}
