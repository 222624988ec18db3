//! Random values for property tests, biased to those that are hard to order and to encode.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Decimal, Time, Value, Vector, power_of_ten};
use crate::document::Document;
use crate::id::Uuid;

/// Any value; those of one class meet often, and so do equal ones of different types.
pub(crate) fn value() -> impl Strategy<Value = Value> + Clone {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((text(), inner), 0..4).prop_map(|entries| entries.into_iter().collect::<Document>().into()),
        ]
    })
}

fn scalar() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        8 => number(),
        3 => text().prop_map(Value::from),
        2 => bytes().prop_map(Value::from),
        1 => select(vec![i64::MIN, -1, 0, 1, i64::MAX]).prop_map(|micros| Time::from_micros(micros).into()),
        1 => any::<u8>().prop_map(|byte| Uuid::from_bytes([byte; 16]).into()),
        2 => vector().prop_map(Value::from),
    ]
}

pub(crate) fn number() -> impl Strategy<Value = Value> + Clone {
    let hard_integer = select(vec![0, 1, 1 << 53, 1 << 63, (1 << 64) - 1, 10_i128.pow(15)]);
    let integer = (hard_integer, any::<bool>(), -2..=2_i128).prop_map(|(magnitude, negative, step)| {
        let integer = (if negative { -magnitude } else { magnitude } + step).clamp(i64::MIN.into(), u64::MAX.into());
        i64::try_from(integer).map_or(Value::UInt(integer as u64), Value::Int)
    });
    prop_oneof![
        integer.clone(),
        integer.prop_map(|value| Value::from(value.number().unwrap().floor().0)),
        any::<i64>().prop_map(Value::from),
        float().prop_map(Value::from),
        decimal().prop_map(Value::from),
    ]
}

fn float() -> impl Strategy<Value = f64> + Clone {
    let hard = [0.0, 0.1, 1.0, 1e22, 1e23, 5e-324, f64::MIN_POSITIVE, 1e-38, 1e38, f64::MAX, f64::INFINITY, f64::NAN];
    prop_oneof![
        (select(hard.to_vec()), any::<bool>()).prop_map(|(float, negative)| if negative { -float } else { float }),
        (-300..300_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
        any::<f64>(),
    ]
}

fn decimal() -> impl Strategy<Value = Decimal> + Clone {
    let any_size = (any::<u128>(), 0..128_u32, 0..=38_u8).prop_map(|(bits, shift, scale)| (bits >> shift, scale));
    let beside_a_float = (float(), 0..=38_u8, -1..=1_i128).prop_map(|(float, scale, step)| {
        let scaled = (float.abs() * power_of_ten(scale) as f64) as u128;
        (scaled.saturating_add_signed(step), scale)
    });
    let hundredths = (0..300_u128, 2..4_u8);
    (prop_oneof![any_size, beside_a_float, hundredths], any::<bool>())
        .prop_map(|((coefficient, scale), negative)| Decimal::new(negative, coefficient, scale).unwrap())
}

fn text() -> impl Strategy<Value = String> + Clone {
    vec(select(vec!['\0', '\u{1}', 'a', 'b', 'ÿ', '\u{10FFFF}']), 0..4).prop_map(|chars| chars.into_iter().collect())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> + Clone {
    vec(select(vec![0, 1, 0x61, 0xFE, 0xFF]), 0..4)
}

fn vector() -> impl Strategy<Value = Vector> + Clone {
    let number = select(vec![0.0, -0.0, 1.0, -1.0, 0.1, 1e-45, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    prop_oneof![
        vec(number.clone(), 0..4).prop_map(Vector::F32),
        vec(number, 0..4).prop_map(|numbers| Vector::half_precision(&numbers)),
        vec(any::<i8>(), 0..3).prop_map(Vector::I8),
        bytes().prop_map(Vector::Bits),
    ]
}
