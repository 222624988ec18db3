//! The documents of a delta that have a term.

use std::fmt;

use blaze_core::Result;

use super::list::{BLOCK, List};
use crate::{END, Impact, Postings};

/// A cursor over the documents of a [`DeltaView`](super::DeltaView) that have a term.
#[derive(Clone)]
pub struct DeltaPostings<'a> {
    list: &'a List,
    /// How many documents of the list the view has.
    count: usize,
    index: usize,
}

impl<'a> DeltaPostings<'a> {
    pub(super) fn new(list: &'a List, count: usize) -> DeltaPostings<'a> {
        DeltaPostings { list, count, index: 0 }
    }

    /// The index of the first document that is not before `target`, from the current one on.
    #[inline]
    fn find(&self, target: u32) -> usize {
        let rest = &self.list.documents[self.index..self.count];
        let mut step = 1; // most are near
        while step < rest.len() && rest[step] < target {
            step *= 2;
        }
        let (start, end) = (step / 2, rest.len().min(step + 1));
        self.index + start + rest[start..end].partition_point(|&document| document < target)
    }
}

impl Postings for DeltaPostings<'_> {
    #[inline]
    fn document(&self) -> u32 {
        if self.index < self.count { self.list.documents[self.index] } else { END }
    }

    #[inline]
    fn next(&mut self) -> Result<u32> {
        self.index = self.count.min(self.index + 1);
        Ok(self.document())
    }

    #[inline]
    fn seek(&mut self, target: u32) -> Result<u32> {
        self.index = self.find(target);
        Ok(self.document())
    }

    #[inline]
    fn frequency(&mut self) -> Result<u32> {
        Ok(if self.index < self.count { self.list.frequency(self.index) } else { 0 })
    }

    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()> {
        positions.clear();
        if self.index < self.count {
            positions.extend_from_slice(self.list.positions(self.index));
        }
        Ok(())
    }

    fn len(&self) -> u32 {
        self.count as u32
    }

    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])> {
        let index = self.find(target);
        if index >= self.count {
            return Ok((END - 1, &[]));
        }
        let last = (index / BLOCK + 1) * BLOCK;
        let last = if last <= self.count { self.list.documents[last - 1] } else { END - 1 };
        Ok((last, self.list.impact(index)))
    }

    fn impacts(&self) -> &[Impact] {
        self.list.impacts()
    }
}

impl fmt::Debug for DeltaPostings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, document) = (self.count, self.document());
        f.debug_struct("DeltaPostings").field("len", &len).field("document", &document).finish_non_exhaustive()
    }
}
