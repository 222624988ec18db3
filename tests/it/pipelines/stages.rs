//! What each stage does, one by one.

use blaze::expression::{TimeUnit, bucket, concat, document_id, literal, path, time_bucket};
use blaze::pipeline::{Lookup, Unwind, by, computed, count, exclude, first, include, max, min, push, stages};
use blaze::{Database, Document, Index, Time, Value, asc, desc, field};

use super::{films, strings, values};

fn one(document: Document) -> (Database, blaze::Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    things.insert_with_id(1, &document).unwrap();
    (db, things)
}

#[test]
fn project_keeps_nested_fields_within_their_maps_and_arrays() {
    let person = |name: &str| Document::new().with("name", name).with("born", 1932);
    let cast = vec![Value::from(person("A")), Value::from(7), Value::from(person("B"))];
    let (_db, things) = one(Document::new().with("title", "S").with("cast", cast).with("director", person("T")));
    let rows = things.pipeline().project(["director.name", "cast.name", "title.none", "none"]).run().unwrap();
    let name = |name: &str| Document::new().with("name", name);
    assert_eq!(rows, [Document::new().with("director", name("T")).with("cast", vec![name("A"), name("B")])]);
    assert_eq!(rows[0].keys().collect::<Vec<_>>(), ["director", "cast"]);
}

#[test]
fn project_computes_and_renames_beside_what_it_keeps() {
    let (_db, films) = films();
    let fields = [include("year"), computed("name", path("title").upper()), computed("id", document_id())];
    let rows = films.pipeline().sort(asc("year")).limit(1).project(fields).run().unwrap();
    assert_eq!(rows, [Document::new().with("year", 1972).with("name", "SOLARIS").with("id", "s")]);
}

#[test]
fn exclude_and_unset_leave_the_rest_as_it_is() {
    let person = |name: &str| Document::new().with("name", name).with("born", 1932);
    let (_db, things) = one(Document::new().with("title", "S").with("year", 1972).with("cast", vec![person("A")]));
    let expected = Document::new().with("title", "S").with("cast", vec![Document::new().with("name", "A")]);
    for pipeline in [
        things.pipeline().project([exclude("year"), exclude("cast.born")]),
        things.pipeline().unset(["year", "cast.born", "none.at_all"]),
    ] {
        assert_eq!(pipeline.run().unwrap(), std::slice::from_ref(&expected));
    }
}

#[test]
fn set_computes_all_fields_of_the_row_as_it_was() {
    let (_db, things) = one(Document::new().with("a", 1).with("b", 2));
    let rows = things.pipeline().set_many([("a", path("b")), ("b", path("a")), ("c.d", path("a") + 10)]).run().unwrap();
    assert_eq!(rows, [Document::new().with("a", 2).with("b", 1).with("c", Document::new().with("d", 11))]);
    let gone = things.pipeline().set("a", path("missing")).run().unwrap();
    assert_eq!(gone, [Document::new().with("b", 2)]);
    let error = things.pipeline().set("a.b", 1).run().unwrap_err().to_string();
    assert!(error.contains(r#"at a.b, step "a" leads to int, a map is needed"#), "{error}");
}

#[test]
fn unwind_drops_or_keeps_what_has_no_element() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let tags =
        [Some(Value::from(["x", "y"])), Some(Value::Array(Vec::new())), Some(Value::Null), None, Some("z".into())];
    for (id, tags) in (0_i64..).zip(tags) {
        let document = Document::new().with("n", id);
        let document = if let Some(tags) = tags { document.with("tags", tags) } else { document };
        things.insert_with_id(id, &document).unwrap();
    }
    let plain = things.pipeline().unwind("tags").run().unwrap();
    assert_eq!(values(&plain, "n"), [0, 0, 4].map(Value::from));
    assert_eq!(strings(&plain, "tags"), ["x", "y", "z"]);
    let kept = things.pipeline().unwind(Unwind::path("tags").keep_empty().index("at")).run().unwrap();
    assert_eq!(values(&kept, "n"), [0, 0, 1, 2, 3, 4].map(Value::from));
    let at: Vec<_> = kept.iter().map(|row| row.get("at").and_then(Value::as_i64)).collect();
    assert_eq!(at, [Some(0), Some(1), None, None, None, None]);
    assert_eq!(
        kept.iter().map(|row| row.contains_key("tags")).collect::<Vec<_>>(),
        [true, true, false, true, false, true]
    );
}

#[test]
fn unwind_reaches_an_array_within_maps() {
    let (_db, things) = one(Document::new().with("n", Document::new().with("list", [1, 2]).with("k", "v")));
    let rows = things.pipeline().unwind("n.list").run().unwrap();
    let expected = |element: i32| Document::new().with("n", Document::new().with("list", element).with("k", "v"));
    assert_eq!(rows, [expected(1), expected(2)]);
}

#[test]
fn equal_keys_are_one_group_in_the_order_of_keys() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let keys = [Value::from(2.0), Value::from("b"), Value::Null, Value::from(2), Value::from([1])];
    things.insert_many(keys.map(|key| Document::new().with("k", key))).unwrap();
    things.insert(&Document::new()).unwrap();
    for indexed in [false, true] {
        if indexed {
            things.ensure_index(Index::on("k")).unwrap();
        }
        let rows = things.pipeline().group("k", [count()]).run().unwrap();
        assert!(!rows[0].contains_key("k"), "missing comes first and stays missing: {rows:?}");
        assert_eq!(values(&rows[1..], "k"), [Value::Null, 2.into(), "b".into(), [1].into()]);
        assert_eq!(format!("{:?}", rows[2].get("k").unwrap()), "Int(2)", "the plainest of the equals is shown");
        assert_eq!(values(&rows, "count"), [1, 1, 2, 1, 1].map(Value::from));
    }
}

#[test]
fn groups_are_made_by_expressions_and_several_keys() {
    let (_db, films) = films();
    let decade = by(bucket("year", [1970, 1975, 1980])).named("from");
    let rows =
        films.pipeline().group([decade, by("rating")], [min("title"), max("year").named("latest")]).run().unwrap();
    let row = |from: i32, rating: f64, title: &str, latest: i32| {
        Document::new().with("from", from).with("rating", rating).with("min_title", title).with("latest", latest)
    };
    let expected = [
        row(1970, 8.0, "Solaris", 1972),
        row(1975, 8.0, "Mirror", 1975),
        row(1975, 8.25, "Stalker", 1979),
        row(1975, 8.5, "Alien", 1979),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn first_and_push_go_by_the_sort_before_them() {
    let (_db, films) = films();
    let rows = films.pipeline().sort(desc("title")).group("year", [first("title"), push("title")]).run().unwrap();
    assert_eq!(strings(&rows, "first_title"), ["Solaris", "Mirror", "Stalker"]);
    assert_eq!(rows[2].get("push_title"), Some(&Value::from(["Stalker", "Alien"])));
}

#[test]
fn times_are_grouped_by_calendar_months() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    for released in ["2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"] {
        films.insert(&Document::new().with("released", released.parse::<Time>().unwrap())).unwrap();
    }
    let month = by(time_bucket("released", TimeUnit::Month)).named("month");
    let rows = films.pipeline().group(month, [count()]).run().unwrap();
    let start = |text: &str| Value::from(text.parse::<Time>().unwrap());
    assert_eq!(values(&rows, "month"), [start("2024-02-01T00:00:00Z"), start("2024-03-01T00:00:00Z")]);
    assert_eq!(values(&rows, "count"), [2, 1].map(Value::from));
}

#[test]
fn rows_that_are_equal_in_a_sort_keep_their_order() {
    let (_db, films) = films();
    let rows =
        films.pipeline().sort(desc("title")).unwind("genres").set("one", literal(1)).sort(asc("one")).run().unwrap();
    let titles = strings(&rows, "title");
    assert_eq!(
        titles,
        ["Alien", "Alien", "Mirror", "Solaris", "Solaris", "Stalker", "Stalker"],
        "by id, then as they came"
    );
    assert_eq!(strings(&rows[..2], "genres"), ["Horror", "Adventure"]);
    let grouped = films.pipeline().group("year", [count()]).sort(desc("count")).run().unwrap();
    assert_eq!(values(&grouped, "year"), [1979, 1972, 1975].map(Value::from), "groups have no id");
}

#[test]
fn lookup_joins_by_field_with_and_without_an_index() {
    let (db, films) = films();
    let people = db.collection::<Document>("people").unwrap();
    for (id, name, film) in [(2, "Kelvin", "Solaris"), (1, "Hari", "Solaris"), (3, "Ripley", "Alien")] {
        people.insert_with_id(id, &Document::new().with("name", name).with("film", film)).unwrap();
    }
    let pipeline =
        films.pipeline().sort(asc("title")).lookup(Lookup::from("people").on("title", "film").named("roles"));
    for indexed in [false, true] {
        if indexed {
            people.ensure_index(Index::on("film")).unwrap();
        }
        let rows = pipeline.run().unwrap();
        let names = |row: &Document| {
            let roles = row.get("roles").unwrap().as_array().unwrap();
            strings(&roles.iter().map(|role| role.as_map().unwrap().clone()).collect::<Vec<_>>(), "name")
        };
        assert_eq!(
            rows.iter().map(names).collect::<Vec<_>>(),
            [vec!["Ripley"], vec![], vec!["Hari", "Kelvin"], vec![]]
        );
        let explain = pipeline.explain().unwrap();
        let how = if indexed { "joined by an index" } else { "joined held in memory" };
        assert!(explain.stages().any(|stage| stage.ends_with(how)), "{explain}");
        assert_eq!(explain.documents_examined, 4 + 3, "{explain}");
    }
}

#[test]
fn lookup_by_id_takes_each_element_of_an_array() {
    let (db, things) =
        one(Document::new().with("refs", vec![Value::from(7), Value::Null, "x".into(), 9.into(), 7.into()]));
    let others = db.collection::<Document>("others").unwrap();
    for id in [7, 8] {
        others.insert_with_id(id, &Document::new().with("n", id)).unwrap();
    }
    let rows = things.pipeline().lookup(Lookup::from("others").by_id("refs")).run().unwrap();
    assert_eq!(rows[0].get("others"), Some(&Value::from(vec![Document::new().with("n", 7)])));
}

#[test]
fn lookup_sees_the_moment_of_the_rows() {
    let (db, films) = films();
    let people = db.collection::<Document>("people").unwrap();
    let mut rows = films.pipeline().lookup(Lookup::from("people").on("title", "film")).iter().unwrap();
    people.insert(&Document::new().with("film", "Mirror")).unwrap();
    assert!(rows.all(|row| row.unwrap().get("people") == Some(&Value::Array(Vec::new()))));
    let tx = db.begin().unwrap();
    tx.collection::<Document>("people").unwrap().insert(&Document::new().with("film", "Alien")).unwrap();
    let own = tx.collection::<Document>("films").unwrap();
    let joined = own.pipeline().lookup(Lookup::from("people").on("title", "film")).run().unwrap();
    let counts: Vec<_> = joined.iter().map(|row| row.get("people").unwrap().as_array().unwrap().len()).collect();
    assert_eq!(counts, [1, 1, 0, 0]);
}

#[test]
fn facets_run_over_the_same_rows_in_one_pass() {
    let (_db, films) = films();
    let facets = [
        ("genres", stages().unwind("genres").group("genres", [count()]).sort(desc("count")).limit(1)),
        ("first", stages().limit(1).project(["title"])),
        ("none", stages().filter(field("year").gt(2000))),
        ("total", stages().count("films")),
    ];
    let pipeline = films.pipeline().filter(field("year").ge(1975)).facet(facets);
    let row = |document: Document| Value::from(vec![document]);
    let expected = Document::new()
        .with("genres", row(Document::new().with("genres", "Adventure").with("count", 2)))
        .with("first", row(Document::new().with("title", "Alien")))
        .with("none", Value::Array(Vec::new()))
        .with("total", row(Document::new().with("films", 3)));
    assert_eq!(pipeline.run().unwrap(), [expected]);
    assert_eq!(pipeline.explain().unwrap().documents_examined, 4);
}

#[test]
fn strings_are_put_together_and_counted() {
    let (_db, films) = films();
    let label = by(concat([path("title").lower(), literal("!")])).named("label");
    let rows = films.pipeline().filter(field("year").eq(1972)).group(label, [count()]).count("labels").run().unwrap();
    assert_eq!(rows, [Document::new().with("labels", 1)]);
}

#[test]
fn the_id_is_seen_by_every_stage_whether_documents_hold_it_and_whether_an_index_helps() {
    for indexed in [false, true] {
        let db = Database::in_memory().unwrap();
        let things = db.collection::<Document>("things").unwrap();
        if indexed {
            things.ensure_index(Index::on("n")).unwrap();
        }
        things.insert_many_with_ids((1..4).map(|n| (n, Document::new().with("n", 9 - n)))).unwrap();
        let sorted = things.pipeline().sort(asc("n")).project(["_id", "n"]).limit(1).run().unwrap();
        assert_eq!(sorted[0].get("_id"), Some(&3.into()), "indexed: {indexed}");
        let later = things.pipeline().set("y", literal(1)).filter(field("_id").eq(2)).count("found").run().unwrap();
        assert_eq!(later, [Document::new().with("found", 1)]);
        let groups = things.pipeline().set("y", literal(1)).group("_id", [count()]).run().unwrap();
        assert_eq!(groups.len(), 3);
        let joined = things.pipeline().lookup(Lookup::from("things").on("n", "_id").named("same")).run().unwrap();
        assert!(joined.iter().all(|row| row.get("same").and_then(Value::as_array).is_some_and(<[Value]>::is_empty)));
        let own = things.pipeline().set("own", document_id());
        let joined = own.lookup(Lookup::from("things").on("own", "_id").named("same")).run().unwrap();
        assert!(joined.iter().all(|row| row.get("same").and_then(Value::as_array).map(<[Value]>::len) == Some(1)));
    }
}
