//! The versions of a key whose values expire: where one has, it ends.

use blaze_core::{Result, Timestamp, Version, Versions};

use super::{NEVER_MS, split};

/// Milliseconds since 1970 that a timestamp cannot say any more.
const TIMESTAMP_MS_END: u64 = 1 << 48;

/// The versions as they were seen, made of those that were stored; the newest first.
pub(crate) struct SeenVersions {
    stored: Versions,
    read_ms: u64,
    /// While there was nothing, as far as that is known.
    absence: Option<Version>,
    /// What comes after the absence.
    value: Option<Version>,
}

impl SeenVersions {
    pub(crate) fn new(stored: Versions, read_ms: u64) -> SeenVersions {
        SeenVersions { stored, read_ms, absence: None, value: None }
    }

    fn step(&mut self) -> Result<Option<Version>> {
        loop {
            if let Some(value) = self.value.take() {
                return Ok(Some(value));
            }
            // Where the history begins with nothing there, there is nothing to tell.
            let Some(version) = self.stored.next().transpose()? else { return Ok(None) };
            self.take_in(version)?;
            if self.value.is_some()
                && let Some(absence) = self.absence.take()
            {
                return Ok(Some(absence));
            }
        }
    }

    fn take_in(&mut self, version: Version) -> Result<()> {
        let Version { from, until, value } = version;
        let Some(stored) = &value else {
            self.add_absence(from, until);
            return Ok(());
        };
        let (expiry_ms, value) = split(stored)?;
        let value = Some(value.to_vec());
        match self.expiry(expiry_ms, until) {
            None => self.value = Some(Version { from, until, value }),
            // It was over before it began.
            Some(expiry) if from.is_some_and(|from| expiry <= from) => self.add_absence(from, until),
            Some(expiry) => {
                self.add_absence(Some(expiry), until);
                self.value = Some(Version { from, until: Some(expiry), value });
            }
        }
        Ok(())
    }

    /// The time at which a value has expired, if it was there until then.
    fn expiry(&self, expiry_ms: u64, until: Option<Timestamp>) -> Option<Timestamp> {
        if expiry_ms == NEVER_MS || expiry_ms >= TIMESTAMP_MS_END {
            return None;
        }
        let expiry = Timestamp::from_ms(expiry_ms);
        let was_reached = until.map_or(expiry_ms <= self.read_ms, |until| expiry < until);
        was_reached.then_some(expiry)
    }

    /// Makes one absence of those that follow each other.
    fn add_absence(&mut self, from: Option<Timestamp>, until: Option<Timestamp>) {
        let until = self.absence.take().map_or(until, |later| later.until);
        self.absence = Some(Version { from, until, value: None });
    }
}

impl Iterator for SeenVersions {
    type Item = Result<Version>;

    fn next(&mut self) -> Option<Result<Version>> {
        self.step().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::store;
    use super::*;

    fn ts(ms: u64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    /// The versions seen at 100 ms of those stored: from, until, and when the value expires if there is one.
    fn seen(stored: &[(u64, Option<u64>, Option<u64>)]) -> Vec<(u64, Option<u64>, bool)> {
        let version = |(from, until, expiry): &(u64, Option<u64>, Option<u64>)| {
            let value = expiry.map(|expiry_ms| store(expiry_ms, b"v"));
            Ok(Version { from: Some(ts(*from)), until: until.map(ts), value })
        };
        let stored: Vec<Result<Version>> = stored.iter().map(version).collect();
        let seen = SeenVersions::new(Box::new(stored.into_iter()), 100).map(Result::unwrap);
        seen.map(|version| {
            assert!(version.value.as_ref().is_none_or(|value| value == b"v"));
            (version.from.unwrap().ms(), version.until.map(Timestamp::ms), version.value.is_some())
        })
        .collect()
    }

    #[test]
    fn a_value_ends_when_it_expires_and_nothing_follows_it() {
        assert_eq!(seen(&[(10, None, Some(50))]), [(50, None, false), (10, Some(50), true)]);
        assert_eq!(seen(&[(10, None, Some(101))]), [(10, None, true)]);
        assert_eq!(seen(&[(10, None, Some(0))]), [(10, None, true)]);
        assert_eq!(seen(&[(10, None, Some(u64::MAX))]), [(10, None, true)]);
    }

    #[test]
    fn one_absence_lasts_from_the_expiry_over_the_removal() {
        assert_eq!(seen(&[(60, None, None), (10, Some(60), Some(50))]), [(50, None, false), (10, Some(50), true)]);
        let replaced = [(80, None, Some(0)), (60, Some(80), None), (10, Some(60), Some(50))];
        assert_eq!(seen(&replaced), [(80, None, true), (50, Some(80), false), (10, Some(50), true)]);
    }

    #[test]
    fn a_value_that_was_replaced_in_time_did_not_expire() {
        let replaced = [(40, None, Some(0)), (10, Some(40), Some(50))];
        assert_eq!(seen(&replaced), [(40, None, true), (10, Some(40), true)]);
    }

    #[test]
    fn a_value_that_had_expired_when_it_was_put_was_never_there() {
        assert_eq!(seen(&[(10, None, Some(5))]), []);
        let between = [(30, None, Some(0)), (20, Some(30), Some(5)), (10, Some(20), Some(0))];
        assert_eq!(seen(&between), [(30, None, true), (20, Some(30), false), (10, Some(20), true)]);
    }
}
