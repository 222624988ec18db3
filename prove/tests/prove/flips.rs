//! A short campaign of damages: each is told, or has no effect on any answer.

use std::time::Duration;

use blaze_prove::flips::campaign::Flips;

const TRIALS: u64 = 240;

#[test]
fn a_damaged_file_is_named_or_changes_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let flips = Flips {
        program: env!("CARGO_BIN_EXE_blaze-prove").into(),
        directory: directory.path().to_owned(),
        seed: 1,
        cycles: Some(TRIALS),
        time: Duration::from_secs(40),
        limit: Duration::from_secs(60),
    };
    let tally = flips.run().unwrap();
    assert!(tally.findings.is_empty(), "{}\n{:?}", tally.findings.join("\n"), directory.keep());
    let count = |outcome: &str| -> u64 { tally.counts.values().filter_map(|counts| counts.get(outcome)).sum() };
    for outcome in ["opening", "copying", "reading", "no-effect"] {
        assert!(count(outcome) > 0, "{tally}");
    }
    assert!(tally.counts.len() > 20, "{tally}");
}
