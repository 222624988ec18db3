//! What is there, in maps.

use std::collections::BTreeMap;

use blaze::{Document, ErrorKind, Update, Value, inc, set};

use super::changes::Change;

#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    pub(super) notes: BTreeMap<i64, Document>,
    pub(super) comments: BTreeMap<(i64, i64), i64>,
    pub(super) pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) counters: BTreeMap<Vec<u8>, i64>,
    /// Values with the moments at which they expire.
    pub(super) sessions: BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>,
    pub(super) files: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The form of each index that is there.
    pub(super) indexes: BTreeMap<String, u8>,
    /// Documents that were loaded at last.
    pub(super) loaded: u8,
}

impl Naive {
    /// Makes a change at some moment; says whether there was something to change.
    pub(super) fn apply(&mut self, change: &Change, now_ms: u64) -> Result<bool, ErrorKind> {
        match change {
            Change::Insert(id, _) if self.notes.contains_key(&i64::from(*id)) => return Err(ErrorKind::AlreadyExists),
            Change::Put(id, document) | Change::Insert(id, document) => return self.write(*id, document.clone()),
            Change::Set(id, field, value) => {
                let Some(there) = self.notes.get(&i64::from(*id)) else { return Err(ErrorKind::NotFound) };
                return self.update(*id, there.clone(), &set(*field, value.clone()));
            }
            Change::Count(id) => {
                let there = self.notes.get(&i64::from(*id)).cloned().unwrap_or_default();
                return self.update(*id, there, &inc("n", 1));
            }
            Change::Delete(id) => return Ok(self.notes.remove(&i64::from(*id)).is_some()),
            Change::DeleteWith(id) => {
                let before = self.comments.len();
                self.comments.retain(|(parent, _), _| *parent != i64::from(*id));
                let is_note = self.notes.remove(&i64::from(*id)).is_some();
                return Ok(is_note || self.comments.len() < before);
            }
            Change::Comment(parent, id, n) => drop(self.comments.insert((i64::from(*parent), i64::from(*id)), *n)),
            Change::DeleteComment(parent, id) => {
                return Ok(self.comments.remove(&(i64::from(*parent), i64::from(*id))).is_some());
            }
            Change::PutPair(key, value) => drop(self.pairs.insert(vec![*key], vec![*value])),
            Change::DeletePair(key) => drop(self.pairs.remove(&vec![*key])),
            Change::DeletePairs(start, end) => self.pairs.retain(|key, _| !(*start..*end).contains(&key[0])),
            Change::Add(key, delta) => *self.counters.entry(vec![*key]).or_default() += delta,
            Change::Session(key, value, ms) => {
                let expiry_ms = ms.map(|ms| now_ms + u64::from(ms));
                self.sessions.insert(vec![*key], (vec![*value], expiry_ms));
            }
            Change::EndSession(key) => drop(self.sessions.remove(&vec![*key])),
            Change::PutFile(key, bytes) => drop(self.files.insert(vec![*key], bytes.clone())),
            Change::DeleteFile(key) => return Ok(self.files.remove(&vec![*key]).is_some()),
        }
        Ok(true)
    }

    fn update(&mut self, id: u8, mut document: Document, update: &Update) -> Result<bool, ErrorKind> {
        update.apply(&mut document).map_err(|error| error.kind())?;
        self.write(id, document)
    }

    fn write(&mut self, id: u8, document: Document) -> Result<bool, ErrorKind> {
        let is_taken = |of: &Document| code(of).is_some() && code(of) == code(&document);
        let others = || self.notes.iter().filter(|(other, _)| **other != i64::from(id));
        if self.indexes.contains_key("code") && others().any(|(_, other)| is_taken(other)) {
            return Err(ErrorKind::AlreadyExists);
        }
        self.notes.insert(i64::from(id), document);
        Ok(true)
    }

    /// Whether the documents let an index of a kind be built.
    pub(super) fn fits(&self, kind: u8) -> Result<(), ErrorKind> {
        let codes: Vec<&Value> = self.notes.values().filter_map(code).collect();
        let is_twice = |(at, of): (usize, &&Value)| codes[..at].contains(of);
        match kind == super::steps::UNIQUE && codes.iter().enumerate().any(is_twice) {
            true => Err(ErrorKind::AlreadyExists),
            false => Ok(()),
        }
    }
}

/// The value in the unique index.
fn code(document: &Document) -> Option<&Value> {
    document.get("code").filter(|code| !code.is_null())
}
