//! Sums and products of numbers that never wrap and never round what was exact.

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
    let exact = Exact { sign: '+', integers: i128::checked_add, decimals: add_decimals };
    exact.compute(left, right, |left, right| left + right)
}

/// The product of two numbers.
pub(crate) fn multiply(left: &Value, right: &Value) -> Result<Value> {
    let exact = Exact { sign: '*', integers: i128::checked_mul, decimals: multiply_decimals };
    exact.compute(left, right, |left, right| left * right)
}

/// The zero that is `number` times 0: of the same type, and for decimals of the same scale.
pub(super) fn zero_like(number: &Value) -> Value {
    match number {
        Value::Float(_) => Value::Float(0.0),
        Value::Decimal(decimal) => Decimal::new(false, 0, decimal.scale()).map_or(Value::Int(0), Value::Decimal),
        _ => Value::Int(0),
    }
}

/// How an operation is computed where it is exact; `None` stands for a result that does not fit.
struct Exact {
    sign: char,
    integers: fn(i128, i128) -> Option<i128>,
    decimals: fn(Decimal, Decimal) -> Option<Decimal>,
}

impl Exact {
    fn compute(&self, left: &Value, right: &Value, floats: fn(f64, f64) -> f64) -> Result<Value> {
        check(left)?;
        check(right)?;
        let refuse =
            |reason: &str| Error::invalid(format!("{} {} {} {reason}", Literal(left), self.sign, Literal(right)));
        match (left, right) {
            (Value::Float(_), Value::Decimal(_)) | (Value::Decimal(_), Value::Float(_)) => {
                Err(refuse("mixes a decimal and a float, which is not exact"))
            }
            (Value::Float(_), _) | (_, Value::Float(_)) => Ok(Value::Float(floats(float(left), float(right)))),
            (Value::Decimal(_), _) | (_, Value::Decimal(_)) => {
                let result = decimal(left).zip(decimal(right)).and_then(|(left, right)| (self.decimals)(left, right));
                result.map(Value::Decimal).ok_or_else(|| refuse("is outside the range of its type"))
            }
            _ => {
                let result = (self.integers)(integer(left), integer(right)).and_then(from_integer);
                result.ok_or_else(|| refuse("is outside the range of its type"))
            }
        }
    }
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

/// The integer as a value, if it is in the ranges of `i64` and `u64`.
pub(crate) fn from_integer(int: i128) -> Option<Value> {
    i64::try_from(int).map(Value::Int).or_else(|_| u64::try_from(int).map(Value::UInt)).ok()
}

pub(crate) fn add_decimals(left: Decimal, right: Decimal) -> Option<Decimal> {
    let scale = left.scale().max(right.scale());
    let (a, b) = (coefficient_at(left, scale)?, coefficient_at(right, scale)?);
    let (negative, coefficient) = if left.is_negative() == right.is_negative() {
        (left.is_negative(), a.checked_add(b)?)
    } else if a >= b {
        (left.is_negative(), a - b)
    } else {
        (right.is_negative(), b - a)
    };
    Decimal::new(negative, coefficient, scale)
}

/// The product at the sum of the scales or, where that does not fit, without zeros at the end of the factors.
fn multiply_decimals(left: Decimal, right: Decimal) -> Option<Decimal> {
    let product = |left: Decimal, right: Decimal| {
        let coefficient = left.coefficient().checked_mul(right.coefficient())?;
        Decimal::new(left.is_negative() != right.is_negative(), coefficient, left.scale() + right.scale())
    };
    product(left, right).or_else(|| product(trimmed(left), trimmed(right)))
}

/// The same number without zeros at the end of its fraction.
pub(crate) fn trimmed(decimal: Decimal) -> Decimal {
    let (mut coefficient, mut scale) = (decimal.coefficient(), decimal.scale());
    while scale > 0 && coefficient.is_multiple_of(10) {
        (coefficient, scale) = (coefficient / 10, scale - 1);
    }
    Decimal::new(decimal.is_negative(), coefficient, scale).unwrap_or(decimal)
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
