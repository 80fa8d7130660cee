//! Owns carrying out batches: several at once, place by place, with what AWS refused tried again by SageMaker's own calls.
//!
//! What is done twice is the same as once, so a run that was killed or stopped is simply run again.
//! **Invariant:** every resource of every batch is told as done, gone, refused or not done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::task::JoinSet;

use crate::aws::{self, Session, tag};
use crate::batch::{Batch, Step};
use crate::cli::error::Failure;
use crate::inventory::{Tags, Whereabouts};
use crate::kind::TaggedBy;

use super::survey;

/// What became of the resources of all batches.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// As they were to be.
    pub(super) done: BTreeSet<String>,
    /// No longer there.
    pub(super) gone: BTreeSet<String>,
    /// Left as they were by AWS, in its words.
    pub(super) refused: BTreeMap<String, String>,
    /// Not tried any more, place by place.
    pub(super) undone: BTreeMap<Whereabouts, (BTreeSet<String>, Halt)>,
}

/// Why nothing more is tried in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Halt {
    /// What happened.
    pub(super) why: String,
    /// What to do about it.
    pub(super) hints: Vec<String>,
}

/// What became of one batch.
#[derive(Debug, Default)]
struct Report {
    done: Vec<String>,
    gone: Vec<String>,
    refused: Vec<(String, Refusal)>,
    undone: Vec<String>,
    halt: Option<Halt>,
}

/// Why one resource stayed as it was.
#[derive(Clone, Debug)]
struct Refusal {
    words: String,
    /// What to do about it, when the caller may not do such things at all.
    denied: Option<Halt>,
}

/// What became of one resource.
enum Fate {
    Done,
    Gone,
    Refused(Refusal),
    Halted(Halt),
}

/// A place and what is left to do there.
struct Lane {
    session: Session,
    queue: VecDeque<Batch>,
    under_way: usize,
    /// Whether anything has been done there: until then one batch goes ahead alone.
    is_proven: bool,
    halt: Option<Halt>,
}

/// Carries out batches, so many at once; `tell` hears how many resources are through.
pub(super) async fn execute(
    open: &BTreeMap<Whereabouts, Session>,
    batches: Vec<Batch>,
    concurrency: usize,
    tell: &dyn Fn(usize),
) -> Outcome {
    let mut lanes: BTreeMap<Whereabouts, Lane> = BTreeMap::new();
    for batch in batches {
        let place = Whereabouts { account: batch.account.clone(), region: batch.region.clone() };
        let session = open.get(&place).expect("batches are made for open places only");
        let lane = lanes.entry(place).or_insert_with(|| Lane::new(session));
        lane.queue.push_back(batch);
    }
    let mut outcome = Outcome::default();
    let mut under_way = JoinSet::new();
    let mut last: Option<Whereabouts> = None;
    loop {
        while under_way.len() < concurrency.max(1)
            && let Some((place, session, batch)) = next(&mut lanes, last.as_ref())
        {
            last = Some(place.clone());
            under_way.spawn(async move { (place, carry_out(&session, &batch).await) });
        }
        let Some(joined) = under_way.join_next().await else { break };
        let (place, report) = joined.expect("carrying out a batch does not panic");
        tell(report.done.len() + report.gone.len() + report.refused.len());
        let lane = lanes.get_mut(&place).expect("a report comes from a lane");
        lane.take(&place, report, &mut outcome);
    }
    for (place, lane) in lanes {
        let Some(halt) = lane.halt else { continue };
        let entry = outcome.undone.entry(place).or_insert_with(|| (BTreeSet::new(), halt));
        entry.0.extend(lane.queue.into_iter().flat_map(|batch| batch.arns));
    }
    // Of a resource with several steps the worst counts.
    for (undone, _) in outcome.undone.values() {
        outcome.done.retain(|arn| !undone.contains(arn));
    }
    outcome.done.retain(|arn| !outcome.refused.contains_key(arn) && !outcome.gone.contains(arn));
    outcome
}

/// Takes the next batch, from the place after the last one, so that no region's rate is used up first.
fn next(
    lanes: &mut BTreeMap<Whereabouts, Lane>,
    last: Option<&Whereabouts>,
) -> Option<(Whereabouts, Session, Batch)> {
    let ready = |lane: &Lane| {
        lane.halt.is_none() && !lane.queue.is_empty() && (lane.is_proven || lane.under_way == 0)
    };
    let mut places = lanes.iter().filter(|(_, lane)| ready(lane)).map(|(place, _)| place);
    let first = places.clone().next();
    let place = places.find(|place| last.is_none_or(|last| *place > last)).or(first)?.clone();
    let lane = lanes.get_mut(&place).expect("it was just found");
    let batch = lane.queue.pop_front().expect("a lane that is ready has a batch");
    lane.under_way += 1;
    Some((place, lane.session.clone(), batch))
}

impl Lane {
    fn new(session: &Session) -> Lane {
        Lane {
            session: session.clone(),
            queue: VecDeque::new(),
            under_way: 0,
            is_proven: false,
            halt: None,
        }
    }

    fn take(&mut self, place: &Whereabouts, report: Report, outcome: &mut Outcome) {
        self.under_way -= 1;
        self.is_proven |= !report.done.is_empty();
        let mut halt = report.halt;
        if !self.is_proven && report.gone.is_empty() {
            // Whoever may not tag the first twenty may tag none: the rest is spared.
            let denials = report.refused.iter().map(|(_, refusal)| refusal.denied.clone());
            halt = halt.or(denials.collect::<Option<Vec<Halt>>>().and_then(|mut all| all.pop()));
        }
        outcome.done.extend(report.done);
        outcome.gone.extend(report.gone);
        let refused = report.refused.into_iter();
        outcome.refused.extend(refused.map(|(arn, refusal)| (arn, refusal.words)));
        if let Some(halt) = halt {
            let entry = outcome.undone.entry(place.clone());
            let entry = entry.or_insert_with(|| (BTreeSet::new(), halt.clone()));
            entry.0.extend(report.undone);
            self.halt.get_or_insert(halt);
        }
    }
}

async fn carry_out(session: &Session, batch: &Batch) -> Report {
    let mut report = Report::default();
    let singles = match carry_out_at_once(session, batch, &mut report).await {
        Ok(singles) => singles,
        Err(halt) => {
            report.undone.extend(batch.arns.iter().cloned());
            report.halt = Some(halt);
            return report;
        }
    };
    for (arn, refusal) in singles {
        if report.halt.is_some() {
            report.undone.push(arn);
            continue;
        }
        match change_one(session, &arn, &batch.step, refusal).await {
            Fate::Done => report.done.push(arn),
            Fate::Gone => report.gone.push(arn),
            Fate::Refused(refusal) => report.refused.push((arn, refusal)),
            Fate::Halted(halt) => {
                report.undone.push(arn);
                report.halt = Some(halt);
            }
        }
    }
    report
}

/// Asks the tagging API for the whole batch, where it can be asked; returns what is left to do one by one.
async fn carry_out_at_once(
    session: &Session,
    batch: &Batch,
    report: &mut Report,
) -> Result<Vec<(String, Refusal)>, Halt> {
    let all =
        |refusal: Refusal| batch.arns.iter().map(|arn| (arn.clone(), refusal.clone())).collect();
    if batch.tagged_by == TaggedBy::AddTags {
        return Ok(all(Refusal { words: String::new(), denied: None }));
    }
    let asked = match &batch.step {
        Step::Put(tags) => tag::put(session, &batch.arns, tags).await,
        Step::Take(keys) => tag::take(session, &batch.arns, &list_of(keys)).await,
    };
    match asked {
        Ok(refused) => {
            let names: BTreeSet<&String> = refused.iter().map(|it| &it.arn).collect();
            let done = batch.arns.iter().filter(|arn| !names.contains(arn));
            report.done.extend(done.cloned());
            let refused = refused.into_iter().map(|it| {
                let words = format!("{}: {}", it.code, it.message);
                (it.arn, Refusal { words, denied: None })
            });
            Ok(refused.collect())
        }
        Err(error) if is_halt(&error) => Err(Halt::of(error)),
        Err(error) => Ok(all(Refusal::of(&error))),
    }
}

/// Changes one resource by SageMaker's own calls, whatever the tagging API had against it.
async fn change_one(session: &Session, arn: &str, step: &Step, before: Refusal) -> Fate {
    let mut refusal = None;
    let lower = arn.to_lowercase();
    let mut spellings = vec![arn];
    if survey::by(arn) == TaggedBy::TaggingApi {
        // No other call tags it; what the first one had against it stands, unless it is so already.
        spellings.clear();
        refusal = Some(before.clone());
    } else if lower != arn {
        spellings.push(&lower);
    }
    for spelling in spellings {
        let asked = match step {
            Step::Put(tags) => tag::add(session, spelling, tags).await,
            Step::Take(keys) => tag::delete(session, spelling, &list_of(keys)).await,
        };
        match asked {
            Ok(()) => return Fate::Done,
            Err(error) if is_halt(&error) => return Fate::Halted(Halt::of(error)),
            // AWS hands out some ARNs in another case than the one that it knows.
            Err(error) if error.message.contains("does not exist") => {}
            Err(error) => {
                refusal = Some(Refusal::of(&error));
                break;
            }
        }
    }
    let found = survey::list(session, arn).await;
    match (found, refusal) {
        // The answer to an earlier attempt was lost, or somebody else was as wise.
        (Ok(Some(tags)), _) if is_reached(step, &tags) => Fate::Done,
        (_, Some(refusal)) => Fate::Refused(refusal),
        // What is gone has no tags to take off.
        (Ok(None), None) if matches!(step, Step::Take(_)) => Fate::Done,
        (Ok(None), None) => Fate::Gone,
        (Ok(Some(_)), None) => Fate::Refused(before),
        (Err(error), None) if is_halt(&error) => Fate::Halted(Halt::of(error)),
        (Err(error), None) => Fate::Refused(Refusal::of(&error)),
    }
}

/// Tells whether a resource with these tags is as the step would leave it.
fn is_reached(step: &Step, tags: &Tags) -> bool {
    match step {
        Step::Put(wanted) => wanted.iter().all(|(key, value)| tags.get(key) == Some(value)),
        Step::Take(keys) => keys.iter().all(|key| !tags.contains_key(key)),
    }
}

/// Tells whether the next resource would fare no better: no way, no credentials, or no more patience.
fn is_halt(error: &aws::Error) -> bool {
    use aws::Kind::{Credentials, Network, Throttled, Unparsable};
    matches!(error.kind, Credentials | Network | Throttled | Unparsable)
}

fn list_of(keys: &BTreeSet<String>) -> Vec<String> {
    keys.iter().cloned().collect()
}

impl Halt {
    fn of(error: aws::Error) -> Halt {
        let failure = Failure::from(error);
        let why: Vec<String> = std::iter::once(failure.message).chain(failure.causes).collect();
        Halt { why: why.join(": "), hints: failure.hints }
    }
}

impl Refusal {
    fn of(error: &aws::Error) -> Refusal {
        let words = format!("{}: {}", error.code, error.message);
        let denied = (error.kind == aws::Kind::AccessDenied).then(|| Halt {
            why: format!("{} refused {}: {words}", error.service, error.operation),
            hints: vec![denied_hint(error.operation)],
        });
        Refusal { words, denied }
    }
}

fn denied_hint(operation: &str) -> String {
    let action = match operation {
        "TagResources" | "UntagResources" => format!("tag:{operation}"),
        _ => format!("sagemaker:{operation}"),
    };
    format!("grant `{action}`; `docs/permissions.md` has the whole policy")
}
