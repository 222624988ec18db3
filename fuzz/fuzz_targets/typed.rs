//! Records as values of Rust types: arbitrary bytes never panic, and a type is made of a record as of its document.

#![no_main]

use std::collections::BTreeMap;

use blaze_core::record::{Dictionary, Record, RecordSerializer, encode};
use blaze_core::{
    Decimal, Document, DocumentId, Time, Timestamp, Uuid, Value, Vector, from_document, from_document_under, take_id,
    to_document,
};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Whole {
    #[serde(default)]
    a: Option<i32>,
    #[serde(default)]
    b: Vec<f32>,
    #[serde(default)]
    c: Option<Choice>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Strict {
    _id: DocumentId,
    a: Option<String>,
    b: Option<Inner>,
    c: Option<(u8, char)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Inner {
    a: Option<Vector>,
    b: Option<Decimal>,
    c: Option<Time>,
    #[serde(default, rename = "0")]
    zero: Option<Uuid>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    A,
    B(u64),
    C { a: f64 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number { a: f64 },
    Text { a: String },
    Any(BTreeMap<String, Value>),
}

fn check<T: DeserializeOwned + Serialize + std::fmt::Debug>(record: &Record<'_>, decoded: Option<&Document>) {
    let id = DocumentId::from(7);
    let (plain, under) = (record.document().deserialize::<T>(), record.document().with_id(&id).deserialize::<T>());
    let Some(document) = decoded else { return };
    let expected = [from_document::<T>(document.clone()), from_document_under::<T>(document.clone(), &id)];
    for (found, expected) in [plain, under].into_iter().zip(expected) {
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(format!("{found:?}"), format!("{expected:?}"), "of {document:?}");
                write(&found);
            }
            (Err(_), Err(_)) => {}
            (found, expected) => panic!("of the record {found:?}, of its document {expected:?}: {document:?}"),
        }
    }
}

/// A record is made of a value as of its document.
fn write<T: Serialize + std::fmt::Debug>(value: &T) {
    let Ok(mut document) = to_document(value) else { return };
    let mut dictionary = Dictionary::default();
    dictionary.learn(&document);
    let Ok(id) = take_id(&mut document) else { return };
    dictionary.learn(&document);
    let mut record = Vec::new();
    if let Some(found) = RecordSerializer::default().encode(value, &dictionary, &mut record) {
        assert_eq!(found, id, "the id of {value:?}");
        let read = Record::open(&record, &dictionary).and_then(|record| record.decode());
        assert_eq!(
            format!("{:?}", read.expect("what was written can be read")),
            format!("{document:?}"),
            "of {value:?}"
        );
    }
}

fn check_all(record: &Record<'_>) {
    let decoded = record.decode().ok();
    check::<Whole>(record, decoded.as_ref());
    check::<Strict>(record, decoded.as_ref());
    check::<Either>(record, decoded.as_ref());
    check::<BTreeMap<String, Value>>(record, decoded.as_ref());
    check::<BTreeMap<String, Option<Inner>>>(record, decoded.as_ref());
}

fuzz_target!(|bytes: &[u8]| {
    let mut dictionary = Dictionary::default();
    let mut record = vec![1];
    record.extend(Timestamp::from_ms(1).to_bits().to_be_bytes());
    record.extend(crc32fast::hash(bytes).to_be_bytes());
    record.extend(bytes);
    check_all(&Record::open(&record, &dictionary).expect("the envelope is right"));
    let mut source = Unstructured::new(bytes);
    if let Ok(document) = blaze_fuzz::document(&mut source, 3) {
        dictionary.learn(&document);
        record.clear();
        encode(&document, &dictionary, &mut record).expect("a small document");
        check_all(&Record::open(&record, &dictionary).expect("what was written can be read"));
    }
});
