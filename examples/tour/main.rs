//! A tour of Blaze: loads a corpus that is on this machine already, asks it questions, breaks it, and measures.
//!
//! `cargo run --example tour -- --help` says what else it does. Where to read first: `questions.rs` shows queries,
//! `transactions.rs` what commits promise, `crash.rs` what is left when a process is killed.

mod arguments;
mod checksum;
mod corpus;
mod crash;
mod directory;
mod fields;
mod figures;
mod jsonl;
mod lookups;
mod questions;
mod similar_text;
mod sources;
mod stopwatch;
mod table;
mod terminal;
mod transactions;
mod words;

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use blaze::Database;

use crate::arguments::{HELP, JsonLines, Task, USAGE};
use crate::corpus::Corpus;
use crate::directory::DemoDirectory;
use crate::figures::Loaded;
use crate::stopwatch::{Stopwatch, timed};
use crate::terminal::{Screen, Style, counted, duration};
use crate::transactions::Subject;

/// The result of a step. Whatever failed, the tour says it and ends.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let outcome = match Task::read(env::args_os().skip(1)) {
        Ok(Task::Help) => {
            std::io::stdout().write_all(format!("{USAGE}\n\n{HELP}").as_bytes()).map(|()| true).map_err(Into::into)
        }
        Ok(Task::CrashChild(directory)) => crash::write_until_killed(&directory).map(|()| true),
        Ok(Task::Tour { keep, file }) => tour(keep, file),
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "tour: {message}\n{USAGE}\n--help says more.");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tour: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The whole tour; true if every check held.
fn tour(keep: bool, file: Option<JsonLines>) -> Outcome<bool> {
    let stopwatch = Stopwatch::start();
    let mut screen = Screen::new();
    let directory = DemoDirectory::make(keep)?;
    let path = directory.join("tour.blaze");
    screen.title("Blaze", "Documents, indexes, words and vectors in one directory and one transaction.");

    let db = Database::open(&path)?;
    let (loaded, subject) = match file {
        Some(file) => jsonl::show(&mut screen, &db, &file)?,
        None => corpus_or_sample(&mut screen, &db)?,
    };
    screen.section("Transactions");
    transactions::show(&mut screen, &db, &subject)?;
    screen.section("A process that dies");
    crash::show(&mut screen, &directory.join("crash.blaze"))?;
    screen.section("Figures of this machine");
    figures::show(&screen, &db, &path, &loaded)?;
    db.close()?;

    screen.section("Done");
    let took = duration(stopwatch.elapsed());
    let failures = screen.failures();
    if failures.is_empty() {
        screen.say(&format!("{} held. The tour took {took}.", counted(screen.checks() as u64, "check")));
    } else {
        let count = format!("{} of {} failed:", failures.len(), counted(screen.checks() as u64, "check"));
        screen.say(&screen.style(Style::Alarm, &count));
        failures.iter().for_each(|claim| screen.say(&format!("- {claim}")));
    }
    if keep {
        screen.say(&format!("The database is in {}", path.display()));
    }
    Ok(failures.is_empty())
}

/// The sources of the packages, or the bundled documents if this machine has none.
fn corpus_or_sample(screen: &mut Screen, db: &Database) -> Outcome<(Loaded, Subject)> {
    screen.section("The corpus");
    screen.say("The source code of the packages in Blaze's own Cargo.lock, as Cargo unpacked it here.");
    let (corpus, elapsed) = timed(Corpus::find);
    let corpus = match corpus {
        Ok(corpus) => corpus,
        Err(reason) => {
            screen.say(&format!("None was found: {reason}. A small bundled sample takes its place."));
            let path = directory::project().join("examples/tour/sample.jsonl");
            let sample = JsonLines { path, id: Some("id".into()), indexes: Vec::new() };
            return jsonl::show(screen, db, &sample);
        }
    };
    questions::introduce(screen, &corpus, elapsed);
    screen.section("Loading");
    let elapsed = questions::load(screen, db, &corpus)?;
    screen.section("Questions");
    questions::by_licence_and_keyword(screen, db, &corpus)?;
    let package = questions::dependencies(screen, db, &corpus)?;
    words::by_words(screen, db)?;
    let best = questions::similar_files(screen, db, &corpus)?;
    words::by_both(screen, db, &corpus)?;
    words::suggestions(screen, db)?;
    if let Some(best) = best {
        questions::longest_files(screen, db, &best)?;
    }
    let documents = corpus.sources.files.len() as u64;
    let loaded = Loaded { documents, bytes: corpus.sources.bytes, elapsed, collection: "files".into() };
    Ok((loaded, Subject { collection: "packages".into(), id: package }))
}
