//! What plans examine: with a fitting index, about what they return.

use blaze::Value;
use blaze::filter::element;
use blaze::{Collection, Database, Document, ErrorKind, Explain, Filter, Hint, Index, Metric, asc, desc, field};

/// 10,000 documents: `unique` 0 to 9,999; `ten` and `hundred` with so many values, that have nothing to do with each other;
/// `text`; two `tags` each.
fn things() -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let document = |n: i64| {
        let tags: Value = [Value::from(n % 50), Value::from(1_000 + n % 7)].into_iter().collect();
        let document = Document::new().with("unique", n).with("ten", n % 10).with("hundred", n / 10 % 100);
        document.with("text", format!("text {}", n % 1_000)).with("tags", tags)
    };
    things.bulk().insert_with_ids((0..10_000).map(|n| (n, document(n)))).unwrap();
    for index in [
        Index::on("unique"),
        Index::on("ten"),
        Index::on("hundred"),
        Index::on("tags"),
        Index::on("text").then("hundred").named("text_hundred"),
        Index::on("ten").then("unique").named("ten_unique"),
    ] {
        things.ensure_index(index).unwrap();
    }
    (db, things)
}

#[track_caller]
fn examined(explain: &Explain, keys: u64, documents: u64, rows: u64) {
    let found = (explain.keys_examined, explain.documents_examined, explain.rows);
    assert_eq!(found, (keys, documents, rows), "keys, documents, rows of\n{explain}");
}

#[test]
fn a_query_with_a_fitting_index_examines_what_it_returns() {
    let (_db, things) = things();
    let table: [(Filter, u64, u64, u64); 12] = [
        (field("unique").eq(7), 1, 1, 1),
        (field("unique").between(100, 119), 20, 20, 20),
        (field("unique").is_in([1, 3, 99_999]), 2, 2, 2),
        (field("unique").lt(5).or(field("unique").ge(9_998)), 7, 7, 7),
        (field("unique").eq(7).or(field("text").eq("text 8")), 11, 11, 11),
        (field("unique").eq(8).or(field("text").eq("text 8")), 11, 10, 10), // one of them twice, once read
        (!field("unique").ne(7), 1, 1, 1),
        (field("ten").eq(3).and(field("unique").lt(100)), 10, 10, 10),
        (field("text").eq("text 8").and(field("unique").between(0, 9)), 10, 10, 1), // the first that ends
        (field("tags").elem_match(element().eq(49)), 200, 200, 200),
        (field("tags").elem_match(element().ge(1_000).and(element().lt(1_001))), 1_429, 1_429, 1_429),
        (Filter::Or(Vec::new()), 0, 0, 0),
    ];
    for (filter, keys, documents, rows) in table {
        examined(&things.find(filter).explain().unwrap(), keys, documents, rows);
    }
}

#[test]
fn what_entries_tell_is_not_read() {
    let (_db, things) = things();
    let of_entries = field("text").starts_with("text 99").and(field("text").like("%7"));
    examined(&things.find(of_entries.clone()).explain().unwrap(), 110, 10, 10);
    // What is not of type u32 cannot be read as it: an answer has read no document.
    let unreadable = things.typed::<u32>();
    assert_eq!(unreadable.find(of_entries).count().unwrap(), 10);
    assert!(unreadable.find(field("unique").eq(7)).exists().unwrap());
    let ids = unreadable.find(field("ten").eq(3)).sort(desc("unique")).limit(2).ids().unwrap();
    assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ["9993", "9983"]);
}

#[test]
fn two_large_ranges_are_intersected() {
    let (_db, things) = things();
    let both = things.find(field("tags").contains(1_003).and(field("hundred").lt(20)));
    let explain = both.explain().unwrap();
    assert!(explain.to_string().contains("in all of these"), "{explain}");
    assert_eq!(explain.documents_examined, explain.rows, "{explain}");
    assert_eq!(both.clone().hint(Hint::Scan).count().unwrap(), explain.rows);
    let few = things.find(field("ten").eq(3).and(field("unique").eq(13))).explain().unwrap();
    assert!(!few.to_string().contains("in all of these"), "{few}");
}

#[test]
fn a_list_of_values_is_read_in_the_order_of_the_sort() {
    let (_db, things) = things();
    let merged = things.find(field("ten").is_in([1, 4, 7])).sort(asc("unique")).limit(5);
    let explain = merged.explain().unwrap();
    assert_eq!((explain.index(), explain.rows), (Some("ten_unique"), 5), "{explain}");
    assert!(explain.keys_examined <= 8, "{explain}");
    let ids: Vec<String> = merged.ids().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["1", "4", "7", "11", "14"]);
}

#[test]
fn filtering_and_sorting_or_reading_in_order_is_chosen_by_what_they_read() {
    let (_db, things) = things();
    let rare = things.find(field("text").eq("text 8")).sort(asc("unique")).limit(2).explain().unwrap();
    assert_eq!((rare.index(), rare.keys_examined), (Some("text_hundred"), 10), "{rare}");
    let common = things.find(field("tags").contains(1_003)).sort(asc("unique")).limit(2).explain().unwrap();
    assert_eq!(common.index(), Some("unique"), "{common}");
    assert!(common.keys_examined < 100, "{common}");
}

#[test]
fn most_of_a_collection_is_scanned() {
    let (_db, things) = things();
    let most = things.find(field("unique").ge(100));
    assert_eq!(most.explain().unwrap().index(), None);
    assert_eq!(most.clone().limit(5).explain().unwrap().index(), Some("unique"), "it ends early");
    assert_eq!(most.count().unwrap(), 9_900);
}

#[test]
fn a_hint_is_followed_or_refused() {
    let (_db, things) = things();
    things.ensure_index(Index::vector("v", 2).metric(Metric::L2)).unwrap();
    let query = things.find(field("unique").eq(7));
    examined(&query.clone().hint(Hint::index("ten")).explain().unwrap(), 10_000, 10_000, 1);
    examined(&query.clone().hint(Hint::Scan).explain().unwrap(), 10_000, 10_000, 1);
    for (name, words) in [("absent", "does not have; it has unique, ten"), ("v", "is on vectors")] {
        let error = query.clone().hint(Hint::index(name)).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(words) && error.to_string().contains(name), "{error}");
    }
}

#[test]
fn an_explanation_names_what_was_rejected_and_serializes() {
    let (_db, things) = things();
    let explain = things.find(field("ten").eq(3).and(field("text").eq("text 13"))).limit(5).explain().unwrap();
    let text = explain.to_string();
    let words = ["limit 5", "documents checked: ten = 3", "index text_hundred", "considered:", "index ten", "chosen"];
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    let json = serde_json::to_value(&explain).unwrap();
    assert_eq!(json["plan"]["inputs"][0]["inputs"][0]["index"], "text_hundred", "{json}");
    assert_eq!(json["rows"], 5);
    assert_eq!(explain.considered.iter().filter(|considered| considered.chosen).count(), 1, "{text}");
}
