//! The total order of values, the equality it implies, and a hash that agrees with it.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::Value;

/// What is ordered among itself; classes are ordered as they are listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    Null,
    Bool,
    Number,
    String,
    Bytes,
    Time,
    Uuid,
    Vector,
    Array,
    Map,
}

impl Value {
    fn class(&self) -> Class {
        match self {
            Value::Null => Class::Null,
            Value::Bool(_) => Class::Bool,
            Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) => Class::Number,
            Value::String(_) => Class::String,
            Value::Bytes(_) => Class::Bytes,
            Value::Time(_) => Class::Time,
            Value::Uuid(_) => Class::Uuid,
            Value::Vector(_) => Class::Vector,
            Value::Array(_) => Class::Array,
            Value::Map(_) => Class::Map,
        }
    }

    /// True if both are of one class: all numbers are one, every other type is its own.
    ///
    /// Any two values have an order, but "less than" in a filter asks for more: `year < 2000` is not to match null.
    ///
    /// ```
    /// use blaze_core::Value;
    ///
    /// assert!(Value::from(1).comparable(&Value::from(1.5)));
    /// assert!(!Value::from(1).comparable(&Value::from("1")));
    /// ```
    #[must_use]
    pub fn comparable(&self, other: &Value) -> bool {
        self.class() == other.class()
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
            (Value::Vector(a), Value::Vector(b)) => a.cmp(b),
            (Value::Array(a), Value::Array(b)) => a.cmp(b),
            (Value::Map(a), Value::Map(b)) => a.cmp(b),
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.class().cmp(&b.class()),
            },
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            // Unlike the order, equality may look at the lengths first.
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (a, b) => a.cmp(b).is_eq(),
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.class().hash(state);
        match self {
            Value::Null => {}
            Value::Bool(bool) => bool.hash(state),
            Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) => self.number().hash(state),
            Value::String(string) => string.hash(state),
            Value::Bytes(bytes) => bytes.hash(state),
            Value::Time(time) => time.hash(state),
            Value::Uuid(uuid) => uuid.hash(state),
            Value::Vector(vector) => vector.hash(state),
            Value::Array(array) => array.hash(state),
            Value::Map(map) => map.hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use proptest::prelude::*;

    use super::super::strategy::value;
    use super::super::{Decimal, Time, Vector};
    use super::*;
    use crate::document::Document;
    use crate::id::Uuid;

    fn decimal(coefficient: u128, scale: u8) -> Value {
        Value::Decimal(Decimal::new(false, coefficient, scale).unwrap())
    }

    #[test]
    fn classes_follow_one_another() {
        let ascending = [
            Value::Null,
            Value::from(false),
            Value::from(true),
            Value::from(f64::NAN),
            Value::from(f64::NEG_INFINITY),
            Value::from(i64::MIN),
            Value::from(-0.5),
            Value::from(0),
            decimal(1, 1),
            Value::from(0.1),
            Value::from((1_u64 << 53) as f64),
            Value::from((1_u64 << 53) + 1),
            Value::from(u64::MAX),
            Value::from(u64::MAX as f64),
            decimal(u128::MAX, 0),
            Value::from(f64::INFINITY),
            Value::from(""),
            Value::from("a"),
            Value::from("a\0"),
            Value::from("aa"),
            Value::from(Vec::<u8>::new()),
            Value::from(vec![0xFF_u8]),
            Value::from(Time::from_micros(-1)),
            Value::from(Time::from_micros(0)),
            Value::from(Uuid::from_bytes([0; 16])),
            Value::from(vec![1.0_f32]),
            Value::from(vec![1.0_f32, f32::NAN]),
            Value::from(vec![1.0_f32, -1.0]),
            Value::from(Vector::Bits(vec![0b10])),
            Value::from(Vector::Bits(vec![0b01])),
            Value::from(Vec::<Value>::new()),
            Value::from([1, 2]),
            Value::from([1, 2, 0]),
            Value::from([2]),
            Value::from(Document::new()),
            Value::from(Document::new().with("b", 0).with("a", 1)),
            Value::from(Document::new().with("a", 1).with("b", 1)),
            Value::from(Document::new().with("a", 1).with("c", 0)),
            Value::from(Document::new().with("b", 0)),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a:?} and {b:?}");
                assert_eq!(a == b, i == j, "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn equal_values_are_equal_whatever_their_type_and_order_of_keys() {
        let equal = [
            (Value::from(1), Value::from(1.0)),
            (Value::from(1), decimal(100, 2)),
            (Value::from(0.0), Value::from(-0.0)),
            (Value::from(f64::NAN), Value::from(-f64::NAN)),
            (Value::from(0.5), decimal(5, 1)),
            (Value::from([1, 2]), Value::from([1.0, 2.0])),
            (Document::new().with("a", 1).with("b", 2).into(), Document::new().with("b", 2.0).with("a", 1).into()),
            (Value::from([0.0_f32]), Value::from([-0.0_f32])),
        ];
        for (a, b) in equal {
            assert_eq!(a, b);
            assert_eq!(hash(&a), hash(&b), "hashes of {a:?} and {b:?}");
        }
        assert_ne!(Value::from(vec![1.0_f32]), Value::from(vec![1.0_f64]), "a vector is not an array");
    }

    fn hash(value: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    proptest! {
        #[test]
        fn the_order_is_total_and_agrees_with_equality_and_hash(a in value(), b in value(), c in value()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
            prop_assert!(a != b || hash(&a) == hash(&b));
            prop_assert!(a > b || b > c || a <= c);
            prop_assert!(a == a.clone());
        }
    }
}
