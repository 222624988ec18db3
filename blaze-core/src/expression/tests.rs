//! Expressions, case by case; on records as on documents.

use proptest::prelude::*;

use super::*;
use crate::document::Document;
use crate::error::ErrorKind;
use crate::key::{self, Order};
use crate::record::{Dictionary, Record, encode};
use crate::value::strategy::value;
use crate::value::{Decimal, Time};

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

fn time(text: &str) -> Value {
    Value::Time(text.parse::<Time>().unwrap())
}

fn of(expression: &Expression, document: &Document) -> Option<Value> {
    expression.evaluate(document).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn refusal(expression: &Expression, document: &Document) -> String {
    let error = expression.evaluate(document).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

#[test]
fn arithmetic_is_exact_or_an_error() {
    let cases: [(Expression, Value); 12] = [
        (literal(2) - literal(3), Value::from(-1)),
        (literal(u64::MAX) - literal(u64::MAX), Value::from(0)),
        (literal(i64::MAX) + literal(1), Value::from(1_u64 << 63)),
        (literal(1_u64 << 62) * 3, Value::from(3 * (1_u64 << 62))),
        (literal(6) / 4, Value::from(1.5)),
        (literal(1) - 0.5, Value::from(0.5)),
        (literal(decimal("0.30")) - literal(decimal("0.1")), decimal("0.2")),
        (literal(decimal("1.5")) * literal(decimal("1.5")), decimal("2.25")),
        (literal(decimal("1")) / 8, decimal("0.125")),
        (literal(decimal("1")) / 3, decimal("0.33333333333333333333333333333333333333")),
        (literal(decimal("2")) / 3, decimal("0.66666666666666666666666666666666666667")),
        (literal(decimal("-1")) / literal(decimal("0.01")), decimal("-100")),
    ];
    for (expression, expected) in cases {
        let value = of(&expression, &Document::new()).unwrap();
        assert_eq!((value.type_name(), &value), (expected.type_name(), &expected), "{expression}");
    }
    for (expression, reason) in [
        (literal(i64::MIN) - 1, "-9223372036854775808 - 1 is outside the range of its type"),
        (literal(u64::MAX) * literal(u64::MAX), "outside the range of its type"),
        (literal(1) / 0, "1 / 0 divides by zero"),
        (literal(1.5) / 0.0, "divides by zero"),
        (literal(decimal("1")) / 0, "divides by zero"),
        (literal(decimal("1")) * 0.5, "mixes a decimal and a float"),
        (literal("a") + 1, r#""a" is a string, not a number"#),
    ] {
        let told = refusal(&expression, &Document::new());
        assert!(told.contains(reason), "{expression} told: {told}");
    }
}

#[test]
fn missing_stays_missing_and_null_stays_null() {
    let document = Document::new().with("null", ()).with("text", "Abc").with("list", [1, 2, 3]);
    for make in [
        |operand: &str| path(operand) + 1,
        |operand: &str| literal(1) - path(operand),
        |operand: &str| concat([path("text"), path(operand)]),
        |operand: &str| path(operand).lower(),
        |operand: &str| path(operand).size(),
        |operand: &str| path(operand).year(),
        |operand: &str| time_bucket(operand, TimeUnit::Day),
    ] {
        assert_eq!(of(&make("missing"), &document), None, "{}", make("missing"));
        assert_eq!(of(&make("null"), &document), Some(Value::Null), "{}", make("null"));
    }
    assert_eq!(of(&(path("null") + path("missing")), &document), None, "missing counts more than null");
    assert_eq!(of(&concat([path("null"), path("missing")]), &document), None);
    assert_eq!(of(&coalesce([path("missing"), path("null")]), &document), Some(Value::Null));
    assert_eq!(of(&coalesce([path("null"), path("missing")]), &document), None);
    assert_eq!(of(&path("null").or(7), &document), Some(Value::from(7)));
    assert_eq!(of(&path("text").upper(), &document), Some(Value::from("ABC")));
    assert_eq!(of(&path("list").size(), &document), Some(Value::from(3)));
}

#[test]
fn what_does_not_fit_an_operation_is_named() {
    let document = Document::new().with("year", 1972);
    assert_eq!(refusal(&path("year").lower(), &document), "lower: 1972 is of type int, a string is needed");
    assert_eq!(refusal(&path("year").size(), &document), "size: 1972 is of type int, an array is needed");
    assert_eq!(refusal(&path("year").month(), &document), "month: 1972 is of type int, a time is needed");
    assert!(refusal(&concat(["year"]), &document).contains("concat: 1972"));
    let first = Document::new().with("at", Time::from_micros(i64::MIN));
    assert!(refusal(&time_bucket("at", TimeUnit::Year), &first).contains("before the first time"));
}

#[test]
fn only_the_chosen_branch_is_computed() {
    let document = Document::new().with("count", 0).with("total", 7);
    let mean = if_else(crate::field("count").eq(0), literal(0), path("total") / path("count"));
    assert_eq!(of(&mean, &document), Some(Value::from(0)));
}

#[test]
fn the_calendar_is_that_of_utc() {
    let at = |text: &str| Document::new().with("at", time(text));
    for (moment, unit, start) in [
        ("2024-02-29T23:59:59.5Z", TimeUnit::Second, "2024-02-29T23:59:59Z"),
        ("2024-02-29T23:59:59Z", TimeUnit::Minute, "2024-02-29T23:59:00Z"),
        ("2024-02-29T23:59:59Z", TimeUnit::Hour, "2024-02-29T23:00:00Z"),
        ("2024-02-29T23:59:59Z", TimeUnit::Day, "2024-02-29T00:00:00Z"),
        ("2024-03-03T23:59:59Z", TimeUnit::Week, "2024-02-26T00:00:00Z"),
        ("2024-03-04T00:00:00Z", TimeUnit::Week, "2024-03-04T00:00:00Z"),
        ("2024-02-29T23:59:59Z", TimeUnit::Month, "2024-02-01T00:00:00Z"),
        ("2024-12-31T23:59:59Z", TimeUnit::Quarter, "2024-10-01T00:00:00Z"),
        ("2024-12-31T23:59:59Z", TimeUnit::Year, "2024-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", TimeUnit::Hour, "1969-12-31T23:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", TimeUnit::Week, "1969-12-29T00:00:00Z"),
        ("-000001-03-15T12:00:00Z", TimeUnit::Year, "-000001-01-01T00:00:00Z"),
    ] {
        assert_eq!(of(&time_bucket("at", unit), &at(moment)), Some(time(start)), "{unit:?} of {moment}");
    }
    let moment = at("1969-07-20T20:17:40Z");
    let parts = [path("at").year(), path("at").month(), path("at").day(), path("at").hour(), path("at").weekday()];
    let values = parts.map(|part| of(&part, &moment).unwrap().as_i64().unwrap());
    assert_eq!(values, [1969, 7, 20, 20, 7], "a Sunday");
}

#[test]
fn a_bucket_is_the_boundary_below() {
    let of_year = |year: Value| of(&bucket("year", [1970, 1980, 1990]), &Document::new().with("year", year));
    for (year, expected) in [
        (Value::from(1969), None),
        (Value::from(1970), Some(1970)),
        (Value::from(1979.5), Some(1970)),
        (Value::from(1980), Some(1980)),
        (Value::from(1990), None),
        (Value::from("1985"), None),
        (Value::Null, None),
    ] {
        assert_eq!(of_year(year.clone()), expected.map(Value::from), "{year:?}");
    }
    assert_eq!(of(&bucket("year", [1970, 1980]).or("none"), &Document::new()), Some(Value::from("none")));
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let deep = (0..100).fold(path("a"), |inner, _| inner.lower());
    for (expression, reason) in [
        (path("a..b"), "empty step"),
        (bucket("a", [1]), "bucket has 1 boundaries, at least 2 are needed"),
        (bucket("a", [1, 1]), "do not ascend: 1 stands before 1"),
        (bucket("a", [Value::from(1), Value::from("b")]), "not of one type"),
        (bucket("a", 0..20_000), "the limit is 10000"),
        (concat(Vec::<Expression>::new()), "concat has no operand"),
        (if_else(crate::field("").eq(1), "a", "b"), "empty step"),
        (deep, "more than 64 levels"),
    ] {
        let error = expression.validate().unwrap_err().to_string();
        assert!(error.contains(reason), "told: {error}");
    }
}

#[test]
fn a_path_through_an_array_gathers_what_it_reaches() {
    let inner = |list: Value| Document::new().with("b", list);
    let flat = Document::new().with("a", vec![inner(1.into()), inner(2.into()), Document::new()]);
    assert_eq!(of(&path("a.b"), &flat), Some([1, 2].into()));
    assert_eq!(of(&path("a.1.b"), &flat), Some(2.into()));
    assert_eq!(of(&path("a.c"), &flat), Some(Value::Array(Vec::new())));
    assert_eq!(of(&path("b.c"), &flat), None);
    let nested =
        Document::new().with("a", vec![inner(vec![inner(1.into())].into()), inner(vec![inner(2.into())].into())]);
    assert_eq!(of(&path("a.b.b"), &nested), Some([1, 2].into()));
}

fn any_path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("0"), Just("1")], 1..4)
        .prop_map(|keys| keys.join("."))
}

fn document() -> impl Strategy<Value = Document> {
    let tree = value().prop_recursive(4, 24, 3, |inner| {
        let map = proptest::collection::vec((prop_oneof![Just("a"), Just("b"), Just("0")], inner.clone()), 0..3);
        prop_oneof![
            map.prop_map(|entries| Value::Map(entries.into_iter().collect())),
            proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    });
    proptest::collection::vec((prop_oneof![Just("a"), Just("b"), Just("0")], tree), 0..4)
        .prop_map(|entries| entries.into_iter().collect())
}

proptest! {
    #[test]
    fn a_record_gives_what_its_document_gives(document in document(), text in any_path(), learnt: bool) {
        let mut dictionary = Dictionary::default();
        if learnt {
            dictionary.learn(&document);
        }
        let mut bytes = Vec::new();
        encode(&document, &dictionary, &mut bytes).unwrap();
        let raw = Record::open(&bytes, &dictionary).unwrap().document();
        let expression = path(text.as_str());
        let expected = expression.evaluate(&document).unwrap();
        let found = expression.evaluate_in(Input::raw(raw)).unwrap().map(std::borrow::Cow::into_owned);
        prop_assert_eq!(&found, &expected);
        let (mut from_record, mut from_value) = (Vec::new(), Vec::new());
        expression.write_key(Input::raw(raw), &mut from_record).unwrap();
        match &expected {
            Some(value) => key::write_value(&mut from_value, value, Order::Ascending),
            None => key::write_missing(&mut from_value, Order::Ascending),
        }
        prop_assert_eq!(from_record, from_value);
        let kept: Document = document.iter().filter(|(key, _)| *key != "a").map(|(k, v)| (k, v.clone())).collect();
        prop_assert_eq!(raw.decode_fields(&|key| key != "a").unwrap(), kept);
    }

    #[test]
    fn damaged_records_never_panic(document in document(), text in any_path(), at: prop::sample::Index, byte: u8) {
        let dictionary = Dictionary::default();
        let mut bytes = Vec::new();
        encode(&document, &dictionary, &mut bytes).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let checksum = crc32fast::hash(&bytes[13..]).to_be_bytes();
        bytes[9..13].copy_from_slice(&checksum);
        if let Ok(record) = Record::open(&bytes, &dictionary) {
            let path = Path::from(text.as_str());
            let _ = record.document().reach(&path);
            let _ = record.document().write_key(&path, &mut Vec::new());
            let _ = record.document().decode_fields(&|_| true);
        }
    }
}
