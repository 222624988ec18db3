//! The rows of a load on their way into the store, in order.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use blaze_core::{DocumentId, Error, Family, Result};
use blaze_lsm::{LsmStore, SortedLoad, SortedPart, SortedRows};

use super::sink::Sink;
use crate::catalog::prefix;
use crate::database::core::{Core, Storage};
use crate::embedding::waiting_entry;
use crate::index::{IndexDefinition, IndexFields, read_id, vector_id, violation};
use crate::text::split_change;

/// Documents, and rows, between two reports of progress.
pub(super) const ROWS_PER_REPORT: u64 = 1024;

/// Threads that write files of one load: compression takes most of the time.
const THREADS_MAX: usize = 4;

/// Writes rows where they belong and says how many it has written: side by side if they are all in memory, else one
/// collection or index after the other.
pub(super) fn write_rows(
    core: &Core,
    indexes: &[IndexDefinition],
    rows: SortedRows,
    report: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let Storage::Directory { store, .. } = &core.storage else { return write_in_turn(core, indexes, rows, report) };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    if threads == 1 {
        return write_in_turn(core, indexes, rows, report);
    }
    match rows.into_parts(PARTS_PER_THREAD * threads) {
        Ok(parts) => write_parts(store, indexes, parts, threads, report),
        Err(rows) => write_in_turn(core, indexes, rows, report),
    }
}

/// Parts for each thread, about: the more there are, the more evenly they are spread.
const PARTS_PER_THREAD: usize = 2;

/// What a thread tells of the part that it writes.
enum News {
    Rows(u64),
    Written(Result<Box<SortedLoad>>),
}

fn write_parts(
    store: &LsmStore,
    indexes: &[IndexDefinition],
    parts: Vec<SortedPart>,
    threads: usize,
    report: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let (stop, mut loads, mut written_rows, mut outcome) = (AtomicBool::new(false), Vec::new(), 0, Ok(()));
    thread::scope(|scope| {
        let _stop = StopWhenDropped(&stop); // whatever ends this, a panic of the caller's, too
        let (tell, news) = mpsc::channel();
        let (mut parts, mut running) = (parts.into_iter(), 0);
        loop {
            while outcome.is_ok()
                && running < threads
                && let Some(part) = parts.next()
            {
                running += 1;
                let (tell, stop) = (tell.clone(), &stop);
                let write = {
                    let (tell, part) = (tell.clone(), part.clone());
                    move || {
                        let mut told = Told { tell, is_told: false };
                        let written = write_part(store, indexes, &part, stop, &told.tell);
                        told.is_told = told.tell.send(News::Written(written)).is_ok();
                    }
                };
                if thread::Builder::new().spawn_scoped(scope, write).is_err() {
                    // The system gives no thread: then without one.
                    let _ = tell.send(News::Written(write_part(store, indexes, &part, stop, &tell)));
                }
            }
            if running == 0 {
                return;
            }
            // There is always one who can tell: this thread.
            let Ok(news) = news.recv() else { return };
            let went_on = match news {
                News::Rows(rows) if outcome.is_ok() => {
                    written_rows += rows;
                    report(written_rows)
                }
                News::Rows(_) => Ok(()),
                News::Written(written) => {
                    running -= 1;
                    written.and_then(|load| join(&mut loads, *load))
                }
            };
            if let (Ok(()), Err(error)) = (&outcome, went_on) {
                outcome = Err(error);
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    outcome?;
    loads.into_iter().try_for_each(SortedLoad::finish)?;
    report(written_rows)
}

/// Writes a part to files of its own.
fn write_part(
    store: &LsmStore,
    indexes: &[IndexDefinition],
    part: &SortedPart,
    stop: &AtomicBool,
    tell: &Sender<News>,
) -> Result<Box<SortedLoad>> {
    let mut load = Box::new(store.load(part.family())?);
    let (mut last, mut rows) = (None, 0);
    for (key, value) in part.rows() {
        if let Some((_, before)) = last.filter(|(last_key, _)| *last_key == key) {
            return Err(duplicate(indexes, part.family(), key, before, value)?);
        }
        last = Some((key, value));
        load.put(key, value)?;
        rows += 1;
        if rows == ROWS_PER_REPORT {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::cancelled("the load has ended"));
            }
            let _ = tell.send(News::Rows(rows)); // as above
            rows = 0;
        }
    }
    load.complete()?;
    let _ = tell.send(News::Rows(rows));
    Ok(load)
}

/// Puts a part to the others of its family, which the store takes in together.
fn join(loads: &mut Vec<SortedLoad>, load: SortedLoad) -> Result<()> {
    match loads.iter_mut().find(|there| there.family() == load.family()) {
        Some(there) => there.join(load),
        None => {
            loads.push(load);
            Ok(())
        }
    }
}

/// Writes rows where they belong, one collection or index after the other.
fn write_in_turn(
    core: &Core,
    indexes: &[IndexDefinition],
    mut rows: SortedRows,
    report: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let mut sink: Option<(Family, Option<[u8; 4]>, Sink)> = None;
    let (mut last_key, mut last_value) = (Vec::new(), Vec::new());
    let mut written_rows = 0_u64;
    while let Some((family, key, value)) = rows.next()? {
        if key == last_key {
            return Err(duplicate(indexes, family, key, &last_value, value)?);
        }
        last_key.clear();
        last_key.extend_from_slice(key);
        last_value.clear();
        if family == Family::Index {
            last_value.extend_from_slice(value);
        }
        let prefix = key.first_chunk().copied();
        if sink.as_ref().is_none_or(|(of, prefix_of, _)| (*of, *prefix_of) != (family, prefix)) {
            sink.take().map_or(Ok(()), |(.., done)| done.finish(core))?;
            sink = Some((family, prefix, Sink::open(core, family)?));
        }
        if let Some((.., sink)) = &mut sink {
            sink.put(core, key, value)?;
        }
        written_rows += 1;
        if written_rows.is_multiple_of(ROWS_PER_REPORT) {
            report(written_rows)?;
        }
    }
    sink.map_or(Ok(()), |(.., done)| done.finish(core))?;
    report(written_rows)
}

/// Two rows with one key: two documents with one id, or with one key of a unique index. Which of its rows meet first is a
/// matter of chance: a document that comes twice is told by each of them in the same words.
fn duplicate(indexes: &[IndexDefinition], family: Family, key: &[u8], one: &[u8], other: &[u8]) -> Result<Error> {
    let rest = key.get(4..).unwrap_or_default();
    let behind_prefix = waiting_entry(rest).unwrap_or(rest);
    let index = indexes.iter().find(|index| index.family() == family && key.starts_with(&prefix(index.id)));
    let id = match (family, index.map(IndexDefinition::parts).transpose()?) {
        (Family::Data, _) => DocumentId::read_key(behind_prefix)?,
        (_, Some(IndexFields::Vector(fields))) => vector_id(behind_prefix, fields.several)?,
        (_, Some(IndexFields::Text(_))) => DocumentId::read_key(split_change(rest)?.map_or(rest, |(id, _)| id))?,
        (_, Some(IndexFields::Fields(fields))) => {
            let (one, other) = (read_id(key, one, fields)?.1, read_id(key, other, fields)?.1);
            if let Some(index) = index.filter(|_| one != other) {
                return Ok(violation(index, key, &other, &one));
            }
            one
        }
        (_, None) => return Err(Error::internal("two rows of a load have one key")),
    };
    Ok(Error::already_exists(format!("two documents of the load have the id {id:?}")))
}

/// Has the other threads end when this one does.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tells of a thread that it has ended, also when it ends by a panic: else who waits for its news waits for ever.
struct Told {
    tell: Sender<News>,
    is_told: bool,
}

impl Drop for Told {
    fn drop(&mut self) {
        if !self.is_told {
            // Nobody listens any more if that fails.
            let _ = self.tell.send(News::Written(Err(Error::internal("a thread of the load has panicked"))));
        }
    }
}
