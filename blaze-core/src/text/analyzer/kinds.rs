//! What an analyzer makes of words.

use super::runs::is_unspaced;
use super::{Analyzer, Kind};

impl Analyzer {
    /// True if its terms are the stems of words.
    ///
    /// ```
    /// use blaze_core::{Analyzer, Language};
    ///
    /// let english = Analyzer::standard().language(Language::English);
    /// assert!(english.makes_stems() && !english.without_stemming().makes_stems());
    /// ```
    #[must_use]
    pub fn makes_stems(&self) -> bool {
        self.kind == Kind::Words && self.stems && self.language.is_some()
    }

    /// True if its terms are parts of texts, as those of [`substring`](Analyzer::substring) are, and not words.
    #[must_use]
    pub fn makes_parts(&self) -> bool {
        self.kind == Kind::Substring
    }

    /// True if the terms of such a text are parts of it, as those of [`substring`](Analyzer::substring) are, and those of words
    /// with characters of a script without spaces: terms that are like one of them say nothing.
    ///
    /// ```
    /// use blaze_core::Analyzer;
    ///
    /// assert!(Analyzer::standard().makes_parts_of("東京") && Analyzer::substring().makes_parts_of("tower"));
    /// assert!(!Analyzer::standard().makes_parts_of("tower") && !Analyzer::keyword().makes_parts_of("東京"));
    /// ```
    #[must_use]
    pub fn makes_parts_of(&self, text: &str) -> bool {
        match self.kind {
            Kind::Substring => true,
            Kind::Words => text.chars().any(is_unspaced),
            Kind::Keyword => false,
        }
    }
}
