//! Owns the command `explain`: what stands under one figure, on stdout.

use crate::charge;
use crate::cli::args::explain::ExplainArgs;
use crate::cli::close::again;
use crate::cli::commands::{self, Context};
use crate::cli::error::{Failure, Kind};
use crate::cli::{self, condition};
use crate::explain;
use crate::ledger;
use crate::metric::Metric;
use crate::period::Month;
use crate::render;
use crate::report::Report;
use crate::snapshot::Snapshot;
use crate::store::closed::{self, ClosedMonth, Kept};
use crate::terms::Terms;

/// What is explained.
struct Ground {
    snapshot: Snapshot,
    terms: Terms,
    month: Month,
    metric: Metric,
    /// Whether it is what was closed, and not what a snapshot would charge.
    is_closed: bool,
}

/// Finds what is explained: a closed month as it was closed, unless a snapshot is named.
fn ground(context: &Context, args: &ExplainArgs, kept: &Kept) -> Result<Ground, Failure> {
    let named = args.snapshot.as_deref();
    if let (Some(month), None) = (args.month, named)
        && let Some(closed) = kept.months.get(&month)
    {
        return as_closed(args, kept, closed);
    }
    let snapshot = commands::load(&args.snapshots, named)?;
    let month = commands::reported_month(&snapshot, args.month);
    if let (Some(closed), None) = (kept.months.get(&month), named) {
        return as_closed(args, kept, closed);
    }
    let (terms, metric) = (context.loaded.terms.clone(), context.metric(args.metric));
    Ok(Ground { snapshot, terms, month, metric, is_closed: false })
}

fn as_closed(args: &ExplainArgs, kept: &Kept, closed: &ClosedMonth) -> Result<Ground, Failure> {
    let (snapshot, loaded) = again::closed_from(&args.snapshots, (kept, closed))?;
    let (terms, month, metric) = (loaded.terms, closed.month, closed.metric);
    Ok(Ground { snapshot, terms, month, metric, is_closed: true })
}

/// Prints the explanation of a figure out of a snapshot; the exit code tells whether the figures behind it are whole.
pub fn explain(context: &Context, args: &ExplainArgs) -> Result<u8, Failure> {
    let kept = closed::load(&args.snapshots)?;
    let Ground { snapshot, terms, month, metric, is_closed } = &ground(context, args, &kept)?;
    let (month, metric) = (*month, *metric);
    commands::check_month(snapshot, month)?;
    let ledger = &ledger::post(snapshot);
    let mut charges = charge::charge(snapshot, ledger, terms, metric);
    charges.books = kept.books();
    if let Some(closing) = charges.books.closings.get_mut(&month) {
        closing.is_restated = !is_closed;
        let what = if *is_closed { "what was closed" } else { "what would be charged now" };
        let text = closing.text();
        context.ui.line(&format!(
            "{month} was {text}. This explains {what}, by {}; what was charged is in `{}`.",
            metric.title(),
            kept.place(month).display()
        ));
    }
    for (of, _) in charges.books.booked_in(month) {
        context.ui.line(&format!(
            "The restatement of {of} is booked in {month} and stands beside these figures; \
             `restatement.csv` in `{}` explains it.",
            kept.place(of).display()
        ));
    }
    let charges = &charges;
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
    let conditions = condition::of(&report);
    if !conditions.is_empty() {
        commands::say_notes(&context.ui, &report);
    }
    Ok(condition::code(&conditions))
}
