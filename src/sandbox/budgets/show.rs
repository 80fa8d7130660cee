//! Owns how Budgets shows what it was given: filled in, rewritten and in an order of its own.
//!
//! **Invariant:** what is shown equals what was given, and is seldom the same text.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::super::faults::mix;
use super::super::organisation::{Budget, BudgetFilter, BudgetLimit};
use super::super::page::{number, seconds};
use super::super::world::World;
use super::spend::{self, Spent};
use super::{END_OF_TIME, filter, limit};
use crate::money::Money;

/// Returns a budget as the API describes it; its filter expression only where that is asked for.
pub(super) fn budget(world: &World, budget: &Budget, filter: bool) -> Value {
    let spent = spend::of(world, budget);
    let mut answer = json!({
        "BudgetName": budget.name,
        "BudgetType": budget.kind,
        "TimeUnit": budget.time_unit.name(),
        "TimePeriod": {
            "Start": start(budget),
            "End": budget.end.map_or(json!(END_OF_TIME), seconds),
        },
        "CalculatedSpend": calculated(budget, &spent),
        "LastUpdatedTime": seconds(budget.updated_at),
        "HealthStatus": { "Status": "HEALTHY", "LastUpdatedTime": seconds(budget.updated_at) },
    });
    if !spent.healthy {
        answer["HealthStatus"]["Status"] = json!("UNHEALTHY");
        answer["HealthStatus"]["StatusReason"] = json!("FILTER_INVALID");
    }
    if let Some(view) = &budget.billing_view {
        answer["BillingViewArn"] = json!(view);
    }
    if let Some(limit) = spent.limit {
        answer["BudgetLimit"] = amount(budget, limit);
    }
    put_limit(world, budget, &spent, &mut answer);
    put_filter(budget, filter, &mut answer);
    answer
}

/// Returns where a budget begins: with the period of its last change when nobody said otherwise.
fn start(budget: &Budget) -> Value {
    budget.start.map_or_else(
        || {
            let day = TimeZone::UTC.to_datetime(budget.updated_at).date();
            json!(limit::second(budget.period(day).start))
        },
        seconds,
    )
}

fn put_limit(world: &World, budget: &Budget, spent: &Spent, answer: &mut Value) {
    match &budget.limit {
        BudgetLimit::Fixed(_) => {}
        BudgetLimit::Planned(limits) => {
            let from = limit::second(limit::period(world, budget).start);
            let shown: Map<String, Value> = limits
                .iter()
                .filter(|(start, _)| **start >= from || world.variants.planned_past_kept)
                .map(|(start, money)| (start.to_string(), amount(budget, *money)))
                .collect();
            // Once all are used up, the budget is like one with a fixed limit.
            if !shown.is_empty() {
                answer["PlannedBudgetLimits"] = Value::Object(shown);
            }
        }
        BudgetLimit::Historical(periods) => {
            answer["AutoAdjustData"] = json!({
                "AutoAdjustType": "HISTORICAL",
                "HistoricalOptions": { "BudgetAdjustmentPeriod": periods },
                "LastAutoAdjustTime": adjusted_at(world, budget),
            });
            if let Some(available) = spent.look_back {
                answer["AutoAdjustData"]["HistoricalOptions"]["LookBackAvailablePeriods"] =
                    json!(available);
            }
        }
        BudgetLimit::Forecast => {
            answer["AutoAdjustData"] = json!({
                "AutoAdjustType": "FORECAST",
                "LastAutoAdjustTime": adjusted_at(world, budget),
            });
        }
    }
}

/// A limit is adjusted when a period begins, and when the budget is changed.
fn adjusted_at(world: &World, budget: &Budget) -> Value {
    let begun = limit::second(limit::period(world, budget).start);
    if budget.updated_at.as_second() > begun { seconds(budget.updated_at) } else { json!(begun) }
}

fn put_filter(budget: &Budget, shows_expression: bool, answer: &mut Value) {
    match &budget.filter {
        BudgetFilter::Expression { filter, metric } => {
            if let Some(metric) = metric {
                answer["Metrics"] = json!([metric]);
            }
            if let (true, Some(expression)) = (shows_expression, filter) {
                answer["FilterExpression"] = reordered(expression);
            }
        }
        BudgetFilter::Cost { filters, types } => {
            let filters = filters
                .iter()
                .map(|(name, values)| (name.clone(), json!(scattered(values, String::clone))));
            answer["CostFilters"] = Value::Object(filters.collect());
            answer["CostTypes"] = json!(filter::all_types(types));
        }
    }
}

/// Returns an expression with the values of each leaf in another order.
fn reordered(expression: &Value) -> Value {
    match expression {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("Values", Value::Array(values)) => json!(scattered(values, Value::to_string)),
                    _ => reordered(value),
                };
                (name.clone(), value)
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(reordered).collect()),
        other => other.clone(),
    }
}

/// Returns the items in an order that is always the same and nobody's.
pub(super) fn scattered<T>(items: &[T], text: impl Fn(&T) -> String) -> Vec<&T> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_by_cached_key(|item| {
        let text = text(item);
        (text.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte))), text)
    });
    items
}

fn calculated(budget: &Budget, spent: &Spent) -> Value {
    let mut calculated = json!({ "ActualSpend": amount(budget, spent.actual) });
    if let Some(forecast) = spent.forecast {
        calculated["ForecastedSpend"] = amount(budget, forecast);
    }
    calculated
}

/// Returns an amount as Budgets writes it: a whole one with a decimal place, which it was not given.
fn amount(budget: &Budget, money: Money) -> Value {
    json!({ "Amount": with_place(money), "Unit": budget.unit })
}

/// Returns a threshold as the double that the API has.
pub(super) fn threshold(money: Money) -> Value {
    number(&with_place(money))
}

fn with_place(money: Money) -> String {
    let mut text = money.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}
