//! Writers that are faster than who links: they wait for room in the tail, and for a graph that catches up with them.

use std::time::{Duration, Instant};

use blaze_core::{Error, Result};

use super::flush::now;
use super::open::OpenGraph;
use crate::database::core::Core;

/// How long a writer waits for room in the tail before it links something itself.
const PATIENCE: Duration = Duration::from_millis(20);

/// How much it then links.
const LINKED_BY_WRITERS: usize = 16;

impl OpenGraph {
    /// Waits until the tail has room for more, and helps to make it when that takes long; before a commit, so that it makes no
    /// other one wait.
    pub(super) fn wait_for_room(&self, core: &Core, timeout: Option<Duration>) -> Result<()> {
        let begun = now();
        self.wait_for_pace(begun, timeout)?;
        loop {
            let left = timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
            {
                let mut tail = self.tail.lock();
                if !tail.is_full() || tail.has_gap() || !self.is_complete() {
                    return Ok(()); // there is room, or this is not what the graph will go on with
                }
                if left.is_some_and(|left| left.is_zero()) {
                    let (vectors, waited_ms) = (tail.vectors(), timeout.unwrap_or_default().as_millis());
                    return Err(Error::unavailable(format!(
                        "{vectors} vectors wait to be linked into their index, and no room was made for more within {waited_ms} ms: nothing of the commit is written"
                    )));
                }
                self.room.wait_for(&mut tail, left.map_or(PATIENCE, |left| left.min(PATIENCE)));
                if !tail.is_full() {
                    return Ok(());
                }
            }
            let published = core.store.head()?.ts;
            self.link(published, LINKED_BY_WRITERS);
            if self.tail.lock().first_up_to(published).is_none() {
                return Ok(()); // what waits is not published yet, and perhaps never will be: that is the store's to say
            }
        }
    }

    /// Waits until a graph that catches up has come farther, if writers have outrun it again and again.
    fn wait_for_pace(&self, begun: Instant, timeout: Option<Duration>) -> Result<()> {
        let mut pace = self.pace.lock();
        while !self.is_complete() && pace.is_outrun() {
            let left = timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                let waited_ms = timeout.unwrap_or_default().as_millis();
                return Err(Error::unavailable(format!(
                    "the graph of the index catches up with what was committed, and did not come far enough within {waited_ms} ms \
                     to let more in: nothing of the commit is written"
                )));
            }
            self.paced.wait_for(&mut pace, left.map_or(PATIENCE, |left| left.min(PATIENCE)));
        }
        Ok(())
    }

    /// A vector was linked that was committed before this round of catching up.
    pub(super) fn note_caught_up(&self) {
        self.pace.lock().note_linked(1);
        self.paced.notify_all();
    }
}
