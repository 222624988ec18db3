//! What searches find of that, with one width after the other.

use std::collections::{HashMap, HashSet};

use blaze_core::{Error, Family, ReadPoint, Result};
use blaze_vector::{CALIBRATED_K, CALIBRATED_SHARES, Calibration, Candidate, Found, RecallCurve, SlotSet};

use super::Step;
use super::queries::Sample;
use super::told::CalibrationProgress;
use super::truth::{SHARES, Shares, Truth};
use crate::catalog::prefixed;
use crate::vector::breadth::enough;
use crate::vector::form::Form;
use crate::vector::linked::Linked;
use crate::vector::open::OpenGraph;

/// Of fewer vectors, the rows are read: no graph is asked.
const MEMBERS_MIN: u64 = 256;

/// The part of all vectors from which on looking at each of them is as fast as a search so wide.
const EF_PART: u64 = 8;

/// Slots that are looked at while nobody can link.
const SLOTS_AT_ONCE: u32 = 4_096;

/// Measuring a graph.
pub(super) struct Measurement<'a> {
    pub(super) graph: &'a OpenGraph,
    pub(super) point: &'a dyn ReadPoint,
    pub(super) form: &'a Form,
    pub(super) seed: u64,
    pub(super) step: Step<'a>,
}

/// Searches among one share of the vectors.
struct Round<'a> {
    samples: &'a [Sample],
    truth: &'a Truth,
    share: usize,
    among: Option<SlotSet>,
    /// The distances of entries from each query, as far as they were needed.
    distances: Vec<HashMap<Box<[u8]>, Option<f32>>>,
}

impl Measurement<'_> {
    /// Measures what searches for these find.
    pub(super) fn run(&mut self, samples: Vec<Sample>) -> Result<Calibration> {
        let truth = self.truth(&samples)?;
        let vectors = truth.members[0];
        let mut progress = CalibrationProgress { vectors, expected: vectors, searches: 0 };
        let mut curves = Vec::new();
        for share in 0..SHARES {
            if share > 0 && truth.members[share] < MEMBERS_MIN {
                break; // and so are those of the smaller shares
            }
            let among = (share > 0).then(|| self.slots_of(share));
            let distances = samples.iter().map(|_| HashMap::new()).collect();
            let round = Round { samples: &samples, truth: &truth, share, among, distances };
            curves.extend(self.curves(round, &mut progress)?);
        }
        Ok(Calibration { vectors, queries: samples.len(), curves })
    }

    pub(super) fn shares(&self) -> Shares {
        Shares { seed: self.seed }
    }

    /// The slots of the vectors of a share.
    fn slots_of(&self, share: usize) -> SlotSet {
        let mut slots = SlotSet::new();
        let count = self.graph.with_linked(|linked| linked.graph.slots() as u32).unwrap_or(0);
        for begin in (0..count).step_by(SLOTS_AT_ONCE as usize) {
            self.graph.with_linked(|linked| {
                let is_member = |slot: &u32| {
                    let entry = linked.ids.key(*slot).filter(|_| !linked.is_removed(*slot, self.point.ts()));
                    entry.is_some_and(|entry| self.shares().of(entry) >= share)
                };
                slots.extend((begin..begin.saturating_add(SLOTS_AT_ONCE)).filter(is_member));
            });
        }
        slots
    }

    /// The curves of one share: with each width, all queries are searched for, until nothing more can be shown.
    fn curves(&mut self, mut round: Round<'_>, progress: &mut CalibrationProgress) -> Result<Vec<RecallCurve>> {
        let (share, members) = (CALIBRATED_SHARES[round.share], round.truth.members[round.share]);
        let ef_max = if round.share == 0 { members / EF_PART } else { members };
        let queries = round.samples.len();
        let mut curves = CALIBRATED_K.map(|k| RecallCurve::new(share, k));
        for &ef in RecallCurve::widths() {
            let code = self.form.options.code;
            let is_measured = |curve: &RecallCurve| !curve.is_finished(queries) && ef >= enough(code, curve.k());
            if ef as u64 > ef_max || curves.iter().all(|curve| curve.is_finished(queries)) {
                break;
            }
            let ks: Vec<usize> = curves.iter().filter(|curve| is_measured(curve)).map(RecallCurve::k).collect();
            if ks.is_empty() {
                continue;
            }
            let mut recalls: Vec<Vec<f64>> = ks.iter().map(|_| Vec::with_capacity(queries)).collect();
            for query in 0..queries {
                (self.step)(*progress)?;
                progress.searches += 1;
                for (recalls, recall) in recalls.iter_mut().zip(self.recalls(&mut round, query, ef, &ks)?) {
                    recalls.extend(recall);
                }
            }
            for (k, recalls) in ks.iter().zip(&recalls) {
                curves.iter_mut().filter(|curve| curve.k() == *k).for_each(|curve| curve.measured(ef, recalls));
            }
        }
        Ok(curves.into_iter().filter(|curve| !curve.points().is_empty()).collect())
    }

    /// Which part of its true nearest a search finds, for each `k`: what the graph proposes, as far as a search compares it.
    fn recalls(&self, round: &mut Round<'_>, query: usize, ef: usize, ks: &[usize]) -> Result<Vec<Option<f64>>> {
        let proposed = self.proposed(round, query, ef)?;
        let mostly_enough = ks.iter().map(|k| enough(self.form.options.code, *k)).max().unwrap_or(0);
        self.read(round, query, proposed.iter().take(mostly_enough).map(|(entry, _)| entry))?;
        let recall = |k: &usize| {
            let Some((hits, farthest)) = round.truth.hits(query, round.share, *k) else { return Ok(None) };
            let candidates =
                proposed.iter().zip(0..).map(|((_, distance), slot)| Candidate { slot, distance: *distance });
            let mut found = Found { candidates: candidates.collect(), ..Found::default() };
            let mut failure = Ok(());
            found.rerank_adaptively(*k, |nth| {
                let (entry, _) = &proposed[nth as usize];
                if failure.is_ok() {
                    failure = self.read(round, query, [entry]);
                }
                round.distances[query].get(entry).copied().flatten()
            });
            failure?;
            let near = found.candidates.iter().filter(|candidate| candidate.distance <= farthest).count();
            Ok(Some(near.min(hits) as f64 / hits as f64))
        };
        ks.iter().map(recall).collect()
    }

    /// The entries that a search proposes, and how far they are by their codes.
    fn proposed(&self, round: &Round<'_>, query: usize, ef: usize) -> Result<Vec<(Box<[u8]>, f32)>> {
        let sample = &round.samples[query];
        let search = |linked: &Linked| -> Result<_> {
            let query = linked.graph.query(sample.query.as_stored(&mut Vec::new()))?;
            let own = sample.left_out.as_ref().and_then(|entry| linked.ids.slot(entry));
            let query = own.map_or(query.clone(), |own| query.without(own));
            let nearest = linked.nearest(&query, ef, self.point.ts(), round.among.as_ref());
            // What is overwritten meanwhile may be there as it was and as it is, and what is left out, too.
            let mut seen = HashSet::new();
            let mut entries = Vec::with_capacity(nearest.len());
            for Candidate { slot, distance } in nearest {
                let entry = linked.ids.key(slot).filter(|entry| sample.left_out.as_deref() != Some(entry));
                entries.extend(entry.filter(|entry| seen.insert(*entry)).map(|entry| (entry.into(), distance)));
            }
            Ok(entries)
        };
        let gone = || Error::unavailable("the graph was let go of while it was calibrated");
        self.graph.with_linked(search).ok_or_else(gone)?
    }

    /// Reads how far entries are from the query, unless that is known.
    fn read<'e>(
        &self,
        round: &mut Round<'_>,
        query: usize,
        entries: impl IntoIterator<Item = &'e Box<[u8]>>,
    ) -> Result<()> {
        let (sample, known) = (&round.samples[query], &mut round.distances[query]);
        let unknown: Vec<&Box<[u8]>> = entries.into_iter().filter(|entry| !known.contains_key(*entry)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let keys: Vec<Vec<u8>> = unknown.iter().map(|entry| prefixed(self.graph.index, entry)).collect();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let mut buffer = Vec::new();
        self.point.visit_many(Family::Vector, &keys, &mut |position, row| {
            // Without a row, it was written after the read point: no search there compares it.
            let distance = row.map(|row| sample.query.distance_to_stored(row, &mut buffer)).transpose()?;
            known.insert(unknown[position].clone(), distance);
            Ok(())
        })
    }
}
