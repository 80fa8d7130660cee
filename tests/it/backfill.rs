//! Owns the proof of the billing backfill: its rules, its blast radius, its worth in dollars, and waiting for it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::Duration;

use apportion::activation::{Wanted, wanted};
use apportion::aws::Session;
use apportion::aws::cost_explorer::CostExplorer;
use apportion::cli::tags::wait::{Goal, Pace, Sleeping, Voice, wait};
use apportion::money::Money;
use apportion::sandbox::bill::Metric as Billed;
use apportion::sandbox::generate;
use apportion::sandbox::organisation::Backfill;
use apportion::sandbox::world::{Shared, World};
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::run::Sandbox;
use crate::tags::{ask, ended, folder, inactive, pass};
use crate::world::{PAYER, alter, month, now, settings, small};

/// The embedded scenario, whose key `team` was active until 10 May 2026.
fn with_team() -> World {
    let mut world = generate::world(&small(2), 11, 1, now());
    let team = world.organisation.tag_keys.iter_mut().find(|key| key.key == "team").unwrap();
    team.changes =
        vec![("2025-01-01".parse().unwrap(), true), ("2026-05-10".parse().unwrap(), false)];
    team.updated_at = Some("2026-05-10T00:00:00Z".parse().unwrap());
    world
}

/// What charges with a tag cost over some days.
fn borne(world: &Shared, key: &str, days: (&str, &str), is_sagemaker: bool) -> Money {
    let period =
        apportion::period::Period { start: days.0.parse().unwrap(), end: days.1.parse().unwrap() };
    alter(world, |world| {
        let charges = world.bill.charges.iter().filter(|charge| {
            let is_in = !is_sagemaker || apportion::request::is_in_scope(&charge.meter.service);
            is_in && charge.meter.tags.contains_key(key) && &*charge.meter.record_type != "Tax"
        });
        charges.map(|charge| charge.cost(Billed::NetAmortizedCost, period)).sum()
    })
}

/// An amount of a stake in the JSON of a plan.
#[track_caller]
fn amount(plan: &Value, what: &str) -> Option<Money> {
    let stakes = plan["stakes"].as_array().unwrap();
    let stake = stakes.iter().find(|stake| stake["what"] == what);
    let stake = stake.unwrap_or_else(|| panic!("no `{what}` in {stakes:#?}"));
    stake["amount"].as_str().map(|text| Money::parse(text).unwrap())
}

const PLAN: [&str; 6] = ["tags", "plan", "--backfill-from", "2026-02", "--format", "json"];

#[test]
fn a_key_that_would_lose_history_is_named_with_its_dollars_and_has_to_be_accepted() {
    for is_hidden in [false, true] {
        let mut world = with_team();
        world.variants.inactive_keys_hidden = is_hidden;
        let sandbox = Sandbox::start_with(world);
        let here = folder("");
        let plan = ask(&sandbox, &here, &PLAN);
        ended(&plan, 0, &["LOSES what history it has from 2026-02 on", "--acknowledge team"]);
        let lost = amount(
            &serde_json::from_str(&plan.stdout).unwrap(),
            "history of `team` from 2026-02 on",
        );
        let told = borne(&sandbox.world, "team", ("2026-02-01", "2026-05-10"), false);
        assert!(!told.is_zero());
        assert_eq!(lost, (!is_hidden).then_some(told));
        let apply = ["tags", "apply", "--yes", "--backfill-from", "2026-02"];
        let usd = if is_hidden { "lose an unknown amount" } else { "lose $" };
        ended(
            &ask(&sandbox, &here, &apply),
            1,
            &["nothing was changed", "`team` is inactive since 2026-05-10", usd],
        );
        let counts = |sandbox: &Sandbox| sandbox.world.lock().unwrap().organisation.backfills.len();
        assert_eq!(counts(&sandbox), 0);
        let other = [&apply[..], &["--acknowledge", "Team"]].concat();
        ended(&ask(&sandbox, &here, &other), 1, &["--acknowledge team"]);
        let accepted = [&apply[..], &["--acknowledge", "team"]].concat();
        ended(
            &ask(&sandbox, &here, &accepted),
            0,
            &["The billing backfill from 2026-02 was asked for"],
        );
        assert_eq!(counts(&sandbox), 1);
    }
}

#[test]
fn the_grid_tells_what_a_backfill_recovers_from_what_it_cannot() {
    let sandbox = Sandbox::start_with(with_team());
    let here = folder("");
    let plan = ask(&sandbox, &here, &PLAN);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    // The key of spaces is active since 12 March, and was never before.
    let of =
        |month: &str, what: &str| amount(&plan, &format!("sagemaker:space-arn in {month}: {what}"));
    let world = &sandbox.world;
    let space = |first, end| borne(world, "sagemaker:space-arn", (first, end), true);
    assert_eq!(of("2026-02", "attributed"), Some(Money::ZERO));
    assert_eq!(of("2026-02", "unattributed while active"), Some(Money::ZERO));
    assert_eq!(of("2026-04", "attributed"), Some(space("2026-04-01", "2026-05-01")));
    assert_eq!(of("2026-04", "unattributed while inactive"), Some(Money::ZERO));
    let recovered = of("2026-02", "unattributed while inactive").unwrap();
    assert!(recovered > space("2026-02-01", "2026-03-01") - Money::from_cents(1));
    // March is cut at the first whole day after the 24 hours, and its parts are the whole.
    let total = |days: (&str, &str)| -> Money {
        let period = apportion::period::Period {
            start: days.0.parse().unwrap(),
            end: days.1.parse().unwrap(),
        };
        alter(world, |world| {
            let charges = world.bill.charges.iter().filter(|charge| {
                apportion::request::is_in_scope(&charge.meter.service)
                    && &*charge.meter.record_type != "Tax"
            });
            charges.map(|charge| charge.cost(Billed::NetAmortizedCost, period)).sum()
        })
    };
    let parts = ["attributed", "unattributed while inactive", "unattributed while active"];
    let sum: Money = parts.iter().map(|part| of("2026-03", part).unwrap()).sum();
    assert_eq!(sum, total(("2026-03-01", "2026-04-01")));
    for part in parts {
        assert!(!of("2026-03", part).unwrap().is_zero(), "{part}");
    }
    assert_eq!(
        of("2026-03", "unattributed while active"),
        Some(total(("2026-03-14", "2026-04-01")) - space("2026-03-14", "2026-04-01"))
    );
}

#[test]
fn an_answer_that_is_lacking_is_unknown_and_the_limit_on_spending_holds() {
    let sandbox = Sandbox::start_with(with_team());
    let here = folder("");
    let text = ["tags", "plan", "--backfill-from", "2026-10"];
    let output = ask(&sandbox, &here, &[&text[..], &["--max-spend", "0.02"]].concat());
    ended(&output, 1, &["nothing was asked: it takes at least $0.09, and the limit is $0.02"]);
    assert_eq!(sandbox.paid(), 0);
    let output = ask(&sandbox, &here, &text);
    ended(
        &output,
        0,
        &["Quote: at least 9 requests", "answered 9 pages for $0.09", "recoverable at most"],
    );
    assert_eq!(sandbox.paid(), 9);
    sandbox.set_faults(json!({"denied": [{"service": "ce", "operation": "GetCostAndUsage"}]}));
    let output = ask(&sandbox, &here, &text);
    let said =
        ended(&output, 0, &["Could not be read:", "history of `team` from 2026-10 on: unknown"]);
    assert!(
        said.lines().any(|line| line.ends_with("unknown  unknown  unknown")
            || line.matches("unknown").count() == 3),
        "{said}"
    );
}

#[test]
fn its_rules_are_checked_before_it_is_asked_for() {
    let sandbox = Sandbox::start_with(inactive());
    let here = folder("");
    let apply =
        |month: &str| ask(&sandbox, &here, &["tags", "apply", "--yes", "--backfill-from", month]);
    ended(&apply("2026-12"), 2, &["2026-12 lies in the future"]);
    ended(&apply("2025-10"), 2, &["2025-10 is more than 12 months back"]);
    ended(&apply("2026-13"), 2, &["not a month"]);
    ended(&apply("2026-03"), 0, &["Activated", "was asked for at 2026-11-20T08:00:00Z"]);
    // The same again is done already; one that reaches further has to wait for that.
    ended(&apply("2026-03"), 0, &["Nothing to do", "because "]);
    ended(&apply("2026-05"), 0, &["Nothing to do", "the one from 2026-03"]);
    // What was asked for and cannot be had now is outstanding.
    let plan = |month| ask(&sandbox, &here, &["tags", "plan", "--check", "--backfill-from", month]);
    ended(&plan("2026-03"), 0, &["Nothing to do"]);
    ended(&plan("2026-02"), 3, &["busy (1)", "1 left alone"]);
    ended(&apply("2026-02"), 1, &["one from 2026-03 is under way since 2026-11-20T08:00:00Z"]);
    pass(&sandbox, 22);
    ended(&apply("2026-02"), 1, &["the next is possible at 2026-11-21T08:00:00Z"]);
    ended(&ask(&sandbox, &here, &["tags", "status"]), 0, &["2026-03", "SUCCEEDED"]);
    pass(&sandbox, 2);
    let saved = ["tags", "plan", "--backfill-from", "2026-02", "--save", "plan.json"];
    ended(&ask(&sandbox, &here, &saved), 0, &["gains what history from 2026-02"]);
    let stored = ["tags", "apply", "--yes", "--plan", "plan.json"];
    ended(&ask(&sandbox, &here, &stored), 0, &["was asked for at 2026-11-21T08:00:00Z"]);
    ended(&ask(&sandbox, &here, &stored), 0, &["All of the plan is done already."]);
    let world = sandbox.world.lock().unwrap();
    assert_eq!(world.organisation.backfills.len(), 2);
    assert_eq!(world.counts.by_operation["ce:StartCostAllocationTagBackfill"], 2);
}

/// Waits in process, while every sleep moves the world's clock and lets something happen; returns the exit code, what
/// was said and the hours that it took.
fn wait_in(
    world: &Shared,
    wanted: Vec<Wanted>,
    from: Option<&str>,
    happen: &dyn Fn(&mut World, i64),
) -> (Result<u8, String>, String, i64) {
    let said = RefCell::new(String::new());
    let hours = RefCell::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(async {
        let session = Session::open(&settings(world, PAYER, None)).await.unwrap();
        let explorer = CostExplorer::new(&session, None);
        let now = || alter(world, |world| world.now);
        let sleep = |time: Duration| -> Sleeping<'_> {
            assert_eq!(time, Duration::from_hours(1));
            Box::pin(async {
                *hours.borrow_mut() += 1;
                let hours = *hours.borrow();
                alter(world, |world| {
                    world.now += 1.hour();
                    happen(world, hours);
                });
            })
        };
        let pace = Pace { now: &now, sleep: &sleep, every: Duration::from_hours(1) };
        let from = from.map(month);
        let goal = Goal { wanted, from, acknowledged: Vec::new(), asked_at: None };
        let say = |text: &str| writeln!(said.borrow_mut(), "{text}").unwrap();
        let warn = |text: &str| writeln!(said.borrow_mut(), "however quiet: {text}").unwrap();
        let voice = Voice { say: &say, warn: &warn };
        wait(&explorer, goal, &pace, &voice).await.map_err(|failure| failure.text())
    });
    (code, said.into_inner(), hours.into_inner())
}

#[test]
fn waiting_activates_what_is_seen_late_and_ends_when_all_that_is_required_is_effective() {
    let mut world = inactive();
    let in_five_hours = world.now + 5.hours();
    for key in &mut world.organisation.tag_keys {
        match key.key.as_str() {
            "sagemaker:domain-arn" => key.listed_at = Some(in_five_hours),
            // Nobody has to wait for what an organization may never use.
            "sagemaker:shared-space-arn" => key.listed_at = Some(in_five_hours + 900.hours()),
            _ => {}
        }
    }
    let world = world.share();
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), None, &|_, _| {});
    assert_eq!((code, hours), (Ok(0), 29), "{said}");
    assert!(said.contains("billing has not seen `sagemaker:domain-arn` yet"), "{said}");
    assert!(said.contains("`sagemaker:domain-arn` is effective at 2026-11-21T13:00:00Z"), "{said}");
    // Begun again, there is nothing left to wait for.
    assert_eq!(wait_in(&world, wanted(&[], &[]), None, &|_, _| {}).2, 0);
}

#[test]
fn waiting_is_given_up_after_three_days_and_says_what_is_missing() {
    let world = inactive().share();
    let all = wanted(&["cost-center".to_owned()], &[]);
    let (code, said, hours) = wait_in(&world, all, None, &|_, _| {});
    assert_eq!((code, hours), (Ok(5), 72), "{said}");
    assert!(said.contains("however quiet: Given up after 72 hours"), "{said}");
    assert!(said.contains("still missing: billing has not seen `cost-center` yet."), "{said}");
}

#[test]
fn waiting_ends_though_the_clock_stands_still() {
    let world = inactive().share();
    let stand = |world: &mut World, hours| {
        world.now -= 1.hour();
        assert!(hours <= 72, "it never ends");
    };
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), None, &stand);
    assert_eq!((code, hours), (Ok(5), 72), "{said}");
}

#[test]
fn waiting_follows_a_backfill_and_passing_trouble_does_not_end_it() {
    let world = inactive().share();
    let trouble = |world: &mut World, hours| {
        world.faults.throttle_next = if hours == 3 { 8 } else { 0 };
    };
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &trouble);
    assert_eq!((code, hours), (Ok(0), 24), "{said}");
    assert!(said.contains("from 2026-03 was asked for at 2026-11-20T08:00:00Z"), "{said}");
    assert!(said.contains("is PROCESSING"), "{said}");
    assert!(said.contains("Cost Explorer refused"), "{said}");
    // Another one is under way that does not reach as far: it is waited for, and then a day has to pass.
    let mut world = inactive();
    let from = month("2026-08").start();
    let asked = Backfill { from, requested_at: world.now, ..Backfill::default() };
    world.organisation.backfills.push(asked);
    let world = world.share();
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &|_, _| {});
    assert_eq!((code, hours), (Ok(0), 46), "{said}");
    assert!(
        said.contains("one from 2026-08 is under way") && said.contains("the next is possible"),
        "{said}"
    );
}

#[test]
fn waiting_does_not_begin_a_backfill_that_takes_history_away() {
    let world = with_team().share();
    let (code, said, _) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &|_, _| {});
    let failure = code.unwrap_err();
    assert!(failure.contains("--acknowledge team"), "{failure}{said}");
    assert!(failure.starts_with("error: the billing backfill was not asked for"), "{failure}");
    assert!(alter(&world, |world| world.organisation.backfills.is_empty()));
}

#[test]
fn a_backfill_that_fails_at_aws_is_an_error_and_can_be_asked_for_again() {
    let mut world = inactive();
    world.variants.backfill_fails = true;
    let world = world.share();
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &|_, _| {});
    let failure = code.unwrap_err();
    assert!(failure.contains("the billing backfill from 2026-03 failed at AWS"), "{said}");
    assert_eq!(hours, 22, "{said}");
    alter(&world, |world| {
        world.variants.backfill_fails = false;
        world.now += 2.hours();
    });
    let (code, said, _) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &|_, _| {});
    assert_eq!(code, Ok(0), "{said}");
    assert_eq!(alter(&world, |world| world.organisation.backfills.len()), 2);
}

#[test]
fn waiting_goes_on_while_a_failed_backfill_still_counts_for_the_one_a_day() {
    let mut world = inactive();
    world.variants.backfill_fails = true;
    let world = world.share();
    let failed = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &|_, _| {}).0;
    assert!(failed.is_err());
    alter(&world, |world| world.variants.backfill_fails = false);
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &|_, _| {});
    assert_eq!((code, hours), (Ok(0), 24), "{said}");
    assert!(said.contains("AWS takes no billing backfill yet: You can request"), "{said}");
}

#[test]
fn waiting_outlasts_trouble_inside_aws() {
    let world = inactive().share();
    let trouble = |world: &mut World, hours| {
        world.faults.error_percent = if hours == 3 { 100 } else { 0 };
    };
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), None, &trouble);
    assert_eq!((code, hours), (Ok(0), 24), "{said}");
    assert!(said.contains("Cost Explorer refused"), "{said}");
}

#[test]
fn waiting_holds_the_backfill_back_while_a_key_cannot_be_activated() {
    let mut world = inactive();
    (world.variants.active_keys_max, world.variants.quota_as_throttle) = (3, false);
    let world = world.share();
    let raise = |world: &mut World, hours| {
        assert!(hours > 5 || world.organisation.backfills.is_empty(), "{hours}");
        world.variants.active_keys_max = if hours < 5 { 3 } else { 500 };
    };
    let (code, said, hours) = wait_in(&world, wanted(&[], &[]), Some("2026-03"), &raise);
    assert_eq!((code, hours), (Ok(0), 29), "{said}");
    assert!(said.contains("is held back: `ManagedByAmazonSageMakerResource`: "), "{said}");
    assert!(said.contains("ServiceQuotaExceededException"), "{said}");
    assert!(!said.contains("needs another one"), "{said}");
}

#[test]
fn an_earlier_backfill_that_does_not_reach_as_far_back_is_no_success() {
    let mut world = inactive();
    world.variants.backfill_skips_further = true;
    let sandbox = Sandbox::start_with(world);
    let here = folder("");
    let apply =
        |month: &str| ask(&sandbox, &here, &["tags", "apply", "--yes", "--backfill-from", month]);
    ended(&apply("2026-05"), 0, &["was asked for at 2026-11-20T08:00:00Z"]);
    pass(&sandbox, 24);
    ended(
        &apply("2026-03"),
        1,
        &[
            "error: AWS began no billing backfill from 2026-03",
            "the one from 2026-05 that",
            "hint:",
        ],
    );
    let (code, said, _) = wait_in(&sandbox.world, wanted(&[], &[]), Some("2026-03"), &|_, _| {});
    assert!(code.unwrap_err().contains("does not reach as far back"), "{said}");
}
