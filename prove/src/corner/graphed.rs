//! A collection with enough vectors for a graph, which is made, written, and cut short by closing.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use blaze::limits::SEARCH_LIMIT_MAX;
use blaze::{Collection, Database, Document, Found, Index, SearchPath, Value, Vector};

use super::{ensure, existing, number};
use crate::random::Random;
use crate::workload::persist;
use crate::{Finding, Result, shelves};

const NAME: &str = "graphed";
const INDEX: &str = "at";

/// More than a graph needs, and than is worth keeping of one that is only begun.
const DOCUMENTS: u64 = 6_000;

/// Vectors that one transaction changes: enough that the graph is written when the database is closed.
const CHANGED: u64 = 120;
const PARTS: u64 = DOCUMENTS / CHANGED;

/// The first parts, which may be gone: so few that what is left is enough for a graph.
const REMOVABLE: u64 = 12;

/// Vectors of which each looks for itself.
const LOOKED_FOR: u64 = 100;

/// How far beside a vector it is looked for.
const BESIDE: f32 = 1e-5;

/// Milliseconds that a graph is made for, at most, before the database is closed.
const MAKING_MS_MAX: u64 = 250;

/// Makes a graph, changes it, and closes the database amid that, again and again.
///
/// # Errors
/// What the database does not do as it has to.
pub fn work(mut db: Database, path: &Path, random: &Random) -> Result<()> {
    loop {
        let has_vectors = existing(&db, NAME)?.map_or(Ok(0), |collection| collection.count())? > 0;
        match random.below(10) {
            3..=6 if has_vectors => change(&db, random)?,
            7..=9 if has_vectors => remove(&db, random)?,
            _ => load(&db, random.below(1_000))?,
        }
        if random.percent(50) {
            thread::park_timeout(Duration::from_millis(random.below(MAKING_MS_MAX)));
        } else {
            check_linked(&db, &db.collection(NAME)?)?;
        }
        db.close()?;
        db = shelves::open(path)?;
        search(&db.collection(NAME)?, random)?;
    }
}

fn load(db: &Database, round: u64) -> Result<()> {
    let load = || {
        let load = db.load_collection::<Document>(NAME).replace();
        let mut loader = load.ensure_index(Index::vector(INDEX, 3).named(INDEX)).begin()?;
        (0..DOCUMENTS).try_for_each(|n| loader.insert_with_id(n as i64, &document(n, round)))?;
        loader.finish()
    };
    persist(load)?;
    Ok(())
}

/// Gives as many documents as belong together vectors of another round.
fn change(db: &Database, random: &Random) -> Result<()> {
    let (part, round) = (random.below(PARTS), random.below(1_000));
    Ok(persist(|| {
        db.transaction(|tx| {
            let collection = tx.collection::<Document>(NAME)?;
            (part * CHANGED..(part + 1) * CHANGED).try_for_each(|n| collection.put(n as i64, &document(n, round)))
        })
    })?)
}

/// Removes all that belong together.
fn remove(db: &Database, random: &Random) -> Result<()> {
    let part = random.below(REMOVABLE);
    Ok(persist(|| {
        db.transaction(|tx| {
            let collection = tx.collection::<Document>(NAME)?;
            (part * CHANGED..(part + 1) * CHANGED).try_for_each(|n| collection.delete(n as i64).map(drop))
        })
    })?)
}

fn document(n: u64, round: u64) -> Document {
    let random = Random::of(&[n, round]);
    let at = [0, 1].map(|_| random.below(2_001) as f32 / 1_000.0 - 1.0);
    let at = Vector::from(&[at[0], at[1], 1.0]);
    Document::new().with("n", n as i64).with("round", round as i64).with(INDEX, at)
}

/// Every document is as its round says, all that belong together are of one or gone, the index has all of them, and so has the
/// graph at last.
pub(super) fn check(db: &Database, random: &Random) -> Result<()> {
    let Some(collection) = existing(db, NAME)? else { return Ok(()) };
    let found = collection.find_all().run()?;
    check_documents(&found)?;
    if found.is_empty() {
        return Ok(());
    }
    check_rows(&collection, &found)?;
    search(&collection, random)?;
    // Now and then, as the next life may interrupt what is not linked yet.
    if random.percent(50) { check_linked(db, &collection) } else { Ok(()) }
}

fn check_documents(found: &[Found<Document>]) -> Result<()> {
    let mut parts: BTreeMap<u64, Vec<&Found<Document>>> = BTreeMap::new();
    for document in found {
        parts.entry(number(document, "n") as u64 / CHANGED).or_default().push(document);
    }
    let has_all = found.is_empty() || (REMOVABLE..PARTS).all(|part| parts.contains_key(&part));
    ensure(has_all, || format!("it has {} documents, of the parts {:?}", found.len(), parts.keys()))?;
    for (part, documents) in parts {
        ensure(documents.len() as u64 == CHANGED, || format!("part {part} has {} documents", documents.len()))?;
        let round = documents.first().map_or(0, |first| number(first, "round"));
        for found in documents {
            let mut value = found.value.clone();
            drop(value.remove("_id"));
            let n = number(found, "n");
            let is_it = found.id.to_string() == n.to_string() && value == document(n as u64, round as u64);
            ensure(is_it, || format!("document {:?} is {value:?}, not of round {round}", found.id))?;
        }
    }
    Ok(())
}

/// Looking at all rows of the index finds each document once, as far as its vector is.
fn check_rows(collection: &Collection<Document>, found: &[Found<Document>]) -> Result<()> {
    let from = [0.3, 0.2, 1.0];
    let hits = collection.search().nearest(INDEX, &from).exact().limit(SEARCH_LIMIT_MAX).ids()?;
    ensure(hits.len() == found.len(), || format!("the index has {} of {} vectors", hits.len(), found.len()))?;
    let distances: BTreeMap<_, f32> = hits.into_iter().map(|hit| (hit.id, hit.distance)).collect();
    for document in found {
        let (at, indexed) = (numbers(document)?, distances.get(&document.id));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let distance = 1.0 - dot(at, &from) / (dot(at, at) * dot(&from, &from)).sqrt();
        let is_it = indexed.is_some_and(|indexed| (indexed - distance).abs() < 1e-4);
        ensure(is_it, || format!("document {:?} is {distance} far, in the index {indexed:?}", document.id))?;
    }
    Ok(())
}

/// Once it has caught up, the graph has every vector, and no other one.
fn check_linked(db: &Database, collection: &Collection<Document>) -> Result<()> {
    let explain = || collection.search().nearest(INDEX, &[0.3, 0.2, 1.0]).explain();
    explain()?; // who searches has it be read, or made
    db.settle()?;
    let explain = explain()?;
    ensure(explain.path == SearchPath::Graph, || format!("it is not searched by a graph: {explain}"))?;
    let (vectors, indexes) = (collection.count()?, db.stats()?.vector_indexes);
    let graph = indexes.iter().find(|stats| stats.collection == NAME);
    let is_whole =
        graph.is_some_and(|stats| stats.is_complete && stats.linked == vectors && stats.tail + stats.unlinked == 0);
    ensure(is_whole, || format!("of {vectors} vectors, the graph has {graph:?}"))
}

fn numbers(document: &Found<Document>) -> Result<&[f32]> {
    match document.get(INDEX) {
        Some(Value::Vector(Vector::F32(numbers))) => Ok(numbers),
        other => Err(Finding::new(format!("document {:?} is at {other:?}", document.id))),
    }
}

/// Some vectors find themselves from beside, and nothing that is gone is found.
fn search(collection: &Collection<Document>, random: &Random) -> Result<()> {
    if collection.count()? == 0 {
        return Ok(());
    }
    for _ in 0..LOOKED_FOR {
        let id = random.below(DOCUMENTS) as i64;
        let Some(found) = collection.get(id)? else {
            ensure((id as u64) < REMOVABLE * CHANGED, || format!("document {id} is gone"))?;
            continue;
        };
        let beside: Vec<f32> = numbers(&found)?.iter().map(|number| number + BESIDE).collect(); // at itself the search would begin
        let near = collection.search().nearest(INDEX, &beside).limit(50).run()?;
        ensure(near.iter().any(|hit| hit.id == found.id && hit.distance.abs() < 1e-3), || {
            let near: Vec<_> = near.iter().map(|hit| (&hit.id, hit.distance)).collect();
            format!("near document {id} only {near:?} is found")
        })?;
    }
    Ok(())
}
