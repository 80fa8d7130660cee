//! Owns forecasts of Cost Explorer for many scopes: one charged request each, within the spending limit.
//!
//! **Invariant:** the limit is looked at before the first request, so none is paid for in vain.

use std::collections::BTreeMap;

use crate::aws::Session;
use crate::aws::cost_explorer::CostExplorer;
use crate::budget::Scope;
use crate::census::Census;
use crate::charge::Charges;
use crate::cli::commands::Context;
use crate::cli::error::Failure;
use crate::expression;
use crate::limit::Cycle;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::{Month, day_of};
use crate::query::Filter;
use crate::reach::{self, Ground};
use crate::render::text::dollars;
use crate::snapshot::{PAGE_PRICE_CENTS, Snapshot};

/// Whose forecasts are wanted.
pub(super) struct Wish<'a> {
    pub(super) scopes: &'a [&'a Scope],
    pub(super) snapshot: &'a Snapshot,
    pub(super) charges: &'a Charges<'a>,
    pub(super) metric: Metric,
    pub(super) month: Month,
}

/// Asks what each scope is expected to cost in a month that has not begun; what AWS cannot tell is absent and said.
pub(super) async fn forecasts(
    context: &Context,
    session: &Session,
    wish: &Wish<'_>,
    spend_max: Option<Money>,
) -> Result<BTreeMap<Scope, Money>, Failure> {
    let filters = filters(context, wish);
    let count = i128::try_from(filters.len()).expect("scopes are countable");
    let price = Money::from_cents(count * PAGE_PRICE_CENTS);
    let unasked = (!context.ui.is_terminal()).then(|| Money::from_cents(100));
    if let Some(most) = spend_max.or(unasked).filter(|most| price > *most) {
        return Err(Failure::refused(
            format!(
                "{count} forecasts cost ${}, and ${} may be spent",
                dollars(price),
                dollars(most)
            ),
            "raise `--max-spend`, or leave out `--aws-forecast`",
        ));
    }
    let question = format!("Ask Cost Explorer for {count} forecasts at ${}?", dollars(price));
    if spend_max.is_none() && context.ui.is_terminal() && !context.ui.confirm(&question) {
        return Ok(BTreeMap::new());
    }
    let view = context.loaded.config.billing_view_arn.clone();
    let explorer = CostExplorer::new(session, view);
    let mut forecasts = BTreeMap::new();
    context.ui.begin("Asking for forecasts", filters.len());
    for (scope, filter) in filters {
        match explorer.forecast(Some(&filter), wish.metric, wish.month.period()).await {
            Ok(forecast) => drop(forecasts.insert(scope, forecast.mean)),
            Err(error) => context
                .ui
                .grave(&format!("  no forecast for {scope}: {}: {}", error.code, error.message)),
        }
        context.ui.advance(1);
    }
    context.ui.finish();
    context.ui.receipt(&session.meter().receipt());
    Ok(forecasts)
}

fn filters(context: &Context, wish: &Wish<'_>) -> BTreeMap<Scope, Filter> {
    let today = day_of(context.clock.now());
    let run = Cycle::Monthly.run(today);
    let census = Census::new(wish.snapshot, wish.charges.ledger, run);
    let ground = Ground {
        snapshot: wish.snapshot,
        charges: wish.charges,
        census: &census,
        today,
        // Cost Explorer documents conditions on absence.
        match_absent: true,
    };
    let keys = &wish.snapshot.manifest.scope.keys;
    let filter = |scope: &Scope| {
        let filter =
            reach::reach(scope, &ground).filter(&std::collections::BTreeSet::new(), keys)?;
        Some((scope.clone(), expression::query(&filter)?))
    };
    wish.scopes.iter().filter_map(|scope| filter(scope)).collect()
}
