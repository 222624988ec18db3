//! A full disk refuses commits that grow the database before they are half written, and nothing else; once there is
//! space again they go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use blaze::{Database, Document, ErrorKind, Index, Metric, Vector};
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

#[test]
fn a_graph_that_cannot_be_kept_is_made_and_searched_all_the_same() {
    const DIMENSION: usize = 16;
    const COUNT: u64 = 24_000; // so many that it would be kept before all are linked
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path("database");
    let db = open(&path);
    let points = db.collection::<Document>("points").unwrap();
    let mut state = 1_u64;
    let mut vector = || -> Vec<f32> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32
        };
        (0..DIMENSION).map(|_| next()).collect()
    };
    let rows: Vec<Vec<f32>> = (0..COUNT).map(|_| vector()).collect();
    let document = |row: &Vec<f32>| Document::new().with("v", Vector::F32(row.clone()));
    points.bulk().insert_with_ids(rows.iter().enumerate().map(|(n, row)| (n as u64, document(row)))).unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    // Its graph is being made in the background. What is left of the disk is less than is kept free.
    let ballast = |n: usize| disk.path(&format!("ballast-{n}"));
    let full = (0..).find(|n| fs::write(ballast(*n), vec![1; MIB]).is_err()).unwrap();
    (full - 4..=full).for_each(|n| fs::remove_file(ballast(n)).unwrap());
    let stats = loop {
        let stats = db.stats().unwrap().vector_indexes.remove(0);
        if stats.is_complete {
            break stats;
        }
        thread::park_timeout(Duration::from_millis(1));
    };
    assert_eq!(stats.linked, COUNT);
    assert_eq!(db.settle().unwrap_err().kind(), ErrorKind::Unavailable, "it cannot be kept");
    for (n, row) in rows.iter().enumerate().step_by(1_000) {
        let search = points.search().nearest("v", row.as_slice()).limit(2);
        assert!(search.explain().unwrap().to_string().contains("graph"));
        assert!(search.run().unwrap().iter().any(|hit| hit.id == (n as u64).into()), "{n} finds itself");
    }
    (0..full - 4).for_each(|n| fs::remove_file(ballast(n)).unwrap());
    db.settle().unwrap();
    db.close().unwrap();
    let db = open(&path);
    let points = db.collection::<Document>("points").unwrap();
    let search = points.search().nearest("v", rows[7].as_slice()).limit(1);
    assert!(search.explain().unwrap().to_string().contains("graph"), "it was kept once there was space");
}
