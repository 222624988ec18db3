//! Folding: what change rows say becomes a segment.
//!
//! The pages of the segment are written first, in small commits: nobody knows of them. One commit then has the header lead
//! there, says which documents of older segments are dead, and removes the change rows. Nobody who writes documents conflicts
//! with it. After a crash before that commit, the next fold removes what pages there are.

use std::sync::Arc;

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{Direction, Durability, Error, Family, Isolation, Result, Write};
use blaze_text::{SegmentMeta, SegmentWriter, Stream};

use super::header::StoredSegment;
use super::segments::{Segments, pages};
use super::unfolded::{self, Unfolded};
use super::{Texts, layout};
use crate::catalog;
use crate::database::core::Core;
use crate::index::IndexFields;
use crate::session::{RetryLimits, Session, retry};

/// Bytes of change rows that one fold takes.
const FOLD_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of pages that one commit writes.
const COMMIT_BYTES: usize = 1024 * 1024;

impl Texts {
    /// Folds what is not folded of an index, or the first part of it; says whether there is more.
    pub(super) fn fold(&self, core: &Arc<Core>, index: u32) -> Result<bool> {
        let _span = tracing::info_span!("fold text", index).entered();
        let session = Session::read_only(core)?;
        let Some(fields) = fields_of(&session, index)? else { return Ok(false) };
        let point = session.point();
        let (documents, more) = unfolded::read(&**point, index, None, FOLD_BYTES)?;
        if documents.is_empty() {
            return Ok(false);
        }
        let known = self.last_seen(index);
        let known = known.as_ref().map(|known| &known.segments);
        let mut segments = Segments::read(point, &self.pages, index, known)?;
        let number = segments.header.next;
        let mut output = Output::begin(core, index, number)?;
        let changes = documents.iter().map(Unfolded::to_fold).collect::<Result<Vec<_>>>()?;
        let dead = self.folded_dead(&session, index, &segments, &documents)?;
        let meta = output.write(fields, |writer| blaze_text::fold(changes, writer))?;
        let mut writes = segments.kill(index, &dead);
        segments.header.next += 1;
        segments.header.segments.push(StoredSegment { number, meta, dead: 0 });
        writes.push(Write::put(Family::Text, layout::header_key(index), segments.header.to_bytes(index)));
        let keys = documents.iter().flat_map(|document| &document.changes).map(|change| &change.key);
        writes.extend(keys.map(|key| Write::delete(Family::Text, catalog::prefixed(index, key))));
        fault::reached(Point::TextFolded);
        commit_header(core, &session, index, &writes)?;
        Ok(more.is_some())
    }

    /// The documents of segments, each with the place of its segment, that changes have replaced or removed.
    fn folded_dead(
        &self,
        session: &Session,
        index: u32,
        segments: &Segments,
        documents: &[Unfolded],
    ) -> Result<Vec<(usize, u32)>> {
        let mut dead = Vec::new();
        let changed = documents.iter().filter_map(|document| document.changes.first());
        let changed = changed.filter(|_| !fault::makes(Mistake::LostDelete));
        for first in changed.filter(|first| first.before.is_some()) {
            for (place, part) in segments.parts.iter().enumerate() {
                let pages = pages(session.point(), &self.pages, index, part.number);
                let found = part.segment.find_document(&pages, &first.id)?;
                dead.extend(found.filter(|document| !part.dead.has(*document)).map(|document| (place, document)));
            }
        }
        Ok(dead)
    }
}

/// The pages of a segment that is being made.
pub(super) struct Output<'a> {
    core: &'a Arc<Core>,
    index: u32,
    number: u64,
    writes: Vec<Write>,
    bytes: usize,
}

impl<'a> Output<'a> {
    /// Removes what is there of a segment that was never finished.
    pub(super) fn begin(core: &'a Arc<Core>, index: u32, number: u64) -> Result<Output<'a>> {
        let range = layout::pages_from(index, number);
        let is_left =
            Session::read_only(core)?.committed_cursor(Family::Text, &range, Direction::Forward)?.next()?.is_some();
        if is_left {
            commit(core, index, &[Write::DeleteRange { family: Family::Text, range }])?;
            fault::reached(Point::TextPagesRemoved);
        }
        Ok(Output { core, index, number, writes: Vec::new(), bytes: 0 })
    }

    /// Writes the pages as they come.
    pub(super) fn write(
        &mut self,
        fields: u8,
        work: impl FnOnce(SegmentWriter<'_>) -> Result<SegmentMeta>,
    ) -> Result<SegmentMeta> {
        let meta = {
            let mut sink = |stream: Stream, number: u32, page: Vec<u8>| self.put(stream, number, page);
            work(SegmentWriter::new(fields, &mut sink))?
        };
        self.flush()?;
        Ok(meta)
    }

    fn put(&mut self, stream: Stream, number: u32, page: Vec<u8>) -> Result<()> {
        self.bytes += page.len();
        let key = layout::page_key(self.index, self.number, stream as u8, number);
        self.writes.push(Write::put(Family::Text, key, page));
        if self.bytes >= COMMIT_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.writes.is_empty() {
            return Ok(());
        }
        commit(self.core, self.index, &self.writes)?;
        fault::reached(Point::TextPagesWritten);
        self.writes.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Writes, unless the index was dropped.
pub(super) fn commit(core: &Arc<Core>, index: u32, writes: &[Write]) -> Result<()> {
    retry(core, RetryLimits::default(), || {
        // What the catalog says is validated with the commit.
        let session = Session::read_write(core, Isolation::Serializable, Durability::Buffered)?;
        if fields_of(&session, index)?.is_none() {
            return Err(gone());
        }
        writes.iter().cloned().try_for_each(|write| session.write(write))?;
        session.commit().map(drop)
    })
}

/// As [`commit`], of a header that was made of the one that a session has read: nobody else may have replaced that.
pub(super) fn commit_header(core: &Arc<Core>, read: &Session, index: u32, writes: &[Write]) -> Result<()> {
    let key = layout::header_key(index);
    let before = read.get(Family::Text, &key)?;
    retry(core, RetryLimits::default(), || {
        let session = Session::read_write(core, Isolation::Serializable, Durability::Buffered)?;
        if fields_of(&session, index)?.is_none() {
            return Err(gone());
        }
        if session.get(Family::Text, &key)? != before {
            return Err(Error::internal("a text index was folded by two at once"));
        }
        writes.iter().cloned().try_for_each(|write| session.write(write))?;
        session.commit().map(drop)
    })
}

fn gone() -> Error {
    Error::not_found("the index was dropped while it was folded")
}

/// How many fields an index has; none if it is no index of text, or gone.
pub(super) fn fields_of(session: &Session, index: u32) -> Result<Option<u8>> {
    for (_, definition) in catalog::definitions(session)? {
        if let Some(found) = definition.indexes.iter().find(|found| found.id == index)
            && let IndexFields::Text(fields) = found.parts()?
        {
            return Ok(Some(fields.count()));
        }
    }
    Ok(None)
}
