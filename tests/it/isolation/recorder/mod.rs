//! Random transactions of several threads over a keyspace, an index and a text index, as `blaze-check` wants them recorded.

mod run;

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use blaze::{Database, Durability, Entropy, Index, Isolation, Result, SeededEntropy};
use blaze_check::{History, Transaction as Recorded};

use run::{Entry, Run};

/// Threads that run transactions.
pub const THREADS: u64 = 4;

/// Chooses the isolation of a transaction.
pub type Chooser = fn(&SeededEntropy) -> Isolation;

/// Runs transactions of several threads over one database, over several openings if need be, and records what they did and saw.
#[derive(Debug)]
pub struct Recorder {
    isolation: Chooser,
    durability: Durability,
    sessions: Vec<Session>,
    clock: AtomicU64,
    recorded: Mutex<Vec<Recorded>>,
}

/// One of the threads.
#[derive(Debug)]
struct Session {
    number: u64,
    random: SeededEntropy,
    transactions: u64,
    /// Each element is appended once only.
    elements: u64,
}

impl Recorder {
    /// One that has not run anything.
    pub fn new(seed: u64, isolation: Chooser, durability: Durability) -> Recorder {
        let session = |number: u64| Session {
            number,
            random: SeededEntropy::new(seed.wrapping_add(number)),
            transactions: 0,
            elements: 0,
        };
        let sessions = (0..THREADS).map(session).collect();
        Recorder { isolation, durability, sessions, clock: AtomicU64::new(0), recorded: Mutex::default() }
    }

    /// Makes what transactions work with, unless it is there.
    ///
    /// # Errors
    /// Those of the database.
    pub fn prepare(&self, db: &Database) -> Result<()> {
        db.keyspace("rows")?;
        let entries = db.collection::<Entry>("entries")?;
        entries.ensure_index(Index::on("number"))?;
        entries.ensure_index(Index::text(["text"]))
    }

    /// Has each thread run so many transactions, unless one of them fails for another reason than a conflict.
    ///
    /// # Errors
    /// Those of the database, but conflicts. What was done before is recorded.
    pub fn run(&mut self, db: &Database, transactions: u64) -> Result<()> {
        let (mut sessions, ends) = (mem::take(&mut self.sessions), AtomicBool::new(false));
        let done: Vec<Result<()>> = thread::scope(|scope| {
            let (recorder, ends) = (&*self, &ends);
            let run = |session| scope.spawn(move || recorder.run_one_after_another(db, session, transactions, ends));
            let threads: Vec<_> = sessions.iter_mut().map(run).collect();
            threads.into_iter().flat_map(thread::ScopedJoinHandle::join).collect()
        });
        assert_eq!(done.len() as u64, THREADS, "a thread panicked");
        self.sessions = sessions;
        done.into_iter().collect()
    }

    /// Reads and looks for everything in one transaction: what nobody has seen counts as rolled back where it is unknown how
    /// a transaction ended.
    ///
    /// # Errors
    /// Those of the database.
    pub fn look(&mut self, db: &Database) -> Result<()> {
        let mut sessions = mem::take(&mut self.sessions);
        let looked = sessions.first_mut().map(|session| self.record(db, session, |run| run.look()));
        self.sessions = sessions;
        looked.unwrap_or(Ok(()))
    }

    /// What was recorded.
    pub fn history(self) -> History {
        History::new(self.recorded.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn run_one_after_another(
        &self,
        db: &Database,
        session: &mut Session,
        transactions: u64,
        ends: &AtomicBool,
    ) -> Result<()> {
        for _ in 0..transactions {
            if ends.load(Ordering::Relaxed) {
                break;
            }
            self.record(db, session, |run| run.act()).inspect_err(|_| ends.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    }

    /// Runs one transaction; what it did and saw is recorded even if it fails.
    fn record(&self, db: &Database, session: &mut Session, work: fn(&mut Run<'_>) -> Result<bool>) -> Result<()> {
        let began = self.clock.fetch_add(1, Ordering::SeqCst);
        let number = session.number;
        let mut run = Run::begin(db, (self.isolation)(&session.random), self.durability, session)?;
        let commits = work(&mut run);
        let (recorded, ended) = run.end(commits);
        let end = self.clock.fetch_add(1, Ordering::SeqCst);
        let recorded = recorded.in_session(number).between(began, end);
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        ended
    }
}

impl Session {
    fn below(&self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    /// A number that no other call of any session answers.
    fn element(&mut self) -> u64 {
        self.elements += 1;
        self.number << 32 | self.elements
    }
}
