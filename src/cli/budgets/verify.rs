//! Owns `budgets verify`: the budgets of AWS beside the newest snapshot.
//!
//! **Invariant:** nothing is changed and nothing is paid for: budgets are read free of charge, and the bill is on disk.

use std::collections::BTreeMap;

use crate::allowance::{self, LAG_DAYS};
use crate::aws::{Session, budgets, sts};
use crate::charge;
use crate::cli;
use crate::cli::args::budgets::VerifyArgs;
use crate::cli::commands::{Context, load};
use crate::cli::error::{self, Failure};
use crate::finding::{self, Finding, Kind, Severity};
use crate::ledger;
use crate::metric::Metric;
use crate::render;
use crate::snapshot::Snapshot;
use crate::verification;

/// Prints what is found; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &VerifyArgs,
) -> Result<u8, Failure> {
    let snapshot = load(&args.snapshots, None)?;
    let caller = sts::caller(session).await?.account;
    super::plan::check_account(&snapshot, &caller)?;
    let now = context.clock.now();
    let budgets = budgets::describe(session, &caller).await?;
    let ours = ours(context, &snapshot)?;
    let findings = verification::verify(&budgets, &snapshot, &ours, now);
    let shown: Vec<Finding> =
        findings.iter().filter(|it| args.full || it.kind != Kind::Fine).cloned().collect();
    if !(shown.is_empty() && args.format == "text") {
        cli::print(&written(&shown, &args.format));
    }
    say(context, &snapshot, &findings);
    let is_unread = budgets.iter().any(|budget| budget.unreadable.is_some());
    let is_wrong = findings.iter().any(|it| it.severity == Severity::Error);
    Ok(match (is_unread, args.check && is_wrong) {
        (true, _) => error::PARTIAL,
        (false, true) => error::PENDING,
        (false, false) => error::DONE,
    })
}

/// Returns the metrics that the configuration wants, by the names of its budgets in AWS.
fn ours(context: &Context, snapshot: &Snapshot) -> Result<BTreeMap<String, Metric>, Failure> {
    let config = &context.loaded.config;
    let (ledger, metric) = (ledger::post(snapshot), context.metric(None));
    let charges = charge::charge(snapshot, &ledger, &context.loaded.terms, metric);
    let budgets = context.budgets(snapshot, &charges)?.into_iter().filter(|it| !it.is_local);
    Ok(budgets
        .map(|budget| (config.budgets.aws_name(&budget.name), budget.metric.unwrap_or(metric)))
        .collect())
}

fn written(findings: &[Finding], format: &str) -> String {
    let mut bytes = Vec::new();
    let table = finding::table(findings);
    let written = match format {
        "csv" => render::csv::write(table, &mut bytes).map(drop),
        "json" => render::json::write(table, &mut bytes).map(drop),
        _ => return render::finding::text(findings),
    };
    written.expect("writing to memory does not fail");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn say(context: &Context, snapshot: &Snapshot, findings: &[Finding]) {
    let (ui, manifest) = (&context.ui, &snapshot.manifest);
    let age = allowance::age_days(manifest, context.clock.now());
    if age > LAG_DAYS {
        ui.line(&format!(
            "The snapshot {} is {age} days old, so the comparison is weak; `apportion collect` makes a new one.",
            manifest.id
        ));
    }
    if manifest.billing_view.is_some() {
        ui.line(
            "The snapshot is of a billing view, and a budget of another view, or of none, is not judged.",
        );
    }
    let count = |is: &dyn Fn(&Finding) -> bool| findings.iter().filter(|it| is(it)).count();
    ui.line(&format!(
        "Budgets against snapshot {}: {} errors, {} warnings, {} not judged, {} skipped, {} fine.",
        manifest.id,
        count(&|it| it.severity == Severity::Error),
        count(&|it| it.severity == Severity::Warning && it.kind != Kind::Unjudged),
        count(&|it| it.kind == Kind::Unjudged),
        count(&|it| it.kind == Kind::Skipped),
        count(&|it| it.kind == Kind::Fine),
    ));
}
