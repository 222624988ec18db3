//! Keyspaces: raw bytes to raw bytes.

mod counting;
mod expiring;
mod key;
mod key_values;
mod past;

use std::iter;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use blaze_core::{CommitRequest, Direction, Family, KeyRange, ReadPoint, Result, Write};

use key::{borrowed, key_range};
pub use key_values::KeyValues;

use crate::catalog::{Kind, Named, Target, prefix, prefixed, validate_key, validate_value, with_prefixed};
use crate::expiry::{self, Entry, NEVER_MS, ValueView};
use crate::session::{RetryLimits, Scope, Session, retry};

/// An ordered map from raw bytes to raw bytes.
///
/// Taken from a [`Database`](crate::Database), each operation is a commit of its own; taken from a
/// [`Transaction`](crate::Transaction), it belongs to that.
///
/// ```
/// use blaze::Database;
///
/// let db = Database::temporary()?;
/// let sessions = db.keyspace("sessions")?;
/// sessions.put("ann", "token 1")?;
/// sessions.put("bob", "token 2")?;
/// assert_eq!(sessions.get("ann")?.as_deref(), Some(b"token 1".as_slice()));
///
/// let from_b: Vec<_> = sessions.range("b"..)?.collect::<Result<_, _>>()?;
/// assert_eq!(from_b, [(b"bob".to_vec(), b"token 2".to_vec())]);
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "column family")]
pub struct Keyspace {
    pub(crate) scope: Scope,
    pub(crate) named: Arc<Named>,
}

impl Keyspace {
    pub(crate) fn open(scope: Scope, name: &str) -> Result<Keyspace> {
        let named = Named::open(&scope, name, Kind::Keyspace)?;
        Ok(Keyspace { scope, named })
    }

    pub(crate) fn open_expiring(scope: Scope, name: &str) -> Result<Keyspace> {
        let named = Named::open_expiring(&scope, name)?;
        Ok(Keyspace { scope, named })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.named.name()
    }

    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a bad key;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the keyspace was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        self.get_with(key, <[u8]>::to_vec)
    }

    /// What `read` makes of the value under `key`, if there is one; spares the copy that [`get`](Keyspace::get) makes.
    ///
    /// `read` runs while the value is lent: it should be quick, and must not call the database.
    ///
    /// ```
    /// let db = blaze::Database::in_memory()?;
    /// let pages = db.keyspace("pages")?;
    /// pages.put("home", "<html></html>")?;
    /// assert_eq!(pages.get_with("home", |page| page.len())?, Some(13));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn get_with<R>(&self, key: impl AsRef<[u8]>, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        let (mut read, mut result) = (Some(read), None);
        self.visit(key.as_ref(), &mut |value| result = read.take().map(|read| read(value)))?;
        Ok(result)
    }

    /// The values under `keys`, at one moment: in their order, `None` where there is none. Faster than one by one.
    ///
    /// ```
    /// let db = blaze::Database::in_memory()?;
    /// let letters = db.keyspace("letters")?;
    /// letters.put("a", "1")?;
    /// assert_eq!(letters.get_many(["b", "a"])?, [None, Some(b"1".to_vec())]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn get_many(&self, keys: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Vec<Option<Vec<u8>>>> {
        self.scope.read(|session| {
            let target = self.named.target(session)?;
            let (id, view) = (target.id, view(session, target));
            let (mut bytes, mut ends) = (Vec::new(), Vec::new());
            for key in keys {
                validate_key(key.as_ref())?;
                bytes.extend_from_slice(&prefix(id));
                bytes.extend_from_slice(key.as_ref());
                ends.push(bytes.len());
            }
            let starts = iter::once(0).chain(ends.iter().copied());
            let keys: Vec<&[u8]> = starts.zip(&ends).map(|(start, end)| &bytes[start..*end]).collect();
            let mut values = vec![None; keys.len()];
            session.visit_many(Family::Data, &keys, &mut |position, value| {
                let value = value.map(|stored| view.show(stored)).transpose()?;
                values[position] = value.flatten().map(<[u8]>::to_vec);
                Ok(())
            })?;
            Ok(values)
        })
    }

    /// As [`get`](Keyspace::get) in a transaction, whose commit is refused if the key changes before it, under
    /// [snapshot isolation](crate::Isolation::Snapshot), too: for a value that what the transaction writes depends upon.
    ///
    /// ```
    /// let db = blaze::Database::in_memory()?;
    /// db.keyspace("rates")?.put("eur", "1.1")?;
    /// db.transaction(|tx| {
    ///     let rate = tx.keyspace("rates")?.get_for_update("eur")?;
    ///     tx.keyspace("prices")?.put("book", rate.unwrap_or_default())
    /// })?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Keyspace::get); [`Invalid`](crate::ErrorKind::Invalid) outside of a transaction.
    pub fn get_for_update(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        validate_key(key.as_ref())?;
        let session = self.scope.transaction()?;
        let target = self.named.target(session)?;
        let stored = with_prefixed(target.id, key.as_ref(), |key| session.get_for_update(Family::Data, key))?;
        stored.map_or(Ok(None), |stored| view(session, target).show_owned(stored))
    }

    /// True if there is a value under `key`.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.visit(key.as_ref(), &mut |_| {})
    }

    /// Sets the value under `key`. It never expires, whatever was there before.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get), and [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for a value above
    /// [`VALUE_BYTES_MAX`](crate::limits::VALUE_BYTES_MAX) or a transaction that grows too large.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        validate_key(key)?;
        validate_value(value)?;
        self.write(|target| Ok([Some(put(target, key, value, NEVER_MS)), None]))
    }

    /// Removes `key`. It costs no read, so it does not say whether the key was there.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get).
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<()> {
        validate_key(key.as_ref())?;
        self.write(|target| Ok([Some(Write::delete(Family::Data, prefixed(target.id, key.as_ref()))), None]))
    }

    /// Removes all keys of a range; in constant time, unless the keyspace has a [history](Keyspace::set_history).
    ///
    /// # Errors
    /// As [`get`](Keyspace::get); [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the history would have to remember
    /// too much.
    pub fn delete_range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<()> {
        let (start, end) = (borrowed(range.start_bound()), borrowed(range.end_bound()));
        self.scope.write(|session| {
            let target = self.named.target(session)?;
            if target.expiring && (start, end) == (Bound::Unbounded, Bound::Unbounded) {
                session.delete_range(Family::Index, Entry::all(target.id))?; // else each goes when its time has come
            }
            session.delete_range(Family::Data, key_range(target.id, start, end))
        })
    }

    /// Removes all keys.
    ///
    /// # Errors
    /// As [`delete_range`](Keyspace::delete_range).
    pub fn clear(&self) -> Result<()> {
        self.delete_range::<&[u8]>(..)
    }

    /// The keys of a range and their values in ascending order, at one moment. The iterator owns what it needs.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the keyspace was dropped; [`Closed`](crate::ErrorKind::Closed).
    pub fn range<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<KeyValues> {
        let (start, end) = (borrowed(range.start_bound()), borrowed(range.end_bound()));
        self.walk(Direction::Forward, |id| key_range(id, start, end))
    }

    /// The keys of a range and their values in descending order.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn range_reverse<K: AsRef<[u8]>>(&self, range: impl RangeBounds<K>) -> Result<KeyValues> {
        let (start, end) = (borrowed(range.start_bound()), borrowed(range.end_bound()));
        self.walk(Direction::Reverse, |id| key_range(id, start, end))
    }

    /// All keys and their values in ascending order.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn iter(&self) -> Result<KeyValues> {
        self.walk(Direction::Forward, |id| KeyRange::prefix(&prefix(id)))
    }

    /// The keys that begin with `prefix` and their values in ascending order.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn prefix(&self, prefix: impl AsRef<[u8]>) -> Result<KeyValues> {
        self.walk(Direction::Forward, |id| KeyRange::prefix(&prefixed(id, prefix.as_ref())))
    }

    /// How many keys there are. Takes time linear in their number.
    ///
    /// # Errors
    /// As [`range`](Keyspace::range).
    pub fn count(&self) -> Result<u64> {
        self.scope.read(|session| {
            let target = self.named.target(session)?;
            let keys = KeyRange::prefix(&prefix(target.id));
            if !target.expiring {
                return session.count(Family::Data, &keys);
            }
            let (view, mut count) = (view(session, target), 0);
            let mut cursor = session.cursor(Family::Data, &keys, Direction::Forward)?;
            while let Some((_, stored)) = cursor.next()? {
                count += u64::from(view.show(stored)?.is_some());
            }
            Ok(count)
        })
    }

    /// Calls `visit` with the value under `key`, if there is one, and says whether there was.
    fn visit(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let mut found = false;
        self.visit_stored(key, &mut |view, stored| {
            if let Some(value) = view.show(stored)? {
                visit(value);
                found = true;
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls `visit` with what is stored under `key`, if there is anything, and with what is to be seen of it.
    fn visit_stored(&self, key: &[u8], visit: &mut dyn FnMut(ValueView, &[u8]) -> Result<()>) -> Result<()> {
        validate_key(key)?;
        match &self.scope {
            Scope::Database(core) => {
                let mut visit_at = |point: &dyn ReadPoint, id, expiring| {
                    let view = match expiring {
                        true => ValueView::Expiring { read_ms: core.now_ms(point.ts()) },
                        false => ValueView::Plain,
                    };
                    with_prefixed(id, key, |key| point.visit(Family::Data, key, &mut |stored| visit(view, stored)))
                };
                let mut is_known = false;
                core.store.read_now(&mut |point| {
                    let Some(place) = self.named.place_in(point.catalog_ts()) else { return Ok(()) };
                    is_known = true;
                    visit_at(point, place.id, place.expiring).map(drop)
                })?;
                if is_known {
                    return Ok(());
                }
                let point = core.store.read_only_point()?;
                let target = self.named.target_at(core, &point)?;
                visit_at(&*point, target.id, target.expiring)
            }
            Scope::Session(session) => {
                let target = self.named.target(session)?;
                let view = view(session, target);
                with_prefixed(target.id, key, |key| session.visit(Family::Data, key, &mut |stored| visit(view, stored)))
            }
        }
        .map(drop)
    }

    /// Makes up to two writes that belong together, which on the database are a commit of their own.
    fn write(&self, writes: impl Fn(Target) -> Result<[Option<Write>; 2]>) -> Result<()> {
        match &self.scope {
            Scope::Database(core) => retry(core, RetryLimits::default(), || {
                core.check_writable()?;
                let head = core.store.head()?;
                let (read_ts, target) = match self.named.target_in(head.catalog_ts) {
                    Some(target) => (head.ts, target),
                    None => {
                        let point = core.store.read_only_point()?;
                        (point.ts(), self.named.target_at(core, &point)?)
                    }
                };
                core.store.commit(CommitRequest {
                    read_ts,
                    guards: vec![self.named.guard()],
                    writes: match writes(target)? {
                        [Some(only), None] => vec![only],
                        all => all.into_iter().flatten().collect(),
                    },
                    tracked: target.tracked.into_iter().collect(),
                    durability: core.durability,
                    ..CommitRequest::default() // nothing was read: no isolation asks for more
                })?;
                if target.tracked.is_some() || target.expiring {
                    core.retention.apply_if_due(core);
                }
                Ok(())
            }),
            Scope::Session(session) => {
                let writes = writes(self.named.target(session)?)?;
                match writes {
                    [Some(write), None] => session.write_alone(write),
                    writes => {
                        session.atomically(|| writes.into_iter().flatten().try_for_each(|one| session.write(one)))
                    }
                }
            }
        }
    }

    fn walk(&self, direction: Direction, range: impl FnOnce(u32) -> KeyRange) -> Result<KeyValues> {
        self.scope.read(|session| {
            let target = self.named.target(session)?;
            let cursor = session.cursor(Family::Data, &range(target.id), direction)?;
            Ok(KeyValues::new(cursor, view(session, target), session))
        })
    }
}

/// What a session sees of stored values.
fn view(session: &Session, target: Target) -> ValueView {
    match target.expiring {
        true => ValueView::Expiring { read_ms: session.read_ms() },
        false => ValueView::Plain,
    }
}

/// Puts a value, which expires only where values can.
fn put(target: Target, key: &[u8], value: &[u8], expiry_ms: u64) -> Write {
    let stored = match target.expiring {
        true => expiry::store(expiry_ms, value),
        false => value.to_vec(),
    };
    Write::put(Family::Data, prefixed(target.id, key), stored)
}
