//! Owns the tests of Cost Explorer as a whole: one small bill, many questions.
//!
//! **Invariant:** every expected figure is worked out by hand from the bill in `world`.

mod backfill;
mod key;
mod page;

use std::sync::Arc;

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::{answer, spend};
use crate::money::Money;
use crate::period::{Month, Period};
use crate::sandbox::bill::{Bill, Charge, Meter, Rates};
use crate::sandbox::faults::{Drift, Tamper};
use crate::sandbox::organisation::{Account, Organisation, TagKey};
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::{Variants, World};

const PAYER: &str = "111122223333";
const MEMBER: &str = "444455556666";

fn charge(about: &str, tags: &[(&str, &str)], days: &[(Date, i64)]) -> Charge {
    let mut words = about.split(' ');
    let mut word = || words.next().unwrap();
    let (account, service, record_type) = (word(), word(), word());
    let meter = Meter {
        account: account.into(),
        region: "us-east-1".into(),
        service: service.into(),
        usage_type: "USE1-Train:ml.m5.xlarge".into(),
        operation: "RunInstance".into(),
        record_type: record_type.into(),
        unit: "Hrs".into(),
        tags: Arc::new(tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()),
        truth: "none/test".into(),
    };
    Charge::on(meter, Rates::flat(2300), days)
}

/// One hour is $0.23. The key `space` is active from 15 October on, `domain` always, `team` never.
fn world() -> World {
    let hours = 1_000_000;
    let each = |hours| -> Vec<(Date, i64)> {
        (1..=30)
            .map(|day| (date(2026, 9, day), hours))
            .chain((1..=31).map(|day| (date(2026, 10, day), hours)))
            .chain((1..=30).map(|day| (date(2026, 11, day), hours)))
            .collect()
    };
    let charges = vec![
        charge(
            &format!("{PAYER} SageMaker Usage"),
            &[("domain", "d$1"), ("space", "s1")],
            &each(hours),
        ),
        charge(
            &format!("{MEMBER} SageMaker Usage"),
            &[("domain", "d2"), ("team", "a")],
            &each(2 * hours),
        ),
        charge(&format!("{MEMBER} Glue Usage"), &[], &each(1)),
        charge(&format!("{PAYER} Tax Tax"), &[], &[(date(2026, 10, 31), 10 * hours)]),
        charge(&format!("{PAYER} SageMaker Credit"), &[], &[(date(2026, 10, 31), -hours)]),
    ];
    let account = |id: &str, name: &str| Account {
        id: id.into(),
        name: name.into(),
        email: String::new(),
        joined_at: "2021-01-01T00:00:00Z".parse().unwrap(),
    };
    let key = |key: &str, since: Option<Date>| TagKey {
        key: key.into(),
        changes: since.map(|day| (day, true)).into_iter().collect(),
        ..TagKey::default()
    };
    let organisation = Organisation {
        payer: PAYER.into(),
        accounts: vec![account(PAYER, "Management"), account(MEMBER, "Data")],
        tag_keys: vec![
            key("domain", Some(date(2024, 1, 1))),
            key("space", Some(date(2026, 10, 15))),
            key("team", None),
        ],
        ..Organisation::default()
    };
    let now = "2026-11-22T16:00:00Z".parse().unwrap();
    World::new(now, organisation, Bill { charges }, Variants::default())
}

fn ask_as(
    world: &mut World,
    account: &str,
    operation: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    let caller = Caller { account: account.into(), region: "us-east-1".into() };
    Ok(match answer(world, &caller, operation, body)? {
        Body::Json(value) => value,
        Body::Written(text) => serde_json::from_str(&text).unwrap(),
        Body::Xml(text) => panic!("{text}"),
    })
}

/// Changes statuses; returns the failed entries a line each, or the refusal.
fn set(world: &mut World, keys: &[(&str, bool)]) -> Result<String, String> {
    let entry = |(key, on): &(&str, bool)| json!({"TagKey": key, "Status": if *on { "Active" } else { "Inactive" }});
    let entries: Vec<Value> = keys.iter().map(entry).collect();
    let body = json!({ "CostAllocationTagsStatus": entries });
    let answer = ask_as(world, PAYER, "UpdateCostAllocationTagsStatus", &body)
        .map_err(|refusal| format!("{}: {}", refusal.code, refusal.message))?;
    let print = |error: &Value| {
        ["TagKey", "Code", "Message"].map(|name| error[name].as_str().unwrap()).join(" ")
    };
    let errors = answer["Errors"].as_array().unwrap();
    Ok(errors.iter().map(print).collect::<Vec<String>>().join("\n"))
}

/// Prints a month by the key `team`.
fn team_of(world: &mut World, month: &str) -> String {
    let period = Month::parse(month).unwrap().period();
    let group = json!({"GroupBy": [{"Type": "TAG", "Key": "team"}]});
    let (start, end) = (period.start.to_string(), period.end.to_string());
    print(
        &ask_as(world, PAYER, "GetCostAndUsage", &usage(&start, &end, "MONTHLY", &group)).unwrap(),
    )
}

fn usage(start: &str, end: &str, granularity: &str, more: &Value) -> Value {
    let mut body = json!({
        "TimePeriod": {"Start": start, "End": end},
        "Granularity": granularity,
        "Metrics": ["UnblendedCost"],
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Prints an answer: `start key,key=amount …` a line.
fn print(answer: &Value) -> String {
    let amount = |of: &Value| of["UnblendedCost"]["Amount"].as_str().unwrap_or("-").to_owned();
    let slots = answer["ResultsByTime"].as_array().unwrap().iter().map(|slot| {
        let groups = slot["Groups"].as_array().unwrap().iter().map(|group| {
            let keys: Vec<&str> =
                group["Keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
            format!(" {}={}", keys.join(","), amount(&group["Metrics"]))
        });
        let total = match &slot["Total"] {
            Value::Object(total) if total.is_empty() => String::new(),
            total => format!(" {}", amount(total)),
        };
        let mark = if slot["Estimated"] == json!(true) { " estimated" } else { "" };
        let start = slot["TimePeriod"]["Start"].as_str().unwrap();
        format!("{start}{total}{}{mark}", groups.collect::<String>())
    });
    slots.collect::<Vec<String>>().join("\n")
}

fn check(more: &Value, expected: &str) {
    let body = usage("2026-10-01", "2026-12-01", "MONTHLY", more);
    let answer = ask_as(&mut world(), PAYER, "GetCostAndUsage", &body).unwrap();
    assert_eq!(print(&answer), expected, "{more}");
}

#[test]
fn figures_are_the_bill_filtered_and_grouped() {
    // October: 31 × 0.23 = 7.13, 31 × 0.46 = 14.26, 31 × 2.3E-7, tax 2.3, credit -0.23.
    check(&json!({}), "2026-10-01 23.46000713\n2026-11-01 14.49000483 estimated");
    check(
        &json!({"GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}]}),
        "2026-10-01 Glue,Usage=0.00000713 SageMaker,Credit=-0.23 SageMaker,Usage=21.39 Tax,Tax=2.3\n\
         2026-11-01 Glue,Usage=0.00000483 SageMaker,Usage=14.49 estimated",
    );
    check(
        &json!({"GroupBy": [{"Type": "TAG", "Key": "domain"}]}),
        "2026-10-01 domain$=2.07000713 domain$d$1=7.13 domain$d2=14.26\n\
         2026-11-01 domain$=0.00000483 domain$d$1=4.83 domain$d2=9.66 estimated",
    );
    check(
        &json!({"GroupBy": [{"Type": "TAG", "Key": "team"}], "Filter": {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit"]}}}}),
        "2026-10-01 team$=21.39000713\n2026-11-01 team$=14.49000483 estimated",
    );
}

#[test]
fn a_key_shows_from_the_day_it_was_active() {
    // 1 to 14 October are without the key: 14 × 0.23 = 3.22; 17 days have it: 3.91.
    let filter = json!({"Dimensions": {"Key": "SERVICE", "Values": ["SageMaker"]}});
    let group = json!([{"Type": "TAG", "Key": "space"}]);
    check(
        &json!({"Filter": filter, "GroupBy": group}),
        "2026-10-01 space$=17.25 space$s1=3.91\n2026-11-01 space$=9.66 space$s1=4.83 estimated",
    );
    let present = json!({"Not": {"Tags": {"Key": "space", "MatchOptions": ["ABSENT"]}}});
    check(&json!({ "Filter": present }), "2026-10-01 3.91\n2026-11-01 4.83 estimated");
}

#[test]
fn tax_goes_with_any_filter_but_the_account() {
    let by_account = json!({"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [PAYER]}});
    check(&json!({"Filter": by_account}), "2026-10-01 9.2\n2026-11-01 4.83 estimated");
    let all = json!({"Dimensions": {"Key": "REGION", "Values": ["us-east-1"]}});
    check(
        &json!({"Filter": {"And": [by_account, all]}}),
        "2026-10-01 6.9\n2026-11-01 4.83 estimated",
    );
    let daily = usage("2026-10-31", "2026-11-01", "DAILY", &json!({}));
    let answer = ask_as(&mut world(), PAYER, "GetCostAndUsage", &daily).unwrap();
    assert_eq!(print(&answer), "2026-10-31 0.46000023");
}

#[test]
fn months_tile_and_are_the_sum_of_their_days() {
    let groups = json!({"GroupBy": [{"Type": "TAG", "Key": "space"}]});
    let sum = |granularity: &str, start: &str, end: &str| -> Money {
        let body = usage(start, end, granularity, &groups);
        let answer = ask_as(&mut world(), PAYER, "GetCostAndUsage", &body).unwrap();
        let slots = answer["ResultsByTime"].as_array().unwrap();
        let groups = slots.iter().flat_map(|slot| slot["Groups"].as_array().unwrap());
        groups
            .map(|it| {
                Money::parse(it["Metrics"]["UnblendedCost"]["Amount"].as_str().unwrap()).unwrap()
            })
            .sum()
    };
    let whole = sum("MONTHLY", "2026-09-01", "2026-12-01");
    let months =
        [("2026-09-01", "2026-10-01"), ("2026-10-01", "2026-11-01"), ("2026-11-01", "2026-12-01")];
    assert_eq!(months.iter().map(|(start, end)| sum("MONTHLY", start, end)).sum::<Money>(), whole);
    let tax = Money::parse("2.3").unwrap();
    assert_eq!(sum("DAILY", "2026-09-01", "2026-12-01") + tax, whole);
    assert_eq!(sum("MONTHLY", "2026-10-15", "2026-10-20").to_string(), "3.45000115");
}

#[test]
fn a_forecast_goes_on_as_the_last_weeks_went() {
    let mut world = world();
    let body = json!({
        "TimePeriod": {"Start": "2026-11-22", "End": "2026-12-01"},
        "Metric": "UNBLENDED_COST", "Granularity": "MONTHLY", "PredictionIntervalLevel": 80,
        "Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["SageMaker"]}},
    });
    // Three hours a day for nine days, of 0.23 each; the credit of 31 October is in its Saturdays.
    let answer = ask_as(&mut world, PAYER, "GetCostForecast", &body).unwrap();
    assert_eq!(answer["Total"], json!({"Amount": "6.1525", "Unit": "USD"}));
    assert!(answer["ForecastResultsByTime"][0]["PredictionIntervalUpperBound"].is_string());
    let mut early = body.clone();
    early["TimePeriod"]["Start"] = "2026-11-20".into();
    let refusal = ask_as(&mut world, PAYER, "GetCostForecast", &early).unwrap_err();
    assert_eq!(refusal.message, "Earliest supported Start is 2026-11-21");
    let mut empty = body;
    empty["Filter"]["Dimensions"]["Values"] = json!(["Nothing"]);
    let refusal = ask_as(&mut world, PAYER, "GetCostForecast", &empty).unwrap_err();
    assert_eq!(refusal.message, "Insufficient amount of historical data");
}

#[test]
fn faults_alter_what_is_said_and_what_is_billed() {
    let mut world = world();
    let body = usage("2026-10-01", "2026-12-01", "MONTHLY", &json!({}));
    let delta = Money::parse("0.01").unwrap();
    world.faults.tamper =
        Some(Tamper { page: 2, request_contains: "MONTHLY".into(), delta, seen: 0 });
    world.faults.drift =
        Some(Drift { after: 2, amount: Money::parse("5").unwrap(), repeats: 0, seen: 0 });
    let mut ask = || print(&ask_as(&mut world, PAYER, "GetCostAndUsage", &body).unwrap());
    assert_eq!(ask(), "2026-10-01 23.46000713\n2026-11-01 14.49000483 estimated");
    assert_eq!(ask(), "2026-10-01 23.47000713\n2026-11-01 14.49000483 estimated");
    assert_eq!(ask(), "2026-10-01 23.46000713\n2026-11-01 19.49000483 estimated");
    world.faults.cost_explorer_disabled = true;
    let refusal = ask_as(&mut world, PAYER, "GetCostAndUsage", &body).unwrap_err();
    assert_eq!(refusal.message, "User not enabled for cost explorer access");
}

#[test]
fn a_budget_spends_what_cost_explorer_shows() {
    let world = world();
    let period = Period { start: date(2026, 10, 1), end: date(2026, 11, 1) };
    let of = |key: &str| {
        let filter = json!({"Tags": {"Key": key, "Values": ["d2"]}});
        spend(&world, PAYER, Some(&filter), "NetAmortizedCost", period).unwrap().to_string()
    };
    assert_eq!((of("domain").as_str(), of("user:domain").as_str()), ("14.26", "0"));
    assert_eq!(
        spend(&world, PAYER, None, "UNBLENDED_COST", period).unwrap().to_string(),
        "23.46000713"
    );
}
