//! Owns carrying out a plan of isolation policies, step by step, with what was done told as it is known.
//!
//! **Invariant:** no role is given a policy before another domain's was taken off it.

use std::collections::BTreeMap;

use crate::arn::{AccountId, Arn};
use crate::aws::{Session, iam};
use crate::cli::ui::Ui;
use crate::cli::walk::{self, Outcome, Walked, Way, walk};
use crate::isolation::{self, Isolation, Step};
use crate::isolation_plan::{self, Present};
use crate::plan::{Change, Item, Plan};
use crate::render::text::clean;

/// The ways into accounts, and what there was when the plan was compared.
pub(super) struct Errand<'a> {
    pub(super) sessions: &'a BTreeMap<AccountId, Session>,
    pub(super) present: &'a Present,
}

/// Carries out a plan, one policy after the other: what takes a policy off a role comes first.
///
/// So a role that moves from one domain to another never has both policies, with which it could use neither domain.
/// What comes after begins only when all of that was done.
pub(super) async fn carry(errand: &Errand<'_>, plan: &Plan<Isolation>, ui: &Ui) -> Outcome {
    let (first, last): (Vec<&Item<Isolation>>, Vec<&Item<Isolation>>) =
        plan.pending().partition(|item| detaches(&item.change));
    let mut outcome = Outcome::default();
    for items in [first, last] {
        let mut is_halted = !outcome.failed.is_empty();
        for item in items {
            if is_halted {
                outcome.untried.insert(item.id.clone());
                continue;
            }
            let Walked { steps, failure } = one(errand, item).await;
            for step in steps {
                ui.line(&clean(&format!("  {}: {step}", item.id)));
            }
            match failure {
                None => drop(outcome.done.insert(item.id.clone())),
                Some((kind, failure)) => {
                    is_halted = walk::is_for_all(kind);
                    outcome.failed.push((item.id.clone(), failure));
                }
            }
            ui.advance(1);
        }
    }
    outcome
}

fn detaches(change: &Change<Isolation>) -> bool {
    isolation::steps(change.from(), change.to())
        .iter()
        .any(|step| matches!(step, Step::Detach(_) | Step::Delete))
}

/// Goes the way from what the plan found to what it wants, from where it stands.
async fn one(errand: &Errand<'_>, item: &Item<Isolation>) -> Walked<Step> {
    let (from, to) = (item.change.from(), item.change.to());
    let document = to.or(from).map(Isolation::document);
    let document = document.expect("what changes is there before or after");
    let account = Arn::parse(&item.id).and_then(|it| AccountId::parse(&it.account).ok());
    let session = account.as_ref().and_then(|it| errand.sessions.get(it));
    // A change that is given up halfway is left to a person, so it is tried for longer.
    let session = session.expect("every account of the plan was entered").patient();
    let (session, arn) = (&session, item.id.as_str());
    let way = Way {
        steps: isolation::steps(from, to),
        states: isolation_plan::way(from, to),
        found: errand.present.isolations.get(arn),
        again: "apportion isolate plan",
    };
    let take = |step: Step| async move { iam::take(session, arn, document, &step).await };
    let read =
        || async move { Ok(iam::isolation(session, arn).await?.map(|found| found.isolation)) };
    walk(way, take, read).await
}
