//! Imports: no lines of JSON and no CSV panic, compressed or not, and each piece is a document or says what is wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only what reads is used; the database around it needs RocksDB"
)]
#[path = "../../src/transfer"]
mod transfer {
    mod cell;
    mod columns;
    mod input;
    mod lines;
    mod options;
    mod records;

    use blaze_core::{JsonForm, Value};
    use input::Pieces;
    use options::{Csv, CsvTypes};

    pub(super) fn json_lines(bytes: &[u8], form: JsonForm) {
        if let Ok(text) = input::text(bytes) {
            read(&mut lines::Lines::new(text, form));
        }
    }

    pub(super) fn csv(bytes: &[u8], delimiter: u8, types: CsvTypes) {
        let csv = Csv { delimiter, types, ..Csv::default() };
        let records = input::text(bytes).and_then(|text| records::Records::open(text, &csv));
        if let Ok(mut records) = records {
            read(&mut records);
        }
    }

    pub(super) fn cell(text: &str) {
        if let Some(value) = cell::inferred(text) {
            let written = cell::text(&value).expect("a scalar has a text");
            let again = cell::inferred(&written).unwrap_or(Value::Null);
            assert_eq!(again, value, "{text:?} is written as {written:?}");
        }
    }

    fn read(pieces: &mut dyn Pieces) {
        let (mut line, mut bytes) = (0, 0);
        while let Ok(Some(piece)) = pieces.next_piece() {
            assert!(piece.line >= line && pieces.bytes() >= bytes, "line {} behind line {line}", piece.line);
            (line, bytes) = (piece.line, pieces.bytes());
            if let Err(reason) = piece.document {
                assert!(reason.starts_with(&format!("line {line}")), "{reason}");
            }
        }
        let _ = pieces.lines();
    }

    pub(super) const TYPES: [CsvTypes; 2] = [CsvTypes::Inferred, CsvTypes::Strings];
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let types = transfer::TYPES[usize::from(kind >> 2 & 1)];
    match kind % 4 {
        0 => transfer::json_lines(bytes, blaze_core::JsonForm::Plain),
        1 => transfer::json_lines(bytes, blaze_core::JsonForm::Extended),
        2 => transfer::csv(bytes, b',', types),
        _ => transfer::csv(bytes, if kind & 8 == 0 { b';' } else { b'\t' }, types),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        transfer::cell(text);
    }
});
