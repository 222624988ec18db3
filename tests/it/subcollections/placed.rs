//! The field that holds the parent's id: where documents with it come from and go to, and what may be done with it.

use std::sync::Arc;
use std::time::Duration;

use blaze::update::Update;
use blaze::{ManualClock, Time, rename, unset};

use super::*;

fn placed(order: i64, own: i64, price: i64) -> Document {
    line(price).with("_id", own).with("_parent", order)
}

#[test]
fn documents_that_say_their_parent_are_inserted_through_the_group() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    assert_eq!(group.insert(&placed(2, 7, 70)).unwrap(), (2, 7).into());
    let more = group.insert_many([placed(3, 7, 71), line(72).with("_parent", 1)]).unwrap();
    assert_eq!((more[0].clone(), more[1].parent()), ((3, 7).into(), Some(&1.into())));
    for (order, own) in [(2, 7), (3, 7)] {
        let found = lines(&db, order).get(own).unwrap().unwrap();
        assert_eq!((found.get("_id"), found.get("_parent")), (Some(&own.into()), Some(&order.into())));
    }
    let again = group.insert(&placed(2, 7, 70)).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists, "{again}");
    let nowhere = group.insert(&line(1).with("_id", 9)).unwrap_err();
    assert!(nowhere.to_string().contains("has no parent"), "{nowhere}");
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn where_a_document_is_cannot_be_changed_by_any_operator() {
    let db = filled();
    lines(&db, 1).insert(&placed(1, 7, 70)).unwrap();
    let before = lines(&db, 1).get(7).unwrap().unwrap();
    let changes: [Update; 5] = [
        rename("_parent", "order"),
        rename("price", "_parent"),
        unset("_parent"),
        set("_parent", 1),
        set("_parent.a", 1),
    ];
    for change in changes {
        let text = format!("{change:?}");
        let error = lines(&db, 1).update(7, change).expect_err(&text);
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("_parent"), "{text}: {error}");
    }
    assert_eq!(lines(&db, 1).get(7).unwrap().unwrap(), before);
    orders(&db).update(1, set("_parent", "elsewhere it is a field like others")).unwrap();
}

#[test]
fn a_schema_that_refuses_other_fields_does_not_refuse_the_parent() {
    let db = filled();
    let group = orders(&db).group::<Document>("lines").unwrap();
    lines(&db, 1).insert(&placed(1, 7, 70)).unwrap();
    let strict = schema::Schema::new().required("price", schema::int()).refuse_others();
    group.set_schema(&strict, Validation::Strict).unwrap();
    lines(&db, 1).insert(&placed(1, 8, 80)).unwrap();
    assert_eq!(kind(lines(&db, 1).insert(&line(1).with("color", "red"))), Some(ErrorKind::Invalid));
    let mut exported = Vec::new();
    group.export_json_lines(&mut exported).run().unwrap();

    let copy = Database::in_memory().unwrap();
    let group = orders(&copy).group::<Document>("lines").unwrap();
    group.set_schema(&strict, Validation::Strict).unwrap();
    assert_eq!(group.import_json_lines(exported.as_slice()).run().unwrap().documents, 14);
    assert_eq!(lines(&copy, 1).get(8).unwrap().unwrap().get("_parent"), Some(&1.into()));
    // Elsewhere the field is a field like others.
    let plain = copy.collection::<Document>("plain").unwrap();
    plain.set_schema(&strict, Validation::Strict).unwrap();
    assert_eq!(kind(plain.insert(&line(1).with("_parent", 1))), Some(ErrorKind::Invalid));
}

#[test]
fn a_selected_parent_is_the_same_by_an_index_and_by_a_scan() {
    let db = filled();
    lines(&db, 1).insert(&placed(1, 7, 70)).unwrap();
    let group = orders(&db).group::<Document>("lines").unwrap();
    let selected = |hint| {
        let rows = group.find(field("_parent").eq(1).and(field("price").gt(0))).hint(hint).select(["_parent", "price"]);
        let mut rows: Vec<String> = rows.run().unwrap().iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        rows
    };
    group.ensure_index(Index::on("_parent").then("price")).unwrap();
    let scanned = selected(Hint::Scan);
    assert_eq!((scanned.len(), selected(Hint::index("_parent_price"))), (5, scanned.clone()));
}

#[test]
fn documents_expire_by_an_index_of_those_below_one_parent() {
    let clock = Arc::new(ManualClock::at_ms(1_000_000));
    let db = Database::builder().clock(clock.clone()).in_memory().unwrap();
    let group = orders(&db).group::<Document>("lines").unwrap();
    let soon = Index::on("seen").only(field("_parent").eq(1)).expire_after(Duration::from_secs(60));
    group.ensure_index(soon).unwrap();
    for order in [1, 2] {
        let seen = Document::new().with("seen", Time::from_micros(1_000_000_000));
        lines(&db, order).insert_with_id(1, &seen).unwrap();
    }
    clock.advance_ms(120_000);
    db.apply_retention().unwrap();
    assert_eq!((lines(&db, 1).count().unwrap(), lines(&db, 2).count().unwrap()), (0, 1));
}

#[test]
fn a_lookup_by_parent_finds_it_by_a_number_of_any_type_and_nothing_by_what_is_no_id() {
    let db = filled();
    let places = db.collection::<Document>("places").unwrap();
    for (id, of) in [(1, Value::from(2)), (2, Value::from(2.0)), (3, Value::from(true)), (4, Value::from(2.5))] {
        places.insert_with_id(id, &Document::new().with("of", of)).unwrap();
    }
    let pipeline =
        places.pipeline().sort(asc("_id")).lookup(Lookup::from("orders/lines").on("of", "_parent").named("lines"));
    let found: Vec<usize> = pipeline
        .run()
        .unwrap()
        .iter()
        .map(|row| row.get("lines").and_then(Value::as_array).map_or(0, <[Value]>::len))
        .collect();
    assert_eq!(found, [4, 4, 0, 0]);
}
