//! Pipelines: stages one by one, what they cost, where they run, and what they refuse.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod naive;
mod random;
mod refusals;
mod stages;

use blaze::pipeline::{avg, count, sum};
use blaze::{Collection, Database, Document, History, Index, Value, asc, desc, field};

fn films() -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    for (id, title, year, rating, genres) in [
        ("a", "Alien", 1979, 8.5, vec!["Horror", "Adventure"]),
        ("m", "Mirror", 1975, 8.0, vec!["Drama"]),
        ("s", "Solaris", 1972, 8.0, vec!["Drama", "Mystery"]),
        ("t", "Stalker", 1979, 8.25, vec!["Drama", "Adventure"]),
    ] {
        let film =
            Document::new().with("title", title).with("year", year).with("rating", rating).with("genres", genres);
        films.insert_with_id(id, &film).unwrap();
    }
    (db, films)
}

fn values(rows: &[Document], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row.get(name).cloned().unwrap_or_default()).collect()
}

fn strings(rows: &[Document], name: &str) -> Vec<String> {
    rows.iter().map(|row| row.get(name).and_then(Value::as_str).unwrap_or("-").to_owned()).collect()
}

#[test]
fn a_group_that_counts_by_an_indexed_field_reads_no_document() {
    let (_db, films) = films();
    let by_year = films.pipeline().group("year", [count()]);
    assert_eq!(by_year.explain().unwrap().documents_examined, 4, "without an index each document is read");
    let expected = by_year.run().unwrap();
    for index in
        [Index::on("year"), Index::on_desc("year").named("down"), Index::on("year").then("title").named("both")]
    {
        films.ensure_index(index).unwrap();
        let explain = by_year.explain().unwrap();
        assert_eq!((explain.keys_examined, explain.documents_examined, explain.rows), (4, 0, 3), "{explain}");
        assert_eq!(by_year.run().unwrap(), expected);
        let name = explain.index().unwrap().to_owned();
        films.drop_index(&name).unwrap();
    }
}

#[test]
fn a_filter_on_the_counted_field_reads_its_part_of_the_index() {
    let (_db, films) = films();
    films.ensure_index(Index::on("year")).unwrap();
    let explain = films.pipeline().filter(field("year").ge(1975)).group("year", [count()]).explain().unwrap();
    assert_eq!((explain.keys_examined, explain.documents_examined, explain.rows), (3, 0, 2), "{explain}");
}

#[test]
fn an_index_with_several_entries_for_a_document_does_not_count_it_twice() {
    let (_db, films) = films();
    films.ensure_index(Index::on("genres")).unwrap();
    let explain = films.pipeline().group("genres", [count()]).explain().unwrap();
    assert_eq!((explain.documents_examined, explain.rows), (4, 4), "each array is a key: {explain}");
}

#[test]
fn a_nested_path_is_not_counted_by_its_index() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let inner = || Document::new().with("x", 1);
    things.insert(&Document::new().with("n", inner())).unwrap();
    things.insert(&Document::new().with("n", vec![inner(), inner()])).unwrap();
    things.ensure_index(Index::on("n.x")).unwrap();
    let rows = things.pipeline().group("n.x", [count()]).run().unwrap();
    assert_eq!(
        values(&rows, "x"),
        [Value::from(1), Value::from([1, 1])],
        "one value is not an array of two equal ones"
    );
}

#[test]
fn a_transaction_counts_its_own_writes_by_the_index() {
    let (db, films) = films();
    films.ensure_index(Index::on("year")).unwrap();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("films").unwrap();
    own.delete("a").unwrap();
    own.insert_with_id("n", &Document::new().with("year", 1983)).unwrap();
    let pipeline = own.pipeline().group("year", [count()]);
    assert_eq!(values(&pipeline.run().unwrap(), "count"), [1, 1, 1, 1].map(Value::from));
    assert_eq!(pipeline.explain().unwrap().documents_examined, 0);
    assert_eq!(films.pipeline().group("year", []).run().unwrap().len(), 3, "others do not see them");
}

#[test]
fn a_pipeline_in_the_past_sees_the_past() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.set_history(History::Forever).unwrap();
    films.ensure_index(Index::on("year")).unwrap();
    films.insert_with_id("s", &Document::new().with("year", 1971)).unwrap();
    let then = db.snapshot().unwrap().read_ts();
    films.update("s", blaze::set("year", 1972)).unwrap();
    let years =
        |films: &Collection<Document>| values(&films.pipeline().group("year", [count()]).run().unwrap(), "year");
    let past = db.as_of(then).unwrap().collection::<Document>("films").unwrap();
    assert_eq!((years(&past), years(&films)), (vec![Value::from(1971)], vec![Value::from(1972)]));
}

#[test]
fn a_leading_query_is_the_planners() {
    let (_db, films) = films();
    films.ensure_index(Index::on("year")).unwrap();
    let pipeline = films.pipeline().filter(field("year").ge(1975)).sort(desc("year")).limit(1).project(["title"]);
    let explain = pipeline.explain().unwrap();
    assert_eq!((explain.index(), explain.documents_examined, explain.rows), (Some("year"), 1, 1), "{explain}");
    assert_eq!(
        explain.stages().collect::<Vec<_>>(),
        [
            "1 filter year >= 1975: by the plan",
            "2 sort year desc: in the order of the index",
            "3 limit 1: streamed",
            "4 project title: streamed",
        ]
    );
    assert_eq!(strings(&pipeline.run().unwrap(), "title"), ["Stalker"]);
    let skipped = films.pipeline().sort(asc("year")).skip(3).explain().unwrap();
    assert_eq!((skipped.documents_examined, skipped.rows), (1, 1), "what is skipped is not read: {skipped}");
}

#[test]
fn counting_all_that_an_index_finds_reads_no_document() {
    let (_db, films) = films();
    films.ensure_index(Index::on("year")).unwrap();
    let pipeline = films.pipeline().filter(field("year").eq(1979)).count("films");
    assert_eq!(pipeline.run().unwrap(), [Document::new().with("films", 2)]);
    assert_eq!(pipeline.explain().unwrap().documents_examined, 0);
}

#[test]
fn a_limit_ends_the_reading() {
    let (_db, films) = films();
    let explain = films.pipeline().unwind("genres").limit(2).explain().unwrap();
    assert_eq!((explain.documents_examined, explain.rows), (1, 2), "{explain}");
}

#[test]
fn a_sort_before_a_limit_keeps_no_more_than_it_lets_through() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let documents = (0..2_000_u64).map(|n| Document::new().with("n", n * 7919 % 2_000).with("text", "x".repeat(200)));
    numbers.bulk().insert(documents).unwrap();
    let whole = numbers.pipeline().set("m", "n").sort(asc("m"));
    let window = whole.clone().skip(5).limit(10);
    let (all, part) = (whole.explain().unwrap(), window.explain().unwrap());
    assert!(part.memory_peak_bytes * 50 < all.memory_peak_bytes, "{part}\n{all}");
    assert_eq!(window.run().unwrap(), whole.run().unwrap()[5..15]);
}

#[test]
fn a_stage_that_outgrows_the_memory_is_named_with_the_limit() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert((0..3_000).map(|n| Document::new().with("n", n).with("text", "x".repeat(100)))).unwrap();
    let (foreign, limit) = (blaze::pipeline::Lookup::from("numbers").on("n", "n").named("same"), 64 * 1024);
    for (pipeline, stage) in [
        (numbers.pipeline().sort(asc("text")), "stage 1 (sort)"),
        (numbers.pipeline().filter(field("n").ge(0)).group("n", [count()]), "stage 2 (group)"),
        (numbers.pipeline().aggregate([blaze::pipeline::push("text")]), "stage 1 (group)"),
        (numbers.pipeline().facet([("all", blaze::pipeline::stages())]), "stage 1 (facet)"),
        (numbers.pipeline().lookup(foreign), "stage 1 (lookup)"),
    ] {
        let error = pipeline.clone().memory_limit(limit).run().unwrap_err();
        assert_eq!(error.kind(), blaze::ErrorKind::LimitExceeded, "{stage}: {error}");
        let told = error.to_string();
        assert!(told.contains(stage) && told.contains("the limit is 65536"), "{stage} told: {told}");
        pipeline.run().unwrap();
    }
}

#[test]
fn memory_is_given_back_from_stage_to_stage() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert((0..300).map(|n| Document::new().with("n", n).with("text", "x".repeat(100)))).unwrap();
    let sorts = |count: usize| (0..count).fold(numbers.pipeline().unset(["none"]), |p, _| p.sort(asc("n")));
    let (one, many) = (sorts(1).explain().unwrap(), sorts(5).explain().unwrap());
    assert!(many.memory_peak_bytes < 2 * one.memory_peak_bytes + 1_000, "{one}\n{many}");
}

#[test]
fn rows_stream_and_see_one_moment() {
    let (_db, films) = films();
    let mut rows = films.pipeline().set("half", blaze::expression::path("rating") / 2).iter().unwrap();
    assert_eq!(rows.next().unwrap().unwrap().get("half"), Some(&Value::from(4.25)));
    films.delete("t").unwrap();
    drop(films);
    assert_eq!(rows.map(Result::unwrap).count(), 3);
}

#[test]
fn results_come_as_types() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Year {
        year: i32,
        films: u64,
        avg_rating: f64,
    }
    let (_db, films) = films();
    let years: Vec<Year> = films.pipeline().group("year", [count().named("films"), avg("rating")]).run_as().unwrap();
    assert_eq!(years[2], Year { year: 1979, films: 2, avg_rating: 8.375 });
    let error = films.pipeline().project(["title"]).run_as::<Year>().unwrap_err();
    assert!(error.to_string().contains("row 0"), "{error}");
}

#[test]
fn an_empty_collection_has_no_groups_and_one_total() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    assert!(films.pipeline().group("year", [count()]).run().unwrap().is_empty());
    let total = films.pipeline().aggregate([count(), sum("rating"), avg("rating")]).run().unwrap();
    assert_eq!(total, [Document::new().with("count", 0).with("sum_rating", 0).with("avg_rating", ())]);
}

#[test]
fn an_error_names_the_document_and_ends_the_rows() {
    let (_db, films) = films();
    films.insert_with_id("x", &Document::new().with("rating", "good")).unwrap();
    let error = films.pipeline().aggregate([avg("rating")]).run().unwrap_err();
    let told = error.to_string();
    assert!(told.contains("document x") || told.contains("document \"x\""), "{told}");
    assert!(told.contains(r#"avg_rating: "good" is a string, not a number"#), "{told}");
    let mut rows = films.pipeline().set("double", blaze::expression::path("rating") * 2).iter().unwrap();
    let failed = rows.by_ref().filter(Result::is_err).count();
    assert_eq!((failed, rows.next().is_none()), (1, true));
}
