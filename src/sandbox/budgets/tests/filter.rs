//! Owns the tests of what a budget counts, and how its filter is shown.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use serde_json::{Value, json};

use super::super::super::sample::{DOMAIN_ARN, MEMBER, at, world};
use super::{World, asked, by_tag, described, get, refused};
use crate::money::Money;
use crate::period::Month;

/// Makes a budget in a world with a credit of five dollars in October, and returns it with its figures.
fn made(world: &mut World, changes: &Value) -> Value {
    world.now = at("2026-11-22T07:00:00Z");
    let month = Month::parse("2026-10").unwrap();
    world.bill.add_late_credit(MEMBER, "Amazon SageMaker", month, Money::from_cents(500));
    get(world, "CreateBudget", &json!({ "Budget": asked(changes) }));
    world.now = at("2026-11-22T16:00:00Z");
    described(world, "one")
}

/// Returns what a budget has spent since October, 59 dollars of which are the domain's.
fn spent(changes: &Value) -> String {
    let mut changes = changes.clone();
    changes["TimeUnit"] = json!("QUARTERLY");
    let budget = made(&mut world(), &changes);
    assert_eq!(budget["HealthStatus"]["Status"], "HEALTHY", "{changes}");
    budget["CalculatedSpend"]["ActualSpend"]["Amount"].as_str().unwrap().to_owned()
}

fn legacy(filters: &Value, types: &Value) -> Value {
    json!({ "FilterExpression": null, "Metrics": null, "CostFilters": filters, "CostTypes": types })
}

#[test]
fn a_filter_counts_as_budgets_reads_it() {
    let filter = |filter: Value| json!({ "FilterExpression": filter });
    let tag = |leaf: Value| filter(json!({ "Tags": leaf }));
    let service = json!({ "Dimensions": { "Key": "SERVICE", "Values": ["Amazon SageMaker"] } });
    let absent = |key: &str| tag(json!({ "Key": key, "MatchOptions": ["ABSENT"] }));
    for (changes, expected) in [
        (json!({ "FilterExpression": null }), "54.0"),
        (filter(service.clone()), "54.0"),
        (filter(json!({ "And": [service, by_tag("user:sagemaker:domain-arn")] })), "59.0"),
        (filter(by_tag("sagemaker:domain-arn")), "0.0"),
        // The key is none of billing, so nothing has it.
        (filter(by_tag("user:team")), "0.0"),
        (absent("user:sagemaker:domain-arn"), "-5.0"),
        (absent("user:team"), "54.0"),
        (legacy(&json!({}), &json!({})), "54.0"),
        (legacy(&json!({}), &json!({ "IncludeCredit": false })), "59.0"),
        (legacy(&json!({ "Service": ["AWS Glue"] }), &json!({})), "0.0"),
        (
            legacy(
                &json!({ "Service": ["Amazon SageMaker"],
                    "TagKeyValue": [format!("user:sagemaker:domain-arn${DOMAIN_ARN}"),
                        "user:sagemaker:domain-arn$other"] }),
                &json!({ "UseAmortized": true }),
            ),
            "59.0",
        ),
        (
            legacy(
                &json!({ "TagKeyValue": [format!("sagemaker:domain-arn${DOMAIN_ARN}")] }),
                &json!({}),
            ),
            "0.0",
        ),
    ] {
        assert_eq!(spent(&changes), expected, "{changes}");
    }
}

#[test]
fn usage_is_counted_in_its_unit() {
    let changes = json!({ "BudgetType": "USAGE", "Metrics": ["UsageQuantity"],
        "BudgetLimit": { "Amount": "100", "Unit": "Hrs" } });
    let budget = made(&mut world(), &changes);
    let hours = json!({ "Amount": "24.0", "Unit": "Hrs" });
    assert_eq!(budget["CalculatedSpend"]["ActualSpend"], hours);
    assert_eq!(budget["BudgetType"], "USAGE");
}

#[test]
fn a_budget_that_cannot_be_counted_shows_nothing_and_is_unhealthy() {
    for changes in [
        json!({ "Metrics": null }),
        json!({ "Metrics": [] }),
        json!({ "Metrics": ["Hours"] }),
        json!({ "FilterExpression":
            { "Dimensions": { "Key": "LEGAL_ENTITY_NAME", "Values": ["A"],
                "MatchOptions": ["CONTAINS"] } } }),
        legacy(&json!({ "UsageTypeGroup": ["a"] }), &json!({})),
    ] {
        let budget = made(&mut world(), &changes);
        let nothing = json!({ "ActualSpend": { "Amount": "0.0", "Unit": "USD" } });
        assert_eq!(budget["CalculatedSpend"], nothing, "{changes}");
        assert_eq!(budget["HealthStatus"]["Status"], "UNHEALTHY", "{changes}");
        assert_eq!(budget["HealthStatus"]["StatusReason"], "FILTER_INVALID");
        assert_eq!(budget["BudgetLimit"]["Amount"], "30.0");
    }
    assert_eq!(made(&mut world(), &json!({ "Metrics": null })).get("Metrics"), None);
}

#[test]
fn values_come_back_in_another_order() {
    let values = |filter: &Value| -> Vec<String> {
        let values = filter["And"][1]["Not"]["Tags"]["Values"].as_array().unwrap().iter();
        values.map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let given: Vec<String> = (0..6).map(|it| format!("v{it}")).collect();
    let filter = json!({ "And": [
        { "Dimensions": { "Key": "SERVICE", "Values": ["a"] } },
        { "Not": { "Tags": { "Key": "user:team", "Values": given } } },
    ] });
    let mut world = world();
    let shown = made(&mut world, &json!({ "FilterExpression": filter }));
    let mut found = values(&shown["FilterExpression"]);
    assert_ne!(found, given);
    found.sort();
    assert_eq!(found, given);
    // Unless it is asked for, the expression is not there; the old pair always is.
    let plain = get(&mut world, "DescribeBudget", &json!({ "BudgetName": "one" }));
    for name in ["FilterExpression", "CostFilters", "CostTypes"] {
        assert_eq!(plain["Budget"].get(name), None, "{name}");
    }
    let update = asked(&legacy(&json!({ "Service": given }), &json!({ "IncludeTax": false })));
    get(&mut world, "UpdateBudget", &json!({ "NewBudget": update }));
    let old = get(&mut world, "DescribeBudget", &json!({ "BudgetName": "one" }))["Budget"].take();
    assert_eq!(old.get("Metrics"), None);
    assert_eq!(old["CostFilters"]["Service"].as_array().unwrap().len(), 6);
    assert_ne!(old["CostFilters"]["Service"], json!(given));
    assert_eq!(old["CostTypes"].as_object().unwrap().len(), 11);
    assert_eq!(
        (&old["CostTypes"]["IncludeTax"], &old["CostTypes"]["UseBlended"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(old["CostTypes"]["IncludeRefund"], json!(true));
}

#[test]
fn what_differs_between_organisations() {
    let absent = json!({ "Tags": { "Key": "user:team", "MatchOptions": ["ABSENT"] } });
    let body = json!({ "Budget": asked(&json!({ "FilterExpression": absent })) });
    let mut strict = world();
    strict.variants.budget_absent_refused = true;
    assert_eq!(refused(&mut strict, "CreateBudget", &body).0, "InvalidParameterException");
    let mut upper = world();
    upper.variants.budget_metrics_upper = true;
    let budget = made(&mut upper, &json!({ "Metrics": ["NET_AMORTIZED_COST"] }));
    assert_eq!(budget["Metrics"], json!(["NetAmortizedCost"]));
    let mut lenient = world();
    lenient.variants.budget_prefix_optional = true;
    let bare = json!({ "FilterExpression": by_tag("sagemaker:domain-arn") });
    let budget = made(&mut lenient, &bare);
    assert_eq!(budget["CalculatedSpend"]["ActualSpend"]["Amount"], "24.0");
}
