//! Sort keys.

use blaze_core::key::{self, Order};
use blaze_core::record::RawDocument;
use blaze_core::{Collation, DocumentId, Path, Result, Value};

use crate::index::write_id;

/// One key of a sort, made by [`asc`] or [`desc`].
#[derive(Clone, Debug)]
pub struct Sort {
    pub(crate) path: Path,
    pub(crate) order: Order,
    pub(crate) collation: Collation,
}

/// The keys of a sort: one [`Sort`], or an array or vector of them.
#[derive(Clone, Debug)]
pub struct SortKeys(pub(crate) Vec<Sort>);

/// Sorts by a field, the smallest first.
pub fn asc(path: impl Into<Path>) -> Sort {
    Sort { path: path.into(), order: Order::Ascending, collation: Collation::new() }
}

/// Sorts by a field, the largest first.
pub fn desc(path: impl Into<Path>) -> Sort {
    Sort { path: path.into(), order: Order::Descending, collation: Collation::new() }
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
    /// Has strings be ordered by a collation: without regard to case, say, or with the numbers in them as numbers.
    ///
    /// It applies to this key and to nothing else: filters compare strings as ever. Strings that it makes equal are as equal
    /// as any, and the next key orders them. Indexes have strings in bytewise order, so that none is read in the order of
    /// this key, and documents are sorted in memory.
    ///
    /// ```
    /// use blaze::{Collation, Database, Document, asc};
    ///
    /// let db = Database::temporary()?;
    /// let files = db.collection::<Document>("files")?;
    /// files.insert_many(["b10", "B9", "a"].map(|name| Document::new().with("name", name)))?;
    /// let natural = Collation::new().ignore_case().numeric();
    /// let found = files.find_all().sort(asc("name").collation(natural)).run()?;
    /// let names: Vec<_> = found.iter().map(|file| file.get("name").unwrap().as_str().unwrap()).collect();
    /// assert_eq!(names, ["a", "B9", "b10"]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[must_use]
    pub fn collation(mut self, collation: Collation) -> Sort {
        self.collation = collation;
        self
    }

    /// True if strings are ordered bytewise, as indexes have them.
    pub(crate) fn is_bytewise(&self) -> bool {
        self.collation == Collation::new()
    }

    /// Appends the encoding of a value, in the order of the key.
    pub(crate) fn write_value(&self, bytes: &mut Vec<u8>, value: &Value) {
        key::write_value(bytes, &self.collation.key_of(value), self.order);
    }

    pub(crate) fn validate(&self) -> Result<()> {
        self.path.validate().map_err(|error| error.context("in sort"))
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path)?;
        if !self.is_bytewise() {
            let options = [
                ("ignore_case", self.collation.ignores_case()),
                ("ignore_accents", self.collation.ignores_accents()),
                ("numeric", self.collation.is_numeric()),
            ];
            let set: Vec<&str> = options.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
            write!(f, " ({})", set.join(", "))?;
        }
        match self.order {
            Order::Ascending => Ok(()),
            Order::Descending => f.write_str(" desc"),
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
        sort.write_value(&mut encoding, &value);
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
