//! Owns whom the notifications of budgets tell.
//!
//! **Invariant:** a topic is one of the budget's own account that lets Budgets publish.

use serde_json::{Value, json};

use super::super::organisation::{Budget, Notification, Topic};
use super::super::page::{Paging, cut, listed, required};
use super::super::topic::Publisher;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::form::{given, invalid, list, one_of, structure};
use super::{INVALID, PAGING, duplicate, find_mut, missing, notification, show, too_many};

/// A subscription type and an address.
type Subscriber = (String, String);

const HUNDRED: Paging = Paging { most: 100, ..PAGING };
const COUNT_MAX: usize = 11;
const EMAIL_COUNT_MAX: usize = 10;
const SNS_COUNT_MAX: usize = 1;

/// Lists the subscribers of the notification that the request describes.
pub(super) fn of_notification(budget: &Budget, body: &Value) -> Result<Value, Refusal> {
    let wanted = notification::read(structure(body, "Notification")?)?;
    let found = &budget.notifications[notification::position(budget, &wanted)?];
    let Notification { kind, operator, threshold, threshold_type, .. } = found;
    let scope = format!(
        "DescribeSubscribersForNotification/{}/{kind}/{operator}/{threshold}/{threshold_type}",
        budget.name
    );
    let subscribers =
        show::scattered(&found.subscribers, |(kind, address)| format!("{kind} {address}"));
    let (page, next) = cut(&HUNDRED, &scope, body, &subscribers)?;
    let items = page
        .iter()
        .map(|(kind, address)| json!({ "SubscriptionType": kind, "Address": address }))
        .collect();
    Ok(listed("Subscribers", items, "NextToken", next))
}

/// Adds a subscriber to a notification.
pub(super) fn create(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let wanted = notification::read(structure(body, "Notification")?)?;
    let subscriber = named(world, caller, body, "Subscriber")?;
    let budget = find_mut(world, caller, body)?;
    let at = notification::position(budget, &wanted)?;
    let mut subscribers = budget.notifications[at].subscribers.clone();
    add(&mut subscribers, subscriber)?;
    budget.notifications[at].subscribers = subscribers;
    Ok(budget.name.clone())
}

/// Puts a subscriber in the place of another one.
pub(super) fn update(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let wanted = notification::read(structure(body, "Notification")?)?;
    let old = form(structure(body, "OldSubscriber")?)?;
    let new = named(world, caller, body, "NewSubscriber")?;
    let budget = find_mut(world, caller, body)?;
    let at = notification::position(budget, &wanted)?;
    let mut subscribers = budget.notifications[at].subscribers.clone();
    subscribers.remove(position(budget, &subscribers, &old)?);
    // The operation has no exception for a limit.
    add(&mut subscribers, new).map_err(|refusal| match refusal.code.as_str() {
        "CreationLimitExceededException" => invalid(refusal.message),
        _ => refusal,
    })?;
    budget.notifications[at].subscribers = subscribers;
    Ok(budget.name.clone())
}

/// Deletes a subscriber, and the notification with the last one.
pub(super) fn delete(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let wanted = notification::read(structure(body, "Notification")?)?;
    let subscriber = form(structure(body, "Subscriber")?)?;
    let budget = find_mut(world, caller, body)?;
    let at = notification::position(budget, &wanted)?;
    let found = position(budget, &budget.notifications[at].subscribers, &subscriber)?;
    budget.notifications[at].subscribers.remove(found);
    if budget.notifications[at].subscribers.is_empty() {
        budget.notifications.remove(at);
    }
    Ok(budget.name.clone())
}

/// Reads the subscribers of a new notification.
pub(super) fn read_all(
    world: &World,
    account: &str,
    budget: &str,
    body: &Value,
) -> Result<Vec<Subscriber>, Refusal> {
    let items = given(body, "Subscribers").map_or(Ok(&[][..]), |it| list(it, "Subscribers"))?;
    if items.is_empty() || items.len() > COUNT_MAX {
        return Err(invalid(format!("Subscribers must have from 1 to {COUNT_MAX} members")));
    }
    let mut subscribers = Vec::new();
    for item in items {
        let subscriber = form(item)?;
        check_topic(world, account, budget, &subscriber)?;
        add(&mut subscribers, subscriber)?;
    }
    Ok(subscribers)
}

fn add(subscribers: &mut Vec<Subscriber>, new: Subscriber) -> Result<(), Refusal> {
    let (kind, address) = &new;
    if subscribers.contains(&new) {
        return Err(duplicate(format!("{address} is a subscriber of this notification.")));
    }
    let count_max = if kind == "SNS" { SNS_COUNT_MAX } else { EMAIL_COUNT_MAX };
    if subscribers.iter().filter(|(other, _)| other == kind).count() >= count_max {
        let message = format!("A notification can have at most {count_max} {kind} subscribers.");
        return Err(too_many(message));
    }
    subscribers.push(new);
    Ok(())
}

fn position(
    budget: &Budget,
    subscribers: &[Subscriber],
    wanted: &Subscriber,
) -> Result<usize, Refusal> {
    subscribers.iter().position(|subscriber| subscriber == wanted).ok_or_else(|| {
        missing(format!("{} is no subscriber of this notification of {}.", wanted.1, budget.name))
    })
}

/// Reads the subscriber that a request is to bring in.
fn named(world: &World, caller: &Caller, body: &Value, key: &str) -> Result<Subscriber, Refusal> {
    let subscriber = form(structure(body, key)?)?;
    let budget = required(body, "BudgetName", INVALID)?;
    check_topic(world, &caller.account, budget, &subscriber)?;
    Ok(subscriber)
}

fn form(body: &Value) -> Result<Subscriber, Refusal> {
    let kind = one_of(body, "SubscriptionType", &["SNS", "EMAIL"])?;
    let address = required(body, "Address", INVALID)?;
    if kind == "EMAIL" {
        let (name, host) = address.split_once('@').unwrap_or_default();
        if name.is_empty() || host.is_empty() || address.contains(char::is_whitespace) {
            return Err(invalid(format!("{address} is not an email address")));
        }
    } else if !is_topic_arn(address) {
        return Err(invalid("Please comply with SNS ARN format"));
    }
    Ok((kind.to_owned(), address.to_owned()))
}

fn is_topic_arn(address: &str) -> bool {
    let parts: Vec<&str> = address.split(':').collect();
    let [arn, partition, service, region, account, name] = parts[..] else { return false };
    (arn, service) == ("arn", "sns")
        && partition.starts_with("aws")
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Refuses a topic that is not there, is somebody else's, or does not let Budgets publish.
fn check_topic(
    world: &World,
    account: &str,
    budget: &str,
    (kind, address): &Subscriber,
) -> Result<(), Refusal> {
    let arn = format!("arn:aws:budgets::{account}:budget/{budget}");
    let publisher = Publisher { service: "budgets.amazonaws.com", account, arn: &arn };
    let takes = |topic: &Topic| {
        topic.arn == *address && topic.owner() == account && topic.lets_publish(&publisher)
    };
    if kind == "EMAIL" || world.organisation.topics.iter().any(takes) {
        return Ok(());
    }
    Err(invalid("Invalid SNS topic"))
}
