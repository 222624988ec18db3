//! Operators: what a change does at its path.

use super::{Push, number};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::NESTING_MAX;
use crate::nesting::nests_within;
use crate::path::Path;
use crate::value::Value;

/// What an [`Update`](super::Update) does at a path. The [module](super) says how it meets what is there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operator {
    /// Puts the value there.
    Set(Value),
    /// Puts the value there where the document is being inserted.
    SetOnInsert(Value),
    /// Puts the time of the update there.
    SetNow,
    /// Removes the field.
    Unset,
    /// Moves what is there to the path.
    Rename(Path),
    /// Adds the number to the one that is there; a missing one counts as 0.
    Inc(Value),
    /// Multiplies the number that is there by this one; a missing one counts as 0.
    Mul(Value),
    /// Puts the value there if it is below what is there.
    Min(Value),
    /// Puts the value there if it is above what is there.
    Max(Value),
    /// Puts values into the array.
    Push(Push),
    /// Appends to the array those of the values that it lacks.
    AddToSet(Vec<Value>),
    /// Removes the first element of the array.
    PopFirst,
    /// Removes the last element of the array.
    PopLast,
    /// Removes the elements that are equal to the value.
    Pull(Value),
    /// Removes the elements that match the filter.
    PullWhere(Filter),
}

impl Operator {
    /// The name of the operator.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Operator::Set(_) => "set",
            Operator::SetOnInsert(_) => "set_on_insert",
            Operator::SetNow => "set_now",
            Operator::Unset => "unset",
            Operator::Rename(_) => "rename",
            Operator::Inc(_) => "inc",
            Operator::Mul(_) => "mul",
            Operator::Min(_) => "min",
            Operator::Max(_) => "max",
            Operator::Push(_) => "push",
            Operator::AddToSet(_) => "add_to_set",
            Operator::PopFirst => "pop_first",
            Operator::PopLast => "pop_last",
            Operator::Pull(_) => "pull",
            Operator::PullWhere(_) => "pull_where",
        }
    }

    /// True if the operator puts something where nothing is; the others then have nothing to do.
    pub(super) fn creates(&self) -> bool {
        !matches!(
            self,
            Operator::Unset
                | Operator::Rename(_)
                | Operator::PopFirst
                | Operator::PopLast
                | Operator::Pull(_)
                | Operator::PullWhere(_)
        )
    }

    /// Checks the operands of a change at the end of so many steps.
    pub(super) fn validate(&self, steps: usize) -> Result<()> {
        let fits = |value: &Value, levels: usize| match nests_within(value, NESTING_MAX.saturating_sub(levels)) {
            true => Ok(()),
            false => Err(super::too_deep()),
        };
        match self {
            Operator::Set(value) | Operator::SetOnInsert(value) | Operator::Min(value) | Operator::Max(value) => {
                fits(value, steps)
            }
            Operator::Push(push) => within_array(steps, push.values(), fits),
            Operator::AddToSet(values) => within_array(steps, values, fits),
            Operator::Inc(number) | Operator::Mul(number) => number::check(number),
            Operator::Pull(value) => fits(value, 0),
            Operator::PullWhere(filter) => filter.validate_on_elements(),
            Operator::Rename(to) => to.validate().map_err(|error| error.context("new name")),
            Operator::SetNow | Operator::Unset | Operator::PopFirst | Operator::PopLast => Ok(()),
        }
    }
}

fn within_array(steps: usize, values: &[Value], fits: impl Fn(&Value, usize) -> Result<()>) -> Result<()> {
    if steps >= NESTING_MAX {
        return Err(super::too_deep());
    }
    values.iter().try_for_each(|value| fits(value, steps + 1))
}

/// Refuses a name of an array filter that cannot stand in `$[name]`.
pub(super) fn validate_name(name: &str) -> Result<()> {
    let letter = |byte: u8| byte == b'_' || byte.is_ascii_alphabetic();
    let starts_well = name.bytes().next().is_some_and(letter);
    if starts_well && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Error::invalid(format!("array filter name {name:?} is not made of letters, digits and _, a letter first")))
}
