//! What all handles of one database share.

use std::fmt;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{
    Clock, Durability, Entropy, Error, Family, HybridClock, Isolation, KeyRange, Result, Store, Timestamp,
};
use blaze_lsm::LsmStore;

use crate::catalog::{self, Catalog};
use crate::embedding::Embedding;
use crate::retention::Retention;
use crate::system::TemporaryDirectory;
use crate::text::{TEXT_MEMORY_BYTES, Texts};
use crate::vector::{Graphs, VECTOR_MEMORY_BYTES};

/// What all handles of one database share; the database closes with the last of them.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) storage: Storage,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) catalog: Catalog,
    /// The ticks that automatic ids are made of.
    pub(crate) ids: HybridClock,
    /// Names this copy of the database in automatic ids.
    pub(crate) replica: u64,
    pub(crate) isolation: Isolation,
    pub(crate) durability: Durability,
    read_only: bool,
    /// How old a transaction may become, if there is a limit.
    pub(crate) transaction_age_max_ms: Option<u64>,
    pub(crate) retention: Arc<Retention>,
    pub(crate) vectors: Arc<Graphs>,
    pub(crate) texts: Arc<Texts>,
    pub(crate) embedding: Arc<Embedding>,
    /// The same database for work in the background, if there is any; see [`for_background`](Core::for_background).
    background: Option<Arc<Core>>,
    /// True for what the handles share, false for its double.
    closes: bool,
}

/// Where the data lives, beyond what the Store port says.
#[derive(Debug)]
pub(crate) enum Storage {
    Memory,
    Directory {
        store: Arc<LsmStore>,
        /// Removed with the last handle, after the store was closed.
        _temporary: Option<TemporaryDirectory>,
    },
}

impl Storage {
    fn is_read_only(&self) -> Result<bool> {
        match self {
            Storage::Memory => Ok(false),
            Storage::Directory { store, .. } => store.is_read_only(),
        }
    }

    /// True if nothing of it is there when it is closed.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Storage::Memory => true,
            Storage::Directory { _temporary: temporary, .. } => temporary.is_some(),
        }
    }

    /// Gives back the files that hold nothing but keys of a range, unless somebody reads a view from before `since`. Nobody
    /// reads or writes those keys in a later one.
    pub(crate) fn discard(&self, family: Family, range: &KeyRange, since: Timestamp) -> Result<()> {
        match self {
            Storage::Directory { store, .. } => store.discard(family, range, since).map(drop),
            Storage::Memory => Ok(()),
        }
    }
}

impl Core {
    /// Puts a database together over a store that is open.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        storage: Storage,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        isolation: Isolation,
        durability: Durability,
        retention: Retention,
    ) -> Result<Core> {
        let read_only = storage.is_read_only()?;
        // It makes no ids that the replica would have to tell apart, and cannot keep a number that it draws.
        let replica = if read_only { 0 } else { own_replica(&*store, &storage, &*entropy)? };
        let ids = HybridClock::after(store.read_point()?.ts());
        let catalog = Catalog::default();
        Ok(Core {
            store,
            storage,
            clock,
            entropy,
            catalog,
            ids,
            replica,
            isolation,
            durability,
            read_only,
            transaction_age_max_ms: None,
            retention: Arc::new(retention),
            vectors: Arc::new(Graphs::new(VECTOR_MEMORY_BYTES)),
            texts: Arc::new(Texts::new(TEXT_MEMORY_BYTES)),
            embedding: Arc::new(Embedding::new()),
            background: None,
            closes: true,
        })
    }

    /// Puts it where all handles can share it, with what looks after it while nobody uses it.
    pub(crate) fn share(mut self) -> Arc<Core> {
        if !self.read_only && self.clock.is_running() {
            self.background = Some(Arc::new(self.for_background()));
        }
        let core = Arc::new(self);
        core.retention.begin(&core, core.background.as_ref());
        core.vectors.begin(core.background.as_ref());
        core.texts.begin(core.background.as_ref());
        core.embedding.begin(core.background.as_ref());
        core
    }

    /// The same database for who works on it in the background: holding that does not keep it open, so that closing and
    /// dropping the last handle wait for nobody. It makes no ids.
    fn for_background(&self) -> Core {
        let storage = match &self.storage {
            Storage::Memory => Storage::Memory,
            Storage::Directory { store, .. } => Storage::Directory { store: Arc::clone(store), _temporary: None },
        };
        let catalog = self.catalog.sharing_dictionaries();
        catalog.note_expiring();
        Core {
            store: Arc::clone(&self.store),
            storage,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            catalog,
            ids: HybridClock::default(),
            replica: self.replica,
            isolation: self.isolation,
            durability: self.durability,
            read_only: self.read_only,
            transaction_age_max_ms: None,
            retention: Arc::clone(&self.retention),
            vectors: Arc::clone(&self.vectors),
            texts: Arc::clone(&self.texts),
            embedding: Arc::clone(&self.embedding),
            background: None,
            closes: false,
        }
    }

    /// Milliseconds since 1970, as far as the clock or a commit that somebody has seen has come.
    pub(crate) fn now_ms(&self, seen: Timestamp) -> u64 {
        self.clock.now_ms().max(seen.ms())
    }

    /// Closes the database for all who have it.
    pub(crate) fn close(&self) -> Result<()> {
        self.embedding.end();
        if let Some(background) = self.background.as_ref().filter(|_| !self.storage.is_temporary()) {
            self.vectors.flush_at_the_end(background);
        }
        self.vectors.end();
        self.texts.end();
        let result = self.store.close();
        self.retention.end();
        result
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Refuses to write to a database that is open for reading only, before anything is done.
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.read_only {
            true => Err(Error::invalid("the database is open read-only")),
            false => Ok(()),
        }
    }
}

/// The number of this copy of the database. One that was copied gets another, and is its own only once that is durable.
fn own_replica(store: &dyn Store, storage: &Storage, entropy: &dyn Entropy) -> Result<u64> {
    match storage {
        Storage::Directory { store: directory, .. } if directory.is_copy()? => {
            let replica = catalog::replica(store, entropy, true)?;
            fault::reached(Point::ReplicaDrawn);
            directory.become_original().map(|()| replica)
        }
        _ => catalog::replica(store, entropy, false),
    }
}

impl fmt::Debug for Core {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("isolation", &self.isolation).finish_non_exhaustive()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.closes {
            // Whoever wants to see these errors calls close().
            let _ = self.close();
        }
    }
}
