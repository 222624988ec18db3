//! An error together with the field in which it happened.

use std::fmt;

use ::serde::{de, ser};

use crate::error::Error;
use crate::limits::NESTING_MAX;

/// An error on its way out of nested fields, which it collects.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    /// Innermost first.
    path: Vec<String>,
}

impl Failure {
    pub(crate) fn too_deep() -> Failure {
        Error::limit_exceeded(format!("value nests deeper than the limit of {NESTING_MAX} levels")).into()
    }

    /// The failure seen from outside of the field or element `step`.
    pub(crate) fn within(mut self, step: impl ToString) -> Failure {
        self.path.push(step.to_string());
        self
    }

    pub(crate) fn into_error(self) -> Error {
        if self.path.is_empty() {
            return self.error;
        }
        let steps: Vec<String> = self.path.into_iter().rev().collect();
        self.error.context(format_args!("in field `{}`", steps.join(".")))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, path: Vec::new() }
    }
}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Failure {
        Error::invalid(message.to_string()).into()
    }
}

impl ser::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Failure {
        Error::invalid(message.to_string()).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for Failure {}
