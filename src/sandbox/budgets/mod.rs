//! Owns the imitation of AWS Budgets: budgets with what they have spent, their notifications and subscribers.
//!
//! **Invariant:** spend comes from the bill by the budget's own filter; nothing is stored beside it.

mod change;
mod filter;
mod form;
mod limit;
mod notification;
mod show;
mod spend;
mod subscriber;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::organisation::Budget;
use super::page::{Paging, cut, listed, required, unknown};
use super::wire::{Body, Caller, Refusal};
use super::world::{Change, World};

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

/// An operation that changes something, and returns the name of the budget that it changed.
type Effect = fn(&mut World, &Caller, &Value) -> Result<String, Refusal>;

/// Answers one operation of AWS Budgets.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    // AWS deletes a budget after its end.
    let now = world.now;
    world.organisation.budgets.retain(|budget| budget.end.is_none_or(|end| end > now));
    if operation == "ListTagsForResource" {
        return tags(world, caller, body).map(Body::Json);
    }
    own_account(caller, body)?;
    if let Some(effect) = effect(operation) {
        let budget = effect(world, caller, body)?;
        let operation = operation.to_owned();
        world.changes.push(Change { operation, budget, body: body.clone() });
        return Ok(Body::Json(json!({})));
    }
    let world = &*world;
    let answer = match operation {
        "DescribeBudgets" => describe_budgets(world, caller, body)?,
        "DescribeBudget" => {
            let budget = find(world, caller, body)?;
            json!({ "Budget": show::budget(world, budget, shows_filter(body)) })
        }
        "DescribeNotificationsForBudget" => {
            notification::of_budget(world, find(world, caller, body)?, body)?
        }
        "DescribeSubscribersForNotification" => {
            subscriber::of_notification(find(world, caller, body)?, body)?
        }
        "DescribeBudgetNotificationsForAccount" => {
            notification::of_account(world, &all(world, caller), body)?
        }
        other => return Err(unknown(other)),
    };
    Ok(Body::Json(answer))
}

fn effect(operation: &str) -> Option<Effect> {
    Some(match operation {
        "CreateBudget" => change::create_budget,
        "UpdateBudget" => change::update_budget,
        "DeleteBudget" => change::delete_budget,
        "CreateNotification" => notification::create,
        "UpdateNotification" => notification::update,
        "DeleteNotification" => notification::delete,
        "CreateSubscriber" => subscriber::create,
        "UpdateSubscriber" => subscriber::update,
        "DeleteSubscriber" => subscriber::delete,
        _ => return None,
    })
}

fn describe_budgets(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let budgets = all(world, caller);
    let (page, next) = cut(&PAGING, "DescribeBudgets", body, &budgets)?;
    let filter = shows_filter(body);
    let items = page.iter().map(|budget| show::budget(world, budget, filter)).collect();
    Ok(listed("Budgets", items, "NextToken", next))
}

/// Lists the tags of a budget, which is named by its ARN here.
fn tags(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let arn = required(body, "ResourceARN", INVALID)?;
    let found = all(world, caller).into_iter().find(|budget| arn_of(budget) == arn);
    let budget = found
        .ok_or_else(|| missing(format!("Unable to get resource: {arn} - it doesn't exist.")))?;
    let items = budget.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    Ok(json!({ "ResourceTags": items.collect::<Vec<Value>>() }))
}

/// Refuses whoever asks about another account's budgets; the payer is no exception.
fn own_account(caller: &Caller, body: &Value) -> Result<(), Refusal> {
    let account = required(body, "AccountId", INVALID)?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(form::invalid(format!("`{account}` is not an account id")));
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
    let name = form::name(body)?;
    all(world, caller).into_iter().find(|budget| budget.name == name).ok_or_else(|| no_budget(name))
}

/// Finds the budget that a request names, to be changed.
fn find_mut<'a>(
    world: &'a mut World,
    caller: &Caller,
    body: &Value,
) -> Result<&'a mut Budget, Refusal> {
    let name = form::name(body)?;
    let mut budgets = world.organisation.budgets.iter_mut();
    budgets
        .find(|budget| budget.account == caller.account && budget.name == name)
        .ok_or_else(|| no_budget(name))
}

fn no_budget(name: &str) -> Refusal {
    missing(format!("Unable to get budget: {name} - the budget doesn't exist."))
}

fn missing(message: String) -> Refusal {
    Refusal::new("NotFoundException", message)
}

fn duplicate(message: String) -> Refusal {
    Refusal::new("DuplicateRecordException", message)
}

fn too_many(message: String) -> Refusal {
    Refusal::new("CreationLimitExceededException", message)
}

fn arn_of(budget: &Budget) -> String {
    format!("arn:aws:budgets::{}:budget/{}", budget.account, budget.name)
}

fn shows_filter(body: &Value) -> bool {
    body.get("ShowFilterExpression").and_then(Value::as_bool).unwrap_or(false)
}
