//! Owns taking steps: each is the one call of AWS Budgets that it names.
//!
//! **Invariant:** what is sent reads back as what was meant, or it is not sent.

use std::collections::BTreeSet;

use aws_sdk_budgets::primitives::DateTime;
use aws_sdk_budgets::types;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::arn::AccountId;
use crate::aws::error::{Error, Kind};
use crate::aws::session::Session;
use crate::budget::{Subscriber, Threshold};
use crate::limit::Adjustment;
use crate::money::Money;
use crate::setup::{Alarm, Ceiling, Setup};
use crate::step::Step;

use super::{SERVICE, expression, setup as read};

/// Sends a request about a budget of an account, and keeps nothing of the answer.
macro_rules! send {
    ($operation:literal, $request:expr, $account:expr) => {
        match $request.account_id($account.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::of(SERVICE, $operation, &error)),
        }
    };
}

/// Takes one step with the budget of a name.
pub async fn take(
    session: &Session,
    account: &AccountId,
    name: &str,
    step: &Step,
) -> Result<(), Error> {
    let client = session.budgets();
    match step {
        Step::CreateBudget(setup) => {
            let request = client.create_budget().budget(budget(name, setup));
            let request = request.set_notifications_with_subscribers(alarms(setup)?);
            send!("CreateBudget", request, account)
        }
        Step::UpdateBudget(setup) => {
            let request = client.update_budget().new_budget(budget(name, setup));
            send!("UpdateBudget", request, account)
        }
        Step::DeleteBudget => {
            send!("DeleteBudget", client.delete_budget().budget_name(name), account)
        }
        Step::CreateAlarm(alarm, whom) => {
            let request = client.create_notification().budget_name(name);
            let request = request.notification(notification(alarm)?);
            let request = request.set_subscribers(Some(subscribers(whom)));
            send!("CreateNotification", request, account)
        }
        Step::UpdateAlarm(old, new) => {
            let request = client.update_notification().budget_name(name);
            let request = request.old_notification(notification(old)?);
            let request = request.new_notification(notification(new)?);
            send!("UpdateNotification", request, account)
        }
        Step::DeleteAlarm(alarm) => {
            let request = client.delete_notification().budget_name(name);
            send!("DeleteNotification", request.notification(notification(alarm)?), account)
        }
        Step::CreateSubscriber(alarm, new) => {
            let request = client.create_subscriber().budget_name(name);
            let request = request.notification(notification(alarm)?).subscriber(subscriber(new));
            send!("CreateSubscriber", request, account)
        }
        Step::UpdateSubscriber(alarm, old, new) => {
            let request = client.update_subscriber().budget_name(name);
            let request = request.notification(notification(alarm)?);
            let request = request.old_subscriber(subscriber(old)).new_subscriber(subscriber(new));
            send!("UpdateSubscriber", request, account)
        }
        Step::DeleteSubscriber(alarm, old) => {
            let request = client.delete_subscriber().budget_name(name);
            let request = request.notification(notification(alarm)?).subscriber(subscriber(old));
            send!("DeleteSubscriber", request, account)
        }
    }
}

fn budget(name: &str, setup: &Setup) -> types::Budget {
    assert!(setup.switches.is_none(), "a budget of the older make is never written");
    let spend = |money: &Money| {
        let spend = types::Spend::builder().amount(money.to_string()).unit(&setup.currency);
        spend.build().expect("an amount has a unit")
    };
    let end = setup.ends_on.map(|day| DateTime::from_secs(seconds(day)));
    let metric = setup.metric.as_deref().map(types::Metric::from);
    let mut budget = types::Budget::builder()
        .budget_name(name)
        .budget_type(types::BudgetType::Cost)
        .time_unit(types::TimeUnit::from(setup.time_unit.as_str()))
        .set_metrics(metric.map(|metric| vec![metric]))
        .set_filter_expression(setup.filter.as_ref().map(expression::of_json))
        .set_billing_view_arn(setup.billing_view.clone())
        .set_time_period(end.map(|end| types::TimePeriod::builder().end(end).build()));
    match &setup.ceiling {
        Ceiling::Fixed(money) => budget = budget.budget_limit(spend(money)),
        Ceiling::Planned(amounts) => {
            for (start, money) in amounts {
                budget = budget.planned_budget_limits(seconds(*start).to_string(), spend(money));
            }
        }
        Ceiling::Adjusted(adjustment) => budget = budget.auto_adjust_data(adjusted(*adjustment)),
        Ceiling::None => {}
    }
    budget.build().expect("a budget has a name, a type and a time unit")
}

fn adjusted(adjustment: Adjustment) -> types::AutoAdjustData {
    let adjusted = types::AutoAdjustData::builder();
    let adjusted = match adjustment {
        Adjustment::Forecast => adjusted.auto_adjust_type(types::AutoAdjustType::Forecast),
        Adjustment::Historical(count) => {
            let count = i32::try_from(count).expect("AWS counts up to 60 runs");
            let options = types::HistoricalOptions::builder().budget_adjustment_period(count);
            adjusted
                .auto_adjust_type(types::AutoAdjustType::Historical)
                .historical_options(options.build().expect("the runs are counted"))
        }
    };
    adjusted.build().expect("it is said how a limit is adjusted")
}

/// Returns the first second of a day, as AWS counts them.
fn seconds(day: Date) -> i64 {
    let start = day.to_zoned(TimeZone::UTC).expect("a day of a budget is within time");
    start.timestamp().as_second()
}

/// Returns the alarms with their subscribers; none at all are no list.
fn alarms(setup: &Setup) -> Result<Option<Vec<types::NotificationWithSubscribers>>, Error> {
    if setup.alarms.is_empty() {
        return Ok(None);
    }
    let alarms = setup.alarms.iter().map(|(alarm, whom)| {
        let built = types::NotificationWithSubscribers::builder()
            .notification(notification(alarm)?)
            .set_subscribers(Some(subscribers(whom)));
        Ok(built.build().expect("a notification has a list of subscribers"))
    });
    alarms.collect::<Result<Vec<_>, Error>>().map(Some)
}

/// Returns a notification; the API has a double for its threshold, and one that is not exact there is not sent.
fn notification(alarm: &Alarm) -> Result<types::Notification, Error> {
    let (number, kind) = match alarm.threshold {
        // Hundredths of a percent stand to percent as cents to dollars.
        Threshold::BasisPoints(points) => {
            (Money::from_cents(i128::from(points)), types::ThresholdType::Percentage)
        }
        Threshold::Amount(money) => (money, types::ThresholdType::AbsoluteValue),
    };
    let notification = types::Notification::builder()
        .notification_type(types::NotificationType::from(alarm.kind.as_str()))
        .comparison_operator(types::ComparisonOperator::from(alarm.operator.as_str()))
        .threshold(number.to_string().parse().expect("a decimal text is a number"))
        .threshold_type(kind)
        .build()
        .expect("a notification has a type, an operator and a threshold");
    if read::alarm(&notification).as_ref() == Ok(alarm) {
        return Ok(notification);
    }
    let text = format!("the threshold {} has more digits than AWS keeps", alarm.threshold);
    Err(Error::new(SERVICE, "Notification", Kind::Other, "NotExact", text))
}

fn subscribers(whom: &BTreeSet<Subscriber>) -> Vec<types::Subscriber> {
    whom.iter().map(subscriber).collect()
}

fn subscriber(subscriber: &Subscriber) -> types::Subscriber {
    types::Subscriber::builder()
        .subscription_type(types::SubscriptionType::from(subscriber.aws_kind()))
        .address(subscriber.address())
        .build()
        .expect("a subscriber has a type and an address")
}

#[cfg(test)]
mod tests {
    use super::super::round_trip::plain;
    use super::*;
    use crate::aws::testing::{Answer, sequence};
    use serde_json::{Value, json};

    fn account() -> AccountId {
        AccountId::parse("111122223333").unwrap()
    }

    fn alarm(threshold: Threshold) -> Alarm {
        let (kind, operator) = ("ACTUAL".to_owned(), "GREATER_THAN".to_owned());
        Alarm { kind, operator, threshold }
    }

    fn email(address: &str) -> Subscriber {
        Subscriber::Email(address.to_owned())
    }

    /// Takes a step and returns the body that was sent, in the order of its keys.
    async fn sent(step: &Step) -> String {
        let (session, bodies) = sequence(vec![Answer::Body(200, "{}".to_owned())]).await;
        take(&session, &account(), "b", step).await.unwrap();
        let body: Value = serde_json::from_str(&bodies.lock().unwrap()[0]).unwrap();
        body.to_string()
    }

    #[tokio::test]
    async fn each_step_is_one_request() {
        let (at_80, at_5) =
            (Threshold::BasisPoints(8_050), Threshold::Amount(Money::from_cents(500)));
        let sns = Subscriber::Sns("arn:t".to_owned());
        let mut full = plain(Ceiling::Fixed(Money::parse("100.25").unwrap()));
        full.filter = Some(json!({"Tags": {"Key": "user:team", "Values": ["a"]}}));
        full.billing_view = Some("arn:view".to_owned());
        full.ends_on = Some("2026-01-01".parse().unwrap());
        full.alarms.insert(alarm(at_80), BTreeSet::from([email("a@x.y"), sns.clone()]));
        let planned = [("2026-01-01", 100), ("2026-02-01", 2_050)];
        let planned = planned.map(|(day, cents)| (day.parse().unwrap(), Money::from_cents(cents)));
        let planned = plain(Ceiling::Planned(planned.into()));
        let historical = plain(Ceiling::Adjusted(Adjustment::Historical(6)));
        let forecast = plain(Ceiling::Adjusted(Adjustment::Forecast));
        for (step, expected) in [
            (
                Step::CreateBudget(full),
                r#"{"AccountId":"111122223333","Budget":{"BillingViewArn":"arn:view","BudgetLimit":{"Amount":"100.25","Unit":"USD"},"BudgetName":"b","BudgetType":"COST","FilterExpression":{"Tags":{"Key":"user:team","Values":["a"]}},"Metrics":["NetAmortizedCost"],"TimePeriod":{"End":1767225600},"TimeUnit":"MONTHLY"},"NotificationsWithSubscribers":[{"Notification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":80.5,"ThresholdType":"PERCENTAGE"},"Subscribers":[{"Address":"a@x.y","SubscriptionType":"EMAIL"},{"Address":"arn:t","SubscriptionType":"SNS"}]}]}"#,
            ),
            (
                Step::UpdateBudget(planned),
                r#"{"AccountId":"111122223333","NewBudget":{"BudgetName":"b","BudgetType":"COST","Metrics":["NetAmortizedCost"],"PlannedBudgetLimits":{"1767225600":{"Amount":"1","Unit":"USD"},"1769904000":{"Amount":"20.5","Unit":"USD"}},"TimeUnit":"MONTHLY"}}"#,
            ),
            (
                Step::UpdateBudget(historical),
                r#"{"AccountId":"111122223333","NewBudget":{"AutoAdjustData":{"AutoAdjustType":"HISTORICAL","HistoricalOptions":{"BudgetAdjustmentPeriod":6}},"BudgetName":"b","BudgetType":"COST","Metrics":["NetAmortizedCost"],"TimeUnit":"MONTHLY"}}"#,
            ),
            (
                Step::CreateBudget(forecast),
                r#"{"AccountId":"111122223333","Budget":{"AutoAdjustData":{"AutoAdjustType":"FORECAST"},"BudgetName":"b","BudgetType":"COST","Metrics":["NetAmortizedCost"],"TimeUnit":"MONTHLY"}}"#,
            ),
            (Step::DeleteBudget, r#"{"AccountId":"111122223333","BudgetName":"b"}"#),
            (
                Step::CreateAlarm(alarm(at_5), BTreeSet::from([sns.clone()])),
                r#"{"AccountId":"111122223333","BudgetName":"b","Notification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":5.0,"ThresholdType":"ABSOLUTE_VALUE"},"Subscribers":[{"Address":"arn:t","SubscriptionType":"SNS"}]}"#,
            ),
            (
                Step::UpdateAlarm(alarm(at_80), alarm(at_5)),
                r#"{"AccountId":"111122223333","BudgetName":"b","NewNotification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":5.0,"ThresholdType":"ABSOLUTE_VALUE"},"OldNotification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":80.5,"ThresholdType":"PERCENTAGE"}}"#,
            ),
            (
                Step::DeleteAlarm(alarm(at_80)),
                r#"{"AccountId":"111122223333","BudgetName":"b","Notification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":80.5,"ThresholdType":"PERCENTAGE"}}"#,
            ),
            (
                Step::CreateSubscriber(alarm(at_80), email("a@x.y")),
                r#"{"AccountId":"111122223333","BudgetName":"b","Notification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":80.5,"ThresholdType":"PERCENTAGE"},"Subscriber":{"Address":"a@x.y","SubscriptionType":"EMAIL"}}"#,
            ),
            (
                Step::UpdateSubscriber(alarm(at_80), email("a@x.y"), email("b@x.y")),
                r#"{"AccountId":"111122223333","BudgetName":"b","NewSubscriber":{"Address":"b@x.y","SubscriptionType":"EMAIL"},"Notification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":80.5,"ThresholdType":"PERCENTAGE"},"OldSubscriber":{"Address":"a@x.y","SubscriptionType":"EMAIL"}}"#,
            ),
            (
                Step::DeleteSubscriber(alarm(at_80), sns),
                r#"{"AccountId":"111122223333","BudgetName":"b","Notification":{"ComparisonOperator":"GREATER_THAN","NotificationType":"ACTUAL","Threshold":80.5,"ThresholdType":"PERCENTAGE"},"Subscriber":{"Address":"arn:t","SubscriptionType":"SNS"}}"#,
            ),
        ] {
            assert_eq!(sent(&step).await, expected, "{step}");
        }
    }

    #[tokio::test]
    async fn what_aws_says_no_with_is_told_by_its_code() {
        for code in
            ["DuplicateRecordException", "NotFoundException", "CreationLimitExceededException"]
        {
            let body = json!({ "__type": code, "Message": "so it is" }).to_string();
            let (session, _) = sequence(vec![Answer::Body(400, body)]).await;
            let error = take(&session, &account(), "b", &Step::DeleteBudget).await.unwrap_err();
            let told = (error.code.as_str(), error.message.as_str(), error.operation);
            assert_eq!(told, (code, "so it is", "DeleteBudget"));
        }
    }

    #[tokio::test]
    async fn a_threshold_that_no_double_holds_is_not_sent() {
        let (session, bodies) = sequence(Vec::new()).await;
        let money = Money::parse("123456789.123456789012").unwrap();
        let step = Step::DeleteAlarm(alarm(Threshold::Amount(money)));
        let error = take(&session, &account(), "b", &step).await.unwrap_err();
        assert_eq!(error.code, "NotExact");
        assert!(bodies.lock().unwrap().is_empty());
    }
}
