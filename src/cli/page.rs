//! Owns what the page of a report shows, in words: figures, bridge, charts, tables and notes.

use crate::alert::Alert;
use crate::cli::condition::Condition;
use crate::cli::section::{self, is_full, money_text};
use crate::cli::settlement;
use crate::cli::ui::receipt_text;
use crate::control;
use crate::invoice;
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::notes;
use crate::owner::Owner;
use crate::pool::Kind;
use crate::render::chart::Drawing;
use crate::render::html::{
    Banner, BridgeRow, Chart, Figure, NoteRow, Page, Section, Statement, Tone,
};
use crate::render::text::{dollars, percent};
use crate::report::{Definition, Dimension, Report};
use crate::statement::Statements;

/// Builds the page.
pub fn page(
    report: &Report<'_>,
    alerts: &[Alert],
    definitions: &[Definition],
    drawings: &[(String, Drawing)],
    notes: &[Note],
    conditions: &[Condition],
    statements: Option<&Statements<'_>>,
) -> Page {
    let manifest = &report.snapshot.manifest;
    let mut sections: Vec<Section> = definitions
        .iter()
        .map(|definition| match statements {
            Some(statements) if definition.rows == [Dimension::Team] => {
                section::teams(statements, definition)
            }
            _ => section::section(report, definition),
        })
        .collect();
    // Budgets are about the open month; beside an older report they would mislead.
    let alerts = if section::is_near_open(report) { alerts } else { &[] };
    sections.extend(section::budgets(report, alerts));
    Page {
        title: "SageMaker cost".to_owned(),
        organisation: organisation(report),
        month: report.month.to_string(),
        banners: banners(report, notes, conditions),
        figures: figures(report),
        budgets: section::over(report, alerts),
        statement: statement(report),
        bridge: bridge(report),
        metric_bridge: metric_bridge(report),
        settlement: settlement::sentence(report),
        charts: drawings
            .iter()
            .map(|(name, drawing)| described(name, drawing, definitions))
            .collect(),
        sections,
        notes: notes
            .iter()
            .map(|note| NoteRow {
                kind: note.kind.title().to_owned(),
                text: note.text.clone(),
                amount: money_text(note.amount),
            })
            .collect(),
        receipt: receipt_text(&manifest.receipt),
        snapshot: manifest.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Names the organisation or account reported on.
pub(super) fn organisation(report: &Report<'_>) -> String {
    let manifest = &report.snapshot.manifest;
    let name = report.snapshot.inventory.accounts.get(&manifest.caller);
    let account = match name {
        Some(name) => format!("{name} ({})", manifest.caller),
        None => manifest.caller.to_string(),
    };
    let role = match &manifest.payer {
        Some(payer) if *payer == manifest.caller => "payer of its organization",
        Some(_) => "member account",
        None => "account",
    };
    format!("{account}, {role}")
}

fn described(name: &str, drawing: &Drawing, definitions: &[Definition]) -> Chart {
    let definition = definitions.iter().find(|definition| definition.name == name);
    let (title, alt) = match definition {
        Some(definition) => (definition.title.clone(), definition.caption.clone()),
        None => (
            "Coverage".to_owned(),
            "What share of each month's cost has an owner, is in pools, or has no owner."
                .to_owned(),
        ),
    };
    Chart { title, svg: drawing.svg.clone(), alt }
}

fn banners(report: &Report<'_>, notes: &[Note], conditions: &[Condition]) -> Vec<Banner> {
    let banner = |tone, lead: &str, text: String| Banner { tone, lead: lead.to_owned(), text };
    let first = |kind: NoteKind| {
        let mut of_kind = notes.iter().filter(|note| note.kind == kind);
        let text = of_kind.next().map(|note| note.text.clone()).unwrap_or_default();
        match of_kind.count() {
            0 => text,
            more => format!("{text} And {more} more, in the notes."),
        }
    };
    let mut banners = Vec::new();
    for condition in conditions {
        banners.push(match condition {
            Condition::DoesNotReconcile => {
                banner(Tone::Failure, "Does not reconcile.", first(NoteKind::DoesNotReconcile))
            }
            Condition::Partial => banner(Tone::Warning, "Partial.", first(NoteKind::NotRead)),
            Condition::Moving => banner(Tone::Warning, "Moving.", first(NoteKind::Moving)),
        });
    }
    banners.extend(settlement::banner(report));
    if let Some(text) = notes::coverage_changes(&report.snapshot.manifest).get(&report.month) {
        banners.push(banner(Tone::Information, "Not comparable.", text.clone()));
    }
    banners
}

fn figures(report: &Report<'_>) -> Vec<Figure> {
    let total = report.total(report.month);
    let coverage = report.coverage(report.month);
    let attributed = coverage.map(|coverage| coverage.attributed);
    let shared = coverage.map(|coverage| coverage.shared);
    let unattributed = coverage.map(|coverage| coverage.unattributed);
    let before = report.month.plus(-1);
    let compares = is_full(report) && report.months().contains(&before);
    let change = match total.zip(report.total(before).filter(|_| compares)) {
        Some((now, then)) => match (now - then).basis_points_of(then.abs()) {
            Some(points) => format!("{} against {before}", signed(points)),
            None => String::new(),
        },
        None => String::new(),
    };
    let share = |money: Money| {
        let points = total.and_then(|total| money.basis_points_of(total));
        points.map(|points| format!("{} of the total", percent(points))).unwrap_or_default()
    };
    let figure = |label: &str, value: Option<Money>, hint: String| Figure {
        label: label.to_owned(),
        value: value.map_or_else(|| "not delivered".to_owned(), dollars),
        hint,
    };
    vec![
        figure("SageMaker", total, change),
        figure("With an owner", attributed, attributed.map(share).unwrap_or_default()),
        figure("In pools", shared, shared.map(share).unwrap_or_default()),
        figure(
            "Without an owner",
            unattributed,
            unattributed.map(|_| unowned(report)).unwrap_or_default(),
        ),
    ]
}

/// Cost and credits without an owner, apart: a credit must not hide cost that nobody bears.
///
/// Where rules moved some of it, what stays is all that can be said.
fn unowned(report: &Report<'_>) -> String {
    let moved = report.charges.of_month(report.month).any(|charge| {
        !charge.cause.is_billed() && report.charges.bearer(&charge).owner == Owner::Unattributed
    });
    if moved {
        return "after what rules moved".to_owned();
    }
    let (mut cost, mut credit) = (Money::ZERO, Money::ZERO);
    for line in report.ledger.of_month(report.month) {
        let money = line.amounts.get(report.metric).unwrap_or(Money::ZERO);
        if report.ledger.bearer(line).owner == Owner::Unattributed {
            *(if money < Money::ZERO { &mut credit } else { &mut cost }) += money;
        }
    }
    if credit.is_zero() {
        let points = report.total(report.month).and_then(|total| cost.basis_points_of(total));
        return points
            .map(|points| format!("{} of the total", percent(points)))
            .unwrap_or_default();
    }
    format!("{} of cost less {} of credits", dollars(cost), dollars(-credit))
}

fn signed(points: i128) -> String {
    if points > 0 { format!("+{}", percent(points)) } else { percent(points) }
}

fn statement(report: &Report<'_>) -> Statement {
    let manifest = &report.snapshot.manifest;
    let mut accounts: Vec<String> = manifest
        .billed_accounts
        .iter()
        .filter(|row| row.month == report.month)
        .map(|row| row.account.clone())
        .collect();
    accounts.sort();
    accounts.dedup();
    Statement {
        metric: report.metric.title().to_owned(),
        currency: manifest.currency.clone(),
        filters: format!("{}; credits and refunds netted in; {}", scope(report), beside(report)),
        accounts,
    }
}

/// Says what is in the figures.
pub(super) fn scope(report: &Report<'_>) -> String {
    let manifest = &report.snapshot.manifest;
    let view = match &manifest.billing_view {
        Some(view) if view.contains("primary") => "billable (primary billing view)".to_owned(),
        Some(view) => format!("as billing view {view} shows it, which may be pro forma"),
        None => "billable".to_owned(),
    };
    let services = manifest.scope.services.join(", ");
    format!("{view}; {services}, and what carries a SageMaker tag")
}

fn bridge(report: &Report<'_>) -> Vec<BridgeRow> {
    let steps = control::bridge(&report.snapshot.manifest, report.month);
    let last = steps.len() - 1;
    let mut rows: Vec<BridgeRow> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| BridgeRow {
            what: step.what.clone(),
            amount: money_text(step.amounts.get(report.metric)),
            is_total: index == 0 || index == last,
        })
        .collect();
    let residual: Option<Money> = report
        .ledger
        .of_month(report.month)
        .iter()
        .filter(|line| line.is_residual())
        .map(|line| line.amounts.get(report.metric))
        .try_fold(Money::ZERO, |sum, money| Some(sum + money?));
    rows.push(BridgeRow {
        what: "of it rounding and differences".to_owned(),
        amount: money_text(residual),
        is_total: false,
    });
    rows.push(BridgeRow {
        what: "Sum of all lines".to_owned(),
        amount: money_text(report.ledger.total(report.month).get(report.metric)),
        is_total: true,
    });
    let shares = report.charges.shares(report.month);
    let is_more = !shares.is_empty();
    rows.extend(shares.into_iter().map(|(kind, amounts)| BridgeRow {
        what: format!("SageMaker's share of {}", share_word(kind)),
        amount: money_text(amounts.get(report.metric)),
        is_total: false,
    }));
    if is_more {
        rows.push(BridgeRow {
            what: "Charged".to_owned(),
            amount: money_text(report.total(report.month)),
            is_total: true,
        });
    }
    let booked = report.charges.books.booked_in(report.month);
    rows.extend(booked.into_iter().map(|(of, amounts)| BridgeRow {
        what: format!("Restatement of {of}, booked in this month and outside its control total"),
        amount: money_text(amounts.get(report.metric)),
        is_total: false,
    }));
    rows
}

fn share_word(kind: Kind) -> &'static str {
    if kind == Kind::Tax { "tax" } else { "support" }
}

/// Tells what of tax and support is within the figures.
fn beside(report: &Report<'_>) -> String {
    let shares = report.charges.shares(report.month);
    let charged: Vec<&str> = shares.iter().map(|(kind, _)| share_word(*kind)).collect();
    match charged.as_slice() {
        [] => "tax and support left out".to_owned(),
        [one] => {
            let other = if *one == "tax" { "support" } else { "tax" };
            format!("SageMaker's share of {one} added; {other} left out")
        }
        both => format!("SageMaker's share of {} added", both.join(" and ")),
    }
}

/// From the report's metric to the invoice, where there is more than one metric to tell of.
fn metric_bridge(report: &Report<'_>) -> Vec<BridgeRow> {
    let rows = invoice::bridge(report).into_iter().map(|step| BridgeRow {
        what: step.what,
        amount: step.amount.map_or_else(|| "not delivered".to_owned(), dollars),
        is_total: step.is_total,
    });
    rows.collect()
}
