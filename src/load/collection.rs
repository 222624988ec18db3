//! Bulk load of a collection: documents in any order.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::record::{self, Dictionary, DictionaryEntry, Record, RecordSerializer, STAMP_AT};
use blaze_core::{Document, DocumentId, Error, Family, Result, Uuid};
use blaze_lsm::RowSorter;
use serde::Serialize;

use super::rows::{ROWS_PER_REPORT, write_rows};
use super::target::Target;
use crate::catalog::{check_level, check_place};
use crate::collection::{check_id, document_key, to_stored, to_stored_under};
use crate::database::core::{Core, Storage};
use crate::index::{Entries, Traits};

/// Documents one after the other that cannot be written without a [`Document`] in between, after which it is not tried any more.
const DETOURS_MAX: u32 = 64;

pub(super) type Progress<'a> = Box<dyn FnMut(LoadProgress) -> ControlFlow<()> + Send + 'a>;

/// How far the load of a collection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadProgress {
    /// Documents that were taken in.
    pub documents: u64,
    /// Rows that they make: records and index entries.
    pub rows: u64,
    /// Rows that were written where they belong; zero before [`finish`](CollectionLoader::finish).
    pub written_rows: u64,
}

/// Loads documents in any order into a collection; see [`Database::load_collection`](crate::Database::load_collection).
///
/// Documents are encoded as they come, sorted with their index entries in bounded memory, and written straight into sorted
/// files: nothing passes through the log. Nobody sees a document before [`finish`](CollectionLoader::finish) shows all of
/// them, with their indexes complete, in one commit. Dropped before that, the loader leaves nothing behind; after a crash
/// the next opening removes what was written. The load is not in the change feed, and no history goes back before it.
///
/// The version of a loaded document is the commit with which the load began.
#[must_use = "nothing is loaded before finish"]
pub struct CollectionLoader<'a, T> {
    core: Arc<Core>,
    target: Target,
    /// None once the load has ended.
    sorter: Option<RowSorter>,
    dictionary: Dictionary,
    /// All that the dictionary has learnt.
    learnt: Vec<DictionaryEntry>,
    /// For each index, what its entries are like.
    traits: Vec<Traits>,
    documents: u64,
    progress: Progress<'a>,
    serializer: RecordSerializer,
    /// How many documents before this one could not be written without a document in between.
    detours: u32,
    record: Vec<u8>,
    of: PhantomData<fn(T)>,
}

impl<'a, T> CollectionLoader<'a, T> {
    pub(super) fn begin(
        core: &Arc<Core>,
        target: Target,
        memory_bytes: usize,
        progress: Progress<'a>,
    ) -> Result<CollectionLoader<'a, T>> {
        let mut loader = CollectionLoader {
            core: Arc::clone(core),
            sorter: None,
            dictionary: Dictionary::default(),
            learnt: Vec::new(),
            traits: vec![Traits::default(); target.indexes.len()],
            target,
            documents: 0,
            progress,
            serializer: RecordSerializer::default(),
            detours: 0,
            record: Vec::new(),
            of: PhantomData,
        };
        loader.sorter = Some(match &core.storage {
            Storage::Directory { store, .. } => store.sorter(memory_bytes)?,
            Storage::Memory => RowSorter::in_memory(),
        });
        Ok(loader)
    }

    /// Makes the collection visible, with all documents and indexes, in one commit that is as durable as the database's are,
    /// and returns how many documents there are. Takes time linear in what was loaded.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when two documents have the same id, or the same values in a unique
    /// index, which are named, or a
    /// collection that is not to be replaced has got documents meanwhile; [`Invalid`](crate::ErrorKind::Invalid) when the
    /// name was taken by something else, or the indexes of the collection were changed meanwhile;
    /// [`Cancelled`](crate::ErrorKind::Cancelled); [`Unavailable`](crate::ErrorKind::Unavailable);
    /// [`Closed`](crate::ErrorKind::Closed); what [`Transaction::commit`](crate::Transaction::commit) returns. Nothing was
    /// loaded then, unless the outcome is [unknown](crate::ErrorKind::CommitOutcomeUnknown).
    pub fn finish(mut self) -> Result<u64> {
        let mut sorter = self.sorter.take().ok_or_else(ended)?;
        for (index, traits) in self.target.indexes.iter().zip(&self.traits) {
            if *traits != Traits::default() {
                sorter.push(index.family(), &Traits::key(index.id), &traits.to_value())?;
            }
        }
        let mut progress = LoadProgress { documents: self.documents, rows: sorter.rows(), written_rows: 0 };
        let sorted = sorter.into_sorted(&mut || report(&mut self.progress, progress))?;
        let shows_first = fault::makes(Mistake::TornLoad);
        if shows_first {
            self.target.publish(&self.core, self.documents, &self.learnt)?;
        }
        write_rows(&self.core, &self.target.indexes, sorted, &mut |written_rows| {
            progress.written_rows = written_rows;
            report(&mut self.progress, progress)
        })?;
        fault::reached(Point::LoadedUnseen);
        if !shows_first {
            self.target.publish(&self.core, self.documents, &self.learnt)?;
        }
        Ok(self.documents)
    }

    /// Takes in a document, all of it or nothing.
    fn add(&mut self, id: &DocumentId, document: &Document) -> Result<()> {
        self.check(id)?;
        check_place(self.target.parent.as_deref(), id, document)?;
        if let Some(schema) = &self.target.schema {
            schema.check(id, document)?;
        }
        let entries_of = |index| Entries::of(index, id, document);
        let entries = self.target.indexes.iter().map(entries_of).collect::<Result<Vec<_>>>()?;
        if !self.dictionary.knows(document) {
            self.learnt.extend(self.dictionary.learn(document));
        }
        self.record.clear();
        record::encode(document, &self.dictionary, &mut self.record)
            .map_err(|error| error.context(format!("document {id:?}")))?;
        self.take_in(id, &entries)
    }

    /// Takes in the document that was just [written](CollectionLoader::write) as a record, all of it or nothing.
    fn add_written(&mut self, id: &DocumentId) -> Result<()> {
        self.check(id)?;
        check_level(self.target.parent.as_deref(), id)?;
        let record = Record::of_verified(&self.record, &self.dictionary)?; // it was just made
        let entries_of = |index| Entries::of_record(index, id, &record.document());
        let entries = self.target.indexes.iter().map(entries_of).collect::<Result<Vec<_>>>()?;
        self.take_in(id, &entries)
    }

    fn check(&self, id: &DocumentId) -> Result<()> {
        id.validate()?;
        if self.sorter.is_none() { Err(ended()) } else { Ok(()) }
    }

    fn take_in(&mut self, id: &DocumentId, entries: &[Entries]) -> Result<()> {
        self.record[STAMP_AT..STAMP_AT + 8].copy_from_slice(&self.target.begun_at.to_bits().to_be_bytes());
        let taken = self.push(id, entries).and_then(|()| {
            self.documents += 1;
            match self.documents.is_multiple_of(ROWS_PER_REPORT) {
                true => self.report_documents(),
                false => Ok(()),
            }
        });
        // Some of the rows may have been taken in, so that the load cannot go on.
        taken.inspect_err(|_| self.sorter = None)
    }

    fn push(&mut self, id: &DocumentId, entries: &[Entries]) -> Result<()> {
        let sorter = self.sorter.as_mut().ok_or_else(ended)?;
        sorter.push(Family::Data, &document_key(self.target.id, id), &self.record)?;
        for (position, (index, entries)) in self.target.indexes.iter().zip(entries).enumerate() {
            self.traits[position] = self.traits[position].with(entries.traits());
            entries.iter().try_for_each(|(key, value)| sorter.push(index.family(), key, value))?;
            let beside = [entries.backlog_row(index.id), entries.loaded_change(index.id, self.target.begun_at)];
            beside.iter().flatten().try_for_each(|(key, value)| sorter.push(index.family(), key, value))?;
        }
        Ok(())
    }

    fn report_documents(&mut self) -> Result<()> {
        let rows = self.sorter.as_ref().map_or(0, RowSorter::rows);
        report(&mut self.progress, LoadProgress { documents: self.documents, rows, written_rows: 0 })
    }
}

impl<T: Serialize> CollectionLoader<'_, T> {
    /// Adds a document under the id in its field `_id`, else under a new one: a UUIDv7, so that ids sort by the time of their
    /// making.
    ///
    /// # Errors
    /// As [`insert_with_id`](CollectionLoader::insert_with_id).
    pub fn insert(&mut self, document: &T) -> Result<DocumentId> {
        let core = Arc::clone(&self.core);
        let automatic = || DocumentId::Uuid(Uuid::from_tick(core.ids.tick(&*core.clock), core.replica));
        let id = match self.write(document) {
            Some(own) => {
                let id = own.unwrap_or_else(automatic);
                self.add_written(&id)?;
                id
            }
            None => {
                let (own, document) = to_stored(document)?;
                let id = own.unwrap_or_else(automatic);
                self.add(&id, &document)?;
                id
            }
        };
        Ok(id)
    }

    /// Adds a document under an id of the application's. That it is new is checked by [`finish`](CollectionLoader::finish).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the id is empty, the value is not a struct or map, or does not fit an
    /// index or the schema; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too large or too deep: the document is then
    /// left out, and loading can go on. After [`Cancelled`](crate::ErrorKind::Cancelled),
    /// [`Unavailable`](crate::ErrorKind::Unavailable) and [`Closed`](crate::ErrorKind::Closed) the load has ended.
    pub fn insert_with_id(&mut self, id: impl Into<DocumentId>, document: &T) -> Result<()> {
        let id = id.into();
        match self.write(document) {
            Some(own) => {
                check_id(own.as_ref(), &id)?;
                self.add_written(&id)
            }
            None => self.add(&id, &to_stored_under(&id, document)?),
        }
    }

    /// Makes the record of a document without the document in between, if that can be done, and answers the id in its field.
    fn write(&mut self, document: &T) -> Option<Option<DocumentId>> {
        let needs_document = self.target.schema.is_some() || self.target.parent.is_some();
        if needs_document || self.detours >= DETOURS_MAX {
            return None;
        }
        self.record.clear();
        let written = self.serializer.encode(document, &self.dictionary, &mut self.record);
        self.detours = if written.is_some() { 0 } else { self.detours + 1 };
        written
    }
}

fn report(progress: &mut Progress<'_>, state: LoadProgress) -> Result<()> {
    match progress(state) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::cancelled("the load was stopped by its caller")),
    }
}

fn ended() -> Error {
    Error::closed("the load has ended")
}

impl<T> fmt::Debug for CollectionLoader<'_, T> {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, documents) = (&self.target.name, self.documents);
        f.debug_struct("CollectionLoader").field("name", name).field("documents", &documents).finish_non_exhaustive()
    }
}

impl<T> Drop for CollectionLoader<'_, T> {
    fn drop(&mut self) {
        self.sorter = None; // removes its files
        self.target.abandon(&self.core);
    }
}
