//! What the stages of a pipeline hold in memory, within one limit.

use blaze_core::aggregate::heap_bytes;
use blaze_core::{Document, Error, Result, Value};

/// Bytes held by all stages together.
#[derive(Debug)]
pub(super) struct Memory {
    held: usize,
    peak: usize,
    limit: usize,
}

impl Memory {
    pub(super) fn new(limit: usize) -> Memory {
        Memory { held: 0, peak: 0, limit }
    }

    /// Counts what a stage holds from now on.
    pub(super) fn hold(&mut self, stage: &str, bytes: usize) -> Result<()> {
        let held = self.held.saturating_add(bytes);
        if held > self.limit {
            let limit = self.limit;
            return Err(Error::limit_exceeded(format!(
                "{stage} would bring the memory of the pipeline to {held} bytes, the limit is {limit}: let fewer rows or \
                 fields come to it, or raise memory_limit"
            )));
        }
        self.held = held;
        self.peak = self.peak.max(held);
        Ok(())
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    pub(super) fn peak(&self) -> usize {
        self.peak
    }
}

/// About how many bytes a document takes in memory.
pub(super) fn document_bytes(document: &Document) -> usize {
    let entries = document.iter().map(|(key, value)| size_of::<(String, Value)>() + key.len() + heap_bytes(value));
    size_of::<Document>() + entries.sum::<usize>()
}
