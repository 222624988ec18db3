//! Where a page begins: in the documents, or in an index that has the order of the sort.

use blaze_core::key::{self, Order};
use blaze_core::{Direction, DocumentId, Error, KeyRange, Result, Value};

use crate::catalog::prefix;
use crate::query::plan::{IndexScan, fixed_bytes};
use crate::query::sort::Sort;

/// Refuses a position that the query could not have answered.
pub(super) fn check(position: &[u8], sort: &[Sort]) -> Result<()> {
    let foreign = |_| Error::invalid("the page token names no place in the order of the query");
    if sort.is_empty() {
        return DocumentId::read_key(position).map(drop).map_err(foreign);
    }
    let last = sort.last().map_or(Order::Ascending, |key| key.order);
    let mut rest = position;
    sort.iter().try_for_each(|key| key::skip_value(&mut rest, key.order)).map_err(foreign)?;
    key::skip_value(&mut rest, last).map_err(foreign)?;
    match rest {
        [] => Ok(()),
        _ => Err(Error::invalid("the page token goes on behind its place in the order of the query")),
    }
}

/// The documents of a collection behind an id.
pub(super) fn documents_after(collection: u32, after: Option<&[u8]>) -> KeyRange {
    let all = KeyRange::prefix(&prefix(collection));
    match after {
        None => all,
        Some(id) => all.intersect(&KeyRange::new([&prefix(collection), id, &[0]].concat(), None)),
    }
}

/// True if all values of an entry of a unique index are there and not null.
fn is_constrained(place: &[u8], scan: &IndexScan) -> Result<bool> {
    let mut rest = place.get(4..).unwrap_or_default();
    for (_, order) in &scan.fields {
        match key::read_value(&mut rest, *order)? {
            None | Some(Value::Null | Value::Array(_)) => return Ok(false),
            Some(_) => {}
        }
    }
    Ok(true)
}

/// Leaves of the ranges of a scan what comes behind a position.
pub(super) fn cut(scan: &mut IndexScan, position: &[u8], sort: &[Sort]) -> Result<()> {
    let Some(order) = scan.order else { return Ok(()) };
    let mut ordered = position;
    sort.iter().take(order.fixed_keys).try_for_each(|key| key::skip_value(&mut ordered, key.order))?;
    // Read backwards, the index has every byte the other way round.
    let ordered: Vec<u8> = match scan.direction {
        Direction::Forward => ordered.to_vec(),
        Direction::Reverse => ordered.iter().map(|byte| !byte).collect(),
    };
    let mut ranges = Vec::with_capacity(scan.ranges.len());
    for range in &scan.ranges {
        // No value of the index is cut: where one is longer than entries hold, the range has none.
        let Ok(fixed) = fixed_bytes(range.start(), scan, order.fixed_fields) else { continue };
        let mut place = [&range.start()[..fixed], ordered.as_slice()].concat();
        if scan.is_unique && is_constrained(&place, scan)? {
            place.truncate(fixed_bytes(&place, scan, scan.fields.len())?); // its entry has no id in the key
        }
        let behind = match scan.direction {
            Direction::Forward => KeyRange::new([place.as_slice(), &[0]].concat(), None),
            Direction::Reverse => KeyRange::new([], Some(place)),
        };
        ranges.push(range.intersect(&behind));
    }
    ranges.retain(|range| !range.is_empty());
    scan.ranges = ranges;
    Ok(())
}
