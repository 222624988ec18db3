//! Accumulators: what is made of many values that come one after another.
//!
//! | accumulator | of the values of its expression | of no values |
//! |---|---|---|
//! | `count` | counts the documents | 0 |
//! | `sum` | numbers; missing and null are passed over, anything else is an error | 0 |
//! | `avg` | as `sum`; of integers and floats a float, of decimals a decimal | null |
//! | `min`, `max` | by the order of [`Value`]; missing and null are passed over; of equal ones the first met | null |
//! | `first`, `last` | of the first and the last document, null included | missing |
//! | `push` | all in order, null included; missing is passed over | an empty array |
//! | `add_to_set` | as `push`, equal ones once, in the order of [`Value`] | an empty array |
//!
//! A sum of integers is exact, whatever it passes through on the way; if it ends outside the ranges of `i64` and `u64`
//! that is an error. Floats are summed exactly and rounded once, so that their order makes no difference; with integers
//! the sum is a float, with decimals there is an error. A value that `add_to_set` shows is the plainest among its equals:
//! `2` for `2.0`.

mod exact;
mod footprint;
mod sum;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

pub use footprint::heap_bytes;

use crate::error::Result;
use crate::expression::Expression;
use crate::key::{self, Order};
use crate::value::Value;
use sum::Sum;

/// What is made of the documents of a group; the [module](self) says how.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Accumulator {
    /// How many documents there are.
    Count,
    /// The sum.
    Sum(Expression),
    /// The arithmetic mean.
    Average(Expression),
    /// The smallest value.
    Min(Expression),
    /// The largest value.
    Max(Expression),
    /// The value of the first document.
    First(Expression),
    /// The value of the last document.
    Last(Expression),
    /// All values.
    Push(Expression),
    /// All values, equal ones once.
    AddToSet(Expression),
}

impl Accumulator {
    /// The name of the accumulator.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Accumulator::Count => "count",
            Accumulator::Sum(_) => "sum",
            Accumulator::Average(_) => "avg",
            Accumulator::Min(_) => "min",
            Accumulator::Max(_) => "max",
            Accumulator::First(_) => "first",
            Accumulator::Last(_) => "last",
            Accumulator::Push(_) => "push",
            Accumulator::AddToSet(_) => "add_to_set",
        }
    }

    /// What it is made of, if it looks at anything.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Accumulator::Count => None,
            Accumulator::Sum(of)
            | Accumulator::Average(of)
            | Accumulator::Min(of)
            | Accumulator::Max(of)
            | Accumulator::First(of)
            | Accumulator::Last(of)
            | Accumulator::Push(of)
            | Accumulator::AddToSet(of) => Some(of),
        }
    }

    /// An accumulation that has met nothing yet.
    #[must_use]
    pub fn begin(&self) -> Accumulation {
        Accumulation(match self {
            Accumulator::Count => State::Count(0),
            Accumulator::Sum(_) => State::Sum(Sum::default()),
            Accumulator::Average(_) => State::Average(Sum::default()),
            Accumulator::Min(_) => State::Min(None),
            Accumulator::Max(_) => State::Max(None),
            Accumulator::First(_) => State::First(None),
            Accumulator::Last(_) => State::Last(None),
            Accumulator::Push(_) => State::Push(Vec::new()),
            Accumulator::AddToSet(_) => State::AddToSet(BTreeSet::new()),
        })
    }
}

/// The state of an [`Accumulator`] for one group.
///
/// ```
/// use std::borrow::Cow;
///
/// use blaze_core::aggregate::Accumulator;
/// use blaze_core::{Expression, Value};
///
/// let mut average = Accumulator::Average(Expression::from("rating")).begin();
/// for rating in [7, 8] {
///     average.add(Some(Cow::Owned(Value::from(rating))))?;
/// }
/// assert_eq!(average.finish()?, Some(Value::from(7.5)));
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Accumulation(State);

#[derive(Clone, Debug)]
enum State {
    Count(u64),
    Sum(Sum),
    Average(Sum),
    Min(Option<Value>),
    Max(Option<Value>),
    /// None before the first document.
    First(Option<Option<Value>>),
    Last(Option<Value>),
    Push(Vec<Value>),
    /// Encoded as keys.
    AddToSet(BTreeSet<Vec<u8>>),
}

/// Bytes that a set takes for each of its members besides the members.
const SET_ENTRY_BYTES: isize = 32;

impl Accumulation {
    /// Adds the value of one more document, and answers by how many bytes the memory behind the accumulation has grown.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) where a sum meets what is no number, or leaves the range of decimals.
    pub fn add(&mut self, value: Option<Cow<'_, Value>>) -> Result<isize> {
        match (&mut self.0, value) {
            (State::Count(count), _) => *count += 1,
            (State::Sum(sum) | State::Average(sum), Some(value)) if !value.is_null() => sum.add(&value)?,
            (State::Min(least), Some(value))
                if !value.is_null() && least.as_ref().is_none_or(|least| *value < *least) =>
            {
                return Ok(replace(least, Some(value)));
            }
            (State::Max(most), Some(value)) if !value.is_null() && most.as_ref().is_none_or(|most| *value > *most) => {
                return Ok(replace(most, Some(value)));
            }
            (State::First(first @ None), value) => return Ok(replace(first.insert(None), value)),
            (State::Last(last), value) => return Ok(replace(last, value)),
            (State::Push(values), Some(value)) => {
                let value = value.into_owned();
                let bytes = signed(size_of::<Value>() + heap_bytes(&value));
                values.push(value);
                return Ok(bytes);
            }
            (State::AddToSet(set), Some(value)) => {
                let mut bytes = Vec::new();
                key::write_value(&mut bytes, &value, Order::Ascending);
                let length = signed(bytes.len());
                return Ok(if set.insert(bytes) { length + SET_ENTRY_BYTES } else { 0 });
            }
            _ => {}
        }
        Ok(0)
    }

    /// Adds so many documents at once to a count; to nothing else.
    pub fn add_count(&mut self, documents: u64) {
        if let State::Count(count) = &mut self.0 {
            *count += documents;
        }
    }

    /// What has become of the values; none where that is missing.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a sum is outside the ranges of `i64` and `u64`.
    pub fn finish(self) -> Result<Option<Value>> {
        Ok(match self.0 {
            State::Count(count) => Some(Value::from(count)),
            State::Sum(sum) => Some(sum.total()?),
            State::Average(sum) => Some(sum.average()?),
            State::Min(value) | State::Max(value) => Some(value.unwrap_or_default()),
            State::First(value) => value.flatten(),
            State::Last(value) => value,
            State::Push(values) => Some(Value::Array(values)),
            State::AddToSet(set) => {
                let read = |bytes: &Vec<u8>| key::read_value(&mut &bytes[..], Order::Ascending);
                let values = set.iter().map(read).collect::<Result<Vec<_>>>()?;
                Some(Value::Array(values.into_iter().flatten().collect()))
            }
        })
    }
}

/// Puts a value in the place of another, and answers by how many bytes the memory has grown.
fn replace(place: &mut Option<Value>, value: Option<Cow<'_, Value>>) -> isize {
    let value = value.map(Cow::into_owned);
    let bytes = |value: &Option<Value>| value.as_ref().map_or(0, |value| signed(heap_bytes(value)));
    let grown = bytes(&value) - bytes(place);
    *place = value;
    grown
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}
