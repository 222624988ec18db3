//! What is not folded into segments: an inverted index in memory, to which changes are appended.

mod list;
mod postings;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use blaze_core::{Error, Result};

use crate::{DocumentPostings, DocumentTerms, END, FieldTotals};
use list::List;

pub use postings::DeltaPostings;
pub use view::{DeltaTerm, DeltaView};

/// The changes of documents since a moment, as an inverted index that can be searched as of each of them.
///
/// Documents are numbered in the order of their changes; a document that is changed again gets another number, and the old
/// one is dead from then on. What changes of documents that are elsewhere takes away is counted, so that the statistics of
/// all parts together are exact, and their ids hide what the parts below have of them.
///
/// A change takes time in proportion to the terms of the document.
pub struct Delta {
    /// By the number of the field.
    fields: Vec<Field>,
    lists: Vec<List>,
    documents: Vec<Document>,
    ids: HashMap<Arc<[u8]>, Changed>,
    /// The ids of documents that are elsewhere, by when they were changed.
    masked: Vec<(u64, Arc<[u8]>)>,
    /// When each change was, ascending.
    changes: Vec<u64>,
    /// What all changes up to each one add, field by field.
    totals: Vec<FieldTotals>,
    bytes: usize,
}

#[derive(Default)]
struct Field {
    terms: HashMap<Arc<[u8]>, u32>,
    sorted: BTreeMap<Arc<[u8]>, u32>,
    /// By the number of the document.
    lengths: Vec<u32>,
}

struct Document {
    id: Arc<[u8]>,
    at: u64,
    /// From when on it is dead.
    died: u64,
    /// The number that it had before.
    before: Option<u32>,
    lists: Box<[u32]>,
}

/// What is known of a document that was changed.
struct Changed {
    /// From when on what others have of it does not count.
    masked: Option<u64>,
    /// Its last number.
    number: Option<u32>,
}

impl Delta {
    /// An empty delta of an index over so many fields.
    pub fn new(fields: u8) -> Delta {
        Delta {
            fields: (0..fields).map(|_| Field::default()).collect(),
            lists: Vec::new(),
            documents: Vec::new(),
            ids: HashMap::new(),
            masked: Vec::new(),
            changes: Vec::new(),
            totals: Vec::new(),
            bytes: 0,
        }
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// True if there is no change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Bytes of memory that it takes, more or less.
    pub fn memory_bytes(&self) -> usize {
        self.bytes
    }

    /// What all changes up to a moment make, that one included.
    ///
    /// Takes time in proportion to the logarithm of the changes.
    pub fn view(&self, at: u64) -> DeltaView<'_> {
        DeltaView::new(self, at)
    }

    /// Appends what a commit at `at` did to a document: what the index had of it before, if anything, and what it has of it now,
    /// if anything. `before` counts with the first change of a document in this delta only; later the delta knows itself.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a moment before that of the last change, and for a document of more
    /// fields than the index has; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) beyond 2^32 - 2 documents.
    pub fn change(
        &mut self,
        at: u64,
        id: &[u8],
        before: Option<&DocumentTerms>,
        after: Option<&DocumentPostings>,
    ) -> Result<()> {
        self.check(at, before, after)?;
        let totals = self.totals.len();
        match totals.checked_sub(self.fields.len()) {
            Some(last) => self.totals.extend_from_within(last..),
            None => self.totals.resize(self.fields.len(), FieldTotals::default()),
        }
        self.changes.push(at);
        self.bytes += size_of::<u64>() + self.fields.len() * size_of::<FieldTotals>();
        let id: Arc<[u8]> = match self.ids.get_key_value(id) {
            Some((id, _)) => id.clone(),
            None => {
                self.bytes += id.len() + 2 * size_of::<usize>() + size_of::<(Arc<[u8]>, Changed)>();
                id.into()
            }
        };
        let earlier = match self.ids.get(&id) {
            Some(changed) => {
                let earlier = changed.number;
                if let Some(number) = earlier {
                    self.kill(number, at, totals);
                }
                earlier
            }
            None => {
                let masked = before.map(|_| at);
                self.ids.insert(id.clone(), Changed { masked, number: None });
                if let Some(before) = before {
                    self.masked.push((at, id.clone()));
                    self.remove(before, at, totals);
                }
                None
            }
        };
        let Some(after) = after else { return Ok(()) };
        let number = self.add(after, totals)?;
        let lists = number.1;
        self.bytes += size_of::<Document>() + lists.len() * size_of::<u32>();
        self.documents.push(Document { id: id.clone(), at, died: u64::MAX, before: earlier, lists });
        if let Some(changed) = self.ids.get_mut(&id) {
            changed.number = Some(number.0);
        }
        Ok(())
    }

    fn check(&self, at: u64, before: Option<&DocumentTerms>, after: Option<&DocumentPostings>) -> Result<()> {
        if let Some(&last) = self.changes.last().filter(|&&last| at < last) {
            return Err(Error::invalid(format!("a change at {at} behind one at {last}")));
        }
        let given = before.into_iter().chain(after.map(DocumentPostings::terms)).map(DocumentTerms::fields).max();
        if let Some(given) = given.filter(|&given| usize::from(given) > self.fields.len()) {
            let fields = self.fields.len();
            return Err(Error::invalid(format!("a document of {given} fields, in an index of {fields}")));
        }
        if after.is_some() && self.documents.len() >= END as usize - 1 {
            return Err(Error::limit_exceeded(format!("more than {} changes are not folded", END - 1)));
        }
        Ok(())
    }

    /// The document of a number is dead from `at` on.
    fn kill(&mut self, number: u32, at: u64, totals: usize) {
        let document = &mut self.documents[number as usize];
        if document.died != u64::MAX {
            return;
        }
        document.died = at;
        for &list in &document.lists {
            self.lists[list as usize].died(at);
            self.bytes += size_of::<u64>();
        }
        for (field, total) in self.fields.iter().zip(&mut self.totals[totals..]) {
            *total = total.minus(of_length(field.lengths[number as usize]));
        }
    }

    /// Counts what a document that is elsewhere takes with it.
    fn remove(&mut self, before: &DocumentTerms, at: u64, totals: usize) {
        for (field, term) in before.iter() {
            let list = self.list(field, term);
            self.lists[list as usize].removed(at);
            self.bytes += size_of::<u64>();
        }
        for (length, total) in before.lengths().zip(&mut self.totals[totals..]) {
            *total = total.minus(of_length(length));
        }
    }

    /// Adds a document; answers its number and its lists.
    fn add(&mut self, after: &DocumentPostings, totals: usize) -> Result<(u32, Box<[u32]>)> {
        let number = self.documents.len() as u32; // checked before
        let mut lists = Vec::with_capacity(after.terms().len());
        for (field, term, positions) in after.iter() {
            let list = self.list(field, term);
            self.lists[list as usize].push(number, positions, after.terms().length(field))?;
            self.bytes += (positions.len() + 2) * size_of::<u32>();
            lists.push(list);
        }
        for (index, field) in self.fields.iter_mut().enumerate() {
            let length = after.terms().length(index as u8);
            field.lengths.push(length);
            self.bytes += size_of::<u32>();
            let total = &mut self.totals[totals + index];
            *total = total.plus(of_length(length));
        }
        Ok((number, lists.into()))
    }

    /// The list of a term, made if there is none.
    fn list(&mut self, field: u8, term: &[u8]) -> u32 {
        let field = &mut self.fields[usize::from(field)];
        if let Some(&list) = field.terms.get(term) {
            return list;
        }
        let (term, list) = (Arc::<[u8]>::from(term), self.lists.len() as u32);
        self.bytes += term.len() + 3 * size_of::<(Arc<[u8]>, u32)>() + size_of::<List>();
        field.sorted.insert(term.clone(), list);
        field.terms.insert(term, list);
        self.lists.push(List::default());
        list
    }
}

/// What a document of so many tokens counts in a field.
fn of_length(length: u32) -> FieldTotals {
    FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) }
}

impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (changes, documents, terms) = (self.changes.len(), self.documents.len(), self.lists.len());
        f.debug_struct("Delta")
            .field("changes", &changes)
            .field("documents", &documents)
            .field("terms", &terms)
            .finish_non_exhaustive()
    }
}
