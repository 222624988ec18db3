//! A collection of Blaze with a vector index.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use blaze::{Collection, Database, DocumentId, Filter, Index, Metric, VectorIndexStats};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::documents::filter_of;
use crate::Result;
use crate::dataset::Matrix;
use crate::engine::bare_index::EFFORTS;
use crate::engine::{Items, VectorFilter, VectorMetric, VectorOptions, VectorSkill, Vectors};
use crate::measure::measure;

const NAME: &str = "vectors";
/// Documents that change in one transaction.
const CHANGES_PER_TRANSACTION: usize = 1000;

pub(super) struct BlazeVectors {
    database: Database,
    collection: Collection<Nothing>,
    index: Index,
    filter: RwLock<Option<Filter>>,
}

/// A document: its id is the number of the row.
#[derive(Serialize)]
struct Item<'a> {
    vector: &'a [f32],
    #[serde(flatten)]
    properties: Map<String, Json>,
}

/// A document of which a search wants the id only.
#[derive(Deserialize)]
struct Nothing {}

impl BlazeVectors {
    pub(super) fn open(database: Database, options: &VectorOptions) -> Result<BlazeVectors> {
        let collection = database.collection::<Nothing>(NAME)?;
        let index = Index::vector("vector", options.dimensions).metric(metric(options.metric));
        Ok(BlazeVectors { database, collection, index, filter: RwLock::default() })
    }

    /// What all indexes have together; `None` where that is nothing.
    fn sum_of_indexes(&self, bytes: impl Fn(&VectorIndexStats) -> u64) -> Option<u64> {
        let indexes = self.database.stats().ok()?.vector_indexes;
        Some(indexes.iter().map(bytes).sum::<u64>()).filter(|bytes| *bytes > 0)
    }
}

impl Vectors for BlazeVectors {
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let properties = |row| items.properties.map(|properties| properties.of(row)).unwrap_or_default();
        let documents = items.vectors.iter().enumerate();
        let documents = documents.map(|(row, vector)| (row as u64, Item { vector, properties: properties(row) }));
        self.collection.typed::<Item<'_>>().bulk().progress(progress).insert_with_ids(documents)?;
        for name in items.properties.map(|properties| properties.names()).unwrap_or_default() {
            self.collection.ensure_index(Index::on(name))?;
        }
        self.database.settle()?;
        let build = || {
            self.collection.ensure_index(self.index.clone())?;
            self.database.settle()
        };
        let (took, built) = measure(build);
        built?;
        Ok(took)
    }

    fn efforts(&self) -> Vec<usize> {
        EFFORTS.to_vec()
    }

    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
        let mut search = self.collection.search().nearest("vector", query).ef(effort).limit(k);
        if let Some(filter) = &*self.filter.read().unwrap_or_else(PoisonError::into_inner) {
            search = search.filter(filter.clone());
        }
        search.ids()?.into_iter().map(|hit| row(&hit.id)).collect()
    }

    fn memory_bytes(&self) -> Option<u64> {
        self.sum_of_indexes(|index| index.memory_bytes)
    }

    fn memory_with_cache_bytes(&self) -> Option<u64> {
        self.sum_of_indexes(|index| index.memory_bytes + index.cached_bytes)
    }

    fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
        let filter = filter.map(|filter| filter_of(&filter.conditions)).transpose()?;
        *self.filter.write().unwrap_or_else(PoisonError::into_inner) = filter;
        Ok(())
    }

    fn delete(&self, rows: &[u64]) -> Result<()> {
        for rows in rows.chunks(CHANGES_PER_TRANSACTION) {
            self.database.transaction(|transaction| {
                let collection = transaction.collection::<Nothing>(NAME)?;
                rows.iter().try_for_each(|&row| collection.delete(row).map(drop))
            })?;
        }
        Ok(self.database.settle()?)
    }

    fn insert(&self, rows: &[u64], vectors: &Matrix) -> Result<()> {
        for rows in rows.chunks(CHANGES_PER_TRANSACTION) {
            self.database.transaction(|transaction| {
                let collection = transaction.collection::<Item<'_>>(NAME)?;
                let item = |row: u64| Item { vector: vectors.row(row as usize), properties: Map::new() };
                collection.insert_many_with_ids(rows.iter().map(|&row| (row, item(row)))).map(drop)
            })?;
        }
        Ok(self.database.settle()?)
    }

    fn lacks(&self, _skill: VectorSkill) -> bool {
        false
    }
}

pub(super) fn metric(metric: VectorMetric) -> Metric {
    match metric {
        VectorMetric::L2 => Metric::L2,
        VectorMetric::Cosine => Metric::Cosine,
    }
}

pub(super) fn row(id: &DocumentId) -> Result<u64> {
    match id {
        DocumentId::Int(row) => Ok(u64::try_from(*row)?),
        other => Err(format!("wrong answer: found document {other}, which is no number of a row").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Clustered;
    use crate::engine::{Blaze, Engine, EngineOptions};

    #[test]
    fn rows_that_searches_have_read_are_memory_beside_that_of_the_index() {
        let vectors = Clustered::new(1, 16, 3).vectors(0..5000);
        let directory = tempfile::tempdir().unwrap();
        let options = EngineOptions { directory: directory.path().to_owned(), cache_bytes: 8 << 20 };
        let index = Blaze.open_vectors(&options, &VectorOptions::new(16, VectorMetric::L2)).unwrap();
        index.load(Items::of(&vectors), &mut |_| ()).unwrap();
        let before = index.memory_bytes().unwrap();
        index.search_all(&vectors.select(0..100), 10, 100).unwrap();
        let (after, with_cache) = (index.memory_bytes().unwrap(), index.memory_with_cache_bytes().unwrap());
        assert!(with_cache >= after + 100 * 16 * 4, "{before} before, {after} after, {with_cache} with the cache");
        assert!(after < before + 16 * 4 * 100, "{before} before, {after} after: rows are no part of the index");
    }
}
