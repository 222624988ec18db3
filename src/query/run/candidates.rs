//! The documents that a plan finds and the filter confirms.

use std::sync::Arc;

use blaze_core::record::{Dictionary, Record};
use blaze_core::{DocumentId, Error, Family, Filter, KeyRange, Result};

use super::covered::EntryFilter;
use super::ids::IdSet;
use super::source::{Next, Source};
use crate::catalog::{Definition, prefix};
use crate::query::plan::{Access, IndexScan, Plan};
use crate::query::{Counters, ids};
use crate::session::Session;

/// The documents that a plan finds and the filter confirms, in the order of the plan.
#[derive(Debug)]
pub(crate) struct Candidates {
    pub(super) session: Arc<Session>,
    pub(super) collection: u32,
    source: Source,
    /// All that a document must match.
    filter: Filter,
    /// What it must still be checked for, if it must be read for that.
    check: Option<Filter>,
    /// The same, where the entries of the index tell.
    entry_check: Option<EntryFilter>,
    /// The documents that came already, where one could come twice.
    seen: Option<IdSet>,
    /// True if the source answers more than the plan says.
    is_weaker: bool,
    /// Entries read in each scan of the plan.
    keys: Vec<u64>,
    counters: Counters,
    /// Where the record of a candidate is stored.
    key: Vec<u8>,
    record: Vec<u8>,
    /// True if the checksum of the record was found to be right.
    is_verified: bool,
    dictionary: Arc<Dictionary>,
}

impl Candidates {
    pub(crate) fn open(
        session: &Arc<Session>,
        definition: &Definition,
        plan: &Plan,
        filter: &Filter,
    ) -> Result<Candidates> {
        Candidates::open_in(session, definition.id, &ids::records(definition, filter), plan, filter)
    }

    /// As [`open`](Candidates::open); a scan reads only those documents whose keys are in a range.
    pub(crate) fn open_in(
        session: &Arc<Session>,
        collection: u32,
        documents: &KeyRange,
        plan: &Plan,
        filter: &Filter,
    ) -> Result<Candidates> {
        // In a transaction the documents may change while an index is read: its cursor does not see that.
        let may_change = !session.is_read_only() && !plan.is_scan();
        let mut check = (may_change || !plan.is_exact()).then(|| plan.residual.clone());
        if may_change {
            check = (*filter != Filter::everything()).then(|| filter.clone());
        }
        let entry_check = match (&plan.access, &check) {
            (Access::Index(scan), Some(check)) if !may_change => EntryFilter::of(check, scan),
            _ => None,
        };
        let scans = plan.access.scans().len();
        Ok(Candidates {
            session: Arc::clone(session),
            collection,
            source: Source::open(session, documents, plan.access.clone(), 0)?,
            filter: filter.clone(),
            check,
            entry_check,
            seen: (may_change || comes_twice(&plan.access)).then(IdSet::default),
            is_weaker: false,
            keys: vec![0; scans],
            counters: Counters::default(),
            key: Vec::new(),
            record: Vec::new(),
            is_verified: false,
            // Taken after the read point, so that it reads all that is stored there.
            dictionary: session.core().catalog.dictionaries.get(session.core(), collection)?,
        })
    }

    /// The id of the next document that belongs to the answer. Its record is read only if that cannot be told without.
    pub(crate) fn next_id(&mut self) -> Result<Option<DocumentId>> {
        while let Some(found) = self.advance()? {
            if found.is_confirmed || ((found.is_fetched || self.fetch(&found.id)?) && self.matches(&found.id)?) {
                return Ok(Some(found.id));
            }
        }
        Ok(None)
    }

    /// The id of the next document that belongs to the answer, with its record.
    pub(crate) fn next_record(&mut self) -> Result<Option<(DocumentId, Record<'_>)>> {
        while let Some(found) = self.advance()? {
            if (found.is_fetched || self.fetch(&found.id)?) && (found.is_confirmed || self.matches(&found.id)?) {
                let record = self.record(&found.id)?;
                return Ok(Some((found.id, record)));
            }
        }
        Ok(None)
    }

    /// The id of the next document that belongs to the answer, and what `of_entry` makes of its entry in the index. Where that
    /// is nothing, the record is read, too.
    pub(super) fn next_covered<R>(
        &mut self,
        of_entry: impl Fn(&[u8], &[u8], &IndexScan) -> Result<Option<R>>,
    ) -> Result<Option<(DocumentId, Covered<'_, R>)>> {
        while let Some(found) = self.advance()? {
            if found.is_confirmed
                && let Some(walk) = self.source.walk()
                && let Some(covered) = of_entry(walk.entry(), walk.value(), walk.scan())?
            {
                return Ok(Some((found.id, Ok(covered))));
            }
            if (found.is_fetched || self.fetch(&found.id)?) && (found.is_confirmed || self.matches(&found.id)?) {
                let record = self.record(&found.id)?;
                return Ok(Some((found.id, Err(record))));
            }
        }
        Ok(None)
    }

    /// What the records are read with.
    pub(crate) fn dictionary(&self) -> &Arc<Dictionary> {
        &self.dictionary
    }

    /// What was read so far.
    pub(crate) fn counters(&self) -> Counters {
        let of_indexes: u64 = self.keys.iter().sum();
        Counters { keys_examined: self.counters.keys_examined + of_indexes, ..self.counters }
    }

    /// The entries that were read of each scan of the plan.
    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// What documents are read for, to be checked.
    pub(crate) fn check(&self) -> Option<&Filter> {
        self.check.as_ref()
    }

    /// True if entries of the index alone tell what is checked.
    pub(crate) fn checks_entries(&self) -> bool {
        self.entry_check.is_some()
    }

    /// The next candidate that is not known not to belong.
    fn advance(&mut self) -> Result<Option<Advanced>> {
        loop {
            let id = match self.source.next(&mut self.keys)? {
                None => return Ok(None),
                Some(Next::Document(key, record)) => {
                    self.counters.keys_examined += 1;
                    self.counters.documents_examined += 1;
                    let id = DocumentId::read_key(key.get(4..).unwrap_or_default())?;
                    if !self.session.is_read_only() {
                        let core = self.session.core();
                        self.dictionary = core.catalog.dictionaries.get(core, self.collection)?;
                    }
                    // What does not match need not be copied.
                    if let Some(check) = &self.check
                        && !matches(check, &id, Record::open(record, &self.dictionary))?
                    {
                        continue;
                    }
                    self.is_verified = self.check.is_some();
                    self.record.clear();
                    self.record.extend_from_slice(record);
                    return Ok(Some(Advanced { id, is_fetched: true, is_confirmed: true }));
                }
                Some(Next::Id(id)) => id,
            };
            if self.source.is_weaker() && !self.is_weaker {
                // Before the first candidate: the sets were too large.
                self.is_weaker = true;
                self.check = Some(self.filter.clone());
                if self.source.may_repeat() {
                    self.seen.get_or_insert_default();
                }
            }
            if let Some(seen) = &mut self.seen
                && !seen.insert(&id)?
            {
                continue;
            }
            let mut is_confirmed = self.check.is_none();
            if let (Some(filter), Some(walk)) = (&self.entry_check, self.source.walk())
                && let Some(matches) = filter.matches(walk.entry())?
            {
                if !matches {
                    continue;
                }
                is_confirmed = true;
            }
            return Ok(Some(Advanced { id, is_fetched: false, is_confirmed }));
        }
    }

    /// Reads the record of a candidate from an index; false if the transaction itself has deleted it since.
    fn fetch(&mut self, id: &DocumentId) -> Result<bool> {
        self.counters.documents_examined += 1;
        self.key.clear();
        self.key.extend_from_slice(&prefix(self.collection));
        id.write_key(&mut self.key);
        let record = &mut self.record;
        record.clear();
        let there = self.session.visit(Family::Data, &self.key, &mut |bytes| {
            record.extend_from_slice(bytes);
            Ok(())
        })?;
        self.is_verified = false;
        let core = self.session.core();
        if !self.session.is_read_only() {
            // It may be one that the transaction itself has written since.
            self.dictionary = core.catalog.dictionaries.get(core, self.collection)?;
        } else if !there {
            return Err(Error::corruption(format!("an index has an entry for document {id:?}, which is not there")));
        }
        Ok(there)
    }

    fn matches(&mut self, id: &DocumentId) -> Result<bool> {
        let Some(check) = &self.check else { return Ok(true) };
        let matches = matches(check, id, Record::open(&self.record, &self.dictionary))?;
        self.is_verified = true;
        Ok(matches)
    }

    /// The record of the last candidate.
    fn record(&self, id: &DocumentId) -> Result<Record<'_>> {
        let record = match self.is_verified {
            true => Record::of_verified(&self.record, &self.dictionary),
            false => Record::open(&self.record, &self.dictionary),
        };
        record.map_err(|error| error.context(format!("document {id:?}")))
    }
}

fn matches(check: &Filter, id: &DocumentId, record: Result<Record<'_>>) -> Result<bool> {
    record
        .and_then(|record| check.matches_raw(&record.document().with_id(id)))
        .map_err(|error| error.context(format!("document {id:?}")))
}

/// What an entry was made into, or the record where the entry does not tell.
pub(super) type Covered<'a, R> = std::result::Result<R, Record<'a>>;

/// A candidate.
struct Advanced {
    id: DocumentId,
    /// True if its record is at hand.
    is_fetched: bool,
    /// True if it belongs to the answer without another look.
    is_confirmed: bool,
}

/// True if a plan may find a document twice.
fn comes_twice(access: &Access) -> bool {
    match access {
        // What is in common is taken out of a set.
        Access::Scan | Access::Intersection { .. } => false,
        Access::Index(scan) => scan.multi_entry && !(scan.ranges.len() <= 1 && scan.is_of_points()),
        Access::Union(_) => true,
    }
}
