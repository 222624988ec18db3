//! Writes that survive the death of the process: by themselves, a thousand in a transaction, and mixed with reads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::row::{Key, ROW_BYTES, Value};
use super::{Run, beside_rival, mixed};
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::{Isolation, KeyValue, Opening, Transactional, Write};
use crate::measure::{Measurement, Target, Unit, directory_bytes, written_bytes};
use crate::workload::threads::run_threads;

/// Rows of a large transaction.
const TRANSACTION_ROWS: usize = 1000;

pub(super) fn run(run: &Run<'_>) -> Result<()> {
    let store = run.open(Opening::BUFFERED)?;
    run.load(&*store)?;
    let writes = Writes::of(run);
    writes.check_all(&*store)?; // which fills the cache, too
    let before = written_bytes();
    writes.puts(&*store, 1, Some(beside_rival(0.85)))?;
    writes.puts(&*store, 4, Some(beside_rival(0.9)))?;
    writes.blind(&*store)?;
    writes.with_reads(&*store, Isolation::Strongest)?;
    if store.has_weaker_isolation() {
        writes.with_reads(&*store, Isolation::Snapshot)?;
    }
    if let (Some(before), Some(after)) = (before, written_bytes()) {
        let asked = writes.put.load(Ordering::Relaxed) * ROW_BYTES;
        let ratio = (after - before) as f64 / asked.max(1) as f64;
        run.measured(Measurement::new("write amplification of all that", Unit::Ratio, ratio))?;
    }
    mixed::run(&writes, &*store)?;
    let disk = directory_bytes(run.context.directory)?;
    let ratio = disk.allocated_bytes as f64 / run.workload.data_bytes() as f64;
    run.measured(Measurement::new("space amplification at the end", Unit::Ratio, ratio))?;
    writes.check_all(&*store)
}

/// What was written: the version of each row, so that every answer is known.
pub(super) struct Writes<'a> {
    pub(super) run: &'a Run<'a>,
    versions: Vec<AtomicU32>,
    /// Rows written, each time that they are.
    put: AtomicU64,
}

impl<'a> Writes<'a> {
    pub(super) fn of(run: &'a Run<'a>) -> Writes<'a> {
        let versions = (0..run.workload.rows).map(|_| AtomicU32::new(0)).collect();
        Writes { run, versions, put: AtomicU64::new(0) }
    }

    /// A row with its next version. Only one thread writes a row.
    pub(super) fn next(&self, row: u32) -> (Key, Value) {
        let version = self.versions[row as usize].fetch_add(1, Ordering::Relaxed) + 1;
        self.put.fetch_add(1, Ordering::Relaxed);
        let row = u64::from(row);
        (self.run.rows.key(row), self.run.rows.value(row, u64::from(version)))
    }

    /// The last version of a row.
    fn version(&self, row: u64) -> Option<u64> {
        Some(self.versions.get(usize::try_from(row).ok()?)?.load(Ordering::Relaxed).into())
    }

    /// So many rows in random order that belong to one of `threads` threads.
    pub(super) fn order_of(&self, thread: usize, threads: usize, purpose: u64, count: u64) -> Vec<u32> {
        let (thread, threads) = (thread as u32, threads as u32);
        let below = self.run.workload.rows / u64::from(threads);
        let mut order = self.run.order(purpose << 8 | u64::from(thread), Distribution::Uniform, below, count);
        order.iter_mut().for_each(|row| *row = *row * threads + thread);
        order
    }

    /// Puts random rows by so many threads.
    pub(super) fn puts(&self, store: &dyn Transactional, threads: usize, target: Option<Target>) -> Result<()> {
        let each = self.run.workload.rows / 5 / threads as u64;
        let orders: Vec<Vec<u32>> =
            (0..threads).map(|thread| self.order_of(thread, threads, 6 + threads as u64, each)).collect();
        let plural = if threads == 1 { "" } else { "s" };
        let name = format!("put one by one, buffered, {threads} thread{plural}");
        let mut phase = self.run.phase(&name, each * threads as u64)?.with_latencies();
        run_threads(&mut phase, threads, |worker| {
            for &row in &orders[worker.number] {
                let (key, value) = self.next(row);
                store.put(&key, &value)?;
                worker.advance()?;
            }
            Ok(())
        })?;
        self.run.measured(Measurement { target, ..phase.rate() })?;
        store.settle()
    }

    fn blind(&self, store: &dyn Transactional) -> Result<()> {
        let name = "1,000-row transactions, buffered, blind";
        let measured = self.transactions(name, 20, |rows| store.write(&writes_of(rows)))?;
        self.run.measured(measured.target(beside_rival(0.95)))?;
        store.settle()
    }

    fn with_reads(&self, store: &dyn Transactional, isolation: Isolation) -> Result<()> {
        let (name, purpose) = match isolation {
            Isolation::Strongest => ("1,000-row transactions, buffered, with reads", 21),
            Isolation::Snapshot => ("1,000-row transactions, buffered, with reads, snapshot isolation", 22),
        };
        let measured = self.transactions(name, purpose, |rows| {
            let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
            let (mut visited, mut right) = (0, true);
            // The rows have their next versions already, so what is read is older.
            let is_older = |(row, version): (u64, u64)| self.version(row).is_some_and(|next| version < next);
            let mut visit = |_: &[u8], value: &[u8]| {
                visited += 1;
                right &= self.run.rows.parse(value).is_some_and(is_older);
            };
            store.rewrite(&keys, &mut visit, &writes_of(rows), isolation)?;
            // After a conflict all are read again.
            match right && visited > 0 && visited % keys.len() == 0 {
                true => Ok(()),
                false => Err(format!("wrong answer: {} rows gave {visited} values, whole: {right}", keys.len()).into()),
            }
        })?;
        let target = (isolation == Isolation::Strongest).then(|| beside_rival(0.8));
        self.run.measured(Measurement { target, ..measured })?;
        store.settle()
    }

    /// Transactions over random rows, each a call of `transact` with the rows in their next versions; counted in rows.
    fn transactions(
        &self,
        name: &str,
        purpose: u64,
        mut transact: impl FnMut(&[(Key, Value)]) -> Result<()>,
    ) -> Result<Measurement> {
        let rows = self.run.workload.rows;
        let count = (rows / 10).next_multiple_of(TRANSACTION_ROWS as u64);
        let order = self.run.order(purpose, Distribution::Uniform, rows, count);
        let mut phase = self.run.phase(name, count)?.with_latencies();
        let mut batch = Vec::with_capacity(TRANSACTION_ROWS);
        for rows in order.chunks(TRANSACTION_ROWS) {
            batch.clear();
            batch.extend(rows.iter().map(|&row| self.next(row)));
            transact(&batch)?;
            phase.advance(rows.len() as u64)?;
        }
        Ok(phase.rate())
    }

    /// Reads everything and makes sure that each row is there once, under its key and in its last version.
    pub(super) fn check_all(&self, store: &dyn KeyValue) -> Result<()> {
        let mut wrong = None;
        let read = store.scan(&[], usize::MAX, &mut |key, value| {
            let right = self
                .run
                .rows
                .parse(value)
                .is_some_and(|(row, version)| key == self.run.rows.key(row) && self.version(row) == Some(version));
            if !right {
                wrong.get_or_insert_with(|| (key.to_vec(), self.run.rows.parse(value)));
            }
        })?;
        if let Some((key, found)) = wrong {
            return Err(format!("wrong answer: under {key:02x?} is {found:?} as row and version").into());
        }
        crate::workload::expect("rows", self.run.workload.rows, read as u64)
    }
}

fn writes_of(rows: &[(Key, Value)]) -> Vec<Write<'_>> {
    rows.iter().map(|(key, value)| Write::Put(key, value)).collect()
}
