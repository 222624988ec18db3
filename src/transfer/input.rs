//! What an import reads from.

use std::io::{BufRead, BufReader, Read};

use blaze_core::{Document, Error, Result};

const BUFFER_BYTES: usize = 64 * 1024;

/// How a file begins that zstd has compressed.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// How a file begins that says that it is UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// A piece of the input: a document or what is wrong with it.
pub(super) struct Piece {
    /// The number of its first line.
    pub(super) line: u64,
    pub(super) document: std::result::Result<Document, String>,
}

/// The pieces of an input, one by one.
pub(super) trait Pieces {
    fn next_piece(&mut self) -> Result<Option<Piece>>;

    /// Lines that were read.
    fn lines(&self) -> u64;

    /// Bytes that were read.
    fn bytes(&self) -> u64;
}

/// The text behind a reader: what is compressed is decompressed, and a byte order mark left out.
pub(super) fn text<'a>(reader: impl Read + 'a) -> Result<Box<dyn BufRead + 'a>> {
    let reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let (head, reader) = head(reader, ZSTD_MAGIC.len())?;
    if head != ZSTD_MAGIC {
        return without_mark(head, reader);
    }
    let reader = zstd::stream::read::Decoder::with_buffer(BufReader::new(std::io::Cursor::new(head).chain(reader)));
    let reader = BufReader::with_capacity(BUFFER_BYTES, reader.map_err(failed)?);
    let (head, reader) = self::head(reader, BYTE_ORDER_MARK.len())?;
    without_mark(head, reader)
}

fn without_mark<'a>(mut head: Vec<u8>, reader: impl BufRead + 'a) -> Result<Box<dyn BufRead + 'a>> {
    if head.starts_with(&BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(Box::new(std::io::Cursor::new(head).chain(reader)))
}

/// The first bytes, fewer only if there are no more.
fn head<R: BufRead>(mut reader: R, bytes: usize) -> Result<(Vec<u8>, R)> {
    let mut head = Vec::with_capacity(bytes);
    reader.by_ref().take(bytes as u64).read_to_end(&mut head).map_err(failed)?;
    Ok((head, reader))
}

/// What the reader itself failed with.
pub(super) fn failed(error: std::io::Error) -> Error {
    Error::unavailable(format!("the input cannot be read: {error}")).with_source(error)
}
