//! Owns what a budget counts: how its filter is checked, and how it is asked of Cost Explorer.
//!
//! **Invariant:** a filter counts as Budgets reads it: a tag key of a user's own needs its `user:` prefix.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::ce;
use super::super::metric::Metric;
use super::super::organisation::{Budget, BudgetFilter};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::form::{given, invalid, list, one_of, texts};
use crate::money::Money;
use crate::period::Period;

const ROOTS: [&str; 7] =
    ["And", "CostCategories", "Dimensions", "Not", "Or", "ProductAttributes", "Tags"];
const METRICS: [&str; 8] = [
    "BlendedCost",
    "UnblendedCost",
    "AmortizedCost",
    "NetUnblendedCost",
    "NetAmortizedCost",
    "UsageQuantity",
    "NormalizedUsageAmount",
    "Hours",
];
const MATCH_OPTIONS: [&str; 8] = [
    "EQUALS",
    "ABSENT",
    "STARTS_WITH",
    "ENDS_WITH",
    "CONTAINS",
    "GREATER_THAN_OR_EQUAL",
    "CASE_SENSITIVE",
    "CASE_INSENSITIVE",
];
const DIMENSIONS: &str = "AZ INSTANCE_TYPE LINKED_ACCOUNT LINKED_ACCOUNT_NAME OPERATION \
    PURCHASE_TYPE REGION SERVICE SERVICE_CODE USAGE_TYPE USAGE_TYPE_GROUP RECORD_TYPE \
    OPERATING_SYSTEM TENANCY SCOPE PLATFORM SUBSCRIPTION_ID LEGAL_ENTITY_NAME INVOICING_ENTITY \
    DEPLOYMENT_OPTION DATABASE_ENGINE CACHE_ENGINE INSTANCE_TYPE_FAMILY BILLING_ENTITY \
    RESERVATION_ID RESOURCE_ID RIGHTSIZING_TYPE SAVINGS_PLANS_TYPE SAVINGS_PLAN_ARN \
    PAYMENT_OPTION RESERVATION_MODIFIED TAG_KEY COST_CATEGORY_NAME";

/// The switches of `CostTypes`, what each is when it is not given, and the record types that it takes in.
const TYPES: [(&str, bool, &[&str]); 11] = [
    ("IncludeTax", true, &["Tax"]),
    ("IncludeSubscription", true, &[]),
    ("UseBlended", false, &[]),
    ("IncludeRefund", true, &["Refund"]),
    ("IncludeCredit", true, &["Credit"]),
    ("IncludeUpfront", true, &["SavingsPlanUpfrontFee"]),
    ("IncludeRecurring", true, &["SavingsPlanRecurringFee"]),
    ("IncludeOtherSubscription", true, &[]),
    ("IncludeSupport", true, &["Support"]),
    ("IncludeDiscount", true, &["EdpDiscount"]),
    ("UseAmortized", false, &[]),
];

/// What a budget asks of Cost Explorer, period by period.
pub(super) struct Question {
    filter: Option<Value>,
    metric: &'static str,
}

impl Question {
    /// Returns what a period has cost as far as the bill shows it.
    pub(super) fn spend(
        &self,
        world: &World,
        budget: &Budget,
        period: Period,
    ) -> Result<Money, Refusal> {
        // An empty period is asked for all the same, so that a bad filter is seen on the first day.
        ce::spend(world, &budget.account, self.filter.as_ref(), self.metric, period)
    }
}

/// Returns the question of a budget; a metric that is missing or that Cost Explorer lacks makes none.
pub(super) fn question(world: &World, budget: &Budget) -> Option<Question> {
    match &budget.filter {
        BudgetFilter::Expression { filter, metric } => {
            let lenient = world.variants.budget_prefix_optional;
            let filter = filter.as_ref().map(|filter| without_prefixes(filter, lenient));
            let metric = Metric::parse(metric.as_ref()?)?.name();
            Some(Question { filter, metric })
        }
        BudgetFilter::Cost { filters, types } => {
            let is_on = |name: &str| types.get(name).copied().unwrap_or(false);
            let metric = match (budget.kind.as_str(), is_on("UseBlended"), is_on("UseAmortized")) {
                ("USAGE", ..) => Metric::UsageQuantity,
                (_, true, _) => Metric::BlendedCost,
                (_, _, true) => Metric::AmortizedCost,
                _ => Metric::UnblendedCost,
            };
            let expression = expression_of(filters, types);
            let filter = expression.map(|it| without_prefixes(&it, false));
            Some(Question { filter, metric: metric.name() })
        }
    }
}

/// Reads the filter of a budget, in one of the two pairs of members that exclude each other.
pub(super) fn read(world: &World, caller: &Caller, body: &Value) -> Result<BudgetFilter, Refusal> {
    let new = [given(body, "FilterExpression"), given(body, "Metrics")];
    let old = [given(body, "CostFilters"), given(body, "CostTypes")];
    let is_member = caller.account != world.organisation.payer;
    match (new, old) {
        ([None, None], [filters, types]) => read_cost(is_member, filters, types),
        ([filter, metrics], [None, None]) => {
            let metric = read_metric(world, metrics)?;
            if let Some(filter) = filter {
                check(world, is_member, filter)?;
            }
            Ok(BudgetFilter::Expression { filter: filter.cloned(), metric })
        }
        _ => Err(invalid(
            "FilterExpression and Metrics can't be used together with CostFilters and CostTypes",
        )),
    }
}

/// Reads the metric; without one the budget is made all the same, and can count nothing.
fn read_metric(world: &World, metrics: Option<&Value>) -> Result<Option<String>, Refusal> {
    let metrics = match metrics {
        Some(metrics) => texts(metrics, "Metrics")?,
        None => return Ok(None),
    };
    if metrics.len() > 1 {
        return Err(invalid("Metrics can have at most one member"));
    }
    let Some(metric) = metrics.into_iter().next() else { return Ok(None) };
    if METRICS.contains(&metric.as_str()) {
        return Ok(Some(metric));
    }
    let upper = Metric::parse(&metric).filter(|_| world.variants.budget_metrics_upper);
    let known = upper.ok_or_else(|| invalid(format!("Metrics: {metric} is not a metric")))?;
    Ok(Some(known.name().to_owned()))
}

fn read_cost(
    is_member: bool,
    filters: Option<&Value>,
    types: Option<&Value>,
) -> Result<BudgetFilter, Refusal> {
    let none = Map::new();
    let members = |value: Option<&Value>, name: &str| match value {
        None => Ok(none.clone()),
        Some(value) => {
            value.as_object().cloned().ok_or_else(|| invalid(format!("{name} is not a map")))
        }
    };
    let mut by_name = BTreeMap::new();
    for (name, values) in members(filters, "CostFilters")? {
        refuse_accounts(is_member, &upper_snake(&name))?;
        let values = texts(&values, "CostFilters")?;
        if values.is_empty() {
            return Err(invalid(format!("CostFilters: {name} has no values")));
        }
        by_name.insert(name, values);
    }
    let mut switches = BTreeMap::new();
    for (name, value) in members(types, "CostTypes")? {
        let known = TYPES.iter().find(|(known, ..)| *known == name);
        let ((_, usual, _), on) = known
            .zip(value.as_bool())
            .ok_or_else(|| invalid(format!("CostTypes: {name} is not a switch")))?;
        if on != *usual {
            switches.insert(name, on);
        }
    }
    if switches.contains_key("UseBlended") && switches.contains_key("UseAmortized") {
        return Err(invalid("CostTypes: UseBlended and UseAmortized can't both be true"));
    }
    Ok(BudgetFilter::Cost { filters: by_name, types: switches })
}

/// Returns every switch of `CostTypes`.
pub(super) fn all_types(types: &BTreeMap<String, bool>) -> BTreeMap<&'static str, bool> {
    let of = |(name, usual, _): &(&'static str, bool, &[&str])| {
        (*name, types.get(*name).copied().unwrap_or(*usual))
    };
    TYPES.iter().map(of).collect()
}

/// Checks an expression and all within it.
fn check(world: &World, is_member: bool, expression: &Value) -> Result<(), Refusal> {
    let members = expression.as_object().ok_or_else(|| invalid("Expression is not a map"))?;
    let mut roots =
        members.iter().filter(|(name, it)| ROOTS.contains(&name.as_str()) && !it.is_null());
    let Some((root, inner)) = roots.next() else {
        return Err(invalid("Expression is empty. One root operator is required"));
    };
    if roots.next().is_some() {
        return Err(invalid(
            "Expression has more than one roots. Only one root operator is allowed for each \
             expression: And, Or, Not, Dimensions, Tags, CostCategories",
        ));
    }
    match root.as_str() {
        "And" | "Or" => {
            let parts = list(inner, root)?;
            if parts.len() < 2 {
                return Err(invalid(format!("Expression {root} must have at least two operands")));
            }
            parts.iter().try_for_each(|part| check(world, is_member, part))
        }
        "Not" => check(world, is_member, inner),
        _ => check_leaf(world, is_member, root, inner),
    }
}

fn check_leaf(world: &World, is_member: bool, root: &str, leaf: &Value) -> Result<(), Refusal> {
    if root == "Dimensions" {
        let known: Vec<&str> = DIMENSIONS.split_whitespace().collect();
        refuse_accounts(is_member, one_of(leaf, "Key", &known)?)?;
    }
    let values = given(leaf, "Values").map(|it| texts(it, "Values")).transpose()?;
    let options = given(leaf, "MatchOptions").map(|it| texts(it, "MatchOptions")).transpose()?;
    let options = options.unwrap_or_default();
    if options.len() > 1 {
        return Err(invalid("MatchOptions: only one value can be specified"));
    }
    if let Some(option) = options.iter().find(|it| !MATCH_OPTIONS.contains(&it.as_str())) {
        return Err(invalid(format!("MatchOptions: {option} is not an option")));
    }
    // Cost Explorer knows the absence of tags and categories, and no values go with it.
    let absent = options.iter().any(|it| it == "ABSENT");
    if absent && root == "Tags" && world.variants.budget_absent_refused {
        return Err(invalid("MatchOption ABSENT is not supported for this request"));
    }
    match values {
        Some(values) if !values.is_empty() => Ok(()),
        None if absent && root != "Dimensions" => Ok(()),
        _ => Err(invalid(format!("{root}: Values must have at least one member"))),
    }
}

/// A member account sees its own cost only, and is refused a filter by account.
fn refuse_accounts(is_member: bool, dimension: &str) -> Result<(), Refusal> {
    if is_member && dimension.starts_with("LINKED_ACCOUNT") {
        return Err(invalid("Member accounts can't use the LINKED_ACCOUNT filter"));
    }
    Ok(())
}

/// Writes `CostFilters` and the switches of `CostTypes` as an expression: every filter, any of its values.
fn expression_of(
    filters: &BTreeMap<String, Vec<String>>,
    types: &BTreeMap<String, bool>,
) -> Option<Value> {
    let mut parts = Vec::new();
    for (name, values) in filters {
        let root = match name.as_str() {
            "TagKeyValue" => "Tags",
            "CostCategory" => "CostCategories",
            _ => {
                let leaf = json!({ "Key": upper_snake(name), "Values": values });
                parts.push(json!({ "Dimensions": leaf }));
                continue;
            }
        };
        let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for value in values {
            let (key, value) = value.split_once('$').unwrap_or((value, ""));
            by_key.entry(key).or_default().push(value);
        }
        let leaf = |(key, values)| json!({ (root): { "Key": key, "Values": values } });
        parts.extend(by_key.into_iter().map(leaf));
    }
    let excluded: Vec<&str> = TYPES
        .iter()
        .filter(|(name, usual, _)| *usual && types.contains_key(*name))
        .flat_map(|(_, _, record_types)| record_types.iter().copied())
        .collect();
    if !excluded.is_empty() {
        let leaf = json!({ "Key": "RECORD_TYPE", "Values": excluded });
        parts.push(json!({ "Not": { "Dimensions": leaf } }));
    }
    if parts.len() > 1 { Some(json!({ "And": parts })) } else { parts.pop() }
}

/// Returns the name of a dimension for that of a filter: `UsageType` is `USAGE_TYPE`.
fn upper_snake(name: &str) -> String {
    let mut text = String::new();
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && after_small {
            text.push('_');
        }
        after_small = letter.is_lowercase();
        text.extend(letter.to_uppercase());
    }
    text
}

/// Rewrites a filter of Budgets as one of Cost Explorer.
///
/// Cost Explorer has no `user:` prefix. A key that lacks it names no tag of a user here: the budget
/// is accepted and shows nothing, so it becomes a key that nobody has.
fn without_prefixes(filter: &Value, lenient: bool) -> Value {
    match filter {
        Value::Object(members) => {
            let rewrite = |(name, value): (&String, &Value)| {
                let value = match (name.as_str(), value) {
                    ("Tags", Value::Object(leaf)) => Value::Object(bare_leaf(leaf, lenient)),
                    _ => without_prefixes(value, lenient),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(rewrite).collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|it| without_prefixes(it, lenient)).collect())
        }
        other => other.clone(),
    }
}

fn bare_leaf(leaf: &Map<String, Value>, lenient: bool) -> Map<String, Value> {
    let mut leaf = leaf.clone();
    if let Some(Value::String(key)) = leaf.get_mut("Key") {
        *key = match key.strip_prefix("user:") {
            Some(bare) => bare.to_owned(),
            None if lenient || key.starts_with("aws:") => key.clone(),
            None => format!("no prefix, no tag: {key}"),
        };
    }
    leaf
}
