//! A collection whose vectors are made of its texts.

use blaze::{Database, Document, Embedder, Index, Value};

use super::{ensure, existing};
use crate::Result;
use crate::model::WORDS;
use crate::random::Random;
use crate::workload::persist;

const NAME: &str = "embedded";
const INDEX: &str = "embedding";
const DOCUMENTS: u64 = 40;

/// The words of a text, counted.
struct Words;

impl Embedder for Words {
    fn model(&self) -> &str {
        "words-v1"
    }

    fn embed(&self, texts: &[&str]) -> blaze::Result<Vec<Vec<f32>>> {
        Ok(texts.iter().map(|text| count(text)).collect())
    }
}

fn count(text: &str) -> Vec<f32> {
    WORDS.iter().map(|word| 0.5 + text.split(' ').filter(|of| of == word).count() as f32).collect()
}

fn index() -> Index {
    Index::vector(INDEX, WORDS.len()).embed_from(["text"], Words).named(INDEX)
}

/// Writes texts again and again, and waits now and then until all have vectors.
///
/// # Errors
/// What the database does not do as it has to.
pub fn work(db: &Database, random: &Random) -> Result<()> {
    let collection = db.collection::<Document>(NAME)?;
    persist(|| collection.ensure_index(index()))?;
    loop {
        for _ in 0..10 {
            let id = random.below(DOCUMENTS) as i64;
            let text: Vec<&str> = (0..3).filter_map(|_| random.pick(&WORDS).copied()).collect();
            match random.below(8) {
                0 => persist(|| collection.delete(id)).map(drop)?,
                1 => persist(|| collection.put(id, &Document::new().with("silent", true)))?,
                _ => persist(|| collection.put(id, &Document::new().with("text", text.join(" "))))?,
            }
        }
        db.settle()?;
        let status = collection.embedding_status(INDEX)?;
        ensure(status.is_settled(), || format!("nobody writes and all have waited: {status:?}"))?;
        find_all(&collection.find_all().run()?, db)?;
    }
}

/// Every document with a text is found by it.
fn find_all(found: &[blaze::Found<Document>], db: &Database) -> Result<()> {
    let collection = db.collection::<Document>(NAME)?;
    for document in found {
        let Some(text) = document.get("text").and_then(Value::as_str) else { continue };
        let hits = collection.search().nearest(INDEX, &count(text)[..]).exact().limit(DOCUMENTS as usize).ids()?;
        let is_found = hits.iter().any(|hit| hit.id == document.id && hit.distance.abs() < 1e-3);
        ensure(is_found, || format!("document {:?} with {text:?} is not found by it in {hits:?}", document.id))?;
    }
    Ok(())
}

/// Once all have vectors, each text is found by its own. That none is forgotten before, verification says.
pub(super) fn check(db: &Database) -> Result<()> {
    let Some(collection) = existing(db, NAME)? else { return Ok(()) };
    if !collection.indexes()?.iter().any(|index| index.name == INDEX) {
        return Ok(());
    }
    persist(|| collection.ensure_index(index()))?;
    db.settle()?;
    find_all(&collection.find_all().run()?, db)
}
