//! Owns the imitation of AWS Budgets: budgets with what they have spent, their notifications and subscribers.
//!
//! **Invariant:** spend comes from the bill by the budget's own filter; nothing is stored beside it.

mod notification;
mod spend;

use serde_json::{Value, json};

use super::organisation::Budget;
use super::page::{Paging, cut, listed, number, required, seconds, unknown};
use super::wire::{Body, Caller, Refusal};
use super::world::World;
use crate::money::Money;
use crate::period::Month;
use spend::Spent;

const INVALID: &str = "InvalidParameterException";

const PAGING: Paging = Paging {
    size_key: "MaxResults",
    token_key: "NextToken",
    least: 1,
    most: 1000,
    usual: 100,
    bad_size: INVALID,
    bad_token: "InvalidNextTokenException",
};

/// The end that AWS gives to a budget without one: 2087-06-15.
const END_OF_TIME: i64 = 3_706_473_600;

/// Answers one operation of AWS Budgets.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    let world = &*world;
    own_account(caller, body)?;
    let answer = match operation {
        "DescribeBudgets" => describe_budgets(world, caller, body)?,
        "DescribeBudget" => {
            let budget = find(world, caller, body)?;
            json!({ "Budget": shown(world, budget, shows_filter(body)) })
        }
        "DescribeNotificationsForBudget" => {
            notification::of_budget(world, find(world, caller, body)?, body)?
        }
        "DescribeSubscribersForNotification" => {
            notification::subscribers(find(world, caller, body)?, body)?
        }
        "DescribeBudgetNotificationsForAccount" => {
            notification::of_account(world, &all(world, caller), body)?
        }
        other => return Err(unknown(other)),
    };
    Ok(Body::Json(answer))
}

fn describe_budgets(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let budgets = all(world, caller);
    let (page, next) = cut(&PAGING, "DescribeBudgets", body, &budgets)?;
    let filter = shows_filter(body);
    let items = page.iter().map(|budget| shown(world, budget, filter)).collect();
    Ok(listed("Budgets", items, "NextToken", next))
}

/// Refuses whoever asks about another account's budgets; the payer is no exception.
fn own_account(caller: &Caller, body: &Value) -> Result<(), Refusal> {
    let account = required(body, "AccountId", INVALID)?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::new(INVALID, format!("`{account}` is not an account id")));
    }
    if account == caller.account {
        return Ok(());
    }
    Err(Refusal::denied(format!(
        "Account {} is not authorized to access the budgets of account {account}",
        caller.account
    )))
}

fn all<'a>(world: &'a World, caller: &Caller) -> Vec<&'a Budget> {
    let budgets = world.organisation.budgets.iter();
    let mut budgets: Vec<&Budget> =
        budgets.filter(|budget| budget.account == caller.account).collect();
    budgets.sort_by(|one, other| one.name.cmp(&other.name));
    budgets
}

fn find<'a>(world: &'a World, caller: &Caller, body: &Value) -> Result<&'a Budget, Refusal> {
    let name = required(body, "BudgetName", INVALID)?;
    all(world, caller).into_iter().find(|budget| budget.name == name).ok_or_else(|| {
        Refusal::new(
            "NotFoundException",
            format!("Unable to get budget: {name} - the budget doesn't exist."),
        )
    })
}

fn shows_filter(body: &Value) -> bool {
    body.get("ShowFilterExpression").and_then(Value::as_bool).unwrap_or(false)
}

fn shown(world: &World, budget: &Budget, filter: bool) -> Value {
    let spent = spend::of(world, budget);
    let start = Month::of(jiff::tz::TimeZone::UTC.to_datetime(budget.updated_at).date()).start();
    let start = start.to_zoned(jiff::tz::TimeZone::UTC).expect("a month of this era has a start");
    let mut answer = json!({
        "BudgetName": budget.name,
        "BudgetType": "COST",
        "BudgetLimit": amount(budget.limit),
        "TimeUnit": "MONTHLY",
        "TimePeriod": { "Start": seconds(start.timestamp()), "End": END_OF_TIME },
        "CalculatedSpend": calculated(&spent),
        "LastUpdatedTime": seconds(budget.updated_at),
        "Metrics": [budget.metric],
        "HealthStatus": { "Status": "HEALTHY", "LastUpdatedTime": seconds(budget.updated_at) },
    });
    if !spent.healthy {
        answer["HealthStatus"]["Status"] = json!("UNHEALTHY");
        answer["HealthStatus"]["StatusReason"] = json!("FILTER_INVALID");
    }
    if let (true, Some(expression)) = (filter, &budget.filter) {
        answer["FilterExpression"] = expression.clone();
    }
    answer
}

fn calculated(spent: &Spent) -> Value {
    let mut calculated = json!({ "ActualSpend": amount(spent.actual) });
    if let Some(forecast) = spent.forecast {
        calculated["ForecastedSpend"] = amount(forecast);
    }
    calculated
}

/// Returns an amount as Budgets writes it: a whole one with a decimal place, which it was not given.
fn amount(money: Money) -> Value {
    let mut text = money.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    json!({ "Amount": text, "Unit": "USD" })
}

/// Returns a threshold as the double that the API has.
fn threshold(money: Money) -> Value {
    let mut text = money.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    number(&text)
}

#[cfg(test)]
mod tests;
