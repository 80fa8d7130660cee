//! Owns carrying out a plan of budgets: several at once, each step by step, with what was done told as it is known.
//!
//! An answer may be lost after AWS has done what was asked, so after an error the budget is read back, and what is there
//! tells how far the way was gone.
//! **Invariant:** every step that AWS has done is told once; nothing watches less before all that watches more was done,
//! and nothing is deleted before all else was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::arn::AccountId;
use crate::aws::{self, Session, budgets};
use crate::budget_plan::fresh_one;
use crate::cli::error::Failure;
use crate::cli::ui::Ui;
use crate::expression;
use crate::plan::{Change, Item, Plan};
use crate::setup::Setup;
use crate::step::{self, Step};

/// How often a step is begun anew after an error that time may mend; each time the client itself tries often.
const TRY_COUNT_MAX: usize = 3;

/// What became of the budgets of a plan.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// As they were to be.
    pub(super) done: BTreeSet<String>,
    /// Not, or not wholly, and why.
    pub(super) failed: Vec<(String, Failure)>,
    /// Not tried any more.
    pub(super) untried: BTreeSet<String>,
}

/// Who asks, when, and what there was when the plan was compared.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) session: Session,
    pub(super) account: AccountId,
    pub(super) now: Timestamp,
    pub(super) found: Arc<BTreeMap<String, Setup>>,
}

/// How one budget came out.
struct Report {
    name: String,
    steps: Vec<Step>,
    failure: Option<(aws::Kind, Failure)>,
}

/// Carries out a plan: what watches more comes first, then what watches less, and what is deleted last.
///
/// So whoever moves from one budget to another is in both for a while, and in none only where both change both ways.
/// A part begins only when all of the one before was done.
pub(super) async fn carry(
    errand: &Errand,
    plan: &Plan<Setup>,
    concurrency: usize,
    ui: &Ui,
) -> Outcome {
    let mut parts: [Vec<&Item<Setup>>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for item in plan.pending() {
        let filter = |setup: Option<&'_ Setup>| setup.and_then(|it| it.filter.clone());
        let part = match &item.change {
            Change::Delete { .. } => 2,
            Change::Update { from, to } => {
                let (from, to) = (filter(Some(from)), filter(Some(to)));
                usize::from(expression::narrows(from.as_ref(), to.as_ref()))
            }
            _ => 0,
        };
        parts[part].push(item);
    }
    let mut outcome = Outcome::default();
    for items in parts {
        if outcome.failed.is_empty() && outcome.untried.is_empty() {
            some(errand, &items, concurrency, ui, &mut outcome).await;
        } else {
            outcome.untried.extend(items.into_iter().map(|item| item.id.clone()));
        }
    }
    outcome
}

async fn some(
    errand: &Errand,
    items: &[&Item<Setup>],
    concurrency: usize,
    ui: &Ui,
    outcome: &mut Outcome,
) {
    let mut queue = items.iter();
    let mut under_way = JoinSet::new();
    let mut is_halted = false;
    loop {
        while under_way.len() < concurrency.max(1)
            && !is_halted
            && let Some(item) = queue.next()
        {
            let (errand, item) = (errand.clone(), (*item).clone());
            under_way.spawn(async move { one(&errand, &item).await });
        }
        let Some(joined) = under_way.join_next().await else { break };
        let Report { name, steps, failure } = joined.expect("carrying out a change does not panic");
        for step in steps {
            ui.line(&format!("  {name}: {step}"));
        }
        ui.advance(1);
        match failure {
            None => drop(outcome.done.insert(name)),
            Some((kind, failure)) => {
                // No way, no credentials or no permission: the next budget would fare no better.
                use aws::Kind::{AccessDenied, Credentials, Network, Throttled};
                is_halted |= matches!(kind, AccessDenied | Credentials | Network | Throttled);
                outcome.failed.push((name, failure));
            }
        }
    }
    outcome.untried.extend(queue.map(|item| item.id.clone()));
}

/// Goes the way from what the plan found to what it wants, from where it stands.
async fn one(errand: &Errand, item: &Item<Setup>) -> Report {
    let (from, to) = (item.change.from(), item.change.to());
    let (steps, way) = (step::steps(from, to), step::way(from, to));
    let mut report = Report { name: item.id.clone(), steps: Vec::new(), failure: None };
    // A run that was cut off has left it on the way.
    let found = errand.found.get(&item.id);
    let mut at = way.iter().position(|state| state.as_ref() == found).unwrap_or(0);
    let mut tries = 0;
    while at < steps.len() {
        let Err(error) = take(errand, &item.id, &steps[at]).await else {
            report.steps.push(steps[at].clone());
            (at, tries) = (at + 1, 0);
            continue;
        };
        let kind = error.kind;
        let found = match read(errand, &item.id).await {
            Ok(found) => found,
            Err(unread) => {
                let mut failure = Failure::from(error);
                failure.causes.push(format!(
                    "and how far it is could not be read: {}: {}",
                    unread.code, unread.message
                ));
                report.failure = Some((kind, failure));
                return report;
            }
        };
        let Some(reached) = way.iter().skip(at).position(|state| *state == found) else {
            report.failure = Some((kind, changed(error)));
            return report;
        };
        report.steps.extend(steps[at..at + reached].iter().cloned());
        at += reached;
        tries = if reached > 0 { 0 } else { tries + 1 };
        if reached == 0 && (tries >= TRY_COUNT_MAX || !is_mended_by_time(kind)) {
            report.failure = Some((kind, error.into()));
            return report;
        }
    }
    report
}

async fn take(errand: &Errand, name: &str, step: &Step) -> Result<(), aws::Error> {
    budgets::take(&errand.session, &errand.account, name, step).await
}

async fn read(errand: &Errand, name: &str) -> Result<Option<Setup>, aws::Error> {
    let found = budgets::setup(&errand.session, &errand.account, name).await?;
    Ok(found.map(|setup| fresh_one(setup, errand.now)))
}

fn is_mended_by_time(kind: aws::Kind) -> bool {
    matches!(kind, aws::Kind::Network | aws::Kind::Throttled | aws::Kind::Unparsable)
}

fn changed(error: aws::Error) -> Failure {
    let mut failure = Failure::from(error);
    failure.causes.push(
        "what is there now is neither as planned nor on the way: somebody else is changing it"
            .to_owned(),
    );
    failure.hints =
        vec!["run `apportion budgets plan` again, and look at what it proposes".to_owned()];
    failure
}
