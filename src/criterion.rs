//! Owns filters of AWS Budgets as they are put to records: whether a filter takes a record, so far as that is known.
//!
//! A record knows the key that claims it (rule A1 of `docs/allocation.md`) and none of lower precedence, so the answer is yes, no or unknown.
//! **Invariant:** no answer is guessed; the one assumption is that of `place.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::arn::{DomainKey, Identity};
use crate::doubt::{Doubt, Truth};
use crate::expression::USER;
use crate::key;
use crate::place::{Keys, Place, Worth};
use crate::usage;

/// A filter that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// All of them.
    And(Vec<Criterion>),
    /// Any of them.
    Or(Vec<Criterion>),
    /// Not that one.
    Not(Box<Criterion>),
    /// A tag key with one of the values.
    Tag(TagLeaf),
    /// A dimension with one of the values.
    Dimension(String, BTreeSet<String>),
    /// The switches of a budget of the older make.
    Switches,
    /// What records do not tell, as the filter names it.
    Untold(String),
}

/// A tag key of a filter and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagLeaf {
    /// The key, without prefix.
    pub key: String,
    /// Whether the filter has the prefix that AWS wants: without it nothing bears the key.
    pub is_prefixed: bool,
    /// The values.
    pub values: BTreeSet<String>,
    /// Whether the key's absence is taken.
    pub takes_absence: bool,
    /// The domains that the values name.
    domains: BTreeSet<DomainKey>,
}

/// Record types that no switch of a budget of the older make leaves out.
const UNSWITCHED: [&str; 2] = ["Usage", "SavingsPlanCoveredUsage"];

fn truth(is: bool) -> Truth {
    if is { Truth::Yes } else { Truth::No }
}

impl TagLeaf {
    /// Makes a leaf of a key as a filter has it; a value of no text stands for absence.
    fn new(key: &str, values: BTreeSet<String>, is_absent: bool) -> TagLeaf {
        let bare = key.strip_prefix(USER);
        let domains = values.iter().filter_map(|value| Identity::parse(value));
        TagLeaf {
            key: bare.unwrap_or(key).to_owned(),
            is_prefixed: bare.is_some(),
            takes_absence: is_absent || values.is_empty() || values.contains(""),
            domains: domains.map(|identity| identity.domain().clone()).collect(),
            values,
        }
    }

    fn takes(&self, worth: &Worth<'_>) -> Truth {
        let or_absent = |value: Truth| {
            if value == truth(self.takes_absence) { value } else { Truth::Unknown }
        };
        match worth {
            Worth::Absent => truth(self.takes_absence),
            Worth::Is(value) => truth(self.values.contains(*value)),
            Worth::Within(_, arn) if [key::DOMAIN, key::MANAGED_BY].contains(&&*self.key) => {
                or_absent(truth(self.values.contains(*arn)))
            }
            Worth::Within(domain, _) if !self.domains.contains(domain) => or_absent(Truth::No),
            Worth::Present if self.values.iter().all(String::is_empty) => Truth::No,
            Worth::Within(..) | Worth::Present | Worth::Unknown => Truth::Unknown,
        }
    }
}

impl Criterion {
    /// Reads a filter of either make; without one everything is taken.
    pub fn parse(filter: Option<&Value>) -> Criterion {
        match filter {
            None => Criterion::And(Vec::new()),
            Some(filter) => match filter.get("CostFilters").and_then(Value::as_object) {
                Some(filters) => of_cost_filters(filters),
                None => of_expression(filter),
            },
        }
    }

    /// Tells whether the filter takes records, with the user profile's tag where it is known of a space's records.
    pub fn takes(&self, place: &Place, keys: &Keys, user: Option<&str>) -> Truth {
        match self {
            Criterion::And(parts) => {
                parts.iter().map(|it| it.takes(place, keys, user)).min().unwrap_or(Truth::Yes)
            }
            Criterion::Or(parts) => {
                parts.iter().map(|it| it.takes(place, keys, user)).max().unwrap_or(Truth::No)
            }
            Criterion::Not(part) => match part.takes(place, keys, user) {
                Truth::No => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
                Truth::Yes => Truth::No,
            },
            Criterion::Tag(leaf) if !leaf.is_prefixed => truth(leaf.takes_absence),
            Criterion::Tag(leaf) => leaf.takes(&place.tag(&leaf.key, keys, user)),
            Criterion::Dimension(name, values) => of_dimension(name, values, place),
            Criterion::Switches => {
                let is_sure = UNSWITCHED.contains(&usage::unspaced(&place.record_type).as_str());
                if is_sure { Truth::Yes } else { Truth::Unknown }
            }
            Criterion::Untold(_) => Truth::Unknown,
        }
    }

    /// Returns what leaves open whether the filter takes records.
    pub fn doubts(&self, place: &Place, keys: &Keys) -> BTreeSet<Doubt> {
        let is_open = self.takes(place, keys, None) == Truth::Unknown;
        match self {
            _ if !is_open => BTreeSet::new(),
            Criterion::And(parts) | Criterion::Or(parts) => {
                parts.iter().flat_map(|it| it.doubts(place, keys)).collect()
            }
            Criterion::Not(part) => part.doubts(place, keys),
            Criterion::Tag(_) if place.value.is_none() => BTreeSet::from([Doubt::Unread]),
            Criterion::Tag(leaf) => BTreeSet::from([Doubt::Hidden(leaf.key.clone())]),
            Criterion::Switches => BTreeSet::from([Doubt::Switches]),
            Criterion::Dimension(name, _) | Criterion::Untold(name) => {
                BTreeSet::from([Doubt::Untold(name.clone())])
            }
        }
    }

    /// Returns the tags that the filter names.
    pub fn tags(&self) -> Vec<&TagLeaf> {
        match self {
            Criterion::And(parts) | Criterion::Or(parts) => {
                parts.iter().flat_map(Criterion::tags).collect()
            }
            Criterion::Not(part) => part.tags(),
            Criterion::Tag(leaf) => vec![leaf],
            _ => Vec::new(),
        }
    }

    /// Tells whether nothing but the account is filtered by, so that tax is counted.
    pub fn is_by_account_only(&self) -> bool {
        match self {
            Criterion::And(parts) | Criterion::Or(parts) => {
                parts.iter().all(Criterion::is_by_account_only)
            }
            Criterion::Not(part) => part.is_by_account_only(),
            Criterion::Dimension(name, _) => name == "LINKED_ACCOUNT",
            _ => false,
        }
    }

    /// Returns the filter as it would be with the prefix before every key.
    #[must_use]
    pub fn mended(&self) -> Criterion {
        let all = |parts: &[Criterion]| parts.iter().map(Criterion::mended).collect();
        match self {
            Criterion::And(parts) => Criterion::And(all(parts)),
            Criterion::Or(parts) => Criterion::Or(all(parts)),
            Criterion::Not(part) => Criterion::Not(Box::new(part.mended())),
            Criterion::Tag(leaf) => Criterion::Tag(TagLeaf { is_prefixed: true, ..leaf.clone() }),
            other => other.clone(),
        }
    }
}

fn of_dimension(name: &str, values: &BTreeSet<String>, place: &Place) -> Truth {
    let known = |value: &Option<String>| {
        value.as_ref().map_or(Truth::Unknown, |value| truth(values.contains(value)))
    };
    let plain = |text: &str| usage::unspaced(text).to_lowercase();
    match name {
        "SERVICE" => {
            let mut taken = place.services.iter().map(|service| values.contains(service));
            let first = taken.next();
            first.filter(|is| taken.all(|it| it == *is)).map_or(Truth::Unknown, truth)
        }
        "RECORD_TYPE" if values.contains(&place.record_type) => Truth::Yes,
        // The bill spells record types in two ways, and a filter may have the other one.
        "RECORD_TYPE" if values.iter().any(|it| plain(it) == plain(&place.record_type)) => {
            Truth::Unknown
        }
        "RECORD_TYPE" => Truth::No,
        "LINKED_ACCOUNT" => known(&place.account),
        "USAGE_TYPE" => known(&place.usage_type),
        _ => Truth::Unknown,
    }
}

fn of_expression(expression: &Value) -> Criterion {
    let untold = || Criterion::Untold(expression.to_string());
    let Some(members) = expression.as_object() else { return untold() };
    let mut members = members.iter();
    let (Some((root, inner)), None) = (members.next(), members.next()) else { return untold() };
    let list =
        || inner.as_array().map(|list| list.iter().map(of_expression).collect::<Vec<Criterion>>());
    match (root.as_str(), list()) {
        ("And", Some(parts)) => Criterion::And(parts),
        ("Or", Some(parts)) => Criterion::Or(parts),
        ("Not", None) => Criterion::Not(Box::new(of_expression(inner))),
        ("Tags" | "Dimensions", None) => of_leaf(root == "Tags", inner).unwrap_or_else(untold),
        _ => Criterion::Untold(root.clone()),
    }
}

fn of_leaf(is_tag: bool, leaf: &Value) -> Option<Criterion> {
    let texts = |name: &str| -> Option<BTreeSet<String>> {
        let Some(list) = leaf.get(name) else { return Some(BTreeSet::new()) };
        list.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let (key, values, options) =
        (leaf.get("Key")?.as_str()?, texts("Values")?, texts("MatchOptions")?);
    let is_absent = options.contains("ABSENT");
    let is_plain = options.iter().all(|it| {
        ["EQUALS", "CASE_SENSITIVE"].contains(&it.as_str()) || (is_tag && it == "ABSENT")
    });
    if !is_plain {
        return Some(Criterion::Untold(format!("{key} {}", Value::from_iter(options))));
    }
    Some(if is_tag {
        of_tag(key, values, is_absent)
    } else {
        Criterion::Dimension(key.to_owned(), values)
    })
}

/// Reads a tag key; one that AWS or the identity of the caller puts is no user's, and no record tells of it.
fn of_tag(key: &str, values: BTreeSet<String>, is_absent: bool) -> Criterion {
    if !key.starts_with(USER) && (key.starts_with("aws:") || key.contains('/')) {
        return Criterion::Untold(key.to_owned());
    }
    Criterion::Tag(TagLeaf::new(key, values, is_absent))
}

/// Reads `CostFilters`: any value of a key, and all keys (AWS Billing and Cost Management API Reference, `Budget`).
fn of_cost_filters(filters: &serde_json::Map<String, Value>) -> Criterion {
    let mut parts = vec![Criterion::Switches];
    for (name, values) in filters {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        let dimension = match name.as_str() {
            "TagKeyValue" => {
                let mut by_key: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
                for (key, value) in values.map(|it| it.split_once('$').unwrap_or((it, ""))) {
                    by_key.entry(key).or_default().insert(value.to_owned());
                }
                parts.extend(by_key.into_iter().map(|(key, values)| of_tag(key, values, false)));
                continue;
            }
            "Service" => "SERVICE",
            "LinkedAccount" => "LINKED_ACCOUNT",
            "UsageType" => "USAGE_TYPE",
            other => other,
        };
        parts.push(Criterion::Dimension(dimension.to_owned(), values.map(str::to_owned).collect()));
    }
    Criterion::And(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::REST;
    use serde_json::json;

    const ROOT: &str = "arn:aws:sagemaker:eu-west-1:111122223333";

    fn arn(resource: &str) -> String {
        format!("{ROOT}:{resource}")
    }

    /// Answers for records that a space, a user profile, a domain, a team and nobody claims.
    fn check(filter: &Value, expected: &str) {
        let keys = Keys {
            claiming: [key::SPACE, key::USER_PROFILE, key::DOMAIN, "team"]
                .map(str::to_owned)
                .to_vec(),
            silent: BTreeSet::from([key::SHARED_SPACE.to_owned()]),
            may_contradict: false,
        };
        let place = |slice: &str, value: &str| {
            Place::new(slice, Some(value), "Amazon SageMaker", "Usage")
                .of_usage("USE1-Train:ml.m5.large".to_owned())
        };
        let rest = Place::new(REST, Some(""), "AWS Glue", "Savings Plan Negation");
        let places = [
            place(key::SPACE, &arn("space/d-a/lab")),
            place(key::USER_PROFILE, &arn("user-profile/d-a/ana")),
            place(key::DOMAIN, &arn("domain/d-a")),
            place("team", "red"),
            rest.billed_to(Some("111122223333".to_owned())),
        ];
        let criterion = Criterion::parse(Some(filter));
        let letter = |place: &Place| match criterion.takes(place, &keys, None) {
            Truth::No => '-',
            Truth::Unknown => '?',
            Truth::Yes => 'x',
        };
        assert_eq!(places.iter().map(letter).collect::<String>(), expected, "{filter}");
        for place in &places {
            let is_open = criterion.takes(place, &keys, None) == Truth::Unknown;
            assert_eq!(!criterion.doubts(place, &keys).is_empty(), is_open, "{filter} {place:?}");
        }
    }

    fn tag(key: &str, value: &str) -> Value {
        json!({ "Tags": { "Key": format!("user:{key}"), "Values": [value] } })
    }

    fn absent(key: &str) -> Value {
        json!({ "Tags": { "Key": format!("user:{key}"), "MatchOptions": ["ABSENT"] } })
    }

    #[test]
    fn a_record_knows_its_own_tag_and_none_below() {
        check(&tag(key::SPACE, &arn("space/d-a/lab")), "x----");
        check(&tag(key::SPACE, &arn("space/d-a/other")), "-----");
        check(&tag(key::USER_PROFILE, &arn("user-profile/d-a/ana")), "?x---");
        // SageMaker's own tags of one resource name the same domain.
        check(&tag(key::USER_PROFILE, &arn("user-profile/d-b/ana")), "-----");
        check(&tag(key::DOMAIN, &arn("domain/d-a")), "??x--");
        check(&tag(key::DOMAIN, &arn("domain/d-b")), "-----");
        check(&tag("team", "red"), "???x-");
        check(&tag("other", "red"), "?????");
        check(&tag(key::SHARED_SPACE, &arn("space/d-a/lab")), "-----");
        check(&absent(key::SHARED_SPACE), "xxxxx");
        check(&absent(key::SPACE), "-xxxx");
        check(&absent(key::DOMAIN), "??-xx");
        check(&tag(key::DOMAIN, ""), "??-xx");
        check(&json!({ "Tags": { "Key": format!("user:{}", key::USER_PROFILE) } }), "?-xxx");
    }

    #[test]
    fn a_key_without_its_prefix_is_borne_by_nobody() {
        check(&json!({ "Tags": { "Key": key::DOMAIN, "Values": [arn("domain/d-a")] } }), "-----");
        check(&json!({ "Tags": { "Key": key::DOMAIN, "MatchOptions": ["ABSENT"] } }), "xxxxx");
        check(&json!({ "Tags": { "Key": "aws:createdBy", "Values": ["x"] } }), "?????");
        let filter = json!({ "Not": { "Tags": { "Key": "team", "Values": ["red"] } } });
        check(&filter, "xxxxx");
        let mended = Criterion::parse(Some(&filter)).mended();
        assert_eq!(mended, Criterion::parse(Some(&json!({ "Not": tag("team", "red") }))));
    }

    #[test]
    fn operators_know_three_values() {
        let (domain, space) = (tag(key::DOMAIN, &arn("domain/d-a")), absent(key::SPACE));
        check(&json!({ "And": [domain, space] }), "-?x--");
        check(&json!({ "Or": [domain, space] }), "?xxxx");
        check(&json!({ "Not": domain }), "??-xx");
        check(&json!({ "Or": [domain, tag(key::SPACE, &arn("space/d-a/lab"))] }), "x?x--");
        // Two roots are no expression, and AWS refuses them.
        check(&json!({ "Not": space, "Or": [domain, space] }), "?????");
    }

    #[test]
    fn dimensions_are_told_where_records_have_them() {
        let is =
            |key: &str, value: &str| json!({ "Dimensions": { "Key": key, "Values": [value] } });
        check(&is("SERVICE", "Amazon SageMaker"), "xxxx-");
        check(&is("RECORD_TYPE", "Usage"), "xxxx-");
        check(&is("RECORD_TYPE", "SavingsPlanNegation"), "----?");
        check(&is("USAGE_TYPE", "USE1-Train:ml.m5.large"), "xxxx?");
        check(&is("LINKED_ACCOUNT", "111122223333"), "????x");
        check(&is("LINKED_ACCOUNT", "444455556666"), "????-");
        check(&is("REGION", "eu-west-1"), "?????");
        check(&json!({ "CostCategories": { "Key": "team", "Values": ["red"] } }), "?????");
        let starts = json!({ "Tags": { "Key": "user:team", "Values": ["r"], "MatchOptions": ["STARTS_WITH"] } });
        check(&starts, "?????");
    }

    #[test]
    fn the_older_make_takes_any_value_of_a_key_and_all_keys() {
        let space = format!("user:{}${}", key::SPACE, arn("space/d-a/lab"));
        let other = format!("user:{}$x", key::SPACE);
        check(&json!({ "CostFilters": { "TagKeyValue": [space, other] } }), "x----");
        let both = [space, format!("user:{}$", key::USER_PROFILE)];
        check(&json!({ "CostFilters": { "TagKeyValue": both } }), "?----");
        let bare = format!("{}${}", key::SPACE, arn("space/d-a/lab"));
        check(&json!({ "CostFilters": { "TagKeyValue": [bare] } }), "-----");
        let services = ["Amazon SageMaker", "AWS Glue"];
        // What its switches leave out is not known of any record type but plain usage.
        check(&json!({ "CostFilters": { "Service": services } }), "xxxx?");
        check(&json!({ "CostFilters": { "LinkedAccount": ["1"], "Service": services } }), "????-");
    }
}
