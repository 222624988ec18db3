//! Evaluation of filters: naively on decoded documents, and on encoded records.

use super::{Filter, Predicate};
use crate::document::Document;
use crate::error::Result;
use crate::path::Path;
use crate::record::RawDocument;
use crate::traverse;
use crate::value::Value;

/// Reports each value that a path reaches in something decoded.
type Reach<'a> = dyn Fn(&Path, &mut dyn FnMut(&Value)) + 'a;

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

    fn holds(&self, reach: &Reach<'_>) -> bool {
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

    /// True if the encoded `document` matches: as [`matches`](Filter::matches), but only the values that the paths
    /// reach are decoded, and no term is looked at once the answer is known.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the part of the record that was read is damaged.
    pub fn matches_raw(&self, document: &RawDocument<'_>) -> Result<bool> {
        match self {
            Filter::And(terms) => Ok(!any_is(false, terms, document)?),
            Filter::Or(terms) => any_is(true, terms, document),
            Filter::Nor(terms) => Ok(!any_is(true, terms, document)?),
            Filter::Not(term) => Ok(!term.matches_raw(document)?),
            Filter::Field(path, predicate) => term_matches_raw(path, predicate, document),
        }
    }
}

/// Whether one of `terms` gives `answer`; those after it are not evaluated.
fn any_is(answer: bool, terms: &[Filter], document: &RawDocument<'_>) -> Result<bool> {
    for term in terms {
        if term.matches_raw(document)? == answer {
            return Ok(true);
        }
    }
    Ok(false)
}

fn term_matches_raw(path: &Path, predicate: &Predicate, document: &RawDocument<'_>) -> Result<bool> {
    let mut accepted = false;
    document.visit(path, &mut |value| {
        accepted = accepted || predicate.accepts(&value);
        Ok(())
    })?;
    Ok(accepted != predicate.is_negated())
}
