//! What is in memory of an index of text: its segments, and what is not folded into them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use blaze_core::{ReadPoint, Result, Timestamp};
use blaze_lsm::TextIndexStats;
use blaze_text::{Delta, DocumentTerms};
use parking_lot::{Mutex, RwLock};

use super::change::{IndexChange, NewText, RecentChange};
use super::pages::PageCache;
use super::segments::{Segments, pages};
use super::unfolded::{self, collapse};

/// What is in memory of an index, for views from when it was read on.
pub(super) struct OpenText {
    pub(super) index: u32,
    fields: u8,
    /// All later commits are told of.
    since: Timestamp,
    /// What commits have done that nobody has asked for yet.
    told: Mutex<VecDeque<(Timestamp, IndexChange)>>,
    /// What is there since the last fold that was asked for, and before that.
    generations: Mutex<Generations>,
    /// When it was used last.
    pub(super) used: AtomicU64,
}

#[derive(Default)]
struct Generations {
    newest: Option<Arc<Generation>>,
    before: Option<Arc<Generation>>,
    /// True once something could not be read: then everybody reads for himself.
    is_broken: bool,
}

/// What an index is from one fold to the next.
pub(super) struct Generation {
    /// For views from here on,
    from: Timestamp,
    /// and, once there is a later one, before that.
    until: Mutex<Option<Timestamp>>,
    pub(super) segments: Segments,
    pub(super) recent: RwLock<Recent>,
}

/// What is not folded into segments.
pub(super) struct Recent {
    /// As the change rows say.
    changes: Vec<RecentChange>,
    /// The same, to be searched.
    pub(super) delta: Delta,
    /// The documents of each segment that are replaced or removed by it, each with the commit.
    pub(super) masked: Vec<HashMap<u32, Timestamp>>,
    bytes: usize,
}

impl Recent {
    /// How many changes there are, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.changes.len(), self.bytes)
    }
}

impl Generation {
    /// What is at a read point.
    pub(super) fn read(
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
        index: u32,
        fields: u8,
        known: Option<&Segments>,
    ) -> Result<Generation> {
        let segments = Segments::read(point, cache, index, known)?;
        let (documents, _) = unfolded::read(&**point, index, None, usize::MAX)?;
        let changes = documents.into_iter().flat_map(|document| document.changes).collect();
        Generation::of(point, cache, index, fields, segments, changes)
    }

    fn of(
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
        index: u32,
        fields: u8,
        segments: Segments,
        changes: Vec<RecentChange>,
    ) -> Result<Generation> {
        let mut delta = Delta::new(fields);
        let mut masked = vec![HashMap::new(); segments.parts.len()];
        for document in collapse(changes.iter().cloned()) {
            document.add_to(&mut delta)?;
            if let Some(first) = document.changes.first().filter(|first| first.before.is_some()) {
                mask(point, cache, index, &segments, &mut masked, &first.id, Timestamp::ZERO)?;
            }
        }
        let bytes = changes.iter().map(RecentChange::bytes).sum();
        let recent = RwLock::new(Recent { changes, delta, masked, bytes });
        Ok(Generation { from: point.ts(), until: Mutex::new(None), segments, recent })
    }

    /// Nothing but a delta.
    pub(super) fn of_delta(from: Timestamp, delta: Delta) -> Generation {
        let recent = Recent { changes: Vec::new(), delta, masked: Vec::new(), bytes: 0 };
        let (until, segments) = (Mutex::new(None), Segments::default());
        Generation { from, until, segments, recent: RwLock::new(recent) }
    }

    /// Takes in what a commit has changed.
    fn take(
        &self,
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
        index: u32,
        ts: Timestamp,
        changes: &[RecentChange],
    ) -> Result<()> {
        let recent = &mut *self.recent.write();
        for change in changes {
            let before = change.before.as_deref().map(DocumentTerms::from_bytes).transpose()?;
            let after = change.after.as_ref().map(NewText::read).transpose()?;
            recent.delta.change(ts.to_bits(), &change.id, before.as_ref(), after.as_ref())?;
            if before.is_some() {
                mask(point, cache, index, &self.segments, &mut recent.masked, &change.id, ts)?;
            }
            recent.bytes += change.bytes();
            recent.changes.push(change.clone());
        }
        Ok(())
    }

    fn serves(&self, ts: Timestamp) -> bool {
        self.from <= ts && self.until.lock().is_none_or(|until| ts < until)
    }

    /// Bytes that it takes, about: what is not folded is there as it was written, and to be searched.
    fn memory_bytes(&self) -> usize {
        self.segments.memory_bytes() + 3 * self.recent.read().bytes
    }
}

/// Notes where a document is in segments, unless that is known.
fn mask(
    point: &Arc<dyn ReadPoint>,
    cache: &Arc<PageCache>,
    index: u32,
    segments: &Segments,
    masked: &mut [HashMap<u32, Timestamp>],
    id: &[u8],
    ts: Timestamp,
) -> Result<()> {
    for (part, masked) in segments.parts.iter().zip(masked) {
        let pages = pages(point, cache, index, part.number);
        if let Some(document) = part.segment.find_document(&pages, id)?.filter(|document| !part.dead.has(*document)) {
            masked.entry(document).or_insert(ts);
        }
    }
    Ok(())
}

impl OpenText {
    pub(super) fn new(index: u32, fields: u8, since: Timestamp) -> OpenText {
        let (told, generations) = (Mutex::default(), Mutex::default());
        OpenText { index, fields, since, told, generations, used: AtomicU64::new(0) }
    }

    /// Is told of a commit, before anybody can see it.
    pub(super) fn take_in(&self, ts: Timestamp, change: &IndexChange) {
        self.told.lock().push_back((ts, change.clone()));
    }

    /// What the index is at a read point, and whether that was read or made just now; none for a view from before the index was
    /// read, or if it could not be read.
    pub(super) fn at(
        &self,
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
    ) -> Result<(Option<Arc<Generation>>, bool)> {
        let ts = point.ts();
        let mut generations = self.generations.lock();
        if ts < self.since || generations.is_broken {
            return Ok((None, false));
        }
        // Who was waiting meanwhile must not go on with the half of it.
        let is_new = self.bring_to(&mut generations, point, cache).inspect_err(|_| {
            *generations = Generations { is_broken: true, ..Generations::default() };
        })?;
        let all = [&generations.newest, &generations.before];
        let found = all.into_iter().flatten().find(|generation| generation.serves(ts)).map(Arc::clone);
        Ok((found, is_new))
    }

    fn bring_to(
        &self,
        generations: &mut Generations,
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
    ) -> Result<bool> {
        match generations.newest.clone() {
            None => {
                let first = Generation::read(point, cache, self.index, self.fields, None)?;
                self.told_up_to(point.ts());
                generations.newest = Some(Arc::new(first));
                Ok(true)
            }
            Some(newest) => {
                let told = self.told_up_to(point.ts());
                let is_folded = told.iter().any(|(_, change)| matches!(change, IndexChange::Folded(_)));
                if !told.is_empty() {
                    self.go_on(generations, newest, told, point, cache)?;
                }
                Ok(is_folded)
            }
        }
    }

    /// Takes what commits up to `ts` have told.
    fn told_up_to(&self, ts: Timestamp) -> Vec<(Timestamp, IndexChange)> {
        let mut told = self.told.lock();
        let count = told.iter().take_while(|(at, _)| *at <= ts).count();
        told.drain(..count).collect()
    }

    fn go_on(
        &self,
        generations: &mut Generations,
        newest: Arc<Generation>,
        told: Vec<(Timestamp, IndexChange)>,
        point: &Arc<dyn ReadPoint>,
        cache: &Arc<PageCache>,
    ) -> Result<()> {
        let is_folded = told.iter().any(|(_, change)| matches!(change, IndexChange::Folded(_)));
        // What comes with a fold is not told to the one before it: merges may have removed the pages of its segments.
        let until = told.first().map(|(ts, _)| *ts).unwrap_or_default();
        let mut folded: HashSet<Box<[u8]>> = HashSet::new();
        let mut later = Vec::new();
        for (ts, change) in told {
            match change {
                IndexChange::Documents(changes) if is_folded => later.extend(changes.iter().cloned()),
                IndexChange::Documents(changes) => newest.take(point, cache, self.index, ts, &changes)?,
                IndexChange::Folded(now) => folded.extend(now.iter().cloned()),
                // Told while it was not in memory: the first who asks reads it.
                IndexChange::Unread { .. } | IndexChange::Dropped => {}
            }
        }
        if !is_folded {
            return Ok(());
        }
        let segments = Segments::read(point, cache, self.index, Some(&newest.segments))?;
        let before = newest.recent.read().changes.clone();
        let left = before.into_iter().chain(later).filter(|change| !folded.contains(&change.key)).collect();
        let next = Generation::of(point, cache, self.index, self.fields, segments, left)?;
        *newest.until.lock() = Some(until);
        generations.before = Some(newest);
        generations.newest = Some(Arc::new(next));
        Ok(())
    }

    /// What it was when it was searched last.
    pub(super) fn last_seen(&self) -> Option<Arc<Generation>> {
        self.generations.lock().newest.clone()
    }

    /// Bytes that it takes, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let told: usize = self.told.lock().iter().map(|(_, change)| change.bytes()).sum();
        let generations = self.generations.lock();
        let newest = generations.newest.as_ref().map_or(0, |newest| newest.memory_bytes());
        told + newest + generations.before.as_ref().map_or(0, |before| before.memory_bytes())
    }

    /// What it is, as the last search saw it, and what waits for the next.
    pub(super) fn stats(&self) -> TextIndexStats {
        let mut stats = TextIndexStats::default();
        let told: usize = self.told.lock().iter().map(|(_, change)| change.documents()).sum();
        if let Some(newest) = &self.generations.lock().newest {
            let segments = &newest.segments.header.segments;
            stats.segments = segments.len() as u64;
            stats.documents = segments.iter().map(|segment| u64::from(segment.live())).sum();
            stats.removed = segments.iter().map(|segment| u64::from(segment.dead)).sum();
            stats.bytes = segments.iter().map(|segment| segment.meta.bytes()).sum();
            stats.unfolded = (newest.recent.read().size().0 + told) as u64;
        }
        stats.memory_bytes = self.memory_bytes() as u64;
        stats
    }
}
