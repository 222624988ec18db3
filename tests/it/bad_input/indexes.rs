//! Indexes that cannot be, and documents that do not fit one.

use blaze::limits::{INDEX_FIELDS_MAX, INDEXES_PER_COLLECTION_MAX, VECTOR_DIMENSIONS_MAX};
use blaze::{Copies, Database, Document, ErrorKind, Index, Metric, OnMismatch, Value, Vector, set};

use super::{Fixture, contents, film, refused};

#[test]
fn an_index_has_well_formed_fields() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let many = (1..=INDEX_FIELDS_MAX).fold(Index::on("f0"), |index, number| index.then(format!("f{number}")));
    fixture.refuses(films.ensure_index(Index::on("")), ErrorKind::Invalid, &["\"films\"", "path \"\"", "empty step"]);
    fixture.refuses(films.ensure_index(Index::on("a").then("b..c")), ErrorKind::Invalid, &["b..c", "empty step"]);
    fixture.refuses(films.ensure_index(Index::vector("", 3)), ErrorKind::Invalid, &["path \"\"", "empty step"]);
    fixture.refuses(
        films.ensure_index(Index::on("a").then("b").then_desc("a")),
        ErrorKind::Invalid,
        &["field a twice"],
    );
    fixture.refuses(films.ensure_index(many.named("many")), ErrorKind::LimitExceeded, &["17 fields", "limit is 16"]);
    let long = Index::on(["a"; 101].join(".")).named("long");
    fixture.refuses(films.ensure_index(long), ErrorKind::LimitExceeded, &["101 steps", "limit is 100"]);
}

#[test]
fn a_vector_index_has_a_dimension_and_a_metric_for_numbers() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let above = VECTOR_DIMENSIONS_MAX + 1;
    fixture.refuses(films.ensure_index(Index::vector("v", 0)), ErrorKind::Invalid, &["on v is 0", "1 to 4096"]);
    fixture.refuses(films.ensure_index(Index::vector("v", above)), ErrorKind::Invalid, &["4097", "1 to 4096"]);
    let bits = |dimension| Index::vector("v", dimension).metric(Metric::Hamming);
    fixture.refuses(films.ensure_index(bits(12)), ErrorKind::Invalid, &["on v is 12 bits", "multiple of 8"]);
    let halves = bits(8).copies(Copies::Bf16);
    fixture.refuses(films.ensure_index(halves), ErrorKind::Invalid, &["on v", "hamming", "no copies", "bf16"]);
    let model = |label: String| Index::vector("v", 8).model(label);
    fixture.refuses(films.ensure_index(model(String::new())), ErrorKind::Invalid, &["model name is empty"]);
    fixture.refuses(films.ensure_index(model("m".repeat(129))), ErrorKind::LimitExceeded, &["129 bytes", "is 128"]);
}

#[test]
fn a_name_of_an_index_has_one_meaning() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let other = Index::on_desc("year").named("year");
    fixture.refuses(films.ensure_index(other), ErrorKind::Invalid, &["\"year\" is on year, not on year desc"]);
    let other = Index::vector("embedding", 4);
    let words = ["is on embedding (3, cosine), not on embedding (4, cosine)", "drop it first"];
    fixture.refuses(films.ensure_index(other), ErrorKind::Invalid, &words);
    let other = Index::vector("embedding", 3).metric(Metric::L2);
    fixture.refuses(films.ensure_index(other), ErrorKind::Invalid, &["(3, l2)"]);
    let words = ["(3, cosine), not on embedding (3, cosine, model \"m\", copies in f16, others skipped)"];
    let other = Index::vector("embedding", 3).model("m").copies(Copies::F16).on_mismatch(OnMismatch::Skip);
    fixture.refuses(films.ensure_index(other), ErrorKind::Invalid, &words);
    films.ensure_index(Index::on("year")).unwrap();
    assert_eq!(contents(&fixture.db), fixture.before, "the same index again is no change");
    assert!(!films.drop_index("absent").unwrap() && !films.drop_index("").unwrap());
}

#[test]
fn a_collection_has_a_largest_number_of_indexes() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    for number in 0..INDEXES_PER_COLLECTION_MAX {
        numbers.ensure_index(Index::on(format!("f{number}"))).unwrap();
    }
    let before = contents(&db);
    refused(
        numbers.ensure_index(Index::on("more")),
        ErrorKind::LimitExceeded,
        &["\"numbers\"", "64 indexes", "limit is 64"],
    );
    assert_eq!(contents(&db), before);
    numbers.ensure_index(Index::on("f0")).unwrap();
}

/// Values that the field of a vector index of dimension 3 cannot hold, and what the error says of them.
fn misfits() -> Vec<(Value, &'static str)> {
    vec![
        (Vector::F32(vec![1.0, 2.0]).into(), "2 components, the index has 3"),
        (Vector::F32(vec![1.0, 2.0, 3.0, 4.0]).into(), "4 components, the index has 3"),
        (Vector::F32(vec![1.0, f32::NAN, 3.0]).into(), "component 1 of the vector is NaN"),
        (Vector::F32(vec![1.0, 2.0, f32::INFINITY]).into(), "component 2 of the vector is inf"),
        (Vector::F32(vec![0.0; 3]).into(), "zero"),
        (Vector::Bits(vec![1, 2, 3]).into(), "vector"),
        (Value::Array(vec![1.into(), "two".into(), 3.into()]), "component 1 is string, a number is needed"),
        (Value::Array(vec![1.into(), 2.into()]), "2 components, the index has 3"),
        ("text".into(), "found string, a vector is needed"),
        (7.into(), "found int, a vector is needed"),
    ]
}

#[test]
fn a_vector_that_does_not_fit_its_index_is_refused_by_every_write() {
    let fixture = Fixture::new();
    let films = fixture.films();
    for (value, reason) in misfits() {
        let bad = film("Mirror", 1975).with("embedding", value.clone());
        let words = ["index \"embedding\"", "document", reason];
        fixture.refuses(films.insert(&bad), ErrorKind::Invalid, &words);
        fixture.refuses(films.insert_with_id("mirror", &bad), ErrorKind::Invalid, &["document \"mirror\"", reason]);
        fixture.refuses(films.insert_many([film("Mirror", 1975), bad.clone()]), ErrorKind::Invalid, &words);
        fixture.refuses(films.bulk().insert([film("Mirror", 1975), bad.clone()]), ErrorKind::Invalid, &words);
        fixture.refuses(films.put("solaris", &bad), ErrorKind::Invalid, &words);
        fixture.refuses(films.replace("solaris", &bad), ErrorKind::Invalid, &words);
        fixture.refuses(films.update("solaris", set("embedding", value)), ErrorKind::Invalid, &words);
    }
    films.insert(&film("Mirror", 1975).with("embedding", Value::Null)).unwrap();
}

/// An index of so many fields that long values together are too long, each being cut.
fn nine_texts() -> Index {
    (1..9).fold(Index::on("texts.t0"), |index, n| index.then(format!("texts.t{n}"))).named("texts")
}

fn long_texts() -> Value {
    (0..9).map(|n| (format!("t{n}"), "t".repeat(2_000))).collect::<Document>().into()
}

#[test]
fn a_document_with_too_large_or_too_many_entries_is_refused_by_every_write() {
    let fixture = Fixture::new();
    let films = fixture.films();
    let items = (0..10_001).map(|number| Document::new().with("n", number)).collect::<Value>();
    films.ensure_index(nine_texts()).unwrap();
    films.ensure_index(Index::on("key").unique()).unwrap();
    films.ensure_index(Index::on("items.n")).unwrap();
    let fixture = Fixture { before: contents(&fixture.db), ..fixture };
    let cases: [(&str, Value, &[&str]); 3] = [
        ("texts", long_texts(), &["index \"texts\"", "an entry would have 92", "limit is 8192"]),
        ("key", "t".repeat(2_000).into(), &["index \"key\"", "a value takes 2003 bytes", "limit", "is 1024"]),
        ("items", items, &["index \"items.n\"", "10001 entries", "limit is 10000"]),
    ];
    for (field, value, words) in cases {
        let bad = film("Mirror", 1975).with(field, value.clone());
        fixture.refuses(films.insert(&bad), ErrorKind::LimitExceeded, words);
        fixture.refuses(films.insert_many([film("Mirror", 1975), bad.clone()]), ErrorKind::LimitExceeded, words);
        fixture.refuses(films.bulk().insert([bad.clone()]), ErrorKind::LimitExceeded, words);
        fixture.refuses(films.put("solaris", &bad), ErrorKind::LimitExceeded, words);
        fixture.refuses(films.replace("solaris", &bad), ErrorKind::LimitExceeded, words);
        fixture.refuses(films.update("solaris", set(field, value)), ErrorKind::LimitExceeded, words);
    }
}

#[test]
fn an_index_that_a_stored_document_does_not_fit_is_not_built() {
    let fixture = Fixture::new();
    let films = fixture.films();
    for (value, reason) in misfits() {
        films.put("misfit", &film("Mirror", 1975).with("other", value)).unwrap();
        let fixture = Fixture { before: contents(&fixture.db), db: fixture.db.clone() };
        let words = ["\"films\"", "index \"other\"", "document \"misfit\"", reason];
        fixture.refuses(films.ensure_index(Index::vector("other", 3)), ErrorKind::Invalid, &words);
        let tx = fixture.db.begin().unwrap();
        let own = tx.collection::<Document>("films").unwrap();
        refused(own.ensure_index(Index::vector("other", 3)), ErrorKind::Invalid, &words);
        assert_eq!(own.indexes().unwrap().len(), 2);
        tx.commit().unwrap();
        assert_eq!(contents(&fixture.db), fixture.before);
    }
    films.put("misfit", &film("Mirror", 1975).with("texts", long_texts())).unwrap();
    refused(films.ensure_index(nine_texts()), ErrorKind::LimitExceeded, &["\"misfit\"", "limit is 8192"]);
    assert_eq!(films.indexes().unwrap().len(), 2);
}
