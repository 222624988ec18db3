//! What is in memory of an index of text: its segments, and what is not folded into them.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use blaze_core::{ReadPoint, Result, Timestamp};
use blaze_lsm::TextIndexStats;
use parking_lot::Mutex;

use super::change::{IndexChange, RecentChange};
use super::generation::{Generation, Source};
use super::level::Committed;
use super::pages::PageCache;
use super::segments::Segments;

/// What is in memory of an index, for views from when it was read on.
pub(super) struct OpenText {
    pub(super) index: u32,
    fields: u8,
    /// All later commits are told of.
    since: Timestamp,
    /// What commits have done that is not in the generations yet.
    told: Mutex<Told>,
    /// What is there since the last fold that was asked for, and before that. Nobody holds this while reading anything.
    generations: Mutex<Generations>,
    /// Held by who brings the generations to a later commit. Only those wait for it who need that as well.
    pub(super) bringing: Mutex<()>,
    /// When it was used last.
    pub(super) used: AtomicU64,
}

/// What commits have told, in their order.
#[derive(Default)]
struct Told {
    changes: VecDeque<ToldChange>,
    bytes: usize,
    documents: usize,
}

struct ToldChange {
    ts: Timestamp,
    change: IndexChange,
    bytes: usize,
}

#[derive(Default)]
struct Generations {
    newest: Option<Arc<Generation>>,
    /// The one before, for views before this commit.
    before: Option<(Arc<Generation>, Timestamp)>,
    /// True once something could not be read: then everybody reads for himself.
    is_broken: bool,
}

impl Generations {
    /// The one that has what is at a read point, if it is kept.
    fn serving(&self, ts: Timestamp) -> Option<Arc<Generation>> {
        let before = self.before.iter().filter(|(_, until)| ts < *until).map(|(before, _)| before);
        self.newest.iter().chain(before).find(|generation| generation.from <= ts).map(Arc::clone)
    }
}

impl OpenText {
    pub(super) fn new(index: u32, fields: u8, since: Timestamp) -> OpenText {
        OpenText {
            index,
            fields,
            since,
            told: Mutex::default(),
            generations: Mutex::default(),
            bringing: Mutex::default(),
            used: AtomicU64::new(0),
        }
    }

    /// Is told of a commit, before anybody can see it; answers how many bytes of what was told nobody has asked for.
    pub(super) fn take_in(&self, ts: Timestamp, change: &IndexChange) -> usize {
        let (bytes, documents) = (change.bytes(), change.documents());
        let told = &mut *self.told.lock();
        told.changes.push_back(ToldChange { ts, change: change.clone(), bytes });
        told.bytes += bytes;
        told.documents += documents;
        told.bytes
    }

    /// What the index is at a read point, and whether that was read or made just now; none for a view from before the index was
    /// read, or if it could not be read.
    pub(super) fn at(
        &self,
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
    ) -> Result<(Option<Arc<Generation>>, bool)> {
        let ts = point.ts();
        if ts < self.since {
            return Ok((None, false));
        }
        if let Some(found) = self.ready(ts) {
            return Ok((found, false));
        }
        let bringing = self.bringing.lock();
        if let Some(found) = self.ready(ts) {
            return Ok((found, false));
        }
        let source = Source { point, cache, index: self.index, fields: self.fields };
        // Who was waiting meanwhile must not go on with the half of it.
        let is_new = self.bring_to(source).inspect_err(|_| {
            *self.generations.lock() = Generations { is_broken: true, ..Generations::default() };
        })?;
        let found = self.generations.lock().serving(ts);
        drop(bringing);
        found.as_ref().map_or(Ok(()), |found| found.recent.merge())?;
        Ok((found, is_new))
    }

    /// What is kept for a read point, if anything is; none if that is not known before the generations are brought there.
    fn ready(&self, ts: Timestamp) -> Option<Option<Arc<Generation>>> {
        // What is told goes only when the generations have it.
        let lacks = self.told.lock().changes.front().is_some_and(|first| first.ts <= ts);
        let generations = self.generations.lock();
        match &generations.newest {
            _ if generations.is_broken => Some(None),
            Some(_) if !lacks => Some(generations.serving(ts)),
            _ => None,
        }
    }

    /// Brings the generations to a read point. For who holds `bringing`.
    fn bring_to(&self, source: Source<'_>) -> Result<bool> {
        let ts = source.point.ts();
        let Some(newest) = self.last_seen() else {
            let first = Generation::read(source, None)?;
            self.generations.lock().newest = Some(Arc::new(first));
            self.let_go_of_told(ts);
            return Ok(true);
        };
        let up_to = |told: &Told| {
            let told = told.changes.iter().take_while(|told| told.ts <= ts);
            told.map(|told| (told.ts, told.change.clone())).collect()
        };
        let told: Vec<(Timestamp, IndexChange)> = up_to(&self.told.lock());
        let is_folded = told.iter().any(|(_, change)| matches!(change, IndexChange::Folded(_)));
        match is_folded {
            true => self.follow_fold(source, &newest, told)?,
            false => newest.take(source, &documents(told))?,
        }
        self.let_go_of_told(ts);
        Ok(is_folded)
    }

    /// What commits up to there have told is in the generations.
    fn let_go_of_told(&self, ts: Timestamp) {
        let mut guard = self.told.lock();
        let told = &mut *guard;
        let count = told.changes.iter().take_while(|told| told.ts <= ts).count();
        let gone: Vec<ToldChange> = told.changes.drain(..count).collect();
        for gone in &gone {
            told.bytes -= gone.bytes;
            told.documents -= gone.change.documents();
        }
        // Commits wait for this lock, and what goes takes time to be freed.
        drop(guard);
        drop(gone);
    }

    /// Begins a generation, by what commits have told since the last one, one of them of a fold.
    fn follow_fold(
        &self,
        source: Source<'_>,
        newest: &Arc<Generation>,
        told: Vec<(Timestamp, IndexChange)>,
    ) -> Result<()> {
        // What comes with a fold is not told to the generation before it: merges may have removed the pages of its segments.
        let until = told.first().map(|(ts, _)| *ts).unwrap_or_default();
        let mut folded: HashSet<Box<[u8]>> = HashSet::new();
        for (_, change) in &told {
            if let IndexChange::Folded(now) = change {
                folded.extend(now.iter().cloned());
            }
        }
        let segments = Segments::read(source.point, source.cache, self.index, Some(&newest.segments))?;
        let later = documents(told).into_iter().map(|(_, change)| change);
        let left = newest.changes().into_iter().chain(later);
        let left = left.filter(|change: &Arc<RecentChange>| !folded.contains(&change.key));
        let next = Arc::new(Generation::of(source, segments, left)?);
        let mut generations = self.generations.lock();
        let before = generations.newest.replace(next).map(|newest| (newest, until));
        let gone = mem::replace(&mut generations.before, before);
        // It takes time to be freed: nobody waits for that.
        drop(generations);
        drop(gone);
        Ok(())
    }

    /// What it was when it was searched last.
    pub(super) fn last_seen(&self) -> Option<Arc<Generation>> {
        self.generations.lock().newest.clone()
    }

    /// Bytes that it takes, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let told = self.told.lock().bytes;
        let (newest, before) = {
            let generations = self.generations.lock();
            (generations.newest.clone(), generations.before.as_ref().map(|(before, _)| Arc::clone(before)))
        };
        told + newest.iter().chain(&before).map(|generation| generation.memory_bytes()).sum::<usize>()
    }

    /// What it is, as the last search saw it, and what waits for the next.
    pub(super) fn stats(&self) -> TextIndexStats {
        let mut stats = TextIndexStats::default();
        let told = self.told.lock().documents;
        if let Some(newest) = self.last_seen() {
            let segments = &newest.segments.header.segments;
            stats.segments = segments.len() as u64;
            stats.documents = segments.iter().map(|segment| u64::from(segment.live())).sum();
            stats.removed = segments.iter().map(|segment| u64::from(segment.dead)).sum();
            stats.bytes = segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.meta.bytes()));
            stats.unfolded = (newest.recent.size().0 + told) as u64;
        }
        stats.memory_bytes = self.memory_bytes() as u64;
        stats
    }
}

/// What commits did to documents, each change with its commit.
fn documents(told: Vec<(Timestamp, IndexChange)>) -> Vec<Committed> {
    let mut changes = Vec::new();
    for (ts, change) in told {
        match change {
            IndexChange::Documents(documents) => {
                changes.extend(documents.iter().map(|change| (ts, Arc::clone(change))));
            }
            // Told while it was not in memory: the first who asks reads it.
            IndexChange::Folded(_) | IndexChange::Unread { .. } | IndexChange::Complete | IndexChange::Dropped => {}
        }
    }
    changes
}
