//! The last table: what was measured on this machine.

use std::path::Path;
use std::time::Duration;

use blaze::{Database, Document, DocumentId};

use crate::Outcome;
use crate::checksum::mix;
use crate::directory::bytes_on_disk;
use crate::stopwatch::{Stopwatch, timed};
use crate::table::Table;
use crate::terminal::{Screen, duration, grouped, size};

const READS: u64 = 20_000;
const READING: Duration = Duration::from_secs(6);
const COMMITTING: Duration = Duration::from_secs(2);

/// What the load knows.
pub(crate) struct Loaded {
    pub(crate) documents: u64,
    pub(crate) bytes: u64,
    pub(crate) elapsed: Duration,
    /// The collection from which documents are read.
    pub(crate) collection: String,
}

/// Measures commits and reads, and prints the table.
pub(crate) fn show(screen: &Screen, db: &Database, directory: &Path, loaded: &Loaded) -> Outcome<()> {
    db.sync()?;
    let disk = bytes_on_disk(directory)?;
    let reads = reads(db, &loaded.collection)?;
    let commits = durable_commits_per_second(db)?;
    let mut table = Table::new(["", "#", ""]);
    let mut row = |name: &str, figure: String, note: &str| table.row([name.to_owned(), figure, note.to_owned()]);
    row("documents", grouped(loaded.documents), "");
    row("bytes in", size(loaded.bytes), "without vectors and indexes");
    row("bytes on disk", size(disk), "every file of the database");
    let seconds = loaded.elapsed.as_secs_f64().max(1e-6);
    let rate = loaded.documents as f64 / seconds;
    let average = size(loaded.bytes / loaded.documents.max(1));
    row(
        "documents per second in bulk",
        grouped(rate as u64),
        &format!("{average} each, {}/s", size((loaded.bytes as f64 / seconds) as u64)),
    );
    row("single durable commits per second", grouped(commits), "one thread, one document, synced each time");
    if let Some((median, slow)) = percentiles(reads) {
        row("read by id, median", duration(median), "random ids, decoded");
        row("read by id, 99th percentile", duration(slow), "");
    }
    screen.table(&table);
    Ok(())
}

/// Commits one small document after the other; each commit returns when it is on disk.
fn durable_commits_per_second(db: &Database) -> Outcome<u64> {
    let commits = db.collection::<Document>("commits")?;
    let stopwatch = Stopwatch::start();
    let mut done = 0_u64;
    while stopwatch.elapsed() < COMMITTING {
        commits.put(done, &Document::new().with("number", done).with("text", "a small document"))?;
        done += 1;
    }
    Ok((done as f64 / stopwatch.elapsed().as_secs_f64()) as u64)
}

/// Times reads of documents in an order that looks random and is the same in every run.
fn reads(db: &Database, collection: &str) -> Outcome<Vec<Duration>> {
    let documents = db.collection::<Document>(collection)?;
    let mut ids: Vec<DocumentId> = Vec::new();
    for document in documents.find_all().iter()? {
        ids.push(document?.id);
    }
    let mut times = Vec::new();
    let stopwatch = Stopwatch::start();
    for number in 0..READS {
        if ids.is_empty() || stopwatch.elapsed() > READING {
            break;
        }
        let id = &ids[(mix(number) % ids.len() as u64) as usize];
        let (document, elapsed) = timed(|| documents.get(id));
        document?.ok_or_else(|| format!("{id} is gone"))?;
        times.push(elapsed);
    }
    Ok(times)
}

fn percentiles(mut times: Vec<Duration>) -> Option<(Duration, Duration)> {
    times.sort_unstable();
    Some((*times.get(times.len() / 2)?, *times.get(times.len() * 99 / 100)?))
}
