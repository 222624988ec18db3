//! The rows of the catalog, read and written one by one: for who looks at all of them, or repairs them.

use blaze_core::record::{self, Dictionary, STAMP_AT};
use blaze_core::{Error, Result, Timestamp, to_document};

use super::{Definition, decode, layout};

/// What a row of the catalog family is.
#[derive(Debug)]
pub(crate) enum Row {
    /// The definition behind a name.
    Name(String, Timestamp, Definition),
    /// Another row of the catalog's own.
    Own,
    /// A row of the collection, keyspace or index with this number.
    Of(u32),
}

/// Reads a row and checks it, as far as its key alone says what it must be.
pub(crate) fn read_row(key: &[u8], value: &[u8]) -> Result<Row> {
    let number = key.first_chunk::<4>().map(|number| u32::from_be_bytes(*number));
    let number = number.ok_or_else(|| Error::corruption(format!("{key:02x?} is not a key of the catalog")))?;
    if !layout::is_own(key) {
        return Ok(Row::Of(number));
    }
    if layout::is_name(key) {
        let (version, definition) = decode(value)?;
        return Ok(Row::Name(layout::name_of(key)?, version, definition));
    }
    let expected = [(layout::counter_key(), 4), (layout::replica_key(), 8)];
    match expected.into_iter().find(|(known, _)| known == key) {
        Some((_, bytes)) if bytes != value.len() => {
            Err(Error::corruption(format!("a number of the catalog has {} bytes, not {bytes}", value.len())))
        }
        _ => Ok(Row::Own),
    }
}

/// A row of a name with another definition, as if it had been written by the same commit.
pub(crate) fn rewrite(row: &[u8], definition: &Definition) -> Result<Vec<u8>> {
    let mut rewritten = Vec::new();
    record::encode(&to_document(definition)?, &Dictionary::default(), &mut rewritten)?;
    let stamp = STAMP_AT..STAMP_AT + 8;
    let from = row.get(stamp.clone()).ok_or_else(|| Error::corruption("a row of the catalog is too short"))?;
    rewritten[stamp].copy_from_slice(from);
    Ok(rewritten)
}
