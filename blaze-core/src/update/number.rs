//! Addition of numbers that never wraps and never rounds what was exact.

use crate::error::{Error, Result};
use crate::filter::Literal;
use crate::value::{Decimal, Value};

/// Refuses what is not a number.
pub(crate) fn check(value: &Value) -> Result<()> {
    match value {
        Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) => Ok(()),
        other => Err(Error::invalid(format!("{} is a {}, not a number", Literal(other), other.type_name()))),
    }
}

/// The sum of two numbers.
pub(crate) fn add(left: &Value, right: &Value) -> Result<Value> {
    check(left)?;
    check(right)?;
    let sum = match (left, right) {
        (Value::Float(_), Value::Decimal(_)) | (Value::Decimal(_), Value::Float(_)) => {
            let (left, right) = (Literal(left), Literal(right));
            return Err(Error::invalid(format!("{left} + {right} mixes a decimal and a float, which is not exact")));
        }
        (Value::Float(_), _) | (_, Value::Float(_)) => Some(Value::Float(float(left) + float(right))),
        (Value::Decimal(_), _) | (_, Value::Decimal(_)) => add_decimals(left, right),
        _ => add_integers(left, right),
    };
    sum.ok_or_else(|| {
        let (left, right, range) = (Literal(left), Literal(right), "the range of its type");
        Error::invalid(format!("{left} + {right} is outside {range}"))
    })
}

pub(crate) fn integer(value: &Value) -> i128 {
    match value {
        Value::Int(int) => i128::from(*int),
        Value::UInt(int) => i128::from(*int),
        _ => 0,
    }
}

pub(crate) fn float(value: &Value) -> f64 {
    match value {
        Value::Float(float) => *float,
        other => integer(other) as f64,
    }
}

fn add_integers(left: &Value, right: &Value) -> Option<Value> {
    from_integer(integer(left) + integer(right))
}

/// The integer as a value, if it is in the ranges of `i64` and `u64`.
pub(crate) fn from_integer(integer: i128) -> Option<Value> {
    i64::try_from(integer).map(Value::Int).or_else(|_| u64::try_from(integer).map(Value::UInt)).ok()
}

pub(crate) fn add_decimals(left: &Value, right: &Value) -> Option<Value> {
    let (left, right) = (decimal(left)?, decimal(right)?);
    let scale = left.scale().max(right.scale());
    let (a, b) = (coefficient_at(left, scale)?, coefficient_at(right, scale)?);
    let (negative, coefficient) = if left.is_negative() == right.is_negative() {
        (left.is_negative(), a.checked_add(b)?)
    } else if a >= b {
        (left.is_negative(), a - b)
    } else {
        (right.is_negative(), b - a)
    };
    Decimal::new(negative, coefficient, scale).map(Value::Decimal)
}

pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(decimal) => Some(*decimal),
        other => Decimal::new(integer(other) < 0, integer(other).unsigned_abs(), 0),
    }
}

fn coefficient_at(decimal: Decimal, scale: u8) -> Option<u128> {
    let factor = 10_u128.checked_pow(u32::from(scale - decimal.scale()))?;
    decimal.coefficient().checked_mul(factor)
}
