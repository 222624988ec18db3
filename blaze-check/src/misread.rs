//! Says what is wrong with an answer that is not of its snapshot.

use std::collections::{BTreeMap, HashSet};

use crate::anomaly::Kind;
use crate::elements::Writer;
use crate::history::{Element, Key, Operation, Predicate};
use crate::ledger::Ledger;
use crate::order::Fate;
use crate::report::Report;
use crate::snapshots::{Find, Own, OwnWrites};
use crate::timeline::NONE;

/// Who should have seen a version and did not; whether others did shows in the end.
#[derive(Debug)]
struct Missing {
    reader: u32,
    key: u32,
    version: u32,
    words: String,
}

/// What was wrong with answers, as far as it matters beyond one of them.
#[derive(Debug)]
pub(crate) struct Misreads<'a> {
    ledger: &'a Ledger<'a>,
    /// By key: the last version that anybody but its writer has seen.
    seen_up_to: Vec<u32>,
    missing: Vec<Missing>,
    /// By key: the longest list that has its elements in another order than their transactions committed, as versions.
    contradictions: BTreeMap<u32, Vec<u32>>,
}

/// What a find that was wrong has seen nevertheless: keys with versions.
#[derive(Debug, Default)]
pub(crate) struct Misfound {
    pub(crate) seen: Vec<(u32, usize)>,
    pub(crate) missed: Vec<(u32, u32)>,
}

/// Where an answer is wrong: who got it, and what it is about.
#[derive(Clone, Copy)]
struct Answer<'b> {
    reader: u32,
    key: Key,
    about: &'b str,
}

impl<'a> Misreads<'a> {
    pub(crate) fn new(ledger: &'a Ledger<'a>) -> Misreads<'a> {
        let seen_up_to = vec![0; ledger.keys.len()];
        Misreads { ledger, seen_up_to, missing: Vec::new(), contradictions: BTreeMap::new() }
    }

    pub(crate) fn has_seen(&mut self, key: u32, version: u32) {
        let seen = &mut self.seen_up_to[key as usize];
        *seen = version.max(*seen);
    }

    /// By key: versions in the order that a list tells, where that is another one.
    pub(crate) fn into_contradictions(self) -> BTreeMap<u32, Vec<u32>> {
        self.contradictions
    }

    /// Reports what is wrong with a list, and answers which version it is of, if it is of any that others wrote.
    pub(crate) fn list(
        &mut self,
        reader: u32,
        at: usize,
        (key, seen): (Key, &[Element]),
        (base, own): (&[Element], Option<&Own>),
        report: &mut Report,
    ) -> Option<usize> {
        let ledger = self.ledger;
        let appended = own.map_or(&[][..], |own| own.appended.as_slice());
        let about = format!(
            "transaction {} reads {} of key {key}, where {} and what it wrote make it {}",
            ledger.id(reader),
            shown(seen),
            self.snapshot(reader),
            shown(&[base, appended].concat()),
        );
        let answer = Answer { reader, key, about: &about };
        let (before, missing_before) = (report.added(), self.missing.len());
        let mut versions = Vec::new();
        let mut counted = HashSet::new();
        for element in seen {
            if !counted.insert(*element) {
                report
                    .add(Kind::Garbage, vec![ledger.id(reader), key], || format!("{about}: {element} is there twice"));
            } else {
                let known = report.added();
                let version = self.element(answer, *element, Some(appended), report);
                if version.is_some() && known == report.added() && !base.contains(element) {
                    let kind = if own.is_some_and(|own| own.is_cleared) { Kind::OwnWrites } else { Kind::StaleRead };
                    report.add(kind, vec![ledger.id(reader)], || format!("{about}: {element} was removed"));
                }
                versions.extend(version.map(|version| version as u32));
            }
        }
        if let Some(lost) = appended.iter().find(|element| !counted.contains(element)) {
            report.add(Kind::OwnWrites, vec![ledger.id(reader)], || format!("{about}: its own {lost} is missing"));
        }
        self.is_repeated(answer, at, seen, report);
        let last = versions.last().map(|last| *last as usize);
        if let Some(number) = ledger.number(key) {
            versions.dedup();
            if !versions.is_sorted() {
                let (first, words) = (vec![key], || format!("{about}: its elements were committed in another order"));
                report.add(Kind::VersionOrder, first, words);
                let longest = self.contradictions.entry(number).or_default();
                if longest.len() < versions.len() {
                    longest.clone_from(&versions);
                }
            }
            let newest = versions.iter().copied().max().unwrap_or(0);
            for element in base.iter().filter(|element| !counted.contains(element)) {
                self.missing(answer, *element, (number, newest), seen, report);
            }
        }
        if report.added() == before && self.missing.len() == missing_before {
            report.add(Kind::Internal, vec![ledger.id(reader), key], || about.clone());
        }
        match last {
            _ if own.is_some_and(|own| own.is_cleared) => None,
            None => self.absent(key, reader),
            last => last,
        }
    }

    /// Reports what is wrong with an element that was seen; answers its version, if it is one that others committed.
    fn element(
        &self,
        answer: Answer<'_>,
        element: Element,
        own: Option<&[Element]>,
        report: &mut Report,
    ) -> Option<usize> {
        let (ledger, Answer { reader, key, about }) = (self.ledger, answer);
        let id = ledger.id(reader);
        let Some(Writer { transaction: writer, .. }) = ledger.writer(element).filter(|writer| writer.key == key) else {
            report.add(Kind::Garbage, vec![id, key], || format!("{about}: nobody wrote {element} there"));
            return None;
        };
        if writer == reader {
            if own.is_none_or(|own| !own.contains(&element)) {
                report.add(Kind::OwnWrites, vec![id], || {
                    format!("{about}: {element} is its own, and not there yet or no longer")
                });
            }
            return None;
        }
        let who = ledger.id(writer);
        let Fate::Writer(commit) = ledger.fate(writer) else {
            report.add(Kind::G1a, vec![id, who], || {
                format!("{about}: transaction {who} wrote {element} and did not commit")
            });
            return None;
        };
        let number = ledger.number(key)?;
        let version = ledger.timeline(number).version_of(commit)?;
        let list = ledger.timeline(number).list(version);
        if commit > ledger.snapshot(reader) {
            let ts = ledger.order.timestamp(commit);
            report.add(Kind::FutureRead, vec![id, who], || {
                format!("{about}: transaction {who} committed {element} at {ts}")
            });
        }
        if !list.contains(&element) {
            let words = || format!("{about}: transaction {who} wrote {element} and removed it before it committed");
            report.add(Kind::G1b, vec![id, who], words);
        }
        Some(version)
    }

    /// An element of the snapshot that was not seen.
    fn missing(
        &mut self,
        answer: Answer<'_>,
        element: Element,
        (number, newest): (u32, u32),
        seen: &[Element],
        report: &mut Report,
    ) {
        let (ledger, Answer { reader, about, .. }) = (self.ledger, answer);
        let Some(Writer { transaction: writer, .. }) = ledger.writer(element) else { return };
        let Fate::Writer(commit) = ledger.fate(writer) else { return };
        let Some(version) = ledger.timeline(number).version_of(commit) else { return };
        let (id, who, ts) = (ledger.id(reader), ledger.id(writer), ledger.order.timestamp(commit));
        let words = || format!("{about}: {element}, which transaction {who} committed at {ts}, is missing");
        let is_of_writer = |element: &Element| ledger.writer(*element).is_some_and(|other| other.transaction == writer);
        if seen.iter().any(is_of_writer) {
            report.add(Kind::G1b, vec![id, who], words);
        } else if ledger
            .transaction(reader)
            .operations
            .iter()
            .flat_map(Operation::shown)
            .any(|element| is_of_writer(&element))
        {
            report.add(Kind::TornCommit, vec![id, who], words);
        } else if (version as u32) < newest {
            report.add(Kind::LostCommit, vec![who, answer.key], words);
        } else {
            self.missing.push(Missing { reader, key: number, version: version as u32, words: words() });
        }
    }

    /// What the transaction has seen of the key before, if that was something else.
    fn is_repeated(&self, answer: Answer<'_>, at: usize, seen: &[Element], report: &mut Report) {
        let Answer { reader, key, about } = answer;
        let foreign = |list: &[Element]| -> Vec<Element> {
            let is_foreign =
                |element: &Element| self.ledger.writer(*element).is_none_or(|writer| writer.transaction != reader);
            list.iter().copied().filter(is_foreign).collect()
        };
        let before = &self.ledger.transaction(reader).operations[..at];
        if before.iter().any(|operation| matches!(operation, Operation::Delete { key: deleted } if *deleted == key)) {
            return;
        }
        let other = before.iter().find_map(|operation| match operation {
            Operation::Read { key: other, seen: first } if *other == key && foreign(first) != foreign(seen) => {
                Some(first)
            }
            _ => None,
        });
        if let Some(first) = other {
            let words = || format!("{about}: it has read {} before", shown(first));
            report.add(Kind::Internal, vec![self.ledger.id(reader), key], words);
        }
    }

    /// The version that a transaction saw that did not find a key.
    fn absent(&self, key: Key, reader: u32) -> Option<usize> {
        let timeline = self.ledger.timeline(self.ledger.number(key)?);
        (0..=timeline.at(self.ledger.snapshot(reader))).rev().find(|version| timeline.list(*version).is_empty())
    }

    /// Reports what is wrong with what a find found.
    pub(crate) fn found(
        &mut self,
        find: Find,
        predicate: &Predicate,
        (expected, found): (&[(Key, Element, Option<u32>)], &[(Key, Element)]),
        own: &OwnWrites,
        report: &mut Report,
    ) -> Misfound {
        let (ledger, reader) = (self.ledger, find.transaction);
        let id = ledger.id(reader);
        let mut misfound = Misfound::default();
        let (before, missing_before) = (report.added(), self.missing.len());
        let (asked, snapshot) = (asked(predicate), self.snapshot(reader));
        let about = |key: Key, what: &str| {
            format!(
                "transaction {id} looks for {asked}, and of what {snapshot} and its own writes have, {what} key {key}"
            )
        };
        for pair in found.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let words = || about(pair[0].0, "finds twice");
            report.add(Kind::WrongMatch, vec![id, pair[0].0], words);
        }
        for (key, element) in found {
            let is_expected = expected.iter().any(|(other, last, _)| (other, last) == (key, element));
            let text = about(*key, &format!("wrongly finds {element} in"));
            let answer = Answer { reader, key: *key, about: &text };
            let appended = own.get(key).map(|own| own.appended.as_slice());
            let known = report.added();
            let version = match is_expected {
                true => ledger
                    .writer(*element)
                    .filter(|writer| writer.transaction != reader)
                    .and_then(|_| self.absolute(*key, *element)),
                false => self.element(answer, *element, appended, report),
            };
            if let Some((number, version)) = ledger.number(*key).zip(version) {
                if !is_expected && report.added() == known {
                    self.not_of_the_snapshot(answer, predicate, (number, version, *element), report);
                }
                misfound.seen.push((number, version));
            } else if !is_expected && report.added() == known {
                report.add(Kind::OwnWrites, vec![id], || text.clone());
            }
        }
        for (key, element, number) in expected {
            if found.iter().any(|(other, _)| other == key) {
                continue;
            }
            let text = about(*key, &format!("does not find {element} in"));
            let Some(number) = *number else {
                report.add(Kind::OwnWrites, vec![id], || text.clone());
                continue;
            };
            let answer = Answer { reader, key: *key, about: &text };
            self.missing(answer, *element, (number, 0), &[], report);
            misfound.missed.push((number, ledger.timeline(number).at(ledger.snapshot(reader)) as u32));
        }
        if report.added() == before && self.missing.len() == missing_before {
            report.add(Kind::Internal, vec![id], || about(found.first().map_or(0, |found| found.0), "is wrong at"));
        }
        misfound
    }

    /// The version whose last element this is, whatever the snapshot.
    fn absolute(&self, key: Key, element: Element) -> Option<usize> {
        let Fate::Writer(commit) = self.ledger.fate(self.ledger.writer(element)?.transaction) else { return None };
        self.ledger.timeline(self.ledger.number(key)?).version_of(commit)
    }

    /// A committed version was found that the snapshot has not, or that does not match.
    fn not_of_the_snapshot(
        &self,
        answer: Answer<'_>,
        predicate: &Predicate,
        (number, version, element): (u32, usize, Element),
        report: &mut Report,
    ) {
        let (ledger, Answer { reader, key, about }) = (self.ledger, answer);
        let (id, timeline) = (ledger.id(reader), ledger.timeline(number));
        let who = ledger.id(timeline.versions[version].transaction);
        if timeline.list(version).last() != Some(&element) {
            let words = || format!("{about}: transaction {who} went on writing before it committed");
            report.add(Kind::G1b, vec![id, who], words);
        } else if ledger.attributes(number, version).is_none_or(|attributes| !predicate.matches(key, attributes)) {
            report.add(Kind::WrongMatch, vec![id, key], || format!("{about}: it does not match"));
        } else {
            report.add(Kind::StaleRead, vec![id], || format!("{about}: it was written over, or removed"));
        }
    }

    /// Reports what was not seen: as lost if several should have seen it and nobody did, else as stale.
    pub(crate) fn report_what_is_missing(&mut self, report: &mut Report) {
        let mut missing = std::mem::take(&mut self.missing);
        missing.sort_by_key(|missing| (missing.key, missing.version));
        for of_a_version in missing.chunk_by(|one, next| (one.key, one.version) == (next.key, next.version)) {
            let (key, version) = (of_a_version[0].key, of_a_version[0].version);
            let writer = self.ledger.timeline(key).versions[version as usize].transaction;
            let readers: HashSet<u32> = of_a_version.iter().map(|missing| missing.reader).collect();
            if writer != NONE && self.seen_up_to[key as usize] < version && readers.len() > 1 {
                let who = self.ledger.id(writer);
                let words = || format!("{}, and nobody else has seen it", of_a_version[0].words);
                report.add(Kind::LostCommit, vec![who, self.ledger.keys[key as usize]], words);
                continue;
            }
            for missing in of_a_version {
                report.add(Kind::StaleRead, vec![self.ledger.id(missing.reader)], || missing.words.clone());
            }
        }
    }

    fn snapshot(&self, reader: u32) -> String {
        format!("its snapshot at {}", self.ledger.transaction(reader).read_ts)
    }
}

/// A list in words, its end if it is long.
fn shown(list: &[Element]) -> String {
    const SHOWN: usize = 12;
    match list.len().checked_sub(SHOWN) {
        Some(left_out) if left_out > 0 => format!("[{left_out} more, then {:?}]", &list[left_out..]),
        _ => format!("{list:?}"),
    }
}

/// A predicate in words.
pub(crate) fn asked(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Keys { from, to } => format!("keys {from} to {to}"),
        Predicate::Attribute { name, from, to } if from == to => format!("the value {from} of attribute {name}"),
        Predicate::Attribute { name, from, to } => format!("values {from} to {to} of attribute {name}"),
    }
}
