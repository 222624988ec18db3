//! What a child does and when it is killed, chosen by a seed.

use std::time::Duration;

use blaze::fault::Point;
use serde::{Deserialize, Serialize};

use crate::aim::{Aim, Needs, Way};
use crate::phase::Phase;
use crate::promises::Promises;
use crate::random::Random;

/// Of a hundred children so many are killed before they have opened and audited the database, and so many of those that
/// follow one of these.
const EARLY_PERCENT: u64 = 22;
const EARLY_AGAIN_PERCENT: u64 = 40;

/// Of a hundred children so many die at a place that is chosen for them.
const AIMED_PERCENT: u64 = 45;

/// Of a hundred that follow one which died where another place can be reached from, so many go on to that.
const FOLLOWING_PERCENT: u64 = 60;

/// How long a child is given to come to its place.
const AIMED: u64 = 1_500_000;

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
    /// Where it dies by itself, if it comes there in time.
    #[serde(default)]
    pub aim: Option<Aim>,
    /// The end of the log is torn before it opens the database.
    #[serde(default)]
    pub tears_log: bool,
    /// Rows are removed before it opens the database, and it repairs that.
    #[serde(default)]
    pub repairs: bool,
}

impl Plan {
    /// A plan for the next child of a database with these promises, after so many that were killed before they had audited.
    #[must_use]
    pub fn choose(random: &Random, promises: &Promises, unaudited: u64) -> Plan {
        let mut plan = Plan::unaimed(random, promises, unaudited);
        let before = promises.plan.aim.map(|aim| aim.point);
        let following = Point::ALL.iter().find(|point| before.is_some() && Way::to(**point).after == before);
        let chosen = match following {
            Some(point) if random.percent(FOLLOWING_PERCENT) => Some(point),
            _ if random.percent(AIMED_PERCENT) => random.pick(Point::ALL),
            _ => None,
        };
        if let Some(point) = chosen.filter(|point| is_possible(Way::to(**point), promises, unaudited)) {
            plan.aim_at(*point, 1 + random.below(Way::to(*point).times_max()));
        }
        plan
    }

    /// Has the child die at a place, as soon as it has come there so often.
    pub fn aim_at(&mut self, point: Point, times: u64) {
        let way = Way::to(point);
        *self = Plan {
            phase: way.phase,
            from: way.from,
            microseconds: AIMED,
            acknowledgements: None,
            aim: Some(Aim { point, times }),
            tears_log: way.needs == Needs::TornLog,
            repairs: way.needs == Needs::Damage,
            ..*self
        };
    }

    fn unaimed(random: &Random, promises: &Promises, unaudited: u64) -> Plan {
        let loads_much = promises.loads_much();
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
            (From::Phase, _) if phase == Phase::Graph || loads_much && phase == Phase::Load => 1_500_000,
            (From::Phase, 0..3) => 3_000,
            (From::Phase, 3..9) => 40_000,
            (From::Phase, _) => 150_000,
        };
        let writers = 1 + random.below(promises.lanes.len() as u64);
        let acknowledgements = random.percent(30).then(|| 1 + random.below(60));
        let microseconds = random.below(scale);
        let (reopens, closes) = (random.percent(25), random.percent(50));
        let plan = Plan { phase, writers, from, microseconds, acknowledgements, reopens, closes, ..Plan::default() };
        Plan { tears_log: random.percent(5), ..plan }
    }

    /// How long the child lives, from when on that counts.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.microseconds)
    }
}

/// True if a child can come to a place by this way now.
fn is_possible(way: Way, promises: &Promises, unaudited: u64) -> bool {
    let may_be_early = way.from == From::Phase || unaudited < 3;
    let has_needs = match way.needs {
        Needs::Nothing | Needs::TornLog => promises.cycle > 0,
        Needs::Nobody => promises.cycle == 0,
        Needs::Damage => promises.cycle > 0 && unaudited == 0 && promises.acknowledged() > 0,
        Needs::Copies => promises.audits_copies,
        Needs::MuchLoaded => promises.loads_much(),
    };
    has_needs && (may_be_early || way.after.is_some())
}
