//! What a search by text is for.

use blaze_core::Result;

use crate::TextQuery;

/// What a search by text is for: a query as people write it, which is read when the search runs, or one that a program has made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TextTarget {
    /// As people write it: words, `"phrases"`, `+required`, `-forbidden`, `field:word`, see [`TextQuery::parse`].
    Written(String),
    /// As a program has made it.
    Made(TextQuery),
}

impl TextTarget {
    pub(super) fn to_query(&self) -> Result<TextQuery> {
        match self {
            TextTarget::Written(text) => TextQuery::parse(text).map_err(|error| error.context("the text of a search")),
            TextTarget::Made(query) => Ok(query.clone()),
        }
    }
}

impl From<&str> for TextTarget {
    fn from(text: &str) -> TextTarget {
        TextTarget::Written(text.to_owned())
    }
}

impl From<String> for TextTarget {
    fn from(text: String) -> TextTarget {
        TextTarget::Written(text)
    }
}

impl From<&String> for TextTarget {
    fn from(text: &String) -> TextTarget {
        TextTarget::Written(text.clone())
    }
}

impl From<TextQuery> for TextTarget {
    fn from(query: TextQuery) -> TextTarget {
        TextTarget::Made(query)
    }
}

impl From<&TextQuery> for TextTarget {
    fn from(query: &TextQuery) -> TextTarget {
        TextTarget::Made(query.clone())
    }
}
