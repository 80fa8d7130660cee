//! Owns how policies and their versions are made, put in force and deleted.
//!
//! **Invariant:** a refused request changes nothing.

use serde_json::Value;

use super::super::page::text;
use super::super::policy::Policy;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::{
    Done, INVALID, conflict, denied, find_policy, form, missing_version, refuse, show, too_many,
};

/// See "IAM and AWS STS quotas" in the IAM User Guide.
const VERSION_COUNT_MAX: usize = 5;
const POLICY_NAME_LENGTH_MAX: usize = 128;
const DESCRIPTION_LENGTH_MAX: usize = 1000;

/// Makes a policy with its first version.
pub(super) fn create_policy(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Done, Refusal> {
    let name = form::name(body, "PolicyName", POLICY_NAME_LENGTH_MAX)?;
    let path = form::path(body, "Path")?;
    let description = text(body, "Description").map(str::to_owned);
    if description.as_ref().is_some_and(|it| it.chars().count() > DESCRIPTION_LENGTH_MAX) {
        let message = format!(
            "1 validation error detected: Value at 'description' failed to satisfy constraint: \
             Member must have length less than or equal to {DESCRIPTION_LENGTH_MAX}"
        );
        return Err(Refusal::new(INVALID, message));
    }
    let tags = form::tags(body)?;
    let document = form::policy_document(body)?.to_owned();
    // Neither a path nor capitals make a name another one.
    let is_same =
        |other: &Policy| other.account == caller.account && other.name.eq_ignore_ascii_case(name);
    if world.organisation.policies.iter().any(is_same) {
        let message =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(refuse(409, "EntityAlreadyExists", message));
    }
    let policy = Policy {
        description,
        tags,
        ..Policy::new(&caller.account, path, name, document, world.now)
    };
    let shown = show::policy(world, caller, &policy) + &show::tags(&policy);
    let arn = policy.arn();
    world.organisation.policies.push(policy);
    Ok(Done { result: Some(format!("<Policy>{shown}</Policy>")), policy: Some(arn) })
}

/// Adds a version, and puts it in force when that is asked for.
pub(super) fn create_version(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Done, Refusal> {
    let in_force = form::flag(body, "SetAsDefault")?;
    let now = world.now;
    let policy = find_own(world, caller, "CreatePolicyVersion", body)?;
    let document = form::policy_document(body)?.to_owned();
    if policy.versions.len() >= VERSION_COUNT_MAX {
        return Err(too_many(format!(
            "A managed policy can have up to {VERSION_COUNT_MAX} versions. Before you create a \
             new version, you must delete an existing version."
        )));
    }
    let id = policy.add_version(document, now);
    if in_force {
        policy.default_id.clone_from(&id);
    }
    let version = policy.version(&id).expect("it was added just now");
    let shown = format!("<PolicyVersion>{}</PolicyVersion>", show::version(policy, version));
    Ok(Done { result: Some(shown), policy: Some(policy.arn()) })
}

/// Puts a version in force.
pub(super) fn set_default_version(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Done, Refusal> {
    let id = form::version_id(body)?;
    let policy = find_own(world, caller, "SetDefaultPolicyVersion", body)?;
    let arn = policy.arn();
    if policy.version(id).is_none() {
        return Err(missing_version(&arn, id));
    }
    let is_changed = policy.default_id != id;
    id.clone_into(&mut policy.default_id);
    Ok(Done { result: None, policy: is_changed.then_some(arn) })
}

/// Deletes a version that is not in force.
pub(super) fn delete_version(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Done, Refusal> {
    let id = form::version_id(body)?;
    let policy = find_own(world, caller, "DeletePolicyVersion", body)?;
    let arn = policy.arn();
    if policy.version(id).is_none() {
        return Err(missing_version(&arn, id));
    }
    if policy.default_id == id {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.retain(|version| version.id != id);
    Ok(Done { result: None, policy: Some(arn) })
}

/// Deletes a policy that nothing has and that has one version.
pub(super) fn delete_policy(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Done, Refusal> {
    let arn = find_own(world, caller, "DeletePolicy", body)?.arn();
    let policy = find_policy(world, caller, &arn)?;
    let count = show::attachment_count(world, caller, policy);
    if count + show::bounded_count(world, caller, &arn) > 0 {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete \
             the policy's versions. The default version is deleted with the policy.",
        ));
    }
    world.organisation.policies.retain(|policy| policy.arn() != arn);
    Ok(Done { result: None, policy: Some(arn) })
}

/// Finds a policy that the caller may change; one that AWS manages nobody may.
fn find_own<'a>(
    world: &'a mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<&'a mut Policy, Refusal> {
    let arn = form::policy_arn(body)?;
    if find_policy(world, caller, arn)?.is_managed() {
        return Err(denied(caller, operation, body));
    }
    let mut policies = world.organisation.policies.iter_mut();
    Ok(policies.find(|policy| policy.arn() == arn).expect("it was found just now"))
}
