//! What is synced stays, what is not goes, and calls fail when they are told to.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::path::Path;

use blaze_fault_fs::{Call, Failure, FaultFs};
use rocksdb::{DB, DBRecoveryMode, Options, SstFileWriter};

fn options(fs: &FaultFs) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_env(&fs.env());
    options
}

fn open(fs: &FaultFs, path: &Path) -> DB {
    DB::open(&options(fs), path).unwrap()
}

/// Puts numbers from 0, and syncs after so many.
fn fill(db: &DB, synced: u32, all: u32) {
    for n in 0..all {
        if n == synced {
            db.flush_wal(true).unwrap();
        }
        db.put(n.to_be_bytes(), [7; 100]).unwrap();
    }
}

fn count(db: &DB) -> u32 {
    let numbers = db.iterator(rocksdb::IteratorMode::Start).map(|pair| pair.unwrap().0);
    let numbers: Vec<_> = numbers.map(|key| u32::from_be_bytes((*key).try_into().unwrap())).collect();
    let count = u32::try_from(numbers.len()).unwrap();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>(), "a prefix is there");
    count
}

#[test]
fn what_is_synced_stays_and_what_is_not_goes() {
    let (directory, fs) = (tempfile::tempdir().unwrap(), FaultFs::new());
    let db = open(&fs, directory.path());
    fill(&db, 5, 12);
    fs.set_active(false);
    assert!(db.put("more", "x").is_err() && !fs.is_active());
    drop(db);
    assert_eq!(fs.drop_unsynced().unwrap(), 1, "the log alone has lost something");
    fs.delete_files_created_after_last_dir_sync().unwrap();
    fs.reset();
    assert_eq!(count(&open(&fs, directory.path())), 5);
}

#[test]
fn a_torn_tail_ends_somewhere_behind_what_is_synced() {
    let mut seen = Vec::new();
    for seed in 0..40 {
        let (directory, fs) = (tempfile::tempdir().unwrap(), FaultFs::new());
        let db = open(&fs, directory.path());
        fill(&db, 5, 50);
        fs.set_active(false);
        drop(db);
        fs.drop_random_unsynced(seed).unwrap();
        fs.reset();
        seen.push(count(&open(&fs, directory.path())));
    }
    assert!(seen.iter().all(|found| (5..=50).contains(found)), "{seen:?}");
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 10, "{seen:?}");
}

#[test]
fn the_power_goes_off_at_the_call_that_was_named() {
    let all = |cut: u64| {
        let (directory, fs) = (tempfile::tempdir().unwrap(), FaultFs::new());
        fs.cut_at(&Call::CHANGES, cut);
        drop(DB::open(&options(&fs), directory.path()));
        let calls = fs.calls(&Call::CHANGES);
        assert_eq!(fs.is_active(), calls < cut, "{cut} of {calls}");
        fs.drop_unsynced().unwrap();
        fs.delete_files_created_after_last_dir_sync().unwrap();
        fs.reset();
        open(&fs, directory.path());
        calls >= cut
    };
    let cuts = (1..).take_while(|cut| all(*cut)).count();
    assert!(cuts > 10, "an opening that makes files has more than {cuts} calls");
}

#[test]
fn the_call_that_was_named_fails_once_or_from_then_on() {
    for (goes_on, outcomes) in [(false, [true, false, true, true]), (true, [true, false, false, false])] {
        let (directory, fs) = (tempfile::tempdir().unwrap(), FaultFs::new());
        let sst = |name: &str| {
            let options = options(&fs);
            let mut writer = SstFileWriter::create(&options);
            writer.open(directory.path().join(name)).and_then(|()| writer.put("a", "b")).and_then(|()| writer.finish())
        };
        fs.fail(&[Call::Sync], 2, Failure::Io, goes_on);
        assert_eq!(["1", "2", "3", "4"].map(|name| sst(name).is_ok()), outcomes);
        assert_eq!((fs.failures(), fs.calls(&[Call::Sync])), (if goes_on { 3 } else { 1 }, 4));
        fs.heal();
        sst("5").unwrap();
    }
}

#[test]
fn a_full_disk_says_so() {
    let (directory, fs) = (tempfile::tempdir().unwrap(), FaultFs::new());
    let db = open(&fs, directory.path());
    fs.fail(&[Call::Append], 1, Failure::NoSpace, true);
    let full = db.put("key", "value").unwrap_err().to_string();
    assert!(full.contains("No space left"), "{full}");
}

#[test]
fn a_name_that_no_sync_of_its_directory_has_made_durable_goes() {
    let (directory, fs) = (tempfile::tempdir().unwrap(), FaultFs::new());
    let (name, gone) = (directory.path().join("sorted"), directory.path().join("gone"));
    for path in [&name, &gone] {
        let options = options(&fs);
        let mut writer = SstFileWriter::create(&options);
        writer.open(path).and_then(|()| writer.put("a", "b")).and_then(|()| writer.finish()).unwrap();
    }
    std::fs::remove_file(gone).unwrap(); // past the file system, which knows it
    assert_eq!(fs.drop_unsynced().unwrap(), 0, "their content is synced");
    assert!(name.exists());
    fs.delete_files_created_after_last_dir_sync().unwrap();
    assert!(!name.exists());
}

#[test]
fn environments_outlive_the_file_system_that_they_are_of() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(&FaultFs::new());
    let db = DB::open(&options, directory.path()).unwrap();
    drop(options);
    db.put("key", "value").unwrap();
}
