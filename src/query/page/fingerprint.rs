//! What tells a query from others, in few bytes that stay the same from run to run.

use blaze_core::key::{self, Order};
use blaze_core::{Filter, Path, Predicate, Value};

use crate::query::sort::Sort;

/// The fingerprint of a collection, a filter and a sort. Operands that are equal are the same.
pub(super) fn of(collection: u32, filter: &Filter, sort: &[Sort]) -> u64 {
    let mut hash = Hash::default();
    hash.add(&collection.to_be_bytes());
    add_filter(&mut hash, filter);
    for key in sort {
        add_path(&mut hash, &key.path);
        hash.add(&[u8::from(key.order == Order::Descending)]);
        if !key.is_bytewise() {
            let of = key.collation;
            hash.add(&[of.ignores_case(), of.ignores_accents(), of.is_numeric()].map(u8::from));
        }
    }
    hash.0
}

/// FNV-1a (Fowler, Noll and Vo) over parts with their lengths, so that no two lists of parts are the same bytes.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, part: &[u8]) {
        for byte in (part.len() as u64).to_be_bytes().iter().chain(part) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

fn add_filter(hash: &mut Hash, filter: &Filter) {
    let (name, parts): (&str, &[Filter]) = match filter {
        Filter::And(parts) => ("and", parts),
        Filter::Or(parts) => ("or", parts),
        Filter::Nor(parts) => ("nor", parts),
        Filter::Not(part) => ("not", std::slice::from_ref(part)),
        Filter::Field(path, predicate) => {
            add_path(hash, path);
            return add_predicate(hash, predicate);
        }
        other => return hash.add(format!("{other:?}").as_bytes()),
    };
    hash.add(name.as_bytes());
    hash.add(&(parts.len() as u64).to_be_bytes());
    parts.iter().for_each(|part| add_filter(hash, part));
}

fn add_path(hash: &mut Hash, path: &Path) {
    hash.add(&(path.segments().len() as u64).to_be_bytes());
    path.segments().iter().for_each(|segment| hash.add(segment.key().as_bytes()));
}

fn add_predicate(hash: &mut Hash, predicate: &Predicate) {
    hash.add(predicate.name().as_bytes());
    match predicate {
        Predicate::Eq(value)
        | Predicate::Ne(value)
        | Predicate::Lt(value)
        | Predicate::Le(value)
        | Predicate::Gt(value)
        | Predicate::Ge(value)
        | Predicate::Contains(value) => add_value(hash, value),
        Predicate::Between(low, high) => [low, high].into_iter().for_each(|value| add_value(hash, value)),
        Predicate::In(values) | Predicate::Nin(values) | Predicate::All(values) => {
            hash.add(&(values.len() as u64).to_be_bytes());
            values.iter().for_each(|value| add_value(hash, value));
        }
        Predicate::Exists(exists) => hash.add(&[u8::from(*exists)]),
        Predicate::StartsWith(prefix) => hash.add(prefix.as_bytes()),
        Predicate::Like(pattern) => hash.add(pattern.as_str().as_bytes()),
        Predicate::Regex(regex) => hash.add(regex.as_str().as_bytes()),
        Predicate::Size(length) => hash.add(&(*length as u64).to_be_bytes()),
        Predicate::ElemMatch(filter) => add_filter(hash, filter),
        other => hash.add(other.to_string().as_bytes()),
    }
}

fn add_value(hash: &mut Hash, value: &Value) {
    let mut encoding = Vec::new();
    key::write_value(&mut encoding, value, Order::Ascending);
    hash.add(&encoding);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use blaze_core::{Collation, field};

    use super::*;
    use crate::query::{asc, desc};

    #[test]
    fn queries_that_differ_in_anything_have_different_fingerprints() {
        let long = "x".repeat(200);
        let filters = [
            Filter::everything(),
            Filter::Or(Vec::new()),
            field("a").eq(1),
            field("a").ne(1),
            field("a").eq("1"),
            field("ab").eq(1),
            field("a.b").eq(1),
            !field("a").eq(1),
            field("a").eq(1).and(field("b").eq(2)),
            field("a").eq(1).or(field("b").eq(2)),
            field("a").eq(format!("{long}a")),
            field("a").eq(format!("{long}b")),
            field("a").between(1, 2),
            field("a").is_in([1, 2]),
            field("a").has_type(blaze_core::filter::TypeName::Int),
            field("a").has_type(blaze_core::filter::TypeName::Float),
        ];
        let collated = |collation: Collation| vec![asc("a").collation(collation)];
        let sorts = [
            vec![],
            vec![asc("a")],
            vec![desc("a")],
            vec![asc("a"), asc("b")],
            collated(Collation::new().ignore_case()),
            collated(Collation::new().numeric()),
        ];
        let mut seen = HashSet::new();
        for (filter, sort) in filters.iter().flat_map(|filter| sorts.iter().map(move |sort| (filter, sort))) {
            for collection in [2, 3] {
                assert!(seen.insert(of(collection, filter, sort)), "{filter} {sort:?}");
            }
        }
        assert_eq!(of(2, &field("a").eq(1), &[]), of(2, &field("a").eq(1.0), &[]), "equal operands are the same");
        let default = asc("a").collation(Collation::new());
        assert_eq!(of(2, &field("a").eq(1), &[default]), of(2, &field("a").eq(1), &[asc("a")]));
        assert_eq!(of(2, &Filter::everything(), &[]), 0x6680_9BD5_53FC_0937, "it must never change");
    }
}
