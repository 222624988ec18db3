//! Renaming and removing indexes.

use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Isolation, Result};

use super::IndexDefinition;
use crate::catalog::{self, Kind, Orphan, prefix};
use crate::database::core::Core;
use crate::session::{RetryLimits, Scope, Session, retry};

/// Gives an index another name.
pub(crate) fn rename(session: &Session, collection: &str, from: &str, to: &str) -> Result<()> {
    catalog::validate_name(to, "index")?;
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    if !definition.indexes.iter().any(|index| index.name == from) {
        return Err(Error::not_found(format!("there is no index {from:?}")));
    }
    if from == to {
        return Ok(());
    }
    if let Some(there) = definition.indexes.iter().find(|index| index.name == to) {
        let on = there.describe();
        return Err(Error::already_exists(format!("there is an index {to:?} already, on {on}")));
    }
    // With what is built to take its place.
    definition.indexes.iter_mut().filter(|index| index.name == from).for_each(|index| to.clone_into(&mut index.name));
    catalog::put(session, collection, &definition)
}

/// Removes an index, with what is built to take its place; says whether it was there. Its entries are an orphan from that
/// commit on.
pub(crate) fn remove(scope: &Scope, collection: &str, name: &str) -> Result<bool> {
    let is_named = |index: &IndexDefinition| index.name == name;
    match scope {
        Scope::Database(core) => remove_at_once(core, collection, core.isolation, is_named),
        Scope::Session(session) => session.atomically(|| {
            let orphans = remove_where(session, collection, is_named)?;
            let was_there = !orphans.is_empty();
            // The transaction may be rolled back yet.
            orphans.into_iter().try_for_each(|orphan| session.reclaim_once_committed(orphan))?;
            Ok(was_there)
        }),
    }
}

/// Removes indexes in a commit of their own, and their entries then.
pub(super) fn remove_at_once(
    core: &Arc<Core>,
    collection: &str,
    isolation: Isolation,
    which: impl Fn(&IndexDefinition) -> bool,
) -> Result<bool> {
    core.check_writable()?;
    let (removed_at, orphans) = retry(core, RetryLimits::default(), || {
        let session = Session::read_write(core, isolation, core.durability)?;
        let orphans = remove_where(&session, collection, &which)?;
        Ok((session.commit()?, orphans))
    })?;
    fault::reached(Point::IndexDropped);
    for orphan in &orphans {
        // The index is gone. Where this fails, the next opening sees to it.
        let _ = orphan.reclaim(core, removed_at);
    }
    Ok(!orphans.is_empty())
}

/// Removes indexes from the catalog and makes orphans of their entries.
fn remove_where(session: &Session, collection: &str, which: impl Fn(&IndexDefinition) -> bool) -> Result<Vec<Orphan>> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let removed: Vec<IndexDefinition> = definition.indexes.extract_if(.., |index| which(index)).collect();
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let orphans: Vec<Orphan> = removed.iter().map(|index| Orphan::new(index.family(), prefix(index.id))).collect();
    orphans.iter().try_for_each(|orphan| orphan.declare(session))?;
    catalog::put(session, collection, &definition)?;
    Ok(orphans)
}
