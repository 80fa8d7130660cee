//! Owns budgets: those that exist in AWS as they were described, and those of the configuration.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arn::AccountId;
use crate::metric::Metric;
use crate::money::Money;

/// A budget as AWS described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsBudget {
    /// The account that holds it.
    pub account: AccountId,
    /// The name.
    pub name: String,
    /// `MONTHLY`, `DAILY` …
    pub time_unit: String,
    /// The limit of the present period, absent where AWS gave none.
    pub limit: Option<Money>,
    /// The currency of its amounts.
    pub currency: String,
    /// The metric, absent where AWS named none of ours.
    pub metric: Option<Metric>,
    /// The filter, as AWS's JSON.
    pub filter: Option<Value>,
    /// Spend of the period so far, by AWS.
    pub actual: Option<Money>,
    /// Forecast of the whole period, by AWS.
    pub forecast: Option<Money>,
    /// Notifications.
    pub notifications: Vec<Notification>,
}

/// A threshold of a budget that tells somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Notification {
    /// Whether actual or forecast spend is watched.
    pub kind: NotificationKind,
    /// The threshold.
    pub threshold: Threshold,
}

/// What a notification watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Spend so far.
    Actual,
    /// Spend expected by the period's end.
    Forecast,
}

/// A line that spend may cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// A share of the limit in hundredths of a percent.
    BasisPoints(i64),
    /// An amount.
    Amount(Money),
}

impl Threshold {
    /// Returns the amount at which the threshold lies, for a limit; half to even at 10⁻¹².
    pub fn amount(self, limit: Money) -> Money {
        match self {
            Threshold::Amount(money) => money,
            Threshold::BasisPoints(points) => {
                let units = limit.units() * i128::from(points);
                Money::from_units(units.div_euclid(10_000))
            }
        }
    }
}
