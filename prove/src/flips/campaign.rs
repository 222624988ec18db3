//! Many trials, in processes that are bounded in time and memory: one that dies or hangs is a finding.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::specimen::Specimen;
use super::tally::Tally;
use super::trial::{Outcome, Trial};
use crate::random::Random;
use crate::stopwatch::Stopwatch;
use crate::workload::say;
use crate::{Finding, Result, campaign};

/// Trials with one specimen.
const TRIALS: u64 = 150;

/// Memory that a process may ask for, in KiB: caches and stacks need a small part of it.
const MEMORY_KIB: u64 = 6 << 20;

/// Time between two lines of progress.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Findings after which a campaign ends.
const FINDINGS_MAX: usize = 20;

/// What is to be tried, and where.
#[derive(Clone, Debug)]
pub struct Flips {
    /// The program that makes trials when it is called with `flips-child`.
    pub program: PathBuf,
    /// Where specimens are, and what is kept of findings.
    pub directory: PathBuf,
    /// Fixes what is done.
    pub seed: u64,
    /// After how many trials it ends, unless its time is up before.
    pub cycles: Option<u64>,
    /// When it ends.
    pub time: Duration,
    /// A trial that takes longer hangs.
    pub limit: Duration,
}

/// A process that makes trials, as far as it has come.
struct Watch<'a> {
    tally: &'a mut Tally,
    /// What came of each trial, for whoever wants to read it.
    log: fs::File,
    /// The trial that is under way, and what is known of it.
    trial: Option<(u64, String, String)>,
    next: u64,
}

impl Flips {
    /// Tries. Progress is told on stderr.
    ///
    /// # Errors
    /// Those of the system; what is found is in the tally.
    pub fn run(&self) -> Result<Tally> {
        fs::create_dir_all(&self.directory)?;
        let (started, mut told) = (Stopwatch::start(), Stopwatch::start());
        let mut tally = Tally { seeds: vec![self.seed], ..Tally::default() };
        let is_over = |tally: &Tally| {
            started.left_of(self.time).is_zero()
                || tally.findings.len() >= FINDINGS_MAX
                || self.cycles.is_some_and(|cycles| tally.trials() >= cycles)
        };
        for number in 0.. {
            let mut from = 0;
            while from < TRIALS && !is_over(&tally) {
                from = self.follow(number, from, &mut tally, &is_over)?;
                if told.left_of(TOLD_EVERY).is_zero() {
                    told = Stopwatch::start();
                    let (seconds, trials) = (started.elapsed().as_secs_f64(), tally.trials());
                    let findings = tally.findings.len();
                    campaign::tell(&format!("{seconds:6.0} s  {trials} damages, {findings} findings"));
                }
            }
            if is_over(&tally) {
                break;
            }
        }
        Ok(tally)
    }

    /// Has a process make trials with a specimen from one on; answers the number of the first that was not made.
    fn follow(&self, number: u64, from: u64, tally: &mut Tally, is_over: &dyn Fn(&Tally) -> bool) -> Result<u64> {
        let directory = self.directory.join(format!("flips-{}-{number}", self.seed));
        let mut child = self.start(&directory, number, from)?;
        let stdout = child.stdout.take().ok_or_else(|| Finding::new("a child without a pipe"))?;
        let lines = listen(stdout);
        let log = self.directory.join(format!("flips-{}.log", self.seed));
        let log = fs::File::options().create(true).append(true).open(log)?;
        let mut watch = Watch { tally, log, trial: None, next: from };
        let ended = loop {
            match lines.recv_timeout(self.limit) {
                Ok(line) => watch.take_in(&line),
                Err(RecvTimeoutError::Timeout) => break "it hangs",
                Err(RecvTimeoutError::Disconnected) => break "its process died",
            }
            if watch.next >= TRIALS || (watch.trial.is_none() && is_over(watch.tally)) {
                break "";
            }
        };
        child.kill()?;
        let status = child.wait()?;
        let next = watch.next;
        match watch.trial.take() {
            Some((trial, kind, what)) => {
                let told = fs::read_to_string(directory.join("stderr.log")).unwrap_or_default();
                tally.count(&kind, Outcome::Wrong.name());
                let told = told.trim();
                tally.findings.push(format!("specimen {number}, trial {trial}, {what}: {ended} ({status}) {told}"));
                keep(&directory, trial)?;
                Ok(trial + 1)
            }
            None if ended.is_empty() => {
                if tally.findings.is_empty() {
                    fs::remove_dir_all(&directory)?;
                }
                Ok(next)
            }
            None => {
                let told = fs::read_to_string(directory.join("stderr.log")).unwrap_or_default();
                Err(Finding::new(format!("specimen {number}: {ended} ({status}): {}", told.trim())))
            }
        }
    }

    fn start(&self, directory: &Path, number: u64, from: u64) -> Result<Child> {
        fs::create_dir_all(directory)?;
        let mut command = if cfg!(unix) {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")).arg(&self.program);
            shell
        } else {
            Command::new(&self.program)
        };
        let numbers = [self.seed, number, from].map(|number| number.to_string());
        let errors = fs::File::options().create(true).append(true).open(directory.join("stderr.log"))?;
        let child = command.arg("flips-child").arg(directory).args(numbers);
        Ok(child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn()?)
    }
}

impl Watch<'_> {
    fn take_in(&mut self, line: &str) {
        let _ = writeln!(self.log, "{line}"); // nothing depends on it
        let mut parts = line.splitn(4, '\t');
        let (verb, number) = (parts.next(), parts.next().and_then(|number| number.parse().ok()));
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match (verb, number) {
            (Some("trial"), Some(number)) => self.trial = Some((number, first.to_owned(), second.to_owned())),
            (Some("done"), Some(number)) => {
                let Some((_, kind, what)) = self.trial.take() else { return };
                self.next = number + 1;
                self.tally.count(&kind, first);
                if first == Outcome::Wrong.name() {
                    let finding = format!("trial {number}, {what}: {second}");
                    campaign::tell(&finding);
                    self.tally.findings.push(finding);
                }
            }
            _ => {}
        }
    }
}

/// The process that makes trials with a specimen, from a number on, until nobody listens.
///
/// # Errors
/// Those of the system.
pub fn live(directory: &Path, seed: u64, number: u64, from: u64) -> Result<()> {
    say("making");
    let specimen = Specimen::make(&directory.join("specimen"), seed, number)?;
    let copy = directory.join("trial");
    for at in 0..TRIALS {
        let random = Random::of(&[seed, number, at]);
        let trial = Trial::choose(&specimen, &random)?;
        if at < from {
            continue;
        }
        crate::places::remove(&copy)?;
        say(&format!("trial\t{at}\t{}\t{trial}", trial.kind));
        let (outcome, told) = trial.run(&specimen, &copy, &random)?;
        if outcome == Outcome::Wrong {
            keep(directory, at)?;
        }
        say(&format!("done\t{at}\t{}\t{}", outcome.name(), told.replace(['\n', '\t'], " ")));
    }
    Ok(())
}

/// Keeps what is left of a trial for whoever wants to look at it.
fn keep(directory: &Path, trial: u64) -> Result<()> {
    let (copy, kept) = (directory.join("trial"), directory.join(format!("kept-{trial}")));
    match copy.exists() {
        true => Ok(fs::rename(copy, kept)?),
        false => Ok(()),
    }
}

fn listen(stdout: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(|line| line.ok()).try_for_each(|line| sender.send(line))
    });
    lines
}
