//! Reading through a database for verification and salvage: every checksum verified, nothing put into the caches.

use std::collections::BTreeSet;
use std::mem::transmute;
use std::path::Path;
use std::sync::Arc;

use blaze_core::{Entry, Family, KeyRange, Result};
use librocksdb_sys as sys;
use rocksdb::{DB, DBRawIterator, DBRecoveryMode, ReadOptions, WriteBatch, WriteOptions};

use super::call::checked;
use super::{Engine, open_read_only};
use crate::environment::Environment;
use crate::error;
use crate::options::{LsmOptions, column_family_name};

/// Bytes that are read from a file at once.
const READ_AHEAD_BYTES: usize = 2 << 20;

/// The database at one moment, to be read through once.
pub(crate) struct ScrubView {
    read_options: ReadOptions,            // before the snapshot, to which it points
    snapshot: rocksdb::Snapshot<'static>, // before the engine, which must free it
    engine: Arc<Engine>,
}

impl ScrubView {
    pub(crate) fn take(engine: Arc<Engine>) -> ScrubView {
        // SAFETY: the lifetime is that of `engine.database`, which does not move, being behind an `Arc`, and which
        // the struct keeps alive until after the snapshot is dropped. Nothing lends the snapshot out.
        let snapshot =
            unsafe { transmute::<rocksdb::Snapshot<'_>, rocksdb::Snapshot<'static>>(engine.database.snapshot()) };
        let mut read_options = ReadOptions::default();
        read_options.set_snapshot(&snapshot); // a pointer that no lifetime guards
        read_options.set_verify_checksums(true);
        read_options.fill_cache(false);
        ScrubView { read_options, snapshot, engine }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(family) = self.engine.family(family) else { return Ok(None) };
        let value = self.engine.database.get_cf_opt(family, key, &self.read_options);
        value.map_err(|error| error::rocks("reading", &error))
    }

    /// An iterator over a range that stands at the first entry not below `key`.
    pub(crate) fn seek(&self, family: Family, range: &KeyRange, key: &[u8]) -> ScrubIterator<'_> {
        let mut read_options = ReadOptions::default();
        read_options.set_snapshot(&self.snapshot);
        read_options.set_verify_checksums(true);
        read_options.fill_cache(false);
        read_options.set_readahead_size(READ_AHEAD_BYTES);
        read_options.set_iterate_lower_bound(range.start());
        if let Some(end) = range.end() {
            read_options.set_iterate_upper_bound(end.max(range.start())); // RocksDB wants them in order
        }
        let iterator = self.engine.family(family).map(|family| {
            let mut iterator = self.engine.database.raw_iterator_cf_opt(family, read_options);
            iterator.seek(key);
            iterator
        });
        ScrubIterator(iterator)
    }
}

/// An iterator over a range of a [`ScrubView`]; none over a family that is not there.
pub(crate) struct ScrubIterator<'a>(Option<DBRawIterator<'a>>);

impl ScrubIterator<'_> {
    /// Moves on from an entry.
    pub(crate) fn advance(&mut self) {
        self.0.iter_mut().for_each(DBRawIterator::next);
    }

    /// The entry at which the iterator stands; `None` beyond the end.
    pub(crate) fn entry(&self) -> Result<Option<Entry<'_>>> {
        let Some(iterator) = &self.0 else { return Ok(None) };
        match iterator.item() {
            Some(entry) => Ok(Some(entry)),
            None => iterator.status().map(|()| None).map_err(|error| error::rocks("reading", &error)),
        }
    }
}

impl Engine {
    /// Opens a database that may be damaged, without changing anything in its directory. Files that cannot be opened
    /// are refused if `checks_files`, and else are found when they are read.
    pub(crate) fn open_damaged(
        path: &Path,
        options: &LsmOptions,
        environment: &Environment,
        recovery: DBRecoveryMode,
        checks_files: bool,
    ) -> Result<Arc<Engine>> {
        let damaged = options.damaged_database(environment, recovery, checks_files)?;
        let database = open_read_only(&damaged, path, options.column_families(environment)?);
        Engine::over(database.map_err(|error| error::open(path, &error))?, true, None)
    }

    /// Opens a new database without claiming its directory, which nobody else knows of.
    pub(crate) fn open_unclaimed(path: &Path, options: &LsmOptions, environment: &Environment) -> Result<Arc<Engine>> {
        let (database, families) = (options.database(environment)?, options.column_families(environment)?);
        let database = DB::open_cf_descriptors(&database, path, families);
        Engine::over(database.map_err(|error| error::open(path, &error))?, false, None)
    }

    /// Reads every block of every sorted file from the disk, past the caches, and verifies its checksum.
    pub(crate) fn verify_sorted_files(&self) -> Result<()> {
        // SAFETY: the options are ours until they are destroyed, the database is open.
        unsafe {
            let options = sys::rocksdb_readoptions_create();
            sys::rocksdb_readoptions_set_readahead_size(options, READ_AHEAD_BYTES);
            let verified = checked("verifying files", |error| {
                sys::rocksdb_verify_checksum_with_options(self.raw(), options, error);
            });
            sys::rocksdb_readoptions_destroy(options);
            verified
        }
    }

    /// The keys at which sorted files of a family begin, and those right after their ends: beyond the last key of a
    /// damaged file, others may be readable.
    pub(crate) fn boundaries(&self, family: Family) -> Result<BTreeSet<Vec<u8>>> {
        let files = self.database.live_files().map_err(|error| error::rocks("listing files", &error))?;
        let of_family = files.into_iter().filter(|file| file.column_family_name == column_family_name(family));
        let after = |mut key: Vec<u8>| {
            key.push(0);
            key
        };
        Ok(of_family.flat_map(|file| file.start_key.into_iter().chain(file.end_key.map(after))).collect())
    }

    /// Writes entries past the log: they are durable after the next [`flush`](Engine::flush).
    pub(crate) fn load(&self, family: Family, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in entries {
            batch.put_cf(self.family_to_change(family)?, key, value);
        }
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.database.write_opt(batch, &options).map_err(|error| error::rocks("writing", &error))
    }
}
