//! The open RocksDB database, and snapshots and iterators that own it instead of borrowing it.
//!
//! All of this crate's unsafe code is here and in the files below. What the binding does well is done through it; reads
//! and writes go to the C interface, because the binding copies, allocates or borrows where they must not.

mod backup;
mod call;
mod iterator;
mod scrub;
mod sight;
mod snapshot;
mod sorted_file;

use std::fmt;
use std::mem::transmute;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Family, KeyRange, Result};
use librocksdb_sys as sys;
use parking_lot::Mutex;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    AsColumnFamilyRef, AsRawPtr, BottommostLevelCompaction, BoundColumnFamily, ColumnFamilyDescriptor, CompactOptions,
    DB, FlushOptions, IngestExternalFileOptions, Options as RocksOptions, WaitForCompactOptions,
};

pub(crate) use self::backup::{BackupEngine, REPORT_BYTES};
use self::call::checked;
pub(crate) use self::iterator::RawIterator;
pub(crate) use self::scrub::ScrubView;
pub(crate) use self::snapshot::Snapshot;
use self::snapshot::bytes;
pub(crate) use self::sorted_file::SortedFile;
use crate::directory::Claim;
use crate::environment::Environment;
use crate::error;
use crate::options::{LsmOptions, column_family_name};

type ColumnFamily<'a> = Arc<BoundColumnFamily<'a>>;
type RawFamily = *mut sys::rocksdb_column_family_handle_t;

/// An open database. It closes when the last [`Arc`] of it goes.
pub(crate) struct Engine {
    /// None for a family that a database from before it lacks and that nobody may create: it is empty.
    families: [Option<ColumnFamily<'static>>; Family::ALL.len()], // before the database: they are handles into it
    write_options: WriteOptions,
    database: DB,
    /// Syncs of the log since the database was opened.
    syncs: AtomicU64,
    /// A write or a sync failed: what the disk holds is not known, and a second sync may lie about it.
    failed: AtomicBool,
    read_only: bool,
    claim: Option<Claim>, // after the database, which is closed before another may have the directory
    /// Dropped once the database is closed, which wakes [`Engine::close`].
    gone: Mutex<Option<Sender<()>>>,
}

impl Engine {
    pub(crate) fn open(
        path: &Path,
        options: &LsmOptions,
        environment: &Environment,
        mut claim: Claim,
    ) -> Result<Arc<Engine>> {
        let (database, families) = (options.database(environment)?, options.column_families(environment)?);
        let database = match options.read_only {
            true => open_read_only(&database, path, families),
            false => DB::open_cf_descriptors(&database, path, families),
        };
        let database = database.map_err(|error| error::open(path, &error))?;
        fault::reached(Point::LogReplayed);
        claim.complete()?;
        let engine = Engine::over(database, options.read_only, Some(claim))?;
        environment.add(&engine);
        Ok(engine)
    }

    /// The engine of a database that RocksDB has opened.
    fn over(database: DB, read_only: bool, claim: Option<Claim>) -> Result<Arc<Engine>> {
        let mut families = Vec::with_capacity(Family::ALL.len());
        for family in Family::ALL {
            let handle = database.cf_handle(column_family_name(family));
            if handle.is_none() && !read_only {
                return Err(Error::internal(format!("RocksDB did not open the {} family", family.name())));
            }
            // SAFETY: the lifetime is that of the database. The handle is stored beside it, is dropped before it, and
            // is lent only for as long as the engine is borrowed (`Engine::family`). The handle points to memory of
            // RocksDB and not to `database`, which may therefore still move.
            families.push(handle.map(|handle| unsafe { transmute::<ColumnFamily<'_>, ColumnFamily<'static>>(handle) }));
        }
        let families = families.try_into().map_err(|_| Error::internal("one handle for each family"))?;
        Ok(Arc::new(Engine {
            families,
            write_options: WriteOptions::new(),
            database,
            syncs: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            read_only,
            claim,
            gone: Mutex::new(None),
        }))
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// What a version has to know to read the database.
    pub(crate) fn features(&self) -> u64 {
        self.claim.as_ref().map_or(0, Claim::features)
    }

    /// Has every version refuse the database that does not know these features, before something is written that needs them.
    pub(crate) fn require(&self, features: u64) -> Result<()> {
        match &self.claim {
            Some(claim) if features != 0 => claim.require(features),
            _ => Ok(()),
        }
    }

    /// Refuses what would change a database that is open for reading only.
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.read_only {
            true => Err(error::read_only()),
            false => Ok(()),
        }
    }

    /// Bytes of memory that hold writes which nobody has begun to put into files.
    pub(crate) fn unflushed_bytes(&self) -> usize {
        let of = |family| self.database.property_int_value_cf(family, "rocksdb.cur-size-active-mem-table");
        // A property that cannot be read counts for nothing: it only says what to flush first.
        self.families.iter().flatten().map(|family| of(family).ok().flatten().map_or(0, |bytes| bytes as usize)).sum()
    }

    /// Has the background write everything that is in memory only into sorted files. If that cannot begin, later
    /// writes will tell why.
    pub(crate) fn begin_flush(&self) {
        let mut options = FlushOptions::default();
        options.set_wait(false);
        let _ = self.database.flush_cfs_opt(&self.families.iter().flatten().collect::<Vec<_>>(), &options);
    }

    /// Gives up this share of the engine and waits until all others are gone and the database is closed, its lock on
    /// the directory released.
    pub(crate) fn close(self: Arc<Engine>) {
        let (gone, closed) = channel();
        *self.gone.lock() = Some(gone);
        drop(self);
        let _ = closed.recv(); // fails when the sender is dropped, which is what it waits for
    }

    /// None if the database lacks the family, which is then empty and stays so.
    fn family(&self, family: Family) -> Option<&ColumnFamily<'_>> {
        self.families[family as usize].as_ref()
    }

    /// A family that is to be changed.
    fn family_to_change(&self, family: Family) -> Result<&ColumnFamily<'_>> {
        self.family(family).ok_or_else(error::read_only)
    }

    /// The newest value of a key, whatever read points say.
    pub(crate) fn latest(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(family) = self.family(family) else { return Ok(None) };
        self.database.get_cf(family, key).map_err(|error| error::rocks("reading", &error))
    }

    /// The first key of a family at or beyond `key`, whatever read points say.
    pub(crate) fn first_key_from(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(family) = self.family(family) else { return Ok(None) };
        let mut iterator = self.database.raw_iterator_cf(family);
        iterator.seek(key);
        iterator.status().map_err(|error| error::rocks("reading", &error))?;
        Ok(iterator.key().map(<[u8]>::to_vec))
    }

    /// The largest key of a family, whatever read points say.
    pub(crate) fn last_key(&self, family: Family) -> Result<Option<Vec<u8>>> {
        let Some(family) = self.family(family) else { return Ok(None) };
        let mut iterator = self.database.raw_iterator_cf(family);
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

    /// Applies a batch in RocksDB's own representation and hands it to the operating system; see [`Batch`].
    ///
    /// [`Batch`]: crate::commit::batch::Batch
    pub(crate) fn write(&self, representation: &[u8]) -> Result<()> {
        // SAFETY: RocksDB copies the bytes. It checks them when it applies them, and refuses what it cannot read.
        let batch =
            unsafe { sys::rocksdb_writebatch_create_from(representation.as_ptr().cast(), representation.len()) };
        // SAFETY: database, options and batch are valid, and the batch is nobody else's.
        let written = checked("writing", |error| unsafe {
            sys::rocksdb_write(self.raw(), self.write_options.0, batch, error);
        });
        // SAFETY: the batch is ours and not used any more.
        unsafe { sys::rocksdb_writebatch_destroy(batch) };
        written.inspect_err(|_| self.failed.store(true, Ordering::Release))
    }

    /// True while RocksDB makes writers wait, because flushes or compactions cannot keep up.
    pub(crate) fn writes_are_stopped(&self) -> bool {
        self.database.property_int_value("rocksdb.is-write-stopped").is_ok_and(|stopped| stopped == Some(1))
    }

    /// Makes everything written so far survive power loss.
    pub(crate) fn sync(&self) -> Result<()> {
        self.check_healthy()?;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.database.flush_wal(true).map_err(|error| self.fail("syncing the log", &error))
    }

    /// Syncs of the log since the database was opened.
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// How many writes RocksDB has taken.
    pub(crate) fn sequence(&self) -> u64 {
        self.database.latest_sequence_number()
    }

    /// The number by which batches name a family. One that is not there has none that RocksDB knows: no batch is written then.
    pub(crate) fn family_number(&self, family: Family) -> u32 {
        // SAFETY: the handle lives as long as `self`.
        self.raw_family(family).map_or(u32::MAX, |family| unsafe { sys::rocksdb_column_family_handle_get_id(family) })
    }

    fn raw(&self) -> *mut sys::rocksdb_t {
        // SAFETY: whoever uses the pointer borrows the engine or holds an `Arc` of it, and the engine holds the
        // database.
        unsafe { self.database.as_raw_ptr() }
    }

    fn raw_family(&self, family: Family) -> Option<RawFamily> {
        self.family(family).map(AsColumnFamilyRef::inner)
    }

    pub(crate) fn flush(&self) -> Result<()> {
        let families: Vec<_> = self.families.iter().flatten().collect();
        self.database
            .flush_cfs_opt(&families, &FlushOptions::default())
            .map_err(|error| error::rocks("flushing", &error))
    }

    /// Ends flushes and compactions, and waits for them: no file changes any more, though what is there can be read. False if one
    /// of them has failed since the database was opened.
    pub(crate) fn end_background_work(&self) -> bool {
        self.database.cancel_all_background_work(true);
        self.database.property_int_value("rocksdb.background-errors").is_ok_and(|errors| errors == Some(0))
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
        if let Some(family) = self.family(family) {
            self.database.compact_range_cf_opt(family, Some(range.start()), range.end(), &options);
        }
    }

    /// Makes sorted files a part of the database; from then on they are nowhere else. Their ranges do not overlap, they are
    /// in order, and there is no key in the database from the first to the last of theirs, whatever read points say.
    /// Snapshots that were taken before see them, too.
    pub(crate) fn ingest(&self, family: Family, files: &[PathBuf]) -> Result<()> {
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        // Otherwise the files get a sequence number whenever there is a snapshot, and compaction rewrites them to lose it.
        options.set_snapshot_consistency(false);
        self.database
            .ingest_external_file_cf_opts(self.family_to_change(family)?, &options, files.to_vec())
            .map_err(|error| error::rocks("taking in sorted files", &error))
    }

    /// Deletes the files that hold nothing but keys of a range, whatever read points say. Other keys of it stay.
    pub(crate) fn delete_files(&self, family: Family, range: &KeyRange) -> Result<()> {
        let Some(end) = range.end() else { return Ok(()) }; // there is no key behind all others to name
        self.database
            .delete_file_in_range_cf(self.family_to_change(family)?, range.start(), end)
            .map_err(|error| error::rocks("deleting files", &error))
    }

    pub(crate) fn checkpoint(&self, to: &Path) -> Result<()> {
        Checkpoint::new(&self.database)
            .and_then(|checkpoint| checkpoint.create_checkpoint(to))
            .map_err(|error| error::rocks(&format!("writing a checkpoint to {}", to.display()), &error))
    }

    #[cold]
    fn fail(&self, doing: &str, error: &rocksdb::Error) -> Error {
        self.failed.store(true, Ordering::Release);
        error::rocks(doing, error)
    }
}

/// Opens a database without the family of text indexes if it lacks that: it is from before there were any, and to create it would
/// change it.
fn open_read_only(
    options: &RocksOptions,
    path: &Path,
    families: Vec<ColumnFamilyDescriptor>,
) -> std::result::Result<DB, rocksdb::Error> {
    let there = match DB::list_cf(options, path) {
        Ok(names) => {
            let may_lack = column_family_name(Family::Text);
            let is_there = |name: &str| name != may_lack || names.iter().any(|there| there == name);
            families.into_iter().filter(|family| is_there(family.name())).collect()
        }
        Err(_) => families, // opening says what is wrong
    };
    DB::open_cf_descriptors_read_only(options, path, there, false)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("path", &self.database.path())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// How RocksDB writes: to the log, without a sync, each entry of a batch guarded by a checksum on its way through memory.
struct WriteOptions(*mut sys::rocksdb_writeoptions_t);

// SAFETY: the options never change after `new`, and any thread may read and free them.
unsafe impl Send for WriteOptions {}
// SAFETY: as above.
unsafe impl Sync for WriteOptions {}

impl WriteOptions {
    fn new() -> WriteOptions {
        // SAFETY: the options are ours until `drop`.
        unsafe {
            let options = sys::rocksdb_writeoptions_create();
            sys::rocksdb_writeoptions_set_protection_bytes_per_key(options, 8);
            WriteOptions(options)
        }
    }
}

impl Drop for WriteOptions {
    fn drop(&mut self) {
        // SAFETY: nobody else frees them.
        unsafe { sys::rocksdb_writeoptions_destroy(self.0) };
    }
}
