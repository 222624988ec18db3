//! Updates, upserts and ids that cannot be.

use blaze::{Document, ErrorKind, Index, Value, field, inc, set};
use serde::{Deserialize, Serialize};

use super::{Fixture, film};

#[test]
fn an_id_in_its_field_is_one() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let bad: [(Value, ErrorKind, &str); 5] = [
        (1.5.into(), ErrorKind::Invalid, "type float"),
        (true.into(), ErrorKind::Invalid, "type bool"),
        ("".into(), ErrorKind::Invalid, "empty"),
        (Value::Array(vec![300.into()]), ErrorKind::Invalid, "type array"),
        ("i".repeat(1025).into(), ErrorKind::LimitExceeded, "1025 bytes"),
    ];
    for (id, kind, word) in bad {
        let document = film("Mirror", 1975).with("_id", id);
        let words = ["field _id", word];
        fixture.refuses(films.insert(&document), kind, &words);
        fixture.refuses(films.insert_many([document.clone()]), kind, &words);
        fixture.refuses(films.bulk().insert([document.clone()]), kind, &words);
        fixture.refuses(films.put("solaris", &document), kind, &words);
    }
}

#[test]
fn a_document_is_stored_under_no_other_id_than_it_says() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let document = film("Mirror", 1975).with("_id", "mirror");
    let words = ["document \"solaris\"", "field _id is \"mirror\"", "cannot be changed"];
    fixture.refuses(films.insert_with_id("solaris", &document), ErrorKind::Invalid, &words);
    fixture.refuses(films.insert_many_with_ids([("solaris", document.clone())]), ErrorKind::Invalid, &words);
    fixture.refuses(films.bulk().insert_with_ids([("solaris", document.clone())]), ErrorKind::Invalid, &words);
    fixture.refuses(films.put("solaris", &document), ErrorKind::Invalid, &words);
    fixture.refuses(films.replace("solaris", &document), ErrorKind::Invalid, &words);
    let version = films.get("solaris").unwrap().unwrap().version;
    fixture.refuses(films.if_version(version).replace("solaris", &document), ErrorKind::Invalid, &words);
    let first = films.find(field("title").eq("Solaris")).replace_first(&document).unwrap();
    fixture.refuses(first.run(), ErrorKind::Invalid, &words);
    let upsert = films.find(field("_id").eq("nostalgia")).replace_first(&document).unwrap().upsert();
    fixture.refuses(upsert.run(), ErrorKind::Invalid, &["\"nostalgia\"", "\"mirror\""]);
}

#[test]
fn no_update_changes_an_id_and_no_index_is_on_it() {
    let fixture = Fixture::new();
    let films = fixture.films();
    for (update, words) in [
        (set("_id", "x"), ["set _id", "cannot be changed"]),
        (inc("year", 1).and(set("_id.x", 1)), ["set _id.x", "cannot be changed"]),
    ] {
        fixture.refuses(films.update("solaris", update.clone()), ErrorKind::Invalid, &words);
        fixture.refuses(films.upsert("absent", update.clone()), ErrorKind::Invalid, &words);
        fixture.refuses(films.update_many(field("year").ge(0), update.clone()), ErrorKind::Invalid, &words);
        fixture.refuses(films.find_all().update_first(update).run(), ErrorKind::Invalid, &words);
    }
    let words = ["index on _id", "without one"];
    fixture.refuses(films.ensure_index(Index::on("_id")), ErrorKind::Invalid, &words);
    fixture.refuses(films.ensure_index(Index::on("year").then("_id")), ErrorKind::Invalid, &words);
    fixture.refuses(films.ensure_index(Index::vector("_id", 3)), ErrorKind::Invalid, &words);
}

#[test]
fn changes_of_many_are_well_formed_or_refused_before_anything_is_read() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let twice = set("year", 1).and(inc("year", 1));
    fixture.refuses(films.update_many(field("year").ge(9_999), twice.clone()), ErrorKind::Invalid, &["overlap"]);
    fixture.refuses(films.find_all().update_first(twice).run(), ErrorKind::Invalid, &["overlap"]);
    fixture.refuses(films.update_many(field("a..b").eq(1), set("year", 1)), ErrorKind::Invalid, &["empty step"]);
    fixture.refuses(films.delete_many(field("a..b").eq(1)), ErrorKind::Invalid, &["empty step"]);
    fixture.refuses(films.delete_many(field("").eq(1)), ErrorKind::Invalid, &["empty step"]);
    fixture.refuses(
        films.update_many(field("year").ge(0), inc("title", 1)),
        ErrorKind::Invalid,
        &["\"solaris\"", "title"],
    );
    let after = films.find_all().delete_first().return_after();
    fixture.refuses(after.run(), ErrorKind::Invalid, &["nothing to return after"]);
    fixture.refuses(films.find_all().delete_first().upsert().run(), ErrorKind::Invalid, &["nothing to upsert"]);
    let view = fixture.db.snapshot().unwrap().collection::<Document>("films").unwrap();
    fixture.refuses(view.update_many(field("year").ge(0), inc("year", 1)), ErrorKind::Invalid, &["snapshot"]);
    fixture.refuses(view.delete_many(field("year").ge(0)), ErrorKind::Invalid, &["snapshot"]);
    fixture.refuses(view.upsert("solaris", inc("year", 1)), ErrorKind::Invalid, &["snapshot"]);
}

#[test]
fn an_upsert_makes_a_document_of_its_filter_or_says_why_not() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let two = films.find(field("year").eq(1).and(field("year").eq(2))).upsert(set("title", "x"));
    fixture.refuses(two.run(), ErrorKind::Invalid, &["no document can be made of", "overlap"]);
    let within = films.find(field("a").eq(1).and(field("a.b").eq(2))).upsert(set("title", "x"));
    fixture.refuses(within.run(), ErrorKind::Invalid, &["no document can be made of", "overlap"]);
    let id = films.find(field("_id").eq(1.5)).upsert(set("title", "x"));
    fixture.refuses(id.run(), ErrorKind::Invalid, &["type float"]);
    let taken = films.find(field("_id").eq("solaris").and(field("year").eq(1))).upsert(set("title", "x"));
    fixture.refuses(taken.run(), ErrorKind::AlreadyExists, &["\"solaris\""]);
    fixture.refuses(films.upsert("absent", set("embedding", "x")), ErrorKind::Invalid, &["embedding"]);
}

#[derive(Debug, Serialize, Deserialize)]
struct Numbered {
    _id: i64,
    title: String,
}

#[test]
fn an_id_that_does_not_fit_the_field_is_an_error_that_names_it() {
    let fixture = Fixture::new();
    let numbered = fixture.films().typed::<Numbered>();
    fixture.refuses(numbered.get("solaris"), ErrorKind::Invalid, &["document \"solaris\"", "_id", "string"]);
    let first = numbered.find_all().update_first(set("title", "x"));
    fixture.refuses(first.run(), ErrorKind::Invalid, &["\"solaris\"", "_id"]);
}
