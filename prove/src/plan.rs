//! What a child does and when it is killed, chosen by a seed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::phase::Phase;
use crate::random::Random;

/// Of a hundred children so many are killed before they have opened and audited the database, and so many of those that
/// follow one of these.
const EARLY_PERCENT: u64 = 22;
const EARLY_AGAIN_PERCENT: u64 = 40;

/// From when on the time to live of a child counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// Its start.
    Start,
    /// The beginning of what it was to do once everything is found in order.
    #[default]
    Phase,
}

/// What a child does, and when it is killed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// What it does.
    pub phase: Phase,
    /// How many threads commit meanwhile.
    pub writers: u64,
    /// From when on it has to live.
    pub from: From,
    /// For so long.
    pub microseconds: u64,
    /// Or, at most, until so many commits were acknowledged.
    pub acknowledgements: Option<u64>,
    /// The database is opened a second time before anything is done, after it was closed or let go of.
    pub reopens: bool,
    /// It is closed before.
    pub closes: bool,
}

impl Plan {
    /// A plan for a child, after so many that were killed before they had audited. A database with large loads gives them
    /// time.
    #[must_use]
    pub fn choose(random: &Random, lanes: u64, unaudited: u64, loads_much: bool) -> Plan {
        let phase = Phase::choose(random);
        let percent = match unaudited {
            0 => EARLY_PERCENT,
            1 | 2 => EARLY_AGAIN_PERCENT,
            _ => 0, // sometimes somebody has to look
        };
        let from = if random.percent(percent) { From::Start } else { From::Phase };
        let scale = match (from, random.below(10)) {
            (From::Start, 0..6) => 15_000, // within it most databases of a campaign are open
            (From::Start, _) => 60_000,
            (From::Phase, _) if loads_much && phase == Phase::Load => 1_500_000,
            (From::Phase, 0..3) => 3_000,
            (From::Phase, 3..9) => 40_000,
            (From::Phase, _) => 150_000,
        };
        let writers = 1 + random.below(lanes);
        let acknowledgements = random.percent(30).then(|| 1 + random.below(60));
        let microseconds = random.below(scale);
        let (reopens, closes) = (random.percent(25), random.percent(50));
        Plan { phase, writers, from, microseconds, acknowledgements, reopens, closes }
    }

    /// How long the child lives, from when on that counts.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.microseconds)
    }
}
