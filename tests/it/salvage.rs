//! Salvage saves what is whole, says what is lost, and leaves the damaged directory as it is.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blaze::{Clock, Database, Document, ErrorKind, Feed, Index, ManualClock, SalvageReport, Value, field};

use crate::verify::{document, filled, flip, largest};

/// All files of a directory with their bytes.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// Salvages a directory and checks that it did not change, and that what comes out is healthy.
fn salvage(from: &Path, to: &Path) -> (SalvageReport, Database) {
    let before = files(from);
    let report = Database::salvage(from, to).unwrap();
    assert_eq!(files(from), before, "the damaged directory was touched");
    let db = Database::builder().must_exist().open(to).unwrap();
    let verified = db.verify().unwrap();
    assert_eq!(verified.problems, []);
    assert_eq!((verified.documents, verified.keys), (report.documents, report.keys));
    (report, db)
}

#[test]
fn of_a_healthy_database_everything_is_saved() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    let versions = |db: &Database| {
        let found = db.collection::<Document>("films").unwrap().find_all().run().unwrap();
        found.into_iter().map(|found| (found.id.clone(), found.version, found.value)).collect::<Vec<_>>()
    };
    let original = Database::open(&path).unwrap();
    let expected = versions(&original);
    original.close().unwrap();
    let (report, db) = salvage(&path, &directory.path().join("saved"));
    assert_eq!(report.losses, []);
    assert_eq!((report.collections, report.keyspaces, report.documents, report.keys), (1, 1, 2_999, 501));
    assert_eq!(versions(&db), expected);
    let films = db.collection::<Document>("films").unwrap();
    assert_eq!(films.indexes().unwrap().len(), 3);
    assert_eq!(films.find(field("tags").contains("t3")).explain().unwrap().index(), Some("tags_n_desc"));
    // Later commits get later versions.
    let id = films.insert(&document(9_999)).unwrap();
    let newest = films.get(&id).unwrap().unwrap().version;
    assert!(expected.iter().all(|(_, version, _)| *version < newest));
}

#[test]
fn a_copy_of_a_database_in_use_is_saved_though_its_manifest_tracks_a_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    let db = Database::open(&path).unwrap();
    for n in 0..20 {
        db.collection::<Document>("films").unwrap().insert(&document(10_000 + n)).unwrap();
        let copy = directory.path().join(format!("copy {n}"));
        db.checkpoint(&copy).unwrap();
        let (report, _saved) = salvage(&copy, &directory.path().join(format!("saved {n}")));
        assert_eq!((report.losses, report.documents), (Vec::new(), 3_000 + n as u64));
    }
}

#[test]
fn around_a_damaged_block_everything_is_saved() {
    let directory = tempfile::tempdir().unwrap();
    for thousandths in [5, 300, 700] {
        let path = filled(&directory.path().join(thousandths.to_string()));
        flip(&largest(&path, "sst"), thousandths);
        let (report, db) = salvage(&path, &path.with_file_name("saved"));
        assert!(report.loss_count >= 1, "a damaged block was not noticed");
        assert!(report.documents < 2_999 && report.documents > 2_900, "{} documents", report.documents);
        assert_eq!(report.keys, 501);
        let loss = &report.losses[0];
        assert_eq!(loss.name.as_deref(), Some("films"), "{loss}");
        let films = db.collection::<Document>("films").unwrap();
        let saved = films.find_all().run().unwrap();
        for found in saved.iter().filter(|found| found.id != 1.into()) {
            let n = found.get("n").and_then(Value::as_i64).unwrap();
            assert_eq!(found.value, document(n), "a document is not what was written");
        }
        assert_eq!(films.find(field("n").ge(0)).count().unwrap(), report.documents);
        // What is lost is where the report says.
        for n in (0..3_000).filter(|n| *n != 2) {
            let mut key = Vec::new();
            blaze_core::DocumentId::from(n).write_key(&mut key);
            let is_reported =
                report.losses.iter().any(|loss| key >= loss.start && loss.end.as_ref().is_none_or(|end| key < *end));
            assert!(is_reported || films.contains(n).unwrap(), "document {n} is lost and the report does not say so");
        }
    }
}

#[test]
fn without_a_file_and_without_a_marker_the_rest_is_saved() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    fs::remove_file(largest(&path, "sst")).unwrap();
    fs::write(path.join("BLAZE"), []).unwrap();
    let (report, _db) = salvage(&path, &directory.path().join("saved"));
    assert!(report.loss_count >= 1);
    assert_eq!(report.collections, 1);
}

/// A copy of the files of a database that is open, as a crash would leave them.
fn crashed(directory: &Path) -> PathBuf {
    let (path, copy) = (directory.join("open"), directory.join("crashed"));
    let db = Database::open(&path).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::on("n")).unwrap();
    for n in 0..100 {
        films.insert_with_id(n, &document(n)).unwrap();
    }
    fs::create_dir(&copy).unwrap();
    for (file, bytes) in files(&path) {
        fs::write(copy.join(file.file_name().unwrap()), bytes).unwrap();
    }
    copy
}

#[test]
fn a_torn_log_is_saved_up_to_where_it_is_torn() {
    let directory = tempfile::tempdir().unwrap();
    let path = crashed(directory.path());
    let (report, _db) = salvage(&path, &directory.path().join("whole"));
    assert_eq!((report.documents, report.loss_count), (100, 0), "{:?}", report.losses);

    let log = largest(&path, "log");
    let bytes = fs::read(&log).unwrap();
    // Space that was reserved for the log is not part of it.
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    fs::write(&log, &bytes[..end - 20]).unwrap();
    let (report, db) = salvage(&path, &directory.path().join("torn"));
    assert_eq!((report.documents, report.loss_count), (99, 1), "{:?}", report.losses);
    assert!(report.losses[0].message.contains("the end of the log"), "{:?}", report.losses);
    assert!(!db.collection::<Document>("films").unwrap().contains(99).unwrap());
}

#[test]
fn what_cannot_be_salvaged_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = filled(directory.path());
    let to = directory.path().join("saved");
    let kind = |from: &Path, to: &Path| Database::salvage(from, to).unwrap_err().kind();
    assert_eq!(kind(&directory.path().join("none"), &to), ErrorKind::NotFound);
    assert_eq!(kind(directory.path(), &to), ErrorKind::Invalid);
    assert_eq!(kind(&path, directory.path()), ErrorKind::AlreadyExists);
    assert_eq!(kind(&path, &path.join("below/saved")), ErrorKind::Invalid);
    fs::write(path.join("CURRENT"), "MANIFEST-999999\n").unwrap();
    assert_eq!(kind(&path, &to), ErrorKind::Corruption);
    assert!(!to.exists());
}

#[test]
fn what_a_feed_has_lost_before_is_not_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let (path, clock) = (directory.path().join("db"), Arc::new(ManualClock::at_ms(1_000_000_000)));
    let builder = || Database::builder().clock(clock.clone()).feed_retention(Duration::from_secs(60));
    let db = builder().open(&path).unwrap();
    let keys = db.keyspace("keys").unwrap();
    keys.set_feed(Feed::Keys).unwrap();
    let before = db.snapshot().unwrap().read_ts();
    keys.put("a", "1").unwrap();
    for _ in 0..10 {
        clock.set_ms(clock.now_ms() + 30_000);
        db.apply_retention().unwrap();
    }
    let start = db.feed_start().unwrap();
    assert!(start > before);
    keys.put("b", "2").unwrap();
    db.close().unwrap();

    let saved = directory.path().join("saved");
    Database::salvage(&path, &saved).unwrap();
    let db = builder().open(&saved).unwrap();
    assert_eq!(db.feed_start().unwrap(), start);
    assert_eq!(db.changes(before).unwrap_err().kind(), ErrorKind::FeedTruncated);
    assert_eq!(db.changes(start).unwrap().count(), 1);
}
