//! Owns the tests of billing backfills.
//!
//! **Invariant:** the clock is moved by hand, and each refusal is AWS's own.

use serde_json::{Value, json};

use super::{MEMBER, PAYER, ask_as, print, set, team_of, world};
use crate::sandbox::world::World;

fn start(world: &mut World, from: &str) -> Value {
    let body = json!({ "BackfillFrom": from });
    match ask_as(world, PAYER, "StartCostAllocationTagBackfill", &body) {
        Ok(answer) => answer["BackfillRequest"].clone(),
        Err(refusal) => json!(refusal.code),
    }
}

fn at(world: &mut World, now: &str) {
    world.now = now.parse().unwrap();
}

fn history(world: &mut World) -> String {
    let body = json!({});
    let answer = ask_as(world, PAYER, "ListCostAllocationTagBackfillHistory", &body).unwrap();
    let requests = answer["BackfillRequests"].as_array().unwrap().iter();
    let text = |it: &Value, name: &str| it[name].as_str().unwrap_or("-").to_owned();
    let print = |it: &Value| {
        let names = ["BackfillFrom", "RequestedAt", "CompletedAt", "BackfillStatus"];
        names.map(|name| text(it, name)).join(" ")
    };
    requests.map(print).collect::<Vec<String>>().join("\n")
}

#[test]
fn a_backfill_starts_on_the_first_of_one_of_the_last_twelve_months() {
    for (from, accepted) in [
        ("2026-11-01T00:00:00Z", true),
        ("2025-11-01T00:00:00Z", true),
        ("2025-11-01T00:00:00+00:00", true),
        ("2025-10-01T00:00:00Z", false),
        ("2026-12-01T00:00:00Z", false),
        ("2026-11-02T00:00:00Z", false),
        ("2026-11-01", false),
        ("2026-11-01T00:00:00", false),
        ("2026-11-01T00:00:00.000Z", false),
        ("2026-11-01T00:00Z", false),
        ("2026-11-01 00:00:00Z", false),
        ("2026-11-01T00:00:00+0000", false),
        // In UTC that is still October.
        ("2026-11-01T00:00:00+09:00", false),
        ("", false),
    ] {
        let answer = start(&mut world(), from);
        assert_eq!(answer["BackfillStatus"] == "PROCESSING", accepted, "{from}: {answer}");
        assert!(accepted || answer == "ValidationException", "{from}: {answer}");
    }
    for operation in ["StartCostAllocationTagBackfill", "ListCostAllocationTagBackfillHistory"] {
        let body = json!({"BackfillFrom": "2026-11-01T00:00:00Z"});
        let refusal = ask_as(&mut world(), MEMBER, operation, &body).unwrap_err();
        assert_eq!(refusal.code, "AccessDeniedException", "{operation}");
    }
}

#[test]
fn activation_is_not_retroactive_but_a_backfill_is_after_its_course_and_a_lag() {
    let mut world = world();
    let before = "2026-10-01 team$=23.46000713";
    set(&mut world, &[("team", true)]).unwrap();
    start(&mut world, "2026-10-01T00:00:00Z");
    assert_eq!(team_of(&mut world, "2026-10"), before);
    let processing = "2026-10-01T00:00:00Z 2026-11-22T16:00:00Z - PROCESSING";
    let done = "2026-10-01T00:00:00Z 2026-11-22T16:00:00Z 2026-11-23T13:30:00Z SUCCEEDED";
    let after = "2026-10-01 team$=9.20000713 team$a=14.26";
    for (now, listed, shown) in [
        ("2026-11-23T13:29:59Z", processing, before),
        ("2026-11-23T13:30:00Z", done, before),
        ("2026-11-24T13:29:59Z", done, before),
        ("2026-11-24T13:30:00Z", done, after),
    ] {
        at(&mut world, now);
        assert_eq!(history(&mut world), listed, "{now}");
        assert_eq!(team_of(&mut world, "2026-10"), shown, "{now}");
    }
    // 0.46 a day for thirty days of September were not asked for.
    assert_eq!(team_of(&mut world, "2026-09"), "2026-09-01 team$=20.7000069");
    // Up to the request from the backfill, the days after it by the activation: no gap.
    assert_eq!(
        team_of(&mut world, "2026-11"),
        "2026-11-01 team$=5.29000529 team$a=10.58 estimated"
    );
    let mut world = super::world();
    world.variants.backfill_lag_hours = 0;
    set(&mut world, &[("team", true)]).unwrap();
    start(&mut world, "2026-10-01T00:00:00Z");
    at(&mut world, "2026-11-23T13:30:00Z");
    assert_eq!(team_of(&mut world, "2026-10"), after);
}

#[test]
fn a_backfill_that_fails_changes_nothing_and_may_be_asked_for_again() {
    let mut world = world();
    (world.variants.backfill_fails, world.variants.backfill_lag_hours) = (true, 0);
    set(&mut world, &[("team", true)]).unwrap();
    start(&mut world, "2026-10-01T00:00:00Z");
    at(&mut world, "2026-11-24T16:00:00Z");
    let failed = "2026-10-01T00:00:00Z 2026-11-22T16:00:00Z - FAILED";
    assert_eq!(history(&mut world), failed);
    assert_eq!(team_of(&mut world, "2026-10"), "2026-10-01 team$=23.46000713");
    world.variants.backfill_fails = false;
    assert_eq!(start(&mut world, "2026-10-01T00:00:00Z")["BackfillStatus"], "PROCESSING");
    at(&mut world, "2026-11-25T13:30:00Z");
    assert_eq!(team_of(&mut world, "2026-10"), "2026-10-01 team$=9.20000713 team$a=14.26");
    // What has failed stays failed.
    assert!(history(&mut world).ends_with(failed));
}

#[test]
fn one_at_a_time_once_a_day_and_skipped_without_a_change() {
    let mut world = world();
    let (october, august) = ("2026-10-01T00:00:00Z", "2026-08-01T00:00:00Z");
    set(&mut world, &[("team", true)]).unwrap();
    assert_eq!(start(&mut world, october)["BackfillStatus"], "PROCESSING");
    let limit = json!("BackfillLimitExceededException");
    assert_eq!(start(&mut world, october), limit, "one is under way");
    at(&mut world, "2026-11-23T14:00:00Z");
    let skipped = json!({
        "BackfillFrom": october, "RequestedAt": "2026-11-22T16:00:00Z",
        "CompletedAt": "2026-11-23T13:30:00Z", "LastUpdatedAt": "2026-11-23T13:30:00Z",
        "BackfillStatus": "SUCCEEDED",
    });
    assert_eq!(start(&mut world, october), skipped, "nothing has changed");
    set(&mut world, &[("team", true)]).unwrap();
    assert_eq!(start(&mut world, october), skipped, "the same status is no change");
    assert_eq!(start(&mut world, august), limit, "24 hours have not passed");
    set(&mut world, &[("team", false)]).unwrap();
    assert_eq!(start(&mut world, october), limit, "24 hours have not passed");
    at(&mut world, "2026-11-23T16:00:00Z");
    assert_eq!(start(&mut world, october)["RequestedAt"], "2026-11-23T16:00:00Z");
    at(&mut world, "2026-11-25T00:00:00Z");
    assert_eq!(start(&mut world, august)["BackfillFrom"], august, "further back than before");
    assert_eq!(history(&mut world).lines().count(), 3);
    let first = json!({"MaxResults": 2});
    let operation = "ListCostAllocationTagBackfillHistory";
    let page = ask_as(&mut world, PAYER, operation, &first).unwrap();
    assert_eq!(page["BackfillRequests"][0]["BackfillFrom"], august, "newest first");
    let next = json!({"MaxResults": 2, "NextToken": page["NextToken"]});
    let page = ask_as(&mut world, PAYER, operation, &next).unwrap();
    assert_eq!(page["BackfillRequests"].as_array().unwrap().len(), 1);
    assert_eq!(world.counts.paid, 0, "none of it is charged");
}

#[test]
fn a_backfill_takes_the_history_of_inactive_keys_and_gives_it_back_when_active() {
    let mut world = world();
    (world.variants.backfill_lag_hours, world.variants.activation_hours) = (0, 24);
    let domains = |world: &mut World| {
        let body = super::usage(
            "2026-09-01",
            "2026-10-01",
            "MONTHLY",
            &json!({"GroupBy": [{"Type": "TAG", "Key": "domain"}]}),
        );
        print(&ask_as(world, PAYER, "GetCostAndUsage", &body).unwrap())
    };
    let whole = "2026-09-01 domain$=0.0000069 domain$d$1=6.9 domain$d2=13.8";
    let lost = "2026-09-01 domain$=20.7000069";
    assert_eq!(domains(&mut world), whole);
    set(&mut world, &[("domain", false)]).unwrap();
    at(&mut world, "2026-11-24T00:00:00Z");
    assert_eq!(domains(&mut world), whole, "deactivated, it keeps its history");
    // Somebody wants the history of `team`; that of `domain` is lost by it.
    set(&mut world, &[("team", true)]).unwrap();
    start(&mut world, "2026-09-01T00:00:00Z");
    at(&mut world, "2026-11-25T00:00:00Z");
    assert_eq!(domains(&mut world), lost);
    assert_eq!(team_of(&mut world, "2026-09"), "2026-09-01 team$=6.9000069 team$a=13.8");
    set(&mut world, &[("domain", true)]).unwrap();
    at(&mut world, "2026-11-26T00:00:00Z");
    assert_eq!(domains(&mut world), lost, "activation alone gives nothing back");
    start(&mut world, "2026-09-01T00:00:00Z");
    at(&mut world, "2026-11-27T00:00:00Z");
    assert_eq!(domains(&mut world), whole);
}
