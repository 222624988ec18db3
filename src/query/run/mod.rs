//! Running a plan: entries of indexes, candidates made of them, then rows.

mod candidates;
mod covered;
mod ids;
mod records;
mod rows;
mod source;
mod walk;

pub(crate) use candidates::Candidates;
pub(super) use records::{Ordering, Records, Row};
pub use rows::{RawRows, Rows};
