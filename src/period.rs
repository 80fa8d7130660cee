//! Owns time as billing sees it: months and half-open periods of UTC days.
//!
//! **Invariant:** no clock; the present is always given.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// A calendar month, named by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(Date);

/// A half-open range of UTC days, as Cost Explorer's: `start` is in, `end` is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The first day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
}

/// A text that is not a month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month (`YYYY-MM`): `{text}`")]
pub struct NotMonth {
    /// The text as it came.
    pub text: String,
}

/// Returns the UTC day of a moment.
pub fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

impl Month {
    /// Parses `YYYY-MM`.
    pub fn parse(text: &str) -> Result<Month, NotMonth> {
        let not_month = || NotMonth { text: text.to_owned() };
        if text.len() != 7 {
            return Err(not_month());
        }
        format!("{text}-01").parse::<Date>().map(Month).map_err(|_| not_month())
    }

    /// Returns the month that a day lies in.
    pub fn of(day: Date) -> Month {
        Month(day.first_of_month())
    }

    /// Returns the first day.
    pub fn start(self) -> Date {
        self.0
    }

    /// Returns the days of the month.
    pub fn period(self) -> Period {
        Period { start: self.0, end: self.plus(1).0 }
    }

    /// Returns the month that many months later, or earlier when negative.
    #[must_use]
    pub fn plus(self, months: i32) -> Month {
        Month(self.0.checked_add(months.months()).expect("billing months lie in years 1 to 9999"))
    }

    /// Returns the number of days in the month.
    pub fn day_count(self) -> i8 {
        self.0.days_in_month()
    }

    /// Returns the months from this one up to `last`, both in.
    pub fn through(self, last: Month) -> Vec<Month> {
        let mut months = Vec::new();
        let mut month = self;
        while month <= last {
            months.push(month);
            month = month.plus(1);
        }
        months
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl TryFrom<String> for Month {
    type Error = NotMonth;
    fn try_from(text: String) -> Result<Month, NotMonth> {
        Month::parse(&text)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}

impl Period {
    /// Returns the days of several months, both ends in.
    pub fn of_months(first: Month, last: Month) -> Period {
        Period { start: first.start(), end: last.plus(1).start() }
    }

    /// Tells whether the day lies in the period.
    pub fn contains(self, day: Date) -> bool {
        self.start <= day && day < self.end
    }

    /// Returns each day in turn.
    pub fn days(self) -> impl Iterator<Item = Date> {
        self.start.series(1.day()).take_while(move |day| *day < self.end)
    }
}

impl Period {
    /// Returns the last day that is in.
    pub fn last(self) -> Date {
        self.end.saturating_sub(1.day())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_tile_without_gap_or_overlap() {
        let months = Month::parse("2025-11").unwrap().through(Month::parse("2026-03").unwrap());
        let text: Vec<String> =
            months.iter().map(|month| format!("{month} {}", month.period())).collect();
        assert_eq!(
            text.join("\n"),
            "2025-11 2025-11-01..2025-12-01\n2025-12 2025-12-01..2026-01-01\n\
             2026-01 2026-01-01..2026-02-01\n2026-02 2026-02-01..2026-03-01\n\
             2026-03 2026-03-01..2026-04-01"
        );
        assert_eq!(months[3].period().days().count(), 28);
    }

    #[test]
    fn a_moment_lies_in_its_day_of_utc() {
        for (at, day) in [
            ("2026-11-03T00:00:00Z", "2026-11-03"),
            ("2026-11-03T00:30:00+02:00", "2026-11-02"),
            ("2026-11-02T23:59:59.999Z", "2026-11-02"),
        ] {
            assert_eq!(day_of(at.parse().unwrap()).to_string(), day, "{at}");
        }
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026", "2026-13", "2026-1", "26-01", "2026-01-01", "2026/01"] {
            assert_eq!(
                Month::parse(text).unwrap_err().to_string(),
                format!("not a month (`YYYY-MM`): `{text}`")
            );
        }
    }
}
