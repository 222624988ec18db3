//! Known bytes of known documents: if one of these tests fails, the format has changed, and databases that were written
//! before can no longer be read.

use super::*;
use crate::id::Uuid;
use crate::value::{Decimal, Time, Value, Vector};

fn body(document: &Document, dictionary: &Dictionary) -> String {
    let mut bytes = Vec::new();
    encode(document, dictionary, &mut bytes).unwrap();
    bytes[BODY_AT..].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits, written down in groups.
fn hex(groups: &[&str]) -> String {
    groups.concat().replace(' ', "")
}

fn film() -> Document {
    let person = Document::new().with("name", "Bondarchuk").with("born", 1950);
    let minutes = [0, 166, 70_000, 1 << 24, -2].map(Value::from);
    Document::new()
        .with("title", "Solaris")
        .with("minutes", minutes.to_vec())
        .with("cast", vec![Value::from(person), Value::from(Document::new())])
}

#[test]
fn a_document_of_known_shape() {
    let mut dictionary = Dictionary::default();
    let entries = dictionary.learn(&film());
    let mut bytes = Vec::new();
    encode(&film(), &dictionary, &mut bytes).unwrap();
    assert_eq!(bytes[..BODY_AT], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0x4F, 0xB4, 0xD0, 0xE9], "version, stamp, checksum");
    let person = "be 02 4a 426f6e6461726368756b 279e";
    let expected = ["01", "47 536f6c61726973", "9d 00 20a6 311170 eb01000000 f001", "a0", person, "b0"];
    assert_eq!(body(&film(), &dictionary), hex(&expected));
    let entries: Vec<Vec<u8>> = entries.iter().map(DictionaryEntry::to_bytes).collect();
    assert_eq!(entries[0], b"\x00\x01title");
    assert_eq!(entries[3], b"\x03\x02\x00\x01\x02");
}

#[test]
fn a_document_of_unknown_shape() {
    let mut dictionary = Dictionary::default();
    dictionary.learn(&Document::new().with("cast", 1));
    let person = "c81a 00 00 04 6e616d65 4a 426f6e6461726368756b 00 04 626f726e 279e";
    let minutes = "00 07 6d696e75746573 9d 00 20a6 311170 eb01000000 f001";
    let expected = ["00", "00 05 7469746c65 47 536f6c61726973", minutes, "01 a81d", person, "b0"];
    assert_eq!(body(&film(), &dictionary), hex(&expected));
}

#[test]
fn every_type() {
    let floats = [0.5, 0.1].map(Value::from);
    let times = [1_000_000, 1_000, 1].map(|micros| Value::from(Time::from_micros(-micros)));
    let values = [
        (Value::Null, "d8"),
        (Value::from(false), "d9"),
        (Value::from(true), "da"),
        (Value::from(31), "1f"),
        (Value::from(32), "20 20"),
        (Value::from(0xF_FFFF), "3f ffff"),
        (Value::from(0x10_0000), "ea 100000"),
        (Value::from(u64::MAX), "ef ffffffffffffffff"),
        (Value::from(-1), "f0 00"),
        (Value::from(-257), "f1 0100"),
        (Value::from(i64::MIN), "f7 7fffffffffffffff"),
        (floats[0].clone(), "db 3f000000"),
        (floats[1].clone(), "dc 3fb999999999999a"),
        (Value::from(Decimal::new(true, 150, 2)), "dd 02 82 96"),
        (times[0].clone(), "de ffffffffff"),
        (times[1].clone(), "df ffffffffffff"),
        (times[2].clone(), "e0 ffffffffffffffff"),
        (Value::from(Uuid::from_bytes([0xAB; 16])), "e1 abababababababababababababababab"),
        (Value::from(""), "40"),
        (Value::from(vec![1_u8, 2]), "d3 02 0102"),
        (Value::from(Vector::F32(vec![1.0])), "d4 04 0000803f"),
        (Value::from(Vector::F16(vec![0x3C00])), "d5 02 003c"),
        (Value::from(Vector::I8(vec![-1])), "d6 01 ff"),
        (Value::from(Vector::Bits(vec![5])), "d7 01 05"),
        (Value::from(Vec::<Value>::new()), "90"),
        (Value::from(Document::new()), "b0"),
    ];
    for (value, expected) in values {
        let document = Document::new().with("a", value);
        let mut dictionary = Dictionary::default();
        dictionary.learn(&document);
        assert_eq!(body(&document, &dictionary), hex(&["01", expected]), "{document:?}");
    }
}

#[test]
fn lengths_take_the_shortest_form() {
    for (length, head) in [(63, "7f"), (64, "8040"), (4095, "8fff"), (4096, "d08020")] {
        let document = Document::new().with("a", "x".repeat(length));
        assert_eq!(body(&document, &Dictionary::default()), hex(&["00 00 01 61", head, &"78".repeat(length)]));
    }
    for (length, array, map) in
        [(23, "a7", "c7"), (24, "a818", "c818"), (1023, "abff", "cbff"), (1024, "d18008", "d28008")]
    {
        let elements = vec![Value::from(1); length];
        let document = Document::new().with("a", elements);
        assert_eq!(body(&document, &Dictionary::default()), hex(&["00 00 01 61", array, &"01".repeat(length)]));
        let inner = Document::new().with("b", vec![0_u8; length - 6 - usize::from(length > 133)]);
        let document = Document::new().with("a", inner);
        assert!(body(&document, &Dictionary::default()).starts_with(&hex(&["00 00 01 61", map, "00 00 01 62 d3"])));
    }
}
