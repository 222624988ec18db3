//! What several indexes have in common.

use std::fmt;

use blaze_core::limits::QUERY_IDS_BYTES_MAX;

use super::choose::{Candidate, Chooser};
use super::size::{PROBED_KEYS, Size};
use super::{Access, IndexScan, cost};

/// Bytes that an id takes in a set, about.
const ID_BYTES: u64 = 128;

impl Chooser<'_> {
    /// Adds the intersection of the smallest candidates, where it spares more documents than it costs.
    pub(super) fn add_intersection(&self, candidates: &mut Vec<Candidate>) {
        let Some(documents) = self.documents else { return };
        let mut scans: Vec<&Candidate> =
            candidates.iter().filter(|one| one.narrows && scan_of(one).is_some()).collect();
        scans.sort_by_key(|one| entries(one));
        let mut chosen: Vec<&Candidate> = Vec::new();
        let mut found = 0;
        for candidate in scans {
            let entries = entries(candidate);
            match chosen.is_empty() {
                true if entries <= PROBED_KEYS => return, // too little to be worth another walk
                true => found = entries,
                false => {
                    let says_more = candidate.used.iter().any(|part| !chosen.iter().any(|one| one.used.contains(part)));
                    if !says_more || !cost::set_is_worthwhile(entries, found, documents) {
                        continue;
                    }
                    found = cost::in_common(entries, found, documents);
                }
            }
            chosen.push(candidate);
        }
        // What is read last needs no memory, and may have the order of the sort.
        if let Some(sorted) = chosen.iter().position(|candidate| candidate.sorted) {
            let sorted = chosen.remove(sorted);
            chosen.push(sorted);
        }
        let Some((last, sets)) = chosen.split_last().filter(|(_, sets)| !sets.is_empty()) else { return };
        let held = sets.iter().map(|set| entries(set)).max().unwrap_or_default();
        if held.saturating_mul(ID_BYTES) > QUERY_IDS_BYTES_MAX as u64 {
            return;
        }
        let sets: Vec<IndexScan> = sets.iter().filter_map(|set| scan_of(set)).cloned().collect();
        let Some(last) = scan_of(last).cloned() else { return };
        let size = Size { entries: chosen.iter().map(|one| entries(one)).sum(), is_exact: false };
        let intersection = Access::Intersection { sets, last: Box::new(last) };
        let combined = Candidate::combined(intersection, &chosen, size, found);
        candidates.push(combined);
    }
}

fn scan_of(candidate: &Candidate) -> Option<&IndexScan> {
    match &candidate.access {
        Access::Index(scan) => Some(scan),
        _ => None,
    }
}

fn entries(candidate: &Candidate) -> u64 {
    candidate.size.map_or(u64::MAX, |size| size.entries)
}

impl fmt::Display for Access {
    /// The plan in a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, names): (&str, Vec<String>) = match self {
            Access::Scan => return f.write_str("scan"),
            Access::Index(scan) => return write!(f, "index {}", scan.name),
            Access::Intersection { .. } => {
                ("intersection", self.scans().iter().map(|scan| format!("index {}", scan.name)).collect())
            }
            Access::Union(branches) => ("union", branches.iter().map(ToString::to_string).collect()),
        };
        write!(f, "{word} of ({})", names.join(", "))
    }
}
