//! Owns the tests of `Search`.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use serde_json::{Value, json};

use super::super::super::organisation::Resource;
use super::super::super::sample::{at, member, resource, tagged, world};
use super::super::super::world::World;
use super::{ask, refused};

fn jobs() -> World {
    let mut world = world();
    let job = |name: &str, domain: Option<&str>, day: &str, role: &str| Resource {
        tags: domain.map(|arn| tagged("sagemaker:domain-arn", arn)).unwrap_or_default(),
        created_at: at(&format!("{day}T10:00:00Z")),
        details: json!({ "RoleArn": role, "BillableTimeInSeconds": 90 }),
        ..resource("training-job", name, "Completed")
    };
    world.organisation.resources.extend([
        job("alpha", Some("arn:one"), "2026-01-01", "arn:aws:iam::1:role/a"),
        job("beta", Some("arn:two"), "2026-02-01", "arn:aws:iam::1:role/b"),
        job("gamma", None, "2026-03-01", "arn:aws:iam::1:role/b"),
    ]);
    world
}

fn names(world: &mut World, expression: &Value) -> Vec<String> {
    let body = json!({ "Resource": "TrainingJob", "SearchExpression": expression });
    let answer = ask(world, &member(), "Search", &body);
    let results = answer["Results"].as_array().unwrap().iter();
    results.map(|it| it["TrainingJob"]["TrainingJobName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn operators_compare_tags_names_times_and_details() {
    let mut world = jobs();
    let tag = "Tags.sagemaker:domain-arn";
    for (name, operator, value, expected) in [
        (tag, "Equals", "arn:one", "alpha"),
        (tag, "NotEquals", "arn:one", "gamma beta"),
        (tag, "Exists", "", "beta alpha"),
        (tag, "NotExists", "", "gamma"),
        (tag, "In", "arn:one, arn:two", "beta alpha"),
        ("TrainingJobName", "Contains", "a", "gamma beta alpha"),
        ("TrainingJobName", "Contains", "mm", "gamma"),
        ("CreationTime", "GreaterThan", "2026-02-01T10:00:00", "gamma"),
        ("CreationTime", "GreaterThanOrEqualTo", "2026-02-01T10:00:00Z", "gamma beta"),
        ("CreationTime", "LessThan", "2026-02-01T10:00:00Z", "alpha"),
        ("CreationTime", "LessThanOrEqualTo", "2026-02-01T10:00:00Z", "beta alpha"),
        ("BillableTimeInSeconds", "GreaterThan", "100", ""),
        ("RoleArn", "Equals", "arn:aws:iam::1:role/b", "gamma beta"),
        ("TrainingJobStatus", "Equals", "Failed", ""),
    ] {
        let mut filter = json!({ "Name": name, "Operator": operator });
        if !value.is_empty() {
            filter["Value"] = json!(value);
        }
        let found = names(&mut world, &json!({ "Filters": [filter] }));
        assert_eq!(found.join(" "), expected, "{name} {operator} {value}");
    }
    let role = json!({ "Name": "RoleArn", "Value": "arn:aws:iam::1:role/b" });
    let untagged = json!({ "Name": tag, "Operator": "NotExists" });
    let both = json!({ "Filters": [role], "SubExpressions": [{ "Filters": [untagged] }] });
    assert_eq!(names(&mut world, &both), ["gamma"]);
    let either =
        json!({ "Operator": "Or", "Filters": [untagged, { "Name": tag, "Value": "arn:two" }] });
    assert_eq!(names(&mut world, &either), ["gamma", "beta"]);
}

#[test]
fn records_carry_tags_and_details_page_by_page() {
    let mut world = jobs();
    let mut body = json!({ "Resource": "TrainingJob", "MaxResults": 2, "SortOrder": "Ascending" });
    let first = ask(&mut world, &member(), "Search", &body);
    assert_eq!(first["Results"].as_array().unwrap().len(), 2);
    assert_eq!(first["TotalHits"]["Value"], 3);
    let job = &first["Results"][0]["TrainingJob"];
    assert_eq!(job["Tags"], json!([{ "Key": "sagemaker:domain-arn", "Value": "arn:one" }]));
    assert_eq!(job["RoleArn"], "arn:aws:iam::1:role/a");
    body["NextToken"] = first["NextToken"].clone();
    let last = ask(&mut world, &member(), "Search", &body);
    assert_eq!(last["Results"][0]["TrainingJob"]["TrainingJobName"], "gamma");
    assert_eq!(last.get("NextToken"), None);
    // A model is nested in a dashboard's.
    let model = ask(&mut world, &member(), "Search", &json!({ "Resource": "Model" }));
    assert_eq!(model["Results"][0]["Model"]["Model"]["ModelName"], "model-c");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    for resource in ["ProcessingJob", "TransformJob", "Space", "App"] {
        let refusal = refused("Search", &json!({ "Resource": resource }));
        assert_eq!(refusal.code, "ValidationException", "{resource}");
    }
    let nothing = ask(&mut world(), &member(), "Search", &json!({ "Resource": "Image" }));
    assert_eq!(nothing, json!({ "Results": [] }));
    let filter = json!({ "Name": "TrainingJobName" });
    let many = json!({ "Filters": vec![filter; 21] });
    for body in [
        json!({ "Resource": "TrainingJob", "SearchExpression": many }),
        json!({ "Resource": "TrainingJob", "MaxResults": 101 }),
    ] {
        assert_eq!(refused("Search", &body).code, "ValidationException");
    }
}
