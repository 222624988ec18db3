//! Seeing to it that a collection has an index: what the catalog has of it, and what is to be built.

use blaze_core::fault::{self, Point};
use blaze_core::limits::INDEXES_PER_COLLECTION_MAX;
use blaze_core::{Direction, Error, Family, KeyRange, Result};

use super::build::{BUILD_ISOLATION, Progress, build, build_within, check_within};
use super::{Index, IndexDefinition};
use crate::catalog::{self, Kind, Orphan, prefix};
use crate::database::core::Core;
use crate::session::{RetryLimits, Scope, Session, retry};

/// Sees to it that the collection has the index and that it is complete.
pub(crate) fn ensure(scope: &Scope, collection: &str, index: &Index, progress: &mut Progress<'_>) -> Result<()> {
    match scope {
        Scope::Session(session) => session.atomically(|| ensure_within(session, collection, index, progress)),
        Scope::Database(core) if core.is_read_only() && index.embedder().is_some() => {
            // Nothing is embedded there, but what is searched for.
            let there = find_like(&*Session::read_only(core)?, collection, index)?;
            attach(core, &there, index);
            Ok(())
        }
        Scope::Database(core) => {
            core.check_writable()?;
            let (declared_at, Declared { declared, given_up }) = retry(core, RetryLimits::default(), || {
                let session = Session::read_write(core, BUILD_ISOLATION, core.durability)?;
                let declared = declare(&session, collection, index)?;
                Ok((session.commit()?, declared))
            })?;
            fault::reached(Point::IndexDeclared);
            attach(core, &declared, index);
            for given_up in given_up {
                // No name leads there. Where this fails, the next opening sees to it.
                let _ = given_up.reclaim(core, declared_at);
            }
            match declared.ready {
                true => Ok(()),
                false => build(core, collection, &declared, progress),
            }
        }
    }
}

/// Builds the index as a part of a transaction.
fn ensure_within(session: &Session, collection: &str, index: &Index, progress: &mut Progress<'_>) -> Result<()> {
    check_within(session)?;
    let Declared { declared, given_up } = declare(session, collection, index)?;
    given_up.into_iter().try_for_each(|given_up| session.reclaim_once_committed(given_up))?;
    if let Some(embedder) = index.embedder() {
        session.attach_once_committed(declared.id, embedder.clone())?;
    }
    if !declared.ready {
        build_within(session, collection, &declared, progress)?;
    }
    Ok(())
}

/// What the catalog has of an index that is ensured.
struct Declared {
    declared: IndexDefinition,
    /// The entries that it had when it embedded other texts, or by another model, and those of what was to replace it.
    given_up: Vec<Orphan>,
}

/// Adds the index to the catalog, or finds it there.
fn declare(session: &Session, collection: &str, index: &Index) -> Result<Declared> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let wanted = index.define(0)?;
    let place = definition.indexes.iter().position(|there| there.name == wanted.name);
    let there = place.map(|place| definition.indexes[place].clone());
    if let Some(there) = there.as_ref().filter(|there| !there.is_like_but_for_texts(&wanted) || there.is_like(&wanted))
    {
        return there.check_like(&wanted).map(|()| Declared { declared: there.clone(), given_up: Vec::new() });
    }
    let is_begun = |index: &IndexDefinition| index.name == wanted.name && index.replaces();
    if let Some(begun) = definition.indexes.iter().find(|index| is_begun(index) && index.is_like(&wanted)) {
        // It goes on to take the place of the one that is there.
        return Ok(Declared { declared: begun.clone(), given_up: Vec::new() });
    }
    let mut declared = index.define(catalog::allocate(session.core())?)?;
    let documents = KeyRange::prefix(&prefix(definition.id));
    declared.ready = session.cursor(Family::Data, &documents, Direction::Forward)?.next()?.is_none();
    let begun = definition
        .indexes
        .extract_if(.., |index| is_begun(index) && there.as_ref().is_some_and(|there| there.id != index.id));
    let given_up: Vec<IndexDefinition> = begun.chain(there.clone()).collect();
    let given_up: Vec<Orphan> = given_up.iter().map(|index| Orphan::new(index.family(), prefix(index.id))).collect();
    given_up.iter().try_for_each(|given_up| given_up.declare(session))?;
    match place {
        // What was to replace it stood behind it.
        Some(place) => definition.indexes[place] = declared.clone(),
        None => {
            check_room(collection, &definition.indexes)?;
            definition.indexes.push(declared.clone());
        }
    }
    catalog::put(session, collection, &definition)?;
    Ok(Declared { declared, given_up })
}

/// The index that is there already.
fn find_like(session: &Session, collection: &str, index: &Index) -> Result<IndexDefinition> {
    let definition = catalog::get(session, collection, Kind::Collection)?;
    let wanted = index.define(0)?;
    let Some(there) = definition.indexes.iter().find(|there| there.name == wanted.name) else {
        let name = &wanted.name;
        return Err(Error::invalid(format!("the database is open read-only, and there is no index {name:?}")));
    };
    there.check_like(&wanted).map(|()| there.clone())
}

/// Has an index that is in the catalog embed by what it was ensured with.
pub(super) fn attach(core: &Core, there: &IndexDefinition, index: &Index) {
    if let Some(embedder) = index.embedder() {
        core.embedding.attach(there.id, embedder);
    }
}

/// Refuses another index when a collection has as many as there may be.
pub(crate) fn check_room(collection: &str, indexes: &[IndexDefinition]) -> Result<()> {
    match indexes.len() {
        0..INDEXES_PER_COLLECTION_MAX => Ok(()),
        count => Err(Error::limit_exceeded(format!(
            "collection {collection:?} has {count} indexes, the limit is {INDEXES_PER_COLLECTION_MAX}"
        ))),
    }
}
