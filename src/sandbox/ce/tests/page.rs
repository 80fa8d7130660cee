//! Owns the tests of pages and refusals.
//!
//! **Invariant:** each page size gives the same figures.

use serde_json::{Value, json};

use super::{MEMBER, PAYER, ask_as, print, usage, world};
use crate::sandbox::world::World;

#[test]
fn pages_together_are_the_unpaged_answer() {
    let groups = json!([{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "TAG", "Key": "domain"}]);
    let body = usage("2026-08-01", "2026-12-01", "MONTHLY", &json!({ "GroupBy": groups }));
    let whole = ask_as(&mut world(), PAYER, "GetCostAndUsage", &body).unwrap();
    for room in 1..12 {
        let mut world = world();
        world.variants.page_groups = room;
        let mut merged: Vec<String> = Vec::new();
        let mut next = body.clone();
        let mut count = 0;
        loop {
            let page = ask_as(&mut world, PAYER, "GetCostAndUsage", &next).unwrap();
            count += 1;
            for line in print(&page).lines() {
                let (start, rest) = line.split_at(10);
                match merged.last_mut().filter(|last| last.starts_with(start)) {
                    Some(last) => *last = format!("{}{rest}", last.trim_end_matches(" estimated")),
                    None => merged.push(line.to_owned()),
                }
            }
            let Some(token) = page.get("NextPageToken") else { break };
            next["NextPageToken"] = token.clone();
        }
        assert_eq!(merged.join("\n"), print(&whole), "with {room} groups a page");
        assert_eq!(world.counts.paid, count);
    }
}

#[test]
fn a_token_belongs_to_its_request() {
    let body = usage(
        "2026-08-01",
        "2026-12-01",
        "DAILY",
        &json!({"GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]}),
    );
    let mut world = world();
    world.variants.page_groups = 2;
    let token =
        ask_as(&mut world, PAYER, "GetCostAndUsage", &body).unwrap()["NextPageToken"].clone();
    let mut next = body.clone();
    next["NextPageToken"] = token;
    let first = ask_as(&mut world, PAYER, "GetCostAndUsage", &next).unwrap();
    assert_eq!(ask_as(&mut world, PAYER, "GetCostAndUsage", &next).unwrap(), first);
    let mut changed = next.clone();
    changed["Granularity"] = "MONTHLY".into();
    let code = |world: &mut World, account: &str, body: &Value| {
        ask_as(world, account, "GetCostAndUsage", body).unwrap_err().code
    };
    assert_eq!(code(&mut world, PAYER, &changed), "RequestChangedException");
    assert_eq!(code(&mut world, MEMBER, &next), "RequestChangedException");
    let mut bad = body;
    bad["NextPageToken"] = "nonsense".into();
    assert_eq!(code(&mut world, PAYER, &bad), "InvalidNextTokenException");
    world.faults.expire_tokens_after = Some(1);
    assert_eq!(code(&mut world, PAYER, &next), "InvalidNextTokenException");
}

#[test]
fn bad_requests_get_the_live_texts() {
    let refused = |body: &Value| {
        let refusal = ask_as(&mut world(), PAYER, "GetCostAndUsage", body).unwrap_err();
        assert_eq!(refusal.code, "ValidationException");
        refusal.message
    };
    let none = json!({});
    let timed = |start, end| refused(&usage(start, end, "MONTHLY", &none));
    assert_eq!(
        timed("2026-11-01", "2026-11-01"),
        "Start date (and hour) should be before end date (and hour)"
    );
    assert_eq!(timed("2026-11-01", "2026-12-02"), "end date past the beginning of next month");
    assert_eq!(
        timed("2025-09-01", "2026-11-01"),
        "You haven't enabled historical data beyond 14 months."
    );
    assert_eq!(
        timed("2025-9-1", "2026-11-01"),
        "Time period is invalid. Valid format is yyyy-MM-dd."
    );
    let metrics = usage("2026-10-01", "2026-11-01", "MONTHLY", &json!({"Metrics": []}));
    assert_eq!(refused(&metrics), "Selected metrics cannot be null.");
    let hourly = usage("2026-10-01", "2026-11-01", "HOURLY", &none);
    assert_eq!(refused(&hourly), "Time period is invalid. Valid format is yyyy-MM-ddThh:mm:ssZ.");
    let group = json!({"Type": "TAG", "Key": "domain"});
    let groups =
        usage("2026-10-01", "2026-11-01", "MONTHLY", &json!({"GroupBy": [group, group, group]}));
    assert_eq!(refused(&groups), "Number of GroupBy definitions exceeds the limit of 2");
    assert!(
        ask_as(
            &mut world(),
            PAYER,
            "GetCostAndUsage",
            &usage("2025-10-01", "2026-12-01", "MONTHLY", &none)
        )
        .is_ok()
    );
}
