//! Owns what a team's statement shows, in words: whose it is, headline figures, and what the figures are.

use crate::charged;
use crate::cli::condition::Condition;
use crate::cli::page;
use crate::cli::settlement;
use crate::cli::statement_tables as tables;
use crate::figure::Amount;
use crate::pool::Kind;
use crate::render::html::{Banner, Figure, Tone};
use crate::render::statement::Sheet;
use crate::render::text::{dollars, grouped, percent};
use crate::report::Report;
use crate::settle::Settlement;
use crate::statement::{Section, Statement, Statements};
use crate::terms::Credits;

/// Returns an amount's printed cents for people.
pub(super) fn cents(amount: Amount) -> String {
    grouped(amount.cents, 2)
}

/// Builds the page of a statement.
pub fn sheet(
    statements: &Statements<'_>,
    statement: &Statement,
    conditions: &[Condition],
) -> Sheet {
    let report = statements.report;
    Sheet {
        title: match statement.team {
            Some(_) => format!("Statement: {}", statement.name),
            None => "Statement: cost without a team".to_owned(),
        },
        subtitle: statement.title.clone().unwrap_or_default(),
        organisation: page::organisation(report),
        month: report.month.to_string(),
        banners: banners(report, conditions),
        figures: figures(statements, statement),
        basis: basis(report),
        sections: tables::sections(statements, statement),
        how: how(report, statement),
        snapshot: report.snapshot.manifest.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn banners(report: &Report<'_>, conditions: &[Condition]) -> Vec<Banner> {
    let banner = |tone, lead: &str, text: &str| Banner {
        tone,
        lead: lead.to_owned(),
        text: text.to_owned(),
    };
    let mut banners = Vec::new();
    for condition in conditions {
        banners.push(match condition {
            Condition::DoesNotReconcile => banner(
                Tone::Failure,
                "Does not reconcile.",
                "A sum is not its control, so these figures must not be used; `report.html` says which.",
            ),
            Condition::Partial => banner(
                Tone::Warning,
                "Partial.",
                "Something could not be read; `report.html` says what.",
            ),
            Condition::Moving => banner(
                Tone::Warning,
                "Moving.",
                "Figures changed while they were read; `report.html` says which.",
            ),
        });
    }
    banners.push(match settlement::banner(report) {
        Some(later) if is_provisional(report.settlement(report.month)) => {
            Banner { lead: "Estimated.".to_owned(), ..later }
        }
        Some(later) => later,
        None => banner(Tone::Information, "Final.", &settlement::sentence(report)),
    });
    banners
}

/// Tells whether a month's figures may still change by themselves.
fn is_provisional(settlement: Settlement) -> bool {
    matches!(settlement, Settlement::Open | Settlement::Estimated | Settlement::Settling)
}

fn figures(statements: &Statements<'_>, statement: &Statement) -> Vec<Figure> {
    let report = statements.report;
    let currency = &report.snapshot.manifest.currency;
    let figure =
        |label: &str, value: String, hint: String| Figure { label: label.to_owned(), value, hint };
    let credits = report.terms.style.credits;
    let of = |section| cents(statement.section(section, credits));
    let share = statement.total.exact.basis_points_of(statements.total.exact);
    let share = share.map(|points| format!("{} of all", percent(points))).unwrap_or_default();
    let mut figures = vec![
        figure(&format!("Total, {currency}"), cents(statement.total), share),
        figure("Billed", of(Section::Billed), "for what it owns".to_owned()),
        figure("Shared cost", of(Section::Shared), "moved by rules".to_owned()),
    ];
    if credits == Credits::Apart {
        figures.push(figure("Credits and refunds", of(Section::Credits), String::new()));
    }
    if charges_tax(report) {
        figures.push(figure("Tax and support", of(Section::Tax), String::new()));
    }
    figures.push(change(report, statement));
    if let Some(rates) = &report.terms.rates {
        let money = charged::converted(report, statement.total.printed());
        let hint = rates.rate(report.month).map(|rate| format!("at {}", rate.rate));
        figures.push(figure(
            &format!("Total, {}", rates.currency()),
            money.map_or_else(|| "no rate".to_owned(), dollars),
            hint.unwrap_or_default(),
        ));
    }
    figures
}

fn change(report: &Report<'_>, statement: &Statement) -> Figure {
    let before = report.month.plus(-1);
    let label = format!("Change from {before}");
    let then = statement.previous.amount.map(|then| format!("{before}: {}", cents(then)));
    if let Some(change) = statement.previous.change(statement.total) {
        let sign = if change.cents > 0 { "+" } else { "" };
        let value = format!("{sign}{}", cents(change));
        return Figure { label, value, hint: then.unwrap_or_default() };
    }
    let why_not = statement.previous.why_not.clone().unwrap_or_default().replace('`', "");
    let hint = then.map(|then| format!("{then}. ")).unwrap_or_default() + &why_not;
    Figure { label, value: "not comparable".to_owned(), hint }
}

/// Tells whether the configuration charges SageMaker's share of tax or support.
pub(super) fn charges_tax(report: &Report<'_>) -> bool {
    report.terms.pools.iter().any(|pool| matches!(pool.of, Kind::Tax | Kind::Support))
}

fn basis(report: &Report<'_>) -> Vec<(String, String)> {
    let row = |word: &str, text: String| (word.to_owned(), text);
    let mut basis = vec![
        row("Metric", format!("{}, {}", report.metric.title(), report.snapshot.manifest.currency)),
        row("Scope", page::scope(report)),
        row("Credits", credits_rule(report).to_owned()),
        row("Tax", tax_rule(report)),
    ];
    if let Some(rates) = &report.terms.rates {
        let text = match rates.rate(report.month) {
            None => format!("no rate of {} for {}", rates.currency(), report.month),
            Some(rate) => {
                let source = match rate.source.as_str() {
                    "" => "source not told",
                    source => source,
                };
                let currency = &report.snapshot.manifest.currency;
                format!("1 {currency} = {} {}, {source}", rate.rate, rates.currency())
            }
        };
        basis.push(row("Rate", text));
    }
    basis.push(row("Settlement", settlement::sentence(report)));
    let text = "every figure is in whole cents that add up, here and over all statements; \
                the exact amounts are in the CSV beside this page";
    basis.push(row("Cents", text.to_owned()));
    basis
}

/// Says how credits and refunds are shown.
pub(super) fn credits_rule(report: &Report<'_>) -> &'static str {
    match report.terms.style.credits {
        Credits::Apart => "credits and refunds stand apart",
        Credits::Netted => "credits and refunds are netted within what was billed and shared",
    }
}

/// Says what becomes of tax and support.
pub(super) fn tax_rule(report: &Report<'_>) -> String {
    let has = |kind: Kind| report.terms.pools.iter().any(|pool| pool.of == kind);
    let (charged, rest) = match (has(Kind::Tax), has(Kind::Support)) {
        (false, false) => return "tax and support are kept out: no team is charged any".to_owned(),
        (true, true) => ("tax and support", ""),
        (true, false) => ("tax", "; support is kept out"),
        (false, true) => ("support", "; tax is kept out"),
    };
    format!(
        "SageMaker's share of {charged} is charged, in proportion to SageMaker's part of the bill{rest}"
    )
}

/// Tells how any figure of the statement is explained.
fn how(report: &Report<'_>, statement: &Statement) -> String {
    let month = report.month;
    match statement.team {
        Some(_) => {
            let name = quoted(&statement.name);
            format!(
                "Every line, rule and weight behind it: `apportion explain --month {month} --team {name}`"
            )
        }
        None => format!("Every line behind it: `apportion explain --month {month} --without-team`"),
    }
}

/// Quotes a word for a shell, where it needs to be.
fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|it| it.is_ascii_alphanumeric() || "-_./".contains(it));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_command_is_quoted_where_it_must_be() {
        for (name, word) in
            [("research", "research"), ("R&D team", "'R&D team'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(name), word);
        }
    }
}
