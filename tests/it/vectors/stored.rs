//! Graphs that are kept in the database: read again, caught up, made anew when they are damaged.

use std::path::Path;

use blaze::Environment;
use blaze_core::{CommitRequest, Direction, Family, KeyRange, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use super::*;

fn open(path: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

fn points(db: &Database) -> Collection<Document> {
    db.collection("points").unwrap()
}

/// Rows of the family `vector` that are no vectors: what follows the number of the index in their keys.
fn derived(store: &dyn Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut cursor = store.read_point().unwrap().cursor(Family::Vector, &KeyRange::all(), Direction::Forward).unwrap();
    while let Some((key, value)) = cursor.next().unwrap() {
        if key[4] == 0xFF {
            rows.push((key.to_vec(), value.to_vec()));
        }
    }
    rows
}

pub(super) fn with_store<R>(path: &Path, work: impl FnOnce(&LsmStore) -> R) -> R {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(blaze::SystemClock))).unwrap();
    let result = work(&store);
    store.close().unwrap();
    result
}

pub(super) fn marks(path: &Path) -> usize {
    with_store(path, |store| derived(store).iter().filter(|(key, _)| key[5] == 2).count())
}

#[test]
fn a_graph_is_there_again_with_the_first_search_and_nothing_has_to_be_linked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(&path);
    fill(&db, &vectors(1, MANY));
    db.close().unwrap();
    assert_eq!(marks(&path), 0, "what is flushed needs no marks");
    for read_only in [true, false] {
        let builder = Database::builder();
        let db = if read_only { builder.read_only() } else { builder }.open(&path).unwrap();
        assert_eq!(db.stats().unwrap().vector_indexes, [], "nothing is read before it is needed");
        assert_finds(&points(&db), 2, true);
        let stats = db.stats().unwrap().vector_indexes;
        assert_eq!((stats[0].linked, stats[0].tail, stats[0].is_complete), (MANY as u64, 0, true));
        assert_eq!((stats[0].collection.as_str(), stats[0].index.as_str()), ("points", "v"));
        assert!(stats[0].memory_bytes > (MANY * DIMENSION) as u64);
        assert_eq!(db.verify().unwrap().problems, []);
        db.close().unwrap();
    }
}

#[test]
fn what_was_committed_after_the_last_flush_is_found_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(&path);
    fill(&db, &vectors(1, MANY));
    db.close().unwrap();
    let db = open(&path);
    let far = vec![40.0; DIMENSION];
    points(&db).put(17_u64, &document(&far, 17)).unwrap();
    points(&db).insert_with_id("new", &document(&[41.0; DIMENSION], 0)).unwrap();
    points(&db).delete(3_u64).unwrap();
    db.close().unwrap();
    assert_eq!(marks(&path), 3, "so few are rather linked again");
    for read_only in [true, false] {
        let builder = Database::builder();
        let db = if read_only { builder.read_only() } else { builder }.open(&path).unwrap();
        assert_eq!(search(&points(&db), &far, 2), (true, vec![17_u64.into(), "new".into()]));
        assert_ne!(search(&points(&db), &vectors(1, 4)[3], 1).1, [3_u64.into()]);
        assert_finds(&points(&db), 2, true);
        db.close().unwrap();
    }
}

#[test]
fn reading_only_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(&path);
    fill(&db, &vectors(1, MANY));
    points(&db).put(17_u64, &document(&[40.0; DIMENSION], 17)).unwrap();
    db.close().unwrap();
    let names = |path: &Path| {
        let files = std::fs::read_dir(path).unwrap().map(|file| file.unwrap());
        let mut names: Vec<_> = files.map(|file| (file.file_name(), file.metadata().unwrap().len())).collect();
        names.sort();
        names
    };
    let before = names(&path);
    let db = Database::builder().read_only().open(&path).unwrap();
    let other = Database::builder().read_only().open(&path).unwrap();
    assert_finds(&points(&db), 2, true);
    assert_finds(&points(&other), 3, true);
    db.settle().unwrap();
    db.close().unwrap();
    assert_eq!(names(&path), before);
}

#[test]
fn any_damage_of_what_is_kept_costs_a_warning_and_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = open(&path);
    fill(&db, &vectors(1, MANY));
    db.close().unwrap();
    let rows = with_store(&path, |store| derived(store));
    assert!(rows.len() > 40, "a header and {} blocks", rows.len());
    let random = SeededEntropy::new(77);
    // The header, some of each kind of block, and a row that is missing.
    let chosen: Vec<usize> =
        [0, 1].into_iter().chain((0..8).map(|_| random.next_u64() as usize % rows.len())).collect();
    for (round, at) in chosen.into_iter().enumerate() {
        let (key, value) = &rows[at];
        with_store(&path, |store| {
            let mut flipped = value.clone();
            let byte = random.next_u64() as usize % flipped.len();
            flipped[byte] ^= 1 << (random.next_u64() % 8);
            let write = match round % 3 {
                0 => Write::delete(Family::Vector, key.clone()),
                1 => Write::put(Family::Vector, key.clone(), flipped),
                _ => Write::put(Family::Vector, key.clone(), &value[..value.len() / 2]),
            };
            store.commit(CommitRequest { writes: vec![write], ..CommitRequest::default() }).unwrap();
        });
        let db = open(&path);
        let damaged = points(&db);
        let (_, ids) = search(&damaged, &[1.0; DIMENSION], 10);
        assert_eq!(ids, exactly(&damaged, &[1.0; DIMENSION], 10), "row {at} of {}: {key:02x?}", rows.len());
        db.settle().unwrap();
        assert_finds(&damaged, 2, true);
        db.close().unwrap();
        let db = open(&path);
        assert_finds(&db.collection("points").unwrap(), 2, true);
        db.close().unwrap();
    }
}

#[test]
fn graphs_beyond_the_memory_are_let_go_of_and_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::builder()
        .clock(Arc::new(ManualClock::at_ms(1_000_000)))
        .durability(Durability::Buffered)
        .vector_memory_bytes(2_000_000)
        .open(&path)
        .unwrap();
    let names = ["a", "b", "c"];
    for (seed, name) in names.into_iter().enumerate() {
        let collection = db.collection::<Document>(name).unwrap();
        collection.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
        let all = vectors(seed as u64, MANY);
        collection.bulk().insert_with_ids(all.iter().enumerate().map(|(n, v)| (n as u64, document(v, n)))).unwrap();
    }
    let in_memory = || -> Vec<String> {
        db.settle().unwrap();
        db.stats().unwrap().vector_indexes.into_iter().map(|stats| stats.collection).collect()
    };
    assert_eq!(in_memory(), ["c"], "one graph takes more than half of the memory");
    let mut position = 50.0;
    for name in ["a", "c", "b", "a"] {
        let collection = db.collection::<Document>(name).unwrap();
        assert_finds(&collection, 9, true);
        assert_eq!(in_memory(), [name]);
        // What is written to a graph that is not in memory is found when it is read.
        position += 10.0;
        for other in names {
            db.collection::<Document>(other).unwrap().put("moved", &document(&[position; DIMENSION], 0)).unwrap();
        }
        assert_eq!(search(&collection, &[position; DIMENSION], 1), (true, vec!["moved".into()]));
    }
    for name in names {
        let collection = db.collection::<Document>(name).unwrap();
        assert_eq!(search(&collection, &[position; DIMENSION], 1), (true, vec!["moved".into()]), "{name}");
    }
}

#[test]
fn a_copy_and_a_second_environment_have_graphs_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("db"), directory.path().join("copy"));
    let environment = Environment::builder().build().unwrap();
    let db = Database::builder().environment(&environment).open(&path).unwrap();
    fill(&db, &vectors(1, MANY));
    points(&db).put(17_u64, &document(&[40.0; DIMENSION], 17)).unwrap();
    db.checkpoint(&copy).unwrap();
    points(&db).put(17_u64, &document(&[-40.0; DIMENSION], 17)).unwrap();
    let other = Database::builder().environment(&environment).open(&copy).unwrap();
    assert_eq!(search(&points(&other), &[40.0; DIMENSION], 1), (true, vec![17_u64.into()]));
    assert_ne!(search(&points(&db), &[40.0; DIMENSION], 1).1, [17_u64.into()]);
    assert_finds(&points(&other), 2, true);
    assert_finds(&points(&db), 2, true);
}
