//! Every bad argument is refused with an error that says what was wrong, the value and the limit, and changes nothing.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod changes;
mod directories;
mod handles;
mod indexes;
mod questions;

use std::fmt::{Debug, Write as _};

use blaze::limits::{DOCUMENT_BYTES_MAX, ID_BYTES_MAX, KEY_BYTES_MAX, NAME_BYTES_MAX, VALUE_BYTES_MAX};
use blaze::{Collection, Database, Document, DocumentId, ErrorKind, Index, Keyspace, Result, Value, Vector};
use serde::{Deserialize, Serialize};

/// A database with a bit of everything, and what it holds as text.
struct Fixture {
    db: Database,
    before: String,
}

impl Fixture {
    fn new() -> Fixture {
        let db = Database::in_memory().unwrap();
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(Index::on("year")).unwrap();
        films.ensure_index(Index::vector("embedding", 3)).unwrap();
        films.insert_with_id("solaris", &film("Solaris", 1972)).unwrap();
        films.insert_with_id("stalker", &film("Stalker", 1979)).unwrap();
        db.keyspace("settings").unwrap().put("theme", "dark").unwrap();
        let before = contents(&db);
        Fixture { db, before }
    }

    fn films(&self) -> Collection<Document> {
        self.db.collection("films").unwrap()
    }

    fn settings(&self) -> Keyspace {
        self.db.keyspace("settings").unwrap()
    }

    /// Fails unless the call was refused in these words and the database is as it was.
    #[track_caller]
    fn refuses<T: Debug>(&self, result: Result<T>, kind: ErrorKind, words: &[&str]) {
        refused(result, kind, words);
        assert_eq!(contents(&self.db), self.before, "a refused call changed something");
    }
}

/// Fails unless the call was refused in these words.
#[track_caller]
fn refused<T: Debug>(result: Result<T>, kind: ErrorKind, words: &[&str]) {
    let error = result.expect_err("a bad argument was accepted");
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "the message does not say {word:?}: {error}");
    }
}

fn film(title: &str, year: i32) -> Document {
    Document::new().with("title", title).with("year", year).with("embedding", Vector::F32(vec![1.0, 0.0, year as f32]))
}

/// Everything in a database: names, indexes, documents, keys.
fn contents(db: &Database) -> String {
    let mut text = String::new();
    let view = db.snapshot().unwrap();
    for name in db.collections().unwrap() {
        let collection = view.collection::<Document>(&name).unwrap();
        writeln!(text, "{name}: {:?}", collection.indexes().unwrap()).unwrap();
        for found in collection.find_all().run().unwrap() {
            writeln!(text, "  {:?} {} {:?}", found.id, found.version, found.value).unwrap();
        }
    }
    for name in db.keyspaces().unwrap() {
        let keys: Vec<_> = view.keyspace(&name).unwrap().iter().unwrap().collect::<Result<_>>().unwrap();
        writeln!(text, "{name}: {keys:?}").unwrap();
    }
    text
}

/// A document of so many levels.
fn nested(levels: usize) -> Document {
    (1..levels).fold(Document::new(), |inner, _| Document::new().with("inner", inner))
}

#[test]
fn a_name_is_neither_empty_nor_too_long() {
    let fixture = Fixture::new();
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    let words = ["129 bytes", "limit is 128"];
    let tx = fixture.db.begin().unwrap();
    let view = fixture.db.snapshot().unwrap();
    fixture.refuses(fixture.db.collection::<Document>(""), ErrorKind::Invalid, &["collection", "empty", "1 byte"]);
    fixture.refuses(fixture.db.keyspace(""), ErrorKind::Invalid, &["keyspace", "empty", "1 byte"]);
    fixture.refuses(fixture.db.collection::<Document>(&long), ErrorKind::LimitExceeded, &words);
    fixture.refuses(fixture.db.keyspace(&long), ErrorKind::LimitExceeded, &words);
    fixture.refuses(tx.collection::<Document>(""), ErrorKind::Invalid, &["empty"]);
    fixture.refuses(tx.keyspace(&long), ErrorKind::LimitExceeded, &words);
    fixture.refuses(view.collection::<Document>(&long), ErrorKind::LimitExceeded, &words);
    fixture.refuses(view.keyspace(""), ErrorKind::Invalid, &["empty"]);
    fixture.refuses(
        fixture.films().ensure_index(Index::on("title").named("")),
        ErrorKind::Invalid,
        &["index", "empty"],
    );
    fixture.refuses(
        fixture.films().ensure_index(Index::on("title").named(&long)),
        ErrorKind::LimitExceeded,
        &["index", words[0], words[1]],
    );
    fixture.db.collection::<Document>(&"n".repeat(NAME_BYTES_MAX)).unwrap();
}

#[test]
fn a_name_belongs_to_a_collection_or_to_a_keyspace() {
    let fixture = Fixture::new();
    let words = ["\"settings\" is a keyspace", "not a collection"];
    fixture.refuses(fixture.db.collection::<Document>("settings"), ErrorKind::Invalid, &words);
    fixture.refuses(fixture.db.drop_collection("settings"), ErrorKind::Invalid, &words);
    let words = ["\"films\" is a collection", "not a keyspace"];
    fixture.refuses(fixture.db.keyspace("films"), ErrorKind::Invalid, &words);
    fixture.refuses(fixture.db.drop_keyspace("films"), ErrorKind::Invalid, &words);
    assert!(!fixture.db.drop_collection("").unwrap() && !fixture.db.drop_keyspace("absent").unwrap());
}

#[test]
fn an_id_is_neither_empty_nor_too_long() {
    let fixture = Fixture::new();
    let (films, document) = (fixture.films(), film("Mirror", 1975));
    let bad: [(DocumentId, ErrorKind, &[&str]); 4] = [
        ("".into(), ErrorKind::Invalid, &["id is empty", "1 byte"]),
        (Vec::<u8>::new().into(), ErrorKind::Invalid, &["id is empty", "1 byte"]),
        ("i".repeat(ID_BYTES_MAX + 1).into(), ErrorKind::LimitExceeded, &["1025 bytes", "limit is 1024"]),
        (vec![7; ID_BYTES_MAX + 1].into(), ErrorKind::LimitExceeded, &["1025 bytes", "limit is 1024"]),
    ];
    for (id, kind, words) in &bad {
        fixture.refuses(films.get(id), *kind, words);
        fixture.refuses(films.get_many(["solaris".into(), id.clone()]), *kind, words);
        fixture.refuses(films.contains(id), *kind, words);
        fixture.refuses(films.insert_with_id(id, &document), *kind, words);
        fixture.refuses(films.put(id, &document), *kind, words);
        fixture.refuses(films.replace(id, &document), *kind, words);
        fixture.refuses(films.update(id, blaze::set("year", 1)), *kind, words);
        fixture.refuses(films.delete(id), *kind, words);
        let rows = [("mirror".into(), document.clone()), (id.clone(), document.clone())];
        fixture.refuses(films.bulk().insert_with_ids(rows), *kind, words);
    }
    films.insert_with_id("i".repeat(ID_BYTES_MAX), &document).unwrap();
    assert!(films.contains("i".repeat(ID_BYTES_MAX)).unwrap());
}

#[test]
fn a_key_is_neither_empty_nor_too_long() {
    let fixture = Fixture::new();
    let settings = fixture.settings();
    let long = vec![7; KEY_BYTES_MAX + 1];
    let cases: [(&[u8], ErrorKind, &[&str]); 2] = [
        (&[], ErrorKind::Invalid, &["key is empty", "1 byte"]),
        (&long, ErrorKind::LimitExceeded, &["8193 bytes", "limit is 8192"]),
    ];
    for (key, kind, words) in cases {
        fixture.refuses(settings.get(key), kind, words);
        fixture.refuses(settings.contains(key), kind, words);
        fixture.refuses(settings.put(key, "value"), kind, words);
        fixture.refuses(settings.delete(key), kind, words);
    }
    settings.put(&long[1..], "value").unwrap();
    assert!(settings.contains(&long[1..]).unwrap());
}

#[test]
fn a_value_and_a_transaction_have_a_largest_size() {
    let fixture = Fixture::new();
    let long = vec![0; VALUE_BYTES_MAX + 1];
    let settings = fixture.settings();
    fixture.refuses(settings.put("big", &long), ErrorKind::LimitExceeded, &["67108865 bytes", "limit is 67108864"]);
    let tx = fixture.db.begin().unwrap();
    let settings = tx.keyspace("settings").unwrap();
    for key in ["a", "b", "c"] {
        settings.put(key, &long[1..]).unwrap();
    }
    let fourth = settings.put("d", &long[1..]);
    fixture.refuses(fourth, ErrorKind::LimitExceeded, &["transaction writes 2684", "limit is 268435456"]);
    assert!(settings.contains("c").unwrap() && !settings.contains("d").unwrap(), "only the fourth was refused");
    settings.put("d", "small").unwrap();
}

#[test]
fn a_range_that_ends_before_it_begins_is_empty() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let settings = db.keyspace("settings").unwrap();
        settings.put("m", "value").unwrap();
        let check = |settings: &Keyspace| {
            assert_eq!(settings.range("z".."a").unwrap().count(), 0);
            assert_eq!(settings.range_reverse("z".."a").unwrap().count(), 0);
            assert_eq!(settings.range("m".."m").unwrap().count(), 0);
            settings.delete_range("z".."a").unwrap();
            settings.delete_range("z"..="a").unwrap();
            assert_eq!(settings.count().unwrap(), 1);
        };
        check(&settings);
        let tx = db.begin().unwrap();
        let own = tx.keyspace("settings").unwrap();
        own.put("m", "mine").unwrap();
        check(&own);
        tx.commit().unwrap();
    }
}

#[test]
fn a_document_has_a_largest_size() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let large = Document::new().with("bytes", vec![0_u8; DOCUMENT_BYTES_MAX]);
    let words = ["document takes 16777", "limit is 16777216"];
    fixture.refuses(films.insert(&large), ErrorKind::LimitExceeded, &words);
    fixture.refuses(
        films.insert_with_id("large", &large),
        ErrorKind::LimitExceeded,
        &["\"large\"", words[0], words[1]],
    );
    fixture.refuses(films.put("solaris", &large), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.replace("solaris", &large), ErrorKind::LimitExceeded, &words);
    let grow = blaze::set("bytes", vec![0_u8; DOCUMENT_BYTES_MAX]);
    fixture.refuses(films.update("solaris", grow), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.insert_many([film("Mirror", 1975), large.clone()]), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.bulk().insert([film("Mirror", 1975), large]), ErrorKind::LimitExceeded, &words);
}

#[test]
fn a_document_has_a_largest_depth() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let deep = nested(101);
    let words = ["100 levels"];
    fixture.refuses(films.insert(&deep), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.insert_with_id("deep", &deep), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.put("solaris", &deep), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.replace("solaris", &deep), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.update("solaris", blaze::set("deep", nested(100))), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.insert_many([nested(1), deep.clone()]), ErrorKind::LimitExceeded, &words);
    fixture.refuses(films.bulk().insert([nested(1), deep]), ErrorKind::LimitExceeded, &words);
    films.insert_with_id("deepest", &nested(100)).unwrap();
    assert_eq!(films.get("deepest").unwrap().unwrap().value, nested(100));
}

#[test]
fn a_document_is_a_struct_or_a_map() {
    let fixture = Fixture::new();
    let words = ["struct or a map", "i32", "int"];
    let numbers = fixture.films().typed::<i32>();
    fixture.refuses(numbers.insert(&7), ErrorKind::Invalid, &words);
    fixture.refuses(numbers.insert_with_id("seven", &7), ErrorKind::Invalid, &words);
    fixture.refuses(numbers.insert_many([7]), ErrorKind::Invalid, &words);
    fixture.refuses(numbers.bulk().insert([7]), ErrorKind::Invalid, &words);
    fixture.refuses(numbers.put("solaris", &7), ErrorKind::Invalid, &words);
    fixture.refuses(numbers.replace("solaris", &7), ErrorKind::Invalid, &words);
    fixture.refuses(fixture.films().typed::<Vec<i32>>().insert(&vec![7]), ErrorKind::Invalid, &["Vec<i32>", "array"]);
}

#[derive(Debug, Serialize, Deserialize)]
struct Strict {
    title: i64,
}

#[test]
fn a_document_of_another_type_is_an_error_and_never_a_gap() {
    let fixture = Fixture::new();
    let strict = fixture.films().typed::<Strict>();
    let words = ["document \"solaris\"", "title", "string"];
    fixture.refuses(strict.get("solaris"), ErrorKind::Invalid, &words);
    fixture.refuses(strict.get_many(["absent", "solaris"]), ErrorKind::Invalid, &words);
    fixture.refuses(strict.find_all().run(), ErrorKind::Invalid, &words);
    fixture.refuses(strict.find_all().first(), ErrorKind::Invalid, &words);
    fixture.refuses(strict.search().nearest("embedding", &[1.0, 0.0, 1972.0]).run(), ErrorKind::Invalid, &["title"]);
    let rows: Vec<_> = strict.find_all().iter().unwrap().collect();
    assert_eq!(rows.len(), 1, "the iterator ends with the error");
    assert_eq!(strict.count().unwrap(), 2, "counting decodes nothing");
}

#[test]
fn an_id_that_is_taken_is_refused_and_one_that_is_not_there_too() {
    let fixture = Fixture::new();
    let (films, document) = (fixture.films(), film("Mirror", 1975));
    fixture.refuses(films.insert_with_id("solaris", &document), ErrorKind::AlreadyExists, &["\"solaris\""]);
    let rows = [("mirror", document.clone()), ("solaris", document.clone())];
    fixture.refuses(
        films.bulk().insert_with_ids(rows),
        ErrorKind::AlreadyExists,
        &["after 0 documents", "\"solaris\""],
    );
    let twice = [("mirror", document.clone()), ("mirror", document.clone())];
    fixture.refuses(films.bulk().insert_with_ids(twice), ErrorKind::AlreadyExists, &["\"mirror\""]);
    let words = ["\"films\"", "\"absent\""];
    fixture.refuses(films.replace("absent", &document), ErrorKind::NotFound, &words);
    fixture.refuses(films.update("absent", blaze::inc("year", 1)), ErrorKind::NotFound, &words);
    assert!(!films.delete("absent").unwrap() && films.get("absent").unwrap().is_none());
    assert_eq!(film("", 1).get("title"), Some(&Value::from("")));
}
