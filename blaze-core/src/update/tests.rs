//! Tests of updates on documents.

use proptest::prelude::*;

use super::{
    Push, Update, add_each_to_set, add_to_set, inc, max, min, mul, pop_first, pop_last, pull, pull_where, push,
    push_each, rename, set, set_now, set_on_insert, unset,
};
use crate::document::Document;
use crate::error::ErrorKind;
use crate::filter::{element, field};
use crate::limits::UPDATE_CHANGES_MAX;
use crate::path::Path;
use crate::traverse;
use crate::value::{Decimal, Time, Value};

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
    unchanged(&unset("missing").unset("director.x.y").unset("reels.7.minutes").unset("tags.2"));
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

#[test]
fn mul_keeps_the_type_and_makes_zero_of_what_is_missing() {
    holds(&changed(&mul("views", 3)), "views", 15);
    holds(&changed(&mul("views", 0.5)), "views", 2.5);
    holds(&changed(&mul("likes", 3)), "likes", 0);
    holds(&changed(&mul("likes", 3.5)), "likes", 0.0);
    holds(&changed(&mul("price", decimal("1.50"))), "price", decimal("0.00"));
    unchanged(&mul("views", 1));
    refused(&mul("title", 2), ErrorKind::Invalid, r#"mul title: "Solaris" is a string, not a number"#);
    refused(&mul("views", ()), ErrorKind::Invalid, "mul views: null is a null, not a number");
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

#[test]
fn products_never_wrap_and_never_round() {
    let product = |left: Value, right: Value| {
        let mut document = Document::new().with("n", left);
        let done = mul("n", right).apply(&mut document);
        done.map(|_| format!("{:?}", document.get("n").unwrap())).map_err(|error| error.to_string())
    };
    assert_eq!(product(i64::MAX.into(), 2.into()).unwrap(), "UInt(18446744073709551614)");
    assert_eq!(product(i64::MIN.into(), (-1).into()).unwrap(), "UInt(9223372036854775808)");
    let message = "mul n: 9223372036854775807 * 3 is outside the range of its type";
    assert_eq!(product(i64::MAX.into(), 3.into()).unwrap_err(), message);
    assert!(product(u64::MAX.into(), u64::MAX.into()).is_err(), "more than 128 bits with a sign");
    let same = |text: &str| format!("{:?}", decimal(text));
    assert_eq!(product(decimal("1.50"), decimal("-0.2")).unwrap(), same("-0.300"));
    assert_eq!(product(decimal("0.1"), 3.into()).unwrap(), same("0.3"));
    let (half, tenth) = (format!("0.5{}", "0".repeat(30)), format!("0.1{}", "0".repeat(30)));
    assert_eq!(product(decimal(&half), decimal(&tenth)).unwrap(), same("0.05"), "zeros at the end give way");
    assert!(product(decimal(&format!("0.{}1", "0".repeat(37))), decimal("0.1")).unwrap_err().contains("outside"));
    assert!(product(decimal("1.5"), 0.5.into()).unwrap_err().contains("mixes a decimal and a float"));
}

#[test]
fn min_and_max_compare_by_the_order_of_values() {
    holds(&changed(&min("views", 3)), "views", 3);
    holds(&changed(&max("views", 5.5)), "views", 5.5);
    holds(&changed(&min("likes", 3).max("dislikes", 4)), "likes", 3);
    holds(&changed(&max("none", 0)), "none", 0);
    holds(&changed(&max("views", "a string is above all numbers")), "views", "a string is above all numbers");
    holds(&changed(&min("views", ())), "views", ());
    unchanged(&min("views", 7).max("title", 9).min("none", 1));
    unchanged(&min("views", 5.0));
}

#[test]
fn push_appends_and_creates_and_wants_an_array() {
    holds(&changed(&push("tags", 1)), "tags", [Value::from("sf"), "classic".into(), 1.into()]);
    holds(&changed(&push("tags", ["x"])), "tags.2", ["x"]);
    holds(&changed(&push("new.list", 1)), "new.list", [1]);
    holds(&changed(&push_each("new", Vec::<Value>::new())), "new", Vec::<Value>::new());
    unchanged(&push_each("tags", Vec::<Value>::new()).push_each("reels", Push::default().keep_first(1)));
    refused(&push("title", 1), ErrorKind::Invalid, r#"push title: "Solaris" is a string, not an array"#);
    refused(&push("none", 1), ErrorKind::Invalid, "push none: null is a null, not an array");
}

#[test]
fn push_each_takes_a_place_and_a_bound() {
    let tags = |push: Push| changed(&push_each("tags", push)).get("tags").cloned();
    assert_eq!(tags(Push::new(["x", "y"]).at(0)), Some(Value::from(["x", "y", "sf", "classic"])));
    assert_eq!(tags(Push::new(["x"]).at(-1)), Some(Value::from(["sf", "x", "classic"])));
    assert_eq!(tags(Push::new(["x"]).at(99)), Some(Value::from(["sf", "classic", "x"])));
    assert_eq!(tags(Push::new(["x"]).at(i64::MIN).keep_first(2)), Some(Value::from(["x", "sf"])));
    assert_eq!(tags(Push::new(["x"]).keep_last(2)), Some(Value::from(["classic", "x"])));
    assert_eq!(tags(Push::default().keep_first(0)), Some(Value::Array(vec![])));
}

#[test]
fn pop_takes_one_element_from_either_end() {
    holds(&changed(&pop_first("tags")), "tags", ["classic"]);
    holds(&changed(&pop_last("tags")), "tags", ["sf"]);
    unchanged(&pop_first("missing").pop_last("director.list"));
    let mut empty = Document::new().with("a", Vec::<Value>::new());
    assert!(!pop_last("a").apply(&mut empty).unwrap());
    refused(&pop_first("none"), ErrorKind::Invalid, "pop_first none: null is a null, not an array");
}

#[test]
fn pull_removes_what_is_equal_or_matches() {
    holds(&changed(&pull("tags", "sf")), "tags", ["classic"]);
    holds(&changed(&pull_where("tags", element().starts_with("c"))), "tags", ["sf"]);
    holds(&changed(&pull_where("reels", field("minutes").gt(60))), "reels", Vec::<Value>::new());
    unchanged(&pull("tags", "x").pull("missing", 1).pull_where("reels", field("minutes").gt(100)));
    let mut numbers = Document::new().with("n", [Value::from(1), Value::from(1.0), Value::from(2)]);
    pull("n", 1).apply(&mut numbers).unwrap();
    holds(&numbers, "n", [2]);
    refused(&pull("title", 1), ErrorKind::Invalid, r#"pull title: "Solaris" is a string, not an array"#);
    let message = r#"pull_where tags: filter term element regex "(": unclosed group"#;
    refused(&pull_where("tags", element().regex("(")), ErrorKind::Invalid, message);
}

#[test]
fn add_to_set_adds_what_is_not_there() {
    holds(&changed(&add_to_set("tags", "ussr")), "tags", ["sf", "classic", "ussr"]);
    holds(&changed(&add_each_to_set("tags", ["x", "sf", "x"])), "tags", ["sf", "classic", "x"]);
    holds(&changed(&add_to_set("set", 1)), "set", [1]);
    unchanged(&add_to_set("tags", "sf"));
    unchanged(&add_each_to_set("tags", ["sf", "classic", "sf"]));
    refused(&add_to_set("views", 1), ErrorKind::Invalid, "add_to_set views: 5 is a int, not an array");
}

#[test]
fn rename_moves_a_value_and_replaces_what_is_there() {
    let document = changed(&rename("title", "name.original"));
    holds(&document, "name.original", "Solaris");
    assert!(!document.contains_key("title"));
    holds(&changed(&rename("views", "title")), "title", 5);
    holds(&changed(&rename("reels.0.minutes", "reels.0.length")), "reels.0.length", 80);
    unchanged(&rename("missing", "title").rename("director.x", "y"));
    let message = "rename tags.0 to tag: element 0 of an array cannot be renamed";
    refused(&rename("tags.0", "tag"), ErrorKind::Invalid, message);
    let message = r#"rename title to views.x: step "views" leads to a int, which has no fields"#;
    refused(&rename("title", "views.x"), ErrorKind::Invalid, message);
    let message = r#"rename tags.$[] to a: step "$[]" cannot stand in a rename"#;
    refused(&rename("tags.$[]", "a"), ErrorKind::Invalid, message);
    for update in [rename("a", "a"), rename("a", "a.b"), rename("a.b", "a"), rename("a", "b").set("b.c", 1)] {
        assert!(update.validate().unwrap_err().to_string().starts_with("two changes overlap"), "{update:?}");
    }
    let deep = (0..99).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
    let error = rename("a", "b.c").apply(&mut Document::new().with("a", deep)).unwrap_err();
    assert_eq!(error.to_string(), "rename a to b.c: value nests the document deeper than 100 levels");
}

#[test]
fn set_now_puts_down_the_time_it_is_given() {
    let now = Time::from_micros(1_700_000_000_000_000);
    let mut document = document();
    assert!(set_now("seen.last").apply_at(&mut document, now).unwrap());
    holds(&document, "seen.last", now);
    assert!(!set_now("seen.last").apply_at(&mut document, now).unwrap());
    refused(&set_now("seen"), ErrorKind::Invalid, "set_now seen: the time is needed here: use apply_at");
}

#[test]
fn set_on_insert_acts_only_where_a_document_is_inserted() {
    let update = set_on_insert("title", "Stalker").inc("views", 1);
    let now = Time::from_micros(0);
    holds(&changed(&update), "title", "Solaris");
    let mut fresh = Document::new().with("views", 1);
    assert!(update.insert_into(&mut fresh, now).unwrap());
    holds(&fresh, "title", "Stalker");
    holds(&fresh, "views", 2);
    assert!(!set_on_insert("title.x", 1).apply(&mut document()).unwrap(), "what is not done does not fail");
}

/// Three reels with a number each, and the names of those who saw them.
fn reels() -> Document {
    let reel = |minutes: i64| Document::new().with("minutes", minutes).with("seen", ["a", "b"]);
    Document::new().with("reels", [reel(20), reel(80), reel(95)])
}

#[track_caller]
fn minutes_after(update: &Update, expected: [i64; 3]) {
    let mut document = reels();
    update.apply(&mut document).unwrap();
    let minutes = |place: usize| traverse::get(&document, &Path::from(format!("reels.{place}.minutes"))).cloned();
    assert_eq!([0, 1, 2].map(minutes), expected.map(|minutes| Some(Value::from(minutes))), "{update:?}");
}

#[track_caller]
fn reels_refused(update: &Update, message: &str) {
    let mut document = reels();
    assert_eq!(update.apply(&mut document).unwrap_err().to_string(), message);
    assert_eq!(format!("{document:?}"), format!("{:?}", reels()), "a failed update left traces");
}

#[test]
fn every_element_or_those_that_match_are_changed() {
    minutes_after(&inc("reels.$[].minutes", 1), [21, 81, 96]);
    minutes_after(&inc("reels.$[long].minutes", 1).array_filter("long", field("minutes").gt(60)), [20, 81, 96]);
    let filters = |update: Update| {
        update.array_filter("long", field("minutes").gt(60)).array_filter("short", field("minutes").le(60))
    };
    minutes_after(&filters(set("reels.$[long].minutes", 10).set("reels.$[short].minutes", 70)), [70, 10, 10]);
    let mut document = reels();
    let update = pull_where("reels.$[].seen", element().eq("a")).push("reels.$[x].new", 1);
    update.array_filter("x", field("minutes").lt(50)).apply(&mut document).unwrap();
    holds(&document, "reels.2.seen", ["b"]);
    holds(&document, "reels.0.new", [1]);
    assert!(traverse::get(&document, &Path::from("reels.1.new")).is_none());
    let mut nested = reels();
    set("reels.$[].seen.$[x]", "c").array_filter("x", element().eq("a")).apply(&mut nested).unwrap();
    holds(&nested, "reels.1.seen", ["c", "b"]);
}

#[test]
fn elements_are_chosen_before_the_first_change() {
    let update = set("reels.$[x].minutes", 0).set("reels.$[x].cut", true).array_filter("x", field("minutes").eq(80));
    let mut document = reels();
    update.apply(&mut document).unwrap();
    holds(&document, "reels.1.cut", true);
}

#[test]
fn a_step_that_chooses_elements_wants_an_array() {
    let message = r#"set reels.$[].minutes.$[]: step "$[]" meets a int, which has no elements"#;
    reels_refused(&set("reels.$[].minutes.$[]", 1), message);
    reels_refused(&set("$[].a", 1), r#"set $[].a: step "$[]" meets the document itself, which has no elements"#);
    reels_refused(&set("none.$[].a", 1), r#"set none.$[].a: step "$[]" needs an array, and there is nothing"#);
    let message = r#"set reels.x.$[]: step "x" meets an array, which needs an index"#;
    reels_refused(&set("reels.x.$[]", 1), message);
    let message = "unset reels.0.seen.$[]: element 0 of an array cannot be unset, only set";
    reels_refused(&unset("reels.0.seen.$[]"), message);
    assert!(!unset("none.$[].a").pull("reels.7.seen.$[]", 1).apply(&mut reels()).unwrap());
}

#[test]
fn changes_that_may_meet_in_an_element_are_refused() {
    for update in [
        set("reels.$[].a", 1).set("reels.0.a", 2),
        set("reels.$[]", 1).set("reels.$[].a", 2),
        set("reels.$[x].a", 1).set("reels.$[].a.b", 2).array_filter("x", field("a").eq(1)),
        set("reels", 1).set("reels.$[].a", 1),
    ] {
        let error = update.validate().unwrap_err();
        assert!(error.to_string().starts_with("two changes overlap in one update: reels"), "{error}");
    }
    let long = || field("minutes").gt(60);
    let update = set("reels.$[x].a", 1).set("reels.$[y].a", 2).array_filter("x", long());
    update.clone().array_filter("y", field("minutes").lt(60)).apply(&mut reels()).unwrap();
    let message = "two changes overlap in one update: reels.$[x].a and reels.$[y].a both reach reels.2.a";
    reels_refused(&update.array_filter("y", field("minutes").eq(95)), message);
    let update = set("reels.$[x]", 1).set("reels.0.a", 2).array_filter("x", long());
    update.apply(&mut reels()).unwrap();
    let update = set("reels.$[x]", 1).rename("reels.1.seen", "reels.1.a").array_filter("x", long());
    let error = update.apply(&mut reels()).unwrap_err().to_string();
    assert!(error.starts_with("two changes overlap in one update: reels.$[x] and reels.1."), "{error}");
}

#[test]
fn array_filters_and_the_steps_that_name_them_go_together() {
    let used = || set("reels.$[x].a", 1);
    let message = r#"set reels.$[x].a: step "$[x]" has no array filter of its name"#;
    reels_refused(&used(), message);
    let x = || element().exists(true);
    reels_refused(&used().array_filter("x", x()).array_filter("y", x()), "array filter y is used by no path");
    let two = used().array_filter("x", x()).array_filter("x", field("a").eq(1));
    reels_refused(&two, "two array filters have the name x");
    used().array_filter("x", x()).and(set("b.$[x]", 1).array_filter("x", x())).validate().unwrap();
    let message = r#"array filter x: filter term a regex "(": unclosed group"#;
    reels_refused(&used().array_filter("x", field("a").regex("(")), message);
    let message = r#"array filter name "1x" is not made of letters, digits and _, a letter first"#;
    reels_refused(&set("reels.$[1x]", 1).array_filter("1x", x()), message);
}

#[test]
fn an_update_has_a_limited_number_of_changes() {
    let many = |count: usize| (0..count).fold(Update::default(), |update, n| update.set(format!("f{n}"), 1));
    many(UPDATE_CHANGES_MAX).validate().unwrap();
    let error = many(UPDATE_CHANGES_MAX + 1).validate().unwrap_err();
    assert_eq!(error.to_string(), "update has 1001 changes, the limit is 1000");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn an_update_chooses_a_limited_number_of_elements() {
    let row = || Value::Array(vec![Value::from(0); 1_000]);
    let mut document = Document::new().with("rows", (0..1_001).map(|_| row()).collect::<Value>());
    let error = inc("rows.$[].$[]", 1).apply(&mut document).unwrap_err();
    assert_eq!(error.to_string(), "inc rows.$[].$[]: the update chooses more than 1000000 elements");
}

#[test]
fn what_goes_into_arrays_is_limited_in_its_nesting() {
    let nest = |levels: usize| (0..levels).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
    push("a", nest(98)).validate().unwrap();
    for update in [push("a", nest(99)), add_to_set("a", nest(99)), max("a", nest(100)), set_on_insert("a", nest(100))] {
        assert_eq!(update.validate().unwrap_err().kind(), ErrorKind::LimitExceeded, "{update:?}");
    }
    let longest = Path::from_keys(vec!["a"; 100]);
    assert_eq!(push(&longest, 1).validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
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
