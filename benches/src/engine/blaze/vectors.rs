//! A collection of Blaze with a vector index.

use blaze::{Collection, Database, DocumentId, Index, Metric};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::dataset::Matrix;
use crate::engine::Vectors;

const NAME: &str = "vectors";

pub(super) struct BlazeVectors {
    database: Database,
    collection: Collection<Nothing>,
}

/// A document: its id is the number of the row.
#[derive(Serialize)]
struct Item<'a> {
    vector: &'a [f32],
}

/// A document of which a search wants the id only.
#[derive(Deserialize)]
struct Nothing {}

impl BlazeVectors {
    pub(super) fn open(database: Database, dimensions: usize) -> Result<BlazeVectors> {
        let collection = database.collection::<Nothing>(NAME)?;
        collection.ensure_index(Index::vector("vector", dimensions).metric(Metric::L2))?;
        Ok(BlazeVectors { database, collection })
    }
}

impl Vectors for BlazeVectors {
    fn load(&self, vectors: &Matrix, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let documents = (0_u64..).zip(vectors.iter().map(|vector| Item { vector }));
        self.collection.typed::<Item<'_>>().bulk().progress(progress).insert_with_ids(documents)?;
        Ok(self.database.settle()?)
    }

    fn efforts(&self) -> Vec<usize> {
        vec![0]
    }

    fn search(&self, query: &[f32], k: usize, _effort: usize) -> Result<Vec<u64>> {
        let hits = self.collection.search().nearest("vector", query).limit(k).run()?;
        hits.into_iter().map(|hit| row(&hit.id)).collect()
    }
}

fn row(id: &DocumentId) -> Result<u64> {
    match id {
        DocumentId::Int(row) => Ok(u64::try_from(*row)?),
        other => Err(format!("wrong answer: found document {other}, which is no number of a row").into()),
    }
}
