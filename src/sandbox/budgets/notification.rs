//! Owns the notifications of budgets and whom they tell.
//!
//! **Invariant:** a notification has no id: type, operator, threshold and its kind are what it is.

use ethnum::I256;
use serde_json::{Value, json};

use super::super::organisation::{Budget, Notification};
use super::super::page::{Paging, cut, decimal, listed, required, text};
use super::super::wire::Refusal;
use super::super::world::World;
use super::{INVALID, PAGING, spend, threshold};
use crate::money::Money;

const HUNDRED: Paging = Paging { most: 100, ..PAGING };
const FIFTY: Paging = Paging { usual: 50, ..PAGING };

/// Lists the notifications of a budget.
pub(super) fn of_budget(world: &World, budget: &Budget, body: &Value) -> Result<Value, Refusal> {
    let scope = format!("DescribeNotificationsForBudget/{}", budget.name);
    let (page, next) = cut(&HUNDRED, &scope, body, &budget.notifications)?;
    Ok(listed("Notifications", shown(world, budget, page), "NextToken", next))
}

/// Lists the notifications of all budgets, by budget.
pub(super) fn of_account(
    world: &World,
    budgets: &[&Budget],
    body: &Value,
) -> Result<Value, Refusal> {
    let (page, next) = cut(&FIFTY, "DescribeBudgetNotificationsForAccount", body, budgets)?;
    let items = page.iter().map(|budget| {
        json!({
            "BudgetName": budget.name,
            "Notifications": shown(world, budget, &budget.notifications),
        })
    });
    Ok(listed("BudgetNotificationsForAccount", items.collect(), "NextToken", next))
}

/// Lists the subscribers of the notification that the request describes.
pub(super) fn subscribers(budget: &Budget, body: &Value) -> Result<Value, Refusal> {
    let wanted = body.get("Notification").unwrap_or(&Value::Null);
    let kind = required(wanted, "NotificationType", INVALID)?;
    let operator = required(wanted, "ComparisonOperator", INVALID)?;
    let value = wanted.get("Threshold").and_then(decimal);
    let value = value.ok_or_else(|| Refusal::new(INVALID, "Threshold must be a number"))?;
    let threshold_type = text(wanted, "ThresholdType").unwrap_or("PERCENTAGE");
    let found = budget.notifications.iter().find(|notification| {
        notification.kind == kind
            && notification.operator == operator
            && notification.threshold == value
            && notification.threshold_type == threshold_type
    });
    let Some(notification) = found else {
        let message = format!("The budget {} has no such notification.", budget.name);
        return Err(Refusal::new("NotFoundException", message));
    };
    let scope = format!("DescribeSubscribersForNotification/{}/{kind}/{value}", budget.name);
    let (page, next) = cut(&HUNDRED, &scope, body, &notification.subscribers)?;
    let items = page
        .iter()
        .map(|(kind, address)| json!({ "SubscriptionType": kind, "Address": address }))
        .collect();
    Ok(listed("Subscribers", items, "NextToken", next))
}

fn shown(world: &World, budget: &Budget, notifications: &[Notification]) -> Vec<Value> {
    if notifications.is_empty() {
        return Vec::new();
    }
    let spent = spend::of(world, budget);
    let show = |notification: &Notification| {
        let value = match notification.kind.as_str() {
            "FORECASTED" => spent.forecast,
            _ => Some(spent.actual),
        };
        let alarm = value.is_some_and(|value| rings(notification, value, budget.limit));
        json!({
            "NotificationType": notification.kind,
            "ComparisonOperator": notification.operator,
            "Threshold": threshold(notification.threshold),
            "ThresholdType": notification.threshold_type,
            "NotificationState": if alarm { "ALARM" } else { "OK" },
        })
    };
    notifications.iter().map(show).collect()
}

/// Compares an amount with a threshold, exactly: percentages are compared without dividing.
fn rings(notification: &Notification, value: Money, limit: Money) -> bool {
    let wide = |money: Money| I256::from(money.units());
    let (value, bound) = if notification.threshold_type == "ABSOLUTE_VALUE" {
        (wide(value), wide(notification.threshold))
    } else {
        let hundred = Money::from_cents(100 * 100);
        (wide(value) * wide(hundred), wide(limit) * wide(notification.threshold))
    };
    match notification.operator.as_str() {
        "GREATER_THAN" => value > bound,
        "LESS_THAN" => value < bound,
        _ => value == bound,
    }
}
