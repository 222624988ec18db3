use super::*;
use crate::measure::Measurement;
use crate::report::fixture::{empty, measured, outcome, rate, reads};

const THRESHOLD: f64 = 0.05;

/// What becomes of `reads` of Blaze from some rounds to others.
fn verdict(before: &[f64], after: &[f64]) -> Verdict {
    let (before, after) = (reads(&[("blaze", before)]), reads(&[("blaze", after)]));
    Comparison::of(&before, &after, THRESHOLD).changes[0].verdict
}

#[test]
fn better_and_worse_need_every_round() {
    assert_eq!(verdict(&[100.0, 101.0, 102.0], &[120.0, 121.0, 122.0]), Verdict::Better);
    assert_eq!(verdict(&[120.0, 121.0, 122.0], &[100.0, 101.0, 102.0]), Verdict::Worse);
    assert_eq!(verdict(&[100.0, 101.0, 121.0], &[120.0, 121.0, 122.0]), Verdict::Unchanged);
}

#[test]
fn better_and_worse_need_more_than_the_threshold() {
    assert_eq!(verdict(&[100.0, 100.0], &[104.9, 104.9]), Verdict::Unchanged);
    assert_eq!(verdict(&[100.0, 100.0], &[105.1, 105.1]), Verdict::Better);
    assert_eq!(verdict(&[100.0, 100.0], &[94.9, 94.9]), Verdict::Worse);
}

#[test]
fn one_round_proves_nothing() {
    assert_eq!(verdict(&[100.0], &[10.0, 10.0, 10.0]), Verdict::Inconclusive);
    assert_eq!(verdict(&[100.0, 100.0, 100.0], &[10.0]), Verdict::Inconclusive);
}

#[test]
fn an_engine_that_answers_otherwise_cannot_be_compared_with_itself() {
    let report = |blaze: u64, redb: u64| {
        let mut report = measured(&[("blaze", &[1.0, 1.0]), ("redb", &[1.0, 1.0])], |value| rate("reads", value));
        for outcome in &mut report.outcomes {
            outcome.measurements[0].checksum = Some(if outcome.engine == "blaze" { blaze } else { redb });
        }
        report
    };
    let verdicts = |before, after| {
        let mut changes = Comparison::of(&before, &after, THRESHOLD).changes;
        changes.sort_by(|one, other| one.engine.cmp(&other.engine));
        changes.iter().map(|change| change.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(report(7, 7), report(7, 8)), [Verdict::Unchanged, Verdict::Inconclusive]);
    assert_eq!(verdicts(report(7, 7), report(8, 8)), [Verdict::Inconclusive, Verdict::Inconclusive]);
}

#[test]
fn a_change_is_positive_when_it_is_better() {
    let percent = |unit, before, after| {
        let report = |value| measured(&[("blaze", &[value, value])], |value| Measurement::new("row", unit, value));
        Comparison::of(&report(before), &report(after), THRESHOLD).changes[0].percent
    };
    assert_eq!(percent(Unit::OperationsPerSecond, 100.0, 150.0), 50.0);
    assert_eq!(percent(Unit::Seconds, 2.0, 1.0), 50.0);
    assert_eq!(percent(Unit::Bytes, 100.0, 110.0), -10.0);
    assert_eq!(percent(Unit::Share, 1.0, 0.5), -50.0);
    assert_eq!(percent(Unit::Bytes, 0.0, 0.0), 0.0);
    assert_eq!(percent(Unit::Bytes, 0.0, 1.0), f64::NEG_INFINITY);
}

#[test]
fn only_the_subject_can_regress() {
    let before = reads(&[("blaze", &[100.0, 100.0]), ("redb", &[100.0, 100.0])]);
    let rival_fell = reads(&[("blaze", &[100.0, 100.0]), ("redb", &[50.0, 50.0])]);
    let subject_fell = reads(&[("blaze", &[50.0, 50.0]), ("redb", &[100.0, 100.0])]);
    assert!(!Comparison::of(&before, &rival_fell, THRESHOLD).has_regressions());
    assert!(Comparison::of(&before, &subject_fell, THRESHOLD).has_regressions());
}

#[test]
fn a_new_failure_is_a_regression_and_an_old_one_is_not() {
    let sound = reads(&[("blaze", &[100.0, 100.0])]);
    let mut failed = sound.clone();
    failed.outcomes[1].failure = Some("wrong answer".into());
    let comparison = Comparison::of(&sound, &failed, THRESHOLD);
    assert_eq!(comparison.new_failures, ["map, round 2: wrong answer"]);
    assert!(comparison.has_regressions());
    assert_eq!(comparison.changes[0].verdict, Verdict::Inconclusive);
    assert!(!Comparison::of(&failed, &failed, THRESHOLD).has_regressions());
}

#[test]
fn other_machines_conditions_and_descriptions_cannot_be_compared() {
    let before = reads(&[("blaze", &[100.0, 100.0])]);
    let after = reads(&[("blaze", &[50.0, 50.0])]);
    let differences: [fn(&mut Report); 5] = [
        |report| report.machine.processor = "another".into(),
        |report| report.machine.cores = 64,
        |report| report.machine.disk.is_memory = true,
        |report| report.conditions.clear(),
        |report| report.outcomes.iter_mut().for_each(|outcome| outcome.description = "more pairs".into()),
    ];
    for (index, differ) in differences.into_iter().enumerate() {
        let mut after = after.clone();
        differ(&mut after);
        let comparison = Comparison::of(&before, &after, THRESHOLD);
        assert_eq!(comparison.changes[0].verdict, Verdict::Inconclusive, "{index}");
        assert_eq!(comparison.warnings.len(), 1, "{:?}", comparison.warnings);
        assert!(comparison.to_string().contains(&format!("> - {}", &comparison.warnings[0][..10])));
    }
    assert_eq!(Comparison::of(&before, &after, THRESHOLD).warnings, Vec::<String>::new());
}

#[test]
fn another_version_another_configuration_and_another_disk_speed_are_told() {
    let before = reads(&[("blaze", &[100.0, 100.0])]);
    let mut after = before.clone();
    after.engines[0].version = "2.0".into();
    after.engines[1].configuration.push("faster".into());
    after.machine.disk.sync_p50_us = 9000.0;
    let comparison = Comparison::of(&before, &after, THRESHOLD);
    assert_eq!(
        comparison.warnings,
        [
            "blaze is another version: 1.0 before, 2.0 after.",
            "redb is set up in another way: “defaults” before, “defaults; faster” after.",
            "A sync of the disk took 1234 µs before, 9000 µs after: durable writes will show it.",
        ]
    );
    assert_eq!(comparison.changes[0].verdict, Verdict::Unchanged, "it is compared all the same");
}

#[test]
fn the_drift_is_that_of_rivals_that_are_the_same_in_both_runs() {
    let before = reads(&[("blaze", &[100.0, 100.0]), ("redb", &[100.0, 100.0]), ("fjall", &[100.0, 100.0])]);
    let mut after = reads(&[("blaze", &[90.0, 90.0]), ("redb", &[97.0, 97.0]), ("fjall", &[200.0, 200.0])]);
    after.engines[2].version = "2.0".into();
    let comparison = Comparison::of(&before, &after, THRESHOLD);
    let drift = comparison.drift.unwrap();
    assert_eq!((drift.percent.round(), drift.rows), (-3.0, 1));
    assert!(comparison.to_string().contains("drifted by −3.0% in the median of 1 row."));
}

#[test]
fn what_only_one_run_has_is_listed() {
    let both = reads(&[("blaze", &[1.0, 1.0]), ("redb", &[1.0, 1.0])]);
    let one = reads(&[("blaze", &[1.0, 1.0])]);
    assert_eq!(Comparison::of(&both, &one, THRESHOLD).only_before, ["map, redb, reads"]);
    assert_eq!(Comparison::of(&one, &both, THRESHOLD).only_after, ["map, redb, reads"]);
    assert_eq!(Comparison::of(&both, &both, THRESHOLD).only_after, Vec::<String>::new());
}

#[test]
fn the_worst_comes_first_and_the_verdict_last() {
    let report = |rates: [(&str, f64); 4]| {
        let mut report = empty();
        for round in 0..3 {
            let rates = rates.map(|(name, value)| rate(name, value));
            report.outcomes.push(outcome("blaze", round, rates.to_vec()));
        }
        report
    };
    let before = report([("same", 100.0), ("better", 100.0), ("bad", 100.0), ("terrible", 100.0)]);
    let after = report([("same", 100.0), ("better", 200.0), ("bad", 80.0), ("terrible", 20.0)]);
    let comparison = Comparison::of(&before, &after, THRESHOLD);
    let rows: Vec<&str> = comparison.changes.iter().map(|change| change.row.as_str()).collect();
    assert_eq!(rows, ["terrible", "bad", "same", "better"]);
    let text = comparison.to_string();
    assert!(text.contains("| map: terrible | 100/s ±0.0% | 20.0/s ±0.0% | **−80.0%** | **worse** |"), "{text}");
    assert!(text.contains("rounds of about 0.4 of these 4 rows"), "{text}");
    let last = "blaze became worse: 2 worse, 1 better, 1 unchanged, 0 inconclusive of 4 rows (threshold 5.00%).\n";
    assert!(text.ends_with(last), "{text}");
}

#[test]
fn nothing_beside_nothing_is_nothing() {
    let comparison = Comparison::of(&empty(), &empty(), THRESHOLD);
    assert!(!comparison.has_regressions());
    assert!(comparison.to_string().ends_with(
        "blaze cannot be judged: 0 worse, 0 better, 0 unchanged, 0 inconclusive of 0 rows (threshold 5.00%).\n"
    ));
}
