//! Owns batches: the calls that a plan of tags takes, as data.
//!
//! **Invariant:** one account, region, way of tagging and set of tags a batch, and each pending change in one batch of each step.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{AccountId, Arn, Identity};
use crate::inventory::Tags;
use crate::key;
use crate::kind::{self, TaggedBy};
use crate::mark::Marks;
use crate::plan::{Item, Plan, PlanKind};

/// The most resources that one call tags (Resource Groups Tagging API reference, `TagResources`).
pub const ARN_COUNT_MAX: usize = 20;

/// Resources to which the same is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Their account.
    pub account: AccountId,
    /// Their region.
    pub region: String,
    /// By which calls they are tagged.
    pub tagged_by: TaggedBy,
    /// What is done to them.
    pub step: Step,
    /// Their ARNs, at most 20, in order.
    pub arns: Vec<String>,
}

/// What is done to resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// These tags are put on.
    Put(Tags),
    /// The tags under these keys are taken off.
    Take(BTreeSet<String>),
}

/// Returns the calls that a plan takes, without what was done already; what takes both steps is put on first.
///
/// An id that is no ARN of a taggable type is left out: see [`strays`].
pub fn batches(plan: &Plan<Marks>, done: &BTreeSet<String>) -> Vec<Batch> {
    let mut groups: BTreeMap<(Step, AccountId, String, &str), Vec<String>> = BTreeMap::new();
    for item in plan.pending().filter(|item| !done.contains(&item.id)) {
        let Some((account, region, tagged_by)) = address(&item.id) else { continue };
        for step in steps(item) {
            let key = (step, account.clone(), region.clone(), way(tagged_by));
            groups.entry(key).or_default().push(item.id.clone());
        }
    }
    let mut batches = Vec::new();
    for ((step, account, region, _), mut arns) in groups {
        arns.sort();
        arns.dedup();
        for arns in arns.chunks(ARN_COUNT_MAX) {
            let tagged_by = address(&arns[0]).expect("only what has an address is grouped").2;
            let (account, region, step) = (account.clone(), region.clone(), step.clone());
            batches.push(Batch { account, region, tagged_by, step, arns: arns.to_vec() });
        }
    }
    batches
}

/// Returns the ids of pending items that no call can be made for: a plan comes from a file that people can edit.
pub fn strays(plan: &Plan<Marks>) -> Vec<&str> {
    plan.pending().map(|item| item.id.as_str()).filter(|id| address(id).is_none()).collect()
}

/// Returns what no program has written: a resource twice, or a domain tag that names no domain of its resource's place.
pub fn forgeries(plan: &Plan<Marks>) -> Vec<&str> {
    let is_twice = |pair: &&[Item<Marks>]| pair[0].id == pair[1].id;
    let twice = plan.items.windows(2).filter(is_twice).map(|pair| pair[0].id.as_str());
    let is_forged = |item: &&Item<Marks>| {
        let value = item.change.to().and_then(|to| to.0.get(key::DOMAIN));
        // What is put back was there, whatever it was.
        let is_new = value != item.change.from().and_then(|from| from.0.get(key::DOMAIN));
        is_new && plan.kind == PlanKind::Retag && value.is_some_and(|it| !is_home(&item.id, it))
    };
    twice.chain(plan.pending().filter(is_forged).map(|item| item.id.as_str())).collect()
}

/// Tells whether a value is the ARN of a domain of the account and region of a resource.
fn is_home(id: &str, value: &str) -> bool {
    match (address(id), Identity::parse(value)) {
        (Some((account, region, _)), Some(Identity::Domain(domain))) => {
            domain.account == account && domain.region == region
        }
        _ => false,
    }
}

/// Returns where a resource is and how it is tagged; absent for what is no ARN of a taggable type.
pub fn address(arn: &str) -> Option<(AccountId, String, TaggedBy)> {
    let arn = Arn::parse(arn)?;
    let kind = kind::of(arn.resource.split('/').next()?)?;
    // Other services have clusters and jobs, too.
    let service =
        if kind.tagged_by == TaggedBy::TaggingApi { "elasticfilesystem" } else { "sagemaker" };
    let is_possible =
        kind.tagged_by != TaggedBy::Nothing && arn.service == service && !arn.region.is_empty();
    let account = AccountId::parse(&arn.account).ok()?;
    is_possible.then_some((account, arn.region, kind.tagged_by))
}

fn steps(item: &Item<Marks>) -> Vec<Step> {
    let none = Tags::new();
    let of = |marks: Option<&'_ Marks>| marks.map_or_else(|| none.clone(), |it| it.0.clone());
    let (from, to) = (of(item.change.from()), of(item.change.to()));
    let take: BTreeSet<String> =
        from.keys().filter(|key| !to.contains_key(*key)).cloned().collect();
    let put: Tags = to.into_iter().filter(|(key, value)| from.get(key) != Some(value)).collect();
    let put = (!put.is_empty()).then_some(Step::Put(put));
    let take = (!take.is_empty()).then_some(Step::Take(take));
    put.into_iter().chain(take).collect()
}

/// An order for ways of tagging.
fn way(tagged_by: TaggedBy) -> &'static str {
    match tagged_by {
        TaggedBy::Both => "both",
        TaggedBy::AddTags => "add_tags",
        TaggedBy::TaggingApi => "tagging_api",
        TaggedBy::Nothing => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Change;

    fn marks(text: &str) -> Option<Marks> {
        let pairs = text.split_whitespace().filter_map(|word| word.split_once('='));
        Marks::of(
            &pairs.map(|(key, value)| (format!("sagemaker:{key}-arn"), value.to_owned())).collect(),
        )
    }

    /// A plan of lines `kind/name | before | after`.
    fn plan(text: &str) -> Plan<Marks> {
        let items = text.lines().filter_map(|line| {
            let mut parts = line.split('|');
            let id = parts.next()?.trim();
            let id = if id.contains(':') {
                id.to_owned()
            } else {
                format!("arn:aws:sagemaker:eu-west-1:111122223333:{id}")
            };
            let change = Change::between(marks(parts.next()?), marks(parts.next()?))?;
            Some(Item::of(&id, change))
        });
        let caller = AccountId::parse("111122223333").unwrap();
        Plan::new(PlanKind::Retag, caller, jiff::Timestamp::UNIX_EPOCH, items.collect())
    }

    fn told(plan: &Plan<Marks>, done: &BTreeSet<String>) -> String {
        let tell = |batch: Batch| {
            let step = match batch.step {
                Step::Put(tags) => format!("put {tags:?}"),
                Step::Take(keys) => format!("take {keys:?}"),
            };
            let names: Vec<&str> =
                batch.arns.iter().map(|arn| arn.rsplit(':').next().unwrap()).collect();
            format!("{step} {:?}: {}", batch.tagged_by, names.join(" "))
        };
        batches(plan, done).into_iter().map(tell).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_plan_and_its_inverse_become_calls() {
        let plan = plan(
            "model/a | | domain=A
             model/b | user-profile=u | user-profile=u domain=A
             partner-app/c | | domain=A
             model/d | domain=B | domain=A
             model/e | domain=A | domain=A
             model/f | | domain=A
             inference-experiment/g | | domain=A
             arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1 | | domain=A
             arn:aws:s3:::bucket | | domain=A
             arn:aws:ecs:eu-west-1:111122223333:cluster/h | | domain=A
             arn:aws:sagemaker:eu-west-1:111122223333:file-system/i | | domain=A",
        );
        let done = BTreeSet::from(["arn:aws:sagemaker:eu-west-1:111122223333:model/f".to_owned()]);
        let put = r#"put {"sagemaker:domain-arn": "A"}"#;
        assert_eq!(
            told(&plan, &done),
            format!(
                "{put} AddTags: partner-app/c\n{put} Both: model/a model/b model/d\n\
                 {put} TaggingApi: file-system/fs-1"
            )
        );
        assert_eq!(
            strays(&plan),
            [
                "arn:aws:ecs:eu-west-1:111122223333:cluster/h",
                "arn:aws:s3:::bucket",
                "arn:aws:sagemaker:eu-west-1:111122223333:file-system/i",
                "arn:aws:sagemaker:eu-west-1:111122223333:inference-experiment/g"
            ]
        );
        let take = r#"take {"sagemaker:domain-arn"}"#;
        assert_eq!(
            told(&plan.inverse(), &done),
            format!(
                "put {{\"sagemaker:domain-arn\": \"B\"}} Both: model/d\n{take} AddTags: partner-app/c\n\
                 {take} Both: model/a model/b\n{take} TaggingApi: file-system/fs-1"
            )
        );
    }

    #[test]
    fn a_plan_that_was_edited_is_seen() {
        let home = "domain=arn:aws:sagemaker:eu-west-1:111122223333:domain/d-a";
        let plan = plan(&format!(
            "model/a | | {home}
             model/b | | domain=garbage
             model/c | | {}
             model/d | | {}
             model/e | {home} |
             model/f | domain=garbage | {home}",
            home.replace("1111", "9999"),
            home.replace("eu-west-1", "us-east-1")
        ));
        let names = |plan: &Plan<Marks>| -> String {
            forgeries(plan).iter().map(|id| id.rsplit('/').next().unwrap()).collect()
        };
        assert_eq!(names(&plan), "bcd");
        assert_eq!(names(&plan.inverse()), "");
        let mut twice = plan.clone();
        twice.items.retain(|item| item.id.ends_with('a'));
        twice.items.push(twice.items[0].clone());
        assert_eq!(names(&twice), "a");
    }

    #[test]
    fn a_change_of_both_sorts_is_put_on_before_it_is_taken_off() {
        let plan = plan("model/a | space=s domain=A | user-profile=u domain=A");
        assert_eq!(
            told(&plan, &BTreeSet::new()),
            "put {\"sagemaker:user-profile-arn\": \"u\"} Both: model/a\n\
             take {\"sagemaker:space-arn\"} Both: model/a"
        );
    }
}
