//! One test for each row of the table in the module's head, and the builders, checks and texts.

use super::{Filter, Predicate, Regex, TypeName, element, field};
use crate::document::Document;
use crate::error::ErrorKind;
use crate::limits::{FILTER_DEPTH_MAX, REGEX_BYTES_MAX};
use crate::path::Path;
use crate::value::{Decimal, Time, Value};

fn a(value: impl Into<Value>) -> Document {
    Document::new().with("a", value)
}

fn array<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Value {
    Value::Array(values.into_iter().map(Into::into).collect())
}

fn decimal(coefficient: u128, scale: u8) -> Value {
    Value::Decimal(Decimal::new(false, coefficient, scale).unwrap())
}

/// Two maps in an array: the path `runs.year` reaches 1990 and 2010.
fn two_runs() -> Document {
    Document::new().with("runs", array([Document::new().with("year", 1990), Document::new().with("year", 2010)]))
}

#[track_caller]
fn check(expected: bool, filter: &Filter, document: &Document) {
    assert_eq!(filter.matches(document), expected, "{filter} on {document:?}");
    filter.validate().unwrap();
}

#[track_caller]
fn yes(filter: Filter, document: &Document) {
    check(true, &filter, document);
}

#[track_caller]
fn no(filter: Filter, document: &Document) {
    check(false, &filter, document);
}

#[test]
fn a_path_that_reaches_several_values_matches_if_one_does() {
    let runs = two_runs();
    yes(field("runs.year").eq(2010), &runs);
    yes(field("runs.year").lt(2000), &runs);
    no(field("runs.year").eq(2000), &runs);
    yes(field("runs.1.year").eq(2010), &runs);
    no(field("runs.0.year").eq(2010), &runs);
}

#[test]
fn a_missing_field_matches_only_ne_nin_and_exists_false() {
    let empty = Document::new();
    yes(field("a").ne(1), &empty);
    yes(field("a").not_in([1, 2]), &empty);
    yes(field("a").exists(false), &empty);
    let others = [
        field("a").eq(()),
        field("a").lt(1),
        field("a").le(()),
        field("a").gt(1),
        field("a").ge(()),
        field("a").between((), 9),
        field("a").is_in([(), ()]),
        field("a").exists(true),
        field("a").has_type(TypeName::Null),
        field("a").starts_with(""),
        field("a").like("%"),
        field("a").regex(""),
        field("a").contains(()),
        field("a").all::<i64>([]),
        field("a").size(0),
        field("a").elem_match(Filter::everything()),
    ];
    for filter in others {
        no(filter, &empty);
    }
}

#[test]
fn null_is_a_value_and_not_a_missing_field() {
    yes(field("a").eq(()), &a(()));
    yes(field("a").exists(true), &a(()));
    yes(field("a").has_type(TypeName::Null), &a(()));
    yes(field("a").is_in([Value::Null, Value::from(1)]), &a(()));
    no(field("a").ne(()), &a(()));
    no(field("a").exists(false), &a(()));
    no(field("a").eq(()), &Document::new());
    no(field("a.b").exists(true), &a(()));
}

#[test]
fn empty_values_are_neither_null_nor_missing() {
    for empty in [Value::from(""), array::<Value>([]), Value::from(Document::new())] {
        yes(field("a").exists(true), &a(empty.clone()));
        yes(field("a").ne(()), &a(empty.clone()));
        yes(field("a").eq(empty.clone()), &a(empty));
    }
    no(field("a").eq(""), &a(array::<Value>([])));
}

#[test]
fn equality_ignores_the_type_of_a_number_and_takes_arrays_whole() {
    yes(field("a").eq(1), &a(1.0));
    yes(field("a").eq(decimal(100, 2)), &a(1));
    yes(field("a").eq(f64::NAN), &a(f64::NAN));
    yes(field("a").eq(0.0), &a(-0.0));
    yes(field("a").eq(array([1, 2])), &a(array([1, 2])));
    no(field("a").eq(1), &a(array([1, 2])));
    no(field("a").eq(array([2, 1])), &a(array([1, 2])));
    let (forth, back) = (Document::new().with("x", 1).with("y", 2), Document::new().with("y", 2).with("x", 1));
    yes(field("a").eq(forth), &a(back));
    no(field("a").eq("1"), &a(1));
}

#[test]
fn in_of_no_values_matches_nothing_and_nin_of_none_everything() {
    yes(field("a").is_in([1, 2]), &a(2.0));
    no(field("a").is_in::<i64>([]), &a(1));
    yes(field("a").not_in::<i64>([]), &a(1));
    no(field("a").not_in([1, 2]), &a(1));
}

#[test]
fn ne_matches_no_path_of_which_one_value_is_equal() {
    no(field("runs.year").ne(2010), &two_runs());
    yes(field("runs.year").ne(2000), &two_runs());
    no(field("runs.year").not_in([1990]), &two_runs());
}

#[test]
fn order_compares_only_within_one_class() {
    yes(field("a").gt(2000), &a(2000.5));
    yes(field("a").le(decimal(15, 1)), &a(1));
    yes(field("a").lt("b"), &a("a"));
    yes(field("a").lt(Time::from_micros(5)), &a(Time::from_micros(-5)));
    for filter in [field("a").gt(2000), field("a").lt(2000), field("a").ge(2000), field("a").le(2000)] {
        no(filter.clone(), &a("2001"));
        no(filter.clone(), &a(()));
        no(filter.clone(), &a(true));
        no(filter, &a(array([1, 3000])));
    }
}

#[test]
fn nan_is_below_every_number() {
    yes(field("a").lt(f64::NEG_INFINITY), &a(f64::NAN));
    yes(field("a").ge(f64::NAN), &a(f64::NAN));
    no(field("a").gt(1), &a(f64::NAN));
}

#[test]
fn between_includes_both_ends_and_holds_for_one_value() {
    yes(field("a").between(1, 3), &a(1));
    yes(field("a").between(1, 3), &a(3));
    no(field("a").between(1, 3), &a(4));
    no(field("a").between(3, 1), &a(2));
    no(field("a").between(1, "z"), &a(2));
    no(field("runs.year").between(2000, 2009), &two_runs());
    yes(field("runs.year").ge(2000).and(field("runs.year").le(2009)), &two_runs());
}

#[test]
fn type_goes_by_name_and_number_means_all_numbers() {
    for number in [Value::from(1), Value::from(u64::MAX), Value::from(1.5), decimal(1, 0)] {
        yes(field("a").has_type(TypeName::Number), &a(number));
    }
    yes(field("a").has_type(TypeName::Int), &a(u64::MAX));
    no(field("a").has_type(TypeName::Int), &a(1.0));
    no(field("a").has_type(TypeName::Number), &a("1"));
    yes(field("a").has_type("array".parse().unwrap()), &a(array([1])));
    for name in TypeName::ALL {
        assert_eq!(name.as_str().parse::<TypeName>().unwrap(), name);
    }
    assert_eq!("text".parse::<TypeName>().unwrap_err().to_string(), r#""text" names no type of values"#);
}

#[test]
fn text_operators_match_strings_only() {
    yes(field("a").starts_with("Sol"), &a("Solaris"));
    no(field("a").starts_with("sol"), &a("Solaris"));
    yes(field("a").regex("lar"), &a("Solaris"));
    no(field("a").regex("^lar"), &a("Solaris"));
    yes(field("a").regex("(?i)^SOL"), &a("Solaris"));
    for filter in [field("a").starts_with(""), field("a").like("%"), field("a").regex("")] {
        no(filter.clone(), &a(1));
        no(filter.clone(), &a(array(["x"])));
        no(filter, &a(vec![0_u8]));
    }
}

#[test]
fn like_knows_runs_single_characters_and_escapes() {
    yes(field("a").like("S%s"), &a("Solaris"));
    yes(field("a").like("S_laris"), &a("Solaris"));
    yes(field("a").like("____"), &a("naïf"));
    yes(field("a").like("a%b"), &a("a\nb"));
    no(field("a").like("Sol"), &a("Solaris"));
    yes(field("a").like(r"100\%"), &a("100%"));
    no(field("a").like(r"100\%"), &a("1000"));
    yes(field("a").like(r"a\\b"), &a(r"a\b"));
    yes(field("a").like("(a.b)*"), &a("(a.b)*"));
}

#[test]
fn contains_finds_elements_and_substrings() {
    yes(field("a").contains("Drama"), &a(array(["Crime", "Drama"])));
    yes(field("a").contains("ram"), &a("Drama"));
    no(field("a").contains("ram"), &a(array(["Drama"])));
    yes(field("a").contains(1.0), &a(array([1])));
    yes(field("a").contains(()), &a(array([Value::Null])));
    no(field("a").contains(1), &a("1"));
    no(field("a").contains(1), &a(1));
}

#[test]
fn all_wants_every_value_and_an_array() {
    yes(field("a").all([1, 2]), &a(array([3, 2, 1])));
    no(field("a").all([1, 4]), &a(array([3, 2, 1])));
    yes(field("a").all::<i64>([]), &a(array::<i64>([])));
    no(field("a").all::<i64>([]), &a(1));
}

#[test]
fn size_is_the_length_of_an_array() {
    yes(field("a").size(2), &a(array([1, 2])));
    yes(field("a").size(0), &a(array::<i64>([])));
    no(field("a").size(1), &a("x"));
}

#[test]
fn elem_match_wants_one_element_that_matches_everything() {
    let run = |year: i64, length: i64| Document::new().with("year", year).with("length", length);
    let document = a(array([run(1990, 50), run(2010, 90)]));
    yes(field("a").elem_match(field("year").gt(2000).and(field("length").gt(60))), &document);
    no(field("a").elem_match(field("year").lt(2000).and(field("length").gt(60))), &document);
    no(field("a").elem_match(field("year").exists(true)), &a(run(1990, 50)));
    no(field("a").elem_match(field("year").exists(true)), &a(array([1, 2])));
    yes(field("a").elem_match(field("year").exists(false)), &a(array([1, 2])));
    yes(field("a").elem_match(element().ge(80).and(element().lt(85))), &a(array([70, 84])));
    no(field("a").elem_match(element().ge(80).and(element().lt(85))), &a(array([70, 90])));
    yes(field("a").elem_match(element().contains(2)), &a(array([array([1]), array([2])])));
    no(field("a").elem_match(Filter::everything()), &a(array::<i64>([])));
}

#[test]
fn connectives_join_the_answers_of_their_parts() {
    let (odd, even) = (field("a").eq(1), field("a").eq(2));
    yes(odd.clone().or(even.clone()), &a(2));
    no(odd.clone().and(even.clone()), &a(1));
    yes(odd.clone().nor(even.clone()), &a(3));
    no(odd.clone().nor(even), &a(1));
    yes(!odd, &a(2));
    yes(Filter::everything(), &Document::new());
    no(Filter::Or(vec![]), &Document::new());
    yes(Filter::Nor(vec![]), &Document::new());
}

#[test]
fn chains_stay_flat_and_double_negation_cancels_out() {
    let chain = (0..1000).fold(Filter::everything(), |filter, number| filter.and(field("a").ne(number)));
    chain.validate().unwrap();
    assert_eq!(chain.conjuncts().count(), 1000);
    let chain = (0..1000).fold(field("a").eq(0), |filter, number| field("a").eq(number).or(filter));
    chain.validate().unwrap();
    assert_eq!(!!field("a").eq(1), field("a").eq(1));
}

#[test]
fn conjuncts_are_the_terms_that_must_hold() {
    let nested = Filter::And(vec![field("b").gt(2), Filter::And(vec![field("c").size(3)])]);
    let filter = Filter::And(vec![field("a").eq(1), nested, field("d").eq(4).or(field("e").eq(5)), !field("f").eq(6)]);
    let conjuncts: Vec<String> = filter.conjuncts().map(|(path, predicate)| format!("{path} {predicate}")).collect();
    assert_eq!(conjuncts, ["a = 1", "b > 2", "c size 3"]);
}

#[test]
fn filters_read_as_text() {
    let filter = field("year").ge(2015).and(field("genres").contains("Drama"));
    assert_eq!(filter.to_string(), r#"year >= 2015 and genres contains "Drama""#);
    let filter = field("a").eq(1).or(field("b").ne(()).and(!field("c").is_in(["x"]))).and(field("d").exists(false));
    assert_eq!(filter.to_string(), r#"(a = 1 or (b != null and not c in ["x"])) and d is missing"#);
    let filter = field("a").elem_match(element().gt(1.0).nor(field("x").like("%")));
    assert_eq!(filter.to_string(), r#"a elem_match (not (element > 1.0 or x like "%"))"#);
    assert_eq!(Filter::everything().to_string(), "everything");
    assert_eq!((!Filter::Or(vec![])).to_string(), "not nothing");
    assert_eq!(field("a").eq("x".repeat(100)).to_string(), format!("a = \"{}\"...", "x".repeat(80)));
    assert_eq!(
        field("a").is_in(0..18).to_string(),
        "a in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, and 2 more]"
    );
}

#[track_caller]
fn refused(filter: &Filter, kind: ErrorKind, message: &str) {
    let error = filter.validate().unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    let _ = filter.matches(&a("text"));
}

#[test]
fn errors_name_the_path_the_operator_and_the_value() {
    refused(&field("title").regex("("), ErrorKind::Invalid, r#"filter term title regex "(": unclosed group"#);
    let message = r#"filter term title like "a\\": pattern ends in \, which needs a character after it"#;
    refused(&field("title").like("a\\"), ErrorKind::Invalid, message);
    refused(&field("a..b").eq(1), ErrorKind::Invalid, r#"filter operator eq: path "a..b" has an empty step"#);
    refused(&element().eq(1), ErrorKind::Invalid, r#"filter operator eq: path "" has an empty step"#);
    let inner = field("a").elem_match(field("b").regex("["));
    refused(&inner, ErrorKind::Invalid, r#"filter term b regex "[": unclosed character class"#);
    assert!(!field("a").regex("(").matches(&a("(")), "an expression that does not compile matches nothing");
}

#[test]
fn patterns_are_limited_in_length_and_compiled_size() {
    let longest = "x".repeat(REGEX_BYTES_MAX);
    field("a").regex(longest.clone()).validate().unwrap();
    field("a").like(longest.clone()).validate().unwrap();
    for filter in [field("a").regex(longest.clone() + "x"), field("a").like(longest + "x")] {
        assert_eq!(filter.validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
    let message = r#"filter term a regex "(\\w{1000}){1000}": pattern needs more than 4194304 bytes once compiled"#;
    refused(&field("a").regex(r"(\w{1000}){1000}"), ErrorKind::LimitExceeded, message);
    field("a").regex("(".repeat(200) + &")".repeat(200)).validate().unwrap();
    assert!(field("a").regex("(".repeat(2000) + &")".repeat(2000)).validate().is_err(), "nested too deep");
}

#[test]
fn filters_that_are_too_deep_are_refused() {
    let nest = |levels: usize, wrap: fn(Filter) -> Filter| (0..levels).fold(field("a").eq(1), |inner, _| wrap(inner));
    let wraps: [fn(Filter) -> Filter; 5] = [
        |inner| Filter::And(vec![inner]),
        |inner| Filter::Or(vec![inner]),
        |inner| Filter::Nor(vec![inner]),
        |inner| Filter::Not(Box::new(inner)),
        |inner| field("a").elem_match(inner),
    ];
    for wrap in wraps {
        nest(FILTER_DEPTH_MAX, wrap).validate().unwrap();
        let message = "filter has more than 64 levels of and, or, not and elem_match";
        refused(&nest(FILTER_DEPTH_MAX + 1, wrap), ErrorKind::LimitExceeded, message);
        assert!(nest(1_000, wrap).validate().is_err());
    }
}

#[test]
fn values_that_are_nested_too_deep_are_refused() {
    let nest = |levels: usize| (0..levels).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
    field("a").eq(nest(100)).validate().unwrap();
    for filter in [field("a").eq(nest(101)), field("a").is_in([nest(101)]), field("a").between(1, nest(101))] {
        assert_eq!(filter.validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}

#[test]
fn patterns_are_equal_when_written_alike() {
    assert_eq!(Regex::new("a+"), Regex::new("a+"));
    assert_ne!(Regex::new("a+"), Regex::new("aa*"));
    assert_eq!(format!("{:?}", Predicate::Regex(Regex::new("a+"))), r#"Regex(Regex("a+"))"#);
    assert_eq!(Filter::Field(Path::from("a"), Predicate::Like("x".into())), field("a").like("x"));
}
