//! What SQLite answers, and which indexes it uses for that.

use std::path::Path;

use blaze_bench::Result;
use blaze_bench::engine::{Documents, Durability, Engine, EngineOptions, Faculty, Find, Operator};
use blaze_bench::workload::{Context, DocumentSource, DocumentWorkload, Recorder, Workload};
use rusqlite::params_from_iter;
use serde_json::{Value as Json, json};

use super::statement::{Statement, json_path};
use super::{SqliteDocuments, configuration, connect};

struct OnlyDocuments;

impl Engine for OnlyDocuments {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> String {
        rusqlite::version().to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Documents]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        configuration(options)
    }

    fn open_documents(&self, options: &EngineOptions) -> Result<Box<dyn Documents>> {
        Ok(Box::new(SqliteDocuments::open(options)?))
    }
}

fn open(directory: &Path) -> SqliteDocuments {
    SqliteDocuments::open(&EngineOptions { directory: directory.to_path_buf(), cache_bytes: 8 << 20 }).unwrap()
}

/// A store of a hundred people with a tag each.
fn people(directory: &Path) -> SqliteDocuments {
    let store = open(directory);
    let person =
        |n: u32| json!({"age": n, "name": {"last": format!("name {n}")}, "tags": ["all", format!("tag {}", n % 7)]});
    let mut people = (0..100).map(|n| (format!("{n:03}"), person(n).as_object().unwrap().clone()));
    store.load(&mut people).unwrap();
    store
}

fn plan(store: &SqliteDocuments, statement: &Statement) -> String {
    let connection = connect(&store.path, 0).unwrap(); // explaining does not notice that others have changed the schema
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
    let lines = explain.query_map(params_from_iter(&statement.parameters), |row| row.get::<_, String>(3)).unwrap();
    lines.collect::<rusqlite::Result<Vec<String>>>().unwrap().join("; ")
}

fn found(store: &SqliteDocuments, find: &Find) -> Vec<String> {
    let mut ids = Vec::new();
    store.find(find, &mut |id, _| ids.push(id.to_owned())).unwrap();
    ids
}

fn with(path: &str, is: Operator, value: impl Into<Json>) -> Find {
    Find::default().and(path, is, value)
}

#[test]
fn every_kind_of_question_about_values_of_every_kind_is_answered_as_the_workload_expects() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
    let source =
        DocumentSource::Lines { documents: data.join("mixed.jsonl"), questions: data.join("mixed-questions.jsonl") };
    let workload = DocumentWorkload { question_seconds: 0.0, ..DocumentWorkload::quick(source) };
    let directory = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(|_| Ok(()));
    let context = Context {
        directory: directory.path(),
        kept: directory.path(),
        cache_bytes: 8 << 20,
        memory_group: None,
        seed: 1,
        recorder: &recorder,
    };
    Workload::Document(workload).run(&OnlyDocuments, &context).unwrap();
}

#[test]
fn questions_use_the_indexes_on_their_paths() {
    let directory = tempfile::tempdir().unwrap();
    let store = people(directory.path());
    let questions = [
        with("age", Operator::Eq, 30),
        with("age", Operator::Ge, 90),
        with("age", Operator::Ge, 30).and("age", Operator::Lt, 35),
        with("name.last", Operator::Lt, "name 20"),
        Find::default().by("age", true).window(0, 5),
        Find::default().by("name.last", false).window(0, 5),
    ];
    let plans = || questions.iter().map(|find| plan(&store, &Statement::select(find, |_| false).unwrap()));
    for before in plans() {
        assert!(before.starts_with("SCAN documents"), "{before}");
    }
    for path in ["age", "name.last"] {
        assert!(store.create_index(path, false).unwrap());
    }
    for (after, find) in plans().zip(&questions) {
        assert!(after.contains("USING INDEX index:") && !after.contains("TEMP B-TREE"), "{find}: {after}");
        let is_range = find.conditions.len() == 2 || find.conditions.first().is_some_and(|one| one.is != Operator::Eq);
        assert_eq!(after.contains("<expr>>? AND <expr><?"), is_range, "{find}: {after}");
    }
    let count = plan(&store, &Statement::count(&questions[2], |_| false).unwrap());
    assert!(count.contains("INDEX index:age (<expr>>? AND <expr><?)"), "{count}");
}

#[test]
fn elements_of_arrays_are_found_in_their_table_and_it_is_as_the_documents_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = people(directory.path());
    let find = with("tags", Operator::Contains, "tag 3");
    let by_reading = found(&store, &find);
    assert!(store.create_index("tags", true).unwrap());
    for statement in [Statement::select(&find, |_| true).unwrap(), Statement::count(&find, |_| true).unwrap()] {
        let plan = plan(&store, &statement);
        assert!(plan.contains("USING PRIMARY KEY (value=?)"), "{plan}");
        assert!(!plan.contains("SCAN documents"), "{plan}");
    }
    assert_eq!(found(&store, &find), by_reading);
    assert_eq!((by_reading.len(), store.count(&find).unwrap()), (14, 14));

    let tagged = json!({"tags": ["tag 3", "tag 3", "new"]});
    let tagged = tagged.as_object().unwrap();
    store.create("new", tagged, Durability::Buffered).unwrap();
    assert!(store.update("000", tagged, Durability::Buffered).unwrap());
    assert!(store.update("003", json!({}).as_object().unwrap(), Durability::Buffered).unwrap());
    assert!(store.delete("010", Durability::Sync).unwrap());
    assert_eq!(store.count(&find).unwrap(), 14);
    let mut ids = found(&store, &find);
    ids.sort();
    assert!(ids.contains(&"new".to_owned()) && ids.contains(&"000".to_owned()) && !ids.contains(&"003".to_owned()));
    assert_eq!(store.count(&with("tags", Operator::Contains, "all")).unwrap(), 97);

    drop(store);
    assert!(open(directory.path()).has_elements("tags"), "what was indexed is known after opening again");
}

#[test]
fn an_id_is_taken_once_and_what_is_missing_is_neither_replaced_nor_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = people(directory.path());
    let document = json!({"x": 1.5, "big": u64::MAX, "text": "é\n\""});
    let document = document.as_object().unwrap();
    assert!(store.create("000", document, Durability::Sync).is_err());
    assert!(!store.update("absent", document, Durability::Sync).unwrap());
    assert!(!store.delete("absent", Durability::Buffered).unwrap());
    store.create("new", document, Durability::Buffered).unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.read("new").unwrap().as_ref(), Some(document));
    assert_eq!(store.read("absent").unwrap(), None);
    assert_eq!(store.count(&Find::default()).unwrap(), 101);
}

#[test]
fn a_path_is_a_literal_of_sql() {
    assert_eq!(json_path("a.b c.0.d'e").unwrap(), "'$.\"a\".\"b c\"[0].\"d''e\"'");
    assert!(json_path("a\"b").is_err());
}
