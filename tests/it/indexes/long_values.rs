//! Long values: cut in the index, found all the same.

use blaze::{Collection, Database, Document, DocumentId, ErrorKind, Filter, Index, Value, asc, desc, field};

fn text(length: usize, end: &str) -> String {
    "x".repeat(length) + end
}

fn ids(collection: &Collection<Document>, filter: Filter) -> Vec<DocumentId> {
    let mut ids: Vec<_> = collection.find(filter).run().unwrap().into_iter().map(|found| found.id).collect();
    ids.sort();
    ids
}

/// Texts around the length at which they are cut, some of which are the beginnings of others.
fn texts() -> Vec<String> {
    let lengths = [0, 10, 1_019, 1_020, 1_021, 1_022, 1_023, 1_024, 1_025, 3_000];
    lengths.iter().flat_map(|length| ["", "\0", "a", "y"].map(|end| text(*length, end))).collect()
}

#[test]
fn long_texts_are_found_as_by_a_scan_in_every_index() {
    let indexes = [
        Index::on("text").named("i"),
        Index::on_desc("text").named("i"),
        Index::on("text").then_desc("n").named("i"),
        Index::on_desc("list").named("i"),
    ];
    for (position, index) in indexes.into_iter().enumerate() {
        let db = Database::in_memory().unwrap();
        let [with, without] = ["with", "without"].map(|name| db.collection::<Document>(name).unwrap());
        with.ensure_index(index).unwrap();
        for (n, text) in texts().into_iter().enumerate() {
            let list = Value::from(vec![Value::from(text.as_str()), Value::from(n as i64)]);
            let document = Document::new().with("n", n as i64).with("text", text).with("list", list);
            with.insert_with_id(n, &document).unwrap();
            without.insert_with_id(n, &document).unwrap();
        }
        for text in texts() {
            let on = || field("text");
            let filters = [
                on().eq(text.as_str()),
                on().lt(text.as_str()),
                on().le(text.as_str()),
                on().gt(text.as_str()),
                on().ge(text.as_str()),
                on().eq(text.as_str()).and(field("n").ge(10)),
                on().is_in([text.as_str(), "x"]),
                on().between("x", text.as_str()),
                on().starts_with(text.as_str()),
                field("list").contains(text.as_str()),
            ];
            for filter in filters {
                let found = ids(&with, filter.clone());
                assert_eq!(found, ids(&without, filter.clone()), "index {position}, {} bytes: {filter}", text.len());
                assert_eq!(
                    with.find(filter.clone()).count().unwrap() as usize,
                    found.len(),
                    "index {position}: {filter}"
                );
            }
            let used = with.find(field(if position == 3 { "list" } else { "text" }).eq(text)).explain().unwrap();
            assert_eq!(used.index(), Some("i"));
        }
        for sort in [asc("text"), desc("text")] {
            let order = |collection: &Collection<Document>| {
                let rows = collection.find_all().sort(sort.clone()).run().unwrap();
                rows.into_iter().map(|found| found.id).collect::<Vec<_>>()
            };
            assert_eq!(order(&with), order(&without), "index {position}");
        }
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn an_index_without_long_values_goes_on_to_spare_the_sort() {
    let db = Database::in_memory().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::on("text")).unwrap();
    texts.insert(&Document::new().with("text", text(1_000, ""))).unwrap();
    let sorted = || texts.find_all().sort(asc("text")).explain().unwrap().index().is_some();
    assert!(sorted());
    texts.insert(&Document::new().with("text", text(2_000, ""))).unwrap();
    assert!(!sorted(), "of texts that were cut the order is not known");
}

#[test]
fn a_unique_index_refuses_what_it_cannot_tell_apart() {
    let db = Database::in_memory().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::on("text").unique()).unwrap();
    texts.insert(&Document::new().with("text", text(1_000, ""))).unwrap();
    let error = texts.insert(&Document::new().with("text", text(2_000, ""))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("2003 bytes, the limit in a unique index is 1024"), "{error}");
    assert_eq!(texts.count().unwrap(), 1);
}
