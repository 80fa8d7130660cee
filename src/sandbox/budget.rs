//! Owns a budget of AWS Budgets: all that `CreateBudget` can say of one of cost or usage.
//!
//! **Invariant:** plain data; what is spent, and which limit is in force, follow from the bill and the clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::money::Money;
use crate::period::{Month, Period};

/// A budget of AWS Budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The account that holds it.
    pub account: String,
    /// The name.
    pub name: String,
    /// `COST` or `USAGE`.
    pub kind: String,
    /// How long a period is.
    pub time_unit: TimeUnit,
    /// The limit of a period.
    pub limit: BudgetLimit,
    /// What its amounts are counted in: `USD`, or a unit of usage.
    pub unit: String,
    /// What is counted.
    pub filter: BudgetFilter,
    /// When it begins; with the period of its last change when absent.
    pub start: Option<Timestamp>,
    /// When it is deleted; in 2087 when absent.
    pub end: Option<Timestamp>,
    /// The billing view that it was made on.
    pub billing_view: Option<String>,
    /// Tags; never for the allocation of cost.
    pub tags: BTreeMap<String, String>,
    /// Notifications.
    pub notifications: Vec<Notification>,
    /// When it was last changed; spend is zero until new data after that.
    pub updated_at: Timestamp,
}

/// How long a period of a budget is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeUnit {
    /// A day.
    Daily,
    /// A calendar month.
    Monthly,
    /// A calendar quarter.
    Quarterly,
    /// A calendar year.
    Annually,
    /// From the budget's start to its end, once.
    Custom,
}

/// The limit of a budget, in one of its three forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetLimit {
    /// The same in every period.
    Fixed(Money),
    /// One a period, by the second since 1970 in which that begins; the last one stays.
    Planned(BTreeMap<i64, Money>),
    /// The mean of so many full periods before the present one.
    Historical(u8),
    /// What the present period was expected to come to when it began.
    Forecast,
}

/// What a budget counts, in one of the two forms that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetFilter {
    /// `FilterExpression` and `Metrics`.
    Expression {
        /// The expression in the JSON of Budgets, tag keys with `user:`; the whole bill when absent.
        filter: Option<Value>,
        /// The metric as Budgets spells it (`NetAmortizedCost`); nothing can be counted when absent.
        metric: Option<String>,
    },
    /// `CostFilters` and `CostTypes`, which are deprecated.
    Cost {
        /// Values by the name of the filter.
        filters: BTreeMap<String, Vec<String>>,
        /// Every switch that differs from its default.
        types: BTreeMap<String, bool>,
    },
}

/// A notification of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// `ACTUAL` or `FORECASTED`.
    pub kind: String,
    /// `GREATER_THAN` …
    pub operator: String,
    /// The threshold, in percent or in currency.
    pub threshold: Money,
    /// `PERCENTAGE` or `ABSOLUTE_VALUE`.
    pub threshold_type: String,
    /// (`EMAIL` or `SNS`, address).
    pub subscribers: Vec<(String, String)>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            account: String::new(),
            name: String::new(),
            kind: "COST".to_owned(),
            time_unit: TimeUnit::Monthly,
            limit: BudgetLimit::Fixed(Money::ZERO),
            unit: "USD".to_owned(),
            filter: BudgetFilter::Expression {
                filter: None,
                metric: Some("UnblendedCost".to_owned()),
            },
            start: None,
            end: None,
            billing_view: None,
            tags: BTreeMap::new(),
            notifications: Vec::new(),
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }
}

impl Budget {
    /// Returns the period that a day is in: of the calendar, or the only one of a custom budget.
    pub fn period(&self, day: Date) -> Period {
        self.time_unit.period(day).unwrap_or_else(|| {
            let date = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
            let start = date(self.start.unwrap_or(self.updated_at));
            Period { start, end: self.end.map_or(Date::MAX, date) }
        })
    }
}

impl Notification {
    /// Tells whether two notifications are the same to Budgets, which gives them no id.
    pub fn is(&self, other: &Notification) -> bool {
        let identity = |it: &Notification| {
            (it.kind.clone(), it.operator.clone(), it.threshold, it.threshold_type.clone())
        };
        identity(self) == identity(other)
    }
}

impl TimeUnit {
    /// Every unit.
    pub const ALL: [TimeUnit; 5] = [
        TimeUnit::Daily,
        TimeUnit::Monthly,
        TimeUnit::Quarterly,
        TimeUnit::Annually,
        TimeUnit::Custom,
    ];

    /// Returns the API's name.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Daily => "DAILY",
            TimeUnit::Monthly => "MONTHLY",
            TimeUnit::Quarterly => "QUARTERLY",
            TimeUnit::Annually => "ANNUALLY",
            TimeUnit::Custom => "CUSTOM",
        }
    }

    /// Reads the API's name.
    pub fn parse(text: &str) -> Option<TimeUnit> {
        TimeUnit::ALL.into_iter().find(|unit| unit.name() == text)
    }

    /// Returns the period of the calendar that a day is in; a custom budget has none.
    pub fn period(self, day: Date) -> Option<Period> {
        let month = Month::of(day);
        let of_months = |count: i32| {
            let first = month.plus(-(i32::from(day.month() - 1) % count));
            Period { start: first.start(), end: first.plus(count).start() }
        };
        match self {
            TimeUnit::Daily => {
                let end = day.tomorrow().expect("days of budgets end before year 9999");
                Some(Period { start: day, end })
            }
            TimeUnit::Monthly => Some(of_months(1)),
            TimeUnit::Quarterly => Some(of_months(3)),
            TimeUnit::Annually => Some(of_months(12)),
            TimeUnit::Custom => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_those_of_the_calendar() {
        for (unit, day, expected) in [
            (TimeUnit::Daily, "2026-12-31", "2026-12-31 2027-01-01"),
            (TimeUnit::Monthly, "2026-12-31", "2026-12-01 2027-01-01"),
            (TimeUnit::Quarterly, "2026-11-22", "2026-10-01 2027-01-01"),
            (TimeUnit::Quarterly, "2026-04-01", "2026-04-01 2026-07-01"),
            (TimeUnit::Annually, "2026-01-01", "2026-01-01 2027-01-01"),
        ] {
            let period = unit.period(day.parse().unwrap()).unwrap();
            assert_eq!(format!("{} {}", period.start, period.end), expected, "{unit:?}");
            assert_eq!(TimeUnit::parse(unit.name()), Some(unit));
        }
        let once = Budget {
            time_unit: TimeUnit::Custom,
            start: Some("2026-03-05T00:00:00Z".parse().unwrap()),
            end: Some("2026-09-10T00:00:00Z".parse().unwrap()),
            ..Budget::default()
        };
        let period = once.period("2026-11-22".parse().unwrap());
        assert_eq!(format!("{} {}", period.start, period.end), "2026-03-05 2026-09-10");
    }

    #[test]
    fn a_notification_is_what_it_says_and_not_whom_it_tells() {
        let one = Notification {
            kind: "ACTUAL".to_owned(),
            operator: "GREATER_THAN".to_owned(),
            threshold: Money::parse("80").unwrap(),
            threshold_type: "PERCENTAGE".to_owned(),
            subscribers: Vec::new(),
        };
        let told = vec![("EMAIL".to_owned(), "a@example.com".to_owned())];
        let threshold = Money::parse("80.0").unwrap();
        let other = Notification { subscribers: told, threshold, ..one.clone() };
        assert!(one.is(&other));
        assert!(!one.is(&Notification { kind: "FORECASTED".to_owned(), ..other }));
    }
}
