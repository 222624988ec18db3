//! Directories that earlier releases have left: each later one opens them and finds everything.
//!
//! `golden/v1` holds one that was closed, and one whose process was killed, so that its data is in the log; and two of
//! these with everything that a database may have ([`whole`]). They are made once for each release that changes a
//! format, by `cargo test --test it golden::make -- --ignored`, into `target/golden`, and never changed after.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze::{Database, Document, Index, ManualClock, Metric, SeededEntropy, Value, Vector, field};

const FILMS: i64 = 20;
const DIMENSION: usize = 4;

fn golden(state: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/v1").join(state)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A document of each type of value.
fn everything() -> Document {
    let nested = Document::new().with("deeper", Document::new().with("deepest", true));
    Document::new()
        .with("null", Value::Null)
        .with("bool", true)
        .with("int", -42)
        .with("large", u64::MAX)
        .with("float", -0.5)
        .with("decimal", "3.14".parse::<blaze::Decimal>().unwrap())
        .with("string", "Grüße, 世界")
        .with("bytes", vec![0_u8, 255])
        .with("time", "2024-02-29T12:34:56Z".parse::<blaze::Time>().unwrap())
        .with("uuid", blaze::Uuid::from_bytes([7; 16]))
        .with("array", [Value::from(1), Value::from("two"), Value::from(vec![Value::Null])])
        .with("map", nested)
}

fn film(number: i64) -> Document {
    let vector: Vec<f32> = (0..DIMENSION).map(|place| (number * (place as i64 + 1)) as f32).collect();
    let text = if number % 10 == 0 { "long ".repeat(1_500) } else { "short".to_owned() };
    let tags: Value = [format!("t{}", number % 3), "film".to_owned()].into_iter().collect();
    Document::new().with("year", 1970 + number).with("tags", tags).with("text", text).with("v", Vector::F32(vector))
}

fn fill(db: &Database) {
    let settings = db.keyspace("settings").unwrap();
    settings.put("theme", "dark").unwrap();
    settings.put([0, 255], vec![7; 10_000]).unwrap();
    settings.put("gone", "").unwrap();
    settings.delete("gone").unwrap();
    db.collection::<Document>("all").unwrap().insert_with_id("one", &everything()).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::on("year").then_desc("text")).unwrap();
    films.ensure_index(Index::on("tags")).unwrap();
    films.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    (0..FILMS).for_each(|number| films.insert_with_id(number, &film(number)).unwrap());
    films.update(3, blaze::set("seen", true)).unwrap();
    films.delete(4).unwrap();
}

fn check(db: &Database) {
    assert_eq!(
        (db.keyspaces().unwrap(), db.collections().unwrap()),
        (vec!["settings".into()], vec!["all".into(), "films".into()])
    );
    let settings = db.keyspace("settings").unwrap().iter().unwrap();
    let settings: Vec<_> = settings.collect::<Result<_, _>>().unwrap();
    assert_eq!(settings, [(vec![0, 255], vec![7; 10_000]), (b"theme".to_vec(), b"dark".to_vec())]);
    let one = db.collection::<Document>("all").unwrap().get("one").unwrap().unwrap();
    assert_eq!(*one, everything());

    let films = db.collection::<Document>("films").unwrap();
    let expected: Vec<_> = (0..FILMS).filter(|number| *number != 4).collect();
    let stored = films.find_all().run().unwrap();
    assert_eq!(stored.len(), expected.len());
    for (found, number) in stored.iter().zip(&expected) {
        let document = if *number == 3 { film(3).with("seen", true) } else { film(*number) };
        assert_eq!((found.id.to_string(), &found.value), (number.to_string(), &document));
    }
    let recent = films.find(field("year").ge(1985));
    assert_eq!(recent.run().unwrap().len(), 5);
    assert!(recent.explain().unwrap().index().is_some());
    let tagged = films.find(field("tags").contains("t1"));
    assert_eq!((tagged.count().unwrap(), tagged.explain().unwrap().index()), (6, Some("tags")));
    let near = films.search().nearest("v", &[10.0, 20.0, 30.0, 40.0]).limit(1).run().unwrap();
    assert_eq!((near[0].id.to_string().as_str(), near[0].distance), ("10", 0.0));
}

#[test]
fn a_directory_of_this_format_is_read_and_written_whole() {
    for state in ["closed", "killed"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        copy(&golden(state), &path);
        check(&Database::builder().read_only().open(&path).unwrap());
        let db = Database::builder().must_exist().open(&path).unwrap();
        check(&db);
        db.keyspace("later").unwrap().put("key", "value").unwrap();
        db.drop_keyspace("later").unwrap();
        db.compact().unwrap();
        db.close().unwrap();
        check(&Database::open(&path).unwrap());
    }
}

#[test]
fn golden_directories_are_small_and_name_no_machine() {
    for state in ["closed", "killed"].into_iter().chain(whole::STATES) {
        let files: Vec<_> = fs::read_dir(golden(state)).unwrap().map(|entry| entry.unwrap().path()).collect();
        let bytes: usize = files.iter().map(|file| fs::read(file).unwrap().len()).sum();
        assert!(bytes < 75_000, "{state} has {bytes} bytes");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let absolute = env!("CARGO_MANIFEST_DIR").as_bytes();
            assert!(!bytes.windows(absolute.len()).any(|window| window == absolute), "{}", file.display());
        }
    }
}

/// Makes the directories of this version; see the head of this file.
#[test]
#[ignore = "writes files that are made once for a release"]
fn make() {
    make_of(["killed", "closed"], fill);
    let [closed, killed] = whole::STATES;
    make_of([killed, closed], whole::fill);
}

/// Copies the files of a database that is open, once none comes or goes and its log is one file.
fn copy_of_open(from: &Path, to: &Path) {
    let names = || -> Vec<_> { fs::read_dir(from).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
    loop {
        let before = names();
        let logs = before.iter().filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "log"));
        let _ = fs::remove_dir_all(to);
        fs::create_dir_all(to).unwrap();
        let is_whole = before.iter().all(|name| fs::copy(from.join(name), to.join(name)).is_ok());
        if is_whole && logs.count() == 1 && names() == before {
            return;
        }
    }
}

fn make_of(states: [&str; 2], fill: fn(&Database)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::builder().clock(whole::clock(0)).entropy(Arc::new(SeededEntropy::new(1))).open(&path).unwrap();
    fill(&db);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/golden");
    for (state, close) in states.into_iter().zip([false, true]) {
        if close {
            db.close().unwrap();
        }
        copy_of_open(&path, &target.join(state));
        // They say where the database was, and no opening needs them.
        for file in fs::read_dir(target.join(state)).unwrap().map(|entry| entry.unwrap()) {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.starts_with("LOG") || name.starts_with("OPTIONS-") || name == "LOCK" {
                fs::remove_file(file.path()).unwrap();
            }
        }
    }
}
