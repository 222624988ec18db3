//! Embedding a batch of documents.

use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Durability, Error, ErrorKind, Family, Isolation, Result, Value, Vector};

use super::attached::{Attached, FAILURES_IN_ROW_MAX, Moment, retry_after_ms};
use super::backlog::{Place, Waiting, look, take_back_parked};
use super::layout::{Pending, parked_key, pending_key};
use crate::catalog::prefixed;
use crate::database::core::Core;
use crate::index::{IndexFields, VectorFields};
use crate::session::{Session, commit_alone};

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There may be more to do; so many documents were embedded.
    Worked(u64),
    /// There is nothing to do before this moment, in milliseconds since 1970; nothing at all if there is none.
    Waits(Option<u64>),
}

/// What became of a document of a batch.
#[derive(Debug)]
enum Fate {
    /// It has this row.
    Embedded(Vec<u8>),
    /// It is tried again later.
    Failed,
    /// It is not tried again for now.
    Parked,
    /// It has nothing that could be embedded.
    Cleared,
    /// The embedder was not asked.
    Left,
}

/// Embeds the next documents of an index, as a part of work that began at a time; none if the index is gone.
pub(super) fn take_turn(core: &Arc<Core>, attached: &Attached, begun_ms: u64) -> Result<Option<Turn>> {
    let moment = Moment { now_ms: core.clock.now_ms(), begun_ms };
    if let Some(until) = attached.rests_until(moment) {
        return Ok(Some(Turn::Waits(Some(until))));
    }
    // No view is held while the embedder works: what is overwritten meanwhile could not be cleared away.
    let Some(place) = Place::find(&*Session::read_only(core)?, attached)? else { return Ok(None) };
    let Some(IndexFields::Vector(fields)) = place.index().map(|index| index.parts()).transpose()? else {
        return Ok(None);
    };
    let batch_max = match attached.embedder.batch_max() {
        Ok(batch_max) => batch_max,
        Err(error) => {
            attached.note_error(&error);
            let now_ms = core.clock.now_ms();
            attached.rest(now_ms, &*core.entropy);
            return Ok(Some(Turn::Waits(attached.rests_until(Moment { now_ms, begun_ms }))));
        }
    };
    take_back_parked(core, attached, &place)?;
    let session = Session::read_only(core)?; // with what was taken back
    let look = look(&session, attached, &place, batch_max, moment)?;
    drop(session);
    if look.waiting.is_empty() {
        return Ok(Some(end_of_look(attached, look.is_at_the_end)));
    }
    let fates = Batch { core, attached, fields }.embed(&look.waiting)?;
    if look.takes_all && fates.iter().any(|fate| matches!(fate, Fate::Failed | Fate::Left)) {
        attached.note_left();
    }
    fault::reached(Point::TextsEmbedded);
    write(core, attached, &place, &look.waiting, &fates)?;
    let embedded = fates.iter().filter(|fate| matches!(fate, Fate::Embedded(_))).count();
    Ok(Some(Turn::Worked(embedded as u64)))
}

/// A look found nothing to do: if that was a whole round, there is nothing.
fn end_of_look(attached: &Attached, is_at_the_end: bool) -> Turn {
    if !is_at_the_end {
        return Turn::Worked(0);
    }
    let (has_found, next_due_ms) = attached.begin_round();
    match has_found {
        true => Turn::Worked(0), // there may be something before where the round began to find
        false => Turn::Waits(next_due_ms),
    }
}

struct Batch<'a> {
    core: &'a Arc<Core>,
    attached: &'a Attached,
    fields: &'a VectorFields,
}

impl Batch<'_> {
    /// Has the embedder make the vectors: of all texts at once, and if that fails, one by one.
    fn embed(&self, waiting: &[Waiting]) -> Result<Vec<Fate>> {
        let mut fates: Vec<Fate> = waiting.iter().map(|waiting| self.fate_before(waiting)).collect();
        let mut texts: Vec<(usize, &str)> = Vec::with_capacity(waiting.len());
        for (at, waiting) in waiting.iter().enumerate() {
            if let Ok(Some(text)) = &waiting.text {
                texts.push((at, text));
            }
        }
        if texts.is_empty() {
            return Ok(fates);
        }
        match self.call(&texts.iter().map(|(_, text)| *text).collect::<Vec<_>>()) {
            Ok(vectors) => {
                self.attached.note_success();
                for ((at, _), vector) in texts.iter().zip(vectors) {
                    fates[*at] = self.fate_of(self.row(vector), &waiting[*at]);
                }
            }
            Err(error) if texts.len() == 1 => {
                if let Some((at, _)) = texts.first() {
                    fates[*at] = self.fate_of(Err(error), &waiting[*at]);
                }
            }
            Err(error) => {
                tracing::debug!(index = self.attached.index, %error, "a batch failed: its texts are embedded one by one");
                self.shuffle(&mut texts);
                self.embed_one_by_one(waiting, &texts, &mut fates)?;
            }
        }
        Ok(fates)
    }

    fn embed_one_by_one(&self, waiting: &[Waiting], texts: &[(usize, &str)], fates: &mut [Fate]) -> Result<()> {
        let mut failures = Some(0); // unless the embedder has answered
        for (at, text) in texts {
            if self.rests() {
                return Ok(()); // the others wait
            }
            self.check_open()?;
            let made = self.call(&[text]).and_then(|mut vectors| {
                self.attached.note_success();
                self.row(vectors.pop().unwrap_or_default())
            });
            fates[*at] = self.fate_of(made, &waiting[*at]);
            failures = match fates[*at] {
                Fate::Failed => failures.map(|failures| failures + 1),
                _ => None,
            };
            // Even if all of them have failed before.
            if failures.is_some_and(|failures| failures >= FAILURES_IN_ROW_MAX) {
                if !self.rests() {
                    self.attached.rest(self.core.clock.now_ms(), &*self.core.entropy);
                }
                return Ok(());
            }
        }
        Ok(())
    }

    fn rests(&self) -> bool {
        let now_ms = self.core.clock.now_ms();
        self.attached.rests_until(Moment { now_ms, begun_ms: now_ms }).is_some()
    }

    /// In any order: neighbours may have in common what the embedder does not like, and it is not to be taken for dead.
    fn shuffle(&self, texts: &mut [(usize, &str)]) {
        for last in (1..texts.len()).rev() {
            let other = self.core.entropy.next_u64() % (last as u64 + 1);
            texts.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }

    /// What becomes of a document if the embedder is not asked.
    fn fate_before(&self, waiting: &Waiting) -> Fate {
        match &waiting.text {
            Ok(Some(_)) => Fate::Left,
            Ok(None) => Fate::Cleared,
            Err(error) => {
                self.attached.note_error(error);
                Fate::Failed
            }
        }
    }

    fn call(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.attached.embedder.embed(texts, self.fields.dimension)
    }

    /// The row of a vector.
    fn row(&self, vector: Vec<f32>) -> Result<Vec<u8>> {
        let value = Value::Vector(Vector::F32(vector));
        let mut row = Vec::new();
        match self.fields.write_row(&value, &mut row)? {
            true => Ok(row),
            false => Err(Error::invalid("the vector of the text cannot be compared by the metric of the index")),
        }
    }

    fn fate_of(&self, made: Result<Vec<u8>>, waiting: &Waiting) -> Fate {
        match made {
            Ok(row) => Fate::Embedded(row),
            Err(error) if error.kind() == ErrorKind::Invalid => {
                self.attached.note_error(&error);
                Fate::Parked
            }
            Err(error) => {
                self.attached.note_error(&error);
                // What has failed before says nothing of the others.
                if waiting.failures == 0 && self.attached.note_failure() {
                    self.attached.rest(self.core.clock.now_ms(), &*self.core.entropy);
                }
                Fate::Failed
            }
        }
    }

    fn check_open(&self) -> Result<()> {
        match self.core.embedding.has_ended() {
            true => Err(Error::closed("the database is closed")),
            false => Ok(()),
        }
    }
}

/// Writes what came of a batch, for the documents that still have the texts: at once, and where others get in the way again and
/// again, by halves.
fn write(core: &Arc<Core>, attached: &Attached, place: &Place, waiting: &[Waiting], fates: &[Fate]) -> Result<()> {
    let written = write_at_once(core, attached, place, waiting, fates);
    match written {
        Err(error) if error.kind().is_retryable() && waiting.len() > 1 => {
            let half = waiting.len() / 2;
            let first = write(core, attached, place, &waiting[..half], &fates[..half]);
            // Whatever became of the first: a vector that was made is not to be made again.
            write(core, attached, place, &waiting[half..], &fates[half..]).and(first)
        }
        written => written,
    }
}

fn write_at_once(
    core: &Arc<Core>,
    attached: &Attached,
    place: &Place,
    waiting: &[Waiting],
    fates: &[Fate],
) -> Result<()> {
    // Whatever the database's isolation: a text that changes meanwhile must be noticed.
    commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
        let Some(place) = Place::find_in(session, &place.collection, attached.index)? else { return Ok(()) };
        let Some(index) = place.index() else { return Ok(()) };
        if !index.is_filled() {
            session.note_unbuilt(index.id)?;
        }
        for (waiting, fate) in waiting.iter().zip(fates) {
            let is_unchanged = match (place.text(session, &waiting.entry), &waiting.text) {
                (Ok(now), Ok(then)) => now == *then,
                (Ok(_), Err(_)) => false,
                (Err(error), then) if error.kind() == ErrorKind::Corruption => then.is_err(),
                (Err(error), _) => return Err(error),
            };
            // Who changed the text meanwhile has put the document into the backlog again.
            if is_unchanged {
                write_fate(session, index.id, waiting, fate)?;
            }
        }
        Ok(())
    })
}

fn write_fate(session: &Session, index: u32, waiting: &Waiting, fate: &Fate) -> Result<()> {
    let (pending, parked) = (pending_key(index, &waiting.entry), parked_key(index, &waiting.entry));
    match fate {
        Fate::Left => Ok(()),
        Fate::Cleared => session.delete(Family::Vector, pending),
        Fate::Embedded(row) => {
            session.delete(Family::Vector, pending)?;
            let key = prefixed(index, &waiting.entry);
            match session.get(Family::Vector, &key)?.as_ref() == Some(row) {
                true => Ok(()), // the graph has it
                false => session.put(Family::Vector, key, row.clone(), None),
            }
        }
        Fate::Failed => {
            let failures = waiting.failures.saturating_add(1);
            let core = session.core();
            let due_ms = core.clock.now_ms().saturating_add(retry_after_ms(failures, &*core.entropy));
            session.put(Family::Vector, pending, Pending { failures, due_ms }.to_value(), None)
        }
        Fate::Parked => {
            session.delete(Family::Vector, pending)?;
            session.put(Family::Vector, parked, Vec::new(), None)
        }
    }
}
