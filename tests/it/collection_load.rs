//! Bulk load of collections: documents in any order become one, whole or not at all.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod crashes;
mod failures;
mod replacement;

use std::ops::ControlFlow;
use std::path::Path;

use blaze::{Collection, CollectionLoad, Database, Document, DocumentId, Durability, Filter, Index, SeededEntropy};
use blaze::{Entropy, Timestamp, Value, field, limits};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::objects::stored_keys;

const TINY: usize = limits::LOAD_MEMORY_BYTES_MIN;

/// A database in memory and one on disk.
fn fixtures() -> [Database; 2] {
    let buffered = || Database::builder().durability(Durability::Buffered);
    [buffered().in_memory().unwrap(), buffered().temporary().unwrap()]
}

/// The temporary files of loads in a directory.
fn files_of_loads(path: &Path) -> usize {
    let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("LOAD")).count()
}

fn film(n: i64) -> Document {
    let tags: Value = (0..n % 4).map(|tag| format!("t{}", (n + tag) % 9)).collect();
    let at: Value = [n as f64, 1.0, (n % 5) as f64].into_iter().collect();
    Document::new().with("year", 1950 + n % 70).with("tags", tags).with("at", at).with("title", format!("film {n}"))
}

fn indexes() -> [Index; 3] {
    [Index::on("year").then_desc("title"), Index::on("tags"), Index::vector("at", 3)]
}

fn films_load<'a>(db: &Database) -> CollectionLoad<'a, Document> {
    indexes().into_iter().fold(db.load_collection("films"), CollectionLoad::ensure_index)
}

/// Numbers up to `count` in an order that has none.
fn shuffled(count: i64, seed: u64) -> Vec<i64> {
    let random = SeededEntropy::new(seed);
    let mut numbers: Vec<i64> = (0..count).collect();
    for at in (1..numbers.len()).rev() {
        numbers.swap(at, (random.next_u64() % (at as u64 + 1)) as usize);
    }
    numbers
}

fn load_films(db: &Database, memory_bytes: usize, numbers: &[i64]) -> u64 {
    let mut load = films_load(db).memory_bytes(memory_bytes).begin().unwrap();
    numbers.iter().for_each(|n| load.insert_with_id(*n, &film(*n)).unwrap());
    load.finish().unwrap()
}

fn ids(films: &Collection<Document>, filter: impl Into<Filter>) -> Vec<DocumentId> {
    films.find(filter).run().unwrap().into_iter().map(|found| found.id).collect()
}

fn assert_same(loaded: &Collection<Document>, inserted: &Collection<Document>) {
    let all = |films: &Collection<Document>| -> Vec<_> {
        let found = films.find_all().run().unwrap().into_iter();
        found.map(|found| (found.id, found.value)).collect()
    };
    assert_eq!(all(loaded), all(inserted));
    for year in [1950, 1972, 2019, 3000] {
        for filter in [field("year").eq(year), field("year").ge(year)] {
            assert_eq!(ids(loaded, filter.clone()), ids(inserted, filter.clone()), "{filter:?}");
        }
    }
    for tag in 0..9 {
        let filter = field("tags").contains(format!("t{tag}"));
        assert_eq!(loaded.find(filter.clone()).explain().unwrap().index(), Some("tags"));
        assert_eq!(ids(loaded, filter.clone()), ids(inserted, filter), "tag {tag}");
    }
    let near = |films: &Collection<Document>| -> Vec<_> {
        let hits = films.search().nearest("at", &[7.0, 1.0, 2.0]).limit(20).run().unwrap().into_iter();
        hits.map(|hit| (hit.id.clone(), hit.distance)).collect()
    };
    assert_eq!(near(loaded), near(inserted));
}

#[test]
fn a_loaded_collection_is_as_one_that_was_inserted_into() {
    for db in fixtures() {
        assert_eq!(load_films(&db, TINY, &shuffled(5_000, 1)), 5_000);
        let other = db.collection::<Document>("inserted").unwrap();
        indexes().into_iter().for_each(|index| other.ensure_index(index).unwrap());
        other.bulk().insert_with_ids((0..5_000).map(|n| (n, film(n)))).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        assert_same(&films, &other);
        assert_eq!(db.verify().unwrap().problems, []);
        let states: Vec<_> = films.indexes().unwrap().into_iter().map(|index| (index.name, index.state)).collect();
        let expected: Vec<_> = other.indexes().unwrap().into_iter().map(|index| (index.name, index.state)).collect();
        assert_eq!(states, expected);

        for films in [&films, &other] {
            films.update(7, blaze::set("tags", vec!["t1", "t2", "t8"])).unwrap();
            films.delete(8).unwrap();
            films.insert_with_id(9_999, &film(3)).unwrap();
            films.update(9, blaze::set("a new field", Document::new().with("another", 1))).unwrap();
        }
        assert_same(&films, &other);
        assert_eq!(db.verify().unwrap().problems, []);
        db.compact().unwrap();
        assert_same(&films, &other);
    }
}

#[test]
fn a_load_that_fits_the_memory_is_written_in_parts_and_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
    let long = |n: i64| film(n).with("text", format!("{n} ").repeat(100));
    let indexes = || [Index::on("year").then_desc("title"), Index::on("tags"), Index::vector("at", 3)];
    let mut load = films_load(&db).begin().unwrap();
    shuffled(20_000, 7).into_iter().for_each(|n| load.insert_with_id(n, &long(n)).unwrap());
    assert_eq!(load.finish().unwrap(), 20_000);
    assert_eq!(files_of_loads(directory.path()), 0);
    let other = db.collection::<Document>("inserted").unwrap();
    indexes().into_iter().for_each(|index| other.ensure_index(index).unwrap());
    other.bulk().insert_with_ids((0..20_000).map(|n| (n, long(n)))).unwrap();
    assert_same(&db.collection("films").unwrap(), &other);
    assert_eq!(db.verify().unwrap().problems, []);
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Order {
    #[serde(rename = "_id")]
    id: Option<i64>,
    number: u32,
    lines: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    weight: f32,
    direction: Vec<f32>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Line {
    product: String,
    price: f64,
}

#[test]
fn structs_of_several_shapes_are_loaded_as_they_are_inserted() {
    let order = |n: i64| Order {
        id: (n % 2 == 0).then_some(n),
        number: n as u32,
        lines: (0..n % 3).map(|line| Line { product: format!("product {line}"), price: line as f64 / 3.0 }).collect(),
        note: (n % 5 == 0).then(|| format!("note {n}")),
        weight: n as f32 / 7.0,
        direction: vec![n as f32, 0.5],
    };
    for db in fixtures() {
        let index = || Index::on("lines.product");
        let mut load = db.load_collection::<Order>("loaded").ensure_index(index()).begin().unwrap();
        let inserted = db.collection::<Order>("inserted").unwrap();
        inserted.ensure_index(index()).unwrap();
        for n in 0..500 {
            load.insert_with_id(n, &order(n)).unwrap();
            inserted.insert_with_id(n, &order(n)).unwrap();
        }
        let error = load.insert_with_id(7_000, &order(2)).unwrap_err();
        assert_eq!(error.kind(), blaze::ErrorKind::Invalid);
        assert!(error.to_string().contains("its field _id is 2"), "{error}");
        assert_eq!(load.insert(&order(1_000)).unwrap(), 1_000.into());
        inserted.insert(&order(1_000)).unwrap();
        assert_eq!(load.finish().unwrap(), 501);
        let all = |name: &str| -> Vec<(DocumentId, Order)> {
            let found = db.collection::<Order>(name).unwrap().find_all().run().unwrap().into_iter();
            found.map(|found| (found.id, found.value)).collect()
        };
        assert_eq!(all("loaded"), all("inserted"));
        let raw = |name: &str| db.collection::<Document>(name).unwrap().find_all().run().unwrap();
        let values = |name: &str| raw(name).into_iter().map(|found| found.value).collect::<Vec<_>>();
        assert_eq!(values("loaded"), values("inserted"));
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn nothing_is_visible_before_the_load_is_finished_and_then_everything_is() {
    for db in fixtures() {
        let mut load = films_load(&db).begin().unwrap();
        (0..3_000).for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
        let snapshot = db.snapshot().unwrap();
        assert_eq!(db.collections().unwrap(), Vec::<String>::new());
        assert_eq!(load.finish().unwrap(), 3_000);
        assert_eq!(db.collection::<Document>("films").unwrap().count().unwrap(), 3_000);
        assert!(snapshot.collection::<Document>("films").is_err());
    }
}

#[test]
fn what_does_not_fit_the_memory_is_sorted_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().durability(Durability::Buffered).open(directory.path()).unwrap();
    let mut load = films_load(&db).memory_bytes(TINY).begin().unwrap();
    let numbers = shuffled(30_000, 2);
    numbers.iter().for_each(|n| load.insert_with_id(*n, &film(*n)).unwrap());
    let runs = files_of_loads(directory.path());
    assert!(runs > 64, "there are {runs} runs, and more than are merged at once are wanted");
    assert_eq!(load.finish().unwrap(), 30_000);
    assert_eq!(files_of_loads(directory.path()), 0);
    let films = db.collection::<Document>("films").unwrap();
    let read: Vec<_> = films.find_all().run().unwrap().into_iter().map(|found| found.id).collect();
    assert_eq!(read, (0..30_000).map(DocumentId::from).collect::<Vec<_>>());
    assert_eq!(db.verify().unwrap().problems, []);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
    stars: Option<u8>,
}

#[test]
fn typed_documents_get_automatic_ids_and_one_version() {
    for db in fixtures() {
        let before = db.snapshot().unwrap().read_ts();
        let note = |n: usize| Note { text: format!("note {n}"), stars: n.is_multiple_of(3).then_some(5) };
        let mut load = db.load_collection::<Note>("notes").begin().unwrap();
        let ids: Vec<_> = (0..2_000).map(|n| load.insert(&note(n)).unwrap()).collect();
        assert!(ids.is_sorted(), "they sort by the time of their making");
        assert_eq!(load.finish().unwrap(), 2_000);
        let notes = db.collection::<Note>("notes").unwrap();
        let found = notes.find_all().run().unwrap();
        assert_eq!(found.iter().map(|found| found.id.clone()).collect::<Vec<_>>(), ids);
        let version = found[0].version;
        assert!(before < version && version < db.snapshot().unwrap().read_ts(), "{version} is the load's own");
        for (n, found) in found.iter().enumerate() {
            assert_eq!((&found.value, found.version), (&note(n), version));
        }
        notes.insert(&note(1)).unwrap();
        assert_eq!(notes.count().unwrap(), 2_001);
    }
}

#[test]
fn an_empty_load_makes_an_empty_collection_with_its_indexes() {
    for db in fixtures() {
        assert_eq!(films_load(&db).begin().unwrap().finish().unwrap(), 0);
        let films = db.collection::<Document>("films").unwrap();
        assert_eq!((films.count().unwrap(), films.indexes().unwrap().len()), (0, 3));
        films.insert_with_id(1, &film(1)).unwrap();
        assert_eq!(ids(&films, field("year").eq(1951)), [1.into()]);
    }
}

#[test]
fn progress_tells_of_documents_first_and_of_rows_then() {
    for db in fixtures() {
        let mut seen = Vec::new();
        let mut load = films_load(&db)
            .memory_bytes(TINY)
            .progress(|progress| {
                seen.push((progress.documents, progress.rows, progress.written_rows));
                ControlFlow::Continue(())
            })
            .begin()
            .unwrap();
        shuffled(5_000, 3).into_iter().for_each(|n| load.insert_with_id(n, &film(n)).unwrap());
        load.finish().unwrap();
        assert!(seen.len() > 8 && seen.is_sorted(), "{seen:?}");
        let (documents, rows, written) = seen[seen.len() - 1];
        assert_eq!((documents, written), (5_000, rows));
        assert!(rows > 4 * 5_000, "records, entries of three indexes and a marker: {rows}");
    }
}

#[test]
fn a_loaded_collection_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path()).unwrap();
    load_films(&db, TINY, &shuffled(2_000, 4));
    db.close().unwrap();
    let db = Database::open(directory.path()).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    assert_eq!(films.get(1_234).unwrap().unwrap().value, film(1_234));
    assert!(films.get(1_234).unwrap().unwrap().version > Timestamp::ZERO);
    assert_eq!(db.verify().unwrap().problems, []);
    assert!(db.drop_collection("films").unwrap());
    db.close().unwrap();
    assert_eq!(stored_keys(directory.path()), Vec::<Vec<u8>>::new());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), "[a-c]{0,3}".prop_map(Value::from)];
    prop_oneof![3 => leaf.clone(), 1 => vec(leaf, 0..4).prop_map(|values| values.into_iter().collect())]
}

fn document() -> impl Strategy<Value = Document> {
    vec(("[a-d]", value()), 0..5).prop_map(|fields| {
        let with = |document: Document, (key, value): (String, Value)| document.with(&key, value);
        fields.into_iter().fold(Document::new(), with)
    })
}

fn id() -> impl Strategy<Value = DocumentId> {
    let bytes = vec(any::<u8>(), 1..4).prop_map(DocumentId::from);
    prop_oneof![any::<i64>().prop_map(DocumentId::from), "[a-z]{1,4}".prop_map(DocumentId::from), bytes]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_load_is_the_same_as_inserts_one_by_one(documents in btree_map(id(), document(), 0..60), seed in any::<u64>()) {
        for db in fixtures() {
            let indexes = [Index::on("a"), Index::on_desc("b").then("c")];
            let inserted = db.collection::<Document>("inserted").unwrap();
            let mut load = db.load_collection::<Document>("loaded");
            for index in indexes {
                inserted.ensure_index(index.clone()).unwrap();
                load = load.ensure_index(index);
            }
            let mut load = load.begin().unwrap();
            let documents: Vec<_> = documents.iter().collect();
            for at in shuffled(documents.len() as i64, seed) {
                let (id, document) = documents[at as usize];
                load.insert_with_id(id.clone(), document).unwrap();
                inserted.insert_with_id(id.clone(), document).unwrap();
            }
            prop_assert_eq!(load.finish().unwrap(), documents.len() as u64);
            let loaded = db.collection::<Document>("loaded").unwrap();
            for filter in [field("a").eq("a"), field("a").contains("b"), field("b").ge(0), field("c").eq(Value::Null)] {
                prop_assert_eq!(ids(&loaded, filter.clone()), ids(&inserted, filter));
            }
            let (loaded, inserted) = (loaded.find_all().run().unwrap(), inserted.find_all().run().unwrap());
            let plain = |found: blaze::Found<Document>| (found.id, found.value);
            prop_assert_eq!(
                loaded.into_iter().map(plain).collect::<Vec<_>>(),
                inserted.into_iter().map(plain).collect::<Vec<_>>()
            );
            prop_assert_eq!(db.verify().unwrap().problems, []);
        }
    }
}
