//! Instants.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// An instant: microseconds since the Unix epoch, before it too.
///
/// It is read and written as RFC 3339 says, and years outside 0000 to 9999 as ISO 8601 does, with a sign and six
/// digits. Leap seconds have no microseconds of their own: second 60 is the first of the next minute.
///
/// ```
/// use blaze_core::Time;
///
/// let landing: Time = "1969-07-20T16:17:40.5-04:00".parse()?;
/// assert_eq!(landing.to_string(), "1969-07-20T20:17:40.5Z");
/// assert_eq!(landing.micros(), -14_182_939_500_000);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Time {
    /// The instant so many microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Time {
        Time(micros)
    }

    /// The instant so many milliseconds after the Unix epoch, as a [`Clock`](crate::Clock) counts them; the last
    /// instant that there is for more than it can hold.
    #[must_use]
    pub fn from_millis(millis: u64) -> Time {
        Time(i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of_days(self.0.div_euclid(DAY));
        let in_day = self.0.rem_euclid(DAY);
        match year {
            0..=9999 => write!(f, "{year:04}")?,
            _ => write!(f, "{year:+07}")?,
        }
        let seconds = in_day / SECOND;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if in_day % SECOND != 0 {
            let digits = format!("{:06}", in_day % SECOND);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Time {
    type Err = Error;

    /// Reads an RFC 3339 date and time with its offset from UTC. Digits beyond the microsecond are cut off.
    fn from_str(text: &str) -> Result<Time> {
        let refuse = |reason: String| Error::invalid(format!("{text:?} is not an RFC 3339 time: {reason}"));
        let micros = Parser { rest: text }.time().map_err(refuse)?;
        i64::try_from(micros).map(Time).map_err(|_| refuse("it is more than 2^63 microseconds from 1970".to_owned()))
    }
}

/// Reads the parts of a time; errors are the reason alone.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn time(mut self) -> Result<i128, String> {
        let year = match self.rest.as_bytes().first() {
            Some(b'+') => self.after("+")?.number("year", 6, 0, 999_999)?,
            Some(b'-') => -self.after("-")?.number("year", 6, 1, 999_999)?,
            _ => self.number("year", 4, 0, 9999)?,
        };
        let month = self.after("-")?.number("month", 2, 1, 12)?;
        let day = self.after("-")?.number("day", 2, 1, 31)?;
        if day > days_in_month(year, month) {
            return Err(format!("day {day} is not in month {month} of {year}"));
        }
        let hour = self.after("Tt ")?.number("hour", 2, 0, 23)?;
        let minute = self.after(":")?.number("minute", 2, 0, 59)?;
        let second = self.after(":")?.number("second", 2, 0, 60)?;
        let fraction = self.fraction()?;
        let offset_minutes = self.offset_minutes()?;
        if !self.rest.is_empty() {
            return Err(format!("{:?} follows its end", self.rest));
        }
        let seconds = days_of_date(year, month, day) * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
        Ok(i128::from(seconds) * i128::from(SECOND) + i128::from(fraction))
    }

    /// Steps over one of `separators`.
    fn after(&mut self, separators: &str) -> Result<&mut Self, String> {
        match self.rest.chars().next() {
            Some(found) if separators.contains(found) => {
                self.rest = &self.rest[found.len_utf8()..];
                Ok(self)
            }
            Some(found) => Err(format!("{found:?} stands where {separators:?} is needed")),
            None => Err(format!("it ends where {separators:?} is needed")),
        }
    }

    fn number(&mut self, name: &str, digits: usize, low: i64, high: i64) -> Result<i64, String> {
        let part = self.rest.get(..digits).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let part = part.ok_or_else(|| format!("{digits} digits are needed for the {name}"))?;
        self.rest = &self.rest[digits..];
        let number = part.parse().map_err(|_| format!("{name} {part} is no number"))?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(format!("{name} {part} is not in {low}..={high}")) }
    }

    /// Microseconds after the point, if there is one.
    fn fraction(&mut self) -> Result<i64, String> {
        if !self.rest.starts_with('.') {
            return Ok(0);
        }
        let digits = &self.after(".")?.rest;
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = digits.split_at(length);
        if digits.is_empty() {
            return Err("no digit follows the point".to_owned());
        }
        self.rest = rest;
        let micros = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
        Ok(micros.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn offset_minutes(&mut self) -> Result<i64, String> {
        let sign = match self.rest.as_bytes().first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return self.after("Zz+-").map(|_| 0),
        };
        let hours = self.after("+-")?.number("offset hour", 2, 0, 23)?;
        let minutes = self.after(":")?.number("offset minute", 2, 0, 59)?;
        Ok(sign * (hours * 60 + minutes))
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// Years begin in March here, so that the leap day is their last: Howard Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil` and `civil_from_days`.
pub(crate) fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of the date so many days after 1970-01-01.
pub(crate) fn date_of_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Time>().unwrap_or_else(|error| panic!("{error}")).micros()
    }

    #[test]
    fn known_instants_are_read_and_written() {
        let known = [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-02-29T12:30:00.25Z", 951_827_400_250_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("-000001-12-31T00:00:00Z", -62_167_305_600_000_000),
            ("+010000-01-01T00:00:00Z", 253_402_300_800_000_000),
            ("+294247-01-10T04:00:54.775807Z", i64::MAX),
            ("-290308-12-21T19:59:05.224192Z", i64::MIN),
        ];
        for (text, instant) in known {
            assert_eq!(micros(text), instant, "{text}");
            assert_eq!(Time::from_micros(instant).to_string(), text);
        }
    }

    #[test]
    fn other_spellings_are_read() {
        let instant = micros("2024-03-01T00:00:00Z");
        assert_eq!(micros("2024-03-01t00:00:00z"), instant);
        assert_eq!(micros("2024-03-01 00:00:00.0000009Z"), instant);
        assert_eq!(micros("2024-03-01T05:30:00+05:30"), instant);
        assert_eq!(micros("2024-02-29T23:00:00-01:00"), instant);
        assert_eq!(micros("2024-02-29T23:59:60Z"), instant);
    }

    #[test]
    fn what_is_no_time_is_refused_with_the_reason() {
        let refused = [
            ("", "4 digits are needed for the year"),
            ("2024-13-01T00:00:00Z", "month 13 is not in 1..=12"),
            ("2023-02-29T00:00:00Z", "day 29 is not in month 2 of 2023"),
            ("1900-02-29T00:00:00Z", "day 29 is not in month 2 of 1900"),
            ("2024-01-01T24:00:00Z", "hour 24 is not in 0..=23"),
            ("2024-01-01T00:00:61Z", "second 61 is not in 0..=60"),
            ("2024-01-01T00:00:00", "it ends where \"Zz+-\" is needed"),
            ("2024-01-01T00:00:00.Z", "no digit follows the point"),
            ("2024-01-01T00:00:00+24:00", "offset hour 24 is not in 0..=23"),
            ("2024-01-01T00:00:00Z ", "\" \" follows its end"),
            ("2024-01-01", "it ends where \"Tt \" is needed"),
            ("2024é01", "'é' stands where \"-\" is needed"),
            ("20é", "4 digits are needed for the year"),
            ("+294247-01-10T04:00:54.775808Z", "2^63 microseconds"),
            ("-999999-01-01T00:00:00Z", "2^63 microseconds"),
            ("-000000-01-01T00:00:00Z", "year 000000 is not in 1..=999999"),
        ];
        for (text, reason) in refused {
            let error = text.parse::<Time>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?} gave: {error}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(micros: i64) {
            let time = Time::from_micros(micros);
            prop_assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        }

        #[test]
        fn days_follow_one_another(days in -106_751_991..106_751_991_i64) {
            let (year, month, day) = date_of_days(days);
            prop_assert_eq!(days_of_date(year, month, day), days);
            let next = if day < days_in_month(year, month) { (year, month, day + 1) }
                else if month < 12 { (year, month + 1, 1) } else { (year + 1, 1, 1) };
            prop_assert_eq!(date_of_days(days + 1), next);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9TZ:. é]{0,30}") {
            let _ = text.parse::<Time>();
        }
    }
}
