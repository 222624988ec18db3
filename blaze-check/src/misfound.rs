//! Says what is wrong with what a find has found.

use crate::anomaly::Kind;
use crate::history::{Element, Key, Predicate};
use crate::misread::{Answer, Misreads};
use crate::order::Fate;
use crate::report::Report;
use crate::snapshots::{Expected, Find, OwnWrites};

/// What a find that was wrong has seen nevertheless: keys with versions.
#[derive(Debug, Default)]
pub(crate) struct Misfound {
    pub(crate) seen: Vec<(u32, usize)>,
    pub(crate) missed: Vec<(u32, u32)>,
}

impl Misreads<'_> {
    /// Reports what is wrong with what a find found.
    pub(crate) fn found(
        &mut self,
        find: Find,
        predicate: &Predicate,
        (expected, found): (&[Expected], &[(Key, Element)]),
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
            let is_expected = expected.iter().any(|expected| (expected.key, expected.last) == (*key, *element));
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
        for Expected { key, last: element, number } in expected {
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
}

/// A predicate in words.
pub(crate) fn asked(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Keys { from, to } => format!("keys {from} to {to}"),
        Predicate::Attribute { name, from, to } if from == to => format!("the value {from} of attribute {name}"),
        Predicate::Attribute { name, from, to } => format!("values {from} to {to} of attribute {name}"),
    }
}
