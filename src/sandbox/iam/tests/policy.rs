//! Owns the tests of policies and their versions.
//!
//! **Invariant:** what was written is read back as it was written.

use super::*;

#[test]
fn a_policy_is_made_read_and_deleted() {
    let mut world = world();
    let body = json!({
        "Action": "CreatePolicy", "Version": "2010-05-08",
        "PolicyName": "team-a", "Path": "/apportion/", "Description": "a & b",
        "PolicyDocument": document("s3:Get*"),
        "Tags.member.1.Key": "k", "Tags.member.1.Value": "v", "Tags.member.2.Key": "empty",
    });
    let made = get(&mut world, "CreatePolicy", &body);
    let arn = arn("apportion/team-a");
    let key = json!({ "PolicyArn": arn });
    let shown = get(&mut world, "GetPolicy", &key);
    for (name, value) in [
        ("PolicyName", "team-a"),
        ("Arn", &arn),
        ("Path", "/apportion/"),
        ("DefaultVersionId", "v1"),
        ("AttachmentCount", "0"),
        ("PermissionsBoundaryUsageCount", "0"),
        ("IsAttachable", "true"),
        ("CreateDate", "2026-11-22T16:00:00Z"),
        ("UpdateDate", "2026-11-22T16:00:00Z"),
        (
            "Tags",
            "<member><Key>empty</Key><Value></Value></member>\
             <member><Key>k</Key><Value>v</Value></member>",
        ),
    ] {
        assert_eq!((one(&made, name), one(&shown, name)), (value, value), "{name}");
    }
    assert_eq!(one(&made, "PolicyId").len(), 21);
    assert!(one(&made, "PolicyId").starts_with("ANPA"));
    // Only `GetPolicy` tells the description, and nothing but `GetPolicyVersion` the document.
    assert_eq!(one(&shown, "Description"), "a &amp; b");
    assert!(!made.contains("Description") && !made.contains("Document"), "{made}");
    let listed = get(&mut world, "ListPolicies", &json!({ "Scope": "Local" }));
    assert!(!listed.contains("Description") && !listed.contains("Tags"), "{listed}");
    let read = json!({ "PolicyArn": arn, "VersionId": "v1" });
    let version = get(&mut world, "GetPolicyVersion", &read);
    assert_eq!(one(&version, "IsDefaultVersion"), "true");
    let encoded = one(&version, "Document");
    assert!(encoded.starts_with("%7B%22Statement%22%3A%7B%22Action%22%3A%22s3%3AGet%2A%22"));
    let gone = get(&mut world, "DeletePolicy", &key);
    let begin = "<DeletePolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
                 <ResponseMetadata>";
    assert!(gone.starts_with(begin), "{gone}");
    assert_eq!(refused(&mut world, "GetPolicy", &key).0, 404);
    assert_eq!(changes(&world), ["CreatePolicy team-a", "DeletePolicy team-a"]);
    let told = &world.iam_changes[0];
    assert_eq!((told.account.as_str(), told.policy.as_str()), (MEMBER, arn.as_str()));
    assert_eq!(told.body["PolicyDocument"], document("s3:Get*"));
    assert!(told.body.get("Action").is_none() && told.body.get("Version").is_none());
    // What is made anew has another id.
    world.now = at("2026-11-22T17:00:00Z");
    let again = get(&mut world, "CreatePolicy", &body);
    assert_ne!(one(&again, "PolicyId"), one(&made, "PolicyId"));
}

#[test]
fn versions_come_and_go_and_one_is_in_force() {
    let mut world = world();
    let arn = create(&mut world, "own");
    let versions = |world: &mut World| {
        let xml = get(world, "ListPolicyVersions", &json!({ "PolicyArn": arn }));
        assert!(!xml.contains("Document"), "{xml}");
        let pairs = all(&xml, "VersionId").into_iter().zip(all(&xml, "IsDefaultVersion"));
        let print =
            |(id, is_default)| format!("{id}{}", if is_default == "true" { "*" } else { "" });
        pairs.map(print).collect::<Vec<_>>().join(" ")
    };
    let at_version = |id: &str| json!({ "PolicyArn": arn, "VersionId": id });
    world.now = at("2026-11-22T18:00:00Z");
    assert_eq!(add_version(&mut world, &arn, false), "v2");
    assert_eq!(add_version(&mut world, &arn, true), "v3");
    assert_eq!(versions(&mut world), "v3* v2 v1");
    let shown = get(&mut world, "GetPolicy", &json!({ "PolicyArn": arn }));
    assert_eq!(one(&shown, "DefaultVersionId"), "v3");
    assert_eq!(one(&shown, "CreateDate"), "2026-11-22T16:00:00Z");
    assert_eq!(one(&shown, "UpdateDate"), "2026-11-22T18:00:00Z");
    get(&mut world, "SetDefaultPolicyVersion", &at_version("v2"));
    assert_eq!(versions(&mut world), "v3 v2* v1");
    get(&mut world, "DeletePolicyVersion", &at_version("v3"));
    // The id of what is gone is not given again.
    assert_eq!(add_version(&mut world, &arn, false), "v4");
    assert_eq!(add_version(&mut world, &arn, false), "v5");
    assert_eq!(add_version(&mut world, &arn, false), "v6");
    assert_eq!(versions(&mut world), "v6 v5 v4 v2* v1");
    let body = json!({ "PolicyArn": arn, "PolicyDocument": document("s3:*") });
    let (status, code, message) = refused(&mut world, "CreatePolicyVersion", &body);
    assert_eq!((status, code.as_str()), (409, "LimitExceeded"));
    assert!(message.starts_with("A managed policy can have up to 5 versions."), "{message}");
    get(&mut world, "DeletePolicyVersion", &at_version("v1"));
    assert_eq!(add_version(&mut world, &arn, true), "v7");
    assert_eq!(versions(&mut world), "v7* v6 v5 v4 v2");
    let version = get(&mut world, "GetPolicyVersion", &at_version("v2"));
    assert_eq!(one(&version, "IsDefaultVersion"), "false");
    assert!(one(&version, "Document").contains("s3%3APut%2A"), "{version}");
    // To put in force what is in force is no change.
    let count = world.iam_changes.len();
    get(&mut world, "SetDefaultPolicyVersion", &at_version("v7"));
    assert_eq!(world.iam_changes.len(), count);
}

#[test]
fn what_is_in_use_or_in_force_stays() {
    let mut world = world();
    let arn = create(&mut world, "own");
    let key = json!({ "PolicyArn": arn });
    let conflict = |message: &str| (409, "DeleteConflict".to_owned(), message.to_owned());
    let attached = conflict("Cannot delete a policy attached to entities.");
    attach(&mut world, "Plain", &arn);
    assert_eq!(refused(&mut world, "DeletePolicy", &key), attached);
    get(&mut world, "DetachRolePolicy", &json!({ "PolicyArn": arn, "RoleName": "Plain" }));
    world.organisation.roles[0].boundary = Some(arn.clone());
    assert_eq!(refused(&mut world, "DeletePolicy", &key), attached);
    world.organisation.roles[0].boundary = None;
    let last = world.organisation.policies.len() - 1;
    world.organisation.policies[last].users.insert("ada".to_owned());
    assert_eq!(refused(&mut world, "DeletePolicy", &key), attached);
    world.organisation.policies[last].users.clear();
    add_version(&mut world, &arn, true);
    let (_, code, message) = refused(&mut world, "DeletePolicy", &key);
    assert_eq!(code, "DeleteConflict");
    assert!(message.starts_with("This policy has more than one version."), "{message}");
    let version = |id: &str| json!({ "PolicyArn": arn, "VersionId": id });
    assert_eq!(
        refused(&mut world, "DeletePolicyVersion", &version("v2")),
        conflict("Cannot delete the default version of a policy.")
    );
    get(&mut world, "DeletePolicyVersion", &version("v1"));
    get(&mut world, "DeletePolicy", &key);
}

#[test]
fn names_are_unique_whatever_their_path_and_capitals() {
    let mut world = world();
    create(&mut world, "Own");
    for (name, path) in [("Own", "/"), ("own", "/"), ("OWN", "/elsewhere/")] {
        let body =
            json!({ "PolicyName": name, "Path": path, "PolicyDocument": document("s3:Get*") });
        let message =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        let expected = (409, "EntityAlreadyExists".to_owned(), message);
        assert_eq!(refused(&mut world, "CreatePolicy", &body), expected);
    }
    // Neither another account's names nor those of AWS are taken.
    let body = json!({ "PolicyName": "Own", "PolicyDocument": document("s3:Get*") });
    ask_as(&mut world, &payer(), "CreatePolicy", &body).unwrap();
    create(&mut world, "AmazonSageMakerFullAccess");
    let listed = get(&mut world, "ListPolicies", &json!({ "Scope": "Local" }));
    assert_eq!(all(&listed, "PolicyName"), ["Own", "AmazonSageMakerFullAccess"]);
    assert!(!listed.contains(PAYER), "{listed}");
}
