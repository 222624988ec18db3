//! Query strings, as people type them.

use std::str::FromStr;

use super::TextQuery;
use super::parser::Parser;
use crate::error::{Error, Result};
use crate::path::Path;

impl TextQuery {
    /// Reads what somebody typed.
    ///
    /// | typed | searched for |
    /// |---|---|
    /// | `space opera` | any of the words; the more, the better |
    /// | `+space opera` | `space` must be there, `opera` should |
    /// | `space -musical`, `space NOT musical` | what has `musical` is left out |
    /// | `"space opera"` | the words, one after the other |
    /// | `"space opera"~2` | near each other: moved by two places at most, all together |
    /// | `"space opera"~any`, `"space opera"~all` | any of the words, or all of them |
    /// | `spa*` | words that begin so |
    /// | `opera~`, `opera~1`, `opera~2` | words within one or two edits; `~` alone is one edit up to five characters, else two |
    /// | `opera~1/2` | and the first two characters are equal |
    /// | `title:dune`, `title:"dune messiah"`, `cast.name:kyle` | in that field |
    /// | `title:(dune messiah)` | all in the parentheses in that field, if it names no other |
    /// | `dune^2.5`, `"space opera"^2`, `(space opera)^2` | scores multiplied |
    /// | `space AND opera` | both |
    /// | `space OR opera` | any of the two, just as without `OR` |
    /// | `(space opera dune)~2` | at least two of these |
    ///
    /// Parentheses bind tightest, then `+`, `-` and `NOT`, then `AND`; what stands side by side, with or without `OR`, binds
    /// least: `a b AND c` is `a OR (b AND c)`. Where something is required with `+`, what stands beside it need not be there.
    /// Operators are in capitals: `and` is a word.
    ///
    /// A beginning that more than 1,024 words have stands for the most frequent of them, see [`TextQuery::Prefix`]. It is not
    /// split: `foo-ba*` begins no word, where `foo` and `bar` are two. A `*` anywhere else than at the end of a word is text.
    ///
    /// Signs mean something only where they can: `+` and `-` before a word, quotes at its beginning, `*`, `~` and `^` at its
    /// end, `:` after what can be the name of a field (a letter or `_`, then letters, digits, `_`, `-` and dots) and right
    /// before what to look for in it. So `C++`, `10:30`, `AT&T`, `don't`, `foo-bar`, `a - b`, `a/b`, `std::vec`, `main()`,
    /// `http://example.org` and `Dune: Part Two` are searched for as they are. A backslash makes text of any character after it.
    ///
    /// Takes time in proportion to the text.
    ///
    /// ```
    /// use blaze_core::TextQuery;
    ///
    /// let query = TextQuery::parse(r#""space opera" -musical title:dune^2"#)?;
    /// let dune = TextQuery::phrase("dune").boost(2.0).in_field("title");
    /// assert_eq!(query, TextQuery::phrase("space opera").or(dune).and_not(TextQuery::phrase("musical")));
    ///
    /// let error = TextQuery::parse(r#"dune "space op"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"text query, character 6, at `"space op`: this quote is not closed; to search for a quote, write \""#,
    /// );
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), with what is wrong, at which character, counted from 1, and what would be right;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) as of [`validate`](TextQuery::validate).
    pub fn parse(text: &str) -> Result<TextQuery> {
        Parser::new(text, None).query()
    }

    /// Reads what somebody typed, as [`parse`](TextQuery::parse) does, for an index on `fields`: what looks like a field and is
    /// none of these is an error, which says where it stands and which field may be meant.
    ///
    /// ```
    /// use blaze_core::{Path, TextQuery};
    ///
    /// let error = TextQuery::parse_for("titel:dune", &[Path::from("title"), Path::from("extract")]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "text query, character 1, at `titel:dune`: unknown field \"titel\"; did you mean \"title\"? \
    ///      To search for the text, write \\: for the colon",
    /// );
    /// ```
    ///
    /// # Errors
    /// As [`parse`](TextQuery::parse).
    pub fn parse_for(text: &str, fields: &[Path]) -> Result<TextQuery> {
        Parser::new(text, Some(fields)).query()
    }
}

impl FromStr for TextQuery {
    type Err = Error;

    /// As [`TextQuery::parse`].
    fn from_str(text: &str) -> Result<TextQuery> {
        TextQuery::parse(text)
    }
}
