//! Looks at backups, at what was restored, and at checkpoints.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use blaze::{Backups, Database, ErrorKind};

use super::{audit_lanes, others, verify};
use crate::places::{GONE, Places, remove};
use crate::promises::{Bounds, Copy, Promises};
use crate::random::Random;
use crate::workload::say;
use crate::{Finding, Result, corner};

/// Looks at all copies: those that were acknowledged are whole, and of the others none passes for a database that is not.
///
/// # Errors
/// What is wrong.
pub fn check(places: &Places, promises: &Promises, random: &Random) -> Result<()> {
    let auditor = Copies { promises, random };
    if let Some(backup) = &promises.backup {
        auditor.check_backup(places, backup).map_err(|finding| finding.context("the last backup"))?;
        let restored = places.restored();
        let checked = match promises.restored {
            true => auditor.check_whole(&restored, &backup.lanes),
            false => auditor.check_maybe(&restored, &backup.lanes),
        };
        checked.map_err(|finding| finding.context("what was restored"))?;
        say("restored-none");
        remove(&restored)?; // a later backup has other bounds
    }
    auditor.check_salvaged(&places.salvaged()).map_err(|finding| finding.context("what was salvaged"))?;
    remove(&places.salvaged())?;
    auditor.check_checkpoints(&places.checkpoints())
}

struct Copies<'a> {
    promises: &'a Promises,
    random: &'a Random,
}

impl Copies<'_> {
    /// Bounds of a copy of which nothing is known but that it is of the past, of which a loss of power may have taken a part.
    fn anything(&self) -> Vec<Bounds> {
        vec![Bounds { asked: u64::MAX, ..Bounds::default() }; self.promises.lanes.len()]
    }

    fn check_checkpoints(&self, directory: &Path) -> Result<()> {
        let acknowledged = self.promises.checkpoint.as_ref();
        let mut missing = acknowledged.map(|checkpoint| checkpoint.number.to_string());
        let checkpoints = if directory.exists() { Some(fs::read_dir(directory)?) } else { None };
        for entry in checkpoints.into_iter().flatten() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            if path.extension() == Some(OsStr::new(GONE)) {
                continue;
            }
            match acknowledged.filter(|checkpoint| *checkpoint.number.to_string() == *name) {
                Some(checkpoint) => {
                    missing = None;
                    self.check_whole(&path, &checkpoint.lanes)
                }
                None => self.check_maybe(&path, &self.anything()),
            }
            .map_err(|finding| finding.context(format!("checkpoint {}", name.display())))?;
        }
        match missing {
            None => Ok(()),
            Some(number) => Err(Finding::new(format!("checkpoint {number} is gone"))),
        }
    }

    fn check_backup(&self, places: &Places, backup: &Copy) -> Result<()> {
        let backups = Backups::open(places.backups())?;
        let known = backups.list()?.into_iter().find(|known| u64::from(known.id) == backup.number);
        let known = known.ok_or_else(|| Finding::new(format!("number {} is gone", backup.number)))?;
        if let Some(damage) = known.damage {
            return Err(Finding::new(format!("number {} is damaged: {damage}", backup.number)));
        }
        backups.verify(known.id)?;
        let to = places.0.join("restored by the auditor");
        remove(&to)?;
        backups.restore(known.id, &to)?;
        self.check_whole(&to, &backup.lanes)?;
        remove(&to)
    }

    /// Looks at a copy that may have been cut short.
    fn check_maybe(&self, path: &Path, lanes: &[Bounds]) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        match Database::builder().must_exist().open(path) {
            Ok(db) => self.check_database(&db, lanes),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => Ok(()),
            Err(error) => Err(Finding::from(error)),
        }
    }

    /// Looks at what was salvaged. Its indexes are built only when all else is there.
    fn check_salvaged(&self, path: &Path) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        match Database::builder().must_exist().open(path) {
            Ok(db) => {
                audit_lanes(&db, self.promises.seed, &self.anything(), self.random)?;
                Ok(db.close()?)
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => Ok(()),
            Err(error) => Err(Finding::from(error)),
        }
    }

    fn check_whole(&self, path: &Path, lanes: &[Bounds]) -> Result<()> {
        self.check_database(&Database::builder().must_exist().open(path)?, lanes)
    }

    fn check_database(&self, db: &Database, lanes: &[Bounds]) -> Result<()> {
        audit_lanes(db, self.promises.seed, lanes, self.random)?;
        others::check_loaded(db, None, self.promises.load_documents, self.random)?;
        corner::check(db, self.random)?;
        verify(db)?;
        Ok(db.close()?)
    }
}
