//! Owns `budgets alerts`: the table of thresholds on stdout, the messages about them, and the exit code.

use crate::alert::{self, Alert};
use crate::charge;
use crate::cli::args::budgets::AlertsArgs;
use crate::cli::commands::{Context, load, reported_month, say_notes};
use crate::cli::error::Failure;
use crate::cli::{self, condition, error};
use crate::course;
use crate::files;
use crate::ledger;
use crate::render;
use crate::render::message::Basis;
use crate::report::Report;

use super::send;

/// Prints the alerts of the newest snapshot, and tells people; with `--check` what is wrong with its open month, or a crossed threshold, is an exit code.
pub(super) async fn alerts(context: &Context, args: &AlertsArgs) -> Result<u8, Failure> {
    if args.telling.send {
        send::check(context)?;
    }
    let snapshot = load(&args.snapshots, None)?;
    let ledger = ledger::post(&snapshot);
    let metric = context.metric(args.metric);
    let terms = &context.loaded.terms;
    let charges = charge::charge(&snapshot, &ledger, terms, metric);
    let budgets = context.budgets(&snapshot, &charges)?;
    let common = &context.loaded.config.budgets;
    let alerts = alert::judge(&snapshot, &charges, &budgets, common, metric);
    if !args.telling.dry_run {
        print(&alerts, &args.format);
    }
    let month = reported_month(&snapshot, None).plus(1);
    let report =
        Report { snapshot: &snapshot, ledger: &ledger, charges: &charges, terms, month, metric };
    let conditions = condition::of(&report);
    if !conditions.is_empty() {
        say_notes(&context.ui, &report);
    }
    let taken_at = snapshot.manifest.taken_at;
    let is_told = if args.telling.send {
        let last_complete = course::last_complete(taken_at);
        let basis = Basis { taken_at, last_complete, is_doubtful: !conditions.is_empty() };
        send::send(context, args, &alerts, basis).await?
    } else {
        true
    };
    let is_crossed = alerts.iter().any(|alert| alert.state == alert::State::Crossed);
    // Figures that are wrong or lacking are graver than a threshold that is judged by them.
    let code = match condition::code(&conditions) {
        _ if !args.check => error::DONE,
        error::DONE if is_crossed => error::PENDING,
        code => code,
    };
    // A channel that was not told is something lacking, like a figure that could not be read.
    Ok(if is_told || code == error::DOES_NOT_RECONCILE { code } else { error::PARTIAL })
}

fn print(alerts: &[Alert], format: &str) {
    let table = files::alerts(alerts);
    let mut bytes = Vec::new();
    let written = match format {
        "csv" => render::csv::write(table, &mut bytes).map(drop),
        "json" => render::json::write(table, &mut bytes).map(drop),
        _ => {
            let shown = table.only(&files::ALERTS_SHOWN);
            let excerpt = render::text::excerpt(shown, usize::MAX);
            render::text::table(&excerpt.headings, &excerpt.rows, None, &mut bytes)
        }
    };
    written.expect("writing to memory does not fail");
    cli::print(&String::from_utf8_lossy(&bytes));
}
