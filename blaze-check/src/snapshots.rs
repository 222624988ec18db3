//! Compares every answer with what the snapshot of its transaction has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::changes::{By, Changes, Index, range_of};
use crate::history::{Element, Key, Operation, Predicate};
use crate::ledger::Ledger;
use crate::misread::Misreads;
use crate::order::Fate;
use crate::report::Report;

/// A transaction that committed has seen a version of a key that others wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub(crate) transaction: u32,
    pub(crate) key: u32,
    pub(crate) version: u32,
}

/// A find of a transaction that committed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Find {
    pub(crate) transaction: u32,
    pub(crate) operation: u32,
}

/// A key that matched at the snapshot and was not found: whoever made the version that matches came later, for the reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    pub(crate) find: Find,
    pub(crate) key: u32,
    pub(crate) version: u32,
}

/// What was seen, for the graph.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) observations: Vec<Observation>,
    /// Finds that found what their snapshots have.
    pub(crate) finds: Vec<Find>,
    /// What the other ones lack.
    pub(crate) missed: Vec<Missed>,
}

/// An object that is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expected {
    pub(crate) key: Key,
    pub(crate) last: Element,
    /// The number of the key, if it is as others left it.
    pub(crate) number: Option<u32>,
}

/// What a transaction itself has made of a key.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// True if it was removed, so that nothing of the snapshot is left.
    pub(crate) is_cleared: bool,
    pub(crate) appended: Vec<Element>,
    /// The last append; it has the attributes.
    operation: usize,
}

impl Own {
    fn is_there(&self) -> bool {
        !self.appended.is_empty()
    }
}

/// The keys that a transaction has written so far.
pub(crate) type OwnWrites = HashMap<Key, Own>;

/// Goes through all transactions in the order of their snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots<'a> {
    ledger: &'a Ledger<'a>,
    indexes: BTreeMap<By, Index<'a>>,
    seen: Seen,
    misreads: Misreads<'a>,
}

/// What finds ask for.
pub(crate) fn asked_for(ledger: &Ledger<'_>) -> BTreeSet<By> {
    let operations = ledger.history.transactions.iter().flat_map(|transaction| &transaction.operations);
    let finds = operations.filter_map(|operation| match operation {
        Operation::Find { predicate, .. } => Some(range_of(predicate).0),
        _ => None,
    });
    finds.collect()
}

/// Checks all answers; what comes of it are what was seen, and the orders of versions that lists tell and timestamps do not.
pub(crate) fn check<'a>(ledger: &'a Ledger<'a>, changes: &'a Changes, report: &mut Report) -> (Seen, Misreads<'a>) {
    let indexes = changes.names().map(|by| (by, Index::new(changes.all(by)))).collect();
    let mut snapshots = Snapshots { ledger, indexes, seen: Seen::default(), misreads: Misreads::new(ledger) };
    let mut transactions: Vec<u32> = (0..ledger.history.transactions.len() as u32).collect();
    transactions.sort_by_key(|index| ledger.snapshot(*index));
    for index in transactions {
        snapshots.check(index, report);
    }
    snapshots.misreads.report_what_is_missing(report);
    (snapshots.seen, snapshots.misreads)
}

impl<'a> Snapshots<'a> {
    fn check(&mut self, index: u32, report: &mut Report) {
        let ledger = self.ledger;
        let is_committed = ledger.fate(index) != Fate::Aborted;
        let mut own = OwnWrites::new();
        for (at, operation) in ledger.transaction(index).operations.iter().enumerate() {
            match operation {
                Operation::Append { key, element, .. } => {
                    let own = own.entry(*key).or_default();
                    own.appended.push(*element);
                    own.operation = at;
                }
                Operation::Delete { key } => {
                    let own = own.entry(*key).or_default();
                    own.is_cleared = true;
                    own.appended.clear();
                }
                Operation::Read { key, seen } => {
                    let version = self.read(index, at, (*key, seen), &own, report);
                    if let Some((key, version)) = version {
                        self.observe(index, is_committed, key, version);
                    }
                }
                Operation::Find { predicate, found } => {
                    let find = Find { transaction: index, operation: at as u32 };
                    self.find(find, is_committed, (predicate, found), &own, report);
                }
            }
        }
    }

    fn observe(&mut self, transaction: u32, is_committed: bool, key: u32, version: usize) {
        let version = version as u32;
        if self.ledger.timeline(key).versions[version as usize].transaction != transaction {
            self.misreads.has_seen(key, version);
        }
        if is_committed {
            self.seen.observations.push(Observation { transaction, key, version });
        }
    }

    /// Checks a list, and answers which version was seen of the key, if it was one that others wrote.
    fn read(
        &mut self,
        index: u32,
        at: usize,
        (key, seen): (Key, &[Element]),
        own: &OwnWrites,
        report: &mut Report,
    ) -> Option<(u32, usize)> {
        let number = self.ledger.number(key);
        let version = number.map_or(0, |number| self.ledger.timeline(number).at(self.ledger.snapshot(index)));
        let base = number.map_or(&[][..], |number| self.ledger.timeline(number).list(version));
        let own = own.get(&key);
        let base = if own.is_some_and(|own| own.is_cleared) { &[] } else { base };
        let appended = own.map_or(&[][..], |own| own.appended.as_slice());
        if seen.len() == base.len() + appended.len() && seen.starts_with(base) && seen.ends_with(appended) {
            return number.filter(|_| !own.is_some_and(|own| own.is_cleared)).map(|number| (number, version));
        }
        let version = self.misreads.list(index, at, (key, seen), (base, own), report);
        number.zip(version)
    }

    fn find(
        &mut self,
        find: Find,
        is_committed: bool,
        (predicate, found): (&Predicate, &[(Key, Element)]),
        own: &OwnWrites,
        report: &mut Report,
    ) {
        let (ledger, index) = (self.ledger, find.transaction);
        let snapshot = ledger.snapshot(index);
        let (by, from, to) = range_of(predicate);
        let matching: Vec<u32> =
            self.indexes.get_mut(&by).into_iter().flat_map(|index| index.find(snapshot, from, to)).collect();
        let mut expected: Vec<Expected> = Vec::with_capacity(found.len());
        for key in matching {
            let name = ledger.keys[key as usize];
            let timeline = ledger.timeline(key);
            if let Some(last) = timeline.list(timeline.at(snapshot)).last().filter(|_| !own.contains_key(&name)) {
                expected.push(Expected { key: name, last: *last, number: Some(key) });
            }
        }
        for (key, own) in own.iter().filter(|(_, own)| own.is_there()) {
            let Operation::Append { attributes, .. } = &ledger.transaction(index).operations[own.operation] else {
                continue;
            };
            if let Some(last) = own.appended.last().filter(|_| predicate.matches(*key, attributes)) {
                expected.push(Expected { key: *key, last: *last, number: None });
            }
        }
        expected.sort_unstable();
        expected.dedup();
        let is_sorted = found.is_sorted();
        let mut sorted = Vec::new();
        if !is_sorted {
            sorted = found.to_vec();
            sorted.sort_unstable();
        }
        let found = if is_sorted { found } else { &sorted };
        if expected.iter().map(|expected| (expected.key, expected.last)).eq(found.iter().copied()) {
            for key in expected.iter().filter_map(|expected| expected.number) {
                self.observe(index, is_committed, key, ledger.timeline(key).at(snapshot));
            }
            if is_committed {
                self.seen.finds.push(find);
            }
            return;
        }
        let misread = self.misreads.found(find, predicate, (&expected, found), own, report);
        for (key, version) in misread.seen {
            self.observe(index, is_committed, key, version);
        }
        if is_committed {
            let missed = misread.missed.into_iter();
            self.seen.missed.extend(missed.map(|(key, version)| Missed { find, key, version }));
        }
    }
}
