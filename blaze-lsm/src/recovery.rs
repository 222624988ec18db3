//! What is done about the log of a database before RocksDB replays it.

use std::fs::{self, File};
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use blaze_core::fault::{self, Point};
use blaze_core::{Error, Result};
use rocksdb::{DB, ErrorKind, Options as RocksOptions};

use crate::environment::Environment;
use crate::log::{Audit, Findings, LogDamage, Position, endless_at};
use crate::options::LsmOptions;
use crate::{error, marker};

/// The directory with a log of zeros, which is there only while a database is being opened.
pub(crate) const BLANK_NAME: &str = "BLAZE.blank-log";

/// What to do when damage in the log loses commits that had been synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DamagedLog {
    Refuse,
    Salvage,
}

#[derive(Clone, Debug)]
struct LogFile {
    number: u64,
    path: PathBuf,
}

/// Makes sure that RocksDB will replay a prefix of the commits with everything in it that had been synced. Its lock must
/// have been taken. Answers the damage when it may be [salvaged](DamagedLog::Salvage).
pub(crate) fn prepare_log(
    path: &Path,
    options: &LsmOptions,
    environment: &Environment,
    damaged: DamagedLog,
) -> Result<Option<LogDamage>> {
    let mut files = log_files(path)?;
    let findings = audit(&files)?;
    if findings.are_none() {
        return Ok(None);
    }
    if options.read_only {
        // Nothing may be changed here. RocksDB reads up to the damage, which is right if no synced commit is behind it.
        let path = path.display();
        return match (findings.damage, findings.cut) {
            (Some(damage), _) => Err(Error::corruption(format!("{path}: {damage}; open it to write"))),
            (None, Some(Position { file, offset })) => Err(Error::corruption(format!(
                "{path}: the log {file:06}.log ends at byte {offset}, and RocksDB would go on there; open it to write"
            ))),
            (None, None) => Ok(None),
        };
    }
    // The damage may lie in a file that is no longer needed. To know that takes a while, and now it is worth it.
    let oldest = oldest_live_log(path, environment, &files)?;
    files.retain(|file| file.number >= oldest);
    let mut findings = audit(&files)?;
    if let (Some(suspicion), Some(position)) = (findings.suspicion.take(), findings.cut)
        && !may_end_at(path, environment, &files, position)?
    {
        findings.damage = Some(suspicion);
    }
    if let Some(damage) = findings.damage.as_ref().filter(|_| damaged == DamagedLog::Refuse) {
        let text = format!("{}: {damage}; restore a backup, or open_salvage() opens it without them", path.display());
        return Err(Error::corruption(text));
    }
    if let Some(position) = findings.cut {
        cut(path, &files, position)?;
    }
    if findings.damage.is_some() {
        forget_logs(path, options, environment)?;
    }
    Ok(findings.damage)
}

/// Refuses a log that RocksDB would never end reading, where nothing may be changed.
pub(crate) fn refuse_endless_logs(path: &Path) -> Result<()> {
    for LogFile { path, .. } in log_files(path)? {
        let bytes = fs::read(&path).map_err(|error| error::file(&path, error))?;
        if let Some(at) = endless_at(&bytes) {
            let text = format!("{} is damaged at byte {at} so that nobody ends reading it", path.display());
            return Err(Error::corruption(format!("{text}; open_salvage() opens the database without what is behind")));
        }
    }
    Ok(())
}

/// The files of the log in their order.
fn log_files(path: &Path) -> Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| error::file(path, error))? {
        let file = entry.map_err(|error| error::file(path, error))?.path();
        let is_log = file.extension().is_some_and(|extension| extension == "log") && file.is_file();
        let stem = file.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_log);
        if let Some(number) = stem.and_then(|stem| stem.parse().ok()) {
            files.push(LogFile { number, path: file });
        }
    }
    files.sort_by_key(|file| file.number);
    Ok(files)
}

fn audit(files: &[LogFile]) -> Result<Findings> {
    let mut audit = Audit::default();
    for LogFile { number, path } in files {
        let read = File::open(path).and_then(|file| audit.read(*number, file));
        read.map_err(|error| error::file(path, error))?;
    }
    Ok(audit.finish())
}

/// The number below which no log file is replayed: what they hold has been written to sorted files.
fn oldest_live_log(path: &Path, environment: &Environment, files: &[LogFile]) -> Result<u64> {
    let number = with_blank_log(path, environment, files, None)?
        .and_then(|database| database.property_int_value("rocksdb.min-log-number-to-keep"))
        .map_err(|error| error::open(path, &error))?;
    number.ok_or_else(|| Error::internal("RocksDB did not say which log files it needs"))
}

/// True unless the manifest says that more of the log was synced than is before a position. RocksDB opens it as it is.
fn may_end_at(path: &Path, environment: &Environment, files: &[LogFile], at: Position) -> Result<bool> {
    match with_blank_log(path, environment, files, Some(at))? {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Corruption => Ok(false),
        Err(error) => Err(error::open(path, &error)),
    }
}

/// Opens the database with a log of the same files and sizes, up to a position if there is one, in which all is zeros.
///
/// RocksDB replays the log when it is opened, and damage may make it do so for ever. What it knows about the log it says of
/// zeros, too.
fn with_blank_log(
    path: &Path,
    environment: &Environment,
    files: &[LogFile],
    end: Option<Position>,
) -> Result<std::result::Result<DB, rocksdb::Error>> {
    let blank = path.join(BLANK_NAME);
    remove_blank(&blank)?;
    fs::create_dir(&blank).map_err(|error| error::file(&blank, error))?;
    for file in files.iter().filter(|file| end.is_none_or(|end| file.number <= end.file)) {
        let bytes = match end.filter(|end| end.file == file.number) {
            Some(end) => end.offset,
            None => fs::metadata(&file.path).map_err(|error| error::file(&file.path, error))?.len(),
        };
        let copy = blank.join(file.path.file_name().unwrap_or_default());
        File::create(&copy).and_then(|file| file.set_len(bytes)).map_err(|error| error::file(&copy, error))?;
    }
    fault::reached(Point::BlankLogMade);
    let mut options = RocksOptions::default();
    if let Some(env) = environment.interposed() {
        options.set_env(env);
    }
    options.set_track_and_verify_wals_in_manifest(true); // without it, reading a manifest that has them is a crash
    options.set_wal_dir(&blank);
    let opened = DB::open_for_read_only(&options, path, false);
    remove_blank(&blank)?;
    Ok(opened)
}

fn remove_blank(blank: &Path) -> Result<()> {
    match fs::remove_dir_all(blank) {
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(error::file(blank, error)),
        _ => Ok(()),
    }
}

/// Ends the log at a position. The last file goes first, so that a crash leaves no new hole.
fn cut(path: &Path, files: &[LogFile], at: Position) -> Result<()> {
    for LogFile { number, path } in files.iter().rev() {
        let cut = match number {
            number if *number > at.file => fs::remove_file(path),
            number if *number < at.file => break,
            _ => File::options().write(true).open(path).and_then(|file| {
                file.set_len(at.offset)?;
                file.sync_all()
            }),
        };
        cut.map_err(|error| error::file(path, error))?;
        fault::reached(Point::LogCut);
    }
    tracing::warn!(file = at.file, offset = at.offset, "the log was cut where its last whole commit ends");
    marker::sync_directory(path)
}

/// Lets RocksDB replay a log that was cut behind what it knows to be synced, and begin a new one.
fn forget_logs(path: &Path, options: &LsmOptions, environment: &Environment) -> Result<()> {
    let mut database = options.database(environment)?;
    database.set_track_and_verify_wals_in_manifest(false);
    DB::open_cf_descriptors(&database, path, options.column_families(environment)?)
        .map(drop)
        .map_err(|error| error::open(path, &error))
}
