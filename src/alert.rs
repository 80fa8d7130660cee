//! Owns alerts: thresholds of budgets against actual and forecast spend of the open month.
//!
//! The month's lines are the actual spend; days give the day of a crossing and the run rate, and nothing else.
//! **Invariant:** what cannot be judged is said to be unknown, never taken for "within the limit".

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::budget::{
    AwsBudget, Budget, Notification, NotificationKind, Scope, Threshold, keys_without_prefix,
};
use crate::course::{self, Course, DailySpend};
use crate::ledger::Ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::Month;
use crate::snapshot::{Forecast, Snapshot};

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
pub fn judge(snapshot: &Snapshot, ledger: &Ledger, local: &[Budget], metric: Metric) -> Vec<Alert> {
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
            .and_then(|forecast| by_cost_explorer(&course, forecast));
        let is_known = is_known(&budget.scope, snapshot, ledger);
        let remark = if !is_known {
            unknown_owner(&budget.scope)
        } else if !spend.is_cost_read(&budget.scope, month) {
            "Some of the month's cost could not be read, and it may be of this owner.".to_owned()
        } else if !course.is_read {
            "Some days could not be read, so there is no forecast by days.".to_owned()
        } else {
            String::new()
        };
        let forecast = cost_explorer
            .map(|it| (it, "cost_explorer"))
            .or(course.forecast.map(|it| (it, "days")));
        let judged = Judged {
            name: &budget.name,
            source: Source::Configuration,
            scope: budget.scope.clone(),
            metric: Some(metric),
            limit: budget.limit.on(budget.cycle, month.start()),
            actual: course.actual.filter(|_| is_known),
            forecast: forecast.filter(|_| is_known),
            notifications: budget.notifications.keys().copied().collect(),
            currency: &manifest.currency,
            remark,
        };
        alerts.extend(rows(&judged, Some(&course).filter(|_| is_known), month));
    }
    alerts
}

/// Tells whether an owner was listed, now or before, or bears any cost: a name that is mistyped spends nothing for ever.
fn is_known(scope: &Scope, snapshot: &Snapshot, ledger: &Ledger) -> bool {
    let inventory = &snapshot.inventory;
    let is_listed = match scope {
        Scope::All | Scope::Team(_) | Scope::Foreign(_) => true,
        Scope::Domain(id) => inventory.domains.iter().any(|it| it.key.id == *id),
        Scope::UserProfile(id, name) => {
            inventory.user_profiles.iter().any(|it| it.domain == *id && it.name == *name)
        }
        Scope::Space(id, name) => {
            inventory.spaces.iter().any(|it| it.domain == *id && it.name == *name)
        }
    };
    is_listed || ledger.bearers.iter().any(|bearer| course::holds(scope, bearer))
}

fn unknown_owner(scope: &Scope) -> String {
    match scope {
        Scope::Domain(id) => format!("There is no such domain as {id}."),
        Scope::UserProfile(id, _) => format!("There is no such user profile in {id}."),
        Scope::Space(id, _) => format!("There is no such space in {id}."),
        Scope::All | Scope::Team(_) | Scope::Foreign(_) => String::new(),
    }
}

/// The month by Cost Explorer's forecast: what was spent before its first day, and its mean from that day on.
///
/// The forecast begins with the present day as a whole, so what that day has come to by now is taken from the actual.
fn by_cost_explorer(course: &Course, forecast: &Forecast) -> Option<Money> {
    let actual = course.actual?;
    let before = actual - course.since(forecast.period.start)?;
    Some((before + forecast.mean).max(actual))
}

fn of_aws(budget: &AwsBudget) -> Judged<'_> {
    let lacking = budget.filter.as_ref().map(keys_without_prefix).unwrap_or_default();
    let mut remark = String::new();
    if let Some(why) = &budget.unreadable {
        remark = format!("It could not be read: {why}.");
    } else if !lacking.is_empty() {
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
            let threshold = notification.threshold.amount(judged.limit);
            let expected = forecast.map(|it| it.0);
            let state = state(notification.kind, judged.actual, expected, threshold);
            let day = course.zip(threshold).and_then(|(course, threshold)| match state {
                State::Crossed => course.crossed(threshold),
                State::Forecast => course.will_cross(threshold),
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

fn state(
    watches: NotificationKind,
    actual: Option<Money>,
    forecast: Option<Money>,
    threshold: Option<Money>,
) -> State {
    let passes = |money: Option<Money>| money.zip(threshold).map(|(money, at)| money > at);
    let is_watched_known = match watches {
        NotificationKind::Actual => actual.is_some(),
        NotificationKind::Forecast => forecast.is_some(),
    };
    match (passes(actual), passes(forecast)) {
        (Some(true), _) => State::Crossed,
        (_, Some(true)) => State::Forecast,
        (None, None) => State::Unknown,
        _ if is_watched_known => State::Within,
        _ => State::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::Period;
    use std::collections::BTreeMap;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn what_cannot_be_judged_is_unknown() {
        let both = [NotificationKind::Actual, NotificationKind::Forecast];
        let table = [
            (Some("11"), Some("20"), Some("10"), [State::Crossed; 2]),
            (Some("11"), None, Some("10"), [State::Crossed; 2]),
            (Some("9"), Some("20"), Some("10"), [State::Forecast; 2]),
            (Some("9"), Some("10"), Some("10"), [State::Within; 2]),
            (Some("9"), None, Some("10"), [State::Within, State::Unknown]),
            (None, Some("9"), Some("10"), [State::Unknown, State::Within]),
            (None, None, Some("10"), [State::Unknown; 2]),
            (None, Some("20"), Some("10"), [State::Forecast; 2]),
            (Some("9"), Some("20"), None, [State::Unknown; 2]),
        ];
        for (actual, forecast, threshold, expected) in table {
            let state =
                |kind| state(kind, actual.map(money), forecast.map(money), threshold.map(money));
            assert_eq!(both.map(state), expected, "{actual:?} {forecast:?} {threshold:?}");
        }
    }

    #[test]
    fn the_present_day_is_in_the_forecast_of_cost_explorer_and_counts_once() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let mut course = Course {
            days: BTreeMap::from([
                (day("2026-11-19"), money("7")),
                (day("2026-11-20"), money("3")),
            ]),
            expected: BTreeMap::new(),
            is_read: true,
            actual: Some(money("100")),
            forecast: None,
            today: day("2026-11-20"),
        };
        let period = Period { start: day("2026-11-20"), end: day("2026-12-01") };
        let of = |course: &Course, mean| {
            let metric = Metric::UnblendedCost;
            by_cost_explorer(course, &Forecast { period, metric, mean: money(mean) })
        };
        assert_eq!(of(&course, "50"), Some(money("147")));
        assert_eq!(of(&course, "1"), Some(money("100")), "never below what was spent");
        course.is_read = false;
        assert_eq!(of(&course, "50"), None);
    }
}
