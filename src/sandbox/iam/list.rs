//! Owns the lists of policies, of their versions, and of what has them.
//!
//! **Invariant:** own policies stand before those that AWS manages, each in the order in which they were made.

use serde_json::Value;

use super::super::policy::{Policy, Version};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::super::xml::element;
use super::{find_policy, form, page, policies as visible, roles, show};

const USAGES: [&str; 2] = ["PermissionsPolicy", "PermissionsBoundary"];

/// Lists policies by who manages them, by path and by use.
pub(super) fn policies(world: &World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let scope = form::choice(body, "Scope", &["All", "AWS", "Local"])?.unwrap_or("All");
    let prefix = form::path(body, "PathPrefix")?;
    let usage = form::choice(body, "PolicyUsageFilter", &USAGES)?;
    let only_attached = form::flag(body, "OnlyAttached")?;
    let is_asked_for = |policy: &&Policy| {
        let of_scope = match scope {
            "AWS" => policy.is_managed(),
            "Local" => !policy.is_managed(),
            _ => true,
        };
        let is_attached = show::attachment_count(world, caller, policy) > 0;
        let of_usage = match usage {
            Some("PermissionsBoundary") => show::bounded_count(world, caller, &policy.arn()) > 0,
            Some(_) => is_attached,
            None => true,
        };
        of_scope && of_usage && policy.path.starts_with(prefix) && (is_attached || !only_attached)
    };
    let found: Vec<&Policy> = visible(world, caller).filter(is_asked_for).collect();
    let list = format!("ListPolicies {scope} {prefix} {usage:?} {only_attached}");
    let (page, tail) = page(world, &list, body, &found)?;
    let member = |it: &&Policy| format!("<member>{}</member>", show::policy(world, caller, it));
    Ok(format!("<Policies>{}</Policies>{tail}", page.iter().map(member).collect::<String>()))
}

/// Lists the versions of a policy, newest first and without their documents.
pub(super) fn versions(world: &World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let policy = find_policy(world, caller, form::policy_arn(body)?)?;
    let newest: Vec<&Version> = policy.versions.iter().rev().collect();
    let (page, tail) = page(world, &format!("ListPolicyVersions {}", policy.arn()), body, &newest)?;
    let member = |it: &&Version| format!("<member>{}</member>", show::version(policy, it));
    Ok(format!("<Versions>{}</Versions>{tail}", page.iter().map(member).collect::<String>()))
}

/// What may have a policy; a list has all groups before all users, and these before all roles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Group,
    User,
    Role,
}

/// Lists what of the caller's account has a policy.
pub(super) fn entities(world: &World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    const FILTERS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let arn = form::policy_arn(body)?;
    let filter = form::choice(body, "EntityFilter", &FILTERS)?;
    let prefix = form::path(body, "PathPrefix")?;
    let usage = form::choice(body, "PolicyUsageFilter", &USAGES)?;
    let policy = find_policy(world, caller, arn)?;
    let asks = |kind: &str| filter.is_none_or(|filter| filter == kind);
    let (attached, bounded) =
        (usage != Some("PermissionsBoundary"), usage != Some("PermissionsPolicy"));
    let mut found: Vec<(Kind, &str, String)> = Vec::new();
    // Users and groups have no path here.
    if attached && prefix == "/" {
        let id = |prefix: &str, name: &str| show::id(prefix, name, policy.created_at);
        if asks("Group") {
            found.extend(policy.groups.iter().map(|it| (Kind::Group, &**it, id("AGPA", it))));
        }
        if asks("User") {
            found.extend(policy.users.iter().map(|it| (Kind::User, &**it, id("AIDA", it))));
        }
    }
    if asks("Role") {
        let has_it = |role: &&super::Role| {
            let is_bound = role.boundary.as_deref() == Some(arn);
            let uses = (attached && role.attached.contains(arn)) || (bounded && is_bound);
            uses && role.path.starts_with(prefix)
        };
        found.extend(
            roles(world, caller).filter(has_it).map(|role| {
                (Kind::Role, &*role.name, show::id("AROA", &role.arn(), role.created_at))
            }),
        );
    }
    let list = format!("ListEntitiesForPolicy {arn} {filter:?} {prefix} {usage:?}");
    let (page, tail) = page(world, &list, body, &found)?;
    let group = |kind: Kind, word: &str| {
        let of_kind = page.iter().filter(|(it, ..)| *it == kind);
        let member = |(_, name, id): &(Kind, &str, String)| {
            let (name_key, id_key) = (format!("{word}Name"), format!("{word}Id"));
            format!("<member>{}{}</member>", element(&name_key, name), element(&id_key, id))
        };
        let members: String = of_kind.map(member).collect();
        format!("<Policy{word}s>{members}</Policy{word}s>")
    };
    Ok(group(Kind::Group, "Group")
        + &group(Kind::User, "User")
        + &group(Kind::Role, "Role")
        + &tail)
}
