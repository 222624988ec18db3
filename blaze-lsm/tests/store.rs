//! What only a store with a directory can do: be created, opened, locked, closed, copied, reopened, and fail.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::mem;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use blaze_core::{
    CommitRequest, Direction, Durability, ErrorKind, Family, KeyRange, ManualClock, PointRead, Result, Store,
    Timestamp, Write,
};
use blaze_lsm::{CreateMode, LsmOptions, LsmStore};

fn open(path: &Path) -> Result<LsmStore> {
    open_at_ms(path, 1_000_000)
}

fn open_at_ms(path: &Path, now_ms: u64) -> Result<LsmStore> {
    LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(now_ms))))
}

fn create(path: &Path, create: CreateMode) -> Result<LsmStore> {
    LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(1_000_000))).create(create))
}

fn put(key: &str, value: &str) -> CommitRequest {
    let writes = vec![Write::put(Family::Data, key, value)];
    CommitRequest { writes, durability: Durability::Buffered, ..CommitRequest::default() }
}

fn get(store: &LsmStore, key: &str) -> Option<Vec<u8>> {
    store.read_point().unwrap().get(Family::Data, key.as_bytes()).unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Copies a directory as the death of the process would leave it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn what_is_written_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not/yet/there");
    let large = "v".repeat(100_000);
    for round in 0..3 {
        let store = open(&path).unwrap();
        assert_eq!(get(&store, "large"), (round > 0).then(|| large.clone().into_bytes()));
        store.commit(put("large", &large)).unwrap();
        store.commit(put(&format!("{round}"), "value")).unwrap();
    }
    let store = create(&path, CreateMode::MustExist).unwrap();
    assert!((0..3).all(|round| get(&store, &format!("{round}")).is_some()));
}

#[test]
fn create_modes_say_what_must_be_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    assert_eq!(kind(create(&path, CreateMode::MustExist)), ErrorKind::NotFound);
    assert!(!path.exists());
    create(&path, CreateMode::MustBeNew).unwrap();
    assert_eq!(kind(create(&path, CreateMode::MustBeNew)), ErrorKind::AlreadyExists);
    create(&path, CreateMode::MustExist).unwrap();
    assert_eq!(kind(create(&directory.path().join("empty"), CreateMode::MustExist)), ErrorKind::NotFound);
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.txt"), "mine").unwrap();
    let error = open(directory.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("is not a Blaze database"), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let file = directory.path().join("notes.txt");
    assert_eq!(kind(open(&file)), ErrorKind::Invalid);
    assert_eq!(kind(open(&file.join("below"))), ErrorKind::Unavailable);
    assert_eq!(fs::read(file).unwrap(), b"mine");
}

#[test]
fn a_bad_marker_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).unwrap().commit(put("key", "value")).unwrap();
    let marker = directory.path().join("BLAZE");
    let good = fs::read(&marker).unwrap();
    for (bad, expected) in [
        (b"some other program's file, long enough".as_slice(), ErrorKind::Invalid),
        (b"", ErrorKind::Invalid),
        (&good[..20], ErrorKind::Corruption),
        (&[good.as_slice(), b"x"].concat(), ErrorKind::Corruption),
    ] {
        fs::write(&marker, bad).unwrap();
        assert_eq!(kind(open(directory.path())), expected, "{bad:?}");
    }
    fs::write(&marker, good).unwrap();
    assert!(get(&open(directory.path()).unwrap(), "key").is_some());
}

#[test]
fn creation_that_was_cut_off_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).unwrap().commit(put("key", "value")).unwrap();
    let created: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for (marker, kept) in [("BLA", 0), ("", 1), ("BLAZE-DB", created.len())] {
        let cut_off = tempfile::tempdir().unwrap();
        fs::write(cut_off.path().join("BLAZE.new"), marker).unwrap(); // before it got its name
        for name in created.iter().filter(|name| *name != "BLAZE" && *name != "BLAZE.manifest").take(kept) {
            fs::copy(directory.path().join(name), cut_off.path().join(name)).unwrap();
        }
        assert_eq!(kind(create(cut_off.path(), CreateMode::MustExist)), ErrorKind::NotFound);
        let store = create(cut_off.path(), CreateMode::MustBeNew).unwrap();
        store.commit(put("key", "value")).unwrap();
        assert!(!cut_off.path().join("BLAZE.new").exists());
    }
}

#[test]
fn a_lost_file_is_corruption_and_not_an_empty_database() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.commit(put("key", "value")).unwrap();
    drop(store);
    fs::remove_file(directory.path().join("CURRENT")).unwrap();
    assert_eq!(kind(open(directory.path())), ErrorKind::Corruption);
    for entry in fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name() != "BLAZE" {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    assert_eq!(kind(open(directory.path())), ErrorKind::Corruption);
}

#[test]
fn a_second_opening_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(kind(open(directory.path())), ErrorKind::Locked);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process_is_locked_out"])
        .env("BLAZE_LOCKED", directory.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    store.close().unwrap();
    open(directory.path()).unwrap();
}

/// The other process of [`a_second_opening_is_locked`].
#[test]
fn the_other_process_is_locked_out() {
    if let Some(path) = std::env::var_os("BLAZE_LOCKED") {
        assert_eq!(kind(open(Path::new(&path))), ErrorKind::Locked);
    }
}

#[test]
fn closing_takes_the_database_from_leaked_handles() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let old = store.read_point().unwrap();
    for number in 0..200 {
        store.commit(put(&format!("{number}"), "value")).unwrap();
    }
    let view = store.read_point().unwrap();
    let mut cursors: Vec<_> =
        (0..200).map(|_| view.cursor(Family::Data, &KeyRange::all(), Direction::Forward).unwrap()).collect();
    cursors.iter_mut().for_each(|cursor| assert!(cursor.next().unwrap().is_some()));
    mem::forget(Arc::clone(&view));
    mem::forget(cursors.split_off(100));
    drop(store); // closes

    let reopened = open(directory.path()).unwrap();
    for view in [&old, &view] {
        assert_eq!(kind(view.get(Family::Data, b"1")), ErrorKind::Closed);
        assert_eq!(kind(view.cursor(Family::Data, &KeyRange::all(), Direction::Forward).map(drop)), ErrorKind::Closed);
    }
    for cursor in &mut cursors {
        assert_eq!(kind(cursor.next().map(|_| ())), ErrorKind::Closed);
        assert_eq!(kind(cursor.seek(b"1")), ErrorKind::Closed);
    }
    assert!(get(&reopened, "199").is_some());
    reopened.close().unwrap();
    drop((old, view, cursors)); // after the reopened store, too, is gone
}

#[test]
fn timestamps_grow_across_reopening_although_the_clock_jumps_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = Timestamp::ZERO;
    for now_ms in [1_000_000, 900_000, 1, 2_000_000, 0] {
        let store = open_at_ms(directory.path(), now_ms).unwrap();
        assert_eq!(store.read_point().unwrap().ts(), last, "a clean close loses no time");
        let ts = store.commit(put("key", "value")).unwrap();
        assert!(ts > last, "{ts} after {last}");
        last = ts;
    }
    assert!(last < Timestamp::from_ms(2_000_001));
}

#[test]
fn timestamps_grow_across_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let (path, crashed) = (directory.path().join("database"), directory.path().join("crashed"));
    let clock = Arc::new(ManualClock::at_ms(1_000_000));
    let store = LsmStore::open(&path, LsmOptions::new(clock.clone())).unwrap();
    let mut last = Timestamp::ZERO;
    for number in 0..50 {
        clock.advance_ms(999);
        last = store.commit(put(&format!("{number}"), "value")).unwrap();
    }
    let everything = Write::DeleteRange { family: Family::Catalog, range: KeyRange::all() };
    last = store.commit(CommitRequest { writes: vec![everything], ..put("", "") }).unwrap().max(last);
    copy(&path, &crashed);
    let recovered = open_at_ms(&crashed, 0).unwrap();
    assert!(get(&recovered, "49").is_some());
    assert!(recovered.read_point().unwrap().ts() >= last);
    let next = recovered.commit(put("key", "value")).unwrap();
    assert!(next > last, "{next} after {last}");
    assert!(next.ms() <= last.ms() + 10_000, "the clock runs ahead by its lease at most");
}

#[test]
fn a_checkpoint_is_a_database_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("database"), directory.path().join("copy"));
    let store = open(&path).unwrap();
    let large = "v".repeat(10_000);
    store.commit(put("key", &large)).unwrap();
    store.checkpoint(&copy).unwrap();
    let last = store.commit(put("later", "value")).unwrap();

    let copied = create(&copy, CreateMode::MustExist).unwrap();
    assert_eq!(get(&copied, "key"), Some(large.into_bytes()));
    assert_eq!(get(&copied, "later"), None);
    assert!(copied.commit(put("own", "value")).unwrap() > last);
    assert_eq!(get(&store, "own"), None);

    assert_eq!(kind(store.checkpoint(&copy)), ErrorKind::AlreadyExists);
    assert_eq!(kind(store.checkpoint(&path.join("BLAZE"))), ErrorKind::AlreadyExists);
    store.close().unwrap();
    assert_eq!(kind(store.checkpoint(&directory.path().join("other"))), ErrorKind::Closed);
}

#[test]
fn a_request_whose_read_point_is_gone_is_too_old() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.commit(put("a", "1")).unwrap();
    let read_ts = store.read_point().unwrap().ts();
    store.commit(put("b", "1")).unwrap();
    let reads = vec![PointRead { family: Family::Data, key: b"a".to_vec() }];
    assert_eq!(kind(store.commit(CommitRequest { read_ts, reads, ..put("c", "1") })), ErrorKind::TransactionTooOld);
    assert_eq!(get(&store, "c"), None);
}

#[test]
fn the_log_of_a_long_life_stays_small() {
    let directory = tempfile::tempdir().unwrap();
    let options = LsmOptions::new(Arc::new(ManualClock::at_ms(0))).write_buffer_bytes(1 << 20);
    let store = LsmStore::open(directory.path(), options).unwrap();
    let value = "v".repeat(1_000);
    for _ in 0..20_000 {
        store.commit(put("key", &value)).unwrap();
    }
    let logs = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
    let logs = logs.filter(|entry| entry.file_name().to_string_lossy().ends_with(".log"));
    let bytes: u64 = logs.map(|entry| entry.metadata().map_or(0, |metadata| metadata.len())).sum();
    assert!(bytes < 8 << 20, "{bytes} bytes of log");
}

/// The log goes to a device that is full from some commit on.
#[test]
#[cfg(target_os = "linux")]
fn after_a_failed_write_reads_go_on_and_commits_wait_for_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let store = open(path).unwrap();
    store.commit(put("before", "value")).unwrap();
    let links: Vec<_> = (1..100).map(|number| path.join(format!("{number:06}.log"))).collect();
    let links: Vec<_> =
        links.into_iter().filter(|link| std::os::unix::fs::symlink("/dev/full", link).is_ok()).collect();
    store.flush().unwrap(); // begins a new log

    let failed = kind(store.commit(put("lost", "value")));
    assert!(
        matches!(failed, ErrorKind::CommitOutcomeUnknown(ts) if ts > store.read_point().unwrap().ts()),
        "{failed:?}"
    );
    assert_eq!(kind(store.commit(put("later", "value"))), ErrorKind::Unavailable);
    assert_eq!(kind(store.sync()), ErrorKind::Unavailable);
    assert!(get(&store, "before").is_some());
    assert_eq!(get(&store, "lost"), None);
    assert_eq!(kind(store.close()), ErrorKind::Unavailable);

    links.iter().for_each(|link| drop(fs::remove_file(link))); // RocksDB removed those below its log
    let reopened = open(path).unwrap();
    assert!(get(&reopened, "before").is_some());
    reopened.commit(put("later", "value")).unwrap();
}
