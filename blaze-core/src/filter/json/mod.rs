//! Filters as documents, with the operators of MongoDB.

mod parse;
mod print;
#[cfg(test)]
mod tests;

use super::Filter;
use crate::document::Document;
use crate::error::Result;
use crate::json;
use crate::place::Place;

impl Filter {
    /// Reads a filter from a document such as `{"year": {"$gte": 2015}}`; the [module](super) says what it may hold.
    ///
    /// What comes back is [valid](Filter::validate).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded): the message begins with
    /// the place in the document, as in `at $or[1].year: unknown operator "$gtt"; did you mean "$gte"?`.
    pub fn from_document(document: &Document) -> Result<Filter> {
        parse::filter(document, &Place::Top, false)
    }

    /// Reads a filter from a JSON text, as [`from_document`](Filter::from_document) does from a document. What JSON lacks is
    /// spelt as in the [extended form](crate::JsonForm::Extended).
    ///
    /// ```
    /// use blaze_core::{Filter, Time, field};
    ///
    /// let filter = Filter::from_json(r#"{"genres": "Drama", "shown": {"$gte": {"$time": "1972-01-01T00:00:00Z"}}}"#)?;
    /// let shown = "1972-01-01T00:00:00Z".parse::<Time>()?;
    /// assert_eq!(filter, field("genres").eq("Drama").and(field("shown").ge(shown)));
    /// let error = Filter::from_json(r#"{"$or": [{"year": 1972}, {"year": {"$gtt": 1980}}]}"#).unwrap_err();
    /// assert_eq!(error.to_string(), r#"at $or[1].year: unknown operator "$gtt"; did you mean "$gte"?"#);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_document`](Filter::from_document); [`Invalid`](crate::ErrorKind::Invalid) with line and column when the text is
    /// no JSON object.
    pub fn from_json(text: &str) -> Result<Filter> {
        Filter::from_document(&json::read_with_operators(text)?)
    }

    /// As [`from_document`](Filter::from_document), for a filter on the elements of an array: operators without a field,
    /// as in `{"$gte": 80}`, are of the element itself. For [array filters](crate::Update::array_filter) and
    /// [`pull_where`](crate::update::pull_where).
    ///
    /// ```
    /// use blaze_core::{Document, Filter, filter::element};
    ///
    /// let filter = Filter::from_element_document(&Document::new().with("$gte", 80))?;
    /// assert_eq!(filter, element().ge(80));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_document`](Filter::from_document).
    pub fn from_element_document(document: &Document) -> Result<Filter> {
        parse::filter(document, &Place::Top, true)
    }

    /// The document from which [`from_document`](Filter::from_document) reads this filter, if it is valid.
    ///
    /// Values stand in it as they are. Each level of the filter takes one or two of the document, so that a deep one has
    /// no text in JSON that can be read back: [`NESTING_MAX`](crate::limits::NESTING_MAX).
    #[must_use]
    pub fn to_document(&self) -> Document {
        print::document(self, false)
    }
}

/// As [`Filter::from_element_document`], for a part of a larger document.
pub(crate) fn element_filter(document: &Document, place: &Place<'_>) -> Result<Filter> {
    parse::filter(document, place, true)
}
