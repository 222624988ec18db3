//! How a cycle ends by a loss of power.

use super::{Disk, Writeback};
use crate::Result;
use crate::random::Random;

/// Of a hundred cuts, before so many the system writes back what it likes, and right before so many the journal is committed.
const WRITTEN_BACK_PERCENT: u64 = 60;
const COMMITTED_PERCENT: u64 = 20;

/// What happens before a loss of power.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Fixes what is written back.
    writeback: Option<u64>,
    commits_journal: bool,
}

impl Cut {
    /// One of them.
    #[must_use]
    pub fn choose(random: &Random) -> Cut {
        let seed = random.below(1 << 48);
        Cut {
            writeback: random.percent(WRITTEN_BACK_PERCENT).then_some(seed),
            commits_journal: random.percent(COMMITTED_PERCENT),
        }
    }
}

/// A cut and the disk that it is of.
#[derive(Debug)]
pub struct Outage<'a> {
    /// The disk.
    pub disk: &'a Disk,
    /// What happens.
    pub cut: Cut,
}

impl Outage<'_> {
    /// Has the system write back what it likes from now on.
    #[must_use]
    pub fn begin_writeback(&self) -> Option<Writeback> {
        self.cut.writeback.map(|seed| Writeback::begin(self.disk.path().to_owned(), Random::of(&[seed])))
    }

    /// Cuts the power. Whoever writes to the disk was killed right before: of a sync that the cut meets halfway Linux may say
    /// that it went well, and nobody must hear that. A machine without power tells nobody either.
    ///
    /// # Errors
    /// Those of the system.
    pub fn bring(&self) -> Result<()> {
        if self.cut.commits_journal {
            self.disk.commit_journal()?;
        }
        self.disk.cut()
    }
}
