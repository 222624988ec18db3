//! Records of CSV.

use std::cell::Cell;
use std::io::{BufRead, Read};
use std::rc::Rc;

use blaze_core::limits::{CSV_COLUMNS_MAX, IMPORT_LINE_BYTES_MAX};
use blaze_core::{Document, Error, Path, Result, Value};
use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder};

use super::cell;
use super::columns::check_columns;
use super::input::{Piece, Pieces};
use super::options::{Csv, CsvTypes};

/// The records of a text. The first one names the columns; a dot in a name leads into a map.
pub(super) struct Records<'a> {
    reader: Reader<Limited<Box<dyn BufRead + 'a>>>,
    columns: Vec<Path>,
    types: CsvTypes,
    record: ByteRecord,
    remaining: Rc<Cell<usize>>,
}

/// A reader that gives up when a record takes more than its share.
struct Limited<R> {
    reader: R,
    remaining: Rc<Cell<usize>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        let Some(remaining) = self.remaining.get().checked_sub(bytes) else {
            let message =
                format!("a record has more than {IMPORT_LINE_BYTES_MAX} bytes, the limit: is a quote left open?");
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
        };
        self.remaining.set(remaining);
        Ok(bytes)
    }
}

impl<'a> Records<'a> {
    /// Reads the names of the columns.
    pub(super) fn open(reader: Box<dyn BufRead + 'a>, csv: &Csv) -> Result<Records<'a>> {
        let remaining = Rc::new(Cell::new(IMPORT_LINE_BYTES_MAX));
        let reader = Limited { reader, remaining: Rc::clone(&remaining) };
        let mut reader = ReaderBuilder::new().delimiter(csv.delimiter).has_headers(false).from_reader(reader);
        let mut record = ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(failed)?;
        if record.len() > CSV_COLUMNS_MAX {
            let columns = record.len();
            return Err(Error::limit_exceeded(format!(
                "line 1 names {columns} columns, the limit is {CSV_COLUMNS_MAX}"
            )));
        }
        let name = |name: &[u8]| match std::str::from_utf8(name) {
            Ok(name) => Ok(name.to_owned()),
            Err(_) => Err(Error::invalid(format!(
                "line 1: the name of a column is invalid UTF-8: {:?}",
                name.escape_ascii().to_string()
            ))),
        };
        let names = record.iter().map(name).collect::<Result<Vec<String>>>()?;
        let columns: Vec<Path> = names.iter().map(|name| Path::from(name.as_str())).collect();
        check_columns(&columns).map_err(|error| error.context("line 1"))?;
        Ok(Records { reader, columns, types: csv.types, record, remaining })
    }

    fn document(&self) -> std::result::Result<Document, String> {
        let mut document = Document::new();
        for (column, bytes) in self.columns.iter().zip(&self.record) {
            let text = std::str::from_utf8(bytes).map_err(|_| format!("column {column}: invalid UTF-8"))?;
            let value = match self.types {
                CsvTypes::Strings => Some(Value::from(text)),
                CsvTypes::Inferred => cell::inferred(text),
            };
            if let Some(value) = value {
                let keys: Vec<&str> = column.segments().iter().map(|segment| segment.key()).collect();
                set(&mut document, &keys, value);
            }
        }
        Ok(document)
    }
}

/// Sets the value under nested keys; no column leads through the value of another.
fn set(document: &mut Document, keys: &[&str], value: Value) {
    match keys {
        [] => {}
        [key] => drop(document.insert(*key, value)),
        [key, rest @ ..] => {
            if let Some(Value::Map(inner)) = document.get_mut(key) {
                return set(inner, rest, value);
            }
            let mut inner = Document::new();
            set(&mut inner, rest, value);
            document.insert(*key, inner);
        }
    }
}

impl Pieces for Records<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece>> {
        self.remaining.set(IMPORT_LINE_BYTES_MAX);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = self.record.position().map_or(0, Position::line);
                let document = self.document().map_err(|reason| format!("line {line}, {reason}"));
                Ok(Some(Piece { line, document }))
            }
            Err(error) => match error.kind() {
                ErrorKind::UnequalLengths { pos, expected_len, len } => {
                    let line = pos.as_ref().map_or(0, Position::line);
                    let reason = format!("line {line}: it has {len} cells, and there are {expected_len} columns");
                    Ok(Some(Piece { line, document: Err(reason) }))
                }
                _ => Err(failed(error)),
            },
        }
    }

    fn lines(&self) -> u64 {
        self.reader.position().line().saturating_sub(1)
    }

    fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            Error::limit_exceeded(error.to_string())
        }
        ErrorKind::Io(error) => super::input::failed(error),
        other => Error::invalid(format!("the input is no CSV: {other:?}")),
    }
}
