//! The entry of a document in an index on text.
//!
//! Its key is the number of the index and the id, its value the terms of the document. Where the terms are in it is not a part
//! of it: whoever writes the entry writes that beside it, see [`crate::text::ChangeRow`].

use std::borrow::Cow;

use blaze_core::limits::TEXT_TOKENS_PER_FIELD_MAX;
use blaze_core::{Analysis, Document, DocumentId, Error, Path, Result, Value};
use blaze_text::DocumentBuilder;

use super::entries::with_place;
use super::subject::Subject;
use super::text::{TextField, TextFields};
use super::{IndexDefinition, IndexFields};

/// Positions that stay free between two texts of a field, so that no phrase reaches from one into the other.
const GAP: u64 = 100;

/// What an index on text has of a document.
#[derive(Debug)]
pub(super) struct TextEntry {
    /// Its terms.
    pub(super) terms: Vec<u8>,
    /// How often and where each of them is.
    pub(super) occurrences: Vec<u8>,
}

/// The entry of a document; none if there is no term in it.
pub(super) fn text_entry(fields: &TextFields, subject: Subject<'_>) -> Result<Option<TextEntry>> {
    TextAnalysis::new(fields).entry(subject)
}

/// What makes the entries of one document after the other.
pub(super) struct TextAnalysis<'a> {
    fields: &'a TextFields,
    /// What analyses each of the fields.
    analyses: Vec<Analysis<'a>>,
    builder: DocumentBuilder,
}

impl<'a> TextAnalysis<'a> {
    pub(super) fn new(fields: &'a TextFields) -> TextAnalysis<'a> {
        TextAnalysis {
            fields,
            analyses: fields.fields.iter().map(|field| field.analyzer.begin()).collect(),
            builder: DocumentBuilder::new(u8::try_from(fields.fields.len()).unwrap_or(u8::MAX)),
        }
    }

    /// The entry of a document; none if there is no term in it.
    pub(super) fn entry(&mut self, subject: Subject<'_>) -> Result<Option<TextEntry>> {
        let added = self.add(subject);
        // In either case the next document begins anew.
        let document = self.builder.finish();
        added?;
        if document.terms().is_empty() {
            return Ok(None);
        }
        Ok(Some(TextEntry { terms: document.terms().to_bytes(), occurrences: document.occurrences() }))
    }

    fn add(&mut self, subject: Subject<'_>) -> Result<()> {
        for ((number, field), analysis) in (0..).zip(&self.fields.fields).zip(&mut self.analyses) {
            let texts = texts_at(&field.path, subject)?;
            analyse(analysis, number, &texts, &mut self.builder).map_err(|error| error.context(&field.path))?;
        }
        Ok(())
    }
}

/// Adds the tokens of the texts of a field to those of its document.
fn analyse(
    analysis: &mut Analysis<'_>,
    number: u8,
    texts: &[Cow<'_, str>],
    builder: &mut DocumentBuilder,
) -> Result<()> {
    let (mut tokens, mut begin) = (0_usize, 0_u64);
    let mut outcome = Ok(());
    for text in texts {
        let mut end = None;
        analysis.analyze(text, &mut |token| {
            if outcome.is_err() {
                return;
            }
            tokens += 1;
            let position = begin + u64::from(token.position);
            end = end.max(Some(position));
            outcome = match u32::try_from(position) {
                Ok(position) if tokens <= TEXT_TOKENS_PER_FIELD_MAX => {
                    builder.add(number, token.term.as_bytes(), position)
                }
                _ => Err(too_long()),
            };
        });
        begin = end.map_or(begin, |end| end + 1 + GAP);
    }
    outcome
}

#[cold]
fn too_long() -> Error {
    Error::limit_exceeded(format!(
        "the text has more terms than a field of a text index may have: the limit is {TEXT_TOKENS_PER_FIELD_MAX}"
    ))
}

/// The texts that a path reaches, in the order of the document.
fn texts_at<'a>(path: &Path, subject: Subject<'a>) -> Result<Vec<Cow<'a, str>>> {
    let mut texts = Vec::new();
    for value in subject.reached(path)? {
        match value {
            Cow::Borrowed(Value::String(text)) => texts.push(Cow::Borrowed(text.as_str())),
            Cow::Borrowed(Value::Array(elements)) => {
                texts.extend(elements.iter().filter_map(Value::as_str).map(Cow::Borrowed));
            }
            Cow::Owned(Value::String(text)) => texts.push(Cow::Owned(text)),
            Cow::Owned(Value::Array(elements)) => {
                texts.extend(elements.into_iter().filter_map(|element| match element {
                    Value::String(text) => Some(Cow::Owned(text)),
                    _ => None,
                }))
            }
            _ => {}
        }
    }
    Ok(texts)
}

/// The texts of which an index on text makes the entry of a document, by field; none if there are none, or the index leaves the
/// document out.
pub(crate) fn indexed_texts<'a>(
    index: &IndexDefinition,
    id: &DocumentId,
    document: Option<&'a Document>,
) -> Result<Option<Vec<Vec<Cow<'a, str>>>>> {
    let (Some(document), IndexFields::Text(fields)) = (document, index.parts()?) else { return Ok(None) };
    if let Some(filter) = index.only()?
        && !with_place(id, document, |whole| filter.matches(whole))
    {
        return Ok(None);
    }
    let texts_of = |field: &TextField| texts_at(&field.path, Subject::Document(document));
    let texts = fields.fields.iter().map(texts_of).collect::<Result<Vec<_>>>()?;
    Ok(texts.iter().any(|texts| !texts.is_empty()).then_some(texts))
}

#[cfg(test)]
mod tests {
    use blaze_core::ErrorKind;
    use blaze_text::{DocumentPostings, DocumentTerms};

    use super::super::Index;
    use super::*;

    fn definition(index: Index) -> IndexDefinition {
        index.define(7).unwrap()
    }

    /// The terms of each field with their positions.
    fn read(index: Index, document: &Document) -> Vec<(u8, String, Vec<u32>)> {
        let definition = definition(index);
        let IndexFields::Text(fields) = definition.parts().unwrap() else { panic!("a text index") };
        let Some(entry) = text_entry(fields, Subject::Document(document)).unwrap() else { return Vec::new() };
        assert_eq!(DocumentTerms::from_bytes(&entry.terms).unwrap().to_bytes(), entry.terms);
        let read = DocumentPostings::read(&entry.terms, &entry.occurrences).unwrap();
        let text = |term: &[u8]| String::from_utf8(term.to_vec()).unwrap();
        read.iter().map(|(field, term, positions)| (field, text(term), positions.to_vec())).collect()
    }

    #[test]
    fn strings_are_indexed_and_those_in_arrays_one_behind_the_other() {
        let person = |name: &str| Value::from(Document::new().with("name", name));
        let document = Document::new()
            .with("title", "To be or to be")
            .with("tags", vec![Value::from("sea"), Value::from(7), Value::from("sea stars"), Value::Null])
            .with("cast", vec![person("Ann"), Value::from("no map"), person("Ben")])
            .with("year", 1972);
        let found = read(Index::text(["tags", "title", "cast.name", "year", "absent"]), &document);
        let expected = [
            (0, "sea", vec![0, 101]),
            (0, "stars", vec![102]),
            (1, "be", vec![1, 4]),
            (1, "or", vec![2]),
            (1, "to", vec![0, 3]),
            (2, "ann", vec![0]),
            (2, "ben", vec![101]),
        ];
        assert_eq!(found, expected.map(|(field, term, positions)| (field, term.to_owned(), positions)));
    }

    #[test]
    fn a_document_without_terms_has_no_entry() {
        for document in [
            Document::new(),
            Document::new().with("text", Value::Null),
            Document::new().with("text", ""),
            Document::new().with("text", " ... "),
            Document::new().with("text", 3),
        ] {
            assert_eq!(read(Index::text(["text"]), &document), []);
        }
    }

    #[test]
    fn entries_one_after_the_other_are_those_of_each_document_alone() {
        let definition = definition(Index::text(["title", "text"]));
        let IndexFields::Text(fields) = definition.parts().unwrap() else { panic!("a text index") };
        let mut analysis = TextAnalysis::new(fields);
        let long = "a ".repeat(TEXT_TOKENS_PER_FIELD_MAX + 1);
        for (title, text) in
            [("To be", "or not"), ("", ""), ("fish", long.as_str()), ("fish", "sea 東京都"), ("", "fish")]
        {
            let document = Document::new().with("title", title).with("text", text);
            let alone = text_entry(fields, Subject::Document(&document)).ok();
            let found = analysis.entry(Subject::Document(&document)).ok();
            let bytes = |entry: Option<TextEntry>| entry.map(|entry| (entry.terms, entry.occurrences));
            assert_eq!(found.map(bytes), alone.map(bytes), "{title}");
        }
    }

    #[test]
    fn texts_are_those_of_the_fields_of_a_document_that_the_index_takes_in() {
        let index = definition(Index::text(["a", "b"]).only(blaze_core::field("open").eq(true)));
        let (open, closed) = (Document::new().with("open", true), Document::new().with("open", false));
        let texts = |document: &Document| {
            let texts = indexed_texts(&index, &1.into(), Some(document)).unwrap();
            texts.map(|texts| texts.concat().into_iter().map(Cow::into_owned).collect::<Vec<_>>())
        };
        assert_eq!(texts(&open.clone().with("b", vec!["x", "y"])), Some(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(texts(&closed.with("b", "x")), None);
        assert_eq!(texts(&open.with("c", "x")), None);
        assert_eq!(indexed_texts(&index, &1.into(), None).unwrap(), None);
    }

    #[test]
    fn a_text_of_too_many_terms_is_refused() {
        let definition = definition(Index::text(["text"]));
        let IndexFields::Text(fields) = definition.parts().unwrap() else { panic!("a text index") };
        let document = Document::new().with("text", "a ".repeat(TEXT_TOKENS_PER_FIELD_MAX + 1));
        let error = text_entry(fields, Subject::Document(&document)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.to_string().starts_with("text: "), "{error}");
    }
}
