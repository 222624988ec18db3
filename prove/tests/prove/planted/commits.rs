//! Commits that are lost, torn, or told wrongly.

use blaze::{Feed, History, set};
use blaze_prove::model::Operation;
use blaze_prove::promises::Bounds;
use blaze_prove::shelves::POSITIONS;
use blaze_prove::{image, workload};

use super::{COMMITS, Planted, people};

#[test]
fn a_database_that_keeps_its_promises_is_found_in_order() {
    let planted = Planted::new();
    assert_eq!(planted.found(), None);
}

#[test]
fn a_lost_commit_is_found() {
    let mut planted = Planted::new();
    planted.promises.lanes[1] = Bounds { acknowledged: COMMITS + 1, asked: COMMITS + 1, durable: 0 };
    planted.assert_found("commits of lane 1: 1 lost");
}

#[test]
fn a_recovered_state_that_lacks_the_newest_commits_is_found() {
    let mut planted = Planted::new();
    let earlier = planted.directory.path().join("earlier");
    image::keep(&planted.path(), &earlier).unwrap();
    let db = planted.open();
    planted.commit(&db, 3);
    db.close().unwrap();
    assert_eq!(planted.found(), None);
    image::keep(&earlier, &planted.path()).unwrap();
    planted.assert_found("commits of lane 0: 3 lost");
}

#[test]
fn a_commit_that_nobody_asked_for_is_found() {
    let planted = Planted::new();
    planted.with_database(|db| workload::commit(db, 0, &planted.lanes[0].clone().advance()).unwrap());
    planted.assert_found("only 120 was asked for");
}

#[test]
fn half_a_transaction_is_found_by_what_it_lacks() {
    let mut planted = Planted::new();
    let db = planted.open();
    let mut lane = planted.lanes.remove(0);
    let is_of_a_document = |operation: &Operation| matches!(operation, Operation::Put(..));
    loop {
        let mut step = lane.advance();
        let torn = step.operations.iter().rposition(is_of_a_document);
        torn.into_iter().for_each(|at| drop(step.operations.drain(at..)));
        workload::commit(&db, 0, &step).unwrap();
        if torn.is_some() {
            break;
        }
    }
    planted.promises.lanes[0].settle(lane.position);
    db.close().unwrap();
    planted.assert_found("the feed of commit");
}

#[test]
fn a_transaction_without_its_position_is_found() {
    let planted = Planted::new();
    let id = planted.lanes[0].people.keys().next().unwrap();
    planted.with_database(|db| people(db).update(id.as_str(), set("age", 7)).unwrap());
    planted.assert_found("documents without a position");
}

#[test]
fn a_position_without_its_transaction_is_found() {
    let mut planted = Planted::new();
    let mut lane = planted.lanes[0].clone();
    while lane.advance().before.is_empty() {}
    planted.with_database(|db| {
        for position in COMMITS + 1..=lane.position {
            db.keyspace(POSITIONS).unwrap().put("0", position.to_string()).unwrap();
        }
    });
    planted.promises.lanes[0].settle(lane.position);
    planted.assert_found("told is None");
}

#[test]
fn commits_that_the_feed_leaves_out_are_found() {
    let mut planted = Planted::new();
    let db = planted.open();
    people(&db).set_feed(Feed::Off).unwrap();
    planted.commit(&db, 10);
    people(&db).set_feed(Feed::Images).unwrap();
    planted.commit(&db, 10);
    db.close().unwrap();
    assert!(planted.found().is_some());
}

#[test]
fn a_history_that_forgot_something_is_found() {
    let planted = Planted::new();
    planted.with_database(|db| {
        people(db).set_history(History::Off).unwrap();
        people(db).set_history(History::Forever).unwrap();
    });
    assert!(planted.found().is_some());
}
