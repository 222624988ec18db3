//! Index keys: arbitrary bytes never panic, and what is written reads back, in the order of the values.

#![no_main]

use blaze_core::Value;
use blaze_core::key::{Order, read_value, skip_value, write_value};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fn encoded(value: &Value, order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_value(&mut bytes, value, order);
    bytes
}

/// Bytes that nobody wrote: an error leaves them alone, and reading and skipping end in the same place.
fn read_arbitrary(bytes: &[u8], order: Order) {
    let (mut read, mut skipped) = (bytes, bytes);
    let value = read_value(&mut read, order);
    let skip = skip_value(&mut skipped, order);
    if skip.is_err() {
        assert_eq!(skipped, bytes, "a failed skip moved");
    }
    match value {
        Err(_) => assert_eq!(read, bytes, "a failed read moved"),
        Ok(value) => {
            skip.expect("what can be read can be skipped");
            assert_eq!(read, skipped, "reading and skipping end in different places");
            if let Some(value) = value {
                round_trip(&value, order);
            }
        }
    }
}

fn round_trip(value: &Value, order: Order) {
    let bytes = encoded(value, order);
    let mut rest = bytes.as_slice();
    let read = read_value(&mut rest, order).expect("what was written can be read");
    assert_eq!(read.as_ref(), Some(value), "{value:?} reads back as another value");
    assert!(rest.is_empty(), "{value:?} is not read to its end");
}

fn compare(a: &Value, b: &Value) {
    let (ascending, descending) = (Order::Ascending, Order::Descending);
    assert_eq!(encoded(a, ascending).cmp(&encoded(b, ascending)), a.cmp(b), "{a:?} against {b:?}");
    assert_eq!(encoded(b, descending).cmp(&encoded(a, descending)), a.cmp(b), "{a:?} against {b:?}, descending");
}

fuzz_target!(|bytes: &[u8]| {
    for order in [Order::Ascending, Order::Descending] {
        read_arbitrary(bytes, order);
    }
    let mut source = Unstructured::new(bytes);
    let pair = blaze_fuzz::value(&mut source, 3).and_then(|a| Ok((a, blaze_fuzz::value(&mut source, 3)?)));
    if let Ok((a, b)) = pair {
        for order in [Order::Ascending, Order::Descending] {
            round_trip(&a, order);
            round_trip(&b, order);
        }
        compare(&a, &b);
    }
});
