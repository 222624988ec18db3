//! Analyzers as values, for catalogs: what is said of one that differs from what is usual.

use super::{Analyzer, Kind};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::text::language::Language;
use crate::value::Value;

impl Analyzer {
    /// The analyzer as a value that [`from_stored`](Analyzer::from_stored) reads back. What it looks like is nobody's business
    /// but its readers', and stays readable.
    ///
    /// ```
    /// use blaze_core::{Analyzer, Language};
    ///
    /// let analyzer = Analyzer::standard().language(Language::German).synonyms([["auto", "wagen"]]);
    /// assert_eq!(Analyzer::from_stored(&analyzer.to_stored())?, analyzer);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn to_stored(&self) -> Value {
        let kind = match self.kind {
            Kind::Words => "words",
            Kind::Substring => "substring",
            Kind::Keyword => "keyword",
        };
        let mut stored = Document::new().with("kind", kind);
        if let Some(language) = self.language {
            stored.insert("language", language.name());
        }
        let usual = Analyzer::of(self.kind);
        let flags = [
            ("stems", self.stems, usual.stems),
            ("stops_of_language", self.stops_of_language, usual.stops_of_language),
            ("splits_identifiers", self.splits_identifiers, usual.splits_identifiers),
            ("keeps_accents", self.keeps_accents, usual.keeps_accents),
        ];
        for (name, flag, _) in flags.into_iter().filter(|(_, flag, usual)| flag != usual) {
            stored.insert(name, flag);
        }
        let lengths =
            [("min_length", self.min_length, usual.min_length), ("max_length", self.max_length, usual.max_length)];
        for (name, length, _) in lengths.into_iter().filter(|(_, length, usual)| length != usual) {
            stored.insert(name, length as u64);
        }
        if !self.stop_words.is_empty() {
            stored.insert("stop_words", strings(&self.stop_words));
        }
        if !self.synonyms.groups.is_empty() {
            stored.insert("synonyms", Value::Array(self.synonyms.groups.iter().map(strings).collect()));
        }
        Value::Map(stored)
    }

    /// Reads what [`to_stored`](Analyzer::to_stored) made. It may still not be [valid](Analyzer::validate).
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if it did not make it.
    pub fn from_stored(value: &Value) -> Result<Analyzer> {
        let stored = value.as_map().ok_or_else(|| damaged("", value))?;
        let kind = stored.get("kind").unwrap_or(&Value::Null);
        let mut analyzer = Analyzer::of(match kind.as_str() {
            Some("words") => Kind::Words,
            Some("substring") => Kind::Substring,
            Some("keyword") => Kind::Keyword,
            _ => return Err(damaged("kind", kind)),
        });
        for (name, value) in stored.iter() {
            match name {
                "kind" => {}
                "language" => {
                    let language = value.as_str().and_then(|name| name.parse::<Language>().ok());
                    analyzer.language = Some(language.ok_or_else(|| damaged(name, value))?);
                }
                "stems" => analyzer.stems = read_flag(name, value)?,
                "stops_of_language" => analyzer.stops_of_language = read_flag(name, value)?,
                "splits_identifiers" => analyzer.splits_identifiers = read_flag(name, value)?,
                "keeps_accents" => analyzer.keeps_accents = read_flag(name, value)?,
                "min_length" => analyzer.min_length = read_length(name, value)?,
                "max_length" => analyzer.max_length = read_length(name, value)?,
                "stop_words" => analyzer.stop_words = read_strings(name, value)?,
                "synonyms" => {
                    let groups = value.as_array().ok_or_else(|| damaged(name, value))?;
                    let groups = groups.iter().map(|group| read_strings(name, group));
                    analyzer.synonyms.groups = groups.collect::<Result<_>>()?;
                }
                _ => return Err(Error::corruption(format!("a stored analyzer has {name:?}, which none has"))),
            }
        }
        Ok(analyzer)
    }
}

fn strings<'a>(strings: impl IntoIterator<Item = &'a String>) -> Value {
    Value::Array(strings.into_iter().map(|string| Value::from(string.as_str())).collect())
}

fn read_flag(name: &str, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| damaged(name, value))
}

fn read_length(name: &str, value: &Value) -> Result<usize> {
    let length = value.as_i64().and_then(|length| usize::try_from(length).ok());
    length.ok_or_else(|| damaged(name, value))
}

fn read_strings<C: FromIterator<String>>(name: &str, value: &Value) -> Result<C> {
    let strings = value.as_array().ok_or_else(|| damaged(name, value))?.iter();
    strings.map(|string| string.as_str().map(str::to_owned).ok_or_else(|| damaged(name, value))).collect()
}

fn damaged(name: &str, value: &Value) -> Error {
    let shown = value.as_str().map_or_else(|| value.type_name().to_owned(), |string| format!("{string:?}"));
    Error::corruption(match name {
        "" => format!("a stored analyzer is {shown}, not a map"),
        _ => format!("a stored analyzer has {shown} for {name:?}"),
    })
}
