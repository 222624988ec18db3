//! JSON: no text panics, and what is read is written so that it reads as the same.

#![no_main]

use blaze_core::JsonForm;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = JsonForm::Plain.read(text);
    if let Ok(value) = JsonForm::Extended.read(text) {
        let written = JsonForm::Extended.write(&value).expect("what was read nests no deeper than it may");
        let read = JsonForm::Extended.read(&written).expect("what was written can be read");
        assert_eq!(read, value, "{written}");
        assert_eq!(JsonForm::Extended.write(&read).expect("the same value"), written);
    }
});
