//! The life of one database over many cuts of its power.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use blaze::Database;
use blaze_fault_fs::Call;

use super::machine::Machine;
use super::plan::{Ending, Plan};
use crate::child::PROMISES;
use crate::ledger::Counts;
use crate::life::BEFORE;
use crate::model::Lane;
use crate::phase::Phase;
use crate::places::remove;
use crate::promises::{Bounds, Promises};
use crate::random::Random;
use crate::side::Side;
use crate::workload::{Progress, commit_next};
use crate::{Finding, Result, auditor, image};

/// Cycles of a life at most.
const CYCLES_MAX: u64 = 24;

/// Commits after which a life ends: whoever audits reads the feed of all.
const COMMITS_MAX: u64 = 200;

/// Lanes at most.
const LANES_MAX: u64 = 4;

/// Documents that are loaded at once.
const LOADED: u64 = 40;

/// A database that lives on over cuts of its power.
#[derive(Debug)]
pub struct Life {
    machine: Machine,
    random: Random,
    name: String,
    /// Cuts since somebody has audited.
    unaudited: u64,
    /// Commits that an audit has found.
    found: u64,
    /// How many cycles it is to have.
    cycles: u64,
    /// What was proved so far.
    pub counts: Counts,
}

impl Life {
    /// Begins a life in a new directory.
    ///
    /// # Errors
    /// Those of the system.
    pub fn begin(directory: &Path, campaign: u64, number: u64) -> Result<Life> {
        let random = Random::of(&[campaign, number, 7]);
        let name = format!("cuts-{campaign}-{number}");
        let place = directory.join(&name);
        remove(&place)?;
        fs::create_dir_all(&place)?;
        let lanes = vec![Bounds::default(); 1 + random.below(LANES_MAX) as usize];
        let promises = Promises { seed: random.below(1 << 48), lanes, load_documents: LOADED, ..Promises::default() };
        let machine = Machine::new(&place, promises)?;
        let cycles = 4 + random.below(CYCLES_MAX - 4);
        Ok(Life { machine, random, name, unaudited: 0, found: 0, cycles, counts: Counts::default() })
    }

    /// True once only the last look is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.counts.cycles >= self.cycles || self.machine.promises().acknowledged() > COMMITS_MAX
    }

    /// Opens, audits, works, and has the power go off somewhere in it.
    ///
    /// # Errors
    /// What was found.
    pub fn cycle(&mut self) -> Result<()> {
        let plan = {
            let mut promises = self.machine.promises();
            promises.cycle += 1;
            Plan::choose(&self.random, promises.lanes.len() as u64, self.unaudited)
        };
        self.keep_image()?;
        let during = self.live(&plan).map_err(|finding| finding.context(format!("{plan:?}")))?;
        let has_lost = self.machine.lose(&self.random)?;
        self.counts.cycles += 1;
        self.counts.cuts += u64::from(has_lost);
        self.unaudited += 1;
        self.counts.nested = self.counts.nested.max(self.unaudited - 1);
        *self.counts.kills.entry(during.to_owned()).or_default() += 1;
        Ok(())
    }

    /// Looks at everything a last time.
    ///
    /// # Errors
    /// What was found.
    pub fn end(&mut self) -> Result<()> {
        self.keep_image()?;
        let nothing = || Finding::new("the power is on, and something failed");
        let (db, lanes) = self.look()?.ok_or_else(nothing)?;
        self.machine.prepare(&db)?.ok_or_else(nothing)?;
        auditor::indexes::check(&db, &lanes, &self.random)?;
        Ok(db.close()?)
    }

    /// Removes the directory of a life that is over.
    ///
    /// # Errors
    /// Those of the system.
    pub fn remove(&self) -> Result<()> {
        remove(&self.machine.places.0)
    }

    /// Keeps all that a failure can be repeated and understood from, and says where.
    ///
    /// # Errors
    /// Those of the system.
    pub fn keep_failure(&self, directory: &Path, failure: &str) -> Result<PathBuf> {
        let promises = self.machine.promises();
        let kept = directory.join("failures").join(format!("{}-cycle-{}", self.name, promises.cycle));
        remove(&kept)?;
        fs::create_dir_all(directory.join("failures"))?;
        promises.write(&self.machine.places.0.join(PROMISES))?;
        fs::write(self.machine.places.0.join("found.txt"), failure)?;
        fs::rename(&self.machine.places.0, &kept)?;
        Ok(kept)
    }

    /// Keeps the files and what is promised of them, for whoever wants to see the next opening again.
    fn keep_image(&self) -> Result<()> {
        let (places, before) = (&self.machine.places, self.machine.places.0.join(BEFORE));
        remove(&before)?;
        fs::create_dir_all(&before)?;
        if places.database().exists() {
            image::keep(&places.database(), &before.join("db"))?;
        }
        self.machine.promises().write(&before.join(PROMISES))
    }

    /// Goes through a plan; answers in what the power went off.
    fn live(&mut self, plan: &Plan) -> Result<&'static str> {
        if let Some(call) = plan.from_opening {
            self.machine.fs.cut_at(&Plan::OPENING, call);
        }
        let Some((db, lanes)) = self.look()? else { return Ok("opening") };
        let Some(()) = self.machine.prepare(&db)? else { return Ok("preparing") };
        if plan.asks_indexes {
            let answers = auditor::indexes::check(&db, &lanes, &self.random);
            let Some(()) = self.machine.forgive(answers)? else { return Ok("asking indexes") };
        }
        if let Some(call) = plan.from_phase {
            self.machine.fs.cut_at(&Call::CHANGES, call);
        }
        match plan.phase {
            Phase::Close => self.close_again_and_again(db, lanes, plan)?,
            _ => self.write_beside(db, lanes, plan)?,
        }
        Ok(plan.phase.name())
    }

    /// Opens and audits; none if the power goes off meanwhile.
    fn look(&mut self) -> Result<Option<(Database, Vec<Lane>)>> {
        let Some(db) = self.machine.open()? else { return Ok(None) };
        let Some(lanes) = self.machine.audit(&db, &self.random)? else { return Ok(None) };
        let found: u64 = lanes.iter().map(|lane| lane.position).sum();
        self.unaudited = 0;
        self.counts.audits += 1;
        self.counts.commits += found.saturating_sub(self.found);
        self.found = found;
        Ok(Some((db, lanes)))
    }

    fn write_beside(&self, db: Database, lanes: Vec<Lane>, plan: &Plan) -> Result<()> {
        let machine = &self.machine;
        let voice = |line: &str| machine.hear(line);
        let progress = Progress::told_to(&lanes, &voice);
        let promises = machine.promises().clone();
        let (commits, found) = (AtomicU64::new(0), Mutex::default());
        let work = Work { machine, db: &db, progress: &progress, plan, commits, found };
        thread::scope(|scope| {
            let work = &work;
            for lane in lanes.into_iter().take(plan.writers as usize) {
                scope.spawn(move || work.end_with(work.write(lane)));
            }
            if plan.phase != Phase::Write {
                let side = Side { db: &db, places: &machine.places, promises: &promises, progress: &progress };
                let done = side.run(plan.phase, &self.random).map_err(|finding| finding.context(plan.phase.name()));
                work.end_with(machine.forgive(done).map(drop));
            }
        });
        let ended = work.end();
        let found = work.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.into_iter().next().map_or(ended, Err)?;
        self.let_go(db, plan);
        Ok(())
    }

    /// Closing may fail now, and nothing else.
    fn let_go(&self, db: Database, plan: &Plan) {
        self.machine.fs.set_active(false);
        if plan.closes {
            let _ = db.close();
        }
    }

    fn close_again_and_again(&self, db: Database, mut lanes: Vec<Lane>, plan: &Plan) -> Result<()> {
        let machine = &self.machine;
        let voice = |line: &str| machine.hear(line);
        let progress = Progress::told_to(&lanes, &voice);
        let (mut db, mut commits) = (Some(db), 0);
        while let Some(open) = db.take() {
            for lane in &mut lanes {
                let Some(()) = machine.forgive(commit_next(&open, lane, &progress))? else { return Ok(()) };
                commits += 1;
            }
            let acknowledged = progress.all_acknowledged();
            let Some(()) = machine.forgive(open.close().map_err(Finding::from))? else { return Ok(()) };
            progress.say_durable(&acknowledged);
            if commits < plan.commits {
                db = machine.open()?;
            }
        }
        Ok(())
    }
}

/// What the threads of a phase share.
struct Work<'a> {
    machine: &'a Machine,
    db: &'a Database,
    progress: &'a Progress<'a>,
    plan: &'a Plan,
    commits: AtomicU64,
    found: Mutex<Vec<Finding>>,
}

impl Work<'_> {
    /// Commits until the power is off, or there are enough.
    fn write(&self, mut lane: Lane) -> Result<()> {
        while !self.progress.is_over() {
            let Some(()) = self.machine.forgive(commit_next(self.db, &mut lane, self.progress))? else { break };
            if self.commits.fetch_add(1, Ordering::SeqCst) + 1 >= self.plan.commits {
                if self.plan.ending == Ending::Amid {
                    self.machine.fs.set_active(false);
                }
                break;
            }
        }
        Ok(())
    }

    fn end_with(&self, result: Result<()>) {
        self.progress.end();
        if let Err(finding) = result {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
        }
    }

    /// Makes everything durable, if that was planned.
    fn end(&self) -> Result<()> {
        let acknowledged = self.progress.all_acknowledged();
        let done = match self.plan.ending {
            Ending::Amid => return Ok(()),
            Ending::Synced => self.db.sync(),
            Ending::Closed => self.db.close(),
        };
        if self.machine.forgive(done.map_err(Finding::from))?.is_some() {
            self.progress.say_durable(&acknowledged);
        }
        Ok(())
    }
}
