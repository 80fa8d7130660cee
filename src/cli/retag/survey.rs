//! Owns how the resources of a plan stand before it is executed: as planned, done already, or changed by somebody else.
//!
//! **Invariant:** the tagging API may be behind, so nothing is called stale by its word alone.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use crate::aws::{self, Session, tag};
use crate::batch;
use crate::inventory::{Tags, Whereabouts};
use crate::kind::TaggedBy;
use crate::mark::{self, Marks};
use crate::plan::{self, Change, Item, Plan, Stale, Standing};

use super::ground::{Ground, whereabouts};

/// How many resources are asked for one by one at once.
const ASKED_COUNT: usize = 4;

/// How the resources of a plan stand.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Those that are as the plan wants them, as far as the tagging API knows.
    pub(super) done: BTreeSet<String>,
    /// Those that somebody else has changed.
    pub(super) stale: Vec<Stale>,
}

/// Reads the marks of every resource of a plan and compares; a place that cannot be read is closed.
pub(super) async fn survey(ground: &mut Ground, plan: &Plan<Marks>) -> Survey {
    let mut survey = Survey::default();
    let mut items: BTreeMap<Whereabouts, Vec<&Item<Marks>>> = BTreeMap::new();
    for item in &plan.items {
        let place = whereabouts(&item.id).expect("the ground was made of the plan's resources");
        items.entry(place).or_default().push(item);
    }
    for (place, items) in items {
        let Some(session) = ground.open.get(&place) else { continue };
        let surveyed = survey_place(session, &items).await;
        match surveyed {
            Ok(part) => {
                survey.done.extend(part.done);
                survey.stale.extend(part.stale);
            }
            Err(error) => {
                ground.open.remove(&place);
                ground.closed.insert(place, format!("{}: {}", error.code, error.message));
            }
        }
    }
    survey
}

async fn survey_place(session: &Session, items: &[&Item<Marks>]) -> Result<Survey, aws::Error> {
    let known = Known::new(tag::read_marks(session, &mark::KEYS).await?);
    let mut survey = Survey::default();
    let mut doubtful = Vec::new();
    for item in items {
        let found = known.get(&item.id);
        // The tagging API knows nothing of some types, which is not the same as no tags.
        let is_unknown = by(&item.id) == TaggedBy::AddTags;
        if is_unknown || standing(&item.change, found.as_ref()) == Standing::Stale {
            doubtful.push((*item, found));
        } else if item.change.standing(found.as_ref()) == Standing::Done {
            survey.done.insert(item.id.clone());
        }
    }
    let ids: Vec<String> = doubtful.iter().map(|(item, _)| item.id.clone()).collect();
    let mut read = read_back(session, ids, ASKED_COUNT, &|_| {}).await;
    for (item, found) in doubtful {
        let found = match read.remove(&item.id) {
            Some(Ok(Some(tags))) => Marks::of(&tags),
            // What is gone nobody has tagged otherwise; whether that matters shows when it is changed.
            Some(Ok(None)) => continue,
            Some(Err(error)) if by(&item.id) == TaggedBy::AddTags => return Err(error),
            _ => found,
        };
        match standing(&item.change, found.as_ref()) {
            Standing::Stale => survey.stale.push(Stale {
                id: item.id.clone(),
                planned: plan::told(item.change.from()),
                found: plan::told(found.as_ref()),
            }),
            Standing::Done => drop(survey.done.insert(item.id.clone())),
            Standing::Ready => {}
        }
    }
    Ok(survey)
}

/// Tells how a resource stands; between two calls of a killed run, each tag is as before or as after.
fn standing(change: &Change<Marks>, found: Option<&Marks>) -> Standing {
    let standing = change.standing(found);
    if standing != Standing::Stale || !change.is_pending() {
        return standing;
    }
    let value = |marks: Option<&Marks>, key: &str| marks.and_then(|it| it.0.get(key).cloned());
    let is_between = mark::KEYS.iter().all(|key| {
        let found = value(found, key);
        found == value(change.from(), key) || found == value(change.to(), key)
    });
    if is_between { Standing::Ready } else { Standing::Stale }
}

/// Reads the tags of resources one by one from their own service; absent inside for what does not exist.
pub(super) async fn read_back(
    session: &Session,
    arns: Vec<String>,
    concurrency: usize,
    tell: &dyn Fn(usize),
) -> BTreeMap<String, Result<Option<Tags>, aws::Error>> {
    let mut read = BTreeMap::new();
    let mut waiting = arns.into_iter();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < concurrency.max(1)
            && let Some(arn) = waiting.next()
        {
            let session = session.clone();
            under_way.spawn(async move {
                let tags = list(&session, &arn).await;
                (arn, tags)
            });
        }
        let Some(joined) = under_way.join_next().await else { break };
        let (arn, tags) = joined.expect("reading tags does not panic");
        read.insert(arn, tags);
        tell(1);
    }
    read
}

/// Reads one resource's tags; AWS hands out some ARNs in another case than the one that it knows.
pub(super) async fn list(session: &Session, arn: &str) -> Result<Option<Tags>, aws::Error> {
    if let Some(tags) = tag::list(session, arn).await? {
        return Ok(Some(tags));
    }
    let lower = arn.to_lowercase();
    if lower == arn { Ok(None) } else { tag::list(session, &lower).await }
}

/// Returns by which calls a resource is tagged.
pub(super) fn by(arn: &str) -> TaggedBy {
    batch::address(arn).map_or(TaggedBy::Nothing, |address| address.2)
}

/// What the tagging API knows, to be looked up whatever the case.
struct Known {
    exact: BTreeMap<String, Tags>,
    folded: BTreeMap<String, Vec<String>>,
}

impl Known {
    /// Indexes marks by ARN.
    fn new(exact: BTreeMap<String, Tags>) -> Known {
        let mut folded: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for arn in exact.keys().filter(|arn| arn.chars().any(char::is_uppercase)) {
            folded.entry(arn.to_lowercase()).or_default().push(arn.clone());
        }
        Known { exact, folded }
    }

    /// Finds the marks of an ARN: by its exact text, else by the only one that differs in case.
    fn get(&self, arn: &str) -> Option<Marks> {
        let lower = arn.to_lowercase();
        let other = || match self.folded.get(&lower).map(Vec::as_slice) {
            Some([only]) => self.exact.get(only),
            Some(_) => None,
            None => self.exact.get(&lower),
        };
        self.exact.get(arn).or_else(other).and_then(Marks::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(pairs: &[(&str, &str)]) -> Marks {
        Marks(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_run_killed_between_two_calls_is_no_change_by_somebody_else() {
        let [domain, user] = ["sagemaker:domain-arn", "sagemaker:user-profile-arn"];
        let change = Change::Update {
            from: marks(&[(domain, "a"), (user, "u")]),
            to: marks(&[(domain, "b")]),
        };
        for (found, expected) in [
            (vec![(domain, "a"), (user, "u")], Standing::Ready),
            (vec![(domain, "b"), (user, "u")], Standing::Ready),
            (vec![(domain, "b")], Standing::Done),
            (vec![(domain, "c"), (user, "u")], Standing::Stale),
            (vec![(user, "u")], Standing::Stale),
            (vec![(domain, "b"), (user, "v")], Standing::Stale),
        ] {
            assert_eq!(standing(&change, Some(&marks(&found))), expected, "{found:?}");
        }
        let kept = Change::Keep { from: marks(&[(domain, "a")]) };
        assert_eq!(standing(&kept, None), Standing::Stale);
    }

    #[test]
    fn an_arn_in_another_case_is_found_when_there_is_one() {
        let known = |arns: &[&str]| {
            let tags = |arn: &&str| marks(&[("sagemaker:domain-arn", arn)]).0;
            Known::new(arns.iter().map(|arn| ((*arn).to_owned(), tags(arn))).collect())
        };
        let found = |known: &Known, arn: &str| {
            known.get(arn).map(|marks| marks.0["sagemaker:domain-arn"].clone())
        };
        let one = known(&["arn:Job", "arn:end"]);
        assert_eq!(found(&one, "arn:job").as_deref(), Some("arn:Job"));
        assert_eq!(found(&one, "arn:End").as_deref(), Some("arn:end"));
        assert_eq!(found(&one, "arn:other"), None);
        let two = known(&["arn:Job", "arn:JOB"]);
        assert_eq!(found(&two, "arn:JOB").as_deref(), Some("arn:JOB"));
        assert_eq!(found(&two, "arn:job"), None);
    }
}
