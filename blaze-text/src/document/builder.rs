//! A document from its tokens.

use std::cmp::Ordering;

use blaze_core::limits::{TEXT_FIELDS_MAX, TEXT_TERM_BYTES_MAX};
use blaze_core::{Error, Result};

use super::terms::Field;
use super::{DocumentPostings, DocumentTerms};

/// Collects the tokens of a document, in any order; the same builder makes one document after another.
#[derive(Clone, Debug)]
pub struct DocumentBuilder {
    fields: u8,
    bytes: Vec<u8>,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    /// The first eight bytes, which nearly always tell two terms apart.
    prefix: u64,
    start: u32,
    position: u32,
    length: u16,
    field: u8,
}

impl Token {
    #[inline]
    fn term<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize..][..usize::from(self.length)]
    }

    #[inline]
    fn order(&self, other: &Token, bytes: &[u8]) -> Ordering {
        let by_prefix = (self.field, self.prefix).cmp(&(other.field, other.prefix));
        by_prefix.then_with(|| self.term(bytes).cmp(other.term(bytes))).then(self.position.cmp(&other.position))
    }
}

impl DocumentBuilder {
    /// A builder for documents of an index over so many fields.
    pub fn new(fields: u8) -> DocumentBuilder {
        DocumentBuilder { fields, bytes: Vec::new(), tokens: Vec::new() }
    }

    /// Adds a token; what was added before, at the same position of the same field, counts once.
    ///
    /// # Errors
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for a field that the index does not have and for an empty term;
    /// [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for a term of more than
    /// [`TEXT_TERM_BYTES_MAX`] bytes and for more than 4 GiB of terms.
    pub fn add(&mut self, field: u8, term: &[u8], position: u32) -> Result<()> {
        if field >= self.fields || usize::from(field) >= TEXT_FIELDS_MAX {
            let fields = self.fields;
            return Err(Error::invalid(format!("a token of the field {field}, of an index of {fields} fields")));
        }
        if term.is_empty() {
            return Err(Error::invalid("an empty term"));
        }
        let (Ok(start), true) = (u32::try_from(self.bytes.len()), term.len() <= TEXT_TERM_BYTES_MAX) else {
            let bytes = term.len();
            let message = format!("a term of {bytes} bytes behind others, at most {TEXT_TERM_BYTES_MAX} are allowed");
            return Err(Error::limit_exceeded(message));
        };
        self.bytes.extend_from_slice(term);
        let prefix = match term.first_chunk() {
            Some(eight) => u64::from_be_bytes(*eight),
            None => term.iter().fold(0, |prefix, &byte| prefix << 8 | u64::from(byte)) << (64 - 8 * term.len()),
        };
        self.tokens.push(Token { prefix, start, position, length: term.len() as u16, field });
        Ok(())
    }

    /// The document of all tokens since the last one.
    pub fn finish(&mut self) -> DocumentPostings {
        let bytes = &self.bytes;
        self.tokens.sort_unstable_by(|a, b| a.order(b, bytes));
        let mut document = DocumentPostings::default();
        document.positions.reserve(self.tokens.len());
        let mut rest = self.tokens.as_slice();
        for field in 0..self.fields {
            let count = rest.partition_point(|token| token.field == field);
            let (tokens, others) = rest.split_at(count);
            rest = others;
            let start = document.positions.len();
            for tokens in tokens.chunk_by(|a, b| a.prefix == b.prefix && a.term(bytes) == b.term(bytes)) {
                push_term(&mut document, tokens, bytes);
            }
            let length = (document.positions.len() - start) as u32;
            document.terms.fields.push(Field { length, end: document.ends.len() as u32 });
        }
        self.bytes.clear();
        self.tokens.clear();
        document
    }
}

fn push_term(document: &mut DocumentPostings, tokens: &[Token], bytes: &[u8]) {
    let DocumentPostings { terms: DocumentTerms { ends, bytes: all, .. }, .. } = document;
    all.extend_from_slice(tokens[0].term(bytes));
    ends.push(all.len() as u32);
    for same in tokens.chunk_by(|a, b| a.position == b.position) {
        document.positions.push(same[0].position);
    }
    document.ends.push(document.positions.len() as u32);
}
