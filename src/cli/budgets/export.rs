//! Owns `budgets export`: the desired budgets for those who apply them by other means.

use crate::cli;
use crate::cli::args::budgets::BudgetsExportArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::render::cloudformation::cloudformation;
use crate::render::terraform::terraform;

/// Prints the budgets in the form that was asked for; returns the exit code.
pub(super) fn print(context: &Context, args: &BudgetsExportArgs) -> Result<u8, Failure> {
    let wanted = super::plan::wanted(context, &args.snapshots, args.metric, None)?;
    let text = match args.format.as_str() {
        "terraform" => terraform(&wanted.setups),
        _ => cloudformation(&wanted.setups),
    };
    let text = text.map_err(|why| {
        let hint = "set `local_only = true` for that budget, or use `apportion budgets apply`";
        Failure::refused(format!("the budgets cannot be written so: {why}"), hint)
    })?;
    for left in wanted.left.iter().filter(|it| !it.is_quiet) {
        let why: Vec<&str> = left.because.iter().map(|it| it.text.as_str()).collect();
        context.ui.grave(&format!("left out: {}: {}", left.id, why.join("; ")));
    }
    for told in wanted.gaps.iter().chain(&wanted.consequences) {
        context.ui.line(&format!("{told}."));
    }
    cli::print(&text);
    Ok(if wanted.gaps.is_empty() { error::DONE } else { error::PARTIAL })
}
