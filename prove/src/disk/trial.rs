//! The life of one database whose disk fails at the `n`-th call of some kind.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use blaze::Database;
use blaze_fault_fs::{Call, Failure};

use super::machine::Machine;
use crate::model::{Lane, Shelf};
use crate::phase::Phase;
use crate::places::remove;
use crate::promises::{Bounds, Promises};
use crate::random::Random;
use crate::side::Side;
use crate::workload::{Progress, commit_next, persist};
use crate::{Finding, Result, auditor, shelves};

/// Lanes, documents that are loaded, and commits of each lane at a time.
const LANES: usize = 2;
const LOADED: u64 = 12;
const COMMITS: u64 = 3;

/// How a disk fails.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// The kinds of calls of which one fails.
    pub calls: &'static [Call],
    /// How it does.
    pub failure: Failure,
}

/// All ways in which a disk fails.
pub const FAULTS: [Fault; 8] = [
    Fault { name: "reads fail", calls: &[Call::Read], failure: Failure::Io },
    Fault { name: "writes fail", calls: &[Call::Append], failure: Failure::Io },
    Fault { name: "the disk is full", calls: &[Call::Append, Call::Create], failure: Failure::NoSpace },
    Fault { name: "syncs fail", calls: &[Call::Sync], failure: Failure::Io },
    Fault { name: "renames fail", calls: &[Call::Rename], failure: Failure::Io },
    Fault { name: "files cannot be made", calls: &[Call::Create], failure: Failure::Io },
    Fault { name: "files cannot be deleted", calls: &[Call::Delete], failure: Failure::Io },
    Fault { name: "syncs of directories fail", calls: &[Call::SyncDirectory], failure: Failure::Io },
];

/// What came of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There are not so many calls: nothing has failed.
    NothingFailed,
    /// Something has failed, and nothing is wrong.
    InOrder,
    /// The database cannot be opened any more, for a reason that is RocksDB's (11.8.1): when the manifest cannot be synced while
    /// sorted files are taken in, it takes them back, although the manifest names them. No commit is lost; salvage helps.
    TakenBack,
}

/// What RocksDB logs when it takes back files, and what it says when they are missing.
const TAKEN_BACK: [&str; 2] =
    ["prepared files were rolled back", "No such file or directory: While open a file for random read"];

/// A database whose disk fails.
#[derive(Debug)]
pub struct Trial {
    machine: Machine,
    random: Random,
    /// What was not synced is lost, too, once the disk has failed.
    loses: bool,
    /// So are names that no sync of their directory made durable. Not where these syncs fail: of a name that was given twice
    /// since the last one, `FaultInjectionTestFS` (11.8.1) brings back the first new file, which no file system does.
    loses_names: bool,
}

impl Trial {
    /// Leads a database through its life while the `number`-th call of a kind fails, or all from that on; then everything has
    /// to be there without faults.
    ///
    /// # Errors
    /// What was found. The directory is removed unless something was.
    pub fn run(directory: &Path, seed: u64, fault: &Fault, number: u64, goes_on: bool) -> Result<Verdict> {
        remove(directory)?;
        fs::create_dir_all(directory)?;
        let random = Random::of(&[seed, number, 9]);
        let promises = Promises {
            seed: seed & 0xffff_ffff,
            lanes: vec![Bounds::default(); LANES],
            load_documents: LOADED,
            ..Promises::default()
        };
        let loses_names = !fault.calls.contains(&Call::SyncDirectory);
        let trial = Trial { machine: Machine::new(directory, promises)?, random, loses: number % 2 == 1, loses_names };
        let what = || format!("{}, call {number}{}", fault.name, if goes_on { " and all that follow" } else { "" });
        trial.machine.fs.fail(fault.calls, number, fault.failure, goes_on);
        let mut failures = 0;
        let script = trial.script().map_err(|finding| finding.context(what()));
        let checked = script.and_then(|()| {
            failures = trial.machine.fs.failures();
            trial.check().map_err(|finding| finding.context(format!("{}, afterwards", what())))
        });
        let verdict = match checked {
            Ok(()) if failures == 0 => Verdict::NothingFailed,
            Ok(()) => Verdict::InOrder,
            Err(finding) if trial.has_taken_back(&finding)? => Verdict::TakenBack,
            Err(finding) => return Err(finding),
        };
        remove(directory)?;
        Ok(verdict)
    }

    fn has_taken_back(&self, finding: &Finding) -> Result<bool> {
        let [logged, said] = TAKEN_BACK;
        if !finding.0.contains("answered Corruption") || !finding.0.contains(said) {
            return Ok(false);
        }
        for entry in fs::read_dir(self.machine.places.database())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("LOG") {
                let log = fs::read(entry.path())?;
                if String::from_utf8_lossy(&log).contains(logged) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// All that a database is used for, in two sessions.
    fn script(&self) -> Result<()> {
        for _ in 0..2 {
            let Some(db) = self.machine.open()? else { continue };
            let Some(lanes) = self.machine.audit(&db, &self.random)? else { continue };
            let Some(()) = self.machine.prepare(&db)? else { continue };
            self.session(&db, lanes)?;
        }
        Ok(())
    }

    fn session(&self, db: &Database, lanes: Vec<Lane>) -> Result<()> {
        let (machine, ends) = (&self.machine, AtomicBool::new(false));
        let voice = |line: &str| {
            machine.hear(line);
            if line.starts_with("load-ask") || line.starts_with("churn-ask") {
                ends.store(true, Ordering::SeqCst);
            }
        };
        let progress = Progress::told_to(&lanes, &voice).until(&ends);
        let mut lanes: Vec<Option<Lane>> = lanes.into_iter().map(Some).collect();
        self.commit(db, &mut lanes, &progress)?;
        self.durable(&progress, || Ok(db.settle()?))?;
        self.try_to(|| Ok(persist(|| shelves::collection(db, Shelf::People)?.drop_index("tags")).map(drop)?))?;
        let tags = || shelves::index("tags", false);
        self.try_to(|| Ok(persist(|| shelves::collection(db, Shelf::People)?.ensure_index(tags()))?))?;
        for phase in [Phase::Load, Phase::Churn] {
            ends.store(false, Ordering::SeqCst);
            let promises = machine.promises().clone();
            let side = Side { db, places: &machine.places, promises: &promises, progress: &progress };
            self.try_to(|| side.run(phase, &self.random))?;
        }
        self.commit(db, &mut lanes, &progress)?;
        self.durable(&progress, || Ok(db.sync()?))?;
        self.try_to(|| Ok(db.compact()?))?;
        let place = || shelves::index("place", true);
        self.try_to(|| Ok(persist(|| shelves::collection(db, Shelf::People)?.replace_index("place", place()))?))?;
        self.commit(db, &mut lanes, &progress)?;
        let promises = machine.promises().clone();
        self.try_to(|| auditor::audit(db, &promises, &self.random).map(drop))?;
        self.durable(&progress, || Ok(db.close()?))
    }

    /// Commits of each lane, as long as it is certain what that has.
    fn commit(&self, db: &Database, lanes: &mut [Option<Lane>], progress: &Progress<'_>) -> Result<()> {
        for _ in 0..COMMITS {
            for place in lanes.iter_mut() {
                let Some(lane) = place else { continue };
                if self.machine.forgive(commit_next(db, lane, progress))?.is_none() {
                    *place = None;
                }
            }
        }
        Ok(())
    }

    fn try_to(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.machine.forgive(work()).map(drop)
    }

    /// Does what makes everything durable that was acknowledged.
    fn durable(&self, progress: &Progress<'_>, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let acknowledged = progress.all_acknowledged();
        if self.machine.forgive(work())?.is_some() {
            progress.say_durable(&acknowledged);
        }
        Ok(())
    }

    /// Opens without faults: what has to be there is, and everything works.
    fn check(&self) -> Result<()> {
        let machine = &self.machine;
        machine.fs.heal();
        if self.loses {
            machine.fs.set_active(false);
            machine.fs.drop_unsynced()?;
            if self.loses_names {
                machine.fs.delete_files_created_after_last_dir_sync()?;
            }
            machine.promises().cut();
        }
        machine.fs.reset();
        let nothing = || Finding::new("nothing fails, and yet something does");
        for _ in 0..2 {
            let db = machine.open()?.ok_or_else(nothing)?;
            let lanes = machine.audit(&db, &self.random)?.ok_or_else(nothing)?;
            machine.prepare(&db)?.ok_or_else(nothing)?;
            auditor::indexes::check(&db, &lanes, &self.random)?;
            let voice = |line: &str| machine.hear(line);
            let progress = Progress::told_to(&lanes, &voice);
            for mut lane in lanes {
                commit_next(&db, &mut lane, &progress)?;
            }
            db.close()?;
        }
        Ok(())
    }
}
