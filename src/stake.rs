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

/// A month of the bill, as far as it could be read.
#[derive(Clone, Copy, Debug)]
pub struct Billed<'a> {
    /// The lines.
    pub ledger: &'a Ledger,
    /// The month.
    pub month: Month,
    /// The metric.
    pub metric: Metric,
    /// Whether every request about the month was answered, so that what has no line costs nothing.
    pub is_whole: bool,
}

/// Tells for each account, region and component that a plan has proposals for what cost of a month has no owner there
/// for lack of a tag, and what more there is of it that no proposal is about.
pub fn stakes(plan: &Plan<Marks>, findings: &[Finding], billed: Billed<'_>) -> Vec<Stake> {
    let Billed { ledger, month, .. } = billed;
    let mut proposed: BTreeMap<Place<'_>, BTreeSet<&str>> = BTreeMap::new();
    let pending: BTreeSet<&str> = plan.pending().map(|item| item.id.as_str()).collect();
    for finding in findings.iter().filter(|it| pending.contains(it.arn.as_str())) {
        for component in components(&finding.kind) {
            let place = (finding.account.as_str(), finding.region.as_str(), *component);
            proposed.entry(place).or_default().insert(&finding.arn);
        }
    }
    let lines = ledger.of_month(month).iter().filter(|line| is_untagged(ledger, line));
    tell(
        &proposed,
        lines.map(|line| (place(ledger, line), line.amounts.get(billed.metric))),
        billed.is_whole,
        &format!("{} of {month} without an owner for lack of a tag", billed.metric.title()),
    )
}

/// Sums what lines of a month cost, each to its place or, where nothing is proposed, to the rest.
fn tell<'l>(
    proposed: &BTreeMap<Place<'_>, BTreeSet<&str>>,
    lines: impl Iterator<Item = (Option<Place<'l>>, Option<Money>)>,
    is_whole: bool,
    what: &str,
) -> Vec<Stake> {
    let mut sums: BTreeMap<Place<'_>, Option<Money>> = BTreeMap::new();
    let mut rest: Option<Option<Money>> = None;
    for (place, amount) in lines {
        let sum = match place.filter(|place| proposed.contains_key(place)) {
            Some(place) => sums.entry(place).or_insert(Some(Money::ZERO)),
            None => rest.get_or_insert(Some(Money::ZERO)),
        };
        // What was not delivered is not known, and neither is the sum.
        *sum = sum.zip(amount).map(|(sum, amount)| sum + amount);
    }
    let known = |sum: Option<Money>| sum.filter(|_| is_whole);
    let mut stakes = Vec::new();
    let mut silent = 0;
    for (place, arns) in proposed {
        let (account, region, component) = *place;
        let Some(sum) = sums.get(place) else {
            silent += 1;
            continue;
        };
        stakes.push(Stake {
            what: format!("{}, {region}, {account}", component.title()),
            amount: known(*sum),
            text: format!(
                "{what}; the bill does not tell it by resource, so the {} proposed there make at most this much a \
                 month attributable.",
                arns.len()
            ),
        });
    }
    if silent > 0 {
        stakes.push(Stake {
            what: format!("Other places of what is proposed ({silent})"),
            amount: known(Some(Money::ZERO)),
            text: format!("{what}: the bill has no line of it there."),
        });
    }
    if let Some(amount) = rest {
        stakes.push(Stake {
            what: "Everything else without a tag".to_owned(),
            amount: known(amount),
            text: format!("{what}, about which nothing is proposed."),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[(Option<Place<'static>>, Option<i128>)]) -> String {
        told_of(lines, true)
    }

    fn told_of(lines: &[(Option<Place<'static>>, Option<i128>)], is_whole: bool) -> String {
        let place = |component| ("111122223333", "eu-west-1", component);
        let proposed = BTreeMap::from([
            (place(Component::Training), BTreeSet::from(["a", "b"])),
            (place(Component::Hosting), BTreeSet::from(["c"])),
        ]);
        let lines = lines.iter().map(|(place, cents)| (*place, cents.map(Money::from_cents)));
        let stakes = tell(&proposed, lines, is_whole, "cost");
        let amount = |stake: &Stake| stake.amount.map_or("unknown".to_owned(), |it| it.to_string());
        stakes
            .iter()
            .map(|it| format!("{}: {}", it.what, amount(it)))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn cost_without_a_tag_is_told_once_and_what_is_not_known_is_no_zero() {
        let here = |component| Some(("111122223333", "eu-west-1", component));
        let training = here(Component::Training);
        let ours = "Training, eu-west-1, 111122223333";
        let theirs = "Other places of what is proposed (1)";
        assert_eq!(told(&[]), "Other places of what is proposed (2): 0");
        assert_eq!(
            told(&[
                (training, Some(150)),
                (training, Some(50)),
                (None, Some(1)),
                (here(Component::Canvas), Some(2)),
                (Some(("999999999999", "eu-west-1", Component::Training)), Some(4)),
            ]),
            format!("{ours}: 2; {theirs}: 0; Everything else without a tag: 0.07")
        );
        // One part was not delivered, so the sum is not known either.
        assert_eq!(
            told(&[(training, Some(150)), (training, None)]),
            format!("{ours}: unknown; {theirs}: 0")
        );
        // A request about the month was never answered: there may be more of everything.
        assert_eq!(
            told_of(&[(training, Some(150)), (None, Some(1))], false),
            format!("{ours}: unknown; {theirs}: unknown; Everything else without a tag: unknown")
        );
    }

    #[test]
    fn every_type_that_costs_something_has_a_component() {
        for kind in crate::kind::KINDS {
            let costs = kind.costs != crate::kind::Costs::Never;
            assert!(!costs || !components(kind.segment).is_empty(), "{}", kind.segment);
        }
    }
}
