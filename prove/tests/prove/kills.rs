//! A short campaign: some tens of processes are killed, and nothing is lost.

use std::time::Duration;

use blaze_prove::campaign::Campaign;
use blaze_prove::cycle::Runner;
use blaze_prove::ledger::{Counts, Ledger};

const CYCLES: u64 = 60;

#[test]
fn nothing_is_lost_whenever_a_process_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let campaign = Campaign {
        runner: Runner { program: env!("CARGO_BIN_EXE_blaze-prove").into(), limit: Duration::from_secs(60) },
        directory: directory.path().join("lives"),
        ledger: Ledger(directory.path().join("ledger.jsonl")),
        cuts_power: false,
        seed: 1,
        workers: 2,
        time: Duration::from_secs(25),
        cycles: Some(CYCLES),
    };
    let lives = campaign.run().unwrap();
    let failures: Vec<_> = lives.iter().filter_map(|life| life.failure.as_deref()).collect();
    assert!(failures.is_empty(), "{}\n{:?}", failures.join("\n"), directory.keep());
    let mut sum = Counts::default();
    lives.iter().for_each(|life| sum.add(&life.counts));
    assert!(sum.commits > 0 && sum.audits > 0 && sum.cycles >= sum.audits, "{sum:?}");
    assert_eq!(campaign.ledger.read().unwrap(), lives, "the ledger has what was proved");
}
