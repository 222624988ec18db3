//! Words and phrases of a query string, and what is written behind them.

use super::TextQuery;
use super::characters::{Character, OPERATORS, characters, closes};
use super::check::{check_boost, check_distance, check_least, check_slop};
use super::clauses::Clauses;
use super::parser::Parser;
use crate::error::Result;

/// Characters up to which `~` alone stands for one edit: shorter words with two edits are like too many others.
const ONE_EDIT_CHARACTERS_MAX: usize = 5;

impl<'a> Parser<'a> {
    /// A text in quotes, of which the first one is next.
    pub(super) fn quoted(&mut self, quote: char) -> Result<TextQuery> {
        let start = self.at;
        let mut text = String::new();
        let mut end = None;
        for character in characters(self.text, start + quote.len_utf8()) {
            if !character.is_escaped && closes(quote, character.value) {
                end = Some(character.end());
                break;
            }
            text.push(character.value);
        }
        let Some(end) = end else {
            return Err(self.wrong(start, "this quote is not closed; to search for a quote, write \\\""));
        };
        if text.trim().is_empty() {
            return Err(self.wrong(start, "there is nothing in these quotes; to search for a quote, write \\\""));
        }
        self.at = end;
        let query = match self.peek() {
            Some('~') => self.moved(text)?,
            Some('*') => return Err(self.wrong(end, "a phrase takes no *; only a word of its own can be a beginning")),
            _ => TextQuery::phrase(text),
        };
        self.boosted(query)
    }

    /// What the `~` behind a text in quotes says of its words.
    fn moved(&mut self, text: String) -> Result<TextQuery> {
        let start = self.at;
        self.at += 1;
        match self.suffix() {
            "any" => Ok(TextQuery::words(text)),
            "all" => Ok(TextQuery::all_words(text)),
            number => {
                let slop = parse_number(number).ok_or_else(|| {
                    self.wrong(start, "after the ~ of a phrase comes a number of places, any or all; as in \"a b\"~2")
                })?;
                check_slop(slop).map_err(|error| error.context(self.place(start)))?;
                Ok(TextQuery::near(text, slop))
            }
        }
    }

    /// How many alternatives are wanted at least, if that is said behind the parentheses around them.
    pub(super) fn least(&mut self, clauses: &Clauses) -> Result<Option<usize>> {
        let start = self.at;
        if self.peek() != Some('~') {
            return Ok(None);
        }
        self.at += 1;
        let least = parse_number(self.suffix()).and_then(|number| usize::try_from(number).ok()).ok_or_else(|| {
            self.wrong(start, "after the ~ of parentheses comes how many have to be there; as in (a b c)~2")
        })?;
        check_least(least, clauses.alternatives()).map_err(|error| error.context(self.place(start)))?;
        Ok(Some(least))
    }

    /// A word, perhaps a beginning or fuzzy.
    pub(super) fn word(&mut self) -> Result<TextQuery> {
        let start = self.at;
        let end = self.word_end();
        let mut word: Vec<Character> =
            characters(self.text, start).take_while(|character| character.at < end).collect();
        if let Some(boost) = position_behind_first(&word, '^') {
            word.truncate(boost);
        }
        self.at = word.last().map_or(end, |last| last.end());
        let query = match word.iter().rposition(|character| character.is('~')).filter(|tilde| *tilde > 0) {
            Some(tilde) if word.get(tilde + 1).is_none_or(|next| next.value.is_ascii_digit() && !next.is_escaped) => {
                self.fuzzy(&word, tilde)?
            }
            _ => match word.split_last() {
                Some((last, beginning)) if last.is('*') && !beginning.is_empty() => TextQuery::prefix(text(beginning)),
                _ => TextQuery::phrase(text(&word)),
            },
        };
        if word.iter().all(|character| character.value.is_whitespace()) {
            return Err(self.wrong(start, "this is blank; there is nothing to search for"));
        }
        self.boosted(query)
    }

    /// A word before the `~` at `tilde`.
    fn fuzzy(&self, word: &[Character], tilde: usize) -> Result<TextQuery> {
        let (before, marker) = word.split_at_checked(tilde).unwrap_or((word, &[]));
        let start = marker.first().map_or(self.at, |tilde| tilde.at);
        if before.len() > 1 && before.last().is_some_and(|last| last.is('*')) {
            return Err(self.wrong(start, "a beginning is not fuzzy; leave out the * or the ~"));
        }
        let edits = self.text.get(start + 1..self.at).unwrap_or_default();
        if edits.is_empty() {
            let distance = if before.len() <= ONE_EDIT_CHARACTERS_MAX { 1 } else { 2 };
            return Ok(TextQuery::fuzzy(text(before), distance));
        }
        let (distance, prefix_length) = edits.split_once('/').unwrap_or((edits, "0"));
        let numbers = parse_number(distance).zip(parse_number(prefix_length));
        let (distance, prefix_length) = numbers.ok_or_else(|| {
            let what = "after the ~ of a word comes how many edits, then perhaps how many characters are equal at its \
                        beginning; as in opera~1 or opera~1/2";
            self.wrong(start, what)
        })?;
        check_distance(distance).map_err(|error| error.context(self.place(start)))?;
        let distance = u8::try_from(distance).unwrap_or(u8::MAX);
        Ok(TextQuery::fuzzy_after(text(before), distance, prefix_length))
    }

    /// Where the word that begins here ends.
    fn word_end(&self) -> usize {
        let mut inside = self.at;
        for character in characters(self.text, self.at) {
            if character.at < inside {
                continue;
            }
            if character.is_blank() || character.is(')') {
                return character.at;
            }
            if character.is('(') {
                let before = self.text.get(self.at..character.at).unwrap_or_default();
                match self.pairs.close(character.at) {
                    Some(close) if !OPERATORS.contains(&before) => inside = close,
                    _ => return character.at,
                }
                inside += 1;
            }
        }
        self.text.len()
    }

    /// The query with the boost that follows it, if one does.
    pub(super) fn boosted(&mut self, query: TextQuery) -> Result<TextQuery> {
        let start = self.at;
        if self.peek() != Some('^') {
            return Ok(query);
        }
        self.at += 1;
        let number = self.suffix();
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let factor: f32 = number.parse().ok().filter(|_| is_number).ok_or_else(|| {
            self.wrong(start, "after the ^ comes a number by which scores are multiplied, as in dune^2.5; to search for it, write \\^")
        })?;
        check_boost(factor).map_err(|error| error.context(self.place(start)))?;
        Ok(query.boost(factor))
    }

    /// Takes what is written behind a sign.
    fn suffix(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|character: char| character.is_whitespace() || "()^".contains(character));
        let (suffix, _) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        self.at += suffix.len();
        suffix
    }
}

fn position_behind_first(word: &[Character], sign: char) -> Option<usize> {
    word.iter().skip(1).position(|character| character.is(sign)).map(|position| position + 1)
}

fn text(characters: &[Character]) -> String {
    characters.iter().map(|character| character.value).collect()
}

/// Digits as a number, without a sign.
fn parse_number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}
