//! Salvage: a new database of what can be read of a damaged one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Error, ErrorKind, Family, KeyRange, Result, Timestamp};
use rocksdb::DBRecoveryMode;

use crate::commit::CEILING_KEY;
use crate::directory::{self, Claim};
use crate::environment::Environment;
use crate::ffi::Engine;
use crate::options::LsmOptions;
use crate::verify::{Met, Scrub};
use crate::{manifest, marker, recovery};

/// Bytes that are written at once.
const BATCH_BYTES: usize = 1 << 20;

/// Decides what of a damaged store goes into the new one.
pub trait Sieve {
    /// What to store under a key of a family, which had `value`; `None` to leave it out. Families come in the order
    /// of [`Family::ALL`], keys in theirs.
    ///
    /// # Errors
    /// Any, which ends the salvage.
    fn sift(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Told of keys that cannot be read.
    ///
    /// # Errors
    /// Any, which ends the salvage.
    fn lose(&mut self, family: Family, range: KeyRange, error: Error) -> Result<()>;

    /// A timestamp not below any commit that was seen.
    fn newest(&self) -> Timestamp;
}

/// What a salvage has to say beyond what its [`Sieve`] was told.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SalvagedStore {
    /// Why the log of the last commits could not be read to its end, if so: what it held beyond is lost. After a
    /// crash the end of the log may be torn without any commit lost that was acknowledged.
    pub log_damage: Option<String>,
}

/// Reads what can be read of the damaged store in the directory `from`, which nobody may have open, and writes what
/// `sieve` lets pass to a new store in the new directory `to`. Nothing changes in `from`. What a crash leaves behind
/// at `to` does not open as a store.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) when there is no directory `from`; [`Invalid`](ErrorKind::Invalid) when it is
/// something else or of a newer version, or `to` is within it; [`AlreadyExists`](ErrorKind::AlreadyExists) when there is something at `to`;
/// [`Corruption`](ErrorKind::Corruption) when the files that say what the database consists of, `CURRENT` and the
/// manifest, are damaged, or a log in such a way that RocksDB would never end reading it: [`LsmStore::open_salvage`](crate::LsmStore::open_salvage)
/// cuts that; what `sieve` returns; [`Unavailable`](ErrorKind::Unavailable).
pub fn salvage(from: &Path, to: &Path, options: &LsmOptions, sieve: &mut dyn Sieve) -> Result<SalvagedStore> {
    marker::check_damaged(from)?;
    if fs::symlink_metadata(to).is_ok() {
        return Err(Error::already_exists(format!("{} exists already", to.display())));
    }
    marker::refuse_within(from, to)?;
    let claim = match Claim::to_read(from) {
        Err(error) if error.kind() == ErrorKind::Locked => return Err(error),
        claim => claim.ok(), // a marker that is damaged cannot be claimed by anybody
    };
    manifest::refuse_endless(from)?;
    recovery::refuse_endless_logs(from)?;
    let environment = options.make_environment()?;
    let (damaged, log_damage) = open_damaged(from, options, &environment)?;
    directory::create_directory(to)?;
    // What nobody can tell is taken to be needed.
    let features = claim.as_ref().map_or(marker::READ_FEATURES, Claim::features);
    let copied = copy(damaged, to, options, &environment, sieve).and_then(|()| {
        fault::reached(Point::RowsSalvaged);
        // Last: without it, what a crash left behind is not taken for a database.
        marker::write_of_copy(to, features)?;
        marker::sync_parent(to)
    });
    copied.inspect_err(|_| {
        let _ = fs::remove_dir_all(to); // the first error is the one to be told
    })?;
    Ok(SalvagedStore { log_damage })
}

/// Opens the database with its whole log, or with as much of it as is whole, and says what is wrong with it.
fn open_damaged(from: &Path, options: &LsmOptions, environment: &Environment) -> Result<(Arc<Engine>, Option<String>)> {
    let open = |recovery, checks_files| Engine::open_damaged(from, options, environment, recovery, checks_files);
    let with_damaged_log = match open(DBRecoveryMode::AbsoluteConsistency, true) {
        Ok(engine) => return Ok((engine, None)),
        Err(error) => error,
    };
    let with_damaged_files = match open(DBRecoveryMode::PointInTime, true) {
        Ok(engine) => return Ok((engine, Some(with_damaged_log.to_string()))),
        Err(error) => error,
    };
    match open(DBRecoveryMode::PointInTime, false) {
        // RocksDB then leaves out what is damaged in the log without a word.
        Ok(engine) => Ok((engine, Some(format!("it was not checked, since files are damaged: {with_damaged_files}")))),
        Err(error) => Err(Error::new(ErrorKind::Corruption, error.to_string())),
    }
}

fn copy(
    damaged: Arc<Engine>,
    to: &Path,
    options: &LsmOptions,
    environment: &Environment,
    sieve: &mut dyn Sieve,
) -> Result<()> {
    let scrub = Scrub::of_engine(damaged);
    let engine = Engine::open_unclaimed(to, options, environment)?;
    let mut ceiling = Timestamp::ZERO;
    for family in Family::ALL {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        scrub.walk(family, &KeyRange::all(), &mut |met| {
            match met {
                Met::Unreadable(range, error) => sieve.lose(family, range, error)?,
                // In the feed the empty key is that of its marks.
                Met::Entry(key, value) if family == Family::Catalog && key == CEILING_KEY => {
                    ceiling = value.try_into().map_or(ceiling, |bits| Timestamp::from_bits(u64::from_be_bytes(bits)));
                }
                Met::Entry(key, value) => {
                    if let Some(value) = sieve.sift(family, key, value)? {
                        bytes += key.len() + value.len();
                        entries.push((key.to_vec(), value));
                    }
                }
            }
            if bytes >= BATCH_BYTES {
                engine.load(family, &entries)?;
                entries.clear();
                bytes = 0;
            }
            Ok(())
        })?;
        engine.load(family, &entries)?;
    }
    let ceiling = ceiling.max(sieve.newest());
    engine.load(Family::Catalog, &[(CEILING_KEY.to_vec(), ceiling.to_bits().to_be_bytes().to_vec())])?;
    engine.flush()?;
    engine.close();
    Ok(())
}
