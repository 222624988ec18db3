//! A machine whose power can go off and whose disk can fail.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use blaze::{Database, Environment};
use blaze_fault_fs::FaultFs;

use crate::model::Lane;
use crate::places::Places;
use crate::promises::Promises;
use crate::random::Random;
use crate::{Finding, Result, auditor, shelves};

/// Memory for what is read, and for what is written.
const CACHE_BYTES: usize = 2 << 20;
const WRITE_BUFFER_BYTES: usize = 1 << 20;

/// What a database may answer once its disk has failed or its power is off, and what this says of it.
const OF_THE_DISK: [&str; 4] = [
    "answered Unavailable",
    "answered CommitOutcomeUnknown",
    "the test says that the disk",
    "the test says that the power",
];

/// A machine with one database.
#[derive(Debug)]
pub struct Machine {
    /// What its files go through.
    pub fs: FaultFs,
    /// Where they are.
    pub places: Places,
    environment: Environment,
    promises: Mutex<Promises>,
}

impl Machine {
    /// One in a directory that is there.
    ///
    /// # Errors
    /// Those of the database.
    pub fn new(directory: &Path, promises: Promises) -> Result<Machine> {
        let fs = FaultFs::new();
        let environment = Environment::builder().cache_bytes(CACHE_BYTES).write_buffer_bytes(WRITE_BUFFER_BYTES);
        let environment = environment.files_through(fs.env()).build()?;
        Ok(Machine { fs, places: Places(directory.to_owned()), environment, promises: Mutex::new(promises) })
    }

    /// What the database has to keep.
    pub fn promises(&self) -> MutexGuard<'_, Promises> {
        self.promises.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what somebody says.
    pub fn hear(&self, line: &str) {
        self.promises().take_in(line);
    }

    /// None in the place of an answer that only a disk that fails can explain.
    ///
    /// # Errors
    /// All others.
    pub fn forgive<T>(&self, answer: Result<T>) -> Result<Option<T>> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(finding) => {
                let has_failed = !self.fs.is_active() || self.fs.failures() > 0;
                let is_explained = has_failed && OF_THE_DISK.iter().any(|text| finding.0.contains(text));
                if is_explained { Ok(None) } else { Err(finding) }
            }
        }
    }

    /// Opens the database.
    ///
    /// # Errors
    /// What a disk that fails does not explain.
    pub fn open(&self) -> Result<Option<Database>> {
        let opened = shelves::open_in(&self.places.database(), &self.environment);
        self.forgive(opened.map_err(|error| Finding::from(error).context("opening")))
    }

    /// Looks at all that the database has; from then on that is promised.
    ///
    /// # Errors
    /// What is wrong.
    pub fn audit(&self, db: &Database, random: &Random) -> Result<Option<Vec<Lane>>> {
        let promises = self.promises().clone();
        let audit = auditor::audit(db, &promises, random).map_err(|finding| finding.context("auditing"));
        let Some(audit) = self.forgive(audit)? else { return Ok(None) };
        audit.lines().iter().for_each(|line| self.hear(line));
        Ok(Some(audit.lanes))
    }

    /// Brings everything about that a database has to have.
    ///
    /// # Errors
    /// What a disk that fails does not explain.
    pub fn prepare(&self, db: &Database) -> Result<Option<()>> {
        self.forgive(shelves::prepare(db).map_err(|finding| finding.context("preparing")))
    }

    /// Loses what is not durable; the database must be gone. Sometimes nothing is lost, as when only a process dies.
    ///
    /// # Errors
    /// Those of the system.
    pub fn lose(&self, random: &Random) -> Result<bool> {
        self.fs.set_active(false);
        let (how, seed) = (random.below(10), random.below(u64::MAX));
        if how > 0 {
            match how {
                1..4 => self.fs.drop_unsynced()?,
                _ => self.fs.drop_random_unsynced(seed)?,
            };
            if random.percent(60) {
                self.fs.delete_files_created_after_last_dir_sync()?;
            }
            self.promises().cut();
        }
        self.fs.reset();
        Ok(how > 0)
    }
}
