//! Expressions as text for people.

use std::fmt;

use super::{Expression, Operation};
use crate::filter::Literal;

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::DocumentId => f.write_str("document_id"),
            Expression::Path(path) => write!(f, "{path}"),
            Expression::Literal(value) => write!(f, "{}", Literal(value)),
            Expression::Arithmetic(operation, left, right) => write!(f, "({left} {operation} {right})"),
            Expression::Concat(parts) => call(f, "concat", parts),
            Expression::Coalesce(parts) => call(f, "coalesce", parts),
            Expression::Lower(of) => write!(f, "lower({of})"),
            Expression::Upper(of) => write!(f, "upper({of})"),
            Expression::Size(of) => write!(f, "size({of})"),
            Expression::IfElse(filter, then, otherwise) => write!(f, "if_else({filter}, {then}, {otherwise})"),
            Expression::DatePart(part, of) => write!(f, "{}({of})", part.name()),
            Expression::TimeBucket(unit, of) => write!(f, "time_bucket({of}, {})", unit.name()),
            Expression::Bucket(of, boundaries) => write!(f, "bucket({of}, {} boundaries)", boundaries.len()),
        }
    }
}

fn call(f: &mut fmt::Formatter<'_>, name: &str, parts: &[Expression]) -> fmt::Result {
    let parts: Vec<_> = parts.iter().map(ToString::to_string).collect();
    write!(f, "{name}({})", parts.join(", "))
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Add => "+",
            Operation::Subtract => "-",
            Operation::Multiply => "*",
            Operation::Divide => "/",
        })
    }
}
