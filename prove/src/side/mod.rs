//! What is done beside the writers, again and again, until the process is killed.

mod copies;

use blaze::limits::LOAD_MEMORY_BYTES_MIN;
use blaze::{CollectionLoad, Database, Document, Index, IndexState, Vector};

use crate::Result;
use crate::corner;
use crate::model::{Shelf, WORDS};
use crate::phase::Phase;
use crate::places::Places;
use crate::promises::Promises;
use crate::random::Random;
use crate::shelves::{self, CHURNED, CHURNED_KEYS, LOADED};
use crate::workload::{Progress, persist, say};

/// Documents and pairs of what is made and dropped.
pub const CHURNED_DOCUMENTS: u64 = 20;

/// The unique index that is there only at times.
const AT_TIMES: &str = "email again";

/// Indexes that are built again by the names that follow, and a unique one that is there only at times.
pub const BUILT: [(Shelf, &str); 5] = [
    (Shelf::People, "place"),
    (Shelf::People, "tags"),
    (Shelf::People, AT_TIMES),
    (Shelf::Notes, "text"),
    (Shelf::Notes, "embedding"),
];

/// The work beside the writers.
#[derive(Debug)]
pub struct Side<'a> {
    /// The database.
    pub db: &'a Database,
    /// Where everything is.
    pub places: &'a Places,
    /// What was known when the process began.
    pub promises: &'a Promises,
    /// How far the writers are.
    pub progress: &'a Progress<'a>,
}

impl Side<'_> {
    /// Does what belongs to a phase until everybody is to end, or nothing.
    ///
    /// # Errors
    /// A finding if the database does not do what it has to.
    pub fn run(&self, phase: Phase, random: &Random) -> Result<()> {
        match phase {
            Phase::Write | Phase::Close | Phase::Graph => Ok(()),
            Phase::Compact => self.repeat(|| Ok(self.db.compact()?)),
            Phase::Fold => self.repeat(|| self.settle()),
            Phase::Build => self.build(random),
            Phase::Replace => self.replace(random),
            Phase::Load => self.load(random),
            Phase::Churn => self.churn(),
            Phase::Backup => self.back_up(),
            Phase::Restore => self.restore(),
            Phase::Checkpoint => self.checkpoint(),
            Phase::Rule => corner::ruled::work(self.db),
            Phase::Migrate => corner::migrated::work(self.db),
            Phase::Expire => corner::expiring::work(self.db, random),
            Phase::Embed => corner::embedded::work(self.db, random),
            Phase::Store => corner::streams::work(self.db, random),
            Phase::Salvage => self.salvage(),
        }
    }

    fn repeat(&self, mut work: impl FnMut() -> Result<()>) -> Result<()> {
        while !self.progress.is_over() {
            work()?;
        }
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        let acknowledged = self.progress.all_acknowledged();
        self.db.settle()?;
        self.progress.say_durable(&acknowledged);
        Ok(())
    }

    fn build(&self, random: &Random) -> Result<()> {
        self.repeat(|| {
            let number = random.below(BUILT.len() as u64);
            let (shelf, name) = BUILT[number as usize];
            let collection = shelves::collection(self.db, shelf)?;
            self.progress.say(&format!("index-gone {number}"));
            persist(|| collection.drop_index(name))?;
            let index = || match name {
                AT_TIMES => Index::on("email").then("lane").unique().named(name),
                _ => shelves::index(name, false),
            };
            let before = self.progress.all_acknowledged();
            persist(|| collection.ensure_index(index()))?;
            self.progress.say(&format!("index-ready {number}"));
            if self.promises.syncs {
                self.progress.say(&format!("index-durable {number}"));
                self.progress.say_durable(&before);
            }
            Ok(())
        })
    }

    fn replace(&self, random: &Random) -> Result<()> {
        self.repeat(|| {
            let Some((shelf, name)) = random.pick(&BUILT) else { return Ok(()) };
            if *name != AT_TIMES {
                let (collection, other_form) = (shelves::collection(self.db, *shelf)?, random.percent(50));
                persist(|| collection.replace_index(name, shelves::index(name, other_form)))?;
            }
            Ok(())
        })
    }

    fn load(&self, random: &Random) -> Result<()> {
        for generation in self.promises.load.asked + 1.. {
            if self.progress.is_over() {
                break;
            }
            self.progress.say(&format!("load-ask {generation}"));
            let load = || {
                let load = self.db.load_collection::<Document>(LOADED).replace();
                let mut loader = loaded_indexes()
                    .into_iter()
                    .fold(load, CollectionLoad::ensure_index)
                    .memory_bytes(if random.percent(50) { LOAD_MEMORY_BYTES_MIN } else { 8 << 20 })
                    .begin()?;
                for n in 0..self.promises.load_documents {
                    // In an order that is not that of the ids.
                    let n = n * 7_919 % self.promises.load_documents;
                    loader.insert_with_id(n as i64, &loaded(generation, n))?;
                }
                loader.finish()
            };
            let mut before = self.progress.all_acknowledged();
            persist(load)?;
            self.progress.acknowledge_load(generation);
            if self.promises.syncs {
                before[self.promises.lanes.len()] = generation;
                self.progress.say_durable(&before);
            }
            corner::keys::load(self.db, generation)?;
        }
        Ok(())
    }

    fn churn(&self) -> Result<()> {
        let bounds = self.promises.churn;
        let mut next = bounds.asked + 1;
        if bounds.acknowledged != bounds.asked || bounds.asked % 2 == 1 {
            // Nobody knows what is there: first of all it goes.
            next = bounds.asked + 1 + (bounds.asked + 1) % 2;
        }
        for number in next.. {
            if self.progress.is_over() {
                break;
            }
            self.progress.say(&format!("churn-ask {number}"));
            let mut before = self.progress.all_acknowledged();
            let commits = match number % 2 {
                1 => self.make(number).map(|()| true)?,
                // What is not there is dropped without a commit, which syncs nothing.
                _ => persist(|| self.db.drop_collection(CHURNED))? | persist(|| self.db.drop_keyspace(CHURNED_KEYS))?,
            };
            self.progress.acknowledge_churn(number);
            if self.promises.syncs && commits {
                before[self.promises.lanes.len() + 1] = number;
                self.progress.say_durable(&before);
            }
        }
        Ok(())
    }

    fn make(&self, number: u64) -> Result<()> {
        let collection = persist(|| self.db.collection::<Document>(CHURNED))?;
        persist(|| collection.ensure_index(Index::on("n").unique()))?;
        persist(|| collection.ensure_index(Index::text(["text"])))?;
        let fill = || {
            self.db.transaction(|tx| {
                for n in 0..CHURNED_DOCUMENTS {
                    let document = loaded(number, n);
                    tx.collection::<Document>(CHURNED)?.insert_with_id(n as i64, &document)?;
                    tx.keyspace(CHURNED_KEYS)?.put(n.to_string(), number.to_string())?;
                }
                Ok(())
            })
        };
        Ok(persist(fill)?)
    }
}

/// Says which indexes are ready once everything is prepared.
pub fn say_ready(promises: &Promises) {
    for (number, (_, name)) in BUILT.iter().enumerate() {
        if *name != AT_TIMES {
            say(&format!("index-ready {number}"));
            if promises.syncs {
                say(&format!("index-durable {number}"));
            }
        }
    }
}

/// The indexes of the collection that is loaded anew.
fn loaded_indexes() -> [Index; 3] {
    [Index::on("n").unique().named("n"), Index::text(["text"]).named("text"), Index::vector("at", 3).named("at")]
}

/// Completes the indexes of the collection that is loaded anew, if one was to be built anew and was not.
///
/// # Errors
/// Those of the database.
pub fn complete_loaded(db: &Database) -> Result<()> {
    if !db.collections()?.iter().any(|name| name == LOADED) {
        return Ok(());
    }
    let loaded = db.collection::<Document>(LOADED)?;
    for known in loaded.indexes()?.iter().filter(|known| known.state != IndexState::Ready) {
        if let Some(index) = loaded_indexes().into_iter().zip(["n", "text", "at"]).find(|(_, name)| known.name == *name)
        {
            persist(|| loaded.ensure_index(index.0.clone()))?;
        }
    }
    Ok(())
}

/// A document of a generation.
#[must_use]
pub fn loaded(generation: u64, n: u64) -> Document {
    let word = WORDS[(n + generation) as usize % WORDS.len()];
    let at = [(n % 97) as f32 - 48.0, (n % 89) as f32 - 44.0, 1.0 + (generation % 5) as f32];
    Document::new()
        .with("generation", generation as i64)
        .with("n", n as i64)
        .with("text", format!("{word} of generation{generation}"))
        .with("at", Vector::from(&at))
}
