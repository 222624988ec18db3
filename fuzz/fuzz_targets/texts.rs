//! Search by words over random operations, in transactions with savepoints and in snapshots, against BM25 by looking at every
//! document.

#![no_main]

#[allow(dead_code, unreachable_pub, reason = "the tests use more of it")]
#[path = "../../tests/it/texts/naive.rs"]
mod naive;

use std::sync::Arc;

use blaze::{
    Collection, Database, Document, Entropy, Index, ManualClock, Savepoint, SeededEntropy, Snapshot, TextQuery,
    Transaction, Value, field,
};
use libfuzzer_sys::fuzz_target;
use naive::{FIELDS, Naive, random_document, random_query};
use parking_lot::Mutex;

/// The input as random numbers; zeros when it has ended.
#[derive(Debug)]
struct Input(Mutex<Vec<u8>>);

impl Entropy for Input {
    fn next_u64(&self) -> u64 {
        let mut bytes = self.0.lock();
        let from = bytes.len().saturating_sub(2);
        bytes.drain(from..).fold(0, |number, byte| number << 8 | u64::from(byte))
    }
}

impl Input {
    fn below(&self, end: u64) -> u64 {
        self.next_u64() % end
    }

    fn is_over(&self) -> bool {
        self.0.lock().is_empty()
    }
}

fn films(collection: blaze::Result<Collection<Document>>) -> Collection<Document> {
    collection.expect("the collection is there")
}

fn index() -> Index {
    Index::text(FIELDS.map(|(name, _)| name)).field_boost("title", 2.0)
}

fn change(films: &Collection<Document>, naive: &mut Naive, input: &Input) {
    let id = input.below(40) as i64;
    match input.below(4) {
        0 => {
            let was_there = naive.documents.remove(&id).is_some();
            assert_eq!(films.delete(id).expect("a deletion"), was_there);
        }
        _ => {
            let document = random_document(input);
            films.put(id, &document).expect("a document");
            naive.documents.insert(id, document);
        }
    }
}

fn check(films: &Collection<Document>, naive: &Naive, query: &TextQuery, group: Option<i64>) {
    let admits = |document: &Document| group.is_none_or(|group| document.get("group") == Some(&Value::from(group)));
    let expected = naive.search(query, admits);
    let mut search = films.search().text(query).limit(10);
    if let Some(group) = group {
        search = search.filter(field("group").eq(group));
    }
    assert_eq!(search.count().expect("a search"), expected.len() as u64, "{query}");
    let hits = search.run().expect("a search");
    assert_eq!(hits.len(), expected.len().min(10), "{query}");
    for (hit, (_, score)) in hits.iter().zip(&expected) {
        let own = expected.iter().find(|(id, _)| hit.id == (*id).into()).expect("a hit matches").1;
        for wanted in [own, *score] {
            let difference = (f64::from(hit.score) - wanted).abs();
            assert!(difference <= 1e-4 * wanted.max(1.0), "{query}: {:?} has {}, not {wanted}", hit.id, hit.score);
        }
    }
}

fn ask(films: &Collection<Document>, naive: &Naive, input: &Input) {
    let query = random_query(input, 2);
    let group = (input.below(2) == 0).then(|| input.below(10) as i64);
    check(films, naive, &query, group);
}

/// A transaction that is open, what it would leave, and its savepoints.
struct Open {
    transaction: Transaction,
    naive: Naive,
    savepoints: Vec<(Savepoint, Naive)>,
}

fn in_transaction(open: &mut Open, input: &Input) {
    let own = films(open.transaction.collection("films"));
    match input.below(5) {
        0 => {
            let savepoint = open.transaction.savepoint().expect("a savepoint");
            open.savepoints.push((savepoint, open.naive.clone()));
        }
        1 if !open.savepoints.is_empty() => {
            let at = input.below(open.savepoints.len() as u64) as usize;
            open.transaction.rollback_to(&open.savepoints[at].0).expect("a savepoint that is there");
            open.naive = open.savepoints[at].1.clone();
            open.savepoints.truncate(at + 1);
        }
        2 => ask(&own, &open.naive, input),
        _ => change(&own, &mut open.naive, input),
    }
}

fn run(input: &Input) {
    let (clock, entropy) = (ManualClock::at_ms(1_000_000), SeededEntropy::new(7));
    let db = Database::builder().clock(Arc::new(clock)).entropy(Arc::new(entropy)).in_memory().expect("memory");
    let all = films(db.collection("films"));
    all.ensure_index(index()).expect("an index");
    let mut naive = Naive::default();
    let mut open: Option<Open> = None;
    let mut snapshots: Vec<(Snapshot, Naive)> = Vec::new();
    while !input.is_over() {
        match (input.below(16), &mut open) {
            (0, _) => db.settle().expect("folds"),
            (1, None) => {
                let transaction = db.begin().expect("a transaction");
                open = Some(Open { transaction, naive: naive.clone(), savepoints: Vec::new() });
            }
            (2, Some(_)) => {
                if let Some(Open { transaction, naive: written, .. }) = open.take() {
                    transaction.commit().expect("nobody else has written");
                    naive = written;
                }
            }
            (3, Some(_)) => drop(open.take()),
            (4, _) if snapshots.len() < 3 => snapshots.push((db.snapshot().expect("a snapshot"), naive.clone())),
            (5, None) => {
                all.drop_index(&all.indexes().expect("indexes")[0].name).expect("it is there");
                all.ensure_index(index()).expect("an index");
            }
            (6..=7, _) => {
                for (snapshot, naive) in &snapshots {
                    ask(&films(snapshot.collection("films")), naive, input);
                }
            }
            (8..=9, _) => ask(&all, &naive, input),
            (_, Some(open)) => in_transaction(open, input),
            (_, None) => change(&all, &mut naive, input),
        }
    }
    drop(open);
    ask(&all, &naive, input);
    assert!(db.verify().expect("memory").is_healthy(), "what is there holds together");
}

fuzz_target!(|bytes: &[u8]| run(&Input(Mutex::new(bytes.to_vec()))));
