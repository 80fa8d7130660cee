//! Owns alerts: thresholds of budgets against actual and forecast spend of their present runs.
//!
//! **Invariant:** what cannot be judged is said to be unknown, never taken for "within the limit".

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::budget::{Budget, Notification, NotificationKind, Threshold};
use crate::charge::Charges;
use crate::common::Common;
use crate::limit::Cycle;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::{Month, Period};
use crate::snapshot::Snapshot;
use crate::watch::{Ground, Judged};

pub use crate::budget::Source;

/// One threshold of one budget in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The budget's name.
    pub budget: String,
    /// Where the budget is kept.
    pub source: Source,
    /// Whose spend it watches.
    pub scope: String,
    /// The same in words for people; empty where only AWS can tell.
    pub owner: String,
    /// The open month.
    pub month: Month,
    /// How long the budget runs; absent for one of AWS that does not begin anew.
    pub cycle: Option<Cycle>,
    /// The run that is judged.
    pub run: Option<Period>,
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
    /// Spend expected by the run's end.
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

/// Whether a threshold is crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Spend has passed it.
    Crossed,
    /// Spend is expected to pass it within the run.
    Forecast,
    /// Neither.
    Within,
    /// It cannot be judged.
    Unknown,
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

impl Alert {
    /// Returns the threshold as it was given; absent where it has no amount.
    pub fn level(&self) -> Option<Threshold> {
        match self.threshold_percent {
            Some(points) => i64::try_from(points).ok().map(Threshold::BasisPoints),
            None => self.threshold.map(Threshold::Amount),
        }
    }

    /// Returns the run's days; the open month where AWS alone knows when it began.
    pub fn days(&self) -> Period {
        self.run.unwrap_or_else(|| self.month.period())
    }

    /// Tells the run in words: `2026-11`, `2026-10 to 2026-12`, `2026-11-18`; `custom` where AWS alone knows it.
    pub fn span(&self) -> String {
        let Some(run) = self.run else { return "custom".to_owned() };
        let (first, last) = (Month::of(run.start), Month::of(run.last()));
        match self.cycle {
            Some(Cycle::Daily) => run.start.to_string(),
            _ if first == last => first.to_string(),
            _ => format!("{first} to {last}"),
        }
    }
}

/// Judges every threshold of every budget: those given, and those of AWS that are not their likes.
pub fn judge(
    snapshot: &Snapshot,
    charges: &Charges<'_>,
    local: &[Budget],
    common: &Common,
    metric: Metric,
) -> Vec<Alert> {
    let ground = Ground::new(snapshot, charges, local, common);
    // A budget of the configuration that AWS was told of is one budget, and alarms once.
    let ours: BTreeSet<String> = local.iter().map(|it| common.aws_name(&it.name)).collect();
    let foreign = snapshot.manifest.budgets.iter().filter(|it| !ours.contains(&it.name));
    let foreign = foreign.map(|budget| ground.of_aws(budget));
    let own = local.iter().flat_map(|budget| ground.of_configuration(budget, metric));
    foreign.chain(own).flat_map(|judged| rows(&judged, ground.month)).collect()
}

fn rows(judged: &Judged<'_>, month: Month) -> Vec<Alert> {
    let mut notifications = judged.notifications.clone();
    if notifications.is_empty() {
        notifications = [NotificationKind::Actual, NotificationKind::Forecast]
            .map(Notification::of_limit)
            .to_vec();
    }
    notifications.sort();
    let course = judged.course.as_ref();
    let expected = judged.forecast.map(|it| it.0);
    let rows = notifications.into_iter().map(|notification| {
        let threshold = notification.threshold.amount(judged.limit);
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
            owner: judged.owner.clone(),
            month,
            cycle: judged.cycle,
            run: judged.run,
            metric: judged.metric,
            limit: judged.limit,
            watches: notification.kind,
            threshold,
            threshold_percent: match notification.threshold {
                Threshold::BasisPoints(points) => Some(i128::from(points)),
                Threshold::Amount(_) => None,
            },
            actual: judged.actual,
            forecast: expected,
            forecast_source: judged.forecast.map_or("", |it| it.1),
            state,
            day,
            currency: judged.currency.to_owned(),
            remark: judged.remark.clone(),
        }
    });
    rows.filter(|alert| !judged.is_so_far || alert.state == State::Crossed).collect()
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
    fn a_run_is_told_in_words() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let alert = |cycle: Option<Cycle>| Alert {
            budget: String::new(),
            source: Source::Aws,
            scope: String::new(),
            owner: String::new(),
            month: Month::parse("2026-11").unwrap(),
            cycle,
            run: cycle.map(|cycle| cycle.run(day("2026-11-20"))),
            metric: None,
            limit: None,
            watches: NotificationKind::Actual,
            threshold: Some(money("8")),
            threshold_percent: None,
            actual: None,
            forecast: None,
            forecast_source: "",
            state: State::Unknown,
            day: None,
            currency: String::new(),
            remark: String::new(),
        };
        for (cycle, expected) in [
            (Some(Cycle::Daily), "2026-11-20"),
            (Some(Cycle::Monthly), "2026-11"),
            (Some(Cycle::Quarterly), "2026-10 to 2026-12"),
            (Some(Cycle::Annually), "2026-01 to 2026-12"),
            (None, "custom"),
        ] {
            assert_eq!(alert(cycle).span(), expected);
        }
        let mut alert = alert(None);
        assert_eq!(alert.level(), Some(Threshold::Amount(money("8"))));
        alert.threshold_percent = Some(8_050);
        assert_eq!(alert.level(), Some(Threshold::BasisPoints(8_050)));
        assert_eq!(alert.days().to_string(), "2026-11-01..2026-12-01");
    }
}
