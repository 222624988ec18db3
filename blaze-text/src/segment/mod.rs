//! Segments: documents and the postings of their terms, which never change, in pages.

mod bits;
mod block;
mod check;
mod documents;
mod entry;
mod fold;
mod impacts;
mod index;
mod inline;
mod keyed;
mod lengths;
mod memory;
mod merge;
mod meta;
mod open;
mod page;
mod positions;
mod postings;
mod skip;
mod term_writer;
mod terms;
#[cfg(test)]
mod tests;
mod writer;

pub use check::check;
pub use entry::TermEntry;
pub use fold::{FoldedChange, fold};
pub use memory::MemoryPages;
pub use merge::{MergePart, merge};
pub use meta::SegmentMeta;
pub use open::Segment;
pub use page::{PAGE_BYTES_MAX, Page, Pages, Stream};
pub use postings::SegmentPostings;
pub use terms::TermCursor;
pub use writer::SegmentWriter;
