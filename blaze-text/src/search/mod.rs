//! Searches: the best documents of an index by BM25, exactly.

mod bm25;
mod clause;
mod counts;
mod cursor;
mod delta_leaf;
mod drive;
mod edits;
mod expand;
mod explain;
mod intersection;
mod leaf;
mod leaf_query;
mod merged;
mod node;
mod phrase;
mod places;
mod plan;
mod planner;
mod reads;
mod scored;
mod searcher;
mod segment_leaf;
#[cfg(test)]
mod tests;
mod top;
mod tree;
mod union;
mod unit;

use blaze_core::Result;

pub use delta_leaf::DeltaLeaf;
pub use explain::{Explanation, TermScore};
pub use leaf::{Leaf, TermVisitor};
pub use node::Node;
pub use reads::TermsRead;
pub use searcher::{Found, FoundVisitor, Searcher};
pub use segment_leaf::{SegmentLeaf, documents_of};

/// A filter that reads documents, if there is one: asked by id, only of what would be among the best.
pub type Accept<'a> = Option<&'a mut (dyn FnMut(&[u8]) -> Result<bool> + 'a)>;
