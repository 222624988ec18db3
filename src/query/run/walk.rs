//! A walk over the entries of an index that a plan reads.

use std::sync::Arc;

use blaze_core::{Direction, DocumentId, Family, Result};

use crate::index::read_id;
use crate::query::plan::{IndexScan, fixed_bytes};
use crate::session::{Session, SessionCursor};

/// A walk over the ranges of an index, one after the other, or all of them at once in the order of a sort.
#[derive(Debug)]
pub(super) struct IndexWalk {
    session: Arc<Session>,
    scan: IndexScan,
    /// The place of the scan in the plan.
    pub(super) place: usize,
    ranges_begun: usize,
    cursor: Option<SessionCursor>,
    /// The next entry of each range, where they are read at once.
    heads: Option<Vec<Head>>,
    entry: Vec<u8>,
    value: Vec<u8>,
}

/// The next entry of a range.
#[derive(Debug)]
struct Head {
    cursor: SessionCursor,
    entry: Vec<u8>,
    value: Vec<u8>,
    /// Where that begins which orders it.
    ordered_at: usize,
    is_read: bool,
}

impl IndexWalk {
    pub(super) fn open(session: &Arc<Session>, scan: IndexScan, place: usize) -> Result<IndexWalk> {
        let mut walk = IndexWalk {
            session: Arc::clone(session),
            scan,
            place,
            ranges_begun: 0,
            cursor: None,
            heads: None,
            entry: Vec::new(),
            value: Vec::new(),
        };
        match walk.scan.order.is_some_and(|order| order.is_merged) {
            true => walk.heads = Some(walk.open_heads()?),
            false => walk.open_range()?,
        }
        Ok(walk)
    }

    pub(super) fn scan(&self) -> &IndexScan {
        &self.scan
    }

    /// The entry that was answered last.
    pub(super) fn entry(&self) -> &[u8] {
        &self.entry
    }

    /// What stands under the entry that was answered last.
    pub(super) fn value(&self) -> &[u8] {
        &self.value
    }

    /// The document of the next entry, while entries are counted in `keys`.
    pub(super) fn next(&mut self, keys: &mut u64) -> Result<Option<DocumentId>> {
        let there = match &mut self.heads {
            None => self.next_in_turn(keys)?,
            Some(heads) => next_of(heads, &self.scan, &mut self.entry, &mut self.value, keys)?,
        };
        match there {
            true => Ok(Some(read_id(&self.entry, &self.value, &self.scan.fields)?.1)),
            false => Ok(None),
        }
    }

    fn next_in_turn(&mut self, keys: &mut u64) -> Result<bool> {
        while let Some(cursor) = &mut self.cursor {
            if let Some((key, value)) = cursor.next()? {
                *keys += 1;
                self.entry.clear();
                self.entry.extend_from_slice(key);
                self.value.clear();
                self.value.extend_from_slice(value);
                return Ok(true);
            }
            self.open_range()?;
        }
        Ok(false)
    }

    fn open_range(&mut self) -> Result<()> {
        let range = self.scan.ranges.get(self.ranges_begun);
        let open = |range| self.session.cursor(Family::Index, range, self.scan.direction);
        self.cursor = range.map(open).transpose()?;
        self.ranges_begun += 1;
        Ok(())
    }

    fn open_heads(&self) -> Result<Vec<Head>> {
        let head = |range| {
            let cursor = self.session.cursor(Family::Index, range, self.scan.direction)?;
            Ok(Head { cursor, entry: Vec::new(), value: Vec::new(), ordered_at: 0, is_read: false })
        };
        self.scan.ranges.iter().map(head).collect()
    }
}

/// Takes the first entry of all ranges.
fn next_of(
    heads: &mut Vec<Head>,
    scan: &IndexScan,
    entry: &mut Vec<u8>,
    value: &mut Vec<u8>,
    keys: &mut u64,
) -> Result<bool> {
    let mut place = 0;
    while let Some(head) = heads.get_mut(place) {
        if !head.is_read {
            let Some((key, under)) = head.cursor.next()? else {
                heads.swap_remove(place);
                continue;
            };
            *keys += 1;
            head.entry.clear();
            head.entry.extend_from_slice(key);
            head.value.clear();
            head.value.extend_from_slice(under);
            head.ordered_at = fixed_bytes(&head.entry, scan, scan.order.map_or(0, |order| order.fixed_fields))?;
            head.is_read = true;
        }
        place += 1;
    }
    let by_order = |a: &&mut Head, b: &&mut Head| a.entry[a.ordered_at..].cmp(&b.entry[b.ordered_at..]);
    let first = match scan.direction {
        Direction::Forward => heads.iter_mut().min_by(by_order),
        Direction::Reverse => heads.iter_mut().max_by(by_order),
    };
    let Some(first) = first else { return Ok(false) };
    first.is_read = false;
    std::mem::swap(entry, &mut first.entry);
    std::mem::swap(value, &mut first.value);
    Ok(true)
}
