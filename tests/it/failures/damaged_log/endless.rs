//! Marks of a recycled log, at which RocksDB alone would read the same record for ever.

use std::fs;
use std::path::Path;

use blaze_core::Durability::{Buffered, Sync};
use blaze_core::{Error, ErrorKind, Family, KeyRange, Timestamp};
use blaze_lsm::{LsmStore, Sieve};

use super::{Crashed, copy, flip, open, options, prefix, put};

#[test]
fn the_mark_of_a_recycled_log_does_not_keep_a_database_from_opening() {
    let crashed = Crashed::after(&[(100, Sync), (100, Buffered)]);
    crashed.flip(crashed.ends[0] + 6, 1 ^ 5);
    assert_eq!(prefix(&open(&crashed.path()).unwrap(), 2), 1);

    let crashed = Crashed::after(&[(100, Sync), (100, Sync), (100, Sync)]);
    crashed.flip(crashed.ends[0] + 6, 1 ^ 5);
    assert_eq!(open(&crashed.path()).unwrap_err().kind(), ErrorKind::Corruption);
    let (store, damage) = LsmStore::open_salvage(&crashed.path(), options()).unwrap();
    assert_eq!((prefix(&store, 3), damage.unwrap().kept), (1, Some(crashed.timestamps[0])));
}

#[test]
fn the_mark_of_a_recycled_log_behind_damage_does_not_either() {
    const BLOCK_BYTES: u64 = 32 * 1024;
    let crashed = Crashed::after(&[(100, Sync), (50_000, Buffered)]);
    crashed.flip(crashed.ends[0] + 60, 1);
    crashed.flip(BLOCK_BYTES + 6, 4 ^ 8); // the last part of the commit
    for (is_read_only, said) in [(true, "open it to write"), (false, "open_salvage()")] {
        let opened = match is_read_only {
            true => LsmStore::open(&crashed.path(), options().read_only()).map(drop),
            false => salvage(&crashed.path(), &crashed.directory.path().join("salvaged")),
        };
        let error = opened.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(prefix(&open(&crashed.path()).unwrap(), 2), 1);
    salvage(&crashed.path(), &crashed.directory.path().join("salvaged")).unwrap();
}

#[test]
fn the_mark_of_a_recycled_log_in_a_manifest_is_corruption() {
    let directory = tempfile::tempdir().unwrap();
    let (live, crashed) = (directory.path().join("live"), directory.path().join("crashed"));
    let store = open(&live).unwrap();
    put(&store, 0, 100, Sync).unwrap();
    store.flush().unwrap();
    copy(&live, &crashed);
    let mut manifests = fs::read_dir(&crashed).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifests.find(|path| path.display().to_string().contains("MANIFEST")).unwrap();
    let bytes = fs::read(&manifest).unwrap();
    let second = 7 + usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    flip(&manifest, second as u64 + 6, 1 ^ 5);
    let salvaged = salvage(&crashed, &directory.path().join("salvaged"));
    for answer in [open(&crashed).map(drop), LsmStore::open_salvage(&crashed, options()).map(drop), salvaged] {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
        assert!(error.to_string().contains(&format!("damaged at byte {second}")), "{error}");
    }
}

/// Takes over all that can be read.
struct Everything;

impl Sieve for Everything {
    fn sift(&mut self, _: Family, _: &[u8], value: &[u8]) -> blaze_core::Result<Option<Vec<u8>>> {
        Ok(Some(value.to_vec()))
    }

    fn lose(&mut self, _: Family, _: KeyRange, error: Error) -> blaze_core::Result<()> {
        Err(error)
    }

    fn newest(&self) -> Timestamp {
        Timestamp::ZERO
    }
}

fn salvage(from: &Path, to: &Path) -> blaze_core::Result<()> {
    blaze_lsm::salvage(from, to, &options(), &mut Everything).map(drop)
}
