//! A log that was damaged is never read as if nothing had been behind the damage.

mod endless;
mod lost_file;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use blaze_core::Durability::{Buffered, Sync};
use blaze_core::{Durability, ErrorKind, Store, Timestamp};
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
