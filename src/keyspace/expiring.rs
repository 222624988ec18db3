//! Values that expire.

use blaze_core::{Error, Family, Result, Time};

use super::{Keyspace, put, view};
use crate::catalog::{Target, prefixed, validate_key, validate_value};
use crate::expiry::{self, Entry, Expires, NEVER_MS, ValueView};
use crate::session::{Scope, Session};

impl Keyspace {
    /// Sets the value under `key`, which expires as `expires` says. From then on nobody who begins to read sees it; its
    /// space comes back a little later.
    ///
    /// It costs no read, and what was there before, with its expiry, is replaced.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use blaze::{Database, Expires, ManualClock};
    ///
    /// let clock = Arc::new(ManualClock::at_ms(1_000));
    /// let db = Database::builder().clock(clock.clone()).in_memory()?;
    /// let sessions = db.expiring_keyspace("sessions")?;
    /// sessions.put_expiring("ann", "token", Expires::After(Duration::from_secs(60)))?;
    /// let before = db.snapshot()?;
    /// clock.advance_ms(60_000);
    /// assert_eq!(sessions.get("ann")?, None);
    /// assert!(before.keyspace("sessions")?.contains("ann")?);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`put`](Keyspace::put); [`Invalid`](crate::ErrorKind::Invalid) for a time to live below a millisecond or beyond
    /// all time, and for a moment before 1970; [`Unsupported`](crate::ErrorKind::Unsupported) in a keyspace that was not
    /// made by [`expiring_keyspace`](crate::Database::expiring_keyspace).
    #[doc(alias = "ttl")]
    pub fn put_expiring(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, expires: Expires) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        validate_key(key)?;
        validate_value(value)?;
        let now_ms = match &self.scope {
            Scope::Database(core) => core.now_ms(core.store.head()?.ts),
            Scope::Session(session) => session.core().now_ms(session.read_ts()),
        };
        let expiry_ms = expires.at_ms(now_ms)?;
        self.write(|target| {
            self.check_expiring(target)?;
            let entry = Entry { expiry_ms, key };
            let entry = (expiry_ms != NEVER_MS).then(|| entry.put(target.id));
            Ok([Some(put(target, key, value, expiry_ms)), entry])
        })
    }

    /// The moment from which on nobody who begins to read sees the value under `key`. None if it never expires, and if there
    /// is none; [`contains`](Keyspace::contains) tells which.
    ///
    /// ```
    /// use blaze::{Database, Expires};
    ///
    /// let db = Database::in_memory()?;
    /// let sessions = db.expiring_keyspace("sessions")?;
    /// let new_year = "2999-01-01T00:00:00Z".parse()?;
    /// sessions.put_expiring("ann", "token", Expires::At(new_year))?;
    /// assert_eq!(sessions.expires_at("ann")?, Some(new_year));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Keyspace::get); [`Unsupported`](crate::ErrorKind::Unsupported) in a keyspace that does not expire.
    pub fn expires_at(&self, key: impl AsRef<[u8]>) -> Result<Option<Time>> {
        self.scope.read(|session| self.check_expiring(self.named.target(session)?))?;
        let mut expiry_ms = NEVER_MS;
        self.visit_stored(key.as_ref(), &mut |view, stored| {
            // A plain one has been put in its place since.
            if view != ValueView::Plain && view.show(stored)?.is_some() {
                expiry_ms = expiry::split(stored)?.0;
            }
            Ok(())
        })?;
        Ok(expiry::moment(expiry_ms))
    }

    /// Changes when the value under `key` expires, and leaves the value as it is; says whether there was one. One that has
    /// expired does not come back.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blaze::{Database, Expires};
    ///
    /// let db = Database::in_memory()?;
    /// let sessions = db.expiring_keyspace("sessions")?;
    /// sessions.put_expiring("ann", "token", Expires::After(Duration::from_secs(60)))?;
    /// assert!(sessions.set_expiry("ann", Expires::Never)?);
    /// assert!(!sessions.set_expiry("bob", Expires::Never)?);
    /// assert_eq!(sessions.expires_at("ann")?, None);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`put_expiring`](Keyspace::put_expiring); [`Conflict`](crate::ErrorKind::Conflict) when others changed the value
    /// at every try.
    #[doc(alias = "persist")]
    pub fn set_expiry(&self, key: impl AsRef<[u8]>, expires: Expires) -> Result<bool> {
        let key = key.as_ref();
        validate_key(key)?;
        self.scope.write(|session| {
            let target = self.named.target(session)?;
            self.check_expiring(target)?;
            let expiry_ms = expires.at_ms(session.core().now_ms(session.read_ts()))?;
            let Some(stored) = session.get(Family::Data, &prefixed(target.id, key))? else { return Ok(false) };
            let Some(value) = view(session, target).show(&stored)? else { return Ok(false) };
            let old_ms = expiry::split(&stored)?.0;
            change_entry(session, target, key, old_ms, expiry_ms)?;
            session.write(put(target, key, value, expiry_ms))?;
            Ok(true)
        })
    }

    /// Refuses what only values that expire can do.
    fn check_expiring(&self, target: Target) -> Result<()> {
        match target.expiring {
            true => Ok(()),
            false => {
                let name = self.name();
                Err(Error::unsupported(format!("the keyspace {name:?} does not expire: make it by expiring_keyspace")))
            }
        }
    }
}

/// Has the index tell of the new expiry of a key in the place of the old one.
fn change_entry(session: &Session, target: Target, key: &[u8], old_ms: u64, new_ms: u64) -> Result<()> {
    let entry = |expiry_ms| Entry { expiry_ms, key };
    if old_ms == new_ms {
        return Ok(());
    }
    if old_ms != NEVER_MS {
        session.delete(Family::Index, entry(old_ms).index_key(target.id))?;
    }
    match new_ms {
        NEVER_MS => Ok(()),
        new_ms => session.write(entry(new_ms).put(target.id)),
    }
}
