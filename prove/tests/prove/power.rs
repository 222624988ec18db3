//! Short campaigns with power cuts, as root on Linux: nothing is lost, and a sync that is left out is noticed.

use std::path::Path;
use std::process::{Command, Output};

use blaze_prove::child::MISTAKE;
use blaze_prove::ledger::{Counts, Entry, Ledger};
use tempfile::TempDir;

/// Cuts within which a mistake has to be found.
const CUTS: u64 = 60;

/// Runs a campaign of its own; none where no power can be cut.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn cut(directory: &Path, cycles: u64, mistake: Option<&str>) -> Option<(Output, Vec<Entry>)> {
    let ledger = Ledger(directory.join("ledger.jsonl"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_blaze-prove"));
    command.args(["power", "--minutes", "2", "--seed", "1", "--workers", "2", "--cycles", &cycles.to_string()]);
    command.arg("--directory").arg(directory.join("lives")).arg("--ledger").arg(&ledger.0);
    mistake.map(|mistake| command.env(MISTAKE, mistake));
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("skipped") {
        eprintln!("{told}");
        return None;
    }
    let lives = ledger.read().unwrap();
    Some((output, lives))
}

#[test]
fn nothing_that_was_synced_is_lost_whenever_the_power_is_cut() {
    let directory = tempfile::tempdir().unwrap();
    let Some((output, lives)) = cut(directory.path(), CUTS, None) else { return };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{:?}", directory.keep());
    let mut sum = Counts::default();
    lives.iter().for_each(|life| sum.add(&life.counts));
    assert!(sum.cuts > CUTS / 2 && sum.audits > 0 && sum.commits > 0, "{sum:?}");
    assert!(is_unmounted(&directory), "something is mounted still");
}

#[test]
fn a_sync_that_is_left_out_is_found_by_cutting_the_power() {
    let directory = tempfile::tempdir().unwrap();
    let Some((output, lives)) = cut(directory.path(), CUTS, Some("SkippedSync")) else { return };
    assert!(!output.status.success(), "nothing was found");
    let found: Vec<&str> = lives.iter().filter_map(|life| life.failure.as_deref()).collect();
    assert!(found.iter().any(|found| found.contains("lost")), "{found:?}");
    assert!(is_unmounted(&directory), "something is mounted still");
}

fn is_unmounted(directory: &TempDir) -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    !mounts.contains(&directory.path().display().to_string())
}
