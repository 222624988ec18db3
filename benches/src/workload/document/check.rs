//! Whether the store answers what the model says.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::model::{Answer, Model};
use super::naive::{Tally, matches};
use super::question::Question;
use crate::Result;
use crate::engine::{Documents, Find};

/// A store beside its model.
pub(super) struct Checker<'a> {
    pub(super) store: &'a dyn Documents,
    pub(super) model: &'a Model,
}

impl Checker<'_> {
    /// Reads documents by their ids; those that the model does not have must be missing.
    pub(super) fn compare(&self, places: &[usize]) -> Result<()> {
        for &place in places {
            let (id, expected) = (self.model.id(place), self.model.document(place)?);
            let found = self.store.read(id)?;
            if found != expected {
                return Err(format!("wrong answer: document {id}: {found:?}, expected {expected:?}").into());
            }
        }
        Ok(())
    }

    /// Asks a question and looks at everything in the answer: that each document is the one that was written, matches
    /// and comes once.
    pub(super) fn examine(&self, question: &Question, answer: &Answer) -> Result<()> {
        if question.counts {
            return self.ask(question, answer);
        }
        let find = &question.find;
        let mut seen = HashSet::new();
        self.tally(question, answer, |id, document| {
            if !seen.insert(id.to_owned()) {
                return Err(format!("document {id} comes twice"));
            }
            let expected = self.model.find(id).map_err(|error| error.to_string())?;
            if expected.as_ref() != Some(document) {
                return Err(format!("document {id}: {document:?}, expected {expected:?}"));
            }
            match matches(document, &find.conditions)? {
                true => Ok(()),
                false => Err(format!("document {id} does not match: {document:?}")),
            }
        })
    }

    /// Asks a question and compares what its rows add up to.
    pub(super) fn ask(&self, question: &Question, answer: &Answer) -> Result<()> {
        if !question.counts {
            return self.tally(question, answer, |_, _| Ok(()));
        }
        let (found, expected) = (self.store.count(&question.find)?, answer.matching);
        match found == expected {
            true => Ok(()),
            false => Err(wrong(question, format!("{found}, expected {expected}")).into()),
        }
    }

    fn tally(
        &self,
        question: &Question,
        answer: &Answer,
        mut look: impl FnMut(&str, &Map<String, Json>) -> std::result::Result<(), String>,
    ) -> Result<()> {
        let find: &Find = &question.find;
        let (mut tally, mut seen) = (Tally::default(), Ok(()));
        self.store.find(find, &mut |id, document| {
            if seen.is_ok() {
                seen = tally.add(find, id, document).and_then(|()| look(id, document));
            }
        })?;
        seen.map_err(|error| wrong(question, error))?;
        let (Tally { rows, sum }, expected) = (tally, answer.tally);
        match tally == expected {
            true => Ok(()),
            false => {
                let found = format!("{rows} rows with the checksum {sum:016x}");
                let expected = format!("{} rows with the checksum {:016x}", expected.rows, expected.sum);
                Err(wrong(question, format!("{found}, expected {expected}")).into())
            }
        }
    }
}

fn wrong(question: &Question, what: String) -> String {
    format!("wrong answer: {}", question.error(what))
}
