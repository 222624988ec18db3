//! A row on its way through a pipeline, and what it goes through.

use std::collections::VecDeque;
use std::sync::Arc;

use blaze_core::expression::Input;
use blaze_core::record::RawDocument;
use blaze_core::{Document, DocumentId, Result};

use super::memory::Memory;
use super::needs::Needs;
use crate::query::Counters;
use crate::session::Session;

/// A row: a document of the collection that is still bytes, or one that a stage has made.
pub(super) enum Row<'a> {
    Stored { id: &'a DocumentId, document: RawDocument<'a>, needs: &'a Needs },
    Made { id: Option<DocumentId>, document: Document },
}

impl Row<'_> {
    /// What expressions are computed from.
    pub(super) fn input(&self) -> Input<'_> {
        match self {
            Row::Stored { id, document, .. } => Input::raw(*document).with_id(id),
            Row::Made { id: Some(id), document } => Input::document(document).with_id(id),
            Row::Made { id: None, document } => Input::document(document),
        }
    }

    pub(super) fn id(&self) -> Option<&DocumentId> {
        match self {
            Row::Stored { id, .. } => Some(id),
            Row::Made { id, .. } => id.as_ref(),
        }
    }

    /// The document, with as much of it as is needed later.
    pub(super) fn into_parts(self) -> Result<(Option<DocumentId>, Document)> {
        match self {
            Row::Stored { id, document, needs: Needs::Everything } => Ok((Some(id.clone()), document.decode()?)),
            Row::Stored { id, document, needs: Needs::Fields(fields) } => {
                Ok((Some(id.clone()), document.decode_fields(&|key| fields.contains(key))?))
            }
            Row::Made { id, document } => Ok((id, document)),
        }
    }

    /// The same row once more.
    pub(super) fn duplicate(&self) -> Row<'_> {
        match self {
            Row::Stored { id, document, needs } => Row::Stored { id, document: *document, needs },
            Row::Made { id, document } => Row::Made { id: id.clone(), document: document.clone() },
        }
    }
}

/// Whether a stage takes more rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flow {
    More,
    Done,
}

/// A stage that runs: rows are pushed into it, and it pushes what becomes of them into the next one.
pub(super) trait Operator: Send {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow>;

    /// Pushes what it has held back, after the last row.
    fn finish(&mut self, _next: &mut Next<'_>) -> Result<()> {
        Ok(())
    }
}

/// What all stages of a pipeline share while it runs.
pub(super) struct Context {
    pub(super) session: Arc<Session>,
    pub(super) memory: Memory,
    /// What stages have read besides the documents that come in.
    pub(super) counters: Counters,
}

/// The stages after one, and where the rows of the last one go.
pub(super) struct Next<'a> {
    pub(super) operators: &'a mut [Box<dyn Operator>],
    pub(super) output: &'a mut VecDeque<Document>,
    pub(super) context: &'a mut Context,
}

impl Next<'_> {
    pub(super) fn push(&mut self, row: Row<'_>) -> Result<Flow> {
        match self.operators.split_first_mut() {
            Some((first, rest)) => {
                first.push(row, &mut Next { operators: rest, output: self.output, context: self.context })
            }
            None => {
                self.output.push_back(row.into_parts()?.1);
                Ok(Flow::More)
            }
        }
    }

    /// Pushes a document that belongs to none of the collection alone.
    pub(super) fn push_made(&mut self, document: Document) -> Result<Flow> {
        self.push(Row::Made { id: None, document })
    }

    /// Has each stage push what it has held back.
    pub(super) fn finish(&mut self) -> Result<()> {
        let mut operators = &mut *self.operators;
        while let Some((first, rest)) = operators.split_first_mut() {
            first.finish(&mut Next { operators: &mut *rest, output: self.output, context: self.context })?;
            operators = rest;
        }
        Ok(())
    }
}
