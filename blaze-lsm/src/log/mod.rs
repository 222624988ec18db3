//! Reading RocksDB's write-ahead log before RocksDB does.
//!
//! RocksDB recovers to a point in time: at the first damaged record it stops, and drops without a word whatever lies
//! behind. That is right for a tail that a crash has torn, and wrong for commits that had been synced. So every batch
//! begins with a [`LogMark`] that says which commits were durable when it was written, and before a database is opened
//! an [`Audit`] reads its log files, beyond any damage, and says whether something durable would be lost.
//!
//! Nothing here does more than read bytes, so that all of it can be fuzzed.

mod audit;
mod mark;
mod reader;
mod record;
#[cfg(test)]
mod tests;
mod walk;

pub use audit::LogDamage;
pub(crate) use audit::{Audit, Findings, Position};
pub(crate) use mark::LogMark;
pub(crate) use walk::endless_at;
