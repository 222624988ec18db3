//! Sums of numbers of all types.

use super::exact::ExactSum;
use crate::error::{Error, Result};
use crate::expression::divide;
use crate::filter::Literal;
use crate::update::number::{self, check, from_integer};
use crate::value::{Decimal, Value};

/// A sum whose outcome does not depend on the order in which its numbers come.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    count: u64,
    integers: i128,
    floats: Option<Box<ExactSum>>,
    decimals: Option<Decimal>,
}

impl Sum {
    pub(super) fn add(&mut self, value: &Value) -> Result<()> {
        check(value)?;
        match value {
            Value::Float(float) => {
                self.floats.get_or_insert_default().add(*float);
            }
            Value::Decimal(decimal) => {
                let sum = self.decimals.map_or(Ok(value.clone()), |sum| number::add(&Value::Decimal(sum), value))?;
                self.decimals = Some(if let Value::Decimal(sum) = sum { sum } else { *decimal });
            }
            integer => {
                let sum = self.integers.checked_add(number::integer(integer));
                self.integers = sum.ok_or_else(|| Error::invalid("a sum of integers is outside of 128 bits"))?;
            }
        }
        if let (Some(_), Some(_)) = (&self.floats, self.decimals) {
            let value = Literal(value);
            return Err(Error::invalid(format!("at {value} the sum mixes decimals and floats, which is not exact")));
        }
        self.count += 1;
        Ok(())
    }

    pub(super) fn total(&self) -> Result<Value> {
        match (&self.floats, self.decimals) {
            (Some(floats), _) => Ok(Value::Float(floats.with_integer(self.integers))),
            (None, Some(decimals)) => {
                let integers = Decimal::integer(self.integers < 0, self.integers.unsigned_abs());
                number::add(&Value::Decimal(decimals), &Value::Decimal(integers))
            }
            (None, None) => from_integer(self.integers).ok_or_else(|| {
                Error::invalid(format!("the sum of integers is {}, outside the range of its type", self.integers))
            }),
        }
    }

    pub(super) fn average(&self) -> Result<Value> {
        match (self.count, &self.floats, self.decimals) {
            (0, ..) => Ok(Value::Null),
            (count, Some(floats), _) => Ok(Value::Float(floats.with_integer(self.integers) / count as f64)),
            (count, None, Some(_)) => divide(&self.total()?, &Value::from(count)),
            (count, None, None) => Ok(Value::Float(self.integers as f64 / count as f64)),
        }
    }
}
