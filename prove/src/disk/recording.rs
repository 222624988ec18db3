//! What concurrent transactions do and see, over cuts of the power, as `blaze-check` judges it.

use std::fs::{self, File};
use std::path::Path;

use blaze::{Database, Durability, Entropy, Isolation, SeededEntropy};
use blaze_check::{History, Outcome, Transaction, check};
use blaze_fault_fs::Call;

use super::machine::Machine;
use crate::ledger::Counts;
use crate::places::remove;
use crate::promises::Promises;
use crate::random::Random;
use crate::recorder::{Chooser, Recorder};
use crate::{Finding, Result};

/// Openings of one history at most.
const OPENINGS_MAX: u64 = 6;

/// Transactions of each thread in one opening at most.
const TRANSACTIONS_MAX: u64 = 120;

/// One history in so many is of a database that is only in memory.
const IN_MEMORY_EVERY: u64 = 8;

/// The file with a history that is wrong.
const HISTORY: &str = "history.jsonl";

/// The three mixtures of isolations.
const MIXTURES: [Chooser; 3] = [|_| Isolation::Serializable, |_| Isolation::Snapshot, either];

fn either(random: &SeededEntropy) -> Isolation {
    if random.next_u64().is_multiple_of(2) { Isolation::Serializable } else { Isolation::Snapshot }
}

/// A history under way: all that was acknowledged is durable.
#[derive(Debug)]
pub struct Recording {
    random: Random,
    /// What was proved so far.
    pub counts: Counts,
}

impl Recording {
    /// One that a campaign's seed and a number fix, though not how threads take turns.
    #[must_use]
    pub fn new(campaign: u64, number: u64) -> Recording {
        Recording { random: Random::of(&[campaign, number, 11]), counts: Counts::default() }
    }

    /// Records a history in a directory, and has it judged. The directory is removed unless something is wrong.
    ///
    /// # Errors
    /// What is wrong; the history is in the directory then.
    pub fn run(&mut self, directory: &Path) -> Result<()> {
        remove(directory)?;
        fs::create_dir_all(directory)?;
        let mixture = self.random.pick(&MIXTURES).copied().unwrap_or(either);
        let mut recorder = Recorder::new(self.random.below(1 << 48), mixture, Durability::Sync);
        match self.random.below(IN_MEMORY_EVERY) {
            0 => self.work(&Database::builder().in_memory()?, &mut recorder)?,
            _ => self.work_over_cuts(directory, &mut recorder)?,
        }
        self.judge(&recorder.history(), directory)?;
        remove(directory)
    }

    fn work_over_cuts(&mut self, directory: &Path, recorder: &mut Recorder) -> Result<()> {
        let machine = Machine::new(directory, Promises::default())?;
        for _ in 0..self.random.below(OPENINGS_MAX) {
            let (calls, scale): (&[Call], u64) = match self.random.below(4) {
                0 => (&Call::ALL, 400),
                1 => (&Call::CHANGES, 400),
                _ => (&[Call::Sync], 60),
            };
            machine.fs.cut_at(calls, 1 + self.random.below(scale));
            if let Some(db) = machine.open()? {
                machine.forgive(self.work(&db, recorder))?;
            }
            self.counts.cuts += u64::from(machine.lose(&self.random)?);
            self.counts.cycles += 1;
        }
        let db = machine.open()?.ok_or_else(|| Finding::new("the power is on, and nothing can be opened"))?;
        self.work(&db, recorder)?;
        Ok(db.close()?)
    }

    /// Looks at everything before and after: of transactions whose end nobody knows, these are what tells.
    fn work(&self, db: &Database, recorder: &mut Recorder) -> Result<()> {
        recorder.prepare(db)?;
        recorder.look(db)?;
        recorder.run(db, 1 + self.random.below(TRANSACTIONS_MAX))?;
        Ok(recorder.look(db)?)
    }

    fn judge(&mut self, history: &History, directory: &Path) -> Result<()> {
        let report = check(history)?;
        if !report.is_sound() {
            history.write_lines(File::create(directory.join(HISTORY))?)?;
            return Err(Finding::new(report.to_string()));
        }
        self.counts.cycles += 1;
        self.counts.audits += 1;
        self.counts.transactions += history.transactions.len() as u64;
        let is_committed = |transaction: &&Transaction| matches!(transaction.outcome, Outcome::Committed(_));
        self.counts.commits += history.transactions.iter().filter(is_committed).count() as u64;
        Ok(())
    }
}
