//! Whether a filter implies another: every document that matches the one matches the other.
//!
//! It is decided term by term and errs on one side: what is not seen is not implied. One term implies another on the same path
//! if every value that satisfies the one satisfies the other. Two terms together imply no more than each of them: where a path
//! fans out, different values may satisfy them.

use std::cell::Cell;

use blaze_core::filter::TypeName;
use blaze_core::{Document, Filter, Path, Predicate, Value};

/// Pairs of parts that are compared at most; filters that take more imply nothing that was not seen by then.
const COMPARISONS_MAX: usize = 10_000;

/// True if every document that matches `filter` is seen to match `other`.
pub(crate) fn implies(filter: &Filter, other: &Filter) -> bool {
    Comparison { left: Cell::new(COMPARISONS_MAX) }.implies(filter, other)
}

struct Comparison {
    left: Cell<usize>,
}

impl Comparison {
    fn implies(&self, filter: &Filter, other: &Filter) -> bool {
        let Some(left) = self.left.get().checked_sub(1) else { return false };
        self.left.set(left);
        if filter == other {
            return true;
        }
        match (filter, other) {
            (_, Filter::And(parts)) => parts.iter().all(|part| self.implies(filter, part)),
            (Filter::Or(parts), _) => parts.iter().all(|part| self.implies(part, other)),
            (Filter::And(parts), Filter::Or(others)) => {
                parts.iter().any(|part| self.implies(part, other))
                    || others.iter().any(|other| self.implies(filter, other))
            }
            (Filter::And(parts), _) => parts.iter().any(|part| self.implies(part, other)),
            (_, Filter::Or(others)) => others.iter().any(|other| self.implies(filter, other)),
            (Filter::Field(path, predicate), Filter::Field(other_path, other)) if path == other_path => {
                term_implies(predicate, other)
            }
            _ => false,
        }
    }
}

/// True if every document in which some value of a path satisfies `term` matches `other` on that path.
fn term_implies(term: &Predicate, other: &Predicate) -> bool {
    match (term, other) {
        // The terms of which no value must be accepted.
        (Predicate::Exists(false), Predicate::Ne(_) | Predicate::Nin(_) | Predicate::Exists(false)) => true,
        (Predicate::Ne(value), Predicate::Ne(other)) => value == other,
        (Predicate::Ne(value), Predicate::Nin(others)) => others.iter().all(|other| other == value),
        (Predicate::Nin(values), Predicate::Ne(other)) => values.contains(other),
        (Predicate::Nin(values), Predicate::Nin(others)) => others.iter().all(|other| values.contains(other)),
        (Predicate::Ne(_) | Predicate::Nin(_) | Predicate::Exists(false), _)
        | (_, Predicate::Ne(_) | Predicate::Nin(_) | Predicate::Exists(false)) => false,
        (_, Predicate::Exists(true)) => true,
        (Predicate::Eq(value), _) => accepts(other, value),
        (Predicate::In(values), _) => values.iter().all(|value| accepts(other, value)),
        (_, Predicate::Between(low, high)) => {
            term_implies(term, &Predicate::Ge(low.clone())) && term_implies(term, &Predicate::Le(high.clone()))
        }
        (Predicate::StartsWith(prefix), Predicate::StartsWith(other)) => prefix.starts_with(other.as_str()),
        (Predicate::StartsWith(_) | Predicate::Like(_) | Predicate::Regex(_), Predicate::Type(TypeName::String)) => {
            true
        }
        (Predicate::All(_) | Predicate::Size(_) | Predicate::ElemMatch(_), Predicate::Type(TypeName::Array)) => true,
        (Predicate::All(values), Predicate::Contains(other)) => values.contains(other),
        (Predicate::All(values), Predicate::All(others)) => others.iter().all(|other| values.contains(other)),
        _ => term == other || Limits::of(term).is_some_and(|limits| limits.imply(other)),
    }
}

/// Whether a value and all that are equal to it satisfy a predicate that some value must satisfy.
fn accepts(predicate: &Predicate, value: &Value) -> bool {
    match predicate {
        // Equal numbers may be of different types.
        Predicate::Type(name) if *name != TypeName::Number && TypeName::Number.includes(value) => return false,
        Predicate::ElemMatch(_) => return false,
        _ => {}
    }
    let term = Filter::Field(Path::from("v"), predicate.clone());
    term.matches(&Document::new().with("v", value.clone()))
}

/// What a comparison confines values to, within one class; each limit with whether it is included.
struct Limits<'a> {
    low: Option<(&'a Value, bool)>,
    high: Option<(&'a Value, bool)>,
}

impl<'a> Limits<'a> {
    fn of(predicate: &'a Predicate) -> Option<Limits<'a>> {
        Some(match predicate {
            Predicate::Lt(value) => Limits { low: None, high: Some((value, false)) },
            Predicate::Le(value) => Limits { low: None, high: Some((value, true)) },
            Predicate::Gt(value) => Limits { low: Some((value, false)), high: None },
            Predicate::Ge(value) => Limits { low: Some((value, true)), high: None },
            Predicate::Between(low, high) => Limits { low: Some((low, true)), high: Some((high, true)) },
            _ => return None,
        })
    }

    /// True if all values within the limits satisfy a comparison, or are of a type.
    fn imply(&self, other: &Predicate) -> bool {
        let above = |limit: &Value, or_equal: bool| {
            self.low.is_some_and(|(low, included)| {
                low.comparable(limit) && (low > limit || (low == limit && (or_equal || !included)))
            })
        };
        let below = |limit: &Value, or_equal: bool| {
            self.high.is_some_and(|(high, included)| {
                high.comparable(limit) && (high < limit || (high == limit && (or_equal || !included)))
            })
        };
        match other {
            Predicate::Lt(limit) => below(limit, false),
            Predicate::Le(limit) => below(limit, true),
            Predicate::Gt(limit) => above(limit, false),
            Predicate::Ge(limit) => above(limit, true),
            // Only numbers are of several types in one class.
            Predicate::Type(name) => self.low.or(self.high).is_some_and(|(limit, _)| {
                name.includes(limit) && (*name == TypeName::Number || !TypeName::Number.includes(limit))
            }),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use blaze_core::field;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn scalar() -> impl Strategy<Value = Value> {
        let hard = [Value::Null, 1.0.into(), 0.5.into(), f64::NAN.into(), "a".into(), "ab".into(), true.into()];
        prop_oneof![3 => (0..4_i64).prop_map(Value::from), 2 => select(hard.to_vec())]
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![4 => scalar(), 1 => vec(scalar(), 0..3).prop_map(Value::Array)]
    }

    fn predicate() -> impl Strategy<Value = Predicate> {
        prop_oneof![
            3 => value().prop_map(Predicate::Eq),
            1 => value().prop_map(Predicate::Ne),
            1 => value().prop_map(Predicate::Lt),
            1 => value().prop_map(Predicate::Le),
            1 => value().prop_map(Predicate::Gt),
            1 => value().prop_map(Predicate::Ge),
            2 => (scalar(), scalar()).prop_map(|(low, high)| Predicate::Between(low, high)),
            2 => vec(value(), 0..3).prop_map(Predicate::In),
            1 => vec(value(), 0..3).prop_map(Predicate::Nin),
            2 => any::<bool>().prop_map(Predicate::Exists),
            1 => select(TypeName::ALL.to_vec()).prop_map(Predicate::Type),
            1 => "[ab]{0,2}".prop_map(Predicate::StartsWith),
            1 => "[ab%]{0,2}".prop_map(|like| Predicate::Like(like.into())),
            1 => scalar().prop_map(Predicate::Contains),
            1 => vec(scalar(), 0..3).prop_map(Predicate::All),
            1 => (0..3_usize).prop_map(Predicate::Size),
        ]
    }

    fn filter() -> impl Strategy<Value = Filter> {
        let term = (select(vec!["a", "b.c"]), predicate()).prop_map(|(path, term)| Filter::Field(path.into(), term));
        term.prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                2 => vec(inner.clone(), 0..3).prop_map(Filter::And),
                2 => vec(inner.clone(), 0..3).prop_map(Filter::Or),
                1 => vec(inner.clone(), 0..2).prop_map(Filter::Nor),
                1 => inner.prop_map(|inner| Filter::Not(Box::new(inner))),
            ]
        })
    }

    /// Documents whose paths reach no value, one or several.
    fn document() -> impl Strategy<Value = Document> {
        let inner = || proptest::option::of(value());
        let map = |c: Option<Value>| c.map_or_else(Document::new, |c| Document::new().with("c", c));
        let b = prop_oneof![
            inner().prop_map(move |c| map(c).into()),
            vec(inner(), 0..3).prop_map(move |all| { all.into_iter().map(map).collect::<Value>() })
        ];
        (proptest::option::of(value()), b).prop_map(|(a, b)| {
            let document = Document::new().with("b", b);
            a.map_or(document.clone(), |a| document.with("a", a))
        })
    }

    static IMPLIED: AtomicU64 = AtomicU64::new(0);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_implied_holds_in_every_match(
            filter in filter(),
            other in filter(),
            more in filter(),
            documents in vec(document(), 1..20),
        ) {
            let stronger = other.clone().and(more.clone());
            prop_assert!(implies(&stronger, &other), "{} does not imply {}", stronger, other);
            for (filter, other) in [(&filter, &other), (&other, &filter), (&stronger, &more)] {
                if implies(filter, other) {
                    IMPLIED.fetch_add(1, Ordering::Relaxed);
                    for document in &documents {
                        let holds = !filter.matches(document) || other.matches(document);
                        prop_assert!(holds, "{} and not {}: {:?}", filter, other, document);
                    }
                }
            }
        }

        #[test]
        fn a_term_implies_only_what_every_value_satisfies(term in predicate(), other in predicate(), values in vec(value(), 20)) {
            let (term, other) = (Filter::Field("a".into(), term), Filter::Field("a".into(), other));
            if implies(&term, &other) {
                for value in values {
                    let document = Document::new().with("a", value);
                    prop_assert!(!term.matches(&document) || other.matches(&document), "{} and not {}: {:?}", term, other, document);
                }
            }
        }
    }

    #[test]
    fn common_implications_are_seen() {
        let state = || field("state");
        let implied = [
            (state().eq("open").and(field("due").lt(9)), state().eq("open")),
            (state().eq("open"), state().is_in(["open", "held"])),
            (state().is_in(["open"]), state().exists(true)),
            (field("n").gt(5), field("n").ge(5)),
            (field("n").between(5, 7), field("n").gt(4)),
            (field("n").ge(5.5), field("n").gt(5)),
            (field("n").lt(5).or(field("n").eq(5)), field("n").le(5)),
            (field("n").ge(5), field("n").has_type(TypeName::Number)),
            (state().starts_with("op"), state().starts_with("o")),
            (state().eq("x"), Filter::everything()),
            (state().not_in(["x", "y"]), state().ne("x")),
        ];
        for (filter, other) in implied {
            assert!(implies(&filter, &other), "{filter} implies {other}");
        }
        let not_implied = [
            (field("n").ge(5), field("n").gt(5)),
            (field("n").ge(5).and(field("n").le(7)), field("n").between(5, 7)),
            (field("n").ge(5), field("n").has_type(TypeName::Int)),
            (field("n").eq(1), field("n").ne(2)),
            (field("n").eq(1.0), field("n").has_type(TypeName::Float)),
            (state().ne("x"), state().exists(true)),
            (Filter::everything(), state().exists(true)),
            (field("n").lt("a"), field("n").lt(5)),
        ];
        for (filter, other) in not_implied {
            assert!(!implies(&filter, &other), "{filter} does not imply {other}");
        }
    }

    #[test]
    fn filters_that_take_long_to_compare_imply_nothing() {
        let wide = |n: i64| Filter::Or((0..200).map(|k| field("a").eq(1_000 * n + k)).collect());
        let many = Filter::And((0..100).map(wide).collect());
        assert!(!implies(&many, &Filter::Or((0..100).map(|k| field("a").eq(-k - 1)).collect())));
    }
}
