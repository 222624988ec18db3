//! Import and export: documents as lines of JSON or records of CSV.
//!
//! `lines.rs` and `records.rs` read a stream piece by piece and say what is wrong with each; `import.rs` gives the documents
//! their ids and hands them to `destination.rs`, which commits batches, one transaction or a bulk load. `export.rs` writes what one
//! view holds.

mod cell;
mod columns;
mod destination;
mod export;
mod import;
mod input;
mod lines;
mod options;
mod records;

pub use export::{Export, ExportProgress, ExportReport};
pub use import::Import;
pub use options::{BadLine, Csv, CsvTypes, ImportProgress, ImportReport, JsonLines, OnDuplicate, OnError};
