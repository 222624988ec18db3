//! Questions in SQL.

use blaze_bench::Result;
use blaze_bench::engine::{Condition, Find, Operator};
use rusqlite::types::Value;
use serde_json::Value as Json;

/// A statement with its parameters, numbered in order.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

/// How the columns of a document are read: the body becomes text.
pub(super) const DOCUMENT: &str = "id, json(body)";

impl Statement {
    /// Selects the documents that `find` asks for. `indexed` says on which paths elements of arrays are indexed.
    pub(super) fn select(find: &Find, indexed: impl Fn(&str) -> bool) -> Result<Statement> {
        let mut statement = Statement { sql: format!("SELECT {DOCUMENT} FROM documents"), parameters: Vec::new() };
        statement.add_conditions(&find.conditions, indexed)?;
        if let Some(sort) = &find.sort {
            let order = if sort.descending { " DESC" } else { "" };
            statement.sql += &format!(" ORDER BY {}{order}", extracted(&sort.path)?);
        }
        if find.limit.is_some() || find.skip > 0 {
            let limit = find.limit.map_or(Ok(-1), i64::try_from)?;
            statement.sql += " LIMIT ? OFFSET ?";
            statement.parameters.extend([Value::Integer(limit), Value::Integer(i64::try_from(find.skip)?)]);
        }
        Ok(statement)
    }

    /// Counts the documents that match. One condition on elements that are indexed needs no documents for that.
    pub(super) fn count(find: &Find, indexed: impl Fn(&str) -> bool) -> Result<Statement> {
        if let [Condition { path, is: Operator::Contains, value, .. }] = find.conditions.as_slice()
            && indexed(path)
        {
            let sql = format!("SELECT count(*) FROM {} WHERE value = ?", elements(path)?);
            return Ok(Statement { sql, parameters: vec![parameter(value)?] });
        }
        let mut statement = Statement { sql: "SELECT count(*) FROM documents".to_owned(), parameters: Vec::new() };
        statement.add_conditions(&find.conditions, indexed)?;
        Ok(statement)
    }

    fn add_conditions(&mut self, conditions: &[Condition], indexed: impl Fn(&str) -> bool) -> Result<()> {
        for (position, condition) in conditions.iter().enumerate() {
            self.sql += if position == 0 { " WHERE " } else { " AND " };
            let Condition { path, is, value, mixed } = condition;
            self.parameters.push(parameter(value)?);
            let (target, literal) = (extracted(path)?, json_path(path)?);
            self.sql += &match is {
                Operator::Eq => format!("{target} = ?"),
                Operator::Lt => format!("{target} < ?"),
                Operator::Le => format!("{target} <= ?"),
                Operator::Gt => format!("{target} > ?"),
                Operator::Ge => format!("{target} >= ?"),
                Operator::Contains if indexed(path) => {
                    format!("number IN (SELECT document FROM {} WHERE value = ?)", elements(path)?)
                }
                Operator::Contains => {
                    let types = types(value);
                    format!(
                        "EXISTS (SELECT 1 FROM json_each(body, {literal}) \
                         WHERE value = ? AND type IN ({types}) AND typeof(key) = 'integer')"
                    )
                }
            };
            if let Some(bound) = type_bound(condition, conditions) {
                self.sql += &format!(" AND {target} {bound}");
            }
            if *mixed && *is != Operator::Contains {
                self.sql += &format!(" AND json_type(body, {literal}) IN ({})", types(value));
            }
        }
        Ok(())
    }
}

/// Every string comes after every number. Where a condition is open towards the other type, and no other condition
/// closes it, this does; an index can use it.
fn type_bound(condition: &Condition, all: &[Condition]) -> Option<&'static str> {
    let (open, closing, bound) = match condition.value {
        Json::String(_) => ([Operator::Lt, Operator::Le], [Operator::Gt, Operator::Ge], ">= ''"),
        _ => ([Operator::Gt, Operator::Ge], [Operator::Lt, Operator::Le], "< ''"),
    };
    let closes = |other: &Condition| {
        let same = other.path == condition.path && other.value.is_string() == condition.value.is_string();
        same && (closing.contains(&other.is) || other.is == Operator::Eq)
    };
    (open.contains(&condition.is) && !all.iter().any(closes)).then_some(bound)
}

/// The names of the JSON types that a value can equal.
fn types(value: &Json) -> &'static str {
    if value.is_string() { "'text'" } else { "'integer', 'real'" }
}

/// The value at a path, written in the same way in indexes and questions: only then do they meet.
pub(in crate::engine) fn extracted(path: &str) -> Result<String> {
    Ok(format!("json_extract(body, {})", json_path(path)?))
}

/// A path as a literal of SQL: `a.b c.0` becomes `'$."a"."b c"[0]'`.
pub(super) fn json_path(path: &str) -> Result<String> {
    let mut text = "$".to_owned();
    for step in checked(path)?.split('.') {
        let is_number = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
        text += &if is_number { format!("[{step}]") } else { format!(".\"{}\"", step.replace('\'', "''")) };
    }
    Ok(format!("'{text}'"))
}

/// The name of the table of the elements of arrays at a path.
pub(super) fn elements(path: &str) -> Result<String> {
    Ok(format!("\"{ELEMENTS}{}\"", checked(path)?))
}

/// How the names of those tables begin.
pub(super) const ELEMENTS: &str = "elements:";

fn checked(path: &str) -> Result<&str> {
    match path.contains(['"', '\\']) {
        true => Err(format!("SQLite has no path for {path:?}").into()),
        false => Ok(path),
    }
}

fn parameter(value: &Json) -> Result<Value> {
    match value {
        Json::String(string) => Ok(Value::Text(string.clone())),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(Value::Integer(integer)),
            (None, Some(float)) => Ok(Value::Real(float)),
            (None, None) => Err(format!("SQLite has no number {number}").into()),
        },
        _ => Err(format!("{value} is neither a number nor a string").into()),
    }
}
