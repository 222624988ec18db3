//! Lines of JSON.

use std::io::{BufRead, Read};

use blaze_core::limits::IMPORT_LINE_BYTES_MAX;
use blaze_core::{JsonForm, Result};

use super::input::{Piece, Pieces, failed};

/// The lines of a text, each an object. Empty ones are left out.
pub(super) struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    form: JsonForm,
    line: Vec<u8>,
    lines: u64,
    bytes: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(reader: Box<dyn BufRead + 'a>, form: JsonForm) -> Lines<'a> {
        Lines { reader, form, line: Vec::new(), lines: 0, bytes: 0 }
    }

    /// Reads a line into the buffer, or passes over it if it is too long; says how many bytes it has, 0 at the end.
    fn read_line(&mut self) -> std::io::Result<usize> {
        self.line.clear();
        let limit = IMPORT_LINE_BYTES_MAX as u64 + 1;
        let mut bytes = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        if bytes as u64 == limit && !self.line.ends_with(b"\n") {
            self.line = Vec::new();
            bytes += self.reader.skip_until(b'\n')?;
        }
        Ok(bytes)
    }
}

impl Pieces for Lines<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece>> {
        loop {
            let bytes = self.read_line().map_err(failed)?;
            if bytes == 0 {
                return Ok(None);
            }
            self.lines += 1;
            self.bytes += bytes as u64;
            let line = self.lines;
            let document = match std::str::from_utf8(&self.line) {
                _ if bytes > IMPORT_LINE_BYTES_MAX => {
                    Err(format!("line {line}: it has {bytes} bytes, the limit is {IMPORT_LINE_BYTES_MAX}"))
                }
                Ok(text) if text.trim_ascii().is_empty() => continue,
                // Without its end, behind which a place would be on the next line.
                Ok(text) => {
                    let text = text.strip_suffix('\n').unwrap_or(text);
                    self.form.read_document_at(text, line).map_err(|error| error.to_string())
                }
                Err(error) => Err(format!("line {line}, byte {}: invalid UTF-8", error.valid_up_to() + 1)),
            };
            return Ok(Some(Piece { line, document }));
        }
    }

    fn lines(&self) -> u64 {
        self.lines
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_not_closed_is_on_its_own_line() {
        let input: &[u8] = b"{\"a\": 1}\n{\"a\":\n{\"a\": 2}\r\n{\r\n";
        let mut lines = Lines::new(Box::new(input), JsonForm::Plain);
        let mut bad = Vec::new();
        while let Some(Piece { line, document }) = lines.next_piece().unwrap() {
            bad.extend(document.err().map(|reason| (line, reason)));
        }
        assert_eq!(bad.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
        for (line, reason) in bad {
            assert!(reason.starts_with(&format!("line {line}, column ")), "{reason}");
        }
    }
}
