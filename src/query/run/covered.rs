//! What the entries of an index tell of a document, so that it need not be read.

use blaze_core::key::{self, Order};
use blaze_core::{Document, Error, Filter, Path, Predicate, Result, Value};

use crate::query::plan::IndexScan;

/// Values equal to those of the fields of an index.
fn entry_values(entry: &[u8], fields: &[(Path, Order)]) -> Result<Option<Vec<Option<Value>>>> {
    let mut rest = entry.get(4..).ok_or_else(|| Error::corruption("an entry is shorter than its number"))?;
    let mut values = Vec::with_capacity(fields.len());
    for (_, order) in fields {
        values.push(key::read_value(&mut rest, *order)?);
    }
    Ok(Some(values))
}

/// A filter that the entries of an index answer, as far as equal values are all alike to it.
#[derive(Debug)]
pub(super) struct EntryFilter {
    filter: Filter,
    fields: Vec<(Path, Order)>,
}

impl EntryFilter {
    /// The filter, if the entries of the scan tell all that it asks for.
    pub(super) fn of(filter: &Filter, scan: &IndexScan) -> Option<EntryFilter> {
        let answers =
            *filter != Filter::everything() && !scan.multi_entry && !scan.has_cut && is_told(filter, &scan.fields);
        answers.then(|| EntryFilter { filter: filter.clone(), fields: scan.fields.clone() })
    }

    /// Whether the document of an entry matches; nothing if the entry does not tell.
    pub(super) fn matches(&self, entry: &[u8]) -> Result<Option<bool>> {
        let Some(values) = entry_values(entry, &self.fields)? else { return Ok(None) };
        let mut document = Document::new();
        for ((path, _), value) in self.fields.iter().zip(values) {
            if let (Some(name), Some(value)) = (top_level(path), value) {
                document.insert(name, value);
            }
        }
        Ok(Some(self.filter.matches(&document)))
    }
}

/// The key of a field that is not nested.
pub(crate) fn top_level(path: &Path) -> Option<&str> {
    match path.segments() {
        [only] => Some(only.key()),
        _ => None,
    }
}

/// True if the fields tell all that a filter asks for, and it asks for nothing that tells equal values apart.
fn is_told(filter: &Filter, fields: &[(Path, Order)]) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) | Filter::Nor(parts) => parts.iter().all(|part| is_told(part, fields)),
        Filter::Not(part) => is_told(part, fields),
        // What is nested in a field could be of another type than it was.
        Filter::Field(path, predicate) => {
            !matches!(predicate, Predicate::Type(_) | Predicate::ElemMatch(_))
                && fields.iter().any(|(of, _)| of == path && top_level(of).is_some())
        }
        _ => false,
    }
}
