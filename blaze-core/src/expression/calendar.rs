//! Calendar arithmetic in UTC.

use crate::value::{Time, date_of_days, days_of_date};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A unit that times are grouped by; days and all above are those of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, from midnight on.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
    /// Three months, from January, April, July and October on.
    Quarter,
    /// A year.
    Year,
}

/// A part of a time, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatePart {
    /// The year.
    Year,
    /// The month, 1 to 12.
    Month,
    /// The day of the month, 1 to 31.
    Day,
    /// The hour of the day, 0 to 23.
    Hour,
    /// The day of the week: 1 is Monday, 7 is Sunday.
    Weekday,
}

impl TimeUnit {
    /// The beginning of the unit that `time` lies in; none where that is before all times.
    pub(super) fn truncate(self, time: Time) -> Option<Time> {
        let micros = time.micros();
        let days = micros.div_euclid(DAY);
        let multiple_of = |unit: i64| micros.div_euclid(unit).checked_mul(unit);
        let (year, month, _) = date_of_days(days);
        let start_day = match self {
            TimeUnit::Second => return multiple_of(SECOND).map(Time::from_micros),
            TimeUnit::Minute => return multiple_of(60 * SECOND).map(Time::from_micros),
            TimeUnit::Hour => return multiple_of(3600 * SECOND).map(Time::from_micros),
            TimeUnit::Day => days,
            TimeUnit::Week => days - (weekday(days) - 1),
            TimeUnit::Month => days_of_date(year, month, 1),
            TimeUnit::Quarter => days_of_date(year, month - (month - 1) % 3, 1),
            TimeUnit::Year => days_of_date(year, 1, 1),
        };
        start_day.checked_mul(DAY).map(Time::from_micros)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            TimeUnit::Second => "second",
            TimeUnit::Minute => "minute",
            TimeUnit::Hour => "hour",
            TimeUnit::Day => "day",
            TimeUnit::Week => "week",
            TimeUnit::Month => "month",
            TimeUnit::Quarter => "quarter",
            TimeUnit::Year => "year",
        }
    }
}

impl DatePart {
    pub(super) fn of(self, time: Time) -> i64 {
        let days = time.micros().div_euclid(DAY);
        let (year, month, day) = date_of_days(days);
        match self {
            DatePart::Year => year,
            DatePart::Month => month,
            DatePart::Day => day,
            DatePart::Hour => time.micros().rem_euclid(DAY) / (3600 * SECOND),
            DatePart::Weekday => weekday(days),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            DatePart::Year => "year",
            DatePart::Month => "month",
            DatePart::Day => "day",
            DatePart::Hour => "hour",
            DatePart::Weekday => "weekday",
        }
    }
}

/// 1970-01-01 was a Thursday.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}
