//! Owns the notifications of budgets: how they are read, changed and shown, and when they ring.
//!
//! **Invariant:** a notification has no id: type, operator, threshold and its kind are what it is.

use ethnum::I256;
use serde_json::{Value, json};

use super::super::organisation::{Budget, Notification, TimeUnit};
use super::super::page::{Paging, cut, decimal, listed, required, text};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::form::{given, invalid, list, one_of, structure};
use super::{INVALID, PAGING, duplicate, find_mut, missing, show, spend, subscriber, too_many};
use crate::money::Money;

const HUNDRED: Paging = Paging { most: 100, ..PAGING };
const FIFTY: Paging = Paging { usual: 50, ..PAGING };
/// How many notifications a request may name, whatever a budget may have.
const COUNT_MAX: usize = 10;
const THRESHOLD_MAX: &str = "15000000000000";

/// Lists the notifications of a budget.
pub(super) fn of_budget(world: &World, budget: &Budget, body: &Value) -> Result<Value, Refusal> {
    let scope = format!("DescribeNotificationsForBudget/{}", budget.name);
    let notifications = in_order(budget);
    let (page, next) = cut(&HUNDRED, &scope, body, &notifications)?;
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
            "Notifications": shown(world, budget, &in_order(budget)),
        })
    });
    Ok(listed("BudgetNotificationsForAccount", items.collect(), "NextToken", next))
}

/// Adds a notification to a budget.
pub(super) fn create(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let mut notification = read(structure(body, "Notification")?)?;
    let name = required(body, "BudgetName", INVALID)?.to_owned();
    notification.subscribers = subscriber::read_all(world, &caller.account, &name, body)?;
    let count_max = usize::from(world.variants.budget_notifications_max);
    let budget = find_mut(world, caller, body)?;
    check_unit(budget.time_unit, &notification)?;
    check_new(budget, &notification)?;
    if budget.notifications.len() >= count_max {
        return Err(full(budget, count_max));
    }
    budget.notifications.push(notification);
    Ok(name)
}

/// Makes a notification another one, which tells whom the old one told.
pub(super) fn update(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let old = read(structure(body, "OldNotification")?)?;
    let mut new = read(structure(body, "NewNotification")?)?;
    let budget = find_mut(world, caller, body)?;
    check_unit(budget.time_unit, &new)?;
    let at = position(budget, &old)?;
    if !new.is(&old) {
        check_new(budget, &new)?;
    }
    new.subscribers = std::mem::take(&mut budget.notifications[at].subscribers);
    budget.notifications[at] = new;
    Ok(budget.name.clone())
}

/// Deletes a notification and forgets whom it told.
pub(super) fn delete(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let notification = read(structure(body, "Notification")?)?;
    let budget = find_mut(world, caller, body)?;
    let at = position(budget, &notification)?;
    budget.notifications.remove(at);
    Ok(budget.name.clone())
}

/// Reads the notifications that a budget is made with.
pub(super) fn read_all(
    world: &World,
    budget: &Budget,
    body: &Value,
) -> Result<Vec<Notification>, Refusal> {
    let Some(all) = given(body, "NotificationsWithSubscribers") else { return Ok(Vec::new()) };
    let all = list(all, "NotificationsWithSubscribers")?;
    if all.len() > COUNT_MAX {
        let message = format!("NotificationsWithSubscribers can have at most {COUNT_MAX} members");
        return Err(invalid(message));
    }
    let count_max = usize::from(world.variants.budget_notifications_max);
    if all.len() > count_max {
        return Err(full(budget, count_max));
    }
    let mut made = budget.clone();
    for one in all {
        let mut notification = read(structure(one, "Notification")?)?;
        check_unit(budget.time_unit, &notification)?;
        let name = &budget.name;
        notification.subscribers = subscriber::read_all(world, &budget.account, name, one)?;
        check_new(&made, &notification)?;
        made.notifications.push(notification);
    }
    Ok(made.notifications)
}

/// Reads a notification, without whom it tells.
pub(super) fn read(body: &Value) -> Result<Notification, Refusal> {
    let kind = one_of(body, "NotificationType", &["ACTUAL", "FORECASTED"])?;
    let operators = ["GREATER_THAN", "LESS_THAN", "EQUAL_TO"];
    let operator = one_of(body, "ComparisonOperator", &operators)?;
    let threshold_type = match text(body, "ThresholdType") {
        None => "PERCENTAGE",
        Some(_) => one_of(body, "ThresholdType", &["PERCENTAGE", "ABSOLUTE_VALUE"])?,
    };
    let threshold = body.get("Threshold").filter(|value| value.is_number()).and_then(decimal);
    let threshold = threshold.ok_or_else(|| invalid("Threshold must be a number"))?;
    let most = Money::parse(THRESHOLD_MAX).expect("it is a decimal");
    if threshold < Money::ZERO || threshold > most {
        return Err(invalid(format!("Threshold must be from 0 to {THRESHOLD_MAX}")));
    }
    Ok(Notification {
        kind: kind.to_owned(),
        operator: operator.to_owned(),
        threshold,
        threshold_type: threshold_type.to_owned(),
        subscribers: Vec::new(),
    })
}

/// Refuses to watch the forecast of a day, since there is none.
pub(super) fn check_unit(unit: TimeUnit, notification: &Notification) -> Result<(), Refusal> {
    if unit == TimeUnit::Daily && notification.kind == "FORECASTED" {
        return Err(invalid("FORECASTED notifications can't be used with the time unit DAILY"));
    }
    Ok(())
}

fn check_new(budget: &Budget, notification: &Notification) -> Result<(), Refusal> {
    if budget.notifications.iter().any(|other| other.is(notification)) {
        return Err(duplicate(format!("The budget {} has this notification.", budget.name)));
    }
    Ok(())
}

fn full(budget: &Budget, count_max: usize) -> Refusal {
    too_many(format!("The budget {} can have at most {count_max} notifications.", budget.name))
}

/// Returns where a budget has a notification.
pub(super) fn position(budget: &Budget, wanted: &Notification) -> Result<usize, Refusal> {
    budget
        .notifications
        .iter()
        .position(|notification| notification.is(wanted))
        .ok_or_else(|| missing(format!("The budget {} has no such notification.", budget.name)))
}

fn in_order(budget: &Budget) -> Vec<&Notification> {
    show::scattered(&budget.notifications, |it| {
        format!("{} {} {} {}", it.kind, it.operator, it.threshold, it.threshold_type)
    })
}

fn shown(world: &World, budget: &Budget, notifications: &[&Notification]) -> Vec<Value> {
    if notifications.is_empty() {
        return Vec::new();
    }
    let spent = spend::of(world, budget);
    let show = |notification: &&Notification| {
        let value = match notification.kind.as_str() {
            "FORECASTED" => spent.forecast,
            _ => Some(spent.actual),
        };
        let alarm = value.is_some_and(|value| rings(notification, value, spent.limit));
        json!({
            "NotificationType": notification.kind,
            "ComparisonOperator": notification.operator,
            "Threshold": show::threshold(notification.threshold),
            "ThresholdType": notification.threshold_type,
            "NotificationState": if alarm { "ALARM" } else { "OK" },
        })
    };
    notifications.iter().map(show).collect()
}

/// Compares an amount with a threshold, exactly: percentages are compared without dividing, and of no limit never ring.
fn rings(notification: &Notification, value: Money, limit: Option<Money>) -> bool {
    let wide = |money: Money| I256::from(money.units());
    let (value, bound) = match (notification.threshold_type.as_str(), limit) {
        ("ABSOLUTE_VALUE", _) => (wide(value), wide(notification.threshold)),
        (_, Some(limit)) => {
            let hundred = Money::from_cents(100 * 100);
            (wide(value) * wide(hundred), wide(limit) * wide(notification.threshold))
        }
        (_, None) => return false,
    };
    match notification.operator.as_str() {
        "GREATER_THAN" => value > bound,
        "LESS_THAN" => value < bound,
        _ => value == bound,
    }
}
