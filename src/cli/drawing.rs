//! Owns what the charts of a report show: which months, which rows, and what is written above them.
//!
//! **Invariant:** a chart shows the rows of its definition's table, so chart and table cannot differ.

use std::cmp::Reverse;

use crate::cli::section::{amount, label, limit};
use crate::money::Money;
use crate::notes;
use crate::period::Month;
use crate::render::chart::{self, Bars, Caption, Covered, Drawing, Slot, Trend};
use crate::report::{ChartKind, Definition, Dimension, Report, Row};
use crate::statement::{Statement, Statements};

/// Draws the charts of a report, by the names of their files.
pub fn drawings(
    report: &Report<'_>,
    definitions: &[Definition],
    statements: Option<&Statements<'_>>,
) -> Vec<(String, Drawing)> {
    let mut drawings = Vec::new();
    for definition in definitions {
        let Some(kind) = definition.chart else { continue };
        let rows = report.tabulate(definition);
        let stated = statements.filter(|_| definition.rows == [Dimension::Team]);
        let drawing = match (kind, stated) {
            (ChartKind::Trend, _) => trend(report, definition, rows),
            (ChartKind::Bars, Some(statements)) => {
                let mut statements: Vec<&Statement> = statements.statements.iter().collect();
                statements.sort_by_key(|statement| Reverse(statement.total.exact));
                let printed =
                    statements.into_iter().map(|it| (it.name.clone(), it.total.printed()));
                bars(report, definition, printed)
            }
            (ChartKind::Bars, None) => {
                let amount = |row: &Row| amount(report, row, report.month).unwrap_or(Money::ZERO);
                bars(report, definition, rows.iter().map(|row| (label(&row.labels), amount(row))))
            }
        };
        drawings.push((definition.name.clone(), drawing));
    }
    drawings.push(("coverage".to_owned(), coverage(report)));
    drawings
}

/// The months up to the report's: the open one is the alerts' business.
fn shown(report: &Report<'_>) -> Vec<Month> {
    report.months().into_iter().filter(|month| *month <= report.month).collect()
}

fn slot(report: &Report<'_>, month: Month) -> Slot {
    let estimated = !report.settlement(month).is_full();
    let breaks = notes::coverage_changes(&report.snapshot.manifest).contains_key(&month);
    // The first month shown has none before it.
    Slot { month, estimated, breaks: breaks && report.months().first() != Some(&month) }
}

fn subtitle(report: &Report<'_>, what: &str) -> String {
    let settlement = match report.settlement(report.month) {
        settlement if settlement.is_final() => String::new(),
        settlement => format!(" · {}, not final", settlement.title()),
    };
    format!("{what} · {}{settlement}", report.metric.title())
}

fn caption(report: &Report<'_>, title: &str, what: &str) -> Caption {
    Caption {
        title: title.to_owned(),
        subtitle: subtitle(report, what),
        unit: report.snapshot.manifest.currency.clone(),
    }
}

fn trend(report: &Report<'_>, definition: &Definition, rows: Vec<Row>) -> Drawing {
    let months = shown(report);
    let first = months.first().map(ToString::to_string).unwrap_or_default();
    let series = rows
        .into_iter()
        .map(|row| {
            let amounts = row.months.iter().take(months.len());
            (label(&row.labels), amounts.map(|money| money.unwrap_or(Money::ZERO)).collect())
        })
        .collect();
    chart::trend(&Trend {
        caption: caption(report, &definition.title, &format!("{first} to {}", report.month)),
        months: months.into_iter().map(|month| slot(report, month)).collect(),
        series,
    })
}

fn bars(
    report: &Report<'_>,
    definition: &Definition,
    bars: impl Iterator<Item = (String, Money)>,
) -> Drawing {
    let bars = bars.filter(|(_, money)| !money.is_zero()).collect();
    let caption = caption(report, &definition.title, &report.month.to_string());
    chart::bars(&Bars { caption, bars, limit: limit(definition) })
}

fn coverage(report: &Report<'_>) -> Drawing {
    let months = shown(report)
        .into_iter()
        .map(|month| {
            let coverage = report.coverage(month).unwrap_or_default();
            Covered {
                slot: slot(report, month),
                attributed: coverage.attributed,
                shared: coverage.shared,
                unattributed: coverage.unattributed,
            }
        })
        .collect();
    let mut caption =
        caption(report, "Coverage", "cost with an owner, in pools, and without an owner");
    "share of cost".clone_into(&mut caption.unit);
    chart::coverage(&chart::Coverage { caption, months })
}
