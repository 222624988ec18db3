//! Many documents of one parent at once: those of others are left alone.

use blaze::mul;
use blaze::pipeline::sum;

use super::*;

fn prices(db: &Database, order: i64) -> Vec<i64> {
    let found = lines(db, order).find_all().run().unwrap();
    found.iter().map(|found| found.get("price").and_then(Value::as_i64).unwrap()).collect()
}

#[test]
fn those_below_one_parent_are_changed_and_removed_in_many() {
    let db = filled();
    let report = lines(&db, 2).update_many(field("price").gt(15), mul("price", 10)).unwrap();
    assert_eq!((report.matched, report.modified), (3, 3));
    assert_eq!(prices(&db, 2), [12, 220, 320, 420]);
    assert_eq!(lines(&db, 3).delete_many(field("price").lt(30)).unwrap(), 2);
    assert_eq!((prices(&db, 1), prices(&db, 3)), (vec![11, 21, 31, 41], vec![33, 43]));
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn many_are_inserted_under_ids_of_their_own_or_none_is() {
    let db = filled();
    let second = lines(&db, 2);
    assert_eq!(second.insert_many_with_ids([(7, line(70)), (8, line(80).with("_id", 8))]).unwrap(), 2);
    let cases = [
        (second.insert_many_with_ids([(9, line(90)), (7, line(70))]), ErrorKind::AlreadyExists),
        (second.insert_many_with_ids([(9, line(90).with("_id", 10))]), ErrorKind::Invalid),
        (second.insert_many_with_ids([(9, line(90).with("_parent", 1))]), ErrorKind::Invalid),
        (second.insert_many_with_ids([(DocumentId::child(1, 9), line(90))]), ErrorKind::Invalid),
    ];
    for (result, expected) in cases {
        assert_eq!(kind(result), Some(expected));
    }
    assert_eq!((prices(&db, 2), prices(&db, 1).len()), (vec![12, 22, 32, 42, 70, 80], 4));
}

#[test]
fn a_pipeline_reads_those_below_one_parent_and_a_found_one_is_saved_once() {
    let db = filled();
    let total = lines(&db, 3).pipeline().group("_parent", [sum("price").named("total")]).run().unwrap();
    assert_eq!((total.len(), total[0].get("total")), (1, Some(&112.into())));
    let raw = lines(&db, 3).get_raw(2).unwrap().unwrap();
    assert_eq!(raw.get("price").unwrap(), Some(23.into()));

    let mut found = lines(&db, 3).get(2).unwrap().unwrap();
    found.value.insert("price", 1);
    assert_eq!(kind(lines(&db, 2).save(&found)), Some(ErrorKind::Invalid), "it is below another parent");
    lines(&db, 3).save(&found).unwrap();
    assert_eq!(kind(lines(&db, 3).save(&found)), Some(ErrorKind::VersionMismatch));
    assert_eq!(prices(&db, 3), [13, 1, 33, 43]);
    let held = db.transaction(|transaction| {
        let lines = transaction.collection::<Document>("orders")?.subcollection::<Document>(3, "lines")?;
        Ok(lines.get_for_update(2)?.is_some())
    });
    assert!(held.unwrap());
}
