//! Owns what a budget's own setup shows to be wrong, whatever it has spent.
//!
//! **Invariant:** what could not be read proves nothing.

use std::collections::BTreeSet;

use crate::arn::{DomainId, DomainKey, Identity, SpaceName, UserProfileName};
use crate::budget::AwsBudget;
use crate::criterion::{Criterion, TagLeaf};
use crate::finding::{Kind, Said, Severity};
use crate::inventory::Whereabouts;
use crate::key::{self, KeyStatus};
use crate::metric::Metric;
use crate::money::Money;
use crate::snapshot::Snapshot;

/// How many values are named.
const NAMED_COUNT_MAX: usize = 3;

/// What bill and inventory know of keys and values.
pub struct Known<'a> {
    /// What billing says of the keys; absent where it would not say.
    statuses: Option<&'a [KeyStatus]>,
    /// The keys that billing was asked about.
    asked: BTreeSet<&'a str>,
    values: BTreeSet<(String, String)>,
    domains: BTreeSet<DomainKey>,
    users: BTreeSet<(&'a DomainId, &'a UserProfileName)>,
    spaces: BTreeSet<(&'a DomainId, &'a SpaceName)>,
    listed: &'a BTreeSet<Whereabouts>,
}

impl<'a> Known<'a> {
    /// Takes in a snapshot.
    pub fn of(snapshot: &'a Snapshot) -> Known<'a> {
        let (manifest, inventory) = (&snapshot.manifest, &snapshot.inventory);
        let mut values: BTreeSet<_> = snapshot.records.distinct_values().into_iter().collect();
        for row in &manifest.space_users {
            values.insert((key::SPACE.to_owned(), row.space.clone()));
            values.insert((key::USER_PROFILE.to_owned(), row.user_profile.clone()));
        }
        let billed = values.iter().filter(|(key, _)| key::PRECEDENCE.contains(&key.as_str()));
        let billed = billed.filter_map(|(_, value)| Some(Identity::parse(value)?.domain().clone()));
        let listed = inventory.domains.iter().map(|domain| domain.key.clone());
        Known {
            statuses: manifest.key_statuses.as_deref(),
            asked: key::PRECEDENCE
                .into_iter()
                .chain(manifest.configured_keys.iter().map(String::as_str))
                .collect(),
            domains: billed.chain(listed).collect(),
            users: inventory.user_profiles.iter().map(|it| (&it.domain, &it.name)).collect(),
            spaces: inventory.spaces.iter().map(|it| (&it.domain, &it.name)).collect(),
            listed: &inventory.listed,
            values,
        }
    }

    /// Tells why a key shows no value; absent where it is active, or billing would not say.
    fn silence(&self, key: &str) -> Option<&'static str> {
        let status = self.statuses?.iter().find(|status| status.key == key);
        match status {
            None if self.asked.contains(key) => Some("billing has never seen it"),
            Some(status) if status.active == Some(false) => {
                Some("it is not active as a cost allocation tag")
            }
            _ => None,
        }
    }

    /// Tells whether anything is known of a value; a space that the bill has shown under one of its keys is known under both.
    fn has(&self, value: &str, identity: &Identity) -> bool {
        let is_billed = |key: &str| self.values.contains(&(key.to_owned(), value.to_owned()));
        key::PRECEDENCE.into_iter().any(is_billed)
            || self.domains.contains(identity.domain())
                && match identity {
                    Identity::Domain(_) => true,
                    Identity::UserProfile(domain, name) => self.users.contains(&(&domain.id, name)),
                    Identity::Space(domain, name) => self.spaces.contains(&(&domain.id, name)),
                }
    }

    fn is_listed(&self, identity: &Identity) -> bool {
        let DomainKey { account, region, .. } = identity.domain();
        self.listed.contains(&Whereabouts { account: account.clone(), region: region.clone() })
    }
}

/// Says everything that is wrong with a budget by itself; `wanted` is the metric that the configuration has for it.
pub(crate) fn all(
    budget: &AwsBudget,
    filter: &Criterion,
    wanted: Option<Metric>,
    known: &Known<'_>,
) -> Vec<Said> {
    let mut all = Vec::new();
    if let Some(why) = &budget.unhealthy {
        let text = format!("AWS cannot calculate it: `{why}`");
        let fix = "mend what AWS names, or delete the budget and make it anew";
        all.push(Said::new(Kind::Unhealthy, Severity::Error, text, fix));
    }
    let leaves = filter.tags();
    all.extend(prefixes(&leaves));
    all.extend(keys(&leaves, known));
    all.extend(metric(budget, wanted));
    all.extend(values(&leaves, known, budget.actual.is_some_and(Money::is_zero)));
    all
}

fn prefixes(leaves: &[&TagLeaf]) -> Option<Said> {
    let keys: BTreeSet<String> = leaves
        .iter()
        .filter(|leaf| !leaf.is_prefixed)
        .map(|leaf| format!("`{}`", leaf.key))
        .collect();
    if keys.is_empty() {
        return None;
    }
    let text = format!(
        "its filter names {} without `user:`, and AWS counts nothing for that; least and most are what it does not watch",
        named(&keys)
    );
    let fix = "put `user:` before the key in the budget's filter";
    Some(Said::new(Kind::MissingPrefix, Severity::Error, text, fix))
}

fn keys(leaves: &[&TagLeaf], known: &Known<'_>) -> Vec<Said> {
    let wants_value = |leaf: &TagLeaf| leaf.values.iter().any(|value| !value.is_empty());
    let silence = |leaf: &TagLeaf| known.silence(&leaf.key).filter(|_| leaf.is_prefixed);
    let mut with_value = leaves.iter().filter(|leaf| wants_value(leaf)).peekable();
    // Where another key is counted as well, something is watched, and perhaps all that there is.
    let is_dead = with_value.peek().is_some() && with_value.all(|leaf| silence(leaf).is_some());
    let severity = if is_dead { Severity::Error } else { Severity::Warning };
    let silent: BTreeSet<(&str, &str)> = leaves
        .iter()
        .filter(|leaf| wants_value(leaf))
        .filter_map(|leaf| Some((leaf.key.as_str(), silence(leaf)?)))
        .collect();
    let said = silent.into_iter().map(|(key, why)| {
        let text = format!("its filter names `{key}`, and {why}");
        let fix =
            "activate the key with `apportion tags apply`; its values count from a day later on";
        Said::new(Kind::KeyNotActive, severity, text, fix)
    });
    said.collect()
}

fn metric(budget: &AwsBudget, wanted: Option<Metric>) -> Option<Said> {
    let is_expression = budget.filter.as_ref().is_some_and(|it| it.get("CostFilters").is_none());
    let shows_nothing = budget.actual.is_none_or(Money::is_zero);
    match (budget.metric, wanted) {
        (Some(is), Some(wanted)) if is != wanted => {
            let text =
                format!("it counts {}, and the configuration has {}", is.title(), wanted.title());
            let fix = format!("set `Metrics` of the budget to `{}`", wanted.aws_name());
            Some(Said::new(Kind::WrongMetric, Severity::Error, text, fix))
        }
        (None, _) if is_expression && shows_nothing && budget.metric_name.is_none() => {
            let text = "its filter expression comes without a metric that AWS calculates";
            let fix = "set `Metrics` of the budget; AWS takes one without, and never calculates it";
            Some(Said::new(Kind::NoMetric, Severity::Error, text, fix))
        }
        _ => None,
    }
}

fn values(leaves: &[&TagLeaf], known: &Known<'_>, shows_nothing: bool) -> Vec<Said> {
    let (mut unknown, mut unlisted) = (BTreeSet::new(), BTreeSet::new());
    let mut is_any_known = false;
    for leaf in leaves.iter().filter(|leaf| key::PRECEDENCE.contains(&leaf.key.as_str())) {
        for value in leaf.values.iter().filter(|value| !value.is_empty()) {
            let told = format!("`{value}`");
            match Identity::parse(value).filter(|it| is_of(&leaf.key, it)) {
                None if known.values.contains(&(leaf.key.clone(), value.clone())) => {
                    is_any_known = true;
                }
                Some(identity) if known.has(value, &identity) => is_any_known = true,
                Some(identity) if !known.is_listed(&identity) => {
                    unlisted.insert(told);
                }
                _ => {
                    unknown.insert(told);
                }
            }
        }
    }
    let mut said = Vec::new();
    let fix = "compare the value with the ARN that SageMaker gives, letter by letter";
    if !unknown.is_empty() {
        let text = format!("neither the bill nor the inventory knows {}", named(&unknown));
        // One that knows nobody and shows nothing watches nothing.
        let is_grave = shows_nothing && !is_any_known && unlisted.is_empty();
        let severity = if is_grave { Severity::Error } else { Severity::Warning };
        said.push(Said::new(Kind::UnknownValue, severity, text, fix));
    }
    if !unlisted.is_empty() {
        let text = format!(
            "the bill does not know {}, and nobody has listed what is there",
            named(&unlisted)
        );
        said.push(Said::new(Kind::UnknownValue, Severity::Info, text, fix));
    }
    said
}

/// Tells whether an ARN is of the kind that a key of SageMaker names.
fn is_of(key: &str, identity: &Identity) -> bool {
    match identity {
        Identity::Domain(_) => [key::DOMAIN, key::MANAGED_BY].contains(&key),
        Identity::UserProfile(..) => key == key::USER_PROFILE,
        Identity::Space(..) => [key::SPACE, key::SHARED_SPACE].contains(&key),
    }
}

fn named(all: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = all.iter().take(NAMED_COUNT_MAX).map(String::as_str).collect();
    let more = all.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
