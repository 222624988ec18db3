//! How a search by text was done, what that took, and why each hit stands where it does.

use std::fmt;
use std::ops::Deref;

use blaze_core::{DocumentId, Path, Result};
use blaze_text::{Leaf, Searcher, TermKey};
use serde::{Serialize, Serializer};

use super::TextSearch;
use super::fusion::{Fused, Fusion};
use super::rank::{TextRank, VectorRank};
use super::run::{Answer, Running};
use crate::query::{Explain, ExplainNode};
use crate::search::explain::{FilterStrategy, SearchExplain};

/// How a search by text was done, what that took, and why each hit stands where it does; dereferences to the [`Explain`] of its
/// plan.
///
/// It prints as readable text, and serializes, as JSON for example.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TextExplain {
    /// The text index.
    pub index: String,
    /// The terms of the query that documents have, and those that beginnings and likenesses stand for.
    pub terms: Vec<TermExplain>,
    /// Segments of the index that were searched.
    pub segments: u64,
    /// Changes of documents that are in no segment yet, and were searched beside them.
    pub unfolded: u64,
    /// How the filter took part.
    pub filter: FilterStrategy,
    /// How the list of the vectors was found, of a hybrid search.
    pub vector: Option<SearchExplain>,
    /// How one list was made of both, of a hybrid search.
    pub fusion: Option<Fusion>,
    /// The hits, the best first.
    pub hits: Vec<HitExplain>,
    /// The plan.
    #[serde(flatten)]
    pub explain: Explain,
}

/// A term of a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermExplain {
    /// The field.
    #[serde(serialize_with = "as_text")]
    pub path: Path,
    /// The term, as the analyzer of the field has made it.
    pub term: String,
    /// How many documents have it.
    pub documents: u64,
}

/// Why a hit stands where it does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HitExplain {
    /// The id of the document.
    #[serde(serialize_with = "as_text")]
    pub id: DocumentId,
    /// The score that the hits are in the order of.
    pub score: f32,
    /// Its place by the text.
    pub by_text: Option<TextRank>,
    /// Its place by the vector.
    pub by_vector: Option<VectorRank>,
    /// What each term adds to its score by the text, of those that it has; empty if it is not among the candidates by the text.
    pub terms: Vec<TermScore>,
}

/// What a term, a phrase, or terms that count as one add to the score of a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermScore {
    /// The field.
    #[serde(serialize_with = "as_text")]
    pub path: Path,
    /// The term; of several, those that the document has.
    pub terms: Vec<String>,
    /// True if the terms are a phrase.
    pub is_phrase: bool,
    /// How often it is in the field.
    pub frequency: u32,
    /// How many terms the field has.
    pub length: u32,
    /// How many documents have it, in this field.
    pub documents: u64,
    /// What it adds.
    pub score: f32,
}

impl<T> TextSearch<T> {
    /// Searches and says how, what that took, and why each hit stands where it does.
    ///
    /// ```
    /// use blaze::{Database, Document, FilterStrategy, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["title"]))?;
    /// for title in ["Space Opera", "Space Station", "Solaris"] {
    ///     films.insert_with_id(title, &Document::new().with("title", title))?;
    /// }
    /// let explain = films.search().text("space opera").explain()?;
    /// assert_eq!((explain.index.as_str(), explain.filter), ("title", FilterStrategy::None));
    /// assert_eq!((explain.terms[1].term.as_str(), explain.terms[1].documents), ("space", 2));
    /// let best = &explain.hits[0];
    /// assert_eq!(best.terms.iter().map(|term| term.score).sum::<f32>(), best.score);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](TextSearch::run), but that the type of the documents does not matter.
    pub fn explain(&self) -> Result<TextExplain> {
        self.read(true, |running| {
            let clock = &running.session.core().clock;
            let begun_ms = clock.now_ms();
            let answer = self.find(running)?;
            let time_ms = clock.now_ms().saturating_sub(begun_ms);
            running.explain(answer, self.request.fusion.unwrap_or_default(), self.request.depth(), time_ms)
        })
    }
}

impl Running<'_> {
    fn explain(&self, answer: Answer, fusion: Fusion, depth: usize, time_ms: u64) -> Result<TextExplain> {
        let Answer { hits, text, near } = answer;
        let ((segments, unfolded), terms, hits) = self.view.read().search(|searcher| {
            let terms = match &self.wanted.query {
                Some(query) => searcher.terms_of(query)?,
                None => Vec::new(),
            };
            Ok((searcher.leaves(), terms, self.explain_hits(searcher, hits)?))
        })?;
        let term = |(key, documents): (TermKey, u64)| TermExplain {
            path: self.path(key.field),
            term: written(&key),
            documents,
        };
        let index = self.wanted.index.name.clone();
        let mut plan = ExplainNode { index: Some(index.clone()), ..text.node };
        let mut counters = text.counters;
        let vector = self
            .near
            .as_ref()
            .zip(near)
            .map(|(wanted, outcome)| SearchExplain::new(self.session.core(), wanted, outcome, depth, time_ms));
        if let Some(vector) = &vector {
            counters.keys_examined += vector.keys_examined;
            counters.documents_examined += vector.documents_examined;
            plan = ExplainNode::of(format!("both by {fusion}"), vec![plan, vector.explain.plan.clone()]);
        }
        let explain = Explain::new(plan, Vec::new(), counters, hits.len() as u64);
        Ok(TextExplain {
            index,
            terms: terms.into_iter().map(term).collect(),
            segments: segments as u64,
            unfolded,
            filter: text.filter,
            fusion: vector.is_some().then_some(fusion),
            vector,
            hits,
            explain: Explain { time_ms, ..explain },
        })
    }

    fn explain_hits<S: Leaf, D: Leaf>(&self, searcher: &Searcher<S, D>, hits: Vec<Fused>) -> Result<Vec<HitExplain>> {
        let key = |hit: &Fused| {
            let mut key = Vec::new();
            hit.id.write_key(&mut key);
            key
        };
        let by_text: Vec<Vec<u8>> = hits.iter().filter(|hit| hit.by_text.is_some()).map(key).collect();
        let explained = match &self.wanted.query {
            Some(query) => searcher.explain_all(query, &by_text)?,
            None => Vec::new(),
        };
        let mut explained = explained.into_iter();
        let explain = |Fused { id, score, by_text, by_vector }| {
            let found = by_text.and_then(|_| explained.next()).flatten();
            let terms = found.into_iter().flat_map(|explanation| explanation.terms);
            let terms = terms.map(|term| self.term_score(term)).collect();
            HitExplain { id, score, by_text, by_vector, terms }
        };
        Ok(hits.into_iter().map(explain).collect())
    }

    fn term_score(&self, found: blaze_text::TermScore) -> TermScore {
        let blaze_text::TermScore { terms, is_phrase, frequency, length, documents, score, .. } = found;
        let path = terms.first().map_or_else(|| Path::from(""), |key| self.path(key.field));
        let terms = terms.iter().map(written).collect();
        TermScore { path, terms, is_phrase, frequency, length, documents, score }
    }

    /// The path of a field of the index.
    fn path(&self, field: u8) -> Path {
        let field = self.wanted.fields.fields.get(usize::from(field));
        field.map_or_else(|| Path::from(""), |field| field.path.clone())
    }
}

fn written(key: &TermKey) -> String {
    String::from_utf8_lossy(&key.term).into_owned()
}

fn as_text<S: Serializer>(value: &impl fmt::Display, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Deref for TextExplain {
    type Target = Explain;

    fn deref(&self) -> &Explain {
        &self.explain
    }
}

impl fmt::Display for TextExplain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filter = match self.filter {
            FilterStrategy::None => "no filter",
            FilterStrategy::First => "filtered first",
            FilterStrategy::Cached => "filter known from before",
            FilterStrategy::Checked => "filter checked on what would enter",
        };
        let (segments, unfolded) = (self.segments, self.unfolded);
        writeln!(f, "{}", self.explain)?;
        write!(f, "search by text, {filter}, segments {segments}, changes beside them {unfolded}\nterms")?;
        for (at, TermExplain { path, term, documents }) in self.terms.iter().enumerate() {
            let separator = if at == 0 { " " } else { ", " };
            write!(f, "{separator}{path}:{term} in {documents}")?;
        }
        self.hits.iter().try_for_each(|hit| write!(f, "\n{hit}"))
    }
}

impl fmt::Display for HitExplain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.4}", self.id, self.score)?;
        if let Some(TextRank { rank, score }) = self.by_text {
            write!(f, ", {rank} by text with {score:.3}")?;
        }
        if let Some(VectorRank { rank, score, .. }) = self.by_vector {
            write!(f, ", {rank} by vector with {score:.3}")?;
        }
        for TermScore { path, terms, is_phrase, frequency, score, .. } in &self.terms {
            let terms = terms.join(if *is_phrase { " " } else { "|" });
            write!(f, ", {path}:{terms} {frequency} times {score:.3}")?;
        }
        Ok(())
    }
}
