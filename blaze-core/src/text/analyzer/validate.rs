//! Whether an analyzer is one that can work.

use super::segment::{Stretch, Stretches};
use super::{Analyzer, Kind};
use crate::error::{Error, Result};
use crate::limits::{ANALYZER_BYTES_MAX, TEXT_TERM_BYTES_MAX};

impl Analyzer {
    /// Checks that the options fit each other, and each stop word and synonym is one word.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) says what does not; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) if stop
    /// words and synonyms have more than [`ANALYZER_BYTES_MAX`] bytes together.
    ///
    /// ```
    /// use blaze_core::Analyzer;
    ///
    /// let error = Analyzer::standard().synonyms([["car", "motor car"]]).validate().unwrap_err();
    /// assert!(error.to_string().starts_with("the synonym \"motor car\" has 2 words"));
    /// ```
    pub fn validate(&self) -> Result<()> {
        self.check_options()?;
        let synonyms = self.synonyms.groups.iter().flatten();
        let bytes: usize = self.stop_words.iter().chain(synonyms).map(String::len).sum();
        if bytes > ANALYZER_BYTES_MAX {
            return Err(Error::limit_exceeded(format!(
                "an analyzer has {bytes} bytes of stop words and synonyms, at most {ANALYZER_BYTES_MAX} are possible"
            )));
        }
        for word in &self.stop_words {
            check_stop_word(word)?;
        }
        for group in &self.synonyms.groups {
            self.check_synonyms(group)?;
        }
        Ok(())
    }

    fn check_options(&self) -> Result<()> {
        let (min, max) = (self.min_length, self.max_length);
        if min > max {
            return Err(Error::invalid(format!(
                "an analyzer leaves out words below {min} and above {max} characters: all"
            )));
        }
        if min > TEXT_TERM_BYTES_MAX {
            return Err(Error::invalid(format!(
                "an analyzer leaves out words below {min} characters, at most {TEXT_TERM_BYTES_MAX} are possible"
            )));
        }
        let (kind, is_substring) = match self.kind {
            Kind::Words => return Ok(()),
            Kind::Substring => ("of substrings", true),
            Kind::Keyword => ("of keywords", false),
        };
        let options = [
            ("a language", self.language.is_some()),
            ("stop words", !self.stop_words.is_empty()),
            ("synonyms", is_substring && !self.synonyms.groups.is_empty()),
            ("identifiers to split", self.splits_identifiers),
            ("a least length of words", min > 0),
            ("a greatest length of words", max < usize::MAX),
        ];
        match options.iter().find(|(_, is_set)| *is_set) {
            Some((option, _)) => Err(Error::invalid(format!("an analyzer {kind} has {option}: only one of words can"))),
            None => Ok(()),
        }
    }

    fn check_synonyms(&self, group: &[String]) -> Result<()> {
        if group.len() < 2 {
            let group = group.first().map_or("", String::as_str);
            return Err(Error::invalid(format!("a group of synonyms has only {group:?}, at least 2 words are needed")));
        }
        for word in group {
            let tokens = self.words_of_query(word).len();
            let words = if self.kind == Kind::Keyword { 1 } else { Stretches::new(word).count() };
            if words > 1 {
                return Err(Error::invalid(format!("the synonym {word:?} has {words} words, one is possible")));
            }
            if tokens != 1 {
                let problem = if tokens == 0 { "is no word, or one that is left out" } else { "is more than one term" };
                return Err(Error::invalid(format!("the synonym {word:?} {problem}")));
            }
        }
        Ok(())
    }
}

fn check_stop_word(word: &str) -> Result<()> {
    let mut stretches = Stretches::new(word);
    match (stretches.next(), stretches.next()) {
        (Some(Stretch::Word(0, end)), None) if end == word.len() => Ok(()),
        (Some(Stretch::Run(..)), None) => Err(Error::invalid(format!(
            "the stop word {word:?} is of a script without spaces, of which pairs of characters are terms"
        ))),
        _ => Err(Error::invalid(format!("the stop word {word:?} is not one word"))),
    }
}
