//! Owns the tests of budgets.
//!
//! **Invariant:** requests and answers only, as a client would see them.

mod change;
mod filter;
mod limit;
mod notification;
mod refusal;

use serde_json::{Value, json};

use super::super::sample::{DOMAIN_ARN, MEMBER, PAYER, at, budget, member, world};
use super::super::wire::{Body, Refusal};
use super::super::world::World;

fn ask(world: &mut World, operation: &str, body: &Value) -> Result<Value, Refusal> {
    let mut body = body.clone();
    if body.get("AccountId").is_none() {
        body["AccountId"] = json!(MEMBER);
    }
    super::answer(world, &member(), operation, &body).map(|answer| match answer {
        Body::Json(answer) => answer,
        other => panic!("{operation}: {other:?}"),
    })
}

/// Asks for what has to be answered.
fn get(world: &mut World, operation: &str, body: &Value) -> Value {
    ask(world, operation, body).unwrap_or_else(|refusal| panic!("{operation}: {refusal:?}"))
}

/// Asks for what has to be refused, and returns the code and the text.
fn refused(world: &mut World, operation: &str, body: &Value) -> (String, String) {
    let refusal = ask(world, operation, body).expect_err(operation);
    (refusal.code, refusal.message)
}

/// Returns a budget as it is described with its filter.
fn described(world: &mut World, name: &str) -> Value {
    let body = json!({ "BudgetName": name, "ShowFilterExpression": true });
    get(world, "DescribeBudget", &body)["Budget"].take()
}

/// Returns a monthly budget of 30 dollars as a request describes it, with some members changed.
fn asked(changes: &Value) -> Value {
    let mut budget = json!({
        "BudgetName": "one",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": { "Amount": "30", "Unit": "USD" },
        "FilterExpression": by_tag("user:sagemaker:domain-arn"),
        "Metrics": ["NetAmortizedCost"],
    });
    for (name, value) in changes.as_object().unwrap() {
        budget[name] = value.clone();
    }
    budget
}

/// Returns a notification at so many percent of the limit.
fn at_percent(kind: &str, threshold: Value) -> Value {
    let mut notification =
        json!({ "NotificationType": kind, "ComparisonOperator": "GREATER_THAN" });
    notification["Threshold"] = threshold;
    notification
}

fn email(name: &str) -> Value {
    json!({ "SubscriptionType": "EMAIL", "Address": format!("{name}@example.com") })
}

fn sns(topic: &str) -> Value {
    let arn = format!("arn:aws:sns:eu-west-1:{MEMBER}:{topic}");
    json!({ "SubscriptionType": "SNS", "Address": arn })
}

fn by_tag(key: &str) -> Value {
    json!({ "Tags": { "Key": key, "Values": [DOMAIN_ARN] } })
}

fn shown(filter: Option<Value>, now: &str) -> Value {
    let mut world = world();
    world.now = at(now);
    world.organisation.budgets.push(budget("one", filter));
    ask(&mut world, "DescribeBudget", &json!({ "BudgetName": "one" })).unwrap()["Budget"].take()
}

#[test]
fn spend_is_the_month_so_far_and_a_projection_by_weekday() {
    let spend = |filter, now| shown(filter, now)["CalculatedSpend"].clone();
    let usd = |amount: &str| json!({ "Amount": amount, "Unit": "USD" });
    let now = "2026-11-22T16:00:00Z";
    // 21 days with three Sundays; the month has 30 with five.
    let whole = json!({ "ActualSpend": usd("24.0"), "ForecastedSpend": usd("35.0") });
    assert_eq!(spend(None, now), whole);
    assert_eq!(spend(Some(by_tag("user:sagemaker:domain-arn")), now), whole);
    // Without the prefix the budget is accepted and shows nothing, for ever.
    assert_eq!(
        spend(Some(by_tag("sagemaker:domain-arn")), now),
        json!({ "ActualSpend": usd("0.0") })
    );
    // Less than five weeks of usage is too little for a forecast.
    let early = "2026-06-30T16:00:00Z";
    let mut world = world();
    world.now = at(early);
    let mut young = budget("one", None);
    young.updated_at = at("2026-06-01T00:00:00Z");
    world.organisation.budgets.push(young);
    let answer = ask(&mut world, "DescribeBudget", &json!({ "BudgetName": "one" })).unwrap();
    assert_eq!(answer["Budget"]["CalculatedSpend"], json!({ "ActualSpend": usd("33.0") }));
}

#[test]
fn a_changed_budget_shows_nothing_until_new_figures_come() {
    let mut world = world();
    let mut changed = budget("one", None);
    changed.updated_at = at("2026-11-22T16:00:00Z");
    world.organisation.budgets.push(changed);
    for (now, actual) in [("2026-11-22T18:00:00Z", "0.0"), ("2026-11-23T01:00:00Z", "24.0")] {
        world.now = at(now);
        let answer = ask(&mut world, "DescribeBudget", &json!({ "BudgetName": "one" })).unwrap();
        let spend = &answer["Budget"]["CalculatedSpend"]["ActualSpend"];
        assert_eq!(spend["Amount"], actual, "{now}");
    }
}

#[test]
fn the_filter_is_shown_when_asked_for() {
    let mut world = world();
    world.organisation.budgets.push(budget("one", Some(by_tag("user:team"))));
    let plain = ask(&mut world, "DescribeBudgets", &json!({})).unwrap();
    assert_eq!(plain["Budgets"][0].get("FilterExpression"), None);
    assert_eq!(plain["Budgets"][0]["Metrics"], json!(["NetAmortizedCost"]));
    assert_eq!(plain["Budgets"][0]["BudgetLimit"]["Amount"], "30.0");
    let body = json!({ "ShowFilterExpression": true });
    let full = ask(&mut world, "DescribeBudgets", &body).unwrap();
    assert_eq!(full["Budgets"][0]["FilterExpression"], by_tag("user:team"));
}

#[test]
fn a_filter_that_cannot_be_computed_makes_an_unhealthy_budget() {
    // Budgets refuses this when it is asked for; it is put here directly.
    let two_roots = json!({
        "Dimensions": { "Key": "SERVICE", "Values": ["Amazon SageMaker"] },
        "Tags": { "Key": "user:team", "Values": ["x"] },
    });
    let budget = shown(Some(two_roots), "2026-11-22T16:00:00Z");
    assert_eq!(budget["HealthStatus"]["Status"], "UNHEALTHY");
    assert_eq!(budget["HealthStatus"]["StatusReason"], "FILTER_INVALID");
}

#[test]
fn budgets_come_in_pages_of_a_hundred() {
    let mut world = world();
    world.organisation.budgets = (0..105).map(|n| budget(&format!("b{n:03}"), None)).collect();
    let first = ask(&mut world, "DescribeBudgets", &json!({})).unwrap();
    assert_eq!(first["Budgets"].as_array().unwrap().len(), 100);
    let next = json!({ "NextToken": first["NextToken"] });
    let last = ask(&mut world, "DescribeBudgets", &next).unwrap();
    assert_eq!(last["Budgets"].as_array().unwrap().len(), 5);
    assert_eq!(last.get("NextToken"), None);
    let wrong = ask(&mut world, "DescribeBudgetNotificationsForAccount", &next).unwrap_err();
    assert_eq!(wrong.code, "InvalidNextTokenException");
}

#[test]
fn a_notification_is_found_by_what_it_says() {
    let mut world = world();
    world.organisation.budgets.push(budget("one", None));
    let body = json!({ "BudgetName": "one" });
    let notifications = ask(&mut world, "DescribeNotificationsForBudget", &body).unwrap();
    let notification = &notifications["Notifications"][0];
    // 35 dollars are expected and the limit is 30.
    assert_eq!(notification["NotificationState"], "ALARM");
    assert_eq!(notification["Threshold"].to_string(), "100.0");
    let whom = |world: &mut World, threshold: Value| {
        let notification = json!({ "NotificationType": "FORECASTED",
            "ComparisonOperator": "GREATER_THAN", "Threshold": threshold });
        let body = json!({ "BudgetName": "one", "Notification": notification });
        ask(world, "DescribeSubscribersForNotification", &body)
    };
    let subscribers = whom(&mut world, json!(100)).unwrap();
    assert_eq!(
        subscribers["Subscribers"],
        json!([{ "SubscriptionType": "EMAIL", "Address": "finance@example.com" }])
    );
    assert_eq!(whom(&mut world, json!(80)).unwrap_err().code, "NotFoundException");
}

#[test]
fn nobody_sees_the_budgets_of_another_account() {
    let mut world = world();
    for (body, code) in [
        (json!({ "AccountId": PAYER }), "AccessDeniedException"),
        (json!({ "AccountId": "12" }), "InvalidParameterException"),
        (json!({ "AccountId": null }), "InvalidParameterException"),
        (json!({ "MaxResults": 1001 }), "InvalidParameterException"),
    ] {
        assert_eq!(ask(&mut world, "DescribeBudgets", &body).unwrap_err().code, code, "{body}");
    }
    let missing = ask(&mut world, "DescribeBudget", &json!({ "BudgetName": "none" }));
    assert_eq!(missing.unwrap_err().code, "NotFoundException");
}
