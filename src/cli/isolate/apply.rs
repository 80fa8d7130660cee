//! Owns `isolate apply`: a plan made or given, checked, confirmed, and carried out.
//!
//! **Invariant:** nothing is changed before the plan is known not to be stale.

use std::collections::BTreeMap;
use std::path::Path;

use crate::arn::{AccountId, Arn};
use crate::aws::{Session, iam, sts};
use crate::cli::args::AwsArgs;
use crate::cli::args::isolate::IsolateApplyArgs;
use crate::cli::collect::inventory::enter;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::isolation::Isolation;
use crate::isolation_plan::{self, Present};
use crate::plan::{Plan, PlanKind};

use super::carry::{self, Errand, Outcome};
use super::plan::{make, whole};

/// What is to be carried out.
struct Given {
    plan: Plan<Isolation>,
    present: Present,
    sessions: BTreeMap<AccountId, Session>,
}

/// Brings the isolation policies into line; returns the exit code.
pub(super) async fn apply(
    context: &Context,
    session: &Session,
    args: &IsolateApplyArgs,
) -> Result<u8, Failure> {
    let ui = &context.ui;
    let caller = sts::caller(session).await?.account;
    let Given { plan, present, sessions } = if let Some(path) = &args.plan {
        given(context, session, &caller, path).await?
    } else {
        let made = make(context, session, &caller, &args.wish).await?;
        plans::show(&made.plan, "text", false);
        Given { plan: made.plan, present: made.ground.present, sessions: made.ground.sessions }
    };
    let code = if args.plan.is_some() { error::DONE } else { whole(&plan) };
    let count = plan.pending().count();
    if count == 0 {
        ui.line("Nothing to do.");
        return Ok(code);
    }
    if !plans::confirm(ui, args.yes, &format!("Change {count} isolation policies?"))? {
        ui.line("Nothing was changed.");
        return Ok(error::DONE);
    }
    let errand = Errand { sessions: &sessions, present: &present };
    ui.begin("Changing policies", count);
    let outcome = carry::carry(&errand, &plan, ui).await;
    ui.finish();
    say(context, &outcome, count);
    Ok(match (outcome.done.len(), outcome.failed.len() + outcome.untried.len()) {
        (_, 0) => code,
        (0, _) => error::FAILED,
        _ => error::PARTIAL,
    })
}

/// Loads a plan, and refuses one that is stale or not about isolation policies.
async fn given(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    path: &Path,
) -> Result<Given, Failure> {
    let plan: Plan<Isolation> = plans::load(path, &[PlanKind::Isolation], caller)?;
    isolation_plan::check_form(&plan).map_err(|why| {
        let hint = "run `apportion isolate plan` again; use its file as it was written";
        Failure::usage(format!("the plan cannot be executed: {why}"), hint)
    })?;
    let mut sessions: BTreeMap<AccountId, Session> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for item in &plan.items {
        let account = Arn::parse(&item.id).and_then(|it| AccountId::parse(&it.account).ok());
        let account = account.expect("the form of the plan was checked");
        if !sessions.contains_key(&account) {
            let inside = way_into(context, session, &account, caller).await?;
            sessions.insert(account.clone(), inside);
        }
        if let Some(it) = iam::isolation(&sessions[&account], &item.id).await? {
            found.insert(item.id.clone(), it);
        }
    }
    let present = Present::new(found);
    let stale = isolation_plan::check(&plan, &present);
    if !stale.is_empty() {
        let hint = "run `apportion isolate plan` again and look at what it proposes now";
        return Err(plans::refuse(&stale, hint));
    }
    Ok(Given { plan, present, sessions })
}

async fn way_into(
    context: &Context,
    session: &Session,
    account: &AccountId,
    caller: &AccountId,
) -> Result<Session, Failure> {
    let places = context.places(&AwsArgs::default());
    let place = places.iter().find(|it| it.account.as_ref().unwrap_or(caller) == account);
    let closed = |why: String| {
        let hint = "name the account and its role by `[[account]]`, as when the plan was made";
        Failure::refused(format!("there is no way into account {account}: {why}"), hint)
    };
    let place = place.ok_or_else(|| closed("the configuration does not name it".to_owned()))?;
    enter(session, place, caller).await.map_err(|gap| closed(plans::gap_text(&gap)))
}

fn say(context: &Context, outcome: &Outcome, count: usize) {
    let ui = &context.ui;
    for (name, failure) in &outcome.failed {
        ui.grave(&format!("  not done: {name}"));
        ui.failure(failure);
    }
    if !outcome.untried.is_empty() {
        ui.grave(&format!("  not tried: {}", outcome.untried.len()));
    }
    let done = outcome.done.len();
    ui.line(&format!("{done} of {count} policies are as planned."));
    if done < count {
        ui.line("Run `apportion isolate apply` again for the rest.");
    }
    if done > 0 {
        ui.line(
            "IAM takes a moment to let everybody know; `apportion isolate lint` then tells what is still open.",
        );
    }
}
