//! Processes that die where a batch was written, and what the auditor of the next one says.

use std::fs;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze::fault::{self, Mistake, Point};
use blaze_prove::child::{self, PROMISES};
use blaze_prove::places::Places;
use blaze_prove::promises::{Bounds, Promises};
use blaze_prove::random::Random;
use blaze_prove::workload::{Progress, commit_next};
use blaze_prove::{Finding, Result, shelves};

use super::process::{command, found_in};

/// What a process is that dies.
pub(super) const ROLE: &str = "Writer";

/// Processes one after the other; the last one only looks.
const PROCESSES: u64 = 8;

pub(super) fn run(directory: &Path, mistake: Option<Mistake>) -> Result<()> {
    let life = directory.join("life");
    fs::create_dir_all(&life)?;
    let mut promises = Promises { seed: 3, lanes: vec![Bounds::default()], load_documents: 1, ..Promises::default() };
    for cycle in 1..=PROCESSES {
        promises.cycle = cycle;
        promises.write(&life.join(PROMISES))?;
        let output = command(ROLE, &life, mistake).output()?;
        String::from_utf8_lossy(&output.stdout).lines().for_each(|line| promises.take_in(line));
        if let Some(found) = found_in(&life) {
            return Err(Finding::new(found));
        }
        if promises.lanes[0].acknowledged == 0 {
            return Err(Finding::new(format!("a process did nothing: {}", String::from_utf8_lossy(&output.stderr))));
        }
    }
    Ok(())
}

/// Looks at what the process before has left, and commits until it is to die.
pub(super) fn write_until_death(life: &Path) -> Result<()> {
    let promises = Promises::read(&life.join(PROMISES))?;
    let random = Random::of(&[promises.seed, promises.cycle]);
    let (db, mut lanes) = child::look(&Places(life.to_owned()), &promises, &random)?;
    shelves::prepare(&db)?;
    let left = AtomicU64::new(20 + random.below(40));
    fault::on_reach(move |point| {
        if point == Point::BatchWritten && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            process::abort();
        }
    });
    let progress = Progress::of(&lanes);
    loop {
        lanes.iter_mut().try_for_each(|lane| commit_next(&db, lane, &progress))?;
    }
}
