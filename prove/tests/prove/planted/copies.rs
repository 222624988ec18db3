//! Backups and checkpoints that lack something.

use std::fs;

use blaze_prove::promises::{Bounds, Copy};

use super::{COMMITS, Planted};

#[test]
fn a_backup_that_lacks_a_commit_or_a_file_is_found() {
    let mut planted = Planted::new();
    let places = planted.places();
    let number = u64::from(planted.open().backup(places.backups()).unwrap().id);
    planted.promises.backup = Some(Copy { number, lanes: planted.promises.lanes.clone() });
    planted.promises.audits_copies = true;
    assert_eq!(planted.found(), None);
    planted.promises.backup =
        Some(Copy { number, lanes: vec![Bounds { acknowledged: COMMITS + 1, asked: COMMITS + 9, durable: 0 }; 2] });
    planted.assert_found("the last backup: commits of lane 0: 1 lost");
    planted.promises.backup = Some(Copy { number: number + 1, lanes: planted.promises.lanes.clone() });
    planted.assert_found("the last backup: number 2 is gone");
    planted.promises.backup = Some(Copy { number, lanes: planted.promises.lanes.clone() });
    let shared = places.backups().join("shared_checksum");
    fs::remove_file(fs::read_dir(shared).unwrap().next().unwrap().unwrap().path()).unwrap();
    planted.assert_found("the last backup");
}

#[test]
fn a_checkpoint_that_is_gone_or_torn_is_found() {
    let mut planted = Planted::new();
    let path = planted.places().checkpoints().join("1");
    fs::create_dir_all(planted.places().checkpoints()).unwrap();
    planted.with_database(|db| db.checkpoint(&path).unwrap());
    planted.promises.checkpoint = Some(Copy { number: 1, lanes: planted.promises.lanes.clone() });
    planted.promises.audits_copies = true;
    assert_eq!(planted.found(), None);
    fs::remove_file(path.join("CURRENT")).unwrap();
    planted.assert_found("checkpoint 1: the database answered Corruption");
    fs::remove_dir_all(&path).unwrap();
    planted.assert_found("checkpoint 1 is gone");
}
