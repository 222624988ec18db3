//! Who folds and merges: a thread of the process for all databases, or who commits, where nothing is done in the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use blaze_core::limits::{TEXT_UNFOLDED_BYTES_MAX, TEXT_UNFOLDED_MAX};
use blaze_core::{Direction, Error, ErrorKind, Family, KeyRange, Result};

use super::registry::Backlog;
use super::{Texts, all_indexes, layout};
use crate::crew::Crew;
use crate::database::core::Core;

/// How often it is looked whether others are done.
const POLL: Duration = Duration::from_millis(1);

static FOLDING: Crew = Crew::new("blaze-text-fold", |core| core.texts.tend(core));

/// Has an index for itself until it is dropped.
struct Working<'a> {
    texts: &'a Texts,
    index: u32,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.texts.registry.lock().in_work.remove(&self.index);
        if thread::panicking() {
            self.texts.registry.lock().failed.insert(self.index);
        }
    }
}

impl Texts {
    /// Sees to it that what is to be folded is: in the background, or now where there is none. What fails there is tried again
    /// after later commits.
    pub(crate) fn look_after(&self, core: &Arc<Core>) {
        self.forget_gone(core);
        let let_go = std::mem::take(&mut self.registry.lock().let_go);
        drop(let_go);
        if self.has_ended() || core.is_read_only() || self.registry.lock().wanted.is_empty() {
            return;
        }
        match self.background.get() {
            Some(background) => FOLDING.call(background),
            None => {
                let _ = self.tend(core);
            }
        }
    }

    /// Has what was left unfolded when the database was closed be folded in the background, where there is any.
    pub(crate) fn go_on(&self, core: &Arc<Core>) -> Result<()> {
        if let Some(background) = self.background.get() {
            let point = core.store.read_only_point()?;
            if point.cursor(Family::Text, &KeyRange::all(), Direction::Forward)?.next()?.is_some() {
                self.goes_on.store(true, Ordering::Relaxed);
                FOLDING.call(background);
            }
        }
        Ok(())
    }

    /// Folds all that is not folded, or waits until others have done it.
    pub(crate) fn catch_up(&self, core: &Arc<Core>) -> Result<()> {
        self.want_unfolded(core)?;
        while !self.has_ended() && !self.registry.lock().is_idle() {
            self.tend(core)?;
            thread::park_timeout(POLL);
        }
        let failed = self.registry.lock().failed.iter().min().copied();
        match failed {
            Some(_) => Err(Error::corruption("a text index cannot be folded: repair builds it anew")),
            None => Ok(()),
        }
    }

    /// Folds everything of some indexes; merges the segments of each into one if `whole`, else as they should be.
    pub(crate) fn fold_all(&self, core: &Arc<Core>, indexes: &[u32], whole: bool) -> Result<()> {
        for index in indexes {
            let Some(_working) = self.claim(*index) else { return Ok(()) };
            self.fold_and_merge(core, *index)?;
            if whole {
                self.merge(core, *index, true)?;
            }
        }
        Ok(())
    }

    /// Does what is to be done.
    fn tend(&self, core: &Arc<Core>) -> Result<()> {
        if self.goes_on.swap(false, Ordering::Relaxed) {
            self.want_unfolded(core)?;
        }
        while let Some(working) = self.next_wanted() {
            let (index, backlog) = (working.index, self.backlog(working.index));
            let worked = self.fold_and_merge(core, index);
            drop(working);
            match worked {
                Err(error) if error.kind() == ErrorKind::Closed || self.has_ended() => return Err(error),
                Err(error) if error.kind() == ErrorKind::NotFound => self.registry.lock().forget(index),
                Err(error) if error.kind() == ErrorKind::Corruption => {
                    self.registry.lock().failed.insert(index);
                    tracing::warn!(index, %error, "a text index cannot be folded: repair builds it anew");
                }
                Err(error) => {
                    self.registry.lock().put_back(index, backlog);
                    return Err(error);
                }
                Ok(()) => drop(self.registry.lock().failed.remove(&index)),
            }
        }
        self.evict();
        Ok(())
    }

    fn fold_and_merge(&self, core: &Arc<Core>, index: u32) -> Result<()> {
        self.registry.lock().count_anew(index);
        loop {
            let has_more = self.fold(core, index)?;
            self.merge(core, index, false)?;
            if !has_more || self.has_ended() {
                return Ok(());
            }
        }
    }

    /// Has an index once nobody else works on it; none if the database is being closed.
    fn claim(&self, index: u32) -> Option<Working<'_>> {
        while !self.has_ended() {
            if self.registry.lock().in_work.insert(index) {
                return Some(Working { texts: self, index });
            }
            thread::park_timeout(POLL);
        }
        None
    }

    fn next_wanted(&self) -> Option<Working<'_>> {
        let mut registry = self.registry.lock();
        if self.has_ended() {
            return None;
        }
        let index = registry.wanted.iter().copied().find(|index| !registry.in_work.contains(index))?;
        registry.wanted.remove(&index);
        registry.in_work.insert(index);
        Some(Working { texts: self, index })
    }

    /// Has a writer wait while far too much of an index is not folded, and somebody folds.
    pub(super) fn wait_for_room(&self, core: &Arc<Core>, index: u32, timeout: Option<Duration>) -> Result<()> {
        if self.background.get().is_none() {
            return Ok(()); // who commits folds
        }
        let mut waited = Duration::ZERO;
        while self.backlog(index).is_full() && !self.has_ended() && !self.has_failed(index) {
            if timeout.is_some_and(|timeout| waited >= timeout) {
                return Err(Error::unavailable(format!(
                    "{TEXT_UNFOLDED_MAX} changes of a text index, or {TEXT_UNFOLDED_BYTES_MAX} bytes of them, wait to be folded, and did so for {waited:?}"
                )));
            }
            self.want(index);
            self.look_after(core);
            thread::park_timeout(POLL);
            waited += POLL;
        }
        Ok(())
    }

    fn backlog(&self, index: u32) -> Backlog {
        self.registry.lock().unfolded.get(&index).copied().unwrap_or_default()
    }

    fn has_failed(&self, index: u32) -> bool {
        self.registry.lock().failed.contains(&index)
    }

    /// The indexes that have something that is not folded should be.
    fn want_unfolded(&self, core: &Arc<Core>) -> Result<()> {
        let point = core.store.read_only_point()?;
        for index in all_indexes(core)? {
            let mut changes = point.cursor(Family::Text, &layout::changes_range(index), Direction::Forward)?;
            if changes.next()?.is_some() {
                self.want(index);
            }
        }
        Ok(())
    }

    /// The index should be folded.
    fn want(&self, index: u32) {
        let mut registry = self.registry.lock();
        if !registry.failed.contains(&index) {
            registry.wanted.insert(index);
        }
    }
}
