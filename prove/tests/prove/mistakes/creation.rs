//! A new database whose process dies as soon as the database has its name.

use std::path::Path;
use std::process::Stdio;
use std::{fs, thread};

use blaze::fault::Mistake;
use blaze_prove::places::Places;
use blaze_prove::{Finding, Result, shelves};

use super::process::command;

/// What a process is that makes a database.
pub(super) const ROLE: &str = "Creator";

/// What makes a directory a database.
const MARKER: &str = "BLAZE";

const ROUNDS: u64 = 5;

pub(super) fn run(directory: &Path, mistake: Option<Mistake>) -> Result<()> {
    for round in 1..=ROUNDS {
        let places = Places(directory.join(round.to_string()));
        fs::create_dir_all(&places.0)?;
        let mut creator = command(ROLE, &places.0, mistake).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        while !places.database().join(MARKER).exists() {
            if let Some(status) = creator.try_wait()? {
                return Err(Finding::new(format!("a process that made a database ended with {status}")));
            }
            thread::yield_now();
        }
        creator.kill()?;
        creator.wait()?;
        let db = shelves::open(&places.database())?;
        shelves::prepare(&db)?;
        db.close()?;
    }
    Ok(())
}

/// Makes a database, and waits for its death.
pub(super) fn create(place: &Path) -> Result<()> {
    let _db = shelves::open(&Places(place.to_owned()).database())?;
    loop {
        thread::park();
    }
}
