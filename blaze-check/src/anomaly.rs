//! What may be wrong with a history, by its name.

use std::fmt;

/// A kind of anomaly.
///
/// Those that begin with G are phenomena of Adya (1999), the cycles of dependencies among them named by the least severe dependency
/// that they need; `GNonadjacent` is the name that Elle gave to the cycles that are left under snapshot isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Writes of transactions interleave: a cycle of ww dependencies.
    G0,
    /// A write of a transaction was seen that did not commit.
    G1a,
    /// A write was seen that its transaction had written over before it committed, or a part of its writes to a list.
    G1b,
    /// Transactions see each other's writes: a cycle of ww and wr dependencies.
    G1c,
    /// Two transactions read the same version and both wrote the next: rw one way and ww the other, over one key.
    LostUpdate,
    /// Reads are not of one moment (read skew): a cycle with exactly one rw dependency.
    GSingle,
    /// A cycle with several rw dependencies, no two of them one after the other: a long fork, and worse.
    GNonadjacent,
    /// Write skew: a cycle with two rw dependencies one after the other, over single keys.
    G2Item,
    /// Write skew by a phantom: as [`G2Item`](Kind::G2Item), but that a predicate is among what was read.
    G2,
    /// Who asked for snapshot isolation has committed a write to a key that another transaction had written since its snapshot:
    /// the first committer did not win (G-SIa).
    WriteConflict,
    /// A transaction saw what was committed after its snapshot.
    FutureRead,
    /// A transaction did not see what was committed before its snapshot.
    StaleRead,
    /// A transaction saw a part of what another one committed, and of the rest what was before.
    TornCommit,
    /// What was committed is seen by nobody.
    LostCommit,
    /// A transaction did not see its own writes, or what it had taken back.
    OwnWrites,
    /// A transaction read twice and saw two states, or an order that cannot be.
    Internal,
    /// An element was seen that nobody wrote there, or twice.
    Garbage,
    /// A predicate found what does not match it, or an object twice.
    WrongMatch,
    /// A list has elements in another order than their transactions committed.
    VersionOrder,
    /// A transaction began after another one had ended and has an older snapshot than that one's commit or snapshot.
    StaleSnapshot,
    /// As [`StaleSnapshot`](Kind::StaleSnapshot), within one session.
    NonMonotonic,
    /// Two commits have one timestamp, or one is not after its own snapshot.
    Timestamps,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is.
    pub kind: Kind,
    /// Whom it is about, by [`Transaction::id`](crate::Transaction::id); of a cycle, in its order.
    pub transactions: Vec<u64>,
    /// What happened, in words.
    pub words: String,
}

impl Kind {
    /// As it is called in the literature, if it is.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::G0 => "G0 (dirty write)",
            Kind::G1a => "G1a (aborted read)",
            Kind::G1b => "G1b (intermediate read)",
            Kind::G1c => "G1c (circular information flow)",
            Kind::LostUpdate => "P4 (lost update)",
            Kind::GSingle => "G-single (read skew)",
            Kind::GNonadjacent => "G-nonadjacent",
            Kind::G2Item => "G2-item (write skew)",
            Kind::G2 => "G2 (write skew by a predicate)",
            Kind::WriteConflict => "G-SIa (write conflict)",
            Kind::FutureRead => "future read",
            Kind::StaleRead => "stale read",
            Kind::TornCommit => "torn commit",
            Kind::LostCommit => "lost commit",
            Kind::OwnWrites => "own writes not seen",
            Kind::Internal => "internal inconsistency",
            Kind::Garbage => "garbage read",
            Kind::WrongMatch => "wrong match",
            Kind::VersionOrder => "contradictory order of versions",
            Kind::StaleSnapshot => "stale snapshot",
            Kind::NonMonotonic => "session not monotonic",
            Kind::Timestamps => "impossible timestamps",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.words)
    }
}
