//! Filters, sorts, searches and updates that make no sense.

use blaze::limits::{FILTER_DEPTH_MAX, SEARCH_DIVERSE_MAX, SEARCH_EXAMPLES_MAX, SEARCH_GROUPS_MAX, SEARCH_LIMIT_MAX};
use blaze::{
    Document, ErrorKind, Filter, GroupedSearch, Metric, Path, Search, Update, Value, Vector, asc, desc, field, inc,
    set, unset,
};

use super::{Fixture, nested};

fn deep_filter() -> Filter {
    (0..=FILTER_DEPTH_MAX).fold(field("year").eq(1), |filter, _| Filter::Or(vec![filter]))
}

#[test]
fn a_bad_filter_is_refused_by_find_and_search() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let cases: [(Filter, ErrorKind, &[&str]); 9] = [
        (field("").eq(1), ErrorKind::Invalid, &["eq", "path \"\"", "empty step"]),
        (field("a..b").exists(true), ErrorKind::Invalid, &["exists", "a..b", "empty step"]),
        (field(["a"; 101].join(".")).eq(1), ErrorKind::LimitExceeded, &["101 steps", "limit is 100"]),
        (field("title").regex("(unclosed"), ErrorKind::Invalid, &["(unclosed", "unclosed group"]),
        (field("title").regex("x".repeat(4097)), ErrorKind::LimitExceeded, &["4097 bytes", "limit is 4096"]),
        (field("title").regex(r"\w{9999}{9999}"), ErrorKind::LimitExceeded, &["4194304 bytes"]),
        (field("title").like("trailing\\"), ErrorKind::Invalid, &["ends in \\"]),
        (field("title").eq(nested(101)), ErrorKind::LimitExceeded, &["100 levels"]),
        (deep_filter(), ErrorKind::LimitExceeded, &["64 levels"]),
    ];
    for (filter, kind, words) in cases {
        let query = films.find(filter.clone());
        fixture.refuses(query.run(), kind, words);
        fixture.refuses(query.iter(), kind, words);
        fixture.refuses(query.first(), kind, words);
        fixture.refuses(query.count(), kind, words);
        fixture.refuses(query.explain(), kind, words);
        let search = films.search().nearest("embedding", &[1.0, 0.0, 0.0]).filter(filter);
        fixture.refuses(search.run(), kind, words);
        fixture.refuses(search.explain(), kind, words);
    }
}

#[test]
fn a_bad_sort_is_refused_and_any_window_is_possible() {
    let fixture = Fixture::new();
    let films = fixture.films();
    fixture.refuses(films.find_all().sort(asc("")).run(), ErrorKind::Invalid, &["in sort", "path \"\"", "empty step"]);
    fixture.refuses(films.find_all().sort([asc("year"), desc("a.")]).count(), ErrorKind::Invalid, &["in sort", "a."]);
    assert_eq!(films.find_all().limit(0).run().unwrap().len(), 0);
    assert_eq!(films.find_all().skip(usize::MAX).limit(usize::MAX).run().unwrap().len(), 0);
}

#[test]
fn a_bad_search_is_refused() {
    let fixture = Fixture::new();
    let films = fixture.films();
    films.insert_with_id("plain", &Document::new().with("title", "Mirror")).unwrap();
    let fixture = Fixture { before: super::contents(&fixture.db), ..fixture };
    let near = |vector: &[f32]| films.search().nearest("embedding", vector);
    let good = || near(&[1.0, 0.0, 0.0]);
    let above = SEARCH_LIMIT_MAX + 1;
    let like = |ids: &[&str]| films.search().similar_to("embedding", ids.to_vec());
    let cases: [(Search<Document>, &[&str]); 31] = [
        (films.search(), &["nearest(field, vector)"]),
        (films.search().nearest("absent", &[1.0]), &["\"films\"", "absent", "ensure_index"]),
        (films.search().nearest("year", &[1.0]), &["\"films\"", "year", "no complete vector index"]),
        (films.search().nearest("", &[1.0]), &["no complete vector index"]),
        (near(&[1.0, 0.0]), &["2 components", "the index on embedding has 3"]),
        (near(&[]), &["0 components", "has 3"]),
        (near(&[1.0, f32::NAN, 0.0]), &["component 1", "NaN"]),
        (near(&[1.0, 0.0, f32::NEG_INFINITY]), &["component 2", "-inf"]),
        (near(&[0.0, 0.0, 0.0]), &["zero", Metric::Cosine.name()]),
        (good().limit(0), &["is 0", "1 to 10000"]),
        (good().limit(above), &["is 10001", "1 to 10000"]),
        (good().within(f32::NAN), &["NaN"]),
        (good().min_score(f32::NAN), &["score", "NaN"]),
        (good().offset(usize::MAX), &["offset 18446744073709551615", "limit 10 ", "above 10000"]),
        (good().offset(SEARCH_LIMIT_MAX - 9), &["offset 9991", "limit 10 ", "above 10000"]),
        (good().diverse(-0.1), &["lambda", "-0.1", "0 to 1"]),
        (good().diverse(1.1), &["lambda", "1.1", "0 to 1"]),
        (good().diverse(f32::NAN), &["lambda", "NaN"]),
        (good().diverse(0.5).limit(SEARCH_DIVERSE_MAX).offset(1), &["1001 rows", "limit of 1000"]),
        (good().index("absent"), &["index \"absent\"", "\"films\" does not have"]),
        (good().index("year"), &["index \"year\"", "not on vectors in embedding"]),
        (good().index(""), &["index \"\"", "does not have"]),
        (good().model(""), &["model name is empty"]),
        (good().model("other"), &["model \"other\"", "\"embedding\" is of no model"]),
        (
            films.search().nearest("embedding", Vector::Bits(vec![1, 2, 3])),
            &["of bits", "numbers are needed", "cosine"],
        ),
        (like(&[]), &["similar_to names no document"]),
        (like(&["solaris"]).index("year"), &["index \"year\"", "not on vectors"]),
        (like(&["solaris", "plain"]), &["\"plain\"", "no vector in the index \"embedding\""]),
        (like(&["solaris"]).unlike(["plain"]), &["\"plain\"", "no vector"]),
        (like(&["solaris"]).unlike([""]), &["id"]),
        (good().unlike(["solaris"]), &["unlike needs similar_to"]),
    ];
    for (search, words) in cases {
        fixture.refuses(search.run(), ErrorKind::Invalid, words);
        fixture.refuses(search.ids(), ErrorKind::Invalid, words);
        fixture.refuses(search.clone().without(["title"]).run(), ErrorKind::Invalid, words);
        fixture.refuses(search.explain(), ErrorKind::Invalid, words);
    }
    assert_eq!(good().limit(SEARCH_LIMIT_MAX).run().unwrap().len(), 2);
    fixture.refuses(like(&["absent"]).run(), ErrorKind::NotFound, &["\"films\"", "\"absent\"", "example"]);
    let many = films.search().similar_to("embedding", vec!["solaris"; SEARCH_EXAMPLES_MAX + 1]);
    fixture.refuses(many.run(), ErrorKind::LimitExceeded, &["1001 examples", "limit is 1000"]);
    fixture.refuses(good().select([""]).run(), ErrorKind::Invalid, &["in a selection", "path \"\""]);
    fixture.refuses(good().select([""; 0]).run(), ErrorKind::Invalid, &["select names no path"]);
    let cases: [(GroupedSearch<Document>, &[&str]); 8] = [
        (good().group_by("", 1, 1), &["in group_by", "path \"\""]),
        (good().group_by("year", 0, 1), &["0 groups", "1 to 1000"]),
        (good().group_by("year", SEARCH_GROUPS_MAX + 1, 1), &["1001 groups", "1 to 1000"]),
        (good().group_by("year", 1, 0), &["1 groups of 0 documents", "1 to 10000"]),
        (good().group_by("year", 1_000, 11), &["1000 groups of 11 documents", "1 to 10000"]),
        (good().offset(1).group_by("year", 1, 1), &["an offset"]),
        (good().limit(1).group_by("year", 1, 1), &["a limit"]),
        (good().diverse(0.5).group_by("year", 1, 1), &["diversity"]),
    ];
    for (search, words) in cases {
        fixture.refuses(search.run(), ErrorKind::Invalid, words);
    }
}

#[test]
fn a_bad_update_is_refused_whole() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let cases: [(Update, ErrorKind, &[&str]); 11] = [
        (set("", 1), ErrorKind::Invalid, &["set", "path \"\"", "empty step"]),
        (unset("a..b"), ErrorKind::Invalid, &["unset", "a..b", "empty step"]),
        (inc("year", "one"), ErrorKind::Invalid, &["inc year", "one", "string", "not a number"]),
        (inc("title", 1), ErrorKind::Invalid, &["inc title", "Solaris", "not a number"]),
        (inc("year", u64::MAX), ErrorKind::Invalid, &["inc year", "1972 + 18446744073709551615", "outside"]),
        (set("title.first", 1), ErrorKind::Invalid, &["title", "string", "no fields"]),
        (set("year", 1).and(set("year.month", 2)), ErrorKind::Invalid, &["overlap", "year.month"]),
        (set("year", 1).and(inc("year", 2)), ErrorKind::Invalid, &["overlap", "year and year"]),
        (set("a", nested(100)), ErrorKind::LimitExceeded, &["100 levels"]),
        (set(Path::from_keys(["a"; 101]), 1), ErrorKind::LimitExceeded, &["101 steps", "limit is 100"]),
        (set("note", "kept?").and(inc("title", 1)), ErrorKind::Invalid, &["inc title"]),
    ];
    for (update, kind, words) in cases {
        fixture.refuses(films.update("solaris", update), kind, words);
    }
    films.update("solaris", set("tags", vec![Value::from("a")])).unwrap();
    let fixture = Fixture { before: super::contents(&fixture.db), ..fixture };
    fixture.refuses(films.update("solaris", set("tags.9", "b")), ErrorKind::Invalid, &["index 9", "length 1"]);
    fixture.refuses(films.update("solaris", set("tags.first", "b")), ErrorKind::Invalid, &["first", "index"]);
    fixture.refuses(films.update("solaris", unset("tags.0")), ErrorKind::Invalid, &["element 0", "only set"]);
}
