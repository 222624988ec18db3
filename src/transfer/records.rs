//! Records of CSV.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, Read};
use std::rc::Rc;

use blaze_core::limits::{CSV_COLUMNS_MAX, IMPORT_LINE_BYTES_MAX};
use blaze_core::{Document, Error, Path, Result, Value};
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::cell;
use super::columns::check_columns;
use super::input::{Piece, Pieces};
use super::options::{Csv, CsvTypes};

/// Lines whose beginnings are remembered: many more than a buffer has, unless a record is made of them.
const BEGINNINGS_MAX: usize = 1 << 20;

/// The records of a text. The first one names the columns; a dot in a name leads into a map.
pub(super) struct Records<'a> {
    reader: Reader<Limited<Box<dyn BufRead + 'a>>>,
    columns: Vec<Path>,
    types: CsvTypes,
    record: ByteRecord,
    seen: Rc<RefCell<Seen>>,
    lines: u64,
}

/// What was read so far. The parser's own line numbers are one too low behind a carriage return and behind empty lines.
#[derive(Debug)]
struct Seen {
    /// Bytes that the record may still take.
    remaining: usize,
    offset: u64,
    line: u64,
    /// True behind the first byte of a line.
    in_line: bool,
    /// Where lines begin that are not empty, and their numbers; without those that are behind.
    beginnings: VecDeque<(u64, u64)>,
}

impl Seen {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.in_line = false;
                }
                b'\r' => {}
                _ if self.in_line => {}
                _ => {
                    self.in_line = true;
                    if self.beginnings.len() < BEGINNINGS_MAX {
                        self.beginnings.push_back((self.offset, self.line));
                    }
                }
            }
            self.offset += 1;
        }
    }

    /// The number of the line with which a record begins that the parser found from `offset` on.
    fn line_from(&mut self, offset: u64) -> u64 {
        while self.beginnings.front().is_some_and(|(beginning, _)| *beginning < offset) {
            self.beginnings.pop_front();
        }
        self.beginnings.front().map_or(self.line, |(_, line)| *line)
    }

    /// Lines that were read, the last of which may lack its end.
    fn lines(&self) -> u64 {
        self.line - 1 + u64::from(self.in_line)
    }
}

/// A reader that gives up when a record takes more than its share.
struct Limited<R> {
    reader: R,
    seen: Rc<RefCell<Seen>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        let mut seen = self.seen.borrow_mut();
        let Some(remaining) = seen.remaining.checked_sub(bytes) else {
            let message =
                format!("a record has more than {IMPORT_LINE_BYTES_MAX} bytes, the limit: is a quote left open?");
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
        };
        seen.remaining = remaining;
        seen.read(buffer.get(..bytes).unwrap_or_default());
        Ok(bytes)
    }
}

impl<'a> Records<'a> {
    /// Reads the names of the columns.
    pub(super) fn open(reader: Box<dyn BufRead + 'a>, csv: &Csv) -> Result<Records<'a>> {
        let seen =
            Seen { remaining: IMPORT_LINE_BYTES_MAX, offset: 0, line: 1, in_line: false, beginnings: VecDeque::new() };
        let seen = Rc::new(RefCell::new(seen));
        let reader = Limited { reader, seen: Rc::clone(&seen) };
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
        Ok(Records { reader, columns, types: csv.types, record, seen, lines: 1 })
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
        self.seen.borrow_mut().remaining = IMPORT_LINE_BYTES_MAX;
        let begin = self.reader.position().byte();
        let read = self.reader.read_byte_record(&mut self.record);
        if let Ok(false) = read {
            self.lines = self.seen.borrow().lines();
            return Ok(None);
        }
        let line = self.seen.borrow_mut().line_from(begin);
        self.lines = line;
        match read {
            Ok(_) => {
                let document = self.document().map_err(|reason| format!("line {line}, {reason}"));
                Ok(Some(Piece { line, document }))
            }
            Err(error) => match error.kind() {
                ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    let reason = format!("line {line}: it has {len} cells, and there are {expected_len} columns");
                    Ok(Some(Piece { line, document: Err(reason) }))
                }
                _ => Err(failed(error)),
            },
        }
    }

    fn lines(&self) -> u64 {
        self.lines
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
