//! Transactions that meet, and what `blaze-check` says of their history.

#[path = "../../../../tests/it/isolation/recorder.rs"]
mod recorder;

use std::path::Path;

use blaze::Isolation;
use blaze_check::check;
use blaze_prove::{Finding, Result, shelves};

use recorder::{THREADS, TRANSACTIONS_PER_THREAD, record};

/// Histories that are looked at until something is found.
const ROUNDS: u64 = 6;

pub(super) fn run(directory: &Path) -> Result<()> {
    for seed in 1..=ROUNDS {
        let db = shelves::open(&directory.join(seed.to_string()))?;
        let history = record(&db, seed, &|_| Isolation::Serializable);
        assert_eq!(history.transactions.len() as u64, THREADS * TRANSACTIONS_PER_THREAD);
        let report = check(&history)?;
        if !report.is_sound() {
            return Err(Finding::new(report.to_string()));
        }
        db.close()?;
    }
    Ok(())
}
