//! Commits the transactions of lanes, and tells of each what was asked for and that it was acknowledged.

use std::fmt;
use std::io::Write;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use blaze::{Database, Document, Durability, Error, ErrorKind, Transaction, TransactionOptions, Value, field, set};

use crate::model::{Lane, Operation, Shelf, Step};
use crate::shelves::{BLOBS, HUB, PAIRS, POSITIONS, TOTALS, collection, collection_within, document_id, name};
use crate::{Finding, Result};

/// After so many commits of a lane all commits are synced.
const SYNCED_EVERY: u64 = 41;

/// Says something to the process that listens; without one there is nothing left to do.
pub fn say(line: &str) {
    let line = format!("{line}\n");
    // One write of so few bytes is never torn in a pipe.
    if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
        process::exit(0);
    }
}

/// How far each lane has come, acknowledged and asked for, and who is told of it.
pub struct Progress<'a> {
    lanes: Vec<[AtomicU64; 2]>,
    /// The loads that were acknowledged, and what was made and dropped.
    others: [AtomicU64; 2],
    voice: &'a (dyn Fn(&str) + Sync),
    is_over: AtomicBool,
    ends_with: Option<&'a AtomicBool>,
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("lanes", &self.lanes).field("is_over", &self.is_over).finish_non_exhaustive()
    }
}

impl<'a> Progress<'a> {
    /// That of some lanes, told to the process that listens.
    #[must_use]
    pub fn of(lanes: &[Lane]) -> Progress<'static> {
        Progress::told_to(lanes, &say)
    }

    /// That of some lanes, told to a voice.
    #[must_use]
    pub fn told_to(lanes: &[Lane], voice: &'a (dyn Fn(&str) + Sync)) -> Progress<'a> {
        let known = lanes.iter().map(|lane| [AtomicU64::new(lane.position), AtomicU64::new(lane.position)]);
        Progress {
            lanes: known.collect(),
            others: Default::default(),
            voice,
            is_over: AtomicBool::new(false),
            ends_with: None,
        }
    }

    /// Says something to whoever listens.
    pub fn say(&self, line: &str) {
        (self.voice)(line);
    }

    /// Has everybody end who works.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Has everybody end, too, once something else is true.
    #[must_use]
    pub fn until(mut self, ends: &'a AtomicBool) -> Progress<'a> {
        self.ends_with = Some(ends);
        self
    }

    /// True once everybody is to end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst) || self.ends_with.is_some_and(|ends| ends.load(Ordering::SeqCst))
    }

    fn note(&self, lane: u64, which: usize, position: u64) {
        if let Some(known) = self.lanes.get(lane as usize) {
            known[which].store(position, Ordering::SeqCst);
        }
    }

    /// What is acknowledged of each lane.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<u64> {
        self.lanes.iter().map(|lane| lane[0].load(Ordering::SeqCst)).collect()
    }

    /// What is asked for of each lane.
    #[must_use]
    pub fn asked(&self) -> Vec<u64> {
        self.lanes.iter().map(|lane| lane[1].load(Ordering::SeqCst)).collect()
    }

    /// Says that a load was acknowledged.
    pub fn acknowledge_load(&self, number: u64) {
        self.others[0].store(number, Ordering::SeqCst);
        self.say(&format!("load-ack {number}"));
    }

    /// Says that something was made or dropped.
    pub fn acknowledge_churn(&self, number: u64) {
        self.others[1].store(number, Ordering::SeqCst);
        self.say(&format!("churn-ack {number}"));
    }

    /// All that is acknowledged: of the lanes, of loads, and of what is made and dropped.
    #[must_use]
    pub fn all_acknowledged(&self) -> Vec<u64> {
        let mut all = self.acknowledged();
        all.extend(self.others.iter().map(|number| number.load(Ordering::SeqCst)));
        all
    }

    /// Says that so much of [everything](Progress::all_acknowledged) survives a loss of power.
    pub fn say_durable(&self, all: &[u64]) {
        self.say(&list("durable", all));
    }
}

/// A line of a word and some numbers.
#[must_use]
pub fn list(word: &str, numbers: &[u64]) -> String {
    numbers.iter().fold(word.to_owned(), |line, number| format!("{line} {number}"))
}

/// Commits the next transaction of a lane and tells of it.
///
/// # Errors
/// A finding if the database does not do what it has to.
pub fn commit_next(db: &Database, lane: &mut Lane, progress: &Progress<'_>) -> Result<()> {
    let step = lane.advance();
    if step.tries_refused {
        try_what_is_refused(db, lane, &step)?;
    }
    progress.note(lane.number, 1, step.position);
    let mut before = progress.all_acknowledged();
    progress.say(&list(&format!("ask {} {}", lane.number, step.position), &before));
    commit(db, lane.number, &step)?;
    progress.note(lane.number, 0, step.position);
    progress.say(&format!("ack {} {}", lane.number, step.position));
    if let (Durability::Sync, Some(own)) = (step.durability, before.get_mut(lane.number as usize)) {
        // All that was acknowledged before it was asked for is before it in the log.
        *own = step.position;
        progress.say_durable(&before);
    }
    if step.position.is_multiple_of(SYNCED_EVERY) {
        let all = progress.all_acknowledged();
        db.sync()?;
        progress.say_durable(&all);
    }
    Ok(())
}

/// Commits a transaction of a lane.
///
/// # Errors
/// Those of the database, but for lost races.
pub fn commit(db: &Database, lane: u64, step: &Step) -> Result<()> {
    let options = || TransactionOptions::new().durability(step.durability);
    persist(|| db.transaction_with(options(), |tx| write(tx, lane, step)))
        .map_err(|error| Finding::from(error).context(format!("transaction {} of lane {lane}", step.position)))
}

/// Tries again for as long as races are lost.
///
/// # Errors
/// Any other.
pub fn persist<T>(mut work: impl FnMut() -> blaze::Result<T>) -> blaze::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind().is_retryable() => {}
            done => return done,
        }
    }
}

fn write(tx: &Transaction, lane: u64, step: &Step) -> blaze::Result<()> {
    for operation in &step.operations {
        write_one(tx, lane, operation)?;
    }
    if step.tries_refused {
        write_and_take_back(tx, lane)?;
    }
    tx.keyspace(POSITIONS)?.put(lane.to_string(), step.position.to_string())
}

fn write_one(tx: &Transaction, lane: u64, operation: &Operation) -> blaze::Result<()> {
    let documents = |shelf: &Shelf| collection_within(tx, *shelf);
    match operation {
        Operation::Put(shelf, id, document) => documents(shelf)?.put(document_id(*shelf, id), document),
        Operation::Set(shelf, id, field, value) => documents(shelf)?.update(id.as_str(), set(*field, value.clone())),
        Operation::DeleteWithReplies(id) => documents(&Shelf::Notes)?.delete_with_children(id.as_str()).map(drop),
        Operation::Delete(shelf, id) => match documents(shelf)?.delete(document_id(*shelf, id))? {
            true => Ok(()),
            false => Err(Error::not_found(format!("{id:?} should be there"))),
        },
        Operation::SwapEmails(one, other) => {
            let people = documents(&Shelf::People)?;
            let email = |id: &str| -> blaze::Result<Option<Value>> {
                Ok(people.get(id)?.and_then(|found| found.value.get("email").cloned()))
            };
            let (first, second) = (email(one)?, email(other)?);
            people.update(one.as_str(), set("email", format!("{one} in between")))?;
            people.update(other.as_str(), set("email", first))?;
            people.update(one.as_str(), set("email", second))
        }
        Operation::PutPair(key, value) => tx.keyspace(PAIRS)?.put(key, value),
        Operation::DeletePair(key) => tx.keyspace(PAIRS)?.delete(key),
        // The character after the slash ends the lane.
        Operation::ClearPairs => tx.keyspace(PAIRS)?.delete_range(format!("{lane}/")..format!("{lane}0")),
        Operation::Add(delta) => {
            let totals = tx.keyspace(TOTALS)?;
            totals.add("total", *delta)?;
            // Who reads what it has added to is set against others who add.
            if delta % 4 == 0 { totals.get("total").map(drop) } else { Ok(()) }
        }
        Operation::Visit => {
            let hub = tx.collection::<Document>(HUB)?;
            let mut document = hub.get(HUB)?.map(|found| found.value).unwrap_or_default();
            let field = format!("lane{lane}");
            let visits = document.get(&field).and_then(Value::as_i64).unwrap_or_default();
            document.insert(field, visits + 1);
            hub.put(HUB, &document)
        }
        Operation::PutBlob(key, bytes) => {
            let mut writer = tx.objects(BLOBS)?.create(key)?;
            writer.write_all(bytes).map_err(|error| Error::unavailable(format!("an object refused bytes: {error}")))?;
            writer.finish().map(drop)
        }
        Operation::DeleteBlob(key) => tx.objects(BLOBS)?.delete(key).map(drop),
    }
}

/// Writes, and goes back to a savepoint before that: nothing of it may be left.
fn write_and_take_back(tx: &Transaction, lane: u64) -> blaze::Result<()> {
    let savepoint = tx.savepoint()?;
    tx.keyspace(PAIRS)?.put(format!("{lane}/taken back"), "never")?;
    let email = format!("{lane} taken back");
    let person = Document::new().with("lane", lane as i64).with("city", "nowhere").with("email", email).with("age", 1);
    tx.collection(name(Shelf::People))?.put(format!("{lane}/taken back"), &person)?;
    tx.rollback_to(&savepoint)
}

/// A transaction that gives up at its end, and one that puts a value into the unique index that is there already: neither may
/// leave anything behind.
fn try_what_is_refused(db: &Database, lane: &Lane, step: &Step) -> Result<()> {
    let given_up = persist(|| {
        db.transaction(|tx| {
            tx.collection::<Document>(name(Shelf::People))?.delete_many(field("lane").eq(lane.number as i64))?;
            tx.keyspace(PAIRS)?.put(format!("{}/never", lane.number), "never")?;
            Err::<(), _>(Error::cancelled("given up"))
        })
    });
    if given_up.as_ref().map_err(Error::kind) != Err(ErrorKind::Cancelled) {
        return Err(Finding::new(format!("a transaction that was given up answered {given_up:?}")));
    }
    let people = collection(db, Shelf::People)?;
    let unfit = Document::new().with("lane", lane.number as i64).with("email", "unfit").with("age", "unknown");
    let refused = persist(|| people.insert_with_id(format!("{}/unfit", lane.number), &unfit));
    if refused.as_ref().map_err(Error::kind) != Err(ErrorKind::Invalid) {
        return Err(Finding::new(format!("a document that does not fit the schema was answered with {refused:?}")));
    }
    // One that this step has not touched is in the database as it is in the model.
    let touched = |id: &String| step.before.contains_key(&(Shelf::People, id.clone()));
    let Some((id, person)) = lane.people.iter().find(|(id, _)| !touched(id)) else { return Ok(()) };
    let refused = persist(|| people.insert_with_id(format!("{id} twice"), person));
    match refused.as_ref().map_err(Error::kind) {
        Err(ErrorKind::AlreadyExists) => Ok(()),
        _ => Err(Finding::new(format!("a second document with the email of {id:?} was answered with {refused:?}"))),
    }
}
