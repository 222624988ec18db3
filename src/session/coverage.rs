//! How much of a range a cursor has really read.

use blaze_core::{Direction, Family, KeyRange, RangeRead};
use parking_lot::Mutex;

/// How much of a range a cursor has read, absent keys included: what a serializable commit must find unchanged.
#[derive(Debug)]
pub(crate) struct Coverage {
    family: Family,
    range: KeyRange,
    direction: Direction,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
enum Progress {
    Nothing,
    UpTo(Vec<u8>),
    Everything,
}

impl Coverage {
    pub(crate) fn new(family: Family, range: KeyRange, direction: Direction) -> Coverage {
        Coverage { family, range, direction, progress: Mutex::new(Progress::Nothing) }
    }

    /// The cursor has answered `key`.
    pub(crate) fn reach(&self, key: &[u8]) {
        let mut progress = self.progress.lock();
        match &mut *progress {
            Progress::Nothing => *progress = Progress::UpTo(key.to_vec()),
            Progress::UpTo(farthest) => {
                farthest.clear();
                farthest.extend_from_slice(key);
            }
            Progress::Everything => {}
        }
    }

    /// The cursor has found the end of the range.
    pub(crate) fn exhaust(&self) {
        *self.progress.lock() = Progress::Everything;
    }

    /// What was read so far, if anything.
    pub(crate) fn range_read(&self) -> Option<RangeRead> {
        let range = match (&*self.progress.lock(), self.direction) {
            (Progress::Nothing, _) => return None,
            (Progress::Everything, _) => self.range.clone(),
            (Progress::UpTo(key), Direction::Forward) => {
                KeyRange::new(self.range.start(), KeyRange::point(key).end().map(<[u8]>::to_vec))
            }
            (Progress::UpTo(key), Direction::Reverse) => {
                KeyRange::new(key.as_slice(), self.range.end().map(<[u8]>::to_vec))
            }
        };
        Some(RangeRead { family: self.family, range })
    }
}
