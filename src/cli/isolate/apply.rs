//! Owns `isolate apply`: a plan made or given, checked, confirmed, and carried out.
//!
//! **Invariant:** nothing is changed before the plan is known not to be stale.

use std::collections::BTreeMap;
use std::path::Path;

use crate::arn::{AccountId, Arn};
use crate::aws::{Session, sts};
use crate::cli::args::isolate::IsolateApplyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::inventory::Domain;
use crate::isolation::Isolation;
use crate::isolation_check;
use crate::isolation_plan::Present;
use crate::plan::{Plan, PlanKind};

use super::carry::{self, Errand};
use super::ground::{self, Extent};
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
        given(context, session, &caller, args, path).await?
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
    outcome.say(ui, "policies", "apportion isolate apply");
    if !outcome.done.is_empty() {
        ui.line(
            "IAM takes a moment to let everybody know; `apportion isolate lint` then tells what is still open.",
        );
    }
    Ok(outcome.code(code))
}

/// Loads a plan, and refuses one that is stale, not about isolation policies, or not what this program would write.
async fn given(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    args: &IsolateApplyArgs,
    path: &Path,
) -> Result<Given, Failure> {
    let plan: Plan<Isolation> = plans::load(path, &[PlanKind::Isolation], caller)?;
    let refuse = |why: String| {
        let hint = "run `apportion isolate plan` again, with the same configuration and regions; use its file as it was written";
        Failure::refused(format!("the plan cannot be executed: {why}"), hint)
    };
    isolation_check::check_form(&plan).map_err(refuse)?;
    let looking = &args.wish.looking;
    let ground = ground::read(context, session, caller, looking, Extent::Identities, true).await?;
    let of = |id: &str| Arn::parse(id).and_then(|it| AccountId::parse(&it.account).ok());
    let is_closed = |id: &str| of(id).is_none_or(|it| !ground.sessions.contains_key(&it));
    if let Some(item) = plan.items.iter().find(|item| is_closed(&item.id)) {
        return Err(refuse(format!("there is no way into the account of `{}`", item.id)));
    }
    let stale = isolation_check::check(&plan, &ground.present);
    if !stale.is_empty() {
        let hint = "run `apportion isolate plan` again and look at what it proposes now";
        return Err(plans::refuse(&stale, hint));
    }
    let written = |domain: &Domain| ground::written(context, domain);
    isolation_check::check_fit(&plan, &ground.inventory, &written).map_err(refuse)?;
    plans::show(&plan, "text", false);
    Ok(Given { plan, present: ground.present, sessions: ground.sessions })
}
