//! Salvage: a healthy database of what can be read of a damaged one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::record::{Dictionary, DictionaryEntry, Record};
use blaze_core::{DocumentId, Error, Family, KeyRange, Result, Timestamp};
use blaze_lsm::{LsmOptions, Sieve};

use crate::catalog::{self, Definition, Kind, Row, counted_of, is_own, prefix, read_row, rewrite};
use crate::database::Database;
use crate::expiry::{Rebuild, expiry_of};
use crate::index::{self, IndexDefinition};
use crate::system::SystemClock;

/// Losses that a report names; of the others it says how many there are.
const LOSSES_MAX: usize = 1_000;

/// What [`Database::salvage`] has saved and lost.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SalvageReport {
    /// Collections that were saved, some of them perhaps in part.
    pub collections: u64,
    /// Keyspaces that were saved, some of them perhaps in part.
    pub keyspaces: u64,
    /// Stores of objects that were saved, some of them perhaps in part: an object with a hole says so when it is read.
    pub object_stores: u64,
    /// Documents that were saved.
    pub documents: u64,
    /// Keys of keyspaces, and parts of objects, that were saved.
    pub keys: u64,
    /// What was lost: the first 1,000 losses.
    pub losses: Vec<Loss>,
    /// How many losses there are in all.
    pub loss_count: u64,
}

/// Something that could not be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// The collection or keyspace, if it is known.
    pub name: Option<String>,
    /// The first key that may be lost, as keyspaces have it or as the encoded id of a document; empty for the first of
    /// all.
    pub start: Vec<u8>,
    /// The first key after it that is not lost; none when everything from `start` on may be lost.
    pub end: Option<Vec<u8>>,
    /// Why.
    pub message: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name:?}: ")?;
        }
        write!(f, "from \"{}\" ", self.start.escape_ascii())?;
        match &self.end {
            Some(end) => write!(f, "to \"{}\": ", end.escape_ascii())?,
            None => f.write_str("on: ")?,
        }
        f.write_str(&self.message)
    }
}

impl Database {
    /// Reads what can be read of the damaged database in the directory `from`, and writes it to a new, healthy one in
    /// the new directory `to`. For when there is no backup: it never happens by itself.
    ///
    /// Nothing changes in `from`, which nobody may have open. Documents and values are copied as far as their blocks are
    /// whole, with their versions; indexes are built anew, documents counted again, and the new database has a replica id of its own. Commits that only the log has are saved up to the first
    /// damage in it. The report names what was lost: a value that was overwritten or deleted before does not come back in
    /// the place of a lost one.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no directory `from`; [`Invalid`](crate::ErrorKind::Invalid)
    /// when it is something else or of a newer version, or `to` is within it; [`AlreadyExists`](crate::ErrorKind::AlreadyExists) when there is
    /// something at `to`; [`Corruption`](crate::ErrorKind::Corruption) when the file `CURRENT` or the manifest that it
    /// names is damaged, without which nothing can be read; [`Unavailable`](crate::ErrorKind::Unavailable). Then there
    /// is no database at `to`, unless it was the building of indexes that failed, which `ensure_index` completes.
    pub fn salvage(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<SalvageReport> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let _span = tracing::info_span!("salvage").entered();
        let mut salvage = Salvage::default();
        let store = blaze_lsm::salvage(from, to, &LsmOptions::new(Arc::new(SystemClock)), &mut salvage)?;
        if let Some(damage) = store.log_damage {
            salvage.lost(None, KeyRange::all(), format!("the end of the log: {damage}"));
        }
        let db = Database::builder().must_exist().open(to)?;
        fault::reached(Point::IndexesMissing);
        for (id, known) in &salvage.known {
            if known.kind == Kind::Collection {
                catalog::recount(&db.core, &known.name)?;
                for (index, error) in index::complete_all(&db.core, &known.name)? {
                    let range = KeyRange::prefix(&prefix(*id));
                    salvage.report.lose(Some(&known.name), range, format!("the index {index:?}: {error}"));
                }
            }
        }
        let mut expiring = salvage.known.values().filter(|known| known.expiring);
        expiring.try_for_each(|known| Rebuild::of(&known.name).run(&db.core))?;
        db.close()?;
        Ok(salvage.report)
    }
}

/// What was seen of the damaged database so far.
#[derive(Debug, Default)]
struct Salvage {
    known: BTreeMap<u32, Known>,
    newest: Timestamp,
    report: SalvageReport,
}

/// A collection or keyspace.
#[derive(Debug)]
struct Known {
    name: String,
    kind: Kind,
    /// True if its values say until when they are there.
    expiring: bool,
    dictionary: Dictionary,
}

impl Salvage {
    fn sift_catalog(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
        match read_row(key, value)? {
            Row::Name(name, version, mut definition) => {
                self.newest = self.newest.max(version);
                // They are built again, of the documents that there still are.
                definition.indexes.iter_mut().for_each(IndexDefinition::begin_anew);
                definition.counted = false;
                match definition.kind {
                    Kind::Collection => self.report.collections += 1,
                    Kind::Keyspace => self.report.keyspaces += 1,
                    Kind::Objects => self.report.object_stores += 1,
                }
                let Definition { kind, id, expiring, .. } = definition;
                self.known.insert(id, Known { name, kind, expiring, dictionary: Dictionary::default() });
                rewrite(value, &definition).map(Some)
            }
            Row::Own => Ok(Some(value.to_vec())),
            Row::Of(id) => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.dictionary.apply(&DictionaryEntry::from_bytes(value)?)?;
                }
                Ok(Some(value.to_vec()))
            }
        }
    }

    fn sift_data(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
        let (id, rest) = split(key).ok_or_else(|| Error::corruption("the key is shorter than a number"))?;
        match self.known.get(&id) {
            None if counted_of(key).is_some() => return Ok(None), // counted again
            None if is_own(key) => {}
            None => return Err(Error::corruption(format!("what has the number {id} is not known"))),
            Some(known) if known.kind != Kind::Collection => {
                if known.expiring {
                    expiry_of(value)?;
                }
                self.report.keys += 1;
            }
            Some(known) => {
                DocumentId::read_key(rest)?;
                let record = Record::open(value, &known.dictionary)?;
                record.decode()?;
                self.newest = self.newest.max(record.version());
                self.report.documents += 1;
            }
        }
        Ok(Some(value.to_vec()))
    }

    fn lost(&mut self, id: Option<u32>, range: KeyRange, message: String) {
        let name = id.and_then(|id| self.known.get(&id)).map(|known| known.name.as_str());
        self.report.lose(name, range, message);
    }
}

impl SalvageReport {
    fn lose(&mut self, name: Option<&str>, range: KeyRange, message: String) {
        self.loss_count += 1;
        if self.losses.len() < LOSSES_MAX {
            // Within something that has a name, keys are told as it has them.
            let within = |key: &[u8]| split(key).filter(|_| name.is_some()).map_or(key, |(_, rest)| rest).to_vec();
            let end = range.end().filter(|end| name.is_none() || end.get(..4) == range.start().get(..4)).map(within);
            let start = within(range.start());
            self.losses.push(Loss { name: name.map(str::to_owned), start, end, message });
        }
    }
}

impl Sieve for Salvage {
    fn sift(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
        let sifted = match family {
            Family::Catalog => self.sift_catalog(key, value),
            Family::Data => self.sift_data(key, value),
            // Made anew of the documents, and of the values that expire.
            Family::Index | Family::Vector | Family::Text => return Ok(None),
            _ => Ok(Some(value.to_vec())),
        };
        sifted.or_else(|error| {
            self.lost(split(key).map(|(id, _)| id), KeyRange::point(key), error.to_string());
            Ok(None)
        })
    }

    fn lose(&mut self, family: Family, range: KeyRange, error: Error) -> Result<()> {
        if matches!(family, Family::Index | Family::Vector | Family::Text) {
            return Ok(());
        }
        let within: Vec<_> =
            self.known.keys().map(|id| (*id, range.intersect(&KeyRange::prefix(&prefix(*id))))).collect();
        let mut told = false;
        for (id, part) in within.into_iter().filter(|(_, part)| !part.is_empty() && family == Family::Data) {
            self.lost(Some(id), part, error.to_string());
            told = true;
        }
        if !told {
            self.lost(None, range, format!("the family {}: {error}", family.name()));
        }
        Ok(())
    }

    fn newest(&self) -> Timestamp {
        self.newest
    }
}

/// The number that a key begins with, and the rest.
fn split(key: &[u8]) -> Option<(u32, &[u8])> {
    key.split_first_chunk::<4>().map(|(id, rest)| (u32::from_be_bytes(*id), rest))
}
