//! Ten thousand vector indexes, most of which nobody asks: what each of them takes in memory.
//!
//! It is counted in a process of its own, on Linux, where it tells; elsewhere the indexes are only used.

use std::fs;
use std::process::Command;

use super::*;

/// Has the child do the work.
const ROLE: &str = "BLAZE_TEST_COLD_INDEXES";
const COLLECTIONS: usize = 157;
const PER_COLLECTION: usize = 64;
const INDEXES: usize = COLLECTIONS * PER_COLLECTION;
const BYTES_MAX: usize = 512;

fn resident_bytes() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<usize>().ok().map(|kib| kib * 1024)
}

fn collections(db: &Database) -> impl Iterator<Item = Collection<Document>> {
    (0..COLLECTIONS).map(|n| db.collection::<Document>(&format!("c{n}")).unwrap())
}

/// Asks each index for what is nearest, which is the one vector that it has, and gives it another one.
fn use_all(db: &Database, round: u64) {
    for collection in collections(db) {
        for n in 0..PER_COLLECTION {
            let name = format!("v{n}");
            let hits = collection.search().nearest("v", &[1.0; 4]).index(name).limit(1).run().unwrap();
            assert_eq!(hits.len(), 1);
        }
        collection.put(round, &Document::new().with("v", Vector::F32(vec![round as f32; 4]))).unwrap();
    }
}

fn open(path: &str) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

/// The role of the child: what it takes is not hidden by memory that making the indexes has left.
#[test]
fn child_uses_ten_thousand_indexes() {
    let Ok(path) = std::env::var(ROLE) else { return };
    let db = open(&path);
    // What their definitions take, and what reading and writing at all does.
    for collection in collections(&db) {
        assert_eq!(collection.indexes().unwrap().len(), PER_COLLECTION);
        collection.put("two", &Document::new().with("v", Vector::F32(vec![2.0; 4]))).unwrap();
        assert_eq!(collection.find(field("v").exists(true)).run().unwrap().len(), 2);
    }
    let Some(before) = resident_bytes() else { return };
    for round in 0..3 {
        use_all(&db, round);
        let bytes = resident_bytes().unwrap().saturating_sub(before) / INDEXES;
        println!("\nround {round}: {bytes} bytes more for each of {INDEXES} indexes than {before} for all");
        assert!(bytes <= BYTES_MAX, "each index takes {bytes} bytes in round {round}");
    }
    assert_eq!(db.stats().unwrap().vector_indexes, [], "none has a graph");
}

#[test]
#[ignore = "it takes a quarter of a minute: run it after changes of what is kept for indexes"]
fn ten_thousand_indexes_that_nobody_asks_take_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(path.to_str().unwrap());
    for collection in collections(&db) {
        collection.insert_with_id("one", &Document::new().with("v", Vector::F32(vec![1.0; 4]))).unwrap();
        for n in 0..PER_COLLECTION {
            collection.ensure_index(Index::vector("v", 4).metric(Metric::L2).named(format!("v{n}"))).unwrap();
        }
    }
    db.close().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "vectors::cold::child_uses_ten_thousand_indexes", "--nocapture", "--test-threads=1"])
        .env(ROLE, &path)
        .output()
        .unwrap();
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{told}\n{failed}", output.status);
    assert!(told.contains("round 2") || !cfg!(target_os = "linux"), "{told}");
}
