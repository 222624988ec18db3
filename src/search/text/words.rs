//! The tokens of documents, as an index has them.

use blaze_core::record::RawDocument;
use blaze_core::{Analysis, Path, Result, Token, Value};

use crate::index::{TextField, TextFields};

/// Analyses the fields of documents as an index does.
#[derive(Debug)]
pub(super) struct Words<'a> {
    fields: Vec<(&'a Path, Analysis<'a>)>,
}

impl<'a> Words<'a> {
    pub(super) fn new(fields: &'a TextFields) -> Words<'a> {
        let begin = |field: &'a TextField| (&field.path, field.analyzer.begin());
        Words { fields: fields.fields.iter().map(begin).collect() }
    }

    /// Calls `visit` with the number of each field, and each token in it.
    pub(super) fn of_record(&mut self, record: &RawDocument<'_>, visit: &mut dyn FnMut(u8, Token<'_>)) -> Result<()> {
        for (field, (path, analysis)) in (0_u8..).zip(&mut self.fields) {
            visit_texts(record, path, &mut |text| analysis.analyze(text, &mut |token| visit(field, token)))?;
        }
        Ok(())
    }
}

/// Calls `visit` with each text at a path: a string, or those of an array.
pub(super) fn visit_texts(record: &RawDocument<'_>, path: &Path, visit: &mut dyn FnMut(&str)) -> Result<()> {
    record.visit(path, &mut |value| {
        match &value {
            Value::String(text) => visit(text),
            Value::Array(elements) => elements.iter().filter_map(Value::as_str).for_each(&mut *visit),
            _ => {}
        }
        Ok(())
    })
}
