//! From a text to terms.

pub(crate) mod fold;
mod grams;
mod identifier;
mod kinds;
#[cfg(test)]
pub(super) mod properties;
mod query;
mod runs;
mod segment;
mod session;
mod stored;
mod synonyms;
#[cfg(test)]
mod tests;
mod token;
mod validate;

use std::collections::BTreeSet;

pub use query::QueryToken;
pub use session::Analysis;
pub use token::Token;

use self::fold::with_and_without_accents;
use self::synonyms::Synonyms;
use super::language::Language;
use crate::limits::DOCUMENT_BYTES_MAX;

/// How a text becomes terms: those of a document are stored, those of a query are looked for among them.
///
/// | made by | terms |
/// |---|---|
/// | [`standard`](Analyzer::standard) | words |
/// | [`standard`](Analyzer::standard) and [`language`](Analyzer::language) | stems of words, without those that say nothing |
/// | [`substring`](Analyzer::substring) | every three characters in a row, so that any part of a text is found |
/// | [`keyword`](Analyzer::keyword) | the whole text, as one term |
///
/// All of them fold: case does not matter, nor do accents (`é` is `e`, `ß` is `ss`, `ø` is `o`), nor how a character is spelt
/// in Unicode (compatibility decomposition). Marks that make another letter stay: `が`, `й`, vowel signs.
///
/// Words are those of [UAX #29](https://www.unicode.org/reports/tr29/), but that a colon never joins; so `can't`, `3.14` and
/// `example.com` are words, and what has no letter and no digit is none. Chinese, Japanese, Korean, Thai, Lao, Burmese and Khmer
/// have no spaces between words, or affixes without number: each run of their characters becomes its overlapping pairs
/// of characters, of which a query makes a phrase, and the last character, so that a single one is found, too.
///
/// An analyzer is a plain description: cheap to make, compared by what it says, stored in catalogs. It may be
/// [invalid](Analyzer::validate) until it is checked.
///
/// ```
/// use blaze_core::{Analyzer, Language};
///
/// let analyzer = Analyzer::standard().language(Language::English);
/// let mut terms = Vec::new();
/// analyzer.analyze("The Cafés of Paris", &mut |token| terms.push((token.term.to_owned(), token.position)));
/// assert_eq!(terms, [("cafe".to_owned(), 1), ("pari".to_owned(), 3)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analyzer {
    kind: Kind,
    language: Option<Language>,
    stems: bool,
    stops_of_language: bool,
    /// In lower case, with and without their accents.
    stop_words: BTreeSet<String>,
    synonyms: Synonyms,
    splits_identifiers: bool,
    keeps_accents: bool,
    min_length: usize,
    max_length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Words,
    Substring,
    Keyword,
}

/// Characters that no word has: a document is smaller.
const LENGTH_MAX: usize = DOCUMENT_BYTES_MAX;

impl Analyzer {
    const fn of(kind: Kind) -> Analyzer {
        Analyzer {
            kind,
            language: None,
            stems: true,
            stops_of_language: true,
            stop_words: BTreeSet::new(),
            synonyms: Synonyms::new(),
            splits_identifiers: false,
            keeps_accents: false,
            min_length: 0,
            max_length: usize::MAX,
        }
    }

    /// Words, whatever their language.
    #[must_use]
    pub const fn standard() -> Analyzer {
        Analyzer::of(Kind::Words)
    }

    /// Every three characters of the text in a row, spaces and signs included, so that the phrase of the terms of a query is
    /// search for a part of the text: `usag` finds `sausages`.
    ///
    /// The last two characters and the last one are terms as well: what is shorter than three characters is then found by
    /// the terms that begin with it. Takes several times as much space as words do.
    #[must_use]
    pub const fn substring() -> Analyzer {
        Analyzer::of(Kind::Substring)
    }

    /// The whole text as one term, for names, codes and tags that are searched as such.
    #[must_use]
    pub const fn keyword() -> Analyzer {
        Analyzer::of(Kind::Keyword)
    }

    /// Words are of a language: those that say nothing are left out, the others brought to their stems, and in French and
    /// Italian what is elided before an apostrophe is taken off.
    ///
    /// Words are brought to their stems before their accents are folded, since accents tell endings apart; so what is written
    /// without them finds most, not all, of what is written with them. English has none of its own: there all is found.
    #[must_use]
    pub fn language(self, language: Language) -> Analyzer {
        self.changed(|analyzer| analyzer.language = Some(language))
    }

    /// These words are left out as well, in texts and in queries. They are compared before words are brought to their stems.
    ///
    /// ```
    /// use blaze_core::Analyzer;
    ///
    /// let analyzer = Analyzer::standard().stop_words(["LLC", "gmbh"]);
    /// assert_eq!(analyzer.analyze_query("Acme GmbH")[0].alternatives, ["acme"]);
    /// assert!(analyzer.analyze_query("llc").is_empty());
    /// ```
    #[must_use]
    pub fn stop_words(self, words: impl IntoIterator<Item = impl AsRef<str>>) -> Analyzer {
        let words = words.into_iter().flat_map(|word| with_and_without_accents(word.as_ref()));
        self.changed(|analyzer| analyzer.stop_words.extend(words))
    }

    /// No words are left out, neither those of the language nor any that were named before.
    #[must_use]
    pub fn without_stop_words(self) -> Analyzer {
        self.changed(|analyzer| {
            analyzer.stops_of_language = false;
            analyzer.stop_words.clear();
        })
    }

    /// Words stay as they are, whatever their language.
    #[must_use]
    pub fn without_stemming(self) -> Analyzer {
        self.changed(|analyzer| analyzer.stems = false)
    }

    /// Words that mean the same: a query for one of a group finds all of them. Texts are not affected; but they are part of what
    /// an index is, which is replaced where they change.
    ///
    /// Each synonym is a single word. A word in several groups has the synonyms of each of them.
    ///
    /// ```
    /// use blaze_core::Analyzer;
    ///
    /// let analyzer = Analyzer::standard().synonyms([["car", "automobile"]]);
    /// assert_eq!(analyzer.analyze_query("Car")[0].alternatives, ["car", "automobile"]);
    /// ```
    #[must_use]
    pub fn synonyms<G, S>(self, groups: impl IntoIterator<Item = G>) -> Analyzer
    where
        G: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let groups = groups.into_iter().map(|group| group.into_iter().map(Into::into).collect());
        self.changed(|analyzer| analyzer.synonyms.groups.extend(groups))
    }

    /// Names in programs are split into the words that they are made of: `getUserName` and `get_user_name` are `get`, `user`
    /// and `name` in a row, and, at the position of the first, `getusername`.
    ///
    /// A query makes a phrase of the words. A full stop separates words unless it is between digits.
    #[must_use]
    pub fn split_identifiers(self) -> Analyzer {
        self.changed(|analyzer| analyzer.splits_identifiers = true)
    }

    /// Accents matter: `é` is not `e`. For languages in which they make other letters, such as Swedish and Finnish.
    #[must_use]
    pub fn keep_accents(self) -> Analyzer {
        self.changed(|analyzer| analyzer.keeps_accents = true)
    }

    /// Words of fewer characters are left out. Characters are those of the folded word, before it is brought to its stem;
    /// what is written without spaces is not affected.
    #[must_use]
    pub fn min_token_length(self, characters: usize) -> Analyzer {
        self.changed(|analyzer| analyzer.min_length = characters.min(LENGTH_MAX))
    }

    /// Words of more characters are left out. Without a limit they are cut at
    /// [`TEXT_TERM_BYTES_MAX`](crate::limits::TEXT_TERM_BYTES_MAX), in texts and queries alike.
    #[must_use]
    pub fn max_token_length(self, characters: usize) -> Analyzer {
        self.changed(|analyzer| {
            analyzer.max_length = if characters < LENGTH_MAX { characters } else { usize::MAX };
        })
    }

    /// Finds the terms of a text, in the order of their positions and of their first bytes.
    ///
    /// Takes time linear in the text, and no memory for each term. To analyse many texts, [`begin`](Analyzer::begin) once.
    pub fn analyze(&self, text: &str, visit: &mut dyn FnMut(Token<'_>)) {
        self.begin().analyze(text, visit);
    }

    /// Begins to analyse texts one after another, with buffers and stems that are kept from one to the next.
    #[must_use]
    pub fn begin(&self) -> Analysis<'_> {
        Analysis::new(self)
    }

    fn changed(mut self, change: impl FnOnce(&mut Analyzer)) -> Analyzer {
        change(&mut self);
        self.synonyms.forget_terms();
        self
    }

    fn is_stop_word(&self, lower: &str) -> bool {
        let of_language = self.language.filter(|_| self.stops_of_language).map(Language::stop_words);
        of_language.is_some_and(|words| words.contains(lower)) || self.stop_words.contains(lower)
    }
}

impl Default for Analyzer {
    /// [`Analyzer::standard`].
    fn default() -> Analyzer {
        Analyzer::standard()
    }
}
