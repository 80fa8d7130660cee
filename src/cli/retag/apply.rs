//! Owns `retag apply`: a plan made or given, what leads back kept, and the plan carried out.

use crate::aws::{Session, sts};
use crate::cli::args::change::RetagApplyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::plan::PlanKind;
use crate::store::disk;

use super::carry::{self, Ending, Errand, Stale};
use super::plan;

/// Puts tags on as planned; returns the exit code.
pub(super) async fn apply(
    context: &Context,
    session: &Session,
    args: &RetagApplyArgs,
) -> Result<u8, Failure> {
    let ui = &context.ui;
    let folder = &args.wish.snapshots;
    let mapping = plan::mapping(&args.wish)?;
    disk::prove_writable(folder)?;
    let caller = sts::caller(session).await?.account;
    let plan = if let Some(path) = &args.plan {
        plans::load(path, &[PlanKind::Retag], &caller)?
    } else {
        let plan = plan::make(context, session, &caller, &args.wish, &mapping).await?;
        plans::show(&plan, "text", false);
        plan
    };
    let whole =
        if args.plan.is_some() || plan.gaps.is_empty() { error::DONE } else { error::PARTIAL };
    let count = plan.pending().count();
    if count == 0 {
        ui.line("Nothing to do.");
        return Ok(whole);
    }
    let name = carry::name(&plan);
    let kept = args.plan.clone().unwrap_or_else(|| folder.join("plans").join(&name));
    if args.plan.is_none() {
        carry::keep(&kept, &plan)?;
        ui.line(&format!(
            "Interrupted, it goes on with `apportion retag apply --plan {}`.",
            kept.display()
        ));
    }
    let undo = folder.join("undo").join(&name);
    let question = format!("Put tags on {count} resources?");
    let errand = Errand {
        caller: &caller,
        plan: &plan,
        undo: Some(&undo),
        question: &question,
        stale: Stale::Refuse("run `apportion retag plan` again and look at what it proposes now"),
        is_yes: args.yes,
        concurrency: args.concurrency,
    };
    let Ending::Ended(outcome) = carry::carry(context, session, &errand).await? else {
        ui.line("Nothing was changed.");
        return Ok(error::DONE);
    };
    let done = outcome.done.len();
    ui.line(&format!("{done} of {count} resources bear their tags now."));
    if done > 0 {
        let (kept, undo) = (kept.display(), undo.display());
        ui.line(&format!("Read them back with `apportion retag verify --plan {kept}`."));
        ui.line(&format!("Put back what was there with `apportion retag undo {undo}`."));
        ui.line(
            "What they cost from now on has its domain; what was billed before stays as it is.",
        );
    }
    if done < count {
        ui.line(&format!(
            "Run `apportion retag apply --plan {}` again for the rest.",
            kept.display()
        ));
    }
    Ok(match carry::code(&plan, &outcome) {
        error::DONE => whole,
        code => code,
    })
}
