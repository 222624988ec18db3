//! Ids in any format.

use std::fmt;

use ::serde::de::{Deserializer, Error as _, Unexpected, Visitor};
use ::serde::{Deserialize, Serialize, Serializer, de};

use super::special;
use crate::document::Document;
use crate::id::{DocumentId, Uuid, read_hex, write_hex};
use crate::value::Value;

/// The one key of the map that stands for a UUID in JSON, where it would else be a string.
const UUID: &str = "$uuid";

/// The keys of the map that stands for the id of a document below another one.
const CHILD: [&str; 2] = ["$parent", "$id"];

/// The one key of the map that stands for bytes in JSON: hexadecimal digits.
const BYTES: &str = "$bytes";

impl Serialize for DocumentId {
    /// The id itself in a document. In JSON and other readable formats a UUID is `{"$uuid": "…"}` and bytes are
    /// `{"$bytes": "00ff"}`, so that every id reads back as what it was, and that of a document below another one is
    /// `{"$parent": …, "$id": …}`; in other formats the bytes of its key.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            let mut key = Vec::new();
            self.write_key(&mut key);
            return serializer.serialize_bytes(&key);
        }
        match self {
            DocumentId::Int(int) => serializer.serialize_i64(*int),
            DocumentId::UInt(int) => serializer.serialize_u64(*int),
            DocumentId::String(string) => serializer.serialize_str(string),
            DocumentId::Bytes(bytes) => serializer.serialize_newtype_struct(special::NAME, &Tagged::Bytes(bytes)),
            DocumentId::Uuid(uuid) => serializer.serialize_newtype_struct(special::NAME, &Tagged::Uuid(*uuid)),
            DocumentId::Child(child) => serializer.collect_map(CHILD.into_iter().zip([child.parent(), child.own()])),
        }
    }
}

/// What only our own serializer tells from a string.
enum Tagged<'a> {
    Bytes(&'a [u8]),
    Uuid(Uuid),
}

impl Serialize for Tagged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, serializer.is_human_readable()) {
            (Tagged::Uuid(uuid), true) => serializer.collect_map([(UUID, uuid.to_string())]),
            (Tagged::Uuid(uuid), false) => serializer.serialize_bytes(&special::uuid_bytes(*uuid)),
            (Tagged::Bytes(bytes), true) => {
                let mut hex = String::with_capacity(2 * bytes.len());
                write_hex(bytes, &mut hex).map_err(::serde::ser::Error::custom)?;
                serializer.collect_map([(BYTES, hex)])
            }
            (Tagged::Bytes(bytes), false) => serializer.serialize_bytes(&special::plain_bytes(bytes)),
        }
    }
}

impl<'de> Deserialize<'de> for DocumentId {
    /// Reads what was written; in a readable format a plain string is a string, be it spelt like a UUID.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DocumentId, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_bytes(KeyVisitor);
        }
        match Value::deserialize(deserializer)? {
            Value::Map(map) => tagged(&map).ok_or_else(|| D::Error::invalid_type(Unexpected::Map, &KeyVisitor)),
            Value::Array(_) => Err(D::Error::invalid_type(Unexpected::Seq, &KeyVisitor)),
            value => {
                let found = value.type_name();
                DocumentId::try_from(value).map_err(|_| D::Error::invalid_type(Unexpected::Other(found), &KeyVisitor))
            }
        }
    }
}

fn tagged(map: &Document) -> Option<DocumentId> {
    if map.len() == 2 {
        let [parent, own] = CHILD.map(|key| part(map.get(key)?));
        return Some(DocumentId::child(parent?, own?));
    }
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    match key {
        UUID => Uuid::parse(value.as_str()?).ok().map(DocumentId::Uuid),
        BYTES => read_hex(value.as_str()?).map(DocumentId::Bytes),
        _ => None,
    }
}

/// One of the ids of a child.
fn part(value: &Value) -> Option<DocumentId> {
    match value {
        Value::Map(map) if map.len() == 1 => tagged(map),
        Value::Map(_) | Value::Array(_) => None,
        value => DocumentId::try_from(value.clone()).ok(),
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = DocumentId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document id")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<DocumentId, E> {
        DocumentId::read_key(bytes).map_err(E::custom)
    }
}
