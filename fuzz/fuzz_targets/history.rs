//! Recorded histories as lines of text: no text panics, neither does the judgement of what is read.

#![no_main]

use blaze_check::History;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(history) = History::read_lines(bytes) else { return };
    let mut written = Vec::new();
    history.write_lines(&mut written).expect("memory can be written");
    let again = History::read_lines(written.as_slice()).expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{history:?}"));
    let _ = blaze_check::check(&history);
});
