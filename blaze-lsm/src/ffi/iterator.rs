//! Iterators that keep their snapshot and their database open.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::{Direction, Entry, Family, KeyRange, Result};
use librocksdb_sys as sys;

use super::bytes;
use super::call::checked;
use super::snapshot::Snapshot;

/// An iterator over the keys of a range at a snapshot.
pub(crate) struct RawIterator {
    raw: *mut sys::rocksdb_iterator_t, // null over a family that is not there
    read_options: *mut sys::rocksdb_readoptions_t,
    family: Family,
    /// RocksDB points into it.
    _range: Arc<KeyRange>,
    snapshot: Arc<Snapshot>,
}

// SAFETY: an iterator of RocksDB may be used by one thread after another; `&RawIterator` only reads its position.
unsafe impl Send for RawIterator {}

impl RawIterator {
    /// An iterator that stands nowhere: seek before anything else.
    pub(crate) fn new(snapshot: Arc<Snapshot>, family: Family, range: Arc<KeyRange>) -> RawIterator {
        let engine = snapshot.engine();
        // SAFETY: the options are freed by `drop`, and all they point to lives as long: the snapshot, and the bounds,
        // which are on the heap and never change.
        let read_options = unsafe {
            let options = sys::rocksdb_readoptions_create();
            sys::rocksdb_readoptions_set_snapshot(options, snapshot.raw());
            let start = range.start();
            sys::rocksdb_readoptions_set_iterate_lower_bound(options, start.as_ptr().cast(), start.len());
            if let Some(end) = range.end() {
                sys::rocksdb_readoptions_set_iterate_upper_bound(options, end.as_ptr().cast(), end.len());
            }
            options
        };
        // SAFETY: database and family live as long as the snapshot, which the struct holds; the options as long as the
        // iterator.
        let raw = engine.raw_family(family).map_or(std::ptr::null_mut(), |family| unsafe {
            sys::rocksdb_create_iterator_cf(engine.raw(), read_options, family)
        });
        RawIterator { raw, read_options, family, _range: range, snapshot }
    }

    /// Moves to the first entry at or beyond `key` in a direction.
    pub(crate) fn seek(&mut self, key: &[u8], direction: Direction) {
        if self.raw.is_null() {
            return;
        }
        let (data, bytes) = (key.as_ptr().cast(), key.len());
        // SAFETY: the iterator is ours; the key is valid for the call.
        unsafe {
            match direction {
                Direction::Forward => sys::rocksdb_iter_seek(self.raw, data, bytes),
                Direction::Reverse => sys::rocksdb_iter_seek_for_prev(self.raw, data, bytes),
            }
        }
    }

    /// Moves to the first entry in a direction.
    pub(crate) fn seek_to_first(&mut self, direction: Direction) {
        if self.raw.is_null() {
            return;
        }
        // SAFETY: the iterator is ours.
        unsafe {
            match direction {
                Direction::Forward => sys::rocksdb_iter_seek_to_first(self.raw),
                Direction::Reverse => sys::rocksdb_iter_seek_to_last(self.raw),
            }
        }
    }

    /// Moves to the next entry. RocksDB allows it only from an entry, so it does nothing at the end.
    pub(crate) fn advance(&mut self, direction: Direction) {
        if !self.is_valid() {
            return;
        }
        // SAFETY: the iterator is ours and stands at an entry.
        unsafe {
            match direction {
                Direction::Forward => sys::rocksdb_iter_next(self.raw),
                Direction::Reverse => sys::rocksdb_iter_prev(self.raw),
            }
        }
    }

    /// The entry at which the iterator stands; `None` beyond the end.
    pub(crate) fn entry(&self) -> Result<Option<Entry<'_>>> {
        if !self.is_valid() {
            return self.check().map(|()| None);
        }
        // SAFETY: the iterator stands at an entry.
        Ok(Some(unsafe { self.entry_here() }))
    }

    /// Calls `take` with the entry at which the iterator stands and with each after it, until `take` breaks off, at whose
    /// entry it stays. True if it came to the end.
    ///
    /// One loop here takes two calls into RocksDB an entry less than a caller who asks for one at a time.
    pub(crate) fn take_while(
        &mut self,
        direction: Direction,
        mut take: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<bool> {
        let advance = match direction {
            Direction::Forward => sys::rocksdb_iter_next,
            Direction::Reverse => sys::rocksdb_iter_prev,
        };
        while self.is_valid() {
            // SAFETY: the iterator stands at an entry.
            let (key, value) = unsafe { self.entry_here() };
            if take(key, value).is_break() {
                return Ok(false);
            }
            // SAFETY: the iterator is ours and stands at an entry; `take` has not kept it.
            unsafe { advance(self.raw) };
        }
        self.check().map(|()| true)
    }

    /// What went wrong, if that is why the iterator stands nowhere.
    fn check(&self) -> Result<()> {
        if self.raw.is_null() {
            return Ok(());
        }
        // SAFETY: the iterator is ours.
        checked("reading", |error| unsafe { sys::rocksdb_iter_get_error(self.raw, error) })
    }

    /// The entry at which the iterator stands.
    ///
    /// # Safety
    /// It must stand at one.
    unsafe fn entry_here(&self) -> Entry<'_> {
        // SAFETY: the iterator is ours and stands at an entry, whose key and value stay in place until it moves, for
        // which it must be borrowed mutably.
        let (key, value) = unsafe { (sys::rocksdb_iter_key_slice(self.raw), sys::rocksdb_iter_value_slice(self.raw)) };
        // SAFETY: as above.
        unsafe { (bytes(key.data, key.size), bytes(value.data, value.size)) }
    }

    fn is_valid(&self) -> bool {
        // SAFETY: the iterator is ours.
        !self.raw.is_null() && unsafe { sys::rocksdb_iter_valid(self.raw) != 0 }
    }
}

impl Drop for RawIterator {
    fn drop(&mut self) {
        // SAFETY: both are ours. The iterator goes first: it uses what the options point to.
        unsafe {
            if !self.raw.is_null() {
                sys::rocksdb_iter_destroy(self.raw);
            }
            sys::rocksdb_readoptions_destroy(self.read_options);
        }
    }
}

impl fmt::Debug for RawIterator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawIterator")
            .field("family", &self.family)
            .field("sequence", &self.snapshot.sequence())
            .finish_non_exhaustive()
    }
}
