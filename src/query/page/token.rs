//! Page tokens: a place in the order of a query, as text.

use std::fmt;
use std::str::FromStr;

use blaze_core::limits::PAGE_TOKEN_BYTES_MAX;
use blaze_core::{Error, Result};

/// The first byte of a token, should there ever be others.
const FORMAT: u8 = 1;

/// Bytes before the position: the format and the fingerprint of the query.
const HEAD_BYTES: usize = 9;

/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 4;

/// The digits of base64url (RFC 4648), which stand in addresses as they are.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Where the next page of a query begins; see [`Query::page`](crate::Query::page).
///
/// It prints as letters, digits, `-` and `_`, and is parsed from that. It holds the sort key and the id of a document: it is
/// not encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageToken {
    fingerprint: u64,
    position: Vec<u8>,
}

impl PageToken {
    pub(super) fn new(fingerprint: u64, position: Vec<u8>) -> Result<PageToken> {
        match position.len() {
            0..=PAGE_TOKEN_BYTES_MAX => Ok(PageToken { fingerprint, position }),
            bytes => Err(Error::limit_exceeded(format!(
                "the sort key of the last document of a page has {bytes} bytes, the limit is {PAGE_TOKEN_BYTES_MAX}"
            ))),
        }
    }

    /// The place in the order of the query that has a fingerprint.
    pub(super) fn position_in(&self, fingerprint: u64) -> Result<&[u8]> {
        match self.fingerprint == fingerprint {
            true => Ok(&self.position),
            false => Err(Error::invalid("the page token is of another collection, filter or sort")),
        }
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.fingerprint.to_be_bytes());
        bytes.extend_from_slice(&self.position);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]));
            }
        }
        f.write_str(&text)
    }
}

impl FromStr for PageToken {
    type Err = Error;

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the text is not what a token was printed as.
    fn from_str(text: &str) -> Result<PageToken> {
        let damaged = |what: &str| Error::invalid(format!("the page token is damaged: {what}"));
        if text.len() > 2 * PAGE_TOKEN_BYTES_MAX {
            return Err(damaged(&format!("it has {} characters, more than any", text.len())));
        }
        let bytes = decode(text).ok_or_else(|| damaged("it is not base64url"))?;
        let body = bytes.len().checked_sub(CHECKSUM_BYTES).filter(|body| *body >= HEAD_BYTES);
        let (body, checksum) = bytes.split_at(body.ok_or_else(|| damaged("it is too short"))?);
        if crc32fast::hash(body).to_be_bytes() != checksum {
            return Err(damaged("its checksum is wrong"));
        }
        match body.split_first() {
            Some((&FORMAT, rest)) => {
                let (fingerprint, position) = rest.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
                PageToken::new(u64::from_be_bytes(*fingerprint), position.to_vec())
            }
            _ => Err(Error::invalid("the page token is of a format that this version does not know")),
        }
    }
}

/// The bytes that text stands for, if it is the one way of writing them.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in chunk {
            let value = DIGITS.iter().position(|known| known == digit)?;
            bits = bits << 6 | value as u32;
        }
        bits <<= 6 * (4 - chunk.len());
        let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
        let [_, all @ ..] = bits.to_be_bytes();
        if all[count..].iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(&all[..count]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_parsed_as_it_was_printed(fingerprint: u64, position in proptest::collection::vec(any::<u8>(), 0..40)) {
            let token = PageToken::new(fingerprint, position).unwrap();
            let text = token.to_string();
            prop_assert!(text.bytes().all(|byte| DIGITS.contains(&byte)));
            prop_assert_eq!(text.parse::<PageToken>().unwrap(), token);
        }

        #[test]
        fn no_text_panics_and_what_is_parsed_prints_as_it_was(text in "[A-Za-z0-9_-]{0,60}|.{0,20}") {
            if let Ok(token) = text.parse::<PageToken>() {
                prop_assert_eq!(token.to_string(), text);
            }
        }

        #[test]
        fn any_other_character_is_noticed(fingerprint: u64, at: proptest::sample::Index, digit in 0..64_usize) {
            let text = PageToken::new(fingerprint, vec![1, 2, 3]).unwrap().to_string();
            let mut damaged = text.clone().into_bytes();
            let at = at.index(damaged.len());
            damaged[at] = DIGITS[digit];
            let damaged = String::from_utf8(damaged).unwrap();
            prop_assert!(damaged == text || damaged.parse::<PageToken>().is_err());
        }
    }
}
