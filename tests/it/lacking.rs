//! Owns the proof that what is lacking is never taken for known: metrics, inventories, and months that did not add up.

use apportion::arn::AccountId;
use apportion::bearer::Existence;
use apportion::cli::collect::Options;
use apportion::cli::collect::inventory::Place;
use apportion::cli::condition::Condition;
use apportion::metric::Metric;
use apportion::period::Month;
use apportion::records::{Builder, Records};
use apportion::snapshot::Snapshot;
use serde_json::json;

use crate::world::{Judged, MEMBER, alter, ask, make, month, options, small, with_inventory};

#[test]
fn a_month_that_did_not_add_up_is_read_again_though_its_controls_are_the_same() {
    let world = make(&small(2), 71);
    alter(&world, |world| {
        world.faults = serde_json::from_value(json!({
            "tamper": { "page": 1, "request_contains": "\"USAGE_TYPE\"", "delta": "0.01" }
        }))
        .unwrap();
    });
    let wrong = Judged::of(ask(&world, &options(), None));
    assert_eq!(wrong.code(), 4);
    alter(&world, |world| world.faults = serde_json::from_value(json!({})).unwrap());
    let healed = Judged::of(ask(&world, &options(), Some(&wrong.snapshot)));
    assert_eq!(healed.code(), 0, "{:?}", healed.notes);
    assert_eq!(healed.figures(), Judged::of(ask(&world, &options(), None)).figures());
}

/// Returns the snapshot without a metric on the first record of a month.
fn without(mut snapshot: Snapshot, metric: Metric, month: Month) -> Snapshot {
    let mut builder = Builder::default();
    let mut is_done = false;
    for mut record in snapshot.records.iter() {
        if !is_done && Month::of(record.start) == month {
            record.amounts.put(metric, None);
            is_done = true;
        }
        builder.push(&record);
    }
    assert!(is_done, "the month has a record");
    snapshot.records = builder.finish();
    snapshot
}

#[test]
fn a_metric_that_one_line_lacks_has_no_total_and_is_no_zero() {
    let world = make(&small(2), 72);
    let whole = ask(&world, &options(), None);
    let october = month("2026-10");
    let lacking = Judged::of(without(whole, Metric::NetAmortizedCost, october));
    let total = lacking.ledger.total(october);
    assert_eq!(total.get(Metric::NetAmortizedCost), None);
    assert!(total.get(Metric::UnblendedCost).is_some());
    assert!(lacking.conditions.contains(&Condition::Partial));
    assert_eq!(lacking.code(), 5);
    assert!(lacking.says("was not delivered for every line"));
    let unattributed = lacking.notes.iter().filter(|note| note.text.contains("Without an owner"));
    assert!(unattributed.count() > 0);
}

#[test]
fn an_account_without_a_role_is_a_gap_and_never_the_callers_own() {
    let world = make(&small(2), 73);
    let place = Place {
        account: Some(AccountId::parse(MEMBER).unwrap()),
        role_arn: None,
        external_id: None,
        regions: vec!["us-east-1".to_owned()],
    };
    let judged = Judged::of(ask(&world, &Options { places: vec![place], ..options() }, None));
    assert_eq!(judged.code(), 5);
    assert!(judged.says("needs a `role_arn`"), "{:?}", judged.notes);
    assert!(judged.snapshot.inventory.domains.is_empty());
    assert!(judged.snapshot.inventory.listed.is_empty());
}

#[test]
fn nobody_is_gone_where_nobody_looked() {
    let world = make(&small(2), 74);
    let first = ask(&world, &with_inventory(), None);
    alter(&world, |world| {
        world.faults = serde_json::from_value(json!({
            "denied": [{ "service": "sts", "operation": "AssumeRole" }]
        }))
        .unwrap();
    });
    let judged = Judged::of(ask(&world, &with_inventory(), Some(&first)));
    assert_eq!(judged.code(), 5);
    for bearer in &judged.ledger.bearers {
        let elsewhere = bearer.owner.domain().is_some_and(|it| it.account.as_str() == MEMBER);
        let gone = matches!(bearer.existence, Existence::Gone { .. } | Existence::NeverListed);
        assert!(!(elsewhere && gone), "{} is said to be gone", bearer.owner);
        // What was known of it is still known.
        assert!(!elsewhere || bearer.domain_name.is_some(), "{}", bearer.owner);
    }
}

#[test]
fn a_frame_without_records_has_no_months() {
    assert!(Records::empty().months().is_empty());
}
