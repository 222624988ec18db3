//! Which terms a query depends on.

use std::collections::BTreeSet;

use super::Node;
use crate::TermKey;

/// A term, or a range of terms, that a query reads: a change of a document that has one of them may change what is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermsRead {
    /// One term.
    Term(TermKey),
    /// All terms of a field that begin so.
    Prefix {
        /// The field.
        field: u8,
        /// What they begin with; nothing for all terms of the field.
        prefix: Box<[u8]>,
    },
}

impl Node {
    /// The terms, and ranges of terms, that the query depends on, whether or not there are any; each once, in order.
    ///
    /// How rare terms are depends on all documents, and is not among it: the documents that are found do, their scores not wholly.
    pub fn terms(&self) -> Vec<TermsRead> {
        let mut terms = BTreeSet::new();
        self.collect(&mut terms);
        terms.into_iter().collect()
    }

    fn collect(&self, into: &mut BTreeSet<TermsRead>) {
        match self {
            Node::Term { key, .. } => {
                into.insert(TermsRead::Term(key.clone()));
            }
            Node::AnyOf { keys, .. } => into.extend(keys.iter().cloned().map(TermsRead::Term)),
            Node::Phrase { field, parts, beginnings, .. } => {
                let terms = parts.iter().flat_map(|(_, terms)| terms);
                into.extend(terms.map(|term| TermsRead::Term(TermKey::new(*field, term))));
                let prefixes = beginnings.iter().map(|(_, prefix)| prefix.clone());
                into.extend(prefixes.map(|prefix| TermsRead::Prefix { field: *field, prefix }));
            }
            Node::Prefix { field, prefix, .. } => {
                into.insert(TermsRead::Prefix { field: *field, prefix: prefix.clone() });
            }
            Node::Fuzzy { field, term, distance: 0, .. } => {
                into.insert(TermsRead::Term(TermKey::new(*field, term.as_bytes())));
            }
            Node::Fuzzy { field, term, prefix_length, .. } => {
                let prefix = leading(term, *prefix_length).as_bytes().into();
                into.insert(TermsRead::Prefix { field: *field, prefix });
            }
            Node::Boolean { must, should, must_not, .. } => {
                must.iter().chain(should).chain(must_not).for_each(|node| node.collect(into));
            }
        }
    }
}

/// The first characters of a term.
pub(super) fn leading(term: &str, characters: usize) -> &str {
    term.char_indices().nth(characters).map_or(term, |(end, _)| &term[..end])
}
