//! Files of the log of which nothing is left, or what an older log has left in their blocks.

use std::fs;
use std::path::Path;

use blaze_core::Durability::{Buffered, Sync};
use blaze_core::{CommitRequest, Durability, ErrorKind, Family, Store, Write};
use blaze_lsm::LsmStore;

use super::{Crashed, copy, logs, open, options, prefix, put};

/// A directory of commits, none of them synced but the first, each of which has a file of the log for itself.
fn with_a_file_for_each(commits: usize) -> Crashed {
    let crashed = Crashed::after(&vec![(100, Buffered); commits]);
    let log = crashed.log();
    let bytes = fs::read(&log).unwrap();
    let number: u64 = log.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let begins = [0].into_iter().chain(crashed.ends.iter().copied());
    for ((begin, end), number) in begins.zip(&crashed.ends).zip(number..) {
        fs::write(log.with_file_name(format!("{number:06}.log")), &bytes[begin as usize..*end as usize]).unwrap();
    }
    crashed
}

#[test]
fn a_file_of_the_log_that_a_loss_of_power_took_ends_it() {
    for taken in 1..4_u32 {
        let crashed = with_a_file_for_each(5);
        fs::write(&logs(&crashed.path())[taken as usize], "").unwrap();
        for _ in 0..2 {
            assert_eq!(prefix(&open(&crashed.path()).unwrap(), 5), taken);
        }
        put(&open(&crashed.path()).unwrap(), taken, 100, Buffered).unwrap();
        assert_eq!(prefix(&open(&crashed.path()).unwrap(), 5), taken + 1);
    }
}

#[test]
fn what_is_behind_a_first_file_of_the_log_that_a_loss_of_power_took_is_not_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let (live, crashed) = (directory.path().join("live"), directory.path().join("crashed"));
    let store = open(&live).unwrap();
    put(&store, 0, 100, Sync).unwrap();
    store.flush().unwrap();
    let [log] = logs(&live).try_into().unwrap();
    put(&store, 1, 100, Buffered).unwrap();
    let end = fs::metadata(&log).unwrap().len();
    put(&store, 2, 100, Buffered).unwrap();
    copy(&live, &crashed);
    let bytes = fs::read(&log).unwrap();
    fs::write(crashed.join("000900.log"), &bytes[end as usize..]).unwrap();
    fs::write(&logs(&crashed)[0], &bytes[..end as usize]).unwrap();

    let whole = directory.path().join("whole");
    copy(&crashed, &whole);
    assert_eq!(prefix(&open(&whole).unwrap(), 3), 3);
    fs::write(&logs(&crashed)[0], "").unwrap();
    assert_eq!(prefix(&open(&crashed).unwrap(), 3), 1);
}

#[test]
fn what_an_older_log_has_left_in_the_blocks_of_a_file_is_not_replayed() {
    let crashed = with_a_file_for_each(3);
    let files = logs(&crashed.path());
    fs::copy(&files[1], &files[2]).unwrap();
    assert_eq!(prefix(&open(&crashed.path()).unwrap(), 3), 2);
}

/// Keeps the first log alive by one commit to another family, and fills others.
fn with_many_logs(path: &Path, durability: Durability) -> LsmStore {
    let store = open(path).unwrap();
    let writes = vec![Write::put(Family::Index, *b"pins", *b"the log")];
    store.commit(CommitRequest { writes, ..CommitRequest::default() }).unwrap();
    for key in 0..150 {
        put(&store, key, 10_000, durability).unwrap();
    }
    store
}

#[test]
fn a_file_of_the_log_that_became_zeros_is_corruption_once_something_behind_it_was_flushed() {
    let directory = tempfile::tempdir().unwrap();
    let (live, crashed) = (directory.path().join("live"), directory.path().join("crashed"));
    let store = with_many_logs(&live, Buffered);
    // RocksDB notes in the manifest what of the log it has synced before it begins a sorted file.
    let is_sorted = |file: fs::DirEntry| file.path().extension().is_some_and(|extension| extension == "sst");
    for key in 150..400 {
        if logs(&live).len() > 1 && fs::read_dir(&live).unwrap().any(|file| is_sorted(file.unwrap())) {
            break;
        }
        put(&store, key, 10_000, Buffered).unwrap();
    }
    copy(&live, &crashed);
    drop(store);
    let files = logs(&crashed);
    assert!(files.len() > 1, "{files:?}");
    let zeros = vec![0; fs::metadata(&files[0]).unwrap().len() as usize];
    fs::write(&files[0], &zeros).unwrap();
    for _ in 0..2 {
        let error = open(&crashed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        assert!(error.to_string().contains("the manifest says that more of the log had been synced"), "{error}");
    }
    assert_eq!(fs::read(&files[0]).unwrap(), zeros, "nothing was cut");
    let (_, damage) = LsmStore::open_salvage(&crashed, options()).unwrap();
    assert!(damage.is_some());
}

#[test]
fn a_log_file_that_is_gone_is_corruption() {
    let directory = tempfile::tempdir().unwrap();
    let (live, crashed) = (directory.path().join("live"), directory.path().join("crashed"));
    let store = with_many_logs(&live, Sync);
    copy(&live, &crashed);
    let files = logs(&crashed);
    assert!(files.len() > 1, "{files:?}");
    fs::remove_file(&files[0]).unwrap();
    let error = open(&crashed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    drop(store);
}
