//! Owns `budgets apply`: a plan made or given, checked, confirmed, and carried out.
//!
//! **Invariant:** nothing is changed before the plan is known not to be stale and its topics to be open.

use std::path::Path;
use std::sync::Arc;

use crate::arn::AccountId;
use crate::aws::{Session, budgets, sts};
use crate::budget_plan;
use crate::cli::args::budgets::BudgetsApplyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure, Kind};
use crate::cli::plans;
use crate::plan::{Plan, PlanKind};
use crate::setup::Setup;

use super::carry::{self, Errand};
use super::plan::{Made, READING_COUNT, about_changes, make};
use super::topics;

/// Brings the budgets of AWS into line; returns the exit code.
pub(super) async fn apply(
    context: &Context,
    session: &Session,
    args: &BudgetsApplyArgs,
) -> Result<u8, Failure> {
    let ui = &context.ui;
    let caller = sts::caller(session).await?.account;
    let Made { plan, found } = if let Some(path) = &args.plan {
        given(context, session, &caller, path).await?
    } else {
        let made = make(context, session, &caller, &args.wish).await?;
        plans::show(&about_changes(&made.plan), "text", false);
        made
    };
    let whole =
        if args.plan.is_some() || plan.gaps.is_empty() { error::DONE } else { error::PARTIAL };
    let count = plan.pending().count();
    if count == 0 {
        ui.line("Nothing to do.");
        return Ok(whole);
    }
    let topics = topics::look(session, &plan, &caller).await;
    for doubt in &topics.doubtful {
        ui.grave(&format!("{doubt}."));
    }
    if !topics.closed.is_empty() {
        return Err(Failure {
            kind: Kind::Failed,
            message: "nothing was done: alarms would reach nobody".to_owned(),
            causes: topics.closed,
            hints: vec![
                "`docs/permissions.md` has the policy that a topic needs; or leave the topic out"
                    .to_owned(),
            ],
        });
    }
    if !plans::confirm(ui, args.yes, &format!("Change {count} budgets of account {caller}?"))? {
        ui.line("Nothing was changed.");
        return Ok(error::DONE);
    }
    // A change that is given up halfway is left to a person, so it is tried for longer.
    let now = context.clock.now();
    let found = Arc::new(budget_plan::fresh(&found, now));
    let errand = Errand { session: session.patient(), account: caller, now, found };
    ui.begin("Changing budgets", count);
    let outcome = carry::carry(&errand, &plan, usize::from(args.concurrency), ui).await;
    ui.finish();
    outcome.say(ui, "budgets", "apportion budgets apply");
    if !outcome.done.is_empty() {
        ui.line(
            "AWS shows no spend of a budget that was changed until its next figures, 8 to 12 hours later; \
             `apportion budgets verify` then tells whether each watches the right money.",
        );
    }
    Ok(outcome.code(whole))
}

/// Loads a plan, and refuses one that is stale or not about the program's own budgets.
async fn given(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    path: &Path,
) -> Result<Made, Failure> {
    let plan: Plan<Setup> = plans::load(path, &[PlanKind::Budgets], caller)?;
    let prefix = context.loaded.config.budgets.prefix();
    if let Some(item) = plan.items.iter().find(|item| !item.id.starts_with(prefix)) {
        return Err(Failure::usage(
            format!("the plan is about `{}`, which does not begin with `{prefix}`", item.id),
            "use the file as `plan --save` wrote it, with the same configuration",
        ));
    }
    budget_plan::check_form(&plan, context.clock.now()).map_err(|why| {
        let hint = "run `apportion budgets plan` again; use its file as it was written, and soon";
        Failure::usage(format!("the plan cannot be executed: {why}"), hint)
    })?;
    let found = budgets::setups(session, caller, prefix, READING_COUNT).await?;
    let stale = budget_plan::check(&plan, &found.setups, context.clock.now());
    if !stale.is_empty() {
        let hint = "run `apportion budgets plan` again and look at what it proposes now";
        return Err(plans::refuse(&stale, hint));
    }
    Ok(Made { plan, found: found.setups })
}
