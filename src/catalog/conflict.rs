//! Saying in the user's words what a conflict is about.

use std::sync::Arc;

use blaze_core::{Direction, DocumentId, Error, Family, KeyRange, Result};

use super::definition::Kind;
use super::{decode, layout};
use crate::database::core::Core;
use crate::session::Session;

/// The same conflict, naming the document, key, index or name that it is about.
pub(crate) fn name_conflict(core: &Arc<Core>, error: Error) -> Error {
    let named = error.conflict_key().map(|(family, key)| subject(core, family, key));
    match named {
        Some(Ok(Some(subject))) => {
            Error::conflict(format!("{subject} was changed by another transaction")).with_source(error)
        }
        // The conflict is what matters; a name that cannot be found is not.
        _ => error,
    }
}

/// What is stored under a key, in the user's words; nothing if it was dropped meanwhile.
fn subject(core: &Arc<Core>, family: Family, key: &[u8]) -> Result<Option<String>> {
    if let Ok(name) = layout::name_of(key)
        && key == layout::name_key(&name)
    {
        return Ok(Some(format!("the definition of {name:?}")));
    }
    let Some((id, rest)) = key.split_first_chunk() else { return Ok(None) };
    let id = u32::from_be_bytes(*id);
    let session = Session::read_only(core)?;
    let mut cursor = session.cursor(Family::Catalog, &KeyRange::prefix(&layout::name_key("")), Direction::Forward)?;
    while let Some((row_key, row)) = cursor.next()? {
        let definition = decode(row)?.1;
        if family == Family::Data && layout::counted_of(key) == Some(definition.id) {
            let name = layout::name_of(row_key)?;
            return Ok(Some(format!("the number of documents of the {} {name:?}", definition.kind)));
        }
        let subject = match definition.kind {
            Kind::Collection if definition.id == id => Some(match DocumentId::read_key(rest) {
                Ok(document) => format!("document {document:?} of"),
                Err(_) => String::from("a part of"),
            }),
            Kind::Keyspace if definition.id == id && family == Family::Index => {
                Some(format!("when key \"{}\" expires, of", rest.get(8..).unwrap_or_default().escape_ascii()))
            }
            Kind::Keyspace if definition.id == id => Some(format!("key \"{}\" of", rest.escape_ascii())),
            Kind::Objects if definition.id == id => Some(match rest.strip_prefix(b"i") {
                Some(key) => format!("object \"{}\" of", key.escape_ascii()),
                None => String::from("a part of"),
            }),
            _ if definition.id == id => Some(String::from("a part of")),
            _ => {
                let index = definition.indexes.iter().find(|index| index.id == id && index.family() == family);
                index.map(|index| format!("index {:?} of", index.name))
            }
        };
        if let Some(subject) = subject {
            return Ok(Some(format!("{subject} the {} {:?}", definition.kind, layout::name_of(row_key)?)));
        }
    }
    Ok(None)
}
