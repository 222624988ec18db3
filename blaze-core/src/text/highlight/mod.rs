//! What of a text is shown to who searched.

mod fragment;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use self::fragment::{Hit, Window, fragment, whole_characters, windows};
use super::analyzer::Analyzer;

/// Cuts out of a text what shows best why it was found, and marks the words that were.
///
/// A snippet begins and ends between sentences where it can, otherwise between words, and never within what is seen as one
/// character (an extended grapheme cluster). The best snippets are those with the most different terms, then those with the
/// most words that were found, then the first in the text.
///
/// ```
/// use blaze_core::{Analyzer, Highlighter};
///
/// let text = "Nobody knew. In the end the Café <by the sea> was closed. It rained.";
/// let snippets = Highlighter::new().fragment_length(50).highlight(text, &Analyzer::standard(), &|term| term == "cafe");
/// assert_eq!(snippets[0].text, "In the end the <mark>Café</mark> &lt;by the sea&gt; was closed.");
/// assert_eq!(&text[snippets[0].highlights[0].clone()], "Café");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlighter {
    fragments: usize,
    length: usize,
    before: String,
    after: String,
    escapes_html: bool,
}

/// A part of a text with its words marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The part with its marks, escaped if the [`Highlighter`] does so.
    pub text: String,
    /// Where it is in the text, in bytes.
    pub range: Range<usize>,
    /// What is marked, in bytes of the text: within [`range`](Snippet::range), ascending, apart from each other.
    pub highlights: Vec<Range<usize>>,
}

impl Highlighter {
    /// Up to three snippets of about 160 characters, for HTML: marked by `<mark>`, everything else escaped.
    #[must_use]
    pub fn new() -> Highlighter {
        Highlighter {
            fragments: 3,
            length: 160,
            before: "<mark>".to_owned(),
            after: "</mark>".to_owned(),
            escapes_html: true,
        }
    }

    /// At most so many snippets.
    #[must_use]
    pub fn fragments(mut self, fragments: usize) -> Highlighter {
        self.fragments = fragments;
        self
    }

    /// Snippets of at most about so many characters, marks and escapes aside. They are shorter to end with a sentence or a word,
    /// and longer than that only by what is seen as one character. `usize::MAX` gives the whole text.
    #[must_use]
    pub fn fragment_length(mut self, characters: usize) -> Highlighter {
        self.length = characters;
        self
    }

    /// What stands before and after each word that was found. It is not escaped.
    #[must_use]
    pub fn marks(mut self, before: impl Into<String>, after: impl Into<String>) -> Highlighter {
        self.before = before.into();
        self.after = after.into();
        self
    }

    /// Whether `&`, `<`, `>`, `"` and `'` of the text are escaped, so that it is safe within elements and quoted attributes
    /// of HTML. True unless it is said otherwise.
    #[must_use]
    pub fn escape_html(mut self, escapes: bool) -> Highlighter {
        self.escapes_html = escapes;
        self
    }

    /// The best snippets, the best first; none if nothing is found.
    ///
    /// `is_found` is asked of each term that the analyzer makes of the text, once: whether it is one of those that are searched for,
    /// begins with one, or is like one. Takes one analysis of the text.
    #[must_use]
    pub fn highlight(&self, text: &str, analyzer: &Analyzer, is_found: &dyn Fn(&str) -> bool) -> Vec<Snippet> {
        let hits = hits(text, analyzer, is_found);
        let length = self.length.max(1);
        let mut windows = windows(text, &hits, length);
        windows.sort_by_key(Window::rank);
        let mut taken: Vec<Range<usize>> = Vec::new();
        for window in windows {
            if taken.len() >= self.fragments {
                break;
            }
            if let Some(free) = free_around(&taken, &window.range, text.len()) {
                taken.push(fragment(text, window.range, free, length));
            }
        }
        taken.into_iter().map(|range| self.snippet(text, range, &hits)).collect()
    }

    fn snippet(&self, text: &str, range: Range<usize>, hits: &[Hit]) -> Snippet {
        let mut highlights: Vec<Range<usize>> = Vec::new();
        for hit in hits.iter().filter(|hit| hit.range.start < range.end && range.start < hit.range.end) {
            let found = whole_characters(text, hit.range.start.max(range.start)..hit.range.end.min(range.end));
            match highlights.last_mut() {
                Some(last) if found.start < last.end => last.end = last.end.max(found.end),
                _ => highlights.push(found),
            }
        }
        Snippet { text: self.marked(text, &range, &highlights), range, highlights }
    }

    fn marked(&self, text: &str, range: &Range<usize>, highlights: &[Range<usize>]) -> String {
        let mut marked = String::with_capacity(range.len() + highlights.len() * (self.before.len() + self.after.len()));
        let mut at = range.start;
        for found in highlights {
            self.push(&text[at..found.start], &mut marked);
            marked.push_str(&self.before);
            self.push(&text[found.clone()], &mut marked);
            marked.push_str(&self.after);
            at = found.end;
        }
        self.push(&text[at..range.end], &mut marked);
        marked
    }

    fn push(&self, text: &str, marked: &mut String) {
        if !self.escapes_html {
            return marked.push_str(text);
        }
        for character in text.chars() {
            match character {
                '&' => marked.push_str("&amp;"),
                '<' => marked.push_str("&lt;"),
                '>' => marked.push_str("&gt;"),
                '"' => marked.push_str("&quot;"),
                '\'' => marked.push_str("&#39;"),
                _ => marked.push(character),
            }
        }
    }
}

impl Default for Highlighter {
    /// [`Highlighter::new`].
    fn default() -> Highlighter {
        Highlighter::new()
    }
}

/// What is found in the text, and as which term.
fn hits(text: &str, analyzer: &Analyzer, is_found: &dyn Fn(&str) -> bool) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut terms: HashMap<Box<str>, Option<usize>> = HashMap::new();
    let mut found = 0;
    analyzer.analyze(text, &mut |token| {
        let term = match terms.get(token.term) {
            Some(term) => *term,
            None => {
                let term = is_found(token.term).then_some(found);
                found += usize::from(term.is_some());
                terms.insert(token.term.into(), term);
                term
            }
        };
        if let Some(term) = term {
            hits.push(Hit { range: token.start..token.end, term });
        }
    });
    hits
}

/// What is around `range` and not taken; none if it is taken itself.
fn free_around(taken: &[Range<usize>], range: &Range<usize>, length: usize) -> Option<Range<usize>> {
    let mut free = 0..length;
    for other in taken {
        if other.end <= range.start {
            free.start = free.start.max(other.end);
        } else if range.end <= other.start {
            free.end = free.end.min(other.start);
        } else {
            return None;
        }
    }
    Some(free)
}
