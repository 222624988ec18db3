//! The columns of CSV: paths into documents.

use std::collections::HashSet;

use blaze_core::limits::{CSV_COLUMNS_MAX, NESTING_MAX};
use blaze_core::{Document, Error, Path, Result, Value};

/// Checks that columns are well-formed, of different names, and that none leads through another.
pub(super) fn check_columns(columns: &[Path]) -> Result<()> {
    let mut names = HashSet::new();
    for (place, column) in columns.iter().enumerate() {
        let number = place + 1;
        column.validate().map_err(|error| error.context(format!("column {number}")))?;
        if column.segments().len() >= NESTING_MAX {
            return Err(Error::limit_exceeded(format!("column {number} nests deeper than {NESTING_MAX} levels")));
        }
        if !names.insert(column.to_string()) {
            return Err(Error::invalid(format!(
                "column {number} has the name {:?} of an earlier one",
                column.to_string()
            )));
        }
    }
    for column in columns {
        if let Some(through) = through(column, &names) {
            let column = column.to_string();
            return Err(Error::invalid(format!("the column {column:?} leads through the column {through:?}")));
        }
    }
    Ok(())
}

/// The column among `names` that a column leads through.
fn through(column: &Path, names: &HashSet<String>) -> Option<String> {
    let keys: Vec<&str> = column.segments().iter().map(|segment| segment.key()).collect();
    (1..keys.len()).map(|length| keys[..length].join(".")).find(|shorter| names.contains(shorter))
}

/// The columns that documents need, in the order in which they appear: a map is its fields, unless it is empty or a key in
/// it has a dot or is empty.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    known: HashSet<String>,
}

impl Columns {
    pub(super) fn observe(&mut self, document: &Document) -> Result<()> {
        for (key, value) in document.iter() {
            if !is_step(key) {
                return Err(Error::invalid(format!("the key {key:?} makes no column: choose the columns")));
            }
            self.observe_value(key, value)?;
        }
        Ok(())
    }

    fn observe_value(&mut self, path: &str, value: &Value) -> Result<()> {
        match value {
            Value::Map(map) if !map.is_empty() && map.keys().all(is_step) => {
                map.iter().try_for_each(|(key, value)| self.observe_value(&format!("{path}.{key}"), value))
            }
            _ if self.known.contains(path) => Ok(()),
            _ if self.names.len() >= CSV_COLUMNS_MAX => Err(Error::limit_exceeded(format!(
                "the documents need more than {CSV_COLUMNS_MAX} columns, the limit: choose the columns"
            ))),
            _ => {
                self.known.insert(path.to_owned());
                self.names.push(path.to_owned());
                Ok(())
            }
        }
    }

    /// Without those that lead through others, whose cells hold all of a map.
    pub(super) fn into_names(self) -> Vec<String> {
        let Columns { mut names, known } = self;
        names.retain(|name| through(&Path::from(name.as_str()), &known).is_none());
        names
    }
}

fn is_step(key: &str) -> bool {
    !key.is_empty() && !key.contains('.')
}
