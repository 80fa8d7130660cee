//! Owns the proof that budgets end as the configuration says, whatever was there before and whatever happens on the way.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use apportion::money::Money;
use apportion::sandbox::organisation::{Budget, BudgetFilter, BudgetLimit, Notification, TimeUnit};
use apportion::sandbox::world::Shared;
use apportion::snapshot::Snapshot;
use jiff::ToSpan;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::budgets::{Desk, told};
use crate::run::{Sandbox, apportion, write};
use crate::world::{Fuse, PAYER, alter, make, now, small};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:sagemaker-cost";

/// How the names of the program's own budgets begin, and names of others that look like them.
const OTHERS: [&str; 4] = ["apportion", "Apportion/b0", "sagemaker b1", "b2"];

fn chance(random: &mut ChaCha8Rng, percent: u32) -> bool {
    random.random_range(0..100) < percent
}

/// Whose cost a drawn budget is about: a domain, or a user of it.
fn scope(random: &mut ChaCha8Rng, snapshot: &Snapshot) -> String {
    let user = snapshot.inventory.user_profiles.choose(random).unwrap();
    let id = &user.domain;
    match random.random_range(0..3) {
        0 => "all = true".to_owned(),
        1 => format!("domain = \"{id}\""),
        _ => format!("domain = \"{id}\"\nuser_profile = \"{}\"", user.name),
    }
}

fn emails(random: &mut ChaCha8Rng) -> String {
    let count = *[1, 1, 2, 3, 10].choose(random).unwrap();
    let first = random.random_range(0..6);
    let names: Vec<String> =
        (first..first + count).map(|it| format!("\"m{it}@example.com\"")).collect();
    names.join(", ")
}

/// Draws a configuration of up to eight budgets, which later ones have much in common with.
fn configuration(random: &mut ChaCha8Rng, snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for index in 0..8 {
        if chance(random, 30) {
            continue;
        }
        let limit = match random.random_range(0..5) {
            0 => {
                "planned = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\", \"11\", \"12\"]"
            }
            1 => "auto_adjust = \"forecast\"",
            2 => "limit = \"100.25\"",
            _ => "limit = \"200\"",
        };
        let scope = scope(random, snapshot);
        write!(
            text,
            "[[budget]]\nname = \"b{index}\"\n{scope}\n{limit}\nemails = [{}]\n",
            emails(random)
        )
        .unwrap();
        if chance(random, 40) {
            writeln!(text, "sns_topic_arn = \"{TOPIC}\"").unwrap();
        }
        let full = chance(random, 20);
        let first = random.random_range(1..20_u32);
        let count = if full { 10 } else { random.random_range(0..4) };
        let thresholds: Vec<String> =
            (first..first + count).map(|it| (it * 5).to_string()).collect();
        writeln!(text, "thresholds = [{}]", thresholds.join(", ")).unwrap();
        if !full && chance(random, 50) {
            writeln!(text, "forecast_thresholds = [{}]", *[80, 100].choose(random).unwrap())
                .unwrap();
        }
        if chance(random, 30) {
            writeln!(text, "exclude = [\"Credit\"]").unwrap();
        }
    }
    text
}

/// Draws a budget as some earlier version, another tool or a person may have left it.
fn budget(random: &mut ChaCha8Rng, name: &str) -> Budget {
    let notification = |percent: u32, count: u32| Notification {
        kind: if percent.is_multiple_of(2) { "ACTUAL" } else { "FORECASTED" }.to_owned(),
        operator: if percent.is_multiple_of(3) { "LESS_THAN" } else { "GREATER_THAN" }.to_owned(),
        threshold: Money::from_cents(i128::from(percent) * 500),
        threshold_type: if percent.is_multiple_of(7) { "ABSOLUTE_VALUE" } else { "PERCENTAGE" }
            .to_owned(),
        subscribers: (0..count)
            .map(|it| ("EMAIL".to_owned(), format!("m{it}@example.com")))
            .chain((count > 5).then(|| ("SNS".to_owned(), TOPIC.to_owned())))
            .collect(),
    };
    let first = random.random_range(1..10_u32);
    let count = *[0, 1, 3, 10].choose(random).unwrap();
    let notifications: Vec<Notification> =
        (first..first + count).map(|it| notification(it, random.random_range(1..=10))).collect();
    let filter = if chance(random, 50) {
        let filter = json!({ "Dimensions": { "Key": "SERVICE", "Values": ["Amazon SageMaker"] } });
        BudgetFilter::Expression { filter: Some(filter), metric: Some("UnblendedCost".to_owned()) }
    } else {
        let values = vec!["Amazon SageMaker".to_owned()];
        let filters = BTreeMap::from([("Service".to_owned(), values)]);
        BudgetFilter::Cost { filters, types: BTreeMap::from([("UseAmortized".to_owned(), true)]) }
    };
    Budget {
        account: PAYER.to_owned(),
        name: name.to_owned(),
        time_unit: *[TimeUnit::Monthly, TimeUnit::Annually].choose(random).unwrap(),
        limit: BudgetLimit::Fixed(Money::from_cents(random.random_range(1..1_000_000))),
        filter,
        notifications,
        updated_at: now() - 240.hours(),
        ..Budget::default()
    }
}

/// A world in which somebody was there before.
fn world(seed: u64, random: &mut ChaCha8Rng) -> Shared {
    let world = make(&small(2), 21);
    alter(&world, |world| {
        world.faults.seed = seed;
        for index in 0..10 {
            if chance(random, 60) {
                world.organisation.budgets.push(budget(random, &format!("apportion/b{index}")));
            }
        }
        for name in OTHERS {
            world.organisation.budgets.push(budget(random, name));
        }
    });
    world
}

fn others(world: &Shared) -> Vec<Budget> {
    alter(world, |world| {
        let budgets = world.organisation.budgets.iter();
        budgets.filter(|it| !it.name.starts_with("apportion/")).cloned().collect()
    })
}

fn set(world: &Shared, faults: &Value) {
    alter(world, |world| world.faults = serde_json::from_value(faults.clone()).unwrap());
}

fn faults(seed: u64) -> Value {
    let level = seed % 4;
    json!({
        "seed": seed,
        "services": ["budgets"],
        "throttle_percent": level * 4,
        "throttle_burst": 1 + seed % 4,
        "error_percent": level * 3,
        "cut_percent": level * 3,
        "lose_percent": 4 + level * 4,
    })
}

#[test]
fn budgets_end_as_the_configuration_says_whatever_happens_on_the_way() {
    let (mut desk, snapshot) = Desk::new(&make(&small(2), 21), "");
    let (mut whole, mut killed) = (0, 0);
    for seed in 500..518 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let world = world(seed, &mut random);
        let before = others(&world);
        // The configuration changes twice, so that what was applied is changed as well.
        for round in 0..2 {
            desk.configuration = configuration(&mut random, &snapshot);
            set(&world, &faults(seed * 3 + round));
            let mut is_done = false;
            for nth in 1..60 {
                // Longer and longer, so that some run gets to its end.
                let most = 40 + nth * nth * 8;
                let fuse = Fuse::new(random.random_range(8..most), chance(&mut random, 50));
                let words = "apply --snapshots @kept --yes --prune";
                match desk.run_until(&world, words, Some(&fuse)) {
                    None => killed += 1,
                    Some(Ok(0)) => {
                        is_done = true;
                        break;
                    }
                    Some(_) => {}
                }
            }
            assert!(is_done, "seed {seed} round {round} never came to an end");
            whole += 1;
            set(&world, &json!({}));
            let plan = desk.plan(&world, "");
            let told = told(&plan);
            assert!(told.iter().all(|it| it.starts_with('=')), "seed {seed}: {told:?}\n{plan:#?}");
            let is_clean = plan.left.iter().all(|it| it.verdict != "not_configured");
            assert!(is_clean, "seed {seed}: {:?}", plan.left);
            assert_eq!(others(&world), before, "seed {seed}");
        }
    }
    assert!(whole == 36 && killed > 20, "{whole} {killed}");
}

/// What the imitation has done to budgets, as the program words it: the operation and the budget.
///
/// An update whose answer was lost is sent again by the client, and changes nothing the second time.
fn done(world: &Shared) -> Vec<String> {
    let changes = alter(world, |world| std::mem::take(&mut world.changes));
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let mut done = Vec::new();
    for change in changes {
        let told = format!("{} {}", change.budget, change.operation);
        let whole = format!("{told} {}", change.body);
        let is_again = last.get(&change.budget) == Some(&whole);
        last.insert(change.budget, whole);
        if !(is_again && change.operation == "UpdateBudget") {
            done.push(told);
        }
    }
    done
}

#[test]
fn what_is_printed_is_what_aws_has_done() {
    let (desk, snapshot) = Desk::new(&make(&small(2), 21), "");
    for seed in 600..608 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let world = world(seed, &mut random);
        let sandbox = Sandbox::serve(world.clone());
        let text = format!(
            "{}[aws]\nretry_backoff_ms_max = 1\nattempts_max = 9\n",
            configuration(&mut random, &snapshot)
        );
        write(&desk.folder.path().join("apportion.toml"), text.as_bytes());
        set(&world, &faults(seed));
        let mut printed = Vec::new();
        let mut unread = BTreeSet::new();
        let mut is_done = false;
        for _ in 0..40 {
            let words = [
                "--now",
                crate::world::NOW,
                "budgets",
                "apply",
                "--snapshots",
                "kept",
                "--yes",
                "--prune",
            ];
            let output = apportion(desk.folder.path(), &words).against(&sandbox).run();
            let lines = output.stderr.lines().filter_map(|line| line.strip_prefix("  apportion/"));
            printed.extend(lines.filter_map(|line| {
                let (name, step) = line.split_once(": ")?;
                Some(format!("apportion/{name} {}", step.split(' ').next()?))
            }));
            // Of one that could not be read back it is said that nobody knows how far it is.
            let told: Vec<&str> = output.stderr.split("  not done: ").skip(1).collect();
            unread.extend(
                told.iter()
                    .filter(|it| it.contains("could not be read"))
                    .filter_map(|it| it.lines().next().map(str::to_owned)),
            );
            if output.code == 0 {
                is_done = true;
                break;
            }
        }
        assert!(is_done, "seed {seed}");
        let mut seen = done(&world);
        let is_read = |it: &String| !unread.iter().any(|name| it.starts_with(&format!("{name} ")));
        printed.retain(is_read);
        seen.retain(is_read);
        seen.sort();
        printed.sort();
        assert!(!seen.is_empty() && unread.len() < 3, "seed {seed}: {unread:?}");
        assert_eq!(printed, seen, "seed {seed}: {unread:?}");
    }
}
