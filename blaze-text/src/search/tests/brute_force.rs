//! The scores of all documents by definition, one by one: what every search has to agree with, bit for bit.

use std::collections::{BTreeMap, BTreeSet};

use crate::search::Node;
use crate::{DocumentPostings, TermKey};

use super::FIELDS;

pub(super) struct BruteForce<'a> {
    documents: &'a BTreeMap<Vec<u8>, DocumentPostings>,
    /// How many documents have each term.
    having: BTreeMap<TermKey, usize>,
    /// By field, how long it is where it is there.
    lengths: Vec<Vec<u32>>,
}

impl<'a> BruteForce<'a> {
    pub(super) fn new(documents: &'a BTreeMap<Vec<u8>, DocumentPostings>) -> BruteForce<'a> {
        let mut having = BTreeMap::new();
        for (field, term) in documents.values().flat_map(|document| document.terms().iter()) {
            *having.entry(TermKey::new(field, term)).or_default() += 1;
        }
        let lengths = |field| documents.values().map(move |document| document.terms().length(field));
        let lengths = (0..FIELDS).map(|field| lengths(field).filter(|&length| length > 0).collect()).collect();
        BruteForce { documents, having, lengths }
    }

    /// The documents that match, with their scores.
    pub(super) fn matching(&self, node: &Node) -> BTreeMap<Vec<u8>, f32> {
        let scored = self.documents.iter().map(|(id, document)| (id, self.score(node, document)));
        scored.filter_map(|(id, score)| Some((id.clone(), score?))).collect()
    }

    fn score(&self, node: &Node, document: &DocumentPostings) -> Option<f32> {
        match node {
            Node::Term { key, boost } => self.any_of(document, std::slice::from_ref(key), *boost, None),
            Node::AnyOf { keys, boost } => self.any_of(document, keys, *boost, None),
            Node::Phrase { field, parts, beginnings, slop, boost } => {
                let mut parts = parts.clone();
                for (offset, prefix) in beginnings {
                    let terms = self.terms(*field).into_iter().map(|key| key.term);
                    parts.push((*offset, terms.filter(|term| term.starts_with(prefix)).collect()));
                }
                let is_possible = !parts.iter().any(|(_, terms)| terms.is_empty());
                is_possible.then(|| self.phrase(document, *field, &parts, *slop, *boost)).flatten()
            }
            Node::Prefix { field, prefix, boost } => {
                let keys: Vec<TermKey> =
                    self.terms(*field).into_iter().filter(|key| key.term.starts_with(prefix)).collect();
                self.any_of(document, &keys, *boost, None)
            }
            Node::Fuzzy { field, term, distance, prefix_length, boost } => {
                let prefix: String = term.chars().take(*prefix_length).collect();
                let starts = |key: &TermKey| key.term.starts_with(prefix.as_bytes());
                let terms: Vec<TermKey> = self.terms(*field).into_iter().filter(starts).collect();
                let at = |edits: usize| -> Vec<TermKey> {
                    terms.iter().filter(|key| edits_between(term, &key.term) == edits).cloned().collect()
                };
                let near: Vec<TermKey> = (0..=usize::from(*distance)).flat_map(at).collect();
                let having = near.iter().map(|key| self.having(key)).max().unwrap_or(0);
                let scores = (0..=usize::from(*distance)).filter_map(|edits| {
                    let part = [1.0, 0.5, 0.25][edits];
                    self.any_of(document, &at(edits), *boost * part, Some(having))
                });
                scores.reduce(|sum, score| sum + score)
            }
            Node::Boolean { must, should, must_not, least_should } => {
                let mut required = 0.0;
                for node in must {
                    required += self.score(node, document)?;
                }
                let optional: Vec<f32> = should.iter().filter_map(|node| self.score(node, document)).collect();
                let least = if must.is_empty() { 1.max(*least_should) } else { *least_should };
                let is_excepted = must_not.iter().any(|node| self.score(node, document).is_some());
                if optional.len() < least || is_excepted {
                    return None;
                }
                Some(required + optional.iter().fold(0.0, |sum, score| sum + score))
            }
        }
    }

    fn any_of(&self, document: &DocumentPostings, keys: &[TermKey], boost: f32, having: Option<usize>) -> Option<f32> {
        let keys: BTreeSet<&TermKey> = keys.iter().collect();
        let field = keys.first()?.field;
        let frequency: usize = keys.iter().map(|key| positions(document, key).len()).sum();
        let having = having.unwrap_or_else(|| keys.iter().map(|key| self.having(key)).max().unwrap());
        let rarity = self.rarity(field, having);
        (frequency > 0).then(|| self.weigh(document, field, frequency, f64::from(boost) * rarity))
    }

    fn phrase(
        &self,
        document: &DocumentPostings,
        field: u8,
        parts: &[(u32, Vec<Box<[u8]>>)],
        slop: u32,
        boost: f32,
    ) -> Option<f32> {
        let keys = |terms: &[Box<[u8]>]| terms.iter().map(|term| TermKey::new(field, term)).collect::<Vec<_>>();
        if let [(_, terms)] = parts {
            return self.any_of(document, &keys(terms), boost, None);
        }
        let mut parts: Vec<_> = parts.iter().map(|(offset, terms)| (i64::from(*offset), keys(terms))).collect();
        parts.sort_by_key(|(offset, _)| *offset);
        let rarity: f64 = parts
            .iter()
            .map(|(_, keys)| self.rarity(field, keys.iter().map(|key| self.having(key)).max().unwrap()))
            .fold(0.0, |sum, rarity| sum + rarity);
        let places: Vec<BTreeSet<i64>> = parts
            .iter()
            .map(|(_, keys)| keys.iter().flat_map(|key| positions(document, key)).map(i64::from).collect())
            .collect();
        let all = parts.iter().zip(&places);
        let starts: BTreeSet<i64> =
            all.flat_map(|((offset, _), places)| places.iter().map(move |place| place - offset)).collect();
        let mut last = vec![-1_i64; parts.len()];
        let mut frequency = 0;
        for start in starts {
            let mut taken: Vec<i64> = Vec::new();
            for (index, (offset, keys)) in parts.iter().enumerate() {
                let is_free = |place: &i64| {
                    (0..index).all(|other| {
                        let shares = parts[other].0 != *offset && parts[other].1.iter().any(|key| keys.contains(key));
                        !shares || taken[other] != *place
                    })
                };
                let from = (start + offset).max(last[index] + 1);
                let to = start + offset + i64::from(slop);
                let place = places[index].iter().copied().filter(|place| (from..=to).contains(place)).find(is_free);
                let Some(place) = place else { break };
                taken.push(place);
            }
            if taken.len() == parts.len() {
                frequency += 1;
                last = taken;
            }
        }
        (frequency > 0).then(|| self.weigh(document, field, frequency, f64::from(boost) * rarity))
    }

    fn terms(&self, field: u8) -> BTreeSet<TermKey> {
        self.having.keys().filter(|key| key.field == field).cloned().collect()
    }

    fn having(&self, key: &TermKey) -> usize {
        self.having.get(key).copied().unwrap_or(0)
    }

    fn rarity(&self, field: u8, having: usize) -> f64 {
        let (all, having) = (self.lengths[usize::from(field)].len() as f64, having as f64);
        ((all - having + 0.5) / (having + 0.5)).ln_1p()
    }

    fn weigh(&self, document: &DocumentPostings, field: u8, frequency: usize, weight: f64) -> f32 {
        let lengths = &self.lengths[usize::from(field)];
        let average = lengths.iter().copied().map(f64::from).sum::<f64>() / lengths.len() as f64;
        let weight = (weight * 2.2) as f32;
        let (frequency, length) = (frequency as f32, document.terms().length(field) as f32);
        weight * frequency / (frequency + ((1.2 * (1.0 - 0.75)) as f32 + (1.2 * 0.75 / average) as f32 * length))
    }
}

fn positions(document: &DocumentPostings, key: &TermKey) -> Vec<u32> {
    let found = document.field(key.field).find(|(term, _)| **term == *key.term);
    found.map(|(_, positions)| positions.to_vec()).unwrap_or_default()
}

/// By definition: the least of what removing, inserting, replacing and swapping at the end cost.
fn edits_between(a: &str, b: &[u8]) -> usize {
    fn edits(a: &[char], b: &[char]) -> usize {
        let ([others_a @ .., last_a], [others_b @ .., last_b]) = (a, b) else { return a.len().max(b.len()) };
        if last_a == last_b {
            return edits(others_a, others_b);
        }
        let mut least = edits(others_a, b).min(edits(a, others_b)).min(edits(others_a, others_b)) + 1;
        if let ([rest_a @ .., before_a], [rest_b @ .., before_b]) = (others_a, others_b)
            && (before_a, last_a) == (last_b, before_b)
        {
            least = least.min(edits(rest_a, rest_b) + 1);
        }
        least
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), std::str::from_utf8(b).unwrap().chars().collect());
    edits(&a, &b)
}
