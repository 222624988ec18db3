//! Importing documents.

use std::fmt;
use std::io::{BufRead, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::{
    Document, DocumentId, Error, ErrorKind, ID_FIELD, JsonForm, PARENT_FIELD, Result, Value, take_id, take_parent,
};

use super::destination::{Arrival, Arrived, Destination};
use super::input::{Piece, Pieces, text};
use super::lines::Lines;
use super::options::{BadLine, Csv, CsvTypes, ImportProgress, ImportReport, JsonLines, OnDuplicate, OnError};
use super::records::Records;
use crate::catalog::Named;
use crate::collection::place_under;
use crate::session::Scope;

/// Pieces between two reports of progress.
const PIECES_PER_REPORT: u64 = 1_000;

/// Bad lines that an import that is refused names.
const BAD_LINES_NAMED: usize = 10;

/// Imports documents from a stream; see [`Collection::import_json_lines`](crate::Collection::import_json_lines) and
/// [`Collection::import_csv`](crate::Collection::import_csv).
#[must_use = "nothing is imported before run"]
pub struct Import<'a, F> {
    format: F,
    reader: Box<dyn Read + 'a>,
    scope: Scope,
    named: Arc<Named>,
    id_field: Option<String>,
    keeps_id_field: bool,
    on_error: OnError,
    on_duplicate: OnDuplicate,
    loads: bool,
    batch_documents: usize,
    progress: Box<dyn FnMut(ImportProgress) -> ControlFlow<()> + 'a>,
}

impl<'a, F> Import<'a, F> {
    pub(crate) fn new(format: F, reader: impl Read + 'a, scope: &Scope, named: &Arc<Named>) -> Import<'a, F> {
        Import {
            format,
            reader: Box::new(reader),
            scope: scope.clone(),
            named: Arc::clone(named),
            id_field: None,
            keeps_id_field: false,
            on_error: OnError::Refuse,
            on_duplicate: OnDuplicate::Refuse,
            loads: false,
            batch_documents: 1_000,
            progress: Box::new(|_| ControlFlow::Continue(())),
        }
    }

    /// The field of the whole document that holds its id, an int, a string, bytes or a UUID. It is taken out of the document.
    /// Without such a field, ids are automatic.
    pub fn id_field(mut self, key: impl Into<String>) -> Import<'a, F> {
        self.id_field = Some(key.into());
        self
    }

    /// As [`id_field`](Import::id_field), and the field stays in the document.
    pub fn id_field_kept(mut self, key: impl Into<String>) -> Import<'a, F> {
        self.keeps_id_field = true;
        self.id_field(key)
    }

    /// What to do about bad lines; unless said otherwise, nothing is imported if there is one.
    pub fn on_error(mut self, on_error: OnError) -> Import<'a, F> {
        self.on_error = on_error;
        self
    }

    /// What to do about documents whose id is there already; unless said otherwise, their lines are bad ones.
    pub fn on_duplicate(mut self, on_duplicate: OnDuplicate) -> Import<'a, F> {
        self.on_duplicate = on_duplicate;
        self
    }

    /// Goes by the [bulk load](crate::Database::load_collection), which is much faster and takes any size as one, into a
    /// collection without documents. Nobody sees a document before all are there.
    pub fn load(mut self) -> Import<'a, F> {
        self.loads = true;
        self
    }

    /// Documents in one commit, at least 1, when bad lines are skipped; 1,000 by default.
    pub fn batch_documents(mut self, documents: usize) -> Import<'a, F> {
        self.batch_documents = documents.max(1);
        self
    }

    /// Called now and then, and at the end of the input. With [`ControlFlow::Break`] the import ends with
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn progress(mut self, progress: impl FnMut(ImportProgress) -> ControlFlow<()> + 'a) -> Import<'a, F> {
        self.progress = Box::new(progress);
        self
    }
}

impl Import<'_, JsonLines> {
    /// How values are spelt; [`JsonForm::Extended`] by default. [`JsonForm::Plain`] takes any JSON as it is.
    pub fn form(mut self, form: JsonForm) -> Self {
        self.format.form = form;
        self
    }

    /// Imports the documents.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when lines are bad and [`OnError::Refuse`] holds, naming the first ones, and when
    /// options contradict each other; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when more is to be imported whole or not
    /// at all than a transaction can take; [`Cancelled`](crate::ErrorKind::Cancelled);
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the input cannot be read; as
    /// [`CollectionLoader::finish`](crate::CollectionLoader::finish) with [`load`](Import::load); else as
    /// [`Collection::insert`](crate::Collection::insert). Nothing was imported then, but for batches that were committed
    /// before, if bad lines are skipped without a load.
    pub fn run(self) -> Result<ImportReport> {
        let form = self.format.form;
        self.run_as(|reader| Ok(Box::new(Lines::new(reader, form))))
    }
}

impl Import<'_, Csv> {
    /// What separates cells; a comma by default.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.format.delimiter = delimiter;
        self
    }

    /// What becomes of cells; [`CsvTypes::Inferred`] by default.
    pub fn types(mut self, types: CsvTypes) -> Self {
        self.format.types = types;
        self
    }

    /// Imports the documents.
    ///
    /// # Errors
    /// As [`Import::run`](Import<JsonLines>::run) of lines of JSON; [`Invalid`](crate::ErrorKind::Invalid) also when the names
    /// of the columns are not well-formed, come twice, or one leads through another.
    pub fn run(self) -> Result<ImportReport> {
        let csv = self.format.clone();
        self.run_as(|reader| Ok(Box::new(Records::open(reader, &csv)?)))
    }
}

impl<'a, F> Import<'a, F> {
    fn run_as(self, open: impl FnOnce(Box<dyn BufRead + 'a>) -> Result<Box<dyn Pieces + 'a>>) -> Result<ImportReport> {
        let name = self.named.name().to_owned();
        let in_collection = |error: Error| error.context(format!("import into the collection {name:?}"));
        self.check_options().map_err(in_collection)?;
        let Import { reader, scope, named, on_error, on_duplicate, batch_documents, .. } = self;
        let (field, keeps) = (self.id_field, self.keeps_id_field);
        let going = || -> Result<ImportReport> {
            let below = scope.read(|session| Ok(named.definition(session)?.parent.is_some()))?;
            let ids = Ids { field, keeps, below };
            let destination = match self.loads {
                true => Destination::loader(&scope, named.name(), on_error)?,
                false => Destination::commits(&scope, &named, on_error, on_duplicate, batch_documents),
            };
            let pieces = open(text(reader)?)?;
            Going { pieces, destination, ids, on_error, progress: self.progress, report: ImportReport::default() }.run()
        };
        going().map_err(in_collection)
    }

    fn check_options(&self) -> Result<()> {
        if self.id_field.is_none() && self.on_duplicate != OnDuplicate::Refuse {
            return Err(Error::invalid(
                "documents whose ids are automatic are no duplicates: name the field of the id",
            ));
        }
        if self.loads && self.on_duplicate != OnDuplicate::Refuse {
            return Err(Error::invalid("a bulk load refuses duplicates: it neither skips nor replaces documents"));
        }
        Ok(())
    }
}

/// Where ids come from.
struct Ids {
    field: Option<String>,
    keeps: bool,
    /// True if documents say their parent, too.
    below: bool,
}

impl Ids {
    fn of(&self, document: &mut Document) -> std::result::Result<Option<DocumentId>, String> {
        let has_id = |document: &Document| document.get(ID_FIELD).is_some_and(|id| *id != Value::Null);
        let field = match &self.field {
            Some(field) => field,
            None if has_id(document) => ID_FIELD,
            None if self.below => return Err(format!("there is no field {ID_FIELD:?}, which holds the id")),
            None => return Ok(None),
        };
        let id = match document.get(field) {
            None => return Err(format!("there is no field {field:?}, which holds the id")),
            Some(Value::Int(int)) => DocumentId::Int(*int),
            Some(Value::UInt(int)) => DocumentId::from(*int),
            Some(Value::String(text)) => DocumentId::from(text),
            Some(Value::Bytes(bytes)) => DocumentId::from(bytes.as_slice()),
            Some(Value::Uuid(uuid)) => DocumentId::Uuid(*uuid),
            Some(other) => {
                let found = other.type_name();
                return Err(format!("the field {field:?} is a {found}, an id is an int, a string, bytes or a uuid"));
            }
        };
        id.validate().map_err(|error| error.to_string())?;
        if field == ID_FIELD && (self.keeps || self.field.is_none()) {
            document.insert(field, Value::Null); // the place of an id that is stored in the key
        } else if !self.keeps {
            document.remove(field);
        }
        if field != ID_FIELD {
            let own = take_id(document).map_err(|error| error.to_string())?;
            place_under(own.as_ref(), &id, document).map_err(|error| error.to_string())?;
        }
        if !self.below {
            return Ok(Some(id));
        }
        let parent = take_parent(document).map_err(|error| error.to_string())?;
        let parent =
            parent.ok_or_else(|| format!("there is no field {PARENT_FIELD:?}, which holds the parent's id"))?;
        if self.field.is_some() && !self.keeps {
            document.remove(PARENT_FIELD);
        }
        Ok(Some(DocumentId::child(parent, id)))
    }
}

/// An import under way.
struct Going<'a> {
    pieces: Box<dyn Pieces + 'a>,
    destination: Destination,
    ids: Ids,
    on_error: OnError,
    progress: Box<dyn FnMut(ImportProgress) -> ControlFlow<()> + 'a>,
    report: ImportReport,
}

impl Going<'_> {
    fn run(mut self) -> Result<ImportReport> {
        if let Err(error) = self.read_all() {
            self.destination.give_up();
            let lines = self.report.lines;
            return Err(match error.kind() {
                ErrorKind::Invalid => error,
                _ => error.context(format!("after line {lines}")),
            });
        }
        let arrived = self.destination.finish()?;
        note(&mut self.report, arrived);
        Ok(self.report)
    }

    fn read_all(&mut self) -> Result<()> {
        let (mut pieces, mut documents, mut before) = (0_u64, 0_u64, self.pieces.bytes());
        while let Some(Piece { line, document }) = self.pieces.next_piece()? {
            (self.report.lines, self.report.bytes) = (self.pieces.lines(), self.pieces.bytes());
            let bytes = self.report.bytes - std::mem::replace(&mut before, self.report.bytes);
            let identified = document.and_then(|mut document| {
                let id = self.ids.of(&mut document).map_err(|reason| format!("line {line}: {reason}"))?;
                Ok((id, document))
            });
            match identified {
                Err(reason) => note(&mut self.report, Arrived { bad: vec![(line, reason)], ..Arrived::default() }),
                // Nothing will be imported: only further bad lines are of interest.
                Ok(_) if self.is_refused() => {}
                Ok((id, document)) => {
                    documents += 1;
                    let arrived = self.destination.take(Arrival { line, bytes, id, document })?;
                    note(&mut self.report, arrived);
                }
            }
            if self.is_refused() && self.report.first_bad_lines.len() >= BAD_LINES_NAMED {
                break;
            }
            pieces += 1;
            if pieces.is_multiple_of(PIECES_PER_REPORT) {
                self.tell(documents)?;
            }
        }
        (self.report.lines, self.report.bytes) = (self.pieces.lines(), self.pieces.bytes());
        self.tell(documents)?;
        match self.is_refused() {
            false => Ok(()),
            true => {
                let bad = &self.report.first_bad_lines;
                let reasons: Vec<&str> = bad.iter().map(|bad| bad.reason.as_str()).collect();
                Err(Error::invalid(format!("nothing was imported: {}", reasons.join("; "))))
            }
        }
    }

    fn is_refused(&self) -> bool {
        self.on_error == OnError::Refuse && self.report.bad_lines > 0
    }

    fn tell(&mut self, documents: u64) -> Result<()> {
        let ImportReport { lines, bytes, bad_lines, .. } = self.report;
        match (self.progress)(ImportProgress { lines, bytes, documents, bad_lines }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("the import was stopped by its caller")),
        }
    }
}

fn note(report: &mut ImportReport, arrived: Arrived) {
    report.documents += arrived.documents;
    report.replaced += arrived.replaced;
    report.skipped += arrived.skipped;
    report.bad_lines += arrived.bad.len() as u64;
    let room = ImportReport::BAD_LINES_TOLD.saturating_sub(report.first_bad_lines.len());
    report.first_bad_lines.extend(arrived.bad.into_iter().take(room).map(|(line, reason)| BadLine { line, reason }));
    // Documents that were parsed wait for their batch, while lines that were not are known at once.
    report.first_bad_lines.sort_by_key(|bad| bad.line);
}

impl<F> fmt::Debug for Import<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import").field("collection", &self.named.name()).finish_non_exhaustive()
    }
}
