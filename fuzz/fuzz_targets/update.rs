//! Updates: no text and no document panics, what is refused says where, and an update that fails leaves a document as it was.

#![no_main]

use blaze_core::{Document, JsonForm, Time, Update, Value};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const OPERATORS: [&str; 16] = [
    "$set",
    "$setOnInsert",
    "$currentDate",
    "$unset",
    "$rename",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$push",
    "$addToSet",
    "$pop",
    "$pull",
    "$what",
    "a",
    "",
];

const PATHS: [&str; 16] = [
    "a", "b", "a.b", "a.0", "a.0.b", "a.$[].b", "a.$[]", "a.$[x]", "a.$[x].b", "b.c", "x.y", "", "a.", "$[]", "_id",
    "a.9",
];

const MODIFIERS: [&str; 6] = ["$each", "$position", "$slice", "$sort", "$gt", "b"];

fn update(source: &mut Unstructured<'_>) -> Result<Document> {
    let mut update = Document::new();
    for _ in 0..source.int_in_range(1..=3)? {
        let mut changes = Document::new();
        for _ in 0..source.int_in_range(0..=3)? {
            changes.insert(*source.choose(&PATHS)?, operand(source)?);
        }
        update.insert(*source.choose(&OPERATORS)?, changes);
    }
    Ok(update)
}

fn operand(source: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match source.int_in_range(0..=4)? {
        0 => Value::from(source.int_in_range(-2_i64..=2)?),
        1 => Value::from(*source.choose(&PATHS)?),
        2 => {
            let mut modifiers = Document::new();
            for _ in 0..source.int_in_range(0..=3)? {
                modifiers.insert(*source.choose(&MODIFIERS)?, blaze_fuzz::value(source, 1)?);
            }
            modifiers.into()
        }
        _ => blaze_fuzz::value(source, 2)?,
    })
}

fn check(update: blaze_core::Result<Update>, documents: &[Document]) {
    let update = match update {
        Ok(update) => update,
        Err(error) => return drop(error.to_string()),
    };
    let filtered = update.clone().array_filter("x", blaze_core::field("b").gt(0));
    for update in [update, filtered] {
        let valid = update.validate();
        for before in documents {
            let mut after = before.clone();
            match update.apply_at(&mut after, Time::from_micros(7)) {
                Ok(is_changed) => {
                    assert!(valid.is_ok(), "an invalid update was applied");
                    let (before, after) = (format!("{before:?}"), format!("{after:?}"));
                    assert_eq!(before != after, is_changed, "{before} became {after}");
                }
                Err(_) => assert_eq!(format!("{after:?}"), format!("{before:?}"), "a failed update changed something"),
            }
            let _ = update.insert_into(&mut before.clone(), Time::from_micros(7));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let text = r#"{"a": [1, {"b": 2}, "s", null], "b": {"c": -3.5}, "x": {"y": []}}"#;
    let known = JsonForm::Extended.read_document(text).expect("a document");
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(Update::from_json(text), &[known.clone(), Document::new()]);
    }
    let mut source = Unstructured::new(bytes);
    if let Ok(made) = update(&mut source) {
        let other = blaze_fuzz::document(&mut source, 3).unwrap_or_default();
        check(Update::from_document(&made), &[known, other]);
    }
});
