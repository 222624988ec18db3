//! Evaluation of filters on decoded documents: the naive one, by which every other one is judged.

use super::Filter;
use crate::document::Document;
use crate::path::Path;
use crate::traverse;
use crate::value::Value;

/// Reports each value that a path reaches in something decoded.
pub(crate) type Reach<'a> = dyn Fn(&Path, &mut dyn FnMut(&Value)) + 'a;

impl Filter {
    /// True if `document` matches. This is the naive evaluator, by which every other one is judged.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        self.holds(&|path, report| traverse::visit(document, path, &mut |value| report(value)))
    }

    /// True if an element of an array matches: the empty path is the element, the others go on in it if it is a map.
    pub(crate) fn matches_element(&self, element: &Value) -> bool {
        self.holds(&|path, report| match element {
            _ if path.segments().is_empty() => report(element),
            Value::Map(map) => traverse::visit(map, path, &mut |value| report(value)),
            _ => {}
        })
    }

    pub(crate) fn holds(&self, reach: &Reach<'_>) -> bool {
        match self {
            Filter::And(terms) => terms.iter().all(|term| term.holds(reach)),
            Filter::Or(terms) => terms.iter().any(|term| term.holds(reach)),
            Filter::Nor(terms) => !terms.iter().any(|term| term.holds(reach)),
            Filter::Not(term) => !term.holds(reach),
            Filter::Field(path, predicate) => {
                let mut accepted = false;
                reach(path, &mut |value| accepted = accepted || predicate.accepts(value));
                accepted != predicate.is_negated()
            }
        }
    }
}
