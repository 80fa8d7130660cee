//! Owns the tests of the tagging API.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use jiff::ToSpan;

use super::super::faults::{Denied, Faults};
use super::super::sample::{DOMAIN_ARN, member, resource, world};
use super::*;

fn ask(world: &mut World, operation: &str, body: &Value) -> Result<Value, Refusal> {
    let answer = answer(world, &member(), operation, body)?;
    let Body::Json(answer) = answer else { panic!("the tagging API speaks JSON") };
    Ok(answer)
}

fn names(body: &Value) -> Vec<String> {
    let answer = ask(&mut world(), "GetResources", body).unwrap();
    let found = answer["ResourceTagMappingList"].as_array().unwrap();
    let name = |thing: &Value| {
        thing["ResourceARN"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    };
    found.iter().map(name).collect()
}

#[test]
fn filters_are_and_between_keys_and_or_within() {
    let by = |filters: Value| json!({ "TagFilters": filters, "ResourcesPerPage": 100 });
    let all = names(&json!({ "ResourcesPerPage": 100 }));
    // Models and user profiles were never tagged; the deleted app and endpoint are gone.
    assert_eq!(all.len(), 1 + 2 + 2 + 2 + 12 + 3, "{all:?}");
    let two = by(json!([{ "Key": "cost-center", "Values": ["p01", "p02", "none"] }]));
    assert_eq!(names(&two), ["processing-job/p01", "processing-job/p02"]);
    let none = by(json!([{ "Key": "cost-center" }, { "Key": "team" }]));
    assert!(names(&none).is_empty());
}

#[test]
fn types_are_services_or_services_and_types() {
    for (types, count) in [
        (json!(["elasticfilesystem:file-system"]), 3),
        (json!(["sagemaker"]), 19),
        (json!(["sagemaker:processing-job", "sagemaker:domain"]), 13),
        (json!(["s3"]), 0),
    ] {
        let found = names(&json!({ "ResourceTypeFilters": types, "ResourcesPerPage": 100 }));
        assert_eq!(found.len(), count, "{types}");
    }
    assert_eq!(names(&json!({ "ResourceARNList": [DOMAIN_ARN] })).len(), 1);
    let both = json!({ "ResourceARNList": [DOMAIN_ARN], "ResourcesPerPage": 5 });
    assert_eq!(ask(&mut world(), "GetResources", &both).unwrap_err().code, INVALID);
}

#[test]
fn the_last_token_is_empty_and_old_ones_expire() {
    let mut world = world();
    let first = ask(&mut world, "GetResources", &json!({ "ResourcesPerPage": 20 })).unwrap();
    let token = &first["PaginationToken"];
    let next = json!({ "ResourcesPerPage": 20, "PaginationToken": token });
    let last = ask(&mut world, "GetResources", &next).unwrap();
    assert_eq!(last["PaginationToken"], "");
    assert_eq!(last["ResourceTagMappingList"].as_array().unwrap().len(), 2);
    world.now += 16.minutes();
    let refusal = ask(&mut world, "GetResources", &next).unwrap_err();
    assert_eq!(refusal.code, "PaginationTokenExpiredException");
}

#[test]
fn tagging_fails_for_each_resource_by_itself() {
    let mut world = world();
    let missing = format!("{DOMAIN_ARN}x");
    let body = json!({ "ResourceARNList": [missing, DOMAIN_ARN], "Tags": { "env": "test" } });
    let answer = ask(&mut world, "TagResources", &body).unwrap();
    let failed = answer["FailedResourcesMap"].as_object().unwrap();
    assert_eq!(failed.keys().collect::<Vec<_>>(), [&missing]);
    assert_eq!(world.organisation.domains[0].tags["env"], "test");
}

const HOME: &str = "arn:aws:elasticfilesystem:eu-west-1:444455556666:file-system/fs-00000000";

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:eu-west-1:444455556666:{kind}/{name}")
}

fn tag(world: &mut World, arns: &Value, tags: &Value) -> Value {
    let body = json!({ "ResourceARNList": arns, "Tags": tags });
    ask(world, "TagResources", &body).unwrap()["FailedResourcesMap"].clone()
}

fn untag(world: &mut World, arns: &Value, keys: &Value) -> Value {
    let body = json!({ "ResourceARNList": arns, "TagKeys": keys });
    ask(world, "UntagResources", &body).unwrap()["FailedResourcesMap"].clone()
}

fn found(world: &mut World, arn: &str) -> Value {
    let body = json!({ "ResourceARNList": [arn] });
    let answer = ask(world, "GetResources", &body).unwrap();
    answer["ResourceTagMappingList"].as_array().unwrap().first().cloned().unwrap_or_default()
}

#[test]
fn what_was_tagged_shows_without_tags_and_what_never_was_is_invisible() {
    let mut world = world();
    let model = arn("model", "model-c");
    assert_eq!(found(&mut world, &model), Value::Null);
    assert_eq!(tag(&mut world, &json!([model, HOME]), &json!({ "team": "ml" })), json!({}));
    let tags = json!([{ "Key": "team", "Value": "ml" }]);
    assert_eq!(found(&mut world, &model)["Tags"], tags);
    assert_eq!(found(&mut world, HOME)["Tags"].as_array().unwrap().len(), 2);
    assert_eq!(untag(&mut world, &json!([model, HOME]), &json!(["team", "absent"])), json!({}));
    assert_eq!(found(&mut world, &model)["Tags"], json!([]));
}

#[test]
fn the_tagging_api_may_be_late_while_list_tags_is_not() {
    let mut world = world();
    world.variants.tag_lag_seconds = 30;
    let model = arn("model", "model-c");
    tag(&mut world, &json!([model]), &json!({ "team": "ml" }));
    assert_eq!(found(&mut world, &model), Value::Null);
    let body = json!({ "ResourceArn": model });
    let Ok(Body::Json(tags)) = sagemaker::answer(&mut world, &member(), "ListTags", &body) else {
        panic!("SageMaker is asked for tags")
    };
    assert_eq!(tags["Tags"], json!([{ "Key": "team", "Value": "ml" }]));
    world.now += 30.seconds();
    assert_eq!(found(&mut world, &model)["Tags"], tags["Tags"]);
}

#[test]
fn types_that_it_does_not_know_fail_one_by_one_and_are_never_listed() {
    let mut world = world();
    let kinds = ["mlflow-app", "partner-app", "training-plan", "job", "training-session"];
    for kind in kinds {
        world.organisation.resources.push(resource(kind, "one", "Active"));
    }
    let mut execution = resource("pipeline-execution", "one", "Succeeded");
    execution.arn = arn("pipeline", "p/execution/abc");
    let shadow = resource("inference-experiment", "one", "Running");
    world.organisation.resources.extend([execution, shadow]);
    let mut arns: Vec<String> = kinds.iter().map(|kind| arn(kind, "one")).collect();
    arns.push(arn("pipeline", "p/execution/abc"));
    for unknown in &arns {
        assert_eq!(found(&mut world, unknown), Value::Null, "{unknown}");
    }
    arns.extend([arn("inference-experiment", "one"), arn("model", "model-c")]);
    let failed = tag(&mut world, &json!(arns), &json!({ "team": "ml" }));
    for unknown in &arns[..6] {
        let failure = json!({
            "StatusCode": 500, "ErrorCode": "InternalServiceException",
            "ErrorMessage": "The resource type is not supported.",
        });
        assert_eq!(failed[unknown], failure, "{unknown}");
    }
    // Known here, and refused by SageMaker.
    assert_eq!(failed[&arns[6]]["ErrorCode"], "ValidationException");
    assert_eq!(failed.get(&arns[7]), None);
}

#[test]
fn both_permissions_are_needed() {
    let mut world = world();
    let deny = |service: &str, operation: &str| Denied {
        service: Some(service.to_owned()),
        operation: Some(operation.to_owned()),
        ..Denied::default()
    };
    let denied = vec![deny("sagemaker", "AddTags"), deny("elasticfilesystem", "UntagResource")];
    world.faults = Faults { denied, ..Faults::default() };
    let both = json!([DOMAIN_ARN, HOME]);
    let failed = tag(&mut world, &both, &json!({ "env": "test" }));
    assert_eq!(failed[DOMAIN_ARN]["ErrorCode"], "AccessDeniedException");
    assert!(failed.get(HOME).is_none());
    let failed = untag(&mut world, &both, &json!(["env", "team"]));
    assert!(failed.get(DOMAIN_ARN).is_none());
    let message = failed[HOME]["ErrorMessage"].as_str().unwrap();
    assert!(message.contains("elasticfilesystem:UntagResource"), "{message}");
}

#[test]
fn own_tags_are_fixed_in_one_variant() {
    let space = arn("space/d-abcdefghijkl", "team");
    for fixed in [false, true] {
        let mut world = world();
        world.variants.own_tags_fixed = fixed;
        let other = json!({ "sagemaker:domain-arn": "arn:other" });
        let absent = json!({ "sagemaker:shared-space-arn": space });
        let same = json!({ "sagemaker:domain-arn": DOMAIN_ARN });
        for added in [absent, same] {
            assert_eq!(tag(&mut world, &json!([space]), &added), json!({}));
        }
        let changed = tag(&mut world, &json!([space, DOMAIN_ARN]), &other);
        let taken = untag(&mut world, &json!([space]), &json!(["sagemaker:domain-arn"]));
        for failed in [&changed, &taken] {
            let code = failed.get(&space).map(|failure| failure["ErrorCode"].clone());
            assert_eq!(code, fixed.then(|| json!("ValidationException")), "{fixed}");
        }
        // Where the tag was absent, it can be added.
        assert_eq!(changed.get(DOMAIN_ARN), None);
        let left = world.organisation.spaces[1].tags.get("sagemaker:domain-arn");
        assert_eq!(left.map(String::as_str), fixed.then_some(DOMAIN_ARN));
    }
}

#[test]
fn limits_of_a_request_are_refused_and_those_of_a_resource_are_told() {
    let mut world = world();
    let arns: Vec<String> = (0..21).map(|number| arn("model", &number.to_string())).collect();
    let keys: Vec<String> = (0..51).map(|number| format!("k{number}")).collect();
    for (operation, body) in [
        ("TagResources", json!({ "ResourceARNList": arns, "Tags": { "a": "b" } })),
        ("TagResources", json!({ "ResourceARNList": [DOMAIN_ARN], "Tags": {} })),
        ("UntagResources", json!({ "ResourceARNList": [DOMAIN_ARN], "TagKeys": keys })),
        ("UntagResources", json!({ "ResourceARNList": [], "TagKeys": ["a"] })),
    ] {
        assert_eq!(ask(&mut world, operation, &body).unwrap_err().code, INVALID, "{body}");
    }
    let fifty: Map<String, Value> =
        keys[..50].iter().map(|key| (key.clone(), json!("v"))).collect();
    let long = "x".repeat(250);
    world.organisation.resources.push(resource("model-package", &long, "Completed"));
    let arns = json!([DOMAIN_ARN, arn("model-package", &long), arn("endpoint", "Live-B")]);
    let failed = tag(&mut world, &arns, &json!(fifty));
    assert_eq!(failed.as_object().unwrap().len(), 3, "{failed}");
    assert_eq!(failed[arn("endpoint", "Live-B")]["ErrorMessage"], "Resource does not exist");
}

#[test]
fn some_resources_of_a_request_may_fail() {
    let mut world = world();
    world.faults = Faults { tag_fail_percent: 50, ..Faults::default() };
    let arns: Vec<String> = (0..12).map(|n| arn("processing-job", &format!("p{n:02}"))).collect();
    let failed = tag(&mut world, &json!(arns), &json!({ "team": "ml" }));
    let failed = failed.as_object().unwrap();
    assert!((1..12).contains(&failed.len()), "{}", failed.len());
    assert!(failed.values().all(|failure| failure["ErrorCode"] == "ThrottlingException"));
}
