//! Owns the dollars at stake: what resources without their domain tag cost in a month, as far as the bill tells.
//!
//! **Invariant:** the bill does not tell cost by resource, so an amount is a bound and is never split over resources.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::Finding;
use crate::ledger::{Ledger, Line, Reason};
use crate::mark::Marks;
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::plan::{Plan, Stake};
use crate::usage::{self, Component};

/// An account, a region and a component of SageMaker.
type Place<'a> = (&'a str, &'a str, Component);

/// Tells for each account, region and component that a plan has proposals for what cost of a month has no owner there
/// for lack of a tag, and what more there is of it that no proposal is about.
pub fn stakes(
    plan: &Plan<Marks>,
    findings: &[Finding],
    ledger: &Ledger,
    month: Month,
    metric: Metric,
) -> Vec<Stake> {
    let mut proposed: BTreeMap<Place<'_>, BTreeSet<&str>> = BTreeMap::new();
    let pending: BTreeSet<&str> = plan.pending().map(|item| item.id.as_str()).collect();
    for finding in findings.iter().filter(|it| pending.contains(it.arn.as_str())) {
        for component in components(&finding.kind) {
            let place = (finding.account.as_str(), finding.region.as_str(), *component);
            proposed.entry(place).or_default().insert(&finding.arn);
        }
    }
    let mut sums: BTreeMap<Place<'_>, Option<Money>> = BTreeMap::new();
    let mut rest: Option<Option<Money>> = None;
    for line in ledger.of_month(month).iter().filter(|line| is_untagged(ledger, line)) {
        let amount = line.amounts.get(metric);
        let sum = match place(ledger, line).filter(|place| proposed.contains_key(place)) {
            Some(place) => sums.entry(place).or_insert(Some(Money::ZERO)),
            None => rest.get_or_insert(Some(Money::ZERO)),
        };
        // What was not delivered is not known, and neither is the sum.
        *sum = sum.zip(amount).map(|(sum, amount)| sum + amount);
    }
    let mut stakes: Vec<Stake> = proposed
        .iter()
        .map(|(place, arns)| {
            let (account, region, component) = *place;
            Stake {
                what: format!("{}, {region}, {account}", component.title()),
                amount: sums.get(place).copied().flatten(),
                text: format!(
                    "{metric} of {month} without an owner for lack of a tag, of everything there; the most that \
                     {} proposed can make attributable a month.",
                    arns.len()
                ),
            }
        })
        .collect();
    if let Some(amount) = rest {
        stakes.push(Stake {
            what: "Everything else without a tag".to_owned(),
            amount,
            text: format!(
                "{metric} of {month} without an owner for lack of a tag that no proposal is about."
            ),
        });
    }
    stakes
}

fn is_untagged(ledger: &Ledger, line: &Line) -> bool {
    line.reason == Some(Reason::NoTag) && ledger.bearer(line).owner == Owner::Unattributed
}

/// Where a line was billed; absent where the bill leaves a part of it open.
fn place<'l>(ledger: &'l Ledger, line: &Line) -> Option<Place<'l>> {
    let account = ledger.names.text(line.billed_account?);
    let region = usage::region_of(ledger.names.text(line.usage_type))?;
    Some((account, region, line.component))
}

/// Under which components a type of resource is billed.
pub fn components(kind: &str) -> &'static [Component] {
    match kind {
        "app" | "user-profile" => &[Component::StudioApps, Component::Canvas, Component::RStudio],
        "space" => &[Component::StudioApps, Component::Storage],
        "automl-job" | "hyper-parameter-tuning-job" | "training-job" | "training-session" => {
            &[Component::Training, Component::Storage]
        }
        "cluster" => &[Component::Clusters],
        "endpoint"
        | "endpoint-config"
        | "inference-component"
        | "inference-experiment"
        | "model" => &[Component::Hosting, Component::Storage, Component::DataTransfer],
        "feature-group" => &[Component::FeatureStore],
        "file-system" => &[Component::HomeEfs],
        "labeling-job" => &[Component::Labeling],
        "mlflow-app" | "mlflow-tracking-server" => &[Component::Mlflow],
        "notebook-instance" => &[Component::Notebooks, Component::Storage],
        "monitoring-schedule" | "processing-job" => &[Component::Processing, Component::Storage],
        "transform-job" => &[Component::BatchTransform, Component::Storage],
        "compilation-job"
        | "inference-recommendations-job"
        | "job"
        | "optimization-job"
        | "partner-app"
        | "training-plan" => &[Component::Other],
        // What is made of these bears cost of its own.
        _ => &[],
    }
}
