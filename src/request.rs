//! Owns the plan of requests: which questions to Cost Explorer make up a month's bill, stage by stage.
//!
//! What one stage answers decides the next, so each stage is a plain function of the answers before it.
//! **Invariant:** the number of requests depends on slices, services and record types, never on how many owners there are.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key;
use crate::period::{Month, Period};
use crate::query::{Filter, Granularity, Group, Query};

/// The name of the slice that no key claims.
pub const REST: &str = "rest";

/// A part of the scope, disjoint from the others by the presence and absence of tag keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The claiming key, or [`REST`].
    pub name: String,
    /// What Cost Explorer is asked to leave out.
    pub filter: Filter,
}

/// Why a request is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Purpose {
    /// The whole bill by service and record type, without a filter.
    Bill,
    /// One slice by service and record type: its control.
    Control {
        /// The slice.
        slice: String,
    },
    /// One service and record type of a slice by owner and usage type.
    Cells {
        /// The slice.
        slice: String,
        /// The service, as the control spelled it.
        service: String,
        /// The record type, as the control spelled it.
        record_type: String,
    },
    /// Who worked in which space: evidence, not cost.
    SpaceUsers,
    /// Which accounts were billed for the scope: evidence, not cost.
    BilledAccounts,
    /// One slice by day.
    Days {
        /// The slice.
        slice: String,
    },
    /// The bill of the months that may still move, asked again at the end.
    BillAgain,
    /// A forecast by Cost Explorer.
    Forecast,
    /// What a tag key has to do with before its status changes: no part of a collection.
    Stake {
        /// What is summed: a key, or several.
        what: String,
    },
}

/// One request of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Why it is made.
    pub purpose: Purpose,
    /// What is asked.
    pub query: Query,
}

/// What belongs to a collection: months, claiming keys and the services of the scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The first month, in.
    pub first: Month,
    /// The last month, in.
    pub last: Month,
    /// The claiming keys, in order of precedence.
    pub keys: Vec<String>,
    /// The services of SageMaker, as the bill spelled them.
    pub services: Vec<String>,
}

impl Purpose {
    /// Tells whether the answer is a total, in which a month that is lacking would read as zero.
    pub fn is_total(&self) -> bool {
        use Purpose::{Bill, BillAgain, Control, Stake};
        matches!(self, Bill | BillAgain | Control { .. } | Stake { .. })
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Purpose::Bill => formatter.write_str("the bill"),
            Purpose::Control { slice } => write!(formatter, "control of slice `{slice}`"),
            Purpose::Cells { slice, service, record_type } => {
                write!(formatter, "slice `{slice}`, {service}, {record_type}")
            }
            Purpose::SpaceUsers => formatter.write_str("who worked in which space"),
            Purpose::BilledAccounts => formatter.write_str("which accounts were billed"),
            Purpose::Days { slice } => write!(formatter, "days of slice `{slice}`"),
            Purpose::BillAgain => formatter.write_str("the bill again"),
            Purpose::Forecast => formatter.write_str("forecast"),
            Purpose::Stake { what } => write!(formatter, "cost of {what}"),
        }
    }
}

/// Tells whether a service of the bill is SageMaker itself or its Savings Plan.
pub fn is_in_scope(service: &str) -> bool {
    ["Amazon SageMaker", "Amazon SageMaker AI", "Savings Plans for AWS Machine Learning"]
        .contains(&service)
}

/// Tells whether a service looks as if it belonged to the scope, and does not.
pub fn is_near_scope(service: &str) -> bool {
    !is_in_scope(service) && (service.contains("SageMaker") || service.contains("DataZone"))
}

/// Returns the claiming keys: SageMaker's own, then those of the configuration, each once.
///
/// A key is out only when billing says that it was never active: an inactive key without a change of status.
pub fn claiming_keys(configured: &[String], statuses: Option<&[key::KeyStatus]>) -> Vec<String> {
    let never_active = |key: &str| {
        statuses.is_some_and(|statuses| {
            statuses
                .iter()
                .find(|status| status.key == key)
                .is_none_or(|status| status.active == Some(false) && status.updated_at.is_none())
        })
    };
    let mut seen = BTreeSet::new();
    key::PRECEDENCE
        .iter()
        .map(|key| (*key).to_owned())
        .chain(configured.iter().cloned())
        .filter(|key| seen.insert(key.clone()) && !never_active(key))
        .collect()
}

/// Returns the slices of a scope, in order of precedence; the last one is the rest.
pub fn slices(scope: &Scope) -> Vec<Slice> {
    let mut slices = Vec::new();
    let mut absent: Vec<Filter> = Vec::new();
    for key in &scope.keys {
        let mut filters = vec![Filter::tag_present(key)];
        filters.extend(absent.iter().cloned());
        let filter = Filter::all(filters).expect("a slice has at least its own key");
        slices.push(Slice { name: key.clone(), filter });
        absent.push(Filter::tag_absent(key));
    }
    if let Some(services) = Filter::dimension("SERVICE", &scope.services) {
        let filters = std::iter::once(services).chain(absent).collect();
        let filter = Filter::all(filters).expect("the rest has at least its services");
        slices.push(Slice { name: REST.to_owned(), filter });
    }
    slices
}

/// Stage 1: the whole bill.
pub fn bill(first: Month, last: Month) -> Request {
    Request {
        purpose: Purpose::Bill,
        query: monthly(first, last, None, [dimension("SERVICE"), dimension("RECORD_TYPE")]),
    }
}

/// Stage 2: the control of each slice.
pub fn controls(scope: &Scope) -> Vec<Request> {
    slices(scope)
        .into_iter()
        .map(|slice| Request {
            purpose: Purpose::Control { slice: slice.name },
            query: monthly(
                scope.first,
                scope.last,
                Some(slice.filter),
                [dimension("SERVICE"), dimension("RECORD_TYPE")],
            ),
        })
        .collect()
}

/// What a slice's control found: (slice, service, record type) that is not zero in some month.
pub type Cell = (String, String, String);

/// Stage 3: each cell of each slice, by owner and usage type, over the months from `first` to `last`.
pub fn cells(scope: &Scope, found: &BTreeSet<Cell>, first: Month, last: Month) -> Vec<Request> {
    let slices = slices(scope);
    let mut requests = Vec::new();
    for slice in &slices {
        for (_, service, record_type) in found.iter().filter(|cell| cell.0 == slice.name) {
            let mut filters = match &slice.filter {
                Filter::And(filters) => filters.clone(),
                other => vec![other.clone()],
            };
            // The cell's own service stands for the list of services of the rest.
            filters.retain(|filter| !is_service_filter(filter));
            filters.extend(Filter::dimension("SERVICE", std::slice::from_ref(service)));
            filters.extend(Filter::dimension("RECORD_TYPE", std::slice::from_ref(record_type)));
            requests.push(Request {
                purpose: Purpose::Cells {
                    slice: slice.name.clone(),
                    service: service.clone(),
                    record_type: record_type.clone(),
                },
                query: monthly(
                    first,
                    last,
                    Filter::all(filters),
                    [owner_group(&slice.name), dimension("USAGE_TYPE")],
                ),
            });
        }
    }
    requests
}

fn is_service_filter(filter: &Filter) -> bool {
    match filter {
        Filter::Dimension { key, .. } => key == "SERVICE",
        Filter::Or(filters) => filters.iter().all(is_service_filter),
        _ => false,
    }
}

/// Stage 4: evidence, which is not cost.
pub fn evidence(scope: &Scope, found: &BTreeSet<Cell>, first: Month, last: Month) -> Vec<Request> {
    let mut requests = Vec::new();
    let has = |key: &str| scope.keys.iter().any(|it| it == key);
    if has(key::USER_PROFILE) && found.iter().any(|cell| cell.0 == key::SPACE) {
        requests.push(Request {
            purpose: Purpose::SpaceUsers,
            query: monthly(
                first,
                last,
                Some(Filter::tag_present(key::SPACE)),
                [Group::Tag(key::SPACE.to_owned()), Group::Tag(key::USER_PROFILE.to_owned())],
            ),
        });
    }
    if !found.is_empty() {
        requests.push(Request {
            purpose: Purpose::BilledAccounts,
            query: monthly(
                first,
                last,
                whole(scope),
                [dimension("LINKED_ACCOUNT"), dimension("RECORD_TYPE")],
            ),
        });
    }
    requests
}

/// Returns the filter of the whole scope, all slices together: one of its services, or any claiming key.
pub fn whole(scope: &Scope) -> Option<Filter> {
    let tags = scope.keys.iter().map(|key| Filter::tag_present(key));
    let mut parts: Vec<_> =
        Filter::dimension("SERVICE", &scope.services).into_iter().chain(tags).collect();
    if parts.len() > 1 { Some(Filter::Or(parts)) } else { parts.pop() }
}

/// Stage 5: each slice that costs something, by day and owner; record types tell recurring fees from use.
pub fn days(scope: &Scope, found: &BTreeSet<Cell>, period: Period) -> Vec<Request> {
    slices(scope)
        .into_iter()
        .filter(|slice| found.iter().any(|cell| cell.0 == slice.name))
        .map(|slice| Request {
            query: Query {
                period,
                granularity: Granularity::Daily,
                group_by: vec![owner_group(&slice.name), dimension("RECORD_TYPE")],
                filter: Some(slice.filter),
            },
            purpose: Purpose::Days { slice: slice.name },
        })
        .collect()
}

/// The bill of the months that may still move, asked after everything else.
pub fn bill_again(first: Month, last: Month) -> Request {
    Request { purpose: Purpose::BillAgain, ..bill(first, last) }
}

/// What a collection will cost at least, and probably, in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Requests that are certain: the bill and the controls.
    pub least: u64,
    /// Requests expected: those of the last run, or an estimate for a first one.
    pub expected: u64,
}

/// Quotes a collection before anything is asked.
pub fn quote(key_count: usize, earlier: Option<u64>, forecasts: u64) -> Quote {
    let slices = u64::try_from(key_count + 1).expect("the keys can be counted");
    let least = 1 + slices + forecasts;
    // A first run: two cells and one request for days a slice, two of evidence, and the bill again.
    let expected = earlier.unwrap_or(1 + slices * 4 + 3) + forecasts;
    Quote { least, expected: expected.max(least) }
}

fn owner_group(slice: &str) -> Group {
    if slice == REST { dimension("LINKED_ACCOUNT") } else { Group::Tag(slice.to_owned()) }
}

fn dimension(key: &str) -> Group {
    Group::dimension(key)
}

fn monthly(first: Month, last: Month, filter: Option<Filter>, group_by: [Group; 2]) -> Query {
    Query {
        period: Period::of_months(first, last),
        granularity: Granularity::Monthly,
        filter,
        group_by: group_by.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            first: Month::parse("2025-10").unwrap(),
            last: Month::parse("2026-11").unwrap(),
            keys: vec![key::SPACE.to_owned(), key::DOMAIN.to_owned()],
            services: vec!["Amazon SageMaker".to_owned()],
        }
    }

    fn text(requests: &[Request]) -> String {
        requests
            .iter()
            .map(|request| {
                let groups: Vec<&str> = request.query.group_by.iter().map(Group::key).collect();
                let filter = request.query.filter.as_ref().map(Filter::to_json);
                format!(
                    "{} | {} | {} | {}",
                    request.purpose,
                    request.query.period,
                    groups.join(" x "),
                    filter.unwrap_or_default()
                )
                .replace("sagemaker:", "")
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn slices_are_disjoint_by_presence_and_absence() {
        insta::assert_snapshot!(text(&controls(&scope())), @r#"
        control of slice `space-arn` | 2025-10-01..2026-12-01 | SERVICE x RECORD_TYPE | {"Not":{"Tags":{"Key":"space-arn","MatchOptions":["ABSENT"]}}}
        control of slice `domain-arn` | 2025-10-01..2026-12-01 | SERVICE x RECORD_TYPE | {"And":[{"Not":{"Tags":{"Key":"domain-arn","MatchOptions":["ABSENT"]}}},{"Tags":{"Key":"space-arn","MatchOptions":["ABSENT"]}}]}
        control of slice `rest` | 2025-10-01..2026-12-01 | SERVICE x RECORD_TYPE | {"And":[{"Dimensions":{"Key":"SERVICE","Values":["Amazon SageMaker"]}},{"Tags":{"Key":"space-arn","MatchOptions":["ABSENT"]}},{"Tags":{"Key":"domain-arn","MatchOptions":["ABSENT"]}}]}
        "#);
    }

    #[test]
    fn cells_ask_by_owner_with_the_strings_of_the_bill() {
        let scope = scope();
        let found = BTreeSet::from([
            (key::SPACE.to_owned(), "Amazon SageMaker".to_owned(), "Usage".to_owned()),
            (REST.to_owned(), "Amazon SageMaker".to_owned(), "Credit".to_owned()),
        ]);
        insta::assert_snapshot!(text(&cells(&scope, &found, scope.first, scope.first)), @r#"
        slice `space-arn`, Amazon SageMaker, Usage | 2025-10-01..2025-11-01 | space-arn x USAGE_TYPE | {"And":[{"Not":{"Tags":{"Key":"space-arn","MatchOptions":["ABSENT"]}}},{"Dimensions":{"Key":"SERVICE","Values":["Amazon SageMaker"]}},{"Dimensions":{"Key":"RECORD_TYPE","Values":["Usage"]}}]}
        slice `rest`, Amazon SageMaker, Credit | 2025-10-01..2025-11-01 | LINKED_ACCOUNT x USAGE_TYPE | {"And":[{"Tags":{"Key":"space-arn","MatchOptions":["ABSENT"]}},{"Tags":{"Key":"domain-arn","MatchOptions":["ABSENT"]}},{"Dimensions":{"Key":"SERVICE","Values":["Amazon SageMaker"]}},{"Dimensions":{"Key":"RECORD_TYPE","Values":["Credit"]}}]}
        "#);
        assert_eq!(days(&scope, &found, scope.first.period()).len(), 2);
    }

    #[test]
    fn a_key_is_out_only_when_it_was_never_active() {
        let status = |key: &str, active, updated: Option<&str>| key::KeyStatus {
            key: key.to_owned(),
            active: Some(active),
            updated_at: updated.map(|day| format!("{day}T00:00:00Z").parse().unwrap()),
            last_used: None,
        };
        let statuses = [
            status(key::DOMAIN, true, Some("2024-01-01")),
            status(key::USER_PROFILE, false, Some("2026-01-01")),
            status(key::SPACE, false, None),
        ];
        let configured = ["team".to_owned(), key::DOMAIN.to_owned()];
        assert_eq!(claiming_keys(&configured, Some(&statuses)), [key::USER_PROFILE, key::DOMAIN]);
        // Unknown counts as in.
        assert_eq!(claiming_keys(&configured, None).len(), 6);
    }
}
