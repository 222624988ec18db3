//! Values, samples and parts of documents.

use std::collections::BTreeSet;
use std::sync::Arc;

use blaze::{Database, Document, ErrorKind, Hint, Index, SeededEntropy, Value, field, limits};

use super::plans::Random;

#[test]
fn distinct_values_are_the_same_with_and_without_an_index() {
    for seed in 0..8 {
        let random = Random(SeededEntropy::new(seed));
        let db = Database::in_memory().unwrap();
        let things = db.collection::<Document>("things").unwrap();
        things.insert_many((0..200).map(|_| random.document())).unwrap();
        let paths = ["a", "tags", "items", "items.k", "absent"];
        let all = || paths.map(|path| things.find_all().distinct(path).unwrap());
        let by_scan = all();
        for path in paths {
            let index = if seed.is_multiple_of(2) { Index::on(path) } else { Index::on_desc(path) };
            things.ensure_index(index.then("s")).unwrap();
        }
        assert_eq!(all(), by_scan, "seed {seed}");
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("things").unwrap();
        own.insert(&Document::new().with("a", "own").with("tags", vec![Value::from("own")])).unwrap();
        let leapt = own.find_all().distinct("tags").unwrap();
        assert_eq!(leapt, own.find_all().hint(Hint::Scan).distinct("tags").unwrap(), "seed {seed}");
        assert!(leapt.contains(&"own".into()) && leapt.is_sorted(), "seed {seed}: {leapt:?}");
        let filtered = things.find(field("a").ge(2)).distinct("a").unwrap();
        let expected: Vec<Value> =
            by_scan[0].iter().filter(|value| field("a").ge(2).matches(&a(value))).cloned().collect();
        assert!(expected.iter().all(|value| filtered.contains(value)), "seed {seed}: {filtered:?}");
    }
}

fn a(value: &Value) -> Document {
    Document::new().with("a", value.clone())
}

#[test]
fn an_array_counts_as_its_elements_and_equal_numbers_are_one() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let values = [Value::from(1.0), 1.into(), vec![Value::from(2), vec![Value::from(3)].into_iter().collect()].into()];
    things.insert_many(values.iter().map(a)).unwrap();
    things.insert_many([a(&Value::Array(Vec::new())), Document::new(), a(&Value::Null)]).unwrap();
    let expected = [Value::Null, 1.into(), 2.into(), vec![Value::from(3)].into_iter().collect()];
    assert_eq!(things.find_all().distinct("a").unwrap(), expected);
    things.ensure_index(Index::on("a")).unwrap();
    assert_eq!(things.find_all().distinct("a").unwrap(), expected);
    let error = things.find_all().distinct("a..b").unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("in distinct"), "{error}");
}

#[test]
fn a_sample_is_even_and_repeats_with_its_seed() {
    let sample = |seed: u64, count: usize| {
        let db = Database::builder().entropy(Arc::new(SeededEntropy::new(seed))).in_memory().unwrap();
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.bulk().insert_with_ids((0..20).map(|n| (n, Document::new().with("n", n)))).unwrap();
        let found = numbers.find(field("n").ge(10)).sample(count).unwrap();
        found.iter().map(|found| found.get("n").unwrap().as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(sample(1, 3), sample(1, 3));
    let mut counts = [0; 20];
    for seed in 0..400 {
        let chosen = sample(seed, 3);
        assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), 3, "seed {seed}: {chosen:?}");
        chosen.iter().for_each(|n| counts[*n as usize] += 1);
    }
    // 120 are expected of each; the deviation is about 9.
    assert!(counts[..10].iter().all(|count| *count == 0), "{counts:?}");
    assert!(counts[10..].iter().all(|count| (75..165).contains(count)), "{counts:?}");
    assert_eq!((sample(2, 0).len(), sample(2, 50).len()), (0, 10));
    let db = Database::in_memory().unwrap();
    let empty = db.collection::<Document>("empty").unwrap();
    let error = empty.find_all().sample(limits::SAMPLE_ROWS_MAX + 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

#[test]
fn a_selection_keeps_maps_and_arrays_around_what_it_selects() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let item = |k: i64| Value::from(Document::new().with("k", k).with("n", -k));
    let items: Value = [item(1), Value::from("no map"), item(2)].into_iter().collect();
    things.insert_with_id(1, &Document::new().with("a", 1).with("items", items).with("b", "text")).unwrap();
    let of = |paths: &[&str]| things.find_all().select(paths.to_vec()).first().unwrap().unwrap().fields;
    let but = |paths: &[&str]| things.find_all().without(paths.to_vec()).first().unwrap().unwrap().fields;
    let k = |k: i64| Value::from(Document::new().with("k", k));
    assert_eq!(of(&["b", "absent"]), Document::new().with("b", "text"));
    assert_eq!(of(&["items.k"]), Document::new().with("items", vec![k(1), k(2)]));
    let empty = || Value::from(Document::new()); // it could have had a key "1"
    assert_eq!(of(&["items.1"]), Document::new().with("items", vec![empty(), "no map".into(), empty()]));
    assert_eq!(of(&["a.b"]), Document::new());
    assert_eq!(but(&["items", "b"]), Document::new().with("a", 1));
    assert_eq!(but(&["items.n", "a", "b"]), Document::new().with("items", vec![k(1), "no map".into(), k(2)]));
    for (error, words) in [
        (things.find_all().select(Vec::<&str>::new()).run().unwrap_err(), "names no path"),
        (things.find_all().without(["a..b"]).run().unwrap_err(), "in a selection"),
    ] {
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_selection_is_the_same_from_an_index() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    things.ensure_index(Index::on("s").then("n")).unwrap();
    things.ensure_index(Index::on("t")).unwrap();
    for n in 0..5_i64 {
        let text = format!("text {n}");
        things.insert(&Document::new().with("s", text.as_str()).with("t", text.as_str()).with("n", 2.0)).unwrap();
    }
    for name in ["s", "t"] {
        for hint in [Hint::Scan, Hint::index(if name == "s" { "s_n" } else { "t" })] {
            let rows = things.find(field(name).ge("text 3")).hint(hint).select([name]).run().unwrap();
            let found: Vec<Document> = rows.into_iter().map(|row| row.fields).collect();
            assert_eq!(found, ["text 3", "text 4"].map(|text| Document::new().with(name, text)));
        }
    }
    // A float comes back from an index as an integer, and is therefore read from the document.
    let row = things.find(field("s").eq("text 1")).select(["n"]).first().unwrap().unwrap();
    assert!(matches!(row.fields.get("n"), Some(Value::Float(_))), "{row:?}");
}

#[test]
fn one_document_is_asked_for_and_several_are_refused() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    things.bulk().insert_with_ids((0..3).map(|n| (n, Document::new().with("n", n / 2)))).unwrap();
    let of = |n: i64| things.find(field("n").eq(n)).one();
    assert_eq!(of(1).unwrap().unwrap().id, 2.into());
    assert!(of(7).unwrap().is_none());
    let error = of(0).unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("several"), "{error}");
}
