//! Full-text search: documents as terms, segments of postings, what is not folded into them yet, and exact top-k by BM25.
//!
//! This crate knows nothing of databases, transactions or disks: whoever uses it says where the pages of a segment are.

#![forbid(unsafe_code)]

mod batch;
mod delta;
mod document;
mod front;
mod postings;
mod reader;
mod search;
mod segment;
mod term;

pub use batch::Batch;
pub use delta::{Delta, DeltaPostings, DeltaTerm, DeltaView};
pub use document::{DocumentBuilder, DocumentPostings, DocumentTerms};
pub use postings::{END, Impact, Postings};
pub use search::{
    Accept, DeltaLeaf, Explanation, Found, FoundVisitor, Leaf, Node, Searcher, SegmentLeaf, TermScore, TermVisitor,
    TermsRead, documents_of,
};
pub use segment::{
    FoldedChange, MemoryPages, MergePart, PAGE_BYTES_MAX, Page, Pages, Segment, SegmentMeta, SegmentPostings,
    SegmentWriter, Stream, TermCursor, TermEntry, check, fold, merge,
};
pub use term::{FieldTotals, TermKey};
