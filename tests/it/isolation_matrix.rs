//! Owns the proof of what each form of the isolation policy does for every domain of the demonstration, beside every sort of grant.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use apportion::access::{Decision, Rights};
use apportion::authorization::{IDENTITIES, actions, is_ever_tagged, is_told_by_tag};
use apportion::inventory::{Domain, Inventory};
use apportion::isolation_document::{document, partition};
use apportion::isolation_wish::{Form, Protection, Untagged, Wish};
use apportion::lint::{self, Subject};
use apportion::matrix::{self, Cell, Tags, is_tagging};
use apportion::parties::{Parties, Relation};
use apportion::policy::Policy;
use apportion::sandbox::policy::{FULL_ACCESS, Policy as Managed};
use apportion::weakness::Kind;
use serde_json::{Value, json};

use crate::world::{ask, make, small, with_inventory};

/// What exists in the demonstration, with few people.
pub(crate) fn inventory() -> &'static Inventory {
    static INVENTORY: OnceLock<Inventory> = OnceLock::new();
    INVENTORY.get_or_init(|| ask(&make(&small(1), 21), &with_inventory(), None).inventory)
}

fn parties(domain: &Domain, wish: &Wish) -> Parties {
    let place = |it: &Domain| (it.key.account.clone(), it.key.region.clone());
    let beside = |it: &&Domain| it.key != domain.key && place(it) == place(domain);
    let other = inventory().domains.iter().find(beside).map(|it| it.key.clone());
    Parties {
        own: domain.key.clone(),
        other: other.unwrap_or_else(|| Parties::made_up(&domain.key)),
        partition: partition(domain),
        pipeline_executions: wish.pipeline_executions,
    }
}

fn policy(name: &str, document: &Value) -> Policy {
    let (policy, flaws) = Policy::read(name, document);
    assert_eq!(flaws, [], "{name}");
    policy
}

pub(crate) fn full_access() -> Policy {
    let managed = Managed::managed().into_iter().find(|it| it.arn() == FULL_ACCESS).unwrap();
    let version = managed.version(&managed.default_id).unwrap();
    // It is longer than a policy of one's own may be.
    Policy::read("full", &serde_json::from_str(&version.document).unwrap()).0
}

pub(crate) fn allow(name: &str, actions: &[&str]) -> Policy {
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    policy(name, &json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

/// What somebody may grant by hand: no tagging, and a few verbs.
fn narrow() -> Policy {
    let actions = [
        "sagemaker:CreateModel",
        "sagemaker:CreateTrainingJob",
        "sagemaker:DeleteModel",
        "sagemaker:Describe*",
        "sagemaker:InvokeEndpoint",
        "sagemaker:ListTags",
        "sagemaker:ListTrainingJobs",
        "sagemaker:StopTrainingJob",
        "sagemaker:CreateApp",
        "sagemaker:DeleteApp",
    ];
    allow("narrow", &actions)
}

/// Every way to set the switches of a form.
pub(crate) fn wishes(form: Form) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for tag_protection in [Protection::Action, Protection::Value] {
        for untagged in [Untagged::Allow, Untagged::Deny] {
            for pipeline_executions in [false, true] {
                let switches =
                    Wish { tag_protection, untagged, pipeline_executions, ..Wish::default() };
                wishes.push(Wish { form, ..switches });
            }
        }
    }
    wishes
}

/// What a role may do with some grants, and with the isolation policy beside them.
pub(crate) struct Case {
    now: Rights,
    planned: Rights,
    parties: Parties,
}

impl Case {
    pub(crate) fn new(domain: &Domain, wish: &Wish, grants: &[Policy]) -> Case {
        let isolation = policy("isolation", &document(domain, wish).unwrap());
        let now = Rights { policies: grants.to_vec(), boundary: None };
        let policies = grants.iter().cloned().chain([isolation]).collect();
        let planned = Rights { policies, boundary: None };
        Case { now, planned, parties: parties(domain, wish) }
    }

    pub(crate) fn cells(&self) -> (Vec<Cell>, Vec<Cell>) {
        (matrix::matrix(&self.now, &self.parties), matrix::matrix(&self.planned, &self.parties))
    }

    /// The kinds that are found with the policy.
    pub(crate) fn kinds(&self) -> BTreeSet<Kind> {
        let subject = Subject { name: "role", parties: &self.parties };
        lint::rights(&self.planned, &subject).into_iter().map(|it| it.kind).collect()
    }
}

pub(crate) fn named<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> BTreeSet<String> {
    let name = |it: &Cell| {
        let created = if it.is_created { " (new)" } else { "" };
        format!("{} {}{created}", it.action, it.kind)
    };
    cells.into_iter().map(name).collect()
}

/// What is not denied of a relation, tagging left out.
pub(crate) fn open(cells: &[Cell], relation: Relation) -> BTreeSet<String> {
    named(cells.iter().filter(|it| {
        it.relation == relation
            && !is_tagging(&it.action)
            && it.answer.decision >= Decision::Doubtful
    }))
}

/// What of the tag itself is allowed, by action and whose the thing is.
pub(crate) fn tampering(cells: &[Cell]) -> BTreeSet<String> {
    let open = cells
        .iter()
        .filter(|it| is_tagging(&it.action) && it.answer.decision >= Decision::Doubtful);
    open.map(|it| format!("{} {}", it.action, it.relation.name())).collect()
}

/// Returns what the policy takes away of what is the domain's own, or only makes doubtful.
fn lost(now: &[Cell], planned: &[Cell]) -> BTreeSet<String> {
    let is_lost = |(before, after): &(&Cell, &Cell)| {
        before.relation == Relation::Own
            && !is_tagging(&before.action)
            && before.answer.decision == Decision::Allowed
            && after.answer.decision != Decision::Allowed
    };
    named(now.iter().zip(planned).filter(is_lost).map(|(before, _)| before))
}

/// Returns what could be created and cannot be with the tags that Studio puts on.
pub(crate) fn untaggable(case: &Case, planned: &[Cell]) -> BTreeSet<String> {
    let is_refused = |it: &&Cell| {
        it.is_created
            && it.relation == Relation::Own
            && it.answer.decision != Decision::Allowed
            && matrix::creates(&case.planned, &case.parties, it, Tags::None) == Decision::Allowed
    };
    named(planned.iter().filter(is_refused))
}

/// Returns the actions that no policy can isolate, as the tables of AWS have them.
fn untold(are_executions_told: bool) -> BTreeSet<String> {
    let mut untold = BTreeSet::new();
    for action in actions() {
        if action.types.is_empty() {
            untold.insert(format!("{} ", action.name));
        }
        for kind in &action.types {
            let is_told = is_told_by_tag(kind, are_executions_told)
                && (is_ever_tagged(kind) || kind == "pipeline-execution");
            // What is done to identities and to all else cannot be denied for those of others alone.
            let is_identity = |it: &String| IDENTITIES.contains(&it.as_str());
            let is_mixed = is_identity(kind) && !action.types.iter().all(is_identity);
            let is_made = action.creates() == Some(kind.as_str());
            if (!is_told || is_mixed) && !is_made && !is_tagging(&action.name) {
                untold.insert(format!("{} {kind}", action.name));
            }
        }
    }
    untold
}

/// Reads names, one a line.
pub(crate) fn set(names: &str) -> BTreeSet<String> {
    names.lines().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

#[test]
fn the_form_that_denies_isolates_beside_every_grant_and_takes_nothing_that_is_the_domains_own() {
    let all = || allow("all", &["sagemaker:*"]);
    let (mut closed_count, mut cell_count) = (0, 0);
    for (index, domain) in inventory().domains.iter().enumerate() {
        for (nth, wish) in wishes(Form::Deny).into_iter().enumerate() {
            // Every switch with every grant in one domain, and every grant in every domain.
            if index > 0 && nth > 0 {
                break;
            }
            for (name, grants) in [("full", full_access()), ("narrow", narrow()), ("all", all())] {
                let case = Case::new(domain, &wish, &[grants]);
                let (now, planned) = case.cells();
                let at = format!("{name} in {} with {wish:?}", domain.name);
                assert_eq!(lost(&now, &planned), BTreeSet::new(), "{at}");
                assert_eq!(untaggable(&case, &planned), BTreeSet::new(), "{at}");
                let other = open(&planned, Relation::Other);
                assert_eq!(other, BTreeSet::new(), "{at}");
                // What is denied was open, or there would be nothing to isolate.
                assert!(open(&now, Relation::Other).len() > 100, "{at}");
                let untold = untold(wish.pipeline_executions);
                let told = open(&planned, Relation::Untold);
                assert_eq!(told, open(&now, Relation::Untold), "{at}");
                assert!(told.is_subset(&untold), "{at}");
                if name == "all" {
                    assert_eq!(told, untold, "{at}");
                }
                let expected: &[&str] = match (name, wish.tag_protection) {
                    (_, Protection::Action) => &[],
                    ("narrow", Protection::Value) => &["AddTags untagged"],
                    _ => &["AddTags other", "AddTags untagged"],
                };
                let expected: BTreeSet<String> =
                    expected.iter().map(|it| (*it).to_owned()).collect();
                assert_eq!(tampering(&planned), expected, "{at}");
                let kinds = case.kinds();
                assert!(!kinds.contains(&Kind::DefeatsIsolation), "{at}: {kinds:?}");
                assert!(!kinds.contains(&Kind::MissingAddTags), "{at}: {kinds:?}");
                let has = |name: &str| expected.contains(name);
                assert_eq!(kinds.contains(&Kind::Tampering), has("AddTags other"), "{at}");
                assert_eq!(kinds.contains(&Kind::Claiming), has("AddTags untagged"), "{at}");
                let is_told_apart = wish.pipeline_executions;
                assert_eq!(!kinds.contains(&Kind::PipelineExecutions), is_told_apart, "{at}");
                closed_count += open(&now, Relation::Other).len();
                cell_count += now.len();
            }
        }
    }
    assert!(closed_count > 5_000 && cell_count > 40_000, "{closed_count} of {cell_count}");
}

#[test]
fn what_bears_no_tag_stays_or_goes_as_it_is_wished() {
    let domain = &inventory().domains[0];
    let used = |wish: &Wish| {
        let case = Case::new(domain, wish, &[allow("all", &["sagemaker:*"])]);
        let (now, planned) = case.cells();
        let is_used = |it: &String| {
            !["Create", "Import", "List", "Register"].iter().any(|verb| it.starts_with(verb))
        };
        [now, planned].map(|cells| {
            open(&cells, Relation::Untagged).into_iter().filter(is_used).collect::<BTreeSet<_>>()
        })
    };
    let wish = Wish::default();
    let [now, planned] = used(&wish);
    assert!(now == planned && now.len() > 200, "{}", now.len());
    let wish = Wish { untagged: Untagged::Deny, ..wish };
    // It takes a type that never bears tags as well, for whose sake it is spared.
    let spared = BTreeSet::from(["UpdateMonitoringAlert monitoring-schedule".to_owned()]);
    assert_eq!(used(&wish)[1], spared);
    // Executions are never tagged themselves, so those of an untagged pipeline are spared.
    let wish = Wish { pipeline_executions: true, ..wish };
    let more: Vec<String> = used(&wish)[1].difference(&spared).cloned().collect();
    assert!(more.iter().all(|it| it.ends_with(" pipeline-execution")), "{more:?}");
    assert_eq!(more.len(), 7, "{more:?}");
}
