//! Query strings: no text panics, and what is read is written so that it reads as the same.

#![no_main]

use blaze_core::{Path, TextQuery};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = TextQuery::parse_for(text, &[Path::from("a"), Path::from("title.text")]);
    if let Ok(query) = TextQuery::parse(text) {
        query.validate().expect("what is read is valid");
        let written = query.to_string();
        let read = TextQuery::parse(&written).expect("what was written can be read");
        assert_eq!(read, query, "{written}");
        let fields: Vec<Path> = query.fields().into_iter().cloned().collect();
        assert_eq!(TextQuery::parse_for(&written, &fields).expect("it names these fields"), query, "{written}");
    }
});
