//! Owns the tables of the files of statements: `teams.csv`, each statement's rows, and the journal's entries.
//!
//! Columns may be added at the end; `docs/monthly-run.md` lists them.
//! **Invariant:** `teams.csv` is exact; a statement's cents and the journal's are those that its page prints.

use crate::figure::{Amount, Figure, Source};
use crate::files::{column, tag_cell};
use crate::journal::Entry;
use crate::metric::Metric;
use crate::money::Money;
use crate::pool::{Method, Pool};
use crate::report::Report;
use crate::statement::{Section, Statement, Statements};
use crate::table::{Cell, Kind, Table};
use crate::team;
use crate::terms::Credits;

/// `teams.csv`: one row a team, and last one of what has no team.
pub fn teams<'a>(statements: &'a Statements<'a>) -> Table<'a> {
    let mut columns = vec![
        column("month", "Month", Kind::Month),
        column("team", "Team", Kind::Text),
        column("billed", "Billed", Kind::Money),
        column("shared", "Shared", Kind::Money),
        column("credits", "Credits", Kind::Money),
        column("tax", "Tax and support", Kind::Money),
        column("total", "Total", Kind::Money),
        column("currency", "Currency", Kind::Text),
        column("share_percent", "Share", Kind::Percent),
        column("previous_total", "Month before", Kind::Money),
        column("change", "Change", Kind::Money),
        column("comparable", "Compares with the month before", Kind::Flag),
        column("quarter_to_date", "Quarter to date", Kind::Money),
        column("year_to_date", "Year to date", Kind::Money),
        column("fiscal_year", "Fiscal year", Kind::Text),
        column("budget", "Budget", Kind::Money),
        column("budget_left", "Budget left", Kind::Money),
        column("settlement", "Settlement", Kind::Text),
        column("booked", "Booked of closed months", Kind::Money),
        column("due", "Due", Kind::Money),
    ];
    if statements.report.terms.rates.is_some() {
        columns.extend([
            column("converted_total", "Converted", Kind::Money),
            column("converted_currency", "Currency", Kind::Text),
            column("rate", "Rate", Kind::Money),
            column("rate_source", "Source of the rate", Kind::Text),
        ]);
    }
    let rows = statements.statements.iter().map(|statement| team_row(statements, statement));
    Table { columns, rows: Box::new(rows) }
}

fn team_row<'a>(statements: &'a Statements<'a>, statement: &'a Statement) -> Vec<Cell<'a>> {
    let report = statements.report;
    let terms = report.terms;
    let credits = terms.style.credits;
    let of = |section: Section| Cell::Money(statement.section(section, credits).exact);
    let exact = |amount: Option<Amount>| Cell::money(amount.map(|amount| amount.exact));
    let share = statement.total.exact.basis_points_of(statements.total.exact);
    let budget = statement.spans[0].budget;
    let mut cells = vec![
        Cell::Month(report.month),
        statement.team.map_or(Cell::Blank, |_| Cell::text(statement.name.as_str())),
        of(Section::Billed),
        of(Section::Shared),
        // What is netted within the other columns is not zero here, but nowhere.
        if credits == Credits::Netted { Cell::Blank } else { of(Section::Credits) },
        of(Section::Tax),
        Cell::Money(statement.total.exact),
        Cell::text(report.snapshot.manifest.currency.as_str()),
        share.map_or(Cell::Blank, Cell::Percent),
        exact(statement.previous.amount),
        exact(statement.previous.change(statement.total)),
        Cell::Flag(statement.previous.why_not.is_none()),
        exact(statement.spans[1].amount),
        exact(statement.spans[2].amount),
        Cell::text(terms.fiscal.name(report.month)),
        Cell::money(budget),
        Cell::money(budget.map(|budget| budget - statement.due().exact)),
        Cell::text(report.settlement(report.month).name()),
        Cell::Money(statement.booked.values().map(|amount| amount.exact).sum()),
        Cell::Money(statement.due().exact),
    ];
    if let Some(rates) = &terms.rates {
        let rate = rates.rate(report.month);
        cells.extend([
            Cell::money(rates.convert(statement.total.exact, report.month)),
            Cell::text(rates.currency().as_str()),
            Cell::money(rate.map(|rate| rate.rate)),
            Cell::text(rate.map_or("", |rate| rate.source.as_str())),
        ]);
    }
    cells
}

/// `teams/<stem>.csv`: one row a figure of a statement, in the order of its page.
pub fn statement<'a>(statements: &'a Statements<'a>, statement: &'a Statement) -> Table<'a> {
    let columns = vec![
        column("month", "Month", Kind::Month),
        column("team", "Team", Kind::Text),
        column("section", "Section", Kind::Text),
        column("owner_kind", "Kind", Kind::Text),
        column("owner", "Owner", Kind::Text),
        column("person", "Person", Kind::Text),
        column("domain", "Domain", Kind::Text),
        column("domain_name", "Domain's name", Kind::Text),
        column("user_profile", "User profile", Kind::Text),
        column("space", "Space", Kind::Text),
        column("tag", "Tag", Kind::Text),
        column("component", "Component", Kind::Text),
        column("rule", "Rule", Kind::Text),
        column("method", "Method", Kind::Text),
        column("amount", "Amount", Kind::Money),
        column("exact", "Exact", Kind::Money),
        column("currency", "Currency", Kind::Text),
        column("metric", "Metric", Kind::Text),
        column("settlement", "Settlement", Kind::Text),
    ];
    let report = statements.report;
    let credits = report.terms.style.credits;
    let figures = Section::ALL.into_iter().flat_map(move |section| {
        let figures = statement.figures.iter().map(move |figure| (section, figure));
        figures.filter(move |(section, figure)| Section::of(figure, credits) == *section)
    });
    let rows = figures.map(move |(section, figure)| {
        let bearer = &report.charges.bearers[figure.bearer];
        let shown = statement.presence.show(report, figure.bearer);
        let domain = bearer.owner.domain();
        let pool = pool(report, figure.source);
        vec![
            Cell::Month(report.month),
            statement.team.map_or(Cell::Blank, |_| Cell::text(statement.name.as_str())),
            Cell::text(section.name()),
            Cell::text(bearer.owner.kind()),
            Cell::text(shown.label),
            Cell::text(shown.person),
            domain.map_or(Cell::Blank, |domain| Cell::text(domain.id.as_str())),
            Cell::text(bearer.domain_name.as_deref().unwrap_or_default()),
            Cell::text(shown.user_profile),
            Cell::text(shown.space),
            tag_cell(&bearer.owner),
            Cell::text(figure.component.name()),
            Cell::text(pool.map_or("", |pool| pool.name.as_str())),
            Cell::text(pool.map_or("", method_name)),
            Cell::Money(figure.amount.printed()),
            Cell::Money(figure.amount.exact),
            Cell::text(report.snapshot.manifest.currency.as_str()),
            Cell::text(Metric::name(report.metric)),
            Cell::text(report.settlement(report.month).name()),
        ]
    });
    Table { columns, rows: Box::new(rows) }
}

/// Returns the pool whose rule made a figure.
pub fn pool<'a>(report: &'a Report<'a>, source: Source) -> Option<&'a Pool> {
    let (Source::In(spread) | Source::Out(spread)) = source else { return None };
    Some(&report.charges.pools[report.charges.allocation.spreads[spread].pool])
}

/// Returns how a pool is split, as the configuration spells it.
pub fn method_name(pool: &Pool) -> &'static str {
    match pool.method {
        Some(Method::Even) => "even",
        Some(Method::Proportional) => "proportional",
        Some(Method::Fixed) => "fixed",
        Some(Method::Weights) => "weights",
        Some(Method::ActiveDays) => "active_days",
        Some(Method::Keep) => "keep",
        None => "into",
    }
}

/// Returns the journal's entries: what each team is charged, its tax and support apart; none where no journal is wanted.
///
/// What has no team is not booked on anybody.
pub fn journal(statements: &Statements<'_>) -> Option<Vec<Entry>> {
    let report = statements.report;
    let terms = report.terms.journal.as_ref()?;
    let configured = team::by_name(&report.terms.teams);
    let mut entries = Vec::new();
    for statement in &statements.statements {
        let Some(place) = statement.team else { continue };
        let told = configured.get(&report.charges.membership.teams[place]);
        let account = told.and_then(|team| team.account.as_deref());
        let tax = statement.figures.iter().filter(|figure| is_tax(figure));
        let tax: Amount = tax.map(|figure| figure.amount).sum();
        let status = report.settlement(report.month).name();
        let entry = |debit: &str, cents: i128, what: &str| Entry {
            month: report.month,
            debit_account: debit.to_owned(),
            credit_account: terms.credit_account().to_owned(),
            cents,
            description: format!("{what}, {} ({status})", report.month),
            team: statement.name.clone(),
        };
        let cost = statement.total.cents - tax.cents;
        entries.push(entry(terms.debit_account(account), cost, "SageMaker"));
        entries.push(entry(terms.tax_account(account), tax.cents, "SageMaker, tax and support"));
        entries.extend(statement.booked.iter().map(|(of, amount)| {
            let what = format!("SageMaker, restatement of {of}");
            entry(terms.debit_account(account), amount.cents, &what)
        }));
    }
    Some(entries)
}

fn is_tax(figure: &Figure) -> bool {
    Section::of(figure, Credits::Netted) == Section::Tax
}

/// Returns an amount of the report's month in the configured currency, where there is one and a rate for the month.
pub fn converted(report: &Report<'_>, money: Money) -> Option<Money> {
    report.terms.rates.as_ref()?.convert(money, report.month)
}
