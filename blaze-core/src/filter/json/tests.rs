//! Filters as documents: what is read, what is refused and where, and that what is written is read back.

use proptest::prelude::*;

use super::super::properties;
use crate::document::Document;
use crate::error::ErrorKind;
use crate::filter::{Filter, TypeName, element, field};
use crate::limits::FILTER_DEPTH_MAX;
use crate::path::Path;
use crate::value::Value;

fn document(json: &str) -> Document {
    serde_json::from_str(json).unwrap()
}

#[track_caller]
fn reads(json: &str, expected: &Filter) {
    let filter = Filter::from_document(&document(json)).unwrap();
    assert_eq!(format!("{filter:?}"), format!("{expected:?}"), "{json}");
}

/// That the document is read so, and the filter written so.
#[track_caller]
fn is(json: &str, filter: &Filter) {
    reads(json, filter);
    assert_eq!(format!("{:?}", filter.to_document()), format!("{:?}", document(json)));
}

#[track_caller]
fn refused(json: &str, message: &str) {
    let error = Filter::from_document(&document(json)).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Invalid, message));
}

#[test]
fn every_operator_has_its_form() {
    let a = || field("a");
    is(r#"{"a": 1}"#, &a().eq(1));
    is(r#"{"a": {"$ne": 1}}"#, &a().ne(1));
    is(r#"{"a": {"$lt": 1}}"#, &a().lt(1));
    is(r#"{"a": {"$lte": 1.5}}"#, &a().le(1.5));
    is(r#"{"a": {"$gt": "x"}}"#, &a().gt("x"));
    is(r#"{"a": {"$gte": null}}"#, &a().ge(()));
    is(r#"{"a": {"$between": [1, 2]}}"#, &a().between(1, 2));
    is(r#"{"a": {"$in": [1, "x"]}}"#, &a().is_in([Value::from(1), Value::from("x")]));
    is(r#"{"a": {"$nin": []}}"#, &a().not_in::<i64>([]));
    is(r#"{"a": {"$exists": false}}"#, &a().exists(false));
    is(r#"{"a": {"$type": "number"}}"#, &a().has_type(TypeName::Number));
    is(r#"{"a": {"$startsWith": "x"}}"#, &a().starts_with("x"));
    is(r#"{"a": {"$like": "x%"}}"#, &a().like("x%"));
    is(r#"{"a": {"$regex": "^x"}}"#, &a().regex("^x"));
    is(r#"{"a": {"$contains": [1]}}"#, &a().contains([1]));
    is(r#"{"a": {"$all": [1]}}"#, &a().all([1]));
    is(r#"{"a": {"$size": 3}}"#, &a().size(3));
    is(r#"{"a.b": {"$not": {"$gt": 1}}}"#, &!field("a.b").gt(1));
    is(r#"{"$nor": [{"a": 1}, {"a": 2}]}"#, &a().eq(1).nor(a().eq(2)));
    is(r#"{"$not": {"$or": [{"a": 1}, {}]}}"#, &!Filter::Or(vec![a().eq(1), Filter::everything()]));
}

#[test]
fn several_fields_and_operators_must_all_match() {
    is("{}", &Filter::everything());
    is(r#"{"a": {"$gte": 1, "$lt": 2}, "b": 3}"#, &field("a").ge(1).and(field("a").lt(2)).and(field("b").eq(3)));
    is(r#"{"a": {"$eq": 1, "$not": {"$size": 2}}}"#, &field("a").eq(1).and(!field("a").size(2)));
    reads(r#"{"a": {"$not": {"$gte": 1, "$lt": 2}}}"#, &!field("a").ge(1).and(field("a").lt(2)));
    is(r#"{"$and": [{"a": 1}, {"a": 2}]}"#, &field("a").eq(1).and(field("a").eq(2)));
    is(r#"{"$and": [{"a": 1}]}"#, &Filter::And(vec![field("a").eq(1)]));
    is(r#"{"a": 1, "$or": [{"b": 2}]}"#, &field("a").eq(1).and(Filter::Or(vec![field("b").eq(2)])));
}

#[test]
fn what_holds_no_operators_is_a_value() {
    is(r#"{"a": {}}"#, &field("a").eq(Document::new()));
    is(r#"{"a": {"b": {"$gt": 1}}}"#, &field("a").eq(Document::new().with("b", Document::new().with("$gt", 1))));
    is(r#"{"a": [{"$gt": 1}]}"#, &field("a").eq([Document::new().with("$gt", 1)]));
    is(r#"{"a": {"$eq": {"$gt": 1}}}"#, &field("a").eq(Document::new().with("$gt", 1)));
}

#[test]
fn operators_in_elem_match_are_of_the_element_and_fields_of_its_map() {
    is(
        r#"{"a": {"$elemMatch": {"$gte": 80, "$lt": 85}}}"#,
        &field("a").elem_match(element().ge(80).and(element().lt(85))),
    );
    is(r#"{"a": {"$elemMatch": {"$eq": 1}}}"#, &field("a").elem_match(element().eq(1)));
    is(
        r#"{"a": {"$elemMatch": {"b": 1, "$size": 2}}}"#,
        &field("a").elem_match(field("b").eq(1).and(element().size(2))),
    );
    let either = Filter::Or(vec![element().eq(1), !element().gt(5)]);
    is(r#"{"a": {"$elemMatch": {"$or": [{"$eq": 1}, {"$not": {"$gt": 5}}]}}}"#, &field("a").elem_match(either));
    reads(
        r#"{"a": {"$elemMatch": {"$regex": "x", "$options": "i"}}}"#,
        &field("a").elem_match(element().regex("(?i)x")),
    );
}

#[test]
fn paths_without_a_text_are_spelt_out() {
    let path = Path::from_keys(["a.b", "$c"]);
    is(r#"{"$field": {"keys": ["a.b", "$c"], "matches": {"$gt": 1}}}"#, &field(&path).gt(1));
    reads(r#"{"$field": {"keys": ["a"], "matches": {"$gt": 1, "$lt": 2}}}"#, &field("a").gt(1).and(field("a").lt(2)));
    refused(r#"{"$field": {"keys": []}}"#, "at $field: expected a map of keys and matches, found a map of 1");
    refused(r#"{"$field": {"keys": [1], "matches": {}}}"#, "at $field.keys[0]: expected a key, found the int 1");
    refused(
        r#"{"$field": {"keys": ["a"], "matches": 1}}"#,
        "at $field.matches: expected a map of operators, found the int 1",
    );
    refused(r#"{"$field": {"keys": [], "matches": {"$eq": 1}}}"#, r#"at $field.keys: path "" has an empty step"#);
    refused(r#"{"$field": {"key": ["a"]}}"#, r#"at $field: unknown entry "key"; did you mean "keys"?"#);
}

#[test]
fn options_become_flags_of_the_expression() {
    reads(r#"{"a": {"$regex": "^x", "$options": "i"}}"#, &field("a").regex("(?i)^x"));
    reads(r#"{"a": {"$options": "smi", "$regex": "x"}}"#, &field("a").regex("(?ims)x"));
    reads(r#"{"a": {"$regex": "x", "$options": ""}}"#, &field("a").regex("x"));
    refused(r#"{"a": {"$regex": "x", "$options": "ig"}}"#, "at a.$options: unknown option 'g'; known are i, m, s, x");
    refused(
        r#"{"a": {"$regex": "x", "$options": 1}}"#,
        "at a.$options: expected a string of the letters i, m, s and x, found the int 1",
    );
    refused(r#"{"a": {"$options": "i"}}"#, r#"at a: "$options" stands without "$regex""#);
}

#[test]
fn unknown_operators_are_named_with_their_place() {
    refused(
        r#"{"$or": [{"a": 1}, {"year": {"$gtt": 1}}]}"#,
        r#"at $or[1].year: unknown operator "$gtt"; did you mean "$gte"?"#,
    );
    refused(
        r#"{"a": {"$elemMatch": {"b.c": {"$not": {"$exist": true}}}}}"#,
        r#"at a.$elemMatch.b.c.$not: unknown operator "$exist"; did you mean "$exists"?"#,
    );
    let known = "known are $and, $or, $nor, $not, $field";
    refused(r#"{"$where": "true"}"#, &format!(r#"at the top level: unknown operator "$where"; {known}"#));
    refused(r#"{"$or": [{"$expr": {}}]}"#, &format!(r#"at $or[0]: unknown operator "$expr"; {known}"#));
    let message = Filter::from_document(&document(r#"{"a": {"$geoWithin": 1}}"#)).unwrap_err().to_string();
    assert!(message.starts_with(r#"at a: unknown operator "$geoWithin"; known are $eq, $ne, $lt"#), "{message}");
}

#[test]
fn misplaced_operators_are_told_where_they_belong() {
    refused(r#"{"$gt": 1}"#, r#"at the top level: operator "$gt" needs a field, as in {"field": {"$gt": ..}}"#);
    refused(r#"{"a": {"$or": []}}"#, r#"at a: operator "$or" stands in a field instead of beside it"#);
    refused(r#"{"a": {"$gt": 1, "b": 2}}"#, r#"at a: key "b" stands among operators, which begin with $"#);
    refused(r#"{"a": {"b": 2, "$gt": 1}}"#, r#"at a: key "b" stands among operators, which begin with $"#);
    refused(r#"{"a": {"$not": {}}}"#, "at a.$not: expected operators, found a map of 0");
}

#[test]
fn operands_of_the_wrong_type_are_named_with_what_is_expected() {
    for (json, message) in [
        (r#"{"a": {"$in": "x"}}"#, r#"at a.$in: expected an array, found the string "x""#),
        (r#"{"a": {"$between": [1]}}"#, "at a.$between: expected an array of two values, found the array [1]"),
        (r#"{"a": {"$between": 1}}"#, "at a.$between: expected an array of two values, found the int 1"),
        (r#"{"a": {"$exists": 1}}"#, "at a.$exists: expected true or false, found the int 1"),
        (r#"{"a": {"$size": -1}}"#, "at a.$size: expected an integer from 0, found the int -1"),
        (r#"{"a": {"$size": 1.0}}"#, "at a.$size: expected an integer from 0, found the float 1.0"),
        (r#"{"a": {"$like": null}}"#, "at a.$like: expected a string, found null"),
        (r#"{"a": {"$startsWith": {}}}"#, "at a.$startsWith: expected a string, found a map of 0"),
        (r#"{"a": {"$regex": true}}"#, "at a.$regex: expected a string, found the bool true"),
        (r#"{"a": {"$type": 2}}"#, "at a.$type: expected the name of a type, found the int 2"),
        (r#"{"a": {"$type": "strin"}}"#, r#"at a.$type: unknown type "strin"; did you mean "string"?"#),
        (r#"{"a": {"$elemMatch": 1}}"#, "at a.$elemMatch: expected a filter, found the int 1"),
        (r#"{"a": {"$not": 1}}"#, "at a.$not: expected a map of operators, found the int 1"),
        (r#"{"$not": 1}"#, "at $not: expected a filter, found the int 1"),
        (r#"{"$and": {}}"#, "at $and: expected an array of filters, found a map of 0"),
        (r#"{"$and": [{}, 5]}"#, "at $and[1]: expected a filter, found the int 5"),
        (r#"{"a": {"$regex": "("}}"#, "at a.$regex: unclosed group"),
        (r#"{"a..b": 1}"#, r#"at a..b: path "a..b" has an empty step"#),
        (r#"{"": 1}"#, r#"at "": path "" has an empty step"#),
    ] {
        refused(json, message);
    }
}

#[test]
fn depth_is_limited_and_named_with_its_place() {
    let nest = |levels: usize, wrap: fn(Document) -> Document| {
        (0..levels).fold(Document::new().with("a", 1), |inner, _| wrap(inner))
    };
    let wraps: [fn(Document) -> Document; 4] = [
        |inner| Document::new().with("$or", [inner]),
        |inner| Document::new().with("$not", inner),
        |inner| Document::new().with("a", Document::new().with("$elemMatch", inner)),
        |inner| Document::new().with("b", 1).with("$nor", [inner]),
    ];
    for wrap in &wraps[..3] {
        Filter::from_document(&nest(FILTER_DEPTH_MAX, *wrap)).unwrap();
    }
    for wrap in wraps {
        let error = Filter::from_document(&nest(FILTER_DEPTH_MAX + 1, wrap)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.to_string().starts_with("at "), "{error}");
        assert!(Filter::from_document(&nest(1_000, wrap)).is_err());
    }
    let deep = (0..101).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
    let error = Filter::from_document(&Document::new().with("a", Document::new().with("$gt", deep))).unwrap_err();
    assert_eq!(error.to_string(), "at a.$gt: value nests deeper than 100 levels");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_written_is_read_back(filter in properties::filter()) {
        let document = filter.to_document();
        let read = Filter::from_document(&document);
        prop_assert!(read.is_ok(), "{:?} of {}", read, filter);
        let read = read.unwrap();
        prop_assert_eq!(format!("{read:?}"), format!("{filter:?}"), "{:?}", document);
        prop_assert_eq!(read.to_document(), document);
    }

    #[test]
    fn any_document_is_read_or_refused_with_a_place(document in operators()) {
        match Filter::from_document(&document) {
            Ok(filter) => {
                prop_assert!(filter.validate().is_ok(), "{} is not valid", filter);
                let again = Filter::from_document(&filter.to_document()).unwrap();
                prop_assert_eq!(format!("{again:?}"), format!("{filter:?}"));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("at "), "{}", error),
        }
    }
}

/// Documents that look like filters, mostly.
fn operators() -> impl Strategy<Value = Document> {
    let keys = [
        "a",
        "b.c",
        "0",
        "$and",
        "$or",
        "$nor",
        "$not",
        "$field",
        "keys",
        "matches",
        "$eq",
        "$gte",
        "$in",
        "$between",
        "$exists",
        "$type",
        "$regex",
        "$options",
        "$size",
        "$elemMatch",
        "$what",
        "",
    ];
    let key = move || proptest::sample::select(keys.to_vec());
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..3_i64).prop_map(Value::from),
        proptest::sample::select(vec!["a", "int", "i", "("]).prop_map(Value::from),
    ];
    let value = scalar.prop_recursive(6, 32, 4, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            3 => proptest::collection::vec((key(), inner), 0..3)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    });
    let key = proptest::sample::select(keys.to_vec());
    proptest::collection::vec((key, value), 0..3).prop_map(|entries| entries.into_iter().collect())
}
