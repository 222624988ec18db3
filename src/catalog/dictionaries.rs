//! The dictionaries of all collections, in memory: they only grow.

use std::collections::BTreeMap;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::record::{Dictionary, DictionaryEntry};
use blaze_core::{Direction, Document, Family, KeyRange, Result, Write};
use parking_lot::{Mutex, RwLock};

use super::commit_ahead;
use super::layout::{prefix, prefixed};
use crate::database::core::Core;

/// The dictionary of each collection that was touched since the database was opened.
#[derive(Debug, Default)]
pub(crate) struct Dictionaries {
    /// By number: a tree finds one of a few of them sooner than a hash is computed.
    by_collection: RwLock<BTreeMap<u32, Arc<Dictionary>>>,
    /// Held while a dictionary is loaded or grows, so that ordinals are given out once.
    growing: Mutex<()>,
}

impl Dictionaries {
    /// The dictionary of a collection: it reads every record committed so far.
    pub(crate) fn get(&self, core: &Core, collection: u32) -> Result<Arc<Dictionary>> {
        if let Some(dictionary) = self.by_collection.read().get(&collection) {
            return Ok(Arc::clone(dictionary));
        }
        let _growing = self.growing.lock();
        self.load(core, collection)
    }

    /// The dictionary of a collection, having learnt `document`.
    ///
    /// What is new is committed at once and on its own: a row whose transaction then fails is merely unused, while
    /// one that came too late would make a record unreadable.
    pub(crate) fn learn(&self, core: &Core, collection: u32, document: &Document) -> Result<Arc<Dictionary>> {
        let dictionary = self.get(core, collection)?;
        if dictionary.knows(document) {
            return Ok(dictionary);
        }
        let _growing = self.growing.lock();
        let mut grown = Dictionary::clone(&*self.load(core, collection)?);
        let entries = grown.learn(document);
        if !entries.is_empty() {
            let write = |entry: &DictionaryEntry| {
                Write::put(Family::Catalog, prefixed(collection, &entry.ordinal().to_be_bytes()), entry.to_bytes())
            };
            let first = prefixed(collection, &entries[0].ordinal().to_be_bytes());
            commit_ahead(core, &*core.store.read_point()?, entries.iter().map(write).collect(), &first)?;
            fault::reached(Point::DictionaryGrown);
        }
        let grown = Arc::new(grown);
        self.by_collection.write().insert(collection, Arc::clone(&grown));
        Ok(grown)
    }

    /// The dictionary, read from the store if it is not in memory. The caller holds `growing`.
    fn load(&self, core: &Core, collection: u32) -> Result<Arc<Dictionary>> {
        if let Some(dictionary) = self.by_collection.read().get(&collection) {
            return Ok(Arc::clone(dictionary));
        }
        let mut dictionary = Dictionary::default();
        let range = KeyRange::prefix(&prefix(collection));
        let mut cursor = core.store.read_only_point()?.cursor(Family::Catalog, &range, Direction::Forward)?;
        while let Some((_, bytes)) = cursor.next()? {
            dictionary.apply(&DictionaryEntry::from_bytes(bytes)?)?;
        }
        let dictionary = Arc::new(dictionary);
        self.by_collection.write().insert(collection, Arc::clone(&dictionary));
        Ok(dictionary)
    }
}
