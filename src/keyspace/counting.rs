//! Counters in a keyspace.

use std::cell::Cell;

use blaze_core::{Family, Result, Write, counter};

use super::{Keyspace, put, view};
use crate::catalog::{prefixed, validate_key};
use crate::expiry::{self, NEVER_MS};
use crate::session::{Scope, Session};

impl Keyspace {
    /// Adds `delta` to the counter under `key`, which counts from zero if it is not there.
    ///
    /// Additions never conflict with each other, however many transactions add to one counter at once; with a transaction
    /// that has read it they do. The value is an `i64` of 8 bytes in big-endian order, which [`get`](Keyspace::get) and
    /// [`counter`](Keyspace::counter) read and [`put`](Keyspace::put) may set.
    ///
    /// ```
    /// let db = blaze::Database::in_memory()?;
    /// let visits = db.keyspace("visits")?;
    /// visits.add("home", 2)?;
    /// db.transaction(|tx| tx.keyspace("visits")?.add("home", 3))?;
    /// assert_eq!(visits.counter("home")?, 5);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// In an [expiring keyspace](crate::Database::expiring_keyspace) an addition reads the counter, keeps its expiry, and
    /// conflicts with others as any change does; it is tried again, and in a transaction it can make that one fail. A counter
    /// that has expired counts from zero again, and then never expires.
    ///
    /// # Errors
    /// As [`put`](Keyspace::put); [`Invalid`](crate::ErrorKind::Invalid) when the value is no counter and
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the sum is beyond an `i64`: in a transaction that may be
    /// found out when it is committed, of which nothing is written then.
    pub fn add(&self, key: impl AsRef<[u8]>, delta: i64) -> Result<()> {
        let key = key.as_ref();
        validate_key(key)?;
        let is_done = match &self.scope {
            Scope::Database(_) => {
                let is_plain = Cell::new(true);
                self.write(|target| {
                    is_plain.set(!target.expiring);
                    let add = || Write::Add { family: Family::Data, key: prefixed(target.id, key), delta };
                    Ok([is_plain.get().then(add), None])
                })?;
                is_plain.get()
            }
            Scope::Session(session) => {
                let target = self.named.target(session)?;
                if !target.expiring {
                    session.add(Family::Data, prefixed(target.id, key), delta)?;
                }
                !target.expiring
            }
        };
        match is_done {
            true => Ok(()),
            false => self.scope.write(|session| self.add_by_reading(session, key, delta)),
        }
    }

    /// Adds to a counter that may have expired, which only who reads it can tell.
    fn add_by_reading(&self, session: &Session, key: &[u8], delta: i64) -> Result<()> {
        let target = self.named.target(session)?;
        let stored = session.get(Family::Data, &prefixed(target.id, key))?;
        let value = stored.as_deref().map(|stored| view(session, target).show(stored)).transpose()?.flatten();
        let expiry_ms = match (value, stored.as_deref()) {
            (Some(_), Some(stored)) if target.expiring => expiry::split(stored)?.0,
            _ => NEVER_MS,
        };
        session.write(put(target, key, &counter::encode(counter::add(value, delta)?), expiry_ms))
    }

    /// The counter under `key`; zero if it is not there.
    ///
    /// # Errors
    /// As [`get`](Keyspace::get); [`Invalid`](crate::ErrorKind::Invalid) when the value is no counter.
    pub fn counter(&self, key: impl AsRef<[u8]>) -> Result<i64> {
        self.get_with(key, counter::decode)?.unwrap_or(Ok(0))
    }
}
