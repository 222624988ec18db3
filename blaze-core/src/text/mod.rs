//! Text: how it is cut into terms, what a search asks of them, and what of a text is shown.

pub mod analyzer;
pub mod highlight;
mod language;
mod query;

pub use analyzer::{Analysis, Analyzer, QueryToken, Token};
pub use highlight::{Highlighter, Snippet};
pub use language::Language;
pub use query::TextQuery;
