//! What a transaction has written and not yet committed.

use std::ops::Bound;
use std::sync::Arc;

use blaze_core::fault::{self, Mistake};
use blaze_core::limits::TRANSACTION_BYTES_MAX;
use blaze_core::{Direction, Error, Family, KeyRange, Result, Write};

use super::write_index::{Pending, WriteIndex};

/// Bytes that a pending write takes beside its key and value.
const OVERHEAD_BYTES: usize = 64;

/// What a transaction has written, in order.
///
/// Writing appends and looks nothing up. The index by key is caught up when something is read, so a transaction that
/// only writes never builds it. What is taken back is cut off the end.
#[derive(Debug, Default)]
pub(super) struct WriteSet {
    /// The writes that are in the index; none where a later one made an earlier one pointless.
    indexed: Vec<Option<Indexed>>,
    /// Those that came after them.
    recent: Vec<Write>,
    index: [WriteIndex; Family::ALL.len()],
    removals: Removals,
    bytes: usize,
    /// True if a write of the operation that is running was refused because it would be too much.
    is_full: bool,
    /// How many writes there were when the operation that is running began.
    operation: Option<usize>,
    savepoints: Vec<Savepoint>,
    savepoints_made: u64,
}

#[derive(Debug)]
struct Indexed {
    write: Arc<Write>,
    /// Where the write to the same key is that this one hides.
    hides: Option<usize>,
}

/// A place to which the writes can be cut back.
#[derive(Debug)]
struct Savepoint {
    number: u64,
    position: usize,
}

/// The ranges that a transaction has removed, each with its place among all writes.
#[derive(Clone, Debug, Default)]
struct Removals(Arc<Vec<(usize, Family, KeyRange)>>);

/// What a transaction itself knows of a key.
pub(super) enum Lookup {
    /// It has put this.
    Put(Arc<Write>),
    /// It has added this to what the store has.
    Added(i128),
    Deleted,
    Unwritten,
}

/// The own writes that a cursor lays over the store, as they were when it was opened.
#[derive(Debug)]
pub(super) struct Overlay {
    family: Family,
    range: KeyRange,
    index: WriteIndex,
    removals: Removals,
}

impl WriteSet {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.indexed.len() + self.recent.len()
    }

    /// Appends a write, unless that would be too much.
    pub(super) fn push(&mut self, write: Write) -> Result<()> {
        let bytes = cost(&write);
        if self.bytes + bytes > TRANSACTION_BYTES_MAX {
            self.catch_up(); // lets go of what was overwritten
        }
        if self.bytes + bytes > TRANSACTION_BYTES_MAX {
            self.is_full = true;
            return Err(Error::limit_exceeded(format!(
                "transaction writes {} bytes, the limit is {TRANSACTION_BYTES_MAX}: commit in smaller parts",
                self.bytes + bytes
            )));
        }
        self.bytes += bytes;
        self.recent.push(write);
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn get(&mut self, family: Family, key: &[u8]) -> Lookup {
        if self.is_empty() {
            return Lookup::Unwritten;
        }
        self.catch_up();
        let last = self.index[family as usize].get(key).filter(|pending| pending.position.is_some());
        if self.removals.hide(family, key, last.and_then(|pending| pending.position)) {
            return Lookup::Deleted;
        }
        let Some(last) = last else { return Lookup::Unwritten };
        match &*last.write {
            Write::Put { .. } => Lookup::Put(Arc::clone(&last.write)),
            Write::Add { .. } => Lookup::Added(self.sum(last.position)),
            Write::Delete { .. } | Write::DeleteRange { .. } | Write::Touch { .. } => Lookup::Deleted,
        }
    }

    /// What the write at a position adds, and all additions that it follows: each counts.
    fn sum(&self, mut position: Option<usize>) -> i128 {
        let mut sum = 0;
        while let Some(Some(indexed)) = position.and_then(|position| self.indexed.get(position)) {
            let Write::Add { delta, .. } = &*indexed.write else { break };
            sum += i128::from(*delta);
            position = indexed.hides;
        }
        sum
    }

    /// The keys of a range to which something was added.
    pub(super) fn additions(&mut self, family: Family, range: &KeyRange) -> Vec<Vec<u8>> {
        let Some(overlay) = self.overlay(family, range) else { return Vec::new() };
        let (mut keys, mut pending) = (Vec::new(), overlay.first(Direction::Forward));
        while let Some(found) = pending {
            if matches!(*found.write, Write::Add { .. }) {
                keys.push(found.key().to_vec());
            }
            pending = overlay.after(found.key(), Direction::Forward);
        }
        keys
    }

    /// What was written in a range, each key once; none if a part of the range was removed as a whole.
    pub(super) fn own_writes(&mut self, family: Family, range: &KeyRange) -> Option<Vec<Arc<Write>>> {
        let Some(overlay) = self.overlay(family, range) else { return Some(Vec::new()) };
        if overlay.removals.0.iter().any(|(_, of, removed)| *of == family && removed.overlaps(range)) {
            return None;
        }
        let (mut writes, mut pending) = (Vec::new(), overlay.first(Direction::Forward));
        while let Some(found) = pending {
            writes.push(Arc::clone(&found.write));
            pending = overlay.after(found.key(), Direction::Forward);
        }
        Some(writes)
    }

    /// What a cursor over `range` must lay over the store, if there is anything.
    pub(super) fn overlay(&mut self, family: Family, range: &KeyRange) -> Option<Overlay> {
        if self.is_empty() {
            return None;
        }
        self.catch_up();
        let overlay = Overlay {
            family,
            range: range.clone(),
            index: self.index[family as usize].clone(),
            removals: self.removals.clone(),
        };
        let removes = || self.removals.0.iter().any(|(_, of, removed)| *of == family && removed.overlaps(range));
        (overlay.first(Direction::Forward).is_some() || removes()).then_some(overlay)
    }

    /// Puts the recent writes into the index.
    fn catch_up(&mut self) {
        let mut recent = std::mem::take(&mut self.recent);
        for write in recent.drain(..) {
            self.add_to_index(Arc::new(write));
        }
        self.recent = recent; // its memory serves again
    }

    fn add_to_index(&mut self, write: Arc<Write>) {
        let position = self.indexed.len();
        let hides = match &*write {
            Write::DeleteRange { family, range } => {
                Arc::make_mut(&mut self.removals.0).push((position, *family, range.clone()));
                None
            }
            Write::Put { family, .. } | Write::Delete { family, .. } => {
                let pending = Pending { write: Arc::clone(&write), position: Some(position) };
                let hidden = self.index[*family as usize].set(pending).and_then(|before| before.position);
                hidden.and_then(|hidden| self.let_go(hidden, position))
            }
            // It takes nothing away from what it adds to.
            Write::Add { family, .. } => {
                let pending = Pending { write: Arc::clone(&write), position: Some(position) };
                let hidden = self.index[*family as usize].set(pending).and_then(|before| before.position);
                match hidden.and_then(|hidden| self.fold(hidden, position, &write)) {
                    Some(folded) => return self.indexed.push(Some(folded)),
                    None => hidden,
                }
            }
            Write::Touch { .. } => None, // nobody reads it
        };
        self.indexed.push(Some(Indexed { write, hides }));
    }

    /// Makes one addition of two, unless cutting back could separate them: many small ones then take the place of one.
    fn fold(&mut self, hidden: usize, position: usize, write: &Write) -> Option<Indexed> {
        let Write::Add { family, key, delta } = write else { return None };
        let before = self.indexed.get(hidden)?.as_ref()?;
        let Write::Add { delta: earlier, .. } = &*before.write else { return None };
        if self.is_cut_between(hidden, position) || self.removals.hide(*family, key, Some(hidden)) {
            return None;
        }
        let sum = earlier.checked_add(*delta)?;
        let folded = Indexed {
            write: Arc::new(Write::Add { family: *family, key: key.clone(), delta: sum }),
            hides: before.hides,
        };
        let pending = Pending { write: Arc::clone(&folded.write), position: Some(position) };
        self.bytes -= cost(&before.write);
        self.indexed[hidden] = None;
        self.index[*family as usize].set(pending);
        Some(folded)
    }

    /// True if what is written at a position can be taken back without what an earlier one has written.
    fn is_cut_between(&self, earlier: usize, later: usize) -> bool {
        let mut cuts = self.savepoints.iter().map(|savepoint| savepoint.position).chain(self.operation);
        cuts.any(|cut| earlier < cut && cut <= later)
    }

    /// Lets go of a write that a later one hides, and of what that one hides, down to the first that cutting back could
    /// uncover; answers where that is.
    fn let_go(&mut self, mut hidden: usize, by: usize) -> Option<usize> {
        loop {
            if self.is_cut_between(hidden, by) {
                return Some(hidden);
            }
            let indexed = self.indexed[hidden].take()?;
            self.bytes -= cost(&indexed.write);
            hidden = indexed.hides?;
        }
    }

    /// Takes back all writes from a position on.
    fn cut(&mut self, position: usize) {
        while self.len() > position {
            if let Some(write) = self.recent.pop() {
                self.bytes -= cost(&write);
            } else if let Some(Some(indexed)) = self.indexed.pop() {
                self.bytes -= cost(&indexed.write);
                self.uncover(&indexed);
            }
        }
    }

    /// Gives a key the write back that was hidden by one that is taken back.
    fn uncover(&mut self, taken_back: &Indexed) {
        let before = taken_back.hides.and_then(|position| Some((position, self.indexed.get(position)?.as_ref()?)));
        match &*taken_back.write {
            Write::Put { family, key, .. } | Write::Delete { family, key } | Write::Add { family, key, .. } => {
                let pending = match before {
                    Some((position, before)) => Pending { write: Arc::clone(&before.write), position: Some(position) },
                    // Not the write itself: its value is no longer accounted for.
                    None => Pending { write: Arc::new(Write::delete(*family, key.clone())), position: None },
                };
                self.index[*family as usize].set(pending);
            }
            Write::DeleteRange { .. } => {
                Arc::make_mut(&mut self.removals.0).pop();
            }
            Write::Touch { .. } => {}
        }
    }

    /// From here on, [`end_operation`](WriteSet::end_operation) can take everything back.
    pub(super) fn begin_operation(&mut self) {
        self.operation = Some(self.len());
        self.is_full = false;
    }

    /// Keeps what was written since [`begin_operation`](WriteSet::begin_operation), or takes it back.
    pub(super) fn end_operation(&mut self, keep: bool) {
        if let Some(position) = self.operation.take()
            && !keep
        {
            self.cut(position);
        }
    }

    /// Marks the place where the writes are now, and answers its number.
    pub(super) fn add_savepoint(&mut self) -> u64 {
        self.savepoints_made += 1;
        let position = self.len();
        self.savepoints.push(Savepoint { number: self.savepoints_made, position });
        self.savepoints_made
    }

    /// Takes back what was written since a savepoint, and the savepoints since; false if it was taken back itself.
    pub(super) fn cut_to_savepoint(&mut self, number: u64) -> bool {
        let Some(at) = self.savepoints.iter().position(|savepoint| savepoint.number == number) else { return false };
        self.savepoints.truncate(at + 1);
        self.cut(self.savepoints[at].position + usize::from(fault::makes(Mistake::SavepointKeepsWrites)));
        true
    }

    pub(super) fn forget_savepoint(&mut self, number: u64) {
        self.savepoints.retain(|savepoint| savepoint.number != number);
    }

    /// Everything, in the order in which it must be applied.
    pub(super) fn into_writes(self) -> Vec<Write> {
        drop(self.index);
        if self.indexed.is_empty() {
            return self.recent;
        }
        let indexed = self.indexed.into_iter().flatten().map(|indexed| Arc::unwrap_or_clone(indexed.write));
        indexed.chain(self.recent).collect()
    }
}

impl Removals {
    /// True if a key was removed with a range, after it was written at `position`.
    fn hide(&self, family: Family, key: &[u8], position: Option<usize>) -> bool {
        self.range_around(family, key, position).is_some()
    }

    fn range_around(&self, family: Family, key: &[u8], position: Option<usize>) -> Option<&KeyRange> {
        let later = self.0.iter().rev().take_while(|(at, ..)| Some(*at) > position);
        later.filter(|(_, of, _)| *of == family).map(|(_, _, range)| range).find(|range| range.contains(key))
    }
}

impl Overlay {
    /// The first own write of the range.
    pub(super) fn first(&self, direction: Direction) -> Option<&Pending> {
        let from = match direction {
            Direction::Forward => Bound::Included(self.range.start()),
            Direction::Reverse => self.range.end().map_or(Bound::Unbounded, Bound::Excluded),
        };
        self.next(from, direction)
    }

    /// The own write after that to `key`.
    pub(super) fn after(&self, key: &[u8], direction: Direction) -> Option<&Pending> {
        self.next(Bound::Excluded(key), direction)
    }

    /// The first own write at or beyond `key`.
    pub(super) fn from(&self, key: &[u8], direction: Direction) -> Option<&Pending> {
        self.next(Bound::Included(key), direction)
    }

    /// The first own write from a bound on that still holds.
    fn next(&self, from: Bound<&[u8]>, direction: Direction) -> Option<&Pending> {
        let mut pending = self.index.next(from, direction);
        while let Some(found) = pending {
            if !self.range.contains(found.key()) {
                return None;
            }
            if found.position.is_some() && !self.removals.hide(self.family, found.key(), found.position) {
                return Some(found);
            }
            pending = self.index.next(Bound::Excluded(found.key()), direction);
        }
        None
    }

    /// The removed range around a key of the store, if there is one.
    pub(super) fn removal_around(&self, key: &[u8]) -> Option<&KeyRange> {
        self.removals.range_around(self.family, key, None)
    }
}

/// What a put sets.
pub(super) fn value(write: &Write) -> &[u8] {
    match write {
        Write::Put { value, .. } => value,
        Write::Delete { .. } | Write::Add { .. } | Write::DeleteRange { .. } | Write::Touch { .. } => &[],
    }
}

fn cost(write: &Write) -> usize {
    OVERHEAD_BYTES
        + match write {
            Write::Put { key, value, .. } => key.len() + value.len(),
            Write::Delete { key, .. } | Write::Add { key, .. } | Write::Touch { key, .. } => key.len(),
            Write::DeleteRange { range, .. } => range.start().len() + range.end().map_or(0, <[u8]>::len),
        }
}
