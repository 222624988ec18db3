//! Keyspaces whose values expire.

use blaze_core::{Direction, Error, Family, Isolation, KeyRange, Result};

use super::definition::{Definition, Kind};
use super::{Dropped, allocate, decode, find, layout, prefix, put, validate_name};
use crate::session::{Scope, Session, commit_alone};

/// Sees to it that the keyspace `name` is there and that its values may expire: creates it, or switches one that is
/// empty. Where nothing can be written, it must be so already.
pub(super) fn open(scope: &Scope, name: &str) -> Result<()> {
    validate_name(name, Kind::Keyspace.as_str())?;
    let found = scope.read(|session| find(session, name, Kind::Keyspace))?;
    if found.as_ref().is_some_and(|definition| definition.expiring) {
        return Ok(());
    }
    match scope {
        _ if scope.is_read_only() => Err(match found {
            Some(_) => {
                Error::invalid(format!("the keyspace {name:?} does not expire, and nothing can be written here"))
            }
            None => Error::not_found(format!("there is no keyspace {name:?}")),
        }),
        // Whatever the database's isolation: a key that comes while an empty keyspace is switched must be noticed.
        Scope::Database(core) => {
            commit_alone(core, Isolation::Serializable, core.durability, |session| ensure(session, name))
        }
        Scope::Session(session) => session.atomically(|| ensure(session, name)),
    }
}

fn ensure(session: &Session, name: &str) -> Result<()> {
    match find(session, name, Kind::Keyspace)? {
        Some(definition) if definition.expiring => Ok(()),
        Some(definition) => {
            check_switch(session, name, &definition)?;
            // Another number: what the feed still tells of the old one are values that do not say when they expire.
            Dropped::keep_name(session, name, &definition)?;
            let id = allocate(session.core())?;
            define(session, name, &Definition { expiring: true, id, ..Definition::clone(&definition) })
        }
        None => {
            let id = allocate(session.core())?;
            define(session, name, &Definition { expiring: true, ..Definition::new(Kind::Keyspace, id) })
        }
    }
}

/// Writes the definition of a keyspace whose values expire.
pub(crate) fn define(session: &Session, name: &str, definition: &Definition) -> Result<()> {
    put(session, name, definition)
}

/// From here on there is a time by which a clock that jumps ahead is told.
pub(super) fn keep_first_time(session: &Session) -> Result<()> {
    if session.get(Family::Data, &layout::retention_time_key())?.is_none() {
        let now_ms = session.read_ms().to_be_bytes().to_vec();
        session.put(Family::Data, layout::retention_time_key(), now_ms, None)?;
    }
    Ok(())
}

/// Refuses to switch a keyspace where something is left of values that do not say when they expire.
fn check_switch(session: &Session, name: &str, definition: &Definition) -> Result<()> {
    let refuse =
        |reason: &str| Err(Error::invalid(format!("the keyspace {name:?} cannot be made one that expires: {reason}")));
    if !session.is_serializable() {
        return refuse("that takes a serializable transaction, or none");
    }
    // History and feed go with the commit that switches them off, so they must have been off before this session.
    let mut remembers = definition.is_tracked();
    let committed = session.point().visit(Family::Catalog, &layout::name_key(name), &mut |row| {
        remembers |= decode(row)?.1.is_tracked();
        Ok(())
    });
    committed?;
    if remembers {
        return refuse("it has a history or a change feed; switch them off before, and on again afterwards");
    }
    let keys = KeyRange::prefix(&prefix(definition.id));
    match session.cursor(Family::Data, &keys, Direction::Forward)?.next()? {
        Some(_) => refuse("it has keys; only an empty one can, so clear it or take another name"),
        None => Ok(()),
    }
}
