//! The planner: how a query finds its documents.
//!
//! A plan is a tree: a scan of all documents, parts of an index, what several parts of indexes have in common, or all that
//! several plans find. A plan never changes an answer: what it does not answer by itself is checked on what it finds.

mod bounds;
mod choose;
mod combine;
mod cost;
mod fit;
mod hint;
mod size;
mod terms;

use blaze_core::{Filter, KeyRange, Result};

use super::ids;
use super::sort::Sort;
use crate::catalog::{self, Definition, prefix};
use crate::session::Session;
use choose::Chooser;
pub(crate) use fit::{IndexScan, fixed_bytes};
pub use hint::Hint;
use size::{documents_in, sizes};
use terms::Parts;

/// What a plan is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) sort: &'a [Sort],
    /// Documents that are read at most, those that are skipped included.
    pub(crate) window: Option<usize>,
    /// True if the documents themselves are needed.
    pub(crate) needs_documents: bool,
    pub(crate) hint: Option<&'a Hint>,
    /// True if it is to be told which plans were thought of: words that a mere answer does not pay for.
    pub(crate) explains: bool,
}

impl<'a> Question<'a> {
    /// Which documents match, in any order.
    pub(crate) fn of_filter(filter: &'a Filter) -> Question<'a> {
        Question { filter, sort: &[], window: None, needs_documents: false, hint: None, explains: false }
    }

    /// What was thought of, if it is to be told.
    fn told(&self, considered: impl FnOnce() -> Vec<Considered>) -> Vec<Considered> {
        if self.explains { considered() } else { Vec::new() }
    }
}

/// How a query finds its documents.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) access: Access,
    /// What the documents found must still be checked for.
    pub(crate) residual: Filter,
    /// True if they are found in the order of the sort.
    pub(crate) sorted: bool,
    /// All plans that were thought of, the chosen one among them, if the question asks to be told.
    pub(crate) considered: Vec<Considered>,
}

/// Where documents are found.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Every document is read.
    Scan,
    /// Parts of an index are read.
    Index(Box<IndexScan>),
    /// What is in all of the sets and in the scan that is read after them.
    Intersection { sets: Vec<IndexScan>, last: Box<IndexScan> },
    /// What one of the branches finds, once.
    Union(Vec<Access>),
}

/// A plan that the planner has thought of.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Considered {
    /// What it is, in words.
    pub plan: String,
    /// About how many entries it reads, if that was asked.
    pub estimate: Option<u64>,
    /// True if it was chosen.
    pub chosen: bool,
    /// Why, or why not.
    pub reason: String,
}

impl Considered {
    /// A scan that was chosen.
    fn scan(reason: &str) -> Considered {
        Considered { plan: "scan".to_owned(), estimate: None, chosen: true, reason: reason.to_owned() }
    }
}

impl Plan {
    fn scan(parts: &Parts, considered: Vec<Considered>) -> Plan {
        Plan { access: Access::Scan, residual: parts.without(&[]), sorted: false, considered }
    }

    pub(crate) fn is_scan(&self) -> bool {
        matches!(self.access, Access::Scan)
    }

    /// True if everything that is found matches the filter.
    pub(crate) fn is_exact(&self) -> bool {
        self.residual == Filter::everything()
    }

    /// The scan of an index whose entries have the order of the sort, if they have, so that only a part of it is read.
    pub(crate) fn sorting_index_mut(&mut self) -> Option<&mut IndexScan> {
        match &mut self.access {
            Access::Index(scan) | Access::Intersection { last: scan, .. } if self.sorted => Some(scan),
            _ => None,
        }
    }
}

impl Access {
    /// The scans of indexes that it is made of.
    pub(crate) fn scans(&self) -> Vec<&IndexScan> {
        match self {
            Access::Scan => Vec::new(),
            Access::Index(scan) => vec![scan],
            Access::Intersection { sets, last } => sets.iter().chain([&**last]).collect(),
            Access::Union(branches) => branches.iter().flat_map(Access::scans).collect(),
        }
    }
}

/// Chooses how to answer a question.
pub(crate) fn plan(session: &Session, definition: &Definition, question: Question<'_>) -> Result<Plan> {
    let parts = Parts::of(question.filter);
    if let Some(hint) = question.hint {
        return hint::follow(session, definition, &parts, question, hint);
    }
    if session.is_as_of() {
        return Ok(Plan::scan(&parts, question.told(|| vec![Considered::scan("indexes tell of the present only")])));
    }
    if ids::is_said(definition, question.filter) {
        return Ok(Plan::scan(&parts, question.told(|| vec![Considered::scan("the filter says the id")])));
    }
    Chooser::new(session, definition, question).choose(&parts)
}

/// About how many entries of indexes or documents a plan for a filter reads; none if it reads all documents.
pub(crate) fn read_by(session: &Session, definition: &Definition, filter: &Filter, plan: &Plan) -> Result<Option<u64>> {
    let documents = catalog::count_estimate(session, definition)?;
    if !plan.is_scan() {
        return Ok(sizes(session, documents, &[plan.access.scans()])?.first().map(|size| size.entries));
    }
    if session.is_as_of() {
        return Ok(None);
    }
    if ids::is_said(definition, filter) {
        return Ok(Some(1));
    }
    match ids::records_of_parent(definition, filter) {
        Some(part) => documents_in(session, &part, &KeyRange::prefix(&prefix(definition.id)), documents),
        None => Ok(None),
    }
}
