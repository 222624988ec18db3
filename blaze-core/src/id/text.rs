//! Ids as text.

use std::fmt;
use std::str::{Chars, FromStr};

use super::{DocumentId, Uuid};
use crate::error::{Error, Result};

impl fmt::Display for DocumentId {
    /// The bare id, which does not tell the string `42` from the integer; `{:?}` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DocumentId::Int(int) => write!(f, "{int}"),
            DocumentId::UInt(int) => write!(f, "{int}"),
            DocumentId::String(string) => f.write_str(string),
            DocumentId::Bytes(bytes) => write_hex(bytes, f),
            DocumentId::Uuid(uuid) => write!(f, "{uuid}"),
            DocumentId::Child(child) => write!(f, "{}/{}", child.parent(), child.own()),
        }
    }
}

impl fmt::Debug for DocumentId {
    /// The id as [`parse`](DocumentId::parse) reads it: `42`, `"solaris"`, `x"00ff"` or a UUID; of a
    /// document below another one `"order-7"/1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DocumentId::String(string) => write!(f, "{string:?}"),
            DocumentId::Bytes(bytes) => {
                f.write_str("x\"")?;
                write_hex(bytes, f)?;
                f.write_str("\"")
            }
            DocumentId::Child(child) => write!(f, "{:?}/{:?}", child.parent(), child.own()),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

pub(crate) fn write_hex(bytes: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl DocumentId {
    /// Reads what `{:?}` prints, in which each id has a spelling of its own: `42`, `"solaris"`, `x"00ff"`, a UUID,
    /// two of them with a slash between.
    ///
    /// ```
    /// use blaze_core::DocumentId;
    ///
    /// let id = DocumentId::from("42");
    /// assert_eq!(format!("{id:?}"), r#""42""#);
    /// assert_eq!(DocumentId::parse(r#""42""#)?, id);
    /// assert_eq!(DocumentId::parse("42")?, 42.into());
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it is none of them, empty, or a string without quotes;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) if it is too long for an id.
    pub fn parse(text: &str) -> Result<DocumentId> {
        let id = match split_child(text) {
            Some((parent, own)) => DocumentId::child(DocumentId::parse_plain(parent)?, DocumentId::parse_plain(own)?),
            None => DocumentId::parse_plain(text)?,
        };
        id.validate()?;
        Ok(id)
    }

    /// Reads an id without a parent.
    fn parse_plain(text: &str) -> Result<DocumentId> {
        let quoted = |text: &str| text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
        let id = if let Some(string) = quoted(text) {
            unescape(&string).map(DocumentId::String)
        } else if let Some(hex) = text.strip_prefix('x').and_then(quoted) {
            read_hex(&hex).map(DocumentId::Bytes)
        } else if let Ok(int) = text.parse::<i64>() {
            Some(int.into())
        } else if let Ok(int) = text.parse::<u64>() {
            Some(int.into())
        } else {
            Uuid::parse(text).ok().map(DocumentId::Uuid)
        };
        id.ok_or_else(|| {
            Error::invalid(format!(
                "{text:?} is not a document id: write an integer, a UUID, bytes as x\"00ff\", or a string in quotes"
            ))
        })
    }
}

/// What stands before and behind the slash between two ids: the first one that is not in quotes.
fn split_child(text: &str) -> Option<(&str, &str)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, next) in text.char_indices() {
        match next {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            '/' if !is_quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

impl FromStr for DocumentId {
    type Err = Error;

    /// As [`parse`](DocumentId::parse).
    fn from_str(text: &str) -> Result<DocumentId> {
        DocumentId::parse(text)
    }
}

pub(crate) fn read_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, rest) = digits.as_ref()?.as_chunks();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Undoes the escapes of `{:?}`.
fn unescape(text: &str) -> Option<String> {
    let mut string = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        string.push(match next {
            '\\' => escaped(&mut rest)?,
            '"' => return None,
            other => other,
        });
    }
    Some(string)
}

fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        same @ ('"' | '\'' | '\\') => same,
        'u' => {
            let (code, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
            *rest = after.chars();
            char::from_u32(u32::from_str_radix(code, 16).ok()?)?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    proptest! {
        #[test]
        fn what_debug_prints_is_read_back(id in crate::id::tests::id(), string in "\\PC{1,8}|[\\x00-\\x20\"'\\\\a]{1,8}") {
            for id in [id, string.into()] {
                prop_assert_eq!(format!("{id:?}").parse::<DocumentId>().unwrap(), id);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            for text in [text.clone(), format!("\"{text}\""), format!("x\"{text}\"")] {
                if let Ok(id) = DocumentId::parse(&text) {
                    prop_assert_eq!(DocumentId::parse(&format!("{id:?}")).unwrap(), id);
                }
            }
        }
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        let cases = [
            "",
            "solaris",
            "\"",
            "\"\"",
            "x\"\"",
            "x\"0\"",
            "x\"0g\"",
            "1.5",
            "\"a\\q\"",
            "\"a\"b\"",
            "\"\\u{d800}\"",
            "1/",
            "/1",
            "1/2/3",
        ];
        for text in cases {
            assert_eq!(DocumentId::parse(text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
        assert_eq!(DocumentId::parse(r#""a/b\""/7"#).unwrap(), ("a/b\"", 7).into());
        assert!(DocumentId::parse("solaris").unwrap_err().to_string().contains("a string in quotes"));
        let long = format!("\"{}\"", "a".repeat(crate::limits::ID_BYTES_MAX + 1));
        assert_eq!(DocumentId::parse(&long).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
