//! Owns limits: how long a budget runs before it begins anew, and what may be spent in one run.
//!
//! Rules of AWS: Billing and Cost Management API Reference, `Budget`, members `TimeUnit`, `PlannedBudgetLimits` and `AutoAdjustData`.
//! **Invariant:** no clock: the day is given, so that what is planned rolls with it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::period::{Month, Period};

/// How long a budget runs before it begins anew, in the calendar's units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// A UTC day.
    Daily,
    /// A calendar month.
    #[default]
    Monthly,
    /// A calendar quarter.
    Quarterly,
    /// A calendar year.
    Annually,
}

/// What may be spent in one run of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The same in every run.
    Fixed(Money),
    /// By the calendar: twelve amounts from January on, or four from the first quarter on, the same each year.
    Yearly(Vec<Money>),
    /// Run by run, by its first month; what comes after the last one is like it.
    Listed(BTreeMap<Month, Money>),
    /// Set by AWS, and moved by it from run to run.
    Adjusted(Adjustment),
}

/// By what AWS sets a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// The forecast of the run.
    Forecast,
    /// The mean of so many runs before: up to 60 days, 12 months, 4 quarters or 1 year.
    Historical(u32),
}

impl Cycle {
    /// Returns the word of the configuration and of files.
    pub fn name(self) -> &'static str {
        match self {
            Cycle::Daily => "daily",
            Cycle::Monthly => "monthly",
            Cycle::Quarterly => "quarterly",
            Cycle::Annually => "annually",
        }
    }

    /// Returns the word for one run.
    pub fn span(self) -> &'static str {
        match self {
            Cycle::Daily => "day",
            Cycle::Monthly => "month",
            Cycle::Quarterly => "quarter",
            Cycle::Annually => "year",
        }
    }

    /// Returns the word of the Budgets API.
    pub fn aws_name(self) -> &'static str {
        match self {
            Cycle::Daily => "DAILY",
            Cycle::Monthly => "MONTHLY",
            Cycle::Quarterly => "QUARTERLY",
            Cycle::Annually => "ANNUALLY",
        }
    }

    /// Reads the word of the Budgets API; absent for one that does not begin anew.
    pub fn of_aws(name: &str) -> Option<Cycle> {
        [Cycle::Daily, Cycle::Monthly, Cycle::Quarterly, Cycle::Annually]
            .into_iter()
            .find(|it| it.aws_name() == name)
    }

    /// Returns the run that a day lies in.
    pub fn run(self, day: Date) -> Period {
        match self {
            Cycle::Daily => {
                Period { start: day, end: day.saturating_add(jiff::Span::new().days(1)) }
            }
            Cycle::Monthly => Month::of(day).period(),
            Cycle::Quarterly | Cycle::Annually => {
                let months = self.months().expect("quarters and years have months");
                let into = (i32::from(day.month()) - 1) % months;
                let first = Month::of(day).plus(-into);
                Period::of_months(first, first.plus(months - 1))
            }
        }
    }

    /// Returns the run before the one that a day lies in.
    pub fn before(self, day: Date) -> Period {
        self.run(self.run(day).start.saturating_sub(jiff::Span::new().days(1)))
    }

    /// Returns the months of one run; absent for a day.
    pub fn months(self) -> Option<i32> {
        match self {
            Cycle::Daily => None,
            Cycle::Monthly => Some(1),
            Cycle::Quarterly => Some(3),
            Cycle::Annually => Some(12),
        }
    }

    /// Returns how many limits AWS wants planned ahead, the present run's included; none where it plans none.
    pub fn planned_count(self) -> Option<usize> {
        match self {
            Cycle::Monthly => Some(12),
            Cycle::Quarterly => Some(4),
            Cycle::Daily | Cycle::Annually => None,
        }
    }

    /// Returns over how many runs before AWS takes a mean at most.
    pub fn historical_max(self) -> u32 {
        match self {
            Cycle::Daily => 60,
            Cycle::Monthly => 12,
            Cycle::Quarterly => 4,
            Cycle::Annually => 1,
        }
    }
}

impl Limit {
    /// Says why AWS would refuse the limit for a cycle.
    pub fn check(&self, cycle: Cycle) -> Result<(), String> {
        let amounts: Vec<Money> = match self {
            Limit::Fixed(money) => vec![*money],
            Limit::Yearly(amounts) => amounts.clone(),
            Limit::Listed(amounts) => amounts.values().copied().collect(),
            Limit::Adjusted(_) => Vec::new(),
        };
        if amounts.iter().any(|it| *it <= Money::ZERO) {
            return Err("its limit must be above zero".to_owned());
        }
        match (self, cycle.planned_count()) {
            (Limit::Yearly(_) | Limit::Listed(_), None) => Err(format!(
                "a {cycle} budget has no planned limits; monthly and quarterly ones have"
            )),
            (Limit::Yearly(amounts), Some(count)) if amounts.len() != count => Err(format!(
                "`planned` of a {cycle} budget has {count} amounts, one a run from January on, or a table by month"
            )),
            (Limit::Listed(amounts), _) if amounts.is_empty() => {
                Err("`planned` has no month".to_owned())
            }
            (Limit::Listed(amounts), _) => {
                let is_first = |month: &Month| cycle.run(month.start()).start == month.start();
                let odd = amounts.keys().find(|month| !is_first(month));
                odd.map_or(Ok(()), |month| Err(format!("no {cycle} run begins with {month}")))
            }
            (Limit::Adjusted(Adjustment::Historical(count)), _)
                if !(1..=cycle.historical_max()).contains(count) =>
            {
                Err(format!("`historical` of a {cycle} budget is 1 to {}", cycle.historical_max()))
            }
            _ => Ok(()),
        }
    }

    /// Returns what may be spent in the run that a day lies in; absent where only AWS can tell.
    pub fn on(&self, cycle: Cycle, day: Date) -> Option<Money> {
        let first = Month::of(cycle.run(day).start);
        match self {
            Limit::Fixed(money) => Some(*money),
            Limit::Yearly(amounts) => {
                let months = usize::try_from(cycle.months()?).ok()?;
                let index = usize::try_from(first.start().month() - 1).ok()? / months;
                amounts.get(index).copied()
            }
            Limit::Listed(amounts) => {
                let before = amounts.range(..=first).next_back();
                before.or_else(|| amounts.iter().next()).map(|(_, money)| *money)
            }
            Limit::Adjusted(_) => None,
        }
    }

    /// Returns the limits that AWS wants of a planned one: by the first day of each run, from the present one on.
    ///
    /// Absent for a limit that is not planned, and for cycles for which AWS plans none.
    pub fn planned(&self, cycle: Cycle, today: Date) -> Option<BTreeMap<Date, Money>> {
        if !matches!(self, Limit::Yearly(_) | Limit::Listed(_)) {
            return None;
        }
        let (count, months) = (cycle.planned_count()?, cycle.months()?);
        let first = Month::of(cycle.run(today).start);
        let starts = (0..).map(|index: i32| first.plus(index * months).start()).take(count);
        starts.map(|start| Some((start, self.on(cycle, start)?))).collect()
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn runs_are_those_of_the_calendar() {
        for (cycle, on, expected) in [
            (Cycle::Daily, "2026-12-31", "2026-12-31..2027-01-01"),
            (Cycle::Monthly, "2028-02-29", "2028-02-01..2028-03-01"),
            (Cycle::Quarterly, "2026-11-20", "2026-10-01..2027-01-01"),
            (Cycle::Quarterly, "2026-03-31", "2026-01-01..2026-04-01"),
            (Cycle::Annually, "2026-11-20", "2026-01-01..2027-01-01"),
        ] {
            assert_eq!(cycle.run(day(on)).to_string(), expected, "{cycle} {on}");
        }
        for (cycle, on, expected) in [
            (Cycle::Daily, "2027-01-01", "2026-12-31..2027-01-01"),
            (Cycle::Monthly, "2026-03-31", "2026-02-01..2026-03-01"),
            (Cycle::Quarterly, "2026-11-20", "2026-07-01..2026-10-01"),
            (Cycle::Annually, "2026-11-20", "2025-01-01..2026-01-01"),
        ] {
            assert_eq!(cycle.before(day(on)).to_string(), expected, "{cycle} {on}");
        }
    }

    fn planned(limit: &Limit, cycle: Cycle, today: &str) -> String {
        let planned = limit.planned(cycle, day(today)).unwrap();
        let told = planned.iter().map(|(start, money)| format!("{start}={money}"));
        told.collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn what_is_planned_rolls_with_the_day() {
        let yearly = Limit::Yearly((1..=4).map(|it| money(&it.to_string())).collect());
        let quarterly = |today| planned(&yearly, Cycle::Quarterly, today);
        let expected = "2026-10-01=4 2027-01-01=1 2027-04-01=2 2027-07-01=3";
        assert_eq!(quarterly("2026-11-20"), expected);
        assert_eq!(quarterly("2026-12-31"), expected);
        assert_eq!(quarterly("2027-01-01"), "2027-01-01=1 2027-04-01=2 2027-07-01=3 2027-10-01=4");
        let listed = Limit::Listed(BTreeMap::from([
            (Month::parse("2026-12").unwrap(), money("6")),
            (Month::parse("2027-02").unwrap(), money("7")),
        ]));
        let monthly = planned(&listed, Cycle::Monthly, "2026-11-20");
        assert!(
            monthly
                .starts_with("2026-11-01=6 2026-12-01=6 2027-01-01=6 2027-02-01=7 2027-03-01=7 ")
        );
        assert_eq!(monthly.split(' ').count(), 12);
        assert_eq!(Limit::Fixed(money("5")).planned(Cycle::Monthly, day("2026-11-20")), None);
    }

    #[test]
    fn the_limit_of_a_day_is_that_of_its_run() {
        let twelve = Limit::Yearly((1..=12).map(|it| money(&it.to_string())).collect());
        assert_eq!(twelve.on(Cycle::Monthly, day("2026-11-20")), Some(money("11")));
        let adjusted = Limit::Adjusted(Adjustment::Forecast);
        assert_eq!(adjusted.on(Cycle::Monthly, day("2026-11-20")), None);
    }
}
