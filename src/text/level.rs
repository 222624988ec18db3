//! A part of what is not folded into segments, to be searched.

use std::collections::HashMap;
use std::sync::Arc;

use blaze_core::{Result, Timestamp};
use blaze_text::{Delta, DocumentTerms};

use super::change::{NewText, RecentChange};
use super::unfolded::collapse;

/// A change, and the commit that made it; zero for one that was there when what is not folded was read.
pub(super) type Committed = (Timestamp, Arc<RecentChange>);

/// Where in segments a change replaces or removes a document: the place of the segment, the number there, and the commit.
pub(super) type Masked = (usize, u32, Timestamp);

/// What some commits have changed that follow each other.
pub(super) struct Level {
    /// As the change rows say.
    changes: Vec<Committed>,
    /// The same, to be searched.
    pub(super) delta: Delta,
    /// The documents of each segment that are replaced or removed by it, each with the first commit that does so.
    masked: Vec<HashMap<u32, Timestamp>>,
    bytes: usize,
}

impl Level {
    /// Nothing, of an index over so many fields with so many segments.
    pub(super) fn new(fields: u8, segments: usize) -> Level {
        let masked = vec![HashMap::new(); segments];
        Level { changes: Vec::new(), delta: Delta::new(fields), masked, bytes: 0 }
    }

    /// What does not come of changes.
    pub(super) fn of_delta(delta: Delta) -> Level {
        Level { changes: Vec::new(), delta, masked: Vec::new(), bytes: 0 }
    }

    /// What several make, each of which follows the one before.
    pub(super) fn of_all(levels: &[Arc<Level>], fields: u8, segments: usize) -> Result<Level> {
        let mut all = Level::new(fields, segments);
        let changes: Vec<Committed> = levels.iter().flat_map(|level| level.changes()).cloned().collect();
        all.add(&changes)?;
        for level in levels {
            for (place, masked) in level.masked.iter().enumerate() {
                all.mask(masked.iter().map(|(document, ts)| (place, *document, *ts)));
            }
        }
        Ok(all)
    }

    /// Appends changes: those that were there before all commits, if any, come first.
    pub(super) fn add(&mut self, changes: &[Committed]) -> Result<()> {
        let (first, later) = changes.split_at(changes.partition_point(|(ts, _)| *ts == Timestamp::ZERO));
        // Of these, entries are known of the last of each document only.
        for document in collapse(first.iter().map(|(_, change)| Arc::clone(change))) {
            document.add_to(&mut self.delta)?;
        }
        for (ts, change) in later {
            let before = change.before.as_deref().map(DocumentTerms::from_bytes).transpose()?;
            let after = change.after.as_ref().map(NewText::read).transpose()?;
            self.delta.change(ts.to_bits(), &change.id, before.as_ref(), after.as_ref())?;
        }
        self.bytes += changes.iter().map(|(_, change)| change.bytes()).sum::<usize>();
        self.changes.extend_from_slice(changes);
        Ok(())
    }

    /// Hides documents of segments.
    pub(super) fn mask(&mut self, documents: impl IntoIterator<Item = Masked>) {
        for (place, document, ts) in documents {
            if let Some(masked) = self.masked.get_mut(place) {
                masked.entry(document).or_insert(ts);
            }
        }
    }

    /// The documents of the segment at a place that it hides, each with the commit.
    pub(super) fn masked(&self, place: usize) -> Option<&HashMap<u32, Timestamp>> {
        self.masked.get(place).filter(|masked| !masked.is_empty())
    }

    pub(super) fn changes(&self) -> &[Committed] {
        &self.changes
    }

    /// Bytes of the changes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
