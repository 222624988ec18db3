//! Updates: changes to single fields of a document.

mod apply;
pub(crate) mod number;

#[cfg(test)]
mod tests;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::limits::NESTING_MAX;
use crate::nesting::nests_within;
use crate::path::Path;
use crate::value::Value;

/// A list of changes that are made together or not at all.
///
/// Unlike in filters, a path names exactly one place: nothing fans out.
///
/// | the path meets | rule |
/// |---|---|
/// | a missing field on its way | `set` and `inc` create a map there, whatever the next step; `unset` has nothing to do |
/// | an array | the step must be a number: an element, or at the array's length a new one behind it |
/// | a number above the array's length | an error for `set` and `inc`; `unset` has nothing to do |
/// | anything else on its way, null included | an error |
///
/// ```
/// use blaze_core::{Document, Value, inc, set, unset};
///
/// let mut film = Document::new().with("title", "Solaris").with("draft", true);
/// let changed = set("director.name", "Tarkovsky").inc("views", 1).and(unset("draft")).apply(&mut film)?;
/// assert!(changed);
/// assert_eq!(film.get("views"), Some(&Value::Int(1)));
/// assert_eq!(film.keys().collect::<Vec<_>>(), ["title", "director", "views"]);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    changes: Vec<(Path, Operator)>,
}

/// What an [`Update`] does at a path.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operator {
    /// Puts the value there.
    Set(Value),
    /// Removes the field.
    Unset,
    /// Adds the number to the one that is there; a missing one counts as 0.
    Inc(Value),
}

impl Operator {
    /// The name of the operator.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Operator::Set(_) => "set",
            Operator::Unset => "unset",
            Operator::Inc(_) => "inc",
        }
    }
}

/// Puts `value` at `path`.
#[must_use]
pub fn set(path: impl Into<Path>, value: impl Into<Value>) -> Update {
    Update::default().set(path, value)
}

/// Removes the field at `path`, if it is there. An element of an array cannot be removed so.
#[must_use]
pub fn unset(path: impl Into<Path>) -> Update {
    Update::default().unset(path)
}

/// Adds `number` to the number at `path`, to 0 if it is missing.
///
/// Integers stay integers over the ranges of `i64` and `u64` together, and decimals stay exact at the larger of the two
/// scales; a sum outside is an error. With a float the sum is a float, but floats and decimals do not mix.
#[must_use]
pub fn inc(path: impl Into<Path>, number: impl Into<Value>) -> Update {
    Update::default().inc(path, number)
}

impl Update {
    /// Also puts `value` at `path`.
    #[must_use]
    pub fn set(self, path: impl Into<Path>, value: impl Into<Value>) -> Update {
        self.change(path.into(), Operator::Set(value.into()))
    }

    /// Also removes the field at `path`.
    #[must_use]
    pub fn unset(self, path: impl Into<Path>) -> Update {
        self.change(path.into(), Operator::Unset)
    }

    /// Also adds `number` to the number at `path`, see [`inc`].
    #[must_use]
    pub fn inc(self, path: impl Into<Path>, number: impl Into<Value>) -> Update {
        self.change(path.into(), Operator::Inc(number.into()))
    }

    /// Also makes the changes of `other`.
    #[must_use]
    pub fn and(mut self, other: Update) -> Update {
        self.changes.extend(other.changes);
        self
    }

    /// The changes in order.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (&Path, &Operator)> {
        self.changes.iter().map(|(path, operator)| (path, operator))
    }

    /// Checks what can be checked without a document: paths and operands, that no two changes overlap, and that no
    /// value would be nested too deep.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        for (path, operator) in &self.changes {
            validate_change(path, operator).map_err(|error| error.context(format!("{} {path}", operator.name())))?;
        }
        let mut paths: Vec<&Path> = self.changes.iter().map(|(path, _)| path).collect();
        paths.sort_unstable();
        // A path that another one begins with stands right before the first of those that begin with it.
        for pair in paths.windows(2) {
            if pair[1].segments().starts_with(pair[0].segments()) {
                return Err(Error::invalid(format!("two changes overlap in one update: {} and {}", pair[0], pair[1])));
            }
        }
        Ok(())
    }

    /// Changes `document` and says whether that made a difference, be it only in the type of a number.
    ///
    /// After an error the document is as it was. Takes time linear in the document.
    ///
    /// # Errors
    /// As [`validate`](Update::validate), and [`Invalid`](crate::ErrorKind::Invalid) where a path or a number does not
    /// fit the document.
    pub fn apply(&self, document: &mut Document) -> Result<bool> {
        self.validate()?;
        let mut next = document.clone();
        let mut changed = false;
        for (path, operator) in &self.changes {
            let done = apply::apply(&mut next, path, operator);
            changed |= done.map_err(|error| error.context(format!("{} {path}", operator.name())))?;
        }
        *document = next;
        Ok(changed)
    }

    fn change(mut self, path: Path, operator: Operator) -> Update {
        self.changes.push((path, operator));
        self
    }
}

fn validate_change(path: &Path, operator: &Operator) -> Result<()> {
    path.validate()?;
    match operator {
        Operator::Set(value) if !nests_within(value, NESTING_MAX - path.segments().len()) => {
            Err(Error::limit_exceeded(format!("value nests the document deeper than {NESTING_MAX} levels")))
        }
        Operator::Inc(number) => number::check(number),
        Operator::Set(_) | Operator::Unset => Ok(()),
    }
}
