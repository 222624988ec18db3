//! A full disk refuses commits that grow the database before they are half written, and nothing else; once there is
//! space again they go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use blaze::{Database, Document, ErrorKind};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// A file system of 48 MiB.
struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// `None` where one may not be mounted.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn mount() -> Option<SmallDisk> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=48m", "blaze-test"]).arg(directory.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if !is_mounted {
            eprintln!("skipped: a file system cannot be mounted here");
        }
        is_mounted.then_some(SmallDisk { directory })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.directory.path()).status();
    }
}

fn open(path: &Path) -> Database {
    Database::builder().write_buffer_bytes(MIB).open(path).unwrap()
}

fn document(n: i64) -> Document {
    Document::new().with("n", n).with("text", "x".repeat(1_000))
}

#[test]
fn on_a_full_disk_deletes_still_work_and_commits_go_on_once_there_is_space() {
    let Some(disk) = SmallDisk::mount() else { return };
    let db = open(&disk.path("database"));
    let notes = db.collection::<Document>("notes").unwrap();
    (0..100).for_each(|n| notes.insert_with_id(n, &document(n)).unwrap());

    fs::write(disk.path("ballast"), vec![1; 38 * MIB]).unwrap();
    let refused = (100..10_000).find_map(|n| Some((n, notes.insert_with_id(n, &document(n)).err()?)));
    let (count, error) = refused.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("bytes are free"), "{error}");
    assert_eq!(notes.insert_with_id(count, &document(count)).unwrap_err().kind(), ErrorKind::Unavailable);
    for n in 0..50 {
        assert!(notes.delete(n).unwrap(), "{n} was there");
    }
    assert_eq!(notes.count().unwrap() as i64, count - 50);

    fs::remove_file(disk.path("ballast")).unwrap();
    notes.insert_with_id(count, &document(count)).unwrap();
    db.close().unwrap();
    let db = open(&disk.path("database"));
    assert_eq!(db.collection::<Document>("notes").unwrap().count().unwrap() as i64, count - 49);
}

#[test]
fn a_database_that_fills_its_disk_makes_room_by_deleting() {
    let Some(disk) = SmallDisk::mount() else { return };
    let db = open(&disk.path("database"));
    let blobs = db.keyspace("blobs").unwrap();
    // Bytes that no compression shrinks.
    let mut state = 1_u64;
    let mut blob = || -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        };
        (0..100_000).map(|_| next()).collect()
    };
    let refused = (0_u32..1_000).find_map(|n| Some((n, blobs.put(n.to_be_bytes(), blob()).err()?)));
    let (count, error) = refused.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    (0..count).for_each(|n| blobs.delete(n.to_be_bytes()).unwrap());
    db.compact().unwrap();
    (0..count / 2).for_each(|n| blobs.put(n.to_be_bytes(), blob()).unwrap());
}
