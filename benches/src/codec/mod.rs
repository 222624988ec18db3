//! The formats that documents are encoded in: Blaze's record and the ones that it is compared with.

mod comparison;
mod mirror;

use blaze_core::record::{self, Dictionary, Record};
use blaze_core::{Document, Path};
use bson::raw::{RawBsonRef, RawDocument as RawBson};
use serde_json::Value as Json;

pub use self::comparison::compare;
pub use self::mirror::Mirror;
use crate::Result;

/// A document in the form that each format encodes.
#[derive(Debug)]
pub struct Sample {
    /// For the formats that serde describes.
    pub json: Json,
    /// For Blaze.
    pub document: Document,
    /// For bincode.
    pub mirror: Mirror,
}

impl Sample {
    /// The document in a line of JSON.
    ///
    /// # Errors
    /// Those of parsing.
    pub fn parse(line: &str) -> Result<Sample> {
        let json: Json = serde_json::from_str(line)?;
        Ok(Sample { document: serde_json::from_str(line)?, mirror: Mirror::from(&json), json })
    }
}

/// A decoded document in the dynamic type of its format.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// A `serde_json::Value`.
    Json(Json),
    /// A Blaze document.
    Document(Document),
    /// The enum that stands in for JSON where a format is not self-describing.
    Mirror(Mirror),
}

/// A format.
pub trait Codec {
    /// What it is called in tables.
    fn name(&self) -> &'static str;

    /// Sees a document before any is encoded.
    fn prepare(&mut self, _sample: &Sample) {}

    /// Bytes of each encoded document that are not its content, where there are any.
    fn envelope_bytes(&self) -> Option<usize> {
        None
    }

    /// Appends the document to `out`.
    ///
    /// # Errors
    /// Those of the format.
    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()>;

    /// Decodes the whole document.
    ///
    /// # Errors
    /// Those of the format.
    fn decode(&self, bytes: &[u8]) -> Result<Decoded>;

    /// Reads the integer or string at `path` as the format best can: how many bytes it has, 8 for an integer.
    ///
    /// # Errors
    /// Those of the format.
    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>>;
}

/// All of them, Blaze first.
#[must_use]
pub fn all() -> Vec<Box<dyn Codec>> {
    vec![
        Box::new(BlazeRecord::default()),
        Box::new(JsonText),
        Box::new(Bson),
        Box::new(Cbor),
        Box::new(MessagePack),
        Box::new(Bincode),
    ]
}

#[derive(Default)]
struct BlazeRecord {
    dictionary: Dictionary,
}

impl Codec for BlazeRecord {
    fn name(&self) -> &'static str {
        "Blaze record"
    }

    fn prepare(&mut self, sample: &Sample) {
        self.dictionary.learn(&sample.document);
    }

    fn envelope_bytes(&self) -> Option<usize> {
        let mut empty = Vec::new();
        record::encode(&Document::new(), &self.dictionary, &mut empty).ok()?;
        Some(empty.len())
    }

    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()> {
        Ok(record::encode(&sample.document, &self.dictionary, out)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Decoded> {
        Ok(Decoded::Document(Record::open(bytes, &self.dictionary)?.decode()?))
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>> {
        let value = Record::open(bytes, &self.dictionary)?.document().get(path)?;
        Ok(value.and_then(|value| value.as_str().map(str::len).or(value.as_i64().map(|_| 8))))
    }
}

struct JsonText;

impl Codec for JsonText {
    fn name(&self) -> &'static str {
        "JSON"
    }

    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()> {
        Ok(serde_json::to_writer(out, &sample.json)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Decoded> {
        Ok(Decoded::Json(serde_json::from_slice(bytes)?))
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>> {
        Ok(read_json(&serde_json::from_slice(bytes)?, path))
    }
}

struct Bson;

impl Codec for Bson {
    fn name(&self) -> &'static str {
        "BSON"
    }

    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()> {
        out.append(&mut bson::serialize_to_vec(&sample.json)?);
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Decoded> {
        Ok(Decoded::Json(bson::deserialize_from_slice(bytes)?))
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>> {
        let Some((first, rest)) = path.segments().split_first() else { return Ok(None) };
        let mut value = RawBson::from_bytes(bytes)?.get(first.key())?;
        for segment in rest {
            value = match value {
                Some(RawBsonRef::Document(map)) => map.get(segment.key())?,
                Some(RawBsonRef::Array(array)) => match segment.index() {
                    Some(index) => array.get(index)?,
                    None => None,
                },
                _ => None,
            };
        }
        Ok(match value {
            Some(RawBsonRef::String(string)) => Some(string.to_owned().len()),
            Some(RawBsonRef::Int32(_) | RawBsonRef::Int64(_)) => Some(8),
            _ => None,
        })
    }
}

struct Cbor;

impl Codec for Cbor {
    fn name(&self) -> &'static str {
        "CBOR"
    }

    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()> {
        Ok(ciborium::into_writer(&sample.json, out)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Decoded> {
        Ok(Decoded::Json(ciborium::from_reader(bytes)?))
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>> {
        Ok(read_json(&ciborium::from_reader(bytes)?, path))
    }
}

struct MessagePack;

impl Codec for MessagePack {
    fn name(&self) -> &'static str {
        "MessagePack"
    }

    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()> {
        Ok(rmp_serde::encode::write(out, &sample.json)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Decoded> {
        Ok(Decoded::Json(rmp_serde::from_slice(bytes)?))
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>> {
        Ok(read_json(&rmp_serde::from_slice(bytes)?, path))
    }
}

struct Bincode;

impl Codec for Bincode {
    fn name(&self) -> &'static str {
        "bincode 2"
    }

    fn encode(&self, sample: &Sample, out: &mut Vec<u8>) -> Result<()> {
        bincode::serde::encode_into_std_write(&sample.mirror, out, bincode::config::standard())?;
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Decoded> {
        Ok(Decoded::Mirror(bincode::serde::decode_from_slice(bytes, bincode::config::standard())?.0))
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Option<usize>> {
        let document: Mirror = bincode::serde::decode_from_slice(bytes, bincode::config::standard())?.0;
        let found = path.segments().iter().try_fold(&document, |value, segment| match value {
            Mirror::Map(map) => map.iter().find(|(key, _)| key == segment.key()).map(|(_, value)| value),
            Mirror::Array(array) => array.get(segment.index()?),
            _ => None,
        });
        Ok(match found {
            Some(Mirror::String(string)) => Some(string.len()),
            Some(Mirror::Int(_)) => Some(8),
            _ => None,
        })
    }
}

fn read_json(document: &Json, path: &Path) -> Option<usize> {
    let found = path.segments().iter().try_fold(document, |value, segment| match value {
        Json::Object(map) => map.get(segment.key()),
        Json::Array(array) => array.get(segment.index()?),
        _ => None,
    })?;
    found.as_str().map(str::len).or(found.as_i64().map(|_| 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::corpus::Corpus;

    #[test]
    fn every_format_gives_back_what_was_encoded() {
        let corpus = Corpus::Generated { documents: 2_000 };
        let path = corpus.path().expect("it is known what the generated documents hold");
        let mut samples = Vec::new();
        let keep = |line: &str| {
            samples.push(Sample::parse(line)?);
            Ok(())
        };
        corpus.for_each(keep).unwrap();
        for mut codec in all() {
            samples.iter().for_each(|sample| codec.prepare(sample));
            for sample in samples.iter().take(500) {
                let mut bytes = Vec::new();
                codec.encode(sample, &mut bytes).unwrap();
                match codec.decode(&bytes).unwrap() {
                    Decoded::Json(json) => assert_eq!(json, sample.json, "{}", codec.name()),
                    Decoded::Document(document) => assert_eq!(document, sample.document),
                    Decoded::Mirror(mirror) => assert_eq!(mirror, sample.mirror),
                }
                let read = codec.read(&bytes, &path).unwrap();
                assert_eq!(read, read_json(&sample.json, &path), "{}", codec.name());
            }
        }
    }
}
