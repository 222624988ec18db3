//! Which parts of a text tell why it was found.

use std::collections::BTreeSet;

use blaze_core::record::Record;
use blaze_core::{DocumentId, Error, Highlighter, Path, Result};
use blaze_text::Node;

use super::hit::Highlight;
use super::request::TextRequest;
use super::run::Running;
use super::words::visit_texts;
use crate::index::TextField;

/// The terms of one field that a query finds.
#[derive(Debug, Default)]
struct Wanted<'a> {
    terms: BTreeSet<&'a [u8]>,
    prefixes: Vec<&'a [u8]>,
    /// Terms that others are like, after how many edits at most, behind how many characters that are equal.
    like: Vec<(&'a str, usize, usize)>,
}

/// A field that is highlighted.
struct Marked<'a> {
    field: &'a TextField,
    highlighter: &'a Highlighter,
    wanted: Wanted<'a>,
}

impl Running<'_> {
    /// What makes the highlights that a search asks for.
    pub(super) fn highlighting<'a>(
        &'a self,
        request: &'a TextRequest,
    ) -> Result<impl Fn(&DocumentId, &Record<'_>) -> Result<Vec<Highlight>> + use<'a>> {
        let marked = |(path, highlighter): &'a (Path, Highlighter)| self.marked(path, highlighter);
        let marked = request.highlights.iter().map(marked).collect::<Result<Vec<_>>>()?;
        Ok(move |id: &DocumentId, record: &Record<'_>| {
            let mut highlights = Vec::new();
            for marked in &marked {
                marked.add_to(&mut highlights, id, record)?;
            }
            Ok(highlights)
        })
    }

    fn marked<'a>(&'a self, path: &Path, highlighter: &'a Highlighter) -> Result<Marked<'a>> {
        let fields = &self.wanted.fields.fields;
        let Some((number, field)) = (0_u8..).zip(fields).find(|(_, field)| field.path == *path) else {
            let paths = fields.iter().map(|field| field.path.to_string()).collect::<Vec<_>>().join(", ");
            let index = &self.wanted.index.name;
            return Err(Error::invalid(format!("highlight({path}): the index {index:?} has {paths}")));
        };
        let mut wanted = Wanted::default();
        if let Some(query) = &self.wanted.query {
            wanted.add(query, number);
        }
        Ok(Marked { field, highlighter, wanted })
    }
}

impl Marked<'_> {
    fn add_to(&self, highlights: &mut Vec<Highlight>, id: &DocumentId, record: &Record<'_>) -> Result<()> {
        let Marked { field, highlighter, wanted } = self;
        let mut place = 0;
        let visited = visit_texts(&record.document(), &field.path, &mut |text| {
            let snippets = highlighter.highlight(text, &field.analyzer, &|term| wanted.has(term));
            if !snippets.is_empty() {
                highlights.push(Highlight { path: field.path.clone(), place, snippets });
            }
            place += 1;
        });
        visited.map_err(|error| error.context(format!("document {id:?}")))
    }
}

impl<'a> Wanted<'a> {
    /// Adds the terms of a field that a query finds.
    fn add(&mut self, node: &'a Node, number: u8) {
        match node {
            Node::Term { key, .. } if key.field == number => {
                self.terms.insert(&key.term);
            }
            Node::AnyOf { keys, .. } => {
                self.terms.extend(keys.iter().filter(|key| key.field == number).map(|key| &*key.term));
            }
            Node::Phrase { field, parts, beginnings, .. } if *field == number => {
                self.terms.extend(parts.iter().flat_map(|(_, terms)| terms).map(|term| &**term));
                self.prefixes.extend(beginnings.iter().map(|(_, prefix)| &**prefix));
            }
            Node::Prefix { field, prefix, .. } if *field == number => self.prefixes.push(prefix),
            Node::Fuzzy { field, term, distance, prefix_length, .. } if *field == number => {
                self.like.push((term, usize::from(*distance), *prefix_length));
            }
            Node::Boolean { must, should, .. } => must.iter().chain(should).for_each(|node| self.add(node, number)),
            _ => {}
        }
    }

    fn has(&self, term: &str) -> bool {
        self.terms.contains(term.as_bytes())
            || self.prefixes.iter().any(|prefix| term.as_bytes().starts_with(prefix))
            || self.like.iter().any(|(other, distance, equal)| is_like(term, other, *distance, *equal))
    }
}

/// True if one term is another after at most so many edits, behind so many characters that are equal.
fn is_like(term: &str, other: &str, distance: usize, equal: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (term.chars().collect(), other.chars().collect());
    let equal = equal.min(b.len());
    a.get(..equal) == Some(&b[..equal]) && a.len().abs_diff(b.len()) <= distance && edits(&a, &b) <= distance
}

/// How many characters are inserted, removed, replaced, or swapped with the next one (the optimal string alignment distance).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_insertions_removals_replacements_and_swaps() {
        for (a, b, expected) in [
            ("dune", "dune", 0),
            ("dune", "dun", 1),
            ("dune", "dunes", 1),
            ("dune", "dane", 1),
            ("dune", "dnue", 1),
            ("dune", "nude", 2),
            ("", "abc", 3),
        ] {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(edits(&characters(a), &characters(b)), expected, "{a} {b}");
        }
        assert!(is_like("solarus", "solaris", 1, 5) && !is_like("xolaris", "solaris", 1, 1));
    }
}
