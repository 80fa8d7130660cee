//! Owns how an edition comes about: a snapshot, the terms and the books, as the report of one month.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert;
use crate::books::Books;
use crate::charge;
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

/// Returns the terms with every team that something is booked for: it has a statement, though nobody names it now.
fn with_booked(terms: &Terms, books: &Books, month: Month) -> Terms {
    let mut terms = terms.clone();
    let booked = books.adjustments.iter().filter(|it| it.booked_in == month);
    let booked: BTreeSet<&TeamName> = booked.filter_map(|it| it.team.as_ref()).collect();
    for name in booked {
        if !terms.named().any(|named| named == *name) {
            let name = name.clone();
            terms.teams.push(Team { line: 0, name, title: None, account: None, budget: None });
        }
    }
    terms
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
    let terms = &with_booked(&context.loaded.terms, &books, month);
    let mut charges = charge::charge(snapshot, &ledger, terms, metric);
    charges.books = books;
    let totals: BTreeMap<Month, Amounts> =
        charges.books.closings.keys().map(|month| (*month, charges.total(*month))).collect();
    let in_snapshot = snapshot.manifest.months();
    for (at, closing) in &mut charges.books.closings {
        let differs = in_snapshot.contains(at) && totals[at] != closing.totals;
        closing.is_restated = if *at == month { restatement.is_some() } else { differs };
    }
    let report = Report { snapshot, ledger: &ledger, charges: &charges, terms, month, metric };
    let alerts = alert::judge(snapshot, &ledger, &context.loaded.config.budgets(), metric);
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
