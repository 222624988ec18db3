//! Ids: the field of a document that is its id.

use std::collections::BTreeMap;

use blaze::{Database, Document, DocumentId, Index, Result, Uuid, Value, asc, field, set};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, blaze::Document)]
struct Film {
    #[blaze(id)]
    #[serde(rename = "_id")]
    id: String,
    title: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, blaze::Document)]
struct Event {
    #[blaze(id)]
    #[serde(rename = "_id", default, skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    name: String,
}

fn film(id: &str) -> Film {
    Film { id: id.into(), title: id.to_uppercase() }
}

#[test]
fn a_document_is_stored_under_its_own_id_and_reads_back_with_it() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let films = db.collection::<Film>("films").unwrap();
        assert_eq!(films.insert(&film("solaris")).unwrap(), "solaris".into());
        films.insert_many([film("stalker"), film("mirror")]).unwrap();
        films.bulk().insert([film("nostalgia")]).unwrap();
        assert_eq!(films.get("solaris").unwrap().unwrap().value, film("solaris"));
        let found = films.find_all().run().unwrap();
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|found| found.id == found.value.id.as_str().into()));
        assert!(films.insert(&film("solaris")).is_err(), "the id is taken");
    }
}

#[test]
fn the_id_is_not_in_the_record_a_second_time() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Film>("films").unwrap();
    let long = "i".repeat(1_000);
    films.insert(&Film { id: long.clone(), title: "Long".into() }).unwrap();
    let raw = films.get_raw(&long).unwrap().unwrap();
    assert!(raw.stored_bytes() < 50, "{} bytes", raw.stored_bytes());
    assert_eq!(raw.get("_id").unwrap(), Some(Value::from(long)));
}

#[test]
fn an_id_of_none_is_automatic() {
    let db = Database::in_memory().unwrap();
    let events = db.collection::<Event>("events").unwrap();
    let id = events.insert(&Event { id: None, name: "opened".into() }).unwrap();
    let event = events.get(&id).unwrap().unwrap().into_value();
    assert_eq!(event.id.map(DocumentId::from), Some(id.clone()));
    events.put(&id, &Event { name: "closed".into(), ..event }).unwrap();
    assert_eq!(events.get(&id).unwrap().unwrap().name, "closed");
}

#[test]
fn each_type_of_id_comes_back_in_its_field() {
    fn check<I>(id: I)
    where
        I: Clone + std::fmt::Debug + PartialEq + Serialize + serde::de::DeserializeOwned + Into<DocumentId>,
    {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Keyed<I> {
            _id: I,
        }
        let db = Database::in_memory().unwrap();
        let keyed = db.collection::<Keyed<I>>("keyed").unwrap();
        let document = Keyed { _id: id.clone() };
        assert_eq!(keyed.insert(&document).unwrap(), id.clone().into(), "{id:?}");
        assert_eq!(keyed.get(id).unwrap().unwrap().value, document);
    }
    check("a".to_owned());
    check(-7_i32);
    check(i64::MIN);
    check(7_u32);
    check(u64::MAX);
    check(Uuid::from_bytes([9; 16]));
    check(vec![0_u8, 255]);
    check(DocumentId::from(vec![1_u8]));
}

#[test]
fn a_dynamic_document_reads_back_as_it_was_written() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    let with = Document::new().with("title", "Solaris").with("_id", "solaris").with("year", 1972);
    films.insert(&with).unwrap();
    films.insert_with_id("stalker", &Document::new().with("title", "Stalker")).unwrap();
    assert_eq!(format!("{:?}", films.get("solaris").unwrap().unwrap().value), format!("{with:?}"));
    assert_eq!(films.get("stalker").unwrap().unwrap().value, Document::new().with("title", "Stalker"));
    let typed = films.typed::<Film>();
    assert_eq!(
        typed.get("stalker").unwrap().unwrap().value.id,
        "stalker",
        "a struct with the field has it in any case"
    );
    let maps = films.typed::<BTreeMap<String, Value>>();
    assert!(!maps.get("stalker").unwrap().unwrap().contains_key("_id"));
}

#[test]
fn updates_and_images_keep_the_id() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Film>("films").unwrap();
    films.set_feed(blaze::Feed::Images).unwrap();
    films.insert(&film("solaris")).unwrap();
    films.update("solaris", set("title", "Solyaris")).unwrap();
    assert_eq!(films.get("solaris").unwrap().unwrap().value.id, "solaris");
    let changes = films.changes(films.feed_start().unwrap().unwrap()).unwrap();
    let sets = changes.collect::<Result<Vec<_>>>().unwrap();
    let blaze::Change::Put { before: Some(before), after: Some(after), .. } = &sets[1].changes[0] else {
        panic!("no images: {sets:?}");
    };
    assert_eq!((before.id.as_str(), after.id.as_str()), ("solaris", "solaris"));
}

#[test]
fn the_id_is_a_field_to_filters_and_sorts() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Film>("films").unwrap();
    films.ensure_index(Index::on("title")).unwrap();
    films.insert_many(["a", "b", "c", "d"].map(film)).unwrap();
    let id = Film::FIELDS.id;
    let ids = |filter| {
        let found = films.find(filter).sort(asc("_id")).run().unwrap();
        found.into_iter().map(|film| film.into_value().id).collect::<String>()
    };
    assert_eq!(ids(id.eq("c")), "c");
    assert_eq!(ids(id.ge("b").and(field("title").lt("D"))), "bc");
    assert_eq!(ids(id.is_in(["d", "a", "x"])), "ad");
    assert_eq!(ids(id.exists(true).and(id.ne("a"))), "bcd");
    assert_eq!(ids(field("_id").eq(1).or(field("_id.x").exists(true))), "");
    let explain = films.find(id.eq("c")).explain().unwrap();
    assert_eq!((explain.keys_examined, explain.rows), (1, 1), "{explain}");
    assert_eq!(films.find(id.is_in(["b", "c"])).explain().unwrap().keys_examined, 2);
    assert_eq!(films.find(id.eq("x")).explain().unwrap().keys_examined, 0);
}

#[test]
fn a_bulk_load_takes_the_id_from_its_field() {
    let db = Database::temporary().unwrap();
    let mut load = db.load_collection::<Film>("films").begin().unwrap();
    assert_eq!(load.insert(&film("solaris")).unwrap(), "solaris".into());
    load.finish().unwrap();
    let films = db.collection::<Film>("films").unwrap();
    assert_eq!(films.get("solaris").unwrap().unwrap().value, film("solaris"));
}
