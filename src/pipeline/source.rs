//! Where the rows of a pipeline come from: the one place that knows how queries are planned and run.

use std::sync::Arc;

use blaze_core::key::{self, Order};
use blaze_core::record::Record;
use blaze_core::{Direction, DocumentId, Family, Filter, KeyRange, Path, Predicate, Result};

use crate::catalog::Definition;
use crate::index::{IndexFields, Traits, scan_range};
use crate::query::{Access, Candidates, Counters, Question, Sort, describe, implies, plan};
use crate::session::Session;

/// The documents that match a filter, in the order of a sort where an index has it.
#[derive(Debug)]
pub(super) struct Source {
    candidates: Candidates,
    pub(super) sorted: bool,
    pub(super) index: Option<String>,
    pub(super) description: String,
}

impl Source {
    pub(super) fn open(
        session: &Arc<Session>,
        definition: &Definition,
        filter: &Filter,
        sort: &[Sort],
    ) -> Result<Source> {
        let question = Question { sort, needs_documents: true, ..Question::of_filter(filter) };
        let plan = plan(session, definition, question)?;
        let node = describe(&plan.access, &mut std::iter::empty());
        let sorted = sort.is_empty() || plan.sorted;
        let candidates = Candidates::open(session, definition, &plan, filter)?;
        Ok(Source { candidates, sorted, index: node.first_index().map(str::to_owned), description: node.in_a_line() })
    }

    /// True if an index finds the documents in which a path has a value, whatever that is.
    pub(super) fn is_indexed(session: &Session, definition: &Definition, path: &Path) -> Result<bool> {
        let is_there = Filter::Field(path.clone(), Predicate::Exists(true));
        for index in definition.indexes.iter().filter(|index| index.ready && !session.is_as_of()) {
            if let IndexFields::Fields(fields) = index.parts()?
                && fields.first().is_some_and(|(first, _)| first == path)
                && index.only()?.is_none_or(|only| implies(&is_there, only))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next document, not read if that can be avoided.
    pub(super) fn next_id(&mut self) -> Result<Option<DocumentId>> {
        self.candidates.next_id()
    }

    pub(super) fn next_record(&mut self) -> Result<Option<(DocumentId, Record<'_>)>> {
        self.candidates.next_record()
    }

    pub(super) fn counters(&self) -> Counters {
        self.candidates.counters()
    }
}

/// An index that has exactly one entry for each document that matches a filter, and begins with a path.
#[derive(Debug)]
pub(super) struct CountingIndex {
    pub(super) name: String,
    ranges: Vec<KeyRange>,
    /// The order of its first field.
    order: Order,
}

impl CountingIndex {
    /// The index that knows how many documents there are for each value of a path, if there is one.
    pub(super) fn find(
        session: &Session,
        definition: &Definition,
        filter: &Filter,
        path: &Path,
    ) -> Result<Option<CountingIndex>> {
        // A longer path may lead through an array: an entry does not tell one value from an array of it.
        if session.is_as_of() || path.segments().len() != 1 {
            return Ok(None);
        }
        if *filter == Filter::everything() {
            return CountingIndex::whole(session, definition, path);
        }
        let plan = plan(session, definition, Question::of_filter(filter))?;
        let is_exact = plan.is_exact();
        let Access::Index(scan) = plan.access else { return Ok(None) };
        let order = scan.fields.first().filter(|(first, _)| first == path).map(|(_, order)| *order);
        Ok(order.filter(|_| is_exact && !scan.multi_entry && !scan.has_cut).map(|order| CountingIndex {
            name: scan.name,
            ranges: scan.ranges,
            order,
        }))
    }

    fn whole(session: &Session, definition: &Definition, path: &Path) -> Result<Option<CountingIndex>> {
        let mut best: Option<(usize, CountingIndex)> = None;
        for index in definition.indexes.iter().filter(|index| index.ready) {
            let IndexFields::Fields(fields) = index.parts()? else { continue };
            let order = fields.first().filter(|(first, _)| first == path).map(|(_, order)| *order);
            let Some(order) = order.filter(|_| best.as_ref().is_none_or(|(least, _)| fields.len() < *least)) else {
                continue;
            };
            let traits = Traits::of(session, index)?;
            if index.only()?.is_some() || traits.has_several || traits.has_cut {
                continue;
            }
            let ranges = vec![scan_range(index.id)];
            best = Some((fields.len(), CountingIndex { name: index.name.clone(), ranges, order }));
        }
        Ok(best.map(|(_, index)| index))
    }

    /// Calls `visit` with each value, encoded as an ascending key, and how many documents have it.
    pub(super) fn count(&self, session: &Session, visit: &mut dyn FnMut(&[u8], u64) -> Result<()>) -> Result<Counters> {
        let mut counters = Counters::default();
        let mut report = |encoded: &[u8], documents: u64| match self.order {
            _ if documents == 0 => Ok(()),
            Order::Ascending => visit(encoded, documents),
            Order::Descending => {
                let mut ascending = Vec::new();
                match key::read_value(&mut &*encoded, Order::Descending)? {
                    Some(value) => key::write_value(&mut ascending, &value, Order::Ascending),
                    None => key::write_missing(&mut ascending, Order::Ascending),
                }
                visit(&ascending, documents)
            }
        };
        for range in &self.ranges {
            let mut cursor = session.cursor(Family::Index, range, Direction::Forward)?;
            let (mut current, mut documents) = (Vec::new(), 0);
            while let Some((entry, _)) = cursor.next()? {
                counters.keys_examined += 1;
                let values = entry.get(4..).unwrap_or_default();
                // No encoding is the beginning of another.
                if documents == 0 || !values.starts_with(&current) {
                    report(&current, documents)?;
                    let mut rest = values;
                    key::skip_value(&mut rest, self.order)?;
                    current.clear();
                    current.extend_from_slice(&values[..values.len() - rest.len()]);
                    documents = 0;
                }
                documents += 1;
            }
            report(&current, documents)?;
        }
        Ok(counters)
    }
}
