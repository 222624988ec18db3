//! Building an index beside another one, to take its place.
//!
//! It has the name of that one in the catalog, stands behind it, and says what it is for. Whoever looks for a name finds the
//! first; whoever writes keeps both up to date.

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Result};

use super::build::{BUILD_ISOLATION, Progress, build, build_within, check_within};
use super::ensure::attach;
use super::{Index, IndexDefinition};
use crate::catalog::{self, Kind, Orphan, prefix};
use crate::session::{RetryLimits, Scope, Session, retry};

/// Builds an index beside the one of a name, and has it take its place.
pub(crate) fn replace(
    scope: &Scope,
    collection: &str,
    name: &str,
    index: &Index,
    progress: &mut Progress<'_>,
) -> Result<()> {
    match scope {
        Scope::Session(session) => session.atomically(|| {
            check_within(session)?;
            if index.embedder().is_some() {
                return Err(Error::unsupported(format!(
                    "the index {name:?} is to be replaced by one that embeds: not within a transaction, which would wait for the embedder"
                )));
            }
            let Beside { declared, given_up, .. } = declare_beside(session, collection, name, index)?;
            given_up.map_or(Ok(()), |given_up| session.reclaim_once_committed(given_up))?;
            declared.map_or(Ok(()), |declared| build_within(session, collection, &declared, progress))
        }),
        Scope::Database(core) => {
            core.check_writable()?;
            let (declared_at, Beside { declared, given_up, there }) = retry(core, RetryLimits::default(), || {
                let session = Session::read_write(core, BUILD_ISOLATION, core.durability)?;
                let beside = declare_beside(&session, collection, name, index)?;
                Ok((session.commit()?, beside))
            })?;
            fault::reached(Point::ReplacementDeclared);
            attach(core, &there, index);
            if let Some(given_up) = given_up {
                // As above.
                let _ = given_up.reclaim(core, declared_at);
            }
            declared.map_or(Ok(()), |declared| build(core, collection, &declared, progress))
        }
    }
}

/// What is to be built in the place of an index.
struct Beside {
    /// None if there is nothing to do.
    declared: Option<IndexDefinition>,
    /// What was begun before, to be something else.
    given_up: Option<Orphan>,
    /// What is to be built, or has nothing to be done about it.
    there: IndexDefinition,
}

/// Adds an index to the catalog that is to take the place of another, or finds it there.
fn declare_beside(session: &Session, collection: &str, name: &str, index: &Index) -> Result<Beside> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let wanted = index.define_in_place_of(name, 0)?;
    let is_named = |index: &&IndexDefinition| index.name == name;
    let Some(there) = definition.indexes.iter().find(is_named).cloned() else {
        return Err(Error::not_found(format!("there is no index {name:?} to be replaced")));
    };
    let begun = definition.indexes.iter().find(|index| is_named(index) && index.replaces()).cloned();
    if let Some(begun) = &begun
        && begun.is_like(&wanted)
    {
        return Ok(Beside { declared: Some(begun.clone()), given_up: None, there: begun.clone() });
    }
    if begun.is_none() && there.is_like(&wanted) {
        let declared = (!there.ready).then(|| there.clone());
        return Ok(Beside { declared, given_up: None, there });
    }
    let given_up = begun.map(|begun| Orphan::new(begun.family(), prefix(begun.id)));
    given_up.as_ref().map_or(Ok(()), |given_up| given_up.declare(session))?;
    definition.indexes.retain(|index| !(index.name == name && index.replaces()));
    let declared = match there.is_like(&wanted) {
        true => (!there.ready).then(|| there.clone()),
        false => {
            let declared = index.define_in_place_of(name, catalog::allocate(session.core())?)?;
            definition.indexes.push(declared.clone());
            Some(declared)
        }
    };
    catalog::put(session, collection, &definition)?;
    let there = declared.clone().unwrap_or(there);
    Ok(Beside { declared, given_up, there })
}
