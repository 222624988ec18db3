//! What an index keeps of a document: which terms it has, and where.

mod builder;
mod gaps;
mod postings;
mod terms;
#[cfg(test)]
mod tests;

pub use builder::DocumentBuilder;
pub(crate) use gaps::{push_gaps, read_positions, skip_positions, write_gaps};
pub use postings::DocumentPostings;
pub use terms::DocumentTerms;
