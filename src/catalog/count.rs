//! How many documents a collection has: a counter beside it, to which each commit adds what it inserts and deletes.
//!
//! Additions never conflict with each other, so that writers do not meet here. A collection from before there were counts
//! has none, and is counted one by one.

use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Durability, Error, Family, Isolation, KeyRange, Result, Write, counter};

use super::{Definition, Kind, get, layout, prefix, put};
use crate::database::core::Core;
use crate::session::{Session, commit_alone};

/// Counts a document that comes, or one that goes.
pub(crate) fn count_one(session: &Session, definition: &Definition, comes: bool) -> Result<()> {
    match definition.counted {
        true => session.add_within(Family::Data, layout::count_key(definition.id), if comes { 1 } else { -1 }),
        false => Ok(()),
    }
}

/// How many documents there are. That of others who insert or delete conflicts with the session from then on.
pub(crate) fn count(session: &Session, definition: &Definition) -> Result<u64> {
    if !definition.counted || session.is_as_of() {
        return session.count(Family::Data, &KeyRange::prefix(&prefix(definition.id)));
    }
    let count = session.counter(Family::Data, &layout::count_key(definition.id))?;
    u64::try_from(count).map_err(|_| Error::corruption(format!("the count of a collection's documents is {count}")))
}

/// How many documents were there before the session's own changes, if that is known. It does not count as read.
pub(crate) fn count_estimate(session: &Session, definition: &Definition) -> Result<Option<u64>> {
    if !definition.counted {
        return Ok(None);
    }
    let mut count = 0;
    session.visit_committed(Family::Data, &layout::count_key(definition.id), &mut |bytes| {
        count = counter::decode(bytes)?;
        Ok(())
    })?;
    Ok(u64::try_from(count).ok())
}

/// Says of a new collection, in the commit that shows it, how many documents it has.
pub(crate) fn count_as_new(session: &Session, definition: &mut Definition, documents: u64) -> Result<()> {
    let count = i64::try_from(documents).map_err(|_| Error::limit_exceeded("a collection of 2^63 documents"))?;
    definition.counted = true;
    session.write(Write::put(Family::Data, layout::count_key(definition.id), counter::encode(count)))
}

/// Corrects the count of a collection that is in use; says by how much. What is wrong at one moment is wrong by as much at
/// any later one, and additions do not conflict with those of others.
pub(crate) fn correct_count(core: &Arc<Core>, name: &str) -> Result<i64> {
    // Of two at once, both would add what is missing.
    let _alone = core.catalog.correcting_counts.lock();
    let session = Session::read_only(core)?;
    let seen = get(&session, name, Kind::Collection)?;
    if !seen.counted {
        return Ok(0);
    }
    let key = layout::count_key(seen.id);
    let documents = session.count(Family::Data, &KeyRange::prefix(&prefix(seen.id)))?;
    let missing = i128::from(documents) - i128::from(session.counter(Family::Data, &key)?);
    let missing = i64::try_from(missing).map_err(|_| Error::corruption("the count of documents is far off"))?;
    drop(session);
    if missing == 0 {
        return Ok(0);
    }
    fault::reached(Point::CountMissed);
    commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
        match get(session, name, Kind::Collection)?.id == seen.id {
            true => session.add_within(Family::Data, key.clone(), missing).map(|()| missing),
            false => Ok(0), // it was replaced meanwhile, and counted
        }
    })
}

/// Counts the documents of a collection one by one, and has it count from there on.
pub(crate) fn recount(core: &Arc<Core>, name: &str) -> Result<()> {
    commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
        let mut definition = (*get(session, name, Kind::Collection)?).clone();
        let documents = session.count(Family::Data, &KeyRange::prefix(&prefix(definition.id)))?;
        count_as_new(session, &mut definition, documents)?;
        put(session, name, &definition)
    })
}
