//! What a product must offer to be measured: an [`Engine`] opens it, and what it opens is a [`KeyValue`] store, one that
//! is [`Transactional`], a store of [`Documents`], a collection of [`Orders`], an index of [`Vectors`] or one of [`Texts`].
//!
//! Whoever wants to see another product in the tables implements these traits and hands the engine to
//! [`cli::main`](crate::cli::main); the rivals in `benches/compare` do just that.

mod apart;
mod archive;
#[cfg(feature = "blaze")]
mod bare_index;
#[cfg(feature = "blaze")]
mod blaze;
#[cfg(feature = "blaze")]
mod brute_force;
mod document;
mod orders;
mod text;
mod text_store;
mod transactional;
mod vector;
mod vector_store;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::apart::Apart;
pub use self::archive::{Archive, ArchiveIndex};
#[cfg(feature = "blaze")]
pub use self::bare_index::BareIndex;
#[cfg(feature = "blaze")]
pub use self::blaze::Blaze;
#[cfg(feature = "blaze")]
pub use self::brute_force::BruteForce;
pub use self::document::{Condition, Documents, Find, Operator, Sort};
pub use self::orders::{OrderSkill, Orders, StatusGroup};
pub use self::text::{TextFormula, TextHit, TextItems, TextQuestion, TextSize, TextSkill, Texts, WordWeight};
pub use self::text_store::{TextPlace, TextStore};
pub use self::transactional::{Isolation, Keeps, Opening, Ranges, Transactional};
pub use self::vector::{
    Batch, EF_CONSTRUCTION, Items, Properties, VectorFilter, VectorMetric, VectorOptions, VectorSkill, Vectors,
};
pub use self::vector_store::{Place, VectorStore};
use crate::Result;

/// What a commit must survive by the time it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// Power loss.
    Sync,
    /// The death of the process.
    Buffered,
}

/// What an engine stores, and so which workloads it can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Faculty {
    /// Raw bytes under raw bytes, in order.
    KeyValue,
    /// The same with transactions, for Blaze's own targets: RocksDB in one form or another.
    Transactions,
    /// The same with a history and a change feed for the maps that want them.
    Past,
    /// Documents with indexes and queries.
    Documents,
    /// Documents of one Rust type, for Blaze's own targets.
    Orders,
    /// Documents of which only the space is measured, for Blaze's own targets.
    Archive,
    /// Vectors and their nearest neighbours.
    Vectors,
    /// The same, for Blaze's own targets: whatever has an index of vectors, if nothing else.
    VectorIndex,
    /// Vectors in documents that are written durably, for Blaze's own targets.
    VectorStore,
    /// Texts and their words, for Blaze's own targets.
    Texts,
    /// Texts in documents that are written durably, for Blaze's own targets.
    TextStore,
}

/// How to open an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where its files go: an empty directory, or one that the same engine has left.
    pub directory: PathBuf,
    /// Bytes that the engine may use for its own cache, where it has one; the rest of the memory is the system's page
    /// cache.
    pub cache_bytes: usize,
}

impl EngineOptions {
    /// Bytes for writes that are not yet in files, in engines that collect them: as much as the cache, 64 MiB at most.
    #[must_use]
    pub fn write_buffer_bytes(&self) -> usize {
        self.cache_bytes.min(64 << 20)
    }
}

/// A product that can be measured. It is opened in a process of its own for each run.
///
/// An engine overrides the `open` method of each [`Faculty`] that it lists.
pub trait Engine: Sync {
    /// What tables and options call it: short, in lower case.
    fn name(&self) -> &'static str;

    /// The version that is linked.
    fn version(&self) -> String;

    /// What it can store.
    fn faculties(&self) -> &'static [Faculty];

    /// Every setting that differs from the product's defaults, and what else a reader of its figures must know.
    fn configuration(&self, options: &EngineOptions) -> Vec<String>;

    /// The program that its jobs run in, where it is not this one.
    fn program(&self) -> Option<&Path> {
        None
    }

    /// Why it cannot be measured now, if it cannot.
    fn missing(&self) -> Option<String> {
        None
    }

    /// Opens it as a key-value store.
    ///
    /// # Errors
    /// Those of the product.
    fn open_key_value(&self, _options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        Err(format!("{} is no key-value store", self.name()).into())
    }

    /// Opens it as a store with transactions. Whatever a product has in common with Blaze is set as Blaze sets it, and
    /// both get the same memory, so that what differs is the code.
    ///
    /// # Errors
    /// Those of the product.
    fn open_transactional(&self, _options: &EngineOptions, _opening: Opening) -> Result<Box<dyn Transactional>> {
        Err(format!("{} does not take part in the engine's own table", self.name()).into())
    }

    /// Opens it as a store of documents.
    ///
    /// # Errors
    /// Those of the product.
    fn open_documents(&self, _options: &EngineOptions) -> Result<Box<dyn Documents>> {
        Err(format!("{} stores no documents", self.name()).into())
    }

    /// Opens it as a collection of orders, with the same cache for all: nobody maps files.
    ///
    /// # Errors
    /// Those of the product.
    fn open_orders(&self, _options: &EngineOptions) -> Result<Box<dyn Orders>> {
        Err(format!("{} does not take part in the documents' own table", self.name()).into())
    }

    /// Opens it as a collection of which the size is measured.
    ///
    /// # Errors
    /// Those of the product.
    fn open_archive(&self, _options: &EngineOptions) -> Result<Box<dyn Archive>> {
        Err(format!("{} does not take part in the measuring of sizes", self.name()).into())
    }

    /// Opens it as an index of vectors.
    ///
    /// # Errors
    /// Those of the product.
    fn open_vectors(&self, _options: &EngineOptions, _vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        Err(format!("{} does not index vectors", self.name()).into())
    }

    /// The numbers of connections, M, among which the best is looked for; a single one where the product is measured with
    /// its default.
    fn connections(&self) -> &'static [usize] {
        &[16]
    }

    /// Opens it as a database with vectors in documents, of `dimensions` numbers each and compared by Euclidean distance.
    ///
    /// # Errors
    /// Those of the product.
    fn open_vector_store(&self, _options: &EngineOptions, _dimensions: usize) -> Result<Box<dyn VectorStore>> {
        Err(format!("{} has no vectors in documents", self.name()).into())
    }

    /// Opens it as an index of texts.
    ///
    /// # Errors
    /// Those of the product.
    fn open_texts(&self, _options: &EngineOptions) -> Result<Box<dyn Texts>> {
        Err(format!("{} does not index texts", self.name()).into())
    }

    /// Opens it as a database with texts in documents.
    ///
    /// # Errors
    /// Those of the product.
    fn open_text_store(&self, _options: &EngineOptions) -> Result<Box<dyn TextStore>> {
        Err(format!("{} has no texts in documents", self.name()).into())
    }
}

/// A write of a transaction.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// Sets a key.
    Put(&'a [u8], &'a [u8]),
    /// Removes a key.
    Delete(&'a [u8]),
}

/// Pairs to be loaded, one after the other, in no particular order.
pub trait Pairs {
    /// The next key and value.
    fn next(&mut self) -> Option<(&[u8], &[u8])>;
}

/// What visits a key and its value.
pub type VisitPair<'a> = dyn FnMut(&[u8], &[u8]) + 'a;

/// An open key-value store. All keys belong to one map; several threads use it at once.
pub trait KeyValue: Send + Sync {
    /// Writes many pairs to an empty store, in the way the product recommends for that, and makes them durable.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, pairs: &mut dyn Pairs) -> Result<()>;

    /// Writes all of `writes` in one transaction. Where the product cannot hold so many in one, its configuration says
    /// how many it can.
    ///
    /// # Errors
    /// Those of the product.
    fn commit(&self, writes: &[Write<'_>], durability: Durability) -> Result<()>;

    /// Reads a key, lets `change` edit its value and writes it back, in one transaction that is retried on conflict:
    /// no other write is lost. Says whether the key was there; `change` may run several times.
    ///
    /// # Errors
    /// Those of the product.
    fn modify(&self, key: &[u8], change: &mut dyn FnMut(&mut Vec<u8>), durability: Durability) -> Result<bool>;

    /// Visits the value under `key` as it is now; says whether there was one.
    ///
    /// # Errors
    /// Those of the product.
    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool>;

    /// Visits at most `limit` pairs, ascending from `start`, as they are now; says how many.
    ///
    /// # Errors
    /// Those of the product.
    fn scan(&self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize>;

    /// A view of the store at one moment, for one thread and many reads.
    ///
    /// # Errors
    /// Those of the product.
    fn reader(&self) -> Result<Box<dyn Reader + '_>>;

    /// How many keys there are, by whatever way the product offers.
    ///
    /// # Errors
    /// Those of the product.
    fn count(&self) -> Result<u64>;

    /// Gives space back to the file system; false where the product has no such operation.
    ///
    /// # Errors
    /// Those of the product.
    fn compact(&self) -> Result<bool>;

    /// Waits until no work of earlier writes is left to the background, so that the next measurement starts level.
    ///
    /// # Errors
    /// Those of the product.
    fn settle(&self) -> Result<()>;
}

/// A view of a key-value store at one moment.
pub trait Reader {
    /// Visits the value under `key`; says whether there was one.
    ///
    /// # Errors
    /// Those of the product.
    fn get(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool>;

    /// Visits at most `limit` pairs, ascending from `start`; says how many.
    ///
    /// # Errors
    /// Those of the product.
    fn scan(&mut self, start: &[u8], limit: usize, visit: &mut VisitPair<'_>) -> Result<usize>;
}
