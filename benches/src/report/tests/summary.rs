//! How figures of rounds come together.

use crate::measure::{Latency, Measurement, Moment, Unit};
use crate::report::fixture::{empty, measured, outcome, rate, reads};
use crate::report::{Answer, Outcome, Report, Row, Spread, Summary};

fn row(report: &Report) -> Row {
    Summary::of(report).tables[0].rows[0].clone()
}

#[test]
fn rows_and_tables_stand_in_the_order_in_which_they_were_found_and_columns_in_that_of_the_report() {
    let mut report = empty();
    report.outcomes.push(outcome("fjall", 0, vec![rate("writes", 1.0), rate("reads", 2.0)]));
    report.outcomes.push(outcome("redb", 0, vec![rate("reads", 2.0), rate("counts", 3.0)]));
    report.outcomes.push(Outcome { workload: "another".into(), ..outcome("redb", 0, vec![rate("reads", 1.0)]) });
    let summary = Summary::of(&report);
    assert_eq!(summary.tables.iter().map(|table| table.workload.as_str()).collect::<Vec<_>>(), ["map", "another"]);
    let table = &summary.tables[0];
    assert_eq!(table.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["writes", "reads", "counts"]);
    assert_eq!(table.engines, ["blaze", "redb", "fjall"]);
    assert_eq!(summary.tables[1].engines, ["blaze", "redb"], "the first engine has a column even without a figure");
}

#[test]
fn a_cell_has_the_median_and_its_multiple_of_that_of_the_first_engine() {
    let row = row(&reads(&[("blaze", &[100.0, 90.0, 120.0]), ("redb", &[50.0, 60.0])]));
    assert_eq!(row.cells[0].spread, Spread::of([90.0, 100.0, 120.0]));
    assert_eq!((row.cells[0].ratio, row.cells[1].ratio), (None, Some(0.55)));
    assert_eq!(row.cells.len(), 2, "fjall took no part");
}

#[test]
fn the_best_median_is_marked_by_the_direction_of_the_unit() {
    let best = |report: &Report| row(report).cells.iter().map(|cell| cell.best).collect::<Vec<_>>();
    let figures: [(&str, &[f64]); 2] = [("blaze", &[1.0]), ("redb", &[2.0])];
    assert_eq!(best(&reads(&figures)), [false, true]);
    assert_eq!(best(&measured(&figures, |value| Measurement::new("opens", Unit::Seconds, value))), [true, false]);
    assert_eq!(best(&reads(&[("blaze", &[1.0])])), [false], "alone is not best");
}

#[test]
fn a_failed_round_is_counted_and_its_engine_is_not_best() {
    let mut report = reads(&[("blaze", &[1.0, 1.0]), ("redb", &[2.0, 2.0]), ("fjall", &[0.5, 0.5])]);
    report.outcomes[3].failure = Some("wrong answer".into());
    let cells = row(&report).cells;
    assert_eq!(cells.iter().map(|cell| cell.failed_rounds).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(cells.iter().map(|cell| cell.best).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(cells[1].spread.unwrap().rounds, 2, "what it found before is told");
}

#[test]
fn answers_that_differ_are_a_disagreement_and_nobody_is_best() {
    let mut report = empty();
    for (engine, round, checksum) in [("blaze", 0, 7), ("redb", 0, 7), ("fjall", 0, 8), ("blaze", 1, 7)] {
        report.outcomes.push(outcome(engine, round, vec![rate("reads", 1.0).checksum(checksum)]));
    }
    let summary = Summary::of(&report);
    let (table, row) = summary.disagreements().next().unwrap();
    assert_eq!((table.workload.as_str(), row.name.as_str()), ("map", "reads"));
    let seven = [("blaze".to_owned(), 0), ("redb".to_owned(), 0), ("blaze".to_owned(), 1)];
    assert_eq!(row.answers[0], Answer { checksum: 7, given_by: seven.to_vec() });
    assert_eq!(row.answers[1], Answer { checksum: 8, given_by: vec![("fjall".to_owned(), 0)] });
    assert!(row.cells.iter().all(|cell| !cell.best));
}

#[test]
fn answers_that_are_the_same_are_none() {
    let report = measured(&[("blaze", &[1.0, 2.0]), ("redb", &[3.0])], |value| rate("reads", value).checksum(7));
    assert_eq!(Summary::of(&report).disagreements().count(), 0);
}

#[test]
fn what_whole_jobs_took_comes_last_without_those_that_failed() {
    let mut report = reads(&[("blaze", &[1.0, 1.0, 1.0])]);
    for (outcome, time) in report.outcomes.iter_mut().zip([3000, 1000, 10]) {
        outcome.resources.processor_ms = Some(time);
    }
    report.outcomes[2].failure = Some("killed".into());
    let rows = Summary::of(&report).tables[0].rows.clone();
    assert_eq!((rows.len(), rows[1].name.as_str()), (2, "whole job: processor time"));
    assert_eq!(rows[1].cells[0].spread, Spread::of([1.0, 3.0]));
}

#[test]
fn latencies_are_medians_and_the_timeline_is_that_of_the_round_in_the_middle() {
    let of_round = |value: f64| {
        let moment = Moment { at_s: 1.0, rate: value, p50_us: 1.0, p99_us: 2.0, max_us: 3.0 };
        let latency = Latency { p50_us: 100.0 / value, ..Latency::default() };
        Measurement { latency: Some(latency), timeline: vec![moment], ..rate("reads", value) }
    };
    let cell = row(&measured(&[("blaze", &[10.0, 50.0, 20.0])], of_round)).cells[0].clone();
    assert_eq!(cell.latency.unwrap().p50_us, 5.0);
    assert_eq!(cell.timeline[0].rate, 20.0);
}
