//! The codec against the order of values.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::limits::NESTING_MAX;
use crate::value::Decimal;
use crate::value::strategy::{number, value};

const ORDERS: [Order; 2] = [Order::Ascending, Order::Descending];

fn encode(value: &Value, order: Order) -> Vec<u8> {
    let mut key = Vec::new();
    write_value(&mut key, value, order);
    key
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Ascending), Just(Order::Descending)]
}

#[track_caller]
fn check_pair(a: &Value, b: &Value) {
    let [ascending, descending] = ORDERS.map(|order| (encode(a, order), encode(b, order)));
    let (x, y) = &ascending;
    assert_eq!(x.cmp(y), a.cmp(b), "{a:?} and {b:?} became {x:02x?} and {y:02x?}");
    assert_eq!(descending.0.cmp(&descending.1), b.cmp(a), "descending, {a:?} and {b:?}");
    assert!(a == b || !(x.starts_with(y) || y.starts_with(x)), "{a:?} and {b:?} share a beginning");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn bytes_have_the_order_of_values(a in value(), b in value()) {
        check_pair(&a, &b);
    }

    #[test]
    fn bytes_have_the_order_of_numbers(a in number(), b in number()) {
        check_pair(&a, &b);
    }

    #[test]
    fn a_value_reads_back_equal_and_skips_alike(value in value(), order in order(), rest: [u8; 3], element: bool) {
        let mut key = Vec::new();
        let write = if element { write_element } else { write_value };
        write(&mut key, &value, order);
        prop_assert_eq!(key[0] == element_tag(order), element);
        key.extend(rest);
        let (mut read, mut skip) = (&key[..], &key[..]);
        prop_assert_eq!(read_value(&mut read, order).unwrap(), Some(value));
        skip_value(&mut skip, order).unwrap();
        prop_assert_eq!((read, skip), (&rest[..], &rest[..]));
    }

    #[test]
    fn tuples_of_encodings_have_the_order_of_tuples(
        a in vec(value(), 3), b in vec(value(), 3), orders in vec(order(), 3), shared in 0..3_usize,
    ) {
        let b: Vec<Value> = a[..shared].iter().chain(&b[shared..]).cloned().collect();
        let encode = |values: &[Value]| {
            let mut key = Vec::new();
            values.iter().zip(&orders).for_each(|(value, order)| write_value(&mut key, value, *order));
            key
        };
        let expected = a.iter().zip(&b).zip(&orders).fold(std::cmp::Ordering::Equal, |so_far, ((a, b), order)| {
            so_far.then(if *order == Order::Ascending { a.cmp(b) } else { b.cmp(a) })
        });
        prop_assert_eq!(encode(&a).cmp(&encode(&b)), expected);
    }

    #[test]
    fn a_class_is_a_range_of_tags(a in value(), b in value(), order in order()) {
        let inside = class_range(&a, order).contains(&encode(&b, order)[0]);
        prop_assert_eq!(inside, a.comparable(&b));
    }

    #[test]
    fn a_string_prefix_is_a_prefix_of_bytes(text in "[\0a]{0,4}", prefix in "[\0a]{0,3}", order in order()) {
        let mut key = Vec::new();
        write_string_prefix(&mut key, &prefix, order);
        prop_assert_eq!(encode(&Value::from(text.as_str()), order).starts_with(&key), text.starts_with(&prefix));
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_read_is_canonical(
        bytes in vec(prop_oneof![any::<u8>(), proptest::sample::select(vec![
            END, MISSING, NULL, NUMBER, STRING, BYTES, TIME, VECTOR, VECTOR + 3, ARRAY, MAP, ELEMENT, 1, 0xFF,
        ])], 0..40),
        order in order(),
    ) {
        let (mut read, mut skip) = (&bytes[..], &bytes[..]);
        let value = read_value(&mut read, order);
        let skipped = skip_value(&mut skip, order);
        match value {
            Ok(value) => {
                skipped.unwrap();
                prop_assert_eq!(read, skip);
                let mut again = Vec::new();
                let element = bytes[0] == element_tag(order);
                match &value {
                    Some(value) if element => write_element(&mut again, value, order),
                    Some(value) => write_value(&mut again, value, order),
                    None => write_missing(&mut again, order),
                }
                prop_assert_eq!(&again, &bytes[..bytes.len() - read.len()]);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Corruption);
                prop_assert_eq!(read, &bytes[..]);
            }
        }
    }

    #[test]
    fn damaged_encodings_never_panic(value in value(), place: prop::sample::Index, byte: u8, order in order()) {
        let mut key = encode(&value, order);
        let place = place.index(key.len());
        key[place] = byte;
        let (mut read, mut skip) = (&key[..], &key[..]);
        if read_value(&mut read, order).is_ok() {
            skip_value(&mut skip, order).unwrap();
            prop_assert_eq!(read, skip);
        }
    }

    #[test]
    fn a_shortened_encoding_is_refused(value in value(), place: prop::sample::Index, order in order()) {
        let key = encode(&value, order);
        let shortened = &key[..place.index(key.len())];
        let (mut read, mut skip) = (shortened, shortened);
        prop_assert!(read_value(&mut read, order).is_err() && skip_value(&mut skip, order).is_err());
    }
}

#[test]
fn missing_comes_before_null_and_elements_after_all() {
    for order in ORDERS {
        let (mut missing, mut element) = (Vec::new(), Vec::new());
        write_missing(&mut missing, order);
        write_element(&mut element, &Value::Null, order);
        let (null, map) = (encode(&Value::Null, order), encode(&Value::from(Document::new()), order));
        let mut keys = [missing.clone(), null, map, element];
        if order == Order::Descending {
            keys.reverse();
        }
        assert!(keys.is_sorted_by(|a, b| a < b), "{order:?}: {keys:02x?}");
        assert_eq!(read_value(&mut &missing[..], order).unwrap(), None);
        skip_value(&mut &missing[..], order).unwrap();
    }
}

#[test]
fn the_bytes_of_known_values_stay_as_they_are() {
    let hex =
        |value: Value| encode(&value, Order::Ascending).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let decimal = |text: &str| Value::from(text.parse::<Decimal>().unwrap());
    assert_eq!(hex(Value::from(1)), "30bff000000000000000");
    assert_eq!(hex(Value::from(-1)), "30400fffffffffffff00");
    assert_eq!(hex(Value::from(f64::NAN)), "30000000000000000000");
    assert_eq!(hex(decimal("19.99")), "30c033fd70a3d70a3d0101136400");
    assert_eq!(hex(decimal("-0.1")), "30404666666666666501fff4ff");
    assert_eq!(hex(Value::from(i64::MAX)), "30c3dfffffffffffff01087fffffffffffffff00");
    assert_eq!(hex(Value::from("a\0")), "406100ff0000");
    assert_eq!(hex(Value::from([0.5_f32])), "80bf00ff00ff00ff0000");
    assert_eq!(hex(Value::from(vec![Value::Null, Value::from(true)])), "90102100");
    assert_eq!(hex(Document::new().with("b", ()).with("a", ()).into()), "a04061000010406200001000");
}

#[test]
fn numbers_come_back_as_integers_where_they_are() {
    for (written, read) in [
        (Value::from(7.0), "Int(7)"),
        (Value::from(i64::MIN), "Int(-9223372036854775808)"),
        (Value::from(i64::MAX), "Int(9223372036854775807)"),
        (Value::from(u64::MAX), "UInt(18446744073709551615)"),
        (Value::from(-0.0), "Int(0)"),
        (Value::from(1e300), "Float(1e300)"),
    ] {
        let value = read_value(&mut &encode(&written, Order::Ascending)[..], Order::Ascending).unwrap().unwrap();
        assert_eq!(format!("{value:?}"), read);
    }
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let nested = |levels: usize| [vec![ARRAY; levels], vec![END; levels]].concat();
    let key = nested(NESTING_MAX);
    read_value(&mut &key[..], Order::Ascending).unwrap();
    for levels in [NESTING_MAX + 1, 1_000_000] {
        let key = nested(levels);
        let error = read_value(&mut &key[..], Order::Ascending).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        skip_value(&mut &key[..], Order::Ascending).unwrap();
    }
}
