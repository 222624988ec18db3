//! Values that expire: how long they live, how that is stored, and what is seen of them.

mod entry;
mod stored;
mod versions;

use std::time::Duration;

use blaze_core::{Error, Result, Time};

pub(crate) use entry::{Entry, Rebuild};
pub(crate) use stored::{NEVER_MS, ValueView, expiry_of, split, store};
pub(crate) use versions::SeenVersions;

/// The last moment that a [`Time`] can name, in milliseconds since 1970: some time in the year 294247.
const LAST_MS: u64 = i64::MAX as u64 / 1_000;

/// Until when a value of an [expiring keyspace](crate::Database::expiring_keyspace) is there.
///
/// ```
/// use std::time::Duration;
/// use blaze::{Database, Expires};
///
/// let db = Database::in_memory()?;
/// let sessions = db.expiring_keyspace("sessions")?;
/// sessions.put_expiring("ann", "token 1", Expires::After(Duration::from_secs(3_600)))?;
/// sessions.put_expiring("bob", "token 2", Expires::At("2999-12-31T23:59:59Z".parse()?))?;
/// sessions.put("root", "token 3")?;
/// assert_eq!(sessions.expires_at("bob")?.unwrap().to_string(), "2999-12-31T23:59:59Z");
/// assert_eq!(sessions.expires_at("root")?, None);
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "ttl")]
pub enum Expires {
    /// It stays until it is deleted or replaced.
    Never,
    /// It is there for so long, counted in whole milliseconds from the call; at least one.
    After(Duration),
    /// It is there until this moment after 1970-01-01. One that has passed is allowed: nobody sees the value then.
    At(Time),
}

impl Expires {
    /// When that is for a call at `now_ms`, as it is stored: milliseconds since 1970.
    pub(crate) fn at_ms(self, now_ms: u64) -> Result<u64> {
        match self {
            Expires::Never => Ok(NEVER_MS),
            Expires::After(life) if life.as_millis() == 0 => {
                Err(Error::invalid(format!("a value is to expire after {life:?}, at least 1 ms is needed")))
            }
            Expires::After(life) => {
                let at_ms = u64::try_from(life.as_millis()).ok().and_then(|life_ms| now_ms.checked_add(life_ms));
                at_ms.filter(|at_ms| *at_ms <= LAST_MS).ok_or_else(|| {
                    Error::invalid(format!("a value is to expire after {life:?}, which is beyond all time: say Never"))
                })
            }
            // Not before that moment: a part of a millisecond counts as a whole one.
            Expires::At(moment) => match u64::try_from(moment.micros()) {
                Ok(micros @ 1..) => Ok(micros.div_ceil(1_000).min(LAST_MS)),
                _ => Err(Error::invalid(format!("a value is to expire at {moment}, which is not after 1970-01-01"))),
            },
        }
    }
}

/// The moment at which a value expires, if it ever does.
pub(crate) fn moment(expiry_ms: u64) -> Option<Time> {
    let micros = i64::try_from(expiry_ms.min(LAST_MS) * 1_000).unwrap_or(i64::MAX);
    (expiry_ms != NEVER_MS).then_some(Time::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_counted_in_whole_milliseconds_from_the_call() {
        let at_ms = |expires: Expires| expires.at_ms(1_000).unwrap();
        assert_eq!(at_ms(Expires::Never), 0);
        assert_eq!(at_ms(Expires::After(Duration::from_micros(2_999))), 1_002);
        assert_eq!(at_ms(Expires::At(Time::from_micros(5_000))), 5);
        assert_eq!(at_ms(Expires::At(Time::from_micros(5_001))), 6);
    }

    #[test]
    fn what_is_no_life_is_refused_with_its_length() {
        let message = |expires: Expires| expires.at_ms(1_000).unwrap_err().to_string();
        assert!(message(Expires::After(Duration::ZERO)).contains("after 0ns, at least 1 ms"));
        assert!(message(Expires::After(Duration::from_micros(999))).contains("999µs"));
        assert!(message(Expires::After(Duration::MAX)).contains("beyond all time"));
        assert!(message(Expires::After(Duration::from_millis(LAST_MS))).contains("beyond all time"));
        assert!(message(Expires::At(Time::from_micros(0))).contains("1970-01-01T00:00:00Z"));
        assert!(message(Expires::At(Time::from_micros(-1))).contains("not after 1970-01-01"));
    }

    #[test]
    fn the_last_moment_of_all_can_be_stored_and_named() {
        let last = Expires::At(Time::from_micros(i64::MAX)).at_ms(0).unwrap();
        assert_eq!(last, LAST_MS);
        assert_eq!(moment(last), Some(Time::from_micros(i64::MAX / 1_000 * 1_000)));
        assert_eq!(moment(u64::MAX), moment(last));
        assert_eq!(moment(NEVER_MS), None);
    }
}
