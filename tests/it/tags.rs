//! Owns the proof of `tags`: from inactive keys to a report with owners, and everything that may come between.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::path::Path;

use apportion::sandbox::generate;
use apportion::sandbox::organisation::TagKey;
use apportion::sandbox::world::World;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::{Output, Sandbox, apportion, read, write};
use crate::world::{MEMBER, PAYER, now, small};

/// A small organisation in which nobody has activated a key.
pub(crate) fn inactive() -> World {
    let mut world = generate::world(&small(2), 11, 1, now());
    for key in &mut world.organisation.tag_keys {
        key.changes.clear();
        key.updated_at = None;
    }
    world
}

/// A folder whose configuration makes retries quick, and says more.
pub(crate) fn folder(more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{more}\n[aws]\nretry_backoff_ms_max = 1\nattempts_max = 8\n");
    write(&folder.path().join("apportion.toml"), text.as_bytes());
    folder
}

/// Runs the program at the sandbox's time.
pub(crate) fn at_its_time(
    sandbox: &Sandbox,
    folder: &Path,
    account: &str,
    words: &[&str],
) -> Output {
    let now = sandbox.world.lock().unwrap().now.to_string();
    apportion(folder, &[words, &["--now", &now]].concat())
        .against(sandbox)
        .env("AWS_ACCESS_KEY_ID", &format!("AKIASANDBOX{account}"))
        .run()
}

pub(crate) fn ask(sandbox: &Sandbox, folder: &TempDir, words: &[&str]) -> Output {
    at_its_time(sandbox, folder.path(), PAYER, words)
}

/// Checks the exit code and returns what was said and printed.
#[track_caller]
pub(crate) fn ended(output: &Output, code: i32, words: &[&str]) -> String {
    let all = format!("{}{}", output.stdout, output.stderr);
    assert_eq!(output.code, code, "{all}");
    for word in words {
        assert!(all.contains(word), "no `{word}` in:\n{all}");
    }
    all
}

pub(crate) fn pass(sandbox: &Sandbox, hours: i64) {
    sandbox.world.lock().unwrap().now += hours.hours();
}

fn active(sandbox: &Sandbox) -> Vec<String> {
    let world = sandbox.world.lock().unwrap();
    let keys = world.organisation.tag_keys.iter();
    let active = keys.filter(|key| key.changes.last().is_some_and(|(_, on)| *on));
    active.map(|key| key.key.clone()).collect()
}

fn calls(sandbox: &Sandbox, operation: &str) -> u64 {
    let counts = &sandbox.world.lock().unwrap().counts;
    counts.by_operation.get(&format!("ce:{operation}")).copied().unwrap_or(0)
}

/// How many owners a month's report has, and what has none.
fn owners(folder: &TempDir, month: &str) -> usize {
    let text = read(&folder.path().join("apportion-out").join(month).join("owners.csv"));
    let text = String::from_utf8(text).unwrap();
    let is_owned = |line: &&str| line.contains(",space,") || line.contains(",user_profile,");
    text.lines().skip(1).filter(is_owned).count()
}

#[test]
fn from_all_keys_inactive_to_a_report_that_has_owners() {
    let sandbox = Sandbox::start_with(inactive());
    let here = folder("keys = [\"team\"]");
    let plan = ask(&sandbox, &here, &["tags", "plan", "--check"]);
    ended(
        &plan,
        3,
        &["~ key/sagemaker:domain-arn", "status: inactive -> active", "~ key/team", "6 to update"],
    );
    assert!(active(&sandbox).is_empty());
    assert_eq!(sandbox.paid(), 0);
    let run = ask(&sandbox, &here, &["run", "--yes", "--months", "1"]);
    ended(&run, 0, &["not active", "`apportion tags apply` activates"]);
    assert_eq!(owners(&here, "2026-10"), 0);

    let apply = ask(&sandbox, &here, &["tags", "apply", "--yes"]);
    ended(&apply, 0, &["Activated `team`", "up to 24 hours", "--backfill-from", "apportion retag"]);
    assert_eq!(active(&sandbox).len(), 6);
    let again = ask(&sandbox, &here, &["tags", "plan", "--check"]);
    ended(&again, 0, &["Nothing to do: 6 as they should be."]);
    let status = |effective: bool| {
        let status = ask(&sandbox, &here, &["tags", "status", "--format", "json"]);
        assert_eq!(status.code, 0, "{}", status.stderr);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        for key in status["keys"].as_array().unwrap() {
            assert_eq!((&key["active"], &key["effective"]), (&json!(true), &json!(effective)));
            assert_eq!(key["effective_at"], "2026-11-21T08:00:00Z");
        }
    };
    status(false);
    pass(&sandbox, 24);
    status(true);
    pass(&sandbox, 24 * 14);
    let run = ask(&sandbox, &here, &["run", "--yes", "--months", "1"]);
    ended(&run, 0, &[]);
    assert!(owners(&here, "2026-11") > 0);
}

#[test]
fn a_member_account_is_told_what_to_hand_over_and_changes_nothing() {
    let sandbox = Sandbox::start_with(inactive());
    let here = folder("keys = [\"team\"]\n[tags]\nactivate = [\"cost center\"]");
    for words in [
        &["tags", "status"][..],
        &["tags", "plan", "--backfill-from", "2026-01"],
        &["tags", "apply", "--yes", "--backfill-from", "2026-01"],
    ] {
        let output = at_its_time(&sandbox, here.path(), MEMBER, words);
        let said = ended(
            &output,
            1,
            &["error: account 444455556666 can neither see nor change", "hint: "],
        );
        assert!(output.stdout.contains("For account 111122223333, which pays"), "{said}");
        assert!(
            output.stdout.contains("TagKey=team,Status=Active 'TagKey=cost center,Status=Active'")
        );
        let has_backfill = output.stdout.contains("apportion tags apply --backfill-from 2026-01\n")
            && output.stdout.contains("--backfill-from 2026-01-01T00:00:00Z\n");
        assert_eq!(has_backfill, words.len() > 2, "{said}");
    }
    // Nobody tells who pays: billing's own refusal says it.
    sandbox.set_faults(json!({"denied": [{"service": "organizations"}]}));
    let output = at_its_time(&sandbox, here.path(), MEMBER, &["tags", "apply", "--yes"]);
    ended(&output, 1, &["the management account of its organization pays"]);
    assert!(active(&sandbox).is_empty());
    assert_eq!(calls(&sandbox, "UpdateCostAllocationTagsStatus"), 0);
    ended(
        &ask(&sandbox, &here, &["tags", "apply", "--yes"]),
        0,
        &["so billing is asked", "Activated"],
    );
}

#[test]
fn what_billing_has_not_seen_is_left_and_the_rest_is_activated() {
    for is_partial in [false, true] {
        let mut world = inactive();
        world.variants.unknown_keys_partial = is_partial;
        let rare = |key: &&mut TagKey| key.key == "sagemaker:shared-space-arn";
        let rare = world.organisation.tag_keys.iter_mut().find(rare).unwrap();
        rare.listed_at = Some(now() + 900.hours());
        let sandbox = Sandbox::start_with(world);
        let here = folder("[tags]\nactivate = [\"cost-center\"]");
        let output = ask(&sandbox, &here, &["tags", "apply", "--yes"]);
        ended(
            &output,
            0,
            &[
                "not_seen (2):\n    key/cost-center\n",
                "    key/sagemaker:shared-space-arn\n",
                "up to 24 hours after it is on",
            ],
        );
        assert_eq!(active(&sandbox).len(), 4);
    }
}

#[test]
fn a_plan_is_stale_when_somebody_changed_a_key_and_done_when_it_was_executed() {
    let sandbox = Sandbox::start_with(inactive());
    let here = folder("");
    let words = ["tags", "plan", "--backfill-from", "2026-08", "--save", "plan.json"];
    ended(&ask(&sandbox, &here, &words), 0, &["The plan is in `plan.json`", "+ backfill/2026-08"]);
    let apply = ["tags", "apply", "--plan", "plan.json", "--yes"];
    let set = |on: bool| {
        let mut world = sandbox.world.lock().unwrap();
        let (today, now) = (world.today(), world.now);
        let keys = &mut world.organisation.tag_keys;
        let key = keys.iter_mut().find(|key| key.key == "AmazonDataZoneProject").unwrap();
        key.changes = vec![(today, on)];
        key.updated_at = Some(now);
    };
    // Not one of ours, and yet the backfill would change its history.
    set(true);
    ended(
        &ask(&sandbox, &here, &apply),
        1,
        &[
            "the plan is stale",
            "key/AmazonDataZoneProject: planned from status = inactive, found status = active",
            "apportion tags plan",
        ],
    );
    assert_eq!(active(&sandbox), ["AmazonDataZoneProject"]);
    set(false);
    // The loss that nobody accepted: it was active once by now.
    ended(&ask(&sandbox, &here, &apply), 1, &["--acknowledge AmazonDataZoneProject"]);
    let accepted = [&apply[..], &["--acknowledge", "AmazonDataZoneProject"]].concat();
    ended(&ask(&sandbox, &here, &accepted), 0, &["was asked for at 2026-11-20T08:00:00Z"]);
    ended(&ask(&sandbox, &here, &accepted), 0, &[]);
    assert_eq!(calls(&sandbox, "StartCostAllocationTagBackfill"), 1);
    // Another account's plan is not ours, and neither is a plan of another kind.
    let text = String::from_utf8(read(&here.path().join("plan.json"))).unwrap();
    write(&here.path().join("plan.json"), text.replace(PAYER, MEMBER).as_bytes());
    ended(&ask(&sandbox, &here, &apply), 2, &["was planned by account 444455556666"]);
}

/// The state that an undisturbed `apply` ends with.
fn state(sandbox: &Sandbox) -> String {
    let world = sandbox.world.lock().unwrap();
    let organisation = &world.organisation;
    let keys: Vec<_> =
        organisation.tag_keys.iter().map(|key| (&key.key, &key.changes, key.updated_at)).collect();
    let froms: Vec<_> =
        organisation.backfills.iter().map(|it| (it.from, it.requested_at)).collect();
    format!("{keys:?} {froms:?}")
}

#[test]
fn lost_answers_and_throttling_end_in_the_same_state() {
    let words = ["tags", "apply", "--yes", "--backfill-from", "2026-08", "--max-spend", "5"];
    let expected = {
        let sandbox = Sandbox::start_with(inactive());
        ended(&ask(&sandbox, &folder("keys = [\"team\"]"), &words), 0, &[]);
        state(&sandbox)
    };
    let mut failed = 0;
    for seed in 0..6 {
        let sandbox = Sandbox::start_with(inactive());
        let here = folder("keys = [\"team\"]");
        let percent = if seed < 3 { 30 } else { 85 };
        sandbox.set_faults(json!({"seed": seed, "services": ["ce"], "lose_percent": percent,
            "throttle_percent": 20, "throttle_burst": 2, "error_percent": 10}));
        let mut tries = 0;
        while ask(&sandbox, &here, &words).code != 0 {
            failed += 1;
            tries += 1;
            if tries == 3 {
                sandbox.set_faults(json!({}));
            }
            assert!(tries < 6, "seed {seed}");
        }
        assert_eq!(state(&sandbox), expected, "seed {seed}");
    }
    assert!(failed > 0, "no run was disturbed enough to be run again");
}

#[test]
fn a_status_says_what_is_seen_and_what_a_backfill_would_take() {
    let mut world = generate::world(&small(1), 11, 1, now());
    let at: Timestamp = "2026-05-10T09:00:00Z".parse().unwrap();
    let team = world.organisation.tag_keys.iter_mut().find(|key| key.key == "team").unwrap();
    team.changes =
        vec![("2025-01-01".parse().unwrap(), true), ("2026-05-10".parse().unwrap(), false)];
    team.updated_at = Some(at);
    let sandbox = Sandbox::start_with(world);
    let here = folder("");
    let status = ask(&sandbox, &here, &["tags", "status"]);
    ended(
        &status,
        0,
        &[
            "2026-03-12T09:00:00Z",
            "1 active once and inactive now (`team`)",
            "No billing backfill was ever",
            "account 111122223333, which pays",
        ],
    );
    let csv = ask(&sandbox, &here, &["tags", "status", "--format", "csv"]);
    assert!(
        csv.stdout
            .starts_with("key,seen,active,since,last_used,effective,effective_at,wanted_by\n")
    );
    assert_eq!(csv.stdout.lines().count(), 6);
    // A key that is wanted is activated and not at risk.
    let here = folder("[tags]\nactivate = [\"team\"]");
    let plan = ask(&sandbox, &here, &["tags", "plan", "--backfill-from", "2026-09"]);
    let said =
        ended(&plan, 0, &["~ key/team", "inactive since 2026-05-10T09:00:00Z, and active before"]);
    assert!(!said.contains("LOSES"), "{said}");
}

#[test]
fn what_the_quota_refuses_is_told_of_each_key_and_no_backfill_is_asked_for() {
    for is_throttle in [false, true] {
        let mut world = inactive();
        world.variants.active_keys_max = 22;
        world.variants.quota_as_throttle = is_throttle;
        let names: Vec<String> = (0..20).map(|number| format!("k{number:02}")).collect();
        let new = names.iter().map(|key| TagKey { key: key.clone(), ..TagKey::default() });
        world.organisation.tag_keys.extend(new);
        let sandbox = Sandbox::start_with(world);
        let here = folder(&format!("[tags]\nactivate = {names:?}"));
        let apply = ["tags", "apply", "--yes", "--backfill-from", "2026-03"];
        let code = if is_throttle { "LimitExceededException" } else { "ServiceQuotaExceeded" };
        // One call of twenty is taken, the other one is refused.
        let told = ["error: 5 of 25 keys", "`sagemaker:domain-arn`: ", code, "was not asked for"];
        let said = ended(&ask(&sandbox, &here, &apply), 5, &told);
        assert_eq!(said.matches("Activated `").count(), 20, "{said}");
        // Again, and nothing is done any more.
        ended(&ask(&sandbox, &here, &apply), 1, &["error: 5 of 5 keys", code]);
        assert_eq!(active(&sandbox).len(), 20);
        assert_eq!(calls(&sandbox, "StartCostAllocationTagBackfill"), 0);
    }
}

#[test]
fn whoever_waits_for_a_key_that_is_not_seen_has_to_agree_to_its_activation() {
    let sandbox = Sandbox::start_with(inactive());
    let here = folder("");
    ended(&ask(&sandbox, &here, &["tags", "apply", "--yes"]), 0, &[]);
    pass(&sandbox, 24);
    let apply = ["tags", "apply", "--wait"];
    ended(&ask(&sandbox, &here, &apply), 0, &["Everything that is required is effective."]);
    let rare = |key: &&mut TagKey| key.key == "sagemaker:shared-space-arn";
    {
        let mut world = sandbox.world.lock().unwrap();
        let later = world.now + 900.hours();
        let rare = world.organisation.tag_keys.iter_mut().find(rare).unwrap();
        rare.listed_at = Some(later);
    }
    ended(&ask(&sandbox, &here, &apply), 2, &["nobody can be asked", "--yes"]);
    let agreed = [&apply[..], &["--yes"]].concat();
    ended(&ask(&sandbox, &here, &agreed), 0, &["Everything that is required is effective."]);
}
