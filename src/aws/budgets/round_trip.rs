//! Owns the test that what is sent to AWS Budgets reads back as it was meant.
//!
//! **Invariant:** no amount and no threshold changes on the way there and back.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arn::AccountId;
use crate::aws::testing::{Answer, session};
use crate::budget::{Subscriber, Threshold};
use crate::limit::Adjustment;
use crate::money::Money;
use crate::setup::{Alarm, Alarms, Ceiling, Setup};
use crate::step::Step;

use super::setup::END_OF_TIME;
use super::take;

/// Returns a monthly setup of a limit, without a filter and alarms.
pub(super) fn plain(ceiling: Ceiling) -> Setup {
    Setup {
        time_unit: "MONTHLY".to_owned(),
        ceiling,
        currency: "USD".to_owned(),
        metric: Some("NetAmortizedCost".to_owned()),
        filter: None,
        switches: None,
        billing_view: None,
        ends_on: None,
        alarms: Alarms::new(),
    }
}

/// Draws thresholds of up to 15 digits, which a double holds.
fn any_threshold() -> impl Strategy<Value = Threshold> {
    let amount = (1..1_000_000_000_000_000_i128, 0..12_u32)
        .prop_map(|(digits, places)| Money::from_units(digits * 10_i128.pow(12 - places)));
    prop_oneof![
        (1..100_000_000_i64).prop_map(Threshold::BasisPoints),
        amount.prop_map(Threshold::Amount)
    ]
}

fn any_ceiling() -> impl Strategy<Value = Ceiling> {
    let money = (1..i128::from(u64::MAX)).prop_map(Money::from_units);
    let planned = proptest::collection::vec(money.clone(), 12).prop_map(|amounts| {
        let first = crate::period::Month::parse("2026-11").unwrap();
        let starts = (0..12).map(|index| first.plus(index).start());
        Ceiling::Planned(starts.zip(amounts).collect())
    });
    prop_oneof![
        money.prop_map(Ceiling::Fixed),
        planned,
        (1..=60_u32).prop_map(|count| Ceiling::Adjusted(Adjustment::Historical(count))),
        Just(Ceiling::Adjusted(Adjustment::Forecast)),
    ]
}

fn any_setup() -> impl Strategy<Value = Setup> {
    let alarm = ("ACTUAL|FORECASTED", "GREATER_THAN|LESS_THAN|EQUAL_TO", any_threshold())
        .prop_map(|(kind, operator, threshold)| Alarm { kind, operator, threshold });
    let subscriber = prop_oneof![
        "[a-z]{1,3}@x\\.y".prop_map(Subscriber::Email),
        "arn:[a-z]{1,3}".prop_map(Subscriber::Sns)
    ];
    let whom = proptest::collection::btree_set(subscriber, 1..4);
    let alarms = proptest::collection::btree_map(alarm, whom, 0..4);
    let values = proptest::collection::vec("[a-c]{1,2}", 1..4);
    let filter = proptest::option::of((values, any::<bool>()).prop_map(|(values, is_not)| {
        let leaf = json!({"Tags": {"Key": "user:team", "Values": values}});
        let leaf = if is_not { json!({ "Not": leaf }) } else { leaf };
        let other = json!({"Dimensions": {"Key": "RECORD_TYPE", "Values": values}});
        crate::expression::tidy(&json!({"And": [leaf, other]}))
    }));
    let ends = proptest::option::of(Just("2026-12-31".parse().unwrap()));
    let view = proptest::option::of(Just("arn:aws:billing::1:billingview/x".to_owned()));
    (any_ceiling(), alarms, filter, ends, view).prop_map(
        |(ceiling, alarms, filter, ends_on, billing_view)| Setup {
            filter,
            billing_view,
            ends_on,
            alarms,
            ..plain(ceiling)
        },
    )
}

/// Answers for a budget as it was created, with what AWS adds, and its lists the other way round.
fn answer(created: &Value, operation: &str, body: &str) -> Value {
    let alarms = created["NotificationsWithSubscribers"].as_array().cloned();
    let mut alarms = alarms.unwrap_or_default();
    alarms.reverse();
    match operation {
        "DescribeBudget" => {
            let mut budget = created["Budget"].clone();
            budget["CalculatedSpend"] = json!({"ActualSpend": {"Amount": "0", "Unit": "USD"}});
            budget["TimePeriod"]["Start"] = json!(1_764_547_200);
            if budget["TimePeriod"].get("End").is_none() {
                budget["TimePeriod"]["End"] = json!(END_OF_TIME);
            }
            json!({ "Budget": budget })
        }
        "DescribeNotificationsForBudget" => {
            let notifications: Vec<&Value> = alarms.iter().map(|it| &it["Notification"]).collect();
            json!({ "Notifications": notifications })
        }
        _ => {
            let asked: Value = serde_json::from_str(body).unwrap();
            let alarm = alarms.iter().find(|it| it["Notification"] == asked["Notification"]);
            let mut whom = alarm.unwrap()["Subscribers"].as_array().unwrap().clone();
            whom.reverse();
            json!({ "Subscribers": whom })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_created_reads_back_as_it_was_meant(setup in any_setup()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let back = runtime.block_on(async {
                let account = AccountId::parse("111122223333").unwrap();
            let created = Arc::new(Mutex::new(Value::Null));
            let session = session(move |operation, body| {
                let mut created = created.lock().unwrap();
                if operation == "CreateBudget" {
                    *created = serde_json::from_str(body).unwrap();
                    return Answer::Body(200, "{}".to_owned());
                }
                Answer::Body(200, answer(&created, operation, body).to_string())
            }).await;
            take(&session, &account, "b", &Step::CreateBudget(setup.clone())).await.unwrap();
            super::setup(&session, &account, "b").await.unwrap()
        });
        prop_assert_eq!(back, Some(setup));
    }
}
