//! Text queries as query strings.

use std::fmt::{self, Write};

use super::TextQuery;
use super::characters::{OPERATORS, is_escaped, is_escaped_first, is_name};
use crate::path::Path;

/// A query string that [reads](TextQuery::parse) as an equal query, if this one is [valid](TextQuery::validate).
impl fmt::Display for TextQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextQuery::Boolean { .. } if !says_its_least(self) => list(f, self),
            query => operand(f, query),
        }
    }
}

/// The parts of a combination, without the parentheses around them.
fn list(f: &mut fmt::Formatter<'_>, query: &TextQuery) -> fmt::Result {
    let TextQuery::Boolean { must, should, must_not, .. } = query else { return operand(f, query) };
    let signed = must.iter().map(|part| ("+", part)).chain(should.iter().map(|part| ("", part)));
    for (number, (sign, part)) in signed.chain(must_not.iter().map(|part| ("-", part))).enumerate() {
        f.write_str(if number > 0 { " " } else { "" })?;
        f.write_str(sign)?;
        operand(f, part)?;
    }
    Ok(())
}

/// A query beside others.
fn operand(f: &mut fmt::Formatter<'_>, query: &TextQuery) -> fmt::Result {
    match query {
        TextQuery::AnyWord(text) => write!(f, "{}~any", InQuotes(text)),
        TextQuery::AllWords(text) => write!(f, "{}~all", InQuotes(text)),
        TextQuery::Phrase { text, slop: 0 } if !text.is_empty() && !text.contains(char::is_whitespace) => word(f, text),
        TextQuery::Phrase { text, slop: 0 } => write!(f, "{}", InQuotes(text)),
        TextQuery::Phrase { text, slop } => write!(f, "{}~{slop}", InQuotes(text)),
        TextQuery::Prefix(text) => {
            word(f, text)?;
            f.write_char('*')
        }
        TextQuery::Fuzzy { text, distance, prefix_length } => {
            word(f, text)?;
            write!(f, "~{distance}")?;
            if *prefix_length > 0 { write!(f, "/{prefix_length}") } else { Ok(()) }
        }
        TextQuery::Boolean { least_should, .. } => {
            parentheses(f, query)?;
            if says_its_least(query) { write!(f, "~{least_should}") } else { Ok(()) }
        }
        TextQuery::In(path, inner) => {
            field(f, path)?;
            f.write_char(':')?;
            if matches!(**inner, TextQuery::In(..)) { parentheses(f, inner) } else { operand(f, inner) }
        }
        TextQuery::Boost(inner, factor) => {
            let is_qualified = matches!(**inner, TextQuery::In(..) | TextQuery::Boost(..));
            if is_qualified {
                parentheses(f, inner)?
            } else {
                operand(f, inner)?
            }
            write!(f, "^{factor}")
        }
    }
}

fn parentheses(f: &mut fmt::Formatter<'_>, query: &TextQuery) -> fmt::Result {
    f.write_char('(')?;
    list(f, query)?;
    f.write_char(')')
}

/// True if parentheses alone would be taken for something else: for one query, or for as many alternatives as usual.
fn says_its_least(query: &TextQuery) -> bool {
    let TextQuery::Boolean { must, should, must_not, least_should } = query else { return false };
    let is_single = must.is_empty() && must_not.is_empty() && should.len() == 1;
    is_single || *least_should != usize::from(must.is_empty() && !should.is_empty())
}

fn word(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let is_operator = OPERATORS.contains(&text);
    for (at, character) in text.char_indices() {
        if is_escaped(character) || at == 0 && (is_operator || is_escaped_first(character)) {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    Ok(())
}

fn field(f: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    for (number, segment) in path.segments().iter().enumerate() {
        f.write_str(if number > 0 { "." } else { "" })?;
        for (at, character) in segment.key().char_indices() {
            if !is_name(character, number == 0 && at == 0) {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
    }
    Ok(())
}

/// A text in quotes, with as few escapes as there can be.
struct InQuotes<'a>(&'a str);

impl fmt::Display for InQuotes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char('"')
    }
}
