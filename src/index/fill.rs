//! Filling an index with the entries of documents that were there before it.

use std::sync::Arc;
use std::thread;

use blaze_core::record::Record;
use blaze_core::{Direction, DocumentId, Durability, Family, KeyRange, Result};

use super::build::{BUILD_ISOLATION, definition_with};
use super::entries::BUILD_POSITION;
use super::text_rows::TextFill;
use super::{Entries, IndexDefinition, check_unique};
use crate::catalog::{self, Definition, prefix, prefixed};
use crate::collection::write_entries;
use crate::database::core::Core;
use crate::session::{Session, back_off};

/// Documents that one transaction of a build reads, when nobody gets in its way.
const BATCH_DOCUMENTS_MAX: u64 = 1_000;

/// Documents of a batch that nothing may end before the last one.
pub(super) const ALL_DOCUMENTS: u64 = u64::MAX;

/// Tries of one batch: it soon is one document, which must stand still for as long as its entry takes.
const BATCH_TRIES_MAX: u32 = 1_000;

/// How far an index is filled.
#[derive(Clone, Debug, Default)]
pub(super) struct Fill {
    pub(super) documents: u64,
    pub(super) embedded: u64,
    pub(super) linked: u64,
    /// How many it is to come to, if that is known.
    pub(super) expected: Option<u64>,
    /// The last document that has its entries.
    pub(super) last: Option<Vec<u8>>,
    /// The last document that was there when the index was declared; later ones have their entries.
    pub(super) until: Option<Vec<u8>>,
    /// Documents for the next transaction.
    pub(super) batch_documents: u64,
    pub(super) complete: bool,
}

/// A transaction that is not committed yet, and how far the index is filled by it.
struct Batch {
    session: Arc<Session>,
    fill: Fill,
}

impl Batch {
    /// Commits it, and makes the next one meanwhile, unless it is the last. None if the next could not be made by another thread:
    /// it is made when it is asked for.
    fn commit_beside_next(
        &self,
        core: &Arc<Core>,
        collection: &str,
        index: &IndexDefinition,
    ) -> Result<Option<Result<Batch>>> {
        let Batch { session, fill } = self;
        if fill.complete {
            return session.commit().map(|_| None);
        }
        let span = tracing::Span::current();
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("blaze-index-fill".to_owned());
            let next = thread.spawn_scoped(scope, || span.in_scope(|| fill.make_batch(core, collection, index)));
            let committed = session.commit();
            let next = next.ok().and_then(|next| next.join().ok());
            committed.map(|_| next)
        })
    }
}

impl Fill {
    /// Filling the index for every document that was there before it. Writers go on at the end of the collection
    /// meanwhile, which must not set them against the last transaction of the build.
    pub(super) fn of_all_before(core: &Arc<Core>, collection: &str, index: &IndexDefinition) -> Result<Fill> {
        let session = Session::read_only(core)?;
        let definition = definition_with(&session, collection, index.id)?;
        let all = KeyRange::prefix(&prefix(definition.id));
        let mut cursor = session.cursor(Family::Data, &all, Direction::Reverse)?;
        let until = cursor.next()?.map(|(key, _)| key.to_vec());
        // Where a build went on before that was cut short.
        let last = session.get(index.family(), &prefixed(index.id, BUILD_POSITION))?;
        let expected = Fill::expected(&session, &definition, last.as_deref())?;
        let complete = until.is_none();
        Ok(Fill { complete, expected, last, until, batch_documents: BATCH_DOCUMENTS_MAX, ..Fill::default() })
    }

    /// How many documents there are behind the last one that has its entries.
    pub(super) fn expected(session: &Session, definition: &Definition, last: Option<&[u8]>) -> Result<Option<u64>> {
        if !definition.counted {
            return Ok(None);
        }
        let done = match last {
            Some(last) => {
                session.count(Family::Data, &KeyRange::new(prefix(definition.id), Some([last, &[0]].concat())))?
            }
            None => 0,
        };
        // A count that is damaged does not keep anybody from building an index.
        Ok(catalog::count(session, definition).ok().map(|count| count.saturating_sub(done)))
    }

    /// Makes the entries of all documents that are left, in transactions, and tells of each that is committed. While one is, the
    /// next one is made.
    pub(super) fn commit_all(
        mut self,
        core: &Arc<Core>,
        collection: &str,
        index: &IndexDefinition,
        committed: &mut dyn FnMut(&Fill) -> Result<()>,
    ) -> Result<Fill> {
        let mut made = None;
        while !self.complete {
            self = match made.take() {
                // One after the other, until nobody gets in the way again.
                None if self.batch_documents < BATCH_DOCUMENTS_MAX => self.commit_batch(core, collection, index)?,
                batch => {
                    let batch = batch.unwrap_or_else(|| self.make_batch(core, collection, index));
                    let committed = batch.and_then(|batch| {
                        made = batch.commit_beside_next(core, collection, index)?;
                        Ok(batch.fill)
                    });
                    match committed {
                        Err(error) if error.kind().is_retryable() => {
                            self.batch_documents /= 2; // alone
                            continue;
                        }
                        committed => committed?,
                    }
                }
            };
            committed(&self)?;
        }
        Ok(self)
    }

    /// Makes the entries of the next documents in a transaction of its own, of fewer documents after each conflict.
    fn commit_batch(mut self, core: &Arc<Core>, collection: &str, index: &IndexDefinition) -> Result<Fill> {
        let mut tries = 0;
        loop {
            let made = self.make_batch(core, collection, index);
            match made.and_then(|batch| batch.session.commit().map(|_| batch.fill)) {
                Err(error) if error.kind().is_retryable() && tries < BATCH_TRIES_MAX => {
                    tries += 1;
                    self.batch_documents = (self.batch_documents / 2).max(1);
                    back_off(&*core.entropy, tries);
                }
                Err(error) => return Err(error),
                Ok(fill) => {
                    let batch_documents = (self.batch_documents * 2).min(BATCH_DOCUMENTS_MAX);
                    return Ok(Fill { batch_documents, ..fill });
                }
            }
        }
    }

    /// Makes the entries of the next documents, to be committed.
    fn make_batch(&self, core: &Arc<Core>, collection: &str, index: &IndexDefinition) -> Result<Batch> {
        let session = Session::read_write(core, BUILD_ISOLATION, Durability::Buffered)?;
        let mut fill = self.clone();
        fill.advance(&session, collection, index)?;
        Ok(Batch { session, fill })
    }

    /// Makes the entries of the next documents.
    pub(super) fn advance(&mut self, session: &Session, collection: &str, index: &IndexDefinition) -> Result<()> {
        let definition = definition_with(session, collection, index.id)?;
        if definition.indexes.iter().any(|declared| declared.id == index.id && declared.is_filled()) {
            self.complete = true; // another call has done it, and marks are kept by now
            return Ok(());
        }
        let after = |key: &Vec<u8>| [key.as_slice(), &[0]].concat();
        let mut range = KeyRange::prefix(&prefix(definition.id));
        if let Some(last) = &self.last {
            range = range.intersect(&KeyRange::new(after(last), None));
        }
        if let Some(until) = &self.until {
            range = range.intersect(&KeyRange::new([], Some(after(until))));
        }
        let mut cursor = session.cursor(Family::Data, &range, Direction::Forward)?;
        let mut texts = TextFill::new(index)?;
        for _ in 0..self.batch_documents {
            let Some((key, bytes)) = cursor.next()? else {
                self.complete = true;
                break; // and who has to begin again after this goes on from here
            };
            let id = DocumentId::read_key(key.get(4..).unwrap_or_default())?;
            let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
            let record = Record::open(bytes, &dictionary)?;
            self.last = Some(key.to_vec());
            self.documents += 1;
            if let Some(texts) = &mut texts {
                texts.add(session, &id, &record.document())?;
                if texts.is_full() && self.batch_documents != ALL_DOCUMENTS {
                    break;
                }
                continue;
            }
            let after = match id.parent() {
                Some(_) => Entries::of(index, &id, &record.decode()?)?,
                None => Entries::of_record(index, &id, &record.document())?,
            };
            let before = Entries::default();
            check_unique(session, index, &id, &before, &after)?;
            write_entries(session, index, &before, after)?;
        }
        if let Some(texts) = &mut texts {
            texts.write(session)?;
        }
        match &self.last {
            // Not read, so that it does not set the next batch against this one.
            Some(last) => session.put(index.family(), prefixed(index.id, BUILD_POSITION), last.clone(), None),
            None => Ok(()),
        }
    }
}
