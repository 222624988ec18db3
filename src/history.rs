//! History: how long what is replaced stays readable, and the versions of one document or key.

use std::fmt;
use std::time::Duration;

use blaze_core::{Error, Family, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::catalog::{self, Definition, Kind, prefix};
use crate::expiry::SeenVersions;
use crate::session::{Scope, Session};

/// The shortest age of a history.
const AGE_MS_MIN: u64 = 1_000;

/// How long a collection or keyspace remembers what is replaced or removed.
///
/// A history takes the space of what was replaced, and a read before each write; current reads cost as much as without.
/// It begins when it is switched on. [`Database::as_of`](crate::Database::as_of) reads it.
///
/// ```
/// use std::time::Duration;
/// use blaze::{Database, History};
///
/// let db = Database::temporary()?;
/// let prices = db.keyspace("prices")?;
/// prices.set_history(History::Age(Duration::from_secs(30 * 24 * 60 * 60)))?;
/// prices.put("tea", "3")?;
/// let monday = db.snapshot()?.read_ts();
/// prices.put("tea", "4")?;
/// assert_eq!(db.as_of(monday)?.keyspace("prices")?.get("tea")?.as_deref(), Some(b"3".as_slice()));
/// assert_eq!(prices.versions("tea")?.count(), 2);
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum History {
    /// Nothing is remembered, and what was remembered goes.
    #[default]
    Off,
    /// Everything is remembered.
    Forever,
    /// What was replaced so long ago may be forgotten; at least a second. It is forgotten a little later than that, with
    /// a later commit or in the background, and not while the clock has jumped ahead.
    Age(Duration),
}

/// What the catalog keeps of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryDefinition {
    /// None: for ever.
    pub(crate) age_ms: Option<u64>,
}

impl History {
    fn define(self) -> Result<Option<HistoryDefinition>> {
        let age_ms = match self {
            History::Off => return Ok(None),
            History::Forever => None,
            History::Age(age) => match u64::try_from(age.as_millis()) {
                Ok(age_ms @ AGE_MS_MIN..) => Some(age_ms),
                Ok(age_ms) => {
                    let message = format!("the age of a history is {age_ms} ms, at least {AGE_MS_MIN} ms are needed");
                    return Err(Error::invalid(message));
                }
                Err(_) => return Err(Error::invalid("the age of a history is beyond all time: say Forever")),
            },
        };
        Ok(Some(HistoryDefinition { age_ms }))
    }

    pub(crate) fn of(definition: &Definition) -> History {
        match &definition.history {
            None => History::Off,
            Some(HistoryDefinition { age_ms: None }) => History::Forever,
            Some(HistoryDefinition { age_ms: Some(age_ms) }) => History::Age(Duration::from_millis(*age_ms)),
        }
    }
}

/// Switches the history of `name` on or off, or changes its age.
pub(crate) fn set(scope: &Scope, name: &str, kind: Kind, history: History) -> Result<()> {
    let wanted = history.define()?;
    catalog::change(scope, name, kind, |definition| definition.history = wanted.clone())
}

/// Refuses to read, in a view of the past, what has no history or not so long a one.
pub(crate) fn check(session: &Session, name: &str, definition: &Definition) -> Result<()> {
    // The store knows what this view may read; it says so whichever key is asked for.
    let asked = session.visit(Family::Data, &prefix(definition.id), &mut |_| Ok(()));
    asked.map(drop).map_err(|error| error.context(format!("{} {name:?}", definition.kind)))
}

/// What a document or the value of a key was for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<T> {
    /// The commit that made it so, or the time at which what was there before expired; `None` if that was at the beginning of the history, or before.
    pub from: Option<Timestamp>,
    /// The commit that ended it, or the time at which it expired; `None` for what still is.
    pub until: Option<Timestamp>,
    /// The value; `None` while there was none.
    pub value: Option<T>,
}

/// Reads a stored value; says which commit wrote it, if that is known.
type Decode<T> = Box<dyn Fn(Vec<u8>) -> Result<(T, Option<Timestamp>)> + Send>;

/// The versions of a document or key, the newest first.
///
/// Owns its view: it may outlive the handle it came from. After an error it ends.
pub struct Versions<T> {
    rows: blaze_core::Versions,
    decode: Decode<T>,
    failed: bool,
}

impl<T> Versions<T> {
    pub(crate) fn open(session: &Session, key: &[u8], decode: Decode<T>) -> Result<Versions<T>> {
        let rows = session.core().store.versions(session.point(), key)?;
        Ok(Versions { rows, decode, failed: false })
    }

    fn read(&self, version: blaze_core::Version) -> Result<Version<T>> {
        let blaze_core::Version { from, until, value } = version;
        let Some((value, written)) = value.map(&self.decode).transpose()? else {
            return Ok(Version { from, until, value: None });
        };
        Ok(Version { from: from.or(written), until, value: Some(value) })
    }
}

impl Versions<Vec<u8>> {
    /// The versions of a key in a keyspace whose values expire.
    pub(crate) fn open_expiring(session: &Session, key: &[u8]) -> Result<Versions<Vec<u8>>> {
        let stored = session.core().store.versions(session.point(), key)?;
        let rows = Box::new(SeenVersions::new(stored, session.read_ms()));
        Ok(Versions { rows, decode: Box::new(|value| Ok((value, None))), failed: false })
    }
}

impl<T> Iterator for Versions<T> {
    type Item = Result<Version<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let version = self.rows.next()?.and_then(|version| self.read(version));
        self.failed = version.is_err();
        Some(version)
    }
}

impl<T> fmt::Debug for Versions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Versions").finish_non_exhaustive()
    }
}
