//! One change to a document: the way to its place, and what happens there.

use super::{Operator, array, number};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::Literal;
use crate::limits::NESTING_MAX;
use crate::nesting::nests_within;
use crate::path::{Path, Segment};
use crate::value::{Time, Value, Vector};

/// What a step of a path can be taken in.
enum Container<'a> {
    Map(&'a mut Document),
    Array(&'a mut Vec<Value>),
}

/// Makes the change and says whether it made a difference. After an error `document` may be changed in part.
pub(super) fn apply(
    document: &mut Document,
    steps: &[Segment],
    operator: &Operator,
    now: Option<Time>,
) -> Result<bool> {
    if let Operator::Rename(to) = operator {
        return rename(document, steps, to);
    }
    let Some((last, parents)) = steps.split_last() else { return Ok(false) };
    let Some(container) = descend(document, parents, operator.creates())? else { return Ok(false) };
    match operator {
        Operator::Set(value) | Operator::SetOnInsert(value) => write(container, last, |_| Ok(value.clone())),
        Operator::SetNow => {
            let now = now.ok_or_else(|| Error::invalid("the time is needed here: use apply_at"))?;
            write(container, last, |_| Ok(Value::Time(now)))
        }
        Operator::Unset => Ok(take(container, last, "unset, only set")?.is_some()),
        Operator::Inc(step) => write(container, last, |old| old.map_or(Ok(step.clone()), |old| number::add(old, step))),
        Operator::Mul(factor) => write(container, last, |old| {
            old.map_or_else(|| Ok(number::zero_like(factor)), |old| number::multiply(old, factor))
        }),
        Operator::Min(value) => {
            write(container, last, |old| Ok(old.filter(|old| *old <= value).unwrap_or(value).clone()))
        }
        Operator::Max(value) => {
            write(container, last, |old| Ok(old.filter(|old| *old >= value).unwrap_or(value).clone()))
        }
        Operator::Push(push) => edit(container, last, true, |array| push.apply(array)),
        Operator::AddToSet(values) => edit(container, last, true, |array| array::add_to_set(array, values)),
        Operator::PopFirst => edit(container, last, false, array::pop_first),
        Operator::PopLast => edit(container, last, false, |array| array.pop().is_some()),
        Operator::Pull(value) => edit(container, last, false, |array| array::pull(array, |element| element == value)),
        Operator::PullWhere(filter) => {
            edit(container, last, false, |array| array::pull(array, |element| filter.matches_element(element)))
        }
        Operator::Rename(_) => Ok(false), // done above
    }
}

/// Moves the value at `from`, if there is one, to `to`.
fn rename(document: &mut Document, from: &[Segment], to: &Path) -> Result<bool> {
    let (Some((last, parents)), Some((to_last, to_parents))) = (from.split_last(), to.segments().split_last()) else {
        return Ok(false);
    };
    let Some(container) = descend(document, parents, false)? else { return Ok(false) };
    let Some(value) = take(container, last, "renamed")? else { return Ok(false) };
    if !nests_within(&value, NESTING_MAX - to.segments().len()) {
        return Err(super::too_deep());
    }
    match descend(document, to_parents, true)? {
        Some(container) => write(container, to_last, |_| Ok(value)),
        None => Err(Error::internal("a map that was just made is missing")),
    }?;
    Ok(true)
}

/// Follows all steps but the last; `None` if something on the way is missing and must not be created.
fn descend<'a>(document: &'a mut Document, parents: &[Segment], create: bool) -> Result<Option<Container<'a>>> {
    let mut container = Container::Map(document);
    for segment in parents {
        let missing = create.then(|| Value::Map(Document::new()));
        container = match slot(container, segment, missing)? {
            None => return Ok(None),
            Some(Value::Map(map)) => Container::Map(map),
            Some(Value::Array(array)) => Container::Array(array),
            Some(other) => {
                let (key, type_name) = (segment.key(), other.type_name());
                return Err(Error::invalid(format!("step {key:?} leads to a {type_name}, which has no fields")));
            }
        };
    }
    Ok(Some(container))
}

/// The value that `segment` leads to, put there first if it is `missing`.
fn slot<'a>(container: Container<'a>, segment: &Segment, missing: Option<Value>) -> Result<Option<&'a mut Value>> {
    match container {
        Container::Map(map) => {
            if let Some(value) = missing
                && !map.contains_key(segment.key())
            {
                map.insert(segment.key(), value);
            }
            Ok(map.get_mut(segment.key()))
        }
        Container::Array(array) => {
            let (index, length) = (index(segment)?, array.len());
            match missing {
                Some(value) if index == length => array.push(value),
                Some(_) if index > length => {
                    return Err(Error::invalid(format!("index {index} is beyond an array of length {length}")));
                }
                _ => {}
            }
            Ok(array.get_mut(index))
        }
    }
}

pub(super) fn index(segment: &Segment) -> Result<usize> {
    let key = segment.key();
    segment.index().ok_or_else(|| Error::invalid(format!("step {key:?} meets an array, which needs an index")))
}

fn is_there(container: &Container<'_>, last: &Segment) -> bool {
    match container {
        Container::Map(map) => map.contains_key(last.key()),
        Container::Array(array) => last.index().is_some_and(|index| index < array.len()),
    }
}

/// Replaces the value at the last step by what `next` makes of it; `None` stands for a missing one.
fn write(container: Container<'_>, last: &Segment, next: impl FnOnce(Option<&Value>) -> Result<Value>) -> Result<bool> {
    let there = is_there(&container, last);
    let Some(place) = slot(container, last, Some(Value::Null))? else {
        return Err(Error::internal("a place that was just made is missing"));
    };
    let value = next(there.then_some(&*place))?;
    let changed = !there || !same(place, &value);
    *place = value;
    Ok(changed)
}

/// Removes the last step's key from a map. An element of an array stays: its removal would shift those behind it under
/// the feet of the update's other paths.
fn take(container: Container<'_>, last: &Segment, what: &str) -> Result<Option<Value>> {
    match container {
        Container::Map(map) => Ok(map.remove(last.key())),
        Container::Array(array) => {
            let index = index(last)?;
            if index >= array.len() {
                return Ok(None);
            }
            Err(Error::invalid(format!("element {index} of an array cannot be {what}")))
        }
    }
}

/// Changes the array at the last step; a missing one counts as empty and is put there if `create` says so.
fn edit(
    container: Container<'_>,
    last: &Segment,
    create: bool,
    change: impl FnOnce(&mut Vec<Value>) -> bool,
) -> Result<bool> {
    let there = is_there(&container, last);
    match slot(container, last, create.then(|| Value::Array(Vec::new())))? {
        None => Ok(false),
        Some(Value::Array(array)) => Ok(change(array) || !there),
        Some(other) => Err(Error::invalid(format!("{} is a {}, not an array", Literal(other), other.type_name()))),
    }
}

/// True if the two read back alike, which is more than being equal: `1` and `1.0`, `1.5` and `1.50`, two orders of
/// the same keys are equal and not the same.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
        (Value::Decimal(left), Value::Decimal(right)) => left == right && left.scale() == right.scale(),
        (Value::Vector(Vector::F32(left)), Value::Vector(Vector::F32(right))) => {
            left.iter().map(|number| number.to_bits()).eq(right.iter().map(|number| number.to_bits()))
        }
        (Value::Vector(Vector::F16(left)), Value::Vector(Vector::F16(right))) => left == right,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            let pairs = || left.iter().zip(right.iter());
            left.len() == right.len() && pairs().all(|((key, left), (name, right))| key == name && same(left, right))
        }
        _ => left.type_name() == right.type_name() && left == right,
    }
}
