//! The life of one database: some tens of cycles, each death followed by an audit.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::child::PROMISES;
use crate::cycle::{Cycle, Runner};
use crate::ledger::Counts;
use crate::phase::Phase;
use crate::places::{Places, remove};
use crate::plan::{From, Plan};
use crate::power::{Cut, Disk, Outage};
use crate::promises::{Bounds, LOADED_LARGE, Promises};
use crate::random::Random;
use crate::{Result, damage, image};

/// Cycles of a life at most.
const CYCLES_MAX: u64 = 40;

/// Commits after which a life ends: whoever audits reads the feed of all.
const COMMITS_MAX: u64 = 4_000;

/// Lanes at most.
const LANES_MAX: u64 = 4;

/// Documents that are loaded at once in most databases.
const LOADED_SMALL: u64 = 250;

/// Of a hundred cycles of a life on a disk of its own so many end by a power cut.
const CUTS_PERCENT: u64 = 90;

/// How much more time a child has on such a disk for what syncs many files.
const SYNCING_TAKES: u64 = 8;

/// Where the files are kept as they were before the last child opened them.
pub const BEFORE: &str = "before";

/// A database that lives on over its processes.
#[derive(Debug)]
pub struct Life {
    directory: PathBuf,
    /// Where the power can be cut.
    disk: Option<Disk>,
    places: Places,
    promises: Promises,
    random: Random,
    name: String,
    /// Children that were killed since somebody has audited.
    unaudited: u64,
    /// True if no index is being built as the last child has left it.
    is_built: bool,
    /// Commits that an audit has found.
    found: u64,
    /// How many cycles it is to have.
    cycles: u64,
    /// What was proved so far.
    pub counts: Counts,
}

impl Life {
    /// Begins a life in a new directory, on a disk of its own if its power is to be cut.
    ///
    /// # Errors
    /// Those of the system.
    pub fn begin(directory: &Path, campaign: u64, number: u64, loses_power: bool) -> Result<Life> {
        let random = Random::of(&[campaign, number]);
        let name = format!("{}-{campaign}-{number}", if loses_power { "power" } else { "life" });
        let directory = directory.join(&name);
        remove(&directory)?;
        fs::create_dir_all(&directory)?;
        let disk = if loses_power { Some(Disk::make(&directory, &random)?) } else { None };
        let lanes = vec![Bounds::default(); 1 + random.below(LANES_MAX) as usize];
        let load_documents = if random.percent(8) { LOADED_LARGE } else { LOADED_SMALL };
        let promises = Promises { seed: random.below(1 << 48), lanes, load_documents, ..Promises::default() };
        let syncs = loses_power && random.percent(50);
        let promises = Promises { on_disk: loses_power, syncs, ..promises };
        let places = promises.places(&directory);
        let cycles = 10 + random.below(CYCLES_MAX - 10);
        let counts = Counts::default();
        Ok(Life {
            directory,
            disk,
            places,
            promises,
            random,
            name,
            unaudited: 0,
            is_built: false,
            found: 0,
            cycles,
            counts,
        })
    }

    /// Has so much be loaded, or not, that it takes several files.
    pub fn load_much(&mut self, loads_much: bool) {
        self.promises.load_documents = if loads_much { LOADED_LARGE } else { LOADED_SMALL };
    }

    /// True once only the last cycle is left, in which somebody audits.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.promises.cycle >= self.cycles || self.promises.acknowledged() > COMMITS_MAX
    }

    /// Goes through one cycle; after one that failed nothing more is to be done.
    ///
    /// # Errors
    /// Those of the system.
    pub fn cycle(&mut self, runner: &Runner) -> Result<Cycle> {
        let mut plan = Plan::choose(&self.random, &self.promises, self.unaudited);
        let syncs_much = plan.phase.makes_copies() || plan.phase == Phase::Load && !self.promises.loads_much();
        if self.disk.is_some() && plan.from == From::Phase && syncs_much {
            plan.microseconds *= SYNCING_TAKES; // or nothing of it is ever acknowledged
        }
        let is_cut = self.disk.is_some() && self.random.percent(CUTS_PERCENT);
        let cut = is_cut.then(|| Cut::choose(&self.random));
        self.live_until(runner, plan, cut)
    }

    /// The last cycle: it only audits.
    ///
    /// # Errors
    /// Those of the system.
    pub fn end(&mut self, runner: &Runner) -> Result<Cycle> {
        let plan = Plan { phase: Phase::Write, from: From::Phase, reopens: true, ..Plan::default() };
        self.live(runner, plan)
    }

    /// A cycle as somebody plans it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn live(&mut self, runner: &Runner, plan: Plan) -> Result<Cycle> {
        self.live_until(runner, plan, None)
    }

    fn live_until(&mut self, runner: &Runner, mut plan: Plan, cut: Option<Cut>) -> Result<Cycle> {
        // What is damaged stays so until somebody has repaired it.
        plan.repairs |= self.unaudited > 0 && self.promises.plan.repairs;
        self.damage(&mut plan)?;
        self.promises.cycle += 1;
        self.promises.plan = plan;
        self.promises.write(&self.directory.join(PROMISES))?;
        self.keep_image()?;
        let outage = self.disk.as_ref().zip(cut).map(|(disk, cut)| Outage { disk, cut });
        let cycle = runner.run(&self.directory, &mut self.promises, outage.as_ref())?;
        self.note_down(&cycle)?;
        if cycle.failure.is_some() {
            return Ok(cycle);
        }
        self.count(&cycle);
        if let Some(disk) = self.disk.as_mut().filter(|_| cycle.was_cut) {
            disk.recover()?;
            self.promises.cut();
        }
        Ok(cycle)
    }

    /// Does to the files what they are to have suffered before the next child opens them.
    fn damage(&mut self, plan: &mut Plan) -> Result<()> {
        let database = self.places.database();
        if plan.tears_log && database.exists() {
            damage::tear_log(&database)?;
        }
        if self.unaudited == 0 {
            plan.repairs &= self.is_built;
        }
        if plan.repairs && self.unaudited == 0 {
            damage::inflict(&database, &self.random)?;
            self.promises.ready = Default::default(); // a repair may begin an index anew, and be cut short
        }
        Ok(())
    }

    /// Keeps what was said in the directory.
    fn note_down(&self, cycle: &Cycle) -> Result<()> {
        let mut said = File::options().create(true).append(true).open(self.directory.join("said.log"))?;
        let end = if cycle.was_cut { "the power is cut" } else { "it is killed" };
        let plan = self.promises.plan;
        let (number, phase) = (self.promises.cycle, plan.phase.name());
        let lines = cycle.said.join("\n");
        Ok(said
            .write_all(format!("cycle {number}, for {phase}:\n{lines}\n{end} while {}\n", cycle.during).as_bytes())?)
    }

    /// Keeps the files, for whoever wants to see the child's opening again.
    fn keep_image(&self) -> Result<()> {
        let before = self.directory.join(BEFORE);
        remove(&before)?;
        fs::create_dir_all(&before)?;
        let mut kept = vec![self.places.database()];
        if self.promises.audits_copies {
            kept.extend([
                self.places.backups(),
                self.places.restored(),
                self.places.checkpoints(),
                self.places.salvaged(),
            ]);
        }
        for directory in kept.iter().filter(|directory| directory.exists()) {
            if let Some(name) = directory.file_name() {
                image::keep(directory, &before.join(name))?;
            }
        }
        Ok(())
    }

    fn count(&mut self, cycle: &Cycle) {
        self.counts.cycles += 1;
        self.counts.cuts += u64::from(cycle.was_cut);
        *self.counts.kills.entry(cycle.during.clone()).or_default() += 1;
        if let Some(point) = &cycle.reached {
            *self.counts.kills_at.entry(point.clone()).or_default() += 1;
        }
        let builds = !matches!(self.promises.plan.phase, Phase::Write | Phase::Compact | Phase::Fold | Phase::Close);
        self.is_built = cycle.said.iter().any(|line| line.starts_with("phase ")) && !builds;
        self.unaudited += 1;
        let depth = self.unaudited;
        if cycle.audited {
            self.unaudited = 0;
            self.counts.audits += 1;
            // Lines after the audit have raised what is acknowledged since; what was found is in its own line.
            let found = cycle.said.iter().rev().find_map(|line| line.strip_prefix("audited "));
            let positions = found.unwrap_or_default().split(' ').filter_map(|position| position.parse::<u64>().ok());
            let found: u64 = positions.sum();
            self.counts.commits += found.saturating_sub(self.found); // a cut may have taken some
            self.found = found;
        } else {
            self.counts.nested = self.counts.nested.max(depth);
        }
        if cycle.said.iter().any(|line| line.starts_with("phase ")) && self.promises.plan.phase.makes_copies() {
            self.promises.audits_copies = true;
        }
    }

    /// Keeps all that a failure can be repeated and understood from, and says where.
    ///
    /// # Errors
    /// Those of the system.
    pub fn keep_failure(&mut self, directory: &Path, cycle: &Cycle) -> Result<PathBuf> {
        self.disk.as_mut().map_or(Ok(()), Disk::unmount)?;
        let kept = directory.join("failures").join(format!("{}-cycle-{}", self.name, self.promises.cycle));
        remove(&kept)?;
        fs::create_dir_all(directory.join("failures"))?;
        fs::rename(&self.directory, &kept)?;
        let found = cycle.failure.as_deref().unwrap_or_default();
        fs::write(kept.join("found.txt"), format!("{}\ncycle {}\n{found}\n", self.name, self.promises.cycle))?;
        Ok(kept)
    }

    /// Removes the directory of a life that is over.
    ///
    /// # Errors
    /// Those of the system.
    pub fn remove(&mut self) -> Result<()> {
        self.disk.as_mut().map_or(Ok(()), Disk::unmount)?;
        remove(&self.directory)
    }
}
