//! Words that people may want to type.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use blaze_core::limits::SUGGESTIONS_MAX;
use blaze_core::{Error, Path, Result};
use blaze_text::{Leaf, Node, Searcher, TermKey, TermsRead};

use super::node::of_tokens;
use super::prepare::no_index;
use crate::catalog::Definition;
use crate::collection::Collection;
use crate::index::{IndexDefinition, IndexFields, TextField};
use crate::text;

/// Words that are suggested if it is not said how many.
const LIMIT: usize = 10;

/// Words that complete the last of several and are looked for together with the others, at first.
const LOOKED_AT: usize = 200;

/// How many times more of them are taken at once, while too few are found.
const MORE: usize = 8;

/// How many of them are looked for at most.
const LOOKED_AT_MAX: usize = 20_000;

/// What begins with something, made by [`Collection::suggest`].
#[derive(Debug)]
#[must_use = "a suggestion does nothing until it is run"]
pub struct Suggest<T> {
    collection: Collection<T>,
    path: Path,
    begun: String,
    index: Option<String>,
    limit: usize,
}

/// A completion of what was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suggestion {
    /// What was begun, with its last word completed by a term of the index: in lower case and without accents, unless its
    /// analyzer keeps them.
    pub text: String,
    /// How many documents have it: of several words, all of them in the field, anywhere in it.
    pub documents: u64,
}

/// What has been found, the more documents have it the greater, then the first in order.
type Popular = (u64, Reverse<Box<[u8]>>);

impl<T> Clone for Suggest<T> {
    fn clone(&self) -> Suggest<T> {
        let Suggest { collection, path, begun, index, limit } = self;
        let (path, begun, index) = (path.clone(), begun.clone(), index.clone());
        Suggest { collection: collection.clone(), path, begun, index, limit: *limit }
    }
}

impl<T> Collection<T> {
    /// Completes the last word of what somebody has begun to type, by the words that a text index has of a field: those first
    /// that most documents have, equally frequent ones in their order.
    ///
    /// The words are the terms of the index. An index on the field is chosen that keeps words whole, if there is one; from one
    /// that brings them to their stems come stems. Words before the last one are kept as they are, and completed by words that
    /// are in the same field of a document together with them, and are none of them: of more than 20,000 words that begin so, by
    /// the most frequent. From a [partial](crate::Index::only) index, which is chosen if there is no other, come the words of
    /// its documents, and how many of these have them. Where nothing of a word was begun, nothing is suggested.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["title"]))?;
    /// for title in ["Space Opera", "Space Station", "Deep Space", "Spare Parts"] {
    ///     films.insert(&Document::new().with("title", title))?;
    /// }
    /// let words = films.suggest("title", "Spa").run()?;
    /// assert_eq!((words[0].text.as_str(), words[0].documents), ("space", 3));
    /// assert_eq!(words[1].text, "spare");
    /// assert_eq!(films.suggest("title", "space o").run()?[0].text, "space opera");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "autocomplete")]
    pub fn suggest(&self, path: impl Into<Path>, begun: impl Into<String>) -> Suggest<T> {
        let (path, begun) = (path.into(), begun.into());
        Suggest { collection: self.clone(), path, begun, index: None, limit: LIMIT }
    }
}

impl<T> Suggest<T> {
    /// The name of the text index whose words are suggested.
    pub fn index(mut self, name: impl Into<String>) -> Suggest<T> {
        self.index = Some(name.into());
        self
    }

    /// At most so many, 1 to [`SUGGESTIONS_MAX`]; 10 by default.
    pub fn limit(mut self, suggestions: usize) -> Suggest<T> {
        self.limit = suggestions;
        self
    }

    /// What may be meant.
    ///
    /// Takes time linear in the words of the index that begin so; with words before the last, documents with these are looked at,
    /// too.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when no text index, or not the one of that name, has words of the field, or the
    /// limit is out of range; [`NotFound`](crate::ErrorKind::NotFound) when the collection was dropped;
    /// [`Corruption`](crate::ErrorKind::Corruption); [`Closed`](crate::ErrorKind::Closed).
    pub fn run(&self) -> Result<Vec<Suggestion>> {
        if !(1..=SUGGESTIONS_MAX).contains(&self.limit) {
            let limit = self.limit;
            return Err(Error::invalid(format!(
                "the limit of suggestions is {limit}, 1 to {SUGGESTIONS_MAX} are possible"
            )));
        }
        self.collection.read(|session, definition| {
            let (index, number, field) = self.choose(definition)?;
            let begun = Begun::of(&self.begun, number, field);
            if begun.prefix.is_empty() {
                return Ok(Vec::new());
            }
            let view = text::view(session, definition, index)?;
            let prefix = TermsRead::Prefix { field: number, prefix: begun.prefix.as_bytes().into() };
            let others = begun.before.iter().flat_map(Node::terms);
            text::track(session, index.id, &others.chain([prefix]).collect::<Vec<_>>())?;
            view.read().search(|searcher| begun.complete(searcher, self.limit))
        })
    }

    /// An index with words of the field: rather one of all documents, then one that keeps words whole.
    fn choose<'a>(&self, definition: &'a Definition) -> Result<(&'a IndexDefinition, u8, &'a TextField)> {
        let (mut fitting, mut is_cut) = (Vec::new(), None);
        for index in definition.indexes.iter().filter(|index| index.ready) {
            let IndexFields::Text(fields) = index.parts()? else { continue };
            if self.index.as_ref().is_some_and(|name| *name != index.name) {
                continue;
            }
            let mut numbered = (0_u8..).zip(&fields.fields);
            let Some((number, field)) = numbered.find(|(_, field)| field.path == self.path) else { continue };
            let chosen = (index, number, field);
            if field.analyzer.makes_parts() {
                is_cut = is_cut.or(Some(index));
                continue;
            }
            let misfit = (index.only()?.is_some(), field.analyzer.makes_stems());
            fitting.push((misfit, chosen));
        }
        let path = &self.path;
        let best = fitting.into_iter().min_by_key(|(misfit, _)| *misfit);
        best.map(|(_, chosen)| chosen).ok_or_else(|| match (is_cut, &self.index) {
            (Some(index), _) => Error::invalid(format!(
                "index {:?} has no words of {path} to suggest, but every three characters in a row",
                index.name
            )),
            (None, Some(name)) if definition.indexes.iter().any(|index| index.is_on_text() && index.name == *name) => {
                Error::invalid(format!("index {name:?} is not on {path}, of which words are to be suggested"))
            }
            (None, name) => no_index(self.collection.name(), definition, name.as_deref())
                .context(format!("no words of {path} to suggest")),
        })
    }
}

/// What was begun.
struct Begun<'a> {
    /// The text before the last word.
    kept: &'a str,
    /// What documents must have for these words.
    before: Vec<Node>,
    /// Their terms, which complete nothing: each is in all documents that have it.
    typed: BTreeSet<String>,
    field: u8,
    prefix: String,
}

impl<'a> Begun<'a> {
    fn of(text: &'a str, number: u8, field: &TextField) -> Begun<'a> {
        let last = text.char_indices().rev().find(|(_, character)| character.is_whitespace());
        let (kept, last) = text.split_at(last.map_or(0, |(at, character)| at + character.len_utf8()));
        let tokens = field.analyzer.analyze_query(kept);
        let words = tokens.chunk_by(|_, next| next.continues);
        let before = words.filter_map(|word| of_tokens(word, number, 0, 1.0)).collect();
        let typed = tokens.iter().flat_map(|token| token.alternatives.iter().cloned()).collect();
        Begun { kept, before, typed, field: number, prefix: field.analyzer.fold_prefix(last) }
    }

    fn complete<S: Leaf, D: Leaf>(&self, searcher: &Searcher<S, D>, limit: usize) -> Result<Vec<Suggestion>> {
        let found = match self.before.is_empty() {
            true => self.most_popular(searcher, limit, None)?,
            false => self.most_popular_together(searcher, limit)?,
        };
        Ok(found.into_iter().map(|found| self.suggestion(found)).collect())
    }

    /// The terms that begin so and that most documents have together with the words before.
    fn most_popular_together<S: Leaf, D: Leaf>(&self, searcher: &Searcher<S, D>, limit: usize) -> Result<Vec<Popular>> {
        let (mut found, mut last): (BinaryHeap<Reverse<Popular>>, _) = (BinaryHeap::new(), None);
        let (mut at_once, mut looked_at) = (limit.max(LOOKED_AT), 0);
        loop {
            let candidates = self.most_popular(searcher, at_once, last.as_ref())?;
            let is_end = candidates.len() < at_once;
            looked_at += candidates.len();
            last = candidates.last().cloned();
            if self.add_together(searcher, candidates, limit, &mut found)? || is_end || looked_at >= LOOKED_AT_MAX {
                return Ok(found.into_sorted_vec().into_iter().map(|Reverse(found)| found).collect());
            }
            at_once = at_once.saturating_mul(MORE).min(LOOKED_AT_MAX - looked_at);
        }
    }

    /// Adds what of some terms, the most popular first, is among the most popular together with the words before. True if none
    /// behind them can be.
    fn add_together<S: Leaf, D: Leaf>(
        &self,
        searcher: &Searcher<S, D>,
        candidates: Vec<Popular>,
        limit: usize,
        found: &mut BinaryHeap<Reverse<Popular>>,
    ) -> Result<bool> {
        for candidate in candidates {
            // Not more documents have it together with others than have it.
            if found.len() == limit && found.peek().is_some_and(|Reverse(least)| candidate < *least) {
                return Ok(true);
            }
            let (_, Reverse(term)) = candidate;
            if std::str::from_utf8(&term).is_ok_and(|term| self.typed.contains(term)) {
                continue;
            }
            let mut must = self.before.clone();
            must.push(Node::Term { key: TermKey::new(self.field, &term), boost: 1.0 });
            let all = Node::Boolean { must, should: Vec::new(), must_not: Vec::new(), least_should: 0 };
            let documents = searcher.count(&all)?;
            if documents > 0 {
                found.push(Reverse((documents, Reverse(term))));
            }
            if found.len() > limit {
                found.pop();
            }
        }
        Ok(false)
    }

    /// The terms that begin so and that most documents have, behind one of them if there is one.
    fn most_popular<S: Leaf, D: Leaf>(
        &self,
        searcher: &Searcher<S, D>,
        limit: usize,
        behind: Option<&Popular>,
    ) -> Result<Vec<Popular>> {
        let mut most: BinaryHeap<Reverse<Popular>> = BinaryHeap::new();
        searcher.visit_terms(self.field, self.prefix.as_bytes(), &mut |term, documents| {
            let is_seen =
                |(of_last, Reverse(last)): &Popular| documents > *of_last || documents == *of_last && *term <= **last;
            if behind.is_some_and(is_seen) {
                return Ok(());
            }
            let is_among = |least: &Reverse<Popular>| documents > least.0.0;
            if most.len() == limit {
                // Of equally popular ones the first comes first.
                if !most.peek().is_some_and(is_among) {
                    return Ok(());
                }
                most.pop();
            }
            most.push(Reverse((documents, Reverse(term.into()))));
            Ok(())
        })?;
        Ok(most.into_sorted_vec().into_iter().map(|Reverse(found)| found).collect())
    }

    fn suggestion(&self, (documents, Reverse(term)): Popular) -> Suggestion {
        let term = String::from_utf8_lossy(&term);
        Suggestion { text: format!("{}{term}", self.kept), documents }
    }
}
