//! What a view shows, compared with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use blaze::{
    Change, Collection, Database, DatabaseChange, Document, DocumentId, Filter, Hint, Snapshot, Timestamp, Value,
    Vector, field,
};

use super::naive::Naive;
use super::steps::WORDS;

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

pub(super) fn notes(db: &Database) -> Collection<Document> {
    db.collection("notes").unwrap()
}

/// A document of a load.
pub(super) fn loaded(generation: u8, number: i64) -> Document {
    Document::new().with("n", number).with("of", i64::from(generation))
}

/// Everything that a view of the present shows.
pub(super) fn compare(view: &Snapshot, model: &Naive, now_ms: u64) {
    compare_documents(&view.collection("notes").unwrap(), model);
    compare_pairs(view, model);
    let counters = view.keyspace("counters").unwrap();
    let found: BTreeMap<Vec<u8>, i64> = pairs_of(view, "counters")
        .into_keys()
        .map(|key| {
            let count = counters.counter(&key).unwrap();
            (key, count)
        })
        .collect();
    assert_eq!(found, model.counters);
    let there =
        model.sessions.iter().filter(|(_, (_, expiry_ms))| expiry_ms.is_none_or(|expiry_ms| expiry_ms > now_ms));
    let there: Pairs = there.map(|(key, (value, _))| (key.clone(), value.clone())).collect();
    assert_eq!(pairs_of(view, "sessions"), there, "at {now_ms}");
    compare_files(view, model);
    compare_loaded(view, model);
}

fn compare_files(view: &Snapshot, model: &Naive) {
    let files = view.objects("files").unwrap();
    let mut found = Pairs::new();
    for entry in files.list("").unwrap() {
        let (key, info) = entry.unwrap();
        let mut bytes = Vec::new();
        files.open(&key).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(info.bytes, bytes.len() as u64);
        found.insert(key, bytes);
    }
    assert!(found == model.files, "objects: {:?} instead of {:?}", found.keys(), model.files.keys());
}

fn compare_loaded(view: &Snapshot, model: &Naive) {
    let Ok(there) = view.collection::<Document>("loaded") else { return assert_eq!(model.loaded, 0) };
    let found: Vec<_> = there.find_all().run().unwrap().into_iter().map(|found| found.value).collect();
    let expected: Vec<_> = (0..i64::from(model.loaded)).map(|number| loaded(model.loaded, number)).collect();
    assert_eq!(found, expected);
    for number in 0..i64::from(model.loaded) {
        assert_eq!(there.find(field("n").eq(number)).hint(Hint::index("n")).count().unwrap(), 1);
    }
}

/// What is remembered of a view of the past.
pub(super) fn compare_past(view: &Snapshot, model: &Naive) {
    let notes = view.collection("notes").unwrap();
    compare_notes(&notes, model);
    for filter in questions() {
        assert_eq!(ids(&notes, &filter, None), matching(model, &filter), "{filter} in the past");
    }
    compare_pairs(view, model);
}

fn compare_pairs(view: &Snapshot, model: &Naive) {
    assert_eq!(pairs_of(view, "pairs"), model.pairs);
}

fn pairs_of(view: &Snapshot, name: &str) -> Pairs {
    view.keyspace(name).unwrap().iter().unwrap().map(|pair| pair.unwrap()).collect()
}

/// Documents, what is below them, and every index.
pub(super) fn compare_documents(notes: &Collection<Document>, model: &Naive) {
    compare_notes(notes, model);
    let comments = notes.group::<Document>("comments").unwrap().find_all().run().unwrap();
    let key = |id: &DocumentId| -> (i64, i64) {
        let number = |id: &DocumentId| id.to_string().parse().unwrap();
        let (parent, own) = (id.parent().unwrap(), id.own());
        (number(parent), number(own))
    };
    let comments: BTreeMap<_, _> =
        comments.iter().map(|found| (key(&found.id), found.get("n").and_then(Value::as_i64).unwrap())).collect();
    assert_eq!(comments, model.comments);
    let names: BTreeSet<String> = notes.indexes().unwrap().into_iter().map(|index| index.name).collect();
    assert_eq!(names, model.indexes.keys().cloned().collect());
    for filter in questions() {
        assert_eq!(ids(notes, &filter, None), matching(model, &filter), "{filter}");
    }
    let is_there = |name: &str| model.indexes.contains_key(name);
    for (index, filter) in hinted() {
        if is_there(index) {
            assert_eq!(ids(notes, &filter, Some(index)), matching(model, &filter), "{filter} by {index}");
        }
    }
    if is_there("text") {
        compare_texts(notes, model);
    }
    if is_there("near") {
        compare_vectors(notes, model);
    }
}

fn compare_notes(notes: &Collection<Document>, model: &Naive) {
    let found = notes.find_all().run().unwrap();
    let found: BTreeMap<i64, Document> =
        found.into_iter().map(|found| (found.id.to_string().parse().unwrap(), found.value)).collect();
    assert_eq!(found, model.notes);
    assert_eq!(notes.count().unwrap(), model.notes.len() as u64);
}

fn questions() -> Vec<Filter> {
    vec![
        field("n").ge(2),
        field("n").eq(1).and(field("city").eq("Oslo")),
        field("city").eq("Lima"),
        field("code").between(5, 25),
        field("tags").contains("red"),
        field("n").le(3).and(field("city").exists(true)),
    ]
}

/// Questions that an index answers in each of its forms.
fn hinted() -> Vec<(&'static str, Filter)> {
    let in_oslo = field("city").eq("Oslo").and(field("n").ge(0));
    vec![
        ("place", field("n").ge(0).and(field("city").eq("Oslo"))),
        ("code", field("code").ge(10)),
        ("tags", field("tags").contains("green")),
        ("some", in_oslo),
    ]
}

fn ids(notes: &Collection<Document>, filter: &Filter, index: Option<&str>) -> Vec<i64> {
    let mut query = notes.find(filter.clone());
    if let Some(index) = index {
        query = query.hint(Hint::index(index));
    }
    let mut ids: Vec<i64> = query.ids().unwrap().iter().map(|id| id.to_string().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn matching(model: &Naive, filter: &Filter) -> Vec<i64> {
    model.notes.iter().filter(|(_, note)| filter.matches(note)).map(|(id, _)| *id).collect()
}

fn compare_texts(notes: &Collection<Document>, model: &Naive) {
    for word in WORDS {
        let has = |note: &Document| {
            let texts = ["title", "body"].iter().filter_map(|name| note.get(name)?.as_str());
            texts.flat_map(str::split_whitespace).any(|of| of == word)
        };
        let expected: BTreeSet<i64> = model.notes.iter().filter(|(_, note)| has(note)).map(|(id, _)| *id).collect();
        let hits = notes.search().text(word).limit(100).ids().unwrap();
        let found: BTreeSet<i64> = hits.iter().map(|hit| hit.id.to_string().parse().unwrap()).collect();
        assert_eq!(found, expected, "by the word {word}");
    }
}

fn compare_vectors(notes: &Collection<Document>, model: &Naive) {
    let query = [1.0_f32, 2.0];
    let distance = |note: &Document| match note.get("at") {
        Some(Value::Vector(Vector::F32(at))) => {
            let length = |of: &[f32]| of.iter().map(|x| x * x).sum::<f32>().sqrt();
            let dot: f32 = at.iter().zip(&query).map(|(x, y)| x * y).sum();
            Some(1.0 - dot / (length(at) * length(&query)))
        }
        _ => None,
    };
    let mut expected: Vec<f32> = model.notes.values().filter_map(distance).collect();
    expected.sort_by(f32::total_cmp);
    expected.truncate(5);
    let hits = notes.search().nearest("at", &query).limit(5).run().unwrap();
    assert_eq!(hits.len(), expected.len());
    for (hit, distance) in hits.iter().zip(expected) {
        assert!((hit.distance - distance).abs() < 2e-3, "{} instead of {distance}", hit.distance);
    }
}

/// From a commit on, the feeds lead from what was there then to what is there now.
pub(super) fn follow(db: &Database, cursor: Timestamp, then: &Naive, now: &Naive) {
    let mut documents = then.notes.clone();
    for set in notes(db).changes(cursor).unwrap() {
        set.unwrap().changes.into_iter().for_each(|change| replay_document(&mut documents, change));
    }
    assert_eq!(documents, now.notes, "by the feed of the collection after {cursor}");
    let mut pairs = then.pairs.clone();
    for set in db.keyspace("pairs").unwrap().changes(cursor).unwrap() {
        set.unwrap().changes.into_iter().for_each(|change| replay_pair(&mut pairs, change));
    }
    assert_eq!(pairs, now.pairs, "by the feed of the keyspace after {cursor}");
    let (mut documents, mut pairs) = (then.notes.clone(), then.pairs.clone());
    for set in db.changes(cursor).unwrap() {
        for change in set.unwrap().changes {
            match change {
                DatabaseChange::Document { change, .. } => replay_document(&mut documents, change),
                DatabaseChange::Key { change, .. } => replay_pair(&mut pairs, change),
                other => panic!("nobody asked for {other:?}"),
            }
        }
    }
    assert_eq!((&documents, &pairs), (&now.notes, &now.pairs), "by the feed of all after {cursor}");
}

fn replay_document(documents: &mut BTreeMap<i64, Document>, change: Change<DocumentId, Document>) {
    let number = |id: DocumentId| id.to_string().parse().unwrap();
    match change {
        Change::Put { key, before, after } => assert_eq!(documents.insert(number(key), after.unwrap()), before),
        Change::Removed { key, before } => assert_eq!(documents.remove(&number(key)), before),
        other => panic!("nobody asked for {other:?}"),
    }
}

fn replay_pair(pairs: &mut Pairs, change: Change<Vec<u8>, Vec<u8>>) {
    match change {
        Change::Put { key, after, .. } => drop(pairs.insert(key, after.unwrap())),
        Change::Removed { key, .. } => drop(pairs.remove(&key)),
        Change::RangeRemoved { start, end } => {
            pairs.retain(|key, _| *key < start || end.as_ref().is_some_and(|end| key >= end));
        }
        other => panic!("nobody asked for {other:?}"),
    }
}
