//! Owns the command `explain`: what stands under one figure, on stdout.

use crate::charge;
use crate::cli::args::explain::ExplainArgs;
use crate::cli::commands::{self, Context};
use crate::cli::error::{Failure, Kind};
use crate::cli::{self, condition};
use crate::explain;
use crate::ledger;
use crate::render;
use crate::report::Report;
use crate::store::closed;

/// Prints the explanation of a figure out of a snapshot; the exit code tells whether the figures behind it are whole.
pub fn explain(context: &Context, args: &ExplainArgs) -> Result<u8, Failure> {
    let snapshot = &commands::load(&args.snapshots, args.snapshot.as_deref())?;
    let month = commands::reported_month(snapshot, args.month);
    commands::check_month(snapshot, month)?;
    let ledger = &ledger::post(snapshot);
    let metric = context.metric(args.metric);
    let terms = &context.loaded.terms;
    let charges = &charge::charge(snapshot, ledger, terms, metric);
    let report = Report { snapshot, ledger, charges, terms, month, metric };
    let inquiry = args.figure.inquiry();
    let explanation = explain::explain(&report, &inquiry).map_err(|nothing| Failure {
        kind: Kind::Failed,
        message: format!("nothing of {month} matches: {}", inquiry.words()),
        causes: Vec::new(),
        hints: nothing.hints,
    })?;
    let text = if args.format == "json" {
        render::explain::json(&explanation)
    } else {
        let limit = usize::try_from(args.limit).expect("a limit fits a machine word");
        render::explain::text(&explanation, limit)
    };
    cli::print(&text);
    if let Some(closing) = closed::load(&args.snapshots)?.books().closings.get(&month) {
        context.ui.line(&format!(
            "{month} was {}; this is what would be charged now. What was charged is in `{}`.",
            closing.text(),
            closed::home(&args.snapshots).join(month.to_string()).display()
        ));
    }
    let conditions = condition::of(&report);
    if !conditions.is_empty() {
        commands::say_notes(&context.ui, &report);
    }
    Ok(condition::code(&conditions))
}
