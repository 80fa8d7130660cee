//! Owns the tests of what a request to make a budget is refused for.
//!
//! **Invariant:** each rule is broken once, by a request that is right otherwise.

use serde_json::{Value, json};

use super::super::super::sample::{MEMBER, PAYER, payer, world};
use super::{World, asked, at_percent, by_tag, email, get, refused, sns};

fn check(changes: &Value, code: &str, part: &str) {
    let mut world = world();
    let found = refused(&mut world, "CreateBudget", &json!({ "Budget": asked(changes) }));
    assert_eq!(found.0, code, "{changes}: {}", found.1);
    assert!(found.1.contains(part), "{changes}: {}", found.1);
    assert!(world.organisation.budgets.is_empty() && world.changes.is_empty());
}

fn invalid(changes: &Value, part: &str) {
    check(changes, "InvalidParameterException", part);
}

#[test]
fn names_follow_the_pattern() {
    for name in ["a:b", "a\\b", "a/action/b", "x<SCRIPT>y</script>z", &"n".repeat(101), ""] {
        invalid(&json!({ "BudgetName": name }), "'budgetName' failed to satisfy constraint");
    }
    let mut world = world();
    for name in [&"é".repeat(100), "a/b (c) @ =+-%", "<script>"] {
        let body = json!({ "Budget": asked(&json!({ "BudgetName": name })) });
        get(&mut world, "CreateBudget", &body);
    }
}

#[test]
fn each_member_has_its_form() {
    let usd = |amount: &str| json!({ "BudgetLimit": { "Amount": amount, "Unit": "USD" } });
    for amount in ["-1", "1.", "1e3", ".", "1.2.3", " 1", "+1"] {
        invalid(&usd(amount), "at 'amount' failed to satisfy constraint");
    }
    for (changes, part) in [
        (json!({ "BudgetType": "MONEY" }), "enum value set"),
        (json!({ "BudgetType": "RI_COVERAGE" }), "not part of this imitation"),
        (json!({ "TimeUnit": "WEEKLY" }), "enum value set"),
        (json!({ "TimeUnit": null }), "Value null at 'timeUnit'"),
        (json!({ "BudgetLimit": { "Unit": "USD" } }), "Value null at 'amount'"),
        (json!({ "BudgetLimit": { "Amount": "1", "Unit": "EUR" } }), "EUR is not the currency"),
        (json!({ "BudgetLimit": null }), "has to be specified"),
        (json!({ "AutoAdjustData": { "AutoAdjustType": "FORECAST" } }), "Only one of"),
        (json!({ "TimePeriod": { "Start": "2026-11-01" } }), "Start is not a timestamp"),
        (json!({ "TimePeriod": { "Start": 1_900_000_000, "End": 1_800_000_000 } }), "before end"),
        (
            json!({ "TimePeriod": { "Start": 1_600_000_000, "End": 1_700_000_000 } }),
            "in the future",
        ),
        (json!({ "TimePeriod": { "End": 3_706_473_601_i64 } }), "06/15/87"),
        (json!({ "TimeUnit": "CUSTOM" }), "needs a start date and an end date"),
        (
            json!({ "TimeUnit": "CUSTOM",
                "TimePeriod": { "Start": 1_793_500_000, "End": 1_893_500_000 } }),
            "three years",
        ),
        (json!({ "BillingViewArn": "arn:aws:iam::1:view/a" }), "not the ARN of a billing view"),
    ] {
        invalid(&changes, part);
    }
    let view = format!("arn:aws:billing::{PAYER}:billingview/primary");
    check(&json!({ "BillingViewArn": view }), "NotFoundException", "doesn't exist");
}

#[test]
fn filters_follow_their_rules() {
    let filter = |filter: Value| json!({ "FilterExpression": filter });
    let service = json!({ "Dimensions": { "Key": "SERVICE", "Values": ["a"] } });
    let tag = |leaf: Value| filter(json!({ "Tags": leaf }));
    let accounts = json!({ "Dimensions": { "Key": "LINKED_ACCOUNT", "Values": [MEMBER] } });
    let mut two = by_tag("user:team");
    two["Dimensions"] = service["Dimensions"].clone();
    for (changes, part) in [
        (json!({ "CostFilters": { "Service": ["a"] } }), "can't be used together"),
        (json!({ "CostTypes": {} }), "can't be used together"),
        (json!({ "Metrics": ["UnblendedCost", "BlendedCost"] }), "at most one"),
        (json!({ "Metrics": ["UNBLENDED_COST"] }), "not a metric"),
        (filter(two), "more than one roots"),
        (filter(json!({})), "Expression is empty"),
        (filter(json!({ "And": [service] })), "at least two operands"),
        (filter(json!({ "Or": [service, { "Not": {} }] })), "Expression is empty"),
        (tag(json!({ "Key": "user:team", "Values": [] })), "at least one member"),
        (tag(json!({ "Key": "user:team" })), "at least one member"),
        (
            tag(json!({ "Key": "user:team", "Values": ["a"], "MatchOptions": ["LIKE"] })),
            "not an option",
        ),
        (
            tag(json!({ "Key": "user:team", "Values": ["a"],
                "MatchOptions": ["EQUALS", "CASE_SENSITIVE"] })),
            "only one value",
        ),
        (filter(json!({ "Dimensions": { "Key": "COLOUR", "Values": ["a"] } })), "enum value set"),
        (
            filter(json!({ "Dimensions": { "Key": "SERVICE", "MatchOptions": ["ABSENT"] } })),
            "at least one member",
        ),
        (filter(json!({ "And": [service, { "Not": accounts }] })), "LINKED_ACCOUNT"),
    ] {
        invalid(&changes, part);
    }
    let legacy = |filters: Value, types: Value| {
        json!({ "FilterExpression": null, "Metrics": null, "CostFilters": filters,
            "CostTypes": types })
    };
    for (filters, types, part) in [
        (json!({ "Service": [] }), json!({}), "has no values"),
        (json!({ "LinkedAccount": [MEMBER] }), json!({}), "LINKED_ACCOUNT"),
        (json!({}), json!({ "IncludeFun": true }), "not a switch"),
        (json!({}), json!({ "UseBlended": true, "UseAmortized": true }), "can't both be true"),
    ] {
        invalid(&legacy(filters, types), part);
    }
    // The payer has accounts to choose from.
    let body = json!({ "AccountId": PAYER, "Budget": asked(&filter(accounts)) });
    super::super::answer(&mut world(), &payer(), "CreateBudget", &body).unwrap();
}

#[test]
fn tags_and_notifications_of_a_new_budget_follow_their_rules() {
    let told = |threshold: i32, subscribers: Value| json!({ "Notification": at_percent("ACTUAL", json!(threshold)), "Subscribers": subscribers });
    let many = |count: i32| (1..=count).map(|it| told(it, json!([email("a")]))).collect::<Value>();
    let tag = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let eleven: Value = (0..11).map(|it| email(&it.to_string())).collect();
    for (name, value, code) in [
        ("ResourceTags", json!([tag("", "a")]), "InvalidParameterException"),
        ("ResourceTags", json!([tag(&"k".repeat(129), "a")]), "InvalidParameterException"),
        ("ResourceTags", json!([tag("k", "a"), tag("k", "b")]), "InvalidParameterException"),
        ("NotificationsWithSubscribers", many(11), "InvalidParameterException"),
        ("NotificationsWithSubscribers", json!([told(1, json!([]))]), "InvalidParameterException"),
        (
            "NotificationsWithSubscribers",
            json!([told(1, eleven)]),
            "CreationLimitExceededException",
        ),
        (
            "NotificationsWithSubscribers",
            json!([told(1, json!([sns("cost"), sns("private")]))]),
            "InvalidParameterException",
        ),
        (
            "NotificationsWithSubscribers",
            json!([told(80, json!([email("a")])), told(80, json!([email("b")]))]),
            "DuplicateRecordException",
        ),
    ] {
        let mut world = world();
        let mut body = json!({ "Budget": asked(&json!({})) });
        body[name] = value;
        assert_eq!(refused(&mut world, "CreateBudget", &body).0, code, "{body}");
        assert!(world.organisation.budgets.is_empty(), "{body}");
    }
    // As `CreateBudget` is documented there are five, as its shape says ten.
    let create = |world: &mut World, count| {
        let mut body = json!({ "Budget": asked(&json!({})) });
        body["NotificationsWithSubscribers"] = many(count);
        super::ask(world, "CreateBudget", &body).map_err(|refusal| refusal.code)
    };
    let mut world = world();
    world.variants.budget_notifications_max = 5;
    let refusal = create(&mut world, 6).unwrap_err();
    assert_eq!(refusal, "CreationLimitExceededException");
    world.variants.budget_notifications_max = 10;
    create(&mut world, 10).unwrap();
}

#[test]
fn nobody_changes_the_budgets_of_another_account() {
    let mut world = world();
    for (name, member) in [("CreateBudget", "Budget"), ("UpdateBudget", "NewBudget")] {
        let mut body = json!({ "AccountId": PAYER });
        body[member] = asked(&json!({}));
        assert_eq!(refused(&mut world, name, &body).0, "AccessDeniedException");
    }
    let body = json!({ "AccountId": PAYER, "BudgetName": "one" });
    assert_eq!(refused(&mut world, "DeleteBudget", &body).0, "AccessDeniedException");
    assert_eq!(
        refused(&mut world, "CreateBudgetAction", &json!({})).0,
        "UnknownOperationException"
    );
}
