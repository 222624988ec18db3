//! Values and documents that expire, and a history that is let go of, each beside something that stays and tells of it.

use std::time::Duration;

use blaze::{Database, Document, Expires, History, Index, Keyspace, Time, Transaction};

use super::{ensure, existing, number};
use crate::random::Random;
use crate::workload::persist;
use crate::{Finding, Result};

const VALUES: &str = "expiring";
const DOCUMENTS: &str = "expiring documents";
const REMEMBERED: &str = "remembered";

/// What is here goes by itself, so that a second look may see less of it.
pub const GOING: [&str; 2] = [VALUES, DOCUMENTS];

/// Keys that rounds write by turns.
const KEYS: u64 = 40;

/// How many rounds there are between two times that what is old is let go of.
const ROUNDS: u64 = 12;

/// Has values and documents expire again and again.
///
/// # Errors
/// What the database does not do as it has to.
pub fn work(db: &Database, random: &Random) -> Result<()> {
    let values = db.expiring_keyspace(VALUES)?;
    let documents = db.collection::<Document>(DOCUMENTS)?;
    persist(|| documents.ensure_index(Index::on("seen").expire_after(Duration::from_secs(1)).named("seen")))?;
    let remembered = db.keyspace(REMEMBERED)?;
    let history = History::Age(Duration::from_secs(1));
    if remembered.history()? != history {
        persist(|| remembered.set_history(history))?;
    }
    let mut round = last_round(&values)?;
    loop {
        for _ in 0..ROUNDS {
            round += 1;
            let (life, age) = (1 + random.below(20), random.below(3));
            persist(|| db.transaction(|tx| write(tx, round, life, age)))?;
        }
        db.apply_retention()?;
    }
}

fn write(tx: &Transaction, round: u64, life: u64, age: u64) -> blaze::Result<()> {
    let (key, value) = (round % KEYS, round.to_string());
    let values = tx.expiring_keyspace(VALUES)?;
    let soon = match life.is_multiple_of(3) {
        true => Expires::At(Time::from_micros(life as i64)), // nobody sees it
        false => Expires::After(Duration::from_millis(life)),
    };
    values.put_expiring(format!("soon {key}"), &value, soon)?;
    let later = if round.is_multiple_of(2) { Expires::Never } else { Expires::After(Duration::from_secs(86_400)) };
    values.put_expiring(format!("late {key}"), &value, later)?;
    // Of the past, or of a future that no test sees.
    let seen = if age == 0 { Time::from_micros(i64::MAX / 2) } else { Time::from_micros(age as i64) };
    let document = Document::new().with("round", round as i64).with("age", age as i64).with("seen", seen);
    tx.collection::<Document>(DOCUMENTS)?.put(key as i64, &document)?;
    tx.keyspace(REMEMBERED)?.put("round", &value)
}

fn last_round(values: &Keyspace) -> Result<u64> {
    Ok(rounds(values)?.into_iter().map(|(_, round)| round).max().unwrap_or_default())
}

/// The keys of values, with the rounds that have written them.
fn rounds(values: &Keyspace) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for pair in values.iter()? {
        let (key, value) = pair?;
        let value = String::from_utf8_lossy(&value).into_owned();
        let round = value.parse().map_err(|_| Finding::new(format!("a value is {value:?}")))?;
        found.push((String::from_utf8_lossy(&key).into_owned(), round));
    }
    Ok(found)
}

/// What does not expire is of the last rounds, each of them whole; what expires is of them or gone.
pub(super) fn check(db: &Database) -> Result<()> {
    if !db.keyspaces()?.iter().any(|name| name == VALUES) {
        return Ok(());
    }
    let values = db.keyspace(VALUES)?;
    let last = last_round(&values)?;
    let expected = |key: u64| (0..KEYS).map(|ago| last.saturating_sub(ago)).find(|round| round % KEYS == key);
    let found = rounds(&values)?;
    for key in 0..KEYS {
        let Some(round) = expected(key).filter(|round| *round > 0) else { continue };
        let is_there = found.contains(&(format!("late {key}"), round));
        ensure(is_there, || format!("round {round} of {last} is not under its key"))?;
    }
    for (key, round) in &found {
        let number: u64 = key.get(5..).and_then(|number| number.parse().ok()).unwrap_or(KEYS);
        ensure(expected(number) == Some(*round), || {
            format!("{key:?} is of round {round}, and the last one is {last}")
        })?;
    }
    if let Some(documents) = existing(db, DOCUMENTS)? {
        check_documents(&documents.find_all().run()?, last, &expected)?;
    }
    check_remembered(db, last)
}

fn check_documents(found: &[blaze::Found<Document>], last: u64, expected: &dyn Fn(u64) -> Option<u64>) -> Result<()> {
    for document in found {
        let (id, round) = (document.id.to_string(), number(document, "round") as u64);
        let is_right = id.parse().ok().and_then(expected) == Some(round);
        ensure(is_right, || format!("document {id} is of round {round}, and the last one is {last}"))?;
    }
    Ok(())
}

fn check_remembered(db: &Database, last: u64) -> Result<()> {
    if !db.keyspaces()?.iter().any(|name| name == REMEMBERED) {
        return Ok(());
    }
    let remembered = db.keyspace(REMEMBERED)?;
    let now = remembered.get("round")?.map_or(0, |value| read(&value));
    ensure(now == last, || format!("the last round is {last}, and {now} is remembered"))?;
    if remembered.history()? == History::Off {
        return Ok(());
    }
    let mut next = last;
    for version in remembered.versions("round")? {
        let Some(value) = version?.value else { continue };
        let round = read(&value);
        ensure(round == next, || format!("the history has round {round} in the place of {next}"))?;
        next = next.saturating_sub(1);
    }
    Ok(())
}

fn read(value: &[u8]) -> u64 {
    String::from_utf8_lossy(value).parse().unwrap_or_default()
}
