//! Several indexes on a field, their models, their copies, bits, misfits, and indexes of some documents only.

use blaze::{
    Collection, Copies, Database, Document, ErrorKind, FilterStrategy, Index, Metric, OnMismatch, SearchPath, Value,
    Vector, field,
};

use super::ids;

fn points(vectors: &[(&str, Vector)]) -> (Database, Collection<Document>) {
    let db = Database::temporary().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    for (id, vector) in vectors {
        points.insert_with_id(*id, &Document::new().with("v", vector.clone())).unwrap();
    }
    (db, points)
}

fn floats(numbers: &[f32]) -> Vector {
    Vector::F32(numbers.to_vec())
}

#[test]
fn of_several_indexes_on_a_field_the_named_one_is_searched_or_the_first_that_fits() {
    let (_db, points) = points(&[("far", floats(&[9.0, 0.0])), ("near", floats(&[1.0, 1.0]))]);
    points.ensure_index(Index::vector("v", 3).named("wide").on_mismatch(OnMismatch::Skip)).unwrap();
    points.ensure_index(Index::vector("v", 2).named("angle").model("a")).unwrap();
    points.ensure_index(Index::vector("v", 2).named("distance").metric(Metric::L2).model("b")).unwrap();
    let bits = Index::vector("v", 16).named("bits").metric(Metric::Hamming).on_mismatch(OnMismatch::Skip);
    points.ensure_index(bits).unwrap();
    points.insert_with_id("bits", &Document::new().with("v", Vector::Bits(vec![1, 2]))).unwrap_err();
    let near = || points.search().nearest("v", &[1.0, 0.0]).limit(1);
    let first = |search: blaze::Search<Document>| {
        (search.explain().unwrap().index.clone(), ids(&search.run().unwrap()).concat())
    };
    assert_eq!(first(near()), ("angle".to_owned(), "far".to_owned()));
    assert_eq!(first(near().index("distance")), ("distance".to_owned(), "near".to_owned()));
    assert_eq!(first(near().model("b")), ("distance".to_owned(), "near".to_owned()));
    let refused = |search: blaze::Search<Document>, words: &[&str]| {
        let error = search.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        words.iter().for_each(|word| assert!(error.to_string().contains(word), "{word:?} is not in {error}"));
    };
    refused(near().model("b").index("angle"), &["model \"b\"", "\"angle\" is of model \"a\""]);
    refused(near().model("c"), &["model \"c\"", "\"wide\" is of no model"]);
    refused(near().index("bits"), &["of numbers", "bits are needed", "hamming"]);
    refused(near().index("wide"), &["2 components", "has 3"]);
    assert_eq!(points.search().nearest("v", Vector::Bits(vec![1, 2])).run().unwrap().len(), 0);
    assert_eq!(points.search().nearest("v", &[0.0; 3]).index("wide").run().unwrap_err().kind(), ErrorKind::Invalid);
    let models: Vec<_> = points.indexes().unwrap().into_iter().map(|index| index.model).collect();
    assert_eq!(models, [None, Some("a".to_owned()), Some("b".to_owned()), None]);
}

#[test]
fn another_model_on_the_same_name_is_an_error_that_names_both() {
    let (_db, points) = points(&[]);
    points.ensure_index(Index::vector("v", 2).model("old")).unwrap();
    points.ensure_index(Index::vector("v", 2).model("old")).unwrap();
    for other in [Index::vector("v", 2).model("new"), Index::vector("v", 2)] {
        let error = points.ensure_index(other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("model \"old\""), "{error}");
    }
    let error = points.ensure_index(Index::vector("v", 2).model("new")).unwrap_err().to_string();
    assert!(error.contains("model \"new\"") && error.contains("replace it"), "{error}");
}

#[test]
fn bits_are_compared_by_how_many_differ() {
    let bits = |bytes: &[u8]| Vector::Bits(bytes.to_vec());
    let (_db, points) = points(&[("a", bits(&[0, 0])), ("b", bits(&[0b111, 0])), ("c", bits(&[0xFF, 0xFF]))]);
    points.insert_with_id("none", &Document::new().with("v", Value::Null)).unwrap();
    points.ensure_index(Index::vector("v", 16).metric(Metric::Hamming)).unwrap();
    let hits = points.search().nearest("v", bits(&[0b11, 0])).run().unwrap();
    let found: Vec<_> = hits.iter().map(|hit| (hit.id.to_string(), hit.distance)).collect();
    assert_eq!(found, [("b".to_owned(), 1.0), ("a".to_owned(), 2.0), ("c".to_owned(), 14.0)]);
    assert_eq!(hits[0].score, 1.0 - 1.0 / 16.0);
    for (vector, word) in [(bits(&[1]), "8 components"), (floats(&[0.0; 16]), "of numbers")] {
        let error = points.insert(&Document::new().with("v", vector)).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(word), "{error}");
    }
    let error = points.search().similar_to("v", ["a"]).run().unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("no average"), "{error}");
}

#[test]
fn examples_are_looked_for_in_each_index_that_fits() {
    let rows = [("flat", floats(&[1.0, 0.0])), ("deep", floats(&[1.0, 0.0, 0.0])), ("other", floats(&[1.0, 0.1, 0.0]))];
    let (_db, points) = points(&rows);
    points.ensure_index(Index::vector("v", 2).on_mismatch(OnMismatch::Skip)).unwrap();
    points.ensure_index(Index::vector("v", 3).named("wide").on_mismatch(OnMismatch::Skip)).unwrap();
    let like = |ids: &[&str]| points.search().similar_to("v", ids.to_vec()).run();
    assert_eq!(ids(&like(&["deep"]).unwrap()), ["other"]);
    assert_eq!(ids(&like(&["flat"]).unwrap()), [""; 0]);
    let error = like(&["flat", "deep"]).unwrap_err().to_string();
    assert!(error.contains("\"deep\" has no vector in the index \"v\""), "{error}");
    let error = points.search().similar_to("v", ["deep"]).index("v").run().unwrap_err().to_string();
    assert!(error.contains("no vector in the index \"v\""), "{error}");
    assert_eq!(like(&["nobody"]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn copies_in_half_precision_take_half_the_space_and_measure_what_they_hold() {
    for copies in Copies::ALL {
        let (db, points) = points(&[("a", floats(&[0.1, 3.3])), ("b", floats(&[-7.7, 2.5]))]);
        points.ensure_index(Index::vector("v", 2).metric(Metric::L2).copies(copies)).unwrap();
        let hits = points.search().nearest("v", &[0.1, 3.3]).run().unwrap();
        assert_eq!(ids(&hits), ["a", "b"]);
        let error = hits[0].distance;
        assert!(if copies == Copies::F32 { error == 0.0 } else { error > 0.0 && error < 0.02 }, "{copies}: {error}");
        assert_eq!(hits[0].value.get("v"), Some(&floats(&[0.1, 3.3]).into()), "the document is as it was written");
        assert!(db.verify().unwrap().is_healthy());
        assert!(db.repair().unwrap().indexes.is_empty());
    }
    let (_db, points) = points(&[]);
    points.ensure_index(Index::vector("v", 2).copies(Copies::F16)).unwrap();
    for (vector, word) in [([1.0, 1e5], "component 1 of the vector is 100000"), ([1e-9, 0.0], "no direction")] {
        let error = points.insert(&Document::new().with("v", floats(&vector))).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(word), "{error}");
    }
    assert_eq!(points.count().unwrap(), 0);
}

#[test]
fn documents_that_do_not_fit_are_skipped_where_that_was_chosen() {
    let (db, points) = points(&[("wide", floats(&[1.0; 3])), ("fits", floats(&[1.0, 0.0]))]);
    points.insert_with_id("text", &Document::new().with("v", "text")).unwrap();
    points.ensure_index(Index::vector("v", 2)).unwrap_err();
    points.ensure_index(Index::vector("v", 2).on_mismatch(OnMismatch::Skip)).unwrap();
    points.insert_with_id("mixed", &Document::new().with("v", vec![Value::from(1), "two".into()])).unwrap();
    let found = || ids(&points.search().nearest("v", &[1.0, 0.0]).run().unwrap());
    assert_eq!(found(), ["fits"]);
    points.update("wide", blaze::set("v", floats(&[0.0, 1.0]))).unwrap();
    points.update("fits", blaze::set("v", floats(&[1.0]))).unwrap();
    assert_eq!(found(), ["wide"]);
    for (vector, word) in [([0.0, 0.0], "zero"), ([f32::NAN, 1.0], "NaN")] {
        let error = points.insert(&Document::new().with("v", floats(&vector))).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(word), "{error}");
    }
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn a_partial_index_is_searched_when_the_filter_implies_its_own() {
    let (db, points) = points(&[]);
    points.ensure_index(Index::vector("v", 1).metric(Metric::L2).only(field("state").eq("open"))).unwrap();
    for n in 0..20 {
        let state = if n % 2 == 0 { "open" } else { "closed" };
        points.insert_with_id(n, &Document::new().with("v", floats(&[n as f32])).with("state", state)).unwrap();
    }
    points.update(0, blaze::set("state", "closed")).unwrap();
    let near = points.search().nearest("v", &[0.0]).limit(2);
    let open = near.clone().filter(field("state").eq("open"));
    assert_eq!(ids(&open.run().unwrap()), ["2", "4"]);
    assert_eq!(open.explain().unwrap().vectors_examined, 9);
    let error = near.run().unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("is partial"), "{error}");
    points.ensure_index(Index::vector("v", 1).metric(Metric::L2).named("all")).unwrap();
    assert_eq!(near.explain().unwrap().index, "all");
    assert_eq!(ids(&near.run().unwrap()), ["0", "1"]);
    assert!(db.verify().unwrap().is_healthy());
}

#[test]
fn an_explanation_says_where_was_looked_and_how_often_compared() {
    let (_db, points) = points(&[]);
    points.ensure_index(Index::vector("v", 1).metric(Metric::L2)).unwrap();
    points.ensure_index(Index::on("n")).unwrap();
    for n in 0..100 {
        points.insert_with_id(n, &Document::new().with("v", floats(&[n as f32])).with("n", n).with("m", n)).unwrap();
    }
    let explain = |filter: blaze::Filter| points.search().nearest("v", &[0.0]).filter(filter).explain().unwrap();
    let of = |filter| {
        let explain = explain(filter);
        (explain.path, explain.filter, explain.vectors_examined, explain.distances_computed, explain.documents_examined)
    };
    let exact = SearchPath::Exact;
    assert_eq!(of(blaze::Filter::everything()), (exact, FilterStrategy::None, 100, 100, 0));
    assert_eq!(of(field("n").lt(7)), (exact, FilterStrategy::First, 7, 7, 0));
    assert_eq!(of(field("m").ge(50)), (exact, FilterStrategy::Checked, 100, 100, 60), "until ten are found");
    let text = explain(field("m").ge(95)).to_string();
    assert!(text.contains("vector index v on v (1, l2), exact") && text.contains("m >= 95"), "{text}");
    assert!(text.ends_with("vectors examined 100, distances computed 100"), "{text}");
    let diverse = points.search().nearest("v", &[0.0]).diverse(0.5).limit(3).explain().unwrap();
    assert_eq!((diverse.rows, diverse.distances_computed), (3, 100 + 49 + 48 + 47));
    let json = serde_json::to_string(&diverse).unwrap();
    assert!(json.contains("\"path\":\"exact\"") && json.contains("\"distances_computed\":244"), "{json}");
}
