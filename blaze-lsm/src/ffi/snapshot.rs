//! Snapshots of the database, and reading keys at them.

use std::cell::Cell;
use std::ffi::c_char;
use std::fmt;
use std::slice;
use std::sync::Arc;

use blaze_core::{Family, Result, VisitMany};
use librocksdb_sys as sys;

use super::call::{checked, take_error};
use super::{Engine, RawFamily};

/// What a value is copied into before it is looked at. Larger ones are looked at where RocksDB holds them.
const BUFFER_BYTES: usize = 16 * 1024;

thread_local! {
    /// Empty while it is in use: a visitor may read again.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A snapshot that keeps its database open.
pub(crate) struct Snapshot {
    read_options: *mut sys::rocksdb_readoptions_t,
    raw: *const sys::rocksdb_snapshot_t,
    sequence: u64,
    engine: Arc<Engine>,
}

// SAFETY: RocksDB's snapshots and read options may be used and freed by any thread; after `take` they never change.
unsafe impl Send for Snapshot {}
// SAFETY: as above.
unsafe impl Sync for Snapshot {}

impl Snapshot {
    /// A snapshot of all writes so far.
    pub(crate) fn take(engine: &Arc<Engine>) -> Snapshot {
        // SAFETY: the database is open for as long as `engine` lives, which the struct holds.
        let raw = unsafe { sys::rocksdb_create_snapshot(engine.raw()) };
        // SAFETY: the snapshot was just made and is released by `drop` alone.
        let sequence = unsafe { sys::rocksdb_snapshot_get_sequence_number(raw) };
        // SAFETY: the options are freed by `drop`, before the snapshot to which they point.
        let read_options = unsafe {
            let options = sys::rocksdb_readoptions_create();
            sys::rocksdb_readoptions_set_snapshot(options, raw);
            options
        };
        Snapshot { read_options, raw, sequence, engine: Arc::clone(engine) }
    }

    /// How many writes RocksDB had taken: two snapshots with the same number see the same.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn raw(&self) -> *const sys::rocksdb_snapshot_t {
        self.raw
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Calls `visit` with the value of a key, if there is one, and says whether there was.
    ///
    /// A small value is copied: that costs 5 ns and spares RocksDB the two allocations of a pinned one.
    pub(crate) fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let Some(family) = self.engine.raw_family(family) else { return Ok(false) };
        let mut buffer = BUFFER.take();
        buffer.reserve_exact(BUFFER_BYTES); // it has no content
        let (mut bytes, mut found) = (0_usize, 0_u8);
        let outcome = checked("reading", |error| {
            // SAFETY: database, options and family live as long as `self`. Key and buffer are valid for the lengths
            // given with them, and the outputs are ours.
            unsafe {
                sys::rocksdb_get_into_buffer_cf(
                    self.engine.raw(),
                    self.read_options,
                    family,
                    key.as_ptr().cast(),
                    key.len(),
                    buffer.as_mut_ptr().cast(),
                    buffer.capacity(),
                    &raw mut bytes,
                    &raw mut found,
                    error,
                )
            }
        });
        let result = match outcome {
            Err(error) => Err(error),
            Ok(_) if found == 0 => Ok(false),
            Ok(0) => self.visit_pinned(family, key, visit),
            Ok(_) => {
                // SAFETY: RocksDB says that it has written `bytes` bytes, which the capacity holds.
                unsafe { buffer.set_len(bytes) };
                visit(&buffer).map(|()| true)
            }
        };
        buffer.clear();
        BUFFER.set(buffer);
        result
    }

    /// As [`visit`](Snapshot::visit), in RocksDB's own memory.
    fn visit_pinned(&self, family: RawFamily, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let pinned = checked("reading", |error| {
            // SAFETY: as in `visit`.
            unsafe {
                sys::rocksdb_get_pinned_cf_v2(
                    self.engine.raw(),
                    self.read_options,
                    family,
                    key.as_ptr().cast(),
                    key.len(),
                    error,
                )
            }
        })?;
        if pinned.is_null() {
            return Ok(false);
        }
        let pinned = Pinned(pinned);
        visit(pinned.bytes()).map(|()| true)
    }

    /// Calls `visit` with the position and the value of each of some keys, in their order.
    pub(crate) fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        let Some(family) = self.engine.raw_family(family) else {
            return (0..keys.len()).try_for_each(|position| visit(position, None));
        };
        let pointers: Vec<*const c_char> = keys.iter().map(|key| key.as_ptr().cast()).collect();
        let lengths: Vec<usize> = keys.iter().map(|key| key.len()).collect();
        let mut values = Values::with_room_for(keys.len());
        // SAFETY: as in `visit`; all lists have as many places as there are keys.
        unsafe {
            sys::rocksdb_batched_multi_get_cf(
                self.engine.raw(),
                self.read_options,
                family,
                keys.len(),
                pointers.as_ptr(),
                lengths.as_ptr(),
                values.values.as_mut_ptr(),
                values.errors.as_mut_ptr(),
                keys.is_sorted(),
            );
        }
        (0..keys.len()).try_for_each(|position| visit(position, values.get(position)?))
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: both were made by `take`, nobody else frees them, and what borrows the snapshot holds an `Arc` of it.
        unsafe {
            sys::rocksdb_readoptions_destroy(self.read_options);
            sys::rocksdb_release_snapshot(self.engine.raw(), self.raw);
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// A value in RocksDB's own memory.
struct Pinned(*mut sys::rocksdb_pinnable_handle_t);

impl Pinned {
    fn bytes(&self) -> &[u8] {
        let mut bytes = 0;
        // SAFETY: the handle is ours and not null.
        let data = unsafe { sys::rocksdb_pinnable_handle_get_value(self.0, &raw mut bytes) };
        // SAFETY: the value stays where it is until the handle is destroyed.
        unsafe { super::bytes(data, bytes) }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not null.
        unsafe { sys::rocksdb_pinnable_handle_destroy(self.0) };
    }
}

/// What a batched read answers: for each key a value, an error, or neither.
struct Values {
    values: Vec<*mut sys::rocksdb_pinnableslice_t>,
    errors: Vec<*mut c_char>,
}

impl Values {
    fn with_room_for(keys: usize) -> Values {
        Values { values: vec![std::ptr::null_mut(); keys], errors: vec![std::ptr::null_mut(); keys] }
    }

    fn get(&mut self, position: usize) -> Result<Option<&[u8]>> {
        let error = std::mem::replace(&mut self.errors[position], std::ptr::null_mut());
        if !error.is_null() {
            return Err(take_error("reading", error));
        }
        let value = self.values[position];
        if value.is_null() {
            return Ok(None);
        }
        let mut bytes = 0;
        // SAFETY: the slice is ours until it is destroyed, by `drop`.
        let data = unsafe { sys::rocksdb_pinnableslice_value(value, &raw mut bytes) };
        // SAFETY: as above.
        Ok(Some(unsafe { super::bytes(data, bytes) }))
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        for value in self.values.iter().filter(|value| !value.is_null()) {
            // SAFETY: RocksDB made it for us, and nobody else destroys it.
            unsafe { sys::rocksdb_pinnableslice_destroy(*value) };
        }
        for error in self.errors.iter().filter(|error| !error.is_null()) {
            drop(take_error("reading", *error));
        }
    }
}

/// The bytes at `data`; RocksDB may answer null for none.
///
/// # Safety
/// `data` must be null or valid for reads of `bytes` bytes for `'a`.
pub(super) unsafe fn bytes<'a>(data: *const c_char, bytes: usize) -> &'a [u8] {
    match data.is_null() {
        true => &[],
        // SAFETY: what the caller promises.
        false => unsafe { slice::from_raw_parts(data.cast(), bytes) },
    }
}
