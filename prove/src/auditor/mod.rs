//! Looks at all that a database has, and says what is not as it has to be.

pub mod contents;
pub mod copies;
pub mod digest;
pub mod feed;
pub mod indexes;
pub mod others;

use std::collections::BTreeSet;

use blaze::Database;

use crate::model::Lane;
use crate::promises::{Bounds, Promises};
use crate::random::Random;
use crate::shelves::POSITIONS;
use crate::workload::list;
use crate::{Finding, Result, corner};

/// What an auditor has seen where nothing was wrong.
#[derive(Debug)]
pub struct Audit {
    /// What each lane has.
    pub lanes: Vec<Lane>,
    /// The generation of the loaded collection.
    pub load: u64,
    /// How often something was made and dropped, if that is certain.
    pub churn: Option<u64>,
}

impl Audit {
    /// What [promises](Promises::take_in) are told of it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let positions: Vec<u64> = self.lanes.iter().map(|lane| lane.position).collect();
        let mut lines = vec![list("audited", &positions), list("load-is", &[self.load])];
        lines.extend(self.churn.map(|churn| list("churn-is", &[churn])));
        lines
    }
}

/// Looks at all that a database has: it keeps what was promised.
///
/// # Errors
/// What is wrong.
pub fn audit(db: &Database, promises: &Promises, random: &Random) -> Result<Audit> {
    let lanes = audit_lanes(db, promises.seed, &promises.lanes, random)?;
    promises.check_order(&lanes.iter().map(|lane| lane.position).collect::<Vec<_>>())?;
    let load = others::check_loaded(db, Some(promises.load), promises.load_documents, random)?;
    let churn = others::check_churned(db, promises.churn)?;
    others::check_ready(db, &promises.ready[0])?;
    corner::check(db, random)?;
    verify(db)?;
    Ok(Audit { lanes, load, churn })
}

/// Looks at all that lanes have.
///
/// # Errors
/// What is wrong.
pub fn audit_lanes(db: &Database, seed: u64, bounds: &[Bounds], random: &Random) -> Result<Vec<Lane>> {
    let keyspaces: BTreeSet<String> = db.keyspaces()?.into_iter().collect();
    let positions = (0..bounds.len() as u64).map(|lane| match keyspaces.contains(POSITIONS) {
        true => position(db, lane),
        false => Ok(0),
    });
    let positions = positions.collect::<Result<Vec<u64>>>()?;
    for (number, (bounds, position)) in bounds.iter().zip(&positions).enumerate() {
        bounds.check(*position, &format!("commits of lane {number}"))?;
    }
    let lanes = feed::replay(db, seed, &positions, random)?;
    if lanes.iter().any(|lane| lane.position > 0) {
        contents::check(db, &lanes)?;
    }
    Ok(lanes)
}

fn position(db: &Database, lane: u64) -> Result<u64> {
    let Some(bytes) = db.keyspace(POSITIONS)?.get(lane.to_string())? else { return Ok(0) };
    read_position(&bytes)
}

/// Reads how many transactions a lane has committed.
///
/// # Errors
/// When that is no number.
pub fn read_position(bytes: &[u8]) -> Result<u64> {
    let text = String::from_utf8_lossy(bytes);
    text.parse().map_err(|_| Finding::new(format!("the position of a lane is {text:?}")))
}

/// Has the database verify itself.
///
/// # Errors
/// What it finds.
pub fn verify(db: &Database) -> Result<()> {
    let report = db.verify()?;
    match report.problems.first() {
        None => Ok(()),
        Some(first) => {
            Err(Finding::new(format!("verification found {} problems, the first: {first}", report.problem_count)))
        }
    }
}
