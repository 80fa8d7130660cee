//! Owns the proof that `retag` ends in the same state whatever happens on the way: killed, throttled, unheard, refused.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use apportion::mark::Marks;
use apportion::plan::Plan;
use apportion::sandbox::world::Shared;
use serde_json::{Value, json};

use crate::retag::{ACCOUNTS, APPLY, Desk, Tags, binary, same, site, tags, untagged};
use crate::world::{Fuse, PAYER, alter};

fn set(world: &Shared, faults: &Value) {
    alter(world, |world| world.faults = serde_json::from_value(faults.clone()).unwrap());
}

fn attempts(world: &Shared) -> u64 {
    alter(world, |world| world.counts.attempts)
}

fn asked(world: &Shared, operation: &str) -> u64 {
    let ends = |name: &&String| name.ends_with(operation);
    alter(world, |world| {
        let counts = world.counts.by_operation.iter();
        counts.filter(|(name, _)| ends(name)).map(|(_, count)| count).sum()
    })
}

/// Runs words to the end, with the wire cut after each of some numbers of requests before.
fn killed_and_run_again(desk: &Desk, world: &Shared, words: &str, cuts: &[u64]) {
    for (index, cut) in cuts.iter().enumerate() {
        let fuse = Fuse::new(*cut, index % 2 == 0);
        let ended = desk.run_until(world, words, Some(&fuse));
        assert!(ended.is_none(), "cut {cut} came too late: {ended:?}");
    }
    assert_eq!(desk.run(world, words), Ok(0));
}

#[test]
fn a_run_that_is_killed_anywhere_and_run_again_ends_as_an_undisturbed_one() {
    for seed in 400..412 {
        let calm = untagged(3, seed);
        let before = tags(&calm);
        let desk = Desk::new(ACCOUNTS);
        desk.plan(&calm, "");
        let start = attempts(&calm);
        assert_eq!(desk.apply(&calm), Ok(0));
        let (after, there) = (tags(&calm), attempts(&calm));
        let undo = format!("undo @{} --yes", desk.undo());
        assert_eq!(desk.run(&calm, &undo), Ok(0));
        // The shorter of the two ways, so that every cut comes before the end of both.
        let length = (there - start).min(attempts(&calm) - there);
        assert!(length > 10, "{length}");
        let world = untagged(3, seed);
        let desk = Desk::new(ACCOUNTS);
        desk.plan(&world, "");
        let cuts: Vec<u64> = (1..6).map(|nth| (seed * 7 + nth * 5) % length).collect();
        killed_and_run_again(&desk, &world, APPLY, &cuts);
        same(&tags(&world), &after);
        killed_and_run_again(&desk, &world, &undo, &cuts);
        same(&tags(&world), &before);
    }
}

#[test]
fn every_point_of_a_run_may_be_its_last() {
    let calm = untagged(1, 420);
    let before = tags(&calm);
    let desk = Desk::new(ACCOUNTS);
    desk.plan(&calm, "");
    assert_eq!(desk.apply(&calm), Ok(0));
    let (after, undo) = (tags(&calm), format!("undo @{} --yes", desk.undo()));
    assert_eq!(desk.run(&calm, &undo), Ok(0));
    for cut in 0..200 {
        let fuse = Fuse::new(cut, cut % 2 == 0);
        if desk.run_until(&calm, APPLY, Some(&fuse)).is_some() {
            assert!(cut > 8, "{cut}");
            return;
        }
        let partly = tags(&calm);
        for ((before, partly), after) in before.iter().zip(&partly).zip(&after) {
            assert!(partly == before || partly == after, "cut {cut}: {partly:?}");
        }
        assert_eq!(desk.run(&calm, APPLY), Ok(0), "cut {cut}");
        same(&tags(&calm), &after);
        assert_eq!(desk.run(&calm, &undo), Ok(0), "cut {cut}");
        same(&tags(&calm), &before);
    }
    panic!("the run never came to its end");
}

#[test]
fn lost_answers_throttling_and_errors_change_nothing_about_the_end() {
    let mut whole = 0;
    for seed in 430..450 {
        let (desk, world, calm) = (Desk::new(ACCOUNTS), untagged(2, seed), untagged(2, seed));
        let before = tags(&world);
        desk.plan(&world, "");
        let other = Desk::new(ACCOUNTS);
        other.plan(&calm, "");
        assert_eq!(other.apply(&calm), Ok(0));
        let level = seed % 4;
        set(
            &world,
            &json!({
                "seed": seed,
                "throttle_percent": 3 + level * 4,
                "throttle_burst": 1 + seed % 4,
                "error_percent": 1 + level * 2,
                "cut_percent": 1 + level * 3,
                "lose_percent": 2 + level * 3,
            }),
        );
        match desk.apply(&world) {
            Ok(0) => {
                same(&tags(&world), &tags(&calm));
                whole += 1;
            }
            // Without an answer to the question for credentials a region is left for the next run.
            Ok(5) => {}
            other => panic!("seed {seed}: {other:?}"),
        }
        set(&world, &json!({}));
        assert_eq!(desk.apply(&world), Ok(0), "seed {seed}");
        same(&tags(&world), &tags(&calm));
        assert_eq!(desk.run(&world, &format!("undo @{} --yes", desk.undo())), Ok(0));
        same(&tags(&world), &before);
    }
    assert!(whole >= 15, "{whole}");
}

#[test]
fn a_permission_that_is_missing_for_everything_stops_early_and_one_way_is_enough() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(12, 460));
    let plan = desk.plan(&world, "");
    let before = tags(&world);
    let deny = |operations: &[&str]| {
        let denied: Vec<Value> = operations.iter().map(|it| json!({ "operation": it })).collect();
        set(&world, &json!({ "denied": denied }));
    };
    deny(&["TagResources", "AddTags"]);
    assert_eq!(desk.apply(&world), Ok(1));
    same(&tags(&world), &before);
    // One batch in each of the three regions, by either way.
    assert!(asked(&world, "TagResources") <= 3, "{}", asked(&world, "TagResources"));
    assert!(asked(&world, "AddTags") <= 60, "{}", asked(&world, "AddTags"));
    assert!(plan.pending().count() > 100);
    // File systems are tagged by the one, all else by either.
    deny(&["TagResources"]);
    assert_eq!(desk.apply(&world), Ok(5));
    let after = tags(&world);
    let changed = |it: &((String, Tags), (String, Tags))| it.0 != it.1;
    let count = before.iter().cloned().zip(after).filter(changed).count();
    assert_eq!(count, plan.pending().filter(|it| !it.id.contains(":file-system/")).count());
    deny(&["UntagResources"]);
    assert_eq!(desk.run(&world, &format!("undo @{} --yes", desk.undo())), Ok(0));
    same(&tags(&world), &before);
}

#[test]
fn what_aws_refuses_is_named_and_the_rest_is_done() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 461));
    let plan = desk.plan(&world, "");
    let arn = alter(&world, |world| {
        let planned: BTreeSet<&str> = plan.pending().map(|it| it.id.as_str()).collect();
        let mut resources = world.organisation.resources.iter_mut();
        let full = resources.find(|it| planned.contains(it.arn.as_str())).unwrap();
        for number in full.tags.len()..50 {
            full.tags.insert(format!("more-{number}"), String::new());
        }
        full.arn.clone()
    });
    assert_eq!(desk.apply(&world), Ok(5));
    let lacking = |name: &str, tags: &Tags| {
        plan.pending().any(|it| it.id == name) && !tags.contains_key("sagemaker:domain-arn")
    };
    let left: Vec<String> = tags(&world)
        .into_iter()
        .filter(|(name, tags)| lacking(name, tags))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(left, [arn]);
}

#[test]
fn throttling_without_end_stops_politely_and_the_next_run_goes_on() {
    let calm = untagged(12, 462);
    let other = Desk::new(ACCOUNTS);
    other.plan(&calm, "");
    assert_eq!(other.apply(&calm), Ok(0));
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(12, 462));
    desk.plan(&world, "");
    let before = tags(&world);
    let throttled = json!({ "throttle_percent": 100, "throttle_burst": 1_000_000,
        "services": ["tagging", "sagemaker"] });
    set(&world, &throttled);
    assert!(desk.apply(&world).is_err(), "nothing could be looked at, so nothing may be done");
    same(&tags(&world), &before);
    // In the middle of the changes AWS has had enough.
    set(&world, &json!({ "services": ["tagging"], "slow_percent": 100, "slow_ms": 10 }));
    let (watched, first) = (world.clone(), asked(&world, "TagResources"));
    let watch = std::thread::spawn(move || {
        while asked(&watched, "TagResources") < first + 4 {
            std::thread::sleep(Duration::from_millis(1));
        }
        set(&watched, &throttled);
    });
    let ended = desk.apply(&world);
    watch.join().unwrap();
    assert_eq!(ended, Ok(5));
    let partly = tags(&world);
    assert!(partly != before && partly != tags(&calm));
    set(&world, &json!({}));
    assert_eq!(desk.apply(&world), Ok(0));
    same(&tags(&world), &tags(&calm));
}

#[test]
fn a_region_that_cannot_be_looked_at_is_left_alone_and_the_others_are_served() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 463));
    let plan = desk.plan(&world, "");
    let denied = json!([{ "service": "tagging", "region": "eu-west-1" }]);
    set(&world, &json!({ "denied": denied }));
    assert_eq!(desk.apply(&world), Ok(5));
    assert_eq!(desk.run(&world, "verify --plan @plan.json"), Ok(5));
    let before = tags(&world);
    set(&world, &json!({}));
    assert_eq!(desk.apply(&world), Ok(0));
    let eu = plan.pending().filter(|it| it.id.contains(":eu-west-1:")).count();
    let changed = before.iter().zip(&tags(&world)).filter(|(one, two)| one != two).count();
    assert_eq!((changed, eu > 0), (eu, true));
}

#[test]
fn own_tags_that_aws_keeps_fixed_are_put_on_and_cannot_be_taken_off() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 464));
    alter(&world, |world| world.variants.own_tags_fixed = true);
    desk.plan(&world, "");
    assert_eq!(desk.apply(&world), Ok(0));
    let own = |world: &Shared| {
        let mut tags = tags(world);
        tags.retain(|(name, _)| !name.starts_with("fs-"));
        tags
    };
    let after = own(&world);
    // What is so already is no refusal, even where AWS would not change it.
    assert_eq!(desk.apply(&world), Ok(0));
    assert_eq!(desk.run(&world, &format!("undo @{} --yes", desk.undo())), Ok(5));
    same(&own(&world), &after);
}

#[test]
fn the_binary_killed_in_the_middle_and_run_again_ends_as_an_undisturbed_one() {
    let calm = site(12, 470);
    let folder = tempfile::tempdir().unwrap();
    let planned = binary(folder.path(), &calm, &["plan", "--save", "plan.json"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let plan: Plan<Marks> =
        serde_json::from_slice(&std::fs::read(folder.path().join("plan.json")).unwrap()).unwrap();
    assert!(plan.pending().count() > 100);
    let apply = ["apply", "--plan", "plan.json", "--yes"];
    assert_eq!(binary(folder.path(), &calm, &apply).code, 0);
    let disturbed = site(12, 470);
    let before = tags(&disturbed.world);
    set(&disturbed.world, &json!({ "services": ["tagging"], "slow_percent": 100, "slow_ms": 60 }));
    for rounds in 1..=2 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_apportion"))
            .args(["--now", crate::run::NOW, "retag"])
            .args(apply)
            .env_clear()
            .env("HOME", folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &disturbed.url)
            .env("AWS_ACCESS_KEY_ID", format!("AKIASANDBOX{PAYER}"))
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .env("AWS_REGION", "us-east-1")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while asked(&disturbed.world, "TagResources") < rounds * 3 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(tags(&disturbed.world), before);
        assert_ne!(tags(&disturbed.world), tags(&calm.world));
    }
    set(&disturbed.world, &json!({}));
    let again = binary(folder.path(), &disturbed, &apply);
    assert_eq!(again.code, 0, "{}", again.stderr);
    same(&tags(&disturbed.world), &tags(&calm.world));
    assert!(again.stderr.contains("retag undo"), "{}", again.stderr);
}

#[test]
fn an_arn_that_was_handed_out_in_another_case_is_read_in_small_letters() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 430));
    desk.plan(&world, "");
    assert_eq!(desk.apply(&world), Ok(0));
    // Endpoints are known in small letters, whatever the case of their names.
    let path = desk.folder.path().join("plan.json");
    let plan = std::fs::read_to_string(&path).unwrap();
    let (_, name) = plan.split_once(":endpoint/").unwrap();
    let name = &name[..name.find('"').unwrap()];
    assert_eq!(name, name.to_lowercase());
    let of = |name: &str| format!(":endpoint/{name}\"");
    std::fs::write(&path, plan.replace(&of(name), &of(&name.to_uppercase()))).unwrap();
    alter(&world, |world| {
        let mut resources = world.organisation.resources.iter_mut();
        let endpoint = resources.find(|it| it.kind == "endpoint" && it.arn.ends_with(name));
        endpoint.unwrap().tags.clear();
    });
    // If it had not been found, it would count as gone, which is no difference.
    assert_eq!(desk.run(&world, "verify --plan @plan.json"), Ok(5));
}
