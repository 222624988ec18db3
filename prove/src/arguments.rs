//! What the program is told on the command line, and the proofs that it names.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use blaze::{Entropy, SystemEntropy};
use blaze_prove::campaign::{Campaign, tell};
use blaze_prove::cycle::Runner;
use blaze_prove::flips::campaign::Flips;
use blaze_prove::ledger::{Entry, Ledger, Table};
use blaze_prove::life::BEFORE;
use blaze_prove::places::Places;
use blaze_prove::promises::Promises;
use blaze_prove::random::Random;
use blaze_prove::{Finding, Result, auditor, child, image, power, shelves};
use clap::{Args, Parser, Subcommand};

/// More than anybody waits for.
const UNLIMITED: Duration = Duration::from_secs(u32::MAX as u64);

/// Kills processes that use Blaze, cuts their power, has their disks fail and damages their files, and proves of each database
/// that nothing was lost. Without a proof that is named, all take their turn.
#[derive(Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Task>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What every proof is told.
#[derive(Args)]
pub(crate) struct Limits {
    /// For so many minutes; ten unless something else is said.
    #[arg(long, global = true)]
    minutes: Option<f64>,
    /// For so many hours.
    #[arg(long, global = true, conflicts_with = "minutes")]
    hours: Option<f64>,
    /// Until so many processes were killed, cuts made or files damaged.
    #[arg(long, global = true)]
    pub(crate) cycles: Option<u64>,
    /// Fixes what is done; a random one unless it is given.
    #[arg(long, global = true)]
    seed: Option<u64>,
    /// Databases that live at once; one for each core unless something else is said.
    #[arg(long, global = true)]
    workers: Option<u64>,
    /// Where databases are: target/prove, or in memory where files seem to be on a disk. The death of a process needs no disk:
    /// what is in memory, such as /dev/shm, is faster.
    #[arg(long, global = true)]
    directory: Option<PathBuf>,
    /// What was proved over all runs.
    #[arg(long, global = true, default_value = "target/prove/ledger.jsonl")]
    ledger: PathBuf,
    /// Seconds that a cycle may take to open and audit its database before it hangs.
    #[arg(long, global = true, default_value_t = 60)]
    limit: u64,
}

/// A proof.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Kills processes at random moments and at named places.
    Kills,
    /// Cuts the power, too, of disks that the databases are on: as root, on Linux.
    Power {
        /// Mounts are seen by nobody else already.
        #[arg(long, hide = true)]
        isolated: bool,
    },
    /// Cuts the power below databases again and again, or has their disk fail: files go through a file system that forgets what
    /// was not synced.
    #[cfg(target_os = "linux")]
    Cuts {
        /// Leads one life of the seed, and no other; with --faults it is the number of the kind of failure.
        #[arg(long)]
        life: Option<u64>,
        /// Has calls fail instead of the power: each so many-th of every kind.
        #[arg(long)]
        faults: Option<u64>,
        /// With --faults: has that call fail, and no other.
        #[arg(long, requires = "faults")]
        call: Option<u64>,
    },
    /// Records what concurrent transactions do and see, over cuts of the power, too, and looks for anomalies.
    #[cfg(target_os = "linux")]
    Histories {
        /// Records one history of the seed, and no other.
        #[arg(long)]
        life: Option<u64>,
    },
    /// Damages single files of databases, checkpoints and backups, and proves that it is noticed or has no effect.
    Flips,
    /// Audits what was kept of a failure again, on a copy.
    Again {
        /// The directory that was kept.
        kept: PathBuf,
    },
    /// The process that is killed.
    #[command(hide = true)]
    Child {
        /// Where it lives.
        life: PathBuf,
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

impl Limits {
    /// How long to go on: until so many cycles if that was said, and nothing of time.
    pub(crate) fn time(&self) -> Result<Duration> {
        let seconds = match (self.hours, self.minutes, self.cycles) {
            (Some(hours), _, _) => hours * 3_600.0,
            (None, Some(minutes), _) => minutes * 60.0,
            (None, None, Some(_)) => return Ok(UNLIMITED),
            (None, None, None) => 600.0,
        };
        Duration::try_from_secs_f64(seconds).map_err(|error| Finding::new(format!("{seconds} s: {error}")))
    }

    /// All but the time, for a proof of several.
    pub(crate) fn for_each_proof(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--ledger".into(), self.ledger.clone().into()];
        let mut add = |name: &str, value: Option<OsString>| {
            arguments.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        };
        let number = |number: u64| OsString::from(number.to_string());
        add("--seed", self.seed.map(number));
        add("--workers", self.workers.map(number));
        add("--limit", Some(number(self.limit)));
        add("--directory", self.directory.clone().map(OsString::from));
        arguments
    }

    fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(|| SystemEntropy.next_u64() >> 32)
    }

    fn workers(&self) -> u64 {
        let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        self.workers.unwrap_or_else(cores).max(1)
    }

    fn directory(&self) -> PathBuf {
        self.directory.clone().unwrap_or_else(|| "target/prove".into())
    }

    fn ledger(&self) -> Ledger {
        Ledger(self.ledger.clone())
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(self.limit)
    }

    /// Shows what was proved; true if nothing was found.
    fn conclude(&self, run: Vec<Entry>) -> Result<bool> {
        let is_right = run.iter().all(|entry| entry.failure.is_none());
        tell(&format!("\n{}", Table { run, all: self.ledger().read()? }));
        Ok(is_right)
    }
}

impl Task {
    /// Does what was asked for; true if nothing was found.
    pub(crate) fn run(&self, limits: &Limits) -> Result<bool> {
        match self {
            Task::Kills => kill(limits, false),
            Task::Power { isolated } => cut_power(limits, *isolated),
            #[cfg(target_os = "linux")]
            Task::Cuts { life, faults, call } => cut(limits, *life, *faults, *call),
            #[cfg(target_os = "linux")]
            Task::Histories { life } => {
                limits.conclude(on_a_machine(limits, *life, None, life.is_some())?.histories()?)
            }
            Task::Flips => flip(limits),
            Task::Again { kept } => again(kept).map(|()| true),
            Task::Child { .. } | Task::FlipsChild { .. } => Err(Finding::new("a child has no campaign")),
        }
    }
}

/// Cuts the power among mounts of its own, where that is possible.
fn cut_power(limits: &Limits, is_isolated: bool) -> Result<bool> {
    let possible = match is_isolated {
        true => power::try_out(&limits.directory()),
        false => {
            power::isolation::enter(env::args_os().skip(1).chain(["--isolated".into()])).map(|never| match never {})
        }
    };
    match possible {
        Ok(()) => kill(limits, true),
        Err(why) => {
            tell(&format!("skipped, as no power can be cut here: {why}"));
            Ok(true)
        }
    }
}

fn kill(limits: &Limits, cuts_power: bool) -> Result<bool> {
    let campaign = Campaign {
        runner: Runner { program: env::current_exe()?, limit: limits.limit() },
        directory: limits.directory(),
        ledger: limits.ledger(),
        cuts_power,
        seed: limits.seed(),
        workers: limits.workers(),
        time: limits.time()?,
        cycles: limits.cycles,
    };
    begin(campaign.seed, campaign.workers, &campaign.directory);
    limits.conclude(campaign.run()?)
}

#[cfg(target_os = "linux")]
fn cut(limits: &Limits, life: Option<u64>, faults: Option<u64>, call: Option<u64>) -> Result<bool> {
    let campaign = on_a_machine(limits, life, call, life.is_some() || faults.is_some())?;
    limits.conclude(match faults {
        Some(stride) => campaign.faults(stride)?,
        None => campaign.cuts()?,
    })
}

/// A campaign whose files go through a file system that fails; one that ends by itself needs no time.
#[cfg(target_os = "linux")]
fn on_a_machine(
    limits: &Limits,
    life: Option<u64>,
    call: Option<u64>,
    ends_by_itself: bool,
) -> Result<blaze_prove::disk::Campaign> {
    let in_memory = Path::new("/dev/shm/blaze-prove");
    let is_limited = limits.minutes.is_some() || limits.hours.is_some();
    let campaign = blaze_prove::disk::Campaign {
        directory: limits.directory.clone().unwrap_or_else(|| in_memory.to_owned()),
        ledger: limits.ledger(),
        seed: limits.seed(),
        workers: limits.workers(),
        time: if ends_by_itself && !is_limited { UNLIMITED } else { limits.time()? },
        cycles: limits.cycles,
        life,
        call,
        limit: limits.limit(),
    };
    child::plant_mistake()?;
    begin(campaign.seed, campaign.workers, &campaign.directory);
    Ok(campaign)
}

fn flip(limits: &Limits) -> Result<bool> {
    let flips = Flips {
        program: env::current_exe()?,
        directory: limits.directory(),
        seed: limits.seed(),
        cycles: limits.cycles,
        time: limits.time()?,
        limit: 2 * limits.limit(),
    };
    begin(flips.seed, 1, &flips.directory);
    let run = flips.run()?;
    let all = run.append(&limits.ledger.with_file_name("flips.jsonl"))?;
    tell(&format!("this run\n{run}\n\nall runs\n{all}"));
    Ok(run.findings.is_empty())
}

fn begin(seed: u64, workers: u64, directory: &Path) {
    tell(&format!("seed {seed}, {workers} databases at once, in {}", directory.display()));
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
