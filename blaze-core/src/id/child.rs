//! The id of a document below another one.
//!
//! In a key it is a tag, the id of the parent so encoded that it ends within the key, and the document's own id, which
//! ends with the key. So the documents below one parent stand together, in the order of their own ids.
//!
//! Integers and UUIDs have their length. Strings and bytes end with `00 00`; a `00` within them becomes `00 FF`, which
//! comes behind the end of a shorter one, so that the order stays.

use super::{BYTES, CHILD, DocumentId, INT, STRING, UINT, UUID, Uuid};
use crate::error::{Error, Result};
use crate::limits::ID_BYTES_MAX;

/// The id of a document below another one: that of the parent, and its own, by which its parent tells it from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId {
    parent: DocumentId,
    own: DocumentId,
}

impl ChildId {
    /// The id of the document above.
    #[must_use]
    pub fn parent(&self) -> &DocumentId {
        &self.parent
    }

    /// The document's own id.
    #[must_use]
    pub fn own(&self) -> &DocumentId {
        &self.own
    }

    pub(super) fn validate(&self) -> Result<()> {
        if self.parent.parent().is_some() || self.own.parent().is_some() {
            let (parent, own) = (&self.parent, &self.own);
            return Err(Error::invalid(format!(
                "document id ({parent:?}, {own:?}) has more than two parts: documents are nested one level deep"
            )));
        }
        self.parent.validate().map_err(|error| error.context("the parent's id"))?;
        self.own.validate()?;
        match self.parent.text_bytes() + self.own.text_bytes() {
            0..=ID_BYTES_MAX => Ok(()),
            bytes => Err(Error::limit_exceeded(format!(
                "document id and its parent's have {bytes} bytes together, the limit is {ID_BYTES_MAX}"
            ))),
        }
    }

    pub(super) fn write_key(&self, key: &mut Vec<u8>) {
        self.parent.write_key_above(key);
        self.own.write_key(key);
    }

    /// Reads what stands behind the tag.
    pub(super) fn read_key(mut rest: &[u8]) -> Option<ChildId> {
        let parent = read_delimited(&mut rest)?;
        if rest.first() == Some(&CHILD) {
            return None; // looked at first: who nests them thousands of levels deep would end the stack
        }
        let own = DocumentId::read_key(rest).ok()?;
        Some(ChildId { parent, own })
    }
}

impl DocumentId {
    /// The id of a document below another one, as the documents of a subcollection have it.
    ///
    /// ```
    /// use blaze_core::DocumentId;
    ///
    /// let id = DocumentId::child("order-7", 1);
    /// assert_eq!(id, ("order-7", 1).into());
    /// assert_eq!((id.parent(), id.own()), (Some(&"order-7".into()), &1.into()));
    /// assert_eq!(id.to_string(), "order-7/1");
    /// ```
    #[must_use]
    pub fn child(parent: impl Into<DocumentId>, own: impl Into<DocumentId>) -> DocumentId {
        DocumentId::Child(Box::new(ChildId { parent: parent.into(), own: own.into() }))
    }

    /// The id of the document above, if there is one.
    #[must_use]
    pub fn parent(&self) -> Option<&DocumentId> {
        match self {
            DocumentId::Child(child) => Some(&child.parent),
            _ => None,
        }
    }

    /// The document's own id: without that of its parent, if it has one.
    #[must_use]
    pub fn own(&self) -> &DocumentId {
        match self {
            DocumentId::Child(child) => &child.own,
            id => id,
        }
    }

    /// Appends the bytes with which the keys of all documents below this one begin, and of no others.
    pub fn write_key_above(&self, key: &mut Vec<u8>) {
        key.push(CHILD);
        match self {
            DocumentId::String(string) => write_terminated(key, STRING, string.as_bytes()),
            DocumentId::Bytes(bytes) => write_terminated(key, BYTES, bytes),
            id => id.write_key(key),
        }
    }

    /// Bytes of a string or of bytes.
    fn text_bytes(&self) -> usize {
        match self {
            DocumentId::String(string) => string.len(),
            DocumentId::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

impl<P: Into<DocumentId>, O: Into<DocumentId>> From<(P, O)> for DocumentId {
    fn from((parent, own): (P, O)) -> DocumentId {
        DocumentId::child(parent, own)
    }
}

fn write_terminated(key: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    key.push(tag);
    for byte in bytes {
        key.push(*byte);
        if *byte == 0x00 {
            key.push(0xFF);
        }
    }
    key.extend_from_slice(&[0x00, 0x00]);
}

/// Reads an id that ends within the bytes; not one of a child.
fn read_delimited(rest: &mut &[u8]) -> Option<DocumentId> {
    let (&tag, behind) = rest.split_first()?;
    *rest = behind;
    Some(match tag {
        INT => DocumentId::Int(i64::from_be_bytes(read_array(rest)?) ^ i64::MIN),
        UINT => DocumentId::UInt(u64::from_be_bytes(read_array(rest)?)),
        UUID => DocumentId::Uuid(Uuid::from_bytes(read_array(rest)?)),
        STRING => DocumentId::String(String::from_utf8(read_terminated(rest)?).ok()?),
        BYTES => DocumentId::Bytes(read_terminated(rest)?),
        _ => return None,
    })
}

fn read_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (array, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*array)
}

fn read_terminated(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        if byte != 0x00 {
            bytes.push(byte);
            continue;
        }
        let (&next, behind) = rest.split_first()?;
        *rest = behind;
        match next {
            0x00 => return Some(bytes),
            0xFF => bytes.push(0x00),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;
    use crate::id::tests::{key, plain};

    fn above(parent: &DocumentId) -> Vec<u8> {
        let mut key = Vec::new();
        parent.write_key_above(&mut key);
        key
    }

    proptest! {
        #[test]
        fn the_keys_of_a_parents_documents_begin_alike_and_no_others_do(a in plain(), b in plain(), own in plain()) {
            let child = key(&DocumentId::child(a.clone(), own));
            prop_assert!(child.starts_with(&above(&a)));
            prop_assert_eq!(child.starts_with(&above(&b)), a == b);
            prop_assert!(!key(&b).starts_with(&above(&a)), "the key of the parent itself is another one");
        }
    }

    #[test]
    fn ids_of_documents_without_a_parent_are_encoded_as_ever() {
        let cases: [(DocumentId, &[u8]); 5] = [
            (1.into(), &[0x10, 0x80, 0, 0, 0, 0, 0, 0, 1]),
            (u64::MAX.into(), &[0x11, 255, 255, 255, 255, 255, 255, 255, 255]),
            ("a\0".into(), b"\x20a\0"),
            (vec![0, 1].into(), &[0x30, 0, 1]),
            (Uuid::from_bytes([7; 16]).into(), &[0x40, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]),
        ];
        for (id, bytes) in cases {
            assert_eq!(key(&id), bytes, "{id:?}");
        }
    }

    #[test]
    fn the_encoding_of_a_child_is_what_the_format_says() {
        assert_eq!(key(&DocumentId::child("a\0b", 1)), b"\x50\x20a\0\xFFb\0\0\x10\x80\0\0\0\0\0\0\x01");
        assert_eq!(key(&DocumentId::child(2, "x")), b"\x50\x10\x80\0\0\0\0\0\0\x02\x20x");
    }

    #[test]
    fn ids_that_nest_too_deep_or_are_too_long_are_refused() {
        let deep = [DocumentId::child(DocumentId::child(1, 2), 3), DocumentId::child(1, DocumentId::child(2, 3))];
        for id in deep {
            let error = id.validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("one level deep"), "{error}");
            assert_eq!(DocumentId::read_key(&key(&id)).unwrap_err().kind(), ErrorKind::Corruption);
        }
        let half = "a".repeat(ID_BYTES_MAX / 2);
        assert!(DocumentId::child(half.as_str(), half.as_str()).validate().is_ok());
        let long = DocumentId::child(half.as_str(), format!("{half}a")).validate().unwrap_err();
        assert_eq!(long.kind(), ErrorKind::LimitExceeded);
        let empty = DocumentId::child("", 1).validate().unwrap_err();
        assert!(empty.to_string().starts_with("the parent's id: document id is empty"), "{empty}");
    }
}
