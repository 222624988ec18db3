//! Bulk load of a keyspace: rows in order.

use std::fmt;
use std::sync::Arc;

use blaze_core::{Durability, Error, Family, Isolation, Result, Timestamp};

use super::sink::Sink;
use crate::catalog::{self, Definition, Kind, Orphan, prefix, prefixed, validate_key, validate_value};
use crate::database::core::Core;
use crate::session::{Scope, Session, commit_alone};

/// Loads rows in ascending order of their keys into a new keyspace.
///
/// The rows are written straight into sorted files, which are synced and then become part of the database as they are:
/// nothing passes through the log, nothing is written twice, and the files are as compact as compaction would make them.
/// Nobody sees a row before [`finish`](KeyspaceLoader::finish) shows all of them in one commit. Dropped before that, the
/// loader leaves nothing behind; after a crash the next opening removes what was written.
///
/// It holds one block of rows in memory. A database in memory takes the rows by commits, which nobody sees either.
///
/// ```
/// use blaze::Database;
///
/// let db = Database::temporary()?;
/// let mut squares = db.load_keyspace("squares")?;
/// for n in 0..1_000_u32 {
///     squares.put(n.to_be_bytes(), (n * n).to_be_bytes())?;
/// }
/// assert_eq!(squares.finish()?, 1_000);
/// assert_eq!(db.keyspace("squares")?.get(12_u32.to_be_bytes())?.unwrap(), 144_u32.to_be_bytes());
/// # Ok::<(), blaze::Error>(())
/// ```
#[must_use = "nothing is loaded before finish"]
pub struct KeyspaceLoader {
    core: Arc<Core>,
    name: String,
    id: u32,
    /// None once all rows are where they belong.
    sink: Option<Sink>,
    last: Option<Vec<u8>>,
    rows: u64,
    /// The range of the keys, until the keyspace has its name.
    orphan: Option<Orphan>,
}

impl KeyspaceLoader {
    pub(crate) fn begin(core: &Arc<Core>, name: &str) -> Result<KeyspaceLoader> {
        catalog::validate_name(name, Kind::Keyspace.as_str())?;
        Scope::Database(Arc::clone(core)).read(|session| check_free(session, name))?;
        let id = catalog::allocate(core)?;
        let orphan = Orphan::new(Family::Data, prefix(id));
        commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| orphan.declare(session))?;
        let mut loader = KeyspaceLoader {
            core: Arc::clone(core),
            name: name.to_owned(),
            id,
            sink: None,
            last: None,
            rows: 0,
            orphan: Some(orphan),
        };
        loader.sink = Some(Sink::open(core, Family::Data)?);
        Ok(loader)
    }

    /// Adds a row, whose key must be above that of the row before it.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a bad key or
    /// value, as [`Keyspace::put`](crate::Keyspace::put) says; `Invalid` when the keys do not ascend. The row is then
    /// left out, and loading can go on. [`Unavailable`](crate::ErrorKind::Unavailable) when the disk fails;
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        validate_key(key)?;
        validate_value(value)?;
        if let Some(last) = self.last.as_deref().filter(|last| key <= *last) {
            let (key, last) = (key.escape_ascii(), last.escape_ascii());
            return Err(Error::invalid(format!("keys must ascend, and \"{key}\" comes after \"{last}\"")));
        }
        let sink = self.sink.as_mut().ok_or_else(|| Error::closed("the load has ended"))?;
        sink.put(&self.core, &prefixed(self.id, key), value)?;
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
        self.rows += 1;
        Ok(())
    }

    /// Makes the keyspace visible, with all rows, in one commit that is as durable as the database's are, and returns how
    /// many rows there are. Takes time linear in the number of files of 64 MiB.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) and [`Invalid`](crate::ErrorKind::Invalid) when the name was
    /// taken meanwhile; [`Unavailable`](crate::ErrorKind::Unavailable); what
    /// [`Transaction::commit`](crate::Transaction::commit) returns. Nothing was loaded then, unless the outcome is
    /// [unknown](crate::ErrorKind::CommitOutcomeUnknown).
    pub fn finish(mut self) -> Result<u64> {
        self.sink.take().map_or(Ok(()), |sink| sink.finish(&self.core))?;
        commit_alone(&self.core, Isolation::Serializable, self.core.durability, |session| {
            check_free(session, &self.name)?;
            self.orphan.as_ref().map_or(Ok(()), |orphan| orphan.adopt(session))?;
            catalog::put(session, &self.name, &Definition::new(Kind::Keyspace, self.id))
        })?;
        self.orphan = None;
        Ok(self.rows)
    }
}

impl fmt::Debug for KeyspaceLoader {
    /// Without what is stored: that belongs to the user, not into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyspaceLoader").field("name", &self.name).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Drop for KeyspaceLoader {
    fn drop(&mut self) {
        self.sink = None; // removes its files
        if let Some(orphan) = &self.orphan {
            // Where it fails, as after a commit of unknown outcome, the next opening sees to it.
            let _ = orphan.reclaim(&self.core, Timestamp::ZERO);
        }
    }
}

/// Refuses a name that is taken.
fn check_free(session: &Session, name: &str) -> Result<()> {
    match catalog::find(session, name, Kind::Keyspace)? {
        None => Ok(()),
        Some(_) => {
            Err(Error::already_exists(format!("there is a keyspace {name:?} already, and only a new one is loaded")))
        }
    }
}
