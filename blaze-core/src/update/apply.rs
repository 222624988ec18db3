//! One change to a document: the way to its place, and what happens there.

use super::{Operator, number};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::path::{Path, Segment};
use crate::value::{Value, Vector};

/// What a step of a path can be taken in.
enum Container<'a> {
    Map(&'a mut Document),
    Array(&'a mut Vec<Value>),
}

/// Makes the change and says whether it made a difference. After an error `document` may be changed in part.
pub(super) fn apply(document: &mut Document, path: &Path, operator: &Operator) -> Result<bool> {
    let create = !matches!(operator, Operator::Unset);
    let Some((last, parents)) = path.segments().split_last() else { return Ok(false) };
    let Some(container) = descend(document, parents, create)? else { return Ok(false) };
    match operator {
        Operator::Set(value) => write(container, last, |_| Ok(value.clone())),
        Operator::Unset => unset(container, last),
        Operator::Inc(step) => write(container, last, |old| old.map_or(Ok(step.clone()), |old| number::add(old, step))),
    }
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

fn index(segment: &Segment) -> Result<usize> {
    let key = segment.key();
    segment.index().ok_or_else(|| Error::invalid(format!("step {key:?} meets an array, which needs an index")))
}

/// Replaces the value at the last step by what `next` makes of it; `None` stands for a missing one.
fn write(container: Container<'_>, last: &Segment, next: impl FnOnce(Option<&Value>) -> Result<Value>) -> Result<bool> {
    let there = match &container {
        Container::Map(map) => map.contains_key(last.key()),
        Container::Array(array) => last.index().is_some_and(|index| index < array.len()),
    };
    let Some(place) = slot(container, last, Some(Value::Null))? else {
        return Err(Error::internal("a place that was just made is missing"));
    };
    let value = next(there.then_some(&*place))?;
    let changed = !there || !same(place, &value);
    *place = value;
    Ok(changed)
}

fn unset(container: Container<'_>, last: &Segment) -> Result<bool> {
    match container {
        Container::Map(map) => Ok(map.remove(last.key()).is_some()),
        // Removal would shift the elements behind it under the feet of the update's other paths.
        Container::Array(_) => {
            let index = index(last)?;
            Err(Error::invalid(format!("element {index} of an array cannot be unset, only set")))
        }
    }
}

/// True if the two read back alike, which is more than being equal: `1` and `1.0`, `1.5` and `1.50`, two orders of
/// the same keys are equal and not the same.
fn same(left: &Value, right: &Value) -> bool {
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
