//! Writing what an index on text has of a document.

use blaze_core::fault::{self, Mistake};
use blaze_core::record::RawDocument;
use blaze_core::{Document, DocumentId, Family, Result, Timestamp};

use super::entries::with_place;
use super::subject::Subject;
use super::text_entries::{TextAnalysis, TextEntry, indexed_texts};
use super::{Entries, IndexDefinition, IndexFields};
use crate::session::Session;
use crate::text::{ChangeRow, change_key, entry_key};

/// What the writing of a document changes in one index on text.
#[derive(Debug)]
pub(crate) struct TextChange {
    /// True if the document may have an entry.
    had_text: bool,
    after: Entries,
}

impl TextChange {
    /// What has to be written where `after` takes the place of `before`: nothing if both have the same texts.
    ///
    /// The texts say it, and not the entries: those do not tell where terms are. What was there before is not analysed again.
    pub(crate) fn of(
        index: &IndexDefinition,
        id: &DocumentId,
        before: Option<&Document>,
        after: Option<&Document>,
    ) -> Result<Option<TextChange>> {
        // A document that cannot be looked at has no entry: it was there before the index.
        let texts = indexed_texts(index, id, before).unwrap_or_default();
        if texts == indexed_texts(index, id, after)? {
            return Ok(None);
        }
        let after = after.map_or(Ok(Entries::default()), |after| Entries::of(index, id, after))?;
        Ok(Some(TextChange { had_text: texts.is_some(), after }))
    }

    /// Writes the entry, and what is not folded yet. All changes of a session to a document are one.
    pub(crate) fn write(self, session: &Session, index: &IndexDefinition, id: &DocumentId) -> Result<()> {
        let entry_key = entry_key(index.id, id);
        let change_key = change_key(index.id, &entry_key[4..], session.read_ts());
        let own = session.own(Family::Text, &change_key)?;
        let is_changed_before = own.is_some();
        let before = match own {
            Some(Some(own)) => ChangeRow::read(&own)?.before.map(<[u8]>::to_vec),
            Some(None) => None,
            // Counts as read: nobody may add the entry of a document that was there before the index meanwhile.
            None if self.had_text && !fault::makes(Mistake::ForgottenPosting) => {
                session.get(Family::Text, &entry_key)?
            }
            None => None,
        };
        let row = ChangeRow { ts: Timestamp::ZERO, before: before.as_deref(), after: self.after.occurrences() };
        if row.before.is_some() || row.after.is_some() {
            session.put(Family::Text, change_key, row.to_bytes(), Some(ChangeRow::STAMP_AT))?;
        } else if is_changed_before {
            session.delete(Family::Text, change_key)?;
        }
        match self.after.into_iter().next() {
            Some((key, terms)) => session.put(Family::Text, key, terms, None),
            // There or not, for the same reason: snapshot isolation does not validate what was read.
            None if self.had_text || is_changed_before => session.delete(Family::Text, entry_key),
            None => Ok(()),
        }
    }
}

/// Writes the entries of documents that were there before the index, but for those that were written since.
pub(super) struct TextFill<'a> {
    index: &'a IndexDefinition,
    analysis: TextAnalysis<'a>,
    /// Entries that are not written yet, with their keys, and how many bytes they are.
    made: Vec<(Vec<u8>, TextEntry)>,
    made_bytes: usize,
    /// Bytes of all entries.
    bytes: usize,
}

/// Entries that are made before they are written: a session puts its writes in order whenever it is asked for a row.
const MADE_MAX: usize = 1_000;
const MADE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of entries after which a batch is better ended: a transaction has a limit.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

impl<'a> TextFill<'a> {
    /// None for an index that is not on text.
    pub(super) fn new(index: &'a IndexDefinition) -> Result<Option<TextFill<'a>>> {
        let IndexFields::Text(fields) = index.parts()? else { return Ok(None) };
        Ok(Some(TextFill { index, analysis: TextAnalysis::new(fields), made: Vec::new(), made_bytes: 0, bytes: 0 }))
    }

    /// Makes the entry of the next document.
    pub(super) fn add(&mut self, session: &Session, id: &DocumentId, record: &RawDocument<'_>) -> Result<()> {
        let key = entry_key(self.index.id, id);
        if session.visit(Family::Text, &key, &mut |_| Ok(()))? {
            return Ok(());
        }
        if let Some(filter) = self.index.only()?
            && !with_place(id, &record.decode()?, |whole| filter.matches(whole))
        {
            return Ok(());
        }
        let made = self.analysis.entry(Subject::Record(record));
        let made = made.map_err(|error| error.context(format!("index {:?}, document {id:?}", self.index.name)))?;
        if let Some(entry) = made {
            let bytes = key.len() + entry.terms.len() + entry.occurrences.len();
            self.made_bytes += bytes;
            self.bytes += bytes;
            self.made.push((key, entry));
        }
        let is_enough = self.made.len() >= MADE_MAX || self.made_bytes >= MADE_BYTES_MAX;
        if is_enough { self.write(session) } else { Ok(()) }
    }

    /// True if other documents are better left to another batch.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }

    /// Writes the entries that were made, and what is not folded yet. The session has no row of a document without an entry.
    pub(super) fn write(&mut self, session: &Session) -> Result<()> {
        self.made_bytes = 0;
        for (key, TextEntry { terms, occurrences }) in self.made.drain(..) {
            let change_key = change_key(self.index.id, &key[4..], session.read_ts());
            let row = ChangeRow { ts: Timestamp::ZERO, before: None, after: Some(&occurrences) };
            session.put(Family::Text, change_key, row.to_bytes(), Some(ChangeRow::STAMP_AT))?;
            session.put(Family::Text, key, terms, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
