//! Owns the tests of tag keys, their values and who may see them.
//!
//! **Invariant:** what is listed comes from the world of the tests.

use serde_json::json;

use super::{MEMBER, PAYER, ask_as, print, usage, world};

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
    let refusal = ask_as(&mut world(), MEMBER, "ListCostAllocationTags", &json!({})).unwrap_err();
    assert_eq!(
        (refusal.code.as_str(), refusal.message.as_str()),
        (
            "AccessDeniedException",
            "Failed to list Cost Allocation Tags: Linked account doesn't have access to cost allocation tags."
        )
    );
}

#[test]
fn activation_and_backfill_recolour_history() {
    let mut world = world();
    let group = usage(
        "2026-10-01",
        "2026-11-01",
        "MONTHLY",
        &json!({"GroupBy": [{"Type": "TAG", "Key": "team"}]}),
    );
    let update = json!({"CostAllocationTagsStatus": [{"TagKey": "team", "Status": "Active"}]});
    ask_as(&mut world, PAYER, "UpdateCostAllocationTagsStatus", &update).unwrap();
    let start = json!({"BackfillFrom": "2026-10-01T00:00:00Z"});
    let started = ask_as(&mut world, PAYER, "StartCostAllocationTagBackfill", &start).unwrap();
    assert_eq!(started["BackfillRequest"]["BackfillStatus"], "PROCESSING");
    let again = ask_as(&mut world, PAYER, "StartCostAllocationTagBackfill", &start).unwrap_err();
    assert_eq!(again.code, "BackfillLimitExceededException");
    let before = ask_as(&mut world, PAYER, "GetCostAndUsage", &group).unwrap();
    assert_eq!(print(&before), "2026-10-01 team$=23.46000713");
    world.now = "2026-11-24T16:00:00Z".parse().unwrap();
    let after = ask_as(&mut world, PAYER, "GetCostAndUsage", &group).unwrap();
    assert_eq!(print(&after), "2026-10-01 team$=9.20000713 team$a=14.26");
    let skipped = ask_as(&mut world, PAYER, "StartCostAllocationTagBackfill", &start).unwrap();
    assert_eq!(skipped["BackfillRequest"]["BackfillStatus"], "SUCCEEDED");
    let history =
        ask_as(&mut world, PAYER, "ListCostAllocationTagBackfillHistory", &json!({})).unwrap();
    assert_eq!(history["BackfillRequests"].as_array().unwrap().len(), 1);
    let unknown = json!({"CostAllocationTagsStatus": [{"TagKey": "a", "Status": "Active"}, {"TagKey": "b", "Status": "Active"}]});
    let refusal =
        ask_as(&mut world, PAYER, "UpdateCostAllocationTagsStatus", &unknown).unwrap_err();
    assert_eq!(refusal.message, "Failed to update Cost Allocation Tag: Tag keys not found: a,b");
}

#[test]
fn lists_are_paged_and_values_come_from_the_bill() {
    let mut world = world();
    let page =
        ask_as(&mut world, PAYER, "ListCostAllocationTags", &json!({"MaxResults": 2})).unwrap();
    assert_eq!(
        page["CostAllocationTags"][1],
        json!({"TagKey": "space", "Type": "UserDefined", "Status": "Active"})
    );
    let next = json!({"MaxResults": 2, "NextToken": page["NextToken"]});
    let page = ask_as(&mut world, PAYER, "ListCostAllocationTags", &next).unwrap();
    assert_eq!(
        page,
        json!({"CostAllocationTags": [{"TagKey": "team", "Type": "UserDefined", "Status": "Inactive"}]})
    );
    assert_eq!(world.counts.paid, 0, "listing keys is free");
    let time = json!({"Start": "2026-10-01", "End": "2026-11-01"});
    let tags =
        ask_as(&mut world, PAYER, "GetTags", &json!({"TimePeriod": time, "TagKey": "domain"}))
            .unwrap();
    assert_eq!(tags, json!({"Tags": ["", "d$1", "d2"], "ReturnSize": 3, "TotalSize": 3}));
    let keys = ask_as(&mut world, PAYER, "GetTags", &json!({ "TimePeriod": time })).unwrap();
    assert_eq!(keys["Tags"], json!(["domain", "space"]));
    let body = json!({"TimePeriod": time, "Dimension": "SERVICE", "SearchString": "a"});
    let values = ask_as(&mut world, PAYER, "GetDimensionValues", &body).unwrap();
    assert_eq!(values["TotalSize"], 2);
    assert_eq!(world.counts.paid, 3);
}
