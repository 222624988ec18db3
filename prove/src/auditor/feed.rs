//! Reads the change feed from its beginning: it tells of every transaction of every lane, whole, once and in order.

use std::collections::BTreeMap;

use blaze::{Change, Database, DatabaseChange, Document, DocumentId, Snapshot, Timestamp};

use super::contents::{read, without_id};
use super::read_position;
use crate::model::{Lane, Shelf};
use crate::random::Random;
use crate::shelves::{POSITIONS, collection, name};
use crate::{Finding, Result};

/// What one commit tells of the lanes.
#[derive(Default)]
struct Told {
    /// The lane and its new position.
    position: Option<(u64, u64)>,
    /// What is told of each document: before and after.
    documents: BTreeMap<(Shelf, String), (Option<Document>, Option<Document>)>,
}

/// Lanes as the feed leads to them, from nothing to the positions that are there.
///
/// # Errors
/// What the feed lacks or tells wrongly, and if the past of some commit or document is not what it tells.
pub fn replay(db: &Database, seed: u64, positions: &[u64], random: &Random) -> Result<Vec<Lane>> {
    let mut lanes: Vec<Lane> = (0..positions.len() as u64).map(|number| Lane::new(seed, number)).collect();
    let commits: u64 = positions.iter().sum();
    if commits == 0 {
        return Ok(lanes);
    }
    let (looked_at, mut seen) = (1 + random.below(commits), 0);
    let (mut past, mut life) = (None, Life::choose(random, positions.len() as u64));
    let mut last = Timestamp::ZERO;
    for set in db.changes(db.feed_start()?)? {
        let set = set?;
        if set.ts <= last {
            return Err(Finding::new(format!("the feed tells of commit {} after {last}", set.ts)));
        }
        last = set.ts;
        let told = Told::read(set.changes).map_err(|finding| finding.context(format!("commit {}", set.ts)))?;
        if told.is_empty() {
            continue;
        }
        let number =
            told.step(&mut lanes).map_err(|finding| finding.context(format!("the feed of commit {}", set.ts)))?;
        life.take_in(&told, &lanes, number);
        seen += 1;
        if seen == looked_at {
            past = Some((set.ts, people(&lanes)));
        }
    }
    for (lane, position) in lanes.iter().zip(positions) {
        if lane.position != *position {
            let (number, told) = (lane.number, lane.position);
            return Err(Finding::new(format!("lane {number} is at {position}, and the feed tells of {told} commits")));
        }
    }
    if let Some((ts, people)) = past {
        check_past(&db.as_of(ts)?, &people).map_err(|finding| finding.context(format!("as of commit {ts}")))?;
    }
    life.check(db)?;
    Ok(lanes)
}

fn people(lanes: &[Lane]) -> BTreeMap<String, Document> {
    lanes.iter().flat_map(|lane| lane.people.clone()).collect()
}

fn check_past(view: &Snapshot, people: &BTreeMap<String, Document>) -> Result<()> {
    let found = read(&view.collection(name(Shelf::People))?)?;
    super::contents::compare("the people of the past", &found, people)
}

impl Told {
    fn read(changes: Vec<DatabaseChange>) -> Result<Told> {
        let mut told = Told::default();
        for change in changes {
            match change {
                DatabaseChange::Key { keyspace, change: Change::Put { key, after, .. } } if *keyspace == *POSITIONS => {
                    let lane = read_position(&key)?;
                    let position = read_position(&after.unwrap_or_default())?;
                    if told.position.replace((lane, position)).is_some() {
                        return Err(Finding::new("it moves two lanes"));
                    }
                }
                DatabaseChange::Document { collection, change } => {
                    let shelf = match &*collection {
                        "people" => Shelf::People,
                        "notes" => Shelf::Notes,
                        "notes/replies" => Shelf::Replies,
                        other => return Err(Finding::new(format!("{other:?} has no feed"))),
                    };
                    told.take_in(shelf, change)?;
                }
                DatabaseChange::Begun { .. } => {}
                other => return Err(Finding::new(format!("nobody asked for {other:?}"))),
            }
        }
        Ok(told)
    }

    fn take_in(&mut self, shelf: Shelf, change: Change<DocumentId, Document>) -> Result<()> {
        let (id, before, after) = match change {
            Change::Put { key, before, after } => {
                let after = after.ok_or_else(|| Finding::new(format!("{key} lacks its image")))?;
                (key, before, Some(after))
            }
            Change::Removed { key, before } => (key, before, None),
            other => return Err(Finding::new(format!("nobody asked for {other:?}"))),
        };
        let (before, after) = (before.map(without_id), after.map(without_id));
        let known = self.documents.entry((shelf, id.to_string())).or_insert((before, None));
        known.1 = after;
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.position.is_none() && self.documents.is_empty()
    }

    /// Has the lane take its next transaction, which has to be the one that is told of, and answers the lane.
    fn step(&self, lanes: &mut [Lane]) -> Result<u64> {
        let (number, position) = self.position.ok_or_else(|| Finding::new("documents without a position"))?;
        let lane = lanes.get_mut(number as usize).ok_or_else(|| Finding::new(format!("there is no lane {number}")))?;
        if position != lane.position + 1 {
            return Err(Finding::new(format!("lane {number} goes from {} to {position}", lane.position)));
        }
        let step = lane.advance();
        for ((shelf, id), before) in &step.before {
            let after = lane.shelf(*shelf).get(id);
            match self.documents.get(&(*shelf, id.clone())) {
                None if before.as_ref() == after => {}
                Some((told_before, told_after)) if told_before == before && told_after.as_ref() == after => {}
                told => {
                    return Err(Finding::new(format!(
                        "transaction {position} of lane {number} made {after:?} of {before:?} for {id:?}, told is {told:?}"
                    )));
                }
            }
        }
        match self.documents.keys().find(|key| !step.before.contains_key(*key)) {
            None => Ok(number),
            Some((_, id)) => Err(Finding::new(format!(
                "transaction {position} of lane {number} does not touch {id:?}, told is that"
            ))),
        }
    }
}

/// What becomes of one person.
struct Life {
    id: String,
    values: Vec<Document>,
}

impl Life {
    fn choose(random: &Random, lanes: u64) -> Life {
        let id = format!("{}/p{:02}", random.below(lanes), random.below(40));
        Life { id, values: Vec::new() }
    }

    /// A value that was written again as it was is one more: whether there is such a one, the feed tells.
    fn take_in(&mut self, told: &Told, lanes: &[Lane], number: u64) {
        if told.documents.contains_key(&(Shelf::People, self.id.clone())) {
            self.values.extend(lanes.get(number as usize).and_then(|lane| lane.people.get(&self.id)).cloned());
        }
    }

    fn check(&self, db: &Database) -> Result<()> {
        let versions = collection(db, Shelf::People)?.versions(self.id.as_str())?;
        let mut found = Vec::new();
        for version in versions {
            found.extend(version?.value.map(without_id));
        }
        found.reverse();
        match found == self.values {
            true => Ok(()),
            false => Err(Finding::new(format!(
                "the history of {:?} has {} values, and {} were committed: {found:?} instead of {:?}",
                self.id,
                found.len(),
                self.values.len(),
                self.values
            ))),
        }
    }
}
