//! A collection with enough vectors for a graph, which is made, written, and cut short by closing.

use std::path::Path;
use std::thread;
use std::time::Duration;

use blaze::limits::SEARCH_LIMIT_MAX;
use blaze::{Collection, Database, Document, Index, Vector};

use super::{ensure, existing, number};
use crate::random::Random;
use crate::workload::persist;
use crate::{Result, shelves};

const NAME: &str = "graphed";
const INDEX: &str = "at";

/// More than a graph needs, and than is worth keeping of one that is only begun.
const DOCUMENTS: u64 = 6_000;

/// Vectors that one transaction changes: enough that the graph is written when the database is closed.
const CHANGED: u64 = 120;

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
        match has_vectors && random.percent(70) {
            true => change(&db, random)?,
            false => load(&db, random.below(1_000))?,
        }
        if random.percent(50) {
            thread::park_timeout(Duration::from_millis(random.below(MAKING_MS_MAX)));
        } else {
            db.settle()?;
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
    let (part, round) = (random.below(DOCUMENTS / CHANGED), random.below(1_000));
    Ok(persist(|| {
        db.transaction(|tx| {
            let collection = tx.collection::<Document>(NAME)?;
            (part * CHANGED..(part + 1) * CHANGED).try_for_each(|n| collection.put(n as i64, &document(n, round)))
        })
    })?)
}

fn document(n: u64, round: u64) -> Document {
    let random = Random::of(&[n, round]);
    let at = [0, 1].map(|_| random.below(2_001) as f32 / 1_000.0 - 1.0);
    let at = Vector::from(&[at[0], at[1], 1.0]);
    Document::new().with("n", n as i64).with("round", round as i64).with(INDEX, at)
}

/// Every document is as its round says, all that belong together are of one, and some find themselves.
pub(super) fn check(db: &Database, random: &Random) -> Result<()> {
    let Some(collection) = existing(db, NAME)? else { return Ok(()) };
    let found = collection.find_all().run()?;
    ensure(found.is_empty() || found.len() as u64 == DOCUMENTS, || format!("it has {} documents", found.len()))?;
    for part in found.chunks(CHANGED as usize) {
        let round = part.first().map_or(0, |first| number(first, "round"));
        for found in part {
            let mut value = found.value.clone();
            drop(value.remove("_id"));
            let expected = document(number(found, "n") as u64, round as u64);
            ensure(value == expected, || format!("document {:?} is {value:?}, not of round {round}", found.id))?;
        }
    }
    search(&collection, random)
}

fn search(collection: &Collection<Document>, random: &Random) -> Result<()> {
    if collection.count()? == 0 {
        return Ok(());
    }
    for _ in 0..5 {
        let id = random.below(DOCUMENTS) as i64;
        let Some(blaze::Value::Vector(at)) = collection.get(id)?.and_then(|found| found.get(INDEX).cloned()) else {
            return Err(crate::Finding::new(format!("document {id} has no vector")));
        };
        let exact = collection.search().nearest(INDEX, &at).exact().limit(SEARCH_LIMIT_MAX).within(1e-3).ids()?;
        let is_itself = |hit: &blaze::IdHit| hit.id.to_string() == id.to_string();
        ensure(exact.iter().any(is_itself), || format!("document {id} is not found by its vector"))?;
        let Vector::F32(numbers) = &at else { return Err(crate::Finding::new(format!("document {id} has bits"))) };
        let beside: Vec<f32> = numbers.iter().map(|number| number + BESIDE).collect(); // at itself the search would begin
        let near = collection.search().nearest(INDEX, &beside).limit(50).ids()?;
        ensure(near.iter().any(|hit| hit.distance.abs() < 1e-3), || {
            format!("near document {id} only {near:?} is found")
        })?;
    }
    Ok(())
}
