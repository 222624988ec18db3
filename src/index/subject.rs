//! What the entries of a document are made of: the document, or the record that it is stored as.

use std::borrow::Cow;

use blaze_core::record::RawDocument;
use blaze_core::{Document, Path, Result, Value, traverse};

/// What entries are made of.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Document(&'a Document),
    Record(&'a RawDocument<'a>),
}

impl<'a> Subject<'a> {
    pub(super) fn document(self) -> Result<Cow<'a, Document>> {
        match self {
            Subject::Document(document) => Ok(Cow::Borrowed(document)),
            Subject::Record(record) => record.decode().map(Cow::Owned),
        }
    }

    /// The one value that a path leads to through maps alone.
    pub(super) fn get(self, path: &Path) -> Result<Option<Cow<'a, Value>>> {
        match self {
            Subject::Document(document) => Ok(traverse::get(document, path).map(Cow::Borrowed)),
            Subject::Record(record) => Ok(record.get(path)?.map(Cow::Owned)),
        }
    }

    /// The value of a field of the document itself.
    pub(super) fn field(self, key: &str) -> Result<Option<Cow<'a, Value>>> {
        match self {
            Subject::Document(document) => Ok(document.get(key).map(Cow::Borrowed)),
            Subject::Record(record) => Ok(record.get(&Path::from_keys([key]))?.map(Cow::Owned)),
        }
    }

    /// All values that a path reaches.
    pub(super) fn reached(self, path: &Path) -> Result<Vec<Cow<'a, Value>>> {
        let mut reached = Vec::new();
        match self {
            Subject::Document(document) => {
                traverse::visit(document, path, &mut |value| reached.push(Cow::Borrowed(value)));
            }
            Subject::Record(record) => record.visit(path, &mut |value| {
                reached.push(Cow::Owned(value));
                Ok(())
            })?,
        }
        Ok(reached)
    }

    /// True if a path reaches nothing, through arrays either.
    pub(super) fn lacks(self, path: &Path) -> Result<bool> {
        let mut lacks = true;
        match self {
            Subject::Document(document) => traverse::visit(document, path, &mut |_| lacks = false),
            Subject::Record(record) => record.visit_raw(path, &mut |_| {
                lacks = false;
                Ok(())
            })?,
        }
        Ok(lacks)
    }
}
