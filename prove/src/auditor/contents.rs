//! Compares what is there with what lanes have.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Read;

use blaze::{Collection, Database, Document, Value};

use crate::model::{Lane, Shelf};
use crate::shelves::{BLOBS, HUB, PAIRS, TOTALS, collection, name};
use crate::{Finding, Result};

/// Compares all that lanes have with what is there.
///
/// # Errors
/// What differs.
pub fn check(db: &Database, lanes: &[Lane]) -> Result<()> {
    for shelf in Shelf::ALL {
        let expected = lanes.iter().flat_map(|lane| lane.shelf(shelf).clone()).collect();
        let collection = collection(db, shelf)?;
        compare(name(shelf), &read(&collection)?, &expected)?;
        same("the count of", name(shelf), &collection.count()?, &(expected.len() as u64))?;
    }
    let pairs = db.keyspace(PAIRS)?;
    let found = pairs.iter()?.collect::<blaze::Result<BTreeMap<_, _>>>()?;
    compare(PAIRS, &found, &lanes.iter().flat_map(|lane| lane.pairs.clone()).collect())?;
    same("the counter", TOTALS, &db.keyspace(TOTALS)?.counter("total")?, &lanes.iter().map(|lane| lane.total).sum())?;
    let hub = db.collection::<Document>(HUB)?.get(HUB)?.map(|found| without_id(found.value)).unwrap_or_default();
    let visited = lanes.iter().filter(|lane| lane.visits > 0);
    let expected: BTreeMap<String, i64> = visited.map(|lane| (format!("lane{}", lane.number), lane.visits)).collect();
    let found = hub.iter().map(|(field, value)| (field.to_owned(), value.as_i64().unwrap_or(-1))).collect();
    compare(HUB, &found, &expected)?;
    let expected = lanes.iter().flat_map(|lane| lane.blobs.clone()).collect();
    compare(BLOBS, &read_objects(db)?, &expected)
}

fn read_objects(db: &Database) -> Result<BTreeMap<String, Vec<u8>>> {
    let objects = db.objects(BLOBS)?;
    let mut found = BTreeMap::new();
    for entry in objects.list("")? {
        let (key, info) = entry?;
        let mut bytes = Vec::new();
        let reader = objects.open(&key)?;
        reader.ok_or_else(|| Finding::new("a listed object cannot be opened"))?.read_to_end(&mut bytes)?;
        same("the length of an object of", BLOBS, &info.bytes, &(bytes.len() as u64))?;
        found.insert(String::from_utf8_lossy(&key).into_owned(), bytes);
    }
    Ok(found)
}

/// All documents of a collection, by id.
///
/// # Errors
/// Those of the database.
pub fn read(collection: &Collection<Document>) -> Result<BTreeMap<String, Document>> {
    let mut found = BTreeMap::new();
    for document in collection.find_all().iter()? {
        let document = document?;
        found.insert(document.id.to_string(), without_id(document.value));
    }
    Ok(found)
}

/// A document as the model has it, which keeps ids apart.
#[must_use]
pub fn without_id(mut document: Document) -> Document {
    let _id: Option<Value> = document.remove("_id");
    document
}

/// Compares what is there with what should be, and names the first difference.
///
/// # Errors
/// A finding that says so.
pub fn compare<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
) -> Result<()> {
    let wrong = expected.iter().filter(|(key, value)| found.get(key) != Some(value)).map(|(key, _)| key);
    let surplus = found.keys().filter(|key| !expected.contains_key(key));
    let mut different: Vec<&K> = wrong.chain(surplus).collect();
    different.sort();
    let Some(first) = different.first() else { return Ok(()) };
    let shown = |value: Option<&V>| format!("{value:?}").chars().take(600).collect::<String>();
    Err(Finding::new(format!(
        "{what:?}: {} differ, the first is {first:?}: there is {} and there should be {}",
        different.len(),
        shown(found.get(first)),
        shown(expected.get(first))
    )))
}

fn same<T: PartialEq + Debug>(what: &str, of: &str, found: &T, expected: &T) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(Finding::new(format!("{what} {of:?} is {found:?} and should be {expected:?}"))),
    }
}
