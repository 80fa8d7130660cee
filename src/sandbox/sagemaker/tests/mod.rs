//! Owns the tests of the control plane.
//!
//! **Invariant:** requests and answers only, as a client would see them.

mod origin;
mod search;

use serde_json::{Value, json};

use super::super::sample::{DOMAIN, DOMAIN_ARN, MEMBER, at, member, payer, world};
use super::super::wire::{Body, Caller, Refusal};
use super::super::world::World;

fn ask(world: &mut World, caller: &Caller, operation: &str, body: &Value) -> Value {
    match super::answer(world, caller, operation, body) {
        Ok(Body::Json(answer)) => answer,
        other => panic!("{operation} {body}: {other:?}"),
    }
}

fn refused(operation: &str, body: &Value) -> Refusal {
    super::answer(&mut world(), &member(), operation, body).unwrap_err()
}

/// Follows the tokens; returns what each page had of one member.
fn pages(operation: &str, list: &str, name: &str, body: &Value) -> Vec<Vec<Value>> {
    let mut world = world();
    let mut body = body.clone();
    let mut pages = Vec::new();
    loop {
        let answer = ask(&mut world, &member(), operation, &body);
        let items = answer[list].as_array().unwrap();
        pages.push(items.iter().map(|item| item[name].clone()).collect());
        match answer.get("NextToken") {
            Some(token) => body["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

#[test]
fn lists_follow_tokens_through_an_empty_page() {
    let pages =
        pages("ListProcessingJobs", "ProcessingJobSummaries", "ProcessingJobName", &json!({}));
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [0, 10, 2]);
    assert_eq!(pages[2], [json!("p10"), json!("p11")]);
}

#[test]
fn only_what_exists_here_is_listed() {
    let listed = |operation, list, name| pages(operation, list, name, &json!({})).concat();
    assert_eq!(listed("ListDomains", "Domains", "DomainId"), [json!(DOMAIN)]);
    assert_eq!(listed("ListEndpoints", "Endpoints", "EndpointName"), [json!("Live-B")]);
    assert_eq!(listed("ListModels", "Models", "ModelName"), [json!("model-c")]);
    let nothing = ask(&mut world(), &payer(), "ListDomains", &json!({}));
    assert_eq!(nothing, json!({ "Domains": [] }));
}

#[test]
fn summaries_of_people_carry_no_arn_and_sizes_and_owners() {
    let mut world = world();
    let body = json!({ "DomainIdEquals": DOMAIN, "UserProfileNameContains": "ALI" });
    let profiles = ask(&mut world, &member(), "ListUserProfiles", &body);
    assert_eq!(
        profiles["UserProfiles"],
        json!([{
            "DomainId": DOMAIN, "UserProfileName": "Alice", "Status": "InService",
            "CreationTime": 1_735_776_000, "LastModifiedTime": 1_735_776_000,
        }])
    );
    let spaces = ask(&mut world, &member(), "ListSpaces", &json!({ "SortBy": "LastModifiedTime" }));
    let [private, shared] = [&spaces["Spaces"][0], &spaces["Spaces"][1]];
    assert_eq!(private["SpaceSharingSettingsSummary"]["SharingType"], "Private");
    assert_eq!(shared["SpaceSharingSettingsSummary"]["SharingType"], "Shared");
    assert_eq!(private["OwnershipSettingsSummary"]["OwnerUserProfileName"], "Alice");
}

#[test]
fn an_app_has_one_name_of_the_two() {
    let all = ask(&mut world(), &member(), "ListApps", &json!({}));
    let all = all["Apps"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    for app in all {
        assert!(app.get("UserProfileName").is_some() != app.get("SpaceName").is_some(), "{app}");
    }
    let statuses = pages("ListApps", "Apps", "Status", &json!({ "SpaceNameEquals": "Private1" }));
    assert_eq!(statuses.concat(), [json!("Deleted"), json!("InService")]);
    let both = json!({ "SpaceNameEquals": "Private1", "UserProfileNameEquals": "Alice" });
    assert_eq!(refused("ListApps", &both).code, "ValidationException");
}

#[test]
fn things_are_described_or_not_found() {
    let mut world = world();
    let domain = ask(&mut world, &member(), "DescribeDomain", &json!({ "DomainId": DOMAIN }));
    assert_eq!(domain["DomainArn"], DOMAIN_ARN);
    assert_eq!(domain["CreationTime"].to_string(), "1735689600.5");
    assert_eq!(domain.get("TagPropagation"), None);
    let body = json!({ "DomainId": DOMAIN, "SpaceName": "Private1", "AppType": "JupyterLab",
        "AppName": "default" });
    let app = ask(&mut world, &member(), "DescribeApp", &body);
    assert_eq!(
        app["AppArn"],
        format!("arn:aws:sagemaker:eu-west-1:{MEMBER}:app/{DOMAIN}/Private1/jupyterlab/default")
    );
    for (operation, body) in [
        ("DescribeDomain", json!({ "DomainId": "d-gonegonegone" })),
        ("DescribeUserProfile", json!({ "DomainId": DOMAIN, "UserProfileName": "alice" })),
        ("DescribeSpace", json!({ "DomainId": DOMAIN, "SpaceName": "nowhere" })),
    ] {
        assert_eq!(refused(operation, &body).code, "ResourceNotFound", "{operation}");
    }
}

#[test]
fn an_arn_in_another_case_has_no_tags() {
    let list = |kind: &str, list: &str, arn: &str| {
        ask(&mut world(), &member(), kind, &json!({}))[list][0][arn].clone()
    };
    let tuning = list(
        "ListHyperParameterTuningJobs",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJobArn",
    );
    assert!(tuning.as_str().unwrap().ends_with("/tune-a"));
    let refusal = refused("ListTags", &json!({ "ResourceArn": tuning }));
    assert_eq!(refusal, Refusal::invalid("Resource does not exist"));
    let truth = tuning.as_str().unwrap().replace("tune-a", "Tune-A");
    let tags = ask(&mut world(), &member(), "ListTags", &json!({ "ResourceArn": truth }));
    assert_eq!(tags["Tags"], json!([{ "Key": "cost-center", "Value": "Tune-A" }]));
    // An endpoint's true ARN is in small letters.
    let endpoint = list("ListEndpoints", "Endpoints", "EndpointArn");
    assert!(endpoint.as_str().unwrap().ends_with("/live-b"));
    ask(&mut world(), &member(), "ListTags", &json!({ "ResourceArn": endpoint }));
}

#[test]
fn tags_are_overwritten_and_limited() {
    let mut world = world();
    let add = |world: &mut World, tags: Value| {
        let body = json!({ "ResourceArn": DOMAIN_ARN, "Tags": tags });
        super::answer(world, &member(), "AddTags", &body)
    };
    let tags = json!([{ "Key": "team", "Value": "ml" }, { "Key": "env", "Value": "" }]);
    let Ok(Body::Json(answer)) = add(&mut world, tags) else { panic!("tags are added") };
    assert_eq!(
        answer["Tags"],
        json!([{ "Key": "env", "Value": "" }, { "Key": "team", "Value": "ml" }])
    );
    let many: Vec<Value> =
        (0..49).map(|n| json!({ "Key": format!("k{n}"), "Value": "v" })).collect();
    assert_eq!(add(&mut world, json!(many)).unwrap_err().code, "ValidationException");
    for key in ["aws:x", "a$b", ""] {
        assert!(add(&mut world, json!([{ "Key": key, "Value": "v" }])).is_err(), "{key}");
    }
    let body = json!({ "ResourceArn": DOMAIN_ARN, "TagKeys": ["team", "absent"] });
    ask(&mut world, &member(), "DeleteTags", &body);
    let left = ask(&mut world, &member(), "ListTags", &json!({ "ResourceArn": DOMAIN_ARN }));
    assert_eq!(left, json!({ "Tags": [{ "Key": "env", "Value": "" }] }));
}

#[test]
fn bad_requests_are_refused() {
    for (operation, body) in [
        ("ListApps", json!({ "MaxResults": 101 })),
        ("ListTrainingJobs", json!({ "SortOrder": "Up" })),
        ("ListTags", json!({ "ResourceArn": DOMAIN_ARN, "MaxResults": 49 })),
        ("ListTags", json!({ "ResourceArn": "d-abc" })),
        ("ListTags", json!({ "ResourceArn": format!("{DOMAIN_ARN}{}", "x".repeat(256)) })),
        ("DescribeDomain", json!({})),
    ] {
        assert_eq!(refused(operation, &body).code, "ValidationException", "{operation} {body}");
    }
    assert_eq!(refused("ListImages", &json!({})).code, "UnknownOperationException");
}

#[test]
fn lists_filter_by_time_name_and_status() {
    let after = |seconds: i64| json!({ "CreationTimeAfter": seconds, "StatusEquals": "InService" });
    let created = at("2026-01-01T00:00:00Z").as_second();
    for (body, count) in [
        (after(created - 1), 1),
        (after(created), 0),
        (json!({ "NameContains": "live" }), 1),
        (json!({ "StatusEquals": "Failed" }), 0),
    ] {
        let answer = ask(&mut world(), &member(), "ListEndpoints", &body);
        assert_eq!(answer["Endpoints"].as_array().unwrap().len(), count, "{body}");
    }
}
