//! Languages whose words are brought to their stems.

mod stop_words;

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use frostem::{Algorithm, Stemmer};

use crate::error::{Error, Result};

/// A language whose grammar an [`Analyzer`](super::Analyzer) knows: which words say nothing (*the*, *of*), and what the
/// forms of a word have in common (*searching*, *searched*: *search*).
///
/// Stems are those of the [Snowball](https://snowballstem.org/) algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Language {
    /// Danish.
    Danish,
    /// Dutch.
    Dutch,
    /// English.
    English,
    /// Finnish.
    Finnish,
    /// French.
    French,
    /// German.
    German,
    /// Italian.
    Italian,
    /// Norwegian, as written in bokmål.
    Norwegian,
    /// Portuguese.
    Portuguese,
    /// Russian.
    Russian,
    /// Spanish.
    Spanish,
    /// Swedish.
    Swedish,
}

impl Language {
    /// All of them, by name.
    pub const ALL: [Language; 12] = [
        Language::Danish,
        Language::Dutch,
        Language::English,
        Language::Finnish,
        Language::French,
        Language::German,
        Language::Italian,
        Language::Norwegian,
        Language::Portuguese,
        Language::Russian,
        Language::Spanish,
        Language::Swedish,
    ];

    /// The English name in lower case, which [`parse`](str::parse) reads.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Language::Danish => "danish",
            Language::Dutch => "dutch",
            Language::English => "english",
            Language::Finnish => "finnish",
            Language::French => "french",
            Language::German => "german",
            Language::Italian => "italian",
            Language::Norwegian => "norwegian",
            Language::Portuguese => "portuguese",
            Language::Russian => "russian",
            Language::Spanish => "spanish",
            Language::Swedish => "swedish",
        }
    }

    /// The words that say nothing, in lower case, with and without their accents.
    pub(crate) fn stop_words(self) -> &'static HashSet<String> {
        stop_words::of(self)
    }

    /// What may stand before an apostrophe and the word that is meant: `l'amour`.
    pub(crate) fn elisions(self) -> &'static [&'static str] {
        match self {
            Language::French => {
                &["l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu"]
            }
            Language::Italian => &[
                "l", "d", "c", "m", "t", "s", "v", "n", "un", "gl", "all", "dall", "dell", "nell", "sull", "coll",
                "quest", "quell", "anch", "sant",
            ],
            _ => &[],
        }
    }

    /// True if words have their accents from other languages, so that they are not needed to find stems.
    pub(crate) fn has_no_accents(self) -> bool {
        self == Language::English
    }

    /// What brings words to their stems.
    pub(crate) fn stemmer(self) -> Stemmer {
        Stemmer::new(match self {
            Language::Danish => Algorithm::Danish,
            Language::Dutch => Algorithm::Dutch,
            Language::English => Algorithm::English,
            Language::Finnish => Algorithm::Finnish,
            Language::French => Algorithm::French,
            Language::German => Algorithm::German,
            Language::Italian => Algorithm::Italian,
            Language::Norwegian => Algorithm::Norwegian,
            Language::Portuguese => Algorithm::Portuguese,
            Language::Russian => Algorithm::Russian,
            Language::Spanish => Algorithm::Spanish,
            Language::Swedish => Algorithm::Swedish,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(name: &str) -> Result<Language> {
        Language::ALL.into_iter().find(|language| language.name() == name).ok_or_else(|| {
            let names = Language::ALL.map(Language::name).join(", ");
            Error::invalid(format!("there is no language {name:?} for text; there are {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused_with_all_that_there_are() {
        for language in Language::ALL {
            assert_eq!(language.name().parse::<Language>().unwrap(), language);
        }
        let error = "klingon".parse::<Language>().unwrap_err();
        assert!(error.to_string().starts_with("there is no language \"klingon\" for text; there are danish, dutch"));
    }

    #[test]
    fn each_language_brings_the_forms_of_a_word_to_one_stem() {
        let forms = [
            (Language::Danish, "undersøgelse", "undersøgelser"),
            (Language::Dutch, "lichaam", "lichamen"),
            (Language::English, "connected", "connections"),
            (Language::Finnish, "talossa", "talosta"),
            (Language::French, "continuer", "continuation"),
            (Language::German, "häuser", "hauses"),
            (Language::Italian, "abbandonata", "abbandonati"),
            (Language::Norwegian, "havnen", "havner"),
            (Language::Portuguese, "menino", "meninos"),
            (Language::Russian, "книга", "книгами"),
            (Language::Spanish, "cheques", "cheque"),
            (Language::Swedish, "jaktkarlarne", "jaktkarlar"),
        ];
        for (language, left, right) in forms {
            let stemmer = language.stemmer();
            assert_eq!(stemmer.stem(left), stemmer.stem(right), "{language}");
        }
    }

    #[test]
    fn each_language_has_stop_words() {
        for language in Language::ALL {
            let words = language.stop_words();
            assert!(words.len() > 60, "{language} has {}", words.len());
        }
        assert!(Language::German.stop_words().contains("für") && Language::German.stop_words().contains("fur"));
    }
}
