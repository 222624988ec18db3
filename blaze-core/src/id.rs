//! Ids: of documents, collections and indexes.

mod child;
mod text;

use std::borrow::Cow;
use std::fmt;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::limits::ID_BYTES_MAX;
pub use child::ChildId;
pub(crate) use text::{read_hex, write_hex};

/// A UUID: 16 bytes, ordered bytewise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The UUID with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Uuid {
        Uuid(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads any of the usual spellings: hyphenated, plain, in braces, as a URN.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it is none of them.
    pub fn parse(text: &str) -> Result<Uuid> {
        uuid::Uuid::try_parse(text)
            .map(|uuid| Uuid(uuid.into_bytes()))
            .map_err(|error| Error::invalid(format!("{text:?} is not a UUID: {error}")))
    }

    /// A version 7 UUID (RFC 9562): the 64 bits of a clock tick, which order ids by their making, then 58 bits that
    /// name the replica.
    #[must_use]
    pub fn from_tick(tick: Timestamp, replica: u64) -> Uuid {
        let bits = tick.to_bits();
        // 48 bits of milliseconds, version, 12 bits of counter; variant, its last 4 bits, 58 bits of replica.
        let high = (bits & !0xFFFF) | 0x7000 | ((bits >> 4) & 0x0FFF);
        let low = (0b10 << 62) | ((bits & 0xF) << 58) | (replica & ((1 << 58) - 1));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        Uuid(bytes)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&uuid::Uuid::from_bytes(self.0).hyphenated(), f)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The id of a document: the application's own, or an automatic UUID.
///
/// Ids are ordered: integers, strings, bytes, UUIDs, then those of documents below another one by their parents.
///
/// ```
/// use blaze_core::DocumentId;
///
/// let ids: [DocumentId; 2] = [42.into(), "solaris".into()];
/// assert_eq!(ids[0].to_string(), "42");
/// assert!(ids[0] < ids[1]);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentId {
    /// An integer in the range of `i64`.
    Int(i64),
    /// An integer above `i64::MAX`. Smaller ones are [`Int`](DocumentId::Int), see `From<u64>`.
    UInt(u64),
    /// A string of at most [`ID_BYTES_MAX`] bytes.
    String(String),
    /// Bytes, at most [`ID_BYTES_MAX`].
    Bytes(Vec<u8>),
    /// A UUID.
    Uuid(Uuid),
    /// The id of a document below another one, made by [`child`](DocumentId::child).
    Child(Box<ChildId>),
}

/// Bytes of what is no id that an error shows.
const SHOWN_BYTES_MAX: usize = 64;

const INT: u8 = 0x10;
const UINT: u8 = 0x11;
const STRING: u8 = 0x20;
const BYTES: u8 = 0x30;
const UUID: u8 = 0x40;
const CHILD: u8 = 0x50;

impl DocumentId {
    /// Checks that the id is neither empty nor too long nor nested, and that an integer has its one spelling.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        let length = match self {
            DocumentId::String(string) => string.len(),
            DocumentId::Bytes(bytes) => bytes.len(),
            DocumentId::Child(child) => return child.validate(),
            DocumentId::UInt(int) if i64::try_from(*int).is_ok() => {
                return Err(Error::invalid(format!(
                    "document id UInt({int}) is in the range of i64: make it from a u64"
                )));
            }
            _ => return Ok(()),
        };
        match length {
            0 => Err(Error::invalid("document id is empty, at least 1 byte is needed")),
            1..=ID_BYTES_MAX => Ok(()),
            _ => Err(Error::limit_exceeded(format!("document id has {length} bytes, the limit is {ID_BYTES_MAX}"))),
        }
    }

    /// Appends the id as the last part of a key: a tag, then bytes that keep the order.
    pub fn write_key(&self, key: &mut Vec<u8>) {
        match self {
            DocumentId::Int(int) => {
                key.push(INT);
                key.extend_from_slice(&(int ^ i64::MIN).to_be_bytes());
            }
            DocumentId::UInt(int) => {
                key.push(UINT);
                key.extend_from_slice(&int.to_be_bytes());
            }
            DocumentId::String(string) => {
                key.push(STRING);
                key.extend_from_slice(string.as_bytes());
            }
            DocumentId::Bytes(bytes) => {
                key.push(BYTES);
                key.extend_from_slice(bytes);
            }
            DocumentId::Uuid(uuid) => {
                key.push(UUID);
                key.extend_from_slice(uuid.as_bytes());
            }
            DocumentId::Child(child) => child.write_key(key),
        }
    }

    /// Reads what [`write_key`](DocumentId::write_key) wrote: all of `bytes`.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if it did not write them.
    pub fn read_key(bytes: &[u8]) -> Result<DocumentId> {
        let damaged = || {
            let (shown, count) = (&bytes[..bytes.len().min(SHOWN_BYTES_MAX)], bytes.len());
            Error::corruption(format!("{shown:02x?}, {count} bytes, is not a document id"))
        };
        let (&tag, rest) = bytes.split_first().ok_or_else(damaged)?;
        let eight = || <[u8; 8]>::try_from(rest).map_err(|_| damaged());
        Ok(match tag {
            INT => DocumentId::Int(i64::from_be_bytes(eight()?) ^ i64::MIN),
            UINT => DocumentId::UInt(u64::from_be_bytes(eight()?)),
            STRING => DocumentId::String(String::from_utf8(rest.to_vec()).map_err(|_| damaged())?),
            BYTES => DocumentId::Bytes(rest.to_vec()),
            UUID => DocumentId::Uuid(Uuid(rest.try_into().map_err(|_| damaged())?)),
            CHILD => DocumentId::Child(Box::new(ChildId::read_key(rest).ok_or_else(damaged)?)),
            _ => return Err(damaged()),
        })
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr),* $(,)?) => {
        $(impl From<$type> for DocumentId {
            fn from($value: $type) -> DocumentId {
                $make
            }
        })*
    };
}

from! {
    i8 => |id| DocumentId::Int(id.into()),
    i16 => |id| DocumentId::Int(id.into()),
    i32 => |id| DocumentId::Int(id.into()),
    i64 => |id| DocumentId::Int(id),
    u8 => |id| DocumentId::Int(id.into()),
    u16 => |id| DocumentId::Int(id.into()),
    u32 => |id| DocumentId::Int(id.into()),
    u64 => |id| i64::try_from(id).map_or(DocumentId::UInt(id), DocumentId::Int),
    usize => |id| DocumentId::from(id as u64),
    String => |id| DocumentId::String(id),
    Box<str> => |id| DocumentId::String(id.into_string()),
    Cow<'_, str> => |id| DocumentId::String(id.into_owned()),
    &str => |id| DocumentId::String(id.to_owned()),
    Vec<u8> => |id| DocumentId::Bytes(id),
    &[u8] => |id| DocumentId::Bytes(id.to_vec()),
    Uuid => |id| DocumentId::Uuid(id),
}

impl<const N: usize> From<[u8; N]> for DocumentId {
    fn from(id: [u8; N]) -> DocumentId {
        DocumentId::Bytes(id.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for DocumentId {
    fn from(id: &[u8; N]) -> DocumentId {
        DocumentId::Bytes(id.to_vec())
    }
}

macro_rules! from_reference {
    ($($type:ty),* $(,)?) => {
        $(impl From<&$type> for DocumentId {
            fn from(id: &$type) -> DocumentId {
                id.clone().into()
            }
        })*
    };
}

from_reference!(i8, i16, i32, i64, u8, u16, u32, u64, usize, String, Vec<u8>, Uuid, DocumentId);

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    pub(crate) fn id() -> impl Strategy<Value = DocumentId> {
        prop_oneof![
            3 => plain(),
            2 => (plain(), plain()).prop_map(DocumentId::from),
        ]
    }

    /// An id without a parent.
    pub(crate) fn plain() -> impl Strategy<Value = DocumentId> {
        prop_oneof![
            any::<i64>().prop_map(DocumentId::from),
            any::<u64>().prop_map(DocumentId::from),
            "[a\0\x01ÿ]{1,4}".prop_map(DocumentId::from),
            prop::collection::vec(any::<u8>(), 1..4).prop_map(DocumentId::from),
            any::<[u8; 16]>().prop_map(|bytes| Uuid::from_bytes(bytes).into()),
        ]
    }

    pub(crate) fn key(id: &DocumentId) -> Vec<u8> {
        let mut key = Vec::new();
        id.write_key(&mut key);
        key
    }

    proptest! {
        #[test]
        fn keys_have_the_order_of_ids_and_read_back(a in id(), b in id()) {
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
            prop_assert_eq!(DocumentId::read_key(&key(&a)).unwrap(), a);
        }

        #[test]
        fn arbitrary_keys_never_panic(bytes: Vec<u8>) {
            if let Ok(id) = DocumentId::read_key(&bytes) {
                prop_assert_eq!(key(&id), bytes);
            }
        }

        #[test]
        fn bytes_that_nest_ids_are_refused_at_the_first_level(levels in 2_usize..50_000) {
            let error = DocumentId::read_key(&[CHILD, BYTES, 0, 0].repeat(levels)).unwrap_err();
            prop_assert!(error.to_string().len() < 1_000);
        }

        #[test]
        fn automatic_ids_are_version_7_and_ordered_by_tick(a: u64, b: u64, replica: u64) {
            let uuid = |bits| Uuid::from_tick(Timestamp::from_bits(bits), replica);
            prop_assert_eq!(uuid(a).cmp(&uuid(b)), a.cmp(&b));
            let bytes = *uuid(a).as_bytes();
            prop_assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 0b10));
            prop_assert_eq!(Uuid::parse(&uuid(a).to_string()).unwrap(), uuid(a));
        }
    }

    #[test]
    fn empty_and_long_ids_are_refused() {
        assert_eq!(DocumentId::from("").validate().unwrap_err().kind(), ErrorKind::Invalid);
        assert!(DocumentId::from("a".repeat(ID_BYTES_MAX)).validate().is_ok());
        let long = DocumentId::from(vec![0; ID_BYTES_MAX + 1]).validate().unwrap_err();
        assert_eq!(long.kind(), ErrorKind::LimitExceeded);
    }
}
