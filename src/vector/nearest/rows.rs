//! The rows of what a graph proposes: from memory, or read and kept there.

use blaze_core::{Family, Result};

use super::Search;
use crate::catalog::prefixed;

use crate::vector::open::OpenGraph;
use crate::vector::proposals::Proposal;

impl Search<'_> {
    /// How far the rows of proposals are, where there is one: those that are in memory, then the others, which are kept for
    /// later searches.
    pub(super) fn distances(&mut self, graph: &OpenGraph, batch: &[Proposal]) -> Result<Vec<Option<f32>>> {
        let (changes, read_ts) = (self.changes, self.session.read_ts());
        let (query, buffer) = (self.question.query, &mut self.buffer);
        let mut distances = vec![None; batch.len()];
        let are_kept = graph.with_linked(|linked| {
            let current = batch.iter().map(|proposal| proposal.slot).enumerate();
            let current = current.filter(|(position, _)| linked.is_row_of(&batch[*position], changes, read_ts));
            linked.rows.visit(current, |position, row| {
                distances[position] = Some(query.distance_to_stored(row, buffer)?);
                Ok(())
            })?;
            Ok(linked.rows.is_enabled())
        });
        let are_kept = are_kept.transpose()?.unwrap_or(false);
        let missing: Vec<usize> = (0..batch.len()).filter(|position| distances[*position].is_none()).collect();
        if missing.is_empty() {
            return Ok(distances);
        }
        let keys: Vec<_> =
            missing.iter().map(|position| prefixed(self.question.index, &batch[*position].entry)).collect();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let mut read: Vec<(&Proposal, Vec<u8>)> = Vec::new();
        self.session.point().visit_many(Family::Vector, &keys, &mut |nth, row| {
            let (Some(position), Some(row)) = (missing.get(nth), row) else { return Ok(()) };
            distances[*position] = Some(query.distance_to_stored(row, buffer)?);
            if are_kept {
                read.push((&batch[*position], row.to_vec()));
            }
            Ok(())
        })?;
        graph.with_linked(|linked| {
            let current = read.iter().filter(|(proposal, _)| linked.is_row_of(proposal, changes, read_ts));
            linked.rows.fill(current.map(|(proposal, row)| (proposal.slot, row.as_slice())));
        });
        Ok(distances)
    }
}
