//! A database that is damaged again and again, in copies.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze::{Database, DatabaseBuilder, Document, Durability, Index, ManualClock, SeededEntropy};

use crate::model::Lane;
use crate::places::remove;
use crate::promises::Bounds;
use crate::random::Random;
use crate::shelves::{self, LOADED};
use crate::side::loaded;
use crate::{Finding, Result, image, workload};

/// When its commits are made. Under a clock that stands still nothing happens beside them.
const NOW_MS: u64 = 1_760_000_000_000;

/// Documents that are loaded at once; of the larger number an index of vectors makes a graph.
const LOADED_SMALL: u64 = 60;
const LOADED_LARGE: u64 = 4_200;

/// Where in a specimen something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The database itself.
    Database,
    /// A checkpoint of it.
    Checkpoint,
    /// Two backups.
    Backups,
}

impl Place {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Place::Database => "database",
            Place::Checkpoint => "checkpoint",
            Place::Backups => "backups",
        }
    }
}

/// A commit of a lane.
#[derive(Clone, Copy, Debug)]
struct Commit {
    lane: usize,
    is_synced: bool,
}

/// A database with a checkpoint and backups, and what they have to have.
#[derive(Debug)]
pub struct Specimen {
    directory: PathBuf,
    /// The seed of its lanes.
    pub seed: u64,
    /// The documents of its loaded collection.
    pub load_documents: u64,
    /// True if it is as a kill leaves it.
    pub is_killed: bool,
    lanes: Vec<Lane>,
    /// Its commits, in their order.
    commits: Vec<Commit>,
    /// Commits that the sorted files have.
    sorted: usize,
    /// The positions of lanes in the checkpoint, and in each backup.
    checkpoint: Vec<u64>,
    backups: Vec<(u32, Vec<u64>)>,
}

impl Specimen {
    /// Makes the specimen of a seed and a number in a directory, in the place of what is there.
    ///
    /// # Errors
    /// Those of the database and of the system.
    pub fn make(directory: &Path, seed: u64, number: u64) -> Result<Specimen> {
        let random = Random::of(&[seed, number]);
        remove(directory)?;
        fs::create_dir_all(directory)?;
        let seed = random.below(1 << 48);
        let mut specimen = Specimen {
            directory: directory.to_owned(),
            seed,
            load_documents: if number % 4 == 3 { LOADED_LARGE } else { LOADED_SMALL },
            is_killed: number.is_multiple_of(2),
            lanes: (0..=random.below(3)).map(|lane| Lane::new(seed, lane)).collect(),
            commits: Vec::new(),
            sorted: 0,
            checkpoint: Vec::new(),
            backups: Vec::new(),
        };
        specimen.fill(&random)?;
        Ok(specimen)
    }

    fn fill(&mut self, random: &Random) -> Result<()> {
        let live = self.directory.join("live");
        let db = builder().open(&live)?;
        shelves::prepare(&db)?;
        self.commit(&db, random, 30 + random.below(60))?;
        self.load(&db)?;
        self.back_up(&db)?;
        self.commit(&db, random, 10 + random.below(40))?;
        db.settle()?;
        if random.percent(50) {
            db.compact()?;
            self.sorted = self.commits.len();
        }
        self.back_up(&db)?;
        self.commit(&db, random, 10 + random.below(30))?;
        db.checkpoint(self.path(Place::Checkpoint))?;
        self.checkpoint = self.positions();
        self.commit(&db, random, 5 + random.below(40))?;
        if self.is_killed {
            image_of_open(&live, &self.path(Place::Database))?;
            db.close()?;
            return remove(&live);
        }
        db.close()?;
        self.sorted = self.commits.len();
        Ok(fs::rename(live, self.path(Place::Database))?)
    }

    fn commit(&mut self, db: &Database, random: &Random, commits: u64) -> Result<()> {
        for _ in 0..commits {
            let lane = random.below(self.lanes.len() as u64) as usize;
            let step = self.lanes[lane].advance();
            workload::commit(db, lane as u64, &step)?;
            self.commits.push(Commit { lane, is_synced: step.durability == Durability::Sync });
        }
        Ok(())
    }

    fn load(&self, db: &Database) -> Result<()> {
        let load = db.load_collection::<Document>(LOADED);
        let load = load.ensure_index(Index::on("n").unique().named("n"));
        let load = load.ensure_index(Index::text(["text"]).named("text"));
        let mut loader = load.ensure_index(Index::vector("at", 3).named("at")).begin()?;
        (0..self.load_documents).try_for_each(|n| loader.insert_with_id(n as i64, &loaded(1, n)))?;
        loader.finish()?;
        Ok(())
    }

    fn back_up(&mut self, db: &Database) -> Result<()> {
        let backup = db.backup(self.path(Place::Backups))?;
        self.backups.push((backup.id, self.positions()));
        Ok(())
    }

    fn positions(&self) -> Vec<u64> {
        self.lanes.iter().map(|lane| lane.position).collect()
    }

    /// Where something is.
    #[must_use]
    pub fn path(&self, place: Place) -> PathBuf {
        self.directory.join(place.name())
    }

    /// What the lanes of the checkpoint have.
    #[must_use]
    pub fn checkpoint(&self) -> Vec<Bounds> {
        exactly(&self.checkpoint)
    }

    /// What the lanes of the database have: where its log is damaged, it may be less.
    #[must_use]
    pub fn database(&self) -> Vec<Bounds> {
        exactly(&self.positions())
    }

    /// Bounds for what has lost some of its last commits.
    #[must_use]
    pub fn earlier(&self) -> Vec<Bounds> {
        let bounds = |position: &u64| Bounds { acknowledged: 0, asked: *position, durable: 0 };
        self.positions().iter().map(bounds).collect()
    }

    /// The numbers of the backups, with what their lanes have.
    #[must_use]
    pub fn backups(&self) -> Vec<(u32, Vec<Bounds>)> {
        self.backups.iter().map(|(id, positions)| (*id, exactly(positions))).collect()
    }

    /// Refuses lanes that no prefix of all commits has, with at least those in sorted files; for small damage those, too,
    /// that a later commit says were synced. Answers how many commits are lost.
    ///
    /// # Errors
    /// What is lost that should not be.
    pub fn check_prefix(&self, found: &[Lane], is_small: bool) -> Result<usize> {
        let found: Vec<u64> = found.iter().map(|lane| lane.position).collect();
        let mut positions = vec![0; self.lanes.len()];
        let mut prefixes = vec![positions.clone()];
        for commit in &self.commits {
            positions[commit.lane] += 1;
            prefixes.push(positions.clone());
        }
        let kept = prefixes.iter().position(|prefix| *prefix == found).ok_or_else(|| {
            Finding::new(format!("the lanes are at {found:?}, and never were at once; the last is {positions:?}"))
        })?;
        let before_last = self.commits.len().saturating_sub(1);
        let synced = self.commits[..before_last].iter().rposition(|commit| commit.is_synced).map_or(0, |at| at + 1);
        let least = if is_small { self.sorted.max(synced) } else { self.sorted };
        match kept >= least {
            true => Ok(self.commits.len() - kept),
            false => Err(Finding::new(format!("{kept} commits are there, and {least} have to be"))),
        }
    }
}

/// How databases of specimens are opened: nothing happens by itself.
pub fn builder() -> DatabaseBuilder {
    Database::builder()
        .clock(Arc::new(ManualClock::at_ms(NOW_MS)))
        .entropy(Arc::new(SeededEntropy::new(11)))
        .durability(Durability::Buffered)
        .write_buffer_bytes(1 << 20)
        .cache_bytes(8 << 20)
        .slow_commit_ms(None)
}

fn exactly(positions: &[u64]) -> Vec<Bounds> {
    positions.iter().map(|position| Bounds { acknowledged: *position, asked: *position, durable: *position }).collect()
}

/// Copies the files of a database that is open, while none comes or goes.
fn image_of_open(from: &Path, to: &Path) -> Result<()> {
    let names = || -> Result<Vec<PathBuf>> {
        let mut names: Vec<_> = fs::read_dir(from)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        names.sort();
        Ok(names)
    };
    loop {
        let before = names()?;
        if image::keep(from, to).is_ok() && names()? == before {
            return Ok(());
        }
    }
}
