//! Owns the course of a run: what was spent day by day, and what the days ahead will add.
//!
//! **Invariant:** the months are the actual spend; days give the day of a crossing and the run rate, no more.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::money::Money;
use crate::period::{Month, Period};
use crate::request::Purpose;
use crate::snapshot::Missing;

/// What is spent in a run by day, and what the run is expected to come to.
#[derive(Clone, Debug)]
pub struct Course {
    /// What the run came to before the first of the days.
    pub before: Money,
    /// What is in the actual and in no day: what rules moved to a team, or away from it.
    pub moved: Money,
    /// What each day came to, from the first month on whose days were read; empty where some of the open month's were not.
    pub days: BTreeMap<Date, Money>,
    /// The same with what is left of the run at the run rate.
    pub expected: BTreeMap<Date, Money>,
    /// Whether the days of the open month and of the weeks before were read whole, in the metric.
    pub is_read: bool,
    /// The run so far, by its months; absent where some of it is not known.
    pub actual: Option<Money>,
    /// The run as expected; absent where the days are too few to tell.
    pub forecast: Option<Money>,
    /// The present day.
    pub today: Date,
}

/// One amount of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// The day.
    pub day: Date,
    /// Whether it recurs, so that it is a part of the run rate.
    pub is_run: bool,
    /// The amount; absent where the metric was not delivered.
    pub money: Option<Money>,
}

/// Which days are known, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    /// The days that were asked for.
    pub asked: Option<Period>,
    /// What was not answered.
    pub missing: &'a [Missing],
    /// The first day that anything is known of.
    pub first_known: Option<Date>,
    /// The last day whose data is complete.
    pub last_complete: Date,
    /// The present day.
    pub today: Date,
}

impl Course {
    /// Returns the day at whose end the threshold was passed; absent where no day can tell.
    pub fn crossed(&self, threshold: Money) -> Option<Date> {
        // What was moved has no day, so with it days tell nothing; splitting a month leaves less than a cent.
        let is_by_days = self.moved.abs() < Money::from_cents(1) && self.before <= threshold;
        is_by_days.then(|| crossing(&self.days, threshold - self.before)).flatten()
    }

    /// Returns the day at whose end the threshold will be passed: what has not happened yet lies in no day gone by.
    pub fn will_cross(&self, threshold: Money) -> Option<Date> {
        let left = threshold - self.before - self.moved;
        crossing(&self.expected, left).map(|day| day.max(self.today))
    }

    /// Returns what the days from one on have come to; absent where some were not read.
    pub fn since(&self, day: Date) -> Option<Money> {
        self.is_read.then(|| self.days.range(day..).map(|(_, money)| *money).sum())
    }
}

/// Returns the first day at whose end the running sum has passed the threshold.
pub fn crossing(days: &BTreeMap<Date, Money>, threshold: Money) -> Option<Date> {
    let mut sum = Money::ZERO;
    days.iter().find_map(|(day, money)| {
        sum += *money;
        (sum > threshold).then_some(*day)
    })
}

/// Returns the last day whose data is complete: Cost Explorer refreshes at least once in 24 hours.
pub fn last_complete(taken_at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(taken_at - 24.hours()).date() - 1.days()
}

impl Calendar<'_> {
    /// Returns the days that a course needs: those of the run, and the four weeks of the run rate.
    pub fn window(&self, run: Period) -> Period {
        Period { start: run.start.min(self.last_complete - 27.days()), end: run.end }
    }

    /// Tells whether days were asked for and answered.
    pub fn is_read(&self, period: Period) -> bool {
        // A day that was not read is no day without spend.
        let is_asked = |day: Date| self.asked.is_some_and(|asked| asked.contains(day));
        is_asked(period.start) && is_asked(period.last()) && !self.is_missing(period)
    }

    fn is_missing(&self, period: Period) -> bool {
        self.missing.iter().any(|missing| {
            matches!(missing.purpose, Purpose::Days { .. })
                && missing.period.start < period.end
                && period.start < missing.period.end
        })
    }

    /// Returns the course of a run that the present day lies in, from its months and the rows of its window.
    ///
    /// `months` has the run's months up to the open one; `is_moved` tells that they have what is in no day.
    pub fn course(
        &self,
        run: Period,
        months: &BTreeMap<Month, Option<Money>>,
        rows: &[DayRow],
        is_moved: bool,
    ) -> Course {
        let sum = |before: Date| -> Option<Money> {
            let months = months.iter().filter(|(month, _)| month.start() < before);
            months.map(|(_, money)| *money).sum_known()
        };
        let actual = sum(run.end);
        let from = self.days_from(run, rows);
        let mut course = Course {
            before: Money::ZERO,
            moved: Money::ZERO,
            days: BTreeMap::new(),
            expected: BTreeMap::new(),
            is_read: self.is_rate_read(run, rows),
            actual,
            forecast: None,
            today: self.today,
        };
        let (Some(from), true) = (from, course.is_read) else { return course };
        let mut days: BTreeMap<Date, Money> = BTreeMap::new();
        let mut recurring: BTreeMap<Date, Money> = BTreeMap::new();
        for row in rows {
            let Some(money) = row.money else { continue };
            if from <= row.day && row.day < run.end {
                *days.entry(row.day).or_default() += money;
            }
            if row.is_run {
                *recurring.entry(row.day).or_default() += money;
            }
        }
        // Without the months before there is no actual either, so nothing is judged by this.
        course.before = sum(from).unwrap_or_default();
        if let Some(actual) = actual.filter(|_| is_moved) {
            course.moved = actual - course.before - days.values().copied().sum();
        }
        course.expected.clone_from(&days);
        course.days = days;
        // What a day has of the run rate already is within the rate; fees and credits stay as they are.
        let mut ahead = Money::ZERO;
        for day in run.days().filter(|day| *day > self.last_complete) {
            let Some(rate) = self.rate(&recurring, day) else {
                course.expected.clone_from(&course.days);
                return course;
            };
            let more = rate - recurring.get(&day).copied().unwrap_or(Money::ZERO);
            *course.expected.entry(day).or_default() += more;
            ahead += more;
        }
        course.forecast = actual.map(|actual| (actual + ahead).max(actual));
        course
    }

    /// The first day of the first month from which on all days of the run were read; absent where the open month's were not.
    fn days_from(&self, run: Period, rows: &[DayRow]) -> Option<Date> {
        let open = Month::of(self.today);
        let is_read = |month: &Month| {
            let period = month.period();
            let is_asked = self.asked.is_some_and(|asked| asked.contains(period.start));
            let is_told = |row: &DayRow| row.money.is_some() || !period.contains(row.day);
            is_asked && !self.is_missing(period) && rows.iter().all(is_told)
        };
        let back = Month::of(run.start).through(open).into_iter().rev();
        back.take_while(is_read).last().map(Month::start)
    }

    /// Whether the open month and the weeks of the run rate were read whole.
    fn is_rate_read(&self, run: Period, rows: &[DayRow]) -> bool {
        let open = Month::of(self.today).period();
        let window = Period { start: self.window(open).start, end: run.end };
        let is_told = |row: &DayRow| row.money.is_some() || !window.contains(row.day);
        !self.is_missing(window) && rows.iter().all(is_told)
    }

    fn rate(&self, recurring: &BTreeMap<Date, Money>, day: Date) -> Option<Money> {
        rate(recurring, self.first_known?, self.last_complete, day)
    }
}

/// Returns the mean of the last four same weekdays that are complete; absent without any of the last four weeks.
pub fn rate(
    recurring: &BTreeMap<Date, Money>,
    first_known: Date,
    last_complete: Date,
    day: Date,
) -> Option<Money> {
    let past = (day - last_complete).get_days();
    let at = day - ((past + 6) / 7 * 7).max(0).days();
    let samples: Vec<Money> = (0..4_i64)
        .map(|weeks| at - (weeks * 7).days())
        .filter(|at| *at >= first_known)
        .map(|at| recurring.get(&at).copied().unwrap_or(Money::ZERO))
        .collect();
    let sum: Money = samples.iter().copied().sum();
    let even = vec![Money::from_cents(1); samples.len()];
    Some(*sum.split(&even)?.first()?)
}

/// Sums of which an unknown part makes the whole unknown.
trait SumKnown {
    fn sum_known(self) -> Option<Money>;
}

impl<T: Iterator<Item = Option<Money>>> SumKnown for T {
    fn sum_known(mut self) -> Option<Money> {
        self.try_fold(Money::ZERO, |sum, money| Some(sum + money?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    #[test]
    fn a_threshold_is_crossed_on_the_day_that_passes_it() {
        let start = day("2026-11-01");
        let days: BTreeMap<Date, Money> =
            (0..5_i64).map(|index| (start + index.days(), money("10"))).collect();
        for (threshold, expected) in
            [("9.99", Some("2026-11-01")), ("10", Some("2026-11-02")), ("50", None)]
        {
            let day = crossing(&days, money(threshold)).map(|day| day.to_string());
            assert_eq!(day.as_deref(), expected, "{threshold}");
        }
    }

    const TAKEN_AT: &str = "2026-11-20T08:00:00Z";

    /// Ten a day of use from the 1st of October to the 18th of November, then what is given.
    fn rows(more: &[(&str, bool, Option<&str>)]) -> Vec<DayRow> {
        let first = day("2026-10-01");
        let row = |day, is_run, money| DayRow { day, is_run, money };
        let days = (0..49_i64).map(|index| row(first + index.days(), true, Some(money("10"))));
        let more = more.iter().map(|(at, is_run, amount)| row(day(at), *is_run, amount.map(money)));
        days.chain(more).collect()
    }

    fn missing(purpose: Purpose, start: &str, end: &str) -> Missing {
        let period = Period { start: day(start), end: day(end) };
        Missing { purpose, period, error: "no answer".to_owned() }
    }

    fn calendar(missing: &[Missing]) -> Calendar<'_> {
        Calendar {
            asked: Some(Period::of_months(month("2026-10"), month("2026-11"))),
            missing,
            first_known: Some(day("2026-10-01")),
            last_complete: last_complete(TAKEN_AT.parse().unwrap()),
            today: day("2026-11-20"),
        }
    }

    fn course(rows: &[DayRow], missing: &[Missing], actual: &str) -> Course {
        let months = BTreeMap::from([(month("2026-11"), Some(money(actual)))]);
        calendar(missing).course(month("2026-11").period(), &months, rows, false)
    }

    #[test]
    fn only_use_of_days_that_are_not_complete_gives_way_to_the_run_rate() {
        for (what, more, actual, expected) in [
            ("nothing yet", &[][..], "180", "300"),
            ("half a day", &[("2026-11-19", true, Some("5"))], "185", "300"),
            ("a fee", &[("2026-11-19", false, Some("50"))], "230", "350"),
            ("a credit", &[("2026-11-20", false, Some("-30"))], "150", "270"),
            ("more than a day", &[("2026-11-19", true, Some("500"))], "680", "680"),
        ] {
            let course = course(&rows(more), &[], actual);
            assert_eq!(course.forecast, Some(money(expected)), "{what}");
        }
    }

    #[test]
    fn days_that_were_not_read_are_no_days_without_spend() {
        let days = || Purpose::Days { slice: "rest".to_owned() };
        let month = missing(days(), "2026-11-01", "2026-12-01");
        for (what, more, missing, is_read) in [
            ("whole", &[][..], None, true),
            ("a slice", &[], Some(month), false),
            ("weeks before", &[], Some(missing(days(), "2026-10-01", "2026-11-01")), false),
            ("long before", &[], Some(missing(days(), "2026-09-01", "2026-10-01")), true),
            ("no metric", &[("2026-11-03", true, None)], None, false),
            ("no metric long before", &[("2026-10-03", true, None)], None, true),
        ] {
            let missing: Vec<Missing> = missing.into_iter().collect();
            let course = course(&rows(more), &missing, "180");
            assert_eq!(course.forecast.is_some(), is_read, "{what}");
            assert_eq!(course.crossed(money("95")).is_some(), is_read, "{what}");
            assert_eq!(course.since(day("2026-11-18")).is_some(), is_read, "{what}");
        }
    }

    #[test]
    fn what_will_happen_lies_in_no_day_gone_by() {
        // The days ran ahead of the lines: by them, 175 was passed on the 18th.
        let course = course(&rows(&[]), &[], "170");
        for (threshold, expected) in [("175", "2026-11-20"), ("205", "2026-11-21")] {
            let day = course.will_cross(money(threshold)).map(|day| day.to_string());
            assert_eq!(day.as_deref(), Some(expected), "{threshold}");
        }
    }

    #[test]
    fn a_longer_run_adds_its_months_and_its_days_ahead() {
        let quarter = Period::of_months(month("2026-10"), month("2026-12"));
        let year = Period::of_months(month("2026-01"), month("2026-12"));
        let earlier = |first: &str| month(first).through(month("2026-09"));
        for (what, run, before, actual, forecast, crossed, will_cross) in [
            // 310 of October by day, 180 of November; 12 and 31 days ahead.
            ("a quarter", quarter, vec![], "490", "920", Some("2026-11-09"), Some("2026-11-21")),
            // Nine months of 100 before, of which no day is known.
            ("a year", year, earlier("2026-01"), "1390", "1820", None, Some("2026-11-20")),
        ] {
            let mut months: BTreeMap<Month, Option<Money>> =
                before.into_iter().map(|month| (month, Some(money("100")))).collect();
            months.insert(month("2026-10"), Some(money("310")));
            months.insert(month("2026-11"), Some(money("180")));
            let course = calendar(&[]).course(run, &months, &rows(&[]), false);
            assert_eq!(course.actual, Some(money(actual)), "{what}");
            assert_eq!(course.forecast, Some(money(forecast)), "{what}");
            let told = |day: Option<Date>| day.map(|day| day.to_string());
            assert_eq!(told(course.crossed(money("395"))).as_deref(), crossed, "{what}");
            assert_eq!(told(course.will_cross(money("515"))).as_deref(), will_cross, "{what}");
            months.insert(month("2026-10"), None);
            let course = calendar(&[]).course(run, &months, &rows(&[]), false);
            assert_eq!((course.actual, course.forecast), (None, None), "{what}");
        }
    }

    #[test]
    fn what_rules_moved_has_no_day() {
        let months = BTreeMap::from([(month("2026-11"), Some(money("200")))]);
        let of = |is_moved| {
            calendar(&[]).course(month("2026-11").period(), &months, &rows(&[]), is_moved)
        };
        let (moved, plain) = (of(true), of(false));
        assert_eq!((moved.moved, plain.moved), (money("20"), Money::ZERO));
        assert_eq!((moved.crossed(money("95")), plain.crossed(money("95"))), {
            (None, Some(day("2026-11-10")))
        });
        assert_eq!(moved.forecast, Some(money("320")));
        assert_eq!(moved.will_cross(money("315")), Some(day("2026-11-30")));
    }
}
