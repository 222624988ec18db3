//! What is not folded into segments, as searches and who takes in commits share it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use blaze_core::Result;
use parking_lot::Mutex;

use super::level::{Committed, Level, Masked};

/// Bytes of changes that are appended to a level while nobody can begin to search: about a millisecond.
const AT_ONCE_BYTES: usize = 64 * 1024;

/// How many times larger than the level above a level stays at least.
const RATIO: usize = 2;

/// What is not folded: levels, each of what was committed after the one below.
///
/// Who searches takes the levels that there are and holds no lock while searching, however long that is: a level that somebody
/// has is never changed. What commits tell is appended to the last level where nobody has it, as nearly always, and else begins
/// another level above. What is read while others append is told apart by commits, as in a level. A level that is not
/// larger than the one above by far becomes one with it, made anew: so there are at most as many levels as the logarithm of the
/// changes, and each change is indexed that many times at most, and only where levels are made because somebody searches.
/// What searches have of levels that are no longer here goes with them.
pub(super) struct Recent {
    fields: u8,
    segments: usize,
    /// The lowest first.
    levels: Mutex<Vec<Arc<Level>>>,
}

impl Recent {
    /// One level.
    pub(super) fn new(fields: u8, segments: usize, level: Level) -> Recent {
        Recent { fields, segments, levels: Mutex::new(vec![Arc::new(level)]) }
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
        self.merge()
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

    /// Makes one of the last two levels, as long as the upper one is large beside the lower.
    fn merge(&self) -> Result<()> {
        loop {
            let levels = self.levels();
            let [.., below, above] = levels.as_slice() else { return Ok(()) };
            if above.changes().len() * RATIO < below.changes().len() {
                return Ok(());
            }
            let both = Level::of_both(below, above, self.fields)?;
            // Nobody else changes which levels there are. Those that go are still held here: they take time to be freed.
            let mut now = self.levels.lock();
            now.truncate(levels.len() - 2);
            now.push(Arc::new(both));
        }
    }
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
