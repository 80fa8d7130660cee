//! Owns reading what IAM grants a role.
//!
//! **Invariant:** a policy of the role that cannot be read is an error, since grants without it would be too small.

use std::collections::BTreeMap;

use aws_sdk_iam::{Client, types};

use crate::aws::error::Error;
use crate::aws::session::Session;
use crate::grant::{Grants, Held};

use super::{PAGE_SIZE, Page, SERVICE, document, lacking, list, place, policy};

const ROLE: &str = "GetRole";
const ATTACHED: &str = "ListAttachedRolePolicies";
const INLINE: &str = "ListRolePolicies";
const INLINE_ONE: &str = "GetRolePolicy";

/// Reads what a role is granted; a managed policy that is in the cache is not read again, and others are put there.
pub async fn grants(
    session: &Session,
    role_arn: &str,
    cache: &mut BTreeMap<String, Held>,
) -> Result<Grants, Error> {
    let client = session.iam();
    let (_, name) = place(ROLE, "role", role_arn)?;
    let role = role(&client, role_arn, &name).await?;
    let mut policies = Vec::new();
    for arn in attached(&client, &name).await? {
        policies.push(managed(&client, &arn, cache).await?);
    }
    policies.sort_by(|left, right| (&left.name, &left.arn).cmp(&(&right.name, &right.arn)));
    for name_of_policy in inline(&client, &name).await? {
        let request = client.get_role_policy().role_name(&name).policy_name(&name_of_policy);
        let document = document::read(INLINE_ONE, &ask!(INLINE_ONE, request)?.policy_document)?;
        policies.push(Held { name: name_of_policy, arn: None, document });
    }
    let boundary = match role.permissions_boundary {
        Some(boundary) => {
            let arn = boundary.permissions_boundary_arn;
            let arn = arn.ok_or_else(|| lacking(ROLE, "ARN of the boundary"))?;
            Some(managed(&client, &arn, cache).await?)
        }
        None => None,
    };
    Ok(Grants { role: role_arn.to_owned(), policies, boundary })
}

/// Describes a role; IAM looks for its name in the session's own account, so the ARN is compared.
async fn role(client: &Client, arn: &str, name: &str) -> Result<types::Role, Error> {
    let answer = ask!(ROLE, client.get_role().role_name(name))?;
    // The SDK makes an empty text of an ARN that is not there.
    let role = answer.role.filter(|role| !role.arn.is_empty());
    let role = role.ok_or_else(|| lacking(ROLE, "role"))?;
    if role.arn == arn {
        return Ok(role);
    }
    let text = format!("it is of another role: `{}`, not `{arn}`", role.arn);
    Err(Error::unreadable(SERVICE, ROLE, text))
}

/// Lists the ARNs of the managed policies of a role.
async fn attached(client: &Client, role: &str) -> Result<Vec<String>, Error> {
    let stream = client.list_attached_role_policies().role_name(role).into_paginator();
    let listed = list(ATTACHED, stream.page_size(PAGE_SIZE).send(), |page| {
        let items = page.attached_policies?;
        Some(Page { items, is_truncated: page.is_truncated, marker: page.marker })
    });
    let arn = |policy: types::AttachedPolicy| {
        policy.policy_arn.ok_or_else(|| lacking(ATTACHED, "ARN of a policy"))
    };
    listed.await?.into_iter().map(arn).collect()
}

/// Lists the names of the inline policies of a role, in order.
async fn inline(client: &Client, role: &str) -> Result<Vec<String>, Error> {
    let stream = client.list_role_policies().role_name(role).into_paginator();
    let listed = list(INLINE, stream.page_size(PAGE_SIZE).send(), |page| {
        let items = page.policy_names;
        Some(Page { items, is_truncated: page.is_truncated, marker: page.marker })
    });
    let mut names = listed.await?;
    names.sort();
    Ok(names)
}

/// Reads a managed policy, by itself or out of the cache.
async fn managed(
    client: &Client,
    arn: &str,
    cache: &mut BTreeMap<String, Held>,
) -> Result<Held, Error> {
    if let Some(held) = cache.get(arn) {
        return Ok(held.clone());
    }
    let described = policy::describe(client, arn).await?;
    let document = policy::document(client, &described).await?;
    let held = Held { name: described.name, arn: Some(arn.to_owned()), document };
    cache.insert(arn.to_owned(), held.clone());
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::iam::xml::{
        document as version, end, good, policy as described, refusal, sent,
    };
    use crate::aws::testing::{Answer, sequence, session};

    const ARN: &str = "arn:aws:iam::111122223333:role/service-role/r";

    fn the(boundary: &str) -> Answer {
        let role = format!("<RoleName>r</RoleName><Arn>{ARN}</Arn>{boundary}");
        good(ROLE, &format!("<Role>{role}</Role>"))
    }

    fn managed_ones(names: &[&str], end: &str) -> Answer {
        let member = |name: &&str| {
            let arn = format!("<PolicyArn>arn:aws:iam::111122223333:policy/{name}</PolicyArn>");
            format!("<member><PolicyName>{name}</PolicyName>{arn}</member>")
        };
        let members = names.iter().map(member).collect::<String>();
        good(ATTACHED, &format!("<AttachedPolicies>{members}</AttachedPolicies>{end}"))
    }

    fn inline_ones(names: &[&str], end: &str) -> Answer {
        let members = names.iter().map(|name| format!("<member>{name}</member>"));
        let members = members.collect::<String>();
        good(INLINE, &format!("<PolicyNames>{members}</PolicyNames>{end}"))
    }

    fn managed_one(body: &str) -> Answer {
        let name = sent(body, "PolicyArn").unwrap().rsplit("%2F").next().unwrap();
        if sent(body, "Action") == Some(policy::POLICY) {
            return good(
                policy::POLICY,
                &format!("<Policy>{}</Policy>", described(name, "v2", "")),
            );
        }
        assert_eq!(sent(body, "VersionId"), Some("v2"));
        version(&format!("%7B%22Id%22%3A%22{name}%20of%20v2%22%7D"))
    }

    fn told(held: &Held) -> String {
        let sort = if held.arn.is_some() { "managed" } else { "inline" };
        format!("{sort} {} {}", held.name, held.document["Id"].as_str().unwrap())
    }

    #[tokio::test]
    async fn managed_and_inline_policies_and_the_boundary_are_read_once() {
        let boundary = "<PermissionsBoundary><PermissionsBoundaryArn>\
            arn:aws:iam::111122223333:policy/b</PermissionsBoundaryArn></PermissionsBoundary>";
        let script = |_: &str, body: &str| match (sent(body, "Action"), sent(body, "Marker")) {
            (Some(ROLE), _) => {
                assert_eq!(sent(body, "RoleName"), Some("r"));
                the(boundary)
            }
            (Some(ATTACHED), None) => managed_ones(&["z", "b"], &end(Some("m"))),
            (Some(ATTACHED), _) => managed_ones(&["a"], &end(None)),
            (Some(INLINE), None) => inline_ones(&["y"], &end(Some("m"))),
            (Some(INLINE), _) => inline_ones(&["x"], &end(None)),
            (Some(INLINE_ONE), _) => {
                let name = sent(body, "PolicyName").unwrap();
                let text = format!("%7B%22Id%22%3A%22{name}%2B%C3%A4+%22%7D");
                let name = format!("<RoleName>r</RoleName><PolicyName>{name}</PolicyName>");
                good(INLINE_ONE, &format!("{name}<PolicyDocument>{text}</PolicyDocument>"))
            }
            _ => managed_one(body),
        };
        let (session, mut cache) = (session(script).await, BTreeMap::new());
        let read = grants(&session, ARN, &mut cache).await.unwrap();
        let policies: Vec<String> = read.policies.iter().map(told).collect();
        assert_eq!(
            policies,
            [
                "managed a a of v2",
                "managed b b of v2",
                "managed z z of v2",
                "inline x x+ä+",
                "inline y y+ä+"
            ]
        );
        assert_eq!(read.boundary.as_ref().map(told).as_deref(), Some("managed b b of v2"));
        let count = || session.meter().free().values().sum::<u64>();
        let asked = count();
        assert_eq!(cache.len(), 3);
        assert_eq!(grants(&session, ARN, &mut cache).await.unwrap(), read);
        // The role, two pages each of its lists, and two inline policies; nothing of managed ones.
        assert_eq!(count() - asked, 7);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_an_error_and_no_small_grant() {
        let other = ARN.replace("service-role/", "");
        let other = good(ROLE, &format!("<Role><RoleName>r</RoleName><Arn>{other}</Arn></Role>"));
        let boundary = "<PermissionsBoundary></PermissionsBoundary>";
        let none = || managed_ones(&[], &end(None));
        let cut = "<IsTruncated>true</IsTruncated>";
        let table: Vec<(Vec<Answer>, &str)> = vec![
            (vec![refusal("NoSuchEntity")], "GetRole NoSuchEntity"),
            (vec![other], "GetRole it is of another role: `arn:aws:iam::111122223333:role/r`"),
            (vec![good(ROLE, "")], "GetRole no role in it"),
            (vec![the(""), refusal("AccessDenied")], "ListAttachedRolePolicies AccessDenied"),
            (vec![the(""), good(ATTACHED, &end(None))], "ListAttachedRolePolicies no list in it"),
            (
                vec![the(""), managed_ones(&[], cut)],
                "ListAttachedRolePolicies no marker of the page after it in it",
            ),
            (
                vec![the(""), managed_ones(&["p"], &end(None)), refusal("NoSuchEntity")],
                "GetPolicy NoSuchEntity",
            ),
            (
                vec![the(""), none(), inline_ones(&[], cut)],
                "ListRolePolicies no marker of the page after it in it",
            ),
            (
                vec![the(""), none(), inline_ones(&["i"], &end(None)), good(INLINE_ONE, "")],
                "GetRolePolicy its policy document is not JSON",
            ),
            (
                vec![the(boundary), none(), inline_ones(&[], &end(None))],
                "GetRole no ARN of the boundary in it",
            ),
        ];
        for (answers, expected) in table {
            let (session, _) = sequence(answers).await;
            let error = grants(&session, ARN, &mut BTreeMap::new()).await.unwrap_err();
            let what = if error.message.is_empty() { &error.code } else { &error.message };
            let told = format!("{} {what}", error.operation);
            assert!(told.starts_with(expected), "{expected}: {told}");
        }
    }
}
