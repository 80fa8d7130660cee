//! Owns budgets: those of the configuration, and those that exist in AWS as a snapshot keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arn::{AccountId, Arn, DomainId, DomainKey, Identity, SpaceName, UserProfileName};
use crate::key;
use crate::limit::{Cycle, Limit};
use crate::metric::Metric;
use crate::money::Money;
use crate::team::TeamName;
use crate::usage;

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
    /// What a budget of the newer make names as its metric, in AWS's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// The filter, as AWS's JSON.
    pub filter: Option<Value>,
    /// The billing view, where it is not the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_view: Option<String>,
    /// Spend of the period so far, by AWS.
    pub actual: Option<Money>,
    /// Forecast of the whole period, by AWS.
    pub forecast: Option<Money>,
    /// Notifications.
    pub notifications: Vec<Notification>,
    /// When it was last changed; its spend is zero from then until new data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Why AWS calls it unhealthy, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy: Option<String>,
    /// Why it could not be read, where it could not; then it has a name and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Where a budget is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// AWS Budgets.
    Aws,
    /// The configuration.
    Configuration,
}

/// A threshold of a budget that tells somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// Whom a notification tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subscriber {
    /// An e-mail address.
    Email(String),
    /// An SNS topic, by its ARN.
    Sns(String),
}

/// Notifications and whom each of them tells; one may tell nobody, and then only this program judges it.
pub type Notifications = BTreeMap<Notification, BTreeSet<Subscriber>>;

/// A budget of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The name, unique in the configuration.
    pub name: String,
    /// Whose spend it watches.
    pub scope: Scope,
    /// How long it runs before it begins anew.
    pub cycle: Cycle,
    /// What may be spent in one run.
    pub limit: Limit,
    /// The metric; the program's when absent.
    pub metric: Option<Metric>,
    /// Record types that are left out, as the configuration spells them.
    pub excluded: BTreeSet<String>,
    /// What is watched, at which thresholds, and who is told.
    pub notifications: Notifications,
    /// Whether it is judged by this program alone, and AWS is told nothing of it.
    pub is_local: bool,
}

/// Whose spend a budget watches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All of SageMaker.
    All,
    /// A domain, its users and spaces.
    Domain(DomainId),
    /// A user profile and its private spaces.
    UserProfile(DomainId, UserProfileName),
    /// A space.
    Space(DomainId, SpaceName),
    /// What a team is charged.
    Team(TeamName),
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
            Scope::Team(team) => write!(formatter, "team/{team}"),
            Scope::Foreign(text) => formatter.write_str(text),
        }
    }
}

impl Scope {
    /// Reads what a budget of AWS watches from its filter: one tag key of SageMaker with one value of a known domain, else
    /// foreign.
    pub fn of_filter(filter: Option<&Value>, is_known: impl Fn(&DomainKey) -> bool) -> Scope {
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
            match value.as_str().and_then(Identity::parse).filter(|it| is_known(it.domain())) {
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

/// Tells whether a billing view is the account's own, which is meant where none is named.
pub fn is_own_view(account: &AccountId, arn: &str) -> bool {
    Arn::parse(arn)
        .is_some_and(|it| it.account == account.as_str() && it.resource == "billingview/primary")
}

/// What stands before a tag key in a filter: who put the tag.
const PREFIXES: [&str; 3] = ["user:", "aws:", "iamPrincipal/"];

/// Tells the tag keys that a filter of either make names without a prefix: AWS then counts nothing, for ever.
pub fn keys_without_prefix(filter: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut put = |key: &str| {
        if !PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
            keys.insert(key.to_owned());
        }
    };
    match filter {
        Value::Object(map) => {
            for (name, value) in map {
                match name.as_str() {
                    "Tags" => {
                        value.get("Key").and_then(Value::as_str).into_iter().for_each(&mut put);
                    }
                    "TagKeyValue" => {
                        let texts =
                            value.as_array().into_iter().flatten().filter_map(Value::as_str);
                        texts.map(|it| it.split_once('$').map_or(it, |it| it.0)).for_each(&mut put);
                    }
                    _ => keys_without_prefix(value).iter().for_each(|key| put(key)),
                }
            }
        }
        Value::Array(values) => {
            values.iter().flat_map(keys_without_prefix).for_each(|key| put(&key));
        }
        _ => {}
    }
    keys
}

impl Budget {
    /// Tells whether a record type is left out; spaces and case do not count, since the bill spells types in two ways.
    pub fn excludes(&self, record_type: &str) -> bool {
        let plain = |text: &str| usage::unspaced(text).to_lowercase();
        self.excluded.iter().any(|it| plain(it) == plain(record_type))
    }
}

impl Subscriber {
    /// Returns the address.
    pub fn address(&self) -> &str {
        match self {
            Subscriber::Email(address) | Subscriber::Sns(address) => address,
        }
    }

    /// Returns the word of the Budgets API for its sort.
    pub fn aws_kind(&self) -> &'static str {
        match self {
            Subscriber::Email(_) => "EMAIL",
            Subscriber::Sns(_) => "SNS",
        }
    }
}

impl Source {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Source::Aws => "aws",
            Source::Configuration => "configuration",
        }
    }
}

impl NotificationKind {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            NotificationKind::Actual => "actual",
            NotificationKind::Forecast => "forecast",
        }
    }
}

impl fmt::Display for Threshold {
    /// Prints `80 %`, `80.5 %` or the exact amount.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Hundredths of a percent stand to percent as cents to dollars.
            Threshold::BasisPoints(points) => {
                write!(formatter, "{} %", Money::from_cents(i128::from(*points)))
            }
            Threshold::Amount(money) => write!(formatter, "{money}"),
        }
    }
}

impl Notification {
    /// Returns the one at the limit itself, for budgets without any.
    pub fn of_limit(kind: NotificationKind) -> Notification {
        Notification { kind, threshold: Threshold::BasisPoints(10_000) }
    }
}

impl fmt::Display for Notification {
    /// Prints `actual > 80 %`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} > {}", self.kind.name(), self.threshold)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_without_prefix_are_found_in_either_make_of_filter() {
        let tag = |key: &str| json!({ "Tags": { "Key": key, "Values": ["a"] } });
        let old = |texts: &[&str]| json!({ "CostFilters": { "TagKeyValue": texts } });
        for (filter, expected) in [
            (tag("team"), "team"),
            (tag(key::DOMAIN), key::DOMAIN),
            (tag("user:team"), ""),
            (tag("aws:createdBy"), ""),
            (tag("iamPrincipal/team"), ""),
            (json!({ "And": [tag("b"), { "Not": tag("a") }, { "Or": [tag("user:c")] }] }), "a b"),
            (json!({ "Dimensions": { "Key": "SERVICE", "Values": ["AWS Glue"] } }), ""),
            (old(&["team$a", "team$b", "bare", "user:other$c", "aws:createdBy$d"]), "bare team"),
            (json!({ "CostFilters": { "Service": ["AWS Glue"] } }), ""),
        ] {
            let keys: Vec<String> = keys_without_prefix(&filter).into_iter().collect();
            assert_eq!(keys.join(" "), expected, "{filter}");
        }
    }
}
