//! Arithmetic that never wraps and never rounds what was exact: sums and products are those of updates.

use crate::error::{Error, Result};
use crate::filter::Literal;
use crate::update::number::{self, add_decimals, check, decimal, float, from_integer, integer, trimmed};
use crate::value::{Decimal, Value};

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The sum.
    Add,
    /// The difference.
    Subtract,
    /// The product.
    Multiply,
    /// The quotient.
    Divide,
}

/// How two numbers are computed with.
enum Pair {
    Integers(i128, i128),
    Floats(f64, f64),
    Decimals(Decimal, Decimal),
}

impl Operation {
    pub(super) fn apply(self, left: &Value, right: &Value) -> Result<Value> {
        match self {
            Operation::Add => number::add(left, right),
            Operation::Subtract => subtract(left, right),
            Operation::Multiply => number::multiply(left, right),
            Operation::Divide => divide(left, right),
        }
    }
}

fn subtract(left: &Value, right: &Value) -> Result<Value> {
    let difference = match pair(Operation::Subtract, left, right)? {
        Pair::Integers(left, right) => from_integer(left - right),
        Pair::Floats(left, right) => Some(Value::Float(left - right)),
        Pair::Decimals(left, right) => {
            let negated = Decimal::new(!right.is_negative(), right.coefficient(), right.scale());
            negated.and_then(|negated| add_decimals(left, negated)).map(Value::Decimal)
        }
    };
    difference.ok_or_else(|| outside(Operation::Subtract, left, right))
}

/// The quotient of two numbers.
pub(crate) fn divide(left: &Value, right: &Value) -> Result<Value> {
    let by_zero = || Error::invalid(format!("{} / {} divides by zero", Literal(left), Literal(right)));
    let quotient = match pair(Operation::Divide, left, right)? {
        Pair::Integers(_, 0) => return Err(by_zero()),
        Pair::Floats(_, 0.0) => return Err(by_zero()),
        Pair::Decimals(_, divisor) if divisor.coefficient() == 0 => return Err(by_zero()),
        Pair::Integers(left, right) => Some(Value::Float(left as f64 / right as f64)),
        Pair::Floats(left, right) => Some(Value::Float(left / right)),
        Pair::Decimals(left, right) => decimal_quotient(left, right).map(Value::Decimal),
    };
    quotient.ok_or_else(|| outside(Operation::Divide, left, right))
}

fn pair(operation: Operation, left: &Value, right: &Value) -> Result<Pair> {
    check(left)?;
    check(right)?;
    Ok(match (left, right) {
        (Value::Float(_), Value::Decimal(_)) | (Value::Decimal(_), Value::Float(_)) => {
            let (left, right) = (Literal(left), Literal(right));
            let text = format!("{left} {operation} {right} mixes a decimal and a float, which is not exact");
            return Err(Error::invalid(text));
        }
        (Value::Float(_), _) | (_, Value::Float(_)) => Pair::Floats(float(left), float(right)),
        (Value::Decimal(_), _) | (_, Value::Decimal(_)) => match (decimal(left), decimal(right)) {
            (Some(left), Some(right)) => Pair::Decimals(left, right),
            _ => return Err(outside(operation, left, right)),
        },
        _ => Pair::Integers(integer(left), integer(right)),
    })
}

fn outside(operation: Operation, left: &Value, right: &Value) -> Error {
    let (left, right) = (Literal(left), Literal(right));
    Error::invalid(format!("{left} {operation} {right} is outside the range of its type"))
}

/// The quotient, to as many digits as 128 bits and the largest scale hold, rounded half to even.
fn decimal_quotient(left: Decimal, right: Decimal) -> Option<Decimal> {
    let negative = left.is_negative() != right.is_negative();
    let (left, right) = (trimmed(left), trimmed(right));
    let divisor = right.coefficient();
    let (mut quotient, mut rest) = (left.coefficient() / divisor, left.coefficient() % divisor);
    let mut scale = i16::from(left.scale()) - i16::from(right.scale());
    while scale < 0 || (rest != 0 && scale < i16::from(Decimal::SCALE_MAX)) {
        let next = rest.checked_mul(10)?;
        let Some(digits) = quotient.checked_mul(10).and_then(|tens| tens.checked_add(next / divisor)) else { break };
        (quotient, rest, scale) = (digits, next % divisor, scale + 1);
    }
    let half = rest.cmp(&(divisor - rest));
    if half.is_gt() || (half.is_eq() && quotient % 2 == 1) {
        quotient = quotient.checked_add(1)?;
    }
    let scale = u8::try_from(scale).ok().filter(|scale| *scale <= Decimal::SCALE_MAX)?;
    Decimal::new(negative, quotient, scale).map(trimmed)
}
