//! Owns the tests of what IAM refuses.
//!
//! **Invariant:** what is refused changes nothing.

use super::*;

/// What is asked, and the status, the code and a part of the text that refuse it.
type Row<'a> = ((&'a str, Value), u16, &'a str, &'a str);

/// Tells that all of these are refused in a world with one policy, and that nothing is changed.
fn refuse_all(world: &mut World, rows: &[Row<'_>]) {
    for ((operation, body), status, code, part) in rows {
        let found = refused(world, operation, body);
        assert_eq!((found.0, found.1.as_str()), (*status, *code), "{operation} {body}");
        assert!(found.2.contains(part), "{operation} {body}: {}", found.2);
    }
    assert_eq!(changes(world), ["CreatePolicy own"]);
}

const INVALID: &str = "ValidationError";
const MALFORMED: &str = "MalformedPolicyDocument";

fn large() -> String {
    document(&format!("s3:{}", "a".repeat(6144)))
}

#[test]
fn bad_policies_are_not_made() {
    let mut world = world();
    create(&mut world, "own");
    let make = |key: &str, value: &str| {
        let mut body = json!({ "PolicyName": "new", "PolicyDocument": document("s3:Get*") });
        body[key] = json!(value);
        ("CreatePolicy", body)
    };
    let path = "value for path is invalid";
    refuse_all(
        &mut world,
        &[
            (make("PolicyName", "a b"), 400, INVALID, "value for policyName is invalid"),
            (make("PolicyName", "a/b"), 400, INVALID, "value for policyName is invalid"),
            (make("PolicyName", ""), 400, INVALID, "Member must not be null"),
            (make("PolicyName", &"x".repeat(129)), 400, INVALID, "equal to 128"),
            (make("Path", "a/"), 400, INVALID, path),
            (make("Path", "/a"), 400, INVALID, path),
            (make("Path", "//"), 400, INVALID, path),
            (make("Path", &format!("/{}/", "x".repeat(511))), 400, INVALID, path),
            (make("Description", &"x".repeat(1001)), 400, INVALID, "equal to 1000"),
            (make("PolicyDocument", ""), 400, INVALID, "at 'policyDocument'"),
            (make("PolicyDocument", "{€}"), 400, INVALID, "printable ASCII"),
            (make("PolicyDocument", &" ".repeat(131_073)), 400, INVALID, "equal to 131072"),
            (make("PolicyDocument", "{"), 400, MALFORMED, "Syntax errors in policy."),
            (make("PolicyDocument", &large()), 409, "LimitExceeded", "PolicySize: 6144"),
            (("CreateRole", json!({})), 400, "InvalidAction", "not part of this imitation"),
        ],
    );
    let twice = json!({ "PolicyName": "new", "PolicyDocument": document("s3:Get*"),
        "Tags.member.1.Key": "a", "Tags.member.2.Key": "a" });
    let tags = [(("CreatePolicy", twice), 400, "InvalidInput", "Duplicate tag keys")];
    refuse_all(&mut world, &tags);
}

#[test]
fn bad_requests_about_a_policy_are_refused() {
    let mut world = world();
    let own = create(&mut world, "own");
    let about = |policy: &str| ("GetPolicy", json!({ "PolicyArn": policy }));
    let none = json!({ "PolicyArn": arn("none") });
    let at = |id: &str| json!({ "PolicyArn": own, "VersionId": id });
    let add = |document: &str, in_force: &str| {
        let body =
            json!({ "PolicyArn": own, "PolicyDocument": document, "SetAsDefault": in_force });
        ("CreatePolicyVersion", body)
    };
    let lost = format!("arn:aws:iam:{MEMBER}:policy/own");
    refuse_all(
        &mut world,
        &[
            (("GetPolicy", json!({})), 400, INVALID, "at 'policyArn'"),
            (about("own"), 400, INVALID, "equal to 20"),
            (about(&lost), 400, "InvalidInput", "is not valid."),
            (about(&arn("none")), 404, "NoSuchEntity", "was not found."),
            (about(&arn("OWN")), 404, "NoSuchEntity", "was not found."),
            (("GetPolicyVersion", at("v2")), 404, "NoSuchEntity", "version v2 does not exist"),
            (("GetPolicyVersion", at("v0")), 400, INVALID, "at 'versionId'"),
            (("GetPolicyVersion", at("1")), 400, INVALID, "at 'versionId'"),
            (("SetDefaultPolicyVersion", at("v2")), 404, "NoSuchEntity", "version v2"),
            (("DeletePolicyVersion", at("v2")), 404, "NoSuchEntity", "version v2"),
            (("DeletePolicyVersion", at("v1")), 409, "DeleteConflict", "the default version"),
            (add("[]", "true"), 400, MALFORMED, "Syntax errors in policy."),
            (add(&large(), "true"), 409, "LimitExceeded", "PolicySize: 6144"),
            (add(&document("s3:*"), "yes"), 400, INVALID, "at 'setAsDefault'"),
            (("ListPolicies", json!({ "Scope": "Mine" })), 400, INVALID, "[All, AWS, Local]"),
            (("ListPolicyVersions", none.clone()), 404, "NoSuchEntity", "was not found."),
            (("ListEntitiesForPolicy", none), 404, "NoSuchEntity", "was not found."),
        ],
    );
}

#[test]
fn bad_requests_about_a_role_are_refused() {
    let mut world = world();
    let own = create(&mut world, "own");
    let of = |role: &str, policy: &str| json!({ "RoleName": role, "PolicyArn": policy });
    let role = "The role with name none cannot be found.";
    let inline = json!({ "RoleName": "Plain", "PolicyName": "none" });
    let policy = "The role policy with name none cannot be found.";
    let missing = "does not exist or is not attachable";
    refuse_all(
        &mut world,
        &[
            (("GetRole", of("none", "")), 404, "NoSuchEntity", role),
            (("GetRole", of("a b", "")), 400, INVALID, "value for roleName is invalid"),
            (("GetRole", of(&"x".repeat(65), "")), 400, INVALID, "equal to 64"),
            (("ListRolePolicies", of("none", "")), 404, "NoSuchEntity", role),
            (("ListAttachedRolePolicies", of("none", "")), 404, "NoSuchEntity", role),
            (("GetRolePolicy", inline), 404, "NoSuchEntity", policy),
            (("AttachRolePolicy", of("none", &own)), 404, "NoSuchEntity", role),
            (("DetachRolePolicy", of("none", &own)), 404, "NoSuchEntity", role),
            (("AttachRolePolicy", of("Plain", &arn("none"))), 404, "NoSuchEntity", missing),
            (("DetachRolePolicy", of("Plain", &own)), 404, "NoSuchEntity", "was not found."),
        ],
    );
}

#[test]
fn white_space_does_not_count() {
    let mut world = world();
    let document = document("s3:Get*").replacen('{', &format!("{{{}", " \n".repeat(5000)), 1);
    let body = json!({ "PolicyName": "wide", "PolicyDocument": document });
    get(&mut world, "CreatePolicy", &body);
}

#[test]
fn what_aws_manages_is_read_by_all_and_written_by_none() {
    let mut world = world();
    let key = json!({ "PolicyArn": FULL_ACCESS, "VersionId": "v29",
        "PolicyDocument": document("s3:*") });
    for caller in [member(), payer()] {
        let xml = ask_as(&mut world, &caller, "GetPolicy", &key).unwrap();
        assert_eq!(one(&xml, "DefaultVersionId"), "v29");
        let xml = ask_as(&mut world, &caller, "GetPolicyVersion", &key).unwrap();
        assert!(one(&xml, "Document").contains("AllowAllNonAdminSageMakerActions"));
    }
    for operation in
        ["CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy"]
    {
        let message = format!(
            "User: arn:aws:iam::{MEMBER}:user/sandbox is not authorized to perform: \
             iam:{operation} on resource: policy {FULL_ACCESS}"
        );
        let denied = (403, "AccessDenied".to_owned(), message);
        assert_eq!(refused(&mut world, operation, &key), denied);
    }
    assert_eq!(changes(&world), Vec::<String>::new());
}

#[test]
fn another_accounts_policies_and_roles_are_not_found() {
    let mut world = world();
    let own = create(&mut world, "own");
    for (operation, body) in [
        ("GetPolicy", json!({ "PolicyArn": own })),
        ("DeletePolicy", json!({ "PolicyArn": own })),
        ("AttachRolePolicy", json!({ "PolicyArn": own, "RoleName": "Plain" })),
        ("GetRole", json!({ "RoleName": "Execution" })),
    ] {
        let refusal = ask_as(&mut world, &payer(), operation, &body).unwrap_err();
        assert_eq!((refusal.status, refusal.code.as_str()), (404, "NoSuchEntity"), "{operation}");
    }
}
