//! Where snippets begin and end.

use std::cmp::Reverse;
use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// A word that was found, and the number of its term.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) term: usize,
}

/// Words near each other that were found.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) range: Range<usize>,
    terms: usize,
    hits: usize,
}

impl Window {
    /// Better windows have lower ranks.
    pub(super) fn rank(&self) -> (Reverse<usize>, Reverse<usize>, usize) {
        (Reverse(self.terms), Reverse(self.hits), self.range.start)
    }
}

/// For each hit, what is found in the `length` characters from it on.
pub(super) fn windows(text: &str, hits: &[Hit], length: usize) -> Vec<Window> {
    let mut windows = Vec::with_capacity(hits.len());
    let mut seen = vec![0_usize; hits.iter().map(|hit| hit.term + 1).max().unwrap_or(0)];
    let (mut terms, mut next) = (0, 0);
    let mut limit = Forward { text, at: 0, characters: 0 };
    let mut start = Forward { text, at: 0, characters: 0 };
    for (first, hit) in hits.iter().enumerate() {
        start.go_to(hit.range.start);
        let limit = limit.after(start.characters.saturating_add(length));
        while next < hits.len() && (next <= first || hits[next].range.end <= limit) {
            terms += usize::from(seen[hits[next].term] == 0);
            seen[hits[next].term] += 1;
            next += 1;
        }
        let end = hits[next - 1].range.end.max(hit.range.end).min(limit);
        let range = whole_characters(text, hit.range.start..end);
        windows.push(Window { range, terms, hits: next - first });
        seen[hit.term] -= 1;
        terms -= usize::from(seen[hit.term] == 0);
    }
    windows
}

/// A place in a text that moves forward, and how many characters are before it.
struct Forward<'a> {
    text: &'a str,
    at: usize,
    characters: usize,
}

impl Forward<'_> {
    fn go_to(&mut self, at: usize) {
        self.characters += self.text[self.at..at.max(self.at)].chars().count();
        self.at = at.max(self.at);
    }

    /// The end of the first `characters` of the text.
    fn after(&mut self, characters: usize) -> usize {
        let more = characters.saturating_sub(self.characters);
        let passed = self.text[self.at..].chars().take(more);
        let (count, bytes) = passed.fold((0, 0), |(count, bytes), character| (count + 1, bytes + character.len_utf8()));
        self.characters += count;
        self.at += bytes;
        self.at
    }
}

/// Widens a window to about `length` characters within what is free.
pub(super) fn fragment(text: &str, window: Range<usize>, free: Range<usize>, length: usize) -> Range<usize> {
    let spare = length.saturating_sub(text[window.clone()].chars().count());
    let after = text[window.end..free.end].chars().take(spare).count();
    let before = (spare / 2).max(spare - after);
    let first = back(text, window.start, before).max(free.start);
    let start = if first == free.start { first } else { break_before(text, first, &window) };

    let after = spare.saturating_sub(text[start..window.start].chars().count());
    let last = forth(text, window.end, after).min(free.end);
    let end = if last == free.end { last } else { break_after(text, start, last, &window) };

    let start = start + skipped(text[start..window.start].chars());
    let end = end - skipped(text[window.end..end].chars().rev());
    let fragment = whole_characters(text, start..end);
    fragment.start.max(free.start)..fragment.end.min(free.end)
}

/// Bytes of the space with which characters begin.
fn skipped(characters: impl Iterator<Item = char>) -> usize {
    characters.take_while(|character| character.is_whitespace()).map(char::len_utf8).sum()
}

/// Up to so many characters before a place.
fn back(text: &str, at: usize, characters: usize) -> usize {
    at - text[..at].chars().rev().take(characters).map(char::len_utf8).sum::<usize>()
}

/// Up to so many characters after a place.
fn forth(text: &str, at: usize, characters: usize) -> usize {
    at + text[at..].chars().take(characters).map(char::len_utf8).sum::<usize>()
}

/// The first beginning of a sentence, else of a word, from `first` to the window.
fn break_before(text: &str, first: usize, window: &Range<usize>) -> usize {
    let sentences = text[first..window.end].split_sentence_bound_indices().skip(1).map(|(at, _)| first + at);
    if let Some(sentence) = sentences.take_while(|at| *at <= window.start).next() {
        return sentence;
    }
    let mut words = text[first..window.start].split_word_bound_indices().skip(1);
    words.find(|(_, word)| !word.starts_with(char::is_whitespace)).map_or(window.start, |(at, _)| first + at)
}

/// The last end of a sentence, else of a word, from the window to `last`; of a sentence only if not too much is lost by it.
fn break_after(text: &str, start: usize, last: usize, window: &Range<usize>) -> usize {
    let sentences = text[window.start..last].split_sentence_bound_indices().skip(1);
    let sentence = sentences.map(|(at, _)| window.start + at).filter(|at| window.end <= *at).last();
    if let Some(end) = sentence
        && end - start >= (last - start) / 2
    {
        return end;
    }
    let word = text[window.end..last].split_word_bound_indices().skip(1).last();
    word.map_or(window.end, |(at, _)| window.end + at)
}

/// The least range around `range` that splits nothing that is seen as one character.
pub(super) fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let cursor = |at: usize| GraphemeCursor::new(at, text.len(), true);
    let is_boundary = |at: usize| cursor(at).is_boundary(text, 0).unwrap_or(true);
    // Without a chunk of the text that is missing, the cursor has all that it needs.
    let start = match is_boundary(range.start) {
        true => range.start,
        false => cursor(range.start).prev_boundary(text, 0).ok().flatten().unwrap_or(range.start),
    };
    let end = match is_boundary(range.end) {
        true => range.end,
        false => cursor(range.end).next_boundary(text, 0).ok().flatten().unwrap_or(range.end),
    };
    start..end
}
