//! A graph that is in memory: the linked part, the tail, and who may search it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze_core::Timestamp;
use parking_lot::{Condvar, Mutex, RwLock};

use super::IndexChange;
use super::calibration::KnownRecall;
use super::change::VectorChange;
use super::filters::FilterCache;
use super::flush;
use super::linked::Linked;
use super::pace::Pace;
use super::stored::Flushed;
use super::tail::{Tail, TailBatch};

/// The graph of one index, in memory.
#[derive(Debug)]
pub(super) struct OpenGraph {
    pub(super) index: u32,
    /// Behind `linked` where both are taken: who searches looks at the tail first, who links takes from it last.
    pub(super) tail: Mutex<Tail>,
    /// There is room in the tail again, or nobody needs any.
    pub(super) room: Condvar,
    /// None until the graph is complete.
    pub(super) linked: RwLock<Option<Linked>>,
    /// The first view for which graph and tail have all that it sees; the last there could be while there is none.
    complete_from: AtomicU64,
    /// The last use, in the order of all.
    pub(super) used: AtomicU64,
    /// Held by who changes what is linked.
    pub(super) linking: Mutex<()>,
    /// Held by who writes the graph to the database.
    pub(super) flushing: Mutex<()>,
    /// What the database has of it.
    pub(super) flushed: Mutex<Flushed>,
    /// What is known of the recall of its searches.
    pub(super) recall: KnownRecall,
    /// Who waits for whom while the graph is not complete.
    pub(super) pace: Mutex<Pace>,
    /// Writers may go on.
    pub(super) paced: Condvar,
    /// What matches filters.
    pub(super) filters: Arc<FilterCache>,
}

/// What is in memory of an index.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) linked: usize,
    pub(super) removed: usize,
    pub(super) tail: usize,
    /// But for cached rows.
    pub(super) filters: usize,
    pub(super) bytes: usize,
    pub(super) cached_bytes: usize,
}

impl OpenGraph {
    /// A graph whose tail takes in what is committed from now on, and that nobody can search yet.
    pub(super) fn new(index: u32, filter_bytes_max: usize) -> OpenGraph {
        OpenGraph {
            index,
            tail: Mutex::default(),
            room: Condvar::new(),
            linked: RwLock::new(None),
            complete_from: AtomicU64::new(u64::MAX),
            used: AtomicU64::new(0),
            linking: Mutex::new(()),
            flushing: Mutex::new(()),
            flushed: Mutex::default(),
            recall: KnownRecall::default(),
            pace: Mutex::default(),
            paced: Condvar::new(),
            filters: Arc::new(FilterCache::new(filter_bytes_max)),
        }
    }

    /// Begins the tail anew: it takes in what is told of from now on.
    pub(super) fn begin_tail(&self) {
        *self.tail.lock() = Tail::default();
        self.pace.lock().begin_round();
    }

    /// Takes in what a commit changes.
    pub(super) fn take_in(&self, ts: Timestamp, change: &IndexChange) {
        if let IndexChange::Vectors(changes) = change
            && !self.is_complete()
        {
            self.pace.lock().note_written(changes.len());
        }
        match change {
            IndexChange::Vectors(changes) => self.tail.lock().push(ts, changes),
            // The graph was opened after the commit was made ready.
            IndexChange::Unread(_) => self.tail.lock().lose(),
            IndexChange::Completed | IndexChange::Dropped => {}
        }
    }

    /// Has views from `from` on be searched here: what is linked and these batches have all that they see, but for later
    /// commits, which are in the tail. Gives the graph back if the tail has a gap.
    pub(super) fn complete(
        &self,
        mut linked: Linked,
        batches: Vec<TailBatch>,
        from: Timestamp,
    ) -> Result<(), Box<Linked>> {
        let mut place = self.linked.write();
        let mut tail = self.tail.lock();
        if tail.has_gap() {
            return Err(Box::new(linked));
        }
        tail.begin_with(batches, from);
        *self.flushed.lock() = std::mem::take(&mut linked.flushed);
        *place = Some(linked);
        self.complete_from.store(from.to_bits(), Ordering::Release);
        self.paced.notify_all();
        Ok(())
    }

    /// Takes in what is linked, without that anybody can search it.
    pub(super) fn hold(&self, mut linked: Linked) {
        *self.flushed.lock() = std::mem::take(&mut linked.flushed);
        *self.linked.write() = Some(linked);
    }

    /// True if a view of `ts` can be searched here.
    pub(super) fn serves(&self, ts: Timestamp) -> bool {
        ts.to_bits() >= self.complete_from.load(Ordering::Acquire)
    }

    /// True if views of now can be searched here.
    pub(super) fn is_complete(&self) -> bool {
        self.complete_from.load(Ordering::Acquire) != u64::MAX
    }

    /// True if the tail lacks something, so that nobody can search here.
    pub(super) fn has_gap(&self) -> bool {
        self.tail.lock().has_gap()
    }

    /// True if it takes somebody with more time to go on.
    pub(super) fn needs_tending(&self) -> bool {
        self.has_gap()
            || self.is_flush_due()
            || self.is_calibration_due()
            || self.linked.read().as_ref().is_some_and(Linked::has_much_to_reclaim)
    }

    /// What is committed up to `ts` and not linked; none if not all of that is known.
    pub(super) fn tail_up_to(&self, ts: Timestamp) -> Option<Vec<TailBatch>> {
        let tail = self.tail.lock();
        (!tail.has_gap()).then(|| tail.up_to(ts))
    }

    /// Links vectors of the tail that were committed up to `ts`, at most about `vectors`; answers how many.
    pub(super) fn link(&self, ts: Timestamp, vectors: usize) -> usize {
        let _linking = self.linking.lock();
        let mut done = 0;
        // What comes before the graph is complete stays in the tail.
        while done < vectors && self.is_complete() {
            let Some(batch) = self.tail.lock().first_up_to(ts) else { break };
            done += batch.changes.len();
            batch.changes.iter().for_each(|change| self.link_one(batch.ts, change));
            if let Some(linked) = &mut *self.linked.write() {
                linked.complete = batch.ts;
            }
            self.tail.lock().pop_linked(batch.ts);
            self.room.notify_all();
        }
        done
    }

    fn link_one(&self, ts: Timestamp, change: &VectorChange) {
        // The long half beside those who search, the short one alone.
        let insertion = match (&*self.linked.read(), &change.row) {
            (None, _) => return,
            (Some(linked), Some(row)) => linked.prepare_or_warn(self.index, row),
            (Some(_), None) => None,
        };
        if let Some(linked) = &mut *self.linked.write() {
            let (removed, added) = linked.set(ts, &change.entry, insertion);
            self.filters.relinked(removed, added, ts);
        }
    }

    /// Reclaims the deleted nodes that no view from `oldest` on needs, if that is worth it.
    pub(super) fn reclaim(&self, oldest: Timestamp) {
        // What is being written must not become something else meanwhile.
        let Some(_flushing) = self.flushing.try_lock() else { return };
        if self.with_linked(Linked::has_much_to_reclaim) != Some(true) {
            return;
        }
        let begin = || {
            let _linking = self.linking.lock();
            self.linked.write().as_mut().and_then(|linked| linked.begin_reclaim(oldest))
        };
        let Some(mut reclaim) = begin() else { return };
        // Who links waits here, not for `linked`, where it would keep those who search from entering.
        let read = |read: &mut dyn FnMut(&Linked)| {
            let _linking = self.linking.lock();
            let _ = self.with_linked(read);
        };
        read(&mut |linked| linked.graph.find_sources(&mut reclaim));
        loop {
            // In portions, between which searches and writers have their turn.
            let _linking = self.linking.lock();
            if !self.linked.write().as_mut().is_some_and(|linked| linked.reclaim_some(&mut reclaim)) {
                break;
            }
        }
        let mut is_torn = false;
        read(&mut |linked| is_torn = !linked.graph.unreachable().is_empty());
        if is_torn {
            let _linking = self.linking.lock();
            if let Some(linked) = &mut *self.linked.write() {
                linked.graph.repair();
            }
        }
    }

    /// Reads what is linked, if anything is.
    pub(super) fn with_linked<R>(&self, read: impl FnOnce(&Linked) -> R) -> Option<R> {
        self.linked.read().as_ref().map(read)
    }

    /// How far the graph is complete and how much of it is not in the database, which is about to be written.
    pub(super) fn begin_flush(&self) -> Option<(Timestamp, usize)> {
        let _linking = self.linking.lock(); // between two commits
        if !self.is_complete() {
            return None;
        }
        self.linked.write().as_mut().map(|linked| (linked.complete, std::mem::take(&mut linked.unflushed)))
    }

    /// It was not written.
    pub(super) fn take_back_flush(&self, changes: usize) {
        if let Some(linked) = &mut *self.linked.write() {
            linked.unflushed += changes;
        }
    }

    pub(super) fn is_flush_due(&self) -> bool {
        self.with_linked(|linked| flush::is_due(linked.unflushed, linked.len())) == Some(true)
    }

    /// True if it is to be measured what its searches find.
    pub(super) fn is_calibration_due(&self) -> bool {
        self.is_complete() && self.with_linked(|linked| self.recall.is_due(linked.len())) == Some(true)
    }

    /// True if that is not to be measured, and is not being measured.
    pub(super) fn is_calibrated_as_wanted(&self) -> bool {
        !self.is_calibration_due() && !self.recall.is_being_measured()
    }

    pub(super) fn is_flush_due_at_the_end(&self) -> bool {
        self.with_linked(|linked| flush::is_due_at_the_end(linked.unflushed, linked.len())) == Some(true)
    }

    /// Nobody links here any more: who waits for room goes on.
    pub(super) fn abandon(&self) {
        self.complete_from.store(u64::MAX, Ordering::Release);
        self.tail.lock().lose();
        self.room.notify_all();
        *self.pace.lock() = Pace::default();
        self.paced.notify_all();
    }

    pub(super) fn size(&self) -> Size {
        let linked = self.linked.read();
        let (of_linked, removed) = linked.as_ref().map_or((0, 0), |linked| (linked.len(), linked.graph.tombstones()));
        let (bytes, cached_bytes) = linked.as_ref().map_or((0, 0), |linked| (linked.bytes(), linked.rows.bytes()));
        let (filters, of_filters) = self.filters.size();
        let tail = self.tail.lock();
        let of_blocks = 16 * self.flushed.lock().checksums.capacity();
        let bytes = bytes + of_blocks + tail.bytes() + of_filters + size_of::<OpenGraph>();
        Size { linked: of_linked, removed, tail: tail.vectors(), filters, bytes, cached_bytes }
    }

    /// What is linked, taken from who searches it, for who goes on with it.
    pub(super) fn take(&self) -> Option<Linked> {
        let _flushing = self.flushing.lock();
        self.abandon();
        let mut linked = self.linked.write().take()?;
        linked.flushed = std::mem::take(&mut *self.flushed.lock());
        Some(linked)
    }
}
