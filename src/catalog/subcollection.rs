//! Subcollections: one row of the catalog for the documents below all documents of a collection.

use blaze_core::{Direction, Document, DocumentId, Error, Family, KeyRange, PARENT_FIELD, Result, Value};

use super::{Definition, Kind, allocate, decode, find, get, layout, put, validate_name};
use crate::session::{Scope, Session};

/// What stands between the name of a collection and that of its subcollection.
const SEPARATOR: char = '/';

/// Sees to it that the collection `above` has a subcollection, and returns the name under which the catalog keeps it.
pub(crate) fn open_below(scope: &Scope, above: &str, name: &str) -> Result<String> {
    validate_name(name, "subcollection")?;
    if name.contains(SEPARATOR) {
        return Err(Error::invalid(format!("subcollection name {name:?} has a {SEPARATOR:?}")));
    }
    let whole = format!("{above}{SEPARATOR}{name}");
    validate_name(&whole, "subcollection")?;
    let there = scope.read(|session| is_there(session, above, &whole))?;
    match there {
        true => {}
        false if scope.is_read_only() => {
            return Err(Error::not_found(format!("the collection {above:?} has no subcollection {name:?}")));
        }
        false => scope.write(|session| match is_there(session, above, &whole)? {
            true => Ok(()),
            false => {
                let parent = Some(above.to_owned());
                let id = allocate(session.core())?;
                put(session, &whole, &Definition { parent, ..Definition::new(Kind::Collection, id) })
            }
        })?,
    }
    Ok(whole)
}

/// True if there is the subcollection, false if there may be one.
fn is_there(session: &Session, above: &str, whole: &str) -> Result<bool> {
    if get(session, above, Kind::Collection)?.parent.is_some() {
        return Err(Error::invalid(format!(
            "{above:?} is a subcollection itself: documents are nested one level deep"
        )));
    }
    match find(session, whole, Kind::Collection)? {
        None => Ok(false),
        Some(there) if there.parent.as_deref() == Some(above) => Ok(true),
        Some(_) => Err(Error::invalid(format!("{whole:?} is a collection of its own, no subcollection of {above:?}"))),
    }
}

/// The names under which the catalog keeps the subcollections of a collection, sorted.
pub(crate) fn subcollections(session: &Session, above: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let range = KeyRange::prefix(&layout::name_key(&format!("{above}{SEPARATOR}")));
    let mut cursor = session.cursor(Family::Catalog, &range, Direction::Forward)?;
    while let Some((key, row)) = cursor.next()? {
        if decode(row)?.1.parent.as_deref() == Some(above) {
            names.push(layout::name_of(key)?);
        }
    }
    Ok(names)
}

impl Definition {
    /// Refuses a document where its id does not belong.
    pub(crate) fn check_place(&self, id: &DocumentId, document: &Document) -> Result<()> {
        check_place(self.parent.as_deref(), id, document)
    }
}

/// As [`Definition::check_place`], for one of the collection `above` has below its documents.
pub(crate) fn check_place(above: Option<&str>, id: &DocumentId, document: &Document) -> Result<()> {
    check_level(above, id)?;
    match document.get(PARENT_FIELD) {
        Some(said) if above.is_some() && *said != Value::Null => Err(Error::invalid(format!(
            "document {id:?}: its field {PARENT_FIELD} says where it is and cannot be changed"
        ))),
        _ => Ok(()),
    }
}

/// Refuses an id where it does not belong.
pub(crate) fn check_level(above: Option<&str>, id: &DocumentId) -> Result<()> {
    match (above, id.parent()) {
        (Some(above), None) => Err(Error::invalid(format!(
            "document {id:?} has no parent, and those of a subcollection are below one of the collection {above:?}: \
             write it through subcollection(), or under an id of two parts"
        ))),
        (None, Some(_)) => {
            Err(Error::invalid(format!("document {id:?} is below another one, and the collection is no subcollection")))
        }
        _ => Ok(()),
    }
}
