//! What is private to the database, for who throws arbitrary bytes at it.

use std::sync::Arc;

use blaze_core::{Document, Path, Result, Store, from_document, to_document};

use crate::catalog::{self, Definition, Row};
use crate::database::Database;
use crate::expiry::{self, Entry};
use crate::index::{self, Traits};
use crate::text::{self, ChangeRow};

/// The store below a database.
#[must_use]
pub fn store(db: &Database) -> &Arc<dyn Store> {
    &db.core.store
}

/// Appends the checksum that rows end with that can be made again.
pub fn seal(key: &[u8], row: &mut Vec<u8>) {
    crate::seal::seal(key, row);
}

/// What [`seal`] was given, if the checksum is right.
#[must_use]
pub fn unseal<'a>(key: &[u8], row: &'a [u8]) -> Option<&'a [u8]> {
    crate::seal::unseal(key, row).ok()
}

/// Reads a row of the catalog; of a name, the definition and what is derived of it.
pub fn catalog_row(key: &[u8], value: &[u8]) -> Result<()> {
    if let Row::Name(_, _, definition) = catalog::read_row(key, value)? {
        look_at(&definition);
        let again: Definition = from_document(to_document(&definition)?)?;
        assert_eq!(format!("{again:?}"), format!("{definition:?}"), "a definition reads back as another");
        let rewritten = catalog::rewrite(value, &definition)?;
        assert!(matches!(catalog::read_row(key, &rewritten)?, Row::Name(..)), "a definition is written anew");
    }
    Ok(())
}

fn look_at(definition: &Definition) {
    let _ = (definition.tracked(), definition.expires(), definition.needs_retention(), definition.history_age_ms());
    for index in &definition.indexes {
        let _ = index.parts();
        let _ = index::Entries::of(index, &1.into(), &Document::new().with("a", "words").with("v", vec![0.5, 1.0]));
    }
    if let Some(schema) = &definition.schema {
        let _ = schema.check(&1.into(), &Document::new());
        let _ = schema.info();
    }
}

/// Reads an entry of an index on `fields`.
pub fn index_entry(key: &[u8], value: &[u8], fields: &[(Path, blaze_core::key::Order)]) {
    let id = index::read_id(key, value, fields).map(|(_, id)| id);
    let covered = index::covered_values(key, value, fields);
    if let (Ok(_), Ok(Some(values))) = (id, covered) {
        assert_eq!(values.len(), fields.len(), "a value for each field");
    }
}

/// Reads small rows and keys of every kind that is made by hand.
pub fn small_rows(bytes: &[u8]) {
    if let Ok(row) = ChangeRow::read(bytes) {
        assert_eq!(row.to_bytes(), bytes, "a change of a text index reads back as another");
    }
    if let Ok(Some((id, begun))) = text::split_change(bytes) {
        assert_eq!(text::change_key(7, id, begun)[4..], *bytes, "the key of a change reads back as another");
    }
    if let Ok((expiry_ms, value)) = expiry::split(bytes) {
        assert_eq!(expiry::store(expiry_ms, value), bytes, "a value that expires reads back as another");
    }
    if let Ok(entry) = Entry::read(bytes) {
        assert_eq!(entry.index_key(7)[4..], *bytes, "an entry of what expires reads back as another");
    }
    let traits = Traits::from_value(bytes);
    assert!(traits.covers(Traits::from_value(&traits.to_value())), "traits read back as others");
    for several in [false, true] {
        let _ = index::id_bytes(bytes, several);
        let _ = index::vector_id(bytes, several);
    }
    crate::graph::rows::read(bytes);
    let _ = crate::embedding::waiting_entry(bytes);
    let _ = catalog::read_row(bytes, bytes);
    let _ = catalog::counted_of(bytes);
}
