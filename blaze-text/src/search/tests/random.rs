//! Random words, documents and queries.

use crate::search::Node;
use crate::{DocumentBuilder, DocumentPostings, TermKey};

use super::FIELDS;

/// Words that are alike, and some that are not.
const WORDS: [&str; 20] = [
    "a", "ab", "abc", "acb", "abcd", "b", "ba", "bab", "cab", "dune", "dunes", "dnue", "tune", "tuna", "fähre",
    "fahre", "fär", "x", "xy", "zyx",
];

/// A generator of numbers: xorshift*, Vigna 2016.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        ((self.next() >> 32) as usize) % end.max(1)
    }

    pub(super) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// A word; the first ones are frequent.
    pub(super) fn word(&mut self) -> &'static str {
        let most = self.below(WORDS.len()) + 1;
        WORDS[self.below(most)]
    }

    pub(super) fn document(&mut self) -> DocumentPostings {
        let mut builder = DocumentBuilder::new(FIELDS);
        for field in 0..FIELDS {
            let mut position = 0;
            let most = if self.chance(4) { 40 } else { 8 };
            for _ in 0..self.below(most) {
                builder.add(field, self.word().as_bytes(), position).unwrap();
                position += if self.chance(5) { self.below(3) as u32 } else { 1 };
            }
        }
        builder.finish()
    }

    fn boost(&mut self) -> f32 {
        let boosts = if self.chance(8) { 8 } else { 7 };
        [1.0, 1.0, 1.0, 2.0, 0.5, 0.0, 3.7, 1e38][self.below(boosts)]
    }

    fn field(&mut self) -> u8 {
        self.below(usize::from(FIELDS)) as u8
    }

    fn key(&mut self) -> TermKey {
        TermKey::new(self.field(), self.word())
    }

    pub(super) fn node(&mut self, depth: usize) -> Node {
        let boost = self.boost();
        match self.below(if depth == 0 { 8 } else { 16 }) {
            0..=2 => Node::Term { key: self.key(), boost },
            3 => {
                let field = self.field();
                let most = if self.chance(3) { 16 } else { 4 };
                let keys = (0..self.below(most)).map(|_| TermKey::new(field, self.word())).collect();
                Node::AnyOf { keys, boost }
            }
            4 | 5 => self.phrase(boost),
            6 => {
                let word = self.word();
                let end = word.char_indices().nth(self.below(3)).map_or(word.len(), |(end, _)| end);
                Node::Prefix { field: self.field(), prefix: word.as_bytes()[..end].into(), boost }
            }
            7 => Node::Fuzzy {
                field: self.field(),
                term: self.word().into(),
                distance: self.below(3) as u8,
                prefix_length: self.below(3),
                boost,
            },
            8 | 9 => self.fields_of_words(true),
            10 => self.fields_of_words(false),
            _ => Node::Boolean {
                must: self.nodes(depth, 3),
                should: self.nodes(depth, 4),
                must_not: if self.chance(3) { self.nodes(depth, 2) } else { Vec::new() },
                least_should: if self.chance(3) { self.below(4) } else { 0 },
            },
        }
    }

    fn nodes(&mut self, depth: usize, most: usize) -> Vec<Node> {
        (0..self.below(most)).map(|_| self.node(depth - 1)).collect()
    }

    fn phrase(&mut self, boost: f32) -> Node {
        let mut offset = 0;
        let mut parts = Vec::new();
        for _ in 0..1 + self.below(3) {
            let terms = (0..if self.chance(4) { 2 } else { 1 }).map(|_| self.word().as_bytes().into()).collect();
            parts.push((offset, terms));
            offset += if self.chance(6) { self.below(3) as u32 } else { 1 };
        }
        let slop = if self.chance(2) { self.below(4) as u32 } else { 0 };
        let mut beginnings = Vec::new();
        if self.chance(4) {
            let word = self.word();
            let end = word.char_indices().nth(1).map_or(word.len(), |(end, _)| end);
            beginnings.push((offset, word.as_bytes()[..end].into()));
        }
        Node::Phrase { field: self.field(), parts, beginnings, slop, boost }
    }

    /// Words as terms, or each in any of the fields: what most queries are.
    fn fields_of_words(&mut self, is_any: bool) -> Node {
        let words: Vec<&str> = (0..1 + self.below(4)).map(|_| self.word()).collect();
        let in_all_fields = self.chance(2);
        let word = |word: &&str| {
            let term = |field| Node::Term { key: TermKey::new(field, word), boost: 1.0 + f32::from(field) };
            match in_all_fields {
                true => any((0..FIELDS).map(term).collect()),
                false => term(0),
            }
        };
        let parts = words.iter().map(word).collect();
        if is_any {
            return any(parts);
        }
        Node::Boolean { must: parts, should: Vec::new(), must_not: Vec::new(), least_should: 0 }
    }
}

fn any(should: Vec<Node>) -> Node {
    Node::Boolean { must: Vec::new(), should, must_not: Vec::new(), least_should: 0 }
}
