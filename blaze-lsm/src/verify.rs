//! Scrubbing: reading through a store at one moment, every checksum verified, around what cannot be read.

use std::ops::Bound;
use std::sync::Arc;

use blaze_core::{Error, ErrorKind, Family, KeyRange, Result};

use crate::commit::CEILING_KEY;
use crate::ffi::{Engine, ScrubView};
use crate::store::LsmStore;

/// Entries between two looks at whether the store was closed.
const ENTRIES_PER_LOOK: u64 = 256;

/// Bytes of a key, after what two keys have in common, to which the end of a hole is determined.
const HOLE_KEY_BYTES: usize = 16;

/// What a [`Scrub`] meets on its way.
#[derive(Debug)]
pub enum Met<'a> {
    /// A key and its value.
    Entry(&'a [u8], &'a [u8]),
    /// Keys that cannot be read, whichever of them there are.
    Unreadable(KeyRange, Error),
}

/// A store at one moment, read for verification.
///
/// Nothing that is read gets into the caches. When the store is closed meanwhile, the next step answers
/// [`Closed`](ErrorKind::Closed).
pub struct Scrub<'a> {
    /// None when nobody can close what is read, the store's own key included.
    store: Option<&'a LsmStore>,
    view: ScrubView,
}

impl LsmStore {
    /// The store as it is now, to be read through. Closing the store waits until it is dropped.
    ///
    /// # Errors
    /// [`Closed`](ErrorKind::Closed).
    pub fn scrub(&self) -> Result<Scrub<'_>> {
        let engine = self.engine()?;
        Ok(Scrub { store: Some(self), view: ScrubView::take(engine) })
    }

    /// Reads every block of every sorted file from the disk, past the caches, and verifies its checksum. Files of
    /// large values are not among them: those are verified when a [`Scrub`] reads their values.
    ///
    /// # Errors
    /// [`Corruption`](ErrorKind::Corruption) with the name of the first damaged file;
    /// [`Closed`](ErrorKind::Closed); [`Unavailable`](ErrorKind::Unavailable).
    pub fn verify_sorted_files(&self) -> Result<()> {
        self.engine()?.verify_sorted_files()
    }
}

impl Scrub<'_> {
    pub(crate) fn of_engine(engine: Arc<Engine>) -> Scrub<'static> {
        Scrub { store: None, view: ScrubView::take(engine) }
    }

    /// The value of a key, if there is one.
    ///
    /// # Errors
    /// [`Corruption`](ErrorKind::Corruption); [`Closed`](ErrorKind::Closed);
    /// [`Unavailable`](ErrorKind::Unavailable).
    pub fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check_open()?;
        self.view.get(family, key)
    }

    /// Calls `visit` with each entry of a range in order, and for each hole that damage has made in it.
    ///
    /// # Errors
    /// What `visit` returns; [`Closed`](ErrorKind::Closed).
    pub fn walk(&self, family: Family, range: &KeyRange, visit: &mut dyn FnMut(Met<'_>) -> Result<()>) -> Result<()> {
        // The first key that may not have been visited yet.
        let mut next = range.start().to_vec();
        let mut iterator = self.view.seek(family, range, &next);
        let mut entries = 0_u64;
        loop {
            if entries.is_multiple_of(ENTRIES_PER_LOOK) {
                self.check_open()?;
            }
            entries += 1;
            let error = match iterator.entry() {
                Ok(None) => return Ok(()),
                Ok(Some((key, value))) => {
                    next.clear();
                    next.extend_from_slice(key);
                    next.push(0);
                    if self.store.is_none() || key != CEILING_KEY {
                        visit(Met::Entry(key, value))?;
                    }
                    iterator.advance();
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
                Err(error) => error,
            };
            let end = self.end_of_hole(family, range, &next)?;
            let hole = KeyRange::new(next, end.clone());
            visit(Met::Unreadable(hole.intersect(range), error))?;
            let Some(end) = end else { return Ok(()) };
            iterator = self.view.seek(family, range, &end);
            next = end;
        }
    }

    /// A key above `start`, which cannot be sought, that can; `None` if there is none up to the end of the range.
    fn end_of_hole(&self, family: Family, range: &KeyRange, start: &[u8]) -> Result<Option<Vec<u8>>> {
        // An iterator that met damage goes on reporting it, so that each key needs one of its own.
        let is_readable = |key: &[u8]| self.view.seek(family, range, key).entry().is_ok();
        let boundaries = self.view.engine().boundaries(family)?;
        let mut above = boundaries.range::<[u8], _>((Bound::Excluded(start), Bound::Unbounded));
        let Some(readable) = above.find(|key| is_readable(key)) else { return Ok(None) };
        self.check_open()?;
        Ok(Some(first_readable(start, readable, is_readable)))
    }

    fn check_open(&self) -> Result<()> {
        self.store.map_or(Ok(()), |store| store.engine().map(drop))
    }
}

impl std::fmt::Debug for Scrub<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scrub").finish_non_exhaustive()
    }
}

/// The smallest key between `unreadable` and `readable` that is readable, to some bytes, if holes do not alternate
/// with what is whole; else some readable key.
fn first_readable(unreadable: &[u8], readable: &[u8], mut is_readable: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let common = unreadable.iter().zip(readable).take_while(|(one, other)| one == other).count();
    let number = |key: &[u8]| {
        let mut bytes = [0; HOLE_KEY_BYTES];
        let rest = &key[common..key.len().min(common + HOLE_KEY_BYTES)];
        bytes[..rest.len()].copy_from_slice(rest);
        u128::from_be_bytes(bytes)
    };
    // Every number above the lower one makes a key above `unreadable`, every one up to the upper one makes one not
    // above `readable`.
    let (mut low, mut high) = (number(unreadable), number(readable));
    let mut best = readable.to_vec();
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let key = [&readable[..common], middle.to_be_bytes().as_slice()].concat();
        if is_readable(&key) {
            (high, best) = (middle, key);
        } else {
            low = middle;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hole_ends_where_reading_begins() {
        let found = first_readable(b"key 10", b"key 90", |key| key >= b"key 42".as_slice());
        assert_eq!(found, [b"key 42".as_slice(), &[0; HOLE_KEY_BYTES - 2]].concat());
    }

    proptest! {
        #[test]
        fn what_is_found_is_readable_and_above(
            one in prop::collection::vec(any::<u8>(), 0..40),
            other in prop::collection::vec(any::<u8>(), 0..40),
            threshold in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            prop_assume!(one != other);
            let (unreadable, readable) = (one.clone().min(other.clone()), one.max(other));
            let found = first_readable(&unreadable, &readable, |key| key >= threshold.as_slice());
            prop_assert!(found > unreadable && found <= readable);
            prop_assert!(found >= threshold || found == readable);
        }
    }
}
