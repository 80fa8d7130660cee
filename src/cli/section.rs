//! Owns the tables of a page: a definition's rows with what is left out, and the budgets.
//!
//! **Invariant:** the rows shown and the row of the others sum to the total, in every column of amounts.

use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::alert::{Alert, State};
use crate::cli::statement::cents;
use crate::figure::Amount;
use crate::money::Money;
use crate::notes;
use crate::period::Month;
use crate::render::html::{Banner, Section, Tone};
use crate::render::text::{Heading, dollars, grouped, others, percent};
use crate::report::{ChartKind, Definition, Dimension, Report, Row};
use crate::statement::{Statement, Statements};

/// Rows of a table that are shown when its definition does not say.
const ROWS_SHOWN: usize = 50;

/// The same for a table with bars.
const BARS_SHOWN: usize = 20;

/// Labels, the month's amount and that of the month before.
type Compared = (Vec<String>, Option<Money>, Option<Money>);

/// Returns how many rows a definition's table and its chart show.
pub(super) fn limit(definition: &Definition) -> usize {
    let default = if definition.chart == Some(ChartKind::Bars) { BARS_SHOWN } else { ROWS_SHOWN };
    definition.limit.unwrap_or(default)
}

/// Returns a row's amount of a month.
pub(super) fn amount(report: &Report<'_>, row: &Row, month: Month) -> Option<Money> {
    let at = report.months().iter().position(|it| *it == month)?;
    row.months[at]
}

/// Returns the amount for people; empty where it was not delivered.
pub(super) fn money_text(money: Option<Money>) -> String {
    money.map(dollars).unwrap_or_default()
}

/// Names a row of a chart.
pub(super) fn label(labels: &[String]) -> String {
    labels.iter().map(|label| named(label)).collect::<Vec<_>>().join(" · ")
}

fn named(label: &str) -> &str {
    if label.is_empty() { "–" } else { label }
}

/// Tells whether the report's month is over and not estimated, so that it compares with a full month.
pub(super) fn is_full(report: &Report<'_>) -> bool {
    report.settlement(report.month).is_full()
}

fn open_month(report: &Report<'_>) -> Month {
    Month::of(TimeZone::UTC.to_datetime(report.snapshot.manifest.taken_at).date())
}

/// Tells whether the report's month is the open one or the last before it.
pub(super) fn is_near_open(report: &Report<'_>) -> bool {
    report.month >= open_month(report).plus(-1)
}

/// Builds the table of a definition.
pub(super) fn section(report: &Report<'_>, definition: &Definition) -> Section {
    let before = report.month.plus(-1);
    let compares = is_full(report)
        && report.months().contains(&before)
        && !notes::coverage_changes(&report.snapshot.manifest).contains_key(&report.month);
    let mut columns: Vec<Heading> =
        definition.rows.iter().map(|dimension| Heading::left(dimension.words().1)).collect();
    columns.push(Heading::right(format!("Total, {}", report.snapshot.manifest.currency)));
    columns.push(Heading::right("Share"));
    if compares {
        columns.push(Heading::right(format!("Change from {before}")));
    }
    let whole = report.total(report.month);
    let cells = |(labels, now, then): &Compared| {
        let mut cells: Vec<String> = labels.iter().map(|label| named(label).to_owned()).collect();
        cells.push(money_text(*now));
        let share = now.zip(whole).and_then(|(now, whole)| now.basis_points_of(whole));
        cells.push(share.map(percent).unwrap_or_default());
        if compares {
            cells.push(money_text(now.zip(*then).map(|(now, then)| now - then)));
        }
        cells
    };
    let width = definition.rows.len();
    let (rows, left_out) = compared(report, definition, compares);
    let all: Vec<&Compared> = rows.iter().chain(&left_out).collect();
    let total = cells(&summed("Total".to_owned(), width, &all));
    let limit = limit(definition);
    let shown = rows.len().min(limit);
    let mut lines: Vec<Vec<String>> = rows[..shown].iter().map(cells).collect();
    let rest: Vec<&Compared> = rows[shown..].iter().collect();
    if !rest.is_empty() {
        lines.push(cells(&summed(others(rest.len()), width, &rest)));
    }
    if rows.len() + left_out.len() <= limit {
        lines.extend(left_out.iter().map(cells));
    } else if !left_out.is_empty() {
        let label = format!("{} with nothing in {}", left_out.len(), report.month);
        lines.push(cells(&summed(label, width, &left_out.iter().collect::<Vec<_>>())));
    }
    Section {
        title: definition.title.clone(),
        caption: definition.caption.clone(),
        columns,
        rows: lines,
        links: Vec::new(),
        total: Some(total),
        note: if rest.is_empty() { String::new() } else { whereabouts(definition) },
    }
}

/// Builds the table of teams out of their statements, whose cents add up, with a link to each.
pub(super) fn teams(statements: &Statements<'_>, definition: &Definition) -> Section {
    let report = statements.report;
    let currency = &report.snapshot.manifest.currency;
    let mut columns = vec![Heading::left("Team"), Heading::right(format!("Total, {currency}"))];
    columns.push(Heading::right("Share"));
    columns.push(Heading::right(format!("Change from {}", report.month.plus(-1))));
    columns.extend([Heading::right("Budget"), Heading::right("Left")]);
    let mut sorted: Vec<&Statement> = statements.statements.iter().collect();
    sorted.sort_by_key(|statement| std::cmp::Reverse(statement.total.exact));
    let whole = statements.total.exact;
    let row = |statement: &&Statement| {
        let share = statement.total.exact.basis_points_of(whole);
        let change = statement.previous.change(statement.total);
        vec![
            statement.name.clone(),
            cents(statement.total),
            share.map(percent).unwrap_or_default(),
            change.map_or_else(|| "not comparable".to_owned(), cents),
            money_text(statement.spans[0].budget),
            money_text(statement.spans[0].left()),
        ]
    };
    let changes = sorted.iter().map(|statement| statement.previous.change(statement.total));
    let change: Option<Amount> =
        changes.collect::<Option<Vec<Amount>>>().map(|it| it.into_iter().sum());
    let share = whole.basis_points_of(whole).map(percent).unwrap_or_default();
    let change = change.map(cents).unwrap_or_default();
    Section {
        title: definition.title.clone(),
        caption: definition.caption.clone(),
        columns,
        rows: sorted.iter().map(row).collect(),
        links: sorted.iter().map(|it| format!("teams/{}.html", it.stem)).collect(),
        total: Some(vec![
            "Total".to_owned(),
            cents(statements.total),
            share,
            change,
            String::new(),
            String::new(),
        ]),
        note: "Each team's statement is behind its name; exact figures are in `teams.csv`."
            .to_owned(),
    }
}

/// Splits rows into those of the report's month and those that only the month before had.
fn compared(
    report: &Report<'_>,
    definition: &Definition,
    compares: bool,
) -> (Vec<Compared>, Vec<Compared>) {
    let before = report.month.plus(-1);
    let rows = report.tabulate(definition).into_iter().map(|row| {
        let (now, then) = (amount(report, &row, report.month), amount(report, &row, before));
        (row.labels, now, then)
    });
    let (rows, gone): (Vec<Compared>, Vec<Compared>) =
        rows.partition(|(_, now, _)| now.is_none_or(|it| !it.is_zero()));
    let is_change = |row: &Compared| compares && row.2.is_none_or(|it| !it.is_zero());
    (rows, gone.into_iter().filter(is_change).collect())
}

fn summed(label: String, width: usize, rows: &[&Compared]) -> Compared {
    let sum = |pick: fn(&Compared) -> Option<Money>| {
        rows.iter().map(|row| pick(row)).try_fold(Money::ZERO, |sum, money| Some(sum + money?))
    };
    // A blank label reads as a dash, and beside a sum there is nothing to name.
    let mut labels = vec![label];
    labels.resize(width, "\u{a0}".to_owned());
    (labels, sum(|row| row.1), sum(|row| row.2))
}

/// Tells which file has the rows that a table leaves out.
fn whereabouts(definition: &Definition) -> String {
    let is_owner = |dimension: &Dimension| {
        matches!(
            dimension,
            Dimension::Bearer | Dimension::Domain | Dimension::UserProfile | Dimension::Space
        )
    };
    if definition.only.as_deref() == Some("unattributed") {
        "All of it, line by line, is in `unattributed.csv`.".to_owned()
    } else if definition.rows.iter().all(is_owner) {
        "All rows are in `owners.csv`.".to_owned()
    } else {
        "All of it, line by line, is in `lines.csv`.".to_owned()
    }
}

/// Builds the table of budgets, which are about the open month.
pub(super) fn budgets(report: &Report<'_>, alerts: &[Alert]) -> Option<Section> {
    let month = alerts.first()?.month;
    let taken = TimeZone::UTC.to_datetime(report.snapshot.manifest.taken_at).date();
    let before = std::iter::once(None).chain(alerts.iter().map(Some));
    let rows = alerts.iter().zip(before).take(ROWS_SHOWN).map(|(alert, before)| {
        // What there is to say of a budget is said once, so that the table keeps to the page.
        let is_said =
            before.is_some_and(|it| it.budget == alert.budget && it.remark == alert.remark);
        let day = alert.day.map(|day| format!(", {day}")).unwrap_or_default();
        vec![
            alert.budget.clone(),
            alert.span(),
            money_text(alert.limit),
            format!("{} {}", alert.watches.name(), threshold_text(alert)),
            money_text(alert.actual),
            money_text(alert.forecast),
            format!("{}{day}", alert.state.name()),
            if is_said { String::new() } else { alert.remark.clone() },
        ]
    });
    let left_out = alerts.len().saturating_sub(ROWS_SHOWN);
    Some(Section {
        title: format!("Budgets in {month}, as of {taken}"),
        caption: "Thresholds against actual and forecast spend of each budget's present period."
            .to_owned(),
        columns: vec![
            Heading::left("Budget"),
            Heading::left("Period"),
            Heading::right("Limit"),
            Heading::left("Threshold"),
            Heading::right("Actual"),
            Heading::right("Forecast"),
            Heading::left("State"),
            Heading::left("Remark"),
        ],
        rows: rows.collect(),
        links: Vec::new(),
        total: None,
        note: if left_out > 0 {
            format!("{left_out} more rows are in `alerts.csv`.")
        } else {
            String::new()
        },
    })
}

/// The percent where the threshold was given so; the limit stands beside it.
fn threshold_text(alert: &Alert) -> String {
    match alert.threshold_percent {
        Some(points) if points % 100 == 0 => format!("{} %", grouped(points / 100, 0)),
        Some(points) => percent(points),
        None => money_text(alert.threshold),
    }
}

/// Names each budget that is over a threshold or will be, once, by the highest one; those crossed first.
pub(super) fn over(report: &Report<'_>, alerts: &[Alert]) -> Vec<Banner> {
    let mut worst: Vec<&Alert> = Vec::new();
    let is_over = |alert: &&Alert| matches!(alert.state, State::Crossed | State::Forecast);
    for alert in alerts.iter().filter(is_over) {
        let known =
            worst.iter().position(|it| (&it.budget, it.source) == (&alert.budget, alert.source));
        let rank = |it: &Alert| (std::cmp::Reverse(it.state), it.threshold);
        match known {
            None => worst.push(alert),
            Some(at) if rank(alert) > rank(worst[at]) => worst[at] = alert,
            Some(_) => {}
        }
    }
    worst.sort_by_key(|alert| alert.state);
    worst.into_iter().map(|alert| over_banner(report, alert)).collect()
}

fn over_banner(report: &Report<'_>, alert: &Alert) -> Banner {
    let is_crossed = alert.state == State::Crossed;
    let is_limit = alert.threshold.zip(alert.limit).is_none_or(|(at, limit)| at >= limit);
    let lead = match (is_crossed, is_limit) {
        (true, true) => "Over budget",
        (true, false) => "Over a threshold",
        (false, true) => "Expected over budget",
        (false, false) => "Expected over a threshold",
    };
    let (verb, money) =
        if is_crossed { ("spent", alert.actual) } else { ("expected", alert.forecast) };
    let mut text = format!(
        "{}, {} {verb} of {} {} in {}",
        alert.budget,
        money_text(money),
        money_text(alert.limit),
        if alert.currency.is_empty() {
            &report.snapshot.manifest.currency
        } else {
            &alert.currency
        },
        alert.span()
    );
    if !is_limit {
        write!(text, ", threshold {}", threshold_text(alert))
            .expect("writing to a string does not fail");
    }
    if let Some(day) = alert.day {
        write!(text, ", {} {day}", if is_crossed { "since" } else { "by" })
            .expect("writing to a string does not fail");
    }
    let tone = if is_crossed { Tone::Failure } else { Tone::Warning };
    Banner { tone, lead: lead.to_owned(), text }
}
