//! Owns the back-test of a limit: what its alerts would have told in months gone by, and how late.
//!
//! **Invariant:** a month is tested by what was known before it, and each of its days by what AWS had told by then.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::budget::NotificationKind;
use crate::course::{crossing, rate};
use crate::money::Money;
use crate::outlook::{NoSuggestion, Options, estimate};
use crate::overshoot::{Overshoot, overshoot};
use crate::period::Month;
use crate::rhythm::{History, weekday};

/// The days of cost that AWS forecasts from: about five weeks (AWS Budgets User Guide, "Best practices for AWS Budgets").
const FORECAST_DAYS: i32 = 35;
/// The most months before the report's that `collect` reads day by day.
const DAILY_MONTHS_MAX: usize = 13;

/// A threshold of a limit: what it watches, and at which percentage of the limit it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watch {
    /// Whether actual or forecast spend is watched.
    pub kind: NotificationKind,
    /// The percentage of the limit that is passed.
    pub percent: u32,
}

impl Watch {
    /// Returns a threshold of actual spend.
    pub const fn actual(percent: u32) -> Watch {
        Watch { kind: NotificationKind::Actual, percent }
    }

    /// Returns a threshold of forecast spend.
    pub const fn forecast(percent: u32) -> Watch {
        Watch { kind: NotificationKind::Forecast, percent }
    }

    /// Tells whether an alert says that the limit is passed or will be, and not merely how near it is.
    pub fn is_about_limit(self) -> bool {
        self.percent >= 100
    }

    fn amount(self, limit: Money) -> Money {
        let points = i64::from(self.percent) * 100;
        limit.of_basis_points(points).expect("a share of a limit is within the range of amounts")
    }
}

impl std::fmt::Display for Watch {
    /// Prints `80 % of actual spend`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} % of {} spend", self.percent, self.kind.name())
    }
}

/// The thresholds that are tried.
pub const CANDIDATES: [Watch; 5] = [
    Watch::actual(50),
    Watch::actual(80),
    Watch::actual(90),
    Watch::actual(100),
    Watch::forecast(100),
];

/// A month that was tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The month.
    pub month: Month,
    /// The limit that would have been proposed before it.
    pub limit: Money,
    /// What it came to.
    pub actual: Money,
    /// The day on which spend passed the limit, where the month ended over it.
    pub passed_on: Option<Date>,
    /// The day on which each threshold would have alerted; those that would not are absent.
    pub alerts: BTreeMap<Watch, Date>,
}

impl Tested {
    /// Tells whether the month ended over its limit.
    pub fn is_over(&self) -> bool {
        self.actual > self.limit
    }

    /// Returns the first day on which one of the thresholds told that the limit is passed or will be, within the month.
    pub fn told_on(&self, watches: &[Watch]) -> Option<Date> {
        let about = watches.iter().filter(|watch| watch.is_about_limit());
        about.filter_map(|watch| self.fired_on(*watch)).min()
    }

    /// Returns the day of the month on which a threshold alerted; an alert after the month's end helps nobody.
    pub fn fired_on(&self, watch: Watch) -> Option<Date> {
        self.alerts.get(&watch).copied().filter(|day| self.month.period().contains(*day))
    }
}

/// A month with cost that could not be tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untested {
    /// The month.
    pub month: Month,
    /// Why.
    pub reason: Unable,
}

/// Why a month could not be tested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// Its days were not read whole.
    #[error("its days were not read")]
    DaysUnknown,
    /// It cannot be compared with the others.
    #[error("it is not comparable with the others")]
    NotComparable,
    /// No limit would have been proposed.
    #[error("no limit would have been proposed: {0}")]
    NoLimit(NoSuggestion),
}

/// What the alerts of past months would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackTest {
    /// The months that were tested, oldest first.
    pub months: Vec<Tested>,
    /// The whole months from the first cost on that could not be, oldest first.
    pub untested: Vec<Untested>,
    /// What can be spent between two updates; absent where no day is known to have cost anything.
    pub overshoot: Option<Overshoot>,
    /// The month after the last complete day, or that it lies in.
    open: Month,
}

/// The figures of a back-test for some thresholds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    /// Months tested.
    pub tested_count: usize,
    /// Months that ended over their limit.
    pub over_count: usize,
    /// Of these, those in which an alert told so before their end.
    pub in_time_count: usize,
    /// Of these, those in which none did.
    pub missed_count: usize,
    /// Alerts that a limit is or will be passed, in months that ended within it.
    pub false_count: usize,
    /// Of each month that was told of in time, the days from the day that passed the limit to the alert; negative are days of warning.
    pub days_late: Vec<i32>,
}

/// Tests limits on each past month whose days are known whole, by what was known before it.
pub fn backtest(history: &History, options: Options) -> BackTest {
    let last_complete = history.reach();
    let open = last_complete.map(|day| Month::of(day + 1.day()));
    let (Some(began), Some(open)) = (history.began(), open) else {
        let open = Month::of(Date::ZERO);
        return BackTest { months: Vec::new(), untested: Vec::new(), overshoot: None, open };
    };
    let (mut months, mut untested) = (Vec::new(), Vec::new());
    for month in Month::of(began).through(open.plus(-1)) {
        match test(history, month, options) {
            Ok(tested) => months.push(tested),
            Err(reason) => untested.push(Untested { month, reason }),
        }
    }
    BackTest { months, untested, overshoot: overshoot(history), open }
}

fn test(history: &History, month: Month, options: Options) -> Result<Tested, Unable> {
    if !history.is_whole(month) {
        return Err(Unable::DaysUnknown);
    }
    let actual = *history.months().get(&month).ok_or(Unable::NotComparable)?;
    let delay = i64::from(options.delay_days).days();
    let before = history.as_of(month.start() - 1.day() - delay);
    let limit = estimate(&before, month, None, options).map_err(Unable::NoLimit)?.limit;
    let period = month.period();
    let of_month = history.days().range(period.start..period.end);
    let days: BTreeMap<Date, Money> = of_month.map(|(day, amount)| (*day, *amount)).collect();
    let mut alerts = BTreeMap::new();
    let (mut spent, mut told) = (Money::ZERO, period.start - delay);
    while told < period.end {
        spent += days.get(&told).copied().unwrap_or_default();
        let expected = forecast(history, month, told).map(|ahead| spent + ahead);
        for watch in CANDIDATES {
            let watched = match watch.kind {
                NotificationKind::Actual => Some(spent),
                NotificationKind::Forecast => expected.filter(|_| told < period.last()),
            };
            if watched.is_some_and(|amount| amount > watch.amount(limit)) {
                alerts.entry(watch).or_insert(told + delay);
            }
        }
        told += 1.day();
    }
    let passed_on = crossing(&days, limit).filter(|_| actual > limit);
    Ok(Tested { month, limit, actual, passed_on, alerts })
}

/// Returns what is left of a month at the run rate after a day; the stand-in for AWS's forecast, which is not published.
fn forecast(history: &History, month: Month, told: Date) -> Option<Money> {
    if (told - history.began()?).get_days() + 1 < FORECAST_DAYS {
        return None;
    }
    let first_known = history.known_until(told)?.start;
    let mut rates = [Money::ZERO; 7];
    for days in 1..=7_i64 {
        let day = told + days.days();
        rates[weekday(day)] = rate(history.run(), first_known, told, day)?;
    }
    let ahead = month.period().days().filter(|day| *day > told);
    Some(ahead.map(|day| rates[weekday(day)]).sum())
}

impl BackTest {
    /// Counts what some thresholds would have told.
    pub fn tally(&self, watches: &[Watch]) -> Tally {
        let mut tally = Tally { tested_count: self.months.len(), ..Tally::default() };
        for tested in &self.months {
            if !tested.is_over() {
                let about = watches.iter().filter(|watch| watch.is_about_limit());
                tally.false_count += about.filter(|it| tested.fired_on(**it).is_some()).count();
                continue;
            }
            tally.over_count += 1;
            let Some(told_on) = tested.told_on(watches) else {
                tally.missed_count += 1;
                continue;
            };
            tally.in_time_count += 1;
            tally.days_late.extend(tested.passed_on.map(|day| (told_on - day).get_days()));
        }
        tally
    }

    /// Says which months could not be tested and why, and how their days are read.
    pub fn lacking(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let unknown: Vec<Month> = self
            .untested
            .iter()
            .filter(|it| it.reason == Unable::DaysUnknown)
            .map(|it| it.month)
            .collect();
        if let Some(first) = unknown.first() {
            let names: Vec<String> = unknown.iter().map(Month::to_string).collect();
            let count = (first.through(self.open).len() - 1).min(DAILY_MONTHS_MAX);
            sentences.push(format!(
                "The days of {} were not read; `collect --daily-months {count}` reads them.",
                names.join(", "),
            ));
        }
        let mut others: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for it in self.untested.iter().filter(|it| it.reason != Unable::DaysUnknown) {
            others.entry(it.reason.to_string()).or_default().push(it.month.to_string());
        }
        sentences.extend(
            others
                .iter()
                .map(|(why, months)| format!("Not tested: {} ({why}).", months.join(", "))),
        );
        if self.months.is_empty() && sentences.is_empty() {
            sentences.push("No month is over since the first cost.".to_owned());
        }
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rhythm::Spend;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Ten a day from January 2026 on, forty from the 15th of July to its end, then what is credited on that day.
    fn history(known: &[Month], credit: i128) -> History {
        let (first, last) = (date("2026-01-01"), date("2026-07-31"));
        let mut days: Vec<Spend> = Month::of(first)
            .through(Month::of(last))
            .into_iter()
            .flat_map(|month| month.period().days())
            .map(|day| {
                let cents = if day < date("2026-07-15") { 1_000 } else { 4_000 };
                Spend { day, amount: Money::from_cents(cents), is_run: true }
            })
            .collect();
        days.push(Spend { day: last, amount: Money::from_cents(-credit), is_run: false });
        let months = days.iter().map(|spend| (Month::of(spend.day), spend.amount));
        History::new(months.collect::<Vec<_>>(), days.clone(), known.iter().copied(), last)
    }

    fn all() -> Vec<Month> {
        month("2026-01").through(month("2026-07"))
    }

    #[test]
    fn each_threshold_alerts_when_aws_has_the_day_that_passed_it() {
        for (delay_days, expected) in [
            (0, "actual 50 07-15, 80 07-18, 90 07-19, 100 07-20, forecast 07-15"),
            (1, "actual 50 07-16, 80 07-19, 90 07-20, 100 07-21, forecast 07-16"),
            (3, "actual 50 07-18, 80 07-21, 90 07-22, 100 07-23, forecast 07-18"),
        ] {
            let options = Options { delay_days, ..Options::default() };
            let tested = backtest(&history(&all(), 0), options).months.pop().unwrap();
            assert_eq!(tested.limit, Money::from_cents(35_000));
            assert_eq!(tested.passed_on, Some(date("2026-07-20")));
            let days: Vec<String> = CANDIDATES
                .iter()
                .map(|watch| tested.alerts[watch].to_string()[5..].to_owned())
                .collect();
            let [at_50, at_80, at_90, at_100, forecast] = &days[..] else { panic!("{days:?}") };
            let told = format!(
                "actual 50 {at_50}, 80 {at_80}, 90 {at_90}, 100 {at_100}, forecast {forecast}"
            );
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn an_alert_about_the_limit_of_a_month_that_ends_within_it_is_false() {
        let (actual, forecast) = (Watch::actual(100), Watch::forecast(100));
        for (credit, watches, over, false_count, late) in [
            (0, vec![actual, forecast], 1, 0, vec![-4]),
            (0, vec![actual], 1, 0, vec![1]),
            (0, vec![Watch::actual(50)], 1, 0, vec![]),
            (50_000, vec![actual, forecast], 0, 2, vec![]),
            (50_000, vec![Watch::actual(90), forecast], 0, 1, vec![]),
        ] {
            let tally = backtest(&history(&all(), credit), Options::default()).tally(&watches);
            assert_eq!(tally.tested_count, 6);
            let told = (tally.over_count, tally.false_count, tally.days_late.clone());
            assert_eq!(told, (over, false_count, late), "{credit} {watches:?}");
            assert_eq!(tally.in_time_count + tally.missed_count, over);
        }
    }

    #[test]
    fn an_alert_after_the_end_of_the_month_misses_it() {
        let options = Options { delay_days: 12, ..Options::default() };
        let test = backtest(&history(&all(), 0), options);
        let last = test.months.last().unwrap();
        assert_eq!(last.alerts[&Watch::actual(100)], date("2026-08-01"));
        assert_eq!(test.tally(&[Watch::actual(100)]).missed_count, 1);
    }

    #[test]
    fn what_was_not_read_is_not_tested_and_said() {
        let late = [month("2026-06"), month("2026-07")];
        for (known, tested_count, expected) in [
            (
                &all()[..],
                6,
                "Not tested: 2026-01 (no limit would have been proposed: nothing was spent so far).",
            ),
            (
                &late,
                2,
                "The days of 2026-01, 2026-02, 2026-03, 2026-04, 2026-05 were not read; `collect --daily-months 7` reads them.",
            ),
            (
                &[],
                0,
                "The days of 2026-01, 2026-02, 2026-03, 2026-04, 2026-05, 2026-06, 2026-07 were not read; `collect --daily-months 7` reads them.",
            ),
        ] {
            let test = backtest(&history(known, 0), Options::default());
            assert_eq!(test.months.len(), tested_count, "{known:?}");
            assert_eq!(test.lacking(), [expected]);
            assert_eq!(test.overshoot.is_some(), tested_count > 0);
        }
    }
}
