//! Owns `budgets plan`: what should be in AWS by the configuration and the newest snapshot, beside what is.
//!
//! **Invariant:** nothing is changed, and budgets of others are counted and no more.

use std::collections::BTreeMap;
use std::path::Path;

use crate::arn::AccountId;
use crate::aws::{Session, budgets, sts};
use crate::budget_plan;
use crate::charge;
use crate::cli::args::budgets::{BudgetsPlanArgs, BudgetsWish};
use crate::cli::commands::{Context, load};
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::desired::{self, Desired, Wish};
use crate::ledger;
use crate::metric::Metric;
use crate::plan::Plan;
use crate::setup::Setup;
use crate::snapshot::Snapshot;
use crate::store;

use super::topics;

/// Calls under way at once while budgets are read.
pub(super) const READING_COUNT: usize = 8;

/// Verdicts of budgets that the configuration has, and that AWS will not have whatever is done.
const LACKING: [&str; 4] = ["unknown_owner", "bad_name", "same_name", "other_sort"];

/// A plan, and what it was made against.
pub struct Made {
    /// The plan.
    pub plan: Plan<Setup>,
    /// The program's own budgets as they are.
    pub found: BTreeMap<String, Setup>,
}

/// Shows the plan; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &BudgetsPlanArgs,
) -> Result<u8, Failure> {
    plans::prove(args.showing.save.as_deref())?;
    let caller = sts::caller(session).await?.account;
    let Made { mut plan, .. } = make(context, session, &caller, &args.wish).await?;
    let topics = topics::look(session, &plan, &caller).await;
    plan.gaps.extend(topics.closed.iter().chain(&topics.doubtful).cloned());
    if args.showing.format == "text" && !args.showing.full {
        plans::show(&about_changes(&plan), "text", false);
    } else {
        plans::show(&plan, &args.showing.format, args.showing.full);
    }
    if let Some(path) = &args.showing.save {
        store::plans::store(path, &plan)?;
        context.ui.line(&format!("Saved the plan in `{}`.", path.display()));
    }
    let is_pending = plan.pending().next().is_some();
    let is_lacking = plan.left.iter().any(|it| LACKING.contains(&it.verdict.as_str()));
    Ok(if is_lacking || !plan.gaps.is_empty() {
        error::PARTIAL
    } else if args.showing.check && is_pending {
        error::PENDING
    } else {
        error::DONE
    })
}

/// Returns the plan without the amounts of what is kept.
pub(super) fn about_changes(plan: &Plan<Setup>) -> Plan<Setup> {
    let changed = plan.pending().map(|item| &item.id).chain(plan.left.iter().map(|it| &it.id));
    let begins: Vec<String> = changed.map(|name| format!("{name}: ")).collect();
    let mut shown = plan.clone();
    shown.stakes.retain(|stake| begins.iter().any(|it| stake.what.starts_with(it)));
    shown
}

/// Reads what is there and makes the plan.
pub async fn make(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    wish: &BudgetsWish,
) -> Result<Made, Failure> {
    let wanted = wanted(context, &wish.snapshots, wish.metric, Some(caller))?;
    let prefix = context.loaded.config.budgets.prefix();
    let found = budgets::setups(session, caller, prefix, READING_COUNT).await?;
    let ours = found.setups.len() + found.others.len();
    context.ui.line(&format!(
        "Account {caller} has {} budgets; {ours} of them begin with `{prefix}`.",
        found.count
    ));
    let by = (caller, context.clock.now());
    let plan = budget_plan::plan(wanted, &found.setups, &found.others, wish.prune, by);
    Ok(Made { plan, found: found.setups })
}

/// Refuses a snapshot of another account than the one whose budgets are looked at: its bill is another one.
pub(super) fn check_account(snapshot: &Snapshot, caller: &AccountId) -> Result<(), Failure> {
    let of = &snapshot.manifest.caller;
    if caller == of {
        return Ok(());
    }
    Err(Failure::refused(
        format!("the newest snapshot is of account {of}, and the budgets are those of {caller}"),
        "name the folder of that account's snapshots with `--snapshots DIR`, or collect as that account",
    ))
}

/// Returns the budgets that should be in AWS, by the newest snapshot.
pub(super) fn wanted(
    context: &Context,
    snapshots: &Path,
    metric: Option<Metric>,
    caller: Option<&AccountId>,
) -> Result<Desired, Failure> {
    let config = &context.loaded.config;
    let snapshot = load(snapshots, None)?;
    if let Some(caller) = caller {
        check_account(&snapshot, caller)?;
    }
    let metric = context.metric(metric);
    let ledger = ledger::post(&snapshot);
    let charges = charge::charge(&snapshot, &ledger, &context.loaded.terms, metric);
    let budgets = context.budgets(&snapshot, &charges)?;
    if budgets.is_empty() {
        context.ui.line(
            "The configuration has no `[[budget]]`; `apportion budgets suggest` writes some.",
        );
    }
    Ok(desired::desired(&Wish {
        common: &config.budgets,
        budgets: &budgets,
        metric,
        billing_view: config.billing_view_arn.as_deref(),
        snapshot: &snapshot,
        charges: &charges,
        now: context.clock.now(),
    }))
}
