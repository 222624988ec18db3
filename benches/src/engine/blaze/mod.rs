//! Blaze itself.

mod archive;
mod documents;
mod key_value;
mod orders;
mod text_store;
mod texts;
mod transactional;
mod vector_store;
mod vectors;

use super::{
    Archive, Documents, Durability, Engine, EngineOptions, Faculty, KeyValue, Opening, Orders, TextStore, Texts,
    Transactional, VectorOptions, VectorStore, Vectors,
};
use crate::Result;

/// Blaze, through the interface that applications use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blaze;

impl Engine for Blaze {
    fn name(&self) -> &'static str {
        "blaze"
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned() // one version for all packages of the workspace
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[
            Faculty::KeyValue,
            Faculty::Transactions,
            Faculty::Past,
            Faculty::Documents,
            Faculty::Orders,
            Faculty::Archive,
            Faculty::Vectors,
            Faculty::VectorIndex,
            Faculty::VectorStore,
            Faculty::Texts,
            Faculty::TextStore,
        ]
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        vec![
            format!("cache_bytes {}, write_buffer_bytes {}", options.cache_bytes, options.write_buffer_bytes()),
            "of texts, half of the cache is text_memory_bytes".to_owned(),
            "serializable transactions, the default".to_owned(),
            format!("transactions of at most {} writes; larger ones are split", key_value::WRITES_PER_TRANSACTION),
            format!("loads in transactions of {} bytes", key_value::LOAD_BYTES_PER_TRANSACTION),
        ]
    }

    fn open_key_value(&self, options: &EngineOptions) -> Result<Box<dyn KeyValue>> {
        Ok(Box::new(key_value::BlazeKeyspace::open(builder(options).open(&options.directory)?, Durability::Sync)?))
    }

    fn open_transactional(&self, options: &EngineOptions, opening: Opening) -> Result<Box<dyn Transactional>> {
        let database = builder(options).durability(opening.durability.into()).open(&options.directory)?;
        Ok(Box::new(key_value::BlazeKeyspace::open(database, opening.durability)?))
    }

    fn open_documents(&self, options: &EngineOptions) -> Result<Box<dyn Documents>> {
        Ok(Box::new(documents::BlazeCollection::open(builder(options).open(&options.directory)?)?))
    }

    fn open_orders(&self, options: &EngineOptions) -> Result<Box<dyn Orders>> {
        Ok(Box::new(orders::BlazeOrders::open(builder(options).open(&options.directory)?)?))
    }

    fn open_archive(&self, options: &EngineOptions) -> Result<Box<dyn Archive>> {
        Ok(Box::new(archive::BlazeArchive::open(builder(options).open(&options.directory)?)?))
    }

    fn open_vectors(&self, options: &EngineOptions, vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        Ok(Box::new(vectors::BlazeVectors::open(builder(options).open(&options.directory)?, vectors)?))
    }

    fn open_vector_store(&self, options: &EngineOptions, dimensions: usize) -> Result<Box<dyn VectorStore>> {
        let database = builder(options).durability(blaze::Durability::Sync).open(&options.directory)?;
        Ok(Box::new(vector_store::BlazeVectorStore::open(database, dimensions)?))
    }

    fn open_texts(&self, options: &EngineOptions) -> Result<Box<dyn Texts>> {
        // Pages of a text index are in a cache of their own.
        let half = options.cache_bytes / 2;
        let builder = builder(options).cache_bytes(half).text_memory_bytes(half);
        Ok(Box::new(texts::BlazeTexts::open(builder.open(&options.directory)?)?))
    }

    fn open_text_store(&self, options: &EngineOptions) -> Result<Box<dyn TextStore>> {
        let database = builder(options).durability(blaze::Durability::Sync).open(&options.directory)?;
        Ok(Box::new(text_store::BlazeTextStore::open(database)))
    }
}

/// The memory that it gets is all that it may use: the rivals get as much.
fn builder(options: &EngineOptions) -> blaze::DatabaseBuilder {
    let builder = blaze::Database::builder().cache_bytes(options.cache_bytes);
    builder.write_buffer_bytes(options.write_buffer_bytes())
}

impl From<Durability> for blaze::Durability {
    fn from(durability: Durability) -> blaze::Durability {
        match durability {
            Durability::Sync => blaze::Durability::Sync,
            Durability::Buffered => blaze::Durability::Buffered,
        }
    }
}
