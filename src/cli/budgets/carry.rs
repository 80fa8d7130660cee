//! Owns carrying out a plan of budgets: several at once, each step by step, with what was done told as it is known.
//!
//! **Invariant:** nothing watches less before all that watches more was done,
//! and nothing is deleted before all else was.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::arn::AccountId;
use crate::aws::{Session, budgets};
use crate::budget_plan::fresh_one;
use crate::cli::ui::Ui;
use crate::cli::walk::{self, Outcome, Walked, Way, walk};
use crate::expression;
use crate::plan::{Change, Item, Plan};
use crate::setup::Setup;
use crate::step::{self, Step};

/// Who asks, when, and what there was when the plan was compared.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) session: Session,
    pub(super) account: AccountId,
    pub(super) now: Timestamp,
    pub(super) found: Arc<BTreeMap<String, Setup>>,
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
        let (name, walked) = joined.expect("carrying out a change does not panic");
        let Walked { steps, failure } = walked;
        for step in steps {
            ui.line(&format!("  {name}: {step}"));
        }
        ui.advance(1);
        match failure {
            None => drop(outcome.done.insert(name)),
            Some((kind, failure)) => {
                is_halted |= walk::is_for_all(kind);
                outcome.failed.push((name, failure));
            }
        }
    }
    outcome.untried.extend(queue.map(|item| item.id.clone()));
}

/// Goes the way from what the plan found to what it wants, from where it stands.
async fn one(errand: &Errand, item: &Item<Setup>) -> (String, Walked<Step>) {
    let (from, to) = (item.change.from(), item.change.to());
    let name = item.id.as_str();
    let way = Way {
        steps: step::steps(from, to),
        states: step::way(from, to),
        found: errand.found.get(name),
        again: "apportion budgets plan",
    };
    let take = |step: Step| async move {
        budgets::take(&errand.session, &errand.account, name, &step).await
    };
    let read = || async move {
        let found = budgets::setup(&errand.session, &errand.account, name).await?;
        Ok(found.map(|setup| fresh_one(setup, errand.now)))
    };
    (name.to_owned(), walk(way, take, read).await)
}
