//! The record codec against random documents, damaged bytes and known bytes.

use proptest::prelude::*;

use super::dictionary::Limits;
use super::*;
use crate::error::ErrorKind;
use crate::id::Uuid;
use crate::limits::{DICTIONARY_KEY_BYTES_MAX, DOCUMENT_BYTES_MAX, NESTING_MAX, SHAPE_KEYS_MAX};
use crate::path::Path;
use crate::traverse;
use crate::value::{Decimal, Time, Value, Vector};

/// A type that is made without a look at what it is made of.
#[derive(Debug)]
struct Blind;

impl<'de> serde::Deserialize<'de> for Blind {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> std::result::Result<Blind, D::Error> {
        Ok(Blind)
    }
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (any::<i64>(), 0_u32..64).prop_map(|(int, shift)| Value::from(int >> shift)),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        Just(Value::from(f64::NAN)),
        Just(Value::from(-0.0)),
        (any::<bool>(), any::<u128>(), 0_u32..128, 0..=Decimal::SCALE_MAX).prop_map(
            |(negative, digits, shift, scale)| { Value::from(Decimal::new(negative, digits >> shift, scale)) }
        ),
        ".{0,9}".prop_map(Value::from),
        "[a-zé]{50,90}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::from),
        any::<i64>().prop_map(|micros| Value::from(Time::from_micros(micros))),
        any::<i32>().prop_map(|seconds| Value::from(Time::from_micros(i64::from(seconds) * 1_000_000))),
        any::<i32>().prop_map(|ms| Value::from(Time::from_micros(i64::from(ms) * 1_000))),
        any::<[u8; 16]>().prop_map(|bytes| Value::from(Uuid::from_bytes(bytes))),
        prop::collection::vec(any::<f32>(), 0..20).prop_map(|numbers| Value::from(Vector::F32(numbers))),
        prop::collection::vec(any::<u16>(), 0..20).prop_map(|numbers| Value::from(Vector::F16(numbers))),
        prop::collection::vec(any::<i8>(), 0..200).prop_map(|numbers| Value::from(Vector::I8(numbers))),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::from(Vector::Bits(bytes))),
    ]
}

fn maps(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Document> {
    // Few short keys, so that shapes and paths meet; now and then one that no dictionary takes.
    let keys = prop_oneof![
        20 => "[abc01]",
        2 => Just("_id".to_owned()),
        5 => "[a-f]{1,3}",
        1 => Just("k".repeat(DICTIONARY_KEY_BYTES_MAX + 1)),
        1 => Just(String::new())
    ];
    prop::collection::vec((keys, values), 0..7).prop_map(Document::from_iter)
}

pub(super) fn documents() -> impl Strategy<Value = Document> {
    let values =
        scalars().prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                maps(inner).prop_map(Value::from),
            ]
        });
    maps(values)
}

fn paths() -> impl Strategy<Value = Path> {
    prop::collection::vec("[abc01]", 1..5).prop_map(Path::from_keys)
}

/// Dictionaries that know nothing, everything, half of it, or little because of their limits.
pub(super) fn dictionaries(document: &Document) -> Vec<Dictionary> {
    let mut learnt = Dictionary::default();
    let entries = learnt.learn(document);
    let mut half = Dictionary::default();
    entries[..entries.len() / 2].iter().for_each(|entry| half.apply(entry).unwrap());
    let mut capped = Dictionary::with_limits(Limits { keys: 3, shapes: 2 });
    capped.learn(document);
    vec![Dictionary::default(), learnt, half, capped]
}

fn encoded(document: &Document, dictionary: &Dictionary) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(document, dictionary, &mut bytes).unwrap();
    bytes
}

/// Documents as text: bit for bit where floats are concerned, and in the order of their keys.
fn text(document: &Document) -> String {
    format!("{document:?}")
}

/// Enums in the form that serde gives them by itself.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum Choice {
    #[serde(rename = "a")]
    Unit,
    #[serde(rename = "b")]
    Newtype(Value),
    #[serde(rename = "c")]
    Tuple(i64, Value),
    #[serde(rename = "0")]
    Struct { a: Value },
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Fields {
    a: Value,
    #[serde(default)]
    b: Option<Vec<Value>>,
    #[serde(flatten)]
    others: std::collections::BTreeMap<String, Value>,
}

/// A struct that has a field for the id.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Identified {
    _id: crate::DocumentId,
    _parent: Option<crate::DocumentId>,
    a: Option<Value>,
}

/// What a record and the document in it become as a type, with and without an id, errors included.
fn both_ways<T: serde::de::DeserializeOwned + std::fmt::Debug>(record: &Record<'_>) -> Option<(String, String)> {
    let shown = |result: Result<T>| format!("{:?}", result.map_err(|error| (error.kind(), error.to_string())));
    let ids = [crate::DocumentId::from("solaris"), crate::DocumentId::child("solaris", 7)];
    let raw = record.document();
    let mut straight = vec![shown(raw.deserialize())];
    straight.extend(ids.iter().map(|id| shown(raw.with_id(id).deserialize())));
    let mut through = vec![shown(record.decode().and_then(crate::from_document))];
    let under = |id| record.decode().and_then(|document| crate::from_document_under(document, id));
    through.extend(ids.iter().map(|id| shown(under(id))));
    (straight != through).then_some((format!("{straight:?}"), format!("{through:?}")))
}

proptest! {
    #[test]
    fn a_record_becomes_what_its_document_becomes(document in documents(), learns: bool) {
        type Map<T> = std::collections::BTreeMap<String, T>;
        let mut dictionary = Dictionary::default();
        if learns {
            dictionary.learn(&document);
        }
        let mut bytes = Vec::new();
        encode(&document, &dictionary, &mut bytes).unwrap();
        let record = Record::open(&bytes, &dictionary).unwrap();
        // Each type is a lot of code to compile: these meet all of it.
        for difference in [
            both_ways::<Document>(&record), both_ways::<Option<Identified>>(&record), both_ways::<Fields>(&record),
            both_ways::<Choice>(&record), both_ways::<Map<Choice>>(&record),
            both_ways::<Map<Option<Map<Value>>>>(&record), both_ways::<Map<serde::de::IgnoredAny>>(&record),
            both_ways::<Map<(u8, Option<i128>)>>(&record), both_ways::<Map<f32>>(&record),
            both_ways::<Map<String>>(&record), both_ways::<Map<char>>(&record), both_ways::<Map<()>>(&record),
            both_ways::<Map<Vec<f32>>>(&record), both_ways::<Map<Decimal>>(&record), both_ways::<Vec<Value>>(&record),
                ].into_iter().flatten() {
            prop_assert_eq!(difference.0, difference.1);
        }
    }

    #[test]
    fn damaged_bytes_never_panic_on_their_way_into_a_type(document in documents(), place: usize, byte: u8) {
        let mut dictionary = Dictionary::default();
        dictionary.learn(&document);
        let mut bytes = Vec::new();
        encode(&document, &dictionary, &mut bytes).unwrap();
        let body = &mut bytes[BODY_AT..];
        if !body.is_empty() {
            let place = place % body.len();
            body[place] = byte;
        }
        let raw = RawDocument::new(&bytes[BODY_AT..], &dictionary);
        let _ = raw.deserialize::<Document>();
        let _ = raw.deserialize::<Fields>();
        let _ = raw.deserialize::<Choice>();
    }

    #[test]
    fn what_is_skipped_ends_where_what_is_read_does(bytes in prop::collection::vec(any::<u8>(), 0..80), tag: u8) {
        let bytes = [&[tag], bytes.as_slice()].concat();
        let (mut read, mut skipped) = (Cursor(&bytes), Cursor(&bytes));
        if Item::read(&mut read).is_ok() {
            Item::skip(&mut skipped).unwrap();
            prop_assert_eq!(read.0, skipped.0, "tag {:02x}", tag);
        }
    }

    #[test]
    fn a_type_that_does_not_look_at_its_value_leaves_the_others_alone(document in documents()) {
        let mut dictionary = Dictionary::default();
        dictionary.learn(&document);
        let bytes = encoded(&document, &dictionary);
        let raw = Record::open(&bytes, &dictionary).unwrap().document();
        let blind: std::collections::BTreeMap<String, Blind> = raw.deserialize().unwrap();
        let mut keys: Vec<&str> = document.keys().collect();
        keys.sort_unstable();
        prop_assert_eq!(blind.keys().map(String::as_str).collect::<Vec<_>>(), keys);
    }

    #[test]
    fn documents_come_back_as_they_were(document in documents()) {
        for dictionary in dictionaries(&document) {
            let bytes = encoded(&document, &dictionary);
            let decoded = Record::open(&bytes, &dictionary).unwrap().decode().unwrap();
            prop_assert_eq!(text(&decoded), text(&document), "with {:?}", dictionary);
        }
    }

    #[test]
    fn raw_reads_agree_with_the_naive_traversal(document in documents(), paths in prop::collection::vec(paths(), 20)) {
        for dictionary in dictionaries(&document) {
            let bytes = encoded(&document, &dictionary);
            let raw = Record::open(&bytes, &dictionary).unwrap().document();
            for path in &paths {
                let expected = traverse::get(&document, path);
                prop_assert_eq!(format!("{:?}", raw.get(path).unwrap()), format!("{:?}", expected), "at {}", path);
                let (mut reached, mut expected) = (Vec::new(), Vec::new());
                raw.visit(path, &mut |value| { reached.push(format!("{value:?}")); Ok(()) }).unwrap();
                traverse::visit(&document, path, &mut |value| expected.push(format!("{value:?}")));
                prop_assert_eq!(reached, expected, "at {}", path);
            }
        }
    }

    #[test]
    fn every_flipped_bit_is_detected(document in documents()) {
        let dictionary = dictionaries(&document).swap_remove(1);
        let mut bytes = encoded(&document, &dictionary);
        for bit in 0..bytes.len() * 8 {
            let stamp = STAMP_AT..STAMP_AT + 8;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let opened = Record::open(&bytes, &dictionary).map(|_| ()).map_err(|error| error.kind());
            let expected = if stamp.contains(&(bit / 8)) { Ok(()) } else { Err(ErrorKind::Corruption) };
            prop_assert_eq!(opened, expected, "bit {}", bit);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn damaged_bytes_with_a_right_checksum_never_panic(
        document in documents(),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        paths in prop::collection::vec(paths(), 5),
    ) {
        for dictionary in dictionaries(&document) {
            let mut bytes = encoded(&document, &dictionary);
            for (place, byte) in &noise {
                let place = BODY_AT + place.index(bytes.len());
                if place < bytes.len() {
                    bytes[place] = *byte;
                }
            }
            bytes.truncate(BODY_AT + cut.index(bytes.len() - BODY_AT + 1));
            exercise(&mut bytes, &dictionary, &paths)?;
        }
    }

    #[test]
    fn arbitrary_bytes_with_a_right_checksum_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        paths in prop::collection::vec(paths(), 5),
    ) {
        let mut bytes = encoded(&Document::new(), &Dictionary::default());
        bytes.extend(body);
        let known = Document::new().with("a", Document::new().with("b", 1)).with("c", 2);
        let mut dictionary = Dictionary::default();
        dictionary.learn(&known);
        exercise(&mut bytes, &dictionary, &paths)?;
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assume!(bytes.len() < BODY_AT || bytes[0] != FORMAT_VERSION);
        let opened = Record::open(&bytes, &Dictionary::default()).map(|_| ()).map_err(|error| error.kind());
        prop_assert_eq!(opened, Err(ErrorKind::Corruption));
    }

    #[test]
    fn a_replayed_dictionary_reads_what_the_first_one_wrote(documents in prop::collection::vec(documents(), 1..5)) {
        let mut dictionary = Dictionary::default();
        let mut replayed = Dictionary::default();
        for document in &documents {
            let known = dictionary.knows(document);
            let entries = dictionary.learn(document);
            prop_assert_eq!(known, entries.is_empty());
            prop_assert!(dictionary.knows(document));
            for entry in entries {
                let restored = DictionaryEntry::from_bytes(&entry.to_bytes()).unwrap();
                prop_assert_eq!(&restored, &entry);
                prop_assert_eq!(restored.ordinal() as usize, replayed.len());
                replayed.apply(&restored).unwrap();
                replayed.apply(&restored).expect("applying an entry twice is harmless");
            }
            let decoded = Record::open(&encoded(document, &dictionary), &replayed).unwrap().decode().unwrap();
            prop_assert_eq!(text(&decoded), text(document));
        }
    }

    #[test]
    fn a_capped_dictionary_stays_within_its_limits(documents in prop::collection::vec(documents(), 1..5)) {
        let mut dictionary = Dictionary::with_limits(Limits { keys: 4, shapes: 3 });
        for document in &documents {
            let known = dictionary.knows(document);
            prop_assert_eq!(known, dictionary.learn(document).is_empty());
            prop_assert!(dictionary.knows(document));
            prop_assert!(dictionary.key_count() <= 4 && dictionary.shape_count() <= 3);
        }
    }

    #[test]
    fn arbitrary_entries_never_panic(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..20)) {
        let mut dictionary = Dictionary::default();
        for bytes in entries {
            if let Ok(entry) = DictionaryEntry::from_bytes(&bytes) {
                let known = dictionary.len();
                let applied = dictionary.apply(&entry).is_ok();
                prop_assert!(applied || dictionary.len() == known);
            }
        }
    }
}

/// Patches the checksum and reads everything; only corruption may be reported.
fn exercise(bytes: &mut [u8], dictionary: &Dictionary, paths: &[Path]) -> Result<(), TestCaseError> {
    let checksum = crc32fast::hash(&bytes[BODY_AT..]);
    bytes[CHECKSUM_AT..BODY_AT].copy_from_slice(&checksum.to_be_bytes());
    let record = Record::open(bytes, dictionary).unwrap();
    let mut errors = Vec::new();
    errors.extend(record.decode().err());
    for path in paths {
        errors.extend(record.document().get(path).err());
        errors.extend(record.document().visit(path, &mut |_| Ok(())).err());
    }
    prop_assert!(errors.iter().all(|error| error.kind() == ErrorKind::Corruption), "{errors:?}");
    Ok(())
}

fn nested(levels: usize, container: impl Fn(Value) -> Value) -> Document {
    Document::new().with("a", (1..levels).fold(Value::Null, |inner, _| container(inner)))
}

#[test]
fn nesting_is_limited_on_both_sides() {
    let containers: [fn(Value) -> Value; 2] =
        [|inner| Value::from(vec![inner]), |inner| Value::from(Document::new().with("a", inner))];
    for container in containers {
        let dictionary = Dictionary::default();
        let deepest = nested(NESTING_MAX, container);
        let decoded = Record::open(&encoded(&deepest, &dictionary), &dictionary).unwrap().decode().unwrap();
        assert_eq!(text(&decoded), text(&deepest));

        let mut out = vec![7];
        let error = encode(&nested(NESTING_MAX + 1, container), &dictionary, &mut out).unwrap_err();
        assert_eq!((error.kind(), out), (ErrorKind::LimitExceeded, vec![7]), "{error}");
    }
    // A body that nests without end: arrays in arrays, as far as the length reaches.
    let mut bytes = encoded(&Document::new(), &Dictionary::default());
    let mut body = vec![tag::NULL];
    for _ in 0..100_000 {
        let mut next = vec![tag::ARRAY.long];
        cursor::write_varint(&mut next, body.len() as u32);
        body.extend(next.iter().rev());
    }
    body.reverse();
    bytes.extend([0, 0, 1, b'a']);
    bytes.extend(body);
    let path = Path::from_keys(std::iter::once("a").chain(std::iter::repeat_n("0", 200_000)));
    exercise(&mut bytes, &Dictionary::default(), &[path]).unwrap();
    let error = Record::open(&bytes, &Dictionary::default()).unwrap().decode().unwrap_err();
    assert!(error.to_string().contains("levels"), "{error}");
}

#[test]
fn a_document_beyond_the_size_limit_is_refused() {
    let dictionary = Dictionary::default();
    let mut out = Vec::new();
    for value in [
        Value::from("x".repeat(DOCUMENT_BYTES_MAX)),
        Value::from(vec![0_u8; DOCUMENT_BYTES_MAX]),
        Value::from(vec![Value::from("x".repeat(1 << 20)); 17]),
    ] {
        let error = encode(&Document::new().with("a", value), &dictionary, &mut out).unwrap_err();
        assert_eq!((error.kind(), out.len()), (ErrorKind::LimitExceeded, 0), "{error}");
    }
    let largest = Document::new().with("a", "x".repeat(DOCUMENT_BYTES_MAX - BODY_AT - 9));
    encode(&largest, &dictionary, &mut out).unwrap();
}

#[test]
fn a_wide_map_leaves_the_dictionary_alone() {
    let wide: Document = (0..=SHAPE_KEYS_MAX).map(|key| (key.to_string(), 1)).collect();
    let mut dictionary = Dictionary::default();
    assert!(dictionary.knows(&wide));
    assert!(dictionary.learn(&wide).is_empty());
}

#[test]
fn a_dictionary_refuses_gaps_and_contradictions() {
    let entries = Dictionary::default().learn(&Document::new().with("a", 1).with("b", 2));
    let others = Dictionary::default().learn(&Document::new().with("b", 2).with("a", 1));
    assert_eq!((entries.len(), others.len()), (3, 3), "two keys and a shape");
    let mut dictionary = Dictionary::default();
    assert_eq!(dictionary.apply(&entries[1]).unwrap_err().kind(), ErrorKind::Corruption, "a gap");
    entries.iter().for_each(|entry| dictionary.apply(entry).unwrap());
    assert_eq!(dictionary.apply(&others[0]).unwrap_err().kind(), ErrorKind::Corruption, "another key");
    let repeated = DictionaryEntry::from_bytes(&[&[3], &entries[0].to_bytes()[1..]].concat()).unwrap();
    assert_eq!(dictionary.apply(&repeated).unwrap_err().kind(), ErrorKind::Corruption, "a key twice");
    assert_eq!(dictionary.len(), 3);
}

#[test]
fn a_record_without_its_dictionary_is_an_error() {
    let document = Document::new().with("a", 1);
    let bytes = encoded(&document, &dictionaries(&document)[1]);
    let empty = Dictionary::default();
    let error = Record::open(&bytes, &empty).unwrap().decode().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("shape 0 is not in the dictionary"), "{error}");
}

#[test]
fn the_stamp_is_the_version() {
    let mut bytes = encoded(&Document::new(), &Dictionary::default());
    let version = Timestamp::from_ms(1_700_000_000_000).next();
    bytes[STAMP_AT..STAMP_AT + 8].copy_from_slice(&version.to_bits().to_be_bytes());
    assert_eq!(Record::open(&bytes, &Dictionary::default()).unwrap().version(), version);
}
