//! Owns the proof that the bounds of a filter hold what the imitated Cost Explorer answers to the same filter.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeSet;

use apportion::criterion::Criterion;
use apportion::ground::Ground;
use apportion::key;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::Month;
use apportion::reading::evaluate;
use apportion::sandbox::ce;
use apportion::sandbox::world::{Shared, World};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::world::{PAYER, alter, ask, make, month, options, small};

/// A leaf of Budgets for a tag key.
pub(crate) fn tag(key: &str, values: &[String]) -> Value {
    json!({ "Tags": { "Key": format!("user:{key}"), "Values": values } })
}

/// The filter as Cost Explorer wants it.
fn bare(filter: &Value) -> Value {
    serde_json::from_str(&filter.to_string().replace("\"user:", "\"")).unwrap()
}

/// What filters are made of: values that the bill has under each key.
pub(crate) struct Stock {
    pub(crate) values: Vec<(&'static str, Vec<String>)>,
    pub(crate) dimensions: Vec<(&'static str, Vec<String>)>,
}

impl Stock {
    /// Takes stock of a bill.
    pub(crate) fn of(world: &World) -> Stock {
        let charges = &world.bill.charges;
        let sorted = |mut values: Vec<String>| {
            values.sort();
            values.dedup();
            values
        };
        let of_key = |key: &'static str| {
            let tags = charges.iter().filter_map(|it| it.meter.tags.get(key).cloned());
            (key, sorted(tags.collect()))
        };
        let services = charges.iter().map(|it| it.meter.service.to_string());
        let types = charges.iter().map(|it| it.meter.record_type.to_string());
        let accounts = charges.iter().map(|it| it.meter.account.to_string());
        Stock {
            values: key::PRECEDENCE.map(of_key).to_vec(),
            dimensions: vec![
                ("SERVICE", sorted(services.collect())),
                ("RECORD_TYPE", sorted(types.collect())),
                ("LINKED_ACCOUNT", sorted(accounts.collect())),
            ],
        }
    }

    fn some(values: &[String], random: &mut StdRng) -> Vec<String> {
        let count = random.random_range(1..=3);
        (0..count).map(|_| values[random.random_range(0..values.len())].clone()).collect()
    }

    /// Draws a filter.
    pub(crate) fn filter(&self, depth: u32, random: &mut StdRng) -> Value {
        let part = |random: &mut StdRng| self.filter(depth - 1, random);
        match random.random_range(0..if depth == 0 { 4 } else { 8 }) {
            0 | 1 => {
                let (key, values) = &self.values[random.random_range(0..self.values.len())];
                tag(key, &Stock::some(values, random))
            }
            2 => {
                let (key, _) = &self.values[random.random_range(0..self.values.len())];
                json!({ "Tags": { "Key": format!("user:{key}"), "MatchOptions": ["ABSENT"] } })
            }
            3 => {
                let (key, values) = &self.dimensions[random.random_range(0..self.dimensions.len())];
                json!({ "Dimensions": { "Key": key, "Values": Stock::some(values, random) } })
            }
            4 => json!({ "Not": part(random) }),
            5 => json!({ "Or": [part(random), part(random), part(random)] }),
            _ => json!({ "And": [part(random), part(random)] }),
        }
    }
}

/// Takes out charges whose tags name different domains, which AWS's own never do.
fn agreeing(world: &Shared) {
    let domain = |arn: &String| arn.split('/').nth(1).unwrap_or_default().to_owned();
    alter(world, |world| {
        world.bill.charges.retain(|charge| {
            let tags = key::PRECEDENCE.iter().filter_map(|key| charge.meter.tags.get(*key));
            tags.map(domain).collect::<BTreeSet<String>>().len() < 2
        });
    });
}

/// What Cost Explorer answers about a month under a filter of Budgets.
pub(crate) fn truth(world: &World, filter: Option<&Value>, metric: Metric, of: Month) -> Money {
    let filter = filter.map(bare);
    ce::spend(world, PAYER, filter.as_ref(), metric.aws_name(), of.period()).unwrap()
}

/// Draws filters and compares their bounds with what Cost Explorer answers; returns how many were exact, and how many not.
fn compare(world: &Shared, seed: u64, is_doubting: bool) -> (u32, u32) {
    let (mut exact, mut open) = (0, 0);
    let snapshot = ask(world, &options(), None);
    let world = world.lock().unwrap();
    let (stock, mut random) = (Stock::of(&world), StdRng::seed_from_u64(seed));
    let mut filters: Vec<Option<Value>> =
        (0..150).map(|_| Some(stock.filter(3, &mut random))).collect();
    filters.push(None);
    let ground = Ground::new(&snapshot);
    for filter in &filters {
        let criterion = Criterion::parse(filter.as_ref());
        let reading =
            if is_doubting { ground.read_doubting(&criterion) } else { ground.read(&criterion) };
        for (of, metric) in ["2026-01", "2026-03", "2026-07", "2026-10", "2026-11"]
            .into_iter()
            .flat_map(|of| Metric::ALL.map(|metric| (month(of), metric)))
        {
            let band = reading.month(metric, of);
            let truth = truth(&world, filter.as_ref(), metric, of);
            let (least, most) = (band.least.unwrap(), band.most.unwrap());
            assert!(
                least <= truth && truth <= most,
                "seed {seed} {of} {metric}: {truth} is not in {least}..{most} of {filter:?}"
            );
            let is_exact = band.doubts.is_empty();
            assert!(!is_exact || least == most, "{filter:?} {of}");
            *(if is_exact { &mut exact } else { &mut open }) += 1;
        }
    }
    (exact, open)
}

#[test]
fn the_bounds_of_any_filter_hold_what_cost_explorer_answers() {
    for seed in 1..=3 {
        let world = make(&small(3), seed);
        compare(&world, seed, true);
        agreeing(&world);
        let (exact, open) = compare(&world, seed, false);
        assert!(exact > open / 3 && open > 0, "{exact} exact, {open} open");
    }
}

#[test]
fn what_records_determine_is_exact() {
    let world = make(&small(3), 5);
    agreeing(&world);
    let snapshot = ask(&world, &options(), None);
    let world = world.lock().unwrap();
    let stock = Stock::of(&world);
    let values = |key: &str| stock.values.iter().find(|it| it.0 == key).unwrap().1.clone();
    let space = values(key::SHARED_SPACE)[0].clone();
    let (root, path) = space.split_once("space/").unwrap();
    let id = path.split('/').next().unwrap();
    let domain = format!("{root}domain/{id}");
    let of_domain = |key: &str, kind: &str| {
        let start = format!("{root}{kind}/{id}/");
        let values = values(key).into_iter().filter(|it| it.starts_with(&start));
        tag(key, &values.collect::<Vec<String>>())
    };
    let spaces = of_domain(key::SPACE, "space");
    let shared = of_domain(key::SHARED_SPACE, "space");
    let users = of_domain(key::USER_PROFILE, "user-profile");
    let user = tag(key::USER_PROFILE, &values(key::USER_PROFILE)[..1]);
    let filters = [
        None,
        Some(json!({ "Or": [tag(key::DOMAIN, &[domain]), spaces, shared, users] })),
        Some(
            json!({ "And": [spaces, { "Dimensions": { "Key": "RECORD_TYPE", "Values": ["Usage"] } }] }),
        ),
        // By the evidence of who worked in which space.
        Some(user),
        Some(json!({ "Tags": { "Key": key::DOMAIN, "Values": ["x"] } })),
    ];
    for filter in &filters {
        for of in ["2026-06", "2026-10", "2026-11"].map(month) {
            for metric in Metric::ALL {
                let band = evaluate(filter.as_ref(), &snapshot, metric, of.period());
                let prefixless =
                    filter.as_ref().is_some_and(|it| !it.to_string().contains("user:"));
                let truth = if prefixless {
                    Money::ZERO
                } else {
                    truth(&world, filter.as_ref(), metric, of)
                };
                assert_eq!((band.least, band.most), (Some(truth), Some(truth)), "{filter:?}");
            }
        }
    }
}
