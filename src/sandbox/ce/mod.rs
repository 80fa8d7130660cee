//! Owns the imitation of Cost Explorer.
//!
//! **Invariant:** every answer is computed from the bill; none is canned.

mod backfill;
mod dimension;
mod expression;
mod forecast;
mod page;
mod query;
mod tags;
mod time;
mod usage;
mod values;

#[cfg(test)]
mod tests;

pub use page::Pages;

use jiff::ToSpan;
use serde_json::Value;

use super::bill::{Charge, Metric, Rates, ticks_of};
use super::wire::{Body, Caller, Refusal};
use super::world::World;
use crate::money::Money;
use crate::period::{Month, Period};

/// Operations that AWS charges for, by page.
const PAID: [&str; 4] = ["GetCostAndUsage", "GetCostForecast", "GetTags", "GetDimensionValues"];

/// Answers one request, and counts it when AWS would charge for it.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    backfill::settle(world);
    if world.faults.cost_explorer_disabled {
        return Err(Refusal::denied("User not enabled for cost explorer access"));
    }
    let answer = match operation {
        "GetCostAndUsage" => usage::get_cost_and_usage(world, caller, body),
        "GetCostForecast" => forecast::get_cost_forecast(world, caller, body),
        "GetTags" => values::get_tags(world, caller, body),
        "GetDimensionValues" => values::get_dimension_values(world, caller, body),
        "ListCostAllocationTags" => tags::list_cost_allocation_tags(world, caller, body),
        "UpdateCostAllocationTagsStatus" => tags::update_status(world, caller, body),
        "StartCostAllocationTagBackfill" => backfill::start(world, caller, body),
        "ListCostAllocationTagBackfillHistory" => backfill::history(world, caller, body),
        other => Err(Refusal::new("UnknownOperationException", format!("Unknown: {other}"))),
    }?;
    if PAID.contains(&operation) {
        world.counts.paid += 1;
        drift(world);
    }
    Ok(answer)
}

/// Returns the cost (or the usage) of a period as Cost Explorer would show it to an account, for AWS Budgets.
///
/// Tag keys are without prefix here; Budgets strips its own and passes what has none as a key that nobody has.
pub fn spend(
    world: &World,
    account: &str,
    filter: Option<&Value>,
    metric: &str,
    period: Period,
) -> Result<Money, Refusal> {
    let caller = Caller { account: account.to_owned(), region: String::new() };
    let metric = Metric::parse(metric)
        .ok_or_else(|| Refusal::invalid(format!("Metric {metric} is not supported")))?;
    let mut query = query::Query::new(world, &caller, filter, None)?;
    if period.start >= period.end {
        return Ok(Money::ZERO);
    }
    query.periods = vec![period];
    let sheet = query.run(world);
    let ticks: i128 = sheet.slots.iter().map(|slot| slot.total.amounts[metric.index()]).sum();
    // A tick is 10⁻¹⁰ of the currency, or a millionth of a unit of usage.
    Ok(Money::from_units(ticks * if metric.is_cost() { 100 } else { 1_000_000 }))
}

/// Lands the charge of the fault `drift` once enough pages were answered.
fn drift(world: &mut World) {
    let Some(drift) = &mut world.faults.drift else { return };
    drift.seen += 1;
    if drift.seen < drift.after {
        return;
    }
    let amount = drift.amount;
    drift.seen = 0;
    if drift.repeats == 0 {
        world.faults.drift = None;
    } else {
        drift.repeats -= 1;
    }
    let day = world.visible_end() - 1.day();
    let month = Month::of(world.today()).period();
    let is_like = |charge: &&Charge| {
        &*charge.meter.record_type == "Usage"
            && !charge.meter.tags.is_empty()
            && !charge.cost(Metric::UnblendedCost, month).is_zero()
    };
    let like = world.bill.charges.iter().find(is_like).map(|charge| charge.meter.clone());
    if let Some(meter) = like.filter(|_| month.contains(day)) {
        let mut charge = Charge::on(meter, Rates::flat(1), &[(day, ticks_of(amount))]);
        charge.counted = false;
        world.bill.add_charge(charge);
    }
}
