//! A database in which everything is done once, and what the auditor says of it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use blaze::{Database, Document, Durability, ErrorKind, Index};
use blaze_core::ManualClock;
use blaze_prove::model::{Lane, Shelf};
use blaze_prove::promises::{Bounds, Promises};
use blaze_prove::random::Random;
use blaze_prove::shelves::{self, LOADED};
use blaze_prove::side::loaded;
use blaze_prove::workload::{Progress, commit_next};
use blaze_prove::{Finding, Result, auditor};

const SEED: u64 = 11;
const LOADED_DOCUMENTS: u64 = 40;

/// A time, and ten years before it.
const NOW_MS: u64 = 1_800_000_000_000;
const TEN_YEARS_MS: u64 = 10 * 365 * 86_400_000;

/// A database, and what it has promised.
struct Life<'a> {
    directory: &'a Path,
    clock: Arc<ManualClock>,
    promises: Promises,
    lanes: Vec<Lane>,
}

/// Does everything once, with looks in between, and opens the database again when the clock has gone back.
pub(super) fn run(directory: &Path) -> Result<()> {
    let lanes = vec![Lane::new(SEED, 0), Lane::new(SEED, 1)];
    let promises = Promises {
        seed: SEED,
        lanes: vec![Bounds::default(); lanes.len()],
        load_documents: LOADED_DOCUMENTS,
        ..Promises::default()
    };
    let mut life = Life { directory, clock: Arc::new(ManualClock::at_ms(NOW_MS)), promises, lanes };
    let db = life.open()?;
    shelves::prepare(&db)?;
    life.load(&db, 1, false)?;
    life.commit(&db, 120)?;
    settle(&db)?;
    life.audit(&db)?;
    life.commit(&db, 40)?; // what is folded changes
    settle(&db)?;
    life.audit(&db)?;
    life.load(&db, 2, true)?;
    life.audit(&db)?;
    replace_all(&db)?;
    life.audit(&db)?;
    life.commit(&db, 60)?;
    settle(&db)?;
    db.compact()?;
    life.audit(&db)?;
    let last = db.snapshot()?.read_ts();
    db.close()?;
    life.clock.set_ms(NOW_MS - TEN_YEARS_MS);
    let db = life.open()?;
    let now = db.snapshot()?.read_ts();
    if now < last {
        return Err(Finding::new(format!("the database goes back from commit {last} to {now}")));
    }
    life.commit(&db, 40)?;
    life.audit(&db)?;
    db.close()?;
    Ok(())
}

impl Life<'_> {
    fn open(&self) -> Result<Database> {
        let builder = Database::builder().durability(Durability::Buffered).write_buffer_bytes(1 << 20);
        Ok(builder.slow_commit_ms(None).clock(Arc::clone(&self.clock) as _).open(self.directory.join("db"))?)
    }

    /// Commits so many transactions of each lane, in turn.
    fn commit(&mut self, db: &Database, transactions: u64) -> Result<()> {
        let progress = Progress::of(&self.lanes);
        for _ in 0..transactions {
            for lane in &mut self.lanes {
                commit_next(db, lane, &progress)?;
                self.promises.lanes[lane.number as usize].settle(lane.position);
            }
        }
        Ok(())
    }

    /// Loads a generation, or ends that just before it is done.
    fn load(&mut self, db: &Database, generation: u64, gives_up: bool) -> Result<()> {
        let load = db.load_collection::<Document>(LOADED).replace();
        let load =
            load.ensure_index(Index::on("n").unique().named("n")).ensure_index(Index::text(["text"]).named("text"));
        let mut loader = load
            .ensure_index(Index::vector("at", 3).named("at"))
            .progress(move |progress| match gives_up && progress.written_rows > 0 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
            .begin()?;
        for n in 0..LOADED_DOCUMENTS {
            loader.insert_with_id(n as i64, &loaded(generation, n))?;
        }
        match loader.finish() {
            Err(error) if gives_up && error.kind() == ErrorKind::Cancelled => return Ok(()),
            Ok(_) if gives_up => return Err(Finding::new("a load that was to end went on")),
            done => drop(done?),
        }
        self.promises.load.settle(generation);
        Ok(())
    }

    /// What the auditor finds, of the indexes, too.
    fn audit(&self, db: &Database) -> Result<()> {
        let random = Random::of(&[SEED, self.lanes[0].position]);
        let audit = auditor::audit(db, &self.promises, &random)?;
        auditor::indexes::check(db, &audit.lanes, &random)
    }
}

fn settle(db: &Database) -> Result<()> {
    db.settle().map_err(|error| Finding::from(error).context("settling"))
}

/// Replaces indexes by others of the same name.
fn replace_all(db: &Database) -> Result<()> {
    for shelf in [Shelf::People, Shelf::Notes] {
        for name in shelves::index_names(shelf).iter().filter(|name| **name != "email") {
            shelves::collection(db, shelf)?.replace_index(name, shelves::index(name, true))?;
        }
    }
    Ok(())
}
