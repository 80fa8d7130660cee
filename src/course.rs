//! Owns the course of a month: what a scope spent day by day, and what the days ahead will add.
//!
//! **Invariant:** the month's lines are the actual spend; days give the day of a crossing and the run rate, no more.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::bearer::{Bearer, Register};
use crate::budget::Scope;
use crate::ledger::Ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::snapshot::Snapshot;

/// Spend of a scope by day, and what is left of the month at the run rate.
pub struct Course {
    /// What each day of the month came to.
    pub days: BTreeMap<Date, Money>,
    /// What each day that is not complete is expected to come to.
    pub projected: BTreeMap<Date, Money>,
    /// The month so far, by its lines.
    pub actual: Option<Money>,
    /// The month as expected; absent where the days are too few to tell.
    pub forecast: Option<Money>,
}

/// Returns the first day at whose end the running sum has passed the threshold.
pub fn crossing(days: &BTreeMap<Date, Money>, threshold: Money) -> Option<Date> {
    let mut sum = Money::ZERO;
    days.iter().find_map(|(day, money)| {
        sum += *money;
        (sum > threshold).then_some(*day)
    })
}

/// Every day's spend by owner.
pub struct DailySpend {
    rows: Vec<DayRow>,
    last_complete: Date,
}

struct DayRow {
    day: Date,
    bearer: Bearer,
    is_run: bool,
    amounts: crate::metric::Amounts,
}

impl DailySpend {
    /// Reads the days of a snapshot and resolves their owners.
    pub fn new(snapshot: &Snapshot) -> DailySpend {
        let manifest = &snapshot.manifest;
        let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
        let mut bearers: BTreeMap<(String, String), Bearer> = BTreeMap::new();
        let rows = snapshot.days.iter().map(|record| {
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
        // Data lags by up to a day (Cost Explorer refreshes at least once in 24 hours).
        let last_complete =
            TimeZone::UTC.to_datetime(manifest.taken_at - 24.hours()).date() - 1.days();
        DailySpend { rows: rows.collect(), last_complete }
    }

    /// Returns the course of a scope in the open month.
    pub fn course(&self, ledger: &Ledger, scope: &Scope, metric: Metric, month: Month) -> Course {
        let mut days: BTreeMap<Date, Money> = BTreeMap::new();
        let mut run: BTreeMap<Date, Money> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| holds(scope, &row.bearer)) {
            let Some(money) = row.amounts.get(metric) else { continue };
            *days.entry(row.day).or_default() += money;
            if row.is_run {
                *run.entry(row.day).or_default() += money;
            }
        }
        let lines = ledger.of_month(month).iter();
        let actual = lines
            .filter(|line| holds(scope, ledger.bearer(line)))
            .map(|line| line.amounts.get(metric))
            .try_fold(Money::ZERO, |sum, money| Some(sum + money?));
        let period = month.period();
        let mut projected = BTreeMap::new();
        for day in period.days().filter(|day| *day > self.last_complete) {
            if let Some(rate) = self.rate(&run, day) {
                projected.insert(day, rate);
            }
        }
        let days: BTreeMap<Date, Money> =
            days.into_iter().filter(|(day, _)| period.contains(*day)).collect();
        let incomplete: Money = days
            .range(self.last_complete..)
            .skip_while(|(day, _)| **day <= self.last_complete)
            .map(|(_, money)| *money)
            .sum();
        let is_whole =
            period.days().filter(|day| *day > self.last_complete).count() == projected.len();
        let forecast = actual
            .filter(|_| is_whole)
            .map(|actual| (actual - incomplete + projected.values().copied().sum()).max(actual));
        Course { days, projected, actual, forecast }
    }

    /// The mean of the last four same weekdays that are complete; absent without any of the last four weeks.
    fn rate(&self, run: &BTreeMap<Date, Money>, day: Date) -> Option<Money> {
        let first_known = self.rows.iter().map(|row| row.day).min()?;
        let mut at = day;
        while at > self.last_complete {
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
}

/// Tells whether an owner's cost counts for a budget.
fn holds(scope: &Scope, bearer: &Bearer) -> bool {
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
        Scope::Foreign(_) => false,
    }
}

/// Whether a record type recurs day by day; fees, credits and refunds fall on a day and are no run rate.
fn is_run(record_type: &str) -> bool {
    let record_type: String =
        record_type.chars().filter(|letter| !letter.is_whitespace()).collect();
    !(record_type.ends_with("Fee")
        || ["Credit", "Refund", "Tax", "Support"].contains(&record_type.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
