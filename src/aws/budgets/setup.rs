//! Owns reading how a budget is set up from AWS's answers.
//!
//! **Invariant:** an amount or a threshold that has no exact number here is a reason not to plan the budget, and never rounded.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_budgets::types;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::arn::AccountId;
use crate::budget::{self, Subscriber, Threshold};
use crate::limit::{Adjustment, Cycle};
use crate::money::{self, Money};
use crate::setup::{Alarm, Alarms, Ceiling, Setup};

use super::expression;

/// The end that AWS gives a budget that has none: 15 June 2087 (Billing and Cost Management API Reference, `TimePeriod`).
pub(super) const END_OF_TIME: i64 = 3_706_473_600;

/// Reads all but the alarms; says why the budget cannot be planned.
pub(super) fn read(account: &AccountId, budget: &types::Budget) -> Result<Setup, String> {
    if budget.budget_type != types::BudgetType::Cost {
        return Err(format!("its type is {}, and plans know COST alone", budget.budget_type));
    }
    let time_unit = budget.time_unit.as_str();
    if Cycle::of_aws(time_unit).is_none() {
        return Err(format!("its time unit is {time_unit}, which does not begin anew"));
    }
    let end = budget.time_period.as_ref().and_then(|period| period.end);
    let ends_on = end.filter(|end| end.secs() != END_OF_TIME);
    let metrics: Vec<&str> = budget.metrics().iter().map(types::Metric::as_str).collect();
    if metrics.len() > 1 {
        return Err(format!("it has several metrics: {}", metrics.join(", ")));
    }
    Ok(Setup {
        time_unit: time_unit.to_owned(),
        ceiling: ceiling(budget)?,
        currency: currency(budget)?,
        metric: metrics.first().map(|it| (*it).to_owned()),
        filter: budget
            .filter_expression
            .as_ref()
            .map(|it| crate::expression::tidy(&expression::json(it))),
        switches: switches(budget),
        billing_view: billing_view(account, budget),
        ends_on: ends_on.map(|end| day(end.secs())).transpose()?,
        alarms: Alarms::new(),
    })
}

/// Returns the billing view, where it is not the account's own.
pub(super) fn billing_view(account: &AccountId, budget: &types::Budget) -> Option<String> {
    budget.billing_view_arn.clone().filter(|it| !budget::is_own_view(account, it))
}

/// Returns what may be spent; a plan, or what AWS adjusts, wins over the limit of the present run beside it.
fn ceiling(budget: &types::Budget) -> Result<Ceiling, String> {
    if let Some(adjusted) = &budget.auto_adjust_data {
        let options = adjusted.historical_options.as_ref();
        let count = options.and_then(|it| u32::try_from(it.budget_adjustment_period).ok());
        return match (&adjusted.auto_adjust_type, count) {
            (types::AutoAdjustType::Forecast, _) => Ok(Ceiling::Adjusted(Adjustment::Forecast)),
            (types::AutoAdjustType::Historical, Some(count)) => {
                Ok(Ceiling::Adjusted(Adjustment::Historical(count)))
            }
            (other, _) => Err(format!("its limit is adjusted by {other}, and not said how")),
        };
    }
    if let Some(planned) = budget.planned_budget_limits.as_ref().filter(|it| !it.is_empty()) {
        let planned = planned.iter().map(|(start, spend)| {
            let seconds = start.parse().map_err(|_| format!("no instant: `{start}`"))?;
            Ok((day(seconds)?, exact(&spend.amount)?))
        });
        return planned.collect::<Result<BTreeMap<Date, Money>, String>>().map(Ceiling::Planned);
    }
    match &budget.budget_limit {
        Some(limit) => exact(&limit.amount).map(Ceiling::Fixed),
        None => Ok(Ceiling::None),
    }
}

/// Returns the one currency of all amounts; that of what was spent counts only where there is no other.
fn currency(budget: &types::Budget) -> Result<String, String> {
    let planned = budget.planned_budget_limits.iter().flat_map(|it| it.values());
    let limits = planned.chain(&budget.budget_limit);
    let units: BTreeSet<&str> = limits.map(|spend| spend.unit.as_str()).collect();
    let spent = budget.calculated_spend.as_ref().and_then(|it| it.actual_spend.as_ref());
    let units: Vec<&str> = units.into_iter().collect();
    match units.as_slice() {
        [] => Ok(spent.map(|spend| spend.unit.clone()).unwrap_or_default()),
        [unit] => Ok((*unit).to_owned()),
        several => Err(format!("its amounts have several units: {}", several.join(", "))),
    }
}

/// Returns `CostFilters` and `CostTypes`; what AWS shows of them beside a metric or an expression says nothing more.
#[expect(deprecated, reason = "budgets made before 2025 have nothing else")]
fn switches(budget: &types::Budget) -> Option<Value> {
    let has_metric = !budget.metrics().is_empty();
    let mut switches = Map::new();
    let mut filters: BTreeMap<String, Vec<String>> =
        budget.cost_filters.clone().into_iter().flatten().collect();
    let is_replaced = has_metric && budget.filter_expression.is_some();
    if !filters.is_empty() && !is_replaced {
        for values in filters.values_mut() {
            values.sort();
        }
        switches.insert("CostFilters".to_owned(), json!(filters));
    }
    if let (Some(told), false) = (&budget.cost_types, has_metric) {
        let mut types = Map::new();
        for (name, switch) in [
            ("IncludeTax", told.include_tax),
            ("IncludeSubscription", told.include_subscription),
            ("UseBlended", told.use_blended),
            ("IncludeRefund", told.include_refund),
            ("IncludeCredit", told.include_credit),
            ("IncludeUpfront", told.include_upfront),
            ("IncludeRecurring", told.include_recurring),
            ("IncludeOtherSubscription", told.include_other_subscription),
            ("IncludeSupport", told.include_support),
            ("IncludeDiscount", told.include_discount),
            ("UseAmortized", told.use_amortized),
        ] {
            types.extend(switch.map(|switch| (name.to_owned(), json!(switch))));
        }
        switches.insert("CostTypes".to_owned(), Value::Object(types));
    }
    (!switches.is_empty()).then_some(Value::Object(switches))
}

/// Reads what identifies a notification.
pub(super) fn alarm(notification: &types::Notification) -> Result<Alarm, String> {
    // A double's shortest decimal is what somebody wrote, up to 15 digits.
    let number = exact(&notification.threshold.to_string())?;
    let threshold = match &notification.threshold_type {
        Some(types::ThresholdType::AbsoluteValue) => Threshold::Amount(number),
        None | Some(types::ThresholdType::Percentage) => {
            // Hundredths of a percent stand to percent as cents to dollars.
            let points = i64::try_from(number.cents()).ok();
            let points = points.filter(|it| Money::from_cents(i128::from(*it)) == number);
            Threshold::BasisPoints(points.ok_or_else(|| {
                format!("its threshold of {number} % is finer than hundredths of a percent")
            })?)
        }
        Some(other) => return Err(format!("it has a threshold of type {other}")),
    };
    Ok(Alarm {
        kind: notification.notification_type.as_str().to_owned(),
        operator: notification.comparison_operator.as_str().to_owned(),
        threshold,
    })
}

/// Reads whom a notification tells.
pub(super) fn subscriber(subscriber: types::Subscriber) -> Result<Subscriber, String> {
    match subscriber.subscription_type {
        types::SubscriptionType::Email => Ok(Subscriber::Email(subscriber.address)),
        types::SubscriptionType::Sns => Ok(Subscriber::Sns(subscriber.address)),
        other => Err(format!("it tells a subscriber of type {other}")),
    }
}

/// Reads an amount that has no more places than are kept here.
fn exact(text: &str) -> Result<Money, String> {
    let parsed = Money::parse_with_scale(text).map_err(|error| error.to_string())?;
    if parsed.scale > money::SCALE && text.contains('.') {
        let short = Money::parse_with_scale(text.trim_end_matches('0'));
        if short.is_ok_and(|short| short.scale <= money::SCALE) {
            return Ok(parsed.money);
        }
    }
    if parsed.scale > money::SCALE {
        return Err(format!("finer than {} decimal places: `{text}`", money::SCALE));
    }
    Ok(parsed.money)
}

/// Returns the day that begins with an instant.
fn day(seconds: i64) -> Result<Date, String> {
    let at = Timestamp::from_second(seconds).map_err(|_| format!("no instant: `{seconds}`"))?;
    let at = TimeZone::UTC.to_datetime(at);
    if at.time() != Time::midnight() {
        return Err(format!("its days do not begin at midnight UTC: {at}"));
    }
    Ok(at.date())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::list::{BUDGETS, NOTIFICATIONS};
    use super::super::{Found, setups};
    use super::*;
    use crate::aws::testing::{Answer, session};
    use crate::plan::State;

    /// A cost budget with members more or other than usual.
    pub(in crate::aws::budgets) fn budget(name: &str, more: &Value) -> Value {
        let mut budget = json!({"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "100.0", "Unit": "USD"}, "Metrics": ["NetAmortizedCost"],
            "TimePeriod": {"Start": 1_764_547_200, "End": 3_706_473_600_i64},
            "CalculatedSpend": {"ActualSpend": {"Amount": "3", "Unit": "USD"}},
            "LastUpdatedTime": 1_764_547_200});
        for (key, value) in more.as_object().unwrap() {
            match value {
                Value::Null => drop(budget.as_object_mut().unwrap().remove(key)),
                value => budget[key] = value.clone(),
            }
        }
        budget
    }

    /// Tells the fields of a setup in a line.
    pub(in crate::aws::budgets) fn told(setup: &Setup) -> String {
        let fields = setup.fields().into_iter().map(|(name, value)| format!("{name}: {value}"));
        fields.collect::<Vec<String>>().join("; ")
    }

    #[test]
    fn no_amount_is_rounded() {
        for (text, expected) in [
            ("100.0", Ok("100")),
            ("0.123456789012", Ok("0.123456789012")),
            ("0.1234567890120000", Ok("0.123456789012")),
            ("0.1234567890123", Err("finer than 12 decimal places: `0.1234567890123`")),
            ("many", Err("not a decimal amount: `many`")),
        ] {
            let read = exact(text).map(|money| money.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(day(END_OF_TIME).unwrap().to_string(), "2087-06-15");
        assert!(day(END_OF_TIME + 60).unwrap_err().contains("midnight"));
    }

    /// Reads the budgets of these members, each without notifications.
    async fn read_all(budgets: Vec<Value>) -> Found {
        let script = move |operation: &str, _: &str| match operation {
            BUDGETS => Answer::Body(200, json!({ "Budgets": budgets }).to_string()),
            NOTIFICATIONS => Answer::Body(200, "{}".to_owned()),
            _ => panic!("{operation}"),
        };
        let account = AccountId::parse("111122223333").unwrap();
        setups(&session(script).await, &account, "apportion/", 4).await.unwrap()
    }

    #[tokio::test]
    async fn each_way_to_limit_and_to_filter_is_read() {
        let spend = |amount: &str| json!({"Amount": amount, "Unit": "USD"});
        let adjusted = json!({"BudgetLimit": spend("80"), "AutoAdjustData": {
            "AutoAdjustType": "HISTORICAL", "LastAutoAdjustTime": 1_764_547_200,
            "HistoricalOptions": {"BudgetAdjustmentPeriod": 6, "LookBackAvailablePeriods": 2}}});
        let forecast =
            json!({"BudgetLimit": null, "AutoAdjustData": {"AutoAdjustType": "FORECAST"}});
        let planned = json!({"TimeUnit": "QUARTERLY", "PlannedBudgetLimits": {
            "1767225600": spend("20.25"), "1759276800": spend("10")}});
        let old = json!({"Metrics": null, "CostTypes": {"UseBlended": false, "IncludeTax": true},
            "CostFilters": {"TagKeyValue": ["user:team$b", "user:team$a"]}});
        let mixed = json!({"CostTypes": {"UseBlended": false},
            "TimePeriod": {"End": 1_767_225_600},
            "BillingViewArn": "arn:aws:billing::111122223333:billingview/custom-1",
            "FilterExpression": {"Or": [
                {"Tags": {"Key": "user:b", "Values": ["2", "1"]}},
                {"Tags": {"Key": "user:a", "Values": ["1"], "MatchOptions": ["EQUALS"]}}]}});
        let own = "arn:aws:billing::111122223333:billingview/primary";
        for (more, expected) in [
            (json!({"BillingViewArn": own}), "limit: 100 USD; metric: NetAmortizedCost"),
            (adjusted, "limit: by AWS, from 6 runs before; metric: NetAmortizedCost"),
            (forecast, "limit: by AWS, from its forecast; metric: NetAmortizedCost"),
            (
                planned,
                "limit 2025-10-01: 10 USD; limit 2026-01-01: 20.25 USD; metric: NetAmortizedCost",
            ),
            (
                old,
                r#"limit: 100 USD; filter of the older make: {"CostFilters":{"TagKeyValue":["user:team$a","user:team$b"]},"CostTypes":{"IncludeTax":true,"UseBlended":false}}"#,
            ),
            (
                mixed,
                "limit: 100 USD; metric: NetAmortizedCost; filter: user:a = 1 or user:b is one of 1, 2; \
                 billing view: arn:aws:billing::111122223333:billingview/custom-1; ends on: 2026-01-01",
            ),
        ] {
            let found = read_all(vec![budget("apportion/a", &more)]).await;
            let setup = &found.setups["apportion/a"];
            let period = format!("period: {}; ", setup.time_unit);
            assert_eq!(told(setup), format!("{period}{expected}"), "{more}");
            assert_eq!(setup.currency, "USD", "{more}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_planned_is_told_and_what_is_not_asked_for_is_counted() {
        let limit = |amount: &str| json!({"BudgetLimit": {"Amount": amount, "Unit": "USD"}});
        let euros = json!({"PlannedBudgetLimits": {"1767225600": {"Amount": "1", "Unit": "EUR"}}});
        let noon = json!({"PlannedBudgetLimits": {"1767268800": {"Amount": "1", "Unit": "USD"}}});
        let table = [
            ("a", json!({"BudgetType": "USAGE"}), "its type is USAGE, and plans know COST alone"),
            (
                "b",
                json!({"TimeUnit": "CUSTOM"}),
                "its time unit is CUSTOM, which does not begin anew",
            ),
            ("c", limit("many"), "not a decimal amount: `many`"),
            ("d", euros, "its amounts have several units: EUR, USD"),
            ("e", noon, "its days do not begin at midnight UTC: 2026-01-01T12:00:00"),
        ];
        let name = |letter: &str| format!("apportion/{letter}");
        let mut budgets: Vec<Value> =
            table.iter().map(|(letter, more, _)| budget(&name(letter), more)).collect();
        budgets.push(budget("another", &limit("many")));
        let found = read_all(budgets).await;
        assert_eq!((found.count, found.setups.len()), (6, 0));
        for (letter, _, why) in &table {
            assert_eq!(found.others[&name(letter)], *why);
        }
        assert_eq!(found.others.len(), table.len());
    }
}
