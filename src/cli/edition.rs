//! Owns how an edition comes about: a snapshot, the terms and the books, as the report of one month.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert;
use crate::books::Books;
use crate::charge::{self, Charges};
use crate::cli::args::Writing;
use crate::cli::commands::{Context, check_month};
use crate::cli::definitions;
use crate::cli::error::Failure;
use crate::cli::publish::Edition;
use crate::ledger;
use crate::metric::{Amounts, Metric};
use crate::period::Month;
use crate::report::Report;
use crate::restate::Restatement;
use crate::snapshot::Snapshot;
use crate::team::{Team, TeamName};
use crate::terms::Terms;

/// What a report is made of, beside the snapshot.
pub(super) struct Making<'a> {
    /// The month.
    pub month: Month,
    /// The metric.
    pub metric: Metric,
    /// What is written.
    pub writing: &'a Writing,
    /// What was closed and booked.
    pub books: Books,
    /// How it differs from what was closed.
    pub restatement: Option<&'a Restatement>,
}

/// Returns the terms with every team that the books charge in the year: it has a statement, though nobody names it now.
fn with_charged(terms: &Terms, books: &Books, month: Month) -> Terms {
    let mut terms = terms.clone();
    let first = terms.fiscal.year_to(month)[0].min(month.plus(-1));
    let booked =
        books.adjustments.iter().filter(|it| first <= it.booked_in && it.booked_in <= month);
    let booked = booked.filter_map(|it| it.team.clone());
    let closed = books.closings.range(first..month).flat_map(|(_, closing)| closing.teams.keys());
    // The empty name is no team's.
    let closed = closed.filter_map(|name| TeamName::parse(name).ok());
    let charged: BTreeSet<TeamName> = booked.chain(closed).collect();
    for name in charged {
        if !terms.named().any(|named| named == name) {
            terms.teams.push(Team { line: 0, name, title: None, account: None, budget: None });
        }
    }
    terms
}

/// Sums a month's charges by the names of teams; the empty name is what has none.
fn by_team(charges: &Charges<'_>, month: Month) -> BTreeMap<String, Amounts> {
    let mut sums: BTreeMap<Option<&TeamName>, Amounts> = BTreeMap::new();
    for charge in charges.of_month(month) {
        sums.entry(charges.team(&charge)).or_insert(Amounts::ZERO).add(&charge.amounts);
    }
    sums.retain(|_, amounts| !amounts.is_zero());
    let name = |team: Option<&TeamName>| team.map(ToString::to_string).unwrap_or_default();
    sums.into_iter().map(|(team, amounts)| (name(team), amounts)).collect()
}

/// Makes the report of a month, and hands it on with all that is written of it.
pub(super) fn with_edition<T>(
    context: &Context,
    snapshot: &Snapshot,
    making: Making<'_>,
    then: impl FnOnce(&Edition<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Making { month, metric, writing, books, restatement } = making;
    check_month(snapshot, month)?;
    let definitions = definitions::load(&writing.definition, context.loaded.terms.is_charging())?;
    let ledger = ledger::post(snapshot);
    let terms = &with_charged(&context.loaded.terms, &books, month);
    let mut charges = charge::charge(snapshot, &ledger, terms, metric);
    charges.books = books;
    let in_snapshot = snapshot.manifest.months();
    let now: BTreeMap<Month, BTreeMap<String, Amounts>> =
        charges.books.closings.keys().map(|month| (*month, by_team(&charges, *month))).collect();
    for (at, closing) in &mut charges.books.closings {
        let mut then = closing.teams.clone();
        then.retain(|_, amounts| !amounts.is_zero());
        let differs = in_snapshot.contains(at) && now[at] != then;
        closing.is_restated = if *at == month { restatement.is_some() } else { differs };
    }
    let report = Report { snapshot, ledger: &ledger, charges: &charges, terms, month, metric };
    let budgets = context.budgets(snapshot, &charges)?;
    let common = &context.loaded.config.budgets;
    let alerts = alert::judge(snapshot, &charges, &budgets, common, metric);
    let line_months = if writing.history { report.months() } else { vec![month] };
    then(&Edition {
        report: &report,
        alerts: &alerts,
        definitions: &definitions,
        line_months: &line_months,
        configuration: &context.loaded.text,
        restatement,
    })
}
