//! Owns the course of a month: what a scope spent day by day, and what the days ahead will add.
//!
//! **Invariant:** the month's lines are the actual spend; days give the day of a crossing and the run rate, no more.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::bearer::{Bearer, Register};
use crate::budget::Scope;
use crate::ledger::Ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::Owner;
use crate::period::{Month, Period};
use crate::request::Purpose;
use crate::snapshot::{Missing, Snapshot};
use crate::usage;

/// Spend of a scope by day, and what the month is expected to come to.
pub struct Course {
    /// What each day of the month came to; empty where some days were not read.
    pub days: BTreeMap<Date, Money>,
    /// The same with what is left of the month at the run rate.
    pub expected: BTreeMap<Date, Money>,
    /// Whether the days were read whole, in the metric.
    pub is_read: bool,
    /// The month so far, by its lines; absent where some of them were not read.
    pub actual: Option<Money>,
    /// The month as expected; absent where the days are too few to tell.
    pub forecast: Option<Money>,
    /// The present day.
    pub today: Date,
}

impl Course {
    /// Returns the day at whose end the threshold was passed.
    pub fn crossed(&self, threshold: Money) -> Option<Date> {
        crossing(&self.days, threshold)
    }

    /// Returns the day at whose end the threshold will be passed: what has not happened yet lies in no day gone by.
    pub fn will_cross(&self, threshold: Money) -> Option<Date> {
        crossing(&self.expected, threshold).map(|day| day.max(self.today))
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

/// Every day's spend by owner.
pub struct DailySpend<'a> {
    rows: Vec<DayRow>,
    missing: &'a [Missing],
    last_complete: Date,
    today: Date,
}

struct DayRow {
    day: Date,
    bearer: Bearer,
    is_run: bool,
    amounts: crate::metric::Amounts,
}

impl DailySpend<'_> {
    /// Reads the days of a snapshot and resolves their owners.
    pub fn new(snapshot: &Snapshot) -> DailySpend<'_> {
        let manifest = &snapshot.manifest;
        let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
        let mut bearers: BTreeMap<(String, String), Bearer> = BTreeMap::new();
        // Days that were kept from earlier are months apart, perhaps, and would pass for days without spend.
        let is_asked = |day: Date| manifest.days.is_some_and(|asked| asked.contains(day));
        let records = snapshot.days.iter().filter(|record| is_asked(record.start));
        let rows = records.map(|record| {
            let bearer = bearers
                .entry((record.slice.clone(), record.value.clone()))
                .or_insert_with(|| register.resolve(&record.slice, &record.value).0);
            DayRow {
                day: record.start,
                bearer: bearer.clone(),
                is_run: is_run(&record.record_type),
                amounts: record.amounts,
            }
        });
        DailySpend {
            rows: rows.collect(),
            missing: &manifest.missing,
            last_complete: last_complete(manifest.taken_at),
            today: TimeZone::UTC.to_datetime(manifest.taken_at).date(),
        }
    }

    /// Returns the course of a scope in the open month.
    pub fn course(&self, ledger: &Ledger, scope: &Scope, metric: Metric, month: Month) -> Course {
        let lines = ledger.of_month(month).iter();
        let actual = lines
            .filter(|line| holds(scope, ledger.bearer(line)))
            .map(|line| line.amounts.get(metric))
            .try_fold(Money::ZERO, |sum, money| Some(sum + money?))
            .filter(|_| self.is_cost_read(scope, month));
        self.with_actual(scope, metric, month, actual)
    }

    /// Tells whether the month's cost of a scope was read whole: a cell that was not read may be anybody's.
    pub fn is_cost_read(&self, scope: &Scope, month: Month) -> bool {
        let is_part = |purpose: &Purpose| match purpose {
            Purpose::Cells { .. } => *scope != Scope::All,
            // The user of a private space may be known by this evidence alone.
            Purpose::SpaceUsers => matches!(scope, Scope::UserProfile(..)),
            _ => false,
        };
        !self
            .missing
            .iter()
            .any(|missing| missing.period.contains(month.start()) && is_part(&missing.purpose))
    }

    fn with_actual(
        &self,
        scope: &Scope,
        metric: Metric,
        month: Month,
        actual: Option<Money>,
    ) -> Course {
        let period = month.period();
        // The run rate looks back four weeks from the last complete day.
        let window =
            Period { start: period.start.min(self.last_complete - 27.days()), end: period.end };
        let rows = self.rows.iter().filter(|row| holds(scope, &row.bearer));
        let rows = rows.filter(|row| window.contains(row.day));
        let mut days: BTreeMap<Date, Money> = BTreeMap::new();
        let mut run: BTreeMap<Date, Money> = BTreeMap::new();
        // A day that was not read is no day without spend.
        let mut is_read = !self.missing.iter().any(|missing| {
            matches!(missing.purpose, Purpose::Days { .. })
                && missing.period.start < window.end
                && window.start < missing.period.end
        });
        for row in rows {
            let Some(money) = row.amounts.get(metric) else {
                is_read = false;
                continue;
            };
            if period.contains(row.day) {
                *days.entry(row.day).or_default() += money;
            }
            if row.is_run {
                *run.entry(row.day).or_default() += money;
            }
        }
        let mut course = Course {
            days: BTreeMap::new(),
            expected: BTreeMap::new(),
            is_read,
            actual,
            forecast: None,
            today: self.today,
        };
        if !is_read {
            return course;
        }
        course.expected.clone_from(&days);
        course.days = days;
        // What a day has of the run rate already is within the rate; fees and credits stay as they are.
        let mut ahead = Money::ZERO;
        for day in period.days().filter(|day| *day > self.last_complete) {
            let Some(rate) = self.rate(&run, day) else {
                course.expected.clone_from(&course.days);
                return course;
            };
            let more = rate - run.get(&day).copied().unwrap_or(Money::ZERO);
            *course.expected.entry(day).or_default() += more;
            ahead += more;
        }
        course.forecast = actual.map(|actual| (actual + ahead).max(actual));
        course
    }

    fn rate(&self, run: &BTreeMap<Date, Money>, day: Date) -> Option<Money> {
        let first_known = self.rows.iter().map(|row| row.day).min()?;
        rate(run, first_known, self.last_complete, day)
    }
}

/// Returns the mean of the last four same weekdays that are complete; absent without any of the last four weeks.
pub fn rate(
    run: &BTreeMap<Date, Money>,
    first_known: Date,
    last_complete: Date,
    day: Date,
) -> Option<Money> {
    let mut at = day;
    while at > last_complete {
        at -= 7.days();
    }
    let samples: Vec<Money> = (0..4_i64)
        .map(|weeks| at - (weeks * 7).days())
        .filter(|at| *at >= first_known)
        .map(|at| run.get(&at).copied().unwrap_or(Money::ZERO))
        .collect();
    let sum: Money = samples.iter().copied().sum();
    let even = vec![Money::from_cents(1); samples.len()];
    Some(*sum.split(&even)?.first()?)
}

/// Tells whether an owner's cost counts for a budget.
pub fn holds(scope: &Scope, bearer: &Bearer) -> bool {
    let domain = bearer.owner.domain().map(|domain| &domain.id);
    match scope {
        Scope::All => true,
        Scope::Domain(id) => domain == Some(id),
        Scope::UserProfile(id, name) => {
            domain == Some(id) && bearer.user_profile.as_ref() == Some(name)
        }
        Scope::Space(id, name) => {
            matches!(&bearer.owner, Owner::Space(home, space) if home.id == *id && space == name)
        }
        Scope::Team(_) | Scope::Foreign(_) => false,
    }
}

/// Tells whether a record type recurs day by day; fees, credits and refunds fall on a day and are no run rate.
pub fn is_run(record_type: &str) -> bool {
    let record_type = usage::unspaced(record_type);
    !(record_type.ends_with("Fee")
        || ["Credit", "Refund", "Tax", "Support"].contains(&record_type.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::{DomainId, UserProfileName};
    use crate::bearer::Existence;
    use crate::metric::Amounts;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn a_threshold_is_crossed_on_the_day_that_passes_it() {
        let start: Date = "2026-11-01".parse().unwrap();
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
        let first: Date = "2026-10-01".parse().unwrap();
        let row = |day: Date, is_run, money: Option<Money>| {
            let mut amounts = Amounts::ZERO;
            amounts.put(Metric::UnblendedCost, money);
            let bearer = Bearer {
                owner: Owner::Unattributed,
                domain_name: None,
                user_profile: None,
                shared: None,
                existence: Existence::Unknown,
            };
            DayRow { day, bearer, is_run, amounts }
        };
        let days = (0..49_i64).map(|index| row(first + index.days(), true, Some(money("10"))));
        let more = more
            .iter()
            .map(|(day, is_run, amount)| row(day.parse().unwrap(), *is_run, amount.map(money)));
        days.chain(more).collect()
    }

    fn missing(purpose: Purpose, start: &str, end: &str) -> Missing {
        let period = Period { start: start.parse().unwrap(), end: end.parse().unwrap() };
        Missing { purpose, period, error: "no answer".to_owned() }
    }

    fn spend(rows: Vec<DayRow>, missing: &[Missing]) -> DailySpend<'_> {
        let taken_at = TAKEN_AT.parse().unwrap();
        let today = "2026-11-20".parse().unwrap();
        DailySpend { rows, missing, last_complete: last_complete(taken_at), today }
    }

    fn course(spend: &DailySpend<'_>, actual: &str) -> Course {
        let month = Month::parse("2026-11").unwrap();
        spend.with_actual(&Scope::All, Metric::UnblendedCost, month, Some(money(actual)))
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
            let course = course(&spend(rows(more), &[]), actual);
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
            let course = course(&spend(rows(more), &missing), "180");
            assert_eq!(course.forecast.is_some(), is_read, "{what}");
            assert_eq!(course.crossed(money("95")).is_some(), is_read, "{what}");
            assert_eq!(course.since("2026-11-18".parse().unwrap()).is_some(), is_read, "{what}");
        }
    }

    #[test]
    fn what_will_happen_lies_in_no_day_gone_by() {
        // The days ran ahead of the lines: by them, 175 was passed on the 18th.
        let course = course(&spend(rows(&[]), &[]), "170");
        for (threshold, expected) in [("175", "2026-11-20"), ("205", "2026-11-21")] {
            let day = course.will_cross(money(threshold)).map(|day| day.to_string());
            assert_eq!(day.as_deref(), Some(expected), "{threshold}");
        }
    }

    #[test]
    fn cost_that_was_not_read_may_be_of_any_owner() {
        let cells = Purpose::Cells {
            slice: "rest".to_owned(),
            service: "Amazon SageMaker".to_owned(),
            record_type: "Usage".to_owned(),
        };
        let domain = || DomainId::parse("d-a").unwrap();
        let user = Scope::UserProfile(domain(), UserProfileName::parse("ana").unwrap());
        let month = Month::parse("2026-11").unwrap();
        for (purpose, start, all, of_domain, of_user) in [
            (cells.clone(), "2026-11-01", true, false, false),
            (Purpose::SpaceUsers, "2026-10-01", true, true, false),
            (Purpose::BilledAccounts, "2026-10-01", true, true, true),
        ] {
            let missing = [missing(purpose, start, "2026-12-01")];
            let spend = spend(Vec::new(), &missing);
            let read = [Scope::All, Scope::Domain(domain()), user.clone()]
                .map(|scope| spend.is_cost_read(&scope, month));
            assert_eq!(read, [all, of_domain, of_user], "{missing:?}");
        }
        let earlier = [missing(cells, "2026-09-01", "2026-11-01")];
        assert!(spend(Vec::new(), &earlier).is_cost_read(&user, month));
    }

    #[test]
    fn fees_and_credits_are_no_run_rate() {
        for (record_type, expected) in [
            ("Usage", true),
            ("SavingsPlanCoveredUsage", true),
            ("Savings Plan Recurring Fee", false),
            ("SavingsPlanUpfrontFee", false),
            ("Credit", false),
        ] {
            assert_eq!(is_run(record_type), expected, "{record_type}");
        }
    }
}
