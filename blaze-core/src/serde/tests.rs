//! Round trips of what Rust programs store.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use ::serde::de::DeserializeOwned;
use ::serde::{Deserialize, Serialize};
use proptest::prelude::*;

use super::special::Special;
use super::*;
use crate::error::ErrorKind;
use crate::id::{DocumentId, Uuid};
use crate::limits::{NESTING_MAX, VECTOR_DIMENSIONS_MAX};
use crate::record::{self, Dictionary, Record};
use crate::value::strategy::value;
use crate::value::{Decimal, Time, Vector};

/// Checks that `rust` becomes `expected` and comes back.
#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(rust: T, expected: impl Into<Value>) {
    let value = to_value(&rust).unwrap();
    assert_eq!(value, expected.into());
    assert_eq!(from_value::<T>(value.clone()).unwrap(), rust);
    let document = Document::new().with("field", value);
    let mut record = Vec::new();
    record::encode(&document, &Dictionary::default(), &mut record).unwrap();
    let dictionary = Dictionary::default();
    let read: BTreeMap<String, T> = Record::open(&record, &dictionary).unwrap().document().deserialize().unwrap();
    assert_eq!(read["field"], rust);
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Document>().into()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn time() -> Time {
    "2026-01-02T03:04:05.000006Z".parse().unwrap()
}

fn uuid() -> Uuid {
    Uuid::from_bytes([7; 16])
}

/// Bytes as `serde_bytes` would treat them.
#[derive(Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Bytes, D::Error> {
        struct Visitor;
        impl ::serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> std::result::Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u8);

#[test]
fn scalars_round_trip() {
    round_trip(true, true);
    round_trip(-5_i8, -5);
    round_trip(u64::MAX, u64::MAX);
    round_trip(i64::MIN, i64::MIN);
    round_trip(u128::from(u64::MAX), u64::MAX);
    round_trip(u128::MAX, decimal("340282366920938463463374607431768211455"));
    round_trip(i128::MIN, decimal("-170141183460469231731687303715884105728"));
    round_trip(i128::from(i64::MIN) - 1, decimal("-9223372036854775809"));
    round_trip(7_i128, 7);
    round_trip(1.5_f64, 1.5);
    round_trip(0.1_f32, f64::from(0.1_f32));
    round_trip(f64::INFINITY, f64::INFINITY);
    round_trip('ß', "ß");
    round_trip("text".to_owned(), "text");
    round_trip(Bytes(vec![0, 255]), vec![0_u8, 255]);
    round_trip((), ());
    round_trip(Unit, ());
    round_trip(Newtype(3), 3);
    round_trip(Some(1), 1);
    round_trip(None::<i32>, ());
    assert!(from_value::<f64>(to_value(&f64::NAN).unwrap()).unwrap().is_nan());
    assert!(from_value::<f32>(to_value(&f32::NAN).unwrap()).unwrap().is_nan());
    assert!(from_value::<f64>(to_value(&-0.0_f64).unwrap()).unwrap().is_sign_negative());
}

#[test]
fn sequences_and_maps_round_trip() {
    round_trip((1, "a".to_owned(), true), vec![Value::from(1), "a".into(), true.into()]);
    round_trip([1, 2, 3], [1, 2, 3]);
    round_trip(vec![Some(1), None], vec![Value::from(1), Value::Null]);
    round_trip(vec![1_u8, 2], [1, 2]);
    round_trip(Vec::<f32>::new(), Vec::<Value>::new());
    round_trip(vec![0.5_f64], [0.5]);
    round_trip(
        BTreeMap::from([(1_u32, BTreeMap::from([(-2_i64, 'x')])), (3, BTreeMap::new())]),
        map([("1", map([("-2", "x".into())])), ("3", map([]))]),
    );
    round_trip(BTreeMap::from([(true, 1)]), map([("true", 1.into())]));
    round_trip(BTreeMap::from([(u128::MAX, 1)]), map([("340282366920938463463374607431768211455", 1.into())]));
    round_trip(BTreeMap::from([(time(), 1)]), map([("2026-01-02T03:04:05.000006Z", 1.into())]));
    round_trip(BTreeMap::from([(uuid(), 1)]), map([("07070707-0707-0707-0707-070707070707", 1.into())]));
    let error = to_value(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
    assert_eq!(error.to_string(), "a tuple cannot be the key of a map");
}

#[test]
fn single_precision_sequences_are_vectors() {
    let vector = |numbers: &[f32]| Value::Vector(Vector::F32(numbers.to_vec()));
    round_trip(vec![1.0_f32, 0.1], vector(&[1.0, 0.1]));
    round_trip([1.0_f32; 3], vector(&[1.0; 3]));
    round_trip(vec![Some(1.0_f32)], vector(&[1.0]));
    round_trip(vec![Some(1.0_f32), None], vec![Value::from(1.0), Value::Null]);
    round_trip((1.0_f32, 2_i32), [1.0, 2.0]);
    round_trip(vec![vec![1.0_f32], vec![2.0]], vec![vector(&[1.0]), vector(&[2.0])]);
    let long = vec![1.0_f32; VECTOR_DIMENSIONS_MAX + 1];
    assert_eq!(to_value(&long).unwrap().type_name(), "array");
    assert_eq!(to_value(&long[1..]).unwrap().type_name(), "vector");
    assert_eq!(from_value::<Vec<f32>>(to_value(&long).unwrap()).unwrap(), long);
    assert_eq!(from_value::<Vec<f64>>(vector(&[0.5])).unwrap(), [0.5]);
    assert_eq!(from_value::<Vec<f32>>(Vector::half_precision(&[0.5]).into()).unwrap(), [0.5]);
    assert_eq!(from_value::<Vec<i8>>(Vector::I8(vec![-1]).into()).unwrap(), [-1]);
    assert_eq!(from_value::<Vec<u8>>(Vector::Bits(vec![5]).into()).unwrap(), [1, 0, 1, 0, 0, 0, 0, 0]);
}

macro_rules! enums {
    ($($name:ident $(#[$attribute:meta])*;)*) => {
        $(#[derive(Debug, PartialEq, Serialize, Deserialize)]
        $(#[$attribute])*
        enum $name {
            Struct { at: Time, vector: Vec<f32>, exact: Decimal, any: Value },
            Newtype(BTreeMap<String, Uuid>),
            Unit,
        })*
    };
}

enums! {
    External;
    Internal #[serde(tag = "type")];
    Adjacent #[serde(tag = "type", content = "content")];
    Untagged #[serde(untagged)];
}

#[test]
fn enums_round_trip_in_every_representation() {
    let special = [
        ("at", Value::from(time())),
        ("vector", [0.5_f32].into()),
        ("exact", decimal("1.50").into()),
        ("any", Vector::Bits(vec![3]).into()),
    ];
    let fields = || map(special.clone());
    let tagged = |tag: &str| {
        map(std::array::from_fn::<_, 5, _>(|i| if i == 0 { ("type", tag.into()) } else { special[i - 1].clone() }))
    };
    macro_rules! structs {
        ($($name:ident => $expected:expr),*) => {
            $(round_trip(
                $name::Struct {
                    at: time(), vector: vec![0.5], exact: decimal("1.50"), any: Vector::Bits(vec![3]).into(),
                },
                $expected,
            );)*
        };
    }
    structs! {
        External => map([("Struct", fields())]),
        Internal => tagged("Struct"),
        Adjacent => map([("type", "Struct".into()), ("content", fields())]),
        Untagged => fields()
    }
    let ids = || BTreeMap::from([("a".to_owned(), uuid())]);
    let ids_value = || map([("a", uuid().into())]);
    round_trip(External::Newtype(ids()), map([("Newtype", ids_value())]));
    round_trip(Internal::Newtype(ids()), map([("type", "Newtype".into()), ("a", uuid().into())]));
    round_trip(Adjacent::Newtype(ids()), map([("type", "Newtype".into()), ("content", ids_value())]));
    round_trip(Untagged::Newtype(ids()), ids_value());
    round_trip(External::Unit, "Unit");
    round_trip(Internal::Unit, map([("type", "Unit".into())]));
    round_trip(Adjacent::Unit, map([("type", "Unit".into())]));
    round_trip(Untagged::Unit, ());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tuple {
    Pair(i32, Option<String>),
    Numbers(f32, f32),
}

#[test]
fn tuple_variants_and_nested_enums_round_trip() {
    round_trip(Tuple::Pair(1, None), map([("Pair", vec![Value::from(1), Value::Null].into())]));
    round_trip(Tuple::Numbers(1.0, 2.0), map([("Numbers", [1.0_f32, 2.0].into())]));
    round_trip(Some(External::Unit), "Unit");
    round_trip(vec![External::Unit], ["Unit"]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    at: Time,
    id: Option<Uuid>,
    price: Decimal,
    vector: Vec<f32>,
    half: Vector,
    created: Option<Time>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    name: String,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: Document,
}

fn outer() -> Outer {
    Outer {
        name: "n".into(),
        inner: Inner {
            at: time(),
            id: Some(uuid()),
            price: decimal("1.50"),
            vector: vec![0.25],
            half: Vector::half_precision(&[0.5]),
            created: None,
        },
        rest: Document::new()
            .with("time", time())
            .with("empty", Vector::F32(vec![]))
            .with("bits", Vector::Bits(vec![1]))
            .with("vector2", [1.0_f32])
            .with("bytes", vec![0_u8, 1, 2])
            .with("list", vec![Value::from(uuid()), Value::from(u64::MAX)]),
    }
}

#[test]
fn special_types_survive_flatten() {
    let document = to_document(&outer()).unwrap();
    assert_eq!(document.get("at"), Some(&time().into()));
    assert_eq!(document.get("id"), Some(&uuid().into()));
    assert_eq!(document.get("vector"), Some(&[0.25_f32].into()));
    assert_eq!(document.get("bits"), Some(&Vector::Bits(vec![1]).into()));
    let back: Outer = from_document(document).unwrap();
    assert_eq!(back.inner.price.to_string(), "1.50");
    assert_eq!(format!("{back:?}"), format!("{:?}", outer()), "types and order of keys too");
}

#[test]
fn special_types_are_text_and_numbers_in_json() {
    let json = serde_json::to_value(outer()).unwrap();
    let expected = serde_json::json!({
        "name": "n", "at": "2026-01-02T03:04:05.000006Z", "id": "07070707-0707-0707-0707-070707070707",
        "price": "1.50", "vector": [0.25], "half": [0.5], "created": null,
        "time": "2026-01-02T03:04:05.000006Z", "empty": [], "bits": [1, 0, 0, 0, 0, 0, 0, 0], "vector2": [1.0],
        "bytes": [0, 1, 2], "list": ["07070707-0707-0707-0707-070707070707", u64::MAX],
    });
    assert_eq!(json, expected);
    let inner: Inner = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(inner, Inner { half: Vector::F32(vec![0.5]), ..outer().inner });
    // A document that came as JSON fits the type too.
    let document: Document = serde_json::from_value(json).unwrap();
    assert_eq!(from_document::<Inner>(document).unwrap(), inner);
    assert_eq!(serde_json::from_str::<Decimal>("0.25").unwrap(), decimal("0.25"));
    assert!(serde_json::from_str::<Time>("5").unwrap_err().to_string().contains("expected a time"));
    assert!(serde_json::from_str::<Time>("\"x\"").unwrap_err().to_string().contains("RFC 3339"));
}

#[test]
fn text_stands_for_special_types_where_a_string_is_asked_for() {
    assert_eq!(from_value::<String>(time().into()).unwrap(), time().to_string());
    assert_eq!(from_value::<String>(uuid().into()).unwrap(), uuid().to_string());
    assert_eq!(from_value::<Time>(time().to_string().into()).unwrap(), time());
    let error = from_value::<f64>(decimal("1.5").into()).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: decimal, expected f64");
}

#[test]
fn document_ids_round_trip() {
    for id in [1.into(), u64::MAX.into(), "a".into(), vec![0_u8].into(), uuid().into()] {
        let id: DocumentId = id;
        assert_eq!(from_value::<DocumentId>(to_value(&id).unwrap()).unwrap(), id);
        assert_eq!(to_value(&id).unwrap(), Value::from(&id), "a plain value in a document");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<DocumentId>(&json).unwrap(), id, "{json}");
    }
    assert_eq!(serde_json::to_string(&DocumentId::from(vec![0, 255])).unwrap(), r#"{"$bytes":"00ff"}"#);
    for json in [r#"{"$bytes":"0"}"#, r#"{"$uuid":"a"}"#, r#"{"$bytes":"00","more":1}"#, "[1]", "{}", "null"] {
        let error = serde_json::from_str::<DocumentId>(json).unwrap_err();
        assert!(error.to_string().contains("expected a document id"), "{json}: {error}");
    }
    assert_eq!(serde_json::to_string(&DocumentId::from("a")).unwrap(), "\"a\"");
    assert_eq!(serde_json::from_str::<DocumentId>("5").unwrap(), 5.into());
    let error = from_value::<DocumentId>(1.5.into()).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: float, expected a document id");
}

#[test]
fn only_maps_are_documents() {
    let error = to_document(&[1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().ends_with("[i32; 1] became a value of type array"), "{error}");
    let map: HashMap<String, i32> = from_document(Document::new().with("a", 1)).unwrap();
    assert_eq!(to_document(&map).unwrap(), Document::new().with("a", 1));
}

#[test]
fn errors_name_the_field() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Leaf {
        count: u8,
    }
    type Tree = BTreeMap<String, Vec<Leaf>>;
    let value = map([("a.b", vec![map([("count", 1.into())]), map([("count", 300.into())])].into())]);
    let error = from_value::<Tree>(value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let expected = "in field `a.b.1.count`: invalid value: integer `300`, expected u8";
    assert_eq!(error.to_string(), expected);
    let error = from_value::<Tree>(map([("a", vec![map([])].into())])).unwrap_err();
    assert_eq!(error.to_string(), "in field `a.0`: missing field `count`");
    let error = from_value::<(u8, u8)>([1, 2, 3].into()).unwrap_err();
    assert_eq!(error.to_string(), "invalid length 3, expected fewer elements");
    let error = from_value::<External>(map([("Newtype", 1.into())])).unwrap_err();
    assert_eq!(error.to_string(), "in field `Newtype`: invalid type: integer `1`, expected a map");
    let error = to_value(&BTreeMap::from([("a", BTreeMap::from([(None::<u8>, 1)]))])).unwrap_err();
    assert_eq!(error.to_string(), "in field `a`: nothing cannot be the key of a map");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    next: Option<Box<Node>>,
}

#[test]
fn deep_nesting_is_refused_on_every_way() {
    let list = |levels: usize| (1..levels).fold(Node { next: None }, |next, _| Node { next: Some(Box::new(next)) });
    let deepest = to_value(&list(NESTING_MAX)).unwrap();
    assert_eq!(from_value::<Node>(deepest.clone()).unwrap(), list(NESTING_MAX));
    assert_eq!(from_value::<Value>(deepest.clone()).unwrap(), deepest);
    for levels in [NESTING_MAX + 1, 1000] {
        assert_eq!(to_value(&list(levels)).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
    let deeper = map([("next", deepest)]);
    for error in [
        from_value::<Node>(deeper.clone()).unwrap_err(),
        from_value::<Value>(deeper.clone()).unwrap_err(),
        to_value(&deeper).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
    let json = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(serde_json::from_str::<Value>(&json(NESTING_MAX)).is_ok());
    for levels in [NESTING_MAX + 1, 100_000] {
        assert!(serde_json::from_str::<Value>(&json(levels)).is_err());
    }
}

proptest! {
    #[test]
    fn values_round_trip_with_their_types(value in value()) {
        let debug = format!("{value:?}");
        prop_assert_eq!(format!("{:?}", to_value(&value).unwrap()), debug.clone());
        prop_assert_eq!(format!("{:?}", from_value::<Value>(value.clone()).unwrap()), debug.clone());
        // Through the buffer that serde uses for untagged enums and flattened fields.
        #[derive(Serialize, Deserialize)]
        #[serde(untagged)]
        enum Buffered {
            Never { impossible_key: Unit },
            Any { value: Value },
        }
        let buffered: Buffered = from_value(map([("value", value)])).unwrap();
        let Buffered::Any { value } = buffered else { return Err(TestCaseError::fail("not the other variant")) };
        prop_assert_eq!(format!("{value:?}"), debug);
    }

    #[test]
    fn values_go_through_json(value in value()) {
        let json = serde_json::to_string(&value).unwrap();
        let read: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }

    #[test]
    fn arbitrary_special_bytes_never_panic(bytes: Vec<u8>) {
        if let Some(value) = special::from_bytes(&bytes) {
            prop_assert!(Special::of(&value).is_some());
        }
    }
}
