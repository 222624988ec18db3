//! Collections: documents by id, typed and dynamic, one at a time and in bulk.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod changes;
mod ids;
mod inserts;
mod raw;
mod versions;

use std::cell::RefCell;
use std::sync::Arc;

use blaze::{
    Collection, Database, Document, DocumentId, Durability, ErrorKind, Index, ManualClock, SeededEntropy, Timestamp,
    Uuid, Value, field, inc, set, unset,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, blaze::Document)]
#[serde(rename_all = "camelCase")]
struct Movie {
    title: String,
    release_year: i32,
    #[serde(rename = "kinds", default)]
    genres: Vec<String>,
}

fn movie(title: &str, release_year: i32) -> Movie {
    Movie { title: title.into(), release_year, genres: vec!["Drama".into()] }
}

fn number(n: i64) -> Document {
    Document::new().with("n", n)
}

#[test]
fn a_found_document_dereferences_to_its_value() {
    let db = Database::in_memory().unwrap();
    let movies = db.collection::<Movie>("movies").unwrap();
    let id = movies.insert(&movie("Solaris", 1972)).unwrap();
    let found = movies.get(&id).unwrap().unwrap();
    assert_eq!((found.title.as_str(), found.release_year, &found.id), ("Solaris", 1972, &id));
    assert_eq!(found.into_value(), movie("Solaris", 1972));
}

#[test]
fn a_version_is_the_commit_timestamp_and_grows() {
    let db = Database::temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let mut last = Timestamp::ZERO;
    for n in 0..5 {
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("numbers").unwrap();
        own.put(1, &number(n)).unwrap();
        assert_eq!(own.get(1).unwrap().unwrap().version, Timestamp::ZERO, "not committed yet");
        let version = tx.commit().unwrap();
        assert_eq!(numbers.get(1).unwrap().unwrap().version, version);
        assert!(version > last);
        last = version;
    }
    numbers.update(1, set("n", 4)).unwrap();
    assert_eq!(numbers.get(1).unwrap().unwrap().version, last, "an update that changes nothing writes nothing");
}

#[test]
fn automatic_ids_sort_by_insertion() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let mut ids = vec![numbers.insert(&number(0)).unwrap()];
    ids.extend(numbers.insert_many((1..100).map(number)).unwrap());
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    let stored: Vec<i64> = numbers.find_all().run().unwrap().iter().map(|found| n(found)).collect();
    assert_eq!(stored, (0..100).collect::<Vec<_>>());
}

fn n(document: &Document) -> i64 {
    document.get("n").and_then(Value::as_i64).unwrap()
}

#[test]
fn seed_and_clock_fix_ids_and_versions() {
    let run = || {
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        let db = Database::builder().clock(clock.clone()).entropy(Arc::new(SeededEntropy::new(7))).temporary().unwrap();
        let numbers = db.collection::<Document>("numbers").unwrap();
        let mut ids = numbers.insert_many((0..3).map(number)).unwrap();
        clock.advance_ms(5);
        ids.push(numbers.insert(&number(3)).unwrap());
        (ids, numbers.find_all().run().unwrap().into_iter().map(|found| found.version).collect::<Vec<_>>())
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert_eq!(first.1[3].ms(), 1_700_000_000_005);
}

#[test]
fn every_kind_of_id_comes_back() {
    let db = Database::temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let ids: [DocumentId; 7] = [
        i64::MIN.into(),
        0.into(),
        u64::MAX.into(),
        "a".into(),
        "a\0b".into(),
        vec![0, 255].into(),
        Uuid::from_bytes([3; 16]).into(),
    ];
    numbers.ensure_index(Index::on("n")).unwrap();
    for id in ids.iter().rev() {
        numbers.insert_with_id(id, &number(1)).unwrap();
    }
    let all: Vec<_> = numbers.find_all().run().unwrap().into_iter().map(|found| found.id).collect();
    assert_eq!(all, ids, "in their order");
    let by_index: Vec<_> = numbers.find(field("n").eq(1)).run().unwrap().into_iter().map(|found| found.id).collect();
    assert_eq!(by_index, ids, "and from an index");
}

#[test]
fn one_collection_has_a_typed_and_a_dynamic_view() {
    let db = Database::in_memory().unwrap();
    let movies = db.collection::<Movie>("movies").unwrap();
    let documents: Collection<Document> = movies.typed();
    movies.insert_with_id("solaris", &movie("Solaris", 1972)).unwrap();
    let stored = documents.get("solaris").unwrap().unwrap();
    assert_eq!(stored.keys().collect::<Vec<_>>(), ["title", "releaseYear", "kinds"]);
    documents.insert_with_id("alien", &Document::new().with("title", "Alien").with("releaseYear", 1979)).unwrap();
    assert_eq!(movies.get("alien").unwrap().unwrap().value, Movie { genres: vec![], ..movie("Alien", 1979) });
}

#[test]
fn derived_fields_name_what_serde_writes() {
    let fields = Movie::FIELDS;
    assert_eq!(
        (fields.title.name(), fields.release_year.name(), fields.genres.name()),
        ("title", "releaseYear", "kinds")
    );
    let db = Database::in_memory().unwrap();
    let movies = db.collection::<Movie>("movies").unwrap();
    movies.ensure_index(Index::on(fields.release_year)).unwrap();
    movies.insert(&movie("Solaris", 1972)).unwrap();
    movies.insert(&movie("Alien", 1979)).unwrap();
    let query = movies.find(fields.release_year.ge(1975).and(fields.genres.contains("Drama")));
    assert_eq!(query.run().unwrap()[0].title, "Alien");
    assert_eq!(query.explain().unwrap().index(), Some("releaseYear"));
}

#[test]
fn bulk_loads_in_batches_and_tells_how_far_it_is() {
    let db = Database::temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let told = RefCell::new(Vec::new());
    let progress = |done| told.borrow_mut().push((done, numbers.count().unwrap()));
    let loaded = numbers.bulk().batch_rows(40).progress(progress).insert((0..100).map(number)).unwrap();
    assert_eq!((loaded, told.into_inner()), (100, vec![(40, 40), (80, 80), (100, 100)]));
    assert_eq!(numbers.bulk().insert([]).unwrap(), 0);
}

#[test]
fn a_batch_that_fails_leaves_the_earlier_ones_and_nothing_of_its_own() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let rows = (0..10).map(|n| (if n == 7 { 0 } else { n }, number(n)));
    let error = numbers.bulk().batch_rows(3).insert_with_ids(rows).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("after 6 documents"), "{error}");
    assert_eq!(numbers.count().unwrap(), 6);

    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("numbers").unwrap();
    own.insert_with_id(100, &number(100)).unwrap();
    own.bulk().batch_rows(1).insert_with_ids([(101, number(101)), (0, number(0))]).unwrap_err();
    tx.commit().unwrap();
    assert_eq!(numbers.count().unwrap(), 8, "in a transaction, too, earlier batches stay");
}

#[test]
fn updates_change_what_they_name_and_nothing_else() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.insert_with_id(1, &Document::new().with("title", "Solaris").with("views", 1)).unwrap();
    films.update(1, set("rating.stars", 5).and(inc("views", 2)).and(inc("likes", 1))).unwrap();
    let rating = Document::new().with("stars", 5);
    let expected = Document::new().with("title", "Solaris").with("views", 3).with("rating", rating).with("likes", 1);
    assert_eq!(films.get(1).unwrap().unwrap().value, expected);
    films.update(1, unset("rating").unset("absent").inc("views", 0.5)).unwrap();
    let expected = Document::new().with("title", "Solaris").with("views", 3.5).with("likes", 1);
    assert_eq!(films.get(1).unwrap().unwrap().value, expected);
}

#[test]
fn get_many_answers_in_the_order_of_the_question() {
    let db = Database::temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert_with_ids((0..10).map(|n| (n, number(n)))).unwrap();
    let found = numbers.get_many([7, 70, 0, 7]).unwrap();
    let values: Vec<_> = found.iter().map(|found| found.as_ref().map(|found| n(found))).collect();
    assert_eq!(values, [Some(7), None, Some(0), Some(7)]);
}

#[test]
fn a_document_is_replaced_put_and_deleted_with_its_index_entries() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.ensure_index(Index::on("n")).unwrap();
    let with = |n: i64| numbers.find(field("n").eq(n)).count().unwrap();
    numbers.put(1, &number(1)).unwrap();
    numbers.put(1, &number(2)).unwrap();
    assert_eq!((with(1), with(2)), (0, 1));
    numbers.replace(1, &number(3)).unwrap();
    numbers.update(1, inc("n", 1)).unwrap();
    assert_eq!((with(2), with(3), with(4)), (0, 0, 1));
    assert!(numbers.delete(1).unwrap() && !numbers.contains(1).unwrap());
    assert_eq!((with(4), numbers.count().unwrap()), (0, 0));
}

#[test]
fn everything_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let shaped = |n: i64| (0..=n % 50).fold(number(n), |document, key| document.with(format!("k{n}_{key}"), key));
    let before = {
        let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.ensure_index(Index::on_desc("n").then("k")).unwrap();
        numbers.bulk().insert((0..500).map(shaped)).unwrap();
        db.keyspace("settings").unwrap().put("theme", "dark").unwrap();
        numbers.find_all().run().unwrap()
    };
    let db = Database::builder().must_exist().open(&path).unwrap();
    assert_eq!((db.collections().unwrap(), db.keyspaces().unwrap()), (vec!["numbers".into()], vec!["settings".into()]));
    let numbers = db.collection::<Document>("numbers").unwrap();
    assert_eq!(numbers.find_all().run().unwrap(), before);
    assert_eq!(numbers.indexes().unwrap()[0].definition, "n desc, k");
    let query = numbers.find(field("n").between(100, 109));
    assert_eq!(query.explain().unwrap().keys_examined, 10);
    assert_eq!(query.run().unwrap().len(), 10);
    let id = numbers.insert(&shaped(500)).unwrap();
    assert!(before.iter().all(|found| found.id < id && found.version < numbers.get(&id).unwrap().unwrap().version));
}

#[test]
fn a_dropped_collection_begins_anew_and_old_snapshots_still_see_it() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.ensure_index(Index::on("n")).unwrap();
        numbers.insert_many((0..10).map(number)).unwrap();
        let view = db.snapshot().unwrap();
        assert!(db.drop_collection("numbers").unwrap() && !db.drop_collection("numbers").unwrap());
        assert_eq!(db.collections().unwrap(), Vec::<String>::new());
        let again = db.collection::<Document>("numbers").unwrap();
        again.insert(&Document::new().with("other", 1)).unwrap();
        assert_eq!((again.count().unwrap(), again.indexes().unwrap().len()), (1, 0));
        let old = view.collection::<Document>("numbers").unwrap();
        assert_eq!(old.find(field("n").ge(5)).run().unwrap().len(), 5);
        assert_eq!(old.find_all().run().unwrap().len(), 10);
    }
}

/// Tells the test that it is the child, whose temporary files are its own.
const CHILD: &str = "BLAZE_TEST_TEMPORARY_CHILD";

#[test]
fn a_temporary_database_leaves_nothing_behind() {
    if std::env::var_os(CHILD).is_some() {
        let files = || std::fs::read_dir(std::env::temp_dir()).unwrap().count();
        let db = Database::temporary().unwrap();
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.insert(&number(1)).unwrap();
        drop(db);
        assert_eq!(files(), 1, "a collection still holds the database");
        drop(numbers);
        return assert_eq!(files(), 0);
    }
    let directory = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "collections::a_temporary_database_leaves_nothing_behind"]).env(CHILD, "1");
    for variable in ["TMPDIR", "TMP", "TEMP"] {
        child.env(variable, directory.path());
    }
    assert!(child.output().unwrap().status.success());
}
