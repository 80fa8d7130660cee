//! Owns the budgets that exist in an account: what AWS says of them here, how they are set up and changed in files of their own.
//!
//! **Invariant:** thresholds become exact numbers here, by their shortest decimal form.

mod expression;
mod find;
mod list;
mod setup;
mod take;
#[cfg(test)]
mod round_trip;

use std::collections::BTreeMap;

use aws_sdk_budgets::types;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::arn::AccountId;
use crate::budget::{AwsBudget, Notification, NotificationKind, Threshold};
use crate::metric::Metric;
use crate::money::Money;

use super::error::Error;
use super::session::Session;

pub use find::{Found, setup, setups};
pub use take::take;

const SERVICE: &str = "Budgets";

/// Describes the account's cost budgets; those of usage or coverage have no money in them and are left out.
pub async fn describe(session: &Session, account: &AccountId) -> Result<Vec<AwsBudget>, Error> {
    let client = session.budgets();
    let described = list::budgets(&client, account).await?;
    let mut notifications = list::notifications(&client, account, &described).await?;
    let mut budgets = described
        .into_iter()
        .filter(|budget| budget.budget_type == types::BudgetType::Cost)
        .map(|described| {
            let notifications = notifications.remove(&described.budget_name).unwrap_or_default();
            let name = described.budget_name.clone();
            budget(account, described, &notifications)
                .unwrap_or_else(|why| unreadable(account, name, why))
        })
        .collect::<Vec<_>>();
    budgets.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(budgets)
}

/// One budget that cannot be read takes none of the others along.
fn unreadable(account: &AccountId, name: String, why: String) -> AwsBudget {
    AwsBudget {
        account: account.clone(),
        name,
        time_unit: String::new(),
        limit: None,
        currency: String::new(),
        metric: None,
        metric_name: None,
        filter: None,
        billing_view: None,
        actual: None,
        forecast: None,
        notifications: Vec::new(),
        updated_at: None,
        unhealthy: None,
        unreadable: Some(why),
    }
}

fn budget(
    account: &AccountId,
    described: types::Budget,
    notifications: &[types::Notification],
) -> Result<AwsBudget, String> {
    let metric = metric(&described);
    let named = described.metrics.as_ref().and_then(|metrics| metrics.first());
    let metric_name = named.map(|it| it.as_str().to_owned());
    let filter = filter(&described);
    let billing_view = setup::billing_view(account, &described);
    let spend = described.calculated_spend;
    let (actual, forecast) = match spend {
        Some(spend) => (spend.actual_spend, spend.forecasted_spend),
        None => (None, None),
    };
    let units = [&described.budget_limit, &actual, &forecast];
    let currency = units.into_iter().flatten().map(|spend| spend.unit.clone()).next();
    let money = |spend: Option<types::Spend>| {
        spend
            .map(|spend| Money::parse(&spend.amount))
            .transpose()
            .map_err(|error| error.to_string())
    };
    let mut notifications = notifications
        .iter()
        .filter_map(|notification| notification_of(notification).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    notifications.sort();
    Ok(AwsBudget {
        account: account.clone(),
        name: described.budget_name,
        time_unit: described.time_unit.as_str().to_owned(),
        limit: money(described.budget_limit)?,
        currency: currency.unwrap_or_default(),
        metric,
        metric_name,
        filter,
        billing_view,
        actual: money(actual)?,
        forecast: money(forecast)?,
        notifications,
        updated_at: described.last_updated_time.and_then(|at| Timestamp::new(at.secs(), 0).ok()),
        unhealthy: described.health_status.and_then(unhealthy),
        unreadable: None,
    })
}

/// Returns why AWS calls a budget unhealthy; absent for a healthy one.
fn unhealthy(health: types::HealthStatus) -> Option<String> {
    let is_healthy = health.status.as_ref().is_none_or(|it| it.as_str() == "HEALTHY");
    let why = health.status_reason.map(|it| it.as_str().to_owned());
    (!is_healthy).then(|| why.unwrap_or_else(|| "UNHEALTHY".to_owned()))
}

/// Returns the metric: of the new pair of fields, or by the switches of the old one.
#[expect(deprecated, reason = "budgets made before 2025 have nothing else")]
fn metric(budget: &types::Budget) -> Option<Metric> {
    if let Some(metric) = budget.metrics.as_ref().and_then(|metrics| metrics.first()) {
        return Metric::parse(metric.as_str());
    }
    let cost_types = budget.cost_types.as_ref()?;
    let is_on = |switch: Option<bool>| switch.unwrap_or(false);
    match (is_on(cost_types.use_blended), is_on(cost_types.use_amortized)) {
        (true, _) => None,
        (false, true) => Some(Metric::AmortizedCost),
        (false, false) => Some(Metric::UnblendedCost),
    }
}

/// Returns the filter in AWS's JSON: `FilterExpression` itself, or `CostFilters` under its name.
#[expect(deprecated, reason = "budgets made before 2025 have nothing else")]
fn filter(budget: &types::Budget) -> Option<Value> {
    if let Some(expression) = &budget.filter_expression {
        return Some(expression::json(expression));
    }
    let filters: BTreeMap<_, _> = budget.cost_filters.iter().flatten().collect();
    (!filters.is_empty()).then(|| json!({ "CostFilters": filters }))
}

/// Reads a notification; one that watches for spend to stay below is no threshold and left out.
fn notification_of(notification: &types::Notification) -> Result<Option<Notification>, String> {
    let kind = match notification.notification_type {
        types::NotificationType::Actual => NotificationKind::Actual,
        types::NotificationType::Forecasted => NotificationKind::Forecast,
        _ => return Ok(None),
    };
    if notification.comparison_operator != types::ComparisonOperator::GreaterThan {
        return Ok(None);
    }
    let number =
        Money::parse(&notification.threshold.to_string()).map_err(|error| error.to_string())?;
    let threshold = match notification.threshold_type {
        Some(types::ThresholdType::AbsoluteValue) => Threshold::Amount(number),
        // Hundredths of a percent stand to percent as cents to dollars.
        _ => Threshold::BasisPoints(
            i64::try_from(number.cents()).map_err(|_| format!("threshold of {number} %"))?,
        ),
    };
    Ok(Some(Notification { kind, threshold }))
}

#[cfg(test)]
mod tests {
    use super::list::{BUDGETS, NOTIFICATIONS, NOTIFICATIONS_OF_ONE};
    use super::*;
    use crate::aws::testing::{Answer, session};

    fn answer(operation: &str, _: &str) -> Answer {
        let body = match operation {
            BUDGETS => json!({"Budgets": [
                {"BudgetName": "ana", "BudgetType": "COST", "TimeUnit": "MONTHLY",
                 "BudgetLimit": {"Amount": "100.50", "Unit": "USD"},
                 "CalculatedSpend": {"ActualSpend": {"Amount": "20.25", "Unit": "USD"}},
                 "Metrics": ["NetAmortizedCost"],
                 "BillingViewArn": "arn:aws:billing::111122223333:billingview/primary",
                 "FilterExpression": {"And": [
                    {"Tags": {"Key": "user:sagemaker:user-profile-arn", "Values": ["arn"]}},
                    {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit"]}}}]}},
                {"BudgetName": "old", "BudgetType": "COST", "TimeUnit": "QUARTERLY",
                 "BudgetLimit": {"Amount": "1", "Unit": "USD"},
                 "CostTypes": {"UseAmortized": true},
                 "BillingViewArn": "arn:aws:billing::111122223333:billingview/custom-x",
                 "CostFilters": {"TagKeyValue": ["user:team$a"]}},
                {"BudgetName": "hours", "BudgetType": "USAGE", "TimeUnit": "MONTHLY"}
            ]}),
            NOTIFICATIONS => json!({"BudgetNotificationsForAccount": [
                {"BudgetName": "ana", "Notifications": [
                    {"NotificationType": "FORECASTED", "ComparisonOperator": "GREATER_THAN",
                     "Threshold": 100, "ThresholdType": "PERCENTAGE"},
                    {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
                     "Threshold": 80.1},
                    {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
                     "Threshold": 0.1, "ThresholdType": "ABSOLUTE_VALUE"},
                    {"NotificationType": "ACTUAL", "ComparisonOperator": "LESS_THAN",
                     "Threshold": 5}]}
            ]}),
            _ => panic!("{operation}"),
        };
        Answer::Body(200, body.to_string())
    }

    #[tokio::test]
    async fn budgets_of_both_makes_are_read() {
        let account = AccountId::parse("111122223333").unwrap();
        let budgets = describe(&session(answer).await, &account).await.unwrap();
        let names: Vec<&str> = budgets.iter().map(|budget| budget.name.as_str()).collect();
        assert_eq!(names, ["ana", "old"]);
        let [ana, old] = &budgets[..] else { panic!("two of them") };
        assert_eq!(ana.limit, Some(Money::from_cents(10_050)));
        assert_eq!((ana.actual, ana.forecast), (Some(Money::from_cents(2_025)), None));
        assert_eq!(ana.metric, Some(Metric::NetAmortizedCost));
        assert_eq!(
            ana.filter.as_ref().unwrap().to_string(),
            r#"{"And":[{"Tags":{"Key":"user:sagemaker:user-profile-arn","Values":["arn"]}},{"Not":{"Dimensions":{"Key":"RECORD_TYPE","Values":["Credit"]}}}]}"#
        );
        let thresholds: Vec<_> =
            ana.notifications.iter().map(|it| (it.kind, it.threshold)).collect();
        assert_eq!(
            thresholds,
            [
                (NotificationKind::Actual, Threshold::BasisPoints(8_010)),
                (NotificationKind::Actual, Threshold::Amount(Money::from_cents(10))),
                (NotificationKind::Forecast, Threshold::BasisPoints(10_000)),
            ]
        );
        assert_eq!(ana.billing_view, None);
        let custom = "arn:aws:billing::111122223333:billingview/custom-x";
        assert_eq!(old.billing_view.as_deref(), Some(custom));
        assert_eq!(old.metric, Some(Metric::AmortizedCost));
        assert_eq!(
            old.filter.as_ref().unwrap().to_string(),
            r#"{"CostFilters":{"TagKeyValue":["user:team$a"]}}"#
        );
        assert!(old.notifications.is_empty());
    }

    #[tokio::test]
    async fn a_budget_that_cannot_be_read_takes_no_other_along() {
        let script = |operation: &str, _: &str| {
            let budget = |name: &str, amount: &str| {
                json!({"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY",
                       "BudgetLimit": {"Amount": amount, "Unit": "USD"}})
            };
            let body = match operation {
                BUDGETS => {
                    json!({"Budgets": [budget("a", "5"), budget("b", "many"), budget("c", "7")]})
                }
                _ => json!({"BudgetNotificationsForAccount": []}),
            };
            Answer::Body(200, body.to_string())
        };
        let account = AccountId::parse("111122223333").unwrap();
        let budgets = describe(&session(script).await, &account).await.unwrap();
        let limits: Vec<_> = budgets.iter().map(|it| (it.name.as_str(), it.limit)).collect();
        let whole = |dollars: i128| Some(Money::from_cents(dollars * 100));
        assert_eq!(limits, [("a", whole(5)), ("b", None), ("c", whole(7))]);
        assert_eq!(budgets[1].unreadable.as_deref(), Some("not a decimal amount: `many`"));
    }

    #[tokio::test]
    async fn notifications_are_read_one_by_one_where_they_must_be() {
        let script = |operation: &str, body: &str| match operation {
            NOTIFICATIONS => Answer::Body(500, "<html>no such operation</html>".to_owned()),
            NOTIFICATIONS_OF_ONE => {
                let threshold = if body.contains("ana") { 1 } else { 2 };
                let notification = json!({"NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN", "Threshold": threshold});
                Answer::Body(200, json!({"Notifications": [notification]}).to_string())
            }
            _ => answer(operation, body),
        };
        let account = AccountId::parse("111122223333").unwrap();
        let budgets = describe(&session(script).await, &account).await.unwrap();
        assert_eq!(budgets[0].notifications[0].threshold, Threshold::BasisPoints(100));
        assert_eq!(budgets[1].notifications[0].threshold, Threshold::BasisPoints(200));
    }
}
