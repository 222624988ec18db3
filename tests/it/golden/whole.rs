//! Directories with everything that a database may have: texts, vectors, history, feeds, objects, values that expire,
//! schemas, subcollections, indexes of every kind.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

use blaze::schema::{Schema, array, int, string};
use blaze::{Change, Copies, DatabaseChange, Expires, Feed, Hint, History, Isolation, Validation};

use super::*;

pub(super) const STATES: [&str; 2] = ["whole-closed", "whole-killed"];
/// The time at which everything is made.
const MADE_MS: u64 = 1_700_000_000_000;
const NOTES: i64 = 60;
const WORDS: [&str; 8] = ["ocean", "river", "stone", "cloud", "tower", "amber", "lemon", "violet"];

fn word(number: i64) -> &'static str {
    WORDS[number.unsigned_abs() as usize % WORDS.len()]
}

/// A note, as it was first or as it was changed to be.
fn note(number: i64, changed: bool) -> Document {
    let at: Vec<f32> = (0..6).map(|place| ((number * 7 + place * 3) % 11) as f32 - 5.0).chain([1.0]).collect();
    let bits = vec![(number % 256) as u8, (number * 5 % 256) as u8];
    let tags: Value = [word(number), word(number + 3)].into_iter().collect();
    let body =
        if changed { format!("{} changed", word(number)) } else { format!("{} {}", word(number), word(number / 8)) };
    Document::new()
        .with("n", number)
        .with("title", format!("{} {}", word(number + 1), word(number * 3)))
        .with("body", body)
        .with("tags", tags)
        .with("at", Vector::F32(at))
        .with("bits", Vector::Bits(bits))
}

/// Those that are changed, and those that are deleted, once all are there.
fn is_changed(number: i64) -> bool {
    number % 5 == 1
}

fn is_deleted(number: i64) -> bool {
    number % 11 == 7
}

fn notes(db: &Database) -> blaze::Collection<Document> {
    db.collection("notes").unwrap()
}

/// Notes as they were before any was changed, or as they are.
fn expected(before: bool) -> BTreeMap<i64, Document> {
    let there = (0..NOTES).filter(|number| before || !is_deleted(*number));
    there.map(|number| (number, note(number, !before && is_changed(number)))).collect()
}

pub(super) fn fill(db: &Database) {
    let notes = notes(db);
    notes.set_history(History::Forever).unwrap();
    notes.set_feed(Feed::Images).unwrap();
    let schema =
        Schema::new().required("n", int().at_least(0)).optional("title", string()).optional("tags", array(string()));
    notes.set_schema(&schema, Validation::Strict).unwrap();
    for index in indexes() {
        notes.ensure_index(index).unwrap();
    }
    (0..NOTES / 2).for_each(|number| notes.insert_with_id(number, &note(number, false)).unwrap());
    let mut object = db.objects("files").unwrap().create("large").unwrap();
    object.write_all(&large()).unwrap();
    object.finish().unwrap();
    db.compact().unwrap(); // texts are a segment, and the object is in a file of its own
    (NOTES / 2..NOTES).for_each(|number| notes.insert_with_id(number, &note(number, false)).unwrap());
    let before = db.snapshot().unwrap().read_ts();
    for number in 0..NOTES {
        match number {
            number if is_deleted(number) => drop(notes.delete(number).unwrap()),
            number if is_changed(number) => notes.put(number, &note(number, true)).unwrap(),
            _ => {}
        }
    }
    fill_others(db, before);
}

fn indexes() -> [Index; 7] {
    [
        Index::on("n").unique().named("number"),
        Index::on("tags").then_desc("n").named("tags"),
        Index::on_desc("n").only(field("n").ge(30)).named("later"),
        Index::text(["title", "body"]).field_boost("title", 2.0).named("text"),
        Index::vector("at", 7).copies(Copies::F16).named("near"),
        Index::vector("bits", 16).metric(Metric::Hamming).named("bits"),
        Index::on("seen").expire_after(Duration::from_secs(3_600)).named("seen"),
    ]
}

fn fill_others(db: &Database, before: blaze::Timestamp) {
    let comments = notes(db).subcollection::<Document>(1, "comments").unwrap();
    comments.group().ensure_index(Index::on("_parent").then("by")).unwrap();
    comments.insert_with_id(1, &Document::new().with("by", "ann")).unwrap();
    notes(db).subcollection(2, "comments").unwrap().insert_with_id("x", &Document::new().with("by", "bob")).unwrap();
    let state = db.keyspace("state").unwrap();
    state.set_feed(Feed::Keys).unwrap();
    state.set_history(History::Forever).unwrap();
    state.put("before", before.to_bits().to_be_bytes()).unwrap();
    state.put("value", "old").unwrap();
    state.put("between", db.snapshot().unwrap().read_ts().to_bits().to_be_bytes()).unwrap();
    state.put("value", "new").unwrap();
    (0..5).for_each(|delta| state.add("count", delta).unwrap());
    let sessions = db.expiring_keyspace("sessions").unwrap();
    sessions.put_expiring("soon", "1", Expires::After(Duration::from_secs(60))).unwrap();
    sessions.put_expiring("late", "2", Expires::After(Duration::from_secs(1_000_000))).unwrap();
    sessions.put("never", "3").unwrap();
    db.collection::<Document>("gone").unwrap().set_feed(Feed::Keys).unwrap();
    db.drop_collection("gone").unwrap();
    notes(db).drop_index("bits").unwrap();
    notes(db).ensure_index(Index::vector("bits", 16).metric(Metric::Hamming).named("bits again")).unwrap();
}

/// More than one chunk of an object, of bytes that compress well.
fn large() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at / 1_000) as u8).collect()
}

/// The clock under which it is looked at.
pub(super) fn clock(after_ms: u64) -> Arc<ManualClock> {
    Arc::new(ManualClock::at_ms(MADE_MS + after_ms))
}

pub(super) fn check(db: &Database) {
    assert_eq!(db.verify().unwrap().problems, []);
    let view = db.snapshot().unwrap();
    check_notes(&view.collection("notes").unwrap(), &expected(false));
    check_indexes(db);
    check_past(db);
    check_feeds(db);
    check_others(db);
}

fn check_notes(notes: &blaze::Collection<Document>, expected: &BTreeMap<i64, Document>) {
    let found = notes.find_all().run().unwrap();
    let found: BTreeMap<_, _> = found.into_iter().map(|found| (found.id.to_string(), found.value)).collect();
    let expected: BTreeMap<_, _> = expected.iter().map(|(number, note)| (number.to_string(), note.clone())).collect();
    assert_eq!(found, expected);
}

fn check_indexes(db: &Database) {
    let (notes, there) = (notes(db), expected(false));
    let names: Vec<_> = notes.indexes().unwrap().into_iter().map(|index| index.name).collect();
    assert_eq!(names, ["number", "tags", "later", "text", "near", "seen", "bits again"]);
    let count = |matches: &dyn Fn(&Document) -> bool| there.values().filter(|note| matches(note)).count() as u64;
    let by = |filter: blaze::Filter, index: &str| notes.find(filter).hint(Hint::index(index)).count().unwrap();
    assert_eq!(by(field("n").eq(12), "number"), 1);
    assert_eq!(by(field("n").ge(40), "later"), count(&|note| field("n").ge(40).matches(note)));
    for word in WORDS {
        let tagged = field("tags").contains(word);
        assert_eq!(by(tagged.clone(), "tags"), count(&|note| tagged.matches(note)), "{word}");
        let text = |note: &Document, field: &str| note.get(field).and_then(Value::as_str).unwrap().contains(word);
        let expected = count(&|note| text(note, "title") || text(note, "body"));
        assert_eq!(notes.search().text(word).count().unwrap(), expected, "{word}");
    }
    for (number, note) in &there {
        for (path, index) in [("at", "near"), ("bits", "bits again")] {
            let Some(Value::Vector(vector)) = note.get(path) else { panic!("{note:?} has no {path}") };
            let near = notes.search().nearest(path, vector.clone()).index(index).limit(20).run().unwrap();
            assert!(
                near.iter().any(|hit| hit.id == (*number).into() && hit.distance.abs() < 0.001),
                "{path} of {number}"
            );
        }
    }
    assert_eq!(notes.insert_with_id(1_000, &note(12, false)).unwrap_err().kind(), blaze::ErrorKind::AlreadyExists);
    assert_eq!(notes.insert(&Document::new().with("n", -1)).unwrap_err().kind(), blaze::ErrorKind::Invalid);
}

fn timestamp(db: &Database, key: &str) -> blaze::Timestamp {
    let bytes = db.keyspace("state").unwrap().get(key).unwrap().unwrap();
    blaze::Timestamp::from_bits(u64::from_be_bytes(bytes.try_into().unwrap()))
}

fn check_past(db: &Database) {
    check_notes(&db.as_of(timestamp(db, "before")).unwrap().collection("notes").unwrap(), &expected(true));
    let between = db.as_of(timestamp(db, "between")).unwrap();
    assert_eq!(between.keyspace("state").unwrap().get("value").unwrap().unwrap(), b"old");
    let versions: Vec<_> = notes(db).versions(6).unwrap().map(|version| version.unwrap().value).collect();
    assert_eq!(versions, [Some(note(6, true)), Some(note(6, false))]);
    let versions: Vec<_> = notes(db).versions(7).unwrap().map(|version| version.unwrap().value).collect();
    assert_eq!(versions, [None, Some(note(7, false))]);
}

fn check_feeds(db: &Database) {
    let mut replayed: BTreeMap<String, Document> = BTreeMap::new();
    let (mut keys, mut begun, mut dropped) = (0, 0, 0);
    for set in db.changes(db.feed_start().unwrap()).unwrap() {
        for change in set.unwrap().changes {
            match change {
                DatabaseChange::Document { change: Change::Put { key, before, after }, .. } => {
                    assert_eq!(replayed.insert(key.to_string(), after.unwrap()), before);
                }
                DatabaseChange::Document { change: Change::Removed { key, before }, .. } => {
                    assert_eq!(replayed.remove(&key.to_string()), before);
                }
                DatabaseChange::Key { keyspace, .. } if &*keyspace == "state" => keys += 1,
                DatabaseChange::Begun { .. } => begun += 1,
                DatabaseChange::Dropped { .. } => dropped += 1,
                other => panic!("nobody asked for {other:?}"),
            }
        }
    }
    let expected: BTreeMap<_, _> =
        expected(false).into_iter().map(|(number, note)| (number.to_string(), note)).collect();
    assert_eq!(replayed, expected);
    assert_eq!((keys, begun, dropped), (9, 2, 1));
}

fn check_others(db: &Database) {
    assert_eq!(db.keyspace("state").unwrap().counter("count").unwrap(), 10);
    let comments = notes(db).group::<Document>("comments").unwrap();
    assert_eq!(comments.count().unwrap(), 2);
    let below = notes(db).subcollection::<Document>(2, "comments").unwrap();
    assert_eq!(below.get("x").unwrap().unwrap().value, Document::new().with("by", "bob"));
    let mut bytes = Vec::new();
    db.objects("files").unwrap().open("large").unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, large());
    let info = db.objects("files").unwrap().info("large").unwrap().unwrap();
    assert_eq!(info.bytes, 300_000);
    let sessions = db.snapshot().unwrap().keyspace("sessions").unwrap();
    assert_eq!(sessions.get("late").unwrap().unwrap(), b"2");
    assert_eq!(sessions.get("never").unwrap().unwrap(), b"3");
}

#[test]
fn a_directory_with_everything_is_read_and_written_whole() {
    for state in STATES {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        copy(&golden(state), &path);
        let builder = |after_ms| Database::builder().clock(clock(after_ms));
        let db = builder(1_000).must_exist().open(&path).unwrap();
        check(&db);
        let soon = |db: &Database| db.snapshot().unwrap().keyspace("sessions").unwrap().get("soon").unwrap();
        assert_eq!(soon(&db).unwrap(), b"1");
        db.close().unwrap();

        let db = builder(61_000).isolation(Isolation::Snapshot).open(&path).unwrap();
        assert_eq!(soon(&db), None);
        check(&db);
        notes(&db).put(5, &note(5, true)).unwrap();
        assert_eq!(notes(&db).search().text("changed").count().unwrap(), 12);
        notes(&db).put(5, &note(5, false)).unwrap();
        db.compact().unwrap();
        db.settle().unwrap();
        assert_eq!(db.verify().unwrap().problems, []);
        check_indexes(&db);
        db.close().unwrap();
        let report = Database::salvage(&path, directory.path().join("saved")).unwrap();
        assert_eq!((report.loss_count, report.documents), (0, expected(false).len() as u64 + 2));
    }
}
