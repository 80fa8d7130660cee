//! Owns how policies, versions and roles are told.
//!
//! **Invariant:** documents are percent-encoded as RFC 3986 says, and only the operations that tell them do.

use std::fmt::Write;

use jiff::Timestamp;

use super::super::faults::mix;
use super::super::policy::{Policy, Role, Version};
use super::super::wire::Caller;
use super::super::world::World;
use super::super::xml::element;
use super::{digest, roles};

/// Tells a policy as `GetPolicy` does, which says more than the others.
pub(super) fn policy_in_full(world: &World, caller: &Caller, shown: &Policy) -> String {
    let description = shown.description.as_ref().map(|text| element("Description", text));
    let inner = policy(world, caller, shown) + &description.unwrap_or_default() + &tags(shown);
    format!("<Policy>{inner}</Policy>")
}

/// Tells the tags of a policy, where it has some.
pub(super) fn tags(policy: &Policy) -> String {
    if policy.tags.is_empty() {
        return String::new();
    }
    let tag = |(key, value): (&String, &String)| {
        format!("<member>{}{}</member>", element("Key", key), element("Value", value))
    };
    format!("<Tags>{}</Tags>", policy.tags.iter().map(tag).collect::<String>())
}

/// Tells a policy as lists do.
pub(super) fn policy(world: &World, caller: &Caller, policy: &Policy) -> String {
    let arn = policy.arn();
    // It is the newest version that tells when a policy was last changed.
    let updated_at = policy.versions.iter().map(|version| version.created_at).max();
    element("PolicyName", &policy.name)
        + &element("PolicyId", &id("ANPA", &arn, policy.created_at))
        + &element("Arn", &arn)
        + &element("Path", &policy.path)
        + &element("DefaultVersionId", &policy.default_id)
        + &element("AttachmentCount", &attachment_count(world, caller, policy).to_string())
        + &element("PermissionsBoundaryUsageCount", &bounded_count(world, caller, &arn).to_string())
        + &element("IsAttachable", "true")
        + &element("CreateDate", &instant(policy.created_at))
        + &element("UpdateDate", &instant(updated_at.unwrap_or(policy.created_at)))
}

/// Counts the users, groups and roles of the caller's account that have a policy attached.
pub(super) fn attachment_count(world: &World, caller: &Caller, policy: &Policy) -> usize {
    let arn = policy.arn();
    let count = roles(world, caller).filter(|role| role.attached.contains(&arn)).count();
    count + policy.users.len() + policy.groups.len()
}

/// Counts the roles of the caller's account of which a policy is the boundary.
pub(super) fn bounded_count(world: &World, caller: &Caller, arn: &str) -> usize {
    roles(world, caller).filter(|role| role.boundary.as_deref() == Some(arn)).count()
}

/// Tells a version without its document.
pub(super) fn version(policy: &Policy, version: &Version) -> String {
    let is_default = if version.id == policy.default_id { "true" } else { "false" };
    element("VersionId", &version.id)
        + &element("IsDefaultVersion", is_default)
        + &element("CreateDate", &instant(version.created_at))
}

/// Tells a version with its document, as `GetPolicyVersion` alone does.
pub(super) fn version_with_document(policy: &Policy, shown: &Version) -> String {
    element("Document", &encode(&shown.document)) + &version(policy, shown)
}

/// Tells a role as lists do.
pub(super) fn role(role: &Role) -> String {
    let arn = role.arn();
    element("Path", &role.path)
        + &element("RoleName", &role.name)
        + &element("RoleId", &id("AROA", &arn, role.created_at))
        + &element("Arn", &arn)
        + &element("CreateDate", &instant(role.created_at))
        + &element("AssumeRolePolicyDocument", &encode(&Role::trust().to_string()))
        + &element("MaxSessionDuration", "3600")
}

/// Tells a role as `GetRole` does, with its boundary.
pub(super) fn role_in_full(shown: &Role) -> String {
    let boundary = shown.boundary.as_ref().map(|arn| {
        // The reference of AttachedPermissionsBoundary says `Policy`, and its list of valid values another word.
        let kind = element("PermissionsBoundaryType", "Policy");
        let arn = element("PermissionsBoundaryArn", arn);
        format!("<PermissionsBoundary>{kind}{arn}</PermissionsBoundary>")
    });
    role(shown) + &boundary.unwrap_or_default()
}

/// Makes an id of 21 letters, which is another one when a thing is made anew.
pub(super) fn id(prefix: &str, arn: &str, created_at: Timestamp) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let seed = digest(&format!("{prefix} {arn} {created_at}"));
    let letter = |nth: u64| {
        let at = usize::try_from(mix(seed ^ nth) % 32).expect("below 32");
        char::from(LETTERS[at])
    };
    prefix.chars().chain((0..17).map(letter)).collect()
}

/// Returns an instant to the second.
fn instant(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// Writes all but the unreserved characters of RFC 3986 as `%` and two digits.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text takes all that is written");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_encoded_and_ids_have_21_letters() {
        assert_eq!(encode("{\"a\": \"x-._~é*\"}\n"), "%7B%22a%22%3A%20%22x-._~%C3%A9%2A%22%7D%0A");
        let at: Timestamp = "2026-11-22T16:00:00.5Z".parse().unwrap();
        let one = id("ANPA", "arn:aws:iam::1:policy/one", at);
        assert_eq!(one.len(), 21);
        assert!(one.bytes().all(|it| it.is_ascii_uppercase() || (b'2'..=b'7').contains(&it)));
        assert_eq!(one, id("ANPA", "arn:aws:iam::1:policy/one", at));
        assert_ne!(one, id("ANPA", "arn:aws:iam::1:policy/two", at));
        assert_eq!(instant(at), "2026-11-22T16:00:00Z");
    }
}
