//! Unique indexes: no two documents in one key.

use blaze_core::fault::{self, Mistake};
use blaze_core::key;
use blaze_core::{DocumentId, Error, Filter, Predicate, Result};

use super::entries::CONSTRAINED;
use super::{Entries, IndexDefinition, IndexFields};
use crate::session::Session;

/// Refuses entries that another document has. Each key that is looked at is written next, so that in every isolation the
/// commit is refused if somebody else takes it before.
pub(crate) fn check_unique(
    session: &Session,
    index: &IndexDefinition,
    id: &DocumentId,
    before: &Entries,
    after: &Entries,
) -> Result<()> {
    if !index.is_unique() || fault::makes(Mistake::SkippedUniqueCheck) {
        return Ok(());
    }
    let changed = |(key, value): &(&[u8], &[u8])| before.get(key) != Some(value);
    for (key, _) in after.iter().filter(changed).filter(|(_, value)| is_constrained(value)) {
        if let Some(there) = session.get(index.family(), key)?.map(|value| owner(&value)).transpose()?
            && there != *id
        {
            return Err(violation(index, key, id, &there));
        }
    }
    Ok(())
}

/// True unless a key is another document's by now: while an index is being built, a document may lack an entry that
/// somebody else has.
pub(crate) fn is_own(session: &Session, index: &IndexDefinition, key: &[u8], value: &[u8]) -> Result<bool> {
    if !is_constrained(value) {
        return Ok(true);
    }
    let there = session.get(index.family(), key)?;
    Ok(there.is_none_or(|there| there.get(1..) == value.get(1..)))
}

/// Says which documents have the same key.
pub(crate) fn violation(index: &IndexDefinition, key: &[u8], id: &DocumentId, there: &DocumentId) -> Error {
    let values = describe(index, key).unwrap_or_else(|_| String::from("its values"));
    Error::already_exists(format!(
        "index {:?} is unique, and document {id:?} would have {values}, as document {there:?} has",
        index.name
    ))
}

/// The document that has a constrained entry.
pub(crate) fn owner(value: &[u8]) -> Result<DocumentId> {
    DocumentId::read_key(value.get(1..).unwrap_or_default())
}

fn is_constrained(value: &[u8]) -> bool {
    value.first().is_some_and(|flags| flags & CONSTRAINED != 0)
}

/// The values of a constrained key, as a filter would name them.
fn describe(index: &IndexDefinition, key: &[u8]) -> Result<String> {
    let IndexFields::Fields(fields) = index.parts()? else { return Err(Error::internal("no fields")) };
    let mut rest = key.get(4..).unwrap_or_default();
    let mut terms = Vec::with_capacity(fields.len());
    for (path, order) in fields {
        let value = key::read_value(&mut rest, *order)?.unwrap_or_default();
        terms.push(Filter::Field(path.clone(), Predicate::Eq(value)).to_string());
    }
    Ok(terms.join(" and "))
}
