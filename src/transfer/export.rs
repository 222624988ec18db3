//! Exporting documents.

use std::fmt;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::{Document, Error, ID_FIELD, JsonForm, PARENT_FIELD, Path, Result, Value, traverse};

use super::cell;
use super::columns::{Columns, check_columns};
use super::options::{Csv, JsonLines};
use crate::catalog::{Definition, Named};
use crate::collection::{Walked, walk};
use crate::session::{Scope, Session};

const BUFFER_BYTES: usize = 64 * 1024;

/// Documents between two reports of progress.
const DOCUMENTS_PER_REPORT: u64 = 1_000;

/// How far an export has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportProgress {
    /// Documents that were written.
    pub documents: u64,
    /// Bytes of text, before compression.
    pub bytes: u64,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportReport {
    /// Documents that were written.
    pub documents: u64,
    /// Bytes of text, before compression.
    pub bytes: u64,
}

/// Exports the documents of a collection as one view has them, in the order of their ids; see
/// [`Collection::export_json_lines`](crate::Collection::export_json_lines) and
/// [`Collection::export_csv`](crate::Collection::export_csv).
#[must_use = "nothing is exported before run"]
pub struct Export<'a, F> {
    format: F,
    writer: Box<dyn Write + 'a>,
    scope: Scope,
    named: Arc<Named>,
    id_field: Option<String>,
    compresses: bool,
    progress: Box<dyn FnMut(ExportProgress) -> ControlFlow<()> + 'a>,
}

impl<'a, F> Export<'a, F> {
    pub(crate) fn new(format: F, writer: impl Write + 'a, scope: &Scope, named: &Arc<Named>) -> Export<'a, F> {
        Export {
            format,
            writer: Box::new(writer),
            scope: scope.clone(),
            named: Arc::clone(named),
            id_field: Some("_id".to_owned()),
            compresses: false,
            progress: Box::new(|_| ControlFlow::Continue(())),
        }
    }

    /// The field that the ids are written to, `_id` by default; no document may have it itself.
    pub fn id_field(mut self, key: impl Into<String>) -> Export<'a, F> {
        self.id_field = Some(key.into());
        self
    }

    /// Leaves the ids out.
    pub fn without_ids(mut self) -> Export<'a, F> {
        self.id_field = None;
        self
    }

    /// Compresses what is written with zstd; imports see that by themselves.
    pub fn zstd(mut self) -> Export<'a, F> {
        self.compresses = true;
        self
    }

    /// Called now and then, and at the end. With [`ControlFlow::Break`] the export ends with
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn progress(mut self, progress: impl FnMut(ExportProgress) -> ControlFlow<()> + 'a) -> Export<'a, F> {
        self.progress = Box::new(progress);
        self
    }
}

impl Export<'_, JsonLines> {
    /// How values are spelt; [`JsonForm::Extended`] by default, which an import reads back without loss.
    pub fn form(mut self, form: JsonForm) -> Self {
        self.format.form = form;
        self
    }

    /// Writes the documents, an object on each line.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a document has the field of the id itself;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the writer fails; [`Cancelled`](crate::ErrorKind::Cancelled); else as
    /// [`Collection::get`](crate::Collection::get). What was written until then is not taken back.
    pub fn run(self) -> Result<ExportReport> {
        let form = self.format.form;
        self.run_as(|session, definition, id_field, lines| {
            walk(session, definition, None, None, &mut |walked| {
                let mut line = form.write_document(&with_id(id_field, walked)?)?;
                line.push('\n');
                lines.document(line.as_bytes())
            })
            .map(drop)
        })
    }
}

impl Export<'_, Csv> {
    /// What separates cells; a comma by default.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.format.delimiter = delimiter;
        self
    }

    /// The columns beside that of the id, each a path into the documents. Unless they are chosen, there is one for each field
    /// that a document has, those in maps included; all documents are then read twice.
    pub fn columns<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.format.columns = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Writes the names of the columns and a record for each document.
    ///
    /// Strings stand as they are, arrays and maps as plain JSON, null and what is missing as nothing; a path that reaches several
    /// values gives an array of them. What begins with `=`, `+`, `-` or `@` is written as it is: spreadsheets take it for a
    /// formula, so a file with text of others should not be opened in one unseen.
    ///
    /// # Errors
    /// As [`Export::run`](Export<JsonLines>::run) of lines of JSON; [`Invalid`](crate::ErrorKind::Invalid) also when a column is
    /// not well-formed or comes twice, and when a key makes no column;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when there would be more than
    /// [`CSV_COLUMNS_MAX`](crate::limits::CSV_COLUMNS_MAX) columns.
    pub fn run(self) -> Result<ExportReport> {
        let csv = self.format.clone();
        self.run_as(|session, definition, id_field, lines| {
            let mut names = match csv.columns {
                Some(columns) => columns,
                None => {
                    let mut columns = Columns::default();
                    walk(session, definition, None, None, &mut |walked| {
                        let observed = columns.observe(&walked.document);
                        observed.map_err(|error| error.context(format!("document {:?}", walked.id)))?;
                        Ok(ControlFlow::Continue(()))
                    })?;
                    let mut names = columns.into_names();
                    // The id is the first column, or is left out.
                    names.retain(|name| name != ID_FIELD || !matches!(id_field, None | Some(ID_FIELD)));
                    names
                }
            };
            names.splice(0..0, id_field.map(str::to_owned));
            if definition.parent.is_some() {
                names.retain(|name| name != PARENT_FIELD);
                names.splice(0..0, id_field.map(|_| PARENT_FIELD.to_owned()));
            }
            let paths: Vec<Path> = names.iter().map(|name| Path::from(name.as_str())).collect();
            check_columns(&paths)?;
            let mut record = csv::WriterBuilder::new().delimiter(csv.delimiter).from_writer(Vec::new());
            let mut line = |cells: &[String]| -> Result<Vec<u8>> {
                let written = record.write_record(cells).map_err(|error| Error::internal(format!("a record: {error}")));
                written.and_then(|()| record.flush().map_err(failed))?;
                let inner = std::mem::replace(
                    &mut record,
                    csv::WriterBuilder::new().delimiter(csv.delimiter).from_writer(Vec::new()),
                );
                inner.into_inner().map_err(|error| Error::internal(format!("a record: {error}")))
            };
            lines.text(&line(&names)?)?;
            walk(session, definition, None, None, &mut |walked| {
                let document = with_id(id_field, walked)?;
                let cells = paths.iter().map(|path| cell_of(&document, path)).collect::<Result<Vec<String>>>()?;
                lines.document(&line(&cells)?)
            })
            .map(drop)
        })
    }
}

impl<F> Export<'_, F> {
    fn run_as(
        self,
        work: impl FnOnce(&Session, &Definition, Option<&str>, &mut Lines<'_>) -> Result<()>,
    ) -> Result<ExportReport> {
        let Export { writer, scope, named, id_field, compresses, progress, .. } = self;
        let exported = scope.read(|session| {
            let definition = named.definition(session)?;
            if definition.parent.is_some() && id_field.as_deref() == Some(PARENT_FIELD) {
                return Err(Error::invalid(format!(
                    "the field {PARENT_FIELD} holds the parents' ids: choose another for the ids"
                )));
            }
            let output = match compresses {
                true => Output::Zstd(zstd::stream::write::Encoder::new(writer, 0).map_err(failed)?),
                false => Output::Plain(writer),
            };
            let output = BufWriter::with_capacity(BUFFER_BYTES, output);
            let mut lines = Lines { output, progress, state: ExportProgress::default() };
            work(session, &definition, id_field.as_deref(), &mut lines)?;
            lines.finish()
        });
        exported.map_err(|error| error.context(format!("export of the collection {:?}", named.name())))
    }
}

/// The document with its id in front, and that of its parent before it.
fn with_id(id_field: Option<&str>, walked: Walked) -> Result<Document> {
    let Walked { id, mut document, .. } = walked;
    let Some(field) = id_field else {
        document.remove(ID_FIELD);
        id.parent().and_then(|_| document.remove(PARENT_FIELD));
        return Ok(document);
    };
    let parent = id.parent().filter(|_| !document.contains_key(PARENT_FIELD)).map(Value::from);
    let parent = parent.map(|parent| (PARENT_FIELD.to_owned(), parent));
    if field == ID_FIELD && document.contains_key(field) {
        return Ok(parent.into_iter().chain(document).collect());
    }
    if document.contains_key(field) {
        return Err(Error::invalid(format!(
            "document {id:?} has a field {field:?} itself: choose another for the ids"
        )));
    }
    Ok(parent.into_iter().chain([(field.to_owned(), Value::from(id))]).chain(document).collect())
}

fn cell_of(document: &Document, path: &Path) -> Result<String> {
    let mut values = Vec::new();
    traverse::visit(document, path, &mut |value| values.push(value));
    match values.as_slice() {
        [] => Ok(String::new()),
        [value] => cell::text(value),
        values => cell::text(&Value::Array(values.iter().map(|value| (*value).clone()).collect())),
    }
}

/// Where text goes.
enum Output<'a> {
    Plain(Box<dyn Write + 'a>),
    Zstd(zstd::stream::write::Encoder<'static, Box<dyn Write + 'a>>),
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Output::Plain(writer) => writer.write(bytes),
            Output::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Output::Plain(writer) => writer.flush(),
            Output::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// Lines on their way out.
struct Lines<'a> {
    output: BufWriter<Output<'a>>,
    progress: Box<dyn FnMut(ExportProgress) -> ControlFlow<()> + 'a>,
    state: ExportProgress,
}

impl Lines<'_> {
    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.state.bytes += text.len() as u64;
        self.output.write_all(text).map_err(failed)
    }

    fn document(&mut self, text: &[u8]) -> Result<ControlFlow<()>> {
        self.text(text)?;
        self.state.documents += 1;
        if self.state.documents.is_multiple_of(DOCUMENTS_PER_REPORT) {
            self.tell()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn tell(&mut self) -> Result<()> {
        match (self.progress)(self.state) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("the export was stopped by its caller")),
        }
    }

    fn finish(mut self) -> Result<ExportReport> {
        self.tell()?;
        let ExportProgress { documents, bytes } = self.state;
        let output = self.output.into_inner().map_err(|error| failed(error.into_error()))?;
        let mut writer = match output {
            Output::Plain(writer) => writer,
            Output::Zstd(encoder) => encoder.finish().map_err(failed)?,
        };
        writer.flush().map_err(failed)?;
        Ok(ExportReport { documents, bytes })
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::unavailable(format!("the output cannot be written: {error}")).with_source(error)
}

impl<F> fmt::Debug for Export<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("collection", &self.named.name()).finish_non_exhaustive()
    }
}
