//! The open RocksDB database, and snapshots and iterators that own it instead of borrowing it.
//!
//! All of this crate's unsafe code is here. It extends lifetimes to `'static` in three places, each inside a struct
//! that keeps what is borrowed alive: fields are dropped in the order of their declaration, borrowers first.

mod backup;
mod call;
mod scrub;
mod sight;

use std::fmt;
use std::mem::transmute;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use blaze_core::{Direction, Entry, Error, Family, KeyRange, Result};
use librocksdb_sys as sys;
use parking_lot::Mutex;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    AsColumnFamilyRef, AsRawPtr, BottommostLevelCompaction, BoundColumnFamily, CompactOptions, DB, DBPinnableSlice,
    DBRawIterator, FlushOptions, ReadOptions, WaitForCompactOptions, WriteBatch, WriteOptions,
};

pub(crate) use self::backup::{BackupEngine, REPORT_BYTES};
pub(crate) use self::scrub::ScrubView;
use crate::error;
use crate::options::{LsmOptions, column_family_name};

type ColumnFamily<'a> = Arc<BoundColumnFamily<'a>>;

/// An open database. It closes when the last [`Arc`] of it goes.
pub(crate) struct Engine {
    families: [ColumnFamily<'static>; Family::ALL.len()], // before the database: they are handles into it
    database: DB,
    /// A write or a sync failed: what the disk holds is not known, and a second sync may lie about it.
    failed: AtomicBool,
    /// Dropped once the database is closed, which wakes [`Engine::close`].
    gone: Mutex<Option<Sender<()>>>,
}

impl Engine {
    pub(crate) fn open(path: &Path, options: &LsmOptions) -> Result<Arc<Engine>> {
        let database = DB::open_cf_descriptors(&options.database(), path, options.column_families())
            .map_err(|error| error::open(path, &error))?;
        Engine::over(database)
    }

    /// The engine of a database that RocksDB has opened.
    fn over(database: DB) -> Result<Arc<Engine>> {
        let mut families = Vec::with_capacity(Family::ALL.len());
        for family in Family::ALL {
            let handle = database
                .cf_handle(column_family_name(family))
                .ok_or_else(|| Error::internal(format!("RocksDB did not open the {} family", family.name())))?;
            // SAFETY: the lifetime is that of the database. The handle is stored beside it, is dropped before it, and
            // is lent only for as long as the engine is borrowed (`Engine::family`). The handle points to memory of
            // RocksDB and not to `database`, which may therefore still move.
            families.push(unsafe { transmute::<ColumnFamily<'_>, ColumnFamily<'static>>(handle) });
        }
        let families = families.try_into().map_err(|_| Error::internal("one handle for each family"))?;
        Ok(Arc::new(Engine { families, database, failed: AtomicBool::new(false), gone: Mutex::new(None) }))
    }

    /// Gives up this share of the engine and waits until all others are gone and the database is closed, its lock on
    /// the directory released.
    pub(crate) fn close(self: Arc<Engine>) {
        let (gone, closed) = channel();
        *self.gone.lock() = Some(gone);
        drop(self);
        let _ = closed.recv(); // fails when the sender is dropped, which is what it waits for
    }

    pub(crate) fn family(&self, family: Family) -> &ColumnFamily<'_> {
        &self.families[family as usize]
    }

    /// The newest value of a key, whatever read points say.
    pub(crate) fn latest(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.database.get_cf(self.family(family), key).map_err(|error| error::rocks("reading", &error))
    }

    /// The largest key of a family, whatever read points say.
    pub(crate) fn last_key(&self, family: Family) -> Result<Option<Vec<u8>>> {
        let mut iterator = self.database.raw_iterator_cf(self.family(family));
        iterator.seek_to_last();
        iterator.status().map_err(|error| error::rocks("reading", &error))?;
        Ok(iterator.key().map(<[u8]>::to_vec))
    }

    /// Refuses to go on after a failed write or sync.
    pub(crate) fn check_healthy(&self) -> Result<()> {
        match self.failed.load(Ordering::Acquire) {
            true => Err(Error::unavailable("an earlier write or sync failed: reopen the database")),
            false => Ok(()),
        }
    }

    pub(crate) fn write(&self, batch: WriteBatch, sync: bool) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.database.write_opt(batch, &options).map_err(|error| self.fail("writing", &error))
    }

    pub(crate) fn sync(&self) -> Result<()> {
        self.check_healthy()?;
        self.database.flush_wal(true).map_err(|error| self.fail("syncing the log", &error))
    }

    pub(crate) fn flush(&self) -> Result<()> {
        let families = self.families.each_ref();
        self.database
            .flush_cfs_opt(&families, &FlushOptions::default())
            .map_err(|error| error::rocks("flushing", &error))
    }

    pub(crate) fn settle(&self) -> Result<()> {
        let mut options = WaitForCompactOptions::default();
        options.set_flush(true);
        self.database.wait_for_compact(&options).map_err(|error| error::rocks("waiting for compactions", &error))
    }

    pub(crate) fn compact(&self, family: Family, range: &KeyRange) {
        let mut options = CompactOptions::default();
        // By default files are only moved to the last level, and what they delete there stays until it is due.
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        self.database.compact_range_cf_opt(self.family(family), Some(range.start()), range.end(), &options);
    }

    pub(crate) fn checkpoint(&self, to: &Path) -> Result<()> {
        Checkpoint::new(&self.database)
            .and_then(|checkpoint| checkpoint.create_checkpoint(to))
            .map_err(|error| error::rocks(&format!("writing a checkpoint to {}", to.display()), &error))
    }

    fn raw(&self) -> *mut sys::rocksdb_t {
        // SAFETY: whoever uses the pointer borrows the engine or holds an `Arc` of it, and the engine holds the
        // database.
        unsafe { self.database.as_raw_ptr() }
    }

    fn raw_family(&self, family: Family) -> *mut sys::rocksdb_column_family_handle_t {
        self.families[family as usize].inner()
    }

    #[cold]
    fn fail(&self, doing: &str, error: &rocksdb::Error) -> Error {
        self.failed.store(true, Ordering::Release);
        error::rocks(doing, error)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("path", &self.database.path())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// A snapshot that keeps its database open.
pub(crate) struct Snapshot {
    read_options: ReadOptions, // before the snapshot, to which it points
    raw: rocksdb::Snapshot<'static>,
    engine: Arc<Engine>,
}

impl Snapshot {
    pub(crate) fn take(engine: Arc<Engine>) -> Snapshot {
        // SAFETY: the lifetime is that of `engine.database`, which does not move, being behind an `Arc`, and which
        // the struct keeps alive until after `raw` is dropped. Nothing lends `raw` out.
        let raw = unsafe { transmute::<rocksdb::Snapshot<'_>, rocksdb::Snapshot<'static>>(engine.database.snapshot()) };
        let mut read_options = ReadOptions::default();
        read_options.set_snapshot(&raw); // a pointer that no lifetime guards
        Snapshot { read_options, raw, engine }
    }

    /// The value of a key, in RocksDB's own memory where that is possible.
    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>> {
        self.engine
            .database
            .get_pinned_cf_opt(self.engine.family(family), key, &self.read_options)
            .map_err(|error| error::rocks("reading", &error))
    }

    /// The values of some keys, in their order. All are held in memory at once.
    pub(crate) fn get_many<'a>(
        &'a self,
        family: Family,
        keys: &'a [&[u8]],
    ) -> impl Iterator<Item = Result<Option<DBPinnableSlice<'a>>>> {
        let family = self.engine.family(family);
        let values =
            self.engine.database.batched_multi_get_cf_opt(family, keys.iter().copied(), false, &self.read_options);
        values.into_iter().map(|value| value.map_err(|error| error::rocks("reading", &error)))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("sequence", &self.raw.sequence_number()).finish_non_exhaustive()
    }
}

/// An iterator that keeps its snapshot and its database open.
pub(crate) struct RawCursor {
    iterator: DBRawIterator<'static>, // before the snapshot, to which its options point
    direction: Direction,
    _snapshot: Arc<Snapshot>,
}

impl RawCursor {
    /// An iterator that stands nowhere: seek before anything else.
    pub(crate) fn new(snapshot: Arc<Snapshot>, family: Family, range: &KeyRange, direction: Direction) -> RawCursor {
        let mut read_options = ReadOptions::default();
        read_options.set_snapshot(&snapshot.raw);
        read_options.set_iterate_lower_bound(range.start());
        if let Some(end) = range.end() {
            read_options.set_iterate_upper_bound(end.max(range.start())); // RocksDB wants them in order
        }
        let engine = &snapshot.engine;
        let iterator = engine.database.raw_iterator_cf_opt(engine.family(family), read_options);
        // SAFETY: the lifetime is that of the database, which `_snapshot` keeps alive until after `iterator` is
        // dropped, like the snapshot that the iterator's options point to. Nothing lends `iterator` out.
        let iterator = unsafe { transmute::<DBRawIterator<'_>, DBRawIterator<'static>>(iterator) };
        RawCursor { iterator, direction, _snapshot: snapshot }
    }

    /// Moves to the first entry at or beyond `key`, or of the whole range.
    pub(crate) fn seek(&mut self, key: Option<&[u8]>) {
        match (self.direction, key) {
            (Direction::Forward, Some(key)) => self.iterator.seek(key),
            (Direction::Forward, None) => self.iterator.seek_to_first(),
            (Direction::Reverse, Some(key)) => self.iterator.seek_for_prev(key),
            (Direction::Reverse, None) => self.iterator.seek_to_last(),
        }
    }

    /// Moves to the next entry. RocksDB allows it only from an entry, so it does nothing at the end.
    pub(crate) fn advance(&mut self) {
        match (self.iterator.valid(), self.direction) {
            (true, Direction::Forward) => self.iterator.next(),
            (true, Direction::Reverse) => self.iterator.prev(),
            (false, _) => {}
        }
    }

    /// The entry at which the iterator stands; `None` beyond the end.
    pub(crate) fn entry(&self) -> Result<Option<Entry<'_>>> {
        match self.iterator.item() {
            Some(entry) => Ok(Some(entry)),
            None => self.iterator.status().map(|()| None).map_err(|error| error::rocks("reading", &error)),
        }
    }
}

impl fmt::Debug for RawCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCursor").field("direction", &self.direction).finish_non_exhaustive()
    }
}
