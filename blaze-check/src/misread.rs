//! Says what is wrong with an answer that is not of its snapshot.

use std::collections::{BTreeMap, HashSet};

use crate::anomaly::Kind;
use crate::elements::Writer;
use crate::history::{Element, Key, Operation};
use crate::ledger::Ledger;
use crate::order::Fate;
use crate::report::Report;
use crate::snapshots::Own;
use crate::timeline::NONE;

/// Who should have seen a version and did not; whether others did shows in the end.
#[derive(Debug)]
pub(crate) struct Missing {
    reader: u32,
    key: u32,
    version: u32,
    words: String,
}

/// What was wrong with answers, as far as it matters beyond one of them.
#[derive(Debug)]
pub(crate) struct Misreads<'a> {
    pub(crate) ledger: &'a Ledger<'a>,
    /// By key: the last version that anybody but its writer has seen.
    seen_up_to: Vec<u32>,
    pub(crate) missing: Vec<Missing>,
    /// By key: the longest list that has its elements in another order than their transactions committed, as versions.
    contradictions: BTreeMap<u32, Vec<u32>>,
}

/// Where an answer is wrong: who got it, and what it is about.
#[derive(Clone, Copy)]
pub(crate) struct Answer<'b> {
    pub(crate) reader: u32,
    pub(crate) key: Key,
    pub(crate) about: &'b str,
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
    pub(crate) fn element(
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
    pub(crate) fn missing(
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

    pub(crate) fn snapshot(&self, reader: u32) -> String {
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
