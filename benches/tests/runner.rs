//! The runner as a user meets it: a program that measures, reports, compares and can be interrupted.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use blaze_bench::measure::Target;
use blaze_bench::report::Report;

fn bench(arguments: &[&str], output: &Path) -> Output {
    let output = output.to_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(arguments).args(["--output", output, "--rounds", "1", "--memory", "256"]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_run_leaves_a_report_in_three_forms_and_no_data() {
    // Temporary files may be in memory, the products of a build seldom are.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = bench(&["--workloads", "durable commits"], directory.path());
    let said = text(&output.stderr);
    if said.contains("is memory") {
        println!("skipped: {said}"); // then durable commits are refused, which another test sees
        return;
    }
    assert!(output.status.success(), "{said}");
    let mut files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["report.html", "report.json", "report.md"]);

    let report = Report::read(&directory.path().join("report.json")).unwrap();
    assert!(report.missing.is_empty() && report.failures().next().is_none());
    let outcome = &report.outcomes[0];
    let names: Vec<&str> = outcome.measurements.iter().map(|measurement| measurement.name.as_str()).collect();
    assert_eq!(names, ["a bare sync, no engine", "1 thread", "4 threads", "16 threads"]);
    for measurement in &outcome.measurements {
        let latency = measurement.latency.unwrap();
        assert!(measurement.value > 0.0 && latency.p50_us > 0.0 && latency.p50_us <= latency.max_us, "{measurement:?}");
    }
    for name in ["report.md", "report.html"] {
        let report = fs::read_to_string(directory.path().join(name)).unwrap();
        assert!(report.contains("durable commits") && report.contains("16 threads"), "{name}: {report}");
    }

    // The same run twice differs in nothing.
    let json = directory.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).arg("compare").args([&json, &json]).arg("--fail").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn the_size_of_a_corpus_is_told_with_its_targets() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    // What is not compressed is read as it is.
    let artwork = |id: usize| {
        let year = 1900 + id % 50;
        format!(
            r#"{{"id":{id},"acno":"A{id:05}","acquisitionYear":{year},"contributors":[{{"fc":"Artist {}"}}],"title":"Untitled"}}"#,
            id % 7
        )
    };
    let lines = (0..500).map(artwork).collect::<Vec<_>>().join("\n");
    fs::write(data.join("tate-artworks.jsonl.zst"), lines).unwrap();
    let run = bench(&["orders", "--workloads", "size on disk", "--data", data.to_str().unwrap()], directory.path());
    assert!(run.status.success(), "{}", text(&run.stderr));
    let report = Report::read(&directory.path().join("report.json")).unwrap();
    assert!(report.missing.is_empty() && report.failures().next().is_none());
    let rows: Vec<String> = report.aims().into_iter().map(|aim| aim.row).collect();
    assert_eq!(rows, ["disk, compacted and closed", "most disk while loading by disk in the end"]);
    let figure = |row: &str| report.outcomes[0].measurements.iter().find(|found| found.name == row).unwrap().value;
    assert!(figure("most disk while loading") > 0.0 && figure("disk, compacted and closed") > 4096.0);

    let run = bench(&["orders", "--workloads", "size on disk"], directory.path());
    assert!(!run.status.success() && text(&run.stderr).contains("--data"), "{}", text(&run.stderr));
}

#[test]
fn the_engines_own_table_tells_its_targets() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = directory.path().to_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["engine", "--rows", "2000", "--rounds", "1", "--workloads", "reads,writes", "--output", output]);
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", text(&run.stderr));
    let report = Report::read(&directory.path().join("report.json")).unwrap();
    assert!(report.missing.is_empty() && report.failures().next().is_none());

    let aims = report.aims();
    let rows: Vec<&str> = aims.iter().map(|aim| aim.row.as_str()).collect();
    let expected = [
        "full scan",
        "random get, data in block cache",
        "hot get, 1,000 keys",
        "seek + 10",
        "hot get, 1,000 keys, while a writer updates them",
        "seek + 10, while a writer commits 1,000 a second",
        "begin and drop a read transaction, during commits",
        "Zipfian 0.99 get, cache holds 10 %",
        "put one by one, buffered, 1 thread",
        "put one by one, buffered, 4 threads",
        "1,000-row transactions, buffered, blind",
        "1,000-row transactions, buffered, with reads",
    ];
    assert_eq!(rows, expected);
    for aim in aims {
        let needs_rival = matches!(aim.target, Target::Times { .. });
        assert_eq!(aim.is_reached().is_none(), needs_rival, "alone it cannot be held against another: {}", aim.row);
    }
    let said = text(&run.stdout);
    for part in ["at least 5.00× of rocksdb", "not measured", "at least 5,000,000/s", "mixed load: gets"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn the_texts_own_table_checks_every_answer_and_tells_its_targets() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = directory.path().join("data");
    write_cranfield(&data.join("cranfield"));
    let arguments = ["text", "--rows", "1000", "--data", data.to_str().unwrap()];
    let run = bench(&arguments, directory.path());
    assert!(run.status.success(), "{}{}", text(&run.stdout), text(&run.stderr));
    let report = Report::read(&directory.path().join("report.json")).unwrap();
    assert!(report.missing.is_empty() && report.failures().next().is_none());
    let rows: Vec<String> = report.aims().into_iter().map(|aim| aim.row).collect();
    for row in [
        "build",
        "size with what deletes need",
        "one word",
        "phrase",
        "any of two words, unfolded by folded",
        "p50 of an insert, with a large index by a small one",
        "nDCG@10 by words",
        "nDCG@10 by both, less by vectors",
    ] {
        assert!(rows.iter().any(|found| found == row), "{row} is not in {rows:?}");
    }
    assert!(report.skipped.iter().all(|skipped| skipped.what.contains("films")), "{:?}", report.skipped);
}

/// A collection of eight documents and four questions.
fn write_cranfield(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let words = ["wing", "flow", "shock", "heat"];
    let document = |n: usize| {
        let (one, other) = (words[n % 4], words[n / 2 % 4]);
        format!(".I {}\n.T\n{one} {other}\n.A\nsomebody\n.W\nthe {one} of a {one} in the {other}\n", n + 1)
    };
    fs::write(directory.join("cran.all.1400"), (0..8).map(document).collect::<String>()).unwrap();
    let question = |n: usize| format!(".I {n}\n.W\nwhat is a {} .\n", words[n]);
    fs::write(directory.join("cran.qry"), (0..4).map(question).collect::<String>()).unwrap();
    let judgement = |n: usize| format!("{} {} {}\n", n % 4 + 1, n + 1, n / 4 + 1);
    fs::write(directory.join("cranqrel"), (0..8).map(judgement).collect::<String>()).unwrap();
    for (name, rows) in [("docs-minilm-384.f16.npy", 8_u8), ("queries-minilm-384.f16.npy", 4)] {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({rows}, 4), }}\n");
        let numbers = (0..rows).flat_map(|row| (0..4).map(move |place| 1 + 9 * u8::from(row % 4 == place)));
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        let file = [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes()].concat();
        fs::write(directory.join(name), [file, numbers.collect()].concat()).unwrap();
    }
}

#[test]
fn the_users_own_documents_are_asked_the_users_own_questions() {
    let directory = tempfile::tempdir().unwrap();
    let (films, questions) = (directory.path().join("films.jsonl"), directory.path().join("questions.jsonl"));
    let film =
        |n: u32| format!("{{\"title\": \"Film {n}\", \"year\": {}, \"genres\": [\"g{}\"]}}\n", 1950 + n % 70, n % 7);
    fs::write(&films, (0..500).map(film).collect::<String>()).unwrap();
    let question = r#"{"where": [{"path": "year", "is": "ge", "value": 2000}], "sort": {"path": "title"}, "limit": 5}"#;
    fs::write(&questions, format!("{question}\n")).unwrap();
    let output = directory.path().join("report");
    let run = bench(&["--jsonl", films.to_str().unwrap(), "--query", questions.to_str().unwrap()], &output);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let report = Report::read(&output.join("report.json")).unwrap();
    assert!(report.missing.is_empty() && !report.outcomes[0].measurements.is_empty());

    fs::write(&questions, format!("{question}\n{{\"were\": []}}\n")).unwrap();
    let run = bench(&["--jsonl", films.to_str().unwrap(), "--query", questions.to_str().unwrap()], &output);
    let said = text(&run.stderr);
    assert!(
        !run.status.success() && said.contains("questions.jsonl") && said.contains('2') && said.contains("were"),
        "{said}"
    );
}

#[test]
fn the_users_own_vectors_are_searched() {
    let directory = tempfile::tempdir().unwrap();
    let (vectors, output) = (directory.path().join("vectors.fvecs"), directory.path().join("report"));
    let row = |n: u32| {
        [&4_u32.to_le_bytes()[..], &(0..4).flat_map(|d| ((n * (d + 3) % 101) as f32).to_le_bytes()).collect::<Vec<_>>()]
            .concat()
    };
    fs::write(&vectors, (0..1000).flat_map(row).collect::<Vec<u8>>()).unwrap();
    let run = bench(&["--vectors", vectors.to_str().unwrap()], &output);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let report = Report::read(&output.join("report.json")).unwrap();
    assert!(report.missing.is_empty() && !report.outcomes[0].measurements.is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_valid_partial_report() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = directory.path().to_str().unwrap();
    let mut child = command.args(["--workloads", "endurance", "--output", output]).spawn().unwrap();
    let json = directory.path().join("report.json");
    // The first report is written before the first job.
    while !json.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before its first job");
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success() && !child.wait().unwrap().success());
    let report = Report::read(&json).unwrap();
    assert!(!report.missing.is_empty());
    let page = fs::read_to_string(directory.path().join("report.html")).unwrap();
    assert!(page.contains("interrupted"), "{page}");
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left.len(), 3, "only the reports are left: {left:?}");
}

#[test]
fn bad_arguments_are_told_before_anything_is_measured() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (["--engines", "oracle"], "there is no engine 'oracle'; there are blaze"),
        (["--workloads", "tpc-c"], "nothing is left to measure"),
        (["--jsonl", "films.jsonl"], "--query"),
        (["--vectors", "no-such-file.npy"], "no-such-file.npy"),
    ] {
        let run = bench(&arguments, directory.path());
        let said = text(&run.stderr);
        assert!(!run.status.success() && said.contains(part), "{arguments:?}: {said}");
    }
    let run = Command::new(env!("CARGO_BIN_EXE_bench")).args(["compare", "one.json", "two.json"]).output().unwrap();
    assert!(!run.status.success() && text(&run.stderr).contains("one.json"), "{}", text(&run.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn durable_workloads_are_refused_on_a_disk_that_is_memory() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        println!("skipped: there is no memory file system here");
        return;
    }
    let (data, output) = (tempfile::tempdir_in(memory).unwrap(), tempfile::tempdir().unwrap());
    let directory = data.path().to_str().unwrap();
    let run = bench(&["--workloads", "durable commits", "--directory", directory], output.path());
    let said = text(&run.stderr);
    assert!(!run.status.success() && said.contains("durable commits: ") && said.contains("is memory"), "{said}");
}
