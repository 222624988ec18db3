//! One pass over everything: it decodes what there is and sums up the entries that indexes have and should have.

use std::collections::BTreeMap;

use blaze_core::record::{Dictionary, DictionaryEntry, Record};
use blaze_core::{Document, DocumentId, Error, Family, KeyRange, Result, counter};
use blaze_lsm::Met;

use super::fingerprint::Fingerprint;
use super::report::Notes;
use super::source::Source;
use crate::catalog::{Definition, Kind, Row, counted_of, prefix, read_row};
use crate::expiry::{Entry, expiry_of};
use crate::index::{Entries, IndexDefinition, Traits, is_entry};
use crate::text::{ChangeRow, split_change};

/// Everything that has a number, by its number.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) collections: BTreeMap<u32, CollectionContents>,
    pub(super) keyspaces: BTreeMap<u32, KeyspaceContents>,
    pub(super) object_stores: BTreeMap<u32, String>,
    /// The collection of each index.
    indexes: BTreeMap<u32, u32>,
}

/// A keyspace.
#[derive(Debug)]
pub(super) struct KeyspaceContents {
    name: String,
    expiring: bool,
}

/// A collection.
#[derive(Debug)]
pub(super) struct CollectionContents {
    pub(super) name: String,
    pub(super) dictionary: Dictionary,
    /// The complete ones.
    pub(super) indexes: Vec<IndexContents>,
    /// How many documents it says it has, if it counts them.
    count: Option<i64>,
    /// How many it has.
    documents: i64,
    /// True when some of it cannot be read or decoded: then nothing can be said of its indexes.
    pub(super) has_holes: bool,
}

/// An index of a collection.
#[derive(Debug)]
pub(super) struct IndexContents {
    pub(super) definition: IndexDefinition,
    /// The entries that documents have.
    pub(super) expected: Fingerprint,
    /// The entries that are there.
    pub(super) found: Fingerprint,
    /// What the entries that documents have are like.
    pub(super) traits: Traits,
    /// What the index remembers of that.
    pub(super) remembered: Traits,
    pub(super) has_holes: bool,
}

impl Contents {
    /// Reads the catalog.
    pub(super) fn read_catalog(source: &dyn Source, notes: &mut Notes<'_>) -> Result<Contents> {
        let mut contents = Contents::default();
        source.walk(Family::Catalog, &KeyRange::all(), &mut |met| {
            match met {
                Met::Unreadable(range, error) => notes.problem(None, None, range.start(), error.context("the catalog")),
                Met::Entry(key, value) => {
                    notes.count(key, value)?;
                    match read_row(key, value) {
                        Ok(Row::Name(name, _, definition)) => contents.add(name, definition),
                        Ok(Row::Own) => {}
                        Ok(Row::Of(id)) => contents.learn(id, value, notes),
                        Err(error) => notes.problem(None, None, key, error.context("the catalog")),
                    }
                }
            }
            Ok(())
        })?;
        notes.report.collections = contents.collections.len() as u64;
        notes.report.keyspaces = contents.keyspaces.len() as u64;
        notes.report.object_stores = contents.object_stores.len() as u64;
        notes.report.indexes = contents.indexes.len() as u64;
        Ok(contents)
    }

    fn add(&mut self, name: String, definition: Definition) {
        match definition.kind {
            Kind::Keyspace => {
                let keyspace = KeyspaceContents { name, expiring: definition.expiring };
                return drop(self.keyspaces.insert(definition.id, keyspace));
            }
            Kind::Objects => return drop(self.object_stores.insert(definition.id, name)),
            Kind::Collection => {}
        }
        let complete = definition.indexes.into_iter().filter(|index| index.ready);
        let indexes: Vec<_> = complete.map(IndexContents::new).collect();
        self.indexes.extend(indexes.iter().map(|index| (index.definition.id, definition.id)));
        let (dictionary, has_holes) = (Dictionary::default(), false);
        let (count, documents) = (definition.counted.then_some(0), 0);
        let contents = CollectionContents { name, dictionary, indexes, count, documents, has_holes };
        self.collections.insert(definition.id, contents);
    }

    /// Takes in a row of a dictionary. Rows of what was dropped may still be there.
    fn learn(&mut self, id: u32, value: &[u8], notes: &mut Notes<'_>) {
        let Some(collection) = self.collections.get_mut(&id) else { return };
        let learnt = DictionaryEntry::from_bytes(value).and_then(|entry| collection.dictionary.apply(&entry));
        if let Err(error) = learnt {
            notes.problem(Some(&collection.name), None, &[], error.context("the dictionary"));
        }
    }

    /// Reads all documents and values.
    pub(super) fn read_data(&mut self, source: &dyn Source, notes: &mut Notes<'_>) -> Result<()> {
        source.walk(Family::Data, &KeyRange::all(), &mut |met| {
            let (key, value) = match met {
                Met::Unreadable(range, error) => {
                    self.lose(&range, &error, notes);
                    return Ok(());
                }
                Met::Entry(key, value) => (key, value),
            };
            notes.count(key, value)?;
            let Some((id, rest)) = split(key) else {
                notes.problem(None, None, key, "the key is shorter than a number");
                return Ok(());
            };
            if let Some(collection) = counted_of(key).and_then(|counted| self.collections.get_mut(&counted)) {
                if let Err(error) = collection.take_count(value) {
                    notes.problem(Some(&collection.name), None, &[], error.context("the count of documents"));
                }
                return Ok(());
            }
            if let Some(keyspace) = self.keyspaces.get(&id) {
                notes.report.keys += 1;
                if let Err(error) = keyspace.check_expiry(source, id, rest, value) {
                    notes.problem(Some(&keyspace.name), None, rest, error);
                }
            } else if self.object_stores.contains_key(&id) {
                notes.report.keys += 1;
            } else if let Some(collection) = self.collections.get_mut(&id) {
                notes.report.documents += 1;
                collection.documents += 1;
                if let Err(error) = collection.take(rest, value) {
                    collection.has_holes = true;
                    notes.problem(Some(&collection.name), None, rest, error);
                }
            }
            Ok(())
        })
    }

    /// Reads all entries of indexes.
    pub(super) fn read_indexes(&mut self, source: &dyn Source, notes: &mut Notes<'_>) -> Result<()> {
        for family in [Family::Index, Family::Vector, Family::Text] {
            source.walk(family, &KeyRange::all(), &mut |met| {
                let (key, value) = match met {
                    Met::Unreadable(range, error) => {
                        self.lose(&range, &error, notes);
                        return Ok(());
                    }
                    Met::Entry(key, value) => (key, value),
                };
                notes.count(key, value)?;
                if let Some((name, rest)) = self.expiry_entry(key) {
                    if let Err(error) = Entry::read(rest) {
                        notes.problem(Some(name), None, rest, error);
                    }
                    return Ok(());
                }
                let Some((index, rest)) = split(key).and_then(|(id, rest)| Some((self.index(id)?, rest))) else {
                    return Ok(()); // of an index that is not complete, or that was dropped
                };
                if is_entry(rest) {
                    index.found.add(key, value);
                    notes.report.index_entries += 1;
                } else if key == Traits::key(index.definition.id) {
                    index.remembered = Traits::from_value(value);
                } else if family == Family::Text
                    && let Err(error) = check_change(rest, value)
                {
                    let name = index.definition.name.clone();
                    notes.problem(self.collection_of(key), Some(&name), rest, error);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The keyspace that a key of the index says of when it expires, and the rest of the key.
    fn expiry_entry<'a>(&self, key: &'a [u8]) -> Option<(&str, &'a [u8])> {
        let (id, rest) = split(key)?;
        let keyspace = self.keyspaces.get(&id).filter(|keyspace| keyspace.expiring)?;
        Some((&keyspace.name, rest))
    }

    fn index(&mut self, id: u32) -> Option<&mut IndexContents> {
        let collection = self.collections.get_mut(self.indexes.get(&id)?)?;
        collection.indexes.iter_mut().find(|index| index.definition.id == id)
    }

    /// The name of the collection whose index a key is of.
    fn collection_of(&self, key: &[u8]) -> Option<&str> {
        let collection = self.indexes.get(&split(key)?.0)?;
        self.collections.get(collection).map(|collection| collection.name.as_str())
    }

    /// Notes a hole for each thing that it is in.
    fn lose(&mut self, range: &KeyRange, error: &Error, notes: &mut Notes<'_>) {
        let is_in = |id: u32| range.overlaps(&KeyRange::prefix(&prefix(id)));
        let start = |id: u32| split(range.start()).filter(|(first, _)| *first == id).map_or(&[][..], |(_, rest)| rest);
        let mut told = false;
        let keyspaces = self.keyspaces.iter().map(|(id, keyspace)| (id, &keyspace.name));
        for (id, name) in keyspaces.chain(&self.object_stores).filter(|(id, _)| is_in(**id)) {
            notes.problem(Some(name), None, start(*id), error);
            told = true;
        }
        for (id, collection) in &mut self.collections {
            if is_in(*id) {
                collection.has_holes = true;
                notes.problem(Some(&collection.name), None, start(*id), error);
                told = true;
            }
            for index in collection.indexes.iter_mut().filter(|index| is_in(index.definition.id)) {
                index.has_holes = true;
                let (name, key) = (Some(index.definition.name.as_str()), start(index.definition.id));
                notes.problem(Some(&collection.name), name, key, error);
                told = true;
            }
        }
        if !told {
            notes.problem(None, None, range.start(), error);
        }
    }
}

impl KeyspaceContents {
    /// Checks that a value which expires is found when it does. What the index says beyond that does no harm: it is of
    /// values that were replaced.
    fn check_expiry(&self, source: &dyn Source, id: u32, key: &[u8], stored: &[u8]) -> Result<()> {
        if !self.expiring {
            return Ok(());
        }
        let Some(expiry_ms) = expiry_of(stored)? else { return Ok(()) };
        match source.get(Family::Index, &Entry { expiry_ms, key }.index_key(id))? {
            Some(_) => Ok(()),
            None => Err(Error::corruption("the index does not say when the value expires")),
        }
    }
}

impl CollectionContents {
    /// Takes in how many documents the collection says it has. The count stands before all documents.
    fn take_count(&mut self, value: &[u8]) -> Result<()> {
        let count = counter::decode(value)?;
        self.count = self.count.map(|_| count);
        Ok(())
    }

    /// Compares that with the documents.
    pub(super) fn check_count(&self, notes: &mut Notes<'_>) {
        let (documents, name) = (self.documents, Some(self.name.as_str()));
        if let Some(count) = self.count.filter(|count| *count != documents && !self.has_holes) {
            notes.problem(name, None, &[], format!("{count} documents are counted, and {documents} are there"));
        }
    }

    /// Decodes a document and adds up the entries that it should have.
    fn take(&mut self, key: &[u8], record: &[u8]) -> Result<()> {
        let (id, document) = self.decode(key, record)?;
        for index in &mut self.indexes {
            let entries = Entries::of(&index.definition, &id, &document)?;
            index.traits = index.traits.with(entries.traits());
            entries.iter().for_each(|(key, value)| index.expected.add(key, value));
        }
        Ok(())
    }

    pub(super) fn decode(&self, key: &[u8], record: &[u8]) -> Result<(DocumentId, Document)> {
        Ok((DocumentId::read_key(key)?, Record::open(record, &self.dictionary)?.decode()?))
    }
}

impl IndexContents {
    fn new(definition: IndexDefinition) -> IndexContents {
        let (expected, found, traits, remembered) = Default::default();
        IndexContents { definition, expected, found, traits, remembered, has_holes: false }
    }
}

/// Checks what an index on text keeps of a change that is not folded yet.
fn check_change(rest: &[u8], value: &[u8]) -> Result<()> {
    let Some((id, _)) = split_change(rest)? else { return Ok(()) };
    DocumentId::read_key(id)?;
    ChangeRow::read(value).map(drop)
}

/// The number that a key begins with, and the rest.
pub(super) fn split(key: &[u8]) -> Option<(u32, &[u8])> {
    key.split_first_chunk::<4>().map(|(id, rest)| (u32::from_be_bytes(*id), rest))
}
