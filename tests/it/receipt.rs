//! Owns the proof that the price is what was planned, and the receipt what was charged.

use std::collections::BTreeSet;

use apportion::money::Money;
use apportion::request::{self, Purpose};
use apportion::sandbox::scenario::Scenario;
use apportion::snapshot::Snapshot;
use serde_json::json;

use crate::world::{PAYER, alter, ask, ask_as, make, options, paid, small, with_inventory};

/// The questions of a snapshot, without their pages.
fn purposes(snapshot: &Snapshot) -> Vec<String> {
    snapshot.manifest.asked.iter().map(|asked| asked.purpose.to_string()).collect()
}

/// The number of requests that the plan comes to for what the controls found.
fn planned(snapshot: &Snapshot) -> usize {
    let manifest = &snapshot.manifest;
    let tells = manifest.controls.iter().filter(|control| !control.amounts.is_zero());
    let cells: BTreeSet<_> =
        tells.clone().map(|it| (&it.slice, &it.service, &it.record_type)).collect();
    let days = manifest.days.unwrap();
    let slices = tells.filter(|it| days.contains(it.month.start()));
    let daily: BTreeSet<_> = slices.map(|it| &it.slice).collect();
    let controls = request::slices(&manifest.scope).len();
    let (bill, evidence, again) = (1, 2, 1);
    bill + controls + cells.len() + evidence + daily.len() + again
}

#[test]
fn the_demonstration_takes_the_planned_requests_for_under_fifty_cents() {
    let world = make(&Scenario::default(), 7);
    let snapshot = ask(&world, &with_inventory(), None);
    let receipt = snapshot.manifest.receipt;
    assert!((15..=30).contains(&receipt.pages), "{receipt:?}");
    assert!(receipt.usd() < Money::from_cents(50));
    assert_eq!((receipt.pages, receipt.unknown, receipt.failed), (paid(&world), 0, 0));
    assert_eq!(purposes(&snapshot).len(), planned(&snapshot));
    let distinct: BTreeSet<String> = purposes(&snapshot).into_iter().collect();
    assert_eq!(distinct.len(), planned(&snapshot), "a question was asked twice");
    assert!(snapshot.manifest.quote.least <= receipt.pages);
}

#[test]
fn ten_times_the_people_take_the_same_requests_but_for_further_pages() {
    let few = ask(&make(&Scenario::default(), 7), &options(), None);
    let mut scenario =
        Scenario { domain_count: Some(20), user_count: Some(30), ..Scenario::default() };
    scenario.variants.page_groups = 1500;
    let world = make(&scenario, 7);
    let many = ask(&world, &options(), None);
    assert_eq!(purposes(&few), purposes(&many));
    let requests = u64::try_from(many.manifest.asked.len()).unwrap();
    assert!(many.manifest.receipt.pages > requests, "nothing was long enough for a second page");
    assert_eq!(many.manifest.receipt.pages, paid(&world));
    assert_eq!(few.manifest.receipt.pages, u64::try_from(few.manifest.asked.len()).unwrap());
}

#[test]
fn the_count_of_what_was_charged_lies_within_the_receipt_when_answers_are_lost() {
    let mut lost = 0;
    for seed in 0..10 {
        let world = make(&small(2), 60);
        alter(&world, |world| {
            world.faults = serde_json::from_value(
                json!({ "seed": seed, "services": ["ce"], "lose_percent": 8, "cut_percent": 4 }),
            )
            .unwrap();
        });
        let receipt = ask_as(&world, PAYER, &options(), None).unwrap().manifest.receipt;
        let range = receipt.pages..=receipt.pages + receipt.unknown;
        assert!(range.contains(&paid(&world)), "{} beside {receipt:?}", paid(&world));
        assert_eq!(receipt.requests, receipt.pages + receipt.failed + receipt.unknown);
        lost += receipt.unknown;
    }
    assert!(lost > 0, "no answer was lost");
}

#[test]
fn a_limit_stops_before_the_page_that_would_pass_it() {
    let world = make(&small(2), 61);
    let limited = |cents| {
        let spend_max = Some(Money::from_cents(cents));
        let options = apportion::cli::collect::Options { spend_max, ..options() };
        ask_as(&world, PAYER, &options, None)
    };
    let error = limited(3).unwrap_err();
    assert!(error.to_string().starts_with("nothing was asked: it takes at least $0.07"), "{error}");
    assert_eq!(paid(&world), 0);
    let error = limited(10).unwrap_err();
    assert!(error.to_string().contains("would pass the limit of $0.1"), "{error}");
    assert_eq!(paid(&world), 10);
}

#[test]
fn a_quote_is_no_more_than_what_is_asked() {
    let snapshot = ask(&make(&small(2), 62), &options(), None);
    let certain = |purpose: &&Purpose| matches!(purpose, Purpose::Bill | Purpose::Control { .. });
    let asked = snapshot.manifest.asked.iter().map(|asked| &asked.purpose);
    let least = u64::try_from(asked.filter(certain).count()).unwrap();
    assert_eq!(snapshot.manifest.quote.least, least);
}
