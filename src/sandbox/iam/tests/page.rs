//! Owns the tests of lists: what is in them, and how they are cut.
//!
//! **Invariant:** pages tile the list.

use super::*;

/// Reads all pages of a list, and returns the elements of a name and how many pages there were.
fn pages(world: &mut World, operation: &str, body: &Value, name: &str) -> (Vec<String>, usize) {
    let (mut found, mut count) = (Vec::new(), 0);
    let mut body = body.clone();
    loop {
        let xml = get(world, operation, &body);
        found.extend(all(&xml, name).into_iter().map(str::to_owned));
        count += 1;
        if one(&xml, "IsTruncated") == "false" {
            assert!(!xml.contains("<Marker>"), "{xml}");
            return (found, count);
        }
        body["Marker"] = json!(one(&xml, "Marker"));
        assert!(one(&xml, "Marker").len() <= 320);
    }
}

#[test]
fn policies_are_listed_by_scope_path_and_use() {
    let mut world = world();
    let own = create(&mut world, "own");
    attach(&mut world, "Plain", &own);
    let body = json!({ "PolicyName": "deep", "Path": "/a/b/", "PolicyDocument": document("s3:*") });
    get(&mut world, "CreatePolicy", &body);
    world.organisation.roles[0].boundary = Some(arn("a/b/deep"));
    let (full, canvas) = ("AmazonSageMakerFullAccess", "AmazonSageMakerCanvasForecastAccess");
    for (filters, expected) in [
        (json!({}), &["own", "deep", full, canvas][..]),
        (json!({ "Scope": "All" }), &["own", "deep", full, canvas]),
        (json!({ "Scope": "Local" }), &["own", "deep"]),
        (json!({ "Scope": "AWS" }), &[full, canvas]),
        (json!({ "PathPrefix": "/a/" }), &["deep"]),
        (json!({ "PathPrefix": "/b/" }), &[]),
        (json!({ "PathPrefix": "/service-role/" }), &[canvas]),
        (json!({ "OnlyAttached": "true" }), &["own", full]),
        (json!({ "OnlyAttached": "false", "Scope": "Local" }), &["own", "deep"]),
        (json!({ "OnlyAttached": "true", "Scope": "Local" }), &["own"]),
        (json!({ "PolicyUsageFilter": "PermissionsPolicy" }), &["own", full]),
        (json!({ "PolicyUsageFilter": "PermissionsBoundary" }), &["deep"]),
    ] {
        let xml = get(&mut world, "ListPolicies", &filters);
        assert_eq!(all(&xml, "PolicyName"), expected, "{filters}");
    }
}

#[test]
fn lists_are_cut_as_the_caller_asks_and_as_the_variant_says() {
    let mut world = world();
    for name in ["a", "b", "c"] {
        let arn = create(&mut world, name);
        attach(&mut world, "Execution", &arn);
        world.organisation.roles[0].inline.insert(name.to_owned(), "{}".to_owned());
    }
    let own = arn("a");
    attach(&mut world, "Plain", &own);
    add_version(&mut world, &own, false);
    add_version(&mut world, &own, true);
    let policy = world.organisation.policies.iter_mut().find(|it| it.arn() == own).unwrap();
    policy.users.insert("ada".to_owned());
    policy.groups.insert("staff".to_owned());
    let lists = [
        ("ListPolicies", json!({}), "PolicyName", 5),
        ("ListPolicyVersions", json!({ "PolicyArn": own }), "VersionId", 3),
        ("ListEntitiesForPolicy", json!({ "PolicyArn": own }), "member", 4),
        ("ListRoles", json!({}), "RoleName", 2),
        ("ListRolePolicies", json!({ "RoleName": "Execution" }), "member", 3),
        ("ListAttachedRolePolicies", json!({ "RoleName": "Execution" }), "PolicyArn", 4),
    ];
    for (operation, body, name, count) in &lists {
        let (whole, at_once) = pages(&mut world, operation, body, name);
        assert_eq!((whole.len(), at_once), (*count, 1), "{operation}");
        let mut small = body.clone();
        small["MaxItems"] = json!("1");
        assert_eq!(pages(&mut world, operation, &small, name), (whole.clone(), *count));
        world.variants.iam_page_items = 2;
        assert_eq!(pages(&mut world, operation, body, name), (whole, count.div_ceil(2)));
        // Another list does not know the marker.
        small["Marker"] = json!(super::super::super::page::token("0", 1));
        let (status, code, _) = refused(&mut world, operation, &small);
        assert_eq!((status, code.as_str()), (400, "ValidationError"), "{operation}");
        world.variants.iam_page_items = 100;
    }
}

#[test]
fn a_hundred_items_are_a_page() {
    let mut world = world();
    let policy = world.organisation.policies[0].clone();
    let many = (0..150).map(|nth| {
        let (account, name) = (MEMBER.to_owned(), format!("p{nth:03}"));
        super::super::Policy { account, name, ..policy.clone() }
    });
    world.organisation.policies.extend(many);
    let local = json!({ "Scope": "Local" });
    let first = get(&mut world, "ListPolicies", &local);
    assert_eq!(all(&first, "PolicyName").len(), 100);
    assert_eq!(pages(&mut world, "ListPolicies", &local, "PolicyName").0.len(), 150);
    // More than a page can be asked for, and the variant has the last word.
    world.variants.iam_page_items = 1000;
    let wide = json!({ "Scope": "Local", "MaxItems": "1000" });
    assert_eq!(pages(&mut world, "ListPolicies", &wide, "PolicyName").1, 1);
    for size in ["0", "1001", "x"] {
        let (_, code, message) = refused(&mut world, "ListPolicies", &json!({ "MaxItems": size }));
        assert_eq!(code, "ValidationError");
        assert!(message.contains(&format!("Value '{size}' at 'maxItems'")), "{message}");
    }
}
