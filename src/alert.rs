//! Owns alerts: thresholds of budgets against actual and forecast spend of the open month.
//!
//! The month's lines are the actual spend; days give the day of a crossing and the run rate, and nothing else.
//! **Invariant:** what cannot be judged is said to be unknown, never taken for "within the limit".

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::budget::{
    AwsBudget, LocalBudget, Notification, NotificationKind, Scope, Threshold, keys_without_prefix,
};
use crate::course::{Course, DailySpend, crossing};
use crate::ledger::Ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::Month;
use crate::snapshot::Snapshot;

/// One threshold of one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The budget's name.
    pub budget: String,
    /// Where the budget is kept.
    pub source: Source,
    /// Whose spend it watches.
    pub scope: String,
    /// The open month.
    pub month: Month,
    /// The metric.
    pub metric: Option<Metric>,
    /// The limit.
    pub limit: Option<Money>,
    /// Whether actual or forecast spend is watched.
    pub watches: NotificationKind,
    /// The amount at which the threshold lies.
    pub threshold: Option<Money>,
    /// The same in hundredths of a percent of the limit, where it was given so.
    pub threshold_percent: Option<i128>,
    /// Spend so far.
    pub actual: Option<Money>,
    /// Spend expected by the month's end.
    pub forecast: Option<Money>,
    /// Who made the forecast.
    pub forecast_source: &'static str,
    /// Whether it is crossed.
    pub state: State,
    /// The day it was or will be crossed.
    pub day: Option<Date>,
    /// The currency of the amounts.
    pub currency: String,
    /// What else the reader must know.
    pub remark: String,
}

/// Where a budget is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// AWS Budgets.
    Aws,
    /// The configuration.
    Configuration,
}

/// Whether a threshold is crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Spend has passed it.
    Crossed,
    /// Spend is expected to pass it within the month.
    Forecast,
    /// Neither.
    Within,
    /// It cannot be judged.
    Unknown,
}

impl Source {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Source::Aws => "aws",
            Source::Configuration => "configuration",
        }
    }
}

impl State {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            State::Crossed => "crossed",
            State::Forecast => "forecast",
            State::Within => "within",
            State::Unknown => "unknown",
        }
    }
}

impl NotificationKind {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            NotificationKind::Actual => "actual",
            NotificationKind::Forecast => "forecast",
        }
    }
}

/// What is judged: a budget of either source.
struct Judged<'a> {
    name: &'a str,
    source: Source,
    scope: Scope,
    metric: Option<Metric>,
    limit: Option<Money>,
    actual: Option<Money>,
    forecast: Option<(Money, &'static str)>,
    notifications: Vec<Notification>,
    currency: &'a str,
    remark: String,
}

/// Judges every threshold of every budget for the open month.
pub fn judge(
    snapshot: &Snapshot,
    ledger: &Ledger,
    local: &[LocalBudget],
    metric: Metric,
) -> Vec<Alert> {
    let manifest = &snapshot.manifest;
    let month = Month::of(TimeZone::UTC.to_datetime(manifest.taken_at).date());
    let spend = DailySpend::new(snapshot);
    let mut alerts = Vec::new();
    for budget in &manifest.budgets {
        let judged = of_aws(budget);
        let course = match (&judged.scope, judged.metric) {
            (Scope::Foreign(_), _) | (_, None) => None,
            (scope, Some(metric)) => Some(spend.course(ledger, scope, metric, month)),
        };
        alerts.extend(rows(&judged, course.as_ref(), month));
    }
    for budget in local {
        let course = spend.course(ledger, &budget.scope, metric, month);
        let cost_explorer = manifest
            .forecasts
            .iter()
            .find(|forecast| budget.scope == Scope::All && forecast.metric == metric)
            .zip(course.actual)
            .map(|(forecast, actual)| (forecast.mean + actual, "cost_explorer"));
        let judged = Judged {
            name: &budget.name,
            source: Source::Configuration,
            scope: budget.scope.clone(),
            metric: Some(metric),
            limit: Some(budget.limit),
            actual: course.actual,
            forecast: cost_explorer.or(course.forecast.map(|forecast| (forecast, "days"))),
            notifications: budget.notifications.clone(),
            currency: &manifest.currency,
            remark: String::new(),
        };
        alerts.extend(rows(&judged, Some(&course), month));
    }
    alerts
}

fn of_aws(budget: &AwsBudget) -> Judged<'_> {
    let lacking = budget.filter.as_ref().map(keys_without_prefix).unwrap_or_default();
    let mut remark = String::new();
    if !lacking.is_empty() {
        remark = format!(
            "Its filter names {} without `user:`, so AWS counts nothing for it.",
            lacking.join(", ")
        );
    } else if budget.time_unit != "MONTHLY" {
        remark =
            format!("Its period is {}, so only AWS's own figures are shown.", budget.time_unit);
    }
    let is_judged = remark.is_empty();
    Judged {
        name: &budget.name,
        source: Source::Aws,
        scope: if is_judged {
            Scope::of_filter(budget.filter.as_ref())
        } else {
            Scope::Foreign(budget.filter.as_ref().map(ToString::to_string).unwrap_or_default())
        },
        metric: budget.metric,
        limit: budget.limit,
        // A budget that watches nothing shows zero; that is no spend to judge by.
        actual: budget.actual.filter(|_| lacking.is_empty()),
        forecast: budget.forecast.filter(|_| lacking.is_empty()).map(|it| (it, "aws_budgets")),
        notifications: budget.notifications.clone(),
        currency: &budget.currency,
        remark,
    }
}

fn rows(judged: &Judged<'_>, course: Option<&Course>, month: Month) -> Vec<Alert> {
    let mut notifications = judged.notifications.clone();
    if notifications.is_empty() {
        notifications = [NotificationKind::Actual, NotificationKind::Forecast]
            .map(|kind| Notification { kind, threshold: Threshold::BasisPoints(10_000) })
            .to_vec();
    }
    notifications.sort();
    let forecast = judged
        .forecast
        .or_else(|| course.and_then(|course| course.forecast).map(|it| (it, "days")));
    notifications
        .into_iter()
        .map(|notification| {
            let threshold = match (notification.threshold, judged.limit) {
                (Threshold::Amount(money), _) => Some(money),
                (points, Some(limit)) => Some(points.amount(limit)),
                (Threshold::BasisPoints(_), None) => None,
            };
            let state = state(judged.actual, forecast.map(|it| it.0), threshold);
            let day = course.zip(threshold).and_then(|(course, threshold)| match state {
                State::Crossed => crossing(&course.days, threshold),
                State::Forecast => {
                    let mut days = course.days.clone();
                    days.extend(&course.projected);
                    crossing(&days, threshold)
                }
                State::Within | State::Unknown => None,
            });
            Alert {
                budget: judged.name.to_owned(),
                source: judged.source,
                scope: judged.scope.to_string(),
                month,
                metric: judged.metric,
                limit: judged.limit,
                watches: notification.kind,
                threshold,
                threshold_percent: match notification.threshold {
                    Threshold::BasisPoints(points) => Some(i128::from(points)),
                    Threshold::Amount(_) => None,
                },
                actual: judged.actual,
                forecast: forecast.map(|it| it.0),
                forecast_source: forecast.map_or("", |it| it.1),
                state,
                day,
                currency: judged.currency.to_owned(),
                remark: judged.remark.clone(),
            }
        })
        .collect()
}

fn state(actual: Option<Money>, forecast: Option<Money>, threshold: Option<Money>) -> State {
    let passes = |money: Option<Money>| money.zip(threshold).map(|(money, at)| money > at);
    match (passes(actual), passes(forecast)) {
        (Some(true), _) => State::Crossed,
        (_, Some(true)) => State::Forecast,
        (Some(false), _) => State::Within,
        (None, _) => State::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn what_cannot_be_judged_is_unknown() {
        let table = [
            (Some("11"), Some("20"), Some("10"), State::Crossed),
            (Some("9"), Some("20"), Some("10"), State::Forecast),
            (Some("9"), Some("10"), Some("10"), State::Within),
            (Some("9"), None, Some("10"), State::Within),
            (None, None, Some("10"), State::Unknown),
            (None, Some("20"), Some("10"), State::Forecast),
            (Some("9"), Some("20"), None, State::Unknown),
        ];
        for (actual, forecast, threshold, expected) in table {
            let state = state(actual.map(money), forecast.map(money), threshold.map(money));
            assert_eq!(state, expected, "{actual:?} {forecast:?} {threshold:?}");
        }
    }
}
