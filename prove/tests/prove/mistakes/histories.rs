//! Transactions that meet, and what `blaze-check` says of their history.

use std::path::Path;

use blaze::{Durability, Isolation};
use blaze_check::check;
use blaze_prove::recorder::{Recorder, THREADS};
use blaze_prove::{Finding, Result, shelves};

/// Histories that are looked at until something is found.
const ROUNDS: u64 = 6;
const TRANSACTIONS_PER_THREAD: u64 = 400;

pub(super) fn run(directory: &Path) -> Result<()> {
    for seed in 1..=ROUNDS {
        let db = shelves::open(&directory.join(seed.to_string()))?;
        let mut recorder = Recorder::new(seed, |_| Isolation::Serializable, Durability::Buffered);
        recorder.prepare(&db)?;
        recorder.run(&db, TRANSACTIONS_PER_THREAD)?;
        let history = recorder.history();
        assert_eq!(history.transactions.len() as u64, THREADS * TRANSACTIONS_PER_THREAD);
        let report = check(&history)?;
        if !report.is_sound() {
            return Err(Finding::new(report.to_string()));
        }
        db.close()?;
    }
    Ok(())
}
