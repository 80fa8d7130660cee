//! Owns finding budgets and how they are set up, alarms and subscribers included.
//!
//! AWS says `NotFoundException` of a budget, of a notification and of its subscribers alike; which of them is gone, a
//! second look at the budget tells.
//! **Invariant:** a budget that went away while it was read is absent; one that cannot be planned is told with the reason.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_budgets::{Client, types};

use crate::arn::AccountId;
use crate::aws::error::Error;
use crate::aws::session::Session;
use crate::aws::window::Window;
use crate::budget::Subscriber;
use crate::setup::{Alarms, Setup};

use super::SERVICE;
use super::list;
use super::setup as read;

/// The budgets of an account whose names begin alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How each is set up, by name.
    pub setups: BTreeMap<String, Setup>,
    /// Why each of the others cannot be planned, by name.
    pub others: BTreeMap<String, String>,
    /// Budgets of the account, whatever their names.
    pub count: usize,
}

/// A budget that is there: how it is set up, or why it cannot be planned.
type Told = Result<Setup, String>;

/// The alarms of a budget as they were read.
struct Read {
    alarms: Result<Alarms, String>,
    /// Whether something of it was not found.
    is_doubtful: bool,
}

/// Finds every budget of an account whose name begins with a prefix, some at once.
pub async fn setups(
    session: &Session,
    account: &AccountId,
    prefix: &str,
    concurrency: usize,
) -> Result<Found, Error> {
    let client = session.budgets();
    let mut listed = list::budgets(&client, account).await?;
    let mut found = Found { count: listed.len(), ..Found::default() };
    listed.retain(|budget| budget.budget_name.starts_with(prefix));
    if listed.is_empty() {
        return Ok(found);
    }
    let mut notifications = list::notifications(&client, account, &listed).await?;
    let (mut window, mut listed) = (Window::new(concurrency), listed.into_iter());
    loop {
        while !window.is_full()
            && let Some(budget) = listed.next()
        {
            let setup = match read::read(account, &budget) {
                Ok(setup) => setup,
                Err(why) => {
                    found.others.insert(budget.budget_name, why);
                    continue;
                }
            };
            let name = budget.budget_name;
            let notifications = notifications.remove(&name).unwrap_or_default();
            let (client, account) = (client.clone(), account.clone());
            window.push(async move {
                let told = completed(&client, &account, &name, setup, notifications).await;
                (name, told)
            });
        }
        let Some((name, told)) = window.next().await else { return Ok(found) };
        match told? {
            Some(Ok(setup)) => drop(found.setups.insert(name, setup)),
            Some(Err(why)) => drop(found.others.insert(name, why)),
            None => {}
        }
    }
}

/// Reads one budget; absent when there is none of the name, an error when it cannot be planned.
pub async fn setup(
    session: &Session,
    account: &AccountId,
    name: &str,
) -> Result<Option<Setup>, Error> {
    let told = one(&session.budgets(), account, name).await?;
    let unreadable = |why: String| Error::unreadable(SERVICE, list::BUDGET, why);
    told.transpose().map_err(unreadable)
}

/// Completes a budget that was listed by its alarms; one of which something was not found is read anew.
async fn completed(
    client: &Client,
    account: &AccountId,
    name: &str,
    setup: Setup,
    notifications: Vec<types::Notification>,
) -> Result<Option<Told>, Error> {
    let Read { alarms, is_doubtful } = alarms(client, account, name, notifications).await?;
    if is_doubtful {
        return one(client, account, name).await;
    }
    Ok(Some(alarms.map(|alarms| Setup { alarms, ..setup })))
}

/// Reads one budget, and once more where something of it was not found; what the second look says, stands.
async fn one(client: &Client, account: &AccountId, name: &str) -> Result<Option<Told>, Error> {
    let mut is_second = false;
    loop {
        let Some(budget) = list::budget(client, account, name).await? else { return Ok(None) };
        let setup = match read::read(account, &budget) {
            Ok(setup) => setup,
            Err(why) => return Ok(Some(Err(why))),
        };
        let notifications = list::notifications_of(client, account, name).await?;
        let is_absent = notifications.is_none();
        let notifications = notifications.unwrap_or_default();
        let Read { alarms, is_doubtful } = alarms(client, account, name, notifications).await?;
        if is_second || !(is_absent || is_doubtful) {
            return Ok(Some(alarms.map(|alarms| Setup { alarms, ..setup })));
        }
        is_second = true;
    }
}

async fn alarms(
    client: &Client,
    account: &AccountId,
    name: &str,
    notifications: Vec<types::Notification>,
) -> Result<Read, Error> {
    let (mut alarms, mut is_doubtful) = (Alarms::new(), false);
    for notification in notifications {
        let alarm = match read::alarm(&notification) {
            Ok(alarm) => alarm,
            Err(why) => return Ok(Read { alarms: Err(why), is_doubtful }),
        };
        let subscribers = list::subscribers(client, account, name, notification).await?;
        is_doubtful |= subscribers.is_none();
        let subscribers = subscribers.unwrap_or_default().into_iter().map(read::subscriber);
        match subscribers.collect::<Result<BTreeSet<Subscriber>, String>>() {
            Ok(subscribers) => drop(alarms.insert(alarm, subscribers)),
            Err(why) => return Ok(Read { alarms: Err(why), is_doubtful }),
        }
    }
    Ok(Read { alarms: Ok(alarms), is_doubtful })
}

#[cfg(test)]
mod tests {
    use super::list::{BUDGET, BUDGETS, NOTIFICATIONS, NOTIFICATIONS_OF_ONE, SUBSCRIBERS};
    use super::read::tests::{budget, told};
    use super::*;
    use crate::aws::Kind;
    use crate::aws::testing::{Answer, session};
    use serde_json::{Value, json};
    use std::sync::Mutex;

    fn account() -> AccountId {
        AccountId::parse("111122223333").unwrap()
    }

    fn good(body: &Value) -> Answer {
        Answer::Body(200, body.to_string())
    }

    fn refusal(code: &str) -> Answer {
        Answer::Body(400, json!({ "__type": code, "Message": "so it is" }).to_string())
    }

    fn actual(threshold: &Value) -> Value {
        json!({"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
            "Threshold": threshold, "ThresholdType": "PERCENTAGE", "NotificationState": "ALARM"})
    }

    fn whom(addresses: &[&str]) -> Value {
        let subscriber = |address: &&str| {
            let kind = if address.starts_with("arn:") { "SNS" } else { "EMAIL" };
            json!({"SubscriptionType": kind, "Address": address})
        };
        json!({"Subscribers": addresses.iter().map(subscriber).collect::<Vec<Value>>()})
    }

    #[tokio::test]
    async fn pages_are_read_to_the_end_and_subscribers_in_any_order() {
        let script = |operation: &str, body: &str| {
            let body: Value = serde_json::from_str(body).unwrap();
            let is_first = body.get("NextToken").is_none();
            let next = if is_first { json!("t") } else { Value::Null };
            let name = if is_first { "apportion/a" } else { "apportion/b" };
            match operation {
                BUDGETS => {
                    assert_eq!(body["MaxResults"], 1000);
                    assert_eq!(body["ShowFilterExpression"], true);
                    good(&json!({"Budgets": [budget(name, &json!({}))], "NextToken": next}))
                }
                NOTIFICATIONS => {
                    let notifications = [actual(&json!(80.1)), actual(&json!(100))];
                    let of_one = json!({"BudgetName": name, "Notifications": notifications});
                    good(&json!({"BudgetNotificationsForAccount": [of_one], "NextToken": next}))
                }
                SUBSCRIBERS => {
                    assert!(body["Notification"].get("NotificationState").is_none(), "{body}");
                    let mut page =
                        if is_first { whom(&["z@x.y"]) } else { whom(&["arn:t", "a@x.y"]) };
                    page["NextToken"] = next;
                    good(&page)
                }
                _ => panic!("{operation}"),
            }
        };
        let found = setups(&session(script).await, &account(), "apportion/", 2).await.unwrap();
        assert_eq!(found.setups.keys().collect::<Vec<_>>(), ["apportion/a", "apportion/b"]);
        for setup in found.setups.values() {
            let expected = "period: MONTHLY; limit: 100 USD; metric: NetAmortizedCost; \
                alarm ACTUAL > 80.1 %: a@x.y, z@x.y, arn:t; alarm ACTUAL > 100 %: a@x.y, z@x.y, arn:t";
            assert_eq!(told(setup), expected);
        }
    }

    #[tokio::test]
    async fn a_second_look_tells_a_budget_that_is_gone_from_one_that_lost_an_alarm() {
        let script = |operation: &str, body: &str| {
            let body: Value = serde_json::from_str(body).unwrap();
            let is_lost = body["Notification"]["Threshold"] == json!(80.0);
            let is_gone = body["BudgetName"] == "apportion/gone";
            match operation {
                BUDGETS => {
                    let names = ["apportion/fine", "apportion/gone", "apportion/lost"];
                    good(&json!({"Budgets": names.map(|it| budget(it, &json!({})))}))
                }
                NOTIFICATIONS => {
                    let of = |name: &str, threshold: u32| {
                        json!({"BudgetName": format!("apportion/{name}"),
                            "Notifications": [actual(&json!(threshold))]})
                    };
                    let all = [of("fine", 90), of("gone", 80), of("lost", 80)];
                    good(&json!({ "BudgetNotificationsForAccount": all }))
                }
                BUDGET if is_gone => refusal("NotFoundException"),
                BUDGET => good(&json!({"Budget": budget("apportion/lost", &json!({}))})),
                NOTIFICATIONS_OF_ONE => good(&json!({"Notifications": [actual(&json!(70))]})),
                SUBSCRIBERS if is_lost => refusal("NotFoundException"),
                SUBSCRIBERS => good(&whom(&["a@x.y"])),
                _ => panic!("{operation}"),
            }
        };
        let session = session(script).await;
        let found = setups(&session, &account(), "apportion/", 1).await.unwrap();
        assert_eq!((found.count, found.others.len()), (3, 0));
        let alarms: Vec<String> = found
            .setups
            .iter()
            .map(|(name, setup)| format!("{name} {}", setup.alarms.keys().next().unwrap()))
            .collect();
        assert_eq!(alarms, ["apportion/fine ACTUAL > 90 %", "apportion/lost ACTUAL > 70 %"]);
        assert_eq!(setup(&session, &account(), "apportion/gone").await.unwrap(), None);
    }

    #[tokio::test]
    async fn one_budget_is_read_without_alarms_and_with_one_that_tells_nobody() {
        let looks = Mutex::new(0);
        let script = move |operation: &str, body: &str| match operation {
            BUDGET => good(&json!({"Budget": budget("b", &json!({}))})),
            NOTIFICATIONS_OF_ONE if body.contains("none") => refusal("NotFoundException"),
            NOTIFICATIONS_OF_ONE => {
                *looks.lock().unwrap() += 1;
                assert!(*looks.lock().unwrap() <= 2, "two looks");
                good(&json!({"Notifications": [actual(&json!(33.33))]}))
            }
            SUBSCRIBERS => refusal("NotFoundException"),
            _ => panic!("{operation}"),
        };
        let session = session(script).await;
        let none = setup(&session, &account(), "none").await.unwrap().unwrap();
        assert!(none.alarms.is_empty());
        let nobody = setup(&session, &account(), "nobody").await.unwrap().unwrap();
        let alarms: Vec<String> =
            nobody.alarms.iter().map(|(alarm, whom)| format!("{alarm} {}", whom.len())).collect();
        assert_eq!(alarms, ["ACTUAL > 33.33 % 0"]);
    }

    #[tokio::test]
    async fn a_threshold_that_is_finer_than_a_plan_and_any_other_error_are_told() {
        let script = |operation: &str, body: &str| match operation {
            BUDGETS => good(&json!({"Budgets": [budget("fine", &json!({}))]})),
            BUDGET => good(&json!({"Budget": budget("fine", &json!({}))})),
            NOTIFICATIONS if body.contains("NextToken") => panic!("one page"),
            NOTIFICATIONS => {
                let of_one =
                    json!({"BudgetName": "fine", "Notifications": [actual(&json!(33.333))]});
                good(&json!({"BudgetNotificationsForAccount": [of_one]}))
            }
            _ => refusal("AccessDeniedException"),
        };
        let session = session(script).await;
        let found = setups(&session, &account(), "f", 3).await.unwrap();
        let why = "its threshold of 33.333 % is finer than hundredths of a percent";
        assert_eq!(found.others["fine"], why);
        let error = setup(&session, &account(), "fine").await.unwrap_err();
        assert_eq!((error.kind, error.operation), (Kind::AccessDenied, NOTIFICATIONS_OF_ONE));
    }
}
