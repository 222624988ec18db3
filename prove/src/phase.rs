//! What goes on in a database while it is killed.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// What a child does beside its writers until it is killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing but transactions.
    #[default]
    Write,
    /// Compactions of everything.
    Compact,
    /// Texts are folded and merged, memory is flushed.
    Fold,
    /// Indexes are dropped and built again over what is there.
    Build,
    /// Indexes are replaced by others of the same name.
    Replace,
    /// A collection is loaded in the place of the one before.
    Load,
    /// A collection and a keyspace are made and dropped.
    Churn,
    /// Backups are taken.
    Backup,
    /// A backup is restored.
    Restore,
    /// Checkpoints are made.
    Checkpoint,
    /// The database is closed and opened, with transactions in between.
    Close,
    /// The schema of a collection changes.
    Rule,
    /// Documents are migrated.
    Migrate,
    /// Values and documents expire, and a history is let go of.
    Expire,
    /// Texts are embedded.
    Embed,
    /// Objects are written outside of transactions.
    Store,
    /// A graph of vectors is made and changed, and the database closed meanwhile.
    Graph,
    /// A checkpoint is salvaged.
    Salvage,
}

/// Each phase with its share.
const SHARES: [(Phase, u64); 18] = [
    (Phase::Write, 18),
    (Phase::Compact, 9),
    (Phase::Fold, 11),
    (Phase::Build, 13),
    (Phase::Replace, 10),
    (Phase::Load, 10),
    (Phase::Churn, 9),
    (Phase::Backup, 6),
    (Phase::Restore, 4),
    (Phase::Checkpoint, 4),
    (Phase::Close, 6),
    (Phase::Rule, 5),
    (Phase::Migrate, 5),
    (Phase::Expire, 6),
    (Phase::Embed, 4),
    (Phase::Store, 4),
    (Phase::Graph, 2),
    (Phase::Salvage, 2),
];

impl Phase {
    /// One of all, by their shares.
    #[must_use]
    pub fn choose(random: &Random) -> Phase {
        Phase::choose_of(&SHARES, random)
    }

    /// One of some, each with its share of all of theirs.
    #[must_use]
    pub fn choose_of(shares: &[(Phase, u64)], random: &Random) -> Phase {
        let mut left = random.below(shares.iter().map(|(_, share)| share).sum());
        for (phase, share) in shares {
            match left.checked_sub(*share) {
                Some(rest) => left = rest,
                None => return *phase,
            }
        }
        Phase::Write
    }

    /// What it is called in a ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Write => "writing",
            Phase::Compact => "compacting",
            Phase::Fold => "folding",
            Phase::Build => "building indexes",
            Phase::Replace => "replacing indexes",
            Phase::Load => "loading",
            Phase::Churn => "making and dropping",
            Phase::Backup => "backing up",
            Phase::Restore => "restoring",
            Phase::Checkpoint => "checkpointing",
            Phase::Close => "closing",
            Phase::Rule => "changing a schema",
            Phase::Migrate => "migrating",
            Phase::Expire => "expiring",
            Phase::Embed => "embedding",
            Phase::Store => "writing objects",
            Phase::Graph => "making a graph",
            Phase::Salvage => "salvaging",
        }
    }

    /// True if it leaves copies that the next child has to look at.
    #[must_use]
    pub fn makes_copies(self) -> bool {
        matches!(self, Phase::Backup | Phase::Restore | Phase::Checkpoint | Phase::Salvage)
    }
}
