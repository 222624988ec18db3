//! Which fields an expression reads.

use super::Expression;
use crate::filter::Filter;
use crate::path::Path;

impl Expression {
    /// Calls `visit` with each path that the expression reads, those of its filters included.
    pub fn visit_paths<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        match self {
            Expression::DocumentId | Expression::Literal(_) => {}
            Expression::Path(path) => visit(path),
            Expression::Arithmetic(_, left, right) => {
                left.visit_paths(visit);
                right.visit_paths(visit);
            }
            Expression::Concat(parts) | Expression::Coalesce(parts) => {
                parts.iter().for_each(|part| part.visit_paths(visit));
            }
            Expression::IfElse(filter, then, otherwise) => {
                visit_filter_paths(filter, visit);
                then.visit_paths(visit);
                otherwise.visit_paths(visit);
            }
            Expression::Lower(of)
            | Expression::Upper(of)
            | Expression::Size(of)
            | Expression::DatePart(_, of)
            | Expression::TimeBucket(_, of)
            | Expression::Bucket(of, _) => of.visit_paths(visit),
        }
    }
}

/// Calls `visit` with each path that a filter reads.
pub(crate) fn visit_filter_paths<'a>(filter: &'a Filter, visit: &mut dyn FnMut(&'a Path)) {
    match filter {
        Filter::And(terms) | Filter::Or(terms) | Filter::Nor(terms) => {
            terms.iter().for_each(|term| visit_filter_paths(term, visit));
        }
        Filter::Not(term) => visit_filter_paths(term, visit),
        // Paths within an element begin at the element.
        Filter::Field(path, _) => visit(path),
    }
}

impl Filter {
    /// Calls `visit` with each path that the filter reads of a document.
    pub fn visit_paths<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        visit_filter_paths(self, visit);
    }
}
