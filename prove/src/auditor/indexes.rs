//! Asks every index, and compares what it answers with what documents say.

use std::collections::BTreeSet;

use blaze::limits::SEARCH_LIMIT_MAX;
use blaze::{Collection, Database, Document, Hint, Value, field};

use crate::model::{CITIES, Lane, Shelf, TAGS, WORDS};
use crate::random::Random;
use crate::shelves::collection;
use crate::{Finding, Result};

/// Values of an index that are asked for, of those that are too many.
const SAMPLE: u64 = 10;

/// How far apart a vector and itself may be, by rounding.
const NO_DISTANCE: f32 = 1e-3;

/// Asks every index.
///
/// # Errors
/// What answers wrongly.
pub fn check(db: &Database, lanes: &[Lane], random: &Random) -> Result<()> {
    check_people(&Asked::new(db, lanes, Shelf::People)?, random)?;
    check_texts(&Asked::new(db, lanes, Shelf::Notes)?)?;
    check_vectors(&Asked::new(db, lanes, Shelf::Notes)?)?;
    check_replies(&Asked::new(db, lanes, Shelf::Replies)?, random)
}

/// A collection and what it has to have.
struct Asked<'a> {
    collection: Collection<Document>,
    documents: Vec<(&'a str, &'a Document)>,
}

impl<'a> Asked<'a> {
    fn new(db: &Database, lanes: &'a [Lane], shelf: Shelf) -> Result<Asked<'a>> {
        let documents = lanes.iter().flat_map(|lane| lane.shelf(shelf));
        let documents = documents.map(|(id, document)| (id.as_str(), document)).collect();
        Ok(Asked { collection: collection(db, shelf)?, documents })
    }

    /// The ids of the documents that something is true of.
    fn ids(&self, matches: impl Fn(&Document) -> bool) -> BTreeSet<String> {
        self.documents.iter().filter(|(_, document)| matches(document)).map(|(id, _)| (*id).to_owned()).collect()
    }

    fn sample(&self, random: &Random) -> Vec<(&'a str, &'a Document)> {
        (0..SAMPLE).filter_map(|_| random.pick(&self.documents).copied()).collect()
    }
}

fn check_people(people: &Asked<'_>, random: &Random) -> Result<()> {
    let by = |index: &str, filter: blaze::Filter| -> Result<BTreeSet<String>> {
        let ids = people.collection.find(filter).hint(Hint::index(index)).ids()?;
        Ok(ids.iter().map(ToString::to_string).collect())
    };
    for (id, person) in people.sample(random) {
        let email = person.get("email").cloned().unwrap_or(Value::Null);
        equal(&format!("by the email of {id:?}"), &by("email", field("email").eq(email))?, &[id.to_owned()].into())?;
    }
    for city in CITIES {
        let has = |person: &Document| person.get("city").and_then(Value::as_str) == Some(city);
        equal(&format!("by the city {city:?}"), &by("place", field("city").eq(city))?, &people.ids(has))?;
        let old = |person: &Document| has(person) && person.get("age").and_then(Value::as_i64) >= Some(40);
        let filter = field("city").eq(city).and(field("age").ge(40));
        equal(&format!("by the city {city:?} and age"), &by("place", filter)?, &people.ids(old))?;
    }
    for tag in TAGS {
        let has = |person: &Document| field("tags").contains(tag).matches(person);
        equal(&format!("by the tag {tag:?}"), &by("tags", field("tags").contains(tag))?, &people.ids(has))?;
    }
    Ok(())
}

fn check_replies(replies: &Asked<'_>, random: &Random) -> Result<()> {
    for (id, _) in replies.sample(random) {
        let Some((parent, _)) = id.rsplit_once('/') else { continue };
        let ids = replies.collection.find(field("_parent").eq(parent)).hint(Hint::index("below")).ids()?;
        let siblings =
            replies.documents.iter().filter(|(id, _)| id.rsplit_once('/').is_some_and(|(of, _)| of == parent));
        let expected = siblings.map(|(id, _)| (*id).to_owned()).collect();
        equal(&format!("below {parent:?}"), &ids.iter().map(ToString::to_string).collect(), &expected)?;
    }
    Ok(())
}

fn check_texts(notes: &Asked<'_>) -> Result<()> {
    for word in WORDS {
        let has = |note: &Document| {
            let texts = ["title", "body"].iter().filter_map(|name| note.get(name)?.as_str());
            texts.flat_map(str::split_whitespace).any(|of| of == word)
        };
        let hits = notes.collection.search().text(word).limit(SEARCH_LIMIT_MAX).ids()?;
        let found = hits.iter().map(|hit| hit.id.to_string()).collect();
        equal(&format!("by the word {word:?}"), &found, &notes.ids(has))?;
    }
    Ok(())
}

fn check_vectors(notes: &Asked<'_>) -> Result<()> {
    for (id, note) in &notes.documents {
        let Some(Value::Vector(vector)) = note.get("embedding") else { continue };
        let hits = notes.collection.search().nearest("embedding", vector).limit(5).ids()?;
        let is_itself = |hit: &blaze::IdHit| hit.id.to_string() == *id && hit.distance.abs() < NO_DISTANCE;
        if !hits.iter().any(is_itself) {
            return Err(Finding::new(format!("by the vector of {id:?}: it does not find itself in {hits:?}")));
        }
    }
    let any = [0.5; crate::model::DIMENSION];
    let hits = notes.collection.search().nearest("embedding", &any).exact().limit(SEARCH_LIMIT_MAX).ids()?;
    let found = hits.iter().map(|hit| hit.id.to_string()).collect();
    equal("by any vector", &found, &notes.ids(|note| note.contains_key("embedding")))
}

fn equal(what: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let missing: Vec<_> = expected.difference(found).collect();
    let surplus: Vec<_> = found.difference(expected).collect();
    Err(Finding::new(format!("{what}: {missing:?} are not found, {surplus:?} are found and should not be")))
}
