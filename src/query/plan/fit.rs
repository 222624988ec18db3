//! How an index fits what is asked: the parts of it that have to be read, what they answer and how they are ordered.

use blaze_core::key::{self, Order};
use blaze_core::limits::INDEX_VALUE_BYTES_MAX;
use blaze_core::{Direction, Error, KeyRange, Path, Result};

use super::bounds::Bounds;
use super::terms::Term;
use crate::catalog::prefix;
use crate::index::{IndexDefinition, IndexFields, Traits, scan_range};
use crate::query::sort::Sort;
use crate::session::Session;

/// Ranges of one index that a query reads at most; a filter that asks for more is checked on the documents.
const RANGES_MAX: usize = 1_000;

/// Ranges that are read at the same time to bring their entries into one order.
const MERGED_RANGES_MAX: usize = 100;

/// The parts of an index that a query reads.
#[derive(Clone, Debug)]
pub(crate) struct IndexScan {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) definition: String,
    pub(crate) fields: Vec<(Path, Order)>,
    /// Whole keys, in the order in which they are read.
    pub(crate) ranges: Vec<KeyRange>,
    pub(crate) direction: Direction,
    /// True if some document may have several entries.
    pub(crate) multi_entry: bool,
    /// True if the values of some entry may be cut, so that they tell less than the document.
    pub(crate) has_cut: bool,
    /// True if entries may lack the id in their key: then no two of them have the same values.
    pub(crate) is_unique: bool,
    /// How the entries have the order of the sort, if they have it.
    pub(crate) order: Option<ScanOrder>,
    /// Fields fixed by equality, and whether the next one is bounded.
    pub(crate) equal_fields: usize,
    pub(crate) bounded: bool,
    /// The parts of the filter that every document found matches.
    pub(super) answered: Vec<usize>,
    /// The parts of the filter that chose the ranges.
    pub(super) used: Vec<usize>,
}

/// How the entries of an index have the order of a sort.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScanOrder {
    /// Fields at the beginning that are the same in all entries of a range.
    pub(crate) fixed_fields: usize,
    /// Keys at the beginning of the sort that say nothing, as they are fixed.
    pub(crate) fixed_keys: usize,
    /// True if the ranges have to be read at the same time, the first entry of all of them first.
    pub(crate) is_merged: bool,
}

impl IndexScan {
    /// True if less than the whole index is read.
    pub(super) fn narrows(&self) -> bool {
        self.equal_fields > 0 || self.bounded
    }

    /// True if all entries of a range are of one value: then no document has two of them.
    pub(crate) fn is_of_points(&self) -> bool {
        self.equal_fields == self.fields.len()
    }

    /// What speaks for the index where nothing is known of its size.
    pub(super) fn score(&self) -> usize {
        8 * self.equal_fields + 4 * usize::from(self.bounded) + 2 * usize::from(self.order.is_some())
    }
}

/// How an index can be used for what is asked; none if it cannot be used at all. What has to be known of an index beyond
/// its fields is asked here.
pub(super) fn fit(
    session: &Session,
    index: &IndexDefinition,
    terms: &[Term],
    sort: &[Sort],
    whole: bool,
) -> Result<Option<IndexScan>> {
    if !index.ready {
        return Ok(None);
    }
    let IndexFields::Fields(fields) = index.parts()? else { return Ok(None) };
    let is_relevant =
        |path: &Path| terms.iter().any(|term| term.path == *path) || sort.iter().any(|key| key.path == *path);
    if !whole && !fields.first().is_some_and(|(path, _)| is_relevant(path)) {
        return Ok(None);
    }
    let scan = fit_fields(index, fields, terms, sort, Traits::of(session, index)?);
    Ok((whole || scan.narrows() || scan.order.is_some()).then_some(scan))
}

fn fit_fields(
    index: &IndexDefinition,
    fields: &[(Path, Order)],
    terms: &[Term],
    sort: &[Sort],
    traits: Traits,
) -> IndexScan {
    let Traits { has_several: multi_entry, has_cut } = traits;
    let mut ranges = vec![KeyRange::new(prefix(index.id), None)];
    // Leading fields of which one value is asked for.
    let (mut equal_fields, mut bounded, mut single_fields) = (0, false, 0);
    let (mut answered, mut used) = (Vec::new(), Vec::new());
    for (path, order) in fields {
        // Different values of a document may have been cut to one entry.
        let Some(mut found) = bounds_of(terms, path, *order, multi_entry || has_cut) else { break };
        if index.has_values() {
            found.bounds = found.bounds.cut_to(INDEX_VALUE_BYTES_MAX);
        }
        if ranges.len().saturating_mul(found.bounds.ranges.len()) > RANGES_MAX {
            break;
        }
        ranges = extended(&ranges, &found.bounds.ranges);
        answered.extend(found.answered);
        used.extend(found.used);
        if !found.bounds.points {
            bounded = true;
            break;
        }
        single_fields += usize::from(single_fields == equal_fields && found.bounds.ranges.len() <= 1);
        equal_fields += 1;
    }
    if equal_fields == 0 && !bounded {
        ranges = vec![scan_range(index.id)];
    }
    if has_cut {
        answered.clear(); // different values may have been cut to the same
    }
    let mut order = None;
    if !multi_entry && !has_cut {
        order = order_of(fields, sort, single_fields, false);
        // What is equal in two ranges is ordered by id, which a key of a unique index may lack.
        let can_merge = !index.is_unique() && ranges.len() <= MERGED_RANGES_MAX && equal_fields > single_fields;
        if order.is_none() && can_merge {
            order = order_of(fields, sort, equal_fields, true);
        }
    }
    let direction = order.map_or(Direction::Forward, |(direction, _)| direction);
    if direction == Direction::Reverse {
        ranges.reverse();
    }
    IndexScan {
        id: index.id,
        name: index.name.clone(),
        definition: index.describe(),
        fields: fields.to_vec(),
        ranges,
        direction,
        multi_entry,
        has_cut,
        is_unique: index.is_unique(),
        order: order.map(|(_, order)| order),
        equal_fields,
        bounded,
        answered,
        used,
    }
}

/// What terms allow of a field of an index.
struct FieldBounds {
    bounds: Bounds,
    answered: Vec<usize>,
    used: Vec<usize>,
}

/// What the terms on a path allow of an index field, and which parts need no further check.
fn bounds_of(terms: &[Term], path: &Path, order: Order, multi_entry: bool) -> Option<FieldBounds> {
    let on_path = terms.iter().filter(|term| term.path == *path);
    let mut all: Vec<(Bounds, &Term)> =
        on_path.filter_map(|term| Some((Bounds::of(&term.predicate, order)?, term))).collect();
    // What is answered exactly is better than what is not; one value is better than a range.
    all.sort_by_key(|(bounds, term)| (!bounds.points, !bounds.exact || term.is_weaker));
    if multi_entry {
        // Different values of one document may satisfy different terms: only one term can bound the values.
        all.truncate(1);
    }
    let mut all = all.into_iter();
    let (first, term) = all.next()?;
    let is_exact = |bounds: &Bounds, term: &Term| bounds.exact && !term.is_weaker;
    let mut answered: Vec<usize> = is_exact(&first, term).then_some(term.part).into_iter().collect();
    let mut used = vec![term.part];
    let bounds = all.fold(first, |combined, (bounds, term)| {
        answered.extend(is_exact(&bounds, term).then_some(term.part));
        used.push(term.part);
        combined.intersect(&bounds)
    });
    Some(FieldBounds { bounds, answered, used })
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

/// The direction in which an index has exactly the order of the sort behind its fixed fields. With one entry a document,
/// fields of which one value is asked for are the same in all documents found, so that keys of the sort on them say nothing.
fn order_of(
    fields: &[(Path, Order)],
    sort: &[Sort],
    fixed_fields: usize,
    is_merged: bool,
) -> Option<(Direction, ScanOrder)> {
    let (fixed, rest) = fields.split_at(fixed_fields);
    let says_nothing = |key: &&Sort| !is_merged && fixed.iter().any(|(path, _)| *path == key.path);
    let fixed_keys = sort.iter().take_while(says_nothing).count();
    let sort = &sort[fixed_keys..];
    if sort.is_empty() || sort.len() != rest.len() {
        return None;
    }
    let along = |same: bool| {
        let agrees = |((path, order), key): (&(Path, Order), &Sort)| {
            *path == key.path && key.is_bytewise() && (*order == key.order) == same
        };
        rest.iter().zip(sort).all(agrees)
    };
    let order = ScanOrder { fixed_fields, fixed_keys, is_merged };
    match (along(true), along(false)) {
        (true, _) => Some((Direction::Forward, order)),
        (_, true) => Some((Direction::Reverse, order)),
        _ => None,
    }
}

/// How many bytes of an entry stand before what orders it within its range: the number of the index and the fixed fields.
pub(crate) fn fixed_bytes(entry: &[u8], scan: &IndexScan, fixed_fields: usize) -> Result<usize> {
    let mut rest = entry.get(4..).ok_or_else(|| Error::corruption("an entry is shorter than its number"))?;
    for (_, order) in scan.fields.iter().take(fixed_fields) {
        key::skip_value(&mut rest, *order)?;
    }
    Ok(entry.len() - rest.len())
}
