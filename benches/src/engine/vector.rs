//! Indexes of vectors.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Condition;
use crate::Result;
use crate::dataset::Matrix;
use crate::measure::Laps;

/// How far apart vectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VectorMetric {
    /// By Euclidean distance.
    L2,
    /// By angle. The vectors that are given have length 1, so that the order is that of the Euclidean distance, too.
    Cosine,
}

/// How an index of vectors is opened.
#[derive(Clone, Debug)]
pub struct VectorOptions {
    /// Numbers of each vector.
    pub dimensions: usize,
    /// What near means.
    pub metric: VectorMetric,
    /// Links of each vector in a graph: M. An engine that has one configuration for everything takes no notice.
    pub connections: usize,
    /// Threads that build; searches have one.
    pub threads: usize,
    /// Where an index that takes long to build may be kept for the next round; one that is there is of the same vectors
    /// with the same settings. `None` where building is what is measured.
    pub kept: Option<PathBuf>,
}

impl VectorOptions {
    /// The settings that graphs are compared with, M = 16, on one thread.
    #[must_use]
    pub fn new(dimensions: usize, metric: VectorMetric) -> VectorOptions {
        VectorOptions { dimensions, metric, connections: 16, threads: 1, kept: None }
    }
}

/// How thoroughly graphs are built: `ef_construction` of all of them.
pub const EF_CONSTRUCTION: usize = 200;

/// What is loaded into an index.
#[derive(Clone, Copy)]
pub struct Items<'a> {
    /// The vectors; the id of each is the number of its row.
    pub vectors: &'a Matrix,
    /// What stands beside the vector of a row, for filters; an ordinary index on each property is allowed.
    pub properties: Option<&'a dyn Properties>,
}

impl std::fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("rows", &self.vectors.rows()).finish_non_exhaustive()
    }
}

impl<'a> Items<'a> {
    /// Vectors with nothing beside them.
    #[must_use]
    pub fn of(vectors: &'a Matrix) -> Items<'a> {
        Items { vectors, properties: None }
    }
}

/// What stands beside vectors.
pub trait Properties: Sync {
    /// The names of all properties.
    fn names(&self) -> Vec<&str>;

    /// Those of a row.
    fn of(&self, row: usize) -> Map<String, Json>;
}

/// A filter, for those who read conditions and for those who must be told the rows.
#[derive(Clone, Debug)]
pub struct VectorFilter {
    /// All of them hold.
    pub conditions: Vec<Condition>,
    /// The rows for which they do.
    pub matching: Vec<bool>,
}

/// The answers to many queries, and how long they took together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// For each query the ids of the nearest, nearest first.
    pub answers: Vec<Vec<u64>>,
    /// The time of the searches alone.
    pub duration: Duration,
}

/// What a product may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorSkill {
    /// [`delete`](Vectors::delete) and [`insert`](Vectors::insert).
    Changes,
    /// [`filter`](Vectors::filter) at the speed of the product.
    Filters,
    /// Answers in the order of exact distances.
    ExactOrder,
}

/// An open index of vectors. The id of a vector is the number of its row.
pub trait Vectors: Send + Sync {
    /// Adds every row to the empty index and makes it ready to search; calls `progress` with the rows done. Returns how long
    /// the index took: not what came before it, such as storing the documents that the vectors are in.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration>;

    /// How hard a search may try, from the fastest to the most thorough; `ef` of a graph, for one. A single 0 for an
    /// index that is exact or decides for itself.
    fn efforts(&self) -> Vec<usize>;

    /// True when every answer is exact.
    fn is_exact(&self) -> bool {
        self.efforts() == [0]
    }

    /// The ids of the `k` nearest vectors, nearest first; among those of the [`filter`](Vectors::filter), if one is set.
    ///
    /// # Errors
    /// Those of the product.
    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>>;

    /// The same for many queries, one after the other, by one thread and by one call where the product has one for it.
    ///
    /// # Errors
    /// Those of the product.
    fn search_all(&self, queries: &Matrix, k: usize, effort: usize) -> Result<Batch> {
        let mut answers = Vec::with_capacity(queries.rows());
        let mut laps = Laps::start();
        for query in queries.iter() {
            answers.push(self.search(query, k, effort)?);
        }
        Ok(Batch { answers, duration: laps.lap() })
    }

    /// Bytes of memory that the index holds, with the vectors where they are a part of it; `None` where nobody tells.
    fn memory_bytes(&self) -> Option<u64> {
        None
    }

    /// The same with the vectors in full that a cache beside the index holds by now. The same as without it where the index
    /// has them itself.
    fn memory_with_cache_bytes(&self) -> Option<u64> {
        self.memory_bytes()
    }

    /// Only what matches is to be found from now on, or again everything. What can be prepared is prepared here.
    ///
    /// # Errors
    /// Those of the product.
    fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
        match filter {
            None => Ok(()),
            Some(_) => Err("it filters nothing".into()),
        }
    }

    /// Removes some rows.
    ///
    /// # Errors
    /// Those of the product.
    fn delete(&self, _rows: &[u64]) -> Result<()> {
        Err("it deletes nothing".into())
    }

    /// Inserts these rows of `vectors`, which are not there.
    ///
    /// # Errors
    /// Those of the product.
    fn insert(&self, _rows: &[u64], _vectors: &Matrix) -> Result<()> {
        Err("nothing is inserted after loading".into())
    }

    /// True when the product cannot do this; its configuration says so.
    fn lacks(&self, skill: VectorSkill) -> bool;
}
