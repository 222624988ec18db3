//! From a query as users make it to one over the terms of an index.

use blaze_core::{Analyzer, Error, Path, QueryToken, Result, TextQuery};
use blaze_text::{Node, TermKey};

use crate::index::{TextField, TextFields};

/// Where a part of a query searches, and what its scores are multiplied by.
#[derive(Clone, Copy, Debug)]
struct Scope<'a> {
    /// One field, or all.
    only: Option<&'a Path>,
    boost: f32,
}

/// A field of an index, by its number.
type Numbered<'a> = (u8, &'a TextField);

/// The query over the terms of an index; none if nothing is left of it, since it has none but words that the index leaves out.
pub(super) fn compile(query: &TextQuery, fields: &TextFields) -> Result<Option<Node>> {
    Compiler { fields }.node(query, Scope { only: None, boost: 1.0 })
}

struct Compiler<'a> {
    fields: &'a TextFields,
}

impl<'a> Compiler<'a> {
    fn node(&self, query: &TextQuery, scope: Scope<'_>) -> Result<Option<Node>> {
        Ok(match query {
            TextQuery::AnyWord(text) => self.any_word(text, scope),
            TextQuery::AllWords(text) => self.all_words(text, scope),
            TextQuery::Phrase { text, slop } => any(self.in_scope(scope).filter_map(|(number, field)| {
                let tokens = field.analyzer.analyze_query(text);
                of_tokens(&tokens, number, *slop, scope.boost * field.boost)
            })),
            TextQuery::Prefix(text) => any(self.in_scope(scope).filter_map(|(number, field)| {
                let prefix = field.analyzer.fold_prefix(text);
                let boost = scope.boost * field.boost;
                let begins = (!prefix.is_empty()).then(|| Node::Prefix {
                    field: number,
                    prefix: prefix.as_bytes().into(),
                    boost,
                });
                or_word(begins, text, &prefix, (number, field), boost)
            })),
            TextQuery::Fuzzy { text, distance, prefix_length } => {
                any(self.in_scope(scope).filter_map(|(number, field)| {
                    let (term, boost) = (field.analyzer.fold_prefix(text), scope.boost * field.boost);
                    if field.analyzer.makes_parts_of(text) {
                        return of_tokens(&field.analyzer.analyze_query(text), number, 0, boost);
                    }
                    let (distance, prefix_length) = (*distance, *prefix_length as usize);
                    let like = (!term.is_empty()).then(|| {
                        let term = term.as_str().into();
                        Node::Fuzzy { field: number, term, distance, prefix_length, boost }
                    });
                    or_word(like, text, &term, (number, field), boost)
                }))
            }
            TextQuery::Boolean { must, should, must_not, least_should } => {
                let nodes = |parts: &[TextQuery]| -> Result<Vec<Node>> {
                    parts.iter().filter_map(|part| self.node(part, scope).transpose()).collect()
                };
                combined(nodes(must)?, nodes(should)?, nodes(must_not)?, *least_should)
            }
            TextQuery::In(path, query) => self.node(query, Scope { only: Some(path), ..scope })?,
            TextQuery::Boost(query, factor) => self.node(query, Scope { boost: scope.boost * factor, ..scope })?,
            other => return Err(Error::unsupported(format!("a search for the text query {other}"))),
        })
    }

    /// The fields that are searched.
    fn in_scope<'s>(&self, scope: Scope<'s>) -> impl Iterator<Item = Numbered<'a>> + use<'a, 's> {
        let is_asked = move |(_, field): &Numbered<'a>| scope.only.is_none_or(|only| *only == field.path);
        (0_u8..).zip(&self.fields.fields).filter(is_asked)
    }

    /// Any word in any field.
    fn any_word(&self, text: &str, scope: Scope<'_>) -> Option<Node> {
        any(self.in_scope(scope).flat_map(|(number, field)| {
            let tokens = field.analyzer.analyze_query(text);
            let boost = scope.boost * field.boost;
            let nodes: Vec<_> = words(&tokens).filter_map(|word| of_tokens(word, number, 0, boost)).collect();
            nodes
        }))
    }

    /// All words, each in any of the fields that make the same words of the text; or of the others.
    fn all_words(&self, text: &str, scope: Scope<'_>) -> Option<Node> {
        let mut groups: Vec<(&Analyzer, Vec<Numbered<'_>>)> = Vec::new();
        for numbered in self.in_scope(scope) {
            let analyzer = &numbered.1.analyzer;
            match groups.iter_mut().find(|(of, _)| *of == analyzer) {
                Some((_, fields)) => fields.push(numbered),
                None => groups.push((analyzer, vec![numbered])),
            }
        }
        any(groups.into_iter().filter_map(|(analyzer, fields)| {
            let tokens = analyzer.analyze_query(text);
            let must = words(&tokens).filter_map(|word| {
                any(fields.iter().filter_map(|(number, field)| of_tokens(word, *number, 0, scope.boost * field.boost)))
            });
            combined(must.collect(), Vec::new(), Vec::new(), 0)
        }))
    }
}

/// The tokens of each word.
fn words(tokens: &[QueryToken]) -> impl Iterator<Item = &[QueryToken]> {
    tokens.chunk_by(|_, next| next.continues)
}

/// Tokens that follow each other in one field as they do in the query.
pub(super) fn of_tokens(tokens: &[QueryToken], field: u8, slop: u32, boost: f32) -> Option<Node> {
    match tokens {
        [] => None,
        [only] if !only.is_prefix => {
            let mut keys: Vec<_> = only.alternatives.iter().map(|term| TermKey::new(field, term)).collect();
            match keys.len() {
                1 => keys.pop().map(|key| Node::Term { key, boost }),
                _ => Some(Node::AnyOf { keys, boost }),
            }
        }
        [first, ..] => {
            let (mut parts, mut beginnings) = (Vec::new(), Vec::new());
            for token in tokens {
                let offset = token.position - first.position;
                let mut terms = token.alternatives.iter().map(|term| Box::<[u8]>::from(term.as_bytes()));
                if token.is_prefix {
                    beginnings.extend(terms.next().map(|prefix| (offset, prefix)));
                } else {
                    parts.push((offset, terms.collect()));
                }
            }
            Some(Node::Phrase { field, parts, beginnings, slop, boost })
        }
    }
}

/// What begins with a text or is like it, or what analysis makes of the text as a whole word, where that is something else: a
/// stem, say, which is shorter than what was typed.
fn or_word(node: Option<Node>, text: &str, folded: &str, (number, field): Numbered<'_>, boost: f32) -> Option<Node> {
    let tokens = field.analyzer.analyze_query(text);
    let is_found = matches!(&tokens[..], [only] if only.alternatives.iter().all(|term| term.starts_with(folded)));
    let word = if is_found { None } else { of_tokens(&tokens, number, 0, boost) };
    any(node.into_iter().chain(word))
}

/// Any of these.
fn any(nodes: impl IntoIterator<Item = Node>) -> Option<Node> {
    combined(Vec::new(), nodes.into_iter().collect(), Vec::new(), 1)
}

/// What is left of a combination of which parts may be gone: those say nothing.
fn combined(mut must: Vec<Node>, mut should: Vec<Node>, must_not: Vec<Node>, least_should: usize) -> Option<Node> {
    if must_not.is_empty() {
        match (must.len(), should.len()) {
            (1, 0) => return must.pop(),
            (0, 1) => return should.pop(),
            _ => {}
        }
    }
    let least_should = match must.is_empty() {
        true if should.is_empty() => return None,
        true => least_should.max(1),
        false => least_should,
    };
    let least_should = least_should.min(should.len());
    Some(Node::Boolean { must, should, must_not, least_should })
}
