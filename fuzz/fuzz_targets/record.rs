//! Records and dictionary entries: arbitrary bytes never panic, and what can be decoded can be written again.
//!
//! The input is a list of dictionary entries, each after its length, up to a length of zero; then the body of a record.
//! The envelope is put around the body here, so that the checksum does not keep the fuzzer out.

#![no_main]

use blaze_core::record::{Dictionary, DictionaryEntry, Record, STAMP_AT, encode};
use blaze_core::{Document, Path, Timestamp, traverse};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 6] = ["a", "b", "a.b", "a.0", "b.1.a", "missing"];

/// Reads entries off the front of `bytes`.
fn dictionary(bytes: &mut &[u8]) -> Dictionary {
    let mut dictionary = Dictionary::default();
    while let Some((&length, rest)) = bytes.split_first()
        && length > 0
    {
        let (entry, rest) = rest.split_at(rest.len().min(length.into()));
        *bytes = rest;
        if let Ok(entry) = DictionaryEntry::from_bytes(entry) {
            let read = DictionaryEntry::from_bytes(&entry.to_bytes()).expect("what was written can be read");
            assert_eq!(read, entry, "an entry reads back as another one");
            if dictionary.apply(&entry).is_ok() {
                dictionary.apply(&entry).expect("an entry that was applied can be applied again");
            }
        }
    }
    *bytes = bytes.get(1..).unwrap_or_default();
    dictionary
}

fn with_envelope(body: &[u8]) -> Vec<u8> {
    let mut record = vec![1];
    assert_eq!(record.len(), STAMP_AT);
    record.extend(Timestamp::from_ms(1).to_bits().to_be_bytes());
    record.extend(crc32fast::hash(body).to_be_bytes());
    record.extend(body);
    record
}

/// The paths of a record, whether or not the whole of it decodes.
fn read_paths(record: &Record<'_>, decoded: Option<&Document>) {
    for path in PATHS.map(Path::from) {
        let value = record.document().get(&path);
        let mut visited = Vec::new();
        let visit = record.document().visit(&path, &mut |value| {
            visited.push(value);
            Ok(())
        });
        if let Some(document) = decoded {
            assert_eq!(value.expect("a sound record").as_ref(), traverse::get(document, &path), "at {path}");
            visit.expect("a sound record");
            let mut expected = Vec::new();
            traverse::visit(document, &path, &mut |value| expected.push(value.clone()));
            assert_eq!(visited, expected, "at {path}");
        }
    }
}

fn round_trip(document: &Document, dictionary: &Dictionary) {
    let mut bytes = Vec::new();
    if encode(document, dictionary, &mut bytes).is_ok() {
        let read = Record::open(&bytes, dictionary).and_then(|record| record.decode());
        assert_eq!(&read.expect("what was written can be read"), document);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut body = bytes;
    let mut dictionary = dictionary(&mut body);
    let _ = Record::open(bytes, &dictionary).map(|record| record.decode());

    let bytes = with_envelope(body);
    let record = Record::open(&bytes, &dictionary).expect("the envelope is right");
    let decoded = record.decode().ok();
    read_paths(&record, decoded.as_ref());
    if let Some(document) = decoded {
        round_trip(&document, &dictionary);
        round_trip(&document, &Dictionary::default());
        dictionary.learn(&document);
        round_trip(&document, &dictionary);
    }
});
