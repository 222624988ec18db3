//! A process that is killed while it writes, and what is left afterwards.
//!
//! The child is this same program. It writes pairs of documents, each pair in one transaction over two collections, and
//! reports a pair's number only after `commit` has returned. The parent kills it without warning, opens the database
//! and looks for every pair that was reported.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{env, io, thread};

use blaze::{Database, DocumentId};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::arguments::CRASH_CHILD;
use crate::checksum::{Checksum, mix};
use crate::stopwatch::{Stopwatch, timed};
use crate::terminal::{Screen, duration, grouped};

const ROUNDS: u64 = 3;

/// How long a child may write before it is killed.
const ROUND: Duration = Duration::from_millis(700);

const WRITERS: usize = 4;

/// A child whose parent is gone stops here at the latest.
const PAIRS_MAX: u64 = 1_000_000;

/// Half of a pair. It tells by itself whether it is whole.
#[derive(Serialize, Deserialize)]
struct Half {
    number: i64,
    side: String,
    text: String,
    checksum: i64,
}

impl Half {
    fn new(number: u64, side: &str) -> Half {
        let words = 20 + mix(number) % 200;
        let text = (0..words).map(|word| format!("{:x} ", mix(number ^ (word << 32)))).collect::<String>();
        let mut half = Half { number: number.cast_signed(), side: side.to_owned(), text, checksum: 0 };
        half.checksum = half.computed_checksum();
        half
    }

    fn computed_checksum(&self) -> i64 {
        Checksum::of(format!("{} {} {}", self.number, self.side, self.text).as_bytes()).cast_signed()
    }
}

/// The child: writes until it is killed.
pub(crate) fn write_until_killed(directory: &Path) -> Outcome<()> {
    let db = Database::open(directory)?;
    let next = AtomicU64::new(db.collection::<Half>("left")?.count()? * 2); // above every number of earlier rounds
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| -> Outcome<()> {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number > PAIRS_MAX {
                            return Ok(());
                        }
                        db.transaction(|tx| {
                            for side in ["left", "right"] {
                                tx.collection::<Half>(side)?.insert_with_id(number, &Half::new(number, side))?;
                            }
                            Ok(())
                        })?;
                        // Committed, and only now reported. The pipe takes a line whole or not at all.
                        writeln!(io::stdout().lock(), "{number}")?;
                    }
                })
            })
            .collect();
        writers.into_iter().try_for_each(|writer| writer.join().map_err(|_| "a writer panicked")?)
    })
}

/// The parent: a few rounds of writing, killing and looking.
pub(crate) fn show(screen: &mut Screen, directory: &Path) -> Outcome<()> {
    screen.say(&format!(
        "A child process writes pairs of documents from {WRITERS} threads, each pair in one transaction over two \
         collections, and reports a pair once its commit has returned. In mid-write it is killed (SIGKILL on \
         Unix), {ROUNDS} times.",
    ));
    let mut reported = BTreeSet::new();
    for round in 1..=ROUNDS {
        let before = reported.len();
        let survived = kill_in_mid_write(spawn_writer(directory)?, &mut reported)?;
        let fresh = (reported.len() - before) as u64;
        let (db, opening) = timed(|| Database::open(directory));
        let report = inspect(&db?, &reported)?;
        screen.labelled(
            &format!("round {round}"),
            &format!(
                "killed after {} pairs; reopened in {}; {} pairs are there",
                grouped(fresh),
                duration(opening),
                grouped(report.pairs)
            ),
        );
        if survived || fresh == 0 {
            screen.check(false, "The child wrote until it was killed.");
        }
        if round == ROUNDS || report.is_damaged() {
            report.check(screen, reported.len() as u64);
        }
        if report.is_damaged() {
            break;
        }
    }
    screen.say(
        "This proves that the death of a process loses nothing. It does not prove what a power cut does: that depends on \
         the disk keeping what it says it has synced, and only cutting the power tests it.",
    );
    Ok(())
}

fn spawn_writer(directory: &Path) -> Outcome<Child> {
    let program = env::current_exe()?;
    Ok(Command::new(program).arg(CRASH_CHILD).arg(directory).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// Collects the numbers that the child reports, kills it, and says whether it had ended by itself.
fn kill_in_mid_write(mut child: Child, reported: &mut BTreeSet<u64>) -> Outcome<bool> {
    let mut lines = BufReader::new(child.stdout.take().ok_or("the child has no output")?);
    let mut stopwatch = None;
    let mut killed = false;
    loop {
        let mut line = String::new();
        // After the kill the pipe still holds reports; they count.
        if lines.read_line(&mut line)? == 0 {
            break;
        }
        if let Some(number) = line.strip_suffix('\n') {
            reported.insert(number.parse()?);
        }
        let stopwatch = *stopwatch.get_or_insert_with(Stopwatch::start); // since the first report
        if !killed && stopwatch.elapsed() >= ROUND {
            child.kill()?;
            killed = true;
        }
    }
    child.wait()?;
    Ok(!killed)
}

/// What is in the database after a crash.
#[derive(Default)]
struct Report {
    pairs: u64,
    unreported: u64,
    missing: u64,
    torn: u64,
    halves: u64,
}

/// Looks at every document and at every reported number.
fn inspect(db: &Database, reported: &BTreeSet<u64>) -> Outcome<Report> {
    let mut report = Report::default();
    let mut sides = Vec::new();
    for side in ["left", "right"] {
        let mut numbers = BTreeSet::new();
        for half in db.collection::<Half>(side)?.find_all().iter()? {
            let half = half?;
            let is_whole = half.checksum == half.computed_checksum()
                && half.side == side
                && half.id == DocumentId::from(half.number);
            report.torn += u64::from(!is_whole);
            numbers.insert(half.number.cast_unsigned());
        }
        sides.push(numbers);
    }
    report.pairs = sides[0].intersection(&sides[1]).count() as u64;
    report.halves = sides[0].symmetric_difference(&sides[1]).count() as u64;
    report.missing = reported.iter().filter(|number| sides.iter().any(|side| !side.contains(number))).count() as u64;
    report.unreported = sides[0].difference(reported).count() as u64;
    Ok(report)
}

impl Report {
    fn is_damaged(&self) -> bool {
        self.missing + self.torn + self.halves > 0
    }

    fn check(&self, screen: &mut Screen, reported: u64) {
        screen.check(
            self.missing == 0,
            &format!("All {} reported pairs are there; {} missing.", grouped(reported), grouped(self.missing)),
        );
        screen.check(
            self.torn == 0,
            &format!("All {} documents match their checksums; {} torn.", grouped(self.pairs * 2), grouped(self.torn)),
        );
        screen.check(
            self.halves == 0,
            &format!("Every document has its other half; {} half transactions.", grouped(self.halves)),
        );
        match self.unreported {
            0 => {}
            1 => screen.say("1 more pair was committed before the child could say so. It is whole, too."),
            pairs => {
                screen.say(&format!("{pairs} more were committed before the child could say so. They are whole, too."));
            }
        }
    }
}
