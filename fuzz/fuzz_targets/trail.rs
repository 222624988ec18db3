//! What commits leave behind, undo records, rows of the change feed and the marks: arbitrary bytes never panic, and what
//! can be read is written again as it was.

#![no_main]

use blaze_core::{Change, Marks, Timestamp, UndoKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(marks) = Marks::from_bytes(bytes) {
        assert_eq!(marks.to_bytes(), bytes, "marks read back as others");
    }
    if let Ok(before) = UndoKey::read_value(bytes) {
        assert_eq!(UndoKey::value(before), bytes, "the value of an undo record reads back as another");
    }
    if let Ok(undo) = UndoKey::from_bytes(bytes) {
        assert_eq!(undo.to_bytes(), bytes, "the key of an undo record reads back as another");
        assert_eq!(UndoKey::prefix_and_ts(bytes), Some((undo.prefix, undo.ts)));
        assert!(bytes.starts_with(&UndoKey::start(undo.prefix, &undo.rest)));
    }
    if let Some((key, value)) = bytes.split_first_chunk::<12>()
        && let Ok(change) = Change::from_bytes(key, value)
    {
        assert_eq!((change.key_bytes().as_slice(), change.value_bytes().as_slice()), (key.as_slice(), value));
        let before = Timestamp::from_bits(change.ts.to_bits().saturating_sub(1));
        assert_eq!(Change::range_after(before).contains(key), change.ts > before);
    }
});
