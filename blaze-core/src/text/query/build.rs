//! How a text query is put together.

use std::ops::Not;

use super::TextQuery;
use crate::path::Path;

impl TextQuery {
    /// Any word of `text`: what suits a question in natural language. Nothing in the text is an operator.
    pub fn words(text: impl Into<String>) -> TextQuery {
        TextQuery::AnyWord(text.into())
    }

    /// All words of `text`, wherever they are; of fields of different analyzers see [`TextQuery::AllWords`].
    pub fn all_words(text: impl Into<String>) -> TextQuery {
        TextQuery::AllWords(text.into())
    }

    /// The words of `text`, one after the other; a single word, too.
    pub fn phrase(text: impl Into<String>) -> TextQuery {
        TextQuery::near(text, 0)
    }

    /// The words of `text`, near each other: they make the phrase after they have been moved by at most `slop` places, all
    /// together. At most [`TEXT_SLOP_MAX`](crate::limits::TEXT_SLOP_MAX).
    pub fn near(text: impl Into<String>, slop: u32) -> TextQuery {
        TextQuery::Phrase { text: text.into(), slop }
    }

    /// Words that begin with `text`: of more than 1,024, those that most documents have, see [`TextQuery::Prefix`].
    pub fn prefix(text: impl Into<String>) -> TextQuery {
        TextQuery::Prefix(text.into())
    }

    /// Words that are `text` after at most `distance` edits, which is 1 or 2: a character inserted, removed, replaced or
    /// swapped with the next one. Of more than 1,024, the nearest, see [`TextQuery::Fuzzy`].
    pub fn fuzzy(text: impl Into<String>, distance: u8) -> TextQuery {
        TextQuery::fuzzy_after(text, distance, 0)
    }

    /// As [`fuzzy`](TextQuery::fuzzy), where the first `prefix_length` characters must be equal: fewer words are found, and
    /// sooner.
    pub fn fuzzy_after(text: impl Into<String>, distance: u8, prefix_length: u32) -> TextQuery {
        TextQuery::Fuzzy { text: text.into(), distance, prefix_length }
    }

    /// All of the queries.
    pub fn all_of(queries: impl IntoIterator<Item = TextQuery>) -> TextQuery {
        let must = queries.into_iter().collect();
        TextQuery::Boolean { must, should: Vec::new(), must_not: Vec::new(), least_should: 0 }
    }

    /// Any of the queries.
    pub fn any_of(queries: impl IntoIterator<Item = TextQuery>) -> TextQuery {
        TextQuery::at_least(1, queries)
    }

    /// At least `least` of the queries.
    ///
    /// ```
    /// use blaze_core::TextQuery;
    ///
    /// let query = TextQuery::at_least(2, ["space", "opera", "musical"].map(TextQuery::phrase));
    /// assert_eq!(query, TextQuery::parse("(space opera musical)~2")?);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pub fn at_least(least: usize, queries: impl IntoIterator<Item = TextQuery>) -> TextQuery {
        let should = queries.into_iter().collect();
        TextQuery::Boolean { must: Vec::new(), should, must_not: Vec::new(), least_should: least }
    }

    /// Searches in the field at `path` only, which must be one of the index.
    #[must_use]
    pub fn in_field(self, path: impl Into<Path>) -> TextQuery {
        TextQuery::In(path.into(), Box::new(self))
    }

    /// Multiplies the scores by `factor`, a number above 0: above 1, what is found here comes sooner.
    #[must_use]
    pub fn boost(self, factor: f32) -> TextQuery {
        TextQuery::Boost(Box::new(self), factor)
    }

    /// Both queries are satisfied. A chain of these stays one level deep, and `a.and(!b)` is `a.and_not(b)`.
    #[must_use]
    pub fn and(self, other: TextQuery) -> TextQuery {
        let (mut all, mut none) = self.into_requirements();
        let (more, fewer) = other.into_requirements();
        all.extend(more);
        none.extend(fewer);
        TextQuery::Boolean { must: all, should: Vec::new(), must_not: none, least_should: 0 }
    }

    /// One of the queries is satisfied, or both. A chain of these stays one level deep.
    #[must_use]
    pub fn or(self, other: TextQuery) -> TextQuery {
        let mut any = self.into_alternatives();
        any.extend(other.into_alternatives());
        TextQuery::any_of(any)
    }

    /// This query is satisfied, and `other` is not.
    #[must_use]
    pub fn and_not(mut self, other: TextQuery) -> TextQuery {
        if let TextQuery::Boolean { must_not, .. } = &mut self {
            must_not.push(other);
            return self;
        }
        TextQuery::Boolean { must: vec![self], should: Vec::new(), must_not: vec![other], least_should: 0 }
    }

    /// This query is satisfied; what satisfies `other`, too, scores higher.
    #[must_use]
    pub fn and_maybe(self, other: TextQuery) -> TextQuery {
        let (must, must_not) = self.into_requirements();
        TextQuery::Boolean { must, should: other.into_alternatives(), must_not, least_should: 0 }
    }

    /// What must be satisfied and what must not: several, if that is all that the query says.
    fn into_requirements(self) -> (Vec<TextQuery>, Vec<TextQuery>) {
        match self {
            TextQuery::Boolean { must, should, must_not, least_should: 0 } if should.is_empty() => (must, must_not),
            query => (vec![query], Vec::new()),
        }
    }

    /// What should be satisfied: several, if that is all that the query says.
    fn into_alternatives(self) -> Vec<TextQuery> {
        match self {
            TextQuery::Boolean { must, should, must_not, least_should: 1 }
                if must.is_empty() && must_not.is_empty() =>
            {
                should
            }
            query => vec![query],
        }
    }
}

impl Not for TextQuery {
    type Output = TextQuery;

    /// What is not to be found: of use within [`and`](TextQuery::and) only, since a query says what to find. A double negation
    /// cancels out.
    fn not(self) -> TextQuery {
        match self {
            TextQuery::Boolean { must, should, mut must_not, least_should: 0 }
                if must.is_empty() && should.is_empty() && must_not.len() == 1 =>
            {
                must_not.remove(0)
            }
            query => {
                TextQuery::Boolean { must: Vec::new(), should: Vec::new(), must_not: vec![query], least_should: 0 }
            }
        }
    }
}

impl From<&str> for TextQuery {
    /// Any [word](TextQuery::words) of the text, in which nothing is an operator.
    fn from(text: &str) -> TextQuery {
        TextQuery::words(text)
    }
}

impl From<String> for TextQuery {
    /// Any [word](TextQuery::words) of the text, in which nothing is an operator.
    fn from(text: String) -> TextQuery {
        TextQuery::words(text)
    }
}
