//! Bulk load of a keyspace: rows in order.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Durability, Error, Family, Isolation, Result, Timestamp};

use super::sink::Sink;
use crate::catalog::{self, Definition, Kind, Orphan, prefix, prefixed, validate_key, validate_value};
use crate::database::core::Core;
use crate::expiry::{self, Entry, Expires, NEVER_MS};
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
    /// True if values may expire.
    expiring: bool,
    /// What says when they do, in no order, and so always by commits.
    entries: Sink,
    /// The ranges of the keys, until the keyspace has its name.
    orphans: Vec<Orphan>,
}

impl KeyspaceLoader {
    pub(crate) fn begin(core: &Arc<Core>, name: &str, expiring: bool) -> Result<KeyspaceLoader> {
        catalog::validate_name(name, Kind::Keyspace.as_str())?;
        Scope::Database(Arc::clone(core)).read(|session| check_free(session, name))?;
        let id = catalog::allocate(core)?;
        let families = if expiring { &[Family::Data, Family::Index][..] } else { &[Family::Data] };
        let orphans: Vec<_> = families.iter().map(|family| Orphan::new(*family, prefix(id))).collect();
        commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
            orphans.iter().try_for_each(|orphan| orphan.declare(session))
        })?;
        let mut loader = KeyspaceLoader {
            core: Arc::clone(core),
            name: name.to_owned(),
            id,
            sink: None,
            last: None,
            rows: 0,
            expiring,
            entries: Sink::by_commits(Family::Index),
            orphans,
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
        self.put_until(key.as_ref(), value.as_ref(), NEVER_MS)
    }

    /// As [`put`](KeyspaceLoader::put), with a value that expires as `expires` says; a time to live begins with the call. What
    /// the database keeps beside the value in order to remove it then passes through the log.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blaze::{Database, Expires};
    ///
    /// let db = Database::temporary()?;
    /// let mut pages = db.load_expiring_keyspace("pages")?;
    /// pages.put_expiring("about", "<html>", Expires::After(Duration::from_secs(60)))?;
    /// pages.put("home", "<html>")?;
    /// assert_eq!(pages.finish()?, 2);
    /// assert!(db.keyspace("pages")?.expires_at("about")?.is_some());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`put`](KeyspaceLoader::put); as [`Keyspace::put_expiring`](crate::Keyspace::put_expiring) for what is no expiry, and
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the keyspace is not to expire.
    pub fn put_expiring(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, expires: Expires) -> Result<()> {
        if !self.expiring {
            let name = &self.name;
            let message = format!("the keyspace {name:?} does not expire: load it by load_expiring_keyspace");
            return Err(Error::unsupported(message));
        }
        let expiry_ms = expires.at_ms(self.core.now_ms(self.core.store.head()?.ts))?;
        self.put_until(key.as_ref(), value.as_ref(), expiry_ms)
    }

    fn put_until(&mut self, key: &[u8], value: &[u8], expiry_ms: u64) -> Result<()> {
        validate_key(key)?;
        validate_value(value)?;
        if let Some(last) = self.last.as_deref().filter(|last| key <= *last) {
            let (key, last) = (key.escape_ascii(), last.escape_ascii());
            return Err(Error::invalid(format!("keys must ascend, and \"{key}\" comes after \"{last}\"")));
        }
        let sink = self.sink.as_mut().ok_or_else(|| Error::closed("the load has ended"))?;
        if expiry_ms != NEVER_MS {
            // Before the value: an entry without one does no harm.
            self.entries.put(&self.core, &Entry { expiry_ms, key }.index_key(self.id), &[])?;
        }
        let stored = match self.expiring {
            true => Cow::Owned(expiry::store(expiry_ms, value)),
            false => Cow::Borrowed(value),
        };
        sink.put(&self.core, &prefixed(self.id, key), &stored)?;
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
        std::mem::replace(&mut self.entries, Sink::by_commits(Family::Index)).finish(&self.core)?;
        fault::reached(Point::KeysUnseen);
        commit_alone(&self.core, Isolation::Serializable, self.core.durability, |session| {
            check_free(session, &self.name)?;
            self.orphans.iter().try_for_each(|orphan| orphan.adopt(session))?;
            let definition = Definition { expiring: self.expiring, ..Definition::new(Kind::Keyspace, self.id) };
            match self.expiring {
                true => catalog::define_expiring(session, &self.name, &definition),
                false => catalog::put(session, &self.name, &definition),
            }
        })?;
        self.orphans.clear();
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
        for orphan in &self.orphans {
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
