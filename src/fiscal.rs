//! Owns fiscal years: which year and quarter a month belongs to where the year does not begin in January.
//!
//! **Invariant:** a fiscal year has twelve calendar months and is named after the calendar year in which it ends.

use serde::{Deserialize, Serialize};

use crate::period::Month;

/// The month, 1 to 12, in which a fiscal year begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct FiscalYear(i8);

/// A number that is not a month to begin a fiscal year in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fiscal year begins in a month from 1 (January) to 12 (December), not in {0}")]
pub struct NotFiscalYear(i64);

impl FiscalYear {
    /// The calendar year.
    pub const CALENDAR: FiscalYear = FiscalYear(1);

    /// Returns the fiscal year that begins in a month, 1 to 12.
    pub fn starting_in(month: i64) -> Result<FiscalYear, NotFiscalYear> {
        let within = i8::try_from(month).ok().filter(|month| (1..=12).contains(month));
        within.map(FiscalYear).ok_or(NotFiscalYear(month))
    }

    /// Returns the name of the year that a month lies in (`FY2026`).
    pub fn name(self, month: Month) -> String {
        let day = month.start();
        // Only a year that begins in January ends in the calendar year in which it begins.
        let is_next = self.0 > 1 && day.month() >= self.0;
        format!("FY{:04}", day.year() + i16::from(is_next))
    }

    /// Returns the quarter of its year that a month lies in, 1 to 4.
    pub fn quarter(self, month: Month) -> i32 {
        self.place(month) / 3 + 1
    }

    /// Returns the months of the year up to and with a month.
    pub fn year_to(self, month: Month) -> Vec<Month> {
        month.plus(-self.place(month)).through(month)
    }

    /// Returns the months of the quarter up to and with a month.
    pub fn quarter_to(self, month: Month) -> Vec<Month> {
        month.plus(-(self.place(month) % 3)).through(month)
    }

    /// The number of months of the year before a month.
    fn place(self, month: Month) -> i32 {
        i32::from(month.start().month() - self.0).rem_euclid(12)
    }
}

impl Default for FiscalYear {
    fn default() -> FiscalYear {
        FiscalYear::CALENDAR
    }
}

impl TryFrom<i64> for FiscalYear {
    type Error = NotFiscalYear;
    fn try_from(month: i64) -> Result<FiscalYear, NotFiscalYear> {
        FiscalYear::starting_in(month)
    }
}

impl From<FiscalYear> for i64 {
    fn from(year: FiscalYear) -> i64 {
        i64::from(year.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_lies_in_one_year_and_quarter() {
        for (start, month, expected) in [
            (1, "2026-01", "FY2026 Q1, quarter from 2026-01, year from 2026-01"),
            (1, "2026-12", "FY2026 Q4, quarter from 2026-10, year from 2026-01"),
            (4, "2026-03", "FY2026 Q4, quarter from 2026-01, year from 2025-04"),
            (4, "2026-04", "FY2027 Q1, quarter from 2026-04, year from 2026-04"),
            (4, "2026-12", "FY2027 Q3, quarter from 2026-10, year from 2026-04"),
            (10, "2026-09", "FY2026 Q4, quarter from 2026-07, year from 2025-10"),
            (10, "2026-11", "FY2027 Q1, quarter from 2026-10, year from 2026-10"),
            (12, "2026-11", "FY2026 Q4, quarter from 2026-09, year from 2025-12"),
            (12, "2026-12", "FY2027 Q1, quarter from 2026-12, year from 2026-12"),
            (2, "2027-01", "FY2027 Q4, quarter from 2026-11, year from 2026-02"),
        ] {
            let (year, month) =
                (FiscalYear::starting_in(start).unwrap(), Month::parse(month).unwrap());
            let (in_quarter, in_year) = (year.quarter_to(month), year.year_to(month));
            let actual = format!(
                "{} Q{}, quarter from {}, year from {}",
                year.name(month),
                year.quarter(month),
                in_quarter[0],
                in_year[0]
            );
            assert_eq!(actual, expected, "{month} from {start}");
            assert_eq!((in_quarter.last(), in_year.last()), (Some(&month), Some(&month)));
        }
    }

    #[test]
    fn every_start_cuts_years_of_twelve_months_and_quarters_of_three() {
        for start in 1..=12 {
            let year = FiscalYear::starting_in(start).unwrap();
            let months = Month::parse("2024-01").unwrap().through(Month::parse("2027-12").unwrap());
            for (month, next) in months.iter().zip(&months[1..]) {
                let (count, next_count) = (year.year_to(*month).len(), year.year_to(*next).len());
                assert_eq!(next_count, count % 12 + 1);
                assert_eq!(year.quarter_to(*month).len(), (count - 1) % 3 + 1);
                assert_eq!(year.name(*month) == year.name(*next), count < 12, "{month} {start}");
            }
        }
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for number in [0, 13, -1, 300] {
            let error = serde_json::from_value::<FiscalYear>(number.into()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "a fiscal year begins in a month from 1 (January) to 12 (December), not in {number}"
                )
            );
        }
        assert_eq!(serde_json::from_str::<FiscalYear>("7").unwrap(), FiscalYear(7));
        assert_eq!(serde_json::to_string(&FiscalYear(7)).unwrap(), "7");
    }
}
