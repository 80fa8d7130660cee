//! Owns the tests of how budgets are made, replaced and deleted.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use serde_json::{Value, json};

use super::super::super::sample::{MEMBER, at, world};
use super::{asked, at_percent, described, email, get, refused, sns};

fn operations(world: &super::World) -> Vec<(&str, &str)> {
    world.changes.iter().map(|it| (it.operation.as_str(), it.budget.as_str())).collect()
}

#[test]
fn a_budget_is_made_replaced_and_deleted() {
    let mut world = world();
    let create = json!({
        "Budget": asked(&json!({})),
        "NotificationsWithSubscribers": [{
            "Notification": at_percent("ACTUAL", json!(80)),
            "Subscribers": [email("a"), sns("cost")],
        }],
        "ResourceTags": [{ "Key": "made-by", "Value": "test" }],
    });
    assert_eq!(get(&mut world, "CreateBudget", &create), json!({}));
    let made = described(&mut world, "one");
    assert_eq!(made["BudgetLimit"], json!({ "Amount": "30.0", "Unit": "USD" }));
    assert_eq!(made["CalculatedSpend"]["ActualSpend"]["Amount"], "0.0");
    let arn = json!({ "ResourceARN": format!("arn:aws:budgets::{MEMBER}:budget/one") });
    let tags = json!({ "ResourceTags": [{ "Key": "made-by", "Value": "test" }] });
    assert_eq!(get(&mut world, "ListTagsForResource", &arn), tags);

    world.now = at("2026-11-23T01:00:00Z");
    assert_eq!(described(&mut world, "one")["CalculatedSpend"]["ActualSpend"]["Amount"], "24.0");
    let limit = json!({ "Amount": "0.5", "Unit": "USD" });
    let update = json!({ "NewBudget": asked(&json!({ "BudgetLimit": limit })) });
    assert_eq!(get(&mut world, "UpdateBudget", &update), json!({}));
    let updated = described(&mut world, "one");
    assert_eq!(updated["BudgetLimit"], limit);
    // There is no spend until new figures come, and notifications and tags stay.
    assert_eq!(
        updated["CalculatedSpend"],
        json!({ "ActualSpend": { "Amount": "0.0", "Unit": "USD" } })
    );
    let body = json!({ "BudgetName": "one" });
    let notifications = get(&mut world, "DescribeNotificationsForBudget", &body);
    assert_eq!(notifications["Notifications"][0]["Threshold"].to_string(), "80.0");
    assert_eq!(get(&mut world, "ListTagsForResource", &arn), tags);

    assert_eq!(get(&mut world, "DeleteBudget", &body), json!({}));
    for operation in ["DescribeBudget", "DeleteBudget", "DescribeNotificationsForBudget"] {
        assert_eq!(refused(&mut world, operation, &body).0, "NotFoundException", "{operation}");
    }
    assert_eq!(refused(&mut world, "UpdateBudget", &update).0, "NotFoundException");
    assert_eq!(refused(&mut world, "ListTagsForResource", &arn).0, "NotFoundException");
    let expected = [("CreateBudget", "one"), ("UpdateBudget", "one"), ("DeleteBudget", "one")];
    assert_eq!(operations(&world), expected);
    assert_eq!(world.changes[0].body["ResourceTags"], tags["ResourceTags"]);
}

#[test]
fn a_second_budget_of_one_name_is_refused() {
    let mut world = world();
    let create = json!({ "Budget": asked(&json!({})) });
    get(&mut world, "CreateBudget", &create);
    assert_eq!(
        refused(&mut world, "CreateBudget", &create),
        (
            "DuplicateRecordException".to_owned(),
            "Error creating budget: one - the budget already exists.".to_owned()
        )
    );
    assert_eq!(operations(&world), [("CreateBudget", "one")]);
}

#[test]
fn what_is_not_said_is_filled_in() {
    let mut world = world();
    let start = |world: &mut super::World, name: &str| {
        let period = described(world, name)["TimePeriod"].take();
        assert_eq!(period["End"], 3_706_473_600_i64);
        jiff::Timestamp::from_second(period["Start"].as_i64().unwrap()).unwrap().to_string()
    };
    for (unit, expected) in [
        ("DAILY", "2026-11-22T00:00:00Z"),
        ("MONTHLY", "2026-11-01T00:00:00Z"),
        ("QUARTERLY", "2026-10-01T00:00:00Z"),
        ("ANNUALLY", "2026-01-01T00:00:00Z"),
    ] {
        let budget = asked(&json!({ "BudgetName": unit, "TimeUnit": unit }));
        get(&mut world, "CreateBudget", &json!({ "Budget": budget }));
        assert_eq!(start(&mut world, unit), expected);
    }
    // What is said stays, to the second.
    let period = json!({ "Start": 1_780_000_000, "End": 1_900_000_000.0 });
    let budget = asked(&json!({ "TimePeriod": period }));
    get(&mut world, "CreateBudget", &json!({ "Budget": budget }));
    let shown = described(&mut world, "one")["TimePeriod"].take();
    assert_eq!(shown, json!({ "Start": 1_780_000_000, "End": 1_900_000_000 }));
}

#[test]
fn a_budget_is_gone_after_its_end() {
    let mut world = world();
    let end = at("2026-12-01T00:00:00Z");
    let budget = asked(&json!({ "TimePeriod": { "End": end.as_second() } }));
    get(&mut world, "CreateBudget", &json!({ "Budget": budget }));
    let count = |world: &mut super::World| {
        get(world, "DescribeBudgets", &json!({}))["Budgets"].as_array().map(Vec::len)
    };
    world.now = at("2026-11-30T23:59:59Z");
    assert_eq!(count(&mut world), Some(1));
    world.now = end;
    assert_eq!(count(&mut world), Some(0));
}

#[test]
fn a_budget_by_day_cannot_watch_a_forecast() {
    let mut world = world();
    let notifications = |kind| json!([{ "Notification": at_percent(kind, json!(80)), "Subscribers": [email("a")] }]);
    let create = |changes: Value, kind| json!({ "Budget": asked(&changes), "NotificationsWithSubscribers": notifications(kind) });
    let daily = json!({ "TimeUnit": "DAILY" });
    let text = "FORECASTED notifications can't be used with the time unit DAILY";
    let expected = ("InvalidParameterException".to_owned(), text.to_owned());
    let body = create(daily.clone(), "FORECASTED");
    assert_eq!(refused(&mut world, "CreateBudget", &body), expected);
    get(&mut world, "CreateBudget", &create(json!({}), "FORECASTED"));
    let update = json!({ "NewBudget": asked(&daily) });
    assert_eq!(refused(&mut world, "UpdateBudget", &update), expected);
    get(&mut world, "DeleteBudget", &json!({ "BudgetName": "one" }));
    get(&mut world, "CreateBudget", &create(daily, "ACTUAL"));
    let body = json!({
        "BudgetName": "one",
        "Notification": at_percent("FORECASTED", json!(80)),
        "Subscribers": [email("a")],
    });
    assert_eq!(refused(&mut world, "CreateNotification", &body), expected);
    let body = json!({
        "BudgetName": "one",
        "OldNotification": at_percent("ACTUAL", json!(80)),
        "NewNotification": at_percent("FORECASTED", json!(80)),
    });
    assert_eq!(refused(&mut world, "UpdateNotification", &body), expected);
}
