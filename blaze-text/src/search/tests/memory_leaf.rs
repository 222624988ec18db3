//! A leaf in plain lists, in blocks of few documents, so that blocks are gone past in small worlds, too.

use std::collections::BTreeMap;

use blaze_core::Result;

use crate::search::{Leaf, TermVisitor};
use crate::{DocumentPostings, DocumentTerms, END, FieldTotals, Impact, Postings, TermKey};

use super::FIELDS;

/// What a fold knows of a document: its id, what the index had of it before, and what it has of it now.
pub(super) type Change = (Vec<u8>, Option<DocumentTerms>, Option<DocumentPostings>);

pub(super) struct MemoryLeaf {
    block: usize,
    ids: Vec<Vec<u8>>,
    lengths: Vec<Vec<u32>>,
    terms: BTreeMap<TermKey, Entry>,
    totals: Vec<FieldTotals>,
    dead: Vec<bool>,
}

#[derive(Clone, Default)]
pub(super) struct Entry {
    documents: Vec<(u32, Vec<u32>)>,
    removed: i64,
}

fn of_length(length: u32) -> FieldTotals {
    FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) }
}

impl MemoryLeaf {
    pub(super) fn fold(block: usize, mut changes: Vec<Change>) -> MemoryLeaf {
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        let mut leaf = MemoryLeaf {
            block,
            ids: Vec::new(),
            lengths: Vec::new(),
            terms: BTreeMap::new(),
            totals: vec![FieldTotals::default(); usize::from(FIELDS)],
            dead: Vec::new(),
        };
        for (id, before, after) in changes {
            for (field, term) in before.iter().flat_map(DocumentTerms::iter) {
                leaf.terms.entry(TermKey::new(field, term)).or_default().removed += 1;
            }
            for field in 0..FIELDS {
                let before = before.as_ref().map_or(0, |before| before.length(field));
                let after = after.as_ref().map_or(0, |after| after.terms().length(field));
                let total = &mut leaf.totals[usize::from(field)];
                *total = total.plus(of_length(after)).minus(of_length(before));
            }
            let Some(after) = after else { continue };
            let document = leaf.ids.len() as u32;
            for (field, term, positions) in after.iter() {
                let entry = leaf.terms.entry(TermKey::new(field, term)).or_default();
                entry.documents.push((document, positions.to_vec()));
            }
            leaf.ids.push(id);
            leaf.lengths.push(after.terms().lengths().collect());
            leaf.dead.push(false);
        }
        leaf
    }

    pub(super) fn kill(&mut self, id: &[u8]) {
        if let Ok(document) = self.ids.binary_search_by(|other| (**other).cmp(id)) {
            self.dead[document] = true;
        }
    }
}

impl<'v> Leaf for &'v MemoryLeaf {
    type Entry = (u8, &'v Entry);
    type Postings<'a>
        = MemoryPostings<'v>
    where
        Self: 'a;

    fn documents(&self) -> u32 {
        self.ids.len() as u32
    }

    fn totals(&self, field: u8) -> FieldTotals {
        self.totals[usize::from(field)]
    }

    fn find(&self, key: &TermKey) -> Result<Option<(u8, &'v Entry)>> {
        Ok(self.terms.get(key).map(|entry| (key.field, entry)))
    }

    fn added(&self, (_, entry): &(u8, &'v Entry)) -> i64 {
        entry.documents.len() as i64 - entry.removed
    }

    fn postings<'a>(&'a self, entry: &'a (u8, &'v Entry), positions: bool) -> Result<MemoryPostings<'v>> {
        Ok(MemoryPostings { leaf: self, entry: entry.1, field: entry.0, index: 0, impacts: Vec::new(), positions })
    }

    fn length(&self, field: u8, document: u32) -> u32 {
        self.lengths[document as usize][usize::from(field)]
    }

    fn is_live(&self, document: u32) -> bool {
        !self.dead[document as usize]
    }

    fn id(&self, document: u32) -> Result<Box<[u8]>> {
        Ok(self.ids[document as usize].as_slice().into())
    }

    fn find_document(&self, id: &[u8]) -> Result<Option<u32>> {
        Ok(self.ids.binary_search_by(|other| (**other).cmp(id)).ok().map(|document| document as u32))
    }

    fn terms_from(&self, from: &TermKey, visit: &mut TermVisitor<'_>) -> Result<()> {
        for (key, entry) in self.terms.range(from..) {
            if visit(key.field, &key.term, entry.documents.len() as i64 - entry.removed)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

pub(super) struct MemoryPostings<'a> {
    leaf: &'a MemoryLeaf,
    entry: &'a Entry,
    field: u8,
    index: usize,
    impacts: Vec<Impact>,
    positions: bool,
}

impl Postings for MemoryPostings<'_> {
    fn document(&self) -> u32 {
        self.entry.documents.get(self.index).map_or(END, |(document, _)| *document)
    }

    fn next(&mut self) -> Result<u32> {
        assert_ne!(self.document(), END, "nothing is behind the last document");
        self.index += 1;
        Ok(self.document())
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        assert!(self.document() <= target, "{target} is before {}", self.document());
        self.index = self.entry.documents.partition_point(|(document, _)| *document < target);
        Ok(self.document())
    }

    fn frequency(&mut self) -> Result<u32> {
        Ok(self.entry.documents[self.index].1.len() as u32)
    }

    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()> {
        assert!(self.positions, "positions were asked for at the beginning");
        positions.clone_from(&self.entry.documents[self.index].1);
        Ok(())
    }

    fn len(&self) -> u32 {
        self.entry.documents.len() as u32
    }

    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])> {
        assert!(self.document() <= target, "{target} is before {}", self.document());
        let documents = &self.entry.documents;
        let index = documents.partition_point(|(document, _)| *document < target);
        let start = index / self.leaf.block * self.leaf.block;
        let block = &documents[start.min(documents.len())..documents.len().min(start + self.leaf.block)];
        self.impacts.clear();
        for (document, positions) in block {
            let length = (&self.leaf).length(self.field, *document);
            self.impacts.push(Impact { frequency: positions.len() as u32, length });
        }
        let is_last = start + self.leaf.block > documents.len();
        Ok((if is_last { END - 1 } else { block[block.len() - 1].0 }, &self.impacts))
    }
}
