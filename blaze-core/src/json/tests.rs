use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::value::strategy;
use crate::value::{Decimal, Time, Vector};

/// Equality that tells types, signs of zero and orders of keys apart; all NaN are one.
fn exactly(value: &Value) -> String {
    format!("{value:?}").replace("-NaN", "NaN")
}

#[test]
fn every_type_has_its_spelling() {
    let extended = |value: Value| JsonForm::Extended.write(&value).unwrap();
    let plain = |value: Value| JsonForm::Plain.write(&value).unwrap();
    let time: Time = "1972-05-13T00:00:00Z".parse().unwrap();
    let decimal: Decimal = "1.50".parse().unwrap();
    let both = [
        (Value::from(1), "1", "1"),
        (Value::from(u64::MAX), "18446744073709551615", "18446744073709551615"),
        (Value::from(1.0), "1.0", "1.0"),
        (Value::from(-0.0), "-0.0", "-0.0"),
        (Value::from(1e22), "1e+22", "1e+22"),
        (Value::from(f64::NAN), r#"{"$float":"NaN"}"#, "null"),
        (Value::from(f64::NEG_INFINITY), r#"{"$float":"-Infinity"}"#, "null"),
        (Value::from(decimal), r#"{"$decimal":"1.50"}"#, r#""1.50""#),
        (Value::from([0_u8, 255]), r#"{"$bytes":"AP8="}"#, r#""AP8=""#),
        (Value::from(time), r#"{"$time":"1972-05-13T00:00:00Z"}"#, r#""1972-05-13T00:00:00Z""#),
        (Value::from([1.0_f32]), r#"{"$vector":{"f32":"AACAPw=="}}"#, "[1.0]"),
        (Value::from(Vector::Bits(vec![1])), r#"{"$vector":{"bits":"AQ=="}}"#, "[1,0,0,0,0,0,0,0]"),
        (Value::from(Document::new().with("$a", 1).with("b$", 2)), r#"{"$$a":1,"b$":2}"#, r#"{"$a":1,"b$":2}"#),
    ];
    for (value, as_extended, as_plain) in both {
        assert_eq!(extended(value.clone()), as_extended);
        assert_eq!(plain(value.clone()), as_plain);
        assert_eq!(exactly(&JsonForm::Extended.read(as_extended).unwrap()), exactly(&value));
    }
}

#[test]
fn the_plain_form_takes_any_key_as_it_is() {
    let text = r#"{"$schema":"x","$time":1,"a":{"$uuid":"no"}}"#;
    let document = JsonForm::Plain.read_document(text).unwrap();
    assert_eq!(document.get("$time"), Some(&Value::Int(1)));
    assert_eq!(JsonForm::Plain.write_document(&document).unwrap(), text);
}

#[test]
fn what_is_not_valid_is_refused_with_its_place_and_the_reason() {
    let refused = [
        ("", "line 1, column 1: EOF while parsing a value"),
        ("[1,]", "line 1, column 4: trailing comma"),
        ("{\"a\":\n 01}", "line 2, column 3: invalid number"),
        ("1 2", "line 1, column 3: trailing characters"),
        (r#"{"a":1,"b":2,"a":3}"#, "the key \"a\" comes twice"),
        (r#"{"$time":"yesterday"}"#, "\"yesterday\" is not an RFC 3339 time"),
        (r#"{"$time":5}"#, "expected a string"),
        (r#"{"$float":"1"}"#, "\"1\" is neither \"NaN\""),
        (r#"{"$set":{"a":1}}"#, "\"$set\" is no type that values have: as a field it is \"$$set\""),
        (r#"{"a":1,"$time":"x"}"#, "\"$time\" stands beside other keys"),
        (r#"{"$uuid":"00000000-0000-0000-0000-000000000000","a":1}"#, "the key \"a\" follows \"$uuid\""),
        (r#"{"$vector":{"f32":"AAA="}}"#, "a vector of f32 has 2 bytes, no multiple of 4"),
        (r#"{"$vector":{"f64":"AAA="}}"#, "\"f64\" is no kind of vector"),
        (r#"{"$vector":{}}"#, "a vector has no kind"),
        (r#"{"$bytes":"?"}"#, "groups of 4"),
        ("1e999", "number out of range"),
        ("\"\u{1}\"", "control character"),
    ];
    for (text, reason) in refused {
        let error = JsonForm::Extended.read(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(error.to_string().contains(reason), "{text} gave: {error}");
    }
    let error = JsonForm::Plain.read_document_at("[]", 7).unwrap_err().to_string();
    assert_eq!(error, "line 7, column 1: expected an object, found a value of type array");
}

#[test]
fn nesting_is_limited_both_ways() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let deepest = JsonForm::Extended.read(&nested(NESTING_MAX)).unwrap();
    assert_eq!(JsonForm::Extended.write(&deepest).unwrap(), nested(NESTING_MAX));
    for text in [nested(NESTING_MAX + 1), "[".repeat(200_000), "{\"a\":".repeat(200_000)] {
        let error = JsonForm::Extended.read(&text).unwrap_err();
        assert!(text.len() > 1_000 || error.kind() == ErrorKind::LimitExceeded, "{error}");
    }
    let deeper = Value::Array(vec![deepest]);
    assert_eq!(JsonForm::Plain.write(&deeper).unwrap_err().kind(), ErrorKind::LimitExceeded);
    let deepest_vector = (0..NESTING_MAX).fold(Value::from([1.0_f32]), |inner, _| Value::Array(vec![inner]));
    let text = JsonForm::Extended.write(&deepest_vector).unwrap();
    assert_eq!(JsonForm::Extended.read(&text).unwrap(), deepest_vector);
}

proptest! {
    #[test]
    fn the_extended_form_round_trips(value in strategy::value()) {
        let text = JsonForm::Extended.write(&value).unwrap();
        prop_assert_eq!(exactly(&JsonForm::Extended.read(&text).unwrap()), exactly(&value), "{}", text);
    }

    #[test]
    fn keys_round_trip_whatever_they_begin_with(keys in prop::collection::vec("[$a]{0,4}", 0..4)) {
        let document: Document = keys.into_iter().map(|key| (key, 1)).collect();
        prop_assert_eq!(Document::from_json(&document.to_json().unwrap()).unwrap(), document);
    }

    #[test]
    fn the_plain_form_of_any_value_is_json(value in strategy::value()) {
        let text = JsonForm::Plain.write(&value).unwrap();
        let read = JsonForm::Plain.read(&text).unwrap();
        prop_assert_eq!(JsonForm::Plain.write(&read).unwrap(), text);
    }

    #[test]
    fn no_text_panics(text in r#"[\[\]{}$:,."a-z0-9\\ ]{0,40}"#) {
        let _ = JsonForm::Extended.read(&text);
        let _ = JsonForm::Plain.read(&text);
    }
}
