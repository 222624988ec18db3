//! NumPy's format: a magic word, a version, the length of the header, the header as a literal of Python, the numbers.
//!
//! `{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 128), }`

use std::io::Read;

use super::{Input, NumberType, Rows};
use crate::Result;

/// Real headers have about 120 bytes.
const HEADER_BYTES_MAX: usize = 64 * 1024;

pub(super) fn read_header(input: &mut Input<impl Read>) -> Result<Rows> {
    let magic = input.bytes("the magic word")?;
    if magic != *b"\x93NUMPY" {
        return Err(format!("byte 0: begins with {magic:02x?}, not as NumPy's files do").into());
    }
    let length = match input.bytes("the version")? {
        [1, 0] => usize::from(u16::from_le_bytes(input.bytes("the length of the header")?)),
        [2 | 3, 0] => u32::from_le_bytes(input.bytes("the length of the header")?) as usize,
        [major, minor] => return Err(format!("byte 6: version {major}.{minor}; 1.0, 2.0 and 3.0 are read").into()),
    };
    if length > HEADER_BYTES_MAX {
        return Err(format!("byte 8: a header of {length} bytes; at most {HEADER_BYTES_MAX} are read").into());
    }
    let start = input.offset();
    let mut text = vec![0; length];
    input.take(&mut text, "the header")?;
    let header = Header::parse(&text).map_err(|(at, wrong)| format!("byte {}: {wrong}", start + at as u64))?;
    if header.fortran_order {
        return Err("is in Fortran order, column by column; save numpy.ascontiguousarray of it".into());
    }
    let numbers = match header.numbers.as_slice() {
        b"<f4" => NumberType::F32,
        b"<f2" => NumberType::F16,
        b"|u1" => NumberType::U8,
        b"|i1" => NumberType::I8,
        other => {
            let other = String::from_utf8_lossy(other);
            return Err(format!("numbers of type '{other}'; '<f4', '<f2', '|u1' and '|i1' are read").into());
        }
    };
    match header.shape[..] {
        [rows, dimensions] => Rows::packed(rows, dimensions, numbers, input),
        _ => {
            Err(format!("has the shape {:?}; only two dimensions are read, vectors and their numbers", header.shape)
                .into())
        }
    }
}

/// What a header says.
#[derive(Debug, Default)]
struct Header {
    numbers: Vec<u8>,
    fortran_order: bool,
    shape: Vec<u64>,
}

/// What was parsed, or where something is wrong, and what.
type Parsed<T> = std::result::Result<T, (usize, String)>;

impl Header {
    fn parse(text: &[u8]) -> Parsed<Header> {
        let mut literal = Literal { text, at: 0 };
        let mut header = Header::default();
        let mut missing = vec![b"descr".as_slice(), b"fortran_order", b"shape"];
        literal.expect(b"{")?;
        while !literal.skip(b"}") {
            let at = literal.at;
            let key = literal.string()?;
            missing.retain(|name| *name != key);
            literal.expect(b":")?;
            match key {
                b"descr" => header.numbers = literal.string()?.to_vec(),
                b"fortran_order" => header.fortran_order = literal.boolean()?,
                b"shape" => header.shape = literal.tuple()?,
                other => return Err((at, format!("an unknown key '{}'", String::from_utf8_lossy(other)))),
            }
            if !literal.skip(b",") {
                literal.expect(b"}")?;
                break;
            }
        }
        literal.spaces();
        match missing.first() {
            _ if literal.at < text.len() => Err((literal.at, "something follows the header".to_owned())),
            Some(name) => Err((0, format!("the header has no '{}'", String::from_utf8_lossy(name)))),
            None => Ok(header),
        }
    }
}

/// A literal of Python that is being read.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Literal<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// Goes past `token`, if it is next.
    fn skip(&mut self, token: &[u8]) -> bool {
        self.spaces();
        let there = self.rest().starts_with(token);
        self.at += if there { token.len() } else { 0 };
        there
    }

    fn expect(&mut self, token: &[u8]) -> Parsed<()> {
        match self.skip(token) {
            true => Ok(()),
            false => Err((self.at, format!("'{}' is missing in the header", String::from_utf8_lossy(token)))),
        }
    }

    fn string(&mut self) -> Parsed<&'a [u8]> {
        let quote: &[u8] = if self.skip(b"'") { b"'" } else { b"\"" };
        if quote == b"\"" {
            self.expect(quote)?;
        }
        let string = self.rest();
        let length = string.iter().take_while(|byte| !quote.contains(byte)).count();
        self.at += length;
        self.expect(quote)?;
        Ok(&string[..length])
    }

    fn boolean(&mut self) -> Parsed<bool> {
        match self.skip(b"True") {
            true => Ok(true),
            false => self.expect(b"False").map(|()| false),
        }
    }

    fn tuple(&mut self) -> Parsed<Vec<u64>> {
        self.expect(b"(")?;
        let mut numbers = Vec::new();
        while !self.skip(b")") {
            numbers.push(self.number()?);
            if !self.skip(b",") {
                self.expect(b")")?;
                break;
            }
        }
        Ok(numbers)
    }

    fn number(&mut self) -> Parsed<u64> {
        self.spaces();
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&self.rest()[..digits]).ok().and_then(|digits| digits.parse().ok());
        let number = number.ok_or_else(|| (self.at, "no number of 64 bits in the shape".to_owned()))?;
        self.at += digits;
        Ok(number)
    }
}
