//! One seed has one legacy, every case is in it, and the bill does not notice.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::sandbox::generate::world;
use crate::sandbox::scenario::Scenario;
use crate::sandbox::world::World;

fn make(seed: u64, legacy: Option<Legacy>) -> World {
    let scenario = Scenario { user_count: Some(3), legacy, ..Scenario::default() };
    world(&scenario, seed, 1, "2026-11-20T08:00:00Z".parse().unwrap())
}

fn print(world: &World) -> String {
    format!("{:?}", world.organisation)
}

#[test]
fn a_seed_makes_one_legacy_and_its_bill_stays() {
    let (plain, legacy) = (make(1, None), make(1, Some(Legacy::default())));
    assert_eq!(print(&legacy), print(&make(1, Some(Legacy::default()))));
    assert_ne!(print(&legacy), print(&make(2, Some(Legacy::default()))));
    assert_eq!(format!("{:?}", plain.bill), format!("{:?}", legacy.bill));
    assert!(plain.organisation.traces.is_empty());
    // What is in a world without is in the world with, at the same place.
    let count = plain.organisation.resources.len();
    let kept = &legacy.organisation.resources[..count];
    assert_eq!(format!("{kept:?}"), format!("{:?}", plain.organisation.resources));
    assert!(legacy.organisation.resources.len() > count + 400);
}

#[test]
fn every_case_is_there_in_every_seed() {
    for seed in 0..5 {
        let world = make(seed, Some(Legacy { blind: true, ..Legacy::default() }));
        let traces = &world.organisation.traces;
        let clues: BTreeMap<Clue, usize> = traces.iter().fold(BTreeMap::new(), |mut all, it| {
            *all.entry(it.clue).or_default() += 1;
            all
        });
        assert_eq!(clues.len(), 10, "seed {seed}: {clues:?}");
        let cases: BTreeSet<&str> = traces.iter().map(|trace| trace.case).collect();
        assert_eq!(cases.len(), 47, "seed {seed}: {cases:?}");
    }
}

#[test]
fn each_trace_is_of_one_thing_and_says_what_the_thing_says() {
    let world = make(3, Some(Legacy::default()));
    let organisation = &world.organisation;
    let arns: BTreeSet<&str> = organisation.traces.iter().map(|it| it.arn.as_str()).collect();
    assert_eq!(arns.len(), organisation.traces.len());
    let domains: BTreeSet<&str> =
        organisation.domains.iter().map(|domain| domain.id.as_str()).collect();
    for trace in &organisation.traces {
        let resource = organisation.resources.iter().find(|it| it.arn == trace.arn);
        if let Some(resource) = resource {
            assert_eq!(resource.truth, trace.truth, "{trace:?}");
            assert!(resource.name.len() <= 63 || trace.case == "long arn", "{trace:?}");
            let tag = resource.tags.get(DOMAIN);
            let is_right = |domain: &String| tag.is_some_and(|tag| tag.ends_with(domain.as_str()));
            assert_eq!(
                trace.clue == Clue::Tagged,
                trace.truth.as_ref().is_some_and(is_right),
                "{trace:?}"
            );
        }
        if matches!(trace.clue, Clue::Told | Clue::Tagged | Clue::Tied | Clue::Contested) {
            let truth = trace.truth.as_deref();
            assert!(truth.is_some_and(|id| domains.contains(id)), "{trace:?}");
        }
    }
}

#[test]
fn a_crowd_is_as_large_as_asked() {
    let switches = Legacy { cases: false, per_domain: 0, count: 1000, blind: false };
    let world = make(1, Some(switches));
    let crowd = world.organisation.traces.iter().filter(|trace| trace.case == "crowd");
    assert_eq!(crowd.clone().count(), 1000);
    assert_eq!(crowd.filter(|trace| trace.clue == Clue::Told && trace.costs).count(), 900);
}
