//! Filters as documents: none panics, what is refused says where, and what is read survives being written and read.

#![no_main]

use blaze_core::{Document, Filter, Value};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// What filters are made of, and a little that they are not.
const KEYS: [&str; 28] = [
    "a",
    "b.c",
    "",
    "$and",
    "$or",
    "$nor",
    "$not",
    "$field",
    "keys",
    "matches",
    "$eq",
    "$ne",
    "$lt",
    "$gte",
    "$between",
    "$in",
    "$exists",
    "$type",
    "$startsWith",
    "$like",
    "$regex",
    "$options",
    "$contains",
    "$all",
    "$size",
    "$elemMatch",
    "$what",
    "$",
];

fn document(source: &mut Unstructured<'_>, levels: usize) -> Result<Document> {
    let mut document = Document::new();
    for _ in 0..source.int_in_range(0..=3)? {
        document.insert(*source.choose(&KEYS)?, operand(source, levels)?);
    }
    Ok(document)
}

fn operand(source: &mut Unstructured<'_>, levels: usize) -> Result<Value> {
    match source.int_in_range(0..=3)? {
        _ if levels == 0 => blaze_fuzz::value(source, 0),
        0 => blaze_fuzz::value(source, 2),
        1 => (0..source.int_in_range(0..=3)?).map(|_| operand(source, levels - 1)).collect::<Result<Value>>(),
        _ => Ok(document(source, levels - 1)?.into()),
    }
}

fn check(document: &Document) {
    let filter = match Filter::from_document(document) {
        Ok(filter) => filter,
        Err(error) => return assert!(error.to_string().starts_with("at "), "{error} names no place"),
    };
    filter.validate().expect("what is read is valid");
    let written = filter.to_document();
    let again = Filter::from_document(&written).expect("what is written can be read");
    assert_eq!(format!("{again:?}"), format!("{filter:?}"), "{written:?}");
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(parsed) = serde_json::from_slice::<Document>(bytes) {
        check(&parsed);
    }
    let mut source = Unstructured::new(bytes);
    // Deep enough, now and then, to pass the limit on the depth.
    let levels = if source.ratio(1, 16).unwrap_or(false) { 150 } else { 8 };
    if let Ok(made) = document(&mut source, levels) {
        check(&made); // too few bytes make no document
    }
});
