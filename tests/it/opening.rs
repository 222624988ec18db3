//! Opening and closing: what is left behind, who is let in, which settings are refused.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::path::Path;

use blaze::{Database, DatabaseBuilder, Durability, Environment, Error, ErrorKind};
use blaze_core::Family;

/// The names of the files in a directory, sorted, each with its length.
fn files(path: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut files: Vec<_> = entries.map(|entry| (name(&entry), entry.metadata().unwrap().len())).collect();
    files.sort();
    files
}

/// Bytes of the log that the next opening would have to replay.
fn log_bytes(path: &Path) -> u64 {
    files(path).iter().filter(|(name, _)| name.ends_with(".log")).map(|(_, bytes)| bytes).sum()
}

fn fill(db: &Database, keys: u32) {
    let keyspace = db.keyspace("keys").unwrap();
    db.transaction(|tx| {
        let keyspace = tx.keyspace("keys")?;
        (0..keys).try_for_each(|key| keyspace.put(key.to_be_bytes(), [key as u8; 500]))
    })
    .unwrap();
    assert_eq!(keyspace.count().unwrap(), u64::from(keys));
}

fn refusal(result: Result<Database, Error>) -> (ErrorKind, String) {
    let error = result.unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn an_orderly_close_leaves_nothing_to_replay() {
    let directory = tempfile::tempdir().unwrap();
    for durability in [Durability::Sync, Durability::Buffered] {
        let db = Database::builder().durability(durability).open(directory.path()).unwrap();
        fill(&db, 5_000);
        assert!(log_bytes(directory.path()) > 2_000_000);
        db.close().unwrap();
        assert_eq!(log_bytes(directory.path()), 0);
    }
    let db = Database::open(directory.path()).unwrap();
    assert_eq!(db.keyspace("keys").unwrap().get(77_u32.to_be_bytes()).unwrap(), Some(vec![77; 500]));
}

/// The sorted files go to a device that is full.
#[test]
#[cfg(target_os = "linux")]
fn a_close_that_finds_no_room_for_sorted_files_keeps_everything_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let db = Database::open(path).unwrap();
    fill(&db, 1_000);
    let links: Vec<_> = (1..200).map(|number| path.join(format!("{number:06}.sst"))).collect();
    links.iter().for_each(|link| std::os::unix::fs::symlink("/dev/full", link).unwrap());
    db.close().unwrap();
    links.iter().for_each(|link| drop(fs::remove_file(link)));
    assert!(log_bytes(path) > 400_000);

    let db = Database::open(path).unwrap();
    assert_eq!(db.keyspace("keys").unwrap().count().unwrap(), 1_000);
}

#[test]
fn a_refused_opening_touches_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let (kind, message) = refusal(Database::builder().write_buffer_bytes(10).open(&path));
    assert_eq!((kind, message.as_str()), (ErrorKind::Invalid, "write_buffer_bytes is 10, at least 1048576 is needed"));
    assert!(!path.exists());

    let db = Database::open(&path).unwrap();
    fill(&db, 10);
    let before = files(&path);
    for builder in [Database::builder(), Database::builder().must_exist(), Database::builder().read_only()] {
        assert_eq!(refusal(builder.open(&path)).0, ErrorKind::Locked);
    }
    assert_eq!(refusal(Database::builder().must_be_new().open(&path)).0, ErrorKind::AlreadyExists);
    assert_eq!(files(&path), before, "not even the information log");
    db.close().unwrap();
    let before = files(&path);
    assert_eq!(refusal(Database::builder().must_be_new().open(&path)).0, ErrorKind::AlreadyExists);
    assert_eq!(files(&path), before);
}

#[test]
fn a_database_that_could_not_be_made_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    // As if an earlier attempt had been cut off, and something is in the way of another one.
    fs::write(path.join("BLAZE.new"), "").unwrap();
    fs::create_dir(path.join("CURRENT")).unwrap();
    assert!(Database::builder().must_be_new().open(path).is_err());
    assert_eq!(refusal(Database::builder().must_exist().open(path)).0, ErrorKind::NotFound);
    assert_eq!(refusal(Database::builder().read_only().open(path)).0, ErrorKind::NotFound);
    fs::remove_dir(path.join("CURRENT")).unwrap();
    let db = Database::builder().must_be_new().open(path).unwrap();
    fill(&db, 10);
    db.close().unwrap();
    Database::builder().must_exist().open(path).unwrap();
}

#[test]
fn many_that_create_a_database_at_once_make_one() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let path = directory.path().join(format!("{round}"));
        let opened: Vec<_> = std::thread::scope(|scope| {
            let open = || Database::builder().durability(Durability::Buffered).open(&path);
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let refused = opened.iter().filter_map(|result| result.as_ref().err());
        assert!(refused.clone().all(|error| error.kind() == ErrorKind::Locked), "{opened:?}");
        assert_eq!(refused.count(), 3, "round {round}: {opened:?}");
        drop(opened);
        assert!(!path.join("BLAZE.new").exists());
        Database::builder().must_exist().open(&path).unwrap();
    }
}

#[test]
fn settings_out_of_bounds_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let open = |builder: DatabaseBuilder| refusal(builder.open(directory.path().join("db")));
    let build = |environment: Result<Environment, Error>| {
        let error = environment.unwrap_err();
        (error.kind(), error.to_string())
    };
    let environment = Environment::builder().build().unwrap();
    let invalid = |message: &str| (ErrorKind::Invalid, message.to_owned());
    let too_much = |message: &str| (ErrorKind::LimitExceeded, message.to_owned());
    let small = |name: &str, value: usize, min: usize| invalid(&format!("{name} is {value}, at least {min} is needed"));

    assert_eq!(open(Database::builder().cache_bytes(64)), small("cache_bytes", 64, 1 << 20));
    assert_eq!(build(Environment::builder().background_jobs(0).build()), small("background_jobs", 0, 1));
    assert_eq!(build(Environment::builder().cache_bytes(0).build()), small("cache_bytes", 0, 1 << 20));
    assert_eq!(build(Environment::builder().write_buffer_bytes(1).build()), small("write_buffer_bytes", 1, 1 << 20));
    let files = Environment::builder().open_files_per_database(31).build();
    assert_eq!(build(files), small("open_files_per_database", 31, 32));
    assert_eq!(
        open(Database::builder().cache_bytes(1 << 41)),
        too_much("cache_bytes is 2199023255552, the limit is 1099511627776")
    );
    assert_eq!(open(Database::builder().label("")), invalid("label is empty, at least 1 byte is needed"));
    assert_eq!(open(Database::builder().label("l".repeat(129))), too_much("label has 129 bytes, the limit is 128"));
    assert_eq!(
        open(Database::builder().environment(&environment).cache_bytes(8 << 20)),
        invalid("cache_bytes is set for the environment, not for a database in it")
    );
    assert_eq!(
        open(Database::builder().read_only().must_be_new()),
        invalid("a database that is opened read-only cannot be new")
    );
    for empty in [Database::builder().read_only().in_memory(), Database::builder().read_only().temporary()] {
        assert_eq!(refusal(empty), invalid("a database that begins empty cannot be read-only"));
    }
    assert!(!directory.path().join("db").exists());
}

#[test]
fn a_long_life_leaves_no_stray_file() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..12 {
        let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
        fill(&db, 100 + round);
    }
    let expected = |name: &str| {
        ["BLAZE", "BLAZE.manifest", "CURRENT", "IDENTITY", "LOCK", "LOG"].contains(&name)
            || ["LOG.old.", "MANIFEST-", "OPTIONS-"].iter().any(|start| name.starts_with(start))
            || [".log", ".sst", ".blob"].iter().any(|end| name.ends_with(end))
    };
    let files = files(directory.path());
    let count = |start: &str| files.iter().filter(|(name, _)| name.starts_with(start)).count();
    assert!(files.iter().all(|(name, _)| expected(name)), "{files:?}");
    assert!(count("LOG") <= 2 && count("MANIFEST") == 1 && count("OPTIONS") <= 2, "{files:?}");
    let bytes: u64 = files.iter().filter(|(name, _)| name.starts_with("LOG")).map(|(_, bytes)| bytes).sum();
    assert!(bytes < 1 << 20, "{files:?}");
}

#[test]
fn a_paranoid_database_guards_its_memory() {
    let settings = |builder: DatabaseBuilder| {
        let directory = tempfile::tempdir().unwrap();
        let db = builder.open(directory.path()).unwrap();
        fill(&db, 100);
        db.close().unwrap();
        let options = files(directory.path()).into_iter().rfind(|(name, _)| name.starts_with("OPTIONS-")).unwrap().0;
        fs::read_to_string(directory.path().join(options)).unwrap()
    };
    let (paranoid, usual) = (settings(Database::builder().paranoid()), settings(Database::builder()));
    for guard in
        ["memtable_protection_bytes_per_key=8", "block_protection_bytes_per_key=8", "paranoid_file_checks=true"]
    {
        assert_eq!(paranoid.matches(guard).count(), Family::ALL.len(), "one for each family: {guard}");
        assert!(!usual.contains(guard), "{guard}");
    }
    // What data depends on, whatever the mode.
    for fixed in ["wal_bytes_per_sync=0", "recycle_log_file_num=0", "track_and_verify_wals_in_manifest=true"] {
        assert!(paranoid.contains(fixed) && usual.contains(fixed), "{fixed}");
    }
}
