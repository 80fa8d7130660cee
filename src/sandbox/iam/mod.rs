//! Owns the imitation of IAM: managed policies, their versions, and the roles that have them.
//!
//! **Invariant:** a caller sees the roles and policies of its own account and the policies that AWS manages, and changes only the former.

mod change;
mod document;
mod form;
mod list;
mod role;
mod show;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::faults::mix;
use super::page::{Paging, cut_at, size, text, unknown};
use super::policy::{Policy, Role};
use super::wire::{Body, Caller, Refusal};
use super::world::{IamChange, World};
use super::xml::{self, element};

/// The namespace of answers and errors.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

const INVALID: &str = "ValidationError";

const PAGING: Paging = Paging {
    size_key: "MaxItems",
    token_key: "Marker",
    least: 1,
    most: 1000,
    usual: 100,
    bad_size: INVALID,
    bad_token: INVALID,
};

/// What came of an operation that changes something.
struct Done {
    /// The elements of the result, where the operation has one.
    result: Option<String>,
    /// The policy's ARN; absent when all was as it was asked for.
    policy: Option<String>,
}

/// An operation that changes something.
type Effect = fn(&mut World, &Caller, &Value) -> Result<Done, Refusal>;

/// Answers one operation of IAM; `body` holds the members of the form.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    if let Some(effect) = effect(operation) {
        let Done { result, policy } = effect(world, caller, body)?;
        if let Some(policy) = policy {
            let change = changed(caller, operation, policy, body);
            world.iam_changes.push(change);
        }
        return Ok(match result {
            Some(result) => xml::answer(world, NAMESPACE, operation, &result),
            None => xml::done(world, NAMESPACE, operation),
        });
    }
    let world = &*world;
    let result = match operation {
        "GetPolicy" => {
            let policy = find_policy(world, caller, form::policy_arn(body)?)?;
            show::policy_in_full(world, caller, policy)
        }
        "GetPolicyVersion" => get_policy_version(world, caller, body)?,
        "ListPolicies" => list::policies(world, caller, body)?,
        "ListPolicyVersions" => list::versions(world, caller, body)?,
        "ListEntitiesForPolicy" => list::entities(world, caller, body)?,
        "GetRole" => {
            format!("<Role>{}</Role>", show::role_in_full(role::find(world, caller, body)?))
        }
        "GetRolePolicy" => role::get_inline(role::find(world, caller, body)?, body)?,
        "ListRoles" => role::list(world, caller, body)?,
        "ListRolePolicies" => role::list_inline(world, role::find(world, caller, body)?, body)?,
        "ListAttachedRolePolicies" => {
            role::list_attached(world, role::find(world, caller, body)?, body)?
        }
        other => return Err(Refusal::new("InvalidAction", unknown(other).message)),
    };
    Ok(xml::answer(world, NAMESPACE, operation, &result))
}

fn effect(operation: &str) -> Option<Effect> {
    Some(match operation {
        "CreatePolicy" => change::create_policy,
        "DeletePolicy" => change::delete_policy,
        "CreatePolicyVersion" => change::create_version,
        "DeletePolicyVersion" => change::delete_version,
        "SetDefaultPolicyVersion" => change::set_default_version,
        "AttachRolePolicy" => role::attach,
        "DetachRolePolicy" => role::detach,
        _ => return None,
    })
}

fn changed(caller: &Caller, operation: &str, policy: String, body: &Value) -> IamChange {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        // These two tell the protocol and nothing of the change.
        members.remove("Action");
        members.remove("Version");
    }
    IamChange {
        operation: operation.to_owned(),
        account: caller.account.clone(),
        policy,
        role: text(&body, "RoleName").map(str::to_owned),
        body,
    }
}

/// Makes the refusal of whoever may not do something; IAM names what it is about by kind.
pub(super) fn denied(caller: &Caller, operation: &str, body: &Value) -> Refusal {
    let named = |kind: &str, key: &str| text(body, key).map(|name| format!("{kind} {name}"));
    let resource = named("role", "RoleName")
        .or_else(|| named("policy", "PolicyArn"))
        .or_else(|| named("policy", "PolicyName"))
        .unwrap_or_else(|| "*".to_owned());
    let message = format!(
        "User: arn:aws:iam::{}:user/sandbox is not authorized to perform: iam:{operation} on \
         resource: {resource}",
        caller.account
    );
    Refusal { status: 403, ..Refusal::new("AccessDenied", message) }
}

fn get_policy_version(world: &World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let arn = form::policy_arn(body)?;
    let id = form::version_id(body)?;
    let policy = find_policy(world, caller, arn)?;
    let version = policy.version(id).ok_or_else(|| missing_version(arn, id))?;
    let version = show::version_with_document(policy, version);
    Ok(format!("<PolicyVersion>{version}</PolicyVersion>"))
}

/// Finds a policy that the caller sees.
fn find_policy<'a>(world: &'a World, caller: &Caller, arn: &str) -> Result<&'a Policy, Refusal> {
    policies(world, caller)
        .find(|policy| policy.arn() == arn)
        .ok_or_else(|| missing(format!("Policy {arn} was not found.")))
}

/// Returns the caller's own policies and those that AWS manages.
fn policies<'a>(world: &'a World, caller: &Caller) -> impl Iterator<Item = &'a Policy> {
    let of = |account: String| move |policy: &&Policy| policy.account == account;
    let all = &world.organisation.policies;
    let own = all.iter().filter(of(caller.account.clone()));
    own.chain(all.iter().filter(|policy| policy.is_managed()))
}

/// Returns the caller's own roles.
fn roles<'a>(world: &'a World, caller: &Caller) -> impl Iterator<Item = &'a Role> {
    let account = caller.account.clone();
    world.organisation.roles.iter().filter(move |role| role.account == account)
}

/// Cuts a list, and returns with the page the elements that tell whether there is more.
fn page<'a, T>(
    world: &World,
    list: &str,
    body: &Value,
    items: &'a [T],
) -> Result<(&'a [T], String), Refusal> {
    let most = usize::try_from(world.variants.iam_page_items.max(1)).unwrap_or(usize::MAX);
    let size = size(&PAGING, body)?.min(most);
    // A marker has at most 320 letters, and an ARN may be longer.
    let scope = format!("{:016x}", digest(list));
    let (page, next) = cut_at(size, &PAGING, &scope, body, items)?;
    let mut tail = element("IsTruncated", if next.is_some() { "true" } else { "false" });
    if let Some(next) = next {
        tail += &element("Marker", &next);
    }
    Ok((page, tail))
}

/// Mixes a text into a number that is the same in every run.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0, |digest, byte| mix(digest ^ u64::from(byte)))
}

fn refuse(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal { status, ..Refusal::new(code, message) }
}

fn missing(message: impl Into<String>) -> Refusal {
    refuse(404, "NoSuchEntity", message)
}

fn missing_version(arn: &str, id: &str) -> Refusal {
    missing(format!("Policy {arn} version {id} does not exist or is not attachable."))
}

fn conflict(message: impl Into<String>) -> Refusal {
    refuse(409, "DeleteConflict", message)
}

fn too_many(message: impl Into<String>) -> Refusal {
    refuse(409, "LimitExceeded", message)
}
