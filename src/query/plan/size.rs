//! How much a plan would read: counted where it is little, estimated where it is much.
//!
//! Nothing is kept that could become stale. Ranges are walked side by side for a few keys; the first that ends is the
//! smallest, and its size is exact. Beyond that, a store on disk says about how many bytes a range takes, and one in memory
//! is walked further. What is looked at for an estimate does not count as read by the transaction.

use blaze_core::{Direction, Family, KeyRange, Result};

use super::fit::IndexScan;
use crate::database::core::Storage;
use crate::index::scan_range;
use crate::session::{Session, SessionCursor};

/// Keys of each range that are walked before sizes are estimated.
pub(super) const PROBED_KEYS: u64 = 64;

/// Keys of a range in memory that are walked: there, walking is cheap and nothing else tells.
const PROBED_KEYS_IN_MEMORY: u64 = 4_096;

/// About how many entries a scan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) entries: u64,
    /// True if they were counted.
    pub(crate) is_exact: bool,
}

/// The sizes of plans, each made of scans. When one of them is found to be small, of the others it is only known that they
/// are not smaller.
pub(super) fn sizes(session: &Session, documents: Option<u64>, plans: &[Vec<&IndexScan>]) -> Result<Vec<Size>> {
    let mut probes: Vec<Probe<'_>> = plans.iter().map(|scans| Probe::of(scans)).collect();
    for _ in 0..PROBED_KEYS {
        let mut ended = false;
        for probe in &mut probes {
            ended |= !probe.step(session)?;
        }
        if ended {
            return Ok(probes.iter().map(Probe::size).collect());
        }
    }
    probes.iter_mut().map(|probe| probe.estimate(session, documents)).collect()
}

/// About how many documents a part of a collection has, of `documents` in all; exact where it is small.
pub(super) fn documents_in(
    session: &Session,
    part: &KeyRange,
    all: &KeyRange,
    documents: Option<u64>,
) -> Result<Option<u64>> {
    let directory = match &session.core().storage {
        Storage::Directory { store, .. } => Some(store),
        Storage::Memory => None,
    };
    let most = if directory.is_some() { PROBED_KEYS } else { PROBED_KEYS_IN_MEMORY };
    let mut cursor = session.committed_cursor(Family::Data, part, Direction::Forward)?;
    let mut walked = 0;
    while walked < most {
        if cursor.next()?.is_none() {
            return Ok(Some(walked));
        }
        walked += 1;
    }
    let (Some(store), Some(documents)) = (directory, documents) else { return Ok(documents) };
    let of_part = u128::from(store.approximate_bytes(Family::Data, part)?);
    let of_all = u128::from(store.approximate_bytes(Family::Data, all)?).max(of_part).max(1);
    let estimate = u128::from(documents) * of_part / of_all;
    Ok(Some(u64::try_from(estimate).unwrap_or(u64::MAX).max(walked)))
}

/// A walk over the entries of scans, one after the other, that ends early.
struct Probe<'a> {
    scans: &'a [&'a IndexScan],
    ranges: Vec<&'a KeyRange>,
    cursor: Option<SessionCursor>,
    ranges_begun: usize,
    entries: u64,
    bytes: u64,
    ended: bool,
}

impl<'a> Probe<'a> {
    fn of(scans: &'a [&'a IndexScan]) -> Probe<'a> {
        let ranges = scans.iter().flat_map(|scan| &scan.ranges).collect();
        Probe { scans, ranges, cursor: None, ranges_begun: 0, entries: 0, bytes: 0, ended: false }
    }

    /// Walks one key further; false at the end.
    fn step(&mut self, session: &Session) -> Result<bool> {
        loop {
            if let Some(cursor) = &mut self.cursor
                && let Some((key, _)) = cursor.next()?
            {
                self.entries += 1;
                self.bytes += key.len() as u64;
                return Ok(true);
            }
            let Some(range) = self.ranges.get(self.ranges_begun) else {
                self.ended = true;
                return Ok(false);
            };
            self.ranges_begun += 1;
            self.cursor = Some(session.committed_cursor(Family::Index, range, Direction::Forward)?);
        }
    }

    fn size(&self) -> Size {
        Size { entries: self.entries, is_exact: self.ended }
    }

    fn estimate(&mut self, session: &Session, documents: Option<u64>) -> Result<Size> {
        let Storage::Directory { store, .. } = &session.core().storage else {
            while self.entries < PROBED_KEYS_IN_MEMORY && self.step(session)? {}
            return Ok(self.size());
        };
        let bytes_of = |range: &KeyRange| store.approximate_bytes(Family::Index, range);
        let mut entries = 0_u64;
        for scan in self.scans {
            let of_scan = scan.ranges.iter().map(bytes_of).sum::<Result<u64>>()?;
            let of_index = bytes_of(&scan_range(scan.id))?.max(of_scan).max(1);
            let estimate = match documents {
                Some(documents) => u128::from(documents) * u128::from(of_scan) / u128::from(of_index),
                // Neighbours share much of what they store.
                None => 2 * u128::from(of_scan) * u128::from(self.entries) / u128::from(self.bytes.max(1)),
            };
            entries = entries.saturating_add(u64::try_from(estimate).unwrap_or(u64::MAX));
        }
        Ok(Size { entries: entries.max(self.entries), is_exact: false })
    }
}
