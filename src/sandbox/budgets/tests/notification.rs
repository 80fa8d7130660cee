//! Owns the tests of how notifications and their subscribers change.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use serde_json::{Value, json};

use super::super::super::organisation::Topic;
use super::super::super::sample::{MEMBER, PAYER, REGION, budget, world};
use super::{World, ask, at_percent, email, get, refused, sns};

fn with_budget() -> World {
    let mut world = world();
    world.organisation.budgets.push(budget("one", None));
    world
}

/// Returns a request about a notification of the budget, with more members.
fn about(notification: Value, more: &Value) -> Value {
    let mut body = json!({ "BudgetName": "one" });
    body["Notification"] = notification;
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn thresholds(world: &mut World) -> Vec<String> {
    let body = json!({ "BudgetName": "one" });
    let all = get(world, "DescribeNotificationsForBudget", &body);
    let all = all["Notifications"].as_array().unwrap().iter();
    all.map(|it| format!("{} {}", it["NotificationType"].as_str().unwrap(), it["Threshold"]))
        .collect()
}

fn subscribers(world: &mut World, notification: Value) -> Vec<String> {
    let all = get(world, "DescribeSubscribersForNotification", &about(notification, &json!({})));
    let all = all["Subscribers"].as_array().unwrap().iter();
    all.map(|it| it["Address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn notifications_are_made_changed_and_deleted() {
    let mut world = with_budget();
    let create = about(at_percent("ACTUAL", json!(80)), &json!({ "Subscribers": [email("a")] }));
    assert_eq!(get(&mut world, "CreateNotification", &create), json!({}));
    let mut again = create.clone();
    again["Notification"]["Threshold"] = json!(80.0);
    again["Notification"]["ThresholdType"] = json!("PERCENTAGE");
    assert_eq!(refused(&mut world, "CreateNotification", &again).0, "DuplicateRecordException");
    // 80 dollars are not 80 percent.
    again["Notification"]["ThresholdType"] = json!("ABSOLUTE_VALUE");
    get(&mut world, "CreateNotification", &again);
    let update = |old: Value, new: Value| {
        json!({ "BudgetName": "one", "OldNotification": at_percent("ACTUAL", old),
            "NewNotification": at_percent("ACTUAL", new) })
    };
    get(&mut world, "UpdateNotification", &update(json!(80.0), json!(90.5)));
    assert_eq!(subscribers(&mut world, at_percent("ACTUAL", json!(90.5))), ["a@example.com"]);
    assert_eq!(
        refused(&mut world, "UpdateNotification", &update(json!(80), json!(70))).0,
        "NotFoundException"
    );
    let mut onto = update(json!(90.5), json!(100));
    onto["NewNotification"]["NotificationType"] = json!("FORECASTED");
    assert_eq!(refused(&mut world, "UpdateNotification", &onto).0, "DuplicateRecordException");
    let delete = about(at_percent("ACTUAL", json!(90.5)), &json!({}));
    assert_eq!(get(&mut world, "DeleteNotification", &delete), json!({}));
    assert_eq!(refused(&mut world, "DeleteNotification", &delete).0, "NotFoundException");
    let mut left = thresholds(&mut world);
    left.sort();
    assert_eq!(left, ["ACTUAL 80.0", "FORECASTED 100.0"]);
    let operations: Vec<&str> = world.changes.iter().map(|it| it.operation.as_str()).collect();
    let expected =
        ["CreateNotification", "CreateNotification", "UpdateNotification", "DeleteNotification"];
    assert_eq!(operations, expected);
}

#[test]
fn subscribers_come_and_go_and_the_last_one_takes_the_notification_along() {
    let mut world = with_budget();
    let ours = || at_percent("FORECASTED", json!(100));
    let one = |subscriber: Value| about(ours(), &json!({ "Subscriber": subscriber }));
    let swap = |old: Value, new: Value| {
        about(ours(), &json!({ "OldSubscriber": old, "NewSubscriber": new }))
    };
    get(&mut world, "CreateSubscriber", &one(sns("cost")));
    let duplicate = refused(&mut world, "CreateSubscriber", &one(sns("cost")));
    assert_eq!(duplicate.0, "DuplicateRecordException");
    get(&mut world, "UpdateSubscriber", &swap(email("finance"), email("a")));
    let gone = refused(&mut world, "UpdateSubscriber", &swap(email("finance"), email("b")));
    assert_eq!(gone.0, "NotFoundException");
    let taken = refused(&mut world, "UpdateSubscriber", &swap(email("a"), sns("cost")));
    assert_eq!(taken.0, "DuplicateRecordException");
    get(&mut world, "DeleteSubscriber", &one(sns("cost")));
    assert_eq!(subscribers(&mut world, ours()), ["a@example.com"]);
    let gone = refused(&mut world, "DeleteSubscriber", &one(sns("cost")));
    assert_eq!(gone.0, "NotFoundException");
    get(&mut world, "DeleteSubscriber", &one(email("a")));
    assert_eq!(thresholds(&mut world), Vec::<String>::new());
    let body = about(ours(), &json!({}));
    let gone = refused(&mut world, "DescribeSubscribersForNotification", &body);
    assert_eq!(gone.0, "NotFoundException");
}

#[test]
fn there_are_ten_addresses_and_one_topic() {
    let mut world = with_budget();
    world.organisation.topics.push(Topic::new(MEMBER, REGION, "second", true));
    let one = |subscriber: Value| {
        about(at_percent("FORECASTED", json!(100)), &json!({ "Subscriber": subscriber }))
    };
    for number in 1..10 {
        get(&mut world, "CreateSubscriber", &one(email(&number.to_string())));
    }
    get(&mut world, "CreateSubscriber", &one(sns("cost")));
    for subscriber in [email("eleventh"), sns("second")] {
        let refusal = refused(&mut world, "CreateSubscriber", &one(subscriber));
        assert_eq!(refusal.0, "CreationLimitExceededException");
    }
    // The update has no such exception.
    let body = about(
        at_percent("FORECASTED", json!(100)),
        &json!({ "OldSubscriber": email("1"), "NewSubscriber": sns("second") }),
    );
    assert_eq!(refused(&mut world, "UpdateSubscriber", &body).0, "InvalidParameterException");
}

#[test]
fn a_topic_is_ones_own_and_lets_budgets_publish() {
    let mut world = with_budget();
    let elsewhere = format!("arn:aws:sns:us-east-1:{PAYER}:sealed");
    for (address, text) in [
        ("cost".to_owned(), "Please comply with SNS ARN format"),
        (format!("arn:aws:sqs:eu-west-1:{MEMBER}:cost"), "Please comply with SNS ARN format"),
        (format!("arn:aws:sns:eu-west-1:{MEMBER}:cost:id"), "Please comply with SNS ARN format"),
        (format!("arn:aws:sns:eu-west-1:{MEMBER}:none"), "Invalid SNS topic"),
        (format!("arn:aws:sns:eu-west-1:{MEMBER}:private"), "Invalid SNS topic"),
        (elsewhere, "Invalid SNS topic"),
    ] {
        let subscriber = json!({ "SubscriptionType": "SNS", "Address": address });
        let body =
            about(at_percent("FORECASTED", json!(100)), &json!({ "Subscriber": subscriber }));
        let expected = ("InvalidParameterException".to_owned(), text.to_owned());
        assert_eq!(refused(&mut world, "CreateSubscriber", &body), expected, "{address}");
    }
}

#[test]
fn malformed_notifications_and_subscribers_are_refused() {
    let mut world = with_budget();
    let good = at_percent("ACTUAL", json!(80));
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let nobody = json!({ "SubscriptionType": "EMAIL", "Address": "nobody" });
    let lines = json!({ "SubscriptionType": "EMAIL", "Address": "a@b\nc" });
    let pager = json!({ "SubscriptionType": "PAGER", "Address": "a@b" });
    for (notification, subscriber) in [
        (with("NotificationType", json!("EXPECTED")), email("a")),
        (with("ComparisonOperator", json!("GREATER_THAN_OR_EQUAL")), email("a")),
        (with("ThresholdType", json!("RATIO")), email("a")),
        (with("Threshold", json!(-0.1)), email("a")),
        (with("Threshold", json!(15_000_000_000_001_i64)), email("a")),
        (with("Threshold", json!("80")), email("a")),
        (with("Threshold", json!(null)), email("a")),
        (good.clone(), nobody),
        (good.clone(), lines),
        (good.clone(), pager),
    ] {
        let body = about(notification, &json!({ "Subscribers": [subscriber] }));
        let refusal = refused(&mut world, "CreateNotification", &body);
        assert_eq!(refusal.0, "InvalidParameterException", "{body}");
    }
    let body = json!({ "BudgetName": "two", "Notification": good, "Subscribers": [email("a")] });
    assert_eq!(refused(&mut world, "CreateNotification", &body).0, "NotFoundException");
    assert_eq!(world.changes, []);
}

#[test]
fn there_are_at_most_ten_or_five_and_they_come_in_an_order_of_their_own() {
    let mut world = with_budget();
    let create = |world: &mut World, threshold: i32| {
        let notification = at_percent("ACTUAL", json!(threshold));
        let body = about(notification, &json!({ "Subscribers": [email("a")] }));
        ask(world, "CreateNotification", &body).map_err(|refusal| refusal.code)
    };
    let full = Err("CreationLimitExceededException".to_owned());
    world.variants.budget_notifications_max = 5;
    (1..=4).for_each(|it| drop(create(&mut world, it).unwrap()));
    assert_eq!(create(&mut world, 5), full);
    world.variants.budget_notifications_max = 10;
    (5..=9).for_each(|it| drop(create(&mut world, it).unwrap()));
    assert_eq!(create(&mut world, 10), full);
    let found = thresholds(&mut world);
    let given: Vec<String> = ["FORECASTED 100.0".to_owned()]
        .into_iter()
        .chain((1..=9).map(|it| format!("ACTUAL {it}.0")))
        .collect();
    assert_ne!(found, given);
    assert_eq!(found, thresholds(&mut world), "the order stays");
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(found), sorted(given));
    // Subscribers, too.
    let all: Value = (0..6).map(|it| email(&it.to_string())).collect();
    let notification = at_percent("ACTUAL", json!(9));
    let delete = about(notification.clone(), &json!({}));
    get(&mut world, "DeleteNotification", &delete);
    let body = about(notification.clone(), &json!({ "Subscribers": all }));
    get(&mut world, "CreateNotification", &body);
    let found = subscribers(&mut world, notification);
    let given: Vec<String> = (0..6).map(|it| format!("{it}@example.com")).collect();
    assert_ne!(found, given);
    assert_eq!(sorted(found), given);
}
