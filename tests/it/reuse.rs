//! Owns the proof that a second run asks for what moved, only for that, and ends with the same figures as a first one.

use std::collections::{BTreeMap, BTreeSet};

use apportion::cli::clock::Clock;
use apportion::cli::collect::Options;
use apportion::key;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::Month;
use apportion::request::Purpose;
use apportion::sandbox::organisation::Backfill;
use apportion::sandbox::world::Shared;
use apportion::snapshot::Snapshot;
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};

use crate::world::{Judged, alter, ask, make, month, now, options, paid, small};

/// What the days that were asked for say, by day, slice, owner and record type.
fn days(snapshot: &Snapshot) -> BTreeMap<String, Vec<Option<Money>>> {
    let mut days = BTreeMap::new();
    let is_asked = |day| snapshot.manifest.days.is_some_and(|asked| asked.contains(day));
    for record in snapshot.days.iter().filter(|record| is_asked(record.start)) {
        let place = format!(
            "{} {} {} {:?} {}",
            record.start, record.slice, record.value, record.account, record.record_type
        );
        let amounts: Vec<_> = Metric::ALL.map(|metric| record.amounts.get(metric)).to_vec();
        assert!(days.insert(place.clone(), amounts).is_none(), "{place} came twice");
    }
    days
}

/// Checks that a snapshot tells what one without any history does.
fn assert_as_fresh(world: &Shared, options: &Options, again: Snapshot) {
    let fresh = ask(world, options, None);
    assert_eq!(days(&again), days(&fresh));
    assert_eq!(again.manifest.space_users, fresh.manifest.space_users);
    assert_eq!(again.manifest.billed_accounts, fresh.manifest.billed_accounts);
    let (again, fresh) = (Judged::of(again), Judged::of(fresh));
    assert_eq!(again.code(), 0, "{:?}", again.notes);
    assert_eq!(again.figures(), fresh.figures());
    let used: BTreeSet<u32> = again.snapshot.records.requests();
    let known: BTreeSet<u32> = again.snapshot.manifest.asked.iter().map(|it| it.number).collect();
    assert!(used.is_subset(&known), "a record names a request that the manifest does not");
}

/// The months that the new requests for detail were about, and their number.
fn detail(earlier: &Snapshot, again: &Snapshot) -> BTreeSet<Month> {
    let last = earlier.manifest.asked.iter().map(|asked| asked.number).max().unwrap();
    // A snapshot that nothing earlier could be used for counts from one again.
    let goes_on = again.manifest.bill.iter().all(|control| control.request > last);
    let known = if goes_on { last } else { 0 };
    let fresh = again.manifest.asked.iter().filter(|asked| asked.number > known);
    fresh
        .filter(|asked| matches!(asked.purpose, Purpose::Cells { .. }))
        .flat_map(|asked| {
            let period = asked.query.period;
            Month::of(period.start).through(Month::of(period.end).plus(-1))
        })
        .collect()
}

#[test]
fn nothing_changed_and_only_bill_and_controls_are_asked() {
    let world = make(&small(2), 70);
    let first = ask(&world, &options(), None);
    let before = paid(&world);
    let again = ask(&world, &options(), Some(&first));
    let slices = u64::try_from(first.manifest.scope.keys.len() + 1).unwrap();
    assert_eq!(paid(&world) - before, 1 + slices);
    assert_eq!(again.manifest.receipt.pages, 1 + slices);
    assert_as_fresh(&world, &options(), again);
}

#[test]
fn a_late_credit_is_read_with_its_month_and_nothing_else() {
    let world = make(&small(2), 71);
    let first = ask(&world, &options(), None);
    alter(&world, |world| {
        let payer = world.organisation.payer.clone();
        let amount = Money::parse("12.3456789012").unwrap();
        world.bill.add_late_credit(&payer, "Amazon SageMaker", month("2026-03"), amount);
    });
    let again = ask(&world, &options(), Some(&first));
    assert_eq!(detail(&first, &again), BTreeSet::from([month("2026-03")]));
    assert!(again.manifest.receipt.pages < first.manifest.receipt.pages);
    assert_as_fresh(&world, &options(), again);
}

#[test]
fn two_late_credits_far_apart_leave_the_months_between_as_they_are() {
    let world = make(&small(2), 72);
    let first = ask(&world, &options(), None);
    alter(&world, |world| {
        let payer = world.organisation.payer.clone();
        for at in ["2025-12", "2026-05"] {
            let amount = Money::from_cents(777);
            world.bill.add_late_credit(&payer, "Amazon SageMaker", month(at), amount);
        }
    });
    let again = ask(&world, &options(), Some(&first));
    assert_as_fresh(&world, &options(), again);
}

#[test]
fn a_backfill_is_read_again_for_the_whole_history() {
    let world = make(&small(2), 73);
    let first = ask(&world, &options(), None);
    let claimed = |snapshot: &Snapshot| {
        let controls = snapshot.manifest.controls.iter();
        let of_space = controls.filter(|control| control.slice == key::SPACE);
        of_space.map(|control| control.month).min().unwrap()
    };
    assert_eq!(claimed(&first), month("2026-03"));
    alter(&world, |world| {
        let active = world.organisation.active_keys();
        // Long enough ago that Cost Explorer shows it.
        world.organisation.backfills.push(Backfill {
            from: date(2025, 12, 1),
            requested_at: now() - 47.hours(),
            completed_at: Some(now() - 25.hours()),
            active,
            ..Backfill::default()
        });
    });
    let again = ask(&world, &options(), Some(&first));
    assert_eq!(detail(&first, &again).len(), 14);
    assert_eq!(claimed(&again), month("2025-12"));
    assert_as_fresh(&world, &options(), again);
}

#[test]
fn a_newly_active_key_is_read_with_every_month() {
    let world = make(&small(2), 74);
    let options = Options { keys: vec!["team".to_owned()], ..options() };
    let first = ask(&world, &options, None);
    assert!(!first.manifest.scope.keys.contains(&"team".to_owned()), "the key was never active");
    alter(&world, |world| {
        let keys = &mut world.organisation.tag_keys;
        let team = keys.iter_mut().find(|key| key.key == "team").unwrap();
        team.changes.push((date(2026, 11, 10), true));
        team.updated_at = Some(now() - 240.hours());
    });
    let again = ask(&world, &options, Some(&first));
    assert!(again.manifest.controls.iter().any(|control| control.slice == "team"));
    assert_as_fresh(&world, &options, again);
}

#[test]
fn the_next_day_and_the_next_month_read_what_is_new() {
    let world = make(&small(2), 75);
    let mut earlier = ask(&world, &options(), None);
    for (moment, about) in
        [("2026-11-21T09:00:00Z", "2026-10"), ("2026-12-04T09:00:00Z", "2026-11")]
    {
        let now: Timestamp = moment.parse().unwrap();
        alter(&world, |world| world.now = now);
        let options = Options { clock: Clock::Fixed(now), month: month(about), ..options() };
        let again = ask(&world, &options, Some(&earlier));
        let read = detail(&earlier, &again);
        assert!(read.iter().all(|it| *it >= month(about)), "{moment}: {read:?}");
        assert!(!read.is_empty());
        earlier = again.clone();
        assert_as_fresh(&world, &options, again);
    }
}

#[test]
fn days_of_a_month_that_was_charged_are_known_in_later_snapshots() {
    let world = make(&small(6), 7);
    let first = ask(&world, &options(), None);
    let october = month("2026-10");
    let of = |snapshot: &Snapshot| {
        let frame = snapshot.days.of_month(october);
        frame.iter().map(|record| (record.value, record.start, record.amounts)).collect::<Vec<_>>()
    };
    assert!(!of(&first).is_empty());
    // A month later October is neither the report's month nor open, so nobody asks for its days.
    let mut earlier = first.clone();
    for later in ["2026-12-07T08:00:00Z", "2027-01-07T08:00:00Z"] {
        let at: Timestamp = later.parse().unwrap();
        alter(&world, |world| world.now = at);
        let report = Month::of(jiff::tz::TimeZone::UTC.to_datetime(at).date()).plus(-1);
        let options = Options { month: report, clock: Clock::Fixed(at), ..options() };
        let again = ask(&world, &options, Some(&earlier));
        assert!(again.manifest.days_kept.contains(&october), "{:?}", again.manifest.days_kept);
        assert_eq!(of(&again), of(&first), "{later}");
        // November was open when its days were first read: they are asked for again, or unknown.
        let november = month("2026-11");
        assert!(again.manifest.daily_months().contains(&november));
        let known: BTreeSet<u32> = again.manifest.asked.iter().map(|it| it.number).collect();
        assert!(again.days.requests().is_subset(&known));
        earlier = again;
    }
}
