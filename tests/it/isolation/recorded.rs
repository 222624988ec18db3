//! Random transactions of several threads over a keyspace, an index and a text index, recorded and judged by `blaze-check`.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use blaze::{Entropy, SystemEntropy};
use blaze_check::{History, Kind, Outcome, Transaction as Recorded, check};

use super::recorder::{Chooser, Recorder, THREADS};
use super::*;

const TRANSACTIONS_PER_THREAD: u64 = 400;

#[test]
fn serializable_transactions_are_free_of_anomalies() {
    let seed = SystemEntropy.next_u64();
    println!("seed {seed}");
    assert_sound(seed, |_| Serializable);
}

#[test]
fn snapshots_have_write_skew_and_no_other_anomaly() {
    let seed = SystemEntropy.next_u64();
    println!("seed {seed}");
    let write_skew = BTreeSet::from([Kind::G2Item, Kind::G2]);
    let mut found = BTreeSet::new();
    // Each is there dozens of times, unless a busy machine has run one thread after the other.
    for attempt in 0..20 {
        for history in assert_sound(seed.wrapping_add(attempt), |_| Snapshot) {
            let report = check(&history.under(Serializable)).unwrap();
            found.extend(report.kinds());
            assert!(found.is_subset(&write_skew), "{report}");
        }
        if found == write_skew {
            return;
        }
    }
    panic!("only {found:?} were found");
}

#[test]
fn transactions_of_both_isolations_are_each_protected_from_what_they_asked_for() {
    let seed = SystemEntropy.next_u64();
    println!("seed {seed}");
    assert_sound(seed, |random| BOTH[(random.next_u64() % 2) as usize]);
}

/// Runs transactions in memory and on disk, and checks both histories.
fn assert_sound(seed: u64, isolation: Chooser) -> [History; 2] {
    let builder = || Database::builder().durability(Durability::Buffered);
    [builder().in_memory().unwrap(), builder().temporary().unwrap()].map(|db| {
        let mut recorder = Recorder::new(seed, isolation, Durability::Buffered);
        recorder.prepare(&db).unwrap();
        recorder.run(&db, TRANSACTIONS_PER_THREAD).unwrap();
        recorder.look(&db).unwrap();
        let history = recorder.history();
        let is_committed = |transaction: &&Recorded| matches!(transaction.outcome, Outcome::Committed(_));
        let commits = history.transactions.iter().filter(is_committed).count() as u64;
        assert!(commits > THREADS * TRANSACTIONS_PER_THREAD / 10, "seed {seed}: only {commits} commits");
        let report = check(&history).unwrap();
        if !report.is_sound() {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{seed}.jsonl"));
            history.write_lines(File::create(&kept).unwrap()).unwrap();
            panic!("seed {seed}, the history is in {}:\n{report}", kept.display());
        }
        history
    })
}
