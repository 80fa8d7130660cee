//! Owns the tables of a statement: billed, shared by rule, credits, tax, years and budget.
//!
//! **Invariant:** every amount is a sum of printed cents, so each column adds up to its total.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::charged;
use crate::cli::statement::{cents, charges_tax, credits_rule, tax_rule};
use crate::cli::statement_people as people;
use crate::figure::{Amount, Class, Figure, Source};
use crate::money::Money;
use crate::pool::{Method, Pool};
use crate::presence::Shown;
use crate::render::html;
use crate::render::text::{Heading, dollars, grouped, percent};
use crate::report::{self, Report};
use crate::statement::{Section, Statement, Statements};
use crate::terms::Credits;

/// Builds every table of a statement.
pub(super) fn sections(statements: &Statements<'_>, statement: &Statement) -> Vec<html::Section> {
    let report = statements.report;
    let mut sections = vec![billed(report, statement)];
    sections.extend(ruled(statements, statement, Section::Shared));
    if report.terms.style.credits == Credits::Apart {
        sections.extend(ruled(statements, statement, Section::Credits));
    }
    sections.extend(ruled(statements, statement, Section::Tax));
    sections.push(summed(report, statement));
    sections.extend(booked(report, statement));
    sections.push(years(report, statement));
    sections.extend(people::sections(report, statement));
    sections
}

/// Begins a table.
pub(super) fn table(title: &str, caption: String, columns: Vec<Heading>) -> html::Section {
    html::Section {
        title: title.to_owned(),
        caption,
        columns,
        rows: Vec::new(),
        links: Vec::new(),
        total: None,
        note: String::new(),
    }
}

fn texts<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Names an owner, with the person that it is where one is known.
pub(super) fn owner(report: &Report<'_>, statement: &Statement, place: usize) -> String {
    let Shown { label, person, .. } = statement.presence.show(report, place);
    if person.is_empty() { label } else { format!("{person}: {label}") }
}

fn in_section<'a>(
    report: &'a Report<'a>,
    statement: &'a Statement,
    section: Section,
) -> impl Iterator<Item = &'a Figure> {
    let credits = report.terms.style.credits;
    statement.figures.iter().filter(move |figure| Section::of(figure, credits) == section)
}

/// What was billed, by owner and component, the costliest owner first.
fn billed(report: &Report<'_>, statement: &Statement) -> html::Section {
    let currency = &report.snapshot.manifest.currency;
    let caption = match report.terms.style.credits {
        Credits::Apart => "What AWS billed for the team's owners, without credits and refunds.",
        Credits::Netted => "What AWS billed for the team's owners, credits and refunds netted in.",
    };
    let columns = vec![
        Heading::left("Owner"),
        Heading::left("Component"),
        Heading::right(format!("Amount, {currency}")),
        Heading::right("Owner's sum"),
    ];
    let mut owners: BTreeMap<String, BTreeMap<_, Amount>> = BTreeMap::new();
    for figure in in_section(report, statement, Section::Billed) {
        let components = owners.entry(owner(report, statement, figure.bearer)).or_default();
        *components.entry(figure.component).or_default() += figure.amount;
    }
    let mut owners: Vec<(String, Vec<_>, Amount)> = owners
        .into_iter()
        .map(|(label, components)| {
            let sum = components.values().copied().sum();
            let mut components: Vec<_> = components.into_iter().collect();
            components.sort_by_key(|(component, amount)| (Reverse(amount.exact), *component));
            (label, components, sum)
        })
        .collect();
    owners.sort_by(|one, other| (other.2.exact, &one.0).cmp(&(one.2.exact, &other.0)));
    let total: Amount = owners.iter().map(|owner| owner.2).sum();
    let mut section = table("Billed", caption.to_owned(), columns);
    for (label, components, sum) in &owners {
        for (index, (component, amount)) in components.iter().enumerate() {
            let is_first = index == 0;
            section.rows.push(vec![
                if is_first { label.clone() } else { String::new() },
                component.title().to_owned(),
                cents(*amount),
                if is_first { cents(*sum) } else { String::new() },
            ]);
        }
    }
    section.total = Some(vec!["Total".to_owned(), String::new(), cents(total), cents(total)]);
    if owners.is_empty() {
        section.note.push_str("Nothing was billed for it.");
    }
    section
}

/// What rules moved, and in the sections of credits and tax also what was billed of them.
fn ruled(
    statements: &Statements<'_>,
    statement: &Statement,
    section: Section,
) -> Option<html::Section> {
    let report = statements.report;
    let mut billed: BTreeMap<(String, Class), Amount> = BTreeMap::new();
    let mut spreads: BTreeMap<Source, Amount> = BTreeMap::new();
    for figure in in_section(report, statement, section) {
        if figure.source == Source::Billed {
            let key = (owner(report, statement, figure.bearer), figure.class);
            *billed.entry(key).or_default() += figure.amount;
        } else {
            *spreads.entry(figure.source).or_default() += figure.amount;
        }
    }
    let (title, caption) = heading(report, section);
    let currency = &report.snapshot.manifest.currency;
    let columns = vec![
        Heading::left("Rule"),
        Heading::left("Method"),
        Heading::right(format!("Whole, {currency}")),
        Heading::left("Weight of all weight"),
        Heading::right(format!("Part, {currency}")),
    ];
    let mut table = table(title, caption, columns);
    let total = billed.values().chain(spreads.values()).copied().sum();
    for ((label, class), amount) in &billed {
        let method = format!("billed: {}", class.title());
        let blank = String::new;
        table.rows.push(vec![label.clone(), method, blank(), blank(), cents(*amount)]);
    }
    let mut spreads: Vec<(Source, Amount)> = spreads.into_iter().collect();
    // What a rule takes stands beside what it gives.
    spreads.sort_by_key(|(source, _)| match source {
        Source::Billed => (0, *source),
        Source::Out(spread) | Source::In(spread) => (*spread, *source),
    });
    for (source, amount) in &spreads {
        table.rows.push(spread_row(statements, statement, section, *source, *amount));
    }
    if table.rows.is_empty() {
        // What is kept out is said among what the figures are.
        let is_said = section != Section::Tax || charges_tax(report);
        table.note.push_str("None in this month.");
        table.columns = vec![Heading::left("Rule")];
        return is_said.then_some(table);
    }
    let mut foot = texts(["Total", "", "", ""]);
    foot.push(cents(total));
    table.total = Some(foot);
    Some(table)
}

fn heading(report: &Report<'_>, section: Section) -> (&'static str, String) {
    match section {
        Section::Credits => {
            ("Credits and refunds", "Shown apart from cost; they are in the total.".to_owned())
        }
        Section::Tax => ("Tax and support", format!("By its rule: {}.", tax_rule(report))),
        Section::Shared | Section::Billed => (
            "Shared cost, by rule",
            "What each rule splits, and what falls to this team by its weight of all weight; both are sums of printed cents, and the CSV beside this page has the exact amounts."
                .to_owned(),
        ),
    }
}

fn spread_row(
    statements: &Statements<'_>,
    statement: &Statement,
    section: Section,
    source: Source,
    amount: Amount,
) -> Vec<String> {
    let report = statements.report;
    let pool = charged::pool(report, source).expect("what a rule moved has a pool");
    let (Source::In(spread) | Source::Out(spread)) = source else {
        unreachable!("what AWS billed is no spread")
    };
    let rule = named(report, pool, spread);
    if let Source::Out(_) = source {
        let rule = format!("{rule}: taken from here");
        let blank = String::new;
        return vec![rule, method(report, pool), blank(), blank(), cents(amount)];
    }
    let whole = statements.wholes.get(&(section, spread)).copied().unwrap_or_default();
    let weights = &statements.weights[&spread];
    let weight = weights.by_team.get(&statement.team).copied().unwrap_or(Money::ZERO);
    let share = weight.basis_points_of(weights.whole).map(percent).unwrap_or_default();
    let weight = format!("{} of {} ({share})", weight_text(weight), weight_text(weights.whole));
    vec![rule, method(report, pool), cents(whole), weight, cents(amount)]
}

/// Names a pool, with the domain that the spread is about where it is only one and the pool has several.
fn named(report: &Report<'_>, pool: &Pool, spread: usize) -> String {
    let spreads = &report.charges.allocation.spreads;
    let this = &spreads[spread];
    let count = spreads.iter().filter(|it| (it.pool, it.month) == (this.pool, this.month)).count();
    let mut labels: Vec<String> = this
        .balances
        .iter()
        .map(|balance| report::domain_label(&report.charges.bearers[balance.from]))
        .collect();
    labels.sort();
    labels.dedup();
    match labels.as_slice() {
        [label] if count > 1 => format!("{}: {label}", pool.name),
        _ => pool.name.clone(),
    }
}

fn method(report: &Report<'_>, pool: &Pool) -> String {
    match (pool.method, &pool.into) {
        (Some(Method::Even), _) => "even".to_owned(),
        (Some(Method::Proportional), _) => {
            format!("proportional to {}", pool.metric.unwrap_or(report.metric).title())
        }
        (Some(Method::Fixed), _) => "fixed shares".to_owned(),
        (Some(Method::Weights), _) => {
            format!("weights of {}", pool.file.as_deref().unwrap_or("a file"))
        }
        (Some(Method::ActiveDays), _) => "active days".to_owned(),
        (Some(Method::Keep), _) => "kept".to_owned(),
        (None, Some(into)) => format!("into {into}"),
        (None, None) => String::new(),
    }
}

/// A weight in whole numbers where it is one, else in hundredths.
fn weight_text(weight: Money) -> String {
    let hundredths = weight.cents();
    let is_whole = Money::from_cents(hundredths) == weight && hundredths.rem_euclid(100) == 0;
    if is_whole { grouped(hundredths.div_euclid(100), 0) } else { dollars(weight) }
}

/// How the sections lead to the total.
fn summed(report: &Report<'_>, statement: &Statement) -> html::Section {
    let currency = &report.snapshot.manifest.currency;
    let caption = format!("How the sections add up; {}.", credits_rule(report));
    let mut table = table(
        "Total",
        caption,
        vec![Heading::left("Section"), Heading::right(format!("Amount, {currency}"))],
    );
    let credits = report.terms.style.credits;
    let titles = [
        (Section::Billed, "Billed"),
        (Section::Shared, "Shared cost"),
        (Section::Credits, "Credits and refunds"),
        (Section::Tax, "Tax and support"),
    ];
    for (section, title) in titles {
        let is_shown = match section {
            Section::Credits => credits == Credits::Apart,
            Section::Tax => charges_tax(report),
            Section::Billed | Section::Shared => true,
        };
        if is_shown {
            table.rows.push(vec![title.to_owned(), cents(statement.section(section, credits))]);
        }
    }
    table.total = Some(vec!["Total".to_owned(), cents(statement.total)]);
    table
}

/// What restatements of closed months booked in this one, and what is due with them.
fn booked(report: &Report<'_>, statement: &Statement) -> Option<html::Section> {
    let currency = &report.snapshot.manifest.currency;
    let columns = vec![Heading::left("What"), Heading::right(format!("Amount, {currency}"))];
    let caption = "Closed months keep their figures; what changed in them later is charged, or given back, here.";
    let mut table = table("Booked of closed months, and due", caption.to_owned(), columns);
    table.rows.push(vec![format!("Total of {}", report.month), cents(statement.total)]);
    let booked = statement.booked.iter();
    table
        .rows
        .extend(booked.map(|(of, amount)| vec![format!("Restatement of {of}"), cents(*amount)]));
    table.total = Some(vec!["Due".to_owned(), cents(statement.due())]);
    (!statement.booked.is_empty()).then_some(table)
}

/// The month, the quarter and the year to date, against the budget.
fn years(report: &Report<'_>, statement: &Statement) -> html::Section {
    let currency = &report.snapshot.manifest.currency;
    let fiscal = report.terms.fiscal;
    let year = fiscal.name(report.month);
    let titles = [
        "Month".to_owned(),
        format!("Quarter {} of {year}", fiscal.quarter(report.month)),
        year.clone(),
    ];
    let has_budget = statement.spans[0].budget.is_some();
    let mut columns = vec![
        Heading::left("To date"),
        Heading::left("Months"),
        Heading::right(format!("Charged, {currency}")),
    ];
    if has_budget {
        columns.extend([Heading::right("Budget"), Heading::right("Left")]);
    }
    let caption = if has_budget {
        "What was charged so far, against the monthly budget times the months so far."
    } else {
        "What was charged so far; no budget is configured."
    };
    let mut table = table("Month, quarter and year to date", caption.to_owned(), columns);
    let known = report.snapshot.manifest.scope.first;
    for (title, span) in titles.into_iter().zip(&statement.spans) {
        let first = span.months[0];
        let months = match span.months.len() {
            1 => first.to_string(),
            _ => format!("{first} to {}", report.month),
        };
        let charged = match span.amount {
            Some(amount) => cents(amount),
            None if first < known => format!("known only from {known}"),
            None => "not delivered".to_owned(),
        };
        let mut row = vec![title, months, charged];
        if has_budget {
            row.extend([money(span.budget), money(span.left())]);
        }
        table.rows.push(row);
    }
    table
}

fn money(money: Option<Money>) -> String {
    money.map(dollars).unwrap_or_default()
}
