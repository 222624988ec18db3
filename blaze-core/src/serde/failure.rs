//! An error together with the field in which it happened.

use std::fmt;

use ::serde::{de, ser};

use crate::error::Error;
use crate::limits::NESTING_MAX;

/// An error on its way out of nested fields, which it collects.
#[derive(Debug)]
pub(crate) struct Failure(Box<Inner>); // one word, so that results stay small: there is one for each value

#[derive(Debug)]
struct Inner {
    error: Error,
    /// Innermost first.
    path: Vec<String>,
}

impl Failure {
    pub(crate) fn too_deep() -> Failure {
        Error::limit_exceeded(format!("value nests deeper than the limit of {NESTING_MAX} levels")).into()
    }

    /// The failure seen from outside of the field or element `step`.
    #[cold]
    pub(crate) fn within(mut self, step: impl ToString) -> Failure {
        self.0.path.push(step.to_string());
        self
    }

    pub(crate) fn into_error(self) -> Error {
        let Inner { error, path } = *self.0;
        if path.is_empty() {
            return error;
        }
        let steps: Vec<String> = path.into_iter().rev().collect();
        error.context(format_args!("in field `{}`", steps.join(".")))
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Failure {
        Failure(Box::new(Inner { error, path: Vec::new() }))
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
        fmt::Display::fmt(&self.0.error, f)
    }
}

impl std::error::Error for Failure {}
