//! Owns the making of roles and policies: every role that something runs as exists in IAM.
//!
//! **Invariant:** draws nothing, so that it changes nothing else of a seed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::organisation::{Organisation, Policy, Role};
use crate::sandbox::policy::FULL_ACCESS;

/// Roles found so far: when they are first used, by account and name.
type Found = BTreeMap<(String, String), Role>;

/// Makes the roles that anything names, and the policies that they have.
pub(super) fn make(organisation: &mut Organisation) {
    organisation.policies = Policy::managed();
    let mut found = Found::new();
    for domain in &organisation.domains {
        note(&mut found, &domain.execution_role, domain.created_at);
        if let Some(role) = &domain.space_role {
            note(&mut found, role, domain.created_at);
        }
    }
    for profile in &organisation.user_profiles {
        if let Some(role) = &profile.execution_role {
            note(&mut found, role, profile.created_at);
        }
    }
    for resource in &organisation.resources {
        note_all(&mut found, &resource.details, resource.created_at);
        // A description that has to tell a role, and knows none, tells this one.
        let fallback = format!("arn:aws:iam::{}:role/sandbox", resource.account);
        note(&mut found, &fallback, resource.created_at);
    }
    for role in found.values_mut() {
        role.attached.insert(FULL_ACCESS.to_owned());
    }
    vary(organisation, &mut found);
    organisation.roles = found.into_values().collect();
}

/// Notes a role by its ARN; what is no role's ARN is passed over.
fn note(found: &mut Found, arn: &str, used_at: Timestamp) {
    let Some(rest) = arn.strip_prefix("arn:aws:iam::") else { return };
    let Some((account, path)) = rest.split_once(":role/") else { return };
    let (path, name) = path.rsplit_once('/').unwrap_or(("", path));
    let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
    match found.entry((account.to_owned(), name.to_owned())) {
        Entry::Vacant(entry) => {
            entry.insert(Role::new(account, &path, name, used_at));
        }
        // A role is at least as old as whatever uses it.
        Entry::Occupied(mut entry) => {
            let role = entry.get_mut();
            role.created_at = role.created_at.min(used_at);
        }
    }
}

/// Notes the roles that a description names anywhere.
fn note_all(found: &mut Found, value: &Value, used_at: Timestamp) {
    match value {
        Value::String(text) => note(found, text, used_at),
        Value::Array(items) => items.iter().for_each(|item| note_all(found, item, used_at)),
        Value::Object(members) => {
            members.values().for_each(|member| note_all(found, member, used_at));
        }
        _ => {}
    }
}

/// Gives the roles of the second, third and fourth domain something else than full access alone.
fn vary(organisation: &mut Organisation, found: &mut Found) {
    let mut seen = Vec::new();
    for domain in &organisation.domains {
        if !seen.contains(&&domain.execution_role) {
            seen.push(&domain.execution_role);
        }
        if seen.len() == 4 {
            break;
        }
    }
    let mut made = Vec::new();
    for (nth, arn) in seen.into_iter().enumerate() {
        let is_it = |role: &&mut Role| role.arn() == *arn;
        let Some(role) = found.values_mut().find(is_it) else { continue };
        let (account, at) = (role.account.clone(), role.created_at);
        match nth {
            1 => {
                let policy = hand_made(&account, &role.name, at);
                role.attached.insert(policy.arn());
                made.push(policy);
            }
            2 => {
                role.attached.clear();
                role.inline.insert("TrainingOnly".to_owned(), narrow().to_string());
            }
            3 => {
                let policy = boundary(&account, at);
                role.boundary = Some(policy.arn());
                made.push(policy);
            }
            _ => {}
        }
    }
    organisation.policies.extend(made);
}

/// A policy that somebody wrote in the console, and corrected once.
fn hand_made(account: &str, role: &str, at: Timestamp) -> Policy {
    let document = |actions: &[&str]| {
        let document = json!({ "Version": "2012-10-17", "Statement": {
            "Sid": "TeamBucket", "Effect": "Allow", "Action": actions,
            "Resource": [format!("arn:aws:s3:::{role}-data"), format!("arn:aws:s3:::{role}-data/*")],
        } });
        format!("{document:#}")
    };
    let mut policy =
        Policy::new(account, "/", &format!("{role}-data"), document(&["s3:GetObject"]), at);
    policy.default_id = policy.add_version(document(&["s3:GetObject", "s3:PutObject"]), at);
    policy
}

/// The most that a role may do whatever it is given.
fn boundary(account: &str, at: Timestamp) -> Policy {
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "Studio", "Effect": "Allow", "Resource": "*",
          "Action": ["sagemaker:*", "s3:*", "logs:*", "cloudwatch:*", "ecr:*", "iam:PassRole"] },
        { "Sid": "KeepBoundary", "Effect": "Deny", "Resource": "*",
          "Action": ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"] },
    ] });
    Policy::new(account, "/boundaries/", "DeveloperBoundary", format!("{document:#}"), at)
}

/// What a role needs that trains and serves models and nothing more.
fn narrow() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "Train", "Effect": "Allow", "Resource": "*", "Action": [
            "sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob",
            "sagemaker:StopTrainingJob", "sagemaker:ListTrainingJobs", "sagemaker:AddTags",
        ] },
        { "Sid": "Apps", "Effect": "Allow", "Resource": "*", "Action": [
            "sagemaker:CreateApp", "sagemaker:DeleteApp", "sagemaker:DescribeApp",
            "sagemaker:DescribeDomain", "sagemaker:DescribeUserProfile",
        ] },
        { "Sid": "Logs", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
          "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*" },
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::generate::{grouped, world};
    use crate::sandbox::organisation::Domain;
    use crate::sandbox::scenario::Scenario;
    use crate::sandbox::world::World;

    fn made(scenario: &str, shared_role: bool) -> World {
        let mut scenario = Scenario::named(scenario).unwrap_or_default();
        scenario.variants.shared_role = shared_role;
        world(&scenario, 7, 1, "2026-11-22T16:00:00Z".parse().unwrap())
    }

    fn role<'a>(world: &'a World, domain: &Domain) -> &'a Role {
        let arn = &domain.execution_role;
        world.organisation.roles.iter().find(|role| role.arn() == *arn).unwrap()
    }

    #[test]
    fn whatever_runs_has_a_role_that_exists() {
        for scenario in ["", "legacy"] {
            let world = made(scenario, false);
            let known: Vec<String> = world.organisation.roles.iter().map(Role::arn).collect();
            let mut named = 0;
            let text =
                format!("{:?}", (&world.organisation.domains, &world.organisation.resources))
                    + &format!("{:?}", world.organisation.user_profiles);
            for part in text.split("arn:aws:iam::").skip(1) {
                let end = part.find(['"', '\\']).unwrap();
                let arn = format!("arn:aws:iam::{}", &part[..end]);
                if arn.contains(":role/") {
                    assert!(known.contains(&arn), "{arn}");
                    named += 1;
                }
            }
            assert!(named > 50, "{named}");
            let used = |name: &str| world.organisation.roles.iter().any(|role| role.name == name);
            assert_eq!(used("automation"), scenario == "legacy");
            assert!(used("sandbox") && used("SageMaker-research"));
        }
        let plain = grouped(1, 1, "2026-11-22T16:00:00Z".parse().unwrap()).organisation;
        assert_eq!(
            plain.roles.iter().map(Role::arn).collect::<Vec<_>>(),
            ["arn:aws:iam::111122223333:role/bench"]
        );
    }

    #[test]
    fn domains_differ_in_what_their_roles_may() {
        let world = made("", false);
        let print = |domain: &Domain| {
            let role = role(&world, domain);
            let attached = role.attached.iter().map(|arn| arn.rsplit('/').next().unwrap());
            let inline: Vec<&String> = role.inline.keys().collect();
            let boundary = role.boundary.as_deref().map(|arn| arn.rsplit('/').next().unwrap());
            let attached: Vec<&str> = attached.collect();
            format!("{} {attached:?} {inline:?} {boundary:?}", role.name)
        };
        let all: Vec<String> = world.organisation.domains.iter().map(print).collect();
        assert_eq!(
            all,
            [
                r#"SageMaker-research ["AmazonSageMakerFullAccess"] [] None"#,
                r#"SageMaker-vision ["SageMaker-vision-data", "AmazonSageMakerFullAccess"] [] None"#,
                r#"SageMaker-risk [] ["TrainingOnly"] None"#,
                r#"SageMaker-marketing ["AmazonSageMakerFullAccess"] [] Some("DeveloperBoundary")"#,
                r#"SageMaker-platform ["AmazonSageMakerFullAccess"] [] None"#,
            ]
        );
        for role in &world.organisation.roles {
            let exists =
                |arn: &String| world.organisation.policies.iter().any(|it| it.arn() == *arn);
            assert!(role.attached.iter().chain(&role.boundary).all(exists), "{}", role.name);
        }
    }

    #[test]
    fn two_domains_share_a_role_when_they_are_told_to_and_the_bill_stays() {
        let (apart, together) = (made("", false), made("", true));
        let roles = |world: &World| -> Vec<String> {
            world.organisation.domains.iter().map(|it| role(world, it).name.clone()).collect()
        };
        let teams = |names: [&str; 5]| names.map(|name| format!("SageMaker-{name}"));
        assert_eq!(roles(&apart), teams(["research", "vision", "risk", "marketing", "platform"]));
        assert_eq!(roles(&together), teams(["research", "research", "risk", "risk", "platform"]));
        assert_eq!(format!("{:?}", apart.bill), format!("{:?}", together.bill));
    }
}
