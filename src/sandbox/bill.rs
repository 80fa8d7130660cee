//! Owns the true bill: every charge by day, exact, with who really caused it.
//!
//! **Invariant:** an amount is a whole quantity times a whole rate, so a month is exactly the sum of its days.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;

pub use super::metric::Metric;
use super::organisation::Tags;
use crate::money::Money;
use crate::period::{Month, Period};

/// A text that many charges share.
pub type Text = Arc<str>;

/// What a charge is for: the dimensions that Cost Explorer groups and filters by.
#[derive(Clone, Debug)]
pub struct Meter {
    /// The account that was billed.
    pub account: Text,
    /// The region, or `global` or `NoRegion`.
    pub region: Text,
    /// The service's name in Cost Explorer.
    pub service: Text,
    /// The usage type, with the region's prefix.
    pub usage_type: Text,
    /// The operation.
    pub operation: Text,
    /// `Usage`, `SavingsPlanCoveredUsage`, `Credit` …
    pub record_type: Text,
    /// The unit of the quantity: `Hrs`, `GB-Mo` …
    pub unit: Text,
    /// The tags on the billed resource, active or not.
    pub tags: Arc<Tags>,
    /// Who really caused it: `space/<domain>/<name>`, `user/…`, `domain/<id>`, `pool/…` or `none/<why>`.
    pub truth: Text,
}

/// Prices of one unit in 10⁻⁴ currency, one for each metric of cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// For `UnblendedCost`.
    pub unblended: i64,
    /// For `AmortizedCost`.
    pub amortized: i64,
    /// For `NetUnblendedCost`.
    pub net_unblended: i64,
    /// For `NetAmortizedCost`.
    pub net_amortized: i64,
    /// For `BlendedCost`.
    pub blended: i64,
}

impl Rates {
    /// The same price in every metric.
    pub const fn flat(rate: i64) -> Rates {
        Rates {
            unblended: rate,
            amortized: rate,
            net_unblended: rate,
            net_amortized: rate,
            blended: rate,
        }
    }

    /// One price as billed and another when spread, no discounts.
    pub const fn spread(billed: i64, amortized: i64) -> Rates {
        Rates {
            unblended: billed,
            amortized,
            net_unblended: billed,
            net_amortized: amortized,
            blended: billed,
        }
    }

    fn of(self, metric: Metric) -> i64 {
        match metric {
            Metric::UnblendedCost => self.unblended,
            Metric::AmortizedCost => self.amortized,
            Metric::NetUnblendedCost => self.net_unblended,
            Metric::NetAmortizedCost => self.net_amortized,
            Metric::BlendedCost => self.blended,
            Metric::UsageQuantity | Metric::NormalizedUsageAmount => 0,
        }
    }
}

/// Quantities by day, in 10⁻⁶ units.
#[derive(Clone, Debug)]
enum Days {
    /// One for each day from the first on.
    Each { first: i32, quantities: Vec<i64> },
    /// A few single days, ascending.
    Few(Vec<(i32, i64)>),
}

/// One meter of one cause over its days.
#[derive(Clone, Debug)]
pub struct Charge {
    /// What it is for.
    pub meter: Meter,
    /// What a unit costs.
    pub rates: Rates,
    /// Whether the quantity is shown as usage; fees, credits and negations have none.
    pub counted: bool,
    days: Days,
    first_month: i32,
    months: Vec<i64>,
}

/// The whole bill of the organisation.
#[derive(Clone, Debug, Default)]
pub struct Bill {
    /// Every charge, in no order.
    pub charges: Vec<Charge>,
}

/// A range of days by number, with its calendar month where it is a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    start: i32,
    end: i32,
    month: Option<i32>,
}

impl Stretch {
    /// Prepares a period for many sums.
    pub fn of(period: Period) -> Stretch {
        let month = Month::of(period.start);
        let whole = month.period() == period;
        Stretch {
            start: day_number(period.start),
            end: day_number(period.end),
            month: whole.then(|| month_number(period.start)),
        }
    }
}

/// Returns the count of days since 1970.
pub fn day_number(day: Date) -> i32 {
    let since = day.duration_since(jiff::civil::date(1970, 1, 1));
    i32::try_from(since.as_secs().div_euclid(86_400)).expect("dates lie within ±9999 years")
}

fn day_of(number: i32) -> Date {
    jiff::civil::date(1970, 1, 1) + i64::from(number).days()
}

fn month_number(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month()) - 1
}

impl Charge {
    /// Makes a charge with a quantity (in 10⁻⁶ units) for each day from `first` on.
    pub fn daily(meter: Meter, rates: Rates, first: Date, quantities: Vec<i64>) -> Charge {
        let first_month = month_number(first);
        let mut months = Vec::new();
        let mut rest = quantities.as_slice();
        let mut day = first;
        while !rest.is_empty() {
            let next = Month::of(day).plus(1).start();
            let count = usize::try_from(day_number(next) - day_number(day))
                .expect("the next month comes later")
                .min(rest.len());
            months.push(rest[..count].iter().sum());
            rest = &rest[count..];
            day = next;
        }
        let days = Days::Each { first: day_number(first), quantities };
        Charge { meter, rates, counted: true, days, first_month, months }
    }

    /// Makes a charge with quantities (in 10⁻⁶ units) on a few days.
    pub fn on(meter: Meter, rates: Rates, days: &[(Date, i64)]) -> Charge {
        let mut few: Vec<(i32, i64)> =
            days.iter().map(|(day, quantity)| (day_number(*day), *quantity)).collect();
        few.sort_unstable();
        Charge {
            meter,
            rates,
            counted: true,
            days: Days::Few(few),
            first_month: 0,
            months: Vec::new(),
        }
    }

    /// Makes a fee, credit, refund or tax: amounts of money on single days, the same in every metric.
    pub fn amount(meter: Meter, days: &[(Date, Money)]) -> Charge {
        let ticks: Vec<(Date, i64)> =
            days.iter().map(|(day, amount)| (*day, ticks_of(*amount))).collect();
        let mut charge = Charge::on(meter, Rates::flat(1), &ticks);
        charge.counted = false;
        charge
    }

    /// Returns the quantity of those days in 10⁻⁶ units.
    pub fn quantity(&self, stretch: Stretch) -> i64 {
        match &self.days {
            Days::Few(days) => {
                let from = days.partition_point(|(day, _)| *day < stretch.start);
                days[from..]
                    .iter()
                    .take_while(|(day, _)| *day < stretch.end)
                    .map(|(_, quantity)| quantity)
                    .sum()
            }
            Days::Each { first, quantities } => {
                if let Some(month) = stretch.month {
                    return usize::try_from(month - self.first_month)
                        .ok()
                        .and_then(|index| self.months.get(index))
                        .copied()
                        .unwrap_or(0);
                }
                let at = |day: i32| {
                    usize::try_from((day - first).max(0)).map_or(0, |at| at.min(quantities.len()))
                };
                let (from, to) = (at(stretch.start), at(stretch.end));
                if from < to { quantities[from..to].iter().sum() } else { 0 }
            }
        }
    }

    /// Returns the first and the last day before `end` with a quantity.
    pub fn used(&self, end: Date) -> Option<(Date, Date)> {
        let end = day_number(end);
        let used = |(day, quantity): (i32, i64)| (day < end && quantity != 0).then_some(day);
        let (first, last) = match &self.days {
            Days::Few(days) => {
                let mut days = days.iter().copied().filter_map(used);
                let first = days.next()?;
                (first, days.next_back().unwrap_or(first))
            }
            Days::Each { first, quantities } => {
                let mut days = (*first..).zip(quantities.iter().copied()).filter_map(used);
                let first = days.next()?;
                (first, days.last().unwrap_or(first))
            }
        };
        Some((day_of(first), day_of(last)))
    }

    /// Returns what that quantity amounts to: 10⁻¹⁰ currency, or 10⁻⁶ units for usage.
    pub fn measure(&self, metric: Metric, quantity: i64) -> i128 {
        match metric {
            Metric::UsageQuantity if self.counted => i128::from(quantity),
            Metric::UsageQuantity | Metric::NormalizedUsageAmount => 0,
            cost => i128::from(quantity) * i128::from(self.rates.of(cost)),
        }
    }

    /// Returns the cost of a period in one metric.
    pub fn cost(&self, metric: Metric, period: Period) -> Money {
        let quantity = self.quantity(Stretch::of(period));
        Money::from_units(self.measure(metric, quantity) * 100)
    }
}

/// Returns money in 10⁻¹⁰ currency, the finest that a bill knows.
pub fn ticks_of(amount: Money) -> i64 {
    i64::try_from(amount.units() / 100).expect("one charge stays below 900 million")
}

impl Bill {
    /// Adds a charge, late or not.
    pub fn add_charge(&mut self, charge: Charge) {
        self.charges.push(charge);
    }

    /// Adds a credit that AWS grants for a month that may be long settled; `amount` is positive.
    pub fn add_late_credit(&mut self, account: &str, service: &str, month: Month, amount: Money) {
        let meter = Meter {
            account: account.into(),
            region: "global".into(),
            service: service.into(),
            usage_type: "Credit".into(),
            operation: "None".into(),
            record_type: "Credit".into(),
            unit: "N/A".into(),
            tags: Arc::default(),
            truth: "none/credit".into(),
        };
        let last = month.period().days().last().expect("a month has days");
        self.add_charge(Charge::amount(meter, &[(last, -amount)]));
    }

    /// Returns the sum over all charges of a period in one metric.
    pub fn total(&self, metric: Metric, period: Period) -> Money {
        let stretch = Stretch::of(period);
        let ticks: i128 =
            self.charges.iter().map(|it| it.measure(metric, it.quantity(stretch))).sum();
        Money::from_units(ticks * 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn meter() -> Meter {
        Meter {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            service: "Amazon SageMaker".into(),
            usage_type: "USE1-Train:ml.m5.xlarge".into(),
            operation: "RunInstance".into(),
            record_type: "Usage".into(),
            unit: "Hrs".into(),
            tags: Arc::default(),
            truth: "none/test".into(),
        }
    }

    #[test]
    fn a_month_is_the_sum_of_its_days() {
        let quantities: Vec<i64> = (0..100).map(|day| 333_333 + day * 7).collect();
        let charge =
            Charge::daily(meter(), Rates::spread(7364, 4713), date(2026, 1, 17), quantities);
        for month in ["2025-12", "2026-01", "2026-02", "2026-04", "2026-05"] {
            let month = Month::parse(month).unwrap();
            for metric in Metric::ALL {
                let days: Money = month
                    .period()
                    .days()
                    .map(|day| {
                        charge.cost(metric, Period { start: day, end: day.tomorrow().unwrap() })
                    })
                    .sum();
                assert_eq!(charge.cost(metric, month.period()), days, "{month} {metric:?}");
            }
        }
        let january = Month::parse("2026-01").unwrap().period();
        assert_eq!(charge.cost(Metric::UnblendedCost, january).to_string(), "3.682537572");
    }

    #[test]
    fn the_days_with_use_are_those_with_a_quantity() {
        let first = date(2026, 2, 27);
        let daily = Charge::daily(meter(), Rates::flat(1), first, vec![0, 5, 0, 7, 0]);
        let few = Charge::on(meter(), Rates::flat(1), &[(first, 0), (date(2026, 3, 2), 7)]);
        let print = |charge: &Charge, day: i8| {
            let used = charge.used(date(2026, 3, day));
            used.map_or("-".to_owned(), |(first, last)| format!("{first}..{last}"))
        };
        assert_eq!(print(&daily, 9), "2026-02-28..2026-03-02");
        assert_eq!(print(&daily, 2), "2026-02-28..2026-02-28");
        assert_eq!(print(&few, 9), "2026-03-02..2026-03-02");
        assert_eq!(print(&few, 2), "-");
    }

    #[test]
    fn a_late_credit_is_exact_and_no_usage() {
        let mut bill = Bill::default();
        let month = Month::parse("2026-02").unwrap();
        bill.add_late_credit(
            "1",
            "Amazon SageMaker",
            month,
            Money::parse("12.3456789012").unwrap(),
        );
        assert_eq!(
            bill.total(Metric::NetAmortizedCost, month.period()).to_string(),
            "-12.3456789012"
        );
        assert_eq!(bill.total(Metric::UsageQuantity, month.period()), Money::ZERO);
        assert_eq!(bill.total(Metric::UnblendedCost, month.plus(1).period()), Money::ZERO);
    }
}
