//! Owns one test for each trap that others fell into when they read a bill.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apportion::bearer::Existence;
use apportion::cli::clock::Clock;
use apportion::cli::collect::Options;
use apportion::ledger::Reason;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::note::NoteKind;
use apportion::period::Month;
use apportion::sandbox::bill::{Charge, Meter};
use apportion::sandbox::generate;
use apportion::sandbox::organisation::Tags;
use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::Shared;
use jiff::Timestamp;
use jiff::civil::date;

use crate::world::{
    Judged, MEMBER, alter, ask, judge, make, month, options, small, with_inventory,
};

const ROOT: &str = "arn:aws:sagemaker:us-east-1:444455556666:";

/// Bills an amount of SageMaker on the fifteenth of the report's month, with tags.
fn charge(world: &Shared, amount: &str, tags: &[(&str, String)]) {
    let tags: Tags = tags.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let meter = Meter {
        account: MEMBER.into(),
        region: "us-east-1".into(),
        service: "Amazon SageMaker".into(),
        usage_type: "USE1-Train:ml.trap".into(),
        operation: "RunInstance".into(),
        record_type: "Usage".into(),
        unit: "Hrs".into(),
        tags: Arc::new(tags),
        truth: "none/trap".into(),
    };
    let amount = Money::parse(amount).unwrap();
    let charge = Charge::amount(meter, &[(date(2026, 10, 15), amount)]);
    alter(world, |world| world.bill.add_charge(charge));
}

/// Who bears what was billed by `charge`, with the reason, in the report's month.
fn borne(judged: &Judged) -> BTreeMap<String, Money> {
    let mut borne = BTreeMap::new();
    for line in judged.ledger.of_month(month("2026-10")) {
        if judged.ledger.names.text(line.usage_type) == "USE1-Train:ml.trap" {
            let reason = line.reason.map_or("", Reason::name);
            let owner = format!("{} {reason}", judged.ledger.bearer(line).owner);
            let sum = borne.entry(owner.trim().to_owned()).or_insert(Money::ZERO);
            *sum += line.amounts.get(Metric::UnblendedCost).unwrap();
        }
    }
    borne
}

/// What one charge with tags is borne by.
fn bearer_of(tags: &[(&str, String)]) -> Vec<(String, String)> {
    let world = make(&small(1), 50);
    charge(&world, "10.5", tags);
    let borne = borne(&judge(&world, &options()));
    borne.into_iter().map(|(owner, money)| (owner, money.to_string())).collect()
}

fn only(owner: &str) -> Vec<(String, String)> {
    vec![(owner.to_owned(), "10.5".to_owned())]
}

#[test]
fn every_page_is_read_with_the_same_filter() {
    let mut scenario = small(1);
    let whole = judge(&make(&scenario, 51), &options());
    scenario.variants.page_groups = 17;
    let paged = judge(&make(&scenario, 51), &options());
    let page_count: u32 = paged.snapshot.manifest.asked.iter().map(|asked| asked.pages).sum();
    assert!(page_count > 60, "{page_count} pages");
    assert_eq!(u64::from(page_count), paged.snapshot.manifest.receipt.pages);
    assert_eq!(paged.figures(), whole.figures());
}

#[test]
fn the_last_day_of_a_month_is_in_it_and_months_tile() {
    let judged = judge(&make(&small(1), 52), &options());
    let days: BTreeSet<_> = judged.snapshot.days.iter().map(|record| record.start).collect();
    for day in month("2026-10").period().days() {
        assert!(days.contains(&day), "{day} is lost");
    }
    assert!(days.iter().all(|day| *day >= date(2026, 10, 1) && *day < date(2026, 11, 20)));
    for asked in &judged.snapshot.manifest.asked {
        let period = asked.query.period;
        assert!(period.start < period.end, "{}", asked.purpose);
        assert_eq!((period.start.day(), period.end.day()), (1, 1), "{}", asked.purpose);
    }
}

#[test]
fn the_first_of_a_month_is_a_day_like_any_other() {
    for moment in ["2026-11-01T00:10:00Z", "2026-11-01T09:00:00Z", "2026-11-02T07:00:00Z"] {
        let now: Timestamp = moment.parse().unwrap();
        let world = generate::world(&small(1), 53, 1, now).share();
        let options = Options { clock: Clock::Fixed(now), ..options() };
        let judged = judge(&world, &options);
        assert_eq!(judged.code(), 0, "{moment}: {:?}", judged.notes);
        assert_eq!(judged.snapshot.manifest.scope.last, month("2026-11"));
        assert!(!judged.ledger.total(month("2026-10")).is_zero());
    }
}

#[test]
fn what_is_estimated_stays_estimated() {
    let estimated = |judged: &Judged| -> BTreeSet<Month> {
        let lines = judged.ledger.lines.iter();
        lines.filter(|line| line.estimated).map(|line| line.month).collect()
    };
    let judged = judge(&make(&small(1), 54), &options());
    assert_eq!(estimated(&judged), BTreeSet::from([month("2026-11")]));
    let now: Timestamp = "2026-11-03T12:00:00Z".parse().unwrap();
    let world = generate::world(&small(1), 54, 1, now).share();
    let judged = judge(&world, &Options { clock: Clock::Fixed(now), ..options() });
    assert_eq!(estimated(&judged), BTreeSet::from([month("2026-10"), month("2026-11")]));
    assert!(judged.notes.iter().any(|note| note.kind == NoteKind::Estimated));
}

#[test]
fn amounts_are_added_as_decimals() {
    let world = make(&small(1), 55);
    let space = ("sagemaker:space-arn", format!("{ROOT}space/d-trap/lab"));
    for _ in 0..10 {
        charge(&world, "0.1", std::slice::from_ref(&space));
    }
    charge(&world, "123456789.0000000001", &[space]);
    let borne = borne(&judge(&world, &options()));
    assert_eq!(borne["space/d-trap/lab"].to_string(), "123456790.0000000001");
}

#[test]
fn a_dead_key_is_named_and_takes_nobody_s_cost() {
    let mut scenario = small(1);
    for key in &mut scenario.tag_keys {
        key.active_months_ago = None;
    }
    let judged = judge(&make(&scenario, 56), &options());
    assert_eq!(judged.code(), 0, "{:?}", judged.notes);
    let dead = judged.notes.iter().filter(|note| note.kind == NoteKind::Key).count();
    assert_eq!(dead, apportion::key::PRECEDENCE.len());
    for line in &judged.ledger.lines {
        let owner = &judged.ledger.bearer(line).owner;
        let inactive = line.reason == Some(Reason::KeyInactive);
        assert!(owner.kind() == "pool" || inactive, "{owner} {:?}", line.reason);
    }
}

#[test]
fn untagged_cost_credits_refunds_and_tax_are_not_dropped() {
    let judged = judge(&make(&Scenario::default(), 7), &options());
    let manifest = &judged.snapshot.manifest;
    let billed: BTreeSet<&str> = manifest.bill.iter().map(|it| it.record_type.as_str()).collect();
    for record_type in ["Credit", "Fee", "Refund", "SavingsPlanNegation", "Tax", "Usage"] {
        assert!(billed.contains(record_type), "{record_type} is not in the bill");
    }
    let lines = judged.ledger.lines.iter();
    let posted: BTreeSet<&str> =
        lines.map(|line| judged.ledger.names.text(line.record_type)).collect();
    for record_type in ["Credit", "Refund", "SavingsPlanNegation", "SavingsPlanRecurringFee"] {
        assert!(posted.contains(record_type), "{record_type} is not in the ledger");
    }
    assert!(!posted.contains("Tax"));
    let month = month("2026-10");
    let bridge = apportion::control::bridge(manifest, month);
    let tax = bridge.iter().find(|step| step.what == "Tax").unwrap();
    assert!(tax.amounts.get(Metric::UnblendedCost).unwrap() < Money::ZERO);
    assert!(judged.notes.iter().any(|note| note.kind == NoteKind::Unattributed));
}

#[test]
fn a_space_and_its_user_are_not_both_charged() {
    let tags = [
        ("sagemaker:space-arn", format!("{ROOT}space/d-trap/lab")),
        ("sagemaker:user-profile-arn", format!("{ROOT}user-profile/d-trap/ana")),
        ("sagemaker:domain-arn", format!("{ROOT}domain/d-trap")),
    ];
    assert_eq!(bearer_of(&tags), only("space/d-trap/lab"));
    assert_eq!(bearer_of(&tags[1..]), only("user-profile/d-trap/ana"));
    assert_eq!(bearer_of(&tags[2..]), only("domain/d-trap"));
    assert_eq!(bearer_of(&[]), only("unattributed no_tag"));
}

#[test]
fn tags_that_contradict_each_other_or_name_nothing_are_not_guessed_at() {
    let space = |value: &str| ("sagemaker:space-arn", value.to_owned());
    let user = ("sagemaker:user-profile-arn", format!("{ROOT}user-profile/d-trap/ana"));
    let elsewhere = ("sagemaker:domain-arn", format!("{ROOT}domain/d-other"));
    let lab = space(&format!("{ROOT}space/d-trap/lab"));
    assert_eq!(bearer_of(&[lab, elsewhere]), only("space/d-trap/lab"));
    assert_eq!(bearer_of(&[space("lab"), user.clone()]), only("unattributed not_an_arn"));
    let bucket = space("arn:aws:s3:::lab");
    assert_eq!(bearer_of(&[bucket, user.clone()]), only("unattributed not_an_arn"));
    let profile = space(&user.1);
    assert_eq!(bearer_of(&[profile, user.clone()]), only("unattributed not_an_arn"));
    assert_eq!(bearer_of(&[space(""), user]), only("user-profile/d-trap/ana"));
}

#[test]
fn a_user_of_two_domains_is_counted_once_in_each() {
    let world = make(&small(1), 50);
    for (domain, amount) in [("d-trap", "10.5"), ("d-other", "4"), ("d-trap", "0.25")] {
        let user = format!("{ROOT}user-profile/{domain}/ana");
        charge(&world, amount, &[("sagemaker:user-profile-arn", user)]);
    }
    let judged = judge(&world, &options());
    let borne: Vec<(String, String)> =
        borne(&judged).into_iter().map(|(owner, money)| (owner, money.to_string())).collect();
    let expected = [("user-profile/d-other/ana", "4"), ("user-profile/d-trap/ana", "10.75")];
    assert_eq!(borne, expected.map(|(owner, money)| (owner.to_owned(), money.to_owned())));
    let owners: BTreeSet<_> = judged.ledger.bearers.iter().map(|it| it.owner.clone()).collect();
    assert_eq!(owners.len(), judged.ledger.bearers.len(), "an owner came twice");
}

#[test]
fn a_deleted_owner_keeps_its_cost() {
    let world = make(&Scenario::default(), 7);
    let judged = judge(&world, &with_inventory());
    let deleted: BTreeSet<String> = alter(&world, |world| {
        let profiles = world.organisation.user_profiles.iter();
        let gone = profiles.filter(|it| it.deleted_at.is_some());
        gone.map(|it| format!("user-profile/{}/{}", it.domain, it.name)).collect()
    });
    let kept = judged.ledger.lines.iter().filter(|line| {
        let bearer = judged.ledger.bearer(line);
        deleted.contains(&bearer.owner.to_string()) && bearer.existence == Existence::NeverListed
    });
    assert!(kept.map(|line| line.bearer).collect::<BTreeSet<_>>().len() > 1, "{deleted:?}");
    assert!(judged.notes.iter().any(|note| note.kind == NoteKind::Gone), "{:?}", judged.notes);
}

#[test]
fn an_owner_keeps_its_name_after_the_inventory_lost_it() {
    let world = make(&small(2), 57);
    let first = ask(&world, &with_inventory(), None);
    let profile = alter(&world, |world| {
        let deleted_at = Some(world.now);
        for space in &mut world.organisation.spaces {
            space.deleted_at = deleted_at;
        }
        world.organisation.spaces.iter().find(|it| !it.shared).unwrap().clone()
    });
    let again = Judged::of(ask(&world, &with_inventory(), Some(&first)));
    let owner = format!("space/{}/{}", profile.domain, profile.name);
    let bearer = again.ledger.bearers.iter().find(|it| it.owner.to_string() == owner).unwrap();
    assert_eq!(bearer.user_profile.as_ref().unwrap().as_str(), profile.owner);
    assert!(bearer.domain_name.is_some());
}

#[test]
fn every_month_is_there_though_keys_changed_between_them() {
    let judged = judge(&make(&small(2), 58), &options());
    let months: BTreeSet<Month> = judged.ledger.lines.iter().map(|line| line.month).collect();
    assert_eq!(months.len(), 14);
    let spaces = judged.ledger.lines.iter().filter(|line| {
        judged.ledger.bearer(line).owner.kind() == "space" && line.month < month("2026-03")
    });
    let services: BTreeSet<&str> =
        spaces.map(|line| judged.ledger.names.text(line.service)).collect();
    // Before the key of spaces was active only Glue sessions name a space, by a key of their own.
    assert_eq!(services, BTreeSet::from(["AWS Glue"]));
}
