//! Owns whether a stored plan of isolation policies may still be executed: it holds together, and fits what exists.
//!
//! **Invariant:** a file is not trusted: what it puts into IAM is what this program would write for that domain, on roles that are
//! the domain's alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::arn::{AccountId, Arn, DomainId};
use crate::inventory::{Domain, Inventory};
use crate::isolation::Isolation;
use crate::isolation_plan::{Present, name_of, way};
use crate::plan::{self, Change, Item, Plan, Stale};
use crate::role::{Roles, role_name};
use crate::target::Domains;

/// Returns every policy of a plan that is neither as the plan found it, nor as it wants it, nor on the way.
pub fn check(plan: &Plan<Isolation>, present: &Present) -> Vec<Stale> {
    let mut stale = plan::check(plan, &present.isolations);
    stale.retain(|it| {
        let item = plan.items.iter().find(|item| item.id == it.id);
        let way = item.map(|item| way(item.change.from(), item.change.to())).unwrap_or_default();
        !way.contains(&present.isolations.get(&it.id).cloned())
    });
    stale
}

/// Says why a stored plan cannot be executed, if so: it is about something else than isolation policies, or about one twice.
pub fn check_form(plan: &Plan<Isolation>) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for Item { id, .. } in &plan.items {
        let is_policy = Arn::parse(id).is_some_and(|it| {
            it.service == "iam"
                && it.resource.starts_with("policy/")
                && AccountId::parse(&it.account).is_ok()
        });
        if !is_policy || name_of(id).is_none_or(|it| DomainId::parse(it).is_err()) {
            return Err(format!("`{id}` is no isolation policy"));
        }
        if !ids.insert(id) {
            return Err(format!("`{id}` is in it twice"));
        }
    }
    Ok(())
}

/// Says why a stored plan does not fit what exists: its domain, its document or its roles are other ones.
///
/// `written` holds every document that this program writes for a domain with the configuration.
pub fn check_fit(
    plan: &Plan<Isolation>,
    inventory: &Inventory,
    written: &dyn Fn(&Domain) -> Vec<Value>,
) -> Result<(), String> {
    let domains = Domains::new(inventory);
    let roles = Roles::new(inventory, &domains);
    let by_name: BTreeMap<(&str, &str), &Domain> = inventory
        .domains
        .iter()
        .map(|it| ((it.key.account.as_str(), it.key.id.as_str()), it))
        .collect();
    for item in plan.pending() {
        let id = item.id.as_str();
        let account = Arn::parse(id).map(|it| it.account).unwrap_or_default();
        let domain = by_name.get(&(account.as_str(), name_of(id).unwrap_or_default()));
        let (from, Some(to)) = (item.change.from(), item.change.to()) else {
            match (domain, &item.change) {
                (Some(_), Change::Delete { .. }) => {
                    return Err(format!("the domain of `{id}` is there"));
                }
                _ => continue,
            }
        };
        let Some(domain) = domain else {
            return Err(format!("the domain of `{id}` is not there where it was looked"));
        };
        let is_ours = |it: &Value| Isolation::new(it, to.roles.clone()) == *to;
        if !written(domain).iter().any(is_ours) {
            return Err(format!(
                "the document of `{id}` is none that is written for its domain with this configuration"
            ));
        }
        let own: BTreeSet<&str> = roles.own(&domain.key).into_iter().map(role_name).collect();
        let is_new = |role: &&String| from.is_none_or(|it| !it.roles.contains(*role));
        if let Some(role) = to.roles.iter().filter(is_new).find(|it| !own.contains(it.as_str())) {
            return Err(format!("role `{role}` of `{id}` is not its domain's alone"));
        }
    }
    Ok(())
}
