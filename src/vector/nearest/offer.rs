//! Offering what a graph proposes, by its rows: what is nearest and accepted is kept.

use blaze_core::Result;
use blaze_vector::Hit;

use super::Search;
use crate::index::{id_bytes, vector_id};
use crate::vector::breadth::Breadth;
use crate::vector::open::OpenGraph;
use crate::vector::proposals::Proposal;

impl Search<'_> {
    /// Looks at the rows of proposals, the nearest by their codes first, until the others are too far to be answers as far as
    /// codes tell; where some are refused, until enough are settled. Answers how many.
    pub(super) fn look_at(&mut self, graph: &OpenGraph, proposals: &[Proposal], breadth: &Breadth) -> Result<usize> {
        let mut looked_at = 0;
        while looked_at < proposals.len() {
            let limit = self.nearest.farthest().unwrap_or(f32::INFINITY).min(self.question.within);
            let rest = &proposals[looked_at..];
            let next = self.code_error.next(breadth.first, rest.iter().map(|proposal| proposal.distance), limit);
            let needs_more = self.has_refused && self.settled < breadth.enough;
            let next = if needs_more { next.max(breadth.enough) } else { next };
            if next == 0 {
                break;
            }
            let batch = &rest[..next.min(rest.len())];
            looked_at += batch.len();
            let distances = self.distances(graph, batch)?;
            for (proposal, distance) in batch.iter().zip(distances) {
                if let Some(distance) = distance {
                    self.code_error.observe(proposal.distance, distance);
                    let is_settled = self.offer(&proposal.entry, distance, proposal.is_known)?
                        && self.is_first_of_document(&proposal.entry)?;
                    self.settled += usize::from(is_settled);
                    self.has_refused |= !is_settled;
                }
            }
        }
        Ok(looked_at)
    }

    pub(super) fn offer_row(&mut self, entry: &[u8], row: &[u8]) -> Result<()> {
        let distance = self.question.query.distance_to_stored(row, &mut self.buffer)?;
        self.offer(entry, distance, false).map(drop)
    }

    /// Offers what the session sees; false if `accept` does not take it.
    fn offer(&mut self, entry: &[u8], distance: f32, is_known: bool) -> Result<bool> {
        self.compared += 1;
        let farthest = self.nearest.farthest();
        let is_beyond = farthest.is_some_and(|farthest| distance > farthest);
        if is_beyond || distance > self.question.within {
            return Ok(true); // there are enough that are nearer, or it is not wanted
        }
        let id = vector_id(entry, self.question.several)?;
        self.asked += 1;
        if !(self.accept)(&id, is_known)? {
            return Ok(false);
        }
        self.taken += usize::from(!self.has_settled(entry)?);
        self.nearest.push(Hit { key: id, distance });
        Ok(true)
    }

    /// True if another vector of its document was settled before.
    fn has_settled(&self, entry: &[u8]) -> Result<bool> {
        match &self.documents {
            None => Ok(false),
            Some(documents) => Ok(documents.contains(id_bytes(entry, true)?)),
        }
    }

    /// True unless another vector of its document was settled before.
    fn is_first_of_document(&mut self, entry: &[u8]) -> Result<bool> {
        match &mut self.documents {
            None => Ok(true),
            Some(documents) => Ok(documents.insert(id_bytes(entry, true)?.into())),
        }
    }
}
