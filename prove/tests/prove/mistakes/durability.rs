//! Who reads at the moment at which the log is synced sees nothing of the commits that wait for that.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use blaze::fault::{self, Point};
use blaze::{Durability, TransactionOptions};
use blaze_prove::{Finding, Result, shelves};

const COMMITS: u64 = 20;

pub(super) fn run(directory: &Path) -> Result<()> {
    let db = shelves::open(&directory.join("db"))?;
    let numbers = db.keyspace("numbers")?;
    let (asked, was_seen) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (reader, reached) = (numbers.clone(), (Arc::clone(&asked), Arc::clone(&was_seen)));
    fault::on_reach(move |point| {
        let (asked, was_seen) = &reached;
        let waits = asked.load(Ordering::SeqCst);
        if point == Point::LogSynced && waits > 0 && reader.get(waits.to_string()).is_ok_and(|found| found.is_some()) {
            was_seen.store(true, Ordering::SeqCst);
        }
    });
    for number in 1..=COMMITS {
        asked.store(number, Ordering::SeqCst);
        let options = TransactionOptions::new().durability(Durability::Sync);
        db.transaction_with(options, |tx| tx.keyspace("numbers")?.put(number.to_string(), "committed"))?;
        asked.store(0, Ordering::SeqCst);
        if was_seen.load(Ordering::SeqCst) {
            return Err(Finding::new(format!("commit {number} is seen before the log is synced")));
        }
        if numbers.get(number.to_string())?.is_none() {
            return Err(Finding::new(format!("commit {number} is not seen once it was acknowledged")));
        }
    }
    Ok(())
}
