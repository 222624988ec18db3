//! What is not folded into segments, as searches and who takes in commits share it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use blaze_core::Result;
use parking_lot::Mutex;

use super::level::{Committed, Level, Masked};

/// Bytes of changes that are appended to a level while nobody can begin to search: about a millisecond.
const AT_ONCE_BYTES: usize = 64 * 1024;

/// How many times larger a level stays than all levels above it together.
const RATIO: usize = 2;

/// What is not folded: levels, each of what was committed after the one below.
///
/// Who searches takes the levels that there are and holds no lock while searching, however long that is: a level that somebody
/// has is never changed. What commits tell is appended to the last level where nobody has it, as nearly always, and else begins
/// another level above. What is read while others append is told apart by commits, as in a level. A level that is not larger
/// by far than those above becomes one with them, made anew beside them: so there are about as many levels at most as the
/// logarithm of the changes, and each change is indexed about that many times at most, and only where levels are made because
/// somebody searches. What searches have of levels that are no longer here goes with them.
pub(super) struct Recent {
    fields: u8,
    segments: usize,
    /// The lowest first. Nobody holds this while searching or making levels one.
    levels: Mutex<Vec<Arc<Level>>>,
    /// Held by who makes levels one: only he takes any away.
    merging: Mutex<()>,
}

impl Recent {
    /// One level.
    pub(super) fn new(fields: u8, segments: usize, level: Level) -> Recent {
        Recent { fields, segments, levels: Mutex::new(vec![Arc::new(level)]), merging: Mutex::default() }
    }

    /// All levels, the lowest first.
    pub(super) fn levels(&self) -> Vec<Arc<Level>> {
        self.levels.lock().clone()
    }

    /// How many changes there are, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let levels = self.levels.lock();
        levels.iter().fold((0, 0), |(changes, bytes), level| (changes + level.changes().len(), bytes + level.bytes()))
    }

    /// Appends what was committed after all that is there, and the documents of segments that it hides. Only one at a time may
    /// do so.
    pub(super) fn append(&self, changes: &[Committed], masked: &[Masked]) -> Result<()> {
        let (mut changes, mut masked) = (changes, masked);
        while let Some((first, _)) = changes.first() {
            let (now, later) = changes.split_at(at_once(changes));
            let last = now.last().map_or(*first, |(ts, _)| *ts);
            let (hidden, hidden_later) = masked.split_at(masked.partition_point(|(.., ts)| *ts <= last));
            self.append_at_once(now, hidden)?;
            (changes, masked) = (later, hidden_later);
        }
        Ok(())
    }

    fn append_at_once(&self, changes: &[Committed], masked: &[Masked]) -> Result<()> {
        let mut levels = self.levels.lock();
        let appended = |level: &mut Level| {
            level.mask(masked.iter().copied());
            level.add(changes)
        };
        match levels.last_mut().and_then(Arc::get_mut) {
            Some(level) => appended(level),
            None => {
                let mut level = Level::new(self.fields, self.segments);
                appended(&mut level)?;
                levels.push(Arc::new(level));
                Ok(())
            }
        }
    }

    /// Makes one level of those above that together are large beside the one below, and of that, unless somebody does so
    /// already. Nobody waits for it.
    pub(super) fn merge(&self) -> Result<()> {
        let Some(_merging) = self.merging.try_lock() else { return Ok(()) };
        let levels = self.levels();
        let Some(from) = first_to_merge(&levels) else { return Ok(()) };
        let one = Level::of_all(&levels[from..], self.fields, self.segments)?;
        // They are as they were, since they are held here; others may have come above them. They take time to be freed, which
        // is when this ends.
        self.levels.lock().splice(from..levels.len(), [Arc::new(one)]);
        Ok(())
    }
}

/// The lowest level that is not far larger than all above it together.
fn first_to_merge(levels: &[Arc<Level>]) -> Option<usize> {
    let (mut first, mut above) = (None, 0);
    for (place, level) in levels.iter().enumerate().rev() {
        let changes = level.changes().len();
        if above > 0 && above * RATIO >= changes {
            first = Some(place);
        }
        above += changes;
    }
    first
}

/// How many of some changes, at least one, are appended at once.
fn at_once(changes: &[Committed]) -> usize {
    let mut bytes = 0;
    let fits = |(_, change): &&Committed| {
        bytes += change.bytes();
        bytes <= AT_ONCE_BYTES
    };
    changes.iter().take_while(fits).count().max(1)
}
