//! A log that was damaged is never read as if nothing had been behind the damage.

mod endless;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use blaze_core::Durability::{Buffered, Sync};
use blaze_core::{CommitRequest, Durability, ErrorKind, Family, Store, Timestamp, Write};
use blaze_lsm::LsmStore;
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use super::{copy, get, logs, open, options, prefix, put, value};

/// A directory whose process died after some commits with the keys 0, 1, 2, … .
struct Crashed {
    directory: TempDir,
    timestamps: Vec<Timestamp>,
    /// Where in the one log file each commit ends.
    ends: Vec<u64>,
}

impl Crashed {
    fn after(commits: &[(usize, Durability)]) -> Crashed {
        let directory = tempfile::tempdir().unwrap();
        let live = directory.path().join("live");
        let store = open(&live).unwrap();
        let [log] = logs(&live).try_into().unwrap();
        let (mut timestamps, mut ends) = (Vec::new(), Vec::new());
        for (key, (bytes, durability)) in commits.iter().enumerate() {
            timestamps.push(put(&store, key as u32, *bytes, *durability).unwrap());
            ends.push(fs::metadata(&log).unwrap().len());
        }
        copy(&live, &directory.path().join("crashed"));
        Crashed { directory, timestamps, ends }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("crashed")
    }

    fn log(&self) -> PathBuf {
        let [log] = logs(&self.path()).try_into().unwrap();
        log
    }

    fn flip(&self, offset: u64, by: u8) {
        flip(&self.log(), offset, by);
    }

    /// A fresh copy of the directory with the log cut to a length.
    fn cut_to(&self, bytes: u64) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cut");
        copy(&self.path(), &path);
        let [log] = logs(&path).try_into().unwrap();
        fs::File::options().write(true).open(log).unwrap().set_len(bytes).unwrap();
        (directory, path)
    }
}

fn flip(file: &Path, offset: u64, by: u8) {
    let mut bytes = fs::read(file).unwrap();
    bytes[offset as usize] ^= by;
    fs::write(file, bytes).unwrap();
}

fn put_each(store: &LsmStore, keys: Range<u32>, durability: Durability) {
    for key in keys {
        put(store, key, 50, durability).unwrap();
    }
}

#[test]
fn damage_in_front_of_synced_commits_is_corruption_and_says_what_is_lost() {
    let crashed = Crashed::after(&[(100, Sync); 6]);
    crashed.flip(crashed.ends[1] + 60, 1);
    for _ in 0..2 {
        let error = open(&crashed.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        let [file, offset] = [crashed.log().file_name().unwrap().display().to_string(), crashed.ends[1].to_string()];
        let [kept, durable] = [crashed.timestamps[1].to_string(), crashed.timestamps[4].to_string()];
        for said in [file, offset, kept, durable] {
            assert!(error.to_string().contains(&said), "{error} does not say {said}");
        }
    }
}

#[test]
fn salvage_keeps_what_is_before_the_damage_and_says_what_is_lost() {
    let crashed = Crashed::after(&[(100, Sync); 6]);
    crashed.flip(crashed.ends[1] + 60, 1);
    let (store, damage) = LsmStore::open_salvage(&crashed.path(), options()).unwrap();
    let damage = damage.unwrap();
    assert_eq!((damage.kept, damage.durable), (Some(crashed.timestamps[1]), crashed.timestamps[4]));
    assert_eq!((damage.offset, prefix(&store, 6)), (crashed.ends[1], 2));
    let next = put(&store, 2, 10, Sync).unwrap();
    assert!(next > crashed.timestamps[5], "{next} is a timestamp of before");
    store.close().unwrap();

    let (store, damage) = LsmStore::open_salvage(&crashed.path(), options()).unwrap();
    assert_eq!((damage, prefix(&store, 6)), (None, 3));
    store.close().unwrap();
    assert_eq!(prefix(&open(&crashed.path()).unwrap(), 6), 3);
}

#[test]
fn damage_in_front_of_commits_that_nobody_synced_ends_the_log() {
    let crashed = Crashed::after(&[(100, Sync), (100, Buffered), (100, Buffered), (100, Buffered)]);
    crashed.flip(crashed.ends[1] + 60, 1);
    let store = open(&crashed.path()).unwrap();
    assert_eq!(prefix(&store, 4), 2);
    put(&store, 2, 10, Sync).unwrap();
}

#[test]
fn a_sync_of_all_protects_the_buffered_commits_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let (live, crashed) = (directory.path().join("live"), directory.path().join("crashed"));
    let store = open(&live).unwrap();
    put(&store, 0, 100, Buffered).unwrap();
    let end = fs::metadata(&logs(&live)[0]).unwrap().len();
    put(&store, 1, 100, Buffered).unwrap();
    store.sync().unwrap();
    put(&store, 2, 100, Buffered).unwrap();
    copy(&live, &crashed);
    flip(&logs(&crashed)[0], end + 60, 1);
    assert_eq!(open(&crashed).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn a_torn_tail_is_normal_wherever_it_is_torn() {
    let crashed = Crashed::after(&[(20, Sync), (20, Sync), (20, Buffered), (20, Sync)]);
    for bytes in crashed.ends[1]..=crashed.ends[3] {
        let (_directory, path) = crashed.cut_to(bytes);
        let whole = crashed.ends.iter().filter(|end| **end <= bytes).count();
        let store = open(&path).unwrap_or_else(|error| panic!("cut to {bytes} bytes: {error}"));
        assert_eq!(prefix(&store, 4) as usize, whole, "cut to {bytes} bytes");
    }
}

#[test]
fn what_lies_behind_a_page_that_was_lost_is_not_replayed() {
    let crashed = Crashed::after(&[(100, Sync), (5_000, Buffered), (100, Buffered), (100, Buffered)]);
    // RocksDB passes over zeros as if nothing had been there.
    let mut bytes = fs::read(crashed.log()).unwrap();
    bytes[crashed.ends[0] as usize..crashed.ends[1] as usize].fill(0);
    bytes.resize(40_000, 0);
    fs::write(crashed.log(), &bytes).unwrap();
    assert_eq!(prefix(&open(&crashed.path()).unwrap(), 4), 1);
}

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

#[test]
fn damage_in_a_log_file_that_is_no_longer_needed_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let (live, crashed) = (directory.path().join("live"), directory.path().join("crashed"));
    let store = open(&live).unwrap();
    put_each(&store, 0..5, Sync);
    let [old] = logs(&live).try_into().unwrap();
    let bytes = fs::read(&old).unwrap();
    store.flush().unwrap();
    put_each(&store, 5..10, Sync);

    copy(&live, &crashed);
    let lingering = crashed.join(old.file_name().unwrap());
    fs::write(&lingering, bytes).unwrap();
    flip(&lingering, 200, 1);
    assert_eq!(prefix(&open(&crashed).unwrap(), 10), 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The last commit alone is not protected: nothing behind it says that it was synced.
    #[test]
    fn no_damaged_byte_loses_a_synced_commit_in_silence(
        // Not more than fits into the memory tables of the test: there would be a second log file.
        commits in prop::collection::vec((prop_oneof![1..300_usize, Just(20_000), Just(70_000)], any::<bool>()), 1..7),
        offset: Index,
        by in 1..=255_u8,
    ) {
        let mut commits: Vec<_> =
            commits.iter().map(|(bytes, is_synced)| (*bytes, if *is_synced { Sync } else { Buffered })).collect();
        let crashed = Crashed::after(&commits);
        commits[0].1 = Sync; // in any case: it reserves timestamps
        let end = *crashed.ends.last().unwrap();
        let offset = offset.index(end as usize) as u64;
        crashed.flip(offset, by);

        let hit = crashed.ends.iter().filter(|end| **end <= offset).count();
        let last_synced = commits[..commits.len() - 1].iter().rposition(|(_, durability)| *durability == Sync);
        match open(&crashed.path()) {
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Corruption);
                prop_assert!(last_synced.is_some_and(|synced| synced >= hit), "{} without need", error);
            }
            Ok(store) => {
                let kept = prefix(&store, commits.len() as u32) as usize;
                prop_assert!(kept >= hit, "{kept} of the {hit} commits before the damage are there");
                prop_assert!(last_synced.is_none_or(|synced| synced < kept), "{last_synced:?} is lost in silence");
                for (key, (bytes, _)) in commits.iter().enumerate().take(kept) {
                    prop_assert_eq!(get(&store, key as u32), Some(value(key as u32, *bytes)));
                }
            }
        }
    }
}
