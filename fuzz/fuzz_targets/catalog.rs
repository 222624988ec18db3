//! Rows of the catalog, entries of indexes and other small rows, those that graphs are kept in among them: arbitrary bytes never
//! panic, and what is read is written as it was.
//!
//! The first byte says what the others are: a definition as JSON, the body of its record, the key and the value of an entry, or
//! a row of any other kind.

#![no_main]

use blaze_core::key::Order;
use blaze_core::record::{Dictionary, encode};
use blaze_core::{JsonForm, Path, Timestamp};
use libfuzzer_sys::fuzz_target;

/// The key of the collection `films`.
const NAME: &[u8] = b"\0\0\0\0nfilms";

fn definition(bytes: &[u8]) -> Option<Vec<u8>> {
    let document = JsonForm::Extended.read_document(std::str::from_utf8(bytes).ok()?).ok()?;
    let mut record = Vec::new();
    encode(&document, &Dictionary::default(), &mut record).ok()?;
    Some(record)
}

fn with_envelope(body: &[u8]) -> Vec<u8> {
    let mut record = vec![1];
    record.extend(Timestamp::from_ms(1).to_bits().to_be_bytes());
    record.extend(crc32fast::hash(body).to_be_bytes());
    record.extend(body);
    record
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    match kind % 4 {
        0 => {
            if let Some(row) = definition(bytes) {
                let _ = blaze::inside::catalog_row(NAME, &row);
            }
        }
        1 => {
            let _ = blaze::inside::catalog_row(NAME, &with_envelope(bytes));
            let _ = blaze::inside::catalog_row(bytes, bytes);
        }
        2 => {
            let fields = [("a", kind & 4), ("b", kind & 8), ("c", kind & 16)].map(|(path, descending)| {
                (Path::from(path), if descending == 0 { Order::Ascending } else { Order::Descending })
            });
            let fields = &fields[..usize::from(kind >> 5) % 4];
            let (key, value) = bytes.split_at(bytes.len().saturating_sub(usize::from(kind >> 5)));
            blaze::inside::index_entry(key, value, fields);
            blaze::inside::index_entry(key, &[], fields);
        }
        _ => blaze::inside::small_rows(bytes),
    }
});
