//! Vectors in documents of Blaze, written durably.

use blaze::{Collection, Database, Index, Metric, Search};
use serde::{Deserialize, Serialize};

use super::vectors::row;
use crate::Result;
use crate::dataset::Matrix;
use crate::engine::{Place, VectorStore};

const INDEXED: &str = "indexed";
const PLAIN: &str = "plain";
const OTHER: &str = "other";

pub(super) struct BlazeVectorStore {
    database: Database,
}

#[derive(Serialize)]
struct Item<'a> {
    vector: &'a [f32],
}

#[derive(Serialize)]
struct Other {
    number: u64,
    name: String,
}

#[derive(Deserialize)]
struct Nothing {}

impl BlazeVectorStore {
    pub(super) fn open(database: Database, dimensions: usize) -> Result<BlazeVectorStore> {
        let indexed = database.collection::<Nothing>(INDEXED)?;
        indexed.ensure_index(Index::vector("vector", dimensions).metric(Metric::L2))?;
        Ok(BlazeVectorStore { database })
    }

    fn found(&self, asked: impl FnOnce(Search<Nothing>) -> Search<Nothing>) -> Result<Vec<u64>> {
        let collection: Collection<Nothing> = self.database.collection(INDEXED)?;
        asked(collection.search()).run()?.into_iter().map(|hit| row(&hit.id)).collect()
    }
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Indexed => INDEXED,
        Place::Plain => PLAIN,
    }
}

fn items(first: u64, vectors: &Matrix) -> impl Iterator<Item = (u64, Item<'_>)> {
    (first..).zip(vectors.iter().map(|vector| Item { vector }))
}

impl VectorStore for BlazeVectorStore {
    fn load(&self, place: Place, first: u64, vectors: &Matrix) -> Result<()> {
        let collection: Collection<Item<'_>> = self.database.collection(name(place))?;
        collection.bulk().insert_with_ids(items(first, vectors))?;
        Ok(())
    }

    fn insert(&self, place: Place, first: u64, vectors: &Matrix) -> Result<()> {
        let collection: Collection<Item<'_>> = self.database.collection(name(place))?;
        collection.insert_many_with_ids(items(first, vectors))?;
        Ok(())
    }

    fn insert_other(&self, number: u64) -> Result<()> {
        let collection: Collection<Other> = self.database.collection(OTHER)?;
        Ok(collection.insert_with_id(number, &Other { number, name: format!("number {number}") })?)
    }

    fn nearest(&self, query: &[f32], k: usize) -> Result<Vec<u64>> {
        self.found(|search| search.nearest("vector", query).limit(k))
    }

    fn nearest_exactly(&self, query: &[f32], k: usize) -> Result<Vec<u64>> {
        self.found(|search| search.nearest("vector", query).limit(k).exact())
    }

    fn settle(&self) -> Result<()> {
        Ok(self.database.settle()?)
    }
}
