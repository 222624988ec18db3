//! Compaction under control, what takes space, what the database says of itself, and what it leaves in its directory.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::path::Path;
use std::thread;

use blaze::{Compression, Database, Document, Durability, Entropy, ErrorKind, Index, Metric, SeededEntropy, Vector};

fn open(directory: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).write_buffer_bytes(1 << 20).open(directory).unwrap()
}

/// Bytes that do not compress.
fn noise(random: &SeededEntropy, bytes: usize) -> Vec<u8> {
    (0..bytes / 8).flat_map(|_| random.next_u64().to_le_bytes()).collect()
}

fn write_noise(db: &Database, keyspace: &str, keys: u32) {
    let (keyspace, random) = (db.keyspace(keyspace).unwrap(), SeededEntropy::new(1));
    for n in 0..keys {
        keyspace.put(n.to_be_bytes(), noise(&random, 1_000)).unwrap();
    }
}

#[test]
fn a_keyspace_and_a_collection_say_what_they_take_and_compact_it_away() {
    let directory = tempfile::tempdir().unwrap();
    let db = open(directory.path());
    write_noise(&db, "large", 4_000);
    write_noise(&db, "small", 100);
    let (large, small) = (db.keyspace("large").unwrap(), db.keyspace("small").unwrap());
    let (films, random) = (db.collection::<Document>("films").unwrap(), SeededEntropy::new(2));
    films.ensure_index(Index::on("text")).unwrap();
    for n in 0..1_000 {
        let text: String = noise(&random, 400).iter().map(|byte| char::from(byte % 64 + 32)).collect();
        films.insert_with_id(n, &Document::new().with("text", text)).unwrap();
    }
    db.compact().unwrap(); // what is in memory is estimated by chance
    let before = films.bytes_used().unwrap();
    films.drop_index("text").unwrap();
    db.compact().unwrap();
    let bytes = large.bytes_used().unwrap();
    assert!((3_600_000..6_000_000).contains(&bytes), "4,000 values of 1,000 bytes take {bytes}");
    assert!(small.bytes_used().unwrap() < bytes / 10);
    let without = films.bytes_used().unwrap();
    assert!(without > 200_000 && before > without + 200_000, "an index of 400 kB does not count: {before}, {without}");

    large.delete_range(1_000_u32.to_be_bytes()..).unwrap();
    large.compact().unwrap();
    films.compact().unwrap();
    let after = large.bytes_used().unwrap();
    assert!(after < bytes / 2, "{after} of {bytes} bytes are left for a quarter of the keys");
    assert_eq!(large.count().unwrap(), 1_000);

    db.drop_keyspace("large").unwrap();
    assert_eq!(large.compact().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(large.bytes_used().unwrap_err().kind(), ErrorKind::NotFound);
    let in_memory = Database::in_memory().unwrap();
    in_memory.keyspace("k").unwrap().put("key", "value").unwrap();
    assert_eq!(in_memory.keyspace("k").unwrap().bytes_used().unwrap(), 4 + 3 + 5);
    in_memory.keyspace("k").unwrap().compact().unwrap();
}

#[test]
fn while_compaction_is_paused_files_pile_up_and_afterwards_they_are_merged() {
    let directory = tempfile::tempdir().unwrap();
    let db = open(directory.path());
    let outer = db.pause_compaction().unwrap();
    let inner = db.pause_compaction().unwrap();
    write_noise(&db, "k", 8_000);
    drop(inner);
    db.keyspace("k").unwrap().put("last", "value").unwrap();
    let piled = db.stats().unwrap().compaction;
    assert!(piled.files_per_level[0] > 8, "{piled:?}");
    assert!(!piled.writes_are_stopped && piled.delayed_write_bytes_per_second == 0, "{piled:?}");
    drop(outer);
    db.settle().unwrap();
    let merged = db.stats().unwrap().compaction;
    assert!(merged.files_per_level[0] < piled.files_per_level[0] / 2, "{merged:?}");
    let pause = db.pause_compaction().unwrap();
    db.close().unwrap();
    drop(pause); // after the end there is nothing to resume
    assert_eq!(db.pause_compaction().unwrap_err().kind(), ErrorKind::Closed);
    drop(Database::in_memory().unwrap().pause_compaction().unwrap());
}

#[test]
fn a_database_says_what_it_holds_and_does() {
    let directory = tempfile::tempdir().unwrap();
    let db = open(directory.path());
    write_noise(&db, "k", 1_500);
    db.keyspace("k").unwrap().put("large", vec![7; 500_000]).unwrap();
    let before = db.stats().unwrap();
    assert!(before.disk.log_bytes > 0 && before.memory.write_buffer_bytes > 0, "{before:?}");
    db.compact().unwrap();
    assert_eq!(db.keyspace("k").unwrap().iter().unwrap().count(), 1_501);
    let stats = db.stats().unwrap();
    let disk = &stats.disk;
    let kinds = disk.sorted_bytes + disk.large_value_bytes + disk.log_bytes + disk.other_bytes;
    assert_eq!(kinds, disk.total_bytes);
    assert!(disk.sorted_bytes > 1_400_000 && disk.live_sorted_bytes <= disk.sorted_bytes, "{disk:?}");
    assert!(disk.large_value_bytes > 0 && disk.other_bytes > 0, "{disk:?}");
    assert!(stats.memory.cache_used_bytes > 0, "{stats:?}");
    assert!(stats.memory.cache_capacity_bytes >= stats.memory.cache_used_bytes, "{stats:?}");
    assert!(stats.compaction.files_per_level.iter().sum::<u64>() > 0, "{stats:?}");
    assert_eq!(stats.compaction.background_errors, 0);
    let json = serde_json::to_value(&stats).unwrap();
    assert_eq!(json["disk"]["total_bytes"], disk.total_bytes);
    db.close().unwrap();
    assert_eq!(db.stats().unwrap_err().kind(), ErrorKind::Closed);
    let in_memory = Database::in_memory().unwrap();
    write_noise(&in_memory, "k", 10);
    assert!(in_memory.stats().unwrap().disk.total_bytes > 10_000);
}

#[test]
fn what_is_to_be_small_is_smaller_and_reads_the_same_either_way() {
    let directory = tempfile::tempdir().unwrap();
    let open = |compression| Database::builder().compression(compression).open(directory.path()).unwrap();
    let text = |n: u32| {
        format!("a line of a log, of which there are many; this one is number {n}, {}", n.wrapping_mul(2_654_435_761))
    };
    let db = open(Compression::Fast);
    let all: Vec<_> = (0..20_000_u32).map(|n| (n.to_be_bytes(), text(n))).collect();
    let written = db.transaction(|transaction| {
        let lines = transaction.keyspace("lines")?;
        all.iter().try_for_each(|(key, line)| lines.put(key, line))
    });
    written.unwrap();
    let lines = db.keyspace("lines").unwrap();
    db.compact().unwrap();
    let fast = lines.bytes_used().unwrap();
    db.close().unwrap();

    let db = open(Compression::Small);
    let lines = db.keyspace("lines").unwrap();
    assert_eq!(lines.get(7_u32.to_be_bytes()).unwrap().unwrap(), text(7).as_bytes());
    db.compact().unwrap();
    let small = lines.bytes_used().unwrap();
    assert!(small < fast / 10 * 8, "{small} bytes instead of {fast}");
    db.close().unwrap();

    let lines = open(Compression::Fast).keyspace("lines").unwrap();
    for n in 0..20_000_u32 {
        assert_eq!(lines.get(n.to_be_bytes()).unwrap().unwrap(), text(n).as_bytes());
    }
}

#[test]
fn vectors_are_stored_as_they_are_unless_all_is_to_be_small() {
    let (count, dimension) = (2_000, 128);
    let directory = tempfile::tempdir().unwrap();
    let open = |compression| Database::builder().compression(compression).open(directory.path()).unwrap();
    let sorted = |db: &Database| {
        db.compact().unwrap();
        db.stats().unwrap().disk.live_sorted_bytes
    };
    let db = open(Compression::Fast);
    let points = db.collection::<Document>("points").unwrap();
    // Of ones and zeros, so that there is something to gain.
    let vector = |n: usize| Vector::F32((0..dimension).map(|i| f32::from(u8::from(n >> (i % 11) & 1 == 1))).collect());
    points.bulk().insert_with_ids((0..count).map(|n| (n as u64, Document::new().with("v", vector(n))))).unwrap();
    let without = sorted(&db);
    points.ensure_index(Index::vector("v", dimension).metric(Metric::L2)).unwrap();
    let added = sorted(&db) - without;
    let raw = (count * dimension * 4) as u64;
    assert!(added >= raw, "{added} bytes for {raw} of vectors");
    db.close().unwrap();

    let db = open(Compression::Small);
    let small = sorted(&db);
    assert!(small < (without + added) / 2, "{small} bytes instead of {}", without + added);
    let points = db.collection::<Document>("points").unwrap();
    let nearest = points.search().nearest("v", vector(7)).limit(1).ids().unwrap();
    assert_eq!(nearest[0].id.to_string(), "7");
}

#[test]
fn a_limit_on_background_writing_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let builder = Database::builder().durability(Durability::Buffered).write_buffer_bytes(1 << 20);
    let db = builder.background_io_bytes_per_second(8 << 20).open(directory.path()).unwrap();
    write_noise(&db, "k", 3_000);
    db.settle().unwrap();
    assert_eq!(db.keyspace("k").unwrap().count().unwrap(), 3_000);
}

/// The kinds of files that a database has.
fn is_known(name: &str) -> bool {
    let numbered = |name: &str, start: &str, end: &str| {
        let number = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let kinds = [("", ".sst"), ("", ".blob"), ("", ".log"), ("MANIFEST-", ""), ("OPTIONS-", ""), ("LOG.old.", "")];
    ["BLAZE", "BLAZE.manifest", "CURRENT", "IDENTITY", "LOCK", "LOG"].contains(&name)
        || kinds.iter().any(|(start, end)| numbered(name, start, end))
}

#[test]
fn nothing_but_the_known_kinds_of_files_is_left_in_the_directory() {
    assert!(is_known("000012.sst") && !is_known("000012.dbtmp") && !is_known("BLAZE.new") && !is_known(".sst"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut counts = Vec::new();
    for round in 0..6 {
        let db = open(&path);
        write_noise(&db, "k", 500);
        db.collection::<Document>("films").unwrap().insert(&Document::new().with("n", round)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| db.compact().unwrap());
            scope.spawn(|| write_noise(&db, "l", 500));
        });
        db.backup(directory.path().join("backups")).unwrap();
        db.checkpoint(directory.path().join(format!("checkpoint {round}"))).unwrap();
        assert!(db.verify().unwrap().is_healthy());
        db.close().unwrap();
        let names = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names: Vec<_> = names.collect();
        let unknown: Vec<_> = names.iter().filter(|name| !is_known(name)).collect();
        assert!(unknown.is_empty(), "round {round}: {unknown:?}");
        counts.push(names.len());
    }
    assert!(counts[5] < counts[2] + 10, "files pile up: {counts:?}");
    let mut beside: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    beside.retain(|name| !name.to_string_lossy().starts_with("checkpoint "));
    beside.sort();
    assert_eq!(beside, ["backups", "db"]);
}
