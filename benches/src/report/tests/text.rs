//! What reports say, in both forms.

use crate::measure::{Latency, Moment, Series, Unit};
use crate::report::fixture::{empty, measured, outcome, rate, reads};
use crate::report::*;

fn both(report: &Report) -> [String; 2] {
    let summary = Summary::of(report);
    [markdown::render(report, &summary), html::render(report, &summary)]
}

fn assert_told(report: &Report, what: &str) {
    for text in both(report) {
        assert!(text.contains(what), "{what} is not in {text}");
    }
}

#[test]
fn a_report_without_outcomes_says_so_and_where_it_ran() {
    for what in ["Nothing was measured.", "Abacus 3000, 2 cores, 8.00 GiB of memory", "abc123", "--quick", "blaze 1.0"]
    {
        assert_told(&empty(), what);
    }
    assert_told(&empty(), "ext4, fdatasync 1.23 ms (p50), 4.00 ms (p99)");
    assert!(!both(&empty())[0].contains("Warning"));
}

#[test]
fn a_figure_stands_with_its_spread_and_its_multiple_and_the_best_is_bold() {
    let [text, page] = both(&reads(&[("blaze", &[1000.0, 1100.0, 1000.0]), ("redb", &[2000.0, 2000.0, 2000.0])]));
    assert!(text.contains("| ↑ reads | 1,000/s ±10% | **2,000/s** ±0.0% · 2.00× |"), "{text}");
    assert!(page.contains("<td><b>2,000/s</b><small>±0.0% · 2.00×</small></td>"), "{page}");
}

#[test]
fn where_the_first_engine_loses_is_told_at_the_top() {
    let report = reads(&[("blaze", &[1000.0, 1000.0]), ("redb", &[2000.0, 2000.0]), ("fjall", &[3000.0, 3000.0])]);
    assert_told(&report, "blaze leads in 0 of 1 row");
    let [text, _] = both(&report);
    assert!(text.contains("| map: reads | 1,000/s | fjall 3,000/s (3.00×) redb 2,000/s (2.00×) |"), "{text}");
    assert!(text.find("Where blaze loses").unwrap() < text.find("## map").unwrap());
}

#[test]
fn one_engine_alone_neither_leads_nor_loses() {
    let mut report = reads(&[("blaze", &[1.0, 1.0])]);
    report.engines.truncate(1);
    assert!(!both(&report)[0].contains("leads"));
}

#[test]
fn a_single_round_is_a_warning_and_has_no_spread() {
    let report = reads(&[("blaze", &[1000.0])]);
    assert_told(&report, "1 figure of a single round");
    assert!(both(&report)[0].contains("| ↑ reads | 1,000/s |"));
}

#[test]
fn an_interrupted_run_says_at_the_top_what_is_missing() {
    let mut report = reads(&[("blaze", &[1000.0])]);
    for (engine, round) in [("redb", 0), ("blaze", 1), ("redb", 1)] {
        report.missing.push(Missing { workload: "map".into(), engine: engine.into(), round });
    }
    assert_told(&report, "This run is not complete: 3 jobs had still to run");
    assert_told(&report, "map: redb (rounds 1, 2), blaze (round 2)");
    for text in both(&report) {
        assert!(text.find("not complete").unwrap() < text.find("Abacus 3000").unwrap());
    }
}

#[test]
fn a_figure_of_fewer_rounds_than_others_says_so() {
    let [text, _] = both(&reads(&[("blaze", &[1.0, 1.0, 1.0]), ("redb", &[2.0, 2.0])]));
    assert!(text.contains("| ↑ reads | 1.00/s ±0.0% | **2.00/s** ±0.0% · 2.00× 2 rounds only |"), "{text}");
}

#[test]
fn a_failure_is_told_with_its_reason_and_beside_the_figures() {
    let mut report = reads(&[("blaze", &[1.0, 1.0]), ("redb", &[2.0, 2.0])]);
    report.outcomes[3].failure = Some("the count is 3,\nnot 4".into());
    report.outcomes[3].measurements.clear();
    for text in both(&report) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("map, redb, round 2: the count is 3, not 4"), "{text}");
        assert!(text.contains("1 round failed"), "{text}");
    }
    report.outcomes[2].measurements.clear();
    assert!(both(&report)[0].contains("| ↑ reads | 1.00/s ±0.0% | – 1 round failed |"));
}

#[test]
fn a_disagreement_is_told_with_all_answers_and_who_gave_them() {
    let mut report = empty();
    for (engine, round, checksum) in [("blaze", 0, 0xab), ("blaze", 1, 0xab), ("redb", 0, 0xcd)] {
        report.outcomes.push(outcome(engine, round, vec![rate("reads", 1.0).checksum(checksum)]));
    }
    assert_told(&report, "Wrong answers: in 1 row");
    assert_told(&report, "map, reads: 0xab from blaze (rounds 1, 2); 0xcd from redb (round 1)");
    assert_told(&report, "↑ reads (answers disagree)");
}

#[test]
fn a_disk_that_is_memory_is_a_warning() {
    let mut report = empty();
    report.machine.disk.is_memory = true;
    assert_told(&report, "The disk is memory");
}

#[test]
fn latencies_stand_in_a_table_of_their_own() {
    let latency = Latency { p50_us: 1.5, p95_us: 2.0, p99_us: 30.0, p999_us: 400.0, max_us: 5000.0 };
    let report = measured(&[("blaze", &[1.0])], |value| Measurement { latency: Some(latency), ..rate("reads", value) });
    assert!(both(&report)[0].contains("| reads | blaze | 1.50 | 2.00 | 30.0 | 400 | 5,000 |"));
}

#[test]
fn skipped_rows_and_settings_are_told() {
    let mut report = empty();
    report.skipped.push(Skipped { what: "map on redb".into(), why: "it is too large".into() });
    assert_told(&report, "map on redb: it is too large");
    assert_told(&report, "defaults");
}

#[test]
fn what_is_no_number_is_never_shown() {
    let odd = Latency { p50_us: f64::NAN, p95_us: f64::INFINITY, ..Latency::default() };
    let moment = Moment { at_s: f64::NAN, rate: f64::INFINITY, p50_us: 0.0, p99_us: f64::NAN, max_us: 0.0 };
    let mut report = measured(&[("blaze", &[0.0, 0.0]), ("redb", &[1.0, f64::NAN])], |value| {
        let reads = rate("reads", value).at(Series::QueriesByRecall, f64::NAN);
        Measurement { latency: Some(odd), timeline: vec![moment; 9], ..reads }
    });
    report.elapsed_s = f64::NAN;
    report.machine.disk.sync_p99_us = f64::INFINITY;
    report.outcomes.push(outcome("fjall", 0, vec![Measurement::new("lost", Unit::Bytes, f64::NAN)]));
    for text in both(&report) {
        let words = || text.split(|letter: char| !letter.is_alphanumeric());
        assert!(!words().any(|word| ["nan", "inf"].contains(&word.to_lowercase().as_str())), "{text}");
        assert!(text.contains("↓ lost"), "the row is there");
    }
}

#[test]
fn whatever_comes_from_data_is_escaped() {
    let evil = "<script>alert('x')</script>";
    let mut report = empty();
    let machine = &mut report.machine;
    for text in [&mut report.started, &mut report.command, &mut report.revision, &mut machine.processor] {
        evil.clone_into(text);
    }
    evil.clone_into(&mut machine.system);
    evil.clone_into(&mut machine.disk.filesystem);
    report.conditions = vec![evil.to_owned()];
    report.engines = ["one", "other"]
        .map(|name| EngineInfo {
            name: format!("{evil}{name}"),
            version: evil.to_owned(),
            configuration: vec![evil.to_owned()],
        })
        .to_vec();
    report.skipped.push(Skipped { what: evil.into(), why: evil.into() });
    report.missing.push(Missing { workload: evil.into(), engine: evil.into(), round: 0 });
    for engine in report.engines.clone() {
        let moment = |at| Moment { at_s: f64::from(at), rate: 1.0, p50_us: 1.0, p99_us: 2.0, max_us: 3.0 };
        let found = (1..=4).map(|threads: u32| Measurement {
            timeline: (1..10).map(moment).collect(),
            ..rate(&format!("{evil}{threads}"), 1.0).at(Series::ReadsByThreads, f64::from(threads))
        });
        let failure = Some(evil.to_owned());
        let of_engine = outcome(&engine.name, 0, found.collect());
        report.outcomes.push(Outcome { workload: evil.into(), description: evil.into(), failure, ..of_engine });
    }
    let [text, page] = both(&report);
    assert!(page.matches("&lt;script&gt;").count() > 20 && page.matches("<svg").count() > 3);
    assert!(!page.contains("<script") && !page.contains("alert('x')"));
    assert!(!text.contains("<script"));
}

#[test]
fn pages_have_plots_where_figures_make_lines() {
    let mut report = empty();
    for engine in ["blaze", "redb"] {
        let reads = [1.0, 2.0, 4.0].map(|threads| {
            rate(&format!("reads, {threads} threads"), 100.0 * threads).at(Series::ReadsByThreads, threads)
        });
        let moment = |at| Moment { at_s: f64::from(at), rate: 1.0, p50_us: 1.0, p99_us: 2.0, max_us: 3.0 };
        let long = Measurement { timeline: (1..10).map(moment).collect(), ..rate("long", 1.0) };
        let all = reads.into_iter().chain([long]).collect();
        report.outcomes.push(outcome(engine, 0, all));
    }
    let [text, page] = both(&report);
    assert_eq!(page.matches("<svg").count(), 1 + 3, "threads; rate, p50 and p99 over time");
    assert_eq!(page.matches("<polyline").count(), 8);
    assert!(page.contains("blaze, threads 4: 400/s (reads, 4 threads)"));
    assert!(!text.contains("svg"));
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut report = reads(&[("blaze", &[1.0, 2.0])]);
    report.missing.push(Missing { workload: "map".into(), engine: "redb".into(), round: 0 });
    report.write(directory.path()).unwrap();
    assert_eq!(Report::read(&directory.path().join("report.json")).unwrap(), report);
    assert!(fs::read_to_string(directory.path().join("report.md")).unwrap().starts_with("# Benchmark of blaze"));
    assert!(directory.path().join("report.html").exists());
    report.format = FORMAT + 1;
    report.write(directory.path()).unwrap();
    let error = Report::read(&directory.path().join("report.json")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}
