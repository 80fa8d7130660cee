//! Owns budgets: those that exist in AWS as they were described, and those of the configuration.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arn::{AccountId, DomainId, Identity, SpaceName, UserProfileName};
use crate::key;
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
    /// Why it could not be read, where it could not; then it has a name and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
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

/// A budget of the configuration, judged by this program alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalBudget {
    /// The name.
    pub name: String,
    /// Whose spend it watches.
    pub scope: Scope,
    /// The limit of a month.
    pub limit: Money,
    /// What is watched, at which thresholds.
    pub notifications: Vec<Notification>,
}

/// Whose spend a budget watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of SageMaker.
    All,
    /// A domain, its users and spaces.
    Domain(DomainId),
    /// A user profile and its private spaces.
    UserProfile(DomainId, UserProfileName),
    /// A space.
    Space(DomainId, SpaceName),
    /// Something that only AWS can judge.
    Foreign(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => formatter.write_str("all"),
            Scope::Domain(domain) => write!(formatter, "domain/{domain}"),
            Scope::UserProfile(domain, name) => write!(formatter, "user-profile/{domain}/{name}"),
            Scope::Space(domain, name) => write!(formatter, "space/{domain}/{name}"),
            Scope::Foreign(text) => formatter.write_str(text),
        }
    }
}

impl Scope {
    /// Reads what a budget of AWS watches from its filter: one tag key of SageMaker with one value, else foreign.
    pub fn of_filter(filter: Option<&Value>) -> Scope {
        let Some(filter) = filter else {
            return Scope::Foreign("the whole bill of the account".to_owned());
        };
        let tags = filter.get("Tags");
        let key = tags.and_then(|tags| tags.get("Key")).and_then(Value::as_str);
        let values = tags.and_then(|tags| tags.get("Values")).and_then(Value::as_array);
        if let (Some(key), Some([value])) = (key, values.map(Vec::as_slice))
            && let Some(key) = key.strip_prefix("user:")
            && key::PRECEDENCE.contains(&key)
        {
            match value.as_str().and_then(Identity::parse) {
                Some(Identity::Domain(domain)) => return Scope::Domain(domain.id),
                Some(Identity::UserProfile(domain, name)) => {
                    return Scope::UserProfile(domain.id, name);
                }
                Some(Identity::Space(domain, name)) => return Scope::Space(domain.id, name),
                None => {}
            }
        }
        Scope::Foreign(filter.to_string())
    }
}

/// Tells the tag keys of SageMaker that a filter names without `user:`: AWS then counts nothing, for ever.
pub fn keys_without_prefix(filter: &Value) -> Vec<String> {
    match filter {
        Value::Object(map) => {
            let mut keys: Vec<String> = map
                .iter()
                .filter(|(name, _)| *name != "Tags")
                .flat_map(|(_, value)| keys_without_prefix(value))
                .collect();
            if let Some(key) =
                map.get("Tags").and_then(|tags| tags.get("Key")).and_then(Value::as_str)
                && key::PRECEDENCE.contains(&key)
            {
                keys.push(key.to_owned());
            }
            keys
        }
        Value::Array(values) => values.iter().flat_map(keys_without_prefix).collect(),
        _ => Vec::new(),
    }
}

impl Threshold {
    /// Returns the amount at which the threshold lies; absent without a limit, or beyond the range of amounts.
    pub fn amount(self, limit: Option<Money>) -> Option<Money> {
        match self {
            Threshold::Amount(money) => Some(money),
            Threshold::BasisPoints(points) => limit?.of_basis_points(points),
        }
    }
}
