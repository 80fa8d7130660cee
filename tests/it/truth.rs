//! Owns the proof that every dollar lands where the rules say: an oracle reads the synthetic charges themselves.
//!
//! **Invariant:** the oracle shares no code with the rules; it reads tags as plain text.

use std::collections::{BTreeMap, BTreeSet};

use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::{Month, Period};
use apportion::sandbox::bill::{Charge, Metric as Billed};
use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::{Variants, World};

use crate::world::{Judged, ask, make, month, options, small, with_inventory};

const SPACE: &str = "sagemaker:space-arn";
const SHARED: &str = "sagemaker:shared-space-arn";
const USER: &str = "sagemaker:user-profile-arn";
const DOMAIN: &str = "sagemaker:domain-arn";
const HOME: &str = "ManagedByAmazonSageMakerResource";
/// The claiming keys of rule A1 with the kind of ARN that each names.
const KEYS: [(&str, &str); 5] = [
    (SPACE, "space"),
    (SHARED, "space"),
    (USER, "user-profile"),
    (DOMAIN, "domain"),
    (HOME, "domain"),
];
const METRICS: [(Metric, Billed); 4] = [
    (Metric::UnblendedCost, Billed::UnblendedCost),
    (Metric::AmortizedCost, Billed::AmortizedCost),
    (Metric::NetAmortizedCost, Billed::NetAmortizedCost),
    (Metric::NetUnblendedCost, Billed::NetUnblendedCost),
];

type Amounts = [Money; 4];
type Figures = BTreeMap<(Month, String), Amounts>;

fn add(sum: &mut Amounts, more: Amounts) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// A charge on the days of a month on which the same keys were active.
struct Piece<'a> {
    month: Month,
    charge: &'a Charge,
    /// The first claiming key that shows, with its value.
    claim: Option<(&'a str, &'a str)>,
    active: &'a BTreeSet<&'a str>,
    amounts: Amounts,
}

/// Runs of days with the same active keys.
fn runs(
    world: &World,
    month: Month,
    extra: &[&'static str],
) -> Vec<(Period, BTreeSet<&'static str>)> {
    let mut runs: Vec<(Period, BTreeSet<&'static str>)> = Vec::new();
    for day in month.period().days().filter(|day| *day < world.visible_end()) {
        let keys = KEYS.iter().map(|(key, _)| *key).chain(extra.iter().copied());
        let active: BTreeSet<&str> = keys.filter(|key| world.is_active(key, day)).collect();
        let end = day.tomorrow().unwrap();
        match runs.last_mut() {
            Some((period, last)) if *last == active => period.end = end,
            _ => runs.push((Period { start: day, end }, active)),
        }
    }
    runs
}

fn is_scope(service: &str) -> bool {
    service == "Amazon SageMaker"
        || service == "Amazon SageMaker AI"
        || service == "Savings Plans for AWS Machine Learning"
}

/// The owner that a claim names, as `account/region/kind/domain/name`.
fn owner_of(key: &str, value: &str) -> Option<String> {
    let Some((_, kind)) = KEYS.iter().find(|(it, _)| *it == key) else {
        return Some(format!("tag/{key}/{value}"));
    };
    let parts: Vec<&str> = value.split(':').collect();
    let [_, _, "sagemaker", region, account, resource] = parts.as_slice() else { return None };
    let segments = resource.split('/').count();
    let fits = resource.starts_with(&format!("{kind}/"))
        && segments == if *kind == "domain" { 2 } else { 3 };
    fits.then(|| format!("{account}/{region}/{resource}"))
}

/// What the charges themselves say, by the rules A1, A2, A5 and A6.
struct Oracle {
    figures: Figures,
    /// The user profile to which a space or profile counts.
    users: BTreeMap<String, String>,
}

fn pieces<'a>(
    world: &'a World,
    months: &'a BTreeMap<Month, Vec<(Period, BTreeSet<&'static str>)>>,
    extra: &'a [&'static str],
) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    for charge in &world.bill.charges {
        for (month, runs) in months {
            for (period, active) in runs {
                let amounts = METRICS.map(|(_, metric)| charge.cost(metric, *period));
                if amounts.iter().all(|money| money.is_zero()) {
                    continue;
                }
                let order = KEYS.iter().map(|(key, _)| *key).chain(extra.iter().copied());
                let claim = order
                    .filter(|key| active.contains(key))
                    .find_map(|key| Some((key, charge.meter.tags.get(key)?.as_str())))
                    .filter(|(_, value)| !value.is_empty());
                if claim.is_some()
                    || (is_scope(&charge.meter.service) && &*charge.meter.record_type != "Tax")
                {
                    pieces.push(Piece { month: *month, charge, claim, active, amounts });
                }
            }
        }
    }
    pieces
}

/// What the tags show, of which the reasons are made: sums that are not zero.
#[derive(Default)]
struct Shown {
    keys: BTreeMap<String, BTreeSet<Month>>,
    cells: BTreeSet<(String, String)>,
    services: BTreeSet<String>,
}

fn shown(pieces: &[Piece<'_>]) -> Shown {
    let mut sums: BTreeMap<(&str, Month, &str, &str), Amounts> = BTreeMap::new();
    let mut shown = Shown::default();
    for piece in pieces {
        let meter = &piece.charge.meter;
        if let Some((key, _)) = piece.claim {
            let place = (key, piece.month, &*meter.service, &*meter.record_type);
            add(sums.entry(place).or_default(), piece.amounts);
            if key == SPACE && piece.active.contains(USER) && meter.tags.contains_key(USER) {
                shown.keys.entry(USER.to_owned()).or_default().insert(piece.month);
            }
        }
    }
    for ((key, month, service, record_type), sum) in sums {
        if sum.iter().any(|money| !money.is_zero()) {
            shown.keys.entry(key.to_owned()).or_default().insert(month);
            shown.cells.insert((service.to_owned(), record_type.to_owned()));
            shown.services.insert(service.to_owned());
        }
    }
    shown
}

fn is_pool(charge: &Charge) -> bool {
    let record_type: &str = &charge.meter.record_type;
    charge.meter.service.starts_with("Savings Plans")
        || ["SavingsPlanNegation", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"]
            .contains(&record_type)
}

fn reason(shown: &Shown, piece: &Piece<'_>) -> &'static str {
    let meter = &piece.charge.meter;
    let cell = (meter.service.to_string(), meter.record_type.to_string());
    if shown.keys.values().all(|months| !months.contains(&piece.month)) && !shown.keys.is_empty() {
        "key_inactive"
    } else if !shown.services.contains(&*meter.service) {
        "service_untagged"
    } else if !shown.cells.contains(&cell) {
        "record_type_untagged"
    } else {
        "no_tag"
    }
}

fn oracle(world: &World, first: Month, has_inventory: bool, extra: &[&'static str]) -> Oracle {
    let months: BTreeMap<_, _> = first
        .through(month("2026-11"))
        .into_iter()
        .map(|it| (it, runs(world, it, extra)))
        .collect();
    let pieces = pieces(world, &months, extra);
    let shown = shown(&pieces);
    let mut figures = Figures::new();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut users = BTreeMap::new();
    for piece in &pieces {
        let label = match piece.claim {
            Some((key, value)) => match owner_of(key, value) {
                Some(owner) => owner,
                None => "unattributed not_an_arn".to_owned(),
            },
            None if is_pool(piece.charge) => "pool/savings-plan".to_owned(),
            None => format!("unattributed {}", reason(&shown, piece)),
        };
        check_truth(piece, &label);
        if label.contains("/user-profile/") {
            users.insert(label.clone(), label.rsplit('/').next().unwrap().to_owned());
        }
        let tags = &piece.charge.meter.tags;
        if let Some((SPACE, _)) = piece.claim
            && piece.active.contains(USER)
            && let Some(user) = tags.get(USER)
        {
            seen.entry(label.clone()).or_default().insert(user.clone());
        }
        add(figures.entry((piece.month, label)).or_default(), piece.amounts);
    }
    figures.retain(|_, sum| sum.iter().any(|money| !money.is_zero()));
    let owners: BTreeSet<String> = figures.keys().map(|(_, owner)| owner.clone()).collect();
    for owner in owners.iter().filter(|owner| owner.contains("/space/")) {
        if let Some(user) = space_user(world, owner, seen.get(owner), has_inventory) {
            users.insert(owner.clone(), user);
        }
    }
    Oracle { figures, users }
}

/// Rule A2: the inventory, then the only user that was seen.
fn space_user(
    world: &World,
    owner: &str,
    seen: Option<&BTreeSet<String>>,
    has_inventory: bool,
) -> Option<String> {
    let (place, name) = owner.rsplit_once('/')?;
    let domain = place.rsplit('/').next()?;
    let listed = world.organisation.spaces.iter().find(|space| {
        space.domain == domain && space.name == name && space.deleted_at.is_none() && has_inventory
    });
    if let Some(space) = listed {
        return (!space.shared).then(|| space.owner.clone());
    }
    // Without an inventory a shared space would pass for somebody's own.
    let users = seen.filter(|_| has_inventory)?;
    let only = users.first().filter(|_| users.len() == 1)?;
    only.contains(domain).then(|| only.rsplit('/').next().unwrap().to_owned())
}

/// Where the owner is not who caused the charge, its tags say so: they lack the cause, or name someone else first.
fn check_truth(piece: &Piece<'_>, label: &str) {
    let truth: &str = &piece.charge.meter.truth;
    let (kind, who) = truth.split_once('/').unwrap();
    let named = match kind {
        "user" => format!("user-profile/{who}"),
        "space" | "domain" => truth.to_owned(),
        // Nobody caused it that a tag could name; a tag that names someone nonetheless is followed.
        _ => return assert!(piece.claim.is_some() || !label.contains("/space/"), "{label}"),
    };
    if label.ends_with(&named) {
        return;
    }
    let claims = piece.claim.map_or(KEYS.len(), |(key, _)| {
        KEYS.iter().position(|(it, _)| *it == key).unwrap_or(KEYS.len())
    });
    for (place, (key, _)) in KEYS.iter().enumerate() {
        let value = piece.charge.meter.tags.get(*key).filter(|_| piece.active.contains(key));
        let tells = value.is_some_and(|value| value.ends_with(&format!(":{named}")));
        assert!(!tells || claims < place, "{truth} is on the line, and {label} bears it");
    }
}

/// What the program says, in the oracle's words.
fn reported(judged: &Judged) -> Oracle {
    let mut figures = Figures::new();
    let mut users = BTreeMap::new();
    for line in &judged.ledger.lines {
        let bearer = judged.ledger.bearer(line);
        let label = match (bearer.owner.domain(), bearer.owner.kind()) {
            (Some(domain), _) => format!("{}/{}/{}", domain.account, domain.region, bearer.owner),
            (None, "unattributed") => format!("unattributed {}", line.reason.unwrap().name()),
            (None, _) => bearer.owner.to_string(),
        };
        if let Some(user) = &bearer.user_profile {
            users.insert(label.clone(), user.to_string());
        }
        let amounts = METRICS.map(|(metric, _)| line.amounts.get(metric).unwrap());
        add(figures.entry((line.month, label)).or_default(), amounts);
    }
    figures.retain(|_, sum| sum.iter().any(|money| !money.is_zero()));
    users.retain(|owner, _| figures.keys().any(|(_, it)| it == owner));
    Oracle { figures, users }
}

fn compare(scenario: &Scenario, seed: u64, has_inventory: bool, extra: &[&'static str]) {
    let world = make(scenario, seed);
    let mut options = if has_inventory { with_inventory() } else { options() };
    options.keys = extra.iter().map(|&key| key.to_owned()).collect();
    let judged = Judged::of(ask(&world, &options, None));
    assert_eq!(judged.code(), 0, "seed {seed}: {:?}", judged.notes);
    let mut reported = reported(&judged);
    let mut expected =
        oracle(&world.lock().unwrap(), judged.snapshot.manifest.scope.first, has_inventory, extra);
    let variants = &scenario.variants;
    for (place, amounts) in &expected.figures {
        assert_eq!(
            reported.figures.get(place),
            Some(amounts),
            "seed {seed}, {variants:?}: {place:?}"
        );
    }
    for (place, amounts) in &reported.figures {
        assert!(expected.figures.contains_key(place), "seed {seed}: {place:?} {amounts:?}");
    }
    assert_eq!(expected.figures.len(), reported.figures.len());
    expected.users.retain(|owner, _| expected.figures.keys().any(|(_, it)| it == owner));
    reported.users.retain(|owner, _| expected.figures.keys().any(|(_, it)| it == owner));
    assert_eq!(expected.users, reported.users, "seed {seed}");
}

/// Twelve mixes of the variants, so that each is on and off beside every other.
fn mixes() -> Vec<Variants> {
    let fee = |on: bool| if on { "444455556666".to_owned() } else { String::new() };
    (0..12_u32)
        .map(|nth| Variants {
            negation_tagged: nth % 2 == 1,
            fee_account: fee(nth / 2 % 2 == 1),
            all_upfront: nth / 4 % 2 == 1,
            discount_percent: if nth % 3 == 0 { 0 } else { 9 },
            discounts_tagged: nth % 3 == 2,
            credits_tagged: nth % 5 > 1,
            shared_volumes_tagged: nth % 4 < 2,
            ..Variants::default()
        })
        .collect()
}

#[test]
fn every_dollar_lands_where_its_tags_say_for_every_mix_and_seed() {
    for (seed, variants) in (100..).zip(mixes()) {
        compare(&Scenario { variants, ..small(3) }, seed, false, &[]);
    }
}

#[test]
fn every_dollar_of_the_demonstration_lands_where_its_tags_say() {
    compare(&Scenario::default(), 7, true, &[]);
}

#[test]
fn a_configured_key_claims_what_the_keys_of_sagemaker_leave() {
    let mut scenario = small(3);
    let team = scenario.tag_keys.iter_mut().find(|it| it.key == "team").unwrap();
    (team.active_months_ago, team.day) = (Some(5), Some(17));
    compare(&scenario, 31, false, &["team"]);
}

#[test]
fn before_any_key_was_active_nothing_has_an_owner() {
    let mut scenario = small(3);
    for key in &mut scenario.tag_keys {
        (key.active_months_ago, key.day) = (key.active_months_ago.map(|_| 4), Some(1));
    }
    compare(&scenario, 32, false, &[]);
}
