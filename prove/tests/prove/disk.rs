//! Some hundred cuts of the power, and calls of every kind that fail.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use blaze::{Database, Document, Durability, Index, TransactionOptions};
use blaze_prove::child::MISTAKE;
use blaze_prove::damage;
use blaze_prove::disk::{Campaign, FAULTS, Machine};
use blaze_prove::ledger::{Counts, Entry, Ledger};
use blaze_prove::promises::Promises;
use blaze_prove::random::Random;

fn campaign(directory: &Path, cycles: Option<u64>) -> Campaign {
    Campaign {
        directory: directory.join("lives"),
        ledger: Ledger(directory.join("ledger.jsonl")),
        seed: 1,
        workers: 2,
        time: Duration::from_secs(60),
        cycles,
        life: None,
        call: None,
        limit: Duration::from_secs(60),
    }
}

/// In memory, if the system has a directory there.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn sum(lives: &[Entry]) -> Counts {
    let failures: Vec<_> = lives.iter().filter_map(|life| life.failure.as_deref()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let mut sum = Counts::default();
    lives.iter().for_each(|life| sum.add(&life.counts));
    sum
}

#[test]
fn what_is_durable_survives_whenever_the_power_goes_off() {
    let directory = directory();
    let campaign = campaign(directory.path(), Some(300));
    let lives = campaign.cuts().unwrap();
    let sum = sum(&lives);
    assert!(sum.cuts > 100 && sum.commits > 100 && sum.nested > 0, "{sum:?}");
    assert_eq!(campaign.ledger.read().unwrap(), lives, "the ledger has what was proved");
}

#[test]
fn no_call_that_fails_loses_or_changes_anything() {
    let directory = directory();
    let sum = sum(&campaign(directory.path(), None).faults(97).unwrap());
    assert!(sum.faults > 20 && sum.kills.len() >= FAULTS.len(), "{sum:?}");
}

#[test]
fn what_concurrent_transactions_see_is_free_of_anomalies_whenever_the_power_goes_off() {
    let directory = directory();
    let sum = sum(&campaign(directory.path(), Some(150)).histories().unwrap());
    assert!(sum.cuts > 50 && sum.transactions > 5_000 && sum.commits > 1_000, "{sum:?}");
}

/// What a campaign tells whose databases make a mistake, and which finds it.
fn told_of(mistake: &str, proof: &str) -> String {
    let directory = directory();
    let mut child = Command::new(env!("CARGO_BIN_EXE_blaze-prove"));
    child.env(MISTAKE, mistake);
    child.args([proof, "--seed", "1", "--cycles", "2000", "--minutes", "1", "--directory"]);
    let output = child.arg(directory.path()).arg("--ledger").arg(directory.path().join("ledger")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{proof} does not find {mistake}: {told}");
    told
}

#[test]
fn a_sync_that_is_skipped_is_found() {
    let told = told_of("SkippedSync", "cuts");
    assert!(told.contains(" lost, "), "{told}");
}

#[test]
fn a_commit_that_was_seen_and_is_lost_is_found_in_a_history() {
    let told = told_of("PublishedBeforeDurable", "histories");
    assert!(told.contains(" is missing") || told.contains("stale"), "{told}");
}

fn lose_power(machine: &Machine, db: Database) {
    machine.fs.set_active(false);
    drop(db);
    machine.fs.drop_unsynced().unwrap();
    machine.fs.reset();
}

#[test]
fn timestamps_that_were_seen_are_not_given_again_after_a_loss_of_power() {
    let directory = directory();
    let machine = Machine::new(directory.path(), Promises::default()).unwrap();
    let commit = |durability| {
        let db = machine.open().unwrap().unwrap();
        let transaction = db.begin_with(TransactionOptions::new().durability(durability)).unwrap();
        transaction.keyspace("rows").unwrap().put("key", "value").unwrap();
        let ts = transaction.commit().unwrap();
        lose_power(&machine, db);
        ts
    };
    // After a crash the clock of commits is ahead of the system's, which would hide it.
    let durable = commit(Durability::Sync);
    let lost = commit(Durability::Buffered);
    let last = commit(Durability::Sync);
    assert!(durable < lost && lost < last, "{durable}, {lost}, {last}");
}

#[test]
fn a_dropped_index_or_collection_that_a_loss_of_power_brings_back_is_whole() {
    for drops_index in [true, false] {
        let directory = directory();
        let machine = Machine::new(directory.path(), Promises::default()).unwrap();
        let db = machine.open().unwrap().unwrap();
        let words = db.collection::<Document>("words").unwrap();
        words.insert_many((0..500_i64).map(|n| Document::new().with("text", format!("word{n}")))).unwrap();
        words.ensure_index(Index::text(["text"]).named("text")).unwrap();
        db.compact().unwrap();
        db.sync().unwrap();
        let dropped = if drops_index { words.drop_index("text") } else { db.drop_collection("words") };
        assert!(dropped.unwrap());
        drop(words);
        lose_power(&machine, db);
        let db = machine.open().unwrap().unwrap();
        assert_eq!(db.verify().unwrap().problems, []);
        if db.collections().unwrap() == ["words"] {
            assert_eq!(db.collection::<Document>("words").unwrap().find_all().iter().unwrap().count(), 500);
        }
    }
}

#[test]
fn what_was_repaired_is_not_found_damaged_after_a_loss_of_power() {
    let directory = directory();
    let machine = Machine::new(directory.path(), Promises::default()).unwrap();
    let db = machine.open().unwrap().unwrap();
    let words = db.collection::<Document>("words").unwrap();
    words.ensure_index(Index::on("n")).unwrap();
    words.insert_many((0..50_i64).map(|n| Document::new().with("n", n))).unwrap();
    drop(words);
    db.close().unwrap();
    damage::inflict(&machine.places.database(), &Random::of(&[1])).unwrap();

    let db = machine.open().unwrap().unwrap();
    let report = db.repair().unwrap();
    assert_eq!((report.counts.as_slice(), report.problem_count), (["words".to_owned()].as_slice(), 0), "{report:?}");
    lose_power(&machine, db);
    let db = machine.open().unwrap().unwrap();
    assert_eq!(db.verify().unwrap().problems, []);
}
