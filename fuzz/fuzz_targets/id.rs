//! Ids: arbitrary text and arbitrary keys never panic, and what reads as an id is written as what reads as the same id.

#![no_main]

use blaze_core::DocumentId;
use libfuzzer_sys::fuzz_target;

fn round_trip(id: &DocumentId) {
    let text = format!("{id:?}");
    assert_eq!(DocumentId::parse(&text).expect("what was printed can be read"), *id, "{text}");
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(id) = DocumentId::read_key(bytes) {
        let mut key = Vec::new();
        id.write_key(&mut key);
        assert_eq!(key, bytes, "{id:?} has two keys");
        if id.validate().is_ok() {
            round_trip(&id);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        for text in [text.to_owned(), format!("\"{text}\""), format!("x\"{text}\"")] {
            if let Ok(id) = DocumentId::parse(&text) {
                round_trip(&id);
            }
        }
    }
});
