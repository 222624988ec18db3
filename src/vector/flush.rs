//! Writing a graph to the database, a part at a time, while it goes on changing.
//!
//! The header says first that blocks are being written, and last how far they are complete: as far as the graph was when the
//! flush began. What changed meanwhile has marks, which stay; those up to there go afterwards. So whatever a crash leaves can
//! be used: blocks of several moments, and a mark for every vector that may not be in them as it is.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use blaze_core::fault::{self, Point};
use blaze_core::{Direction, Durability, Error, ErrorKind, Family, Isolation, KeyRange, Result, Timestamp, Write};

use super::linked::Linked;
use super::open::OpenGraph;
use super::stored::{self, Header};
use super::{Graphs, build, layout};
use crate::database::core::{Core, Storage};
use crate::session::{Session, commit_alone};

/// Bytes of blocks that one commit writes: others wait for it no longer than for a large document.
const COMMIT_BYTES: usize = 1 << 20;

/// Marks that one transaction removes.
const MARKS_PER_COMMIT: usize = 1_000;

/// Changes of a graph that are worth a flush while the database goes on, at least and at most; in between, a part of the
/// vectors. What is not flushed is linked again after a crash.
const CHANGES_MIN: usize = 2_048;
const CHANGES_MAX: usize = 16_384;
const CHANGES_PART: usize = 16;

/// The part of the vectors that may be linked again after an orderly closing: it is quicker than to write most of the graph.
const CLOSING_PART: usize = 256;
const CLOSING_MIN: usize = 64;

impl Graphs {
    /// Writes the graph to the database, unless the time is up before.
    pub(super) fn flush(&self, core: &Arc<Core>, graph: &OpenGraph, until: Option<Instant>) -> Result<()> {
        match graph.flushing.try_lock() {
            Some(_flushing) => self.flush_alone(core, graph, until),
            None => Ok(()), // somebody writes it
        }
    }

    /// As [`flush`](Graphs::flush), by who keeps others from writing the graph.
    pub(super) fn flush_alone(&self, core: &Arc<Core>, graph: &OpenGraph, until: Option<Instant>) -> Result<()> {
        if core.is_read_only() {
            return Ok(());
        }
        let Some((complete, changes)) = graph.begin_flush() else { return Ok(()) };
        if changes == 0 || matches!(core.storage, Storage::Memory) {
            return Ok(());
        }
        let flushed = Flush { core, graph, index: graph.index, until, is_begun: false }.run(complete);
        if !matches!(flushed, Ok(true)) {
            graph.take_back_flush(changes);
        }
        match flushed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()), // the index was dropped
            flushed => flushed.map(drop),
        }
    }

    /// Writes a graph that is only being made, as far as the time goes; answers it, and whether it could be written.
    pub(super) fn flush_begun(
        &self,
        core: &Arc<Core>,
        index: u32,
        linked: Linked,
        until: Option<Instant>,
    ) -> Result<(Linked, Result<()>)> {
        let complete = linked.complete;
        let graph = OpenGraph::new(index, 0);
        graph.hold(linked);
        let kept = Flush { core, graph: &graph, index, until, is_begun: true }.run(complete).map(drop);
        let linked = graph.take().ok_or_else(|| Error::internal("a graph that nobody else has is gone"))?;
        Ok((linked, kept))
    }

    /// Writes what is worth it of all graphs, also of those behind one that cannot be written.
    pub(super) fn flush_where_due(&self, core: &Arc<Core>) -> Result<()> {
        let mut flushed = Ok(());
        for graph in self.all_open().into_iter().filter(|graph| graph.is_flush_due()) {
            flushed = flushed.and(self.flush(core, &graph, None));
        }
        flushed
    }
}

/// True if so many changes of a graph of so many vectors are worth a flush.
pub(super) fn is_due(changes: usize, vectors: usize) -> bool {
    changes >= (vectors / CHANGES_PART).clamp(CHANGES_MIN, CHANGES_MAX)
}

/// True if they are before the database is closed.
pub(super) fn is_due_at_the_end(changes: usize, vectors: usize) -> bool {
    changes >= (vectors / CLOSING_PART).max(CLOSING_MIN)
}

struct Flush<'a> {
    core: &'a Arc<Core>,
    graph: &'a OpenGraph,
    index: u32,
    until: Option<Instant>,
    /// Whether the graph is only being made. What is written is of use then, however little it is.
    is_begun: bool,
}

impl Flush<'_> {
    /// False if the time is up, or the graph was let go of.
    fn run(&self, complete: Timestamp) -> Result<bool> {
        let _span = tracing::info_span!("flush graph", index = self.index).entered();
        self.begin(complete)?;
        fault::reached(Point::GraphBegun);
        let Some(blocks) = self.graph.with_linked(stored::blocks_of) else { return Ok(false) };
        let mut blocks = blocks.into_iter().peekable();
        while blocks.peek().is_some() {
            if self.until.is_some_and(|until| now() >= until) || !(self.is_begun || self.graph.is_complete()) {
                return Ok(false);
            }
            self.write_some(&mut blocks)?;
            fault::reached(Point::GraphBlocksWritten);
        }
        self.remove_stale_blocks()?;
        if !self.end(complete)? {
            return Ok(false);
        }
        fault::reached(Point::GraphCompleted);
        if !self.is_begun {
            self.remove_marks(complete)?;
        }
        Ok(true)
    }

    /// Says that blocks are being written; removes what is there of another graph.
    fn begin(&self, complete: Timestamp) -> Result<()> {
        let (known, was_begun) = {
            let flushed = self.graph.flushed.lock();
            (flushed.complete, flushed.is_begun)
        };
        let so_far = known.unwrap_or(if self.is_begun { complete } else { stored::NOTHING });
        let is_begun = if known.is_some() { was_begun } else { self.is_begun };
        let Some(header) = self.header(so_far, true, is_begun) else { return Ok(()) };
        match known {
            Some(_) => self.commit(&[header]),
            None => {
                self.graph.flushed.lock().checksums.clear(); // of a flush that was cut short
                let blocks = Write::DeleteRange { family: Family::Vector, range: layout::blocks_range(self.index) };
                commit_alone(self.core, Isolation::Serializable, Durability::Buffered, |session| {
                    if build::form_of(session, self.index)?.is_none() {
                        return Err(dropped());
                    }
                    session.write(blocks.clone())?;
                    session.write(header.clone())
                })?;
                let mut flushed = self.graph.flushed.lock();
                (flushed.complete, flushed.is_begun) = (Some(so_far).filter(|_| is_begun), is_begun);
                Ok(())
            }
        }
    }

    /// Writes the next blocks that have changed, as many as go into one commit.
    fn write_some(&self, blocks: &mut impl Iterator<Item = (u8, u32)>) -> Result<()> {
        let (mut writes, mut checksums, mut bytes) = (Vec::new(), Vec::new(), 0);
        for (kind, number) in blocks {
            let mut value = Vec::new();
            let written =
                self.graph.with_linked(|linked| stored::write_block(linked, self.index, (kind, number), &mut value));
            let Some(checksum) = written else { break };
            if self.graph.flushed.lock().checksums.get(&(kind, number)) == Some(&checksum) {
                continue;
            }
            bytes += value.len();
            writes.push(Write::put(Family::Vector, layout::block_key(self.index, kind, number), value));
            checksums.push(((kind, number), checksum));
            if bytes >= COMMIT_BYTES {
                break;
            }
        }
        if !writes.is_empty() {
            self.commit(&writes)?;
            self.graph.flushed.lock().checksums.extend(checksums);
        }
        Ok(())
    }

    /// Removes blocks of levels that the graph no longer has.
    fn remove_stale_blocks(&self) -> Result<()> {
        let Some(blocks) = self.graph.with_linked(stored::blocks_of) else { return Ok(()) };
        let blocks: HashSet<(u8, u32)> = blocks.into_iter().collect();
        let stale: Vec<(u8, u32)> =
            self.graph.flushed.lock().checksums.keys().filter(|block| !blocks.contains(block)).copied().collect();
        if stale.is_empty() {
            return Ok(());
        }
        let key = |(kind, number): &(u8, u32)| layout::block_key(self.index, *kind, *number);
        self.commit(&stale.iter().map(|block| Write::delete(Family::Vector, key(block))).collect::<Vec<_>>())?;
        self.graph.flushed.lock().checksums.retain(|block, _| blocks.contains(block));
        Ok(())
    }

    fn end(&self, complete: Timestamp) -> Result<bool> {
        let Some(header) = self.header(complete, false, self.is_begun) else { return Ok(false) };
        self.commit(&[header])?;
        let mut flushed = self.graph.flushed.lock();
        (flushed.complete, flushed.is_begun) = (Some(complete), self.is_begun);
        Ok(true)
    }

    /// What says how far the blocks are complete.
    fn header(&self, complete: Timestamp, is_flushing: bool, is_begun: bool) -> Option<Write> {
        let blocks = self.graph.flushed.lock().checksums.len();
        let header = self.graph.with_linked(|linked| {
            let mut head = Vec::new();
            linked.graph.write_head(&mut head);
            Header { complete, is_flushing, is_begun, blocks: blocks as u32, head }
        })?;
        Some(Write::put(Family::Vector, layout::header_key(self.index), header.to_bytes(self.index)))
    }

    /// Removes the marks of all commits up to `complete`. One that is written anew meanwhile stays.
    fn remove_marks(&self, complete: Timestamp) -> Result<()> {
        let mut range = layout::marks_range(self.index);
        loop {
            let mut keys = Vec::new();
            {
                let session = Session::read_only(self.core)?;
                let mut cursor = session.cursor(Family::Vector, &range, Direction::Forward)?;
                while let Some((key, value)) = cursor.next()?
                    && keys.len() < MARKS_PER_COMMIT
                {
                    if layout::marked_ts(value).unwrap_or(complete) <= complete {
                        keys.push(key.to_vec());
                    }
                }
            }
            let Some(last) = keys.last() else { return Ok(()) };
            range = range.intersect(&KeyRange::new(last.clone(), None));
            commit_alone(self.core, Isolation::Serializable, Durability::Buffered, |session| {
                for key in &keys {
                    let mark = session.get(Family::Vector, key)?;
                    if mark.is_some_and(|mark| layout::marked_ts(&mark).unwrap_or(complete) <= complete) {
                        session.delete(Family::Vector, key.clone())?;
                    }
                }
                Ok(())
            })?;
            fault::reached(Point::GraphMarksRemoved);
        }
    }

    /// Writes, unless the index was dropped and its header with it.
    fn commit(&self, writes: &[Write]) -> Result<()> {
        let header = layout::header_key(self.index);
        commit_alone(self.core, Isolation::Serializable, Durability::Buffered, |session| {
            match session.visit(Family::Vector, &header, &mut |_| Ok(()))? {
                true => writes.iter().cloned().try_for_each(|write| session.write(write)),
                false => Err(dropped()),
            }
        })
    }
}

fn dropped() -> Error {
    Error::not_found("the index was dropped while its graph was written")
}

#[expect(clippy::disallowed_methods, reason = "it decides how long is written, and not what")]
pub(super) fn now() -> Instant {
    Instant::now()
}
