//! Two ordered walks made one: the store's, and the own writes over it.

use std::cmp::Ordering;
use std::sync::Arc;

use blaze_core::{Cursor, Direction, Entry, Result, Write};

use super::write_index::Pending;
use super::write_set::Overlay;

/// The own writes of a cursor, and how far both sides have come.
pub(super) struct Merge {
    overlay: Overlay,
    direction: Direction,
    /// The next own write.
    own: Option<Pending>,
    /// The own write that was taken last: the caller is looking at it.
    taken: Option<Arc<Write>>,
    head: Head,
    // The entry of the store at the head; their memory serves for all of them.
    key: Vec<u8>,
    value: Vec<u8>,
}

/// The next entry of the store that was not removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    NotRead,
    Read,
    End,
}

/// Where an entry comes from.
enum Side {
    Store,
    Own,
}

impl Merge {
    pub(super) fn new(overlay: Overlay, direction: Direction) -> Merge {
        let own = overlay.first(direction).cloned();
        Merge { overlay, direction, own, taken: None, head: Head::NotRead, key: Vec::new(), value: Vec::new() }
    }

    /// The next entry of both; where both have the key, the own one.
    pub(super) fn next(&mut self, base: &mut dyn Cursor) -> Result<Option<Entry<'_>>> {
        Ok(match self.advance(base)? {
            None => None,
            Some(Side::Store) => Some((&self.key, &self.value)),
            Some(Side::Own) => self.own_entry(),
        })
    }

    /// Forgets where it was: the store's side goes on at `key`, and so do the own writes.
    pub(super) fn seek(&mut self, key: &[u8]) {
        self.own = self.overlay.from(key, self.direction).cloned();
        self.taken = None;
        self.head = Head::NotRead;
    }

    /// Moves to the next entry, and answers on which side it is.
    fn advance(&mut self, base: &mut dyn Cursor) -> Result<Option<Side>> {
        loop {
            if self.head == Head::NotRead {
                self.read_head(base)?;
            }
            let order = match (&self.own, self.head) {
                (None, Head::Read) => Ordering::Greater,
                (None, _) => return Ok(None),
                (Some(own), Head::Read) if self.direction == Direction::Forward => own.key().cmp(&self.key),
                (Some(own), Head::Read) => self.key.as_slice().cmp(own.key()),
                (Some(_), _) => Ordering::Less,
            };
            if order != Ordering::Less {
                self.head = Head::NotRead; // answered, or overwritten
            }
            if order == Ordering::Greater {
                return Ok(Some(Side::Store));
            }
            self.step();
            if self.own_entry().is_some() {
                return Ok(Some(Side::Own));
            }
        }
    }

    /// What the own write sets that was taken last.
    fn own_entry(&self) -> Option<Entry<'_>> {
        match self.taken.as_deref()? {
            Write::Put { key, value, .. } => Some((key, value)),
            // Additions were made puts when the cursor was opened.
            Write::Delete { .. } | Write::Add { .. } | Write::DeleteRange { .. } | Write::Touch { .. } => None,
        }
    }

    /// Takes the next own write.
    fn step(&mut self) {
        let taken = self.own.take();
        self.own = taken.as_ref().and_then(|own| self.overlay.after(own.key(), self.direction)).cloned();
        self.taken = taken.map(|own| own.write);
    }

    /// Reads the next entry of the store, past what was removed.
    fn read_head(&mut self, base: &mut dyn Cursor) -> Result<()> {
        loop {
            let Some((key, value)) = base.next()? else {
                self.head = Head::End;
                return Ok(());
            };
            let Some(removed) = self.overlay.removal_around(key) else {
                self.key.clear();
                self.key.extend_from_slice(key);
                self.value.clear();
                self.value.extend_from_slice(value);
                self.head = Head::Read;
                return Ok(());
            };
            match (self.direction, removed.end()) {
                (Direction::Forward, Some(end)) => base.seek(end)?,
                (Direction::Forward, None) => {
                    self.head = Head::End;
                    return Ok(());
                }
                // The start itself is removed, too: seeking it from there would not get on.
                (Direction::Reverse, _) if key == removed.start() => {}
                (Direction::Reverse, _) => base.seek(removed.start())?,
            }
        }
    }
}
