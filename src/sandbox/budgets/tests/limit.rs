//! Owns the tests of limits in their three forms, and of spend by the time unit.
//!
//! **Invariant:** a dollar a day since June and two on Sundays; the present is Sunday, 22 November 2026.

use serde_json::{Map, Value, json};

use super::super::super::sample::{at, world};
use super::{World, asked, at_percent, described, email, get, refused};
use crate::period::Month;

/// Makes the budget, lets figures come in, and returns it as it is described then.
fn made(changes: &Value) -> (World, Value) {
    let mut world = world();
    world.now = at("2026-11-22T07:00:00Z");
    get(&mut world, "CreateBudget", &json!({ "Budget": asked(changes) }));
    world.now = at("2026-11-22T16:00:00Z");
    let budget = described(&mut world, "one");
    (world, budget)
}

fn second(month: &str) -> i64 {
    at(&format!("{month}-01T00:00:00Z")).as_second()
}

/// Plans a limit of 101, 102 … for so many periods of so many months from one on.
fn plan(first: &str, count: i32, months: i32) -> Map<String, Value> {
    let first = Month::parse(first).unwrap();
    (0..count)
        .map(|index| {
            let month = first.plus(index * months).start().strftime("%Y-%m").to_string();
            let limit = json!({ "Amount": (101 + index).to_string(), "Unit": "USD" });
            (second(&month).to_string(), limit)
        })
        .collect()
}

fn planned(limits: Map<String, Value>, changes: &Value) -> Value {
    let mut all = json!({ "BudgetLimit": null, "PlannedBudgetLimits": Value::Object(limits) });
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

fn adjusted(unit: &str, data: &Value) -> Value {
    json!({ "BudgetLimit": null, "TimeUnit": unit, "AutoAdjustData": data })
}

#[test]
fn spend_is_that_of_the_time_unit() {
    let custom = json!({ "Start": second("2026-10"), "End": second("2027-04") });
    for (changes, actual, forecast) in [
        (json!({ "TimeUnit": "DAILY" }), "1.0", None),
        (json!({ "TimeUnit": "MONTHLY" }), "24.0", Some("35.0")),
        // 40 days are to come, which are five weeks and five days from a Sunday on.
        (json!({ "TimeUnit": "QUARTERLY" }), "59.0", Some("105.0")),
        (json!({ "TimeUnit": "ANNUALLY" }), "198.0", Some("244.0")),
        (json!({ "TimeUnit": "CUSTOM", "TimePeriod": custom }), "59.0", Some("208.0")),
    ] {
        let (_, budget) = made(&changes);
        let spend = &budget["CalculatedSpend"];
        assert_eq!(spend["ActualSpend"]["Amount"], actual, "{changes}");
        let shown = spend.get("ForecastedSpend").map(|it| it["Amount"].as_str().unwrap());
        assert_eq!(shown, forecast, "{changes}");
    }
    // What has not begun has spent nothing.
    let later = json!({ "Start": second("2027-01"), "End": second("2027-04") });
    let (_, budget) = made(&json!({ "TimeUnit": "CUSTOM", "TimePeriod": later }));
    let nothing = json!({ "ActualSpend": { "Amount": "0.0", "Unit": "USD" } });
    assert_eq!(budget["CalculatedSpend"], nothing);
}

#[test]
fn planned_limits_are_those_of_the_periods_from_the_present_one_on() {
    let (mut world, budget) = made(&planned(plan("2026-11", 12, 1), &json!({})));
    assert_eq!(budget["BudgetLimit"]["Amount"], "101.0");
    let limits = budget["PlannedBudgetLimits"].as_object().unwrap();
    assert_eq!(limits.len(), 12);
    assert_eq!(limits[&second("2027-10").to_string()]["Amount"], "112.0");
    // A past month is no longer told, and the limit is that of the present one.
    world.now = at("2027-01-05T16:00:00Z");
    let later = described(&mut world, "one");
    assert_eq!(later["BudgetLimit"]["Amount"], "103.0");
    let first = |budget: &Value| budget["PlannedBudgetLimits"].as_object().unwrap().len();
    assert_eq!(first(&later), 10);
    world.variants.planned_past_kept = true;
    assert_eq!(first(&described(&mut world, "one")), 12);
    // After the last one it stays, as if it were fixed.
    world.variants.planned_past_kept = false;
    world.now = at("2028-02-05T16:00:00Z");
    let last = described(&mut world, "one");
    assert_eq!(last["BudgetLimit"]["Amount"], "112.0");
    assert_eq!(last.get("PlannedBudgetLimits"), None);
}

#[test]
fn plans_that_do_not_fit_are_refused() {
    let quarterly = json!({ "TimeUnit": "QUARTERLY" });
    let ends = json!({ "TimePeriod": { "End": second("2027-02") } });
    let begins = json!({ "TimePeriod": { "Start": second("2027-01") } });
    let mut euros = plan("2026-11", 12, 1);
    euros[&second("2026-12").to_string()]["Unit"] = json!("EUR");
    let mut words = plan("2026-11", 11, 1);
    words.insert("2027-10".to_owned(), json!({ "Amount": "1", "Unit": "USD" }));
    for (limits, changes, fits) in [
        (plan("2026-11", 12, 1), json!({}), true),
        (plan("2026-10", 4, 3), quarterly.clone(), true),
        (plan("2026-11", 3, 1), ends, true),
        (plan("2027-01", 12, 1), begins, true),
        (plan("2026-11", 11, 1), json!({}), false),
        (plan("2026-11", 13, 1), json!({}), false),
        (plan("2026-10", 12, 1), json!({}), false),
        (plan("2026-12", 12, 1), json!({}), false),
        (plan("2026-11", 4, 3), quarterly, false),
        (plan("2026-11", 12, 1), json!({ "TimeUnit": "DAILY" }), false),
        (plan("2026-01", 1, 1), json!({ "TimeUnit": "ANNUALLY" }), false),
        (Map::new(), json!({}), false),
        (euros, json!({}), false),
        (words, json!({}), false),
    ] {
        let body = json!({ "Budget": asked(&planned(limits, &changes)) });
        if fits {
            get(&mut world(), "CreateBudget", &body);
        } else {
            let refusal = refused(&mut world(), "CreateBudget", &body);
            assert_eq!(refusal.0, "InvalidParameterException", "{body}");
        }
    }
}

#[test]
fn a_limit_follows_from_the_past() {
    let historical = |count: u8| {
        json!({ "AutoAdjustType": "HISTORICAL",
            "HistoricalOptions": { "BudgetAdjustmentPeriod": count } })
    };
    for (unit, count, limit, available) in [
        ("MONTHLY", 2, "34.5", 2),
        // There is nothing before June: 34, 35, 36, 34 and 35.
        ("MONTHLY", 12, "34.8", 5),
        ("DAILY", 7, "1.142857142857", 7),
        ("QUARTERLY", 4, "69.5", 2),
    ] {
        let (_, budget) = made(&adjusted(unit, &historical(count)));
        assert_eq!(budget["BudgetLimit"], json!({ "Amount": limit, "Unit": "USD" }), "{unit}");
        let options = &budget["AutoAdjustData"]["HistoricalOptions"];
        let expected =
            json!({ "BudgetAdjustmentPeriod": count, "LookBackAvailablePeriods": available });
        assert_eq!(*options, expected);
    }
    // Nothing was spent in the year before: there is no limit, which is not one of zero.
    let (_, budget) = made(&adjusted("ANNUALLY", &historical(1)));
    assert_eq!(budget.get("BudgetLimit"), None);
    let (mut world, budget) = made(&adjusted("MONTHLY", &json!({ "AutoAdjustType": "FORECAST" })));
    assert_eq!(budget["BudgetLimit"]["Amount"], "35.0");
    let data = &budget["AutoAdjustData"];
    assert_eq!(data["LastAutoAdjustTime"], at("2026-11-22T07:00:00Z").as_second());
    assert_eq!(data.get("HistoricalOptions"), None);
    world.now = at("2026-12-03T16:00:00Z");
    let later = described(&mut world, "one");
    assert_eq!(later["AutoAdjustData"]["LastAutoAdjustTime"], second("2026-12"));
}

#[test]
fn adjustments_that_do_not_fit_are_refused() {
    let data = |count: Value| {
        json!({ "AutoAdjustType": "HISTORICAL",
            "HistoricalOptions": { "BudgetAdjustmentPeriod": count } })
    };
    for (unit, data) in [
        ("DAILY", data(json!(61))),
        ("MONTHLY", data(json!(13))),
        ("MONTHLY", data(json!(0))),
        ("MONTHLY", data(json!("3"))),
        ("QUARTERLY", data(json!(5))),
        ("ANNUALLY", data(json!(2))),
        ("MONTHLY", json!({ "AutoAdjustType": "HISTORICAL" })),
        ("MONTHLY", json!({ "AutoAdjustType": "GUESS" })),
        ("MONTHLY", json!({ "AutoAdjustType": "FORECAST", "HistoricalOptions": {} })),
        ("CUSTOM", json!({ "AutoAdjustType": "FORECAST" })),
    ] {
        let mut changes = adjusted(unit, &data);
        changes["TimePeriod"] = json!({ "Start": second("2026-11"), "End": second("2027-04") });
        let body = json!({ "Budget": asked(&changes) });
        let refusal = refused(&mut world(), "CreateBudget", &body);
        assert_eq!(refusal.0, "InvalidParameterException", "{body}");
    }
}

#[test]
fn notifications_ring_by_the_limit_in_force() {
    // 24 dollars are spent.
    let historical = json!({ "AutoAdjustType": "HISTORICAL",
        "HistoricalOptions": { "BudgetAdjustmentPeriod": 2 } });
    let mut low = plan("2026-11", 12, 1);
    low[&second("2026-11").to_string()]["Amount"] = json!("20");
    for (changes, percent, state) in [
        // Of 34.5 dollars, 69 percent are 23.805 and 70 percent 24.15.
        (adjusted("MONTHLY", &historical), 69, "ALARM"),
        (adjusted("MONTHLY", &historical), 70, "OK"),
        (planned(low, &json!({})), 100, "ALARM"),
        (planned(plan("2026-11", 12, 1), &json!({})), 100, "OK"),
    ] {
        let (mut world, _) = made(&changes);
        let body = json!({ "BudgetName": "one", "Subscribers": [email("a")],
            "Notification": at_percent("ACTUAL", json!(percent)) });
        get(&mut world, "CreateNotification", &body);
        let all =
            get(&mut world, "DescribeNotificationsForBudget", &json!({ "BudgetName": "one" }));
        assert_eq!(all["Notifications"][0]["NotificationState"], state, "{changes} {percent}");
        assert_eq!(all["Notifications"][0]["ThresholdType"], "PERCENTAGE");
    }
}
