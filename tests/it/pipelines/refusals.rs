//! Pipelines that are not well-formed are refused before anything is read.

use blaze::expression::{bucket, path};
use blaze::pipeline::{Lookup, Pipeline, Unwind, avg, by, computed, count, exclude, include, stages, sum};
use blaze::{Document, ErrorKind, asc, field};

use super::films;

#[track_caller]
fn refused(pipeline: &Pipeline, kind: ErrorKind, reason: &str) {
    for error in [pipeline.run().unwrap_err(), pipeline.iter().unwrap_err(), pipeline.explain().unwrap_err()] {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(reason), "told: {error}\nwanted: {reason}");
    }
}

#[test]
fn each_bad_stage_is_named_with_what_is_wrong() {
    let (_db, films) = films();
    let p = || films.pipeline();
    let cases = [
        (p().limit(0), "stage 1 (limit): the limit is 0, at least 1 is needed"),
        (p().skip(1).filter(field("a..b").eq(1)), "stage 2 (filter)"),
        (p().sort(Vec::new()), "stage 1 (sort): there is no key"),
        (p().sort(asc("")), "empty step"),
        (p().unset(Vec::<&str>::new()), "stage 1 (unset): there is no path"),
        (p().unset(["a", "a.b"]), "two of its paths overlap: a and a.b"),
        (p().set_many([("a", "b"), ("a", "c")]), "two of its paths overlap: a and a"),
        (p().set("", "b"), "empty step"),
        (p().set("a", bucket("b", [2, 1])), "a: bucket boundaries do not ascend: 2 stands before 1"),
        (p().project(Vec::<&str>::new()), "stage 1 (project): there is no field"),
        (p().project(["a", "a.b"]), "two of its paths overlap"),
        (p().project([include("a"), exclude("b")]), "\"without b\" and \"a\" exclude each other"),
        (p().project([computed("a.b", "c")]), "the name \"a.b\" of a computed field has a dot"),
        (p().project([computed("", "c")]), "the name of a computed field is empty"),
        (p().project([include("a"), computed("a", "c")]), "two of its paths overlap"),
        (p().group(by(path("a") + 1), [count()]), "\"(a + 1)\" has no name: give it one with named"),
        (p().group("a", [sum(path("b") * 2)]), "\"sum((b * 2))\" has no name"),
        (p().group("a", [count().named("a")]), "two of its results are named \"a\""),
        (p().group(["a", "b.a"], [count()]), "two of its results are named \"a\""),
        (p().group("a..b", [count()]), "empty step"),
        (p().bucket_auto("year", 0, [count()]), "stage 1 (bucket_auto): there are 0 buckets, at least 1 is needed"),
        (p().bucket_auto("a..b", 2, []), "stage 1 (bucket_auto)"),
        (p().bucket_auto("year", 2, [count().named("max")]), "two of its results are named \"max\""),
        (p().bucket_auto("year", 2, [sum(path("b") * 2)]), "has no name"),
        (p().aggregate([]), "there is neither a key nor anything to be computed"),
        (p().aggregate([avg("a..b")]), "avg: path"),
        (p().count("a.b"), "has a dot"),
        (p().unwind(""), "stage 1 (unwind)"),
        (p().unwind(Unwind::path("a").index("")), "the name of the index is empty"),
        (p().unwind(Unwind::path("a.b").index("a")), "the index \"a\" would take the place of the elements"),
        (p().lookup(Lookup::from("films")), "nothing says what to join by"),
        (p().lookup(Lookup::from("").by_id("a")), "the name of the collection is empty"),
        (p().lookup(Lookup::from("films").on("a", "b..c")), "empty step"),
        (p().lookup(Lookup::from("films").by_id("a").named("x.y")), "has a dot"),
        (p().facet(Vec::<(&str, _)>::new()), "there is no pipeline"),
        (p().facet([("a", stages()), ("a", stages())]), "two of its results are named \"a\""),
        (p().facet([("", stages())]), "the name of a facet is empty"),
        (p().facet([("a", stages().facet([("b", stages())]))]), "a facet cannot stand within a facet"),
        (p().facet([("a", stages().skip(1).limit(0))]), "\"a\", stage 2 (limit): the limit is 0"),
        (p().memory_limit(10), "memory_limit is 10 bytes, it must be in 65536..="),
    ];
    for (pipeline, reason) in cases {
        refused(&pipeline, ErrorKind::Invalid, reason);
    }
}

#[test]
fn too_many_stages_are_refused_wherever_they_stand() {
    let (_db, films) = films();
    let long = |count: usize| (0..count).fold(films.pipeline(), |pipeline, _| pipeline.skip(0));
    assert_eq!(long(100).run().unwrap().len(), 4);
    refused(&long(101), ErrorKind::LimitExceeded, "the pipeline has 101 stages, the limit is 100");
    let branch = (0..60).fold(stages(), |pipeline, _| pipeline.skip(0));
    let facet = films.pipeline().facet([("a", branch.clone()), ("b", branch)]);
    refused(&facet, ErrorKind::LimitExceeded, "the pipeline has 121 stages");
}

#[test]
fn a_collection_that_is_not_there_cannot_be_joined() {
    let (db, films) = films();
    let pipeline = films.pipeline().skip(1).lookup(Lookup::from("nowhere").by_id("year"));
    refused(&pipeline, ErrorKind::NotFound, "stage 2 (lookup): there is no collection \"nowhere\"");
    db.keyspace("raw").unwrap();
    refused(&films.pipeline().lookup(Lookup::from("raw").by_id("year")), ErrorKind::Invalid, "not a collection");
}

#[test]
fn a_dropped_collection_is_not_found() {
    let (db, films) = films();
    let pipeline = films.pipeline().group("year", [count()]);
    db.drop_collection("films").unwrap();
    refused(&pipeline, ErrorKind::NotFound, "films");
}

#[test]
fn a_failing_pipeline_leaves_its_transaction_as_it_was() {
    let (db, _films) = films();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("films").unwrap();
    own.insert_with_id("x", &Document::new().with("rating", "good")).unwrap();
    own.pipeline().aggregate([avg("rating")]).run().unwrap_err();
    tx.commit().unwrap();
    assert_eq!(db.collection::<Document>("films").unwrap().count().unwrap(), 5);
}
