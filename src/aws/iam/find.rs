//! Owns finding isolation policies: their documents, and whom they are attached to.
//!
//! IAM says `NoSuchEntity` of a policy and of one version of it alike; which of them is gone, a second look tells.
//! **Invariant:** a policy that went away while it was read is absent.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::{Client, types};

use crate::aws::error::Error;
use crate::aws::session::Session;
use crate::aws::window::{WIDTH, Window};
use crate::isolation::{Found, Isolation};

use super::policy::{self, Described};
use super::{PAGE_SIZE, Page, is_absent, lacking, list};

const POLICIES: &str = "ListPolicies";
const ENTITIES: &str = "ListEntitiesForPolicy";

/// Finds the account's own policies whose names begin with a prefix, by their ARNs, some at once.
pub async fn isolations(session: &Session, prefix: &str) -> Result<BTreeMap<String, Found>, Error> {
    let client = session.iam();
    let stream = client.list_policies().scope(types::PolicyScopeType::Local).into_paginator();
    let listed = list(POLICIES, stream.page_size(PAGE_SIZE).send(), |page| {
        let items = page.policies?;
        Some(Page { items, is_truncated: page.is_truncated, marker: page.marker })
    });
    let described = listed.await?.into_iter().map(|policy| Described::read(POLICIES, policy));
    let mut described = described.collect::<Result<Vec<Described>, Error>>()?;
    described.retain(|policy| policy.name.starts_with(prefix));
    let (mut window, mut described) = (Window::new(WIDTH), described.into_iter());
    let mut found = BTreeMap::new();
    loop {
        while !window.is_full()
            && let Some(policy) = described.next()
        {
            let client = client.clone();
            window.push(async move {
                let told = match read(&client, &policy).await {
                    Err(error) if is_absent(&error) => one(&client, &policy.arn).await,
                    told => told.map(Some),
                };
                told.map(|told| (policy.arn, told))
            });
        }
        let Some(told) = window.next().await else { return Ok(found) };
        if let (arn, Some(told)) = told? {
            found.insert(arn, told);
        }
    }
}

/// Reads one policy; absent when there is none of the ARN.
pub async fn isolation(session: &Session, arn: &str) -> Result<Option<Found>, Error> {
    one(&session.iam(), arn).await
}

/// Reads one policy, and once more where something of it was not found.
async fn one(client: &Client, arn: &str) -> Result<Option<Found>, Error> {
    let mut is_second = false;
    loop {
        let policy = match policy::describe(client, arn).await {
            Err(error) if is_absent(&error) => return Ok(None),
            policy => policy?,
        };
        match read(client, &policy).await {
            Err(error) if is_absent(&error) && !is_second => is_second = true,
            told => return told.map(Some),
        }
    }
}

/// Reads what a description does not say.
async fn read(client: &Client, policy: &Described) -> Result<Found, Error> {
    let document = policy::document(client, policy).await?;
    let entities = entities(client, &policy.arn).await?;
    let is_other = |entity: &&Entity| matches!(entity, Entity::Other);
    let elsewhere = policy.bounded_count + entities.iter().filter(is_other).count();
    let roles = entities.into_iter().filter_map(|entity| match entity {
        Entity::Role(name) => Some(name.ok_or_else(|| lacking(ENTITIES, "name of a role"))),
        Entity::Other => None,
    });
    let roles = roles.collect::<Result<BTreeSet<String>, Error>>()?;
    Ok(Found { isolation: Isolation::new(&document, roles), elsewhere })
}

/// What a policy is attached to.
enum Entity {
    /// A role, by its name.
    Role(Option<String>),
    /// A user or a group.
    Other,
}

/// Lists what a policy is attached to; whom it bounds is counted elsewhere, and left out by the filter.
async fn entities(client: &Client, arn: &str) -> Result<Vec<Entity>, Error> {
    let request = client.list_entities_for_policy().policy_arn(arn);
    let request = request.policy_usage_filter(types::PolicyUsageType::PermissionsPolicy);
    let stream = request.into_paginator().page_size(PAGE_SIZE).send();
    let listed = list(ENTITIES, stream, |page| {
        let (roles, users, groups) = (page.policy_roles, page.policy_users, page.policy_groups);
        if roles.is_none() && users.is_none() && groups.is_none() {
            return None;
        }
        let roles = roles.into_iter().flatten().map(|role| Entity::Role(role.role_name));
        let users = users.into_iter().flatten().map(|_| Entity::Other);
        let groups = groups.into_iter().flatten().map(|_| Entity::Other);
        let items = roles.chain(users).chain(groups).collect();
        Some(Page { items, is_truncated: page.is_truncated, marker: page.marker })
    });
    listed.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Kind;
    use crate::aws::iam::xml::{bounds, document, end, good, policy as described, refusal, sent};
    use crate::aws::testing::{Answer, sequence, session};
    use serde_json::json;
    use std::sync::Mutex;

    const PREFIX: &str = "Studio-";
    const ARN: &str = "arn:aws:iam::111122223333:policy/Studio-a";

    fn one_of(policies: &[(&str, &str)], end: &str) -> Answer {
        let members = policies.iter().map(|(name, version)| {
            format!("<member>{}</member>", described(name, version, &bounds(1)))
        });
        let policies = members.collect::<String>();
        good(POLICIES, &format!("<Policies>{policies}</Policies>{end}"))
    }

    fn the(name: &str, version: &str) -> Answer {
        let members = described(name, version, &bounds(0));
        good("GetPolicy", &format!("<Policy>{members}</Policy>"))
    }

    fn attached(roles: &[&str], others: &str, end: &str) -> Answer {
        let member = |role: &&str| format!("<member><RoleName>{role}</RoleName></member>");
        let roles: Vec<String> = roles.iter().map(member).collect();
        let roles = roles.concat();
        good(ENTITIES, &format!("<PolicyRoles>{roles}</PolicyRoles>{others}{end}"))
    }

    fn told(found: &Found) -> String {
        let roles: Vec<&str> = found.isolation.roles.iter().map(String::as_str).collect();
        format!("{} [{}] {}", found.isolation.document(), roles.join(" "), found.elsewhere)
    }

    #[tokio::test]
    async fn every_page_is_read_and_every_document_decoded() {
        let script = |_: &str, body: &str| match (sent(body, "Action"), sent(body, "Marker")) {
            (Some(POLICIES), marker) => {
                assert_eq!(
                    (sent(body, "Scope"), sent(body, "MaxItems")),
                    (Some("Local"), Some("1000"))
                );
                match marker {
                    None => one_of(&[("Studio-a", "v3"), ("other", "v1")], &end(Some("m/1"))),
                    Some("m%2F1") => one_of(&[], &end(Some("m/2"))),
                    _ => one_of(&[("Studio-b", "v1")], &end(None)),
                }
            }
            (Some("GetPolicyVersion"), _) if sent(body, "VersionId") == Some("v3") => {
                document("%7B%22Id%22%3A%22a%2Bb+c%20%C3%A4%22%7D")
            }
            (Some("GetPolicyVersion"), _) => document("%7B%22Id%22%3A%22b%22%7D"),
            (Some(ENTITIES), marker) => {
                assert_eq!(sent(body, "PolicyUsageFilter"), Some("PermissionsPolicy"));
                let users = "<PolicyUsers><member><UserName>u</UserName></member></PolicyUsers>";
                let groups = "<PolicyGroups><member/><member/></PolicyGroups>";
                match marker {
                    None => attached(&["z", "a"], users, &end(Some("m"))),
                    Some(_) => attached(&["k"], groups, &end(None)),
                }
            }
            other => panic!("{other:?}"),
        };
        let found = isolations(&session(script).await, PREFIX).await.unwrap();
        let all: Vec<String> =
            found.iter().map(|(arn, it)| format!("{arn} {}", told(it))).collect();
        let before = "arn:aws:iam::111122223333:policy/Studio-";
        assert_eq!(
            all,
            [
                format!("{before}a {} [a k z] 4", json!({"Id": "a+b+c ä"})),
                format!("{before}b {} [a k z] 4", json!({"Id": "b"})),
            ]
        );
    }

    #[tokio::test]
    async fn a_second_look_tells_a_policy_that_is_gone_from_one_that_was_rewritten() {
        let is_first = Mutex::new(true);
        let script = move |_: &str, body: &str| match sent(body, "Action").unwrap() {
            POLICIES => one_of(&[("Studio-a", "v1"), ("Studio-gone", "v1")], &end(None)),
            "GetPolicy" | "GetPolicyVersion" if body.contains("gone") => refusal("NoSuchEntity"),
            "GetPolicyVersion" if sent(body, "VersionId") != Some("v3") => refusal("NoSuchEntity"),
            // It is rewritten once more while it is looked at again.
            "GetPolicy" if std::mem::take(&mut *is_first.lock().unwrap()) => the("Studio-a", "v2"),
            "GetPolicy" => the("Studio-a", "v3"),
            "GetPolicyVersion" => document("%7B%22Id%22%3A%223%22%7D"),
            _ => attached(&[], "", &end(None)),
        };
        let session = session(script).await;
        let found = isolations(&session, PREFIX).await.unwrap();
        let all: Vec<String> = found.values().map(told).collect();
        assert_eq!(all, [r#"{"Id":"3"} [] 0"#]);
        let gone = "arn:aws:iam::111122223333:policy/Studio-gone";
        assert_eq!(isolation(&session, gone).await.unwrap(), None);
        assert_eq!(told(&isolation(&session, ARN).await.unwrap().unwrap()), r#"{"Id":"3"} [] 0"#);
    }

    #[tokio::test]
    async fn a_count_of_boundaries_that_is_left_out_is_none() {
        let members = described("Studio-a", "v1", "");
        let answers = vec![
            good("GetPolicy", &format!("<Policy>{members}</Policy>")),
            document("%7B%7D"),
            attached(&["r"], "", &end(None)),
        ];
        let (session, _) = sequence(answers).await;
        assert_eq!(told(&isolation(&session, ARN).await.unwrap().unwrap()), "{} [r] 0");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_an_error() {
        let fine = || document("%7B%7D");
        let entity = "<PolicyRoles><member/></PolicyRoles>";
        let table: Vec<(Vec<Answer>, &str)> = vec![
            (vec![refusal("AccessDenied")], "GetPolicy AccessDenied"),
            (vec![good("GetPolicy", "")], "GetPolicy no policy in it"),
            (
                vec![good("GetPolicy", "<Policy><Arn>a</Arn></Policy>")],
                "GetPolicy no name of a policy in it",
            ),
            (
                vec![the("Studio-a", "v1"), good("GetPolicyVersion", "")],
                "GetPolicyVersion no document in it",
            ),
            (
                vec![the("Studio-a", "v1"), document("%7B")],
                "GetPolicyVersion its policy document is not JSON",
            ),
            (
                vec![the("Studio-a", "v1"), fine(), good(ENTITIES, &end(None))],
                "ListEntitiesForPolicy no list in it",
            ),
            (
                vec![the("Studio-a", "v1"), fine(), good(ENTITIES, entity)],
                "ListEntitiesForPolicy no name of a role in it",
            ),
            (
                vec![
                    the("Studio-a", "v1"),
                    fine(),
                    attached(&["r"], "", "<IsTruncated>true</IsTruncated>"),
                ],
                "ListEntitiesForPolicy no marker of the page after it in it",
            ),
            (
                vec![
                    the("Studio-a", "v1"),
                    fine(),
                    attached(&["r"], "", &end(Some("m"))),
                    attached(&["r"], "", &end(Some("m"))),
                ],
                "ListEntitiesForPolicy the same page token came twice",
            ),
        ];
        for (answers, expected) in table {
            let (session, _) = sequence(answers).await;
            let error = isolation(&session, ARN).await.unwrap_err();
            let what = if error.message.is_empty() { &error.code } else { &error.message };
            let told = format!("{} {what}", error.operation);
            assert!(told.starts_with(expected), "{expected}: {told}");
            assert_eq!(error.kind == Kind::AccessDenied, expected.ends_with("Denied"));
        }
        let (session, _) = sequence(vec![good(POLICIES, &end(None))]).await;
        assert_eq!(isolations(&session, PREFIX).await.unwrap_err().code, "UnreadableAnswer");
    }
}
