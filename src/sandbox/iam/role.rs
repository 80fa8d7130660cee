//! Owns roles: what is told of them, and what is attached to them.
//!
//! **Invariant:** to attach what is attached changes nothing and is no error.

use serde_json::Value;

use super::super::policy::Role;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::super::xml::element;
use super::{Done, find_policy, form, missing, page, roles, show, too_many};

const ROLE_NAME_LENGTH_MAX: usize = 64;
const POLICY_NAME_LENGTH_MAX: usize = 128;

/// Finds the role that a request names.
pub(super) fn find<'a>(
    world: &'a World,
    caller: &Caller,
    body: &Value,
) -> Result<&'a Role, Refusal> {
    let name = form::name(body, "RoleName", ROLE_NAME_LENGTH_MAX)?;
    roles(world, caller).find(|role| role.name == name).ok_or_else(|| missing_role(name))
}

fn missing_role(name: &str) -> Refusal {
    missing(format!("The role with name {name} cannot be found."))
}

fn find_mut<'a>(
    world: &'a mut World,
    caller: &Caller,
    body: &Value,
) -> Result<&'a mut Role, Refusal> {
    let name = form::name(body, "RoleName", ROLE_NAME_LENGTH_MAX)?;
    let mut roles = world.organisation.roles.iter_mut();
    roles
        .find(|role| role.account == caller.account && role.name == name)
        .ok_or_else(|| missing_role(name))
}

/// Attaches a policy to a role.
pub(super) fn attach(world: &mut World, caller: &Caller, body: &Value) -> Result<Done, Refusal> {
    let arn = form::policy_arn(body)?;
    let most = usize::from(world.variants.iam_attached_max);
    let found = find_policy(world, caller, arn).is_ok();
    let role = find_mut(world, caller, body)?;
    if !found {
        return Err(missing(format!("Policy {arn} does not exist or is not attachable.")));
    }
    if role.attached.contains(arn) {
        return Ok(Done { result: None, policy: None });
    }
    if role.attached.len() >= most {
        return Err(too_many(format!("Cannot exceed quota for PoliciesPerRole: {most}")));
    }
    role.attached.insert(arn.to_owned());
    Ok(Done { result: None, policy: Some(arn.to_owned()) })
}

/// Detaches a policy from a role that has it.
pub(super) fn detach(world: &mut World, caller: &Caller, body: &Value) -> Result<Done, Refusal> {
    let arn = form::policy_arn(body)?;
    if !find_mut(world, caller, body)?.attached.remove(arn) {
        return Err(missing(format!("Policy {arn} was not found.")));
    }
    Ok(Done { result: None, policy: Some(arn.to_owned()) })
}

/// Lists the roles of the account.
pub(super) fn list(world: &World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let prefix = form::path(body, "PathPrefix")?;
    let mut found: Vec<&Role> =
        roles(world, caller).filter(|role| role.path.starts_with(prefix)).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let (page, tail) = page(world, &format!("ListRoles {prefix}"), body, &found)?;
    let member = |shown: &&Role| format!("<member>{}</member>", show::role(shown));
    Ok(format!("<Roles>{}</Roles>{tail}", page.iter().map(member).collect::<String>()))
}

/// Lists the names of a role's inline policies.
pub(super) fn list_inline(world: &World, role: &Role, body: &Value) -> Result<String, Refusal> {
    let names: Vec<&String> = role.inline.keys().collect();
    let (page, tail) = page(world, &format!("ListRolePolicies {}", role.arn()), body, &names)?;
    let members: String = page.iter().map(|name| element("member", name)).collect();
    Ok(format!("<PolicyNames>{members}</PolicyNames>{tail}"))
}

/// Tells an inline policy of a role.
pub(super) fn get_inline(role: &Role, body: &Value) -> Result<String, Refusal> {
    let name = form::name(body, "PolicyName", POLICY_NAME_LENGTH_MAX)?;
    let document = role
        .inline
        .get(name)
        .ok_or_else(|| missing(format!("The role policy with name {name} cannot be found.")))?;
    Ok(element("RoleName", &role.name)
        + &element("PolicyName", name)
        + &element("PolicyDocument", &show::encode(document)))
}

/// Lists the managed policies that are attached to a role.
pub(super) fn list_attached(world: &World, role: &Role, body: &Value) -> Result<String, Refusal> {
    let prefix = form::path(body, "PathPrefix")?;
    // `arn:aws:iam::<account>:policy/<path><name>`
    let path = |arn: &str| arn.split_once(":policy").map(|(_, path)| path.starts_with(prefix));
    let found: Vec<&String> =
        role.attached.iter().filter(|arn| path(arn).unwrap_or_default()).collect();
    let scope = format!("ListAttachedRolePolicies {} {prefix}", role.arn());
    let (page, tail) = page(world, &scope, body, &found)?;
    let member = |arn: &&String| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        format!("<member>{}{}</member>", element("PolicyName", name), element("PolicyArn", arn))
    };
    let members: String = page.iter().map(member).collect();
    Ok(format!("<AttachedPolicies>{members}</AttachedPolicies>{tail}"))
}
