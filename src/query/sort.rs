//! Sort keys.

use blaze_core::key::{self, Order};
use blaze_core::record::RawDocument;
use blaze_core::{DocumentId, Path, Result};

use crate::index::write_id;

/// One key of a sort, made by [`asc`] or [`desc`].
#[derive(Clone, Debug)]
pub struct Sort {
    pub(crate) path: Path,
    pub(crate) order: Order,
}

/// The keys of a sort: one [`Sort`], or an array or vector of them.
#[derive(Clone, Debug)]
pub struct SortKeys(pub(crate) Vec<Sort>);

/// Sorts by a field, the smallest first.
pub fn asc(path: impl Into<Path>) -> Sort {
    Sort { path: path.into(), order: Order::Ascending }
}

/// Sorts by a field, the largest first.
pub fn desc(path: impl Into<Path>) -> Sort {
    Sort { path: path.into(), order: Order::Descending }
}

impl From<Sort> for SortKeys {
    fn from(sort: Sort) -> SortKeys {
        SortKeys(vec![sort])
    }
}

impl<const N: usize> From<[Sort; N]> for SortKeys {
    fn from(sorts: [Sort; N]) -> SortKeys {
        SortKeys(sorts.into())
    }
}

impl From<Vec<Sort>> for SortKeys {
    fn from(sorts: Vec<Sort>) -> SortKeys {
        SortKeys(sorts)
    }
}

impl Sort {
    pub(crate) fn validate(&self) -> Result<()> {
        self.path.validate().map_err(|error| error.context("in sort"))
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.order {
            Order::Ascending => write!(f, "{}", self.path),
            Order::Descending => write!(f, "{} desc", self.path),
        }
    }
}

/// Bytes that order the documents of an answer: as the entries of an index on the keys of the sort would, or without a
/// sort by id.
pub(crate) fn order_key(sorts: &[Sort], id: &DocumentId, document: &RawDocument<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if sorts.is_empty() {
        id.write_key(&mut bytes);
        return Ok(bytes);
    }
    for sort in sorts {
        write_sort_key(&mut bytes, sort, document)?;
    }
    write_id(&mut bytes, id, sorts.last().map_or(Order::Ascending, |sort| sort.order));
    Ok(bytes)
}

/// Appends what orders a document by one key.
fn write_sort_key(bytes: &mut Vec<u8>, sort: &Sort, document: &RawDocument<'_>) -> Result<()> {
    // Descending encodings are inverted, so the smallest bytes are the first value either way.
    let mut first: Option<Vec<u8>> = None;
    document.visit(&sort.path, &mut |value| {
        let mut encoding = Vec::new();
        key::write_value(&mut encoding, &value, sort.order);
        if first.as_ref().is_none_or(|first| encoding < *first) {
            first = Some(encoding);
        }
        Ok(())
    })?;
    match first {
        Some(encoding) => bytes.extend_from_slice(&encoding),
        None => key::write_missing(bytes, sort.order),
    }
    Ok(())
}
