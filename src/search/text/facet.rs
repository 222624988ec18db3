//! How many of the documents that match have each value of a field.

use std::collections::HashMap;

use blaze_core::key::{self, Order};
use blaze_core::limits::{DISTINCT_BYTES_MAX, SEARCH_LIMIT_MAX};
use blaze_core::record::RawDocument;
use blaze_core::{Error, Path, Result, Value};

use super::TextSearch;
use crate::search::admission::group_keys;

/// Bytes that a value takes beside its encoding.
const VALUE_BYTES: usize = 3 * size_of::<usize>() + size_of::<u64>();

/// The values of a field, and how many documents have each.
#[derive(Debug, Default)]
struct Values {
    /// By their encodings.
    documents: HashMap<Vec<u8>, u64>,
    bytes: usize,
}

impl<T> TextSearch<T> {
    /// Of all documents that match the text and the filter, how many have each value of a field: the most frequent values
    /// first, equally frequent ones in their order, at most `limit`.
    ///
    /// An array counts as its elements, each once for a document; missing and null count as nothing. Limit and offset of the search
    /// do not matter; of a hybrid search, those documents count that match the text. Takes time linear in the documents that match, all of
    /// which are read.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Value};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["plot"]))?;
    /// for (plot, genres) in [("space", "drama"), ("deep space", "comedy"), ("space station", "drama"), ("sea", "drama")] {
    ///     films.insert(&Document::new().with("plot", plot).with("genre", genres))?;
    /// }
    /// let genres = films.search().text("space").facet("genre", 10)?;
    /// assert_eq!(genres, [(Value::from("drama"), 2), (Value::from("comedy"), 1)]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the path is not well-formed, or the limit is not from 1 to
    /// [`SEARCH_LIMIT_MAX`]; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the values take more than
    /// [`DISTINCT_BYTES_MAX`]; else as [`count`](TextSearch::count).
    pub fn facet(&self, path: impl Into<Path>, limit: usize) -> Result<Vec<(Value, u64)>> {
        let path = path.into();
        path.validate().map_err(|error| error.context("in a facet"))?;
        if !(1..=SEARCH_LIMIT_MAX).contains(&limit) {
            return Err(Error::invalid(format!("a facet of {limit} values, 1 to {SEARCH_LIMIT_MAX} are possible")));
        }
        self.read(false, |running| {
            let mut values = Values::default();
            self.matches(running, Some(&mut |record| values.count(record, &path)))?;
            values.into_most(limit)
        })
    }
}

impl Values {
    fn count(&mut self, record: &RawDocument<'_>, path: &Path) -> Result<()> {
        for value in group_keys(record, path)? {
            let mut encoding = Vec::new();
            key::write_value(&mut encoding, &value, Order::Ascending);
            if let Some(documents) = self.documents.get_mut(&encoding) {
                *documents += 1;
                continue;
            }
            self.bytes += encoding.len() + VALUE_BYTES;
            if self.bytes > DISTINCT_BYTES_MAX {
                let bytes = self.bytes;
                return Err(Error::limit_exceeded(format!(
                    "the values of {path} take {bytes} bytes, the limit is {DISTINCT_BYTES_MAX}: narrow the search"
                )));
            }
            self.documents.insert(encoding, 1);
        }
        Ok(())
    }

    fn into_most(self, limit: usize) -> Result<Vec<(Value, u64)>> {
        let mut most: Vec<_> = self.documents.into_iter().collect();
        most.sort_unstable_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
        most.truncate(limit);
        let read = |(encoding, documents): (Vec<u8>, u64)| {
            let value = key::read_value(&mut encoding.as_slice(), Order::Ascending)?;
            let value = value.ok_or_else(|| Error::corruption("a value is read back as a missing one"))?;
            Ok((value, documents))
        };
        most.into_iter().map(read).collect()
    }
}
