//! Which values keys give back exactly.

use super::{Order, read_value, write_value};
use crate::value::{Decimal, Value, Vector};

/// True if [`read_value`] gives back exactly this value, type and all, and not merely one that is equal to it.
///
/// It does so for nulls, booleans, strings, bytes, times and UUIDs; for numbers of the type that a key is read as: integers
/// up to `i64::MAX`, floats that are no such integer, decimals that are neither; and for what is made of these. Takes time
/// linear in the value.
///
/// ```
/// use blaze_core::{Value, key};
///
/// assert!(key::is_restorable(&Value::from(1)) && key::is_restorable(&Value::from(0.5)));
/// assert!(!key::is_restorable(&Value::from(1.0)), "it would be read as the integer 1");
/// ```
#[must_use]
pub fn is_restorable(value: &Value) -> bool {
    match value {
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::String(_)
        | Value::Bytes(_)
        | Value::Time(_)
        | Value::Uuid(_) => true,
        Value::UInt(_) | Value::Float(_) | Value::Decimal(_) | Value::Vector(_) => {
            let mut key = Vec::new();
            write_value(&mut key, value, Order::Ascending);
            let read = read_value(&mut key.as_slice(), Order::Ascending);
            matches!(read, Ok(Some(read)) if is_identical(value, &read))
        }
        Value::Array(elements) => elements.iter().all(is_restorable),
        Value::Map(map) => {
            let keys: Vec<&str> = map.iter().map(|(key, _)| key).collect();
            keys.is_sorted() && map.iter().all(|(_, value)| is_restorable(value))
        }
    }
}

/// True if two numbers or vectors are of one type and have the same bits.
fn is_identical(a: &Value, b: &Value) -> bool {
    let parts = |decimal: &Decimal| (decimal.is_negative(), decimal.coefficient(), decimal.scale());
    match (a, b) {
        (Value::UInt(a), Value::UInt(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Decimal(a), Value::Decimal(b)) => parts(a) == parts(b),
        (Value::Vector(Vector::F32(a)), Value::Vector(Vector::F32(b))) => {
            a.iter().map(|number| number.to_bits()).eq(b.iter().map(|number| number.to_bits()))
        }
        (Value::Vector(Vector::F16(a)), Value::Vector(Vector::F16(b))) => a == b,
        (Value::Vector(Vector::I8(a)), Value::Vector(Vector::I8(b))) => a == b,
        (Value::Vector(Vector::Bits(a)), Value::Vector(Vector::Bits(b))) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Dictionary, encode};
    use crate::value::strategy::value;
    use crate::{Document, Time};

    /// The bytes of a record tell apart what is merely equal.
    fn bytes(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&Document::new().with("v", value.clone()), &Dictionary::default(), &mut bytes).unwrap();
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_048))]

        #[test]
        fn what_is_restorable_is_read_back_exactly_and_nothing_else_is(value in value()) {
            for order in [Order::Ascending, Order::Descending] {
                let mut key = Vec::new();
                write_value(&mut key, &value, order);
                let read = read_value(&mut key.as_slice(), order).unwrap().unwrap();
                prop_assert_eq!(is_restorable(&value), bytes(&value) == bytes(&read), "{:?} and {:?}", value, read);
            }
        }
    }

    #[test]
    fn common_values_are_restorable() {
        let values = [
            Value::Null,
            Value::from(true),
            Value::from(i64::MIN),
            Value::from(i64::MAX),
            Value::from(0.5),
            Value::from(f64::INFINITY),
            Value::from("text"),
            Value::from(Time::from_micros(-1)),
            Value::Decimal("0.1".parse().unwrap()),
        ];
        assert!(values.iter().all(is_restorable));
        let others = [Value::from(1.0), Value::from(-0.0), Value::Decimal("0.10".parse().unwrap())];
        assert!(!others.iter().any(is_restorable));
    }
}
