//! Filters as the catalog keeps them: no value panics, and what is read survives being written and read.

#![no_main]

use blaze_core::{Filter, Value};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// The names that stored filters begin with, and a little that none does.
const NAMES: [&str; 23] = [
    "and",
    "or",
    "nor",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "between",
    "in",
    "nin",
    "exists",
    "type",
    "starts_with",
    "like",
    "regex",
    "contains",
    "all",
    "size",
    "elem_match",
    "what",
];

/// An array that begins with a name, a path perhaps behind it, then anything.
fn stored(source: &mut Unstructured<'_>, levels: usize) -> Result<Value> {
    let mut parts = vec![Value::from(*source.choose(&NAMES)?)];
    if source.arbitrary()? {
        let path = blaze_fuzz::path(source)?;
        parts.push(path.segments().iter().map(|segment| Value::from(segment.key())).collect());
    }
    for _ in 0..source.int_in_range(0..=3)? {
        parts.push(match levels {
            0 => blaze_fuzz::value(source, 1)?,
            _ if source.arbitrary()? => blaze_fuzz::value(source, 2)?,
            _ => stored(source, levels - 1)?,
        });
    }
    Ok(parts.into_iter().collect())
}

fn check(value: &Value) {
    let Ok(filter) = Filter::from_stored(value) else { return };
    let again = Filter::from_stored(&filter.to_stored()).expect("what is written can be read");
    assert_eq!(format!("{again:?}"), format!("{filter:?}"));
    let _ = filter.validate(); // what is read may be invalid, and is refused without a panic
}

fuzz_target!(|bytes: &[u8]| {
    let mut source = Unstructured::new(bytes);
    // Deep enough, now and then, to pass the limit on the depth.
    let levels = if source.ratio(1, 16).unwrap_or(false) { 150 } else { 6 };
    if let Ok(value) = stored(&mut source, levels) {
        check(&value); // too few bytes make none
    }
    let mut source = Unstructured::new(bytes);
    if let Ok(filter) = blaze_fuzz::filter(&mut source, 4) {
        let again = Filter::from_stored(&filter.to_stored()).expect("what is written can be read");
        assert_eq!(format!("{again:?}"), format!("{filter:?}"));
    }
});
