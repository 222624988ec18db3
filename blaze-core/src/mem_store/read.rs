//! Read points and cursors of the [`MemStore`](super::MemStore).

use std::sync::Arc;

use super::{Shared, open};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::store::{
    Cursor, Direction, Entry, Family, KeyRange, Marks, Prefix, ReadPoint, VisitMany, prefix_of, prefix_of_range,
};

#[derive(Debug)]
pub(super) struct MemReadPoint {
    shared: Arc<Shared>,
    ts: Timestamp,
    catalog_ts: Timestamp,
    past: Option<Past>,
}

/// When data is read as of, and from when on that can be told.
#[derive(Debug)]
struct Past {
    ts: Timestamp,
    marks: Arc<Marks>,
}

impl MemReadPoint {
    pub(super) fn new(shared: Arc<Shared>, ts: Timestamp, catalog_ts: Timestamp) -> MemReadPoint {
        shared.1.enter(ts);
        MemReadPoint { shared, ts, catalog_ts, past: None }
    }

    /// The same view with data as it was at `ts`.
    pub(super) fn into_past(mut self, ts: Timestamp, marks: Arc<Marks>) -> MemReadPoint {
        self.past = Some(Past { ts: ts.min(self.ts), marks });
        self
    }

    /// The timestamp at which a family is read under a prefix.
    fn reads_at(&self, family: Family, prefix: Option<Prefix>) -> Result<Timestamp> {
        match (&self.past, family) {
            (None, _) | (Some(_), Family::Catalog) => Ok(self.ts),
            (Some(past), Family::Data) => past.marks.check_history(prefix, past.ts).map(|()| past.ts),
            (Some(_), _) => Err(Error::unsupported(format!("there is no history of the family {}", family.name()))),
        }
    }

    /// The value is shared, so that nobody's code runs under the lock.
    fn value(&self, family: Family, key: &[u8]) -> Result<Option<Arc<[u8]>>> {
        let ts = self.reads_at(family, prefix_of(key))?;
        Ok(open(&self.shared.read())?.family(family).get(key, ts).cloned())
    }
}

impl Drop for MemReadPoint {
    fn drop(&mut self) {
        self.shared.1.leave(self.ts);
    }
}

impl ReadPoint for MemReadPoint {
    fn ts(&self) -> Timestamp {
        self.past.as_ref().map_or(self.ts, |past| past.ts)
    }

    fn catalog_ts(&self) -> Timestamp {
        self.catalog_ts
    }

    fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let Some(value) = self.value(family, key)? else { return Ok(false) };
        visit(&value)?;
        Ok(true)
    }

    fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        keys.iter().enumerate().try_for_each(|(position, key)| visit(position, self.value(family, key)?.as_deref()))
    }

    fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        open(&self.shared.read())?;
        let ts = self.reads_at(family, prefix_of_range(range))?;
        let rest = range.clone();
        Ok(Box::new(MemCursor {
            shared: Arc::clone(&self.shared),
            ts,
            family,
            direction,
            range: range.clone(),
            rest,
            key: Vec::new(),
            value: Arc::from([]),
        }))
    }
}

/// A walk that looks up each entry anew, at the timestamp of its read point.
struct MemCursor {
    shared: Arc<Shared>,
    ts: Timestamp,
    family: Family,
    direction: Direction,
    range: KeyRange,
    /// The part of `range` that is still ahead.
    rest: KeyRange,
    key: Vec<u8>,
    value: Arc<[u8]>,
}

impl Cursor for MemCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let guard = self.shared.read();
        let versions = open(&guard)?.family(self.family);
        let Some((key, value)) = versions.first(&self.rest, self.direction, self.ts) else { return Ok(None) };
        self.key.clear();
        self.key.extend_from_slice(key);
        self.value = Arc::clone(value);
        let ahead = match self.direction {
            Direction::Forward => above(&self.key),
            Direction::Reverse => KeyRange::new([], Some(self.key.clone())),
        };
        self.rest = self.rest.intersect(&ahead);
        Ok(Some((&self.key, &self.value)))
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        open(&self.shared.read())?;
        let ahead = match self.direction {
            Direction::Forward => KeyRange::new(key, None),
            Direction::Reverse => KeyRange::new([], Some([key, &[0]].concat())),
        };
        self.rest = self.range.intersect(&ahead);
        Ok(())
    }
}

/// All keys above `key`: the next one is longer by a zero byte.
fn above(key: &[u8]) -> KeyRange {
    KeyRange::new([key, &[0]].concat(), None)
}
