//! How a pipeline was run, and what that took.

use std::fmt;

/// How a pipeline was run, and what that took: readable text, and the counts.
///
/// ```text
/// index year on (year), 1 range, forward
///   1 filter year >= 1975: by the plan
///   2 group by director (count: count): in memory
///   keys examined 20, documents examined 20, rows 3, memory peak 1320 bytes
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipelineExplain {
    /// Entries of indexes and documents of scans that were looked at, of joined collections, too.
    pub keys_examined: u64,
    /// Documents that were read, of joined collections, too.
    pub documents_examined: u64,
    /// Rows of the answer.
    pub rows: u64,
    /// The most bytes that the stages held in memory at one time.
    pub memory_peak_bytes: usize,
    pub(super) index: Option<String>,
    pub(super) plan: String,
    pub(super) stages: Vec<String>,
}

impl PipelineExplain {
    /// The index through which the documents of the collection were found, if there was one.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        self.index.as_deref()
    }

    /// How the documents of the collection were found.
    #[must_use]
    pub fn plan(&self) -> &str {
        &self.plan
    }

    /// The stages in order, each as a line of text that says how it was run.
    pub fn stages(&self) -> impl ExactSizeIterator<Item = &str> {
        self.stages.iter().map(String::as_str)
    }
}

impl fmt::Display for PipelineExplain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.plan)?;
        for stage in &self.stages {
            writeln!(f, "  {stage}")?;
        }
        let PipelineExplain { keys_examined, documents_examined, rows, memory_peak_bytes, .. } = self;
        write!(
            f,
            "  keys examined {keys_examined}, documents examined {documents_examined}, rows {rows}, \
             memory peak {memory_peak_bytes} bytes"
        )
    }
}
