//! Partial indexes: what has entries, and which queries may use them.

use blaze::{Database, Document, ErrorKind, Filter, Index, asc, field, set};

#[test]
fn only_documents_that_match_have_entries_and_only_queries_that_imply_it_use_it() {
    let db = Database::temporary().unwrap();
    let orders = db.collection::<Document>("orders").unwrap();
    orders.ensure_index(Index::on("due").only(field("state").eq("open"))).unwrap();
    let order = |n: i64| Document::new().with("due", n).with("state", if n % 4 == 0 { "open" } else { "done" });
    orders.insert_many((0..100).map(order)).unwrap();
    assert_eq!(db.verify().unwrap().index_entries, 25);

    let open = || field("state").eq("open");
    let index = |filter: Filter| orders.find(filter).explain().unwrap().index().map(str::to_owned);
    assert_eq!(index(open().and(field("due").lt(40))).as_deref(), Some("due"));
    assert_eq!(orders.find(open().and(field("due").lt(40))).count().unwrap(), 10);
    assert_eq!(index(field("due").lt(40)), None);
    assert_eq!(orders.find(field("due").lt(40)).count().unwrap(), 40);
    assert_eq!(index(field("state").is_in(["open", "done"]).and(field("due").lt(40))), None);

    let sorted = orders.find(open()).sort(asc("due")).limit(3);
    assert_eq!(sorted.explain().unwrap().keys_examined, 3, "{}", sorted.explain().unwrap());
    let unsorted = orders.find_all().sort(asc("due")).limit(3);
    assert_eq!(unsorted.explain().unwrap().index(), None);
    assert_eq!(unsorted.run().unwrap().len(), 3);
}

#[test]
fn a_document_enters_and_leaves_a_partial_index() {
    let db = Database::in_memory().unwrap();
    let orders = db.collection::<Document>("orders").unwrap();
    orders.insert_with_id(1, &Document::new().with("due", 1).with("state", "done")).unwrap();
    orders.ensure_index(Index::on("due").only(field("state").eq("open")).unique()).unwrap();
    let open = || orders.find(field("state").eq("open").and(field("due").eq(1))).count().unwrap();
    assert_eq!(open(), 0);
    orders.update(1, set("state", "open")).unwrap();
    assert_eq!(open(), 1);
    orders.insert_with_id(2, &Document::new().with("due", 1).with("state", "done")).unwrap();
    let error = orders.update(2, set("state", "open")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "it constrains the open ones: {error}");
    orders.update(1, set("state", "done")).unwrap();
    orders.update(2, set("state", "open")).unwrap();
    assert_eq!(open(), 1);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn the_filter_survives_reopening_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let filter = || field("n").between(1, 2.5).or(!field("tags").contains("x"));
    {
        let db = Database::open(&path).unwrap();
        db.collection::<Document>("c").unwrap().ensure_index(Index::on("a").only(filter())).unwrap();
    }
    let db = Database::open(&path).unwrap();
    let collection = db.collection::<Document>("c").unwrap();
    let info = &collection.indexes().unwrap()[0];
    assert_eq!(info.only, Some(filter()));
    assert!(info.definition.contains("only n between 1 and 2.5"), "{}", info.definition);
    collection.ensure_index(Index::on("a").only(filter())).unwrap();
    let error = collection.ensure_index(Index::on("a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("only n between"), "{error}");
}

#[test]
fn filters_that_are_not_well_formed_or_too_long_are_refused() {
    let db = Database::in_memory().unwrap();
    let collection = db.collection::<Document>("c").unwrap();
    let refused = |filter: Filter| collection.ensure_index(Index::on("a").only(filter)).unwrap_err();
    assert_eq!(refused(field("a..b").eq(1)).kind(), ErrorKind::Invalid);
    let long = refused(field("a").eq("x".repeat(blaze::limits::INDEX_FILTER_BYTES_MAX)));
    assert_eq!(long.kind(), ErrorKind::LimitExceeded);
    assert!(long.to_string().contains("the limit is 16384"), "{long}");
    assert_eq!(collection.ensure_index(Index::vector("v", 2).unique()).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_partial_index_cannot_depend_on_the_id_which_entries_do_not_see() {
    let db = Database::temporary().unwrap();
    let orders = db.collection::<Document>("orders").unwrap();
    for only in [field("_id").ge(100), !field("due").eq(1).or(field("_id").eq(7))] {
        let error = orders.ensure_index(Index::on("due").only(only)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(orders.indexes().unwrap().is_empty());
}
