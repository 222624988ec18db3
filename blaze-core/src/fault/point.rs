//! The places at which a test may intervene.

/// A place between two steps after which a process may have died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// A batch of commits is in the log, and not synced.
    BatchWritten,
    /// The log is synced, and nobody sees the commits yet.
    LogSynced,
}

impl Point {
    /// All of them.
    pub const ALL: [Point; 2] = [Point::BatchWritten, Point::LogSynced];

    /// What it is called in a ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Point::BatchWritten => "a batch is written",
            Point::LogSynced => "the log is synced",
        }
    }
}
