//! The life of a database with everything in it, beside a naive model: documents with indexes of every kind, comments below
//! them, pairs, counters, values that expire, objects and loads, in transactions with savepoints; it is closed, killed and
//! opened again, and read as it is, as it was, and by its feeds.
//!
//! The shortest steps that fail are printed; `PROPTEST_CASES=5000` runs more.

mod changes;
mod naive;
mod steps;
mod views;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blaze::{
    Clock, Database, Durability, Entropy, Feed, History, Index, ManualClock, Savepoint, SeededEntropy, Snapshot,
    Timestamp,
};
use proptest::prelude::*;
use tempfile::TempDir;

use changes::{Change, apply};
use naive::Naive;
use steps::{InTransaction, Step, index, steps};

const START_MS: u64 = 1_000_000_000;

/// The database and all that is known of it.
struct Life {
    directory: TempDir,
    /// How often it was opened elsewhere.
    moves: u64,
    clock: Arc<ManualClock>,
    entropy: Arc<dyn Entropy>,
    db: Option<Database>,
    model: Naive,
    /// The model after each commit that it made.
    commits: Vec<(Timestamp, Naive)>,
    held: Vec<(Snapshot, u64, Naive)>,
}

impl Life {
    fn begin() -> Life {
        let clock = Arc::new(ManualClock::at_ms(START_MS));
        let mut life = Life {
            directory: tempfile::tempdir().unwrap(),
            moves: 0,
            clock,
            entropy: Arc::new(SeededEntropy::new(3)),
            db: None,
            model: Naive::default(),
            commits: Vec::new(),
            held: Vec::new(),
        };
        life.open();
        life.prepare();
        life.note();
        life
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join(self.moves.to_string())
    }

    fn open(&mut self) {
        let builder = Database::builder().clock(self.clock.clone()).entropy(Arc::clone(&self.entropy));
        let builder = builder.durability(Durability::Buffered).write_buffer_bytes(1 << 20).cache_bytes(1 << 20);
        self.db = Some(builder.open(self.path()).unwrap());
    }

    fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    fn prepare(&self) {
        let notes = views::notes(self.db());
        notes.set_history(History::Forever).unwrap();
        notes.set_feed(Feed::Images).unwrap();
        let pairs = self.db().keyspace("pairs").unwrap();
        pairs.set_history(History::Forever).unwrap();
        pairs.set_feed(Feed::Images).unwrap();
        notes.group::<blaze::Document>("comments").unwrap();
        self.db().expiring_keyspace("sessions").unwrap();
        self.db().keyspace("counters").unwrap();
        self.db().objects("files").unwrap();
    }

    /// The moment that whoever begins to read goes by.
    fn now_ms(&self) -> u64 {
        self.clock.now_ms().max(self.db().snapshot().unwrap().read_ts().ms())
    }

    /// Remembers what is there now.
    fn note(&mut self) {
        let ts = self.db().snapshot().unwrap().read_ts();
        self.commits.push((ts, self.model.clone()));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Do(change) => self.perform(change),
            Step::Transaction(inside, commits) => self.transact(inside, *commits),
            Step::Build(kind, form) => self.build(*kind, *form),
            Step::Replace(kind, form) => self.replace(*kind, *form),
            Step::Drop(kind) => {
                let expected = self.model.indexes.remove(&index(*kind, 0).0).is_some();
                assert_eq!(views::notes(self.db()).drop_index(&index(*kind, 0).0).unwrap(), expected);
            }
            Step::Load(generation) => self.load(*generation),
            Step::Hold => self.held.push((self.db().snapshot().unwrap(), self.now_ms(), self.model.clone())),
            Step::ReadHeld(which) if !self.held.is_empty() => {
                let (snapshot, now_ms, model) = &self.held[which.index(self.held.len())];
                views::compare(snapshot, model, *now_ms);
            }
            Step::ReadHeld(_) => {}
            Step::Past(which) => {
                let (ts, model) = &self.commits[which.index(self.commits.len())];
                views::compare_past(&self.db().as_of(*ts).unwrap(), model);
            }
            Step::Follow(which) => {
                let (cursor, model) = &self.commits[which.index(self.commits.len())];
                views::follow(self.db(), *cursor, model, &self.model);
            }
            Step::Advance(ms) => self.clock.advance_ms(u64::from(*ms)),
            Step::Settle => self.db().settle().unwrap(),
            Step::Compact => self.db().compact().unwrap(),
            Step::Retain => self.db().apply_retention().unwrap(),
            Step::Reopen => self.reopen(),
            Step::Kill => self.kill(),
            Step::Compare => self.compare(),
        }
    }

    fn perform(&mut self, change: &Change) {
        let now_ms = self.now_ms();
        let expected = self.model.apply(change, now_ms);
        let found = self.db().transaction(|tx| apply(tx, change));
        assert_eq!(found.map_err(|error| error.kind()), expected, "{change:?}");
        self.note();
    }

    fn transact(&mut self, inside: &[InTransaction], commits: bool) {
        let now_ms = self.now_ms();
        let (open, mut model) = (self.db().begin().unwrap(), self.model.clone());
        let mut saved: Vec<(Savepoint, Naive)> = Vec::new();
        for operation in inside {
            match operation {
                InTransaction::Do(change) => {
                    let found = apply(&open, change).map_err(|error| error.kind());
                    assert_eq!(found, model.apply(change, now_ms), "{change:?} in a transaction");
                }
                InTransaction::Save => saved.push((open.savepoint().unwrap(), model.clone())),
                InTransaction::Back(which) if !saved.is_empty() => {
                    let at = which.index(saved.len());
                    open.rollback_to(&saved[at].0).unwrap();
                    model = saved[at].1.clone();
                    saved.truncate(at + 1);
                }
                InTransaction::Back(_) => {}
                InTransaction::Compare => views::compare_documents(&open.collection("notes").unwrap(), &model),
            }
        }
        if commits {
            open.commit().unwrap();
            self.model = model;
            self.note();
        } else {
            open.rollback();
        }
    }

    fn build(&mut self, kind: u8, form: u8) {
        let (name, index) = index(kind, form);
        let expected = match self.model.indexes.get(&name) {
            Some(there) if *there != form => Err(blaze::ErrorKind::Invalid),
            _ => self.model.fits(kind),
        };
        self.declare(kind, form, expected, |notes| notes.ensure_index(index.clone()));
    }

    fn replace(&mut self, kind: u8, form: u8) {
        let (name, index) = index(kind, form);
        let expected = match self.model.indexes.contains_key(&name) {
            true => self.model.fits(kind),
            false => Err(blaze::ErrorKind::NotFound),
        };
        self.declare(kind, form, expected, |notes| notes.replace_index(&name, index.clone()));
    }

    fn declare(
        &mut self,
        kind: u8,
        form: u8,
        expected: Result<(), blaze::ErrorKind>,
        work: impl Fn(&blaze::Collection<blaze::Document>) -> blaze::Result<()>,
    ) {
        let found = work(&views::notes(self.db())).map_err(|error| error.kind());
        assert_eq!(found, expected, "index {kind} in form {form}");
        if found.is_ok() {
            self.model.indexes.insert(index(kind, form).0, form);
        }
    }

    /// Loads a collection in the place of the one before.
    fn load(&mut self, generation: u8) {
        let load = self.db().load_collection::<blaze::Document>("loaded").replace();
        let mut loader = load.ensure_index(Index::on("n").unique()).begin().unwrap();
        for number in 0..i64::from(generation) {
            loader.insert_with_id(number, &views::loaded(generation, number)).unwrap();
        }
        loader.finish().unwrap();
        self.model.loaded = generation;
        self.note();
    }

    fn reopen(&mut self) {
        self.compare_held();
        self.db.take().unwrap().close().unwrap();
        self.open();
        self.compare();
    }

    /// Goes on with the files as a kill would leave them.
    fn kill(&mut self) {
        self.compare_held();
        let from = self.path();
        self.moves += 1;
        copy_of_open(&from, &self.path());
        self.db = None;
        fs::remove_dir_all(from).unwrap();
        self.open();
        self.compare();
    }

    fn compare_held(&mut self) {
        for (snapshot, now_ms, model) in self.held.drain(..) {
            views::compare(&snapshot, &model, now_ms);
        }
    }

    fn compare(&self) {
        views::compare(&self.db().snapshot().unwrap(), &self.model, self.now_ms());
        assert_eq!(self.db().verify().unwrap().problems, []);
    }
}

/// Copies the files of a database that is open, while none comes or goes.
fn copy_of_open(from: &Path, to: &Path) {
    let names = || {
        let mut names: Vec<_> = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    loop {
        fs::create_dir(to).unwrap();
        let before = names();
        let is_whole = before.iter().all(|name| fs::copy(from.join(name), to.join(name)).is_ok());
        if is_whole && names() == before {
            return;
        }
        fs::remove_dir_all(to).unwrap();
    }
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn a_database_with_everything_is_what_the_model_is_over_its_whole_life(steps in steps()) {
        let mut life = Life::begin();
        steps.iter().for_each(|step| life.step(step));
        life.compare_held();
        life.reopen();
        let (first, model) = life.commits[0].clone();
        views::follow(life.db(), first, &model, &life.model);
        for (ts, model) in &life.commits {
            views::compare_past(&life.db().as_of(*ts).unwrap(), model);
        }
    }
}
