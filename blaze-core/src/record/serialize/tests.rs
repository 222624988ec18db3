//! Records of Rust values against those of the documents that they become.

use std::collections::BTreeMap;

use ::serde::Serialize;
use proptest::prelude::*;

use super::super::tests::{dictionaries, documents};
use super::super::{Dictionary, encode};
use super::RecordSerializer;
use crate::id::Uuid;
use crate::identified::take_id;
use crate::limits::VECTOR_DIMENSIONS_MAX;
use crate::serde::to_document;
use crate::value::{Decimal, Time, Value, Vector};

/// Writes a value in both ways, several times with one serializer, and says whether it was written without a document.
fn compare<T: Serialize + ?Sized>(value: &T, dictionary: &Dictionary) -> bool {
    let mut serializer = RecordSerializer::default();
    let outs = [b"".to_vec(), b"before".to_vec(), Vec::new()];
    let written = outs.map(|before| {
        let mut out = before.clone();
        let id = serializer.encode(value, dictionary, &mut out);
        assert!(out.starts_with(&before));
        let record = out.split_off(before.len());
        assert_eq!(id.is_none(), record.is_empty(), "what is not written leaves nothing behind");
        id.map(|id| (id, record))
    });
    assert!(written.iter().all(|other| *other == written[0]));
    let Some((id, record)) = &written[0] else { return false };
    let mut document = to_document(value).expect("what is written is a document");
    assert_eq!(take_id(&mut document).expect("its id is valid"), *id);
    let mut expected = Vec::new();
    encode(&document, dictionary, &mut expected).expect("what is written is no larger than it may be");
    assert_eq!(*record, expected, "{document:?}");
    true
}

/// A value in a document, with all shapes known.
fn is_written<T: Serialize>(value: &T) -> bool {
    let mut document = to_document(value).expect("it is a document");
    take_id(&mut document).expect("its id is valid");
    let mut dictionary = Dictionary::default();
    dictionary.learn(&document);
    compare(value, &dictionary)
}

fn holding<T: Serialize>(value: T) -> BTreeMap<&'static str, T> {
    BTreeMap::from([("value", value)])
}

#[derive(Serialize)]
struct Film {
    #[serde(rename = "_id")]
    id: Option<&'static str>,
    title: String,
    year: i16,
    made: Option<Time>,
    reference: Uuid,
    price: Decimal,
    parts: Vec<Part>,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

#[derive(Serialize, Clone, Default)]
struct Part {
    title: &'static str,
    numbers: Vec<f32>,
    pair: (f32, f32),
    mixed: (f32, u8),
    nothing: (),
    letter: char,
    inner: Option<Box<Part>>,
}

#[derive(Serialize)]
enum Kind {
    Plain,
    Newtype(f32),
    Pair(f32, f32),
    Struct { a: u128, b: i128 },
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Wrapped<T>(T);

#[test]
fn structs_are_written_as_the_documents_that_they_become() {
    let part = Part { title: "Earth", numbers: vec![1.0, f32::NAN], letter: 'ß', ..Part::default() };
    let no_mixture = |part: Part| BTreeMap::from([("title", part.title)]);
    let film = |id, parts| Film {
        id,
        title: "Solaris".into(),
        year: -1972,
        made: Some(Time::from_micros(1)),
        reference: Uuid::from_bytes([7; 16]),
        price: Decimal::new(true, 1_250, 2).unwrap(),
        parts,
        more: BTreeMap::from([("extra".to_owned(), Value::from(Vector::I8(vec![1, 2])))]),
    };
    assert!(is_written(&film(Some("solaris"), vec![])));
    assert!(is_written(&film(None, vec![])));
    assert!(is_written(&holding(no_mixture(part.clone()))));
    assert!(!is_written(&film(None, vec![part])), "numbers of single precision beside others take the other way");
}

#[test]
fn every_kind_of_value_is_written_as_in_a_document() {
    assert!(is_written(&holding([Kind::Plain, Kind::Newtype(1.5), Kind::Struct { a: 7, b: -7 }])));
    assert!(is_written(&holding(Kind::Pair(1.0, 2.0))));
    assert!(is_written(&Kind::Struct { a: u128::MAX, b: i128::MIN }));
    assert!(is_written(&Kind::Newtype(1.5)));
    assert!(is_written(&Wrapped(Some(holding(Wrapped(u64::MAX))))));
    assert!(is_written(&holding(vec![vec![1.0_f32, -0.0], vec![], vec![f32::INFINITY]])));
    assert!(is_written(&holding(vec![1.0_f32; VECTOR_DIMENSIONS_MAX])));
    assert!(!is_written(&holding(vec![1.0_f32; VECTOR_DIMENSIONS_MAX + 1])));
    assert!(is_written(&holding(vec!["x".repeat(5_000); 3])), "long strings in a long array");
    assert!(is_written(&holding(holding(holding((1_i8, 2_u16, true, 1.1_f64, f64::MIN, Empty {}))))));
    assert!(is_written(&Empty {}));
    assert!(is_written(&BTreeMap::from([(1, "keys are strings"), (2, "whatever they were")])));
}

#[test]
fn what_is_no_document_or_has_no_valid_id_takes_the_other_way() {
    let mut dictionary = Dictionary::default();
    dictionary.learn(&to_document(&BTreeMap::from([("_id", 1)])).unwrap());
    assert!(compare(&BTreeMap::from([("_id", 1)]), &dictionary));
    assert!(!compare(&BTreeMap::from([("_id", 1.5)]), &dictionary));
    assert!(!compare(&BTreeMap::from([("_id", "")]), &dictionary));
    assert!(!compare(&holding(1), &dictionary), "nobody has learnt the shape");
    for no_document in [Value::from(1), Value::Null, Value::from("text"), Value::from(vec![Value::Null])] {
        assert!(!compare(&no_document, &dictionary), "{no_document:?}");
    }
}

#[test]
fn values_nest_as_deep_as_in_documents() {
    let nested = |levels| (0..levels).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    assert!(is_written(&holding(nested(99))));
    let mut dictionary = Dictionary::default();
    dictionary.learn(&to_document(&holding(1)).unwrap());
    assert!(!compare(&holding(nested(100)), &dictionary));
}

#[test]
fn shapes_known_by_address_are_those_of_the_dictionary_at_hand() {
    let mut serializer = RecordSerializer::default();
    let part = Kind::Struct { a: 1, b: 2 };
    let document = to_document(&part).unwrap();
    let (mut one, mut other) = (Dictionary::default(), Dictionary::default());
    one.learn(&document);
    other.learn(&to_document(&holding(1)).unwrap());
    other.learn(&document);
    for dictionary in [&one, &other, &Dictionary::default(), &one] {
        let (mut record, mut expected) = (Vec::new(), Vec::new());
        let written = serializer.encode(&part, dictionary, &mut record).is_some();
        encode(&document, dictionary, &mut expected).unwrap();
        assert_eq!(written, !dictionary.is_empty());
        assert!(!written || record == expected);
    }
}

proptest! {
    #[test]
    fn documents_are_written_as_by_the_encoder(document in documents()) {
        for dictionary in dictionaries(&document) {
            compare(&document, &dictionary);
        }
    }
}
