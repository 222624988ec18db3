use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::json::JsonForm;
use crate::schema::{
    FieldSchema, any, array, boolean, bytes, decimal, float, int, null, number, object, one_of, string, time, uuid,
    vector,
};
use crate::value::{Time, Value};
use crate::{field, limits};

fn text(schema: &Schema) -> String {
    JsonForm::Plain.write_document(&schema.to_json_schema().document).unwrap()
}

fn read(text: &str) -> Result<Schema> {
    Schema::from_json_schema(&JsonForm::Plain.read_document(text).unwrap())
}

/// A field `a` and nothing else.
fn of(field: &str) -> String {
    format!("{{\"type\":\"object\",\"properties\":{{\"a\":{field}}}}}")
}

#[test]
fn each_type_and_constraint_has_its_keywords_and_comes_back() {
    let cases = [
        (any(), "{}"),
        (null(), r#"{"type":"null"}"#),
        (boolean(), r#"{"type":"boolean"}"#),
        (int().between(1, 5), r#"{"type":"integer","minimum":1,"maximum":5}"#),
        (number().at_most(2.5), r#"{"type":"number","maximum":2.5}"#),
        (float(), r#"{"type":"number","blazeType":"float"}"#),
        (decimal(), r#"{"type":"string","blazeType":"decimal"}"#),
        (bytes(), r#"{"type":"string","contentEncoding":"base64","blazeType":"bytes"}"#),
        (time(), r#"{"type":"string","format":"date-time","blazeType":"time"}"#),
        (uuid().nullable(), r#"{"type":["string","null"],"format":"uuid","blazeType":"uuid"}"#),
        (
            vector().min_length(3).max_length(3),
            r#"{"type":"array","items":{"type":"number"},"blazeType":"vector","minItems":3,"maxItems":3}"#,
        ),
        (string().min_length(1).max_length(9), r#"{"type":"string","minLength":1,"maxLength":9}"#),
        (string().regex("^a"), r#"{"type":"string","pattern":"^a"}"#),
        (string().values(["x", "y"]), r#"{"type":"string","enum":["x","y"]}"#),
        (array(any()), r#"{"type":"array"}"#),
        (array(int()).min_length(1), r#"{"type":"array","items":{"type":"integer"},"minItems":1}"#),
        (
            object(Schema::new().required("b", int()).refuse_others()),
            r#"{"type":"object","properties":{"b":{"type":"integer"}},"required":["b"],"additionalProperties":false}"#,
        ),
        (one_of([string(), int()]), r#"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#),
        (any().values([Value::from(1), "x".into()]), r#"{"enum":[1,"x"]}"#),
    ];
    for (field, written) in cases {
        let schema = Schema::new().optional("a", field);
        let whole = format!("{{\"$schema\":\"{DRAFT}\",{}", &of(written)[1..]);
        assert_eq!(text(&schema), whole);
        assert_eq!(schema.to_json_schema().left_out, Vec::<String>::new(), "{written}");
        assert_eq!(read(&whole).unwrap(), schema, "{written}");
    }
    let closed = Schema::new().required("a", int()).refuse_others();
    assert!(text(&closed).contains(r#""_id":{}"#), "no schema refuses an id");
    assert_eq!(read(&text(&closed)).unwrap(), closed);
}

#[test]
fn what_json_schema_cannot_say_is_told() {
    let inner =
        Schema::new().optional("b", array(time().at_least(Time::from_micros(0)))).rule(field("b").exists(true), "b");
    let schema = Schema::new()
        .optional("a", object(inner))
        .optional("c", bytes().min_length(4))
        .optional("d", any().at_least(1).regex("x"))
        .rule(field("a").exists(true), "a is there");
    assert_eq!(
        schema.to_json_schema().left_out,
        [
            "a.b.[]: at least 1970-01-01T00:00:00Z",
            "a: rule: b (b exists)",
            "c: length at least 4",
            "d: at least 1",
            "d: matching \"x\"",
            "rule: a is there (a exists)",
        ]
    );
}

#[test]
fn what_a_schema_cannot_say_is_refused_where_it_stands() {
    let cases = [
        (r#"{"type":"array"}"#.to_owned(), "at /: a document is of the type \"object\""),
        (r#"{"anyOf":[]}"#.to_owned(), "at /: a schema cannot say \"anyOf\" of a whole document"),
        (r#"{"$ref":"x"}"#.to_owned(), "at /: a schema cannot say \"$ref\""),
        (r#"{"properties":[]}"#.to_owned(), "at /properties: an object is needed"),
        (r#"{"required":["a"],"additionalProperties":false}"#.to_owned(), "at /required: \"a\" is required"),
        (r#"{"required":"a"}"#.to_owned(), "at /required: an array of strings"),
        (r#"{"additionalProperties":{"type":"string"}}"#.to_owned(), "at /additionalProperties: a schema can say true"),
        (r#"{"properties":{"a/b~":7}}"#.to_owned(), "at /properties/a~1b~0: an object or true is needed"),
        (of("false"), "at /properties/a: a schema cannot say that nothing fits"),
        (of(r#"{"oneOf":[]}"#), "at /properties/a: a schema cannot say \"oneOf\""),
        (
            of(r#"{"minLength":1}"#),
            "at /properties/a: \"minLength\" needs the type \"string\", and no other, beside it",
        ),
        (of(r#"{"type":["string","integer"],"minimum":1}"#), "\"minimum\" needs the type \"integer\" or \"number\""),
        (of(r#"{"type":"text"}"#), "at /properties/a/type: it is one or several of null"),
        (of(r#"{"type":"string","minLength":-1}"#), "at /properties/a/minLength: an integer"),
        (of(r#"{"type":"integer","minimum":"x"}"#), "at /properties/a/minimum: a number is needed"),
        (of(r#"{"type":"string","pattern":"("}"#), "at /properties/a/pattern: "),
        (of(r#"{"type":"string","blazeType":"float"}"#), "blazeType: float needs the type \"number\" beside it"),
        (of(r#"{"type":"string","blazeType":"text"}"#), "blazeType: it is one of float"),
        (of(r#"{"anyOf":[{"type":"string"}],"type":"string"}"#), "a schema cannot say \"type\" beside \"anyOf\""),
        (of(r#"{"anyOf":[{"not":{}}]}"#), "at /properties/a/anyOf/0: a schema cannot say \"not\""),
        (of(r#"{"anyOf":[]}"#), "no alternatives"),
        (of(r#"{"enum":[]}"#), "at /properties/a/enum: a schema cannot say that nothing fits"),
        (
            of(r#"{"type":"array","items":{"items":true}}"#),
            "at /properties/a/items: \"items\" needs the type \"array\"",
        ),
        (of(r#"{"type":"string","minLength":2,"maxLength":1}"#), "the least length 2 is above the greatest"),
    ];
    for (text, reason) in cases {
        let error = read(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(error.to_string().starts_with("JSON Schema") && error.to_string().contains(reason), "{text}: {error}");
    }
    let deep = |levels: usize| {
        of(&(0..levels).fold("true".to_owned(), |inner, _| format!("{{\"type\":\"array\",\"items\":{inner}}}")))
    };
    assert!(read(&deep(limits::SCHEMA_DEPTH_MAX - 1)).is_ok());
    assert_eq!(read(&deep(limits::SCHEMA_DEPTH_MAX + 1)).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn what_others_write_is_read() {
    let text = r#"{
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Film", "type": "object",
        "properties": {
            "title": {"type": "string", "description": "as in the credits", "default": ""},
            "kind": {"const": "film"},
            "size": {"type": ["integer", "string"]},
            "note": {"type": ["string", "null"], "enum": ["a", "b"]},
            "extra": true
        },
        "required": ["title", "year"], "additionalProperties": {}
    }"#;
    let expected = Schema::new()
        .required("title", string())
        .optional("kind", any().values(["film"]))
        .optional("size", one_of([int(), string()]))
        .optional("note", string().values(["a", "b"]))
        .optional("extra", any())
        .required("year", any());
    assert_eq!(read(text).unwrap(), expected);
}

fn small() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any_int().prop_map(Value::from),
        Just(Value::from(1.5)),
        Just(Value::from(true)),
        prop::sample::select(vec!["", "a", "ab", "b"]).prop_map(Value::from),
        Just(Value::from(Time::from_micros(0))),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec(("[ab]", inner), 0..3)
                .prop_map(|entries| Value::Map(entries.into_iter().collect::<Document>())),
        ]
    })
}

fn any_int() -> impl Strategy<Value = i64> {
    0..4_i64
}

fn fields() -> impl Strategy<Value = FieldSchema> {
    let leaf = prop_oneof![
        Just(any()),
        Just(null()),
        Just(boolean()),
        any_int().prop_map(|least| int().at_least(least)),
        any_int().prop_map(|most| number().at_most(most)),
        Just(float()),
        Just(time()),
        (0..3_usize).prop_map(|least| string().min_length(least)),
        Just(string().regex("a")),
        Just(string().values(["a", "b"])),
        Just(any().values([Value::from(1), "a".into(), Value::Null])),
    ];
    let leaf = (leaf, prop::bool::ANY).prop_map(|(field, nullable)| if nullable { field.nullable() } else { field });
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_usize).prop_map(|(element, most)| array(element).max_length(most)),
            prop::collection::vec(inner.clone(), 1..3).prop_map(one_of),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| one_of(all).nullable()),
            schemas_of(inner).prop_map(object),
        ]
    })
}

fn schemas_of(fields: impl Strategy<Value = FieldSchema>) -> impl Strategy<Value = Schema> {
    (prop::collection::vec((fields, prop::bool::ANY), 0..3), prop::bool::ANY).prop_map(|(fields, refuses)| {
        let named = fields.into_iter().zip(["a", "b", "c"]);
        let schema = named.fold(Schema::new(), |schema, ((field, required), name)| match required {
            true => schema.required(name, field),
            false => schema.optional(name, field),
        });
        if refuses { schema.refuse_others() } else { schema }
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_as_a_schema_that_the_same_documents_fit(
        schema in schemas_of(fields()),
        documents in prop::collection::vec(prop::collection::vec(("[abc]", small()), 0..4), 0..12),
    ) {
        let written = schema.to_json_schema();
        prop_assert_eq!(&written.left_out, &Vec::<String>::new());
        let text = JsonForm::Plain.write_document(&written.document).unwrap();
        let again = read(&text).unwrap();
        for entries in documents {
            let document: Document = entries.into_iter().collect();
            let fits = |schema: &Schema| schema.violations(&document).is_empty();
            prop_assert_eq!(fits(&again), fits(&schema), "{:?}\n{}\n{}\n{}", document, schema, text, again);
        }
    }

    #[test]
    fn arbitrary_documents_never_panic(entries in prop::collection::vec(("type|enum|items|properties|anyOf|required", small()), 0..4)) {
        let document: Document = entries.into_iter().collect();
        if let Ok(schema) = Schema::from_json_schema(&document) {
            schema.validate().unwrap();
        }
        let _ = Schema::from_json_schema(&Document::new().with("properties", Document::new().with("a", document)));
    }
}
