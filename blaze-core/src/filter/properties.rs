//! Laws of filters, on random filters and documents.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Filter, Pattern, Predicate, TypeName, element, field};
use crate::document::Document;
use crate::path::Path;
use crate::record::{Dictionary, Record, encode};
use crate::value::{Decimal, Value};

/// Few values, so that many of them meet.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..4_i64).prop_map(Value::from),
        select(vec![-0.0, 1.0, 2.5, f64::NAN, f64::INFINITY]).prop_map(Value::from),
        Just(Value::from(u64::MAX)),
        Just(Value::from(Decimal::new(false, 100, 2))),
        "[ab]{0,3}".prop_map(Value::from),
        Just(Value::from(vec![1_u8, 2])),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "0", "1"])
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((key(), inner), 0..3).prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

fn document() -> impl Strategy<Value = Document> {
    vec((key(), value()), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn path() -> impl Strategy<Value = Path> {
    vec(key(), 1..4).prop_map(Path::from_keys)
}

fn predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        value().prop_map(Predicate::Eq),
        value().prop_map(Predicate::Ne),
        scalar().prop_map(Predicate::Lt),
        scalar().prop_map(Predicate::Le),
        scalar().prop_map(Predicate::Gt),
        scalar().prop_map(Predicate::Ge),
        (scalar(), scalar()).prop_map(|(low, high)| Predicate::Between(low, high)),
        vec(value(), 0..3).prop_map(Predicate::In),
        vec(value(), 0..3).prop_map(Predicate::Nin),
        any::<bool>().prop_map(Predicate::Exists),
        select(TypeName::ALL.to_vec()).prop_map(Predicate::Type),
        "[ab]{0,2}".prop_map(Predicate::StartsWith),
        "[ab%_]{0,4}".prop_map(|like| Predicate::Like(like.into())),
        "[ab]{0,2}[*+?]?"
            .prop_filter("operators need an operand", |regex| !regex.starts_with(['*', '+', '?']))
            .prop_map(|regex| Predicate::Regex(regex.into())),
        value().prop_map(Predicate::Contains),
        vec(scalar(), 0..3).prop_map(Predicate::All),
        (0..4_usize).prop_map(Predicate::Size),
    ]
}

pub(super) fn filter() -> impl Strategy<Value = Filter> {
    let term = (path(), predicate()).prop_map(|(path, predicate)| Filter::Field(path, predicate));
    term.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 0..4).prop_map(Filter::Or),
            vec(inner.clone(), 0..4).prop_map(Filter::Nor),
            inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            (path(), inner).prop_map(|(path, inner)| field(path).elem_match(inner)),
            (path(), predicate()).prop_map(|(path, predicate)| {
                let Filter::Field(own, _) = element().exists(true) else { unreachable!("element() makes a term") };
                field(path).elem_match(Filter::Field(own, predicate))
            }),
        ]
    })
}

/// `like` by trying every length of every run.
fn like_naively(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        (['%', rest @ ..], _) => (0..=text.len()).any(|run| like_naively(rest, &text[run..])),
        (['_', rest @ ..], [_, tail @ ..]) => like_naively(rest, tail),
        (['\\', escaped, rest @ ..], [first, tail @ ..]) => escaped == first && like_naively(rest, tail),
        (['\\', ..] | ['_'], _) => false,
        ([character, rest @ ..], [first, tail @ ..]) => character == first && like_naively(rest, tail),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn raw_records_match_as_decoded_documents_do(filter in filter(), documents in vec(document(), 1..8)) {
        filter.validate().unwrap();
        let mut learnt = Dictionary::default();
        for document in &documents {
            learnt.learn(document);
            for dictionary in [&learnt, &Dictionary::default()] {
                let mut bytes = Vec::new();
                encode(document, dictionary, &mut bytes).unwrap();
                let raw = Record::open(&bytes, dictionary).unwrap().document();
                let (raw, naive) = (filter.matches_raw(&raw).unwrap(), filter.matches(document));
                prop_assert_eq!(raw, naive, "{} on {:?}", filter, document);
            }
        }
    }

    #[test]
    fn negations_are_exact(path in path(), operands in vec(value(), 0..3), document in document()) {
        let operand = operands.first().cloned().unwrap_or_default();
        let field = || field(path.clone());
        prop_assert_ne!(field().ne(operand.clone()).matches(&document), field().eq(operand).matches(&document));
        prop_assert_ne!(field().not_in(operands.clone()).matches(&document), field().is_in(operands).matches(&document));
        prop_assert_ne!(field().exists(false).matches(&document), field().exists(true).matches(&document));
    }

    #[test]
    fn connectives_follow_de_morgan(left in filter(), right in filter(), document in document()) {
        let matches = |filter: Filter| filter.matches(&document);
        let (a, b) = (matches(left.clone()), matches(right.clone()));
        prop_assert_eq!(matches(!left.clone()), !a);
        prop_assert_eq!(matches(left.clone().and(right.clone())), a && b);
        prop_assert_eq!(matches(left.clone().or(right.clone())), a || b);
        prop_assert_eq!(matches(left.clone().nor(right.clone())), !(a || b));
        prop_assert_eq!(matches(!(left.clone().and(right.clone()))), matches((!left.clone()).or(!right.clone())));
        prop_assert_eq!(matches(!(left.clone().or(right.clone()))), matches((!left).and(!right)));
    }

    #[test]
    fn conjuncts_hold_in_every_match(filter in filter(), document in document()) {
        for (path, predicate) in filter.conjuncts() {
            let term = Filter::Field(path.clone(), predicate.clone());
            prop_assert!(!filter.matches(&document) || term.matches(&document), "{} without {}", filter, term);
        }
    }

    #[test]
    fn between_is_ge_and_le_of_one_value(low in value(), high in value(), value in value()) {
        let between = Predicate::Between(low.clone(), high.clone()).accepts(&value);
        prop_assert_eq!(between, Predicate::Ge(low).accepts(&value) && Predicate::Le(high).accepts(&value));
    }

    #[test]
    fn le_is_lt_or_eq_within_one_class(operand in value(), value in value()) {
        let (lt, eq) = (Predicate::Lt(operand.clone()).accepts(&value), Predicate::Eq(operand.clone()).accepts(&value));
        prop_assert_eq!(Predicate::Le(operand.clone()).accepts(&value), lt || eq);
        let gt = Predicate::Gt(operand.clone()).accepts(&value);
        prop_assert_eq!(u8::from(lt) + u8::from(eq) + u8::from(gt), u8::from(value.comparable(&operand)));
    }

    #[test]
    fn like_matches_as_the_naive_matcher(pattern in r"([ab%_é.]|\\[ab%_\\]){0,6}", text in r"[ab%_é.\\\n]{0,6}") {
        let compiled = Pattern::new(pattern.clone());
        compiled.validate().unwrap();
        let (pattern, characters): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(compiled.is_match(&text), like_naively(&pattern, &characters));
    }

    #[test]
    fn every_filter_has_a_text(filter in filter()) {
        prop_assert!(!filter.to_string().is_empty());
    }
}
