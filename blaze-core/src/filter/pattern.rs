//! Text patterns, compiled once: regular expressions and `like`.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{REGEX_BYTES_MAX, REGEX_COMPILED_BYTES_MAX};

/// A regular expression, matched in time linear in the text.
///
/// The syntax is that of Perl without look-around and back-references; `(?i)` in front ignores case. The expression
/// matches any part of the text unless `^` and `$` tie it down. One that does not compile matches nothing, and
/// [`Filter::validate`](crate::Filter::validate) refuses it.
#[derive(Clone)]
pub struct Regex {
    source: String,
    program: Program,
}

/// A pattern of the operator `like`: `%` stands for any run of characters, also none, `_` for any one character, and
/// `\` takes the character after it as it is.
///
/// The pattern matches the whole text, in time linear in it. One that ends in a lone `\` matches nothing, and
/// [`Filter::validate`](crate::Filter::validate) refuses it.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    program: Program,
}

/// What became of compiling: the message is kept until somebody validates.
type Program = std::result::Result<regex::Regex, (ErrorKind, String)>;

impl Regex {
    /// Compiles `source`.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Regex {
        let source = source.into();
        let program = check_length(&source).and_then(|()| compile(&source));
        Regex { source, program }
    }

    /// The expression as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// True if a part of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.program.as_ref().is_ok_and(|program| program.is_match(text))
    }

    pub(crate) fn validate(&self) -> Result<()> {
        validate(&self.program)
    }
}

impl Pattern {
    /// Compiles `source`.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Pattern {
        let source = source.into();
        let program = check_length(&source).and_then(|()| translate(&source)).and_then(|regex| compile(&regex));
        Pattern { source, program }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// True if the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.program.as_ref().is_ok_and(|program| program.is_match(text))
    }

    pub(super) fn validate(&self) -> Result<()> {
        validate(&self.program)
    }
}

fn check_length(source: &str) -> std::result::Result<(), (ErrorKind, String)> {
    if source.len() > REGEX_BYTES_MAX {
        let message = format!("pattern has {} bytes, the limit is {REGEX_BYTES_MAX}", source.len());
        return Err((ErrorKind::LimitExceeded, message));
    }
    Ok(())
}

fn compile(source: &str) -> Program {
    regex::RegexBuilder::new(source).size_limit(REGEX_COMPILED_BYTES_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            let message = format!("pattern needs more than {REGEX_COMPILED_BYTES_MAX} bytes once compiled");
            (ErrorKind::LimitExceeded, message)
        }
        // A syntax error draws the expression and an arrow under it; its last line says what is wrong.
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            (ErrorKind::Invalid, reason.strip_prefix("error: ").unwrap_or(reason).to_owned())
        }
    })
}

/// The regular expression that means the same as a `like` pattern.
fn translate(like: &str) -> std::result::Result<String, (ErrorKind, String)> {
    let mut regex = String::from(r"(?s)\A");
    let mut literal = String::new();
    let mut characters = like.chars();
    while let Some(character) = characters.next() {
        let wildcard = match character {
            '%' => ".*",
            '_' => ".",
            '\\' => {
                let message =
                    || (ErrorKind::Invalid, String::from(r"pattern ends in \, which needs a character after it"));
                literal.push(characters.next().ok_or_else(message)?);
                continue;
            }
            _ => {
                literal.push(character);
                continue;
            }
        };
        regex.push_str(&regex::escape(&literal));
        literal.clear();
        regex.push_str(wildcard);
    }
    regex.push_str(&regex::escape(&literal));
    regex.push_str(r"\z");
    Ok(regex)
}

fn validate(program: &Program) -> Result<()> {
    match program {
        Ok(_) => Ok(()),
        Err((kind, message)) => Err(Error::new(*kind, message.clone())),
    }
}

macro_rules! text_traits {
    ($($type:ident),*) => {
        $(
            impl PartialEq for $type {
                fn eq(&self, other: &$type) -> bool {
                    self.source == other.source
                }
            }

            impl Eq for $type {}

            impl fmt::Debug for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_tuple(stringify!($type)).field(&self.source).finish()
                }
            }

            impl<S: Into<String>> From<S> for $type {
                fn from(source: S) -> $type {
                    $type::new(source)
                }
            }
        )*
    };
}

text_traits!(Regex, Pattern);
