//! Owns what a budget has spent this month, and what it will have spent by the month's end.
//!
//! **Invariant:** a filter counts as Budgets reads it: a tag key of a user's own needs its `user:` prefix.

use jiff::{ToSpan, Unit};
use serde_json::{Map, Value};

use super::super::ce;
use super::super::organisation::Budget;
use super::super::wire::Refusal;
use super::super::world::World;
use crate::money::Money;
use crate::period::{Month, Period};

/// What a budget shows.
pub(super) struct Spent {
    /// The month so far.
    pub actual: Money,
    /// The whole month, where the past is long enough to tell.
    pub forecast: Option<Money>,
    /// Whether the filter could be computed at all.
    pub healthy: bool,
}

/// Returns what a budget has spent and is expected to spend.
pub(super) fn of(world: &World, budget: &Budget) -> Spent {
    let nothing = Spent { actual: Money::ZERO, forecast: None, healthy: true };
    if awaits_data(world, budget) {
        return nothing;
    }
    compute(world, budget).unwrap_or(Spent { healthy: false, ..nothing })
}

fn compute(world: &World, budget: &Budget) -> Result<Spent, Refusal> {
    let filter = budget.filter.as_ref().map(without_prefixes);
    let spend = |start, end| {
        if start >= end {
            return Ok(Money::ZERO);
        }
        let period = Period { start, end };
        ce::spend(world, &budget.account, filter.as_ref(), &budget.metric, period)
    };
    let month = Month::of(world.today()).period();
    let seen = world.visible_end().max(month.start);
    let actual = spend(month.start, seen)?;
    // A forecast wants about five weeks of usage, and what it projects are the last four.
    let before = spend(seen - 10.weeks(), seen - 5.weeks() + 1.day())?;
    if before.is_zero() {
        return Ok(Spent { actual, forecast: None, healthy: true });
    }
    let left = seen.until((Unit::Day, month.end)).expect("days of one month are few").get_days();
    let (weeks, days) = (left / 7, left % 7);
    let whole_weeks = spend(seen - 4.weeks(), seen)?;
    let mut four_fold: Money = (0..weeks).map(|_| whole_weeks).sum();
    for weeks_ago in 1..=4 {
        let start = seen - weeks_ago.weeks();
        four_fold += spend(start, start + days.days())?;
    }
    let one = Money::from_cents(100);
    let rest = four_fold.split(&[one; 4]).expect("four weights are positive")[0];
    Ok(Spent { actual, forecast: Some(actual + rest), healthy: true })
}

/// Tells whether no figures have come in since the budget was changed; they come three times a day.
fn awaits_data(world: &World, budget: &Budget) -> bool {
    const REFRESH_SECONDS: i64 = 8 * 60 * 60;
    let round = |at: jiff::Timestamp| at.as_second().div_euclid(REFRESH_SECONDS);
    round(budget.updated_at) >= round(world.now)
}

/// Rewrites a filter of Budgets as one of Cost Explorer.
///
/// Cost Explorer has no `user:` prefix. A key that lacks it names no tag of a user here: the budget
/// is accepted and shows nothing, so it becomes a key that nobody has.
fn without_prefixes(filter: &Value) -> Value {
    match filter {
        Value::Object(members) => {
            let rewrite = |(name, value): (&String, &Value)| {
                let value = match (name.as_str(), value) {
                    ("Tags", Value::Object(leaf)) => Value::Object(bare_leaf(leaf)),
                    _ => without_prefixes(value),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(rewrite).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_prefixes).collect()),
        other => other.clone(),
    }
}

fn bare_leaf(leaf: &Map<String, Value>) -> Map<String, Value> {
    let mut leaf = leaf.clone();
    if let Some(Value::String(key)) = leaf.get_mut("Key") {
        *key = match key.strip_prefix("user:") {
            Some(bare) => bare.to_owned(),
            None if key.starts_with("aws:") => key.clone(),
            None => format!("no prefix, no tag: {key}"),
        };
    }
    leaf
}
