//! Orphans: keys that no name leads to.
//!
//! What is too large for one commit is written ahead, out of everybody's sight, and shown by a last commit. The keys are
//! declared an orphan no later than the first of them is written, and the last commit adopts them. The other way round,
//! what is dropped becomes an orphan in the commit that removes its name. An orphan that is still there when the database
//! is opened was left behind by a crash: its space is reclaimed.

use std::sync::Arc;

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{
    Direction, Durability, Error, ErrorKind, FEATURE_TEXT_INDEXES, Family, Isolation, KeyRange, Result, Timestamp,
};

use super::layout;
use crate::database::core::Core;
use crate::session::{Session, commit_alone};

/// The states of an orphan: it may still be adopted, or its space is being reclaimed.
const WAITING: &[u8] = &[0];
const RECLAIMED: &[u8] = &[1];

/// All keys of a family that begin with a prefix, while no name leads to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orphan {
    family: Family,
    prefix: Vec<u8>,
}

impl Orphan {
    pub(crate) fn new(family: Family, prefix: impl Into<Vec<u8>>) -> Orphan {
        Orphan { family, prefix: prefix.into() }
    }

    fn key(&self) -> Vec<u8> {
        layout::orphan_key(self.family, &self.prefix)
    }

    /// Declares the keys an orphan, so that a crash does not leave them behind for ever.
    pub(crate) fn declare(&self, session: &Session) -> Result<()> {
        if self.family == Family::Text {
            session.require(FEATURE_TEXT_INDEXES)?; // other versions cannot even name it
        }
        session.put(Family::Data, self.key(), WAITING.to_vec(), None)
    }

    /// Ends being an orphan, in the session that makes a name lead to the keys.
    pub(crate) fn adopt(&self, session: &Session) -> Result<()> {
        match session.get(Family::Data, &self.key())?.as_deref() {
            Some(WAITING) => session.delete(Family::Data, self.key()),
            _ => Err(Error::internal("what was written ahead was reclaimed before it was shown")),
        }
    }

    /// Removes the keys, if they are still an orphan. No name led to them in the view of the commit `since` or in any
    /// later one; whoever reads an earlier view goes on to see them. Whoever is interrupted can begin again.
    pub(crate) fn reclaim(&self, core: &Arc<Core>, since: Timestamp) -> Result<()> {
        if !self.claim(core)? {
            return Ok(());
        }
        fault::reached(Point::OrphanClaimed);
        if fault::makes(Mistake::LostReclaim) {
            return commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
                session.delete(Family::Data, self.key())
            });
        }
        let range = KeyRange::prefix(&self.prefix);
        // Not the other way round: the files could take the removal of the range with them.
        core.storage.discard(self.family, &range, since)?;
        fault::reached(Point::OrphanDiscarded);
        commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
            session.delete_range(self.family, range.clone())?;
            session.delete(Family::Data, self.key())
        })
    }

    /// Has nobody adopt the keys any more; false if they are no orphan. It fails, and no file is touched, when the store
    /// refuses commits because it is not known whether the one went through that adopts them.
    fn claim(&self, core: &Arc<Core>) -> Result<bool> {
        commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
            match session.get(Family::Data, &self.key())? {
                Some(_) => session.put(Family::Data, self.key(), RECLAIMED.to_vec(), None).map(|()| true),
                None => Ok(false),
            }
        })
    }
}

/// Reclaims what a crash has left behind. Only while the database is being opened: nobody is writing ahead yet.
pub(crate) fn reclaim_orphans(core: &Arc<Core>) -> Result<()> {
    let mut orphans = Vec::new();
    let session = Session::read_only(core)?;
    let all = KeyRange::prefix(&layout::orphans_prefix());
    let mut cursor = session.cursor(Family::Data, &all, Direction::Forward)?;
    while let Some((key, _)) = cursor.next()? {
        let (family, prefix) = layout::orphan_of(key)?;
        orphans.push(Orphan::new(family, prefix));
    }
    drop((cursor, session)); // files that are being read stay on the disk
    if !orphans.is_empty() {
        fault::reached(Point::OrphansFound);
    }
    match orphans.iter().try_for_each(|orphan| orphan.reclaim(core, Timestamp::ZERO)) {
        // A full disk must not keep the database from being opened: the next opening tries again.
        Err(error) if error.kind() == ErrorKind::Unavailable => Ok(()),
        result => result,
    }
}
