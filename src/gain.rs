//! Owns who gains and who loses access by a plan of tags, by the policies that roles have.
//!
//! **Invariant:** a role is asked about each resource by its own ARN where its policies may tell one from another of its type.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Decision, Rights};
use crate::act::Act;
use crate::arn::{AccountId, Arn, DomainKey};
use crate::authorization::{self, Action, Type};
use crate::inventory::Whereabouts;
use crate::key;
use crate::listing::listed;
use crate::mark::Marks;
use crate::matrix;
use crate::parties;
use crate::plan::Plan;
use crate::wildcard;

/// A role of a domain, with what it may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Person<'a> {
    /// The role's name.
    pub role: &'a str,
    /// A domain that uses it.
    pub domain: &'a DomainKey,
    /// What it may do.
    pub rights: &'a Rights,
}

/// What one role gains or loses.
#[derive(Debug, Default)]
struct Shift<'a> {
    resources: BTreeSet<&'a str>,
    actions: BTreeSet<&'static str>,
}

/// Tells, role by role, what a plan of tags gives it and takes from it.
pub fn sentences(plan: &Plan<Marks>, roles: &[Person<'_>]) -> Vec<String> {
    let (uses, moves) = (uses(), moves(plan));
    let mut texts = Vec::new();
    for person in roles {
        let mut shifts: BTreeMap<Direction, Shift> = BTreeMap::new();
        let DomainKey { account, region, .. } = person.domain;
        let near = moves.iter().filter(|((place, ..), _)| {
            (place.account.as_str(), place.region.as_str()) == (account.as_str(), region.as_str())
        });
        for ((_, kind, from, to), arns) in near {
            let context =
                |tag: &Option<String>| parties::context(person.domain.id.as_str(), tag.as_deref());
            let (before, after) = (context(from), context(to));
            for (name, action) in uses.get(kind.name.as_str()).into_iter().flatten() {
                let rights = person.rights.about(name);
                let asked = if rights.are_alike(&kind.arn) { 1 } else { arns.len() };
                for arn in &arns[..asked] {
                    let decide = |context| {
                        rights.decide(&Act { action: name, resource: arn, context }).decision
                    };
                    let Some(direction) = direction(decide(&before), decide(&after)) else {
                        continue;
                    };
                    let shift = shifts.entry(direction).or_default();
                    shift.actions.insert(action);
                    shift.resources.extend(if asked == 1 {
                        arns.as_slice()
                    } else {
                        std::slice::from_ref(arn)
                    });
                }
            }
        }
        let who = format!("Role {} of domain {}", person.role, person.domain.id);
        for (direction, shift) in shifts {
            let words = match direction {
                Direction::Gains => "gains",
                Direction::Loses => "loses",
                Direction::Either => "may gain or lose",
            };
            texts
                .push(format!("{who} {words}, by the policies that it has now, {}.", shift.told()));
        }
    }
    if texts.is_empty() && !roles.is_empty() && plan.pending().next().is_some() {
        let text = "By the policies that they have now, no role of a domain gains or loses access to anything.";
        texts.push(text.to_owned());
    }
    texts
}

/// Which way access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Gains,
    Loses,
    Either,
}

fn direction(before: Decision, after: Decision) -> Option<Direction> {
    match (before, after) {
        (before, after) if before == after => None,
        (Decision::Doubtful, _) | (_, Decision::Doubtful) => Some(Direction::Either),
        (_, Decision::Allowed) => Some(Direction::Gains),
        (Decision::Allowed, _) => Some(Direction::Loses),
        // Denied one way or the other.
        _ => None,
    }
}

/// Resources by place, type, and the domain tags before and after.
type Moves<'a> =
    BTreeMap<(Whereabouts, &'static Type, Option<String>, Option<String>), Vec<&'a str>>;

/// Collects what gets another domain tag, and bears it so that policies see it.
fn moves(plan: &Plan<Marks>) -> Moves<'_> {
    let mut moves = Moves::new();
    for item in plan.pending() {
        let (from, to) = (domain_of(item.change.from()), domain_of(item.change.to()));
        let Some(arn) = Arn::parse(&item.id).filter(|_| from != to) else { continue };
        let (Some(kind), Ok(account)) = (kind_of(&arn), AccountId::parse(&arn.account)) else {
            continue;
        };
        let place = Whereabouts { account, region: arn.region };
        moves.entry((place, kind, from, to)).or_default().push(&item.id);
    }
    moves
}

impl Shift<'_> {
    fn told(&self) -> String {
        let count = self.resources.len();
        let things =
            if count == 1 { "1 resource".to_owned() } else { format!("{count} resources") };
        format!("{} on {things}", listed(&self.actions))
    }
}

fn domain_of(marks: Option<&Marks>) -> Option<String> {
    marks?.0.get(key::DOMAIN).cloned()
}

/// Returns the type of a resource of SageMaker whose tags policies see.
fn kind_of(arn: &Arn) -> Option<&'static Type> {
    let fits = |it: &&Type| wildcard::like(&it.arn, &arn.resource);
    // The longest pattern is the closest: `pipeline/*` takes executions as well.
    let found = authorization::types().iter().filter(fits).max_by_key(|it| it.arn.len())?;
    (arn.service == "sagemaker" && authorization::is_told_by_tag(&found.name, false))
        .then_some(found)
}

/// Returns what can be done to what exists, by type: full names and names; tagging and creating are not use.
fn uses() -> BTreeMap<&'static str, Vec<(String, &'static str)>> {
    let mut uses: BTreeMap<&str, Vec<(String, &str)>> = BTreeMap::new();
    let is_use = |it: &&Action| !matrix::is_tagging(&it.name) && it.name != "ListTags";
    for action in authorization::actions().iter().filter(is_use) {
        let existing = action.types.iter().filter(|it| action.creates() != Some(it.as_str()));
        for kind in existing {
            uses.entry(kind).or_default().push((action.full_name(), &action.name));
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::{AccountId, DomainId};
    use crate::plan::{Change, Item, PlanKind};
    use crate::policy::Policy;
    use jiff::Timestamp;

    const AT: &str = "arn:aws:sagemaker:eu-west-1:111122223333";

    fn marks(domain: &str) -> Option<Marks> {
        let tags = [(key::DOMAIN.to_owned(), format!("{AT}:domain/{domain}"))];
        (!domain.is_empty()).then(|| Marks(tags.into_iter().collect()))
    }

    fn plan(changes: &[(&str, &str, &str)]) -> Plan<Marks> {
        let item = |(resource, from, to): &(&str, &str, &str)| {
            let change = Change::between(marks(from), marks(to)).unwrap();
            Item::of(&format!("{AT}:{resource}"), change)
        };
        let account = AccountId::parse("111122223333").unwrap();
        let items = changes.iter().map(item).collect();
        Plan::new(PlanKind::Retag, account, Timestamp::UNIX_EPOCH, items)
    }

    fn told(statements: &str, changes: &[(&str, &str, &str)]) -> String {
        let text = format!("{{'Version': '2012-10-17', 'Statement': [{statements}]}}");
        let document = serde_json::from_str(&text.replace('\'', "\"")).unwrap();
        let (policy, flaws) = Policy::read("p", &document);
        assert_eq!(flaws, []);
        let rights = Rights { policies: vec![policy], boundary: None };
        let domain = DomainKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: "eu-west-1".to_owned(),
            id: DomainId::parse("d-own000000000").unwrap(),
        };
        sentences(&plan(changes), &[Person { role: "R", domain: &domain, rights: &rights }])
            .join(" ")
    }

    #[test]
    fn a_role_gains_or_loses_by_the_policies_that_it_has() {
        let own = format!(
            "{{'Effect': 'Allow', 'Action': ['sagemaker:DescribeModel', 'sagemaker:DeleteModel'], 'Resource': '*', \
             'Condition': {{'StringEquals': {{'aws:ResourceTag/sagemaker:domain-arn': '{AT}:domain/d-own000000000'}}}}}}"
        );
        let all = "{'Effect': 'Allow', 'Action': 'sagemaker:*', 'Resource': '*'}";
        let denial = format!(
            "{all}, {{'Effect': 'Deny', 'Action': 'sagemaker:DescribeModel', 'Resource': '*', 'Condition': \
             {{'Null': {{'aws:ResourceTag/sagemaker:domain-arn': 'false'}}, \
             'StringNotEquals': {{'aws:ResourceTag/sagemaker:domain-arn': '{AT}:domain/d-own000000000'}}}}}}"
        );
        let named = own.replace("'Resource': '*'", &format!("'Resource': '{AT}:model/a'"));
        let vpc =
            own.replace("'StringEquals'", "'StringEquals': {'aws:SourceVpc': 'v'}, 'StringLike'");
        let none = "By the policies that they have now, no role of a domain gains or loses access to anything.";
        let (own_id, other) = ("d-own000000000", "d-other0000000");
        let gain = |what: &str| {
            format!("Role R of domain {own_id} gains, by the policies that it has now, {what}.")
        };
        let loss = |what: &str| {
            format!("Role R of domain {own_id} loses, by the policies that it has now, {what}.")
        };
        let two = [("model/a", "", own_id), ("model/b", "", own_id)];
        for (statements, changes, expected) in [
            (own.as_str(), &two[..], gain("DeleteModel, DescribeModel on 2 resources")),
            (&named, &two, gain("DeleteModel, DescribeModel on 1 resource")),
            (&own, &[("model/a", own_id, other)], loss("DeleteModel, DescribeModel on 1 resource")),
            (&denial, &[("model/a", "", other)], loss("DescribeModel on 1 resource")),
            (&denial, &[("model/a", "", own_id)], none.to_owned()),
            (all, &two, none.to_owned()),
            (&own, &[("mlflow-tracking-server/a", "", own_id)], none.to_owned()),
            (
                &vpc,
                &[("model/a", "", own_id)],
                "Role R of domain d-own000000000 may gain or lose, by the policies that it has now, \
                 DeleteModel, DescribeModel on 1 resource."
                    .to_owned(),
            ),
        ] {
            assert_eq!(told(statements, changes), expected, "{statements}");
        }
    }
}
