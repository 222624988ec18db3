//! The current state of tracked data, with what a group of commits is about to write laid over it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use blaze_core::{Direction, Family, KeyRange, Result};

use crate::ffi::{Engine, RawIterator, Snapshot};

/// What is called with a key and its value.
pub(crate) type VisitEntry<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

/// What all commits that were written so far have made of the data, published or not.
pub(crate) trait Latest {
    /// The value of a key.
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Calls `visit` with each key of a range and its value.
    fn scan(&self, range: &KeyRange, visit: &mut VisitEntry<'_>) -> Result<()>;
}

impl Latest for Arc<Engine> {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.latest(Family::Data, key)
    }

    fn scan(&self, range: &KeyRange, visit: &mut VisitEntry<'_>) -> Result<()> {
        let snapshot = Arc::new(Snapshot::take(self));
        let mut iterator = RawIterator::new(snapshot, Family::Data, Arc::new(range.clone()));
        iterator.seek_to_first(Direction::Forward);
        while let Some((key, value)) = iterator.entry()? {
            visit(key, value)?;
            iterator.advance(Direction::Forward);
        }
        Ok(())
    }
}

/// Writes to tracked keys that are not in the database yet: of earlier requests of a group, or of one request.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    keys: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// What was removed before `keys` were written.
    removed: Vec<KeyRange>,
}

impl Overlay {
    /// What these writes have made of a key: a value, or nothing; `None` if they have not touched it.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        match self.keys.get(key) {
            Some(value) => Some(value.as_deref()),
            None => self.removed.iter().any(|range| range.contains(key)).then_some(None),
        }
    }

    pub(super) fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.keys.insert(key, value);
    }

    pub(super) fn remove_range(&mut self, range: KeyRange) {
        let inside: Vec<_> = self.in_range(&range).map(|(key, _)| key.clone()).collect();
        inside.iter().for_each(|key| drop(self.keys.remove(key)));
        self.removed.push(range);
    }

    /// Lays later writes over these.
    pub(super) fn absorb(&mut self, later: Overlay) {
        later.removed.into_iter().for_each(|range| self.remove_range(range));
        self.keys.extend(later.keys);
    }

    /// The value of a key under these writes.
    pub(super) fn value(&self, latest: &dyn Latest, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.get(key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => latest.value(key),
        }
    }

    /// Calls `visit` with each key of a range under these writes, in no order.
    pub(super) fn scan(&self, latest: &dyn Latest, range: &KeyRange, visit: &mut VisitEntry<'_>) -> Result<()> {
        latest.scan(range, &mut |key, value| match self.get(key) {
            None => visit(key, value),
            Some(_) => Ok(()),
        })?;
        self.in_range(range)
            .filter_map(|(key, value)| Some((key, value.as_deref()?)))
            .try_for_each(|(k, v)| visit(k, v))
    }

    fn in_range(&self, range: &KeyRange) -> impl Iterator<Item = (&Vec<u8>, &Option<Vec<u8>>)> {
        let inside = |key: &[u8]| range.end().is_none_or(|end| key < end);
        let from = (Bound::Included(range.start()), Bound::Unbounded);
        self.keys.range::<[u8], _>(from).take_while(move |(key, _)| inside(key))
    }
}
