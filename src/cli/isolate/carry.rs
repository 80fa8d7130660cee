//! Owns carrying out a plan of isolation policies, step by step, with what was done told as it is known.
//!
//! An answer may be lost after IAM has done what was asked, so after an error the policy is read back, and what is there tells how
//! far the way was gone.
//! **Invariant:** every step that IAM has done is told once, and nothing is deleted before all else was done.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{AccountId, Arn};
use crate::aws::{self, Session, iam};
use crate::chain::chain;
use crate::cli::error::Failure;
use crate::cli::ui::Ui;
use crate::isolation::{self, Isolation};
use crate::isolation_plan::{self, Present};
use crate::plan::{Change, Item, Plan};

/// How often a step is begun anew after an error that time may mend; each time the client itself tries often.
const TRY_COUNT_MAX: usize = 3;

/// What became of the policies of a plan.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// As they were to be.
    pub(super) done: BTreeSet<String>,
    /// Not, or not wholly, and why.
    pub(super) failed: Vec<(String, Failure)>,
    /// Not tried any more.
    pub(super) untried: BTreeSet<String>,
}

/// The ways into accounts, and what there was when the plan was compared.
pub(super) struct Errand<'a> {
    pub(super) sessions: &'a BTreeMap<AccountId, Session>,
    pub(super) present: &'a Present,
}

/// Carries out a plan, one policy after the other: what is deleted comes last, and only when all else was done.
pub(super) async fn carry(errand: &Errand<'_>, plan: &Plan<Isolation>, ui: &Ui) -> Outcome {
    let is_deletion = |item: &&Item<Isolation>| matches!(item.change, Change::Delete { .. });
    let (last, first): (Vec<&Item<Isolation>>, Vec<&Item<Isolation>>) =
        plan.pending().partition(is_deletion);
    let mut outcome = Outcome::default();
    let mut is_halted = false;
    for item in first.into_iter().chain(last) {
        if is_halted || (is_deletion(&item) && !outcome.failed.is_empty()) {
            outcome.untried.insert(item.id.clone());
            continue;
        }
        match one(errand, item, ui).await {
            Ok(()) => drop(outcome.done.insert(item.id.clone())),
            Err((kind, failure)) => {
                // No way, no credentials or no permission: the next policy would fare no better.
                use aws::Kind::{AccessDenied, Credentials, Network, Throttled};
                is_halted = matches!(kind, AccessDenied | Credentials | Network | Throttled);
                outcome.failed.push((item.id.clone(), failure));
            }
        }
        ui.advance(1);
    }
    outcome
}

/// Goes the way from what the plan found to what it wants, from where it stands.
async fn one(
    errand: &Errand<'_>,
    item: &Item<Isolation>,
    ui: &Ui,
) -> Result<(), (aws::Kind, Failure)> {
    let (from, to) = (item.change.from(), item.change.to());
    let (steps, way) = (isolation::steps(from, to), isolation_plan::way(from, to));
    let document =
        to.or(from).map(Isolation::document).expect("what changes is there before or after");
    let account = Arn::parse(&item.id).and_then(|it| AccountId::parse(&it.account).ok());
    let session = account.as_ref().and_then(|it| errand.sessions.get(it));
    // A change that is given up halfway is left to a person, so it is tried for longer.
    let session = session.expect("every account of the plan was entered").patient();
    // A run that was cut off has left it on the way.
    let found = errand.present.isolations.get(&item.id);
    let mut at = way.iter().position(|state| state.as_ref() == found).unwrap_or(0);
    let mut tries = 0;
    while at < steps.len() {
        let Err(error) = iam::take(&session, &item.id, document, &steps[at]).await else {
            ui.line(&format!("  {}: {}", item.id, steps[at]));
            (at, tries) = (at + 1, 0);
            continue;
        };
        let kind = error.kind;
        let found = match iam::isolation(&session, &item.id).await {
            Ok(found) => found.map(|it| it.isolation),
            Err(unread) => {
                let mut failure = Failure::from(error);
                failure
                    .causes
                    .push(format!("and how far it is could not be read: {}", chain(&unread)));
                return Err((kind, failure));
            }
        };
        let Some(reached) = way.iter().skip(at).position(|state| *state == found) else {
            return Err((kind, changed(error)));
        };
        for step in &steps[at..at + reached] {
            ui.line(&format!("  {}: {step}", item.id));
        }
        at += reached;
        tries = if reached > 0 { 0 } else { tries + 1 };
        let is_mended_by_time =
            matches!(kind, aws::Kind::Network | aws::Kind::Throttled | aws::Kind::Unparsable);
        if reached == 0 && (tries >= TRY_COUNT_MAX || !is_mended_by_time) {
            return Err((kind, error.into()));
        }
    }
    Ok(())
}

fn changed(error: aws::Error) -> Failure {
    let mut failure = Failure::from(error);
    failure.causes.push(
        "what is there now is neither as planned nor on the way: somebody else is changing it"
            .to_owned(),
    );
    failure.hints =
        vec!["run `apportion isolate plan` again, and look at what it proposes".to_owned()];
    failure
}
