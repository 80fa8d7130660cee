//! Owns the proof of `budgets verify`: bounds hold the truth of the imitation, what is wrong is found, and nothing else.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::{BTreeMap, BTreeSet};

use apportion::arn::AccountId;
use apportion::aws::{Session, budgets};
use apportion::budget::AwsBudget;
use apportion::cli::clock::Clock;
use apportion::cli::collect::Options;
use apportion::finding::{Finding, Kind, Severity};
use apportion::key;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::sandbox::bill::Charge;
use apportion::sandbox::organisation::{Budget, BudgetFilter, BudgetLimit};
use apportion::sandbox::world::{Shared, World};
use apportion::snapshot::Snapshot;
use apportion::verification;
use jiff::{Timestamp, ToSpan};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::run::{Sandbox, copy_snapshots};
use crate::tags::{ask as run, ended, folder};
use crate::verify_bounds::{Stock, tag, truth};
use crate::world::{PAYER, alter, ask, make, month, now, options, settings, small, with_inventory};

/// Puts a budget of the payer into the imitation: the one place that knows how it keeps them.
fn put(
    world: &mut World,
    name: &str,
    filter: Option<Value>,
    metric: Metric,
    updated_at: Timestamp,
) {
    world.organisation.budgets.push(Budget {
        account: PAYER.to_owned(),
        name: name.to_owned(),
        limit: BudgetLimit::Fixed(Money::from_cents(100_000)),
        filter: BudgetFilter::Expression { filter, metric: Some(metric.aws_name().to_owned()) },
        updated_at,
        ..Budget::default()
    });
}

fn long_ago(world: &World) -> Timestamp {
    world.now - (24 * 90).hours()
}

fn described(world: &Shared) -> Vec<AwsBudget> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = Session::open(&settings(world, PAYER, None)).await.unwrap();
        budgets::describe(&session, &AccountId::parse(PAYER).unwrap()).await.unwrap()
    })
}

fn verify(world: &Shared, snapshot: &Snapshot, ours: &[(&str, Metric)]) -> Vec<Finding> {
    let now = alter(world, |world| world.now);
    let ours: BTreeMap<_, _> = ours.iter().map(|(name, it)| ((*name).to_owned(), *it)).collect();
    verification::verify(&described(world), snapshot, &ours, now)
}

fn told(findings: &[Finding]) -> String {
    let told = findings
        .iter()
        .map(|it| format!("{}: {} {}", it.budget, it.severity.name(), it.kind.name()));
    told.collect::<Vec<String>>().join("\n")
}

#[test]
fn what_is_wrong_is_found_with_its_cause() {
    let world = make(&small(3), 7);
    let options = Options { keys: vec!["team".to_owned()], ..with_inventory() };
    let snapshot = ask(&world, &options, None);
    let domain = |name: &str| {
        alter(&world, |world| {
            let domains = &world.organisation.domains;
            let domain = domains.iter().find(|it| it.name == name).unwrap();
            format!("arn:aws:sagemaker:{}:{}:domain/{}", domain.region, domain.account, domain.id)
        })
    };
    // The whole of a domain without spaces is known by its users.
    let research = tag(key::DOMAIN, &[domain("research")]);
    let covered = json!({ "Dimensions": { "Key": "SERVICE", "Values": ["Amazon SageMaker"] } });
    let mistyped = research.to_string().replace("domain/d-", "domain/d-0");
    let all_spaces = alter(&world, |world| Stock::of(world).values[0].1.clone());
    let spaces = tag(key::SPACE, &all_spaces);
    alter(&world, |world| {
        let at = long_ago(world);
        let net = Metric::NetAmortizedCost;
        put(world, "a fine one", Some(spaces.clone()), net, at);
        put(world, "b team", Some(tag("team", &["research".to_owned()])), net, at);
        put(world, "c mistyped", serde_json::from_str(&mistyped).unwrap(), net, at);
        put(world, "d fresh", Some(spaces.clone()), net, world.now - 1.hour());
        put(world, "e ours", Some(research.clone()), Metric::UnblendedCost, at);
        put(world, "f whole", None, net, at);
        put(world, "g service", Some(covered), net, at);
        put(world, "h bare", Some(json!({ "Tags": { "Key": "team", "Values": ["x"] } })), net, at);
    });
    let findings = verify(&world, &snapshot, &[("e ours", Metric::NetAmortizedCost)]);
    insta::assert_snapshot!(told(&findings), @"
    a fine one: info fine
    b team: error key_not_active
    c mistyped: error unknown_value
    d fresh: info skipped
    e ours: error wrong_metric
    f whole: info unjudged
    g service: info fine
    h bare: error missing_prefix
    sagemaker-marketing: info unjudged
    sagemaker-research: info unjudged
    sagemaker-risk (old): error missing_prefix
    sagemaker-vision: info unjudged
    ");
    let old = findings.iter().find(|it| it.budget == "sagemaker-risk (old)").unwrap();
    let expected = alter(&world, |world| {
        let filter = tag(
            key::DOMAIN,
            &[world
                .organisation
                .domains
                .iter()
                .find(|it| it.name == "risk-classic")
                .map(|it| {
                    format!("arn:aws:sagemaker:{}:{}:domain/{}", it.region, it.account, it.id)
                })
                .unwrap()],
        );
        truth(world, Some(&filter), Metric::UnblendedCost, month("2026-11"))
    });
    assert_eq!(old.shown, Some(Money::ZERO));
    assert!(old.band.most.unwrap() >= expected && expected > Money::from_cents(100));
}

#[test]
fn a_figure_that_no_lag_explains_is_found() {
    let world = make(&small(3), 7);
    let snapshot = ask(&world, &options(), None);
    let spaces = alter(&world, |world| Stock::of(world).values[0].1.clone());
    alter(&world, |world| {
        world.organisation.budgets.clear();
        let at = long_ago(world);
        put(world, "spaces", Some(tag(key::SPACE, &spaces)), Metric::NetAmortizedCost, at);
    });
    let described = described(&world).remove(0);
    let shown = described.actual.unwrap();
    let found = |actual: Money, metric: Metric| {
        let budget = AwsBudget { actual: Some(actual), metric: Some(metric), ..described.clone() };
        told(&verification::verify(&[budget], &snapshot, &BTreeMap::new(), now()))
    };
    let net = Metric::NetAmortizedCost;
    assert_eq!(found(shown, net), "spaces: info fine");
    assert_eq!(found(Money::ZERO, net), "spaces: error shows_nothing");
    let thrice: Money = std::iter::repeat_n(shown, 3).sum();
    assert_eq!(found(thrice, net), "spaces: error off");
    assert_eq!(found(Money::from_cents(1), net), "spaces: error off");
    let unread = AwsBudget { unreadable: Some("x".to_owned()), ..described.clone() };
    let unread = verification::verify(&[unread], &snapshot, &BTreeMap::new(), now());
    assert_eq!(told(&unread), "spaces: warning unjudged");
    let unhealthy = AwsBudget { unhealthy: Some("FILTER_INVALID".to_owned()), ..described.clone() };
    let unhealthy = verification::verify(&[unhealthy], &snapshot, &BTreeMap::new(), now());
    assert_eq!(told(&unhealthy), "spaces: error unhealthy");
    let of_metric = |name: Option<&str>| {
        let metric_name = name.map(str::to_owned);
        let actual = Some(Money::ZERO);
        let budget = AwsBudget { metric: None, metric_name, actual, ..described.clone() };
        told(&verification::verify(&[budget], &snapshot, &BTreeMap::new(), now()))
    };
    assert_eq!(of_metric(None), "spaces: error no_metric");
    assert_eq!(of_metric(Some("BlendedCost")), "spaces: warning unjudged");
}

#[test]
fn a_budget_of_another_billing_view_is_not_judged() {
    let world = make(&small(3), 7);
    let mut snapshot = ask(&world, &options(), None);
    let spaces = alter(&world, |world| Stock::of(world).values[0].1.clone());
    alter(&world, |world| {
        world.organisation.budgets.clear();
        let at = long_ago(world);
        put(world, "spaces", Some(tag(key::SPACE, &spaces)), Metric::NetAmortizedCost, at);
    });
    let described = described(&world).remove(0);
    let custom = format!("arn:aws:billing::{PAYER}:billingview/custom-x");
    let primary = format!("arn:aws:billing::{PAYER}:billingview/primary");
    for (of_budget, of_snapshot, expected) in [
        (None, None, "spaces: info fine"),
        (None, Some(&primary), "spaces: info fine"),
        (Some(&custom), Some(&custom), "spaces: info fine"),
        (Some(&custom), None, "spaces: warning unjudged"),
        (None, Some(&custom), "spaces: warning unjudged"),
    ] {
        snapshot.manifest.billing_view = of_snapshot.cloned();
        let mut budget = AwsBudget { billing_view: of_budget.cloned(), ..described.clone() };
        for actual in [described.actual, Some(Money::ZERO)] {
            budget.actual = actual;
            let found = verification::verify(&[budget.clone()], &snapshot, &BTreeMap::new(), now());
            let is_judged = expected.ends_with("fine");
            let is_zero = actual == Some(Money::ZERO);
            let expected =
                if is_judged && is_zero { "spaces: error shows_nothing" } else { expected };
            assert_eq!(told(&found), expected, "{of_budget:?} {of_snapshot:?}");
            assert_eq!(found[0].band.least.is_some(), is_judged);
        }
    }
}

#[test]
fn what_bounds_are_too_wide_to_tell_is_not_called_fine() {
    let world = make(&small(3), 7);
    let snapshot = ask(&world, &options(), None);
    // A space of a domain bears the domain's tag, or none: from nothing to all of it.
    let of_both = alter(&world, |world| {
        let stock = Stock::of(world);
        let values = |key: &str| stock.values.iter().find(|it| it.0 == key).unwrap().1.clone();
        json!({ "And": [
            tag(key::SPACE, &values(key::SPACE)), tag(key::DOMAIN, &values(key::DOMAIN)),
        ] })
    });
    alter(&world, |world| {
        world.organisation.budgets.clear();
        let at = long_ago(world);
        put(world, "spaces", Some(of_both), Metric::NetAmortizedCost, at);
    });
    let described = described(&world).remove(0);
    let found = |actual: Money, time_unit: &str| {
        let (actual, time_unit) = (Some(actual), time_unit.to_owned());
        let budget = AwsBudget { actual, time_unit, ..described.clone() };
        verification::verify(&[budget], &snapshot, &BTreeMap::new(), now()).remove(0)
    };
    let judged = |actual: Money, time_unit: &str| {
        let found = found(actual, time_unit);
        format!("{} {}", found.severity.name(), found.kind.name())
    };
    let band = found(Money::ZERO, "MONTHLY").band;
    assert_eq!(band.least, Some(Money::ZERO));
    let most = band.most.unwrap();
    assert!(most > Money::from_cents(10_000), "{most}");
    for (actual, time_unit, expected) in [
        (described.actual.unwrap(), "MONTHLY", "info unjudged"),
        (Money::from_cents(1), "MONTHLY", "info unjudged"),
        (most, "MONTHLY", "info unjudged"),
        (most + most, "MONTHLY", "error off"),
        (Money::ZERO, "MONTHLY", "warning shows_nothing"),
        // The open day may not be there yet.
        (Money::ZERO, "DAILY", "info fine"),
    ] {
        assert_eq!(judged(actual, time_unit), expected, "{actual} {time_unit}");
    }
    assert!(found(most, "MONTHLY").text.contains("between what the bill is sure of"));
}

#[test]
fn a_figure_of_another_metric_is_told_by_that_metric() {
    let mut scenario = small(3);
    scenario.variants.discount_percent = 60;
    let world = make(&scenario, 7);
    let snapshot = ask(&world, &options(), None);
    let is_covered = |it: &&Charge| &*it.meter.record_type == "SavingsPlanCoveredUsage";
    let spaces = alter(&world, |world| -> BTreeSet<String> {
        let covered = world.bill.charges.iter().filter(is_covered);
        covered.filter_map(|it| it.meter.tags.get(key::SPACE).cloned()).collect()
    });
    // Half of what runs in them is covered, and what is not covered has a discount: all four metrics differ.
    let types = ["Usage", "SavingsPlanCoveredUsage"];
    let filter = json!({ "And": [
        tag(key::SPACE, &spaces.into_iter().collect::<Vec<String>>()),
        { "Dimensions": { "Key": "RECORD_TYPE", "Values": types } },
    ] });
    alter(&world, |world| {
        world.organisation.budgets.clear();
        let at = long_ago(world);
        put(world, "spaces", Some(filter), Metric::NetAmortizedCost, at);
    });
    let mut budget = described(&world).remove(0);
    assert_eq!(told(&verify(&world, &snapshot, &[])), "spaces: info fine");
    budget.metric = Some(Metric::UnblendedCost);
    let found = verification::verify(&[budget], &snapshot, &BTreeMap::new(), now());
    assert_eq!(told(&found), "spaces: error wrong_metric");
    assert!(found[0].text.contains("net amortized cost"), "{}", found[0].text);
}

#[test]
fn nobody_is_alarmed_at_any_hour_of_any_day() {
    let (mut fine, mut unjudged) = (0, 0);
    for seed in 1..=20_i64 {
        let taken: Timestamp = "2026-11-03T00:30:00Z".parse().unwrap();
        let taken = taken + (seed * 34).hours();
        let number = u64::try_from(seed).unwrap();
        let world = apportion::sandbox::generate::world(&small(2), number, 1, taken).share();
        let options = Options { clock: Clock::Fixed(taken), ..with_inventory() };
        let snapshot = ask(&world, &options, None);
        let mut random = StdRng::seed_from_u64(number);
        alter(&world, |world| {
            let stock = Stock::of(world);
            world.organisation.budgets.retain(|it| !it.name.contains("old"));
            let at = long_ago(world);
            for nth in 0..40 {
                let filter = stock.filter(nth % 3, &mut random);
                let metric = Metric::ALL[usize::try_from(nth).unwrap() % 4];
                put(world, &format!("drawn {nth}"), Some(filter), metric, at);
            }
            world.now += (seed * 5 % 49).hours();
        });
        for finding in verify(&world, &snapshot, &[]) {
            assert_ne!(finding.severity, Severity::Error, "seed {seed}: {finding:#?}");
            fine += usize::from(finding.kind == Kind::Fine);
            unjudged += usize::from(finding.kind == Kind::Unjudged);
        }
    }
    assert!(fine > 100 && unjudged > 100, "{fine} {unjudged}");
}

#[test]
fn the_binary_finds_the_budget_without_prefix() {
    let sandbox = Sandbox::start();
    let here = folder("keys = [\"team\"]");
    copy_snapshots(&here.path().join(".apportion"));
    let words = ["budgets", "verify"];
    let plain = run(&sandbox, &here, &words);
    let said =
        ended(&plain, 0, &["sagemaker-risk (old)", "missing_prefix", "1 errors", "3 not judged"]);
    assert!(said.contains("sagemaker-vision (unjudged)"), "{said}");
    let full = run(&sandbox, &here, &["budgets", "verify", "--full", "--check"]);
    ended(&full, 3, &["sagemaker-vision", "between what the bill is sure of"]);
    let json = run(&sandbox, &here, &["budgets", "verify", "--format", "json"]);
    let rows: Value = serde_json::from_str(&json.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    let old = rows.iter().find(|row| row["budget"] == "sagemaker-risk (old)").unwrap();
    assert_eq!((&old["finding"], &old["shown"]), (&json!("missing_prefix"), &json!("0")));
    assert_eq!(sandbox.paid(), 0);
    sandbox.world.lock().unwrap().now += (24 * 5).hours();
    let later = run(&sandbox, &here, &words);
    ended(&later, 0, &["5 days old", "`apportion collect`"]);
}
