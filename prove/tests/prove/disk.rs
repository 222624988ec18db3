//! Some hundred cuts of the power, and calls of every kind that fail.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use blaze_prove::disk::Campaign;
use blaze_prove::ledger::{Counts, Entry, Ledger};

fn campaign(directory: &Path, cycles: u64) -> Campaign {
    Campaign {
        directory: directory.join("lives"),
        ledger: Ledger(directory.join("ledger.jsonl")),
        seed: 1,
        workers: 2,
        time: Duration::from_secs(20),
        cycles: Some(cycles),
        life: None,
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
    let campaign = campaign(directory.path(), 300);
    let lives = campaign.cuts().unwrap();
    let sum = sum(&lives);
    assert!(sum.cuts > 100 && sum.commits > 100 && sum.nested > 0, "{sum:?}");
    assert_eq!(campaign.ledger.read().unwrap(), lives, "the ledger has what was proved");
}

#[test]
fn no_call_that_fails_loses_or_changes_anything() {
    let directory = directory();
    let sum = sum(&campaign(directory.path(), 100).faults(29).unwrap());
    assert!(sum.faults > 30 && sum.kills.len() > 3, "{sum:?}");
}

#[test]
fn a_sync_that_is_skipped_is_found() {
    let directory = directory();
    let mut child = Command::new(env!("CARGO_BIN_EXE_blaze-prove"));
    child.args(["cuts", "--plant", "0", "--seed", "1", "--cycles", "2000", "--minutes", "1", "--directory"]);
    let output = child.arg(directory.path()).arg("--ledger").arg(directory.path().join("ledger")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains(" lost, "), "{told}");
}
