//! Indexes on text: what they are on, and how the catalog keeps that.

use blaze_core::limits::TEXT_FIELDS_MAX;
use blaze_core::{Analyzer, Document, Error, PARENT_FIELD, Path, Result, Value};
use serde::{Deserialize, Serialize};

use super::definition::{keys, refuse_id};
use super::{Index, IndexKind};

/// Characters of a list of words that are shown.
const LISTED: usize = 100;

/// What a field counts for, unless it is said.
const BOOST: f32 = 1.0;

/// What an index on text is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextFields {
    /// In the order in which their numbers are given out, from 0 on.
    pub(crate) fields: Vec<TextField>,
}

impl TextFields {
    /// How many fields there are.
    pub(crate) fn count(&self) -> u8 {
        // At most `TEXT_FIELDS_MAX`.
        u8::try_from(self.fields.len()).unwrap_or(u8::MAX)
    }
}

/// A field of an index on text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextField {
    pub(crate) path: Path,
    pub(crate) analyzer: Analyzer,
    /// What a term in it counts for, as a factor.
    pub(crate) boost: f32,
}

/// An index on text as it is being declared.
#[derive(Clone, Debug)]
pub(super) struct TextDraft {
    paths: Vec<Path>,
    analyzer: Analyzer,
    analyzers: Vec<(Path, Analyzer)>,
    boosts: Vec<(Path, f32)>,
}

/// A field as the catalog keeps it. What a later version adds is refused, not ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredField {
    path: Vec<String>,
    analyzer: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boost: Option<f32>,
}

impl Index {
    /// An index on the texts of 1 to [`TEXT_FIELDS_MAX`] fields, for search by words.
    ///
    /// Strings are indexed, and strings in arrays, one behind the other; a path may lead through arrays of maps. A document
    /// without any text has no entry. Texts are words in any language, folded, unless an [analyzer](Index::analyzer) is chosen:
    /// it makes the terms of documents and of queries. Every write keeps the index up to date within its transaction.
    ///
    /// ```
    /// use blaze::{Analyzer, Database, Document, Index, Language};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// let english = Analyzer::standard().language(Language::English);
    /// films.ensure_index(Index::text(["title", "extract"]).analyzer(english).field_boost("title", 2.0))?;
    /// films.insert(&Document::new().with("title", "Solaris").with("extract", "an ocean that thinks"))?;
    /// assert_eq!(films.indexes()?[0].name, "title_extract");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "fulltext")]
    pub fn text<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Index {
        let paths = paths.into_iter().map(Into::into).collect();
        let (analyzers, boosts) = (Vec::new(), Vec::new());
        Index::new(IndexKind::Text(TextDraft { paths, analyzer: Analyzer::standard(), analyzers, boosts }))
    }

    /// What makes the terms of all fields of a text index that have no [other one](Index::field_analyzer). Ignored by others.
    ///
    /// An index keeps the analyzers that it was made with, their synonyms among it: ensuring it with others is an error, and
    /// [`replace_index`](crate::Collection::replace_index) goes over to them.
    pub fn analyzer(self, chosen: Analyzer) -> Index {
        self.of_text(|text| text.analyzer = chosen)
    }

    /// What makes the terms of one field of a text index. Ignored by others.
    ///
    /// ```
    /// use blaze::{Analyzer, Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let files = db.collection::<Document>("files")?;
    /// files.ensure_index(Index::text(["name", "code"]).field_analyzer("code", Analyzer::substring()))?;
    /// assert_eq!(files.indexes()?[0].definition, "text of name (words), code (substring)");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn field_analyzer(self, path: impl Into<Path>, chosen: Analyzer) -> Index {
        let path = path.into();
        self.of_text(|text| text.analyzers.push((path, chosen)))
    }

    /// What a term in a field of a text index counts for, as a factor above 0: 1, unless another one is chosen. Ignored by
    /// others.
    pub fn field_boost(self, path: impl Into<Path>, factor: f32) -> Index {
        let path = path.into();
        self.of_text(|text| text.boosts.push((path, factor)))
    }

    fn of_text(mut self, change: impl FnOnce(&mut TextDraft)) -> Index {
        if let IndexKind::Text(text) = &mut self.kind {
            change(text);
        }
        self
    }
}

impl TextDraft {
    /// What is declared, checked; of several choices for one field, the last.
    pub(super) fn finish(&self) -> Result<TextFields> {
        self.validate_paths()?;
        let chosen = self.analyzers.iter().map(|(path, _)| path).chain(self.boosts.iter().map(|(path, _)| path));
        if let Some(path) = chosen.into_iter().find(|path| !self.paths.contains(path)) {
            return Err(Error::invalid(format!("the text index is not on {path}, for which something is chosen")));
        }
        let field = |path: &Path| {
            let analyzer = self.analyzers.iter().rev().find(|(of, _)| of == path);
            let analyzer = analyzer.map_or(&self.analyzer, |(_, analyzer)| analyzer).clone();
            analyzer.validate().map_err(|error| error.context(format!("the analyzer of {path}")))?;
            let boost = self.boosts.iter().rev().find(|(of, _)| of == path).map_or(BOOST, |(_, boost)| *boost);
            if !boost.is_finite() || boost <= 0.0 {
                return Err(Error::invalid(format!("the boost of {path} is {boost}, a number above 0 is needed")));
            }
            Ok(TextField { path: path.clone(), analyzer, boost })
        };
        self.paths.iter().map(field).collect::<Result<_>>().map(|fields| TextFields { fields })
    }

    fn validate_paths(&self) -> Result<()> {
        match self.paths.len() {
            0 => return Err(Error::invalid("a text index is on no field, at least 1 is needed")),
            1..=TEXT_FIELDS_MAX => {}
            count => {
                return Err(Error::limit_exceeded(format!(
                    "text index has {count} fields, the limit is {TEXT_FIELDS_MAX}"
                )));
            }
        }
        for (place, path) in self.paths.iter().enumerate() {
            path.validate()?;
            refuse_id(path)?;
            if path.segments().first().is_some_and(|first| first.key() == PARENT_FIELD) {
                return Err(Error::invalid(format!(
                    "text index has the field {path}, which is no text of the document"
                )));
            }
            if self.paths[..place].contains(path) {
                return Err(Error::invalid(format!("text index has the field {path} twice")));
            }
        }
        Ok(())
    }
}

impl TextFields {
    /// The paths, as the name of an index that has no other.
    pub(super) fn name(&self) -> String {
        self.fields.iter().map(|field| field.path.to_string()).collect::<Vec<_>>().join("_")
    }

    pub(super) fn to_stored(&self) -> Vec<StoredField> {
        let stored = |field: &TextField| StoredField {
            path: keys(&field.path),
            analyzer: field.analyzer.to_stored(),
            boost: Some(field.boost).filter(|boost| *boost != BOOST),
        };
        self.fields.iter().map(stored).collect()
    }

    pub(super) fn from_stored(stored: &[StoredField]) -> Result<TextFields> {
        let field = |stored: &StoredField| {
            let boost = stored.boost.unwrap_or(BOOST);
            let path = Path::from_keys(stored.path.iter().map(String::as_str));
            if !boost.is_finite() || boost <= 0.0 {
                return Err(Error::corruption(format!("the boost of {path} is {boost}")));
            }
            Ok(TextField { path, analyzer: Analyzer::from_stored(&stored.analyzer)?, boost })
        };
        match stored.len() {
            1..=TEXT_FIELDS_MAX => stored.iter().map(field).collect::<Result<_>>().map(|fields| TextFields { fields }),
            count => Err(Error::corruption(format!("a text index has {count} fields"))),
        }
    }
}

/// What an index is on, as text: each field with what it counts for, and behind those of one kind what analyses them.
pub(super) fn describe(fields: &[StoredField]) -> String {
    let groups = fields.chunk_by(|one, other| one.analyzer == other.analyzer).map(|group| {
        let paths = group.iter().map(|field| match field.boost {
            Some(boost) => format!("{}^{boost}", field.path.join(".")),
            None => field.path.join("."),
        });
        format!("{} ({})", paths.collect::<Vec<_>>().join(", "), describe_analyzer(&group[0].analyzer))
    });
    format!("text of {}", groups.collect::<Vec<_>>().join(", "))
}

/// The kind and the language of an analyzer, and what else was chosen.
fn describe_analyzer(stored: &Value) -> String {
    let (usual, empty) = (["kind", "language"], Document::new());
    let stored = stored.as_map().unwrap_or(&empty);
    let first = usual.iter().filter_map(|key| stored.get(key)?.as_str().map(str::to_owned));
    let others = stored.iter().filter(|(key, _)| !usual.contains(key));
    first.chain(others.map(|(key, value)| describe_choice(key, value))).collect::<Vec<_>>().join(", ")
}

/// What was chosen, and which: of long lists the beginning.
fn describe_choice(key: &str, value: &Value) -> String {
    let name = key.replace('_', " ");
    match value {
        Value::Bool(true) => name,
        Value::Bool(false) => format!("no {name}"),
        Value::Array(elements) => {
            let listed = elements.iter().map(describe_words).collect::<Vec<_>>().join(" ");
            match listed.char_indices().nth(LISTED) {
                Some((end, _)) => format!("{name} {}… of {} in all", &listed[..end], elements.len()),
                None => format!("{name} {listed}"),
            }
        }
        other => other.as_i64().map_or_else(|| name.clone(), |number| format!("{name} {number}")),
    }
}

/// A word, or those that mean the same.
fn describe_words(words: &Value) -> String {
    match words {
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("="),
        word => word.as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::{ErrorKind, Language, from_document, to_document};

    use super::super::IndexDefinition;
    use super::*;

    fn define(index: &Index) -> Result<IndexDefinition> {
        index.define(7)
    }

    #[test]
    fn a_definition_is_read_as_it_was_stored() {
        let english = Analyzer::standard().language(Language::English);
        let index = Index::text(["title", "cast.name"]).field_analyzer("title", english).field_boost("title", 2.5);
        let definition = define(&index).unwrap();
        let read: IndexDefinition = from_document(to_document(&definition).unwrap()).unwrap();
        assert!(read.is_like(&definition));
        let fields = |definition: &IndexDefinition| match definition.parts().unwrap() {
            super::super::IndexFields::Text(fields) => fields.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(fields(&read), fields(&definition));
        assert_eq!(fields(&read).fields[0].boost, 2.5);
        assert_eq!(read.describe(), "text of title^2.5 (words, english), cast.name (words)");
        assert_eq!(read.name, "title_cast.name");
    }

    #[test]
    fn what_was_chosen_of_an_analyzer_is_told_so_that_two_can_be_told_apart() {
        let describe = |analyzer: Analyzer| define(&Index::text(["a"]).analyzer(analyzer)).unwrap().describe();
        let english = Analyzer::standard().language(Language::English);
        for (analyzer, expected) in [
            (Analyzer::standard().synonyms([["car", "automobile"]]), "words, synonyms car=automobile"),
            (Analyzer::standard().synonyms([["film", "movie"], ["a", "b"]]), "words, synonyms film=movie a=b"),
            (Analyzer::standard().min_token_length(3).keep_accents(), "words, keeps accents, min length 3"),
            (english.without_stemming().stop_words(["llc"]), "words, english, no stems, stop words llc"),
        ] {
            assert_eq!(describe(analyzer), format!("text of a ({expected})"));
        }
        let many: Vec<String> = (0..100).map(|number| format!("word{number}")).collect();
        let described = describe(Analyzer::standard().stop_words(many));
        assert!(described.ends_with("… of 100 in all)"), "{described}");
    }

    #[test]
    fn what_is_on_other_fields_or_analysed_or_weighed_otherwise_is_another_index() {
        let definition = define(&Index::text(["a", "b"])).unwrap();
        for other in [
            Index::text(["a"]),
            Index::text(["b", "a"]),
            Index::text(["a", "b"]).analyzer(Analyzer::substring()),
            Index::text(["a", "b"]).field_analyzer("b", Analyzer::keyword()),
            Index::text(["a", "b"]).field_boost("a", 2.0),
        ] {
            let other = define(&other.named("a_b")).unwrap();
            assert!(!definition.is_like(&other), "{}", other.describe());
        }
        assert!(definition.is_like(&define(&Index::text(["a", "b"]).field_boost("a", 1.0)).unwrap()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let many: Vec<String> = (0..=TEXT_FIELDS_MAX).map(|number| format!("f{number}")).collect();
        for (index, kind, what) in [
            (Index::text::<&str>([]), ErrorKind::Invalid, "at least 1"),
            (Index::text(many), ErrorKind::LimitExceeded, "the limit is 16"),
            (Index::text(["a", "a"]), ErrorKind::Invalid, "twice"),
            (Index::text(["_id"]), ErrorKind::Invalid, "_id"),
            (Index::text(["_parent"]), ErrorKind::Invalid, "_parent"),
            (Index::text(["a"]).field_boost("b", 2.0), ErrorKind::Invalid, "not on b"),
            (Index::text(["a"]).field_analyzer("b", Analyzer::keyword()), ErrorKind::Invalid, "not on b"),
            (Index::text(["a"]).field_boost("a", 0.0), ErrorKind::Invalid, "above 0"),
            (Index::text(["a"]).field_boost("a", f32::NAN), ErrorKind::Invalid, "above 0"),
            (Index::text(["a"]).unique(), ErrorKind::Invalid, "unique"),
            (Index::text(["a"]).expire_after(std::time::Duration::from_secs(1)), ErrorKind::Invalid, "expire"),
        ] {
            let error = define(&index).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}
