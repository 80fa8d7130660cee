//! Owns `retag undo`: back to the tags that were there before an `apply`, from the file that it kept.

use crate::aws::{Session, sts};
use crate::cli::args::change::RetagUndoArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::plan::PlanKind;

use super::carry::{self, Ending, Errand, Stale};

/// Puts back what was there; returns the exit code.
pub(super) async fn undo(
    context: &Context,
    session: &Session,
    args: &RetagUndoArgs,
) -> Result<u8, Failure> {
    let ui = &context.ui;
    let caller = sts::caller(session).await?.account;
    let plan = plans::load(&args.file, &[PlanKind::RetagUndo], &caller)?;
    let count = plan.pending().count();
    if count == 0 {
        ui.line("Nothing to do.");
        return Ok(error::DONE);
    }
    let question = format!("Put the tags of {count} resources back to what they were?");
    let errand = Errand {
        caller: &caller,
        plan: &plan,
        undo: None,
        question: &question,
        stale: if args.skip_changed {
            Stale::Skip
        } else {
            Stale::Refuse("leave what is named as it is with `--skip-changed`, and undo the rest")
        },
        is_yes: args.yes,
        concurrency: args.concurrency,
    };
    let Ending::Ended(outcome) = carry::carry(context, session, &errand).await? else {
        ui.line("Nothing was changed.");
        return Ok(error::DONE);
    };
    ui.line(&format!("{} of {count} resources are as they were.", outcome.done.len()));
    Ok(carry::code(&plan, &outcome))
}
