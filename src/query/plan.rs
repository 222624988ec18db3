//! The planner: which index answers a filter, and how much of it must be read.
//!
//! It is a pure choice by rule: the index that fixes most fields by equality wins, then one that bounds a further field,
//! then one whose order spares a sort. A collection is scanned when no index helps.

use blaze_core::key::Order;
use blaze_core::limits::INDEX_VALUE_BYTES_MAX;
use blaze_core::{Direction, Filter, KeyRange, Path, Predicate, Result};

use super::bounds::Bounds;
use super::implication::implies;
use super::sort::Sort;
use crate::catalog::{Definition, prefix};
use crate::index::{IndexDefinition, IndexFields, Traits, scan_range};
use crate::session::Session;

/// Ranges of one index that a query reads at most; a filter that asks for more is checked on the documents.
const RANGES_MAX: usize = 1_000;

/// How a query finds its documents.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Every document is read.
    Scan,
    /// Parts of an index are read.
    Index(IndexPlan),
}

/// The parts of an index that a query reads.
#[derive(Clone, Debug)]
pub(crate) struct IndexPlan {
    pub(crate) name: String,
    pub(crate) definition: String,
    pub(crate) fields: Vec<(Path, Order)>,
    /// Whole keys, in the order in which they are read.
    pub(crate) ranges: Vec<KeyRange>,
    pub(crate) direction: Direction,
    /// True if some document may have several entries.
    pub(crate) multi_entry: bool,
    /// True if every document found matches the filter.
    pub(crate) exact: bool,
    /// True if the entries are in the order of the sort.
    pub(crate) sorted: bool,
    /// Fields fixed by equality, and whether the next one is bounded.
    pub(crate) equal_fields: usize,
    pub(crate) bounded: bool,
}

impl Plan {
    pub(crate) fn is_sorted(&self) -> bool {
        matches!(self, Plan::Index(index) if index.sorted)
    }
}

/// Chooses how to answer a query.
pub(crate) fn plan(session: &Session, definition: &Definition, filter: &Filter, sort: &[Sort]) -> Result<Plan> {
    if session.is_as_of() {
        return Ok(Plan::Scan); // indexes tell of the present only
    }
    let terms: Vec<_> = filter.conjuncts().collect();
    let only_terms = is_conjunction(filter);
    let mut best: Option<(usize, IndexPlan)> = None;
    for index in definition.indexes.iter().filter(|index| index.ready) {
        let IndexFields::Fields(fields) = index.parts()? else { continue };
        let relevant =
            |path: &Path| terms.iter().any(|(of, _)| *of == path) || sort.iter().any(|key| key.path == *path);
        if !relevant(&fields[0].0) {
            continue;
        }
        if index.only()?.is_some_and(|only| !implies(filter, only)) {
            continue; // some of the answer may have no entry
        }
        let candidate = fit(index, fields, &terms, only_terms, sort, Traits::of(session, index)?);
        let score = score(&candidate);
        if score > 0 && best.as_ref().is_none_or(|(highest, _)| score > *highest) {
            best = Some((score, candidate));
        }
    }
    Ok(best.map_or(Plan::Scan, |(_, index)| Plan::Index(index)))
}

/// What speaks for an index. One that only sorts is worth it: rows then stream, however many there are.
fn score(index: &IndexPlan) -> usize {
    let narrows = 8 * index.equal_fields + 4 * usize::from(index.bounded);
    narrows + 2 * usize::from(index.sorted)
}

/// How the terms of a filter fit an index.
fn fit(
    index: &IndexDefinition,
    fields: &[(Path, Order)],
    terms: &[(&Path, &Predicate)],
    only_terms: bool,
    sort: &[Sort],
    traits: Traits,
) -> IndexPlan {
    let multi_entry = traits.has_several;
    let mut ranges = vec![KeyRange::new(prefix(index.id), None)];
    let (mut equal_fields, mut bounded, mut exact_terms) = (0, false, 0);
    for (path, order) in fields {
        let Some((mut bounds, exact)) = bounds_of(terms, path, *order, multi_entry) else { break };
        if index.has_values() {
            bounds = bounds.cut_to(INDEX_VALUE_BYTES_MAX);
        }
        if ranges.len().saturating_mul(bounds.ranges.len()) > RANGES_MAX {
            break;
        }
        ranges = extended(&ranges, &bounds.ranges);
        exact_terms += exact;
        if !bounds.points {
            bounded = true;
            break;
        }
        equal_fields += 1;
    }
    if equal_fields == 0 && !bounded {
        ranges = vec![scan_range(index.id)];
    }
    // With one range and one entry a document, the fields fixed by equality are the same in all documents found. Of values
    // that were cut, nothing is known to be the same.
    let direction = (ranges.len() <= 1 && !multi_entry && !traits.has_cut).then(|| {
        let (fixed, rest) = fields.split_at(equal_fields);
        let says_nothing = |key: &&Sort| fixed.iter().any(|(path, _)| *path == key.path);
        order_of(rest, &sort[sort.iter().take_while(says_nothing).count()..])
    });
    let direction = direction.flatten();
    IndexPlan {
        name: index.name.clone(),
        definition: index.describe(),
        fields: fields.to_vec(),
        ranges,
        direction: direction.unwrap_or_default(),
        multi_entry,
        exact: only_terms && exact_terms == terms.len() && !traits.has_cut,
        sorted: direction.is_some(),
        equal_fields,
        bounded,
    }
}

/// What the terms on a path allow of an index field, and how many of them need no further check.
fn bounds_of(terms: &[(&Path, &Predicate)], path: &Path, order: Order, multi_entry: bool) -> Option<(Bounds, usize)> {
    let on_path = terms.iter().filter(|(of, _)| *of == path).filter_map(|(_, term)| Bounds::of(term, order));
    let mut all: Vec<Bounds> = on_path.collect();
    all.sort_by_key(|bounds| !bounds.points);
    let mut all = all.into_iter();
    let first = all.next()?;
    let mut exact = usize::from(first.exact);
    if multi_entry {
        // Different values of one document may satisfy different terms: only one term can bound the values.
        return Some((first, exact));
    }
    let combined = all.fold(first, |combined, bounds| {
        exact += usize::from(bounds.exact);
        combined.intersect(&bounds)
    });
    Some((combined, exact))
}

/// Puts every range behind the beginning of every other.
fn extended(prefixes: &[KeyRange], ranges: &[KeyRange]) -> Vec<KeyRange> {
    let behind = |prefix: &[u8], range: &KeyRange| {
        let end = range.end().map(|end| [prefix, end].concat());
        let end = end.or_else(|| KeyRange::prefix(prefix).end().map(<[u8]>::to_vec));
        KeyRange::new([prefix, range.start()].concat(), end)
    };
    prefixes.iter().flat_map(|prefix| ranges.iter().map(|range| behind(prefix.start(), range))).collect()
}

/// The direction in which the remaining fields of an index have exactly the order of the sort.
fn order_of(fields: &[(Path, Order)], sort: &[Sort]) -> Option<Direction> {
    if sort.is_empty() || sort.len() != fields.len() {
        return None;
    }
    let along = |same: bool| {
        let agrees = |((path, order), key): (&(Path, Order), &Sort)| *path == key.path && (*order == key.order) == same;
        fields.iter().zip(sort).all(agrees)
    };
    match (along(true), along(false)) {
        (true, _) => Some(Direction::Forward),
        (_, true) => Some(Direction::Reverse),
        _ => None,
    }
}

/// True if the filter says nothing but its terms.
fn is_conjunction(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(is_conjunction),
        Filter::Field(..) => true,
        _ => false,
    }
}
