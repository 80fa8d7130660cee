//! The plan of domain tags: what is proposed, kept and left alone, what else changes, and which calls it takes.

use std::collections::{BTreeMap, BTreeSet};

use apportion::arn::AccountId;
use apportion::effect;
use apportion::evidence::{Confidence, Mapping, weigh};
use apportion::kind::{self, Costs, TaggedBy};
use apportion::plan::{self, Change, Item, Plan, PlanKind};
use apportion::retag::{self, Marks, Step, Wish};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::notation::inventory;

const WORLD: &str = "
    domain d-a role=a
    domain d-b role=b
    profile d-a/ana domain=d-a
    training-job certain user=d-a/ana
    training-job hint role=a
    training-job over by=d-a status=Completed
    endpoint served uses=model/m
    model m domain=d-a role=a
    notebook-instance wrong domain=d-b by=d-a
    notebook-instance gone domain=d-gone
    training-job torn user=d-a/ana by=d-b";

fn made(wish: &Wish) -> Plan<Marks> {
    let inventory = inventory(WORLD);
    let findings = weigh(&inventory, &Mapping::default());
    let caller = AccountId::parse("111122223333").unwrap();
    retag::plan(&findings, &inventory, wish, &caller, Timestamp::UNIX_EPOCH)
}

fn told(plan: &Plan<Marks>) -> String {
    let name = |id: &str| id.rsplit(['/', ':']).next().unwrap().to_owned();
    let items = plan.items.iter().map(|item| {
        let sure = item.confidence.as_deref().unwrap_or("-");
        format!("{}{} {sure}", item.change.sign(), name(&item.id))
    });
    let left = plan.left.iter().map(|left| format!("{} {}", name(&left.id), left.verdict));
    items.chain(left).collect::<Vec<_>>().join(", ")
}

#[test]
fn only_what_is_wished_for_is_proposed() {
    let wish = |all, floor, overwrite| Wish { all, floor, overwrite };
    for (wish, expected) in [
        (
            wish(false, Confidence::Likely, false),
            "+served likely, =m -, ~certain certain, =ana -, gone contradiction, wrong contradiction, \
             hint review, over idle, torn tie",
        ),
        (
            wish(true, Confidence::Review, true),
            "+served likely, =m -, ~wrong certain, ~certain certain, +hint review, +over certain, =ana -, \
             gone contradiction, torn tie",
        ),
        (
            wish(true, Confidence::Certain, false),
            "=m -, ~certain certain, +over certain, =ana -, served likely, gone contradiction, \
             wrong contradiction, hint review, torn tie",
        ),
    ] {
        assert_eq!(told(&made(&wish)), expected);
    }
}

#[test]
fn what_costs_nothing_and_nothing_is_known_of_is_quiet() {
    let quiet = |all| {
        let text = "domain d-a role=a\ntraining-job over by=d-a status=Completed\n\
            training-job at-work\nmodel m\nmodel-package long by=d-gone";
        let inventory = inventory(text);
        let findings = weigh(&inventory, &Mapping::default());
        let wish = Wish { all, floor: Confidence::Certain, overwrite: false };
        let caller = AccountId::parse("111122223333").unwrap();
        let plan = retag::plan(&findings, &inventory, &wish, &caller, Timestamp::UNIX_EPOCH);
        let left = plan.left.iter().map(|it| format!("{} {}", it.verdict, it.is_quiet));
        left.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(quiet(false), "stale false, undetermined true, undetermined false, idle true");
    assert_eq!(quiet(true), "stale false, undetermined true, undetermined false");
}

#[test]
fn one_tag_is_put_on_and_nothing_else_is_touched() {
    let plan = made(&Wish { all: true, floor: Confidence::Review, overwrite: true });
    for item in plan.pending() {
        let (from, to) =
            (item.change.from().cloned().unwrap_or_default(), item.change.to().unwrap());
        let mut wanted = from.clone();
        let arn = "arn:aws:sagemaker:eu-west-1:111122223333:domain/d-a".to_owned();
        wanted.0.insert("sagemaker:domain-arn".to_owned(), arn);
        assert_eq!(*to, wanted, "{}", item.id);
    }
}

#[test]
fn a_second_plan_after_the_first_keeps_everything() {
    let wish = Wish { all: true, floor: Confidence::Review, overwrite: true };
    let first = made(&wish);
    let mut inventory = inventory(WORLD);
    for resource in &mut inventory.resources {
        let item = first.pending().find(|item| item.id == resource.arn);
        if let Some(to) = item.and_then(|item| item.change.to()) {
            resource.tags.get_or_insert_default().extend(to.0.clone());
        }
    }
    let findings = weigh(&inventory, &Mapping::default());
    let current = retag::current(&findings);
    assert_eq!(plan::check(&first, &current), []);
    let second = retag::plan(&findings, &inventory, &wish, &first.caller, first.made_at);
    assert_eq!(second.pending().count(), 0);
    assert!(second.consequences.is_empty());
    // What somebody tagged differently in the meantime is stale, by name.
    let mut changed = current.clone();
    let arn = "arn:aws:sagemaker:eu-west-1:111122223333:training-job/hint".to_owned();
    changed.insert(
        arn.clone(),
        Marks(BTreeMap::from([("sagemaker:domain-arn".to_owned(), "x".to_owned())])),
    );
    let stale: Vec<String> = plan::check(&first, &changed).into_iter().map(|it| it.id).collect();
    assert_eq!(stale, [arn]);
}

#[test]
fn who_gains_and_who_loses_is_said() {
    let plan = made(&Wish { all: false, floor: Confidence::Likely, overwrite: true });
    assert_eq!(
        plan.consequences.join("\n"),
        "Domain d-a (team-a) gets 3 resources of its own. Studio shows what has no domain tag in every domain of \
         the account and region, and what has one only there: people of Domain d-b (team-b) stop seeing them.\n\
         Domain d-b (team-b) is no longer the domain of 1 resource.\n\
         Nothing in the past changes: cost is attributed from now on, once billing has seen the tags, which takes \
         up to a day."
    );
    // Where the policies themselves cannot be read.
    assert_eq!(
        effect::by_rule(&plan, &inventory(WORLD)).join("\n"),
        "Where a policy grants by `aws:ResourceTag/sagemaker:domain-arn`, as AWS's own isolation policy does, the \
         roles of Domain d-a (team-a) may then update, delete and describe them: a.\n\
         Where a policy denies what bears another domain's tag, these roles lose what Domain d-a (team-a) gets: b."
    );
}

#[test]
fn the_document_tells_every_type() {
    let document = include_str!("../../docs/retag.md");
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    for kind in kind::KINDS {
        let by = match kind.tagged_by {
            TaggedBy::Both => "tagging API, `AddTags`",
            TaggedBy::AddTags => "`AddTags` alone",
            TaggedBy::TaggingApi => "tagging API alone",
            TaggedBy::Nothing => "nothing",
        };
        let start = format!("| `{}` | {by} | ", kind.segment);
        let row = rows.iter().find(|row| row.starts_with(&start)).expect(&start);
        let statuses: Vec<&str> = match kind.costs {
            Costs::Never => vec!["never"],
            Costs::Always => vec!["as long as"],
            Costs::While(statuses) if statuses.contains(&"InProgress") => vec!["while at work"],
            Costs::While(statuses) | Costs::Unless(statuses) => statuses.to_vec(),
        };
        assert!(statuses.iter().all(|it| row.contains(it)), "{row}: {statuses:?}");
    }
}

/// A plan of random resources, places and domains.
fn any_plan() -> impl Strategy<Value = Plan<Marks>> {
    let kind = prop::sample::select(vec!["model", "partner-app", "space", "endpoint"]);
    let region = prop::sample::select(vec!["eu-west-1", "us-east-1"]);
    let account = prop::sample::select(vec!["111122223333", "444455556666"]);
    let thing = (kind, region, account, 0..90_u8, 0..2_u8, 0..3_u8);
    prop::collection::vec(thing, 0..200).prop_map(|things| {
        let mut items = BTreeMap::new();
        for (kind, region, account, name, domain, how) in things {
            let id = format!("arn:aws:sagemaker:{region}:{account}:{kind}/{name}");
            let marks =
                |value: String| Marks(BTreeMap::from([("sagemaker:domain-arn".to_owned(), value)]));
            let (from, to) = (marks("before".to_owned()), marks(format!("d-{domain}")));
            let change = match how {
                0 => Change::Create { to },
                1 => Change::Update { from, to },
                _ => Change::Delete { from },
            };
            items.insert(id.clone(), Item::of(&id, change));
        }
        let caller = AccountId::parse("111122223333").unwrap();
        Plan::new(PlanKind::Retag, caller, Timestamp::UNIX_EPOCH, items.into_values().collect())
    })
}

proptest! {
    #[test]
    fn batches_are_small_of_one_place_and_value_and_cover_everything_once(plan in any_plan(), skip in 1..9_usize) {
        let ids: Vec<String> = plan.pending().map(|item| item.id.clone()).collect();
        let done: BTreeSet<String> = ids.iter().step_by(skip).skip(1).cloned().collect();
        let mut covered = Vec::new();
        for batch in retag::batches(&plan, &done) {
            prop_assert!((1..=20).contains(&batch.arns.len()));
            for arn in &batch.arns {
                let item = plan.items.iter().find(|item| item.id == *arn).unwrap();
                let place = (batch.account.clone(), batch.region.clone(), batch.tagged_by);
                prop_assert_eq!(retag::address(arn), Some(place));
                match (&batch.step, item.change.to()) {
                    (Step::Put(tags), Some(to)) => prop_assert_eq!(tags, &to.0),
                    (Step::Take(keys), None) => prop_assert_eq!(keys.len(), 1),
                    other => prop_assert!(false, "{other:?}"),
                }
                covered.push(arn.clone());
            }
        }
        covered.sort();
        let open: Vec<String> = ids.into_iter().filter(|id| !done.contains(id)).collect();
        prop_assert_eq!(covered, open);
        prop_assert!(retag::strays(&plan).is_empty());
    }
}
