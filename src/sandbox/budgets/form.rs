//! Owns how a budget is read from a request: which members it has, and what each may be.
//!
//! **Invariant:** what is wrong with a request's form is told before anything is looked up.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::super::organisation::{Budget, BudgetLimit, TimeUnit};
use super::super::page::{decimal, member, required, text};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::{END_OF_TIME, INVALID, filter, limit, missing};
use crate::money::Money;

const NAME_LENGTH_MAX: usize = 100;
const TAG_COUNT_MAX: usize = 200;

/// Makes the refusal of a request that is wrong in itself.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(INVALID, message)
}

/// Returns a member that is there and not null.
pub(super) fn given<'a>(body: &'a Value, key: &str) -> Option<&'a Value> {
    body.get(key).filter(|value| !value.is_null())
}

/// Returns a member that is a structure.
pub(super) fn structure<'a>(body: &'a Value, key: &str) -> Result<&'a Value, Refusal> {
    match given(body, key) {
        Some(value) if value.is_object() => Ok(value),
        Some(_) => Err(invalid(format!("{key} is not a structure"))),
        None => Err(null(key)),
    }
}

/// Returns the items of a list.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], Refusal> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| invalid(format!("{key} is not a list")))
}

/// Returns the items of a list of texts.
pub(super) fn texts(value: &Value, key: &str) -> Result<Vec<String>, Refusal> {
    let texts = list(value, key)?.iter().map(|item| item.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| invalid(format!("{key} is not a list of texts")))
}

/// Returns a text member that has to be one of some values.
pub(super) fn one_of<'a>(body: &'a Value, key: &str, allowed: &[&str]) -> Result<&'a str, Refusal> {
    let value = required(body, key, INVALID)?;
    if allowed.contains(&value) {
        return Ok(value);
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: Member \
         must satisfy enum value set: [{}]",
        member(key),
        allowed.join(", ")
    )))
}

fn null(key: &str) -> Refusal {
    invalid(format!(
        "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must \
         not be null",
        member(key)
    ))
}

/// Returns the name of the budget that a request is about.
pub(super) fn name(body: &Value) -> Result<&str, Refusal> {
    let name = required(body, "BudgetName", INVALID)?;
    let small = name.to_lowercase();
    let script = small.find("<script>").is_some_and(|at| small[at..].contains("</script>"));
    let fits = !name.contains([':', '\\']) && !name.contains("/action/") && !script;
    let constraint = if name.chars().count() > NAME_LENGTH_MAX {
        "Member must have length less than or equal to 100"
    } else if fits {
        return Ok(name);
    } else {
        "Member must satisfy regular expression pattern: \
         ^(?![^:\\\\]*/action/|(?i).*<script>.*</script>.*)[^:\\\\]+$"
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'budgetName' failed to satisfy constraint: \
         {constraint}"
    )))
}

/// Reads a budget, without its notifications and tags.
pub(super) fn budget(world: &World, caller: &Caller, body: &Value) -> Result<Budget, Refusal> {
    let units = TimeUnit::ALL.map(TimeUnit::name);
    let time_unit = TimeUnit::parse(one_of(body, "TimeUnit", &units)?).expect("it is one of all");
    let name = name(body)?.to_owned();
    let kind = kind(body)?;
    let period = given(body, "TimePeriod");
    let (start, end) = (moment(period, "Start")?, moment(period, "End")?);
    check_period(world, time_unit, start, end)?;
    let mut budget = Budget {
        account: caller.account.clone(),
        name,
        kind: kind.to_owned(),
        time_unit,
        filter: filter::read(world, caller, body)?,
        start,
        end,
        billing_view: billing_view(caller, body)?,
        updated_at: world.now,
        ..Budget::default()
    };
    (budget.limit, budget.unit) = read_limit(world, &budget, body)?;
    if budget.kind == "COST" && budget.unit != "USD" {
        return Err(invalid(format!("{} is not the currency of this account", budget.unit)));
    }
    Ok(budget)
}

fn kind(body: &Value) -> Result<&str, Refusal> {
    let kinds = [
        "USAGE",
        "COST",
        "RI_UTILIZATION",
        "RI_COVERAGE",
        "SAVINGS_PLANS_UTILIZATION",
        "SAVINGS_PLANS_COVERAGE",
    ];
    let kind = one_of(body, "BudgetType", &kinds)?;
    if ["USAGE", "COST"].contains(&kind) {
        return Ok(kind);
    }
    Err(invalid(format!("Budgets of type {kind} are not part of this imitation")))
}

/// Reads the view that a budget is made on; there are no custom ones here.
fn billing_view(caller: &Caller, body: &Value) -> Result<Option<String>, Refusal> {
    let Some(arn) = text(body, "BillingViewArn") else { return Ok(None) };
    if !(arn.starts_with("arn:aws") && arn.contains(":billing::") && arn.contains(":billingview/"))
    {
        return Err(invalid(format!("{arn} is not the ARN of a billing view")));
    }
    if arn != format!("arn:aws:billing::{}:billingview/primary", caller.account) {
        return Err(missing(format!("The billing view {arn} doesn't exist.")));
    }
    Ok(Some(arn.to_owned()))
}

fn moment(period: Option<&Value>, key: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = period.and_then(|period| given(period, key)) else { return Ok(None) };
    let whole = Money::from_cents(100).units();
    let second = decimal(value).filter(|_| value.is_number());
    let second = second.and_then(|it| i64::try_from(it.units().div_euclid(whole)).ok());
    let moment = second.and_then(|second| Timestamp::from_second(second).ok());
    moment.map(Some).ok_or_else(|| invalid(format!("TimePeriod: {key} is not a timestamp")))
}

fn check_period(
    world: &World,
    unit: TimeUnit,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Result<(), Refusal> {
    if end.is_some_and(|end| start.unwrap_or(world.now) >= end) {
        return Err(invalid("Start date should be before end date"));
    }
    if end.is_some_and(|end| end.as_second() > END_OF_TIME) {
        return Err(invalid("End date should be before 06/15/87 00:00 UTC"));
    }
    if end.is_some_and(|end| end <= world.now) {
        return Err(invalid("End date should be in the future"));
    }
    if unit != TimeUnit::Custom {
        return Ok(());
    }
    let (Some(start), Some(end)) = (start, end) else {
        return Err(invalid("A custom budget needs a start date and an end date"));
    };
    if end.to_zoned(TimeZone::UTC) > start.to_zoned(TimeZone::UTC) + 3.years() {
        return Err(invalid("A custom budget can't be longer than three years"));
    }
    Ok(())
}

/// Reads the limit, in exactly one of its three forms, and what it is counted in.
fn read_limit(
    world: &World,
    budget: &Budget,
    body: &Value,
) -> Result<(BudgetLimit, String), Refusal> {
    let forms = ["BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData"];
    match forms.map(|form| given(body, form)) {
        [Some(fixed), None, None] => {
            let (limit, unit) = spend(fixed)?;
            Ok((BudgetLimit::Fixed(limit), unit))
        }
        [None, Some(planned), None] => read_planned(world, budget, planned),
        [None, None, Some(adjusted)] => {
            let unit = if budget.kind == "COST" { "USD" } else { "N/A" };
            Ok((read_adjusted(budget.time_unit, adjusted)?, unit.to_owned()))
        }
        [None, None, None] => Err(invalid(
            "One of BudgetLimit, PlannedBudgetLimits and AutoAdjustData has to be specified",
        )),
        _ => Err(invalid(
            "Only one of BudgetLimit, PlannedBudgetLimits and AutoAdjustData can be specified",
        )),
    }
}

fn read_planned(
    world: &World,
    budget: &Budget,
    planned: &Value,
) -> Result<(BudgetLimit, String), Refusal> {
    let wanted = limit::planned(budget.time_unit, budget.start, budget.end, world.today());
    let wanted = wanted.ok_or_else(|| {
        let unit = budget.time_unit.name();
        invalid(format!("PlannedBudgetLimits can't be used with the time unit {unit}"))
    })?;
    let planned = planned.as_object().ok_or_else(|| invalid("PlannedBudgetLimits is not a map"))?;
    let mut limits = BTreeMap::new();
    let mut units = Vec::new();
    for (key, value) in planned {
        let (limit, unit) = spend(value)?;
        let second = key.parse::<i64>().ok().filter(|second| second.to_string() == *key);
        let second = second.ok_or_else(|| {
            invalid(format!("PlannedBudgetLimits: {key} is no count of seconds since 1970"))
        })?;
        limits.insert(second, limit);
        units.push(unit);
    }
    if !limits.keys().eq(&wanted) {
        return Err(invalid(format!(
            "PlannedBudgetLimits has to contain the {} periods from the current one on, by the \
             second in which each starts",
            wanted.len()
        )));
    }
    units.dedup();
    match <[String; 1]>::try_from(units) {
        Ok([unit]) => Ok((BudgetLimit::Planned(limits), unit)),
        Err(_) => Err(invalid("PlannedBudgetLimits has to be in one unit")),
    }
}

fn read_adjusted(unit: TimeUnit, adjusted: &Value) -> Result<BudgetLimit, Refusal> {
    let periods_max = match unit {
        TimeUnit::Daily => 60,
        TimeUnit::Monthly => 12,
        TimeUnit::Quarterly => 4,
        TimeUnit::Annually => 1,
        TimeUnit::Custom => {
            return Err(invalid("AutoAdjustData can't be used with the time unit CUSTOM"));
        }
    };
    let options = given(adjusted, "HistoricalOptions");
    if one_of(adjusted, "AutoAdjustType", &["HISTORICAL", "FORECAST"])? == "FORECAST" {
        if options.is_some() {
            return Err(invalid("HistoricalOptions can't be used with FORECAST"));
        }
        return Ok(BudgetLimit::Forecast);
    }
    let options = options.ok_or_else(|| null("HistoricalOptions"))?;
    let periods = given(options, "BudgetAdjustmentPeriod");
    let periods = periods.ok_or_else(|| null("BudgetAdjustmentPeriod"))?;
    let count = periods.as_u64().and_then(|count| u8::try_from(count).ok());
    count.filter(|count| (1..=periods_max).contains(count)).map(BudgetLimit::Historical).ok_or_else(
        || {
            let unit = unit.name();
            invalid(format!("BudgetAdjustmentPeriod has to be from 1 to {periods_max} for {unit}"))
        },
    )
}

/// Reads an amount and its unit.
fn spend(value: &Value) -> Result<(Money, String), Refusal> {
    let (amount, unit) = (required(value, "Amount", INVALID)?, required(value, "Unit", INVALID)?);
    let (whole, fraction) = amount.split_once('.').unwrap_or(("", amount));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(whole) && digits(fraction) && !fraction.is_empty();
    let money = Money::parse(amount).ok().filter(|_| fits);
    let money = money.ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{amount}' at 'amount' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: ([0-9]*\\.)?[0-9]+"
        ))
    })?;
    Ok((money, unit.to_owned()))
}

/// Reads the tags of a budget.
pub(super) fn tags(body: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    let items = given(body, "ResourceTags").map_or(Ok(&[][..]), |it| list(it, "ResourceTags"))?;
    if items.len() > TAG_COUNT_MAX {
        return Err(invalid(format!("ResourceTags can have at most {TAG_COUNT_MAX} members")));
    }
    for item in items {
        let key = required(item, "Key", INVALID)?;
        let value = item.get("Value").and_then(Value::as_str).ok_or_else(|| null("Value"))?;
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("ResourceTags: {key} or its value is too long")));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("ResourceTags: {key} is there twice")));
        }
    }
    Ok(tags)
}
