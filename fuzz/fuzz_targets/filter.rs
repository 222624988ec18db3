//! Filters: no filter panics on any document, and the evaluators of documents and of records agree.

#![no_main]

use blaze_core::record::{Dictionary, Record, encode};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fn check(bytes: &[u8]) -> Result<()> {
    let mut source = Unstructured::new(bytes);
    // Deep enough, now and then, to pass the limit on the depth.
    let levels = if source.ratio(1, 16)? { 100 } else { 3 };
    let filter = blaze_fuzz::filter(&mut source, levels)?;
    let document = blaze_fuzz::document(&mut source, 3)?;

    let valid = filter.validate();
    let matches = filter.matches(&document);
    assert_eq!((!filter.clone()).matches(&document), !matches, "{filter} and its negation agree");
    for (path, predicate) in filter.conjuncts() {
        let term = blaze_core::Filter::Field(path.clone(), predicate.clone());
        assert!(!matches || term.matches(&document), "{filter} matches and its part {term} does not");
    }
    if valid.is_ok() {
        let mut dictionary = Dictionary::default();
        dictionary.learn(&document);
        let mut bytes = Vec::new();
        encode(&document, &dictionary, &mut bytes).expect("a small document");
        let record = Record::open(&bytes, &dictionary).expect("what was written can be read");
        let raw = filter.matches_raw(&record.document()).expect("a sound record");
        assert_eq!(raw, matches, "{filter} on {document:?}");
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let _ = check(bytes); // too few bytes make no filter
});
