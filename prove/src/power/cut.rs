//! How a cycle ends by a loss of power.

use std::process::Child;
use std::thread;
use std::time::Duration;

use super::{Disk, Writeback};
use crate::Result;
use crate::random::Random;
use crate::stopwatch::Stopwatch;

/// Of a hundred cuts, before so many the system writes back what it likes, right before so many the journal is committed, and
/// in so many the process is dead already.
const WRITTEN_BACK_PERCENT: u64 = 60;
const COMMITTED_PERCENT: u64 = 20;
const DEAD_PERCENT: u64 = 50;

/// How long a process lives at most on a disk without power.
const LINGERS_MICROSECONDS: u64 = 20_000;

/// What happens around a loss of power.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Fixes what is written back before.
    writeback: Option<u64>,
    commits_journal: bool,
    /// How long the process goes on after it. One that is killed first has no chance to acknowledge what is lost.
    lingers: Option<Duration>,
}

impl Cut {
    /// One of them.
    #[must_use]
    pub fn choose(random: &Random) -> Cut {
        let (writeback, lingers) = (random.below(1 << 48), random.below(LINGERS_MICROSECONDS));
        Cut {
            writeback: random.percent(WRITTEN_BACK_PERCENT).then_some(writeback),
            commits_journal: random.percent(COMMITTED_PERCENT),
            lingers: (!random.percent(DEAD_PERCENT)).then(|| Duration::from_micros(lingers)),
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

    /// Cuts the power and kills the process. True if that has lived on for a while and may have got errors from the disk.
    ///
    /// # Errors
    /// Those of the system.
    pub fn bring(&self, child: &mut Child) -> Result<bool> {
        let Some(lingers) = self.cut.lingers else {
            child.kill()?;
            self.cut_power()?;
            return Ok(false);
        };
        self.cut_power()?;
        let since = Stopwatch::start();
        while !since.left_of(lingers).is_zero() {
            thread::park_timeout(since.left_of(lingers));
        }
        child.kill()?;
        Ok(true)
    }

    fn cut_power(&self) -> Result<()> {
        if self.cut.commits_journal {
            self.disk.commit_journal()?;
        }
        self.disk.cut()
    }
}
