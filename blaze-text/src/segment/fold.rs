//! A segment of changes.

use std::cmp::Ordering;

use blaze_core::{Error, Result};

use super::{SegmentMeta, SegmentWriter};
use crate::document::{DocumentPostings, DocumentTerms};
use crate::{END, FieldTotals};

/// What became of a document since the segments below.
#[derive(Clone, Debug)]
pub struct FoldedChange {
    /// The document.
    pub id: Box<[u8]>,
    /// What it was; nothing if it was not there.
    pub before: Option<DocumentTerms>,
    /// What it is; nothing if it is deleted.
    pub after: Option<DocumentPostings>,
}

/// A term of a document that is added or removed.
struct Occurrence {
    /// The first six bytes of the term, between its field and how long it is, up to seven: which orders all short terms.
    prefix: u64,
    /// The change, or [`REMOVED`] and the change.
    change: u32,
    /// Which one of the document's terms.
    index: u32,
}

const REMOVED: u32 = 1 << 31;

/// A length that stands for all that are as long or longer, in [`Occurrence::prefix`].
const LONG: usize = 7;

/// Writes a segment of what the changes add, in any order, which says of each term and field what they take away.
///
/// Takes memory for the changes and 32 bytes for each of their terms.
///
/// # Errors
/// [`Invalid`](blaze_core::ErrorKind::Invalid) for two changes of one document;
/// [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for more than a segment takes; what the writer's sink answers.
pub fn fold(mut changes: Vec<FoldedChange>, mut writer: SegmentWriter<'_>) -> Result<SegmentMeta> {
    changes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    if let Some(same) = changes.windows(2).find(|two| two[0].id == two[1].id) {
        return Err(Error::invalid(format!(
            "two changes of document \"{}\" in one segment",
            same[0].id.escape_ascii()
        )));
    }
    if changes.len() >= REMOVED as usize {
        return Err(Error::limit_exceeded(format!("{} changes in one segment", changes.len())));
    }
    let terms = |change: &FoldedChange| {
        change.before.as_ref().map_or(0, DocumentTerms::len)
            + change.after.as_ref().map_or(0, |after| after.terms().len())
    };
    let mut occurrences = Vec::with_capacity(changes.iter().map(terms).sum());
    let mut documents = vec![END; changes.len()];
    for ((change, FoldedChange { id, after, .. }), document) in (0..).zip(&changes).zip(&mut documents) {
        if let Some(after) = after {
            *document = writer.add_document(id, after.terms().lengths())?;
            push_occurrences(after.terms(), change, &mut occurrences);
        }
    }
    for (change, before) in (0..).zip(changes.iter().map(|change| &change.before)) {
        if let Some(before) = before {
            for (field, length) in (0..).zip(before.lengths()) {
                let totals = FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) };
                writer.remove_totals(field, totals);
            }
            push_occurrences(before, change | REMOVED, &mut occurrences);
        }
    }
    // Stable, so that of each term what is added comes first, by document, and without comparing these: most occurrences are
    // of the same few terms.
    occurrences.sort_by(|a, b| order(a, b, &changes));
    for same in occurrences.chunk_by(|a, b| order(a, b, &changes) == Ordering::Equal) {
        write_term(same, &changes, &documents, &mut writer)?;
    }
    writer.finish()
}

fn push_occurrences(terms: &DocumentTerms, change: u32, occurrences: &mut Vec<Occurrence>) {
    for (index, (field, term)) in (0..).zip(terms.iter()) {
        let mut prefix = [0; 8];
        prefix[0] = field;
        prefix[1..7].iter_mut().zip(term).for_each(|(to, from)| *to = *from);
        prefix[7] = term.len().min(LONG) as u8;
        occurrences.push(Occurrence { prefix: u64::from_be_bytes(prefix), change, index });
    }
}

/// The order of terms.
#[inline]
fn order(a: &Occurrence, b: &Occurrence, changes: &[FoldedChange]) -> Ordering {
    let by_prefix = a.prefix.cmp(&b.prefix);
    if by_prefix == Ordering::Equal && a.prefix & 0xFF == LONG as u64 {
        return term(a, changes).cmp(term(b, changes));
    }
    by_prefix
}

fn term<'a>(occurrence: &Occurrence, changes: &'a [FoldedChange]) -> &'a [u8] {
    let change = &changes[(occurrence.change & !REMOVED) as usize];
    let terms = if occurrence.change & REMOVED > 0 {
        change.before.as_ref()
    } else {
        change.after.as_ref().map(|after| after.terms())
    };
    terms.map_or(&[], |terms| terms.term(occurrence.index as usize))
}

/// Writes a term: what is added comes before what is removed.
fn write_term(
    occurrences: &[Occurrence],
    changes: &[FoldedChange],
    documents: &[u32],
    writer: &mut SegmentWriter<'_>,
) -> Result<()> {
    let (added, removed) = occurrences.split_at(occurrences.partition_point(|one| one.change < REMOVED));
    let [field, ..] = occurrences[0].prefix.to_be_bytes();
    let removed = i32::try_from(removed.len()).map_err(|_| Error::limit_exceeded("too many documents are removed"))?;
    writer.begin(field, term(&occurrences[0], changes), removed)?;
    for one in added {
        if let Some(after) = &changes[one.change as usize].after {
            writer.add_posting(documents[one.change as usize], after.positions(one.index as usize))?;
        }
    }
    Ok(())
}
