//! Records: how a document is stored.
//!
//! `[format version: 1][commit timestamp: 8][checksum of the body: 4][body]`, where the body is the number of the
//! document's shape and its values, see `tag.rs` and [`Dictionary`].

mod cursor;
mod deserialize;
mod dictionary;
mod encode;
mod entry;
#[cfg(test)]
mod golden;
mod item;
mod owned;
mod raw;
mod reach;
mod serialize;
mod tag;
#[cfg(test)]
mod tests;

pub use dictionary::Dictionary;
pub use entry::DictionaryEntry;
pub(crate) use item::Item;
pub use owned::OwnedRecord;
pub use raw::{RawDocument, RawValue};
pub use serialize::RecordSerializer;

use crate::clock::Timestamp;
use crate::document::Document;
use crate::error::{Error, Result};
use cursor::{Cursor, damaged};
use encode::Encoder;

/// Where in a record the store writes the commit timestamp, in 8 big-endian bytes.
///
/// The stamp is written after encoding, when the commit's turn has come, so the checksum leaves it out.
pub const STAMP_AT: usize = 1;

const FORMAT_VERSION: u8 = 1;
const CHECKSUM_AT: usize = STAMP_AT + 8;
const BODY_AT: usize = CHECKSUM_AT + 4;

/// Appends `document` to `out` as a whole record, its stamp zero.
///
/// Shapes and keys that `dictionary` does not know are spelt out, so that any dictionary will do; one that
/// [has learnt](Dictionary::learn) the document makes the record small. After an error `out` is as it was.
///
/// ```
/// use blaze_core::record::{Dictionary, Record, encode};
/// use blaze_core::{Document, Path, Value};
///
/// let film = Document::new().with("title", "Solaris").with("year", 1972);
/// let mut dictionary = Dictionary::default();
/// dictionary.learn(&film);
///
/// let mut bytes = Vec::new();
/// encode(&film, &dictionary, &mut bytes)?;
/// let record = Record::open(&bytes, &dictionary)?;
/// let year = record.document().get(&Path::from("year"))?;
/// assert_eq!(year.as_ref().and_then(Value::as_i64), Some(1972));
/// # Ok::<(), blaze_core::Error>(())
/// ```
///
/// # Errors
/// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) above [`NESTING_MAX`](crate::limits::NESTING_MAX) levels or
/// [`DOCUMENT_BYTES_MAX`](crate::limits::DOCUMENT_BYTES_MAX) bytes.
pub fn encode(document: &Document, dictionary: &Dictionary, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    begin(out);
    let mut encoder = Encoder { dictionary, out, start };
    let encoded = encoder.map(document, 1).and_then(|()| encoder.check_size(0));
    if encoded.is_err() {
        out.truncate(start);
        return encoded;
    }
    complete(out, start);
    Ok(())
}

/// Appends the envelope of a record, still empty.
fn begin(out: &mut Vec<u8>) {
    out.push(FORMAT_VERSION);
    out.resize(out.len() + BODY_AT - STAMP_AT, 0);
}

/// Writes the checksum of the body into the envelope of the record that starts at `start`.
fn complete(out: &mut [u8], start: usize) {
    let checksum = crc32fast::hash(&out[start + BODY_AT..]);
    out[start + CHECKSUM_AT..start + BODY_AT].copy_from_slice(&checksum.to_be_bytes());
}

/// A record whose format version and checksum are right.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    version: Timestamp,
    bytes: &'a [u8],
    document: RawDocument<'a>,
}

impl<'a> Record<'a> {
    /// Reads the envelope and verifies the checksum; decodes nothing.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption).
    #[inline]
    pub fn open(bytes: &'a [u8], dictionary: &'a Dictionary) -> Result<Record<'a>> {
        let record = Record::of_verified(bytes, dictionary)?;
        let stored = Cursor(&bytes[CHECKSUM_AT..]).array().map(u32::from_be_bytes)?;
        let computed = crc32fast::hash(record.document.body);
        if stored != computed {
            let length = record.document.body.len();
            return Err(Error::corruption(format!(
                "the checksum of a record of {length} bytes is {computed:08x}, {stored:08x} was stored"
            )));
        }
        Ok(record)
    }

    /// As [`open`](Record::open), of bytes that it has opened before: the checksum is not computed once more.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption).
    #[inline]
    pub fn of_verified(bytes: &'a [u8], dictionary: &'a Dictionary) -> Result<Record<'a>> {
        let mut cursor = Cursor(bytes);
        let format = cursor.byte()?;
        if format != FORMAT_VERSION {
            return Err(damaged(&format!("its format version is {format}, this program knows {FORMAT_VERSION}")));
        }
        let version = Timestamp::from_bits(u64::from_be_bytes(cursor.array()?));
        cursor.take(BODY_AT - CHECKSUM_AT)?;
        Ok(Record { version, bytes, document: RawDocument::new(cursor.0, dictionary) })
    }

    /// The whole record, as it is stored.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The timestamp of the commit that wrote the record, which is the document's version.
    #[must_use]
    pub fn version(&self) -> Timestamp {
        self.version
    }

    /// The document, not decoded.
    #[must_use]
    pub fn document(&self) -> RawDocument<'a> {
        self.document
    }

    /// The document, decoded.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the body is not that of a document; the checksum makes that
    /// a wrong dictionary or a defect.
    pub fn decode(&self) -> Result<Document> {
        self.document.decode()
    }
}
