//! Owns the tests of roles and of what is attached to them.
//!
//! **Invariant:** another account's role is none.

use super::*;

#[test]
fn policies_are_attached_and_detached() {
    let mut world = world();
    let arn = create(&mut world, "own");
    let both = json!({ "RoleName": "Plain", "PolicyArn": arn });
    let attached = |world: &mut World| {
        let xml = get(world, "ListAttachedRolePolicies", &json!({ "RoleName": "Plain" }));
        all(&xml, "PolicyName").join(" ")
    };
    let count = |world: &mut World, arn: &str| {
        one(&get(world, "GetPolicy", &json!({ "PolicyArn": arn })), "AttachmentCount").to_owned()
    };
    assert_eq!(attached(&mut world), "AmazonSageMakerFullAccess");
    let answer = get(&mut world, "AttachRolePolicy", &both);
    assert!(!answer.contains("Result"), "{answer}");
    attach(&mut world, "Plain", &arn);
    assert_eq!(attached(&mut world), "own AmazonSageMakerFullAccess");
    assert_eq!(
        (count(&mut world, &arn).as_str(), count(&mut world, FULL_ACCESS).as_str()),
        ("1", "2")
    );
    // The payer's role of the same name has neither.
    let xml =
        ask_as(&mut world, &payer(), "ListAttachedRolePolicies", &json!({ "RoleName": "Plain" }));
    assert_eq!(all(&xml.unwrap(), "PolicyName"), Vec::<&str>::new());
    let xml = ask_as(&mut world, &payer(), "GetPolicy", &json!({ "PolicyArn": FULL_ACCESS }));
    assert_eq!(one(&xml.unwrap(), "AttachmentCount"), "0");
    get(&mut world, "DetachRolePolicy", &both);
    let message = format!("Policy {arn} was not found.");
    let gone = (404, "NoSuchEntity".to_owned(), message);
    assert_eq!(refused(&mut world, "DetachRolePolicy", &both), gone);
    let full = json!({ "RoleName": "Plain", "PolicyArn": FULL_ACCESS });
    get(&mut world, "DetachRolePolicy", &full);
    assert_eq!(attached(&mut world), "");
    assert_eq!(
        changes(&world),
        [
            "CreatePolicy own",
            "AttachRolePolicy own Plain",
            "DetachRolePolicy own Plain",
            "DetachRolePolicy AmazonSageMakerFullAccess Plain",
        ]
    );
}

#[test]
fn a_role_has_so_many_policies_and_no_more() {
    let mut world = world();
    world.variants.iam_attached_max = 2;
    let (one, two) = (create(&mut world, "one"), create(&mut world, "two"));
    attach(&mut world, "Plain", &one);
    let body = json!({ "RoleName": "Plain", "PolicyArn": two });
    let message = "Cannot exceed quota for PoliciesPerRole: 2".to_owned();
    let full = (409, "LimitExceeded".to_owned(), message);
    assert_eq!(refused(&mut world, "AttachRolePolicy", &body), full);
    // What is attached already may be attached again.
    attach(&mut world, "Plain", &one);
    get(&mut world, "DetachRolePolicy", &json!({ "RoleName": "Plain", "PolicyArn": one }));
    attach(&mut world, "Plain", &two);
}

#[test]
fn roles_are_told_with_their_trust_and_boundary() {
    let mut world = world();
    let arn = create(&mut world, "bounds");
    world.organisation.roles[0].boundary = Some(arn.clone());
    let xml = get(&mut world, "GetRole", &json!({ "RoleName": "Execution" }));
    for (name, value) in [
        ("RoleName", "Execution"),
        ("Path", "/service-role/"),
        ("Arn", &*format!("arn:aws:iam::{MEMBER}:role/service-role/Execution")),
        ("CreateDate", "2025-01-01T00:00:00Z"),
        ("MaxSessionDuration", "3600"),
        ("PermissionsBoundaryType", "Policy"),
        ("PermissionsBoundaryArn", &arn),
    ] {
        assert_eq!(one(&xml, name), value, "{name}");
    }
    assert!(one(&xml, "RoleId").starts_with("AROA"));
    assert!(one(&xml, "AssumeRolePolicyDocument").contains("sagemaker.amazonaws.com"));
    let listed = get(&mut world, "ListRoles", &json!({}));
    assert_eq!(all(&listed, "RoleName"), ["Execution", "Plain"]);
    assert!(!listed.contains("Boundary") && !listed.contains(PAYER), "{listed}");
    let listed = get(&mut world, "ListRoles", &json!({ "PathPrefix": "/service-role/" }));
    assert_eq!(all(&listed, "RoleName"), ["Execution"]);
    let shown = get(&mut world, "GetPolicy", &json!({ "PolicyArn": arn }));
    assert_eq!(one(&shown, "PermissionsBoundaryUsageCount"), "1");
    assert_eq!(one(&shown, "AttachmentCount"), "0");
}

#[test]
fn inline_policies_are_read() {
    let mut world = world();
    let inline = &mut world.organisation.roles[0].inline;
    inline.insert("b".to_owned(), "{\"a\": 1}".to_owned());
    inline.insert("a".to_owned(), "{}".to_owned());
    let role = json!({ "RoleName": "Execution" });
    let xml = get(&mut world, "ListRolePolicies", &role);
    assert_eq!(one(&xml, "PolicyNames"), "<member>a</member><member>b</member>");
    let xml =
        get(&mut world, "GetRolePolicy", &json!({ "RoleName": "Execution", "PolicyName": "b" }));
    assert_eq!((one(&xml, "RoleName"), one(&xml, "PolicyName")), ("Execution", "b"));
    assert_eq!(one(&xml, "PolicyDocument"), "%7B%22a%22%3A%201%7D");
}

#[test]
fn what_has_a_policy_is_told_by_kind_and_use() {
    let mut world = world();
    let arn = create(&mut world, "own");
    attach(&mut world, "Plain", &arn);
    world.organisation.roles[0].boundary = Some(arn.clone());
    let policy = world.organisation.policies.last_mut().unwrap();
    policy.users.insert("ada".to_owned());
    policy.groups.insert("staff".to_owned());
    for (filters, expected) in [
        (json!({}), ("staff", "ada", "Execution Plain")),
        (json!({ "EntityFilter": "Role" }), ("", "", "Execution Plain")),
        (json!({ "EntityFilter": "User" }), ("", "ada", "")),
        (json!({ "EntityFilter": "Group" }), ("staff", "", "")),
        (json!({ "EntityFilter": "AWSManagedPolicy" }), ("", "", "")),
        (json!({ "PolicyUsageFilter": "PermissionsPolicy" }), ("staff", "ada", "Plain")),
        (json!({ "PolicyUsageFilter": "PermissionsBoundary" }), ("", "", "Execution")),
        (json!({ "PathPrefix": "/service-role/" }), ("", "", "Execution")),
    ] {
        let mut body = filters.clone();
        body["PolicyArn"] = json!(arn);
        let xml = get(&mut world, "ListEntitiesForPolicy", &body);
        let names = |name: &str| all(&xml, name).join(" ");
        let found = (names("GroupName"), names("UserName"), names("RoleName"));
        let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned());
        assert_eq!(found, expected, "{filters}");
    }
    let xml =
        ask_as(&mut world, &payer(), "ListEntitiesForPolicy", &json!({ "PolicyArn": FULL_ACCESS }));
    assert_eq!(one(&xml.unwrap(), "PolicyRoles"), "");
}
