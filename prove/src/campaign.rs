//! A campaign: several workers lead one life after the other, until the time is up.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::cycle::Runner;
use crate::ledger::{Counts, Entry, KILLS, Ledger, POWER};
use crate::life::Life;
use crate::stopwatch::Stopwatch;

/// Time between two lines of progress.
pub(crate) const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Failures after which a campaign ends.
pub(crate) const FAILURES_MAX: usize = 10;

/// What is to be proved, and where.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// How children are started.
    pub runner: Runner,
    /// Where databases are, and what is kept of failures.
    pub directory: PathBuf,
    /// What it is added to.
    pub ledger: Ledger,
    /// Databases live on disks of their own, whose power is cut.
    pub cuts_power: bool,
    /// Fixes what is done, though not how threads take turns.
    pub seed: u64,
    /// How many databases live at once.
    pub workers: u64,
    /// When it ends, unless after so many cycles.
    pub time: Duration,
    /// After how many cycles it ends, unless its time is up before.
    pub cycles: Option<u64>,
}

/// What workers tell.
enum News {
    Cycle,
    Life(Box<Entry>),
}

/// What workers share.
struct Shared {
    started: Stopwatch,
    lives: AtomicU64,
    cycles: AtomicU64,
    ends: AtomicBool,
}

impl Campaign {
    /// Proves; answers the lives that were led. Progress is told on stderr.
    ///
    /// # Errors
    /// Those of the system; what is found of databases is in the lives.
    pub fn run(&self) -> Result<Vec<Entry>> {
        fs::create_dir_all(&self.directory)?;
        let shared = Shared {
            started: Stopwatch::start(),
            lives: AtomicU64::new(0),
            cycles: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        };
        let (sender, news) = mpsc::channel();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers)
                .map(|_| (sender.clone(), &shared))
                .map(|(sender, shared)| scope.spawn(move || self.work(shared, &sender)))
                .collect();
            drop(sender);
            let entries = self.follow(&shared, &news);
            for worker in workers {
                worker.join().unwrap_or_else(|_| Err(crate::Finding::new("a worker panicked")))?;
            }
            entries
        })
    }

    fn follow(&self, shared: &Shared, news: &mpsc::Receiver<News>) -> Result<Vec<Entry>> {
        let (mut entries, mut told) = (Vec::new(), Stopwatch::start());
        loop {
            match news.recv_timeout(told.left_of(TOLD_EVERY)) {
                Ok(News::Cycle) => {}
                Ok(News::Life(entry)) => {
                    self.ledger.append(&entry)?;
                    entries.push(*entry);
                    let failures = entries.iter().filter(|entry| entry.failure.is_some()).count();
                    if failures >= FAILURES_MAX {
                        shared.ends.store(true, Ordering::Relaxed);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(entries),
            }
            if told.left_of(TOLD_EVERY).is_zero() {
                told = Stopwatch::start();
                tell(&progress(shared, &entries));
            }
        }
    }

    fn is_over(&self, shared: &Shared) -> bool {
        shared.ends.load(Ordering::Relaxed)
            || shared.started.left_of(self.time).is_zero()
            || self.cycles.is_some_and(|most| shared.cycles.load(Ordering::Relaxed) >= most)
    }

    fn work(&self, shared: &Shared, news: &Sender<News>) -> Result<()> {
        let tell = |what| drop(news.send(what));
        while !self.is_over(shared) {
            let number = shared.lives.fetch_add(1, Ordering::Relaxed);
            let mut life = Life::begin(&self.directory, self.seed, number, self.cuts_power)?;
            let failure = self.lead(&mut life, shared, &tell);
            let failure = failure.unwrap_or_else(|finding| Some(format!("the campaign could not go on: {finding}")));
            if let Some(failure) = &failure {
                crate::campaign::tell(&format!("life {number} of seed {}: {failure}", self.seed));
            }
            let (version, seed) = (env!("CARGO_PKG_VERSION").to_owned(), self.seed);
            let proof = if self.cuts_power { POWER } else { KILLS }.to_owned();
            let counts = life.counts.clone();
            tell(News::Life(Box::new(Entry { proof, version, seed, life: number, counts, failure })));
        }
        Ok(())
    }

    /// Leads a life to its end; answers what was found, and where it is kept.
    fn lead(&self, life: &mut Life, shared: &Shared, tell: &dyn Fn(News)) -> Result<Option<String>> {
        loop {
            let is_last = life.is_over() || self.is_over(shared);
            let cycle = if is_last { life.end(&self.runner)? } else { life.cycle(&self.runner)? };
            if let Some(failure) = &cycle.failure {
                let kept = life.keep_failure(&self.directory, &cycle)?;
                let again = format!("kept in {0}; to audit it again: ./run prove again {0}", kept.display());
                return Ok(Some(format!("{failure}\n{again}")));
            }
            shared.cycles.fetch_add(1, Ordering::Relaxed);
            tell(News::Cycle);
            if is_last {
                life.remove()?;
                return Ok(None);
            }
        }
    }
}

fn progress(shared: &Shared, entries: &[Entry]) -> String {
    let mut sum = Counts::default();
    entries.iter().for_each(|entry| sum.add(&entry.counts));
    let seconds = shared.started.elapsed().as_secs_f64();
    let cycles = shared.cycles.load(Ordering::Relaxed);
    let failures = entries.iter().filter(|entry| entry.failure.is_some()).count();
    format!(
        "{seconds:6.0} s  {cycles} killed ({:.1}/s), {} databases with {} commits at their end, {failures} failures",
        cycles as f64 / seconds,
        entries.len(),
        sum.commits
    )
}

/// Says something to whoever watches.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
