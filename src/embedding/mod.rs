//! Embedding: indexes that have vectors made of the texts of documents.
//!
//! A commit that changes a text puts the document into the backlog of the index, a row of the family `vector` beside its vectors.
//! A thread takes documents from there, has the embedder make vectors outside of any transaction, and commits them if the
//! documents still have these texts. Documents themselves are never written, so nobody who writes them meets it. The embedder
//! is in memory alone: while none is attached, the backlog waits.

mod attached;
mod backlog;
mod batch;
mod change;
mod crew;
mod embedder;
mod layout;
mod status;
mod text;
mod working;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use blaze_core::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::database::core::Core;
use attached::{Attached, Moment};
use batch::Turn;
pub(crate) use change::{backlog_row, write_backlog};
pub use embedder::Embedder;
pub(crate) use embedder::SharedEmbedder;
pub(crate) use layout::{parked_key, pending_key, waiting_entry};
pub use status::EmbeddingStatus;
pub(crate) use status::status;
pub(crate) use text::{SourceText, TextBuilder};
use working::Working;

/// How long the thread waits for who embeds meanwhile in its own.
const BUSY: Duration = Duration::from_millis(50);

/// The embedders of a database, by the numbers of their indexes.
pub(crate) struct Embedding {
    attached: Mutex<BTreeMap<u32, Arc<Attached>>>,
    /// Held by who embeds: one at a time.
    working: Working,
    /// What works on the backlog in the background, if there is one.
    background: OnceLock<Weak<Core>>,
    ended: AtomicBool,
}

impl Embedding {
    pub(crate) fn new() -> Embedding {
        Embedding {
            attached: Mutex::default(),
            working: Working::default(),
            background: OnceLock::new(),
            ended: AtomicBool::new(false),
        }
    }

    /// From now on `background` works on the backlog, if there is any; else who settles the database does.
    pub(crate) fn begin(&self, background: Option<&Arc<Core>>) {
        if let Some(background) = background {
            let _ = self.background.set(Arc::downgrade(background));
        }
    }

    /// The database is being closed: nothing more is embedded. Who calls an embedder now finds the database closed then.
    pub(crate) fn end(&self) {
        if !self.ended.swap(true, Ordering::AcqRel) && self.background.get().is_some() {
            crew::sweep();
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Has an index, which is in the catalog, embed by this embedder from now on; what another one has failed to do is to be
    /// done again.
    pub(crate) fn attach(&self, index: u32, embedder: &SharedEmbedder) {
        let mut attached = self.attached.lock();
        let replaced = match attached.get(&index) {
            Some(there) if there.embedder.is(embedder) => None,
            _ => attached.insert(index, Arc::new(Attached::new(index, embedder))),
        };
        drop(attached);
        drop(replaced); // the user's, which may do anything then
        self.look_after();
    }

    /// The embedder of an index.
    pub(crate) fn embedder(&self, index: u32) -> Option<SharedEmbedder> {
        self.attached.lock().get(&index).map(|there| there.embedder.clone())
    }

    fn attached(&self, index: u32) -> Option<Arc<Attached>> {
        self.attached.lock().get(&index).map(Arc::clone)
    }

    fn all_attached(&self) -> Vec<Arc<Attached>> {
        self.attached.lock().values().map(Arc::clone).collect()
    }

    /// The index is gone.
    fn detach(&self, gone: &Arc<Attached>) {
        let mut attached = self.attached.lock();
        if attached.get(&gone.index).is_some_and(|there| Arc::ptr_eq(there, gone)) {
            attached.remove(&gone.index);
        }
    }

    /// There may be something new to embed: it is done soon in the background, if there is one.
    pub(crate) fn look_after(&self) {
        if self.background.get().is_some() {
            // It may stand before where a round is that is under way.
            self.attached.lock().values().for_each(|attached| attached.want_another_round());
            self.call_background();
        }
    }

    fn call_background(&self) {
        if let Some(background) = self.background.get()
            && !self.has_ended()
            && !self.attached.lock().is_empty()
        {
            crew::call(background, Duration::ZERO);
        }
    }

    /// Embeds a batch of each index; says when to come again, if anything is left.
    fn take_turn(&self, core: &Arc<Core>) -> Option<Duration> {
        let Some(_held) = self.working.try_begin() else { return Some(BUSY) };
        let mut next: Option<u64> = None;
        for attached in self.all_attached() {
            if self.has_ended() {
                return None;
            }
            let turn = self.turn_of(core, &attached, core.clock.now_ms());
            let now_ms = core.clock.now_ms(); // the embedder may have taken its time
            let wait_ms = match turn {
                Ok(Turn::Worked(_)) => Some(0),
                Ok(Turn::Waits(until)) => until.map(|until| until.saturating_sub(now_ms)),
                Err(error) if error.kind() == ErrorKind::Closed => return None,
                Err(error) => {
                    tracing::warn!(index = attached.index, %error, "what was embedded could not be written");
                    attached.note_error(&error);
                    attached.rest(now_ms, &*core.entropy);
                    let moment = Moment { now_ms, begun_ms: now_ms };
                    attached.rests_until(moment).map(|until| until.saturating_sub(now_ms))
                }
            };
            next = next.into_iter().chain(wait_ms).min();
        }
        next.map(Duration::from_millis)
    }

    fn turn_of(&self, core: &Arc<Core>, attached: &Arc<Attached>, begun_ms: u64) -> Result<Turn> {
        match batch::take_turn(core, attached, begun_ms).inspect_err(|_| attached.note_left())? {
            Some(turn) => Ok(turn),
            None => {
                self.detach(attached);
                Ok(Turn::Waits(None))
            }
        }
    }

    /// Embeds all that can be embedded now: what failed and waits to be tried again is left to wait.
    pub(crate) fn catch_up(&self, core: &Arc<Core>) -> Result<()> {
        for attached in self.all_attached() {
            attached.want_another_round();
            self.catch_up_one(core, &attached)?;
        }
        Ok(())
    }

    /// As [`catch_up`](Embedding::catch_up), of one index.
    fn catch_up_one(&self, core: &Arc<Core>, attached: &Arc<Attached>) -> Result<()> {
        let begun_ms = core.clock.now_ms();
        loop {
            self.check_open()?;
            // Others have their turn in between.
            let held = self.working.begin()?;
            let turn = self.turn_of(core, attached, begun_ms)?;
            drop(held);
            if let Turn::Waits(_) = turn {
                self.call_background(); // what waits has its turn there
                return Ok(());
            }
        }
    }

    /// Embeds everything of an index that is being built, unless it has no embedder. What is written meanwhile may wait in the
    /// backlog, as it does in an index that is built.
    pub(crate) fn embed_all(
        &self,
        core: &Arc<Core>,
        index: u32,
        tell: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let Some(attached) = self.attached(index) else { return Ok(()) };
        let begun_ms = core.clock.now_ms();
        let held = self.working.begin()?; // nobody is in the middle of a round
        attached.begin_round_of_all();
        drop(held);
        let is_complete = loop {
            self.check_open()?;
            let held = self.working.begin()?;
            if let Some(is_complete) = attached.round_of_all() {
                break is_complete;
            }
            let turn = self.turn_of(core, &attached, begun_ms)?;
            drop(held);
            match turn {
                Turn::Worked(documents) => tell(documents)?,
                Turn::Waits(until) => break until.is_none(), // it rests, or the index is gone
            }
        };
        self.call_background(); // what waits has its turn there
        match is_complete {
            true => Ok(()),
            false => {
                let why = attached.last_error().unwrap_or_default();
                Err(Error::unavailable(format!(
                    "the new index lacks vectors: the embedder of the model {:?} failed, and the next call goes on: {why}",
                    attached.embedder.model()
                )))
            }
        }
    }

    fn check_open(&self) -> Result<()> {
        match self.has_ended() {
            true => Err(Error::closed("the database is closed")),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedding").field("attached", &self.attached.lock().len()).finish_non_exhaustive()
    }
}
