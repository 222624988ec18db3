//! The process that is killed: it opens, audits, and goes on until it dies.

use std::path::Path;
use std::thread;
use std::time::Duration;
use std::{env, process};

use blaze::Database;
use blaze::fault::{self, Mistake};

use crate::model::Lane;
use crate::phase::Phase;
use crate::places::Places;
use crate::plan::From;
use crate::promises::Promises;
use crate::random::Random;
use crate::side::{self, Side};
use crate::workload::{Progress, commit_next, say};
use crate::{Finding, Result, aim, auditor, corner, shelves};

/// The file with what the process has to know, in the directory of its life.
pub const PROMISES: &str = "promises.json";

/// The variable of the environment that names a mistake that the database is to make.
pub const MISTAKE: &str = "BLAZE_PROVE_MISTAKE";

/// Time between two signs of life of a process that has nothing to do.
const PATIENCE: Duration = Duration::from_millis(100);

/// Lives in a directory until it is killed.
///
/// # Errors
/// What the auditor finds, and whatever the database should not have answered.
pub fn live(life: &Path) -> Result<()> {
    let promises = Promises::read(&life.join(PROMISES))?;
    let places = promises.places(life);
    plant_mistake()?;
    let random = Random::of(&[promises.seed, promises.cycle, 1]);
    if let Some(aim) = promises.plan.aim {
        aim::take(aim);
    }
    if promises.plan.from == From::Start {
        aim::begin();
    }
    let (db, lanes) = look(&places, &promises, &random)?;
    say("preparing");
    shelves::prepare(&db).map_err(|finding| finding.context("preparing"))?;
    auditor::indexes::check(&db, &lanes, &random).map_err(|finding| finding.context("once prepared"))?;
    side::say_ready(&promises);
    aim::begin();
    say(&format!("phase {}", promises.plan.phase.name()));
    match promises.plan.phase {
        Phase::Close => close_again_and_again(db, &places, lanes, &promises),
        Phase::Graph => corner::graphed::work(db, &places.database(), &random),
        phase => write_beside(&db, &places, &promises, lanes, phase, &random),
    }
}

/// Has the databases of this process make the mistake that the environment names, if any.
///
/// # Errors
/// When nobody knows it.
pub fn plant_mistake() -> Result<()> {
    let Ok(name) = env::var(MISTAKE) else { return Ok(()) };
    let mistake = Mistake::ALL.into_iter().find(|mistake| format!("{mistake:?}") == name);
    fault::plant(mistake.ok_or_else(|| Finding::new(format!("nobody knows the mistake {name:?}")))?);
    Ok(())
}

/// Opens and audits.
///
/// # Errors
/// What the auditor finds.
pub fn look(places: &Places, promises: &Promises, random: &Random) -> Result<(Database, Vec<Lane>)> {
    say("opening");
    let open = || shelves::open_as(&places.database(), promises.durability());
    let mut db = open().map_err(|error| Finding::from(error).context("opening"))?;
    if promises.plan.repairs {
        say("repairing");
        let report = db.repair().map_err(|error| Finding::from(error).context("repairing"))?;
        if let Some(problem) = report.problems.first() {
            return Err(Finding::new(format!("repair could not mend what indexes lack: {problem:?}")));
        }
        side::complete_loaded(&db).map_err(|finding| finding.context("repairing"))?;
    }
    say("auditing");
    let audit = auditor::audit(&db, promises, random)?;
    if promises.plan.reopens {
        db = open_again(db, open, promises.plan.closes)?;
    }
    if promises.audits_copies {
        say("auditing copies");
        auditor::copies::check(places, promises, random)?;
    }
    let positions = audit.lanes.iter().map(|lane| format!(" {}", lane.position));
    say(&positions.fold("audited".to_owned(), |line, position| line + &position));
    say(&format!("load-is {}", audit.load));
    if let Some(churn) = audit.churn {
        say(&format!("churn-is {churn}"));
    }
    Ok((db, audit.lanes))
}

/// Opens a second time: that changes nothing.
fn open_again(db: Database, open: impl Fn() -> blaze::Result<Database>, closes: bool) -> Result<Database> {
    let before = auditor::digest::of(&db)?;
    if closes {
        db.close()?;
    }
    drop(db);
    say("opening again");
    let db = open().map_err(|error| Finding::from(error).context("opening again"))?;
    say("auditing again");
    let after = auditor::digest::of(&db)?;
    match before == after {
        true => Ok(db),
        false => Err(Finding::new(format!("a second opening changed something: {before:?} became {after:?}"))),
    }
}

fn write_beside(
    db: &Database,
    places: &Places,
    promises: &Promises,
    lanes: Vec<Lane>,
    phase: Phase,
    random: &Random,
) -> Result<()> {
    let progress = Progress::of(&lanes);
    thread::scope(|scope| {
        for mut lane in lanes.into_iter().take(promises.plan.writers as usize) {
            let progress = &progress;
            scope.spawn(move || {
                loop {
                    end_with(commit_next(db, &mut lane, progress));
                }
            });
        }
        let side = Side { db, places, promises, progress: &progress };
        end_with(side.run(phase, random).map_err(|finding| finding.context(phase.name())));
        loop {
            // Whoever has nothing to do waits for its death, and ends with who would bring it.
            thread::park_timeout(PATIENCE);
            say("waiting");
        }
    })
}

fn close_again_and_again(mut db: Database, places: &Places, mut lanes: Vec<Lane>, promises: &Promises) -> Result<()> {
    let progress = Progress::of(&lanes);
    loop {
        for lane in &mut lanes {
            commit_next(&db, lane, &progress)?;
        }
        db.close()?;
        progress.say_durable(&progress.all_acknowledged());
        db = shelves::open_as(&places.database(), promises.durability())?;
    }
}

/// Ends the whole process if something was found: the other threads go on for ever.
fn end_with(result: Result<()>) {
    if let Err(finding) = result {
        tell(&finding);
        process::exit(1);
    }
}

/// Tells of a finding where the parent looks for it.
pub fn tell(finding: &Finding) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("found: {finding}\n").as_bytes());
}
