//! Contents and indexes that differ.

use blaze::{Document, set};
use blaze_core::Family;
use blaze_prove::auditor;
use blaze_prove::promises::Bounds;
use blaze_prove::random::Random;
use blaze_prove::shelves::{CHURNED, LOADED, PAIRS};
use blaze_prove::side::loaded;

use super::{Planted, people};

#[test]
fn a_missing_document_pair_or_object_is_found() {
    for (with, what) in
        [("0/p", "1 differ, the first is \"0/p"), ("1/n", "\"notes\": 1 differ"), ("0/k", "\"pairs\": 1 differ")]
    {
        let planted = Planted::new();
        planted.remove_row(Family::Data, with);
        planted.assert_found(what);
    }
}

#[test]
fn a_missing_entry_of_any_kind_of_index_is_found() {
    for (family, with, index) in [
        (Family::Index, "example.org", "index \"email\""),
        (Family::Index, "Lima", "index \"place\""),
        (Family::Vector, "0/n", "index \"embedding\""),
        (Family::Text, "0/n", "index \"text\""),
    ] {
        let planted = Planted::new();
        planted.remove_row(family, with);
        planted.assert_found(index);
    }
}

#[test]
fn an_index_that_answers_wrongly_is_found_without_verification() {
    let planted = Planted::new();
    planted.remove_row(Family::Index, "Lima");
    let wrong = auditor::indexes::check(&planted.open(), &planted.lanes, &Random::of(&[1])).unwrap_err().0;
    assert!(wrong.contains("by the city \"Lima\""), "{wrong}");
}

#[test]
fn pairs_that_nobody_put_are_found() {
    let planted = Planted::new();
    planted.with_database(|db| db.keyspace(PAIRS).unwrap().put("1/surplus", "x").unwrap());
    planted.assert_found("\"pairs\": 1 differ");
}

#[test]
fn a_load_of_which_a_document_is_missing_is_found() {
    let planted = Planted::new();
    planted.with_database(|db| assert!(db.collection::<Document>(LOADED).unwrap().delete(3).unwrap()));
    planted.assert_found("\"loaded\": 1 differ");
}

#[test]
fn what_was_dropped_and_is_there_is_found() {
    let mut planted = Planted::new();
    planted.promises.churn = Bounds { acknowledged: 2, asked: 2, durable: 0 };
    assert_eq!(planted.found(), None);
    planted.with_database(|db| drop(db.collection::<Document>(CHURNED).unwrap().insert(&loaded(1, 1)).unwrap()));
    planted.assert_found("\"churned\" was dropped (number 2) and is there");
}

#[test]
fn an_opening_that_changes_something_is_found() {
    let planted = Planted::new();
    let before = planted.digest();
    assert_eq!(before, planted.digest());
    let (id, person) = planted.lanes[0].people.first_key_value().unwrap();
    planted.with_database(|db| people(db).update(id.as_str(), set("age", 91)).unwrap());
    assert_ne!(before, planted.digest(), "{person:?}");
}
