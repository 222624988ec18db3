//! The documents as they should be in the store.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::DocumentSource;
use super::naive::{SortKey, Tally, at, is_mistakable, matches};
use super::question::Question;
use crate::Result;
use crate::dataset::corpus::evenly;
use crate::engine::Find;

/// Ids and documents, these as compact JSON: far smaller than when they are parsed, and the store is to have the memory.
#[derive(Debug, Default)]
pub(super) struct Model {
    ids: Vec<String>,
    places: HashMap<String, usize>,
    /// None for one that is not in the store, not yet or not any more.
    texts: Vec<Option<String>>,
}

/// The right answer to a question.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// How many documents match, whatever the window.
    pub(super) matching: u64,
    /// What the rows of the answer add up to.
    pub(super) tally: Tally,
    keys: Vec<SortKey>,
}

impl Model {
    /// All documents of a source, or `most` of them spread evenly. Ids are random, so that they come in no order.
    pub(super) fn read(source: &DocumentSource, most: usize) -> Result<Model> {
        let mut texts = Vec::new();
        source.corpus().for_each(|line| {
            texts.push(serde_json::to_string(&parsed(line)?)?);
            Ok(())
        })?;
        if texts.is_empty() {
            return Err(
                format!("{} holds no document: each line should be a JSON object", source.corpus().name()).into()
            );
        }
        let texts = evenly(texts, most);
        let ids: Vec<String> = (0..texts.len()).map(id).collect();
        let places = ids.iter().cloned().zip(0..).collect();
        Ok(Model { ids, places, texts: texts.into_iter().map(Some).collect() })
    }

    /// How many documents there are, those that are not in the store included.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Bytes of the documents in the store, as compact JSON.
    pub(super) fn json_bytes(&self) -> u64 {
        self.texts.iter().flatten().map(|text| text.len() as u64).sum()
    }

    pub(super) fn id(&self, place: usize) -> &str {
        &self.ids[place]
    }

    /// The document at a place, if there is one.
    pub(super) fn document(&self, place: usize) -> Result<Option<Map<String, Json>>> {
        let parsed = self.texts[place].as_ref().map(|text| serde_json::from_str(text));
        Ok(parsed.transpose()?)
    }

    /// The documents at places where there must be one.
    pub(super) fn documents(&self, places: &[usize]) -> Result<Vec<Map<String, Json>>> {
        let document = |&place: &usize| self.document(place)?.ok_or_else(|| format!("no document {place}").into());
        places.iter().map(document).collect()
    }

    /// The document under an id, if there is one.
    pub(super) fn find(&self, id: &str) -> Result<Option<Map<String, Json>>> {
        match self.places.get(id) {
            Some(&place) => self.document(place),
            None => Ok(None),
        }
    }

    pub(super) fn text(&self, place: usize) -> Option<&String> {
        self.texts[place].as_ref()
    }

    /// Sets what should be at a place.
    pub(super) fn set(&mut self, place: usize, text: Option<String>) {
        self.texts[place] = text;
    }

    /// All questions with their right answers.
    pub(super) fn answers(&self, questions: Vec<Question>) -> Result<Vec<(Question, Answer)>> {
        let mut answered: Vec<_> = questions.into_iter().map(|question| (question, Answer::default())).collect();
        for place in 0..self.len() {
            let Some(document) = self.document(place)? else { continue };
            for (question, answer) in &mut answered {
                answer.see(&question.find, self.id(place), &document)?;
            }
        }
        for (question, answer) in &mut answered {
            answer.complete(&question.find);
        }
        Ok(answered)
    }

    /// Fails when products do not agree about what a question means, and notes in each condition whether documents hold
    /// something at its path that they may mistake.
    pub(super) fn prepare(&self, questions: &mut [Question]) -> Result<()> {
        for place in 0..self.len() {
            let Some(document) = self.document(place)? else { continue };
            for question in &mut *questions {
                let marked = mark(&mut question.find, &document);
                marked.map_err(|error| question.error(format!("{error} (in document {})", place + 1)))?;
            }
        }
        Ok(())
    }
}

fn mark(find: &mut Find, document: &Map<String, Json>) -> std::result::Result<(), String> {
    for condition in &mut find.conditions {
        let found = at(document, &condition.path)?;
        condition.mixed |= found.is_some_and(|found| is_mistakable(found, condition));
    }
    match &find.sort {
        Some(sort) => match SortKey::of(at(document, &sort.path)?) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{}: {error}", sort.path)),
        },
        None => Ok(()),
    }
}

impl Answer {
    fn see(&mut self, find: &Find, id: &str, document: &Map<String, Json>) -> std::result::Result<(), String> {
        if !matches(document, &find.conditions)? {
            return Ok(());
        }
        self.matching += 1;
        match &find.sort {
            Some(sort) => self.keys.push(SortKey::of(at(document, &sort.path)?)?),
            None => self.tally.add_id(find, id),
        }
        Ok(())
    }

    /// Orders what was seen, and cuts the window out of it.
    fn complete(&mut self, find: &Find) {
        let rest = self.matching.saturating_sub(find.skip as u64);
        self.tally.rows = find.limit.map_or(rest, |limit| rest.min(limit as u64));
        let Some(sort) = &find.sort else { return };
        let mut keys = std::mem::take(&mut self.keys);
        keys.sort_by(|left, right| match sort.descending {
            true => right.compare(left),
            false => left.compare(right),
        });
        self.tally = Tally::default();
        keys.iter().skip(find.skip).take(find.limit.unwrap_or(usize::MAX)).for_each(|key| self.tally.add_key(key));
    }
}

fn parsed(line: &str) -> Result<Map<String, Json>> {
    match serde_json::from_str(line) {
        Ok(Json::Object(document)) => Ok(document),
        Ok(other) => Err(format!("holds {} instead of an object", kind(&other)).into()),
        // Each line is parsed alone, so that serde_json takes all of them for the first.
        Err(error) => Err(error.to_string().replace(" at line 1 column", ", column").into()),
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// Sixteen digits for each number, no two the same: multiplication by an odd number can be undone.
fn id(number: usize) -> String {
    let mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    format!("{:016x}", mixed ^ mixed >> 32)
}
