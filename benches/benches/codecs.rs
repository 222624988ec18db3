//! Documents as records of Blaze, as BSON and as JSON; values as keys.

#![expect(clippy::expect_used, reason = "a benchmark whose work fails has nothing to tell")]

use std::hint::black_box;

use blaze_bench::codec::{self, Codec, Sample};
use blaze_core::key::{self, Order};
use blaze_core::{Decimal, Path, Time, Uuid, Value};
use criterion::{BenchmarkId, Criterion, Throughput};

const RIVALS: [&str; 3] = ["Blaze record", "BSON", "JSON"];

/// A flat document like most, and a nested one, each with the path of the field that is read.
const DOCUMENTS: [(&str, &str, &str); 2] = [
    (
        "film",
        "year",
        r#"{"title": "Solaris", "year": 1972, "cast": ["Natalya Bondarchuk", "Donatas Banionis", "Jüri Järvet"],
            "genres": ["Drama", "Science Fiction"], "rating": 8.1, "seen": true,
            "extract": "The ocean that covers the planet answers in its own way."}"#,
    ),
    (
        "customer",
        "address.city",
        r#"{"number": 17, "name": "amber fjord", "email": "amber.4711@example.com", "age": 42, "score": 17.25, "active": true,
            "tags": ["kelp", "nimbus"], "address": {"street": "granite harbour 7", "city": "meadow", "zip": "01234"},
            "balance": -123456789012, "referrer": null, "orders": [
              {"placed_ms": 1700000000000, "paid": true, "lines": [
                {"sku": 1048575, "name": "ember birch", "price": 12.5, "quantity": 3},
                {"sku": 77, "name": "cobalt", "price": 99.99, "quantity": 1}]},
              {"placed_ms": 1700000500000, "paid": false, "lines": [
                {"sku": 4242, "name": "lantern delta", "price": 0.75, "quantity": 4}]}]}"#,
    ),
];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, path, text) in DOCUMENTS {
        let sample = Sample::parse(text).expect("the document is well-formed");
        for mut codec in codec::all().into_iter().filter(|codec| RIVALS.contains(&codec.name())) {
            codec.prepare(&sample);
            documents(&mut criterion, name, &*codec, &sample, &Path::from(path));
        }
    }
    keys(&mut criterion);
    criterion.final_summary();
}

fn documents(criterion: &mut Criterion, name: &str, codec: &dyn Codec, sample: &Sample, path: &Path) {
    let mut bytes = Vec::new();
    codec.encode(sample, &mut bytes).expect("the document can be encoded");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    let mut out = Vec::new();
    group.bench_function(BenchmarkId::new("encode", codec.name()), |bencher| {
        bencher.iter(|| {
            out.clear();
            codec.encode(black_box(sample), &mut out)
        });
    });
    group.bench_function(BenchmarkId::new("decode", codec.name()), |bencher| {
        bencher.iter(|| codec.decode(black_box(&bytes)));
    });
    group.bench_function(BenchmarkId::new("read a field", codec.name()), |bencher| {
        bencher.iter(|| codec.read(black_box(&bytes), path));
    });
    group.finish();
}

fn keys(criterion: &mut Criterion) {
    let decimal = "1234.50".parse::<Decimal>().expect("a decimal");
    let values = [
        ("integer", Value::from(1_234_567)),
        ("float", Value::from(1234.5)),
        ("decimal", Value::from(decimal)),
        ("string of 20 bytes", Value::from("user4711@example.com")),
        ("string of 200 bytes", Value::from("x".repeat(200))),
        ("time", Value::from(Time::from_micros(1_700_000_000_000_000))),
        ("UUID", Value::from(Uuid::from_bytes([7; 16]))),
    ];
    let mut group = criterion.benchmark_group("key");
    for (name, value) in &values {
        for (order, word) in [(Order::Ascending, "ascending"), (Order::Descending, "descending")] {
            let mut out = Vec::new();
            group.bench_function(BenchmarkId::new(*name, word), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    key::write_value(&mut out, black_box(value), order);
                });
            });
        }
    }
    group.finish();
}
