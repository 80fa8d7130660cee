//! Owns the proof that isolation policies are planned, applied and kept as the configuration says, and nothing else is touched.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeSet;

use apportion::isolation::PREFIX;
use apportion::sandbox::world::Shared;
use serde_json::json;

use crate::isolation::{Desk, arn_of, domains, holders, left, others, ours, told};
use crate::run::{Sandbox, apportion, write};
use crate::tags::ended;
use crate::world::{MEMBER, NOW, alter, make, small};

#[test]
fn what_was_applied_is_kept_and_what_is_others_is_as_it_was() {
    let (desk, world) = (Desk::new(), make(&small(2), 21));
    let before = others(&world);
    let domains = domains(&world);
    assert_eq!(desk.done(&world, "plan --check"), 3);
    let plan = desk.plan(&world, "");
    assert_eq!(plan.items.len(), 5);
    assert!(told(&plan).iter().all(|it| it.starts_with('+')), "{:?}", told(&plan));
    assert_eq!(left(&plan), Vec::<String>::new());
    assert_eq!((ours(&world).len(), alter(&world, |it| it.iam_changes.len())), (0, 0));
    assert_eq!(desk.done(&world, "apply --yes"), 0);
    let second = desk.plan(&world, " --check");
    assert!(told(&second).iter().all(|it| it.starts_with('=')), "{second:#?}");
    assert_eq!(second.items.len(), 5);
    assert_eq!(desk.done(&world, "plan --check"), 0);
    let changes = alter(&world, |world| std::mem::take(&mut world.iam_changes));
    assert_eq!(desk.done(&world, "apply --yes"), 0);
    assert_eq!(alter(&world, |world| world.iam_changes.clone()), []);
    // Each domain's policy is on all of its roles, whatever their paths, and on no other.
    let mut paths = 0;
    for (id, roles) in domains {
        let held: BTreeSet<String> = holders(&world, &arn_of(&world, &id)).into_iter().collect();
        paths += held.iter().filter(|it| it.contains(":role/service-role/")).count();
        assert_eq!(held, roles, "{id}");
    }
    assert!(paths > 0, "some roles have a path");
    assert_eq!(others(&world), before, "with the policy that somebody wrote by hand");
    assert!(before.0.iter().any(|it| it.name == "SageMaker-vision-data"));
    let attached = changes.iter().filter(|it| it.operation == "AttachRolePolicy").count();
    assert_eq!(changes.len(), 5 + attached, "{changes:?}");
}

#[test]
fn versions_are_rotated_when_there_are_as_many_as_iam_keeps() {
    let (mut desk, world) = (Desk::new(), make(&small(2), 21));
    let id = domains(&world).into_keys().next().unwrap();
    let mut last = None;
    for wish in [
        "",
        "form = \"current\"",
        "form = \"earlier\"",
        "untagged = \"deny\"",
        "grant = true",
        "tag_protection = \"value\"",
        "shared = [\"arn:aws:sagemaker:*:*:image/base\"]",
        "",
    ] {
        wish.clone_into(&mut desk.wish);
        assert_eq!(desk.done(&world, &format!("apply --yes --domain {id}")), 0, "{wish}");
        let [policy] = &ours(&world)[..] else { panic!("one domain was named") };
        assert!(policy.versions.len() <= 5, "{wish}");
        let default = policy.version(&policy.default_id).unwrap().document.clone();
        let before = last.replace(default.clone());
        assert_ne!(before, Some(default), "{wish}");
    }
    let policy = ours(&world).remove(0);
    let ids: Vec<&str> = policy.versions.iter().map(|it| it.id.as_str()).collect();
    assert_eq!((ids, policy.default_id.as_str()), (vec!["v4", "v5", "v6", "v7", "v8"], "v8"));
}

#[test]
fn a_policy_on_another_role_is_detached_when_that_is_asked_for_and_not_before() {
    let (desk, world) = (Desk::new(), make(&small(2), 21));
    desk.done(&world, "apply --yes");
    let id = domains(&world).into_keys().next().unwrap();
    let arn = arn_of(&world, &id);
    let account = arn.split(':').nth(4).unwrap().to_owned();
    let own = holders(&world, &arn);
    let foreign = alter(&world, |world| {
        let mut roles = world.organisation.roles.iter_mut();
        let role = roles.find(|it| it.account == account && it.name == "sandbox").unwrap();
        role.attached.insert(arn.clone());
        role.arn()
    });
    let plan = desk.plan(&world, "");
    assert!(told(&plan).iter().all(|it| it.starts_with('=')), "{:?}", told(&plan));
    assert_eq!(left(&plan), [format!("attached {}", id.rsplit('-').next().unwrap())]);
    assert!(plan.left[0].because[0].text.contains("sandbox"), "{:?}", plan.left);
    assert_eq!(desk.done(&world, "apply --yes"), 0);
    assert!(holders(&world, &arn).contains(&foreign));
    assert_eq!(desk.done(&world, "plan --check --prune"), 3);
    assert_eq!(desk.done(&world, "apply --yes --prune"), 0);
    assert_eq!(holders(&world, &arn), own);
    assert_eq!(desk.done(&world, "plan --check --prune"), 0);
}

/// Deletes a domain with all that is in it; returns its policy's ARN.
fn drop_domain(world: &Shared) -> String {
    let id = domains(world).into_keys().next().unwrap();
    alter(world, |world| {
        world.organisation.domains.retain(|it| it.id != id);
        world.organisation.user_profiles.retain(|it| it.domain != id);
        world.organisation.spaces.retain(|it| it.domain != id);
    });
    arn_of(world, &id)
}

#[test]
fn the_policy_of_a_domain_that_is_gone_goes_when_that_is_asked_for_and_not_before() {
    let (desk, world) = (Desk::new(), make(&small(2), 21));
    desk.done(&world, "apply --yes");
    let arn = drop_domain(&world);
    let end = arn.rsplit('-').next().unwrap().to_owned();
    assert_eq!(left(&desk.plan(&world, "")), [format!("domain_gone {end}")]);
    assert_eq!(desk.done(&world, "apply --yes"), 0);
    assert!(!holders(&world, &arn).is_empty());
    // Where it was not looked, nothing is known to be gone.
    alter(&world, |world| {
        let denied = json!([{ "service": "sagemaker", "operation": "ListDomains" }]);
        world.faults = serde_json::from_value(json!({ "denied": denied })).unwrap();
    });
    let plan = desk.plan(&world, " --prune");
    assert_eq!((plan.pending().count(), plan.left.len()), (0, 5), "{:?}", plan.left);
    assert!(plan.left.iter().all(|it| it.verdict == "unread"), "{:?}", plan.left);
    alter(&world, |world| world.faults = serde_json::from_value(json!({})).unwrap());
    // A user who has it keeps it there.
    let with_users = |users: &[&str]| {
        alter(&world, |world| {
            let mut policies = world.organisation.policies.iter_mut();
            let policy = policies.find(|it| it.arn() == arn).unwrap();
            policy.users = users.iter().map(|it| (*it).to_owned()).collect();
        });
    };
    with_users(&["somebody"]);
    assert_eq!(left(&desk.plan(&world, " --prune")), [format!("attached_elsewhere {end}")]);
    with_users(&[]);
    assert_eq!(desk.done(&world, "apply --yes --prune"), 0);
    assert_eq!(holders(&world, &arn), Vec::<String>::new());
    assert!(ours(&world).iter().all(|it| it.arn() != arn));
    assert_eq!((ours(&world).len(), desk.done(&world, "plan --check --prune")), (4, 0));
}

#[test]
fn a_stale_plan_is_refused_by_name_and_changes_nothing() {
    let (desk, world) = (Desk::new(), make(&small(2), 21));
    desk.done(&world, "apply --yes");
    let arn = drop_domain(&world);
    desk.plan(&world, " --prune");
    alter(&world, |world| {
        let now = world.now;
        let policies = &mut world.organisation.policies;
        let policy = policies.iter_mut().find(|it| it.arn() == arn).unwrap();
        let document = policy.versions[0].document.replace("Deny", "Allow");
        policy.default_id = policy.add_version(document, now);
        world.iam_changes.clear();
    });
    let refused = desk.run(&world, "apply --yes --plan @plan.json").unwrap_err();
    assert_eq!(refused.code(), 1);
    assert!(refused.message.contains("the plan is stale"), "{}", refused.text());
    assert!(refused.causes.iter().any(|it| it.starts_with(&arn)), "{}", refused.text());
    assert_eq!(refused.causes.len(), 1, "{}", refused.text());
    assert!(refused.hints[0].contains("isolate plan"), "{}", refused.text());
    assert_eq!(alter(&world, |world| world.iam_changes.clone()), []);
}

#[test]
fn a_role_that_two_domains_use_gets_no_policy_and_is_named() {
    let mut scenario = small(2);
    scenario.variants.shared_role = true;
    let (desk, world) = (Desk::new(), make(&scenario, 21));
    let plan = desk.plan(&world, "");
    for name in ["SageMaker-research", "SageMaker-risk"] {
        let shared = plan.left.iter().filter(|it| it.verdict == "shared_role");
        let shared: Vec<_> = shared.filter(|it| it.id.ends_with(name)).collect();
        assert!(!shared.is_empty(), "{name}: {:?}", plan.left);
        for id in domains(&world).into_iter().filter(|it| it.1.contains(&shared[0].id)) {
            assert!(shared[0].because[0].text.contains(&id.0), "{:?}", shared[0]);
        }
    }
    assert_eq!(desk.done(&world, "apply --yes"), 5);
    alter(&world, |world| {
        for role in &world.organisation.roles {
            let is_shared = ["SageMaker-research", "SageMaker-risk"].contains(&&*role.name);
            let has_ours = role.attached.iter().any(|arn| arn.contains(PREFIX));
            assert!(!(is_shared && has_ours), "{}", role.name);
        }
    });
    assert_eq!(desk.done(&world, "apply --yes"), 5, "it stays so");
    // By name, a domain that has roles of its own is done.
    let platform = domains(&world)
        .into_iter()
        .find(|it| it.1.iter().any(|role| role.ends_with("SageMaker-platform")));
    assert_eq!(desk.done(&world, &format!("plan --check --domain {}", platform.unwrap().0)), 0);
}

#[test]
fn what_iam_denies_is_told_with_what_to_do() {
    let desk = Desk::new();
    let sandbox = Sandbox::serve(make(&small(2), 21));
    write(&desk.folder.path().join("apportion.toml"), desk.configuration().as_bytes());
    let run = |words: &[&str]| {
        apportion(desk.folder.path(), &[&["--now", NOW, "isolate"], words].concat())
            .against(&sandbox)
            .run()
    };
    let deny = |operation: &str| {
        let denied = json!([{ "service": "iam", "operation": operation }]);
        sandbox.set_faults(json!({ "denied": denied }));
    };
    deny("ListPolicies");
    ended(&run(&["plan"]), 1, &["ListPolicies", "hint: grant the permission for `ListPolicies`"]);
    deny("CreatePolicy");
    let words =
        ["not done:", "grant the permission for `CreatePolicy`", "not tried: 4", "0 of 5 policies"];
    ended(&run(&["apply", "--yes"]), 1, &words);
    deny("AttachRolePolicy");
    ended(
        &run(&["apply", "--yes"]),
        1,
        &["grant the permission for `AttachRolePolicy`", "isolate apply` again"],
    );
    // What a role has cannot be told, and the plan says so; the policies are planned all the same.
    deny("GetRole");
    ended(&run(&["plan"]), 5, &["what role ", "GetRole: AccessDenied"]);
    sandbox.set_faults(json!({}));
    ended(&run(&["apply", "--yes"]), 0, &["5 of 5 policies are as planned"]);
    ended(&run(&["plan", "--check"]), 0, &[]);
    // Without a way into an account its domains are not there, and that is said.
    sandbox.set_faults(json!({ "denied": [{ "service": "sagemaker", "account": MEMBER }] }));
    ended(&run(&["plan"]), 5, &[MEMBER]);
    assert_eq!(ours(&sandbox.world).len(), 5);
}
