//! Corners of a database: each is worked in by one phase and by nobody else, and says of itself whether it is as it has to be.

pub mod embedded;
pub mod expiring;
pub mod graphed;
pub mod keys;
pub mod migrated;
pub mod ruled;
pub mod streams;

use blaze::{Collection, Database, Document, Value};

use crate::random::Random;
use crate::{Finding, Result};

/// Looks at all corners that are there.
///
/// # Errors
/// What is wrong.
pub fn check(db: &Database, random: &Random) -> Result<()> {
    let within = |what: &'static str| move |finding: Finding| finding.context(what);
    ruled::check(db).map_err(within("what has a schema"))?;
    migrated::check(db).map_err(within("what is migrated"))?;
    expiring::check(db).map_err(within("what expires"))?;
    streams::check(db).map_err(within("what is streamed"))?;
    keys::check(db).map_err(within("keys that are loaded"))?;
    embedded::check(db).map_err(within("what is embedded"))?;
    graphed::check(db, random).map_err(within("what has a graph"))
}

/// The collection of a name, if it is there.
fn existing(db: &Database, name: &str) -> Result<Option<Collection<Document>>> {
    Ok(if db.collections()?.iter().any(|known| known == name) { Some(db.collection(name)?) } else { None })
}

/// A number in a document; -1 where there is none.
fn number(document: &Document, field: &str) -> i64 {
    document.get(field).and_then(Value::as_i64).unwrap_or(-1)
}

fn ensure(is_right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if is_right { Ok(()) } else { Err(Finding::new(what())) }
}
