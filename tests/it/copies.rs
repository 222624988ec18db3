//! A copy of a database names itself otherwise than the original, so that both never make the same automatic id.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use blaze::{Backups, Database, Document, DocumentId, ManualClock, SeededEntropy};

/// The file that says that a directory is a copy.
const FLAG: &str = "BLAZE.copy";

/// Every time the same entropy and the same time: only the replica id can tell ids apart.
fn open(path: &Path) -> Database {
    let clock = Arc::new(ManualClock::at_ms(1_000_000));
    Database::builder().clock(clock).entropy(Arc::new(SeededEntropy::new(7))).open(path).unwrap()
}

/// What an automatic id says of the replica.
fn replica(db: &Database) -> u64 {
    let DocumentId::Uuid(id) = db.collection::<Document>("films").unwrap().insert(&Document::new()).unwrap() else {
        unreachable!("an automatic id is a UUID")
    };
    let low = id.as_bytes().last_chunk::<8>().unwrap();
    u64::from_be_bytes(*low) & ((1 << 58) - 1)
}

#[test]
fn a_checkpoint_and_a_restored_backup_and_a_salvage_get_a_replica_id_of_their_own_and_keep_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let db = open(&path("original"));
    let original = replica(&db);
    db.checkpoint(path("checkpoint")).unwrap();
    let backup = db.backup(path("backups")).unwrap();
    Backups::open(path("backups")).unwrap().restore(backup.id, path("restored")).unwrap();
    db.close().unwrap();
    Database::salvage(path("original"), path("salvaged")).unwrap();
    assert_eq!(replica(&open(&path("original"))), original, "the original stays what it was");
    for copy in ["checkpoint", "restored", "salvaged"] {
        let own = replica(&open(&path(copy)));
        assert_ne!(own, original, "{copy}");
        assert!(!path(copy).join(FLAG).exists(), "{copy}");
        assert_eq!(replica(&open(&path(copy))), own, "{copy}");
    }
}

#[test]
fn a_copy_that_is_only_read_stays_one_until_it_is_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("db"), directory.path().join("copy"));
    let db = open(&path);
    let original = replica(&db);
    db.checkpoint(&copy).unwrap();
    let reader = Database::builder().read_only().open(&copy).unwrap();
    assert_eq!(reader.collection::<Document>("films").unwrap().count().unwrap(), 1);
    reader.close().unwrap();
    assert!(copy.join(FLAG).exists());
    assert_ne!(replica(&open(&copy)), original);
}

/// The moment cannot be hit by killing, so it is staged: the id is durable, and the copy is still said to be one.
#[test]
fn a_crash_between_the_id_and_the_end_of_being_a_copy_draws_another_id() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("db"), directory.path().join("copy"));
    let db = open(&path);
    let original = replica(&db);
    db.checkpoint(&copy).unwrap();
    let first = replica(&open(&copy));
    fs::write(copy.join(FLAG), "").unwrap();
    let second = replica(&open(&copy));
    assert!(original != first && first != second && original != second);
    assert_eq!(replica(&open(&copy)), second);
}

#[test]
fn a_copy_of_a_copy_gets_an_id_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = |n: usize| directory.path().join(n.to_string());
    open(&path(0)).close().unwrap();
    let mut seen = Vec::new();
    for n in 0..4 {
        let db = open(&path(n));
        seen.push(replica(&db));
        db.checkpoint(path(n + 1)).unwrap();
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}
