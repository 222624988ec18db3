//! Tests of updates on documents.

use proptest::prelude::*;

use super::{Update, inc, set, unset};
use crate::document::Document;
use crate::error::ErrorKind;
use crate::path::Path;
use crate::traverse;
use crate::value::{Decimal, Value};

fn document() -> Document {
    let reel = Document::new().with("minutes", 80);
    Document::new()
        .with("title", "Solaris")
        .with("views", 5)
        .with("none", ())
        .with("tags", vec![Value::from("sf"), Value::from("classic")])
        .with("reels", vec![Value::from(reel)])
        .with("director", Document::new().with("name", "Tarkovsky"))
}

/// The document after the update, which must change it.
#[track_caller]
fn changed(update: &Update) -> Document {
    let mut document = document();
    assert!(update.apply(&mut document).unwrap(), "{update:?} changed nothing");
    document
}

#[track_caller]
fn holds(document: &Document, path: &str, expected: impl Into<Value>) {
    let found = traverse::get(document, &Path::from(path));
    assert_eq!(format!("{found:?}"), format!("{:?}", Some(&expected.into())), "at {path} of {document:?}");
}

#[track_caller]
fn unchanged(update: &Update) {
    let mut document = document();
    assert!(!update.apply(&mut document).unwrap(), "{update:?} claims a change");
    assert_eq!(format!("{document:?}"), format!("{:?}", self::document()));
}

#[track_caller]
fn refused(update: &Update, kind: ErrorKind, message: &str) {
    let mut document = document();
    let error = update.apply(&mut document).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    assert_eq!(format!("{document:?}"), format!("{:?}", self::document()), "a failed update left traces");
}

#[test]
fn set_replaces_in_place_and_creates_missing_maps() {
    let document = changed(&set("title", "Stalker").set("director.born.year", 1932).set("a.0.b", true));
    holds(&document, "title", "Stalker");
    holds(&document, "director.born.year", 1932);
    holds(&document, "a", Document::new().with("0", Document::new().with("b", true)));
    assert_eq!(document.keys().next(), Some("title"));
}

#[test]
fn set_addresses_elements_and_appends_at_the_length() {
    let document = changed(&set("tags.0", "space").set("tags.2", "ussr").set("reels.1.minutes", 87));
    holds(&document, "tags", ["space", "classic", "ussr"].map(Value::from).to_vec());
    holds(&document, "reels.1.minutes", 87);
    let message = "set tags.4: index 4 is beyond an array of length 2";
    refused(&set("tags.4", "x"), ErrorKind::Invalid, message);
    let message = r#"set tags.first: step "first" meets an array, which needs an index"#;
    refused(&set("tags.first", "x"), ErrorKind::Invalid, message);
}

#[test]
fn a_step_into_a_scalar_is_refused() {
    let message = r#"set title.de: step "title" leads to a string, which has no fields"#;
    refused(&set("title.de", "x"), ErrorKind::Invalid, message);
    let message = r#"inc none.a.b: step "none" leads to a null, which has no fields"#;
    refused(&inc("none.a.b", 1), ErrorKind::Invalid, message);
    let message = r#"unset tags.0.x: step "0" leads to a string, which has no fields"#;
    refused(&unset("tags.0.x"), ErrorKind::Invalid, message);
}

#[test]
fn setting_what_is_there_changes_nothing_unless_it_reads_back_differently() {
    unchanged(&set("title", "Solaris").set("views", 5).set("reels", document().get("reels").cloned()));
    holds(&changed(&set("views", 5.0)), "views", 5.0);
    let zeros = Document::new().with("zero", 0.0);
    let mut changing = zeros.clone();
    assert!(set("zero", -0.0).apply(&mut changing).unwrap());
    assert!(!set("zero", 0.0).apply(&mut zeros.clone()).unwrap());
}

#[test]
fn unset_removes_fields_and_is_content_if_they_are_missing() {
    let document = changed(&unset("title").unset("director.name").unset("reels.0.minutes"));
    assert_eq!(document.keys().next(), Some("views"));
    holds(&document, "director", Document::new());
    holds(&document, "reels", vec![Value::from(Document::new())]);
    unchanged(&unset("missing").unset("director.x.y").unset("reels.7.minutes"));
    refused(&unset("tags.0"), ErrorKind::Invalid, "unset tags.0: element 0 of an array cannot be unset, only set");
}

#[test]
fn inc_starts_from_zero_and_keeps_the_type() {
    holds(&changed(&inc("views", 2)), "views", 7);
    holds(&changed(&inc("views", -7)), "views", -2);
    holds(&changed(&inc("stats.likes", 3)), "stats.likes", 3);
    holds(&changed(&inc("tags.2", 3)), "tags.2", 3);
    holds(&changed(&inc("views", 0.5)), "views", 5.5);
    holds(&changed(&inc("likes", 0)), "likes", 0);
    unchanged(&inc("views", 0));
}

#[test]
fn inc_wants_numbers() {
    refused(&inc("title", 1), ErrorKind::Invalid, r#"inc title: "Solaris" is a string, not a number"#);
    refused(&inc("none", 1), ErrorKind::Invalid, "inc none: null is a null, not a number");
    refused(&inc("views", "1"), ErrorKind::Invalid, r#"inc views: "1" is a string, not a number"#);
}

#[track_caller]
fn sum(left: impl Into<Value>, right: impl Into<Value>) -> Result<String, String> {
    let mut document = Document::new().with("n", left);
    let done = inc("n", right).apply(&mut document);
    done.map(|_| format!("{:?}", document.get("n").unwrap())).map_err(|error| error.to_string())
}

#[test]
fn integers_use_both_ranges_and_never_wrap() {
    assert_eq!(sum(i64::MAX, 1).unwrap(), "UInt(9223372036854775808)");
    assert_eq!(sum(u64::MAX, -1).unwrap(), "UInt(18446744073709551614)");
    assert_eq!(sum(1_u64 << 63, -1).unwrap(), "Int(9223372036854775807)");
    assert_eq!(sum(u64::MAX, i64::MIN).unwrap(), "Int(9223372036854775807)");
    let message = "inc n: 18446744073709551615 + 1 is outside the range of its type";
    assert_eq!(sum(u64::MAX, 1).unwrap_err(), message);
    assert!(sum(i64::MIN, -1).is_err());
}

#[test]
fn decimals_stay_exact() {
    let decimal = |negative, coefficient, scale| Value::Decimal(Decimal::new(negative, coefficient, scale).unwrap());
    let same = |value: Value| format!("{value:?}");
    assert_eq!(sum(decimal(false, 150, 2), decimal(false, 5, 1)).unwrap(), same(decimal(false, 200, 2)));
    assert_eq!(sum(decimal(false, 150, 2), -2).unwrap(), same(decimal(true, 50, 2)));
    assert_eq!(sum(-2, decimal(false, 250, 2)).unwrap(), same(decimal(false, 50, 2)));
    assert_eq!(sum(decimal(true, 5, 1), decimal(false, 5, 1)).unwrap(), same(decimal(false, 0, 1)));
    assert!(sum(decimal(false, u128::MAX, 0), 1).unwrap_err().contains("is outside the range"));
    assert!(sum(decimal(false, 1, 38), 1000).is_err());
    assert!(sum(decimal(false, 15, 1), 0.5).unwrap_err().contains("mixes a decimal and a float"));
}

#[test]
fn overlapping_changes_are_refused() {
    for update in [set("a", 1).inc("a", 1), set("a.b", 1).unset("a"), set("a", 1).set("a0", 2).unset("a.b.c")] {
        let error = update.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().starts_with("two changes overlap in one update: a"), "{error}");
    }
    set("a.b", 1).set("a.c", 2).set("ab", 3).validate().unwrap();
}

#[test]
fn a_failed_change_undoes_those_before_it() {
    let message = r#"inc title: "Solaris" is a string, not a number"#;
    refused(&set("views", 9).unset("none").and(inc("title", 1)), ErrorKind::Invalid, message);
}

#[test]
fn nesting_is_limited() {
    let nest = |levels: usize| (0..levels).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
    set("a.b", nest(98)).validate().unwrap();
    let message = "set a.b: value nests the document deeper than 100 levels";
    refused(&set("a.b", nest(99)), ErrorKind::LimitExceeded, message);
    set(Path::from_keys(vec!["a"; 100]), 1).validate().unwrap();
    assert_eq!(set(Path::from_keys(vec!["a"; 101]), 1).validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(set("a..b", 1).validate().unwrap_err().to_string(), r#"set a..b: path "a..b" has an empty step"#);
}

#[test]
fn an_empty_update_changes_nothing() {
    unchanged(&Update::default());
}

proptest! {
    #[test]
    fn what_is_set_is_there_and_what_is_unset_is_gone(steps in proptest::collection::vec("[abc01]", 1..5), number: i64) {
        let path = Path::from_keys(steps);
        let mut document = Document::new();
        prop_assert!(set(&path, number).apply(&mut document).unwrap());
        prop_assert_eq!(traverse::get(&document, &path).and_then(Value::as_i64), Some(number));
        prop_assert!(!set(&path, number).apply(&mut document).unwrap());
        prop_assert!(unset(&path).apply(&mut document).unwrap());
        prop_assert!(traverse::get(&document, &path).is_none());
    }

    #[test]
    fn integer_sums_are_exact_or_refused(left in any::<i64>(), right in any::<u64>(), swap: bool) {
        let (l, r) = (Value::from(left), Value::from(right));
        let (l, r) = if swap { (r, l) } else { (l, r) };
        let exact = i128::from(left) + i128::from(right);
        match sum(l, r) {
            Ok(text) => prop_assert!(text.contains(&format!("({exact})")), "{} is not {}", text, exact),
            Err(_) => prop_assert!(exact > i128::from(u64::MAX) || exact < i128::from(i64::MIN)),
        }
    }
}
