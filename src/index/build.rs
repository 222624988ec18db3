//! Building and removing indexes.
//!
//! A catalog commit declares the index; from then on every write keeps it up to date, since all transactions validate
//! the catalog row. Then it is filled in small transactions, and a last catalog commit makes it ready. Whoever is
//! interrupted in between leaves an index that is kept up to date, is not used, and is completed by the next call.

use std::sync::Arc;

use blaze_core::limits::INDEXES_PER_COLLECTION_MAX;
use blaze_core::record::Record;
use blaze_core::{Direction, DocumentId, Durability, Error, Family, Isolation, KeyRange, Result};

use super::{Entries, Index, IndexDefinition, IndexProgress};
use crate::catalog::{self, Kind, prefix};
use crate::collection::write_entries;
use crate::database::Core;
use crate::session::{Scope, Session, commit_alone};

/// Documents that one transaction of a build reads.
const BATCH_DOCUMENTS: u64 = 1_000;

/// Whatever the database's isolation: a document that goes away while its entry is made must be noticed.
const BUILD_ISOLATION: Isolation = Isolation::Serializable;

/// Sees to it that the collection has the index and that it is complete.
pub(crate) fn ensure(
    scope: &Scope,
    collection: &str,
    index: &Index,
    progress: &mut dyn FnMut(IndexProgress),
) -> Result<()> {
    let core = match scope {
        Scope::Database(core) => core,
        Scope::Session(session) => {
            return session.atomically(|| {
                let declared = declare(session, collection, index)?;
                if !declared.ready {
                    fill(session, collection, &declared, &mut Fill::default(), u64::MAX)?;
                    complete(session, collection, declared.id)?;
                }
                Ok(())
            });
        }
    };
    let declared = commit_alone(core, BUILD_ISOLATION, core.durability, |session| declare(session, collection, index))?;
    match declared.ready {
        true => Ok(()),
        false => build(core, collection, &declared, progress),
    }
}

fn build(
    core: &Arc<Core>,
    collection: &str,
    declared: &IndexDefinition,
    progress: &mut dyn FnMut(IndexProgress),
) -> Result<()> {
    let mut done = Fill::default();
    let mut filled = || -> Result<()> {
        while !done.complete {
            done = commit_alone(core, BUILD_ISOLATION, Durability::Buffered, |session| {
                let mut next = done.clone();
                fill(session, collection, declared, &mut next, BATCH_DOCUMENTS)?;
                Ok(next)
            })?;
            progress(IndexProgress { documents: done.documents });
        }
        commit_alone(core, BUILD_ISOLATION, core.durability, |session| complete(session, collection, declared.id))
    };
    filled().inspect_err(|_| {
        // The first error is the one to be told; an index that stays declared is completed or removed later.
        let _ =
            commit_alone(core, BUILD_ISOLATION, core.durability, |session| remove(session, collection, &declared.name));
    })
}

/// Adds the index to the catalog, or finds it there.
fn declare(session: &Session, collection: &str, index: &Index) -> Result<IndexDefinition> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let wanted = index.define(0)?;
    if let Some(there) = definition.indexes.iter().find(|there| there.name == wanted.name) {
        if !there.is_like(&wanted) {
            return Err(Error::invalid(format!(
                "index {:?} is on {}, not on {}: drop it first or choose another name",
                there.name,
                there.describe(),
                wanted.describe()
            )));
        }
        return Ok(there.clone());
    }
    if definition.indexes.len() >= INDEXES_PER_COLLECTION_MAX {
        return Err(Error::limit_exceeded(format!(
            "collection {collection:?} has {} indexes, the limit is {INDEXES_PER_COLLECTION_MAX}",
            definition.indexes.len()
        )));
    }
    let mut declared = index.define(catalog::allocate(session)?)?;
    let documents = KeyRange::prefix(&prefix(definition.id));
    declared.ready = session.cursor(Family::Data, &documents, Direction::Forward)?.next()?.is_none();
    definition.indexes.push(declared.clone());
    catalog::put(session, collection, &definition)?;
    Ok(declared)
}

/// How far an index is filled.
#[derive(Clone, Debug, Default)]
struct Fill {
    documents: u64,
    /// The last document that has its entries.
    last: Option<Vec<u8>>,
    complete: bool,
}

/// Makes the entries of the next documents.
fn fill(
    session: &Session,
    collection: &str,
    index: &IndexDefinition,
    fill: &mut Fill,
    most_documents: u64,
) -> Result<()> {
    let definition = catalog::get(session, collection, Kind::Collection)?;
    let all = KeyRange::prefix(&prefix(definition.id));
    let range = match &fill.last {
        Some(last) => all.intersect(&KeyRange::new([last.as_slice(), &[0]].concat(), None)),
        None => all,
    };
    let mut cursor = session.cursor(Family::Data, &range, Direction::Forward)?;
    for _ in 0..most_documents {
        let Some((key, bytes)) = cursor.next()? else {
            fill.complete = true;
            return Ok(());
        };
        let id = DocumentId::read_key(key.get(4..).unwrap_or_default())?;
        let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
        let document = Record::open(bytes, &dictionary)?.decode()?;
        fill.last = Some(key.to_vec());
        fill.documents += 1;
        write_entries(session, index, &Entries::default(), Entries::of(index, &id, &document)?)?;
    }
    Ok(())
}

fn complete(session: &Session, collection: &str, index: u32) -> Result<()> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let declared = definition.indexes.iter_mut().find(|declared| declared.id == index);
    let declared = declared.ok_or_else(|| Error::not_found("the index was dropped while it was built"))?;
    declared.ready = true;
    catalog::put(session, collection, &definition)
}

/// Removes an index with its entries; says whether it was there.
pub(crate) fn remove(session: &Session, collection: &str, name: &str) -> Result<bool> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let Some(position) = definition.indexes.iter().position(|index| index.name == name) else { return Ok(false) };
    let index = definition.indexes.remove(position);
    session.delete_range(index.family(), KeyRange::prefix(&prefix(index.id)))?;
    catalog::put(session, collection, &definition)?;
    Ok(true)
}
