//! Committing: validation, timestamp and write, one request at a time.

use std::sync::Arc;

use blaze_core::{
    Clock, CommitRequest, Durability, Error, ErrorKind, Family, HybridClock, Result, Timestamp, Write, limits,
};
use rocksdb::WriteBatch;

use crate::ffi::{Engine, Snapshot};
use crate::handles::Handles;
use crate::oracle::Oracle;
use crate::read_point::View;

/// Where the catalog keeps the ceiling: no commit timestamp in the database is above it. Nobody else can write or see
/// the empty key.
pub(crate) const CEILING_KEY: &[u8] = b"";

/// How far the ceiling is ahead of the commit that raises it: the ceiling is written every ten seconds at most, and
/// after a crash the clock may run ten seconds ahead.
const LEASE: u64 = 10_000 << 16;

/// What commits change, one after another, under the store's commit lock.
#[derive(Debug)]
pub(crate) struct Committer {
    clock: Arc<dyn Clock>,
    commits: HybridClock,
    /// The last commit that wrote to the catalog, or any that is not below it.
    catalog_ts: Timestamp,
    ceiling: Timestamp,
    oracle: Oracle,
}

impl Committer {
    /// Goes on after the last commit of the database, wherever the clock is now.
    pub(crate) fn new(engine: &Arc<Engine>, handles: &Arc<Handles>, clock: Arc<dyn Clock>) -> Result<Committer> {
        let ceiling = match engine.latest(Family::Catalog, CEILING_KEY)? {
            None => Timestamp::ZERO,
            Some(bytes) => match bytes.as_slice().try_into() {
                Ok(bytes) => Timestamp::from_bits(u64::from_be_bytes(bytes)),
                Err(_) => {
                    let bytes = bytes.len();
                    return Err(Error::corruption(format!(
                        "the ceiling of commit timestamps has {bytes} bytes, not 8"
                    )));
                }
            },
        };
        handles.publish(View::new(ceiling, ceiling, Snapshot::take(Arc::clone(engine)), Arc::clone(handles)));
        let oracle = Oracle::new(ceiling, limits::ORACLE_BYTES_MAX);
        Ok(Committer { clock, commits: HybridClock::after(ceiling), catalog_ts: ceiling, ceiling, oracle })
    }

    /// Commits a request that has writes, each of them [valid](Write::validate).
    pub(crate) fn commit(
        &mut self,
        engine: &Arc<Engine>,
        handles: &Arc<Handles>,
        mut request: CommitRequest,
    ) -> Result<Timestamp> {
        engine.check_healthy()?;
        self.oracle.validate(&request)?;

        let ts = self.commits.tick(&*self.clock);
        let mut batch = encode(engine, &mut request.writes, ts)?;
        let ceiling = self.lease(&mut batch, engine, ts);
        engine
            .write(batch, request.durability == Durability::Sync)
            .map_err(|error| Error::new(ErrorKind::CommitOutcomeUnknown(ts), format!("commit {ts}: {error}")))?;
        self.ceiling = ceiling;
        if request.writes.iter().any(|write| write.family() == Family::Catalog) {
            self.catalog_ts = ts;
        }

        // The lock of the store keeps the next commit out, so that the snapshot is that of this one.
        let view = View::new(ts, self.catalog_ts, Snapshot::take(Arc::clone(engine)), Arc::clone(handles));
        let oldest = handles.publish(view);
        if oldest < ts {
            self.oracle.record(ts, request.writes);
        }
        self.oracle.forget(oldest);
        Ok(ts)
    }

    /// Makes everything durable before the store closes, and the ceiling exact: the next opening goes on from here.
    pub(crate) fn settle(&mut self, engine: &Engine) -> Result<()> {
        engine.check_healthy()?;
        let last = self.commits.last();
        if self.ceiling == last {
            return engine.sync();
        }
        let mut batch = WriteBatch::default();
        put_ceiling(&mut batch, engine, last);
        engine.write(batch, true)
    }

    /// Raises the ceiling in the same batch if `ts` is above it, so that one is never durable without the other.
    fn lease(&self, batch: &mut WriteBatch, engine: &Engine, ts: Timestamp) -> Timestamp {
        if ts <= self.ceiling {
            return self.ceiling;
        }
        let ceiling = Timestamp::from_bits(ts.to_bits().saturating_add(LEASE));
        put_ceiling(batch, engine, ceiling);
        ceiling
    }
}

fn put_ceiling(batch: &mut WriteBatch, engine: &Engine, ceiling: Timestamp) {
    batch.put_cf(engine.family(Family::Catalog), CEILING_KEY, ceiling.to_bits().to_be_bytes());
}

/// The writes as RocksDB takes them, stamped.
fn encode(engine: &Engine, writes: &mut [Write], ts: Timestamp) -> Result<WriteBatch> {
    let mut batch = WriteBatch::default();
    for position in 0..writes.len() {
        let (earlier, rest) = writes.split_at_mut(position);
        match &mut rest[0] {
            Write::Put { family, key, value, stamp_at } => {
                if let Some(at) = *stamp_at {
                    value[at..at + 8].copy_from_slice(&ts.to_bits().to_be_bytes());
                }
                batch.put_cf(engine.family(*family), key, value);
            }
            Write::Delete { family, key } => batch.delete_cf(engine.family(*family), key),
            Write::DeleteRange { range, .. } if range.is_empty() => {}
            Write::DeleteRange { family, range } => {
                let start = range.start().max(&[0]); // spares the ceiling
                match range.end() {
                    Some(end) if end <= start => {}
                    Some(end) => batch.delete_range_cf(engine.family(*family), start, end),
                    None => delete_from(&mut batch, engine, *family, start, earlier)?,
                }
            }
        }
    }
    Ok(batch)
}

/// Deletes all keys from `start` on. RocksDB wants an end, and no key is above all others, so it is the one after the
/// last that there is, in the database or among the `earlier` writes of the request.
fn delete_from(batch: &mut WriteBatch, engine: &Engine, family: Family, start: &[u8], earlier: &[Write]) -> Result<()> {
    let stored = engine.last_key(family)?;
    let put = earlier.iter().filter_map(|write| match write {
        Write::Put { family: of, key, .. } if *of == family => Some(key),
        _ => None,
    });
    if let Some(last) = put.chain(&stored).max().filter(|last| last.as_slice() >= start) {
        batch.delete_range_cf(engine.family(family), start, [last, [0].as_slice()].concat().as_slice());
    }
    Ok(())
}
