//! Looks at what is loaded at once, and at what is made and dropped.

use std::collections::{BTreeMap, BTreeSet};

use blaze::limits::SEARCH_LIMIT_MAX;
use blaze::{Collection, Database, Document, IndexState, Value, field};

use super::contents::{compare, read};
use crate::promises::Bounds;
use crate::random::Random;
use crate::shelves::{self, CHURNED, CHURNED_KEYS, LOADED};
use crate::side::{BUILT, CHURNED_DOCUMENTS, loaded};
use crate::{Finding, Result};

/// Looks at the collection that is loaded anew: one generation of it is there, whole, with its indexes.
///
/// # Errors
/// What is wrong.
pub fn check_loaded(db: &Database, bounds: Option<Bounds>, documents: u64, random: &Random) -> Result<u64> {
    let mut generation = 0;
    if db.collections()?.iter().any(|name| name == LOADED) {
        let collection = db.collection::<Document>(LOADED)?;
        generation = check_generation(LOADED, &collection, documents)?;
        if generation > 0 {
            check_loaded_indexes(&collection, generation, documents, random)?;
        }
    }
    if let Some(bounds) = bounds {
        bounds.check(generation, "generations of the loaded collection")?;
    }
    Ok(generation)
}

/// The one generation that a collection has; 0 if it is empty.
fn check_generation(name: &str, collection: &Collection<Document>, documents: u64) -> Result<u64> {
    let found = read(collection)?;
    if found.is_empty() {
        return Ok(0);
    }
    let generation = found.values().next().and_then(|document| document.get("generation")?.as_i64());
    let generation = generation.unwrap_or_default() as u64;
    let expected = (0..documents).map(|n| ((n as i64).to_string(), loaded(generation, n))).collect();
    compare(name, &found, &expected).map_err(|finding| finding.context(format!("generation {generation}")))?;
    match collection.count()? {
        count if count == documents => Ok(generation),
        count => Err(Finding::new(format!("{name:?} counts {count} documents of {documents}"))),
    }
}

fn check_loaded_indexes(
    collection: &Collection<Document>,
    generation: u64,
    documents: u64,
    random: &Random,
) -> Result<()> {
    let wrong = |what: String| Err(Finding::new(format!("{LOADED:?}, generation {generation}: {what}")));
    let mut indexes: Vec<String> = collection.indexes()?.into_iter().map(|index| index.name).collect();
    indexes.sort();
    if indexes != ["at", "n", "text"] {
        return wrong(format!("its indexes are {indexes:?}"));
    }
    let word = format!("generation{generation}");
    let by_word = collection.search().text(&word).count()?;
    if by_word != documents {
        return wrong(format!("{by_word} of {documents} are found by the word {word:?}"));
    }
    for _ in 0..4 {
        let n = random.below(documents) as i64;
        let by_number = collection.find(field("n").eq(n)).ids()?;
        if by_number.len() != 1 || by_number[0].to_string() != n.to_string() {
            return wrong(format!("document {n} is found by its number as {by_number:?}"));
        }
        let document = loaded(generation, n as u64);
        let Some(Value::Vector(vector)) = document.get("at") else { continue };
        let hits = collection.search().nearest("at", vector).exact().limit(SEARCH_LIMIT_MAX).within(1e-3).ids()?;
        if !hits.iter().any(|hit| hit.id.to_string() == n.to_string()) {
            return wrong(format!("document {n} is not found by its vector"));
        }
    }
    Ok(())
}

/// Looks at what is made and dropped, and says how often it was if that is certain.
///
/// # Errors
/// What is wrong.
pub fn check_churned(db: &Database, bounds: Bounds) -> Result<Option<u64>> {
    let has_collection = db.collections()?.iter().any(|name| name == CHURNED);
    let has_keys = db.keyspaces()?.iter().any(|name| name == CHURNED_KEYS);
    let is_certain = bounds.acknowledged == bounds.asked;
    if is_certain && bounds.asked.is_multiple_of(2) && (has_collection || has_keys) {
        return Err(Finding::new(format!("{CHURNED:?} was dropped (number {}) and is there", bounds.asked)));
    }
    let generation = match has_collection {
        true => check_generation(CHURNED, &db.collection(CHURNED)?, CHURNED_DOCUMENTS)?,
        false => 0,
    };
    let keys = match has_keys {
        true => read_keys(db)?,
        false => BTreeMap::new(),
    };
    if is_certain && bounds.asked % 2 == 1 && (generation != bounds.asked || keys.is_empty()) {
        return Err(Finding::new(format!("{CHURNED:?} was made (number {}), there is {generation}", bounds.asked)));
    }
    if generation > 0 {
        bounds.check(generation, "what was made and dropped")?;
    }
    if !keys.is_empty() || generation > 0 {
        // The keyspace is dropped after the collection.
        let number =
            if generation > 0 { generation.to_string() } else { keys.values().next().cloned().unwrap_or_default() };
        let expected = (0..CHURNED_DOCUMENTS).map(|n| (n.to_string(), number.clone())).collect();
        compare(CHURNED_KEYS, &keys, &expected)?;
    }
    Ok(is_certain.then_some(bounds.asked))
}

/// Looks for the indexes that were acknowledged as ready.
///
/// # Errors
/// One that is not.
pub fn check_ready(db: &Database, ready: &BTreeSet<u64>) -> Result<()> {
    for (number, (shelf, name)) in (0..).zip(BUILT) {
        if !ready.contains(&number) {
            continue;
        }
        let known = shelves::collection(db, shelf)?.indexes()?;
        let state = known.iter().find(|known| known.name == name).map(|known| known.state);
        if state != Some(IndexState::Ready) {
            return Err(Finding::new(format!("the index {name:?} was ready, and is {state:?}")));
        }
    }
    Ok(())
}

fn read_keys(db: &Database) -> Result<BTreeMap<String, String>> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let mut keys = BTreeMap::new();
    for pair in db.keyspace(CHURNED_KEYS)?.iter()? {
        let (key, value) = pair?;
        keys.insert(text(key), text(value));
    }
    Ok(keys)
}
