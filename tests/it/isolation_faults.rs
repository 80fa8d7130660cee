//! Owns the proof that isolation policies end as the configuration says, whatever was there before and whatever happens on the way.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::{BTreeMap, BTreeSet};

use apportion::isolation::PREFIX;
use apportion::sandbox::policy::Policy;
use apportion::sandbox::world::Shared;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::isolation::{Desk, domains, left, others, ours, told};
use crate::run::{Sandbox, apportion, write};
use crate::world::{Fuse, NOW, alter, make, small};

/// Ways to set the table `[isolation]`.
const WISHES: [&str; 6] = [
    "",
    "form = \"current\"",
    "form = \"earlier\"",
    "untagged = \"deny\"",
    "grant = true",
    "tag_protection = \"value\"",
];

fn chance(random: &mut ChaCha8Rng, percent: u32) -> bool {
    random.random_range(0..100) < percent
}

/// A document that is about a domain, as some earlier version or a person may have left it.
fn document(domain: &str, nth: u32) -> String {
    json!({ "Version": "2012-10-17", "Id": nth.to_string(), "Statement": {
        "Effect": "Deny", "Action": "sagemaker:DeleteModel", "Resource": "*",
        "Condition": { "StringNotEquals": { "aws:ResourceTag/sagemaker:domain-arn": domain } },
    } })
    .to_string()
}

/// A world in which somebody was there before: policies of ours with a few versions, on some roles, and one of a domain that is gone.
fn world(random: &mut ChaCha8Rng) -> Shared {
    let world = make(&small(1), 21);
    alter(&world, |world| {
        let mut places: Vec<(String, String, String)> = world
            .organisation
            .domains
            .iter()
            .map(|it| (it.account.clone(), it.region.clone(), it.id.clone()))
            .collect();
        places.push((
            "444455556666".to_owned(),
            "us-east-1".to_owned(),
            "d-gone00000000".to_owned(),
        ));
        for (account, region, id) in places {
            if chance(random, 40) {
                continue;
            }
            let domain = format!("arn:aws:sagemaker:{region}:{account}:domain/{id}");
            let path = *["/", "/team/"].choose(random).unwrap();
            let name = format!("{PREFIX}{id}");
            let mut policy = Policy::new(&account, path, &name, document(&domain, 0), world.now);
            for nth in 1..*[1, 2, 5].choose(random).unwrap() {
                policy.default_id = policy.add_version(document(&domain, nth), world.now);
            }
            for role in &mut world.organisation.roles {
                if role.account == account && chance(random, 30) {
                    role.attached.insert(policy.arn());
                }
            }
            world.organisation.policies.push(policy);
        }
    });
    world
}

fn set(world: &Shared, faults: &Value) {
    alter(world, |world| world.faults = serde_json::from_value(faults.clone()).unwrap());
}

fn faults(seed: u64) -> Value {
    let level = seed % 4;
    json!({
        "seed": seed,
        "services": ["iam"],
        "throttle_percent": level * 4,
        "throttle_burst": 1 + seed % 4,
        "error_percent": level * 3,
        "cut_percent": level * 3,
        "lose_percent": 4 + level * 4,
    })
}

/// Runs until it ends well, killed ever later; returns how often it was killed.
fn persist(desk: &Desk, world: &Shared, words: &str, random: &mut ChaCha8Rng) -> usize {
    let mut killed = 0;
    for nth in 1..60 {
        let most = 60 + nth * nth * 8;
        let fuse = Fuse::new(random.random_range(8..most), chance(random, 50));
        match desk.run_until(world, words, Some(&fuse)) {
            None => killed += 1,
            Some(Ok(0)) => return killed,
            Some(Ok(_)) => {}
            // Nobody else is there, so whatever is found is on the way.
            Some(Err(failure)) => {
                assert!(!failure.message.contains("stale"), "{}", failure.text());
            }
        }
    }
    panic!("{words} never came to an end")
}

/// Proves that all is as it should be, and that nothing else was touched.
fn prove(desk: &Desk, world: &Shared, what: &str) {
    set(world, &json!({}));
    let plan = desk.plan(world, " --prune");
    assert!(told(&plan).iter().all(|it| it.starts_with('=')), "{what}: {:?}", told(&plan));
    assert_eq!((plan.items.len(), left(&plan)), (5, Vec::new()), "{what}");
    let wanted: BTreeSet<String> = domains(world).into_values().flatten().collect();
    let held = alter(world, |world| {
        let roles = world.organisation.roles.iter();
        let held = roles.filter(|it| it.attached.iter().any(|arn| arn.contains(PREFIX)));
        held.map(apportion::sandbox::policy::Role::arn).collect::<BTreeSet<String>>()
    });
    assert_eq!(held, wanted, "{what}");
    assert!(ours(world).iter().all(|it| it.versions.len() <= 5), "{what}");
}

#[test]
fn policies_end_as_they_should_whatever_happens_on_the_way() {
    let mut killed = 0;
    for seed in 700..704 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut desk, world) = (Desk::new(), world(&mut random));
        let before = others(&world);
        (*WISHES.choose(&mut random).unwrap()).clone_into(&mut desk.wish);
        set(&world, &faults(seed));
        killed += persist(&desk, &world, "apply --yes --prune", &mut random);
        prove(&desk, &world, &format!("seed {seed}"));
        assert_eq!(others(&world), before, "seed {seed}");
    }
    assert!(killed > 3, "{killed}");
}

#[test]
fn a_saved_plan_that_is_killed_part_way_goes_on() {
    let mut killed = 0;
    for seed in 720..722 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (desk, world) = (Desk::new(), world(&mut random));
        let before = others(&world);
        assert!(desk.plan(&world, " --prune").pending().count() > 2);
        set(&world, &faults(seed));
        killed += persist(&desk, &world, "apply --yes --plan @plan.json", &mut random);
        prove(&desk, &world, &format!("seed {seed}"));
        assert_eq!(others(&world), before, "seed {seed}");
    }
    assert!(killed > 1, "{killed}");
}

/// What the imitation has done, as the program words it.
///
/// A version whose answer was lost is made again by the client, and a policy's versions are dropped with a step that says so of
/// itself.
fn done(world: &Shared) -> Vec<String> {
    let changes = alter(world, |world| std::mem::take(&mut world.iam_changes));
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    let mut done = Vec::new();
    for change in changes.iter().filter(|it| it.operation != "DeletePolicyVersion") {
        let is_again =
            last.insert(change.policy.clone(), change.body.clone()) == Some(change.body.clone());
        let role = change.role.clone().unwrap_or_default();
        let step = match change.operation.as_str() {
            "CreatePolicy" => "create the policy".to_owned(),
            "CreatePolicyVersion" if is_again => continue,
            "CreatePolicyVersion" => "make a new version the default".to_owned(),
            "AttachRolePolicy" => format!("attach to role {role}"),
            "DetachRolePolicy" => format!("detach from role {role}"),
            "DeletePolicy" => "delete the policy".to_owned(),
            other => panic!("nothing does {other}"),
        };
        done.push(format!("{}: {step}", change.policy));
    }
    done
}

#[test]
fn what_is_printed_is_what_iam_has_done() {
    for seed in 740..743 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (desk, world) = (Desk::new(), world(&mut random));
        let sandbox = Sandbox::serve(world.clone());
        let text = desk.configuration().replace("[aws]\n", "[aws]\nattempts_max = 9\n");
        write(&desk.folder.path().join("apportion.toml"), text.as_bytes());
        set(&world, &faults(seed));
        let (mut printed, mut unread, mut is_done) = (Vec::new(), BTreeSet::new(), false);
        for _ in 0..40 {
            let words = ["--now", NOW, "isolate", "apply", "--yes", "--prune"];
            let output = apportion(desk.folder.path(), &words).against(&sandbox).run();
            let lines = output.stderr.lines().filter(|it| it.starts_with("  arn:"));
            printed.extend(lines.map(|it| it.trim().to_owned()));
            // Of one that could not be read back it is said that nobody knows how far it is.
            let told = output.stderr.split("  not done: ").skip(1);
            let told = told.filter(|it| it.contains("could not be read"));
            unread.extend(told.filter_map(|it| it.lines().next().map(str::to_owned)));
            if output.code == 0 {
                is_done = true;
                break;
            }
        }
        assert!(is_done, "seed {seed}");
        let mut seen = done(&world);
        let is_read = |it: &String| !unread.iter().any(|arn| it.starts_with(&format!("{arn}:")));
        printed.retain(is_read);
        seen.retain(is_read);
        seen.sort();
        printed.sort();
        assert!(!seen.is_empty() && unread.len() < 3, "seed {seed}: {unread:?}");
        assert_eq!(printed, seen, "seed {seed}: {unread:?}");
    }
}
