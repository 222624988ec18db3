//! What a query looks for.

use super::token::{Role, Token};
use super::{Analyzer, Kind};

/// What a word of a query is looked for as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryToken {
    /// Which word of the query it is, counted from 0, as [`Token::position`](super::Token::position) does: in a phrase, words
    /// are as far from each other in the text as here.
    pub position: u32,
    /// The first byte in the query of what it was made of.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
    /// The terms of which one is to be found: that of the word itself, then those of its synonyms.
    pub alternatives: Vec<String>,
    /// True if this goes on with the word of the token before: all that belong together make a phrase, whatever else the query
    /// asks for.
    pub continues: bool,
    /// True if a term is to begin with it: what is shorter than the terms of this analyzer.
    pub is_prefix: bool,
}

impl Analyzer {
    /// What a query of this text looks for, in the order of its words; nothing if it has none but those that say nothing.
    ///
    /// A run of characters without spaces, a text for search by [`substring`](Analyzer::substring) and a name that is
    /// [split](Analyzer::split_identifiers) are several tokens, of which all but the first
    /// [continue](QueryToken::continues).
    ///
    /// ```
    /// use blaze_core::Analyzer;
    ///
    /// let tokens = Analyzer::standard().analyze_query("東京都 Tower");
    /// let terms: Vec<_> = tokens.iter().map(|token| (token.alternatives[0].as_str(), token.continues)).collect();
    /// assert_eq!(terms, [("東京", false), ("京都", true), ("tower", false)]);
    /// ```
    #[must_use]
    pub fn analyze_query(&self, text: &str) -> Vec<QueryToken> {
        let mut tokens = self.words_of_query(text);
        for token in &mut tokens {
            let synonyms = token.alternatives.first().map(|term| self.synonyms_of(term)).unwrap_or_default();
            token.alternatives.extend_from_slice(synonyms);
        }
        tokens
    }

    /// What a query looks for, without synonyms.
    pub(super) fn words_of_query(&self, text: &str) -> Vec<QueryToken> {
        let mut tokens: Vec<QueryToken> = Vec::new();
        let mut whole = None;
        self.begin().visit(text, &mut |token, role| match role {
            Role::Rest => {}
            Role::Whole => {
                tokens.extend(whole.replace(query_token(token, role)));
            }
            Role::Begins | Role::Continues | Role::Short => {
                // The parts of a name stand for the whole, unless all of them say nothing.
                if let Some(whole) = whole.take_if(|whole: &mut QueryToken| whole.end <= token.start) {
                    tokens.push(whole);
                }
                whole = None;
                tokens.push(query_token(token, role));
            }
        });
        tokens.extend(whole);
        tokens
    }

    /// The beginning of a word as terms that begin with it have it, for queries by prefix and by likeness: folded, but neither
    /// left out as a stop word nor brought to its stem.
    ///
    /// Where words are brought to their stems, terms are these: the prefix `connect` finds *connected* and *connections*,
    /// and `connecti` finds neither, since both are kept as `connect`. To find what people type, look for the terms of the
    /// [analysed](Analyzer::analyze_query) word beside those that begin with it. Of what is written without spaces terms
    /// have two characters, three with [`substring`](Analyzer::substring): what is longer begins none, and is to be analysed.
    ///
    /// ```
    /// use blaze_core::Analyzer;
    ///
    /// assert_eq!(Analyzer::standard().fold_prefix("Éti"), "eti");
    /// ```
    #[must_use]
    pub fn fold_prefix(&self, text: &str) -> String {
        let mut analysis = self.begin();
        match self.kind {
            Kind::Words => analysis.fold_prefix(text.trim()).to_owned(),
            Kind::Keyword => super::grams::beginning(analysis.fold(text)).to_owned(),
            Kind::Substring => {
                let spaced = |character: char| if character.is_whitespace() { ' ' } else { character };
                analysis.fold(text).chars().map(spaced).collect()
            }
        }
    }
}

fn query_token(token: Token<'_>, role: Role) -> QueryToken {
    QueryToken {
        position: token.position,
        start: token.start,
        end: token.end,
        alternatives: vec![token.term.to_owned()],
        continues: role == Role::Continues,
        is_prefix: role == Role::Short,
    }
}
