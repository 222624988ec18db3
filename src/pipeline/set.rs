//! Stages: set adds fields, unset takes them away.

use blaze_core::{Error, Expression, Path, Result};

use super::place;
use super::row::{Flow, Next, Operator, Row};

pub(super) struct SetFields(pub(super) Vec<(Path, Expression)>);

pub(super) struct UnsetFields(pub(super) Vec<Path>);

impl Operator for SetFields {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        // All are computed of the row as it came.
        let mut values = Vec::with_capacity(self.0.len());
        for (path, expression) in &self.0 {
            let value = expression.evaluate_in(row.input()).map_err(|error| error.context(format!("set {path}")))?;
            values.push(value.map(std::borrow::Cow::into_owned));
        }
        let (id, mut document) = row.into_parts()?;
        for ((path, _), value) in self.0.iter().zip(values) {
            match value {
                Some(value) => place::put(&mut document, path, value).map_err(|error| error.context("set"))?,
                None => place::remove(&mut document, path.segments()),
            }
        }
        next.push(Row::Made { id, document })
    }
}

impl Operator for UnsetFields {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let (id, mut document) = row.into_parts()?;
        self.0.iter().for_each(|path| place::remove(&mut document, path.segments()));
        next.push(Row::Made { id, document })
    }
}

pub(super) fn validate(fields: &[(Path, Expression)]) -> Result<()> {
    if fields.is_empty() {
        return Err(Error::invalid("there is no field, at least 1 is needed"));
    }
    for (path, expression) in fields {
        path.validate()?;
        expression.validate().map_err(|error| error.context(path))?;
    }
    validate_apart(fields.iter().map(|(path, _)| path))
}

pub(super) fn validate_unset(paths: &[Path]) -> Result<()> {
    if paths.is_empty() {
        return Err(Error::invalid("there is no path, at least 1 is needed"));
    }
    paths.iter().try_for_each(Path::validate)?;
    validate_apart(paths)
}

/// Refuses paths of which one lies within another.
pub(super) fn validate_apart<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let mut paths: Vec<&Path> = paths.into_iter().collect();
    paths.sort_unstable();
    match paths.windows(2).find(|pair| pair[1].segments().starts_with(pair[0].segments())) {
        Some(pair) => Err(Error::invalid(format!("two of its paths overlap: {} and {}", pair[0], pair[1]))),
        None => Ok(()),
    }
}
