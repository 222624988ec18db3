//! A collection of Blaze with an index of texts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use blaze::{Collection, Database, Index, Metric, TextQuery};
use serde::{Deserialize, Serialize};

use super::vectors::row;
use crate::Result;
use crate::engine::{TextFormula, TextHit, TextItems, TextQuestion, TextSize, TextSkill, Texts};
use crate::measure::measure;

const NAME: &str = "texts";
/// Documents that are inserted in one transaction.
const DOCUMENTS_PER_TRANSACTION: u64 = 1_000;

pub(super) struct BlazeTexts {
    database: Database,
    collection: Collection<Nothing>,
    /// What the documents take without the index.
    documents_bytes: AtomicU64,
}

/// A document: its id is the number of the row.
#[derive(Serialize)]
struct Item<'a> {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a [f32]>,
}

/// A document of which a search wants the id only.
#[derive(Deserialize)]
struct Nothing {}

impl BlazeTexts {
    pub(super) fn open(database: Database) -> Result<BlazeTexts> {
        let collection = database.collection(NAME)?;
        Ok(BlazeTexts { database, collection, documents_bytes: AtomicU64::new(0) })
    }

    /// What is told of the index once it is in memory, where a search brings it.
    fn told(&self) -> Result<Vec<blaze::TextIndexStats>> {
        self.collection.search().text(TextQuery::words("a")).limit(1).ids()?;
        Ok(self.database.stats()?.text_indexes)
    }

    /// Bytes of the files, as small as they can be.
    fn compacted_bytes(&self) -> Result<u64> {
        self.database.compact()?;
        self.database.settle()?;
        let disk = self.database.stats()?.disk;
        Ok(disk.live_sorted_bytes + disk.large_value_bytes)
    }
}

fn item(items: TextItems<'_>, row: u64) -> (u64, Item<'_>) {
    let vector = items.vectors.map(|vectors| vectors.row(row as usize));
    (row, Item { text: items.texts.text(row as usize), vector })
}

fn query(question: &TextQuestion) -> TextQuery {
    let text = question.words().join(" ");
    match question {
        TextQuestion::Any(_) => TextQuery::words(text),
        TextQuestion::All(_) => TextQuery::all_words(text),
        TextQuestion::Phrase(_) => TextQuery::phrase(text),
    }
}

impl Texts for BlazeTexts {
    fn load(&self, items: TextItems<'_>, rows: u64, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let documents = (0..rows).map(|row| item(items, row));
        self.collection.typed::<Item<'_>>().bulk().progress(progress).insert_with_ids(documents)?;
        if let Some(vectors) = items.vectors {
            let index = Index::vector("vector", vectors.dimensions()).metric(Metric::Cosine);
            self.collection.ensure_index(index)?;
        }
        self.database.settle()?;
        self.documents_bytes.store(self.compacted_bytes()?, Ordering::Relaxed);
        let build = || {
            self.collection.ensure_index(Index::text(["text"]))?;
            self.database.settle()
        };
        let (took, built) = measure(build);
        built?;
        Ok(took)
    }

    fn insert(&self, items: TextItems<'_>, first: u64) -> Result<()> {
        let rows = items.texts.rows() as u64;
        for from in (first..rows).step_by(DOCUMENTS_PER_TRANSACTION as usize) {
            let documents = (from..rows.min(from + DOCUMENTS_PER_TRANSACTION)).map(|row| item(items, row));
            self.collection.typed::<Item<'_>>().insert_many_with_ids(documents)?;
        }
        Ok(())
    }

    fn merge(&self) -> Result<()> {
        self.database.compact()?;
        Ok(self.database.settle()?)
    }

    fn search(&self, question: &TextQuestion, limit: usize) -> Result<Vec<TextHit>> {
        let hits = self.collection.search().text(query(question)).limit(limit).ids()?;
        hits.into_iter().map(|hit| Ok(TextHit { id: row(&hit.id)?, score: hit.score })).collect()
    }

    fn search_with_vector(&self, question: Option<&TextQuestion>, vector: &[f32], limit: usize) -> Result<Vec<u64>> {
        let search = self.collection.search();
        match question {
            None => {
                let hits = search.nearest("vector", vector).limit(limit).ids()?;
                hits.into_iter().map(|hit| row(&hit.id)).collect()
            }
            Some(question) => {
                let hits = search.text(query(question)).nearest("vector", vector).limit(limit).ids()?;
                hits.into_iter().map(|hit| row(&hit.id)).collect()
            }
        }
    }

    fn formula(&self) -> TextFormula {
        TextFormula::EXACT
    }

    fn unfolded(&self) -> Result<Option<u64>> {
        Ok(Some(self.told()?.iter().map(|index| index.unfolded).sum()))
    }

    fn size(&self) -> Result<TextSize> {
        let documents = self.documents_bytes.load(Ordering::Relaxed);
        let total_bytes = self.compacted_bytes()?.saturating_sub(documents);
        // Pages before they are compressed: on disk they take no more.
        let pages = self.told()?.iter().map(|index| index.bytes).sum();
        Ok(TextSize { index_bytes: Some(pages), total_bytes })
    }

    fn lacks(&self, _skill: TextSkill) -> bool {
        false
    }
}
