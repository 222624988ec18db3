//! Words that mean the same.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::Analyzer;

/// Groups of words, and once they were asked for, the terms that stand for each of their terms.
#[derive(Clone, Debug, Default)]
pub(super) struct Synonyms {
    pub(super) groups: Vec<Vec<String>>,
    terms: OnceLock<Arc<HashMap<String, Vec<String>>>>,
}

impl PartialEq for Synonyms {
    fn eq(&self, other: &Synonyms) -> bool {
        self.groups == other.groups
    }
}

impl Eq for Synonyms {}

impl Synonyms {
    pub(super) const fn new() -> Synonyms {
        Synonyms { groups: Vec::new(), terms: OnceLock::new() }
    }

    /// The analyzer makes other terms from now on.
    pub(super) fn forget_terms(&mut self) {
        self.terms = OnceLock::new();
    }
}

impl Analyzer {
    /// The terms that a query for `term` finds besides.
    pub(super) fn synonyms_of(&self, term: &str) -> &[String] {
        if self.synonyms.groups.is_empty() {
            return &[];
        }
        self.terms_of_synonyms().get(term).map_or(&[], Vec::as_slice)
    }

    fn terms_of_synonyms(&self) -> &HashMap<String, Vec<String>> {
        self.synonyms.terms.get_or_init(|| {
            let mut synonyms: HashMap<String, Vec<String>> = HashMap::new();
            for group in &self.synonyms.groups {
                let tokens = group.iter().flat_map(|word| self.words_of_query(word));
                let terms: Vec<String> = tokens.flat_map(|token| token.alternatives).collect();
                for term in &terms {
                    let others = synonyms.entry(term.clone()).or_default();
                    for other in &terms {
                        if other != term && !others.contains(other) {
                            others.push(other.clone());
                        }
                    }
                }
            }
            Arc::new(synonyms)
        })
    }
}
