//! `blaze-prove`: kills processes that use Blaze, and proves that nothing was lost.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use blaze::{Entropy, SystemEntropy};
use blaze_prove::campaign::{Campaign, tell};
use blaze_prove::cycle::Runner;
use blaze_prove::flips::{self, campaign::Flips};
use blaze_prove::ledger::{Ledger, Table};
use blaze_prove::life::BEFORE;
use blaze_prove::promises::Promises;
use blaze_prove::random::Random;
use blaze_prove::side::Places;
use blaze_prove::{Finding, Result, auditor, child, image, power, shelves};
use clap::{Parser, Subcommand};

/// Kills processes that use Blaze at random moments, and proves of each database that nothing was lost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    /// For so many minutes; ten unless something else is said.
    #[arg(long, global = true)]
    minutes: Option<f64>,
    /// For so many hours.
    #[arg(long, global = true, conflicts_with = "minutes")]
    hours: Option<f64>,
    /// Until so many processes were killed.
    #[arg(long, global = true)]
    cycles: Option<u64>,
    /// Fixes what is done; a random one unless it is given.
    #[arg(long, global = true)]
    seed: Option<u64>,
    /// Databases that live at once; one for each core unless something else is said.
    #[arg(long, global = true)]
    workers: Option<u64>,
    /// Where databases are. The death of a process needs no disk: what is in memory, such as /dev/shm, is faster.
    #[arg(long, global = true, default_value = "target/prove")]
    directory: PathBuf,
    /// What was proved over all runs.
    #[arg(long, global = true, default_value = "target/prove/ledger.jsonl")]
    ledger: PathBuf,
    /// Seconds that a process may take to open and audit its database before it hangs.
    #[arg(long, global = true, default_value_t = 60)]
    limit: u64,
}

#[derive(Subcommand)]
enum Task {
    /// The process that is killed.
    #[command(hide = true)]
    Child {
        /// Where it lives.
        life: PathBuf,
    },
    /// Cuts the power, too, of disks that the databases are on: as root, on Linux.
    Power {
        /// Mounts are seen by nobody else already.
        #[arg(long, hide = true)]
        isolated: bool,
    },
    /// Cuts the power below databases again and again, or has their disk fail: files go through a file system that forgets what
    /// was not synced.
    #[cfg(target_os = "linux")]
    Cuts(blaze_prove::disk::Arguments),
    /// Audits what was kept of a failure again, on a copy.
    Again {
        /// The directory that was kept.
        kept: PathBuf,
    },
    /// Damages single files of databases, checkpoints and backups, and proves that it is noticed or has no effect.
    Flips {
        /// For so many minutes; ten unless something else is said.
        #[arg(long)]
        minutes: Option<f64>,
        /// Until so many files were damaged.
        #[arg(long)]
        cycles: Option<u64>,
        /// Fixes what is done; a random one unless it is given.
        #[arg(long)]
        seed: Option<u64>,
        /// Where databases are.
        #[arg(long, default_value = "target/prove")]
        directory: PathBuf,
    },
    /// The process that damages files.
    #[command(hide = true)]
    FlipsChild {
        /// Where its specimen is.
        directory: PathBuf,
        /// The seed, the number of the specimen, and that of the first trial.
        numbers: Vec<u64>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Task::Child { life }) => child::live(life).map(|()| true).inspect_err(child::tell),
        #[cfg(target_os = "linux")]
        Some(Task::Cuts(arguments)) => arguments.prove().inspect_err(say),
        Some(Task::Again { kept }) => again(kept).map(|()| true).inspect_err(say),
        Some(Task::Flips { minutes, cycles, seed, directory }) => {
            flip(*minutes, *cycles, *seed, directory).inspect_err(say)
        }
        Some(Task::FlipsChild { directory, numbers }) => {
            let [seed, number, from] = [0, 1, 2].map(|at| numbers.get(at).copied().unwrap_or_default());
            flips::campaign::live(directory, seed, number, from).map(|()| true).inspect_err(child::tell)
        }
        Some(Task::Power { isolated }) => cut_power(&arguments, *isolated).inspect_err(say),
        None => prove(&arguments, false).inspect_err(say),
    };
    if matches!(done, Ok(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(finding: &Finding) {
    tell(&format!("blaze-prove: {finding}"));
}

/// Proves among mounts of its own, where that is possible.
fn cut_power(arguments: &Arguments, is_isolated: bool) -> Result<bool> {
    let possible = match is_isolated {
        true => power::try_out(&arguments.directory),
        false => {
            power::isolation::enter(env::args_os().skip(1).chain(["--isolated".into()])).map(|never| match never {})
        }
    };
    match possible {
        Ok(()) => prove(arguments, true),
        Err(why) => {
            tell(&format!("skipped, as no power can be cut here: {why}"));
            Ok(true)
        }
    }
}

fn prove(arguments: &Arguments, cuts_power: bool) -> Result<bool> {
    let seconds = match (arguments.hours, arguments.minutes, arguments.cycles) {
        (Some(hours), _, _) => hours * 3_600.0,
        (None, Some(minutes), _) => minutes * 60.0,
        (None, None, Some(_)) => f64::from(u32::MAX),
        (None, None, None) => 600.0,
    };
    let time = Duration::try_from_secs_f64(seconds).map_err(|error| Finding::new(format!("{seconds} s: {error}")))?;
    let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let campaign = Campaign {
        runner: Runner { program: env::current_exe()?, limit: Duration::from_secs(arguments.limit) },
        directory: arguments.directory.clone(),
        ledger: Ledger(arguments.ledger.clone()),
        cuts_power,
        seed: arguments.seed.unwrap_or_else(|| SystemEntropy.next_u64() >> 32),
        workers: arguments.workers.unwrap_or_else(cores).max(1),
        time,
        cycles: arguments.cycles,
    };
    tell(&format!(
        "seed {}, {} databases at once, in {}",
        campaign.seed,
        campaign.workers,
        campaign.directory.display()
    ));
    let run = campaign.run()?;
    let is_right = run.iter().all(|entry| entry.failure.is_none());
    tell(&format!("\n{}", Table { run, all: campaign.ledger.read()? }));
    Ok(is_right)
}

fn flip(minutes: Option<f64>, cycles: Option<u64>, seed: Option<u64>, directory: &Path) -> Result<bool> {
    let seconds = minutes.map_or(if cycles.is_some() { f64::from(u32::MAX) } else { 600.0 }, |minutes| minutes * 60.0);
    let flips = Flips {
        program: env::current_exe()?,
        directory: directory.to_owned(),
        seed: seed.unwrap_or_else(|| SystemEntropy.next_u64() >> 32),
        cycles,
        time: Duration::try_from_secs_f64(seconds).map_err(|error| Finding::new(format!("{seconds} s: {error}")))?,
        limit: Duration::from_secs(120),
    };
    tell(&format!("seed {}, in {}", flips.seed, directory.display()));
    let run = flips.run()?;
    let all = run.append(&directory.join("flips.jsonl"))?;
    tell(&format!("this run\n{run}\n\nall runs\n{all}"));
    Ok(run.findings.is_empty())
}

/// Does to a copy of what was kept what the process did that failed: it opens, audits and prepares, and asks every index.
fn again(kept: &Path) -> Result<()> {
    let promises = Promises::read(&kept.join(child::PROMISES))?;
    let copy = kept.join("again");
    image::keep(&kept.join(BEFORE), &copy)?;
    let random = Random::of(&[promises.seed, promises.cycle, 1]);
    let (db, lanes) = child::look(&Places(copy), &promises, &random)?;
    shelves::prepare(&db)?;
    auditor::indexes::check(&db, &lanes, &random)?;
    tell("nothing is wrong with what was there before that process");
    Ok(())
}
