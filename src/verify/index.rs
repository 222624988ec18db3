//! An index against its documents, entry by entry: for when the sums differ.

use blaze_core::{DocumentId, Error, Family, KeyRange, Result};
use blaze_lsm::Met;

use super::contents::{CollectionContents, IndexContents};
use super::report::Notes;
use super::source::Source;
use crate::catalog::{prefix, prefixed};
use crate::collection::document_key;
use crate::embedding::{parked_key, pending_key};
use crate::index::{Entries, IndexFields, Traits, is_entry, owner, read_id, vector_id, violation};

/// Compares the entries that an index has with those that its documents should have.
pub(super) fn compare(
    source: &dyn Source,
    collection: u32,
    contents: &CollectionContents,
    index: &IndexContents,
    notes: &mut Notes<'_>,
) -> Result<()> {
    if !index.remembered.covers(index.traits) {
        let (name, of) = (Some(contents.name.as_str()), Some(index.definition.name.as_str()));
        let key = Traits::key(index.definition.id);
        let what = match index.traits.has_several && !index.remembered.has_several {
            true => "the index does not say that documents have several entries",
            false => "the index does not say that values were cut",
        };
        notes.problem(name, of, &key[4..], what);
    }
    // What is made of texts is not known: documents only say which of it may be there.
    if index.expected == index.found && !index.definition.is_embedded()? {
        return Ok(());
    }
    let comparison = Comparison { source, collection, contents, index };
    comparison.find_missing(notes)?;
    comparison.find_stray(notes)
}

struct Comparison<'a> {
    source: &'a dyn Source,
    collection: u32,
    contents: &'a CollectionContents,
    index: &'a IndexContents,
}

impl Comparison<'_> {
    /// Entries that documents should have and that are not there.
    fn find_missing(&self, notes: &mut Notes<'_>) -> Result<()> {
        let (definition, family) = (&self.index.definition, self.index.definition.family());
        self.source.walk(Family::Data, &KeyRange::prefix(&prefix(self.collection)), &mut |met| {
            let Met::Entry(key, record) = met else { return Ok(()) };
            notes.count(key, record)?;
            let (id, document) = self.contents.decode(&key[4..], record)?;
            let entries = Entries::of(definition, &id, &document)?;
            if let Some(source) = entries.source()
                && !self.is_waiting_or_done(&source.entry)?
            {
                let message = format!("document {id:?} has no vector and does not wait for one");
                self.tell(&prefixed(definition.id, &source.entry), message, notes);
            }
            for (entry, value) in entries {
                let message = match self.source.get(family, &entry)? {
                    None => format!("document {id:?} has no entry"),
                    Some(found) if found != value => self.describe_other(&id, &entry, &found)?,
                    Some(_) => continue,
                };
                self.tell(&entry, message, notes);
            }
            Ok(())
        })
    }

    /// Entries that no document has.
    fn find_stray(&self, notes: &mut Notes<'_>) -> Result<()> {
        let definition = &self.index.definition;
        self.source.walk(definition.family(), &KeyRange::prefix(&prefix(definition.id)), &mut |met| {
            let Met::Entry(entry, value) = met else { return Ok(()) };
            notes.count(entry, value)?;
            if is_entry(&entry[4..])
                && let Err(error) = self.check_entry(entry, value)
            {
                self.tell(entry, error, notes);
            }
            Ok(())
        })
    }

    /// Says what is wrong with an entry that has another value than that of a document.
    fn describe_other(&self, id: &DocumentId, entry: &[u8], found: &[u8]) -> Result<String> {
        let definition = &self.index.definition;
        if definition.is_unique()
            && let Ok(there) = owner(found)
            && there != *id
            && let Some(record) = self.source.get(Family::Data, &document_key(self.collection, &there))?
        {
            let (there, document) = self.contents.decode(&document_key(self.collection, &there)[4..], &record)?;
            if Entries::of(definition, &there, &document)?.has(entry) {
                return Ok(violation(definition, entry, id, &there).to_string());
            }
        }
        Ok(format!("the entry of document {id:?} has another value"))
    }

    fn check_entry(&self, entry: &[u8], value: &[u8]) -> Result<()> {
        let id = match self.index.definition.parts()? {
            IndexFields::Fields(fields) => read_id(entry, value, fields)?.1,
            IndexFields::Vector(fields) => vector_id(&entry[4..], fields.several)?,
            IndexFields::Text(_) => DocumentId::read_key(&entry[4..])?,
        };
        let key = document_key(self.collection, &id);
        let Some(record) = self.source.get(Family::Data, &key)? else {
            return Err(Error::corruption(format!("an entry is of document {id:?}, which is not there")));
        };
        let (id, document) = self.contents.decode(&key[4..], &record)?;
        let (definition, entries) = (&self.index.definition, Entries::of(&self.index.definition, &id, &document)?);
        match entries.has(entry) || (entries.source().is_some() && definition.is_embedded_row(value)?) {
            true => Ok(()),
            false => Err(Error::corruption(format!("document {id:?} has this entry and should not"))),
        }
    }

    /// True if a document whose text is embedded has a vector, or is to have one, or cannot have one for now.
    fn is_waiting_or_done(&self, entry: &[u8]) -> Result<bool> {
        let index = self.index.definition.id;
        for key in [prefixed(index, entry), pending_key(index, entry), parked_key(index, entry)] {
            if self.source.get(Family::Vector, &key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tell(&self, entry: &[u8], message: impl std::fmt::Display, notes: &mut Notes<'_>) {
        notes.problem(Some(&self.contents.name), Some(&self.index.definition.name), &entry[4..], message);
    }
}
