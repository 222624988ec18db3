//! What happens between two cuts of the power, chosen by a seed.

use blaze_fault_fs::Call;

use crate::phase::Phase;
use crate::random::Random;

/// How a cut comes about that no call has brought before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Amid the commits.
    Amid,
    /// After all commits, and a sync.
    Synced,
    /// After the database was closed.
    Closed,
}

/// What happens between two cuts of the power.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What is done beside the writers.
    pub phase: Phase,
    /// How many threads commit.
    pub writers: u64,
    /// After how many commits the power goes off, unless it has before.
    pub commits: u64,
    /// How it does then.
    pub ending: Ending,
    /// The call before which the power goes off, counted from the beginning of the opening.
    pub from_opening: Option<u64>,
    /// The call that changes something before which it goes off, counted from the beginning of the phase.
    pub from_phase: Option<u64>,
    /// All indexes are asked before the phase.
    pub asks_indexes: bool,
    /// The database is closed after the cut, and not only let go of.
    pub closes: bool,
}

/// Each phase with its share of a hundred.
const SHARES: [(Phase, u64); 8] = [
    (Phase::Write, 34),
    (Phase::Compact, 10),
    (Phase::Fold, 12),
    (Phase::Build, 11),
    (Phase::Replace, 8),
    (Phase::Load, 8),
    (Phase::Churn, 9),
    (Phase::Close, 8),
];

impl Plan {
    /// A plan, after so many cuts that came before the database was audited.
    #[must_use]
    pub fn choose(random: &Random, lanes: u64, unaudited: u64) -> Plan {
        let early_percent = [30, 50, 50, 30].get(unaudited as usize).copied().unwrap_or_default();
        let from_opening = random.percent(early_percent).then(|| {
            let scale = [40, 120, 400][random.below(3) as usize];
            1 + random.below(scale)
        });
        let from_phase = random.percent(70).then(|| {
            let scale = [8, 40, 200, 1_000][random.below(4) as usize];
            1 + random.below(scale)
        });
        Plan {
            phase: Phase::choose_of(&SHARES, random),
            writers: 1 + random.below(lanes),
            commits: 1 + random.below(if random.percent(20) { 60 } else { 15 }),
            ending: match random.below(10) {
                0 => Ending::Synced,
                1 => Ending::Closed,
                _ => Ending::Amid,
            },
            from_opening,
            from_phase: from_phase.filter(|_| from_opening.is_none()),
            asks_indexes: random.percent(20),
            closes: random.percent(50),
        }
    }

    /// The kinds of calls before which the power goes off in an opening: reads are among them, or half of a recovery would
    /// seem to be one moment.
    pub const OPENING: [Call; 7] = Call::ALL;
}
