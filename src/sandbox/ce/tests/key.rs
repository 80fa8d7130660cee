//! Owns the tests of tag keys, their status, their values and who may see them.
//!
//! **Invariant:** what is listed comes from the world of the tests.

use jiff::civil::date;
use serde_json::{Value, json};

use super::{MEMBER, PAYER, ask_as, charge, print, set, team_of, usage, world};
use crate::sandbox::organisation::TagKey;
use crate::sandbox::wire::Body;
use crate::sandbox::world::World;
use crate::sandbox::{sagemaker, sample, tagging};

fn list(world: &mut World, body: &Value) -> Value {
    ask_as(world, PAYER, "ListCostAllocationTags", body)
        .unwrap_or_else(|refusal| json!(refusal.code))
}

/// Prints the keys of an answer.
fn keys(answer: &Value) -> String {
    let keys = answer["CostAllocationTags"].as_array().unwrap().iter();
    keys.map(|it| it["TagKey"].as_str().unwrap()).collect::<Vec<&str>>().join(" ")
}

fn at(world: &mut World, now: &str) {
    world.now = now.parse().unwrap();
}

#[test]
fn a_member_sees_its_own_charges_and_no_tag_keys() {
    let body = usage(
        "2026-10-01",
        "2026-11-01",
        "MONTHLY",
        &json!({"GroupBy": [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]}),
    );
    let answer = ask_as(&mut world(), MEMBER, "GetCostAndUsage", &body).unwrap();
    assert_eq!(print(&answer), "2026-10-01 444455556666=14.26000713");
    assert_eq!(
        answer["DimensionValueAttributes"],
        json!([{"Value": MEMBER, "Attributes": {"description": "Data"}}])
    );
    let update = json!({"CostAllocationTagsStatus": [{"TagKey": "team", "Status": "Active"}]});
    for (operation, body, doing) in [
        ("ListCostAllocationTags", json!({}), "Failed to list Cost Allocation Tags"),
        ("UpdateCostAllocationTagsStatus", update, "Failed to update Cost Allocation Tag"),
    ] {
        let refusal = ask_as(&mut world(), MEMBER, operation, &body).unwrap_err();
        assert_eq!(refusal.code, "AccessDeniedException");
        let rest = "Linked account doesn't have access to cost allocation tags.";
        assert_eq!(refusal.message, format!("{doing}: {rest}"));
    }
}

#[test]
fn a_change_is_listed_at_once_and_shows_in_the_bill_a_day_later() {
    // `team` is 0.46 a day, all else 0.2300000 and a bit; the clock stands at 22 November.
    for (hours, first_day) in [(0, 22), (24, 23), (48, 24)] {
        let mut world = world();
        world.variants.activation_hours = hours;
        set(&mut world, &[("team", true)]).unwrap();
        let listed = list(&mut world, &json!({"TagKeys": ["team"]}));
        assert_eq!(
            listed["CostAllocationTags"],
            json!([{"TagKey": "team", "Type": "UserDefined", "Status": "Active",
                "LastUpdatedDate": "2026-11-22T16:00:00Z"}])
        );
        at(&mut world, "2026-11-27T16:00:00Z");
        let body = usage(
            "2026-11-01",
            "2026-11-27",
            "DAILY",
            &json!({"GroupBy": [{"Type": "TAG", "Key": "team"}]}),
        );
        let days = print(&ask_as(&mut world, PAYER, "GetCostAndUsage", &body).unwrap());
        let days: Vec<&str> = days.lines().filter(|day| day.contains("team$a")).collect();
        let first = format!("2026-11-{first_day} team$=0.23000023 team$a=0.46 estimated");
        assert_eq!(days.first(), Some(&first.as_str()), "after {hours} hours");
        assert_eq!(days.len(), 27 - first_day);
    }
}

#[test]
fn the_same_status_is_no_change() {
    let mut world = world();
    set(&mut world, &[("team", true)]).unwrap();
    let before = list(&mut world, &json!({}));
    at(&mut world, "2026-11-25T16:00:00Z");
    assert_eq!(set(&mut world, &[("team", true)]), Ok(String::new()));
    assert_eq!(list(&mut world, &json!({})), before);
    set(&mut world, &[("team", false)]).unwrap();
    let after = list(&mut world, &json!({"TagKeys": ["team"]}));
    let team = &after["CostAllocationTags"][0];
    assert_eq!(
        (&team["Status"], &team["LastUpdatedDate"]),
        (&json!("Inactive"), &json!("2026-11-25T16:00:00Z"))
    );
}

#[test]
fn unknown_keys_fail_the_call_or_their_entry() {
    let alone =
        "ValidationException: Failed to update Cost Allocation Tag: Tag keys not found: a,b";
    let entries = "a TagKeysNotFoundException Failed to update Cost Allocation Tag: a\n\
        b TagKeysNotFoundException Failed to update Cost Allocation Tag: b";
    let unknown = [("a", true), ("b", true)];
    let mixed = [("a", true), ("team", true), ("b", false)];
    for (partial, refused, keys, expected, team) in [
        (false, false, &unknown[..], Err(alone), false),
        (true, false, &unknown, Ok(entries), false),
        (false, false, &mixed, Ok(entries), true),
        (true, false, &mixed, Ok(entries), true),
        (false, true, &mixed, Err(alone), false),
        (true, true, &mixed, Err(alone), false),
        (true, true, &unknown, Ok(entries), false),
    ] {
        let mut world = world();
        world.variants.unknown_keys_partial = partial;
        world.variants.mixed_keys_refused = refused;
        let answer = set(&mut world, keys);
        let told = answer.as_deref().map_err(String::as_str);
        assert_eq!(told, expected, "{partial} {refused}");
        assert_eq!(world.organisation.active_keys().contains("team"), team, "{partial} {refused}");
    }
}

#[test]
fn an_update_has_one_to_twenty_entries_of_the_right_form() {
    let mut world = world();
    let invalid = |world: &mut World, body: &Value| {
        let refusal = ask_as(world, PAYER, "UpdateCostAllocationTagsStatus", body).unwrap_err();
        assert_eq!(refusal.code, "ValidationException", "{body}");
    };
    let entry = json!({"TagKey": "team", "Status": "Active"});
    for bad in [
        json!({}),
        json!({"CostAllocationTagsStatus": []}),
        json!({"CostAllocationTagsStatus": vec![entry.clone(); 21]}),
        json!({"CostAllocationTagsStatus": [entry, {"TagKey": "space", "Status": "active"}]}),
        json!({"CostAllocationTagsStatus": [entry, {"Status": "Active"}]}),
    ] {
        invalid(&mut world, &bad);
    }
    assert!(!world.organisation.active_keys().contains("team"), "nothing was changed");
    assert_eq!(set(&mut world, &[("team", true); 20]), Ok(String::new()));
}

#[test]
fn one_active_key_too_many_is_refused() {
    let mut world = world();
    let add = |world: &mut World, name: &str, on: bool| {
        let changes = on.then_some((date(2024, 1, 1), true)).into_iter().collect();
        let key = TagKey { key: name.to_owned(), changes, ..TagKey::default() };
        world.organisation.tag_keys.push(key);
    };
    // `domain` and `space` are active, so these make 500; the key of AWS does not count.
    for nth in 0..498 {
        add(&mut world, &format!("key-{nth}"), true);
    }
    add(&mut world, "awsApplication", true);
    for (throttle, code) in
        [(true, "LimitExceededException"), (false, "ServiceQuotaExceededException")]
    {
        world.variants.quota_as_throttle = throttle;
        let refused = set(&mut world, &[("team", true)]).unwrap_err();
        assert!(refused.starts_with(&format!("{code}: ")), "{refused}");
        assert!(!world.organisation.active_keys().contains("team"));
    }
    assert!(set(&mut world, &[("team", true), ("key-1", false)]).is_ok(), "one for another");
    assert!(set(&mut world, &[("key-1", true)]).is_err());
    world.variants.active_keys_max = 499;
    assert!(set(&mut world, &[("space", false)]).is_ok(), "less is never too much");
    world.variants.active_keys_max = 501;
    assert!(set(&mut world, &[("space", true), ("key-1", true)]).is_ok());
}

#[test]
fn lists_are_filtered_and_paged() {
    let mut world = world();
    world.organisation.tag_keys.push(TagKey { key: "aws:createdBy".into(), ..TagKey::default() });
    for (body, expected) in [
        (json!({}), "domain space team aws:createdBy"),
        (json!({"Status": "Active"}), "domain space"),
        (json!({"Status": "Inactive"}), "team aws:createdBy"),
        (json!({"Type": "UserDefined"}), "domain space team"),
        (json!({"Type": "AWSGenerated"}), "aws:createdBy"),
        (json!({"TagKeys": ["team", "Space", "domain"]}), "domain team"),
        (json!({"TagKeys": ["team", "domain"], "Status": "Active"}), "domain"),
        (json!({"TagKeys": ["nobody's"]}), ""),
        (json!({"MaxResults": 1000}), "domain space team aws:createdBy"),
    ] {
        assert_eq!(keys(&list(&mut world, &body)), expected, "{body}");
    }
    for bad in [
        json!({"Status": "ACTIVE"}),
        json!({"Type": "Aws"}),
        json!({"TagKeys": []}),
        json!({"TagKeys": vec!["team"; 101]}),
        json!({"MaxResults": 0}),
        json!({"MaxResults": 1001}),
    ] {
        assert_eq!(list(&mut world, &bad), "ValidationException", "{bad}");
    }
    let page = list(&mut world, &json!({"MaxResults": 3}));
    assert_eq!(
        page["CostAllocationTags"][2],
        json!({"TagKey": "team", "Type": "UserDefined", "Status": "Inactive"})
    );
    let token = page["NextToken"].clone();
    let next = list(&mut world, &json!({"MaxResults": 3, "NextToken": token}));
    assert_eq!(
        (keys(&next).as_str(), next.get("NextToken")),
        ("aws:createdBy", Some(&json!(null)))
    );
    for bad in [json!({"NextToken": "made-up"}), json!({"MaxResults": 4, "NextToken": token})] {
        assert_eq!(list(&mut world, &bad), "InvalidNextTokenException", "{bad}");
    }
    // A hundred is a page where nothing else is asked for.
    let more = (0..100).map(|nth| TagKey { key: format!("k{nth}"), ..TagKey::default() });
    world.organisation.tag_keys.extend(more);
    let page = list(&mut world, &json!({}));
    assert_eq!(page["CostAllocationTags"].as_array().unwrap().len(), 100);
    assert_eq!(world.counts.paid, 0, "listing keys is free");
}

#[test]
fn a_key_is_listed_when_a_charge_has_borne_it_visibly_for_a_day() {
    let bear = |world: &mut World, key: &str| {
        let days = [(date(2026, 11, 22), 0), (date(2026, 11, 23), 5), (date(2026, 11, 24), 5)];
        let charge = charge(&format!("{PAYER} SageMaker Usage"), &[(key, "x")], &days);
        world.bill.add_charge(charge);
    };
    // The 23rd can be seen on the 24th at 8:00, for the bill lags behind by eight hours.
    for (hours, listed_at) in
        [(0, "2026-11-24T08:00:00Z"), (24, "2026-11-25T08:00:00Z"), (48, "2026-11-26T08:00:00Z")]
    {
        let mut world = world();
        world.variants.listing_hours = hours;
        bear(&mut world, "new");
        let only = json!({"TagKeys": ["new"]});
        world.now = listed_at.parse::<jiff::Timestamp>().unwrap() - jiff::ToSpan::seconds(1);
        assert_eq!(keys(&list(&mut world, &only)), "", "{hours}");
        assert!(set(&mut world, &[("new", true)]).unwrap_err().ends_with("not found: new"));
        at(&mut world, listed_at);
        let entry = json!({"TagKey": "new", "Type": "UserDefined", "Status": "Inactive",
            "LastUsedDate": "2026-11-01T00:00:00Z"});
        assert_eq!(list(&mut world, &only)["CostAllocationTags"], json!([entry]), "{hours}");
        assert_eq!(set(&mut world, &[("new", true)]), Ok(String::new()));
        // The key that AWS activates by itself.
        bear(&mut world, "awsApplication");
        assert_eq!(
            keys(&list(&mut world, &json!({"Status": "Active"}))),
            "domain space new awsApplication"
        );
    }
}

#[test]
fn a_tag_on_a_resource_is_no_key_of_billing() {
    let mut world = sample::world();
    let add = json!({"ResourceArn": sample::DOMAIN_ARN, "Tags": [{"Key": "fresh", "Value": "x"}]});
    let put = json!({"ResourceARNList": [sample::DOMAIN_ARN], "Tags": {"fresh": "y"}});
    let added = sagemaker::answer(&mut world, &sample::member(), "AddTags", &add);
    assert!(added.is_ok(), "{added:?}");
    let put = tagging::answer(&mut world, &sample::member(), "TagResources", &put);
    assert_eq!(put, Ok(Body::Json(json!({"FailedResourcesMap": {}}))));
    at(&mut world, "2026-12-22T16:00:00Z");
    let payer = sample::payer();
    let only = json!({"TagKeys": ["fresh"]});
    let listed = super::answer(&mut world, &payer, "ListCostAllocationTags", &only);
    assert_eq!(listed, Ok(Body::Json(json!({"CostAllocationTags": [], "NextToken": null}))));
}

#[test]
fn a_key_of_the_scenario_may_be_seen_later_only() {
    let mut world = world();
    let team = world.organisation.tag_keys.iter_mut().find(|it| it.key == "team").unwrap();
    team.listed_at = Some("2026-11-23T22:00:00Z".parse().unwrap());
    assert_eq!(keys(&list(&mut world, &json!({}))), "domain space");
    assert!(set(&mut world, &[("team", true)]).is_err());
    at(&mut world, "2026-11-23T22:00:00Z");
    assert_eq!(keys(&list(&mut world, &json!({}))), "domain space team");
    assert_eq!(set(&mut world, &[("team", true)]), Ok(String::new()));
}

#[test]
fn a_deactivated_key_keeps_its_history_or_hides_it() {
    // Active from 15 October, deactivated on 22 November: the 23rd is the first day without.
    let mut world = world();
    set(&mut world, &[("space", false)]).unwrap();
    let ask = |world: &mut World, hidden: bool| {
        world.variants.inactive_keys_hidden = hidden;
        let group = json!({"GroupBy": [{"Type": "TAG", "Key": "space"}]});
        let body = usage("2026-10-01", "2026-12-01", "MONTHLY", &group);
        print(&ask_as(world, PAYER, "GetCostAndUsage", &body).unwrap())
    };
    at(&mut world, "2026-11-22T23:00:00Z");
    let told = ask(&mut world, false);
    assert_eq!(ask(&mut world, true), told, "not in force yet");
    at(&mut world, "2026-11-26T16:00:00Z");
    // 25 days are 5.75 for `space`, of which 22 have the key.
    assert_eq!(
        ask(&mut world, false),
        "2026-10-01 space$=19.55000713 space$s1=3.91\n2026-11-01 space$=12.19000575 space$s1=5.06 estimated"
    );
    assert_eq!(
        ask(&mut world, true),
        "2026-10-01 space$=23.46000713\n2026-11-01 space$=17.25000575 estimated"
    );
    let time = json!({"Start": "2026-10-01", "End": "2026-11-01"});
    let get = |world: &mut World, more: Value| {
        let mut body = json!({ "TimePeriod": time });
        body["TagKey"] = more;
        ask_as(world, PAYER, "GetTags", &body).unwrap()["Tags"].clone()
    };
    assert_eq!(get(&mut world, json!("space")), json!([""]));
    assert_eq!(get(&mut world, json!(null)), json!(["domain"]));
    world.variants.inactive_keys_hidden = false;
    assert_eq!(get(&mut world, json!("space")), json!(["", "s1"]));
    assert_eq!(get(&mut world, json!(null)), json!(["domain", "space"]));
}

#[test]
fn values_come_from_the_bill_and_from_active_keys_only() {
    let mut world = world();
    let time = json!({"Start": "2026-10-01", "End": "2026-11-01"});
    let tags = |world: &mut World, key: &str| {
        ask_as(world, PAYER, "GetTags", &json!({"TimePeriod": time, "TagKey": key})).unwrap()
    };
    assert_eq!(
        tags(&mut world, "domain"),
        json!({"Tags": ["", "d$1", "d2"], "ReturnSize": 3, "TotalSize": 3})
    );
    assert_eq!(tags(&mut world, "team")["Tags"], json!([""]));
    let keys = ask_as(&mut world, PAYER, "GetTags", &json!({ "TimePeriod": time })).unwrap();
    assert_eq!(keys["Tags"], json!(["domain", "space"]));
    let body = json!({"TimePeriod": time, "Dimension": "SERVICE", "SearchString": "a"});
    let values = ask_as(&mut world, PAYER, "GetDimensionValues", &body).unwrap();
    assert_eq!(values["TotalSize"], 2);
    assert_eq!(world.counts.paid, 4);
}

#[test]
fn an_empty_value_is_no_value() {
    let mut world = world();
    let days = [(date(2026, 10, 1), 1_000_000)];
    let tags = [("domain", ""), ("team", "b")];
    world.bill.add_charge(charge(&format!("{PAYER} SageMaker Usage"), &tags, &days));
    let body = usage(
        "2026-10-01",
        "2026-11-01",
        "MONTHLY",
        &json!({"GroupBy": [{"Type": "TAG", "Key": "domain"}]}),
    );
    let answer = print(&ask_as(&mut world, PAYER, "GetCostAndUsage", &body).unwrap());
    assert_eq!(answer, "2026-10-01 domain$=2.30000713 domain$d$1=7.13 domain$d2=14.26");
    assert_eq!(team_of(&mut world, "2026-10"), "2026-10-01 team$=23.69000713");
}
