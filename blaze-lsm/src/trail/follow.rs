//! Following a request: the undo records and rows of the feed that its writes leave behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use blaze_core::fault::{self, Mistake};
use blaze_core::limits::RANGE_HISTORY_BYTES_MAX;
use blaze_core::{
    Change, ChangeKind, CommitRequest, Error, Family, Feed, KeyRange, MarkChange, Prefix, Result, Timestamp, Tracking,
    UndoKey, Write, prefix_of,
};

use super::{Latest, Overlay, Trail, put_marks};

/// What follows from a request.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// To be written in the same batch, after the request's own writes.
    pub(crate) writes: Vec<Write>,
    /// The prefixes whose feed has grown, to be announced once the commit is visible.
    pub(crate) fed: Vec<Prefix>,
}

impl Trail {
    /// Finds what follows from a request that commits at `ts`: the one place where history and feed meet the commit.
    ///
    /// `latest` is the data as all batches before this one have left it, `group` what the requests before it in the same
    /// batch make of it. Called once a request, in the order of their timestamps, and last: after it, only the write
    /// itself may fail. Whether the values of the request are stamped already makes no difference. On an error the request
    /// must not be written; nothing has changed for the others of its group.
    pub(crate) fn follow(
        &self,
        latest: &dyn Latest,
        group: &mut Overlay,
        request: &CommitRequest,
        ts: Timestamp,
    ) -> Result<Followed> {
        if request.tracked.is_empty() && request.expiry.is_empty() {
            return Ok(Followed::default());
        }
        let mut follower = Follower::new(latest, group, ts);
        if !request.tracked.is_empty() {
            request.writes.iter().try_for_each(|write| follower.follow(&request.tracked, write))?;
        }
        let Follower { own, before, rows, mut fed, .. } = follower;
        let mut writes = self.mark(request, ts);
        for (key, before) in before {
            let gone = matches!(own.get(&key), Some(None));
            if fault::makes(Mistake::LostUndo) && gone {
                continue;
            }
            if let Some((prefix, rest)) = key.split_first_chunk().filter(|_| before.is_some() || !gone) {
                let value = UndoKey::value(before.as_deref());
                writes.push(Write::put(Family::History, UndoKey::bytes(*prefix, rest, ts), value));
            }
        }
        writes.extend(rows.iter().map(|row| Write::put(Family::Feed, row.key_bytes(), row.value_bytes())));
        if request.expiry.feed.is_some() {
            let range = Change::range_through(self.marks().feed_floor());
            writes.push(Write::DeleteRange { family: Family::Feed, range });
        }
        group.absorb(own);
        fed.sort_unstable();
        fed.dedup();
        Ok(Followed { writes, fed })
    }

    /// Begins and ends what the request asks for; answers the writes that this takes.
    fn mark(&self, request: &CommitRequest, ts: Timestamp) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut state = self.state.lock();
        let mut marks = (*state.marks).clone();
        for tracking in request.tracked.iter().filter(|_| request.has_writes()) {
            if marks.track(tracking, ts) == MarkChange::HistoryEnded {
                let range = KeyRange::prefix(&tracking.prefix);
                writes.push(Write::DeleteRange { family: Family::History, range });
            }
        }
        marks.expire(&request.expiry, ts);
        if marks != *state.marks {
            writes.push(put_marks(&marks));
            state.marks = Arc::new(marks);
        }
        writes
    }
}

/// The work on one request.
struct Follower<'a> {
    latest: &'a dyn Latest,
    group: &'a Overlay,
    ts: Timestamp,
    /// What the request has written so far.
    own: Overlay,
    /// What each key with a history was before the request.
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    range_bytes: usize,
    rows: Vec<Change>,
    fed: Vec<Prefix>,
}

impl<'a> Follower<'a> {
    fn new(latest: &'a dyn Latest, group: &'a Overlay, ts: Timestamp) -> Follower<'a> {
        Follower {
            latest,
            group,
            ts,
            own: Overlay::default(),
            before: BTreeMap::new(),
            range_bytes: 0,
            rows: Vec::new(),
            fed: Vec::new(),
        }
    }

    fn follow(&mut self, tracked: &[Tracking], write: &Write) -> Result<()> {
        let of_key = |key: &[u8]| tracked.iter().find(|tracking| prefix_of(key) == Some(tracking.prefix));
        match write {
            Write::Put { family: Family::Data, key, value, stamp_at } => {
                let Some(tracking) = of_key(key) else { return Ok(()) };
                self.replace(tracking, key, Some((value, *stamp_at)))
            }
            Write::Delete { family: Family::Data, key } => {
                let Some(tracking) = of_key(key) else { return Ok(()) };
                self.replace(tracking, key, None)
            }
            Write::DeleteRange { family: Family::Data, range } => tracked.iter().try_for_each(|tracking| {
                let inside = range.intersect(&KeyRange::prefix(&tracking.prefix));
                if inside.is_empty() { Ok(()) } else { self.remove_range(tracking, inside) }
            }),
            _ => Ok(()),
        }
    }

    /// The key gets another value, or none.
    fn replace(&mut self, tracking: &Tracking, key: &[u8], after: Option<(&[u8], Option<usize>)>) -> Result<()> {
        let with_images = tracking.feed == Feed::Images;
        let kind = if after.is_some() { ChangeKind::Put } else { ChangeKind::Delete };
        if !keeps_history(tracking) && !with_images {
            self.row(tracking, kind, key, None, None);
            return Ok(());
        }
        let before = match self.own.get(key) {
            Some(value) => value.map(<[u8]>::to_vec),
            None => self.group.value(self.latest, key)?,
        };
        let after = after.map(|(value, stamp_at)| stamped(value, stamp_at, self.ts));
        if keeps_history(tracking) && !self.before.contains_key(key) {
            self.before.insert(key.to_vec(), before.clone());
        }
        if with_images && (before.is_some() || after.is_some()) {
            self.row(tracking, kind, key, before, after.clone());
        } else if !with_images {
            self.row(tracking, kind, key, None, None);
        }
        self.own.set(key.to_vec(), after);
        Ok(())
    }

    /// The keys of a range go.
    fn remove_range(&mut self, tracking: &Tracking, range: KeyRange) -> Result<()> {
        if keeps_history(tracking) {
            let (before, bytes) = (&mut self.before, &mut self.range_bytes);
            self.group.scan(self.latest, &range, &mut |key, value| {
                if before.contains_key(key) {
                    return Ok(());
                }
                *bytes += key.len() + value.len();
                if *bytes > RANGE_HISTORY_BYTES_MAX {
                    return Err(Error::limit_exceeded(format!(
                        "the history would have to remember more than {RANGE_HISTORY_BYTES_MAX} bytes that are removed \
                         at once: remove smaller ranges"
                    )));
                }
                before.insert(key.to_vec(), Some(value.to_vec()));
                Ok(())
            })?;
        }
        let kind = ChangeKind::DeleteRange(range.end().map(<[u8]>::to_vec));
        self.row(tracking, kind, range.start(), None, None);
        if keeps_history(tracking) || tracking.feed == Feed::Images {
            self.own.remove_range(range);
        }
        Ok(())
    }

    fn row(
        &mut self,
        tracking: &Tracking,
        kind: ChangeKind,
        key: &[u8],
        before: Option<Vec<u8>>,
        after: Option<Vec<u8>>,
    ) {
        if tracking.feed == Feed::Off || (fault::makes(Mistake::LeftOutOfFeed) && kind == ChangeKind::Delete) {
            return;
        }
        // A transaction has fewer writes than that by orders of magnitude.
        let ordinal = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push(Change { ts: self.ts, ordinal, kind, key: key.to_vec(), before, after });
        self.fed.push(tracking.prefix);
    }
}

fn keeps_history(tracking: &Tracking) -> bool {
    tracking.history && !tracking.dropped
}

fn stamped(value: &[u8], stamp_at: Option<usize>, ts: Timestamp) -> Vec<u8> {
    let mut value = value.to_vec();
    if let Some(stamp) = stamp_at.and_then(|at| value.get_mut(at..at.saturating_add(8))) {
        stamp.copy_from_slice(&ts.to_bits().to_be_bytes());
    }
    value
}
