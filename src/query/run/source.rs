//! Where candidates come from, as the plan says.

use std::sync::Arc;

use blaze_core::{Direction, DocumentId, ErrorKind, Family, KeyRange, Result};

use super::ids::IdSet;
use super::walk::IndexWalk;
use crate::query::plan::{Access, IndexScan};
use crate::session::{Session, SessionCursor};

/// Where candidates come from.
#[derive(Debug)]
pub(super) enum Source {
    Documents(SessionCursor),
    Index(Box<IndexWalk>),
    Intersection(Box<Intersection>),
    Union(Union),
}

/// What is in all of several sets and in an index that is walked after them.
#[derive(Debug)]
pub(super) struct Intersection {
    session: Arc<Session>,
    /// Those that are not read yet.
    sets: Vec<IndexScan>,
    place: usize,
    /// None once there was too much to be remembered: then all of the last index is answered.
    ids: Option<IdSet>,
    last: IndexWalk,
}

/// What one of several branches finds.
#[derive(Debug)]
pub(super) struct Union {
    session: Arc<Session>,
    branches: std::vec::IntoIter<Access>,
    /// The place of the next branch's first scan in the plan.
    place: usize,
    current: Option<Box<Source>>,
}

/// What a source answers.
pub(super) enum Next<'a> {
    /// A document with its record.
    Document(&'a [u8], &'a [u8]),
    /// The id that an index has.
    Id(DocumentId),
}

impl Source {
    /// `place` is that of the first scan in the plan.
    pub(super) fn open(session: &Arc<Session>, documents: &KeyRange, access: Access, place: usize) -> Result<Source> {
        Ok(match access {
            Access::Scan => Source::Documents(session.cursor(Family::Data, documents, Direction::Forward)?),
            Access::Index(scan) => Source::Index(Box::new(IndexWalk::open(session, *scan, place)?)),
            Access::Intersection { sets, last } => {
                let last = IndexWalk::open(session, *last, place + sets.len())?;
                let ids = Some(IdSet::default());
                Source::Intersection(Box::new(Intersection { session: Arc::clone(session), sets, place, ids, last }))
            }
            Access::Union(branches) => {
                let branches = branches.into_iter();
                Source::Union(Union { session: Arc::clone(session), branches, place, current: None })
            }
        })
    }

    /// The next candidate; `keys` counts the entries of each scan of the plan.
    pub(super) fn next(&mut self, keys: &mut [u64]) -> Result<Option<Next<'_>>> {
        match self {
            Source::Documents(cursor) => Ok(cursor.next()?.map(|(key, record)| Next::Document(key, record))),
            Source::Index(walk) => {
                let place = walk.place;
                Ok(walk.next(&mut keys[place])?.map(Next::Id))
            }
            Source::Intersection(intersection) => Ok(intersection.next(keys)?.map(Next::Id)),
            Source::Union(union) => Ok(union.next(keys)?.map(Next::Id)),
        }
    }

    /// The walk over the only index, if there is but one.
    pub(super) fn walk(&self) -> Option<&IndexWalk> {
        match self {
            Source::Index(walk) => Some(walk),
            _ => None,
        }
    }

    /// True if a document may come twice once more is answered than the plan says.
    pub(super) fn may_repeat(&self) -> bool {
        matches!(self, Source::Intersection(intersection) if intersection.last.scan().multi_entry)
    }

    /// True once more is answered than the plan says.
    pub(super) fn is_weaker(&self) -> bool {
        matches!(self, Source::Intersection(intersection) if intersection.ids.is_none())
    }
}

impl Intersection {
    fn next(&mut self, keys: &mut [u64]) -> Result<Option<DocumentId>> {
        self.read_sets(keys)?;
        let place = self.last.place;
        while let Some(id) = self.last.next(&mut keys[place])? {
            // Taken out, so that it comes once.
            if self.ids.as_mut().is_none_or(|ids| ids.remove(&id)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn read_sets(&mut self, keys: &mut [u64]) -> Result<()> {
        let mut before: Option<IdSet> = None;
        for scan in std::mem::take(&mut self.sets) {
            let mut walk = IndexWalk::open(&self.session, scan, self.place)?;
            self.place += 1;
            let mut ids = IdSet::default();
            while let Some(id) = walk.next(&mut keys[walk.place])? {
                if before.as_ref().is_some_and(|before| !before.contains(&id)) {
                    continue;
                }
                match ids.insert(&id) {
                    Err(error) if error.kind() == ErrorKind::LimitExceeded => {
                        self.ids = None;
                        return Ok(());
                    }
                    inserted => drop(inserted?),
                }
            }
            before = Some(ids);
        }
        if before.is_some() {
            self.ids = before;
        }
        Ok(())
    }
}

impl Union {
    fn next(&mut self, keys: &mut [u64]) -> Result<Option<DocumentId>> {
        loop {
            if let Some(current) = &mut self.current
                && let Some(Next::Id(id)) = current.next(keys)?
            {
                return Ok(Some(id));
            }
            let Some(branch) = self.branches.next() else {
                self.current = None;
                return Ok(None);
            };
            let scans = branch.scans().len();
            // A branch is never a scan, so that its range is of no interest.
            let source = Source::open(&self.session, &KeyRange::all(), branch, self.place)?;
            self.place += scans;
            self.current = Some(Box::new(source));
        }
    }
}
