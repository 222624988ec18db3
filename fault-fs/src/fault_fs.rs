//! [`FaultFs`].

use std::fmt;
use std::io;
use std::ptr;

use rocksdb::Env;

use crate::shim;

/// A kind of call to a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// A file is opened to be read, or read.
    Read,
    /// Something is written at the end of a file.
    Append,
    /// A file is synced.
    Sync,
    /// A file gets another name, or one more.
    Rename,
    /// A file is opened to be written, or a directory is made.
    Create,
    /// A file or a directory is deleted.
    Delete,
    /// The names in a directory are synced.
    SyncDirectory,
}

impl Call {
    /// All kinds.
    pub const ALL: [Call; 7] =
        [Call::Read, Call::Append, Call::Sync, Call::Rename, Call::Create, Call::Delete, Call::SyncDirectory];

    /// The kinds that change something.
    pub const CHANGES: [Call; 6] =
        [Call::Append, Call::Sync, Call::Rename, Call::Create, Call::Delete, Call::SyncDirectory];

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The disk fails.
    Io,
    /// The disk is full. Half of what was to be written is.
    NoSpace,
}

/// A file system that loses what was not synced, and fails when it is told to.
///
/// ```
/// use blaze_fault_fs::FaultFs;
/// use rocksdb::{DB, Options};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (directory, fs) = (tempfile::tempdir()?, FaultFs::new());
/// let mut options = Options::default();
/// options.create_if_missing(true);
/// options.set_env(&fs.env());
/// let db = DB::open(&options, directory.path())?;
/// db.put("key", "value")?; // not synced
/// fs.set_active(false);
/// assert!(db.put("key", "other").is_err());
/// drop(db);
/// fs.drop_unsynced()?;
/// fs.reset();
/// assert_eq!(DB::open(&options, directory.path())?.get("key")?, None);
/// # Ok(())
/// # }
/// ```
pub struct FaultFs(*mut shim::RawFaultFs);

// SAFETY: the shim guards all that it has by a lock, and is destroyed by whoever has it last.
unsafe impl Send for FaultFs {}
// SAFETY: as above.
unsafe impl Sync for FaultFs {}

impl Default for FaultFs {
    fn default() -> FaultFs {
        FaultFs::new()
    }
}

impl FaultFs {
    /// One over the files of the system. It does nothing but count, and remember what is synced.
    #[must_use]
    pub fn new() -> FaultFs {
        // SAFETY: nothing is asked of the caller; the result is destroyed by `drop` alone.
        FaultFs(unsafe { shim::blaze_fault_fs_create() })
    }

    /// What a database is given so that its files go through here. It may outlive the [`FaultFs`].
    #[must_use]
    pub fn env(&self) -> Env {
        // SAFETY: the shim is there until `drop`; it answers an environment that is nobody else's, made as RocksDB's C interface
        // makes and frees them, which owns a share of the file system.
        unsafe { Env::from_raw(shim::blaze_fault_fs_env(self.0)) }
    }

    /// Turns the power on or off. While it is off every call fails and changes nothing.
    pub fn set_active(&self, is_active: bool) {
        // SAFETY: the shim is there until `drop`.
        unsafe { shim::blaze_fault_fs_set_on(self.0, is_active) }
    }

    /// True while the power is on.
    #[must_use]
    pub fn is_active(&self) -> bool {
        // SAFETY: as above.
        unsafe { shim::blaze_fault_fs_is_on(self.0) }
    }

    /// Has the power go off right before the `number`-th call from now, counted from 1, of some kinds.
    pub fn cut_at(&self, calls: &[Call], number: u64) {
        // SAFETY: as above.
        unsafe { shim::blaze_fault_fs_cut_at(self.0, bits(calls), number) }
    }

    /// Has the `number`-th call from now, counted from 1, of some kinds fail, and all of these kinds after it if that
    /// `goes_on`. It takes the place of what was asked for before.
    pub fn fail(&self, calls: &[Call], number: u64, failure: Failure, goes_on: bool) {
        // SAFETY: as above.
        unsafe { shim::blaze_fault_fs_fail(self.0, bits(calls), number, failure == Failure::NoSpace, goes_on) }
    }

    /// Has no further call fail.
    pub fn heal(&self) {
        self.fail(&[], 0, Failure::Io, false);
    }

    /// Calls that failed as was asked for, since the last [`reset`](FaultFs::reset).
    #[must_use]
    pub fn failures(&self) -> u64 {
        // SAFETY: as above.
        unsafe { shim::blaze_fault_fs_failures(self.0) }
    }

    /// Calls of some kinds since the last [`reset`](FaultFs::reset) while the power was on.
    #[must_use]
    pub fn calls(&self, calls: &[Call]) -> u64 {
        // SAFETY: as above.
        unsafe { shim::blaze_fault_fs_calls(self.0, bits(calls)) }
    }

    /// Cuts every file where it is synced; answers how many have lost something. No file may be open.
    ///
    /// # Errors
    /// Those of the system.
    pub fn drop_unsynced(&self) -> io::Result<u64> {
        self.drop(None)
    }

    /// Cuts every file somewhere between where it is synced and its end, as the seed says. Of some logs the last bytes that
    /// are kept become zeros, or anything: the disk had written the length and not the content. No file may be open.
    ///
    /// # Errors
    /// Those of the system.
    pub fn drop_random_unsynced(&self, seed: u64) -> io::Result<u64> {
        self.drop(Some(seed))
    }

    fn drop(&self, seed: Option<u64>) -> io::Result<u64> {
        let seed = seed.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the shim is there until `drop`; the seed is null or valid during the call.
        let cut = unsafe { shim::blaze_fault_fs_drop_unsynced(self.0, seed) };
        u64::try_from(cut).map_err(|_| io::Error::last_os_error())
    }

    /// Deletes the files whose names no sync of their directory has made durable; a name that led to something else before
    /// leads there again, if that was small. No file may be open.
    ///
    /// # Errors
    /// When that fails.
    pub fn delete_files_created_after_last_dir_sync(&self) -> io::Result<()> {
        // SAFETY: the shim is there until `drop`.
        match unsafe { shim::blaze_fault_fs_delete_new_names(self.0) } {
            true => Ok(()),
            false => Err(io::Error::other("a file that was not durable cannot be deleted")),
        }
    }

    /// Forgets all that was written and asked for, and turns the power on: what is there now is durable.
    pub fn reset(&self) {
        // SAFETY: as above.
        unsafe { shim::blaze_fault_fs_reset(self.0) }
    }
}

fn bits(calls: &[Call]) -> u32 {
    calls.iter().fold(0, |bits, call| bits | call.bit())
}

impl Drop for FaultFs {
    fn drop(&mut self) {
        // SAFETY: it was made by `new`, and nobody else destroys it. Environments have their own share of what is behind it.
        unsafe { shim::blaze_fault_fs_destroy(self.0) }
    }
}

impl fmt::Debug for FaultFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultFs").field("is_active", &self.is_active()).finish_non_exhaustive()
    }
}
