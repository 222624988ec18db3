//! RocksDB's backup engine, with what the binding leaves out: metadata, progress and a way to stop.

use std::ffi::{CString, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::thread;

use blaze_core::{Error, Result};
use librocksdb_sys as sys;
use parking_lot::Mutex;
use rocksdb::{AsRawPtr, Env};

use super::Engine;
use super::call::checked;
use crate::error;

/// Bytes of one file after which the copying reports.
pub(crate) const REPORT_BYTES: u64 = 1 << 20;

/// The backup engine of a directory, open until it is dropped.
pub(crate) struct BackupEngine {
    raw: *mut sys::rocksdb_backup_engine_t,
    _env: Env, // after the engine, which uses it
}

impl BackupEngine {
    /// Opens the directory, in which there is nothing yet or what a backup engine has put there. All files go through what a
    /// test has interposed, if it has.
    pub(crate) fn open(directory: &Path, interposed: Option<&Env>) -> Result<BackupEngine> {
        let env = match interposed {
            Some(env) => env.clone(),
            None => Env::new().map_err(|error| error::rocks("opening backups", &error))?,
        };
        let path = c_path(directory)?;
        // SAFETY: the path is a C string, which the options copy.
        let options = unsafe { sys::rocksdb_backup_engine_options_create(path.as_ptr()) };
        // SAFETY: the options are valid until they are destroyed below, the environment for as long as `env`.
        let raw = unsafe {
            sys::rocksdb_backup_engine_options_set_callback_trigger_interval_size(options, REPORT_BYTES);
            checked("opening backups", |error| sys::rocksdb_backup_engine_open_opts(options, env.as_raw_ptr(), error))
        };
        // SAFETY: the engine has copied the options.
        unsafe { sys::rocksdb_backup_engine_options_destroy(options) };
        Ok(BackupEngine { raw: raw?, _env: env })
    }

    /// Adds what the database holds now to the backups, and answers the number of the new one. `report` is called
    /// from another thread, again and again while files are copied, and can have it stopped.
    pub(crate) fn create(
        &mut self,
        engine: &Engine,
        metadata: &[u8],
        report: &mut (dyn FnMut() -> ControlFlow<()> + Send),
    ) -> Result<u32> {
        let watch = Watch { engine: self.raw, state: Mutex::new(WatchState { report, outcome: Outcome::GoOn }) };
        let mut id = 0;
        // SAFETY: options are ours until they are destroyed below. `watch` is used by the copying thread while the
        // call runs, which returns when all copying has ended. The metadata is copied; the database is open, since
        // `engine` is borrowed.
        let created = unsafe {
            let options = sys::rocksdb_create_backup_options_create();
            // Data that is in sorted files is shared with the next backup; a copy of the log is not.
            sys::rocksdb_create_backup_options_set_flush_before_backup(options, 1);
            let state = (&raw const watch).cast_mut().cast::<c_void>();
            sys::rocksdb_create_backup_options_set_progress_callback(options, state, Some(on_progress));
            let created = checked("writing a backup", |error| {
                let (data, bytes) = (metadata.as_ptr().cast(), metadata.len());
                sys::rocksdb_backup_engine_create_new_backup_with_metadata(
                    self.raw,
                    engine.raw(),
                    options,
                    data,
                    bytes,
                    &raw mut id,
                    error,
                );
            });
            sys::rocksdb_create_backup_options_destroy(options);
            created
        };
        match watch.state.into_inner().outcome {
            Outcome::Panicked(panic) => resume_unwind(panic),
            Outcome::Stopped if created.is_err() => Err(Error::cancelled("the backup was stopped by its caller")),
            _ => created.map(|()| id),
        }
    }

    /// Copies the files of a backup into a directory, and checks each of them on the way.
    pub(crate) fn restore(&mut self, id: u32, to: &Path) -> Result<()> {
        let path = c_path(to)?;
        // SAFETY: the engine is open, the path a C string, the options ours until they are destroyed.
        unsafe {
            let options = sys::rocksdb_restore_options_create();
            let restored = checked("restoring a backup", |error| {
                let path = path.as_ptr();
                sys::rocksdb_backup_engine_restore_db_from_backup(self.raw, path, path, options, id, error);
            });
            sys::rocksdb_restore_options_destroy(options);
            restored
        }
    }

    /// Removes all files that no backup needs.
    pub(crate) fn collect_garbage(&mut self) -> Result<()> {
        // SAFETY: the engine is open.
        checked("removing a backup", |error| unsafe {
            sys::rocksdb_backup_engine_purge_old_backups(self.raw, u32::MAX, error);
        })
    }
}

impl Drop for BackupEngine {
    fn drop(&mut self) {
        // SAFETY: nobody else has the engine.
        unsafe { sys::rocksdb_backup_engine_close(self.raw) };
    }
}

/// What the copying thread is given.
struct Watch<'a> {
    engine: *mut sys::rocksdb_backup_engine_t,
    state: Mutex<WatchState<'a>>,
}

struct WatchState<'a> {
    report: &'a mut (dyn FnMut() -> ControlFlow<()> + Send),
    outcome: Outcome,
}

enum Outcome {
    GoOn,
    Stopped,
    Panicked(Box<dyn std::any::Any + Send>),
}

unsafe extern "C" fn on_progress(state: *mut c_void) {
    // SAFETY: `BackupEngine::create` hands over a `Watch` that outlives the copying.
    let watch = unsafe { &*state.cast::<Watch<'_>>() };
    let mut state = watch.state.lock();
    if !matches!(state.outcome, Outcome::GoOn) || thread::panicking() {
        return;
    }
    // A panic must not unwind into RocksDB: it goes on in the thread that asked for the backup.
    state.outcome = match catch_unwind(AssertUnwindSafe(&mut state.report)) {
        Ok(ControlFlow::Continue(())) => return,
        Ok(ControlFlow::Break(())) => Outcome::Stopped,
        Err(panic) => Outcome::Panicked(panic),
    };
    // SAFETY: the engine is open for as long as it copies, and takes this call from any thread.
    unsafe { sys::rocksdb_backup_engine_stop_backup(watch.engine) };
}

fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| Error::invalid(format!("the path {} has a zero byte", path.display())))
}
