//! Owns the proof that faults of AWS and of the network never make a wrong total.
//!
//! Each case is a seed: the same faults at the same requests, without waiting.

use apportion::cli::collect::{Options, ask};
use apportion::cli::condition::Condition;
use apportion::control;
use apportion::ledger::Reason;
use apportion::metric::Metric;
use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::Shared;
use serde_json::{Value, json};

use crate::world::{
    Judged, PAYER, alter, ask_as, ask_without, judge, make, month, options, paid, small,
    with_inventory,
};

fn set(world: &Shared, faults: Value) {
    alter(world, |world| world.faults = serde_json::from_value(faults).unwrap());
}

/// Every month is whole, whatever was not read.
fn assert_whole(judged: &Judged) {
    let manifest = &judged.snapshot.manifest;
    for month in manifest.months() {
        assert_eq!(judged.ledger.total(month), control::scope_total(manifest, month), "{month}");
    }
}

#[test]
fn faults_leave_the_figures_as_they_are_or_are_told() {
    let mut scenario = small(2);
    scenario.variants.page_groups = 60;
    let clean = judge(&make(&scenario, 80), &options()).figures();
    let (mut whole, mut partial, mut failed) = (0, 0, 0);
    for seed in 0..24_u64 {
        let world = make(&scenario, 80);
        let level = seed % 4;
        set(
            &world,
            json!({
                "seed": seed,
                "throttle_percent": 1 + level * 2,
                "throttle_burst": 1 + seed % 5,
                "error_percent": 1 + level * 3,
                "cut_percent": 1 + level * 3,
                "lose_percent": 1 + level * 3,
                "slow_percent": 2,
                "slow_ms": 1,
                "expire_tokens_after": (seed % 3 == 0).then_some(60 + seed),
            }),
        );
        match ask_as(&world, PAYER, &options(), None) {
            Ok(snapshot) => {
                let judged = Judged::of(snapshot);
                assert_whole(&judged);
                let receipt = judged.snapshot.manifest.receipt;
                assert!((receipt.pages..=receipt.pages + receipt.unknown).contains(&paid(&world)));
                if judged.code() == 0 {
                    assert_eq!(judged.figures(), clean, "seed {seed}");
                    whole += 1;
                } else {
                    assert_eq!(judged.conditions, [Condition::Partial], "seed {seed}");
                    assert!(!judged.notes.is_empty());
                    partial += 1;
                }
            }
            // Without the bill or a control there is no proof, so there is no report.
            Err(error) => {
                assert!(matches!(error, ask::Error::Aws(_)), "seed {seed}: {error}");
                failed += 1;
            }
        }
    }
    assert!(whole >= 18, "{whole} whole, {partial} partial, {failed} without a report");
}

#[test]
fn an_expired_token_starts_the_request_again() {
    let mut scenario = small(2);
    scenario.variants.page_groups = 60;
    let world = make(&scenario, 81);
    let clean = judge(&world, &options());
    set(&world, json!({ "expire_tokens_after": 45 }));
    let again = judge(&world, &options());
    assert_eq!(again.code(), 0, "{:?}", again.notes);
    assert_eq!(again.figures(), clean.figures());
    assert!(again.snapshot.manifest.receipt.failed > 0, "no token expired");
    assert!(again.snapshot.manifest.receipt.pages > clean.snapshot.manifest.receipt.pages);
}

#[test]
fn a_region_that_may_not_be_read_is_named_and_costs_nothing_its_owner() {
    let world = make(&Scenario::default(), 7);
    let clean = judge(&world, &with_inventory());
    assert_eq!(clean.code(), 0, "{:?}", clean.notes);
    set(&world, json!({ "denied": [{ "service": "sagemaker", "region": "eu-west-1" }] }));
    let denied = judge(&world, &with_inventory());
    assert_eq!(denied.conditions, [Condition::Partial]);
    assert!(denied.says("777788889999 in eu-west-1"), "{:?}", denied.notes);
    assert!(denied.says("AccessDenied"));
    assert_eq!(denied.figures(), clean.figures());
}

#[test]
fn an_operation_that_may_not_be_called_is_named() {
    let world = make(&small(2), 82);
    let clean = judge(&world, &with_inventory());
    for (service, operation) in [
        ("sagemaker", "ListSpaces"),
        ("budgets", "DescribeBudgets"),
        ("ce", "ListCostAllocationTags"),
        ("ce", "ListCostAllocationTagBackfillHistory"),
    ] {
        set(&world, json!({ "denied": [{ "service": service, "operation": operation }] }));
        let denied = judge(&world, &with_inventory());
        assert_eq!(denied.conditions, [Condition::Partial], "{operation}: {:?}", denied.notes);
        assert_eq!(denied.figures(), clean.figures(), "{operation}");
    }
    set(&world, json!({ "denied": [{ "service": "ce", "operation": "GetCostAndUsage" }] }));
    let error = ask_as(&world, PAYER, &options(), None).unwrap_err();
    assert!(error.to_string().contains("GetCostAndUsage"), "{error}");
}

#[test]
fn an_unanswered_question_is_not_read_and_never_a_zero() {
    let world = make(&small(2), 83);
    let clean = judge(&world, &options());
    // The record type stands alone only in the question about the cell itself.
    let deaf = Judged::of(ask_without(&world, &options(), "\"SavingsPlanCoveredUsage\""));
    assert_eq!(deaf.conditions, [Condition::Partial]);
    assert!(deaf.says("SavingsPlanCoveredUsage"), "{:?}", deaf.notes);
    assert!(deaf.snapshot.manifest.receipt.unknown > 0);
    assert_whole(&deaf);
    for month in clean.snapshot.manifest.months() {
        assert_eq!(deaf.ledger.total(month), clean.ledger.total(month));
    }
    let unread = deaf.ledger.lines.iter().filter(|line| line.reason == Some(Reason::NotRead));
    let names = &deaf.ledger.names;
    let mut count = 0;
    for line in unread {
        assert_eq!(names.text(line.record_type), "SavingsPlanCoveredUsage");
        assert!(!line.amounts.is_zero());
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn a_month_that_moves_once_is_read_once_more() {
    for after in [1, 3, 6, 9, 12, 15] {
        let world = make(&small(2), 84);
        set(&world, json!({ "drift": { "after": after, "amount": "5.25" } }));
        let moved = judge(&world, &options());
        assert_eq!(moved.code(), 0, "after {after}: {:?}", moved.notes);
        let asked = moved.snapshot.manifest.asked.iter();
        assert!(asked.clone().count() > 22, "nothing was read once more");
        assert_whole(&moved);
        assert_eq!(moved.figures(), judge(&world, &options()).figures(), "after {after}");
    }
}

#[test]
fn a_month_that_keeps_moving_is_marked_and_no_failure() {
    let world = make(&small(2), 85);
    set(&world, json!({ "drift": { "after": 2, "amount": "5.25", "repeats": 1000 } }));
    let moving = judge(&world, &Options { concurrency: 1, ..options() });
    assert_eq!(moving.conditions, [Condition::Moving]);
    assert_eq!(moving.code(), 5);
    assert_eq!(moving.snapshot.manifest.moving, [month("2026-11")]);
    assert!(moving.says("2026-11 changed while it was read, twice"), "{:?}", moving.notes);
    let quiet = judge(&make(&small(2), 85), &options());
    for month in quiet.snapshot.manifest.months().into_iter().filter(|it| *it < month("2026-11")) {
        for metric in Metric::ALL {
            let total = moving.ledger.total(month).get(metric);
            assert_eq!(total, quiet.ledger.total(month).get(metric), "{month}");
        }
    }
}

#[test]
fn an_amount_altered_in_a_settled_month_is_a_failure() {
    for text in ["USAGE_TYPE", "sagemaker:domain-arn"] {
        let world = make(&small(2), 86);
        let tamper = json!({ "page": 2, "request_contains": text, "delta": "-0.000001" });
        set(&world, json!({ "tamper": tamper }));
        let judged = judge(&world, &options());
        assert_eq!(judged.code(), 4, "{text}: {:?}", judged.notes);
        assert!(judged.says("difference"), "{:?}", judged.notes);
    }
}
