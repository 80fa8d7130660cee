//! Owns the lists of AWS Budgets: budgets, their notifications, and whom these tell.
//!
//! **Invariant:** what went away between two calls is absent, and no error.

use std::collections::BTreeMap;

use aws_sdk_budgets::{Client, types};

use crate::arn::AccountId;
use crate::aws::error::{Error, Kind};
use crate::aws::pages;

use super::SERVICE;

pub(super) const BUDGETS: &str = "DescribeBudgets";
pub(super) const BUDGET: &str = "DescribeBudget";
pub(super) const NOTIFICATIONS: &str = "DescribeBudgetNotificationsForAccount";
pub(super) const NOTIFICATIONS_OF_ONE: &str = "DescribeNotificationsForBudget";
pub(super) const SUBSCRIBERS: &str = "DescribeSubscribersForNotification";

/// The largest page of what lists an account.
const PAGE_SIZE: i32 = 1_000;
/// The largest page of what lists a budget.
const PAGE_SIZE_OF_ONE: i32 = 100;

/// Lists the budgets of an account with their filters, which AWS leaves out unless it is asked for them.
pub(super) async fn budgets(
    client: &Client,
    account: &AccountId,
) -> Result<Vec<types::Budget>, Error> {
    let request = client.describe_budgets().account_id(account.as_str());
    let request = request.show_filter_expression(true);
    let stream = request.into_paginator().page_size(PAGE_SIZE).send();
    let listed = pages::list(SERVICE, BUDGETS, stream, |page| (page.next_token, page.budgets));
    listed.await.whole()
}

/// Describes one budget; absent when there is none of the name.
pub(super) async fn budget(
    client: &Client,
    account: &AccountId,
    name: &str,
) -> Result<Option<types::Budget>, Error> {
    let request = client.describe_budget().account_id(account.as_str()).budget_name(name);
    let answer = request.show_filter_expression(true).send().await;
    let answer = present(answer.map_err(|error| Error::of(SERVICE, BUDGET, &error)))?;
    let empty = || Error::unreadable(SERVICE, BUDGET, "no budget in it");
    answer.map(|answer| answer.budget.ok_or_else(empty)).transpose()
}

/// Reads the notifications of all budgets at once, or budget by budget where the server does not know that call.
pub(super) async fn notifications(
    client: &Client,
    account: &AccountId,
    budgets: &[types::Budget],
) -> Result<BTreeMap<String, Vec<types::Notification>>, Error> {
    let mut notifications = BTreeMap::<String, Vec<types::Notification>>::new();
    let request = client.describe_budget_notifications_for_account().account_id(account.as_str());
    let stream = request.into_paginator().page_size(PAGE_SIZE).send();
    let listed = pages::list(SERVICE, NOTIFICATIONS, stream, |page| {
        (page.next_token, page.budget_notifications_for_account)
    });
    match listed.await.whole() {
        Ok(listed) => {
            for of_budget in listed {
                let name = of_budget.budget_name.unwrap_or_default();
                let of_budget = of_budget.notifications.unwrap_or_default();
                notifications.entry(name).or_default().extend(of_budget);
            }
        }
        Err(error) if error.kind == Kind::Unparsable => {
            for budget in budgets {
                let of_budget = notifications_of(client, account, &budget.budget_name).await?;
                notifications.extend(of_budget.map(|it| (budget.budget_name.clone(), it)));
            }
        }
        Err(error) => return Err(error),
    }
    Ok(notifications)
}

/// Lists the notifications of one budget; absent when AWS finds none of them, or no budget.
pub(super) async fn notifications_of(
    client: &Client,
    account: &AccountId,
    name: &str,
) -> Result<Option<Vec<types::Notification>>, Error> {
    let request = client.describe_notifications_for_budget().account_id(account.as_str());
    let request = request.budget_name(name);
    let stream = request.into_paginator().page_size(PAGE_SIZE_OF_ONE).send();
    let listed = pages::list(SERVICE, NOTIFICATIONS_OF_ONE, stream, |page| {
        (page.next_token, page.notifications)
    });
    present(listed.await.whole())
}

/// Lists whom a notification tells; absent when AWS finds nobody, no such notification, or no budget.
pub(super) async fn subscribers(
    client: &Client,
    account: &AccountId,
    name: &str,
    mut notification: types::Notification,
) -> Result<Option<Vec<types::Subscriber>>, Error> {
    // What identifies it is sent, and how it stands is not.
    notification.notification_state = None;
    let request = client.describe_subscribers_for_notification().account_id(account.as_str());
    let request = request.budget_name(name).notification(notification);
    let stream = request.into_paginator().page_size(PAGE_SIZE_OF_ONE).send();
    let listed =
        pages::list(SERVICE, SUBSCRIBERS, stream, |page| (page.next_token, page.subscribers));
    present(listed.await.whole())
}

fn present<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code == "NotFoundException" => Ok(None),
        Err(error) => Err(error),
    }
}
