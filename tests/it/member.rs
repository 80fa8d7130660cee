//! Owns the proof that a member account reports its own cost, and says what it cannot see.

use std::path::Path;

use apportion::money::Money;
use apportion::sandbox::bill::Metric as Billed;
use serde_json::Value;

use crate::world::{MEMBER, Site, alter, ask_as, make, month, options, said, small};

fn summary(folder: &Path) -> Value {
    let path = folder.join("out/2026-10/summary.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_member_account_reports_its_own_cost_and_what_it_cannot_see() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::open(make(&small(3), 90));
    let ran = site.run(MEMBER, folder.path(), &[]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let summary = summary(folder.path());
    let own = alter(&site.world, |world| {
        let charges = world.bill.charges.iter();
        let own = charges.filter(|it| &*it.meter.account == MEMBER && &*it.meter.service != "Tax");
        let in_scope = own.filter(|it| {
            it.meter.service.starts_with("Amazon SageMaker")
                || it.meter.tags.keys().any(|key| key.starts_with("sagemaker:"))
        });
        in_scope.map(|it| it.cost(Billed::NetAmortizedCost, month("2026-10").period())).sum()
    });
    let total = summary["control_total"]["net_amortized_cost"].as_str().unwrap();
    let own: Money = own;
    assert_eq!(Money::parse(total).unwrap(), own);
    assert!(!own.is_zero());
    let notes = summary["notes"].as_array().unwrap();
    let of_member: Vec<&str> = notes
        .iter()
        .filter(|note| note["kind"] == "member_account")
        .map(|note| note["text"].as_str().unwrap())
        .collect();
    assert!(of_member.iter().any(|text| text.contains("Savings Plans")), "{notes:?}");
    assert!(of_member.iter().any(|text| text.contains("cost allocation tags")), "{notes:?}");
    assert!(said(&ran).contains("member account"), "{}", said(&ran));
}

#[test]
fn a_member_account_asks_for_every_key_since_it_cannot_know_which_is_active() {
    let world = make(&small(2), 91);
    let snapshot = ask_as(&world, MEMBER, &options(), None).unwrap();
    assert_eq!(snapshot.manifest.key_statuses, None);
    assert_eq!(snapshot.manifest.scope.keys, apportion::key::PRECEDENCE);
    assert!(snapshot.manifest.is_member());
}
