//! Many lives or recordings over cuts of the power, or all trials of a disk that fails, on some threads.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::life::Life;
use super::recording::Recording;
use super::trial::{FAULTS, Fault, Trial, Verdict};
use crate::campaign::{FAILURES_MAX, TOLD_EVERY, tell};
use crate::ledger::{CUTS, Counts, Entry, FAULTS as PROOF_OF_FAULTS, HISTORIES, Ledger};
use crate::stopwatch::Stopwatch;
use crate::{Finding, Result};

/// What is to be proved, and where.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Where databases are, and what is kept of failures: in memory, as a disk would only be slower.
    pub directory: PathBuf,
    /// What it is added to.
    pub ledger: Ledger,
    /// Fixes what is done, though not how threads take turns.
    pub seed: u64,
    /// How many databases live at once.
    pub workers: u64,
    /// When it ends, unless after so many cycles.
    pub time: Duration,
    /// After how many cycles it ends, unless its time is up before.
    pub cycles: Option<u64>,
    /// The only life to be led, or the only kind of failure, instead of all.
    pub life: Option<u64>,
    /// The only call that fails, instead of all.
    pub call: Option<u64>,
    /// A cycle that takes longer hangs.
    pub limit: Duration,
}

/// What workers share.
struct Shared {
    started: Stopwatch,
    numbers: AtomicU64,
    cycles: AtomicU64,
    ends: AtomicBool,
    entries: Mutex<Vec<Entry>>,
    /// For each worker what it does, and since when, unless it is done.
    does: Vec<Mutex<Option<(String, Stopwatch)>>>,
    working: AtomicU64,
}

impl Campaign {
    /// Leads lives over cuts of the power; answers them. Progress is told on stderr.
    ///
    /// # Errors
    /// Those of the system; what is found of databases is in the lives.
    pub fn cuts(&self) -> Result<Vec<Entry>> {
        self.run(|shared, worker| self.one_after_another(shared, |number| self.live(shared, worker, number)))
    }

    /// Records what concurrent transactions do and see, and has it judged; answers the histories. Progress is told on stderr.
    ///
    /// # Errors
    /// Those of the system; what is found of databases is in the entries.
    pub fn histories(&self) -> Result<Vec<Entry>> {
        self.run(|shared, worker| self.one_after_another(shared, |number| Ok(self.record(shared, worker, number))))
    }

    /// Has the disk fail at every `stride`-th call of every kind, once and from then on; answers a life for each kind. Progress
    /// is told on stderr.
    ///
    /// # Errors
    /// Those of the system; what is found of databases is in the lives.
    pub fn faults(&self, stride: u64) -> Result<Vec<Entry>> {
        self.run(|shared, worker| {
            loop {
                let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
                let Some(fault) = FAULTS.get(number as usize / 2) else { return Ok(()) };
                if self.life.is_some_and(|life| life != number) {
                    continue;
                }
                let entry = self.try_all(shared, worker, number, fault, stride)?;
                self.take_in(shared, entry)?;
            }
        })
    }

    fn run(&self, work: impl Fn(&Shared, usize) -> Result<()> + Sync) -> Result<Vec<Entry>> {
        fs::create_dir_all(&self.directory)?;
        let shared = Shared {
            started: Stopwatch::start(),
            numbers: AtomicU64::new(0),
            cycles: AtomicU64::new(0),
            ends: AtomicBool::new(false),
            entries: Mutex::default(),
            does: (0..self.workers).map(|_| Mutex::default()).collect(),
            working: AtomicU64::new(self.workers),
        };
        thread::scope(|scope| {
            let (shared, work) = (&shared, &work);
            let workers = (0..self.workers as usize).map(|worker| {
                scope.spawn(move || {
                    let done = work(shared, worker);
                    shared.working.fetch_sub(1, Ordering::SeqCst);
                    done
                })
            });
            let workers: Vec<_> = workers.collect();
            self.follow(shared);
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(Finding::new("a worker panicked"))))
        })?;
        Ok(shared.entries.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn one_after_another(&self, shared: &Shared, lead: impl Fn(u64) -> Result<Entry>) -> Result<()> {
        while !self.is_over(shared) {
            let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
            if self.life.is_some() && number > 0 {
                break;
            }
            self.take_in(shared, lead(self.life.unwrap_or(number))?)?;
        }
        Ok(())
    }

    fn is_over(&self, shared: &Shared) -> bool {
        shared.ends.load(Ordering::Relaxed)
            || shared.started.left_of(self.time).is_zero()
            || self.cycles.is_some_and(|most| shared.cycles.load(Ordering::Relaxed) >= most)
    }

    /// Tells of progress, and ends the process if something hangs: no thread can be ended.
    fn follow(&self, shared: &Shared) {
        let mut told = Stopwatch::start();
        while shared.working.load(Ordering::SeqCst) > 0 {
            thread::park_timeout(Duration::from_millis(20));
            for does in &shared.does {
                let does = does.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some((what, _)) = does.filter(|(_, since)| since.left_of(self.limit).is_zero()) {
                    tell(&format!("{what} of seed {} hangs in {}", self.seed, self.directory.display()));
                    process::exit(1);
                }
            }
            if told.left_of(TOLD_EVERY).is_zero() {
                told = Stopwatch::start();
                tell(&shared.progress());
            }
        }
    }

    fn take_in(&self, shared: &Shared, entry: Entry) -> Result<()> {
        if let Some(failure) = &entry.failure {
            tell(&format!("{} {} of seed {}: {failure}", entry.proof, entry.life, entry.seed));
        }
        self.ledger.append(&entry)?;
        let mut entries = shared.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry);
        if entries.iter().filter(|entry| entry.failure.is_some()).count() >= FAILURES_MAX {
            shared.ends.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn entry(&self, proof: &str, life: u64, counts: Counts, failure: Option<String>) -> Entry {
        let (proof, version) = (proof.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        Entry { proof, version, seed: self.seed, life, counts, failure }
    }

    fn live(&self, shared: &Shared, worker: usize, number: u64) -> Result<Entry> {
        let mut life = Life::begin(&self.directory, self.seed, number)?;
        let found = loop {
            shared.does(worker, Some(format!("a cycle of life {number}")));
            let is_last = life.is_over() || self.is_over(shared);
            let done = guarded(|| if is_last { life.end() } else { life.cycle() });
            shared.does(worker, None);
            if let Err(finding) = done {
                break Some(finding);
            }
            shared.cycles.fetch_add(1, Ordering::Relaxed);
            if is_last {
                life.remove()?;
                break None;
            }
        };
        let failure = match found {
            None => None,
            Some(finding) => {
                let kept = life.keep_failure(&self.directory, &finding.0)?;
                let again = format!("blaze-prove cuts --seed {} --life {number} leads it again", self.seed);
                Some(format!("{finding}\nkept in {}; {again}", kept.display()))
            }
        };
        Ok(self.entry(CUTS, number, life.counts.clone(), failure))
    }

    fn record(&self, shared: &Shared, worker: usize, number: u64) -> Entry {
        let place = self.directory.join(format!("history-{}-{number}", self.seed));
        let mut recording = Recording::new(self.seed, number);
        shared.does(worker, Some(format!("history {number}")));
        let done = guarded(|| recording.run(&place));
        shared.does(worker, None);
        shared.cycles.fetch_add(recording.counts.cycles, Ordering::Relaxed);
        let failure = done.err().map(|finding| {
            let again = format!("blaze-prove histories --seed {} --life {number} records a like one", self.seed);
            format!("{finding}\nkept in {}; {again}", place.display())
        });
        self.entry(HISTORIES, number, recording.counts, failure)
    }

    fn try_all(&self, shared: &Shared, worker: usize, life: u64, fault: &Fault, stride: u64) -> Result<Entry> {
        let (goes_on, mut counts, mut failure) = (life % 2 == 1, Counts::default(), None);
        for number in (self.call.unwrap_or(1)..).step_by(stride.max(1) as usize) {
            if self.is_over(shared) {
                break;
            }
            let again = format!("blaze-prove cuts --faults 1 --seed {} --life {life} --call {number}", self.seed);
            shared.does(worker, Some(format!("{}, call {number}, which is {again:?},", fault.name)));
            let place = self.directory.join(format!("faults-{}-{life}-{number}", self.seed));
            let met = guarded(|| Trial::run(&place, self.seed, fault, number, goes_on));
            shared.does(worker, None);
            shared.cycles.fetch_add(1, Ordering::Relaxed);
            match met {
                Ok(Verdict::NothingFailed) => break,
                Ok(verdict) => {
                    let is_in_order = verdict == Verdict::InOrder;
                    let what = if is_in_order { fault.name } else { "RocksDB takes back files of its manifest" };
                    counts.cycles += 1;
                    counts.faults += 1;
                    counts.audits += if is_in_order { 2 } else { 0 };
                    *counts.kills.entry(what.to_owned()).or_default() += 1;
                }
                Err(finding) => {
                    failure = Some(format!("{finding}\nkept in {}; {again} tries it again", place.display()));
                    break;
                }
            }
            if self.call.is_some() {
                break;
            }
        }
        Ok(self.entry(PROOF_OF_FAULTS, life, counts, failure))
    }
}

impl Shared {
    fn does(&self, worker: usize, what: Option<String>) {
        if let Some(does) = self.does.get(worker) {
            *does.lock().unwrap_or_else(PoisonError::into_inner) = what.map(|what| (what, Stopwatch::start()));
        }
    }

    fn progress(&self) -> String {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut sum, failures) = (Counts::default(), entries.iter().filter(|entry| entry.failure.is_some()).count());
        entries.iter().for_each(|entry| sum.add(&entry.counts));
        let (seconds, cycles) = (self.started.elapsed().as_secs_f64(), self.cycles.load(Ordering::Relaxed));
        format!(
            "{seconds:6.0} s  {cycles} cycles ({:.1}/s), {} databases with {} commits at their end, {failures} failures",
            cycles as f64 / seconds,
            entries.len(),
            sum.commits
        )
    }
}

/// A panic is a finding.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Finding::new("a panic")))
}
