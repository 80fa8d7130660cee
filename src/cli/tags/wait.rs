//! Owns waiting until AWS has done its part: keys that billing sees late, activation that takes a day, a backfill.
//!
//! **Invariant:** nothing is remembered on disk: everything follows from what AWS tells, so it can be stopped and begun
//! again at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::activation::Wanted;
use crate::aws::cost_explorer::CostExplorer;
use crate::aws::{self, Kind};
use crate::backfill::{Known, Past, Ruling, effective_at, judge, radius};
use crate::cli::error::{DONE, Failure, Kind as FailureKind, PARTIAL};
use crate::period::Month;

use super::act::{self, Started};
use super::read;

/// Hours after which waiting is given up; a key and a backfill take AWS a day each.
pub const HOURS_MAX: i64 = 72;

/// What is waited for.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The keys; those that are required have to be effective.
    pub wanted: Vec<Wanted>,
    /// The month that history is to be backfilled from.
    pub from: Option<Month>,
    /// Keys whose loss of history is accepted.
    pub acknowledged: Vec<String>,
    /// When the backfill that is followed was asked for, where it was already.
    pub asked_at: Option<Timestamp>,
}

/// A wait that is under way.
pub type Sleeping<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Where the time comes from.
pub struct Pace<'a> {
    /// Returns the present.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Waits so long.
    pub sleep: &'a dyn Fn(Duration) -> Sleeping<'a>,
    /// The time between two looks.
    pub every: Duration,
}

/// Who is talked to.
pub struct Voice<'a> {
    /// Says how far it is.
    pub say: &'a dyn Fn(&str),
    /// Says what even a quiet run has to.
    pub warn: &'a dyn Fn(&str),
}

/// Why a look came to nothing.
enum Stop {
    Aws(aws::Error),
    Failure(Failure),
}

impl From<aws::Error> for Stop {
    fn from(error: aws::Error) -> Stop {
        Stop::Aws(error)
    }
}

impl From<act::Unread> for Stop {
    fn from(unread: act::Unread) -> Stop {
        Stop::Aws(unread.into_error())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(failure)
    }
}

/// Looks and acts until the goal is reached or time is up; returns the exit code.
pub async fn wait(
    explorer: &CostExplorer,
    mut goal: Goal,
    pace: &Pace<'_>,
    voice: &Voice<'_>,
) -> Result<u8, Failure> {
    let begun = (pace.now)();
    // A clock that stands still does not make this endless.
    let mut slept = Duration::ZERO;
    let mut told = String::new();
    loop {
        let missing = match look(explorer, &mut goal, (pace.now)(), voice).await {
            Ok(missing) => missing,
            // Passing trouble is no reason to give up a day of waiting.
            Err(Stop::Aws(error)) if is_passing(&error) => vec![format!("{error}")],
            Err(Stop::Aws(error)) => return Err(error.into()),
            Err(Stop::Failure(failure)) => return Err(failure),
        };
        if missing.is_empty() {
            (voice.say)("Everything that is required is effective.");
            return Ok(DONE);
        }
        let passed = SignedDuration::try_from(slept).unwrap_or(SignedDuration::MAX);
        let passed = passed.max((pace.now)().duration_since(begun));
        if passed >= SignedDuration::from_hours(HOURS_MAX) {
            (voice.warn)(&format!(
                "Given up after {HOURS_MAX} hours; still missing: {}. Run it again at any time.",
                missing.join("; ")
            ));
            return Ok(PARTIAL);
        }
        let text = missing.join("; ");
        if text != told {
            (voice.say)(&format!("Waiting: {text}."));
            told = text;
        }
        (pace.sleep)(pace.every).await;
        slept = slept.saturating_add(pace.every);
    }
}

fn is_passing(error: &aws::Error) -> bool {
    let is_inside = matches!(
        error.code.as_str(),
        "InternalFailure"
            | "InternalServerError"
            | "InternalServerException"
            | "ServiceUnavailable"
    );
    let kind = error.kind;
    is_inside || matches!(kind, Kind::Throttled | Kind::Network | Kind::Unparsable | Kind::BadToken)
}

/// Does what can be done now, and returns what is still missing.
async fn look(
    explorer: &CostExplorer,
    goal: &mut Goal,
    now: Timestamp,
    voice: &Voice<'_>,
) -> Result<Vec<String>, Stop> {
    let mut known = read(explorer).await?;
    let mut missing = Vec::new();
    let listed = goal.wanted.iter().filter_map(|wanted| known.status(&wanted.key));
    let todo: BTreeSet<String> =
        listed.filter(|status| status.active != Some(true)).map(|it| it.key.clone()).collect();
    let mut refused = BTreeMap::new();
    if !todo.is_empty() {
        (known, refused) = act::activate(explorer, &todo).await?;
        for key in todo.iter().filter(|key| !refused.contains_key(*key)) {
            (voice.say)(&format!("Activated `{key}`."));
        }
    }
    for wanted in goal.wanted.iter().filter(|wanted| wanted.is_required) {
        let key = &wanted.key;
        let Some(status) = known.status(key) else {
            missing.push(format!("billing has not seen `{key}` yet"));
            continue;
        };
        match (effective_at(status), refused.get(key)) {
            (Some(at), _) if at <= now => {}
            (Some(at), _) => missing.push(format!("`{key}` is effective at {at}")),
            (None, why) => {
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                missing.push(format!("`{key}` is not active{why}"));
            }
        }
    }
    if let Some(from) = goal.from {
        missing.extend(follow(explorer, goal, from, (&known, &refused), now, voice).await?);
    }
    Ok(missing)
}

/// Follows the backfill that was asked for, or asks for it as soon as AWS takes it.
async fn follow(
    explorer: &CostExplorer,
    goal: &mut Goal,
    from: Month,
    (known, refused): (&Known, &BTreeMap<String, String>),
    now: Timestamp,
    voice: &Voice<'_>,
) -> Result<Option<String>, Stop> {
    if goal.asked_at.is_none() {
        let ruling = judge(from, known, false, now);
        match ruling {
            Ruling::Covered(past) => goal.asked_at = Some(past.requested_at),
            Ruling::Busy(_) | Ruling::TooSoon { .. } => return Ok(Some(ruling.because(from).text)),
            // It applies the statuses of its request: one without these keys costs a day, and their history.
            Ruling::Free if !refused.is_empty() => {
                let keys = refused.iter().map(|(key, why)| act::cause(key, why));
                let keys = keys.collect::<Vec<String>>().join(", ");
                let text = format!("the billing backfill from {from} is held back: {keys}");
                return Ok(Some(text));
            }
            Ruling::Free => {
                let radius = radius(from, known, &BTreeSet::new());
                act::check_acknowledged(&radius, &goal.acknowledged, from, &[])
                    .map_err(act::held_back)?;
                let past = match act::start(explorer, from, known).await {
                    Ok(Started::New(past) | Started::Earlier(past)) => past,
                    // One that failed may count for the one a day, and AWS's clock is not ours.
                    Err(error) if error.code == "BackfillLimitExceededException" => {
                        return Ok(Some(format!(
                            "AWS takes no billing backfill yet: {}",
                            error.message
                        )));
                    }
                    Err(error) => return Err(error.into()),
                };
                act::check_reached(&past, from)?;
                (voice.say)(&format!(
                    "The billing backfill from {from} was asked for at {}.",
                    past.requested_at
                ));
                goal.asked_at = Some(past.requested_at);
                return state(&past).map_err(Stop::Failure);
            }
        }
    }
    let ours = known.history.iter().find(|past| Some(past.requested_at) == goal.asked_at);
    let Some(past) = ours else {
        return Ok(Some("the history does not have the billing backfill yet".to_owned()));
    };
    let missing = state(past)?;
    if missing.is_none() {
        for key in late(known, &goal.wanted, past) {
            (voice.warn)(&format!(
                "`{key}` was activated after the billing backfill was asked for; its history needs another one."
            ));
        }
    }
    Ok(missing)
}

fn state(past: &Past) -> Result<Option<String>, Failure> {
    let Past { from, requested_at, status } = past;
    match status.as_str() {
        "SUCCEEDED" => Ok(None),
        "FAILED" => Err(Failure {
            kind: FailureKind::Failed,
            message: format!("the billing backfill from {from} failed at AWS"),
            causes: vec![format!("it was asked for at {requested_at}, and its status is FAILED")],
            hints: vec!["ask for it again; AWS support can say why, given that time".to_owned()],
        }),
        other => Ok(Some(format!(
            "the billing backfill from {from}, asked for at {requested_at}, is {other}"
        ))),
    }
}

/// Returns the wanted keys whose status changed after a backfill was asked for.
fn late<'a>(known: &'a Known, wanted: &[Wanted], past: &Past) -> Vec<&'a str> {
    let statuses = wanted.iter().filter_map(|wanted| known.status(&wanted.key));
    statuses
        .filter(|status| status.updated_at.is_some_and(|at| at > past.requested_at))
        .map(|status| status.key.as_str())
        .collect()
}
