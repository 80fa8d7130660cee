//! Owns how budgets are made, replaced and deleted.
//!
//! **Invariant:** a refused request changes nothing.

use serde_json::Value;

use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::{duplicate, find_mut, form, notification};

/// Makes a budget with its notifications and tags.
pub(super) fn create_budget(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<String, Refusal> {
    let mut budget = form::budget(world, caller, form::structure(body, "Budget")?)?;
    budget.tags = form::tags(body)?;
    budget.notifications = notification::read_all(world, &budget, body)?;
    let mut budgets = world.organisation.budgets.iter();
    if budgets.any(|other| other.account == budget.account && other.name == budget.name) {
        return Err(duplicate(format!(
            "Error creating budget: {} - the budget already exists.",
            budget.name
        )));
    }
    let name = budget.name.clone();
    world.organisation.budgets.push(budget);
    Ok(name)
}

/// Replaces a budget, and leaves its notifications and tags as they are.
pub(super) fn update_budget(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<String, Refusal> {
    let described = form::structure(body, "NewBudget")?;
    let mut new = form::budget(world, caller, described)?;
    let budget = find_mut(world, caller, described)?;
    for notification in &budget.notifications {
        notification::check_unit(new.time_unit, notification)?;
    }
    new.notifications.clone_from(&budget.notifications);
    new.tags.clone_from(&budget.tags);
    *budget = new;
    Ok(budget.name.clone())
}

/// Deletes a budget with all that belongs to it.
pub(super) fn delete_budget(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<String, Refusal> {
    let name = find_mut(world, caller, body)?.name.clone();
    let budgets = &mut world.organisation.budgets;
    budgets.retain(|budget| budget.account != caller.account || budget.name != name);
    Ok(name)
}
