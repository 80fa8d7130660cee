//! Owns how a restatement is shown: in words, as JSON, and as a table of the page.
//!
//! **Invariant:** every form has all causes, and they sum to the difference.

use serde::Serialize;

use crate::cli::section::money_text;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::Month;
use crate::render::html;
use crate::render::text::{Heading, dollars, others};
use crate::report::{NO_TEAM, Report};
use crate::restate::{Restatement, Row};

/// The version of `restatement.json`.
const SCHEMA: u32 = 1;

/// Rows that the page shows.
const ROWS_SHOWN: usize = 50;

/// `restatement.json`: what `restatement.csv` has, with its sums.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    schema: u32,
    month: Month,
    closed_at: jiff::Timestamp,
    metric: Metric,
    currency: &'a str,
    snapshot: &'a str,
    old: Amounts,
    new: Amounts,
    difference: Amounts,
    causes: Vec<Part>,
    rows: &'a [Row],
}

#[derive(Serialize)]
struct Part {
    kind: &'static str,
    cause: &'static str,
    amounts: Amounts,
}

/// Returns a restatement as it is written to `restatement.json`.
pub(super) fn summary<'a>(report: &'a Report<'a>, restatement: &'a Restatement) -> Summary<'a> {
    let causes = restatement.by_cause().into_iter().map(|(cause, amounts)| Part {
        kind: cause.kind(),
        cause: cause.name(),
        amounts,
    });
    Summary {
        schema: SCHEMA,
        month: restatement.of,
        closed_at: restatement.closed_at,
        metric: restatement.metric,
        currency: &restatement.currency,
        snapshot: &report.snapshot.manifest.id,
        old: restatement.old,
        new: restatement.new,
        difference: restatement.difference(),
        causes: causes.collect(),
        rows: &restatement.rows,
    }
}

/// Tells in a sentence what a month would be charged now, and why.
pub(super) fn sentence(restatement: &Restatement) -> String {
    let amount = |amounts: &Amounts| {
        let money = amounts.get(restatement.metric);
        money.map_or_else(|| "(not delivered)".to_owned(), dollars)
    };
    let causes: Vec<String> = restatement
        .by_cause()
        .iter()
        .map(|(cause, amounts)| format!("{} {}", cause.title(), amount(amounts)))
        .collect();
    let moved = restatement.between_teams().filter(|it| it.cents() != 0);
    let moved = moved.map(|it| format!("; {} moves between teams", dollars(it)));
    format!(
        "charged {}, now {}, difference {} {}: {}{}",
        amount(&restatement.old),
        amount(&restatement.new),
        amount(&restatement.difference()),
        restatement.currency,
        causes.join("; "),
        moved.unwrap_or_default()
    )
}

/// Builds the table of the page, the largest differences first.
pub(super) fn section(restatement: &Restatement) -> html::Section {
    let metric = restatement.metric;
    let mut rows: Vec<&Row> = restatement.rows.iter().collect();
    let size = |row: &&Row| row.difference.get(metric).map(Money::abs);
    rows.sort_by_key(|row| std::cmp::Reverse(size(row)));
    let (shown, rest) = rows.split_at(rows.len().min(ROWS_SHOWN));
    let mut lines: Vec<Vec<String>> = shown
        .iter()
        .map(|row| {
            vec![
                row.place.team.as_ref().map_or_else(|| NO_TEAM.to_owned(), ToString::to_string),
                row.place.owner.clone(),
                row.place.service.clone(),
                row.place.record_type.clone(),
                row.cause.title().to_owned(),
                money_text(row.old.get(metric)),
                money_text(row.new.get(metric)),
                money_text(row.difference.get(metric)),
            ]
        })
        .collect();
    let wide = |label: String, difference: Option<Money>| {
        let mut cells = vec![label];
        cells.resize(7, "\u{a0}".to_owned());
        cells.push(money_text(difference));
        cells
    };
    if !rest.is_empty() {
        let sum: Amounts = rest.iter().map(|row| &row.difference).sum();
        lines.push(wide(others(rest.len()), sum.get(metric)));
    }
    html::Section {
        title: format!("Restatement of {}", restatement.of),
        caption: format!(
            "What was closed, and what would be charged now: {}.",
            sentence(restatement)
        ),
        columns: vec![
            Heading::left("Team"),
            Heading::left("Owner"),
            Heading::left("Service"),
            Heading::left("Record type"),
            Heading::left("Cause"),
            Heading::right("Old"),
            Heading::right("New"),
            Heading::right("Difference"),
        ],
        rows: lines,
        links: Vec::new(),
        total: Some(wide("Total".to_owned(), restatement.difference().get(metric))),
        note: if rest.is_empty() {
            String::new()
        } else {
            "All rows are in `restatement.csv`.".to_owned()
        },
    }
}
