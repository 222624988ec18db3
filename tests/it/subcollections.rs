//! Subcollections: documents below a document, and the group of all of them.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod many;
mod model;
mod placed;

use blaze::pipeline::{Lookup, count};
use blaze::{
    Change, Collection, Database, Document, DocumentId, ErrorKind, Feed, Hint, History, Index, Isolation, Migrations,
    Query, Result, Subcollection, TransactionOptions, Validation, Value, asc, desc, field, inc, schema, set,
};
use serde::{Deserialize, Serialize};

fn line(price: i64) -> Document {
    Document::new().with("price", price)
}

fn lines(db: &Database, order: i64) -> Subcollection<Document> {
    orders(db).subcollection(order, "lines").unwrap()
}

fn orders(db: &Database) -> Collection<Document> {
    db.collection("orders").unwrap()
}

/// Orders 1 to 3, of which each has the lines 1 to 4 at prices of ten times the line and once the order.
fn filled() -> Database {
    let db = Database::in_memory().unwrap();
    for order in 1..=3 {
        orders(&db).insert_with_id(order, &Document::new().with("state", "new")).unwrap();
        let lines = lines(&db, order);
        for own in 1..=4 {
            lines.insert_with_id(own, &line(10 * own + order)).unwrap();
        }
    }
    db
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn ids(query: Query<Document>) -> Vec<String> {
    query.run().unwrap().iter().map(|found| format!("{:?}", found.id)).collect()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    number: i64,
    #[serde(rename = "_parent")]
    order: Option<String>,
    price: i64,
}

#[test]
fn documents_are_found_by_their_own_ids_below_their_parent_only() {
    let db = filled();
    let second = lines(&db, 2);
    assert_eq!(second.get(3).unwrap().unwrap().value, line(32));
    assert_eq!(second.get((2, 3)).unwrap().unwrap().id, (2, 3).into());
    assert!(!second.contains(5).unwrap());
    assert_eq!((second.count().unwrap(), second.group().count().unwrap()), (4, 12));
    second.update(3, inc("price", 100)).unwrap();
    assert!(second.delete(1).unwrap());
    assert_eq!(ids(second.find_all().sort(desc("price"))), ["2/3", "2/4", "2/2"]);
    assert_eq!(lines(&db, 1).get(3).unwrap().unwrap().value, line(31), "those of other orders are others");
    let prices: Vec<Option<i64>> =
        second.get_many([4, 1, 3]).unwrap().into_iter().map(|found| found?.get("price")?.as_i64()).collect();
    assert_eq!(prices, [Some(42), None, Some(132)]);
    assert!(second.upsert(9, set("price", 1)).unwrap());
    assert_eq!(second.find(field("price").eq(1)).first().unwrap().unwrap().id, (2, 9).into());
}

#[test]
fn a_struct_holds_its_own_id_and_its_parents() {
    let db = Database::in_memory().unwrap();
    let lines = db.collection::<Document>("orders").unwrap().subcollection::<Line>("o-1", "lines").unwrap();
    lines.insert(&Line { number: 1, order: None, price: 5 }).unwrap();
    lines.insert(&Line { number: 2, order: Some("o-1".into()), price: 6 }).unwrap();
    let error = lines.insert(&Line { number: 3, order: Some("o-2".into()), price: 7 }).unwrap_err();
    assert!(error.to_string().contains("its field _parent is \"o-2\""), "{error}");
    let error = lines.put(4, &Line { number: 3, order: None, price: 7 }).unwrap_err();
    assert!(error.to_string().contains("its field _id is 3"), "{error}");
    let whole = |number, price| Line { number, order: Some("o-1".into()), price };
    let found: Vec<Line> = lines.group().find_all().run().unwrap().into_iter().map(|found| found.value).collect();
    assert_eq!(found, [whole(1, 5), whole(2, 6)]);
    let automatic = lines.group().typed::<Document>();
    let below: Subcollection<Document> = orders(&db).subcollection("o-1", "lines").unwrap();
    let id = below.insert(&line(1)).unwrap();
    assert_eq!(id.parent(), Some(&"o-1".into()));
    assert!(matches!(id.own(), DocumentId::Uuid(_)));
    assert_eq!(automatic.get(&id).unwrap().unwrap().value, line(1));
    assert_eq!(below.insert_many([line(2), line(3)]).unwrap().len(), 2);
}

#[test]
fn a_scan_of_one_parent_reads_its_documents_alone_and_one_of_the_group_all() {
    let db = filled();
    let explained = lines(&db, 2).find(field("price").gt(0)).explain().unwrap();
    assert_eq!((explained.rows, explained.documents_examined), (4, 4));
    let of_one = lines(&db, 2).find(field("_id").eq(3)).explain().unwrap();
    assert_eq!((of_one.rows, of_one.documents_examined), (1, 1));
    let group = orders(&db).group::<Document>("lines").unwrap();
    let explained = group.find(field("price").gt(0)).explain().unwrap();
    assert_eq!((explained.rows, explained.documents_examined), (12, 12));
    assert_eq!(ids(group.find(field("_id").eq(3))), ["1/3", "2/3", "3/3"]);
    assert_eq!(ids(group.find(field("_parent").is_in([1, 3]).and(field("_id").gt(3)))), ["1/4", "3/4"]);
    assert_eq!(ids(group.find_all().sort([desc("_id"), asc("_parent")]).limit(4)), ["1/4", "2/4", "3/4", "1/3"]);
}

#[test]
fn one_index_serves_the_group_and_one_that_begins_with_the_parent_serves_each() {
    let db = Database::in_memory().unwrap();
    for order in 0..40 {
        lines(&db, order).insert_many((0..200).map(|n| line((n * 7) % 200))).unwrap();
    }
    let group = orders(&db).group::<Document>("lines").unwrap();
    group.ensure_index(Index::on("price")).unwrap();
    group.ensure_index(Index::on("_parent").then("price").named("of an order")).unwrap();
    let over_all = group.find(field("price").eq(7)).explain().unwrap();
    assert_eq!((over_all.index(), over_all.rows, over_all.documents_examined), (Some("price"), 40, 40));
    let of_one = lines(&db, 3).find(field("price").ge(190)).sort(asc("price"));
    let explained = of_one.explain().unwrap();
    assert_eq!((explained.index(), explained.rows), (Some("of an order"), 10));
    assert!(explained.documents_examined <= 10, "{explained}");
    assert!(group.drop_index("of an order").unwrap());
    let explained = of_one.explain().unwrap();
    assert!(
        explained.documents_examined <= 200,
        "the documents of one parent are fewer than those at a price: {explained}"
    );
    let scanned = of_one.clone().hint(Hint::Scan);
    assert_eq!(ids(of_one), ids(scanned));
}

#[test]
fn a_unique_index_holds_over_the_group_or_within_each_parent() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    group.ensure_index(Index::on("_parent").then("article").unique()).unwrap();
    lines(&db, 1).update(1, set("article", "tea")).unwrap();
    lines(&db, 2).update(1, set("article", "tea")).unwrap();
    assert_eq!(kind(lines(&db, 1).update(2, set("article", "tea"))), Some(ErrorKind::AlreadyExists));
    assert!(group.drop_index("_parent_article").unwrap());
    let error = group.ensure_index(Index::on("article").unique()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("1/1") && error.to_string().contains("2/1"), "{error}");
    let partial = Index::on("price").only(field("_parent").eq(2)).named("of the second");
    group.ensure_index(partial).unwrap();
    let query = group.find(field("_parent").eq(2).and(field("price").gt(25))).hint(Hint::index("of the second"));
    assert_eq!(ids(query), ["2/3", "2/4"]);
}

#[test]
fn what_is_below_a_document_stays_when_it_is_deleted_unless_that_is_asked_for() {
    let db = filled();
    let notes = orders(&db).subcollection::<Document>(2, "notes").unwrap();
    notes.insert(&line(0)).unwrap();
    assert_eq!(orders(&db).subcollections().unwrap(), ["lines", "notes"]);
    assert!(orders(&db).delete(1).unwrap());
    assert_eq!(lines(&db, 1).count().unwrap(), 4);
    assert!(orders(&db).delete_with_children(2).unwrap());
    assert_eq!((lines(&db, 2).count().unwrap(), notes.count().unwrap()), (0, 0));
    assert!(!orders(&db).contains(2).unwrap());
    assert!(orders(&db).delete_with_children(1).unwrap(), "what is below it is there");
    assert!(!orders(&db).delete_with_children(1).unwrap());
    let left = db.transaction(|tx| {
        let orders = tx.collection::<Document>("orders")?;
        orders.delete_with_children(3)?;
        orders.group::<Document>("lines")?.count()
    });
    assert_eq!(left.unwrap(), 0);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn a_collection_goes_with_its_subcollections() {
    let db = filled();
    db.collection::<Document>("orders/archive").unwrap();
    let group = orders(&db).group::<Document>("lines").unwrap();
    assert!(db.drop_collection("orders").unwrap());
    assert_eq!(db.collections().unwrap(), ["orders/archive"], "what merely looks like one stays");
    assert_eq!(kind(group.count()), Some(ErrorKind::NotFound));
    assert_eq!(lines(&db, 1).count().unwrap(), 0, "it begins anew");
    assert!(db.drop_collection("orders/lines").unwrap());
    assert!(orders(&db).subcollections().unwrap().is_empty());
}

#[test]
fn transactions_and_snapshots_see_subcollections_as_all_else() {
    let db = filled();
    let snapshot = db.snapshot().unwrap();
    let refused = db.transaction(|tx| {
        let lines = tx.collection::<Document>("orders")?.subcollection::<Document>(1, "lines")?;
        lines.insert_with_id(5, &line(51))?;
        assert_eq!(lines.find(field("price").gt(40)).run()?.len(), 2);
        assert_eq!(lines.count()?, 5);
        assert_eq!(kind(lines.insert_with_id(5, &line(51))), Some(ErrorKind::AlreadyExists));
        lines.insert_with_id(4, &line(0))
    });
    assert_eq!(kind(refused), Some(ErrorKind::AlreadyExists));
    assert_eq!(lines(&db, 1).count().unwrap(), 4, "nothing of it was written");
    lines(&db, 1).delete(1).unwrap();
    let then = snapshot.collection::<Document>("orders").unwrap();
    assert_eq!(then.subcollection::<Document>(1, "lines").unwrap().count().unwrap(), 4);
    assert_eq!(then.group::<Document>("lines").unwrap().count().unwrap(), 12);
    assert_eq!(kind(then.group::<Document>("notes")), Some(ErrorKind::NotFound));
    let rolled_back = db.transaction(|tx| {
        tx.collection::<Document>("orders")?.subcollection::<Document>(1, "drafts")?.insert(&line(1))?;
        tx.collection::<Document>("orders")?.insert_with_id(1, &line(1))
    });
    assert_eq!(kind(rolled_back), Some(ErrorKind::AlreadyExists));
    assert_eq!(orders(&db).subcollections().unwrap(), ["lines"]);
}

#[test]
fn a_reader_of_one_parent_conflicts_with_writers_below_it_and_not_with_others() {
    let db = filled();
    for (written, conflicts) in [(1, true), (2, false)] {
        let tx = db.begin_with(TransactionOptions::new().isolation(Isolation::Serializable)).unwrap();
        let below = tx.collection::<Document>("orders").unwrap().subcollection::<Document>(1, "lines").unwrap();
        let total = below.count().unwrap() + below.find(field("price").gt(0)).count().unwrap();
        tx.collection::<Document>("orders").unwrap().update(3, set("total", total as i64)).unwrap();
        lines(&db, written).insert(&line(1)).unwrap();
        let committed = tx.commit();
        assert_eq!(kind(committed) == Some(ErrorKind::Conflict), conflicts, "written below {written}");
    }
}

#[test]
fn history_and_feed_tell_of_the_group() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    group.set_history(History::Forever).unwrap();
    group.set_feed(Feed::Images).unwrap();
    let then = db.snapshot().unwrap().read_ts();
    lines(&db, 2).update(1, set("price", 0)).unwrap();
    lines(&db, 2).delete(2).unwrap();
    let past = db.as_of(then).unwrap();
    let of_past = past.collection::<Document>("orders/lines").unwrap();
    assert_eq!(of_past.find(field("_parent").eq(2)).count().unwrap(), 4);
    assert_eq!(group.versions((2, 1)).unwrap().count(), 2);
    let changed: Vec<DocumentId> = group
        .changes(group.feed_start().unwrap().unwrap())
        .unwrap()
        .flat_map(|set| set.unwrap().changes)
        .map(|change| match change {
            Change::Put { key, .. } | Change::Removed { key, .. } => key,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(changed, [(2, 1).into(), (2, 2).into()]);
}

#[test]
fn pipelines_group_by_parent_and_join_below_it() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    let rows = group.pipeline().group("_parent", [count().named("lines")]).sort(asc("_parent")).run().unwrap();
    let expected = |order: i64| Document::new().with("_parent", order).with("lines", 4);
    assert_eq!(rows, [expected(1), expected(2), expected(3)]);
    let joined = Lookup::from("orders/lines").on("_id", "_parent").named("lines");
    let rows = orders(&db).pipeline().lookup(joined).run().unwrap();
    assert!(rows.iter().all(|row| row.get("lines").unwrap().as_array().unwrap().len() == 4), "{rows:?}");
    let by_id = Lookup::from("orders/lines").by_id("_id").named("lines");
    let rows = orders(&db).pipeline().lookup(by_id).run().unwrap();
    assert!(rows.iter().all(|row| row.get("lines").unwrap().as_array().unwrap().len() == 3), "{rows:?}");
}

#[test]
fn queries_change_what_is_below_a_parent_and_upsert_there() {
    let db = filled();
    let second = lines(&db, 2);
    assert_eq!(second.find(field("price").gt(25)).update(set("dear", true)).run().unwrap().modified, 2);
    assert_eq!(second.group().find(field("dear").eq(true)).count().unwrap(), 2);
    let report = second.find(field("_id").eq(7).and(field("price").eq(9))).upsert(set("new", true)).run().unwrap();
    assert_eq!(report.inserted, Some((2, 7).into()));
    assert_eq!(second.get(7).unwrap().unwrap().value, line(9).with("new", true));
    let report = second.find(field("price").eq(77)).upsert(set("new", true)).run().unwrap();
    assert_eq!(report.inserted.unwrap().parent(), Some(&2.into()));
    let replaced =
        second.find(field("_id").eq(8)).replace_first(&line(3)).unwrap().upsert().return_after().run().unwrap();
    assert_eq!(replaced.unwrap().id, (2, 8).into());
    assert_eq!(second.find(field("price").ge(0)).delete().run().unwrap(), 7);
    assert_eq!((second.count().unwrap(), second.group().count().unwrap()), (0, 8));
}

#[test]
fn pages_go_through_one_parent_and_through_the_group() {
    let db = filled();
    for query in [
        lines(&db, 2).find_all(),
        lines(&db, 2).find_all().sort(desc("price")),
        orders(&db).group("lines").unwrap().find_all(),
    ] {
        let (mut seen, mut token) = (Vec::new(), None);
        loop {
            let page = query.page(3, token.as_ref()).unwrap();
            seen.extend(page.rows.iter().map(|found| format!("{:?}", found.id)));
            let Some(next) = page.next else { break };
            token = Some(next);
        }
        assert_eq!(seen, ids(query));
    }
}

#[test]
fn schemas_and_migrations_see_both_ids() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    group.set_schema(&schema::Schema::new().required("price", schema::int()), Validation::Strict).unwrap();
    assert_eq!(kind(lines(&db, 1).update(1, set("price", "dear"))), Some(ErrorKind::Invalid));
    let migrations = Migrations::new().step(1, "cents", |line: &mut Document| {
        let price = line.get("price").and_then(Value::as_i64).unwrap_or_default();
        line.insert("price", 100 * price);
        Ok(())
    });
    assert_eq!(group.migrate(&migrations).unwrap().changed, 12);
    assert_eq!(lines(&db, 3).get(2).unwrap().unwrap().value, line(2_300));
}

#[test]
fn exports_say_the_parent_and_imports_read_it() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    let mut json = Vec::new();
    group.export_json_lines(&mut json).run().unwrap();
    assert!(json.starts_with(b"{\"_parent\":1,\"_id\":1,\"price\":11}\n"), "{}", json.escape_ascii());
    let mut csv = Vec::new();
    group.export_csv(&mut csv).run().unwrap();
    assert!(csv.starts_with(b"_parent,_id,price\n1,1,11\n"), "{}", csv.escape_ascii());
    for (loads, from_json) in [(false, true), (true, true), (false, false)] {
        let copy = Database::in_memory().unwrap();
        let copied = orders(&copy).group::<Document>("lines").unwrap();
        let imported = match (from_json, loads) {
            (true, true) => copied.import_json_lines(json.as_slice()).load().run(),
            (true, false) => copied.import_json_lines(json.as_slice()).run(),
            _ => copied.import_csv(csv.as_slice()).run(),
        };
        assert_eq!(imported.unwrap().documents, 12);
        assert_eq!(ids(copied.find_all()), ids(group.find_all()));
        assert_eq!(lines(&copy, 2).get(3).unwrap().unwrap().get("price"), Some(&32.into()));
        assert!(copy.verify().unwrap().is_healthy());
    }
    let error = group.import_json_lines(&b"{\"_id\": 1}\n"[..]).run().unwrap_err();
    assert!(error.to_string().contains("line 1: there is no field \"_parent\""), "{error}");
    let error = group.import_json_lines(&b"{\"_parent\": 1}\n"[..]).run().unwrap_err();
    assert!(error.to_string().contains("line 1: there is no field \"_id\""), "{error}");
}

#[test]
fn documents_are_kept_where_their_ids_belong() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    let cases = [
        (group.insert_with_id(1, &line(1)), "document 1 has no parent"),
        (group.insert(&line(1)).map(drop), "has no parent"),
        (orders(&db).insert_with_id((1, 1), &line(1)), "document 1/1 is below another one"),
        (group.update((1, 1), set("_parent", 2)), "its field _parent says where it is"),
        (lines(&db, 1).put((2, 1), &line(1)), "document 2/1 is not below 1"),
        (lines(&db, 1).group().insert_with_id(DocumentId::child((1, 2), 3), &line(1)), "one level deep"),
        (orders(&db).subcollection::<Document>((1, 2), "lines").map(drop), "one level deep"),
        (group.group::<Document>("notes").map(drop), "\"orders/lines\" is a subcollection itself"),
        (orders(&db).group::<Document>("a/b").map(drop), "subcollection name \"a/b\" has a '/'"),
        (orders(&db).group::<Document>("").map(drop), "subcollection name is empty"),
        (
            db.load_collection("orders/lines").replace().begin().and_then(|mut load| load.insert_with_id(1, &line(1))),
            "has no parent",
        ),
    ];
    for (result, message) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(message), "{error}, not {message}");
    }
    db.collection::<Document>("orders/taken").unwrap();
    let error = orders(&db).group::<Document>("taken").unwrap_err();
    assert!(error.to_string().contains("a collection of its own"), "{error}");
    let plain = db.collection::<Document>("plain").unwrap();
    plain.insert_with_id(1, &Document::new().with("_parent", "x")).unwrap();
    assert_eq!(ids(plain.find(field("_parent").eq("x"))), ["1"], "elsewhere it is a field like others");
    assert_eq!(plain.get(1).unwrap().unwrap().get("_parent"), Some(&"x".into()));
}

#[test]
fn a_database_on_disk_keeps_subcollections_and_repairs_their_indexes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    {
        let db = Database::open(&path).unwrap();
        lines(&db, 1).insert_many((0..50).map(line)).unwrap();
        let group = orders(&db).group::<Document>("lines").unwrap();
        group.ensure_index(Index::on("_parent").then("price")).unwrap();
        db.close().unwrap();
    }
    let db = Database::open(&path).unwrap();
    assert_eq!(ids(lines(&db, 1).find(field("price").eq(7)).hint(Hint::index("_parent_price"))).len(), 1);
    assert!(db.verify().unwrap().is_healthy());
    db.repair().unwrap();
    assert!(db.verify().unwrap().is_healthy());
    assert_eq!(lines(&db, 1).count().unwrap(), 50);
}
