//! Stage: bucket_auto, buckets with about as many rows each.

use std::fmt;

use blaze_core::expression::Input;
use blaze_core::key::{self, Order};
use blaze_core::{Document, DocumentId, Error, Expression, Result};

use super::group::{self, Account, Aggregate, Group, GroupKeys};
use super::memory::document_bytes;
use super::needs::Reads;
use super::row::{Flow, Next, Operator, Row};
use super::stage::validate_distinct;

/// The names of the ends of a bucket.
const ENDS: [&str; 2] = ["min", "max"];

/// The stage, with its names settled.
#[derive(Clone, Debug)]
pub(super) struct BucketAuto {
    of: Expression,
    buckets: usize,
    /// Without keys.
    results: Group,
}

impl BucketAuto {
    pub(super) fn new(of: Expression, buckets: usize, aggregates: impl IntoIterator<Item = Aggregate>) -> BucketAuto {
        BucketAuto { of, buckets, results: Group::new(GroupKeys(Vec::new()), aggregates) }
    }

    pub(super) fn validate(&self) -> Result<()> {
        self.of.validate()?;
        if self.buckets == 0 {
            return Err(Error::invalid("there are 0 buckets, at least 1 is needed"));
        }
        if self.results.result_names().next().is_some() {
            group::validate(&self.results)?;
        }
        validate_distinct(ENDS.into_iter().chain(self.results.result_names()))
    }

    pub(super) fn read(&self, reads: &mut Reads) {
        self.of.visit_paths(&mut |path| reads.path(path));
        self.results.read(reads);
    }

    pub(super) fn operator(&self, label: String) -> BucketRows {
        BucketRows { label, stage: self.clone(), rows: Vec::new(), held: 0 }
    }
}

impl fmt::Display for BucketAuto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} into {} ({})", self.of, self.buckets, self.results.results_in_words())
    }
}

/// The running stage. It holds all rows: where a bucket ends is known when the last one has come.
pub(super) struct BucketRows {
    label: String,
    stage: BucketAuto,
    rows: Vec<Held>,
    held: usize,
}

/// A row that waits for its bucket.
struct Held {
    /// The encoded value that decides.
    key: Vec<u8>,
    id: Option<DocumentId>,
    document: Document,
}

impl BucketRows {
    /// The document of the bucket of these rows.
    fn document(&mut self, rows: &[Held], next: &mut Next<'_>) -> Result<Document> {
        let mut document = Document::new();
        let ends = [rows.first(), rows.last()];
        for (name, row) in ENDS.into_iter().zip(ends) {
            let Some(row) = row else { continue };
            if let Some(value) = key::read_value(&mut row.key.as_slice(), Order::Ascending)? {
                document.insert(name, value);
            }
        }
        let (results, mut states) = (&self.stage.results, self.stage.results.begin());
        let memory = &mut next.context.memory;
        let mut held = 0; // by what this bucket gathers, until it is finished
        let mut account = Account { label: &self.label, held: &mut held, memory };
        for row in rows {
            let input = Input::document(&row.document);
            let input = row.id.as_ref().map_or(input, |id| input.with_id(id));
            results.accumulate(input, &mut states, &mut account)?;
        }
        results.finish_into(&mut document, states)?;
        next.context.memory.release(held);
        Ok(document)
    }
}

impl Operator for BucketRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let mut key = Vec::new();
        self.stage.of.write_key(row.input(), &mut key)?;
        let (id, document) = row.into_parts()?;
        let bytes = size_of::<Held>() + key.len() + document_bytes(&document);
        next.context.memory.hold(&self.label, bytes)?;
        self.held += bytes;
        self.rows.push(Held { key, id, document });
        Ok(Flow::More)
    }

    fn finish(&mut self, next: &mut Next<'_>) -> Result<()> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by(|a, b| a.key.cmp(&b.key)); // those of one value keep their order
        let buckets = self.stage.buckets.min(rows.len());
        let (mut start, mut bucket) = (0, 0);
        while start < rows.len() {
            let mut end = end_of(bucket, buckets, rows.len());
            bucket += 1;
            if end <= start {
                continue; // equal values of the one before have filled it
            }
            while end < rows.len() && rows[end].key == rows[end - 1].key {
                end += 1;
            }
            let document = self.document(&rows[start..end], next).map_err(|error| error.context(&self.label))?;
            start = end;
            if next.push_made(document)? == Flow::Done {
                break;
            }
        }
        next.context.memory.release(self.held);
        self.held = 0;
        Ok(())
    }
}

/// Where a bucket ends that has its share of all rows.
fn end_of(bucket: usize, buckets: usize, rows: usize) -> usize {
    let end = (rows as u128 * (bucket as u128 + 1)).div_ceil(buckets as u128);
    usize::try_from(end).unwrap_or(rows).min(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_have_equal_shares() {
        let ends = |buckets, rows| (0..buckets).map(|bucket| end_of(bucket, buckets, rows)).collect::<Vec<_>>();
        assert_eq!(ends(4, 10), [3, 5, 8, 10]);
        assert_eq!(ends(4, 2), [1, 1, 2, 2]);
        assert_eq!(end_of(0, usize::MAX, usize::MAX), 1);
        assert_eq!(ends(7, 3).into_iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "as with 3 buckets");
    }
}
