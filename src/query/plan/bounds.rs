//! What a predicate means for the values of an index: ranges of their encodings.

use blaze_core::key::{self, Order};
use blaze_core::{Filter, KeyRange, Predicate, Value};

use super::terms::Parts;

/// The part of an index field that a predicate allows.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// Ranges of encodings, ascending and apart from each other.
    pub(super) ranges: Vec<KeyRange>,
    /// True if each range is one value, so that the next field of the index can be bounded, too.
    pub(super) points: bool,
    /// True if every value in the ranges satisfies the predicate, so that it need not be checked again.
    pub(super) exact: bool,
}

impl Bounds {
    fn points(mut encodings: Vec<Vec<u8>>, exact: bool) -> Bounds {
        encodings.sort_unstable();
        encodings.dedup();
        let ranges = encodings.iter().map(|encoding| KeyRange::prefix(encoding)).collect();
        Bounds { ranges, points: true, exact }
    }

    fn range(range: KeyRange) -> Bounds {
        let ranges = if range.is_empty() { Vec::new() } else { vec![range] };
        Bounds { ranges, points: false, exact: true }
    }

    /// The bounds of a predicate on an index field of this order; none where an index is of no use.
    pub(super) fn of(predicate: &Predicate, order: Order) -> Option<Bounds> {
        Some(match predicate {
            Predicate::Eq(value) => Bounds::points(vec![encoded(value, order)], true),
            Predicate::In(values) => Bounds::points(values.iter().map(|value| encoded(value, order)).collect(), true),
            Predicate::Lt(value) => Bounds::range(compared(value, order, Side::Below, false)),
            Predicate::Le(value) => Bounds::range(compared(value, order, Side::Below, true)),
            Predicate::Gt(value) => Bounds::range(compared(value, order, Side::Above, false)),
            Predicate::Ge(value) => Bounds::range(compared(value, order, Side::Above, true)),
            Predicate::Between(low, high) => {
                let (from, to) = (compared(low, order, Side::Above, true), compared(high, order, Side::Below, true));
                Bounds::range(from.intersect(&to))
            }
            Predicate::StartsWith(prefix) => {
                let mut bytes = Vec::new();
                key::write_string_prefix(&mut bytes, prefix, order);
                Bounds::range(KeyRange::prefix(&bytes))
            }
            Predicate::Exists(false) => {
                let mut missing = Vec::new();
                key::write_missing(&mut missing, order);
                Bounds::points(vec![missing], true)
            }
            Predicate::Exists(true) => Bounds::range(present(order)),
            Predicate::Contains(value) => contains(value, order),
            // One element is looked up, the others are checked.
            Predicate::All(values) => Bounds::points(vec![element(values.first()?, order)], values.len() == 1),
            Predicate::ElemMatch(filter) => return Bounds::of_elements(filter, order),
            _ => return None,
        })
    }

    /// The bounds of elements of which each matches a filter: an entry of the index is one element, so all that is asked of
    /// the element itself holds at once.
    fn of_elements(filter: &Filter, order: Order) -> Option<Bounds> {
        let parts = Parts::of(filter);
        let (mut all, mut exact): (Option<Bounds>, bool) = (None, true);
        for part in parts.as_slice() {
            let bounds = match part {
                Filter::Field(path, predicate) if path.segments().is_empty() && is_of_whole_values(predicate) => {
                    Bounds::of(predicate, order)
                }
                _ => None,
            };
            exact &= bounds.is_some();
            all = match (all, bounds) {
                (Some(all), Some(bounds)) => Some(all.intersect(&bounds)),
                (all, bounds) => all.or(bounds),
            };
        }
        let all = all?;
        let tag = key::element_tag(order);
        let end = |end: Option<&[u8]>| end.map_or_else(|| vec![tag + 1], |end| [&[tag], end].concat());
        let behind = |range: &KeyRange| KeyRange::new([&[tag], range.start()].concat(), Some(end(range.end())));
        Some(Bounds { ranges: all.ranges.iter().map(behind).collect(), exact: all.exact && exact, ..all })
    }

    /// Both bounds at once: right where each document has one value in the field.
    pub(super) fn intersect(&self, other: &Bounds) -> Bounds {
        let pairs = self.ranges.iter().flat_map(|a| other.ranges.iter().map(|b| a.intersect(b)));
        let ranges = pairs.filter(|range| !range.is_empty()).collect();
        Bounds { ranges, points: self.points || other.points, exact: self.exact && other.exact }
    }

    /// The same bounds in an index whose encodings are cut to so many bytes. Cutting keeps the order of encodings, but for
    /// those that become the same.
    pub(super) fn cut_to(mut self, bytes: usize) -> Bounds {
        let cut = |range: &KeyRange| {
            let start = range.start().get(..bytes).unwrap_or(range.start());
            let end = range.end().map(|end| match end.get(..bytes) {
                // What is below the end may be cut to the same bytes as the end.
                Some(first) if end.len() > bytes => KeyRange::prefix(first).end().map(<[u8]>::to_vec),
                _ => Some(end.to_vec()),
            });
            KeyRange::new(start, end.flatten())
        };
        if self.ranges.iter().any(|range| range.start().len().max(range.end().map_or(0, <[u8]>::len)) > bytes) {
            self.ranges = self.ranges.iter().map(cut).collect();
            self.ranges.dedup();
        }
        self
    }
}

/// True if the bounds of a predicate are those of values as they are, not of the elements in them.
fn is_of_whole_values(predicate: &Predicate) -> bool {
    matches!(
        predicate,
        Predicate::Eq(_)
            | Predicate::In(_)
            | Predicate::Lt(_)
            | Predicate::Le(_)
            | Predicate::Gt(_)
            | Predicate::Ge(_)
            | Predicate::Between(..)
            | Predicate::StartsWith(_)
    )
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Below,
    Above,
}

/// The values of the class of `value` that are below or above it, and itself if `inclusive`.
fn compared(value: &Value, order: Order, side: Side, inclusive: bool) -> KeyRange {
    let class = key::class_range(value, order);
    let point = KeyRange::prefix(&encoded(value, order));
    let after = point.end().map(<[u8]>::to_vec);
    // In a descending index the values above come first.
    let first_part = (side == Side::Below) == (order == Order::Ascending);
    match (first_part, inclusive) {
        (true, true) => KeyRange::new([class.start], after),
        (true, false) => KeyRange::new([class.start], Some(point.start().to_vec())),
        (false, true) => KeyRange::new(point.start(), Some(vec![class.end])),
        (false, false) => KeyRange::new(after.unwrap_or_default(), Some(vec![class.end])),
    }
}

/// Every whole value, null included.
fn present(order: Order) -> KeyRange {
    match order {
        Order::Ascending => KeyRange::new([key::NULL], Some(vec![key::element_tag(order)])),
        Order::Descending => KeyRange::new([key::element_tag(order) + 1], Some(vec![!key::NULL + 1])),
    }
}

/// An element of an array; or a string, of which the index does not know what it contains.
fn contains(value: &Value, order: Order) -> Bounds {
    let elements = Bounds::points(vec![element(value, order)], true);
    if !matches!(value, Value::String(_)) {
        return elements;
    }
    let class = key::class_range(value, order);
    let mut ranges = elements.ranges;
    ranges.push(KeyRange::new([class.start], Some(vec![class.end])));
    ranges.sort_unstable_by(|a, b| a.start().cmp(b.start()));
    Bounds { ranges, points: false, exact: false }
}

fn encoded(value: &Value, order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    key::write_value(&mut bytes, value, order);
    bytes
}

fn element(value: &Value, order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    key::write_element(&mut bytes, value, order);
    bytes
}
