use proptest::prelude::*;

use super::{any, *};
use crate::error::ErrorKind;
use crate::value::{Value, strategy};
use crate::{field, from_value, to_value};

fn said(schema: &Schema, document: &Document) -> Vec<String> {
    schema.violations(document).iter().map(Violation::to_string).collect()
}

fn one(schema: FieldSchema, value: impl Into<Value>) -> String {
    said(&Schema::new().required("a", schema), &Document::new().with("a", value)).join("; ")
}

#[test]
fn every_constraint_says_where_it_fails_and_why() {
    let none: Vec<Value> = Vec::new();
    let cases = [
        (one(string(), 7), "a: expected string, found int 7"),
        (one(string(), "x"), ""),
        (one(int(), 1.0), "a: expected int, found float 1.0"),
        (one(number(), 1.0), ""),
        (one(any(), Value::Null), ""),
        (one(int(), Value::Null), "a: expected int, found null"),
        (one(int().nullable(), Value::Null), ""),
        (one(int().nullable(), "x"), "a: expected int or null, found string \"x\""),
        (one(string().min_length(2), "ü"), "a: expected length of at least 2, found 1"),
        (one(string().max_length(1), "üü"), "a: expected length of at most 1, found 2"),
        (one(array(any()).min_length(1), none.clone()), "a: expected length of at least 1, found 0"),
        (one(vector().max_length(1), [1.0_f32, 2.0]), "a: expected length of at most 1, found 2"),
        (one(int().between(1, 5), 6), "a: expected at most 5, found int 6"),
        (one(int().at_least(1), 0), "a: expected at least 1, found int 0"),
        (one(any().at_least(1), "x"), "a: expected at least 1, found string \"x\""),
        (one(string().regex("^[a-z]+$"), "X"), "a: expected a match of \"^[a-z]+$\", found string \"X\""),
        (one(string().values(["x", "y"]), "z"), "a: expected one of [\"x\", \"y\"], found string \"z\""),
        (one(one_of([string(), int()]), 1.5), "a: expected string or int, found float 1.5"),
        (one(one_of([string().min_length(3), int()]), "abc"), ""),
        (
            one(array(array(int())), vec![Value::from(vec![Value::from("x")])]),
            "a.0.0: expected int, found string \"x\"",
        ),
        (one(object(Schema::new()), none), "a: expected map, found array of 0 elements"),
        (one(boolean(), Document::new()), "a: expected bool, found map of 0 fields"),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
}

#[test]
fn missing_additional_and_contradicting_fields_are_named() {
    let schema = Schema::new()
        .required("a", int())
        .optional("b", object(Schema::new().required("c", string()).refuse_others()))
        .rule(field("a").lt(10), "a below ten");
    let document = Document::new().with("b", Document::new().with("d", 1)).with("e", 1);
    let expected = [
        "a: expected int, found nothing",
        "b.c: expected string, found nothing",
        "b.d: expected no such field, found int 1",
        "expected a below ten, found what does not match a < 10",
    ];
    assert_eq!(said(&schema, &document), expected);
    assert_eq!(schema.check(&document).unwrap_err().kind(), ErrorKind::Invalid);
    let text = "a: int\nb: map, optional\n  c: string\n  no other fields\nrule: a below ten (a < 10)\n";
    assert_eq!(schema.to_string(), text);
}

#[test]
fn no_more_is_told_than_the_limit_allows() {
    let schema = Schema::new().required("a", array(int()));
    let document = Document::new().with("a", vec![Value::Null; 1_000]);
    assert_eq!(schema.violations(&document).len(), crate::limits::VIOLATIONS_MAX);
}

#[test]
fn a_schema_that_is_not_well_formed_is_refused() {
    let refused = [
        (Schema::new().required("a", int()).optional("a", int()), "declares the field \"a\" twice"),
        (Schema::new().required("a", int().between(2, 1)), "nothing is between 2 and 1"),
        (Schema::new().required("a", int().between(2, "x")), "nothing is between 2 and \"x\""),
        (Schema::new().required("a", int().at_least(Value::Null)), "null is no bound"),
        (Schema::new().required("a", string().min_length(2).max_length(1)), "least length 2 is above"),
        (Schema::new().required("a", string().regex("(")), "field \"a\": unclosed group"),
        (Schema::new().required("a", one_of([])), "no alternatives"),
        (Schema::new().rule(field("a..b").eq(1), "x"), "rule \"x\""),
    ];
    for (schema, reason) in refused {
        let error = schema.validate().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_deepest_and_widest_schema_can_be_kept() {
    let nested = |levels: usize| {
        (1..levels).fold(Schema::new().required("a", int()), |inner, _| Schema::new().required("a", object(inner)))
    };
    let deepest = nested(SCHEMA_DEPTH_MAX);
    deepest.validate().unwrap();
    assert_eq!(from_value::<Schema>(to_value(&deepest).unwrap()).unwrap(), deepest);
    assert_eq!(nested(SCHEMA_DEPTH_MAX + 1).validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
    let wide = |fields| (0..fields).fold(Schema::new(), |schema, n: usize| schema.optional(n.to_string(), any()));
    wide(SCHEMA_FIELDS_MAX).validate().unwrap();
    assert_eq!(wide(SCHEMA_FIELDS_MAX + 1).validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn what_is_kept_says_the_same() {
    let schema = Schema::new()
        .required("a", one_of([string().regex("x").values(["x"]), int().between(1, 2.5), array(time()).max_length(3)]))
        .optional("b", object(Schema::new().required("c", uuid()).refuse_others()).nullable())
        .rule(field("a").exists(true).or(field("b.c").eq(1)), "some");
    let kept: Schema = from_value(to_value(&schema).unwrap()).unwrap();
    assert_eq!(kept, schema);
    assert_eq!(kept.to_string(), schema.to_string());
}

#[test]
fn inference_tells_types_presence_and_ranges() {
    let mut inferred = InferredSchema::default();
    let cast =
        |names: &[&str]| names.iter().map(|name| Document::new().with("name", *name).into()).collect::<Vec<Value>>();
    inferred.observe(&Document::new().with("title", "Solaris").with("year", 1972).with("cast", cast(&["a", "b"])));
    inferred.observe(&Document::new().with("year", 1979.5).with("title", "Stalker").with("cast", cast(&[])));
    inferred.observe(&Document::new().with("title", Value::Null).with("cast", vec![Value::from(Document::new())]));
    let text = "3 documents\n\
        title      null or string, such as \"Solaris\"\n\
        year       float or int, in 2 of 3, 1972 to 1979.5\n\
        cast       array of map\n\
        cast.name  string, in 2 of 3, such as \"a\"\n";
    assert_eq!(inferred.to_string(), text);
    let schema = "title: string or null\nyear: number, optional\ncast: array of map\n  name: string, optional\n";
    assert_eq!(inferred.to_schema().to_string(), schema);
}

proptest! {
    #[test]
    fn documents_fit_the_schema_inferred_from_them(
        values in prop::collection::vec(prop::collection::vec(("[abc]", strategy::value()), 0..4), 1..8),
    ) {
        let documents: Vec<Document> = values.into_iter().map(|entries| entries.into_iter().collect()).collect();
        let mut inferred = InferredSchema::default();
        documents.iter().for_each(|document| inferred.observe(document));
        let schema = inferred.to_schema();
        schema.validate().unwrap();
        for document in &documents {
            prop_assert_eq!(said(&schema, document), Vec::<String>::new(), "{}", schema);
        }
        let kept: Schema = from_value(to_value(&schema).unwrap()).unwrap();
        prop_assert_eq!(kept, schema);
    }
}
