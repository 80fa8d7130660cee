//! Owns what a budget watches in its present run: whose spend, so far and expected, up to which limit.
//!
//! **Invariant:** what cannot be judged is absent and has a remark; it is never taken for zero.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::arn::DomainKey;
use crate::budget::{
    AwsBudget, Budget, Notification, NotificationKind, Scope, Source, keys_without_prefix,
};
use crate::charge::Charges;
use crate::common::Common;
use crate::course::{self, Calendar, Course};
use crate::limit::{Cycle, Limit};
use crate::metric::Metric;
use crate::money::Money;
use crate::period::{Month, Period};
use crate::snapshot::{Forecast, Manifest, Snapshot};
use crate::tally::{Tally, Watch};
use crate::whose;

/// What is judged: a budget of either source, in one run.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The budget's name.
    pub name: &'a str,
    /// Where it is kept.
    pub source: Source,
    /// Whose spend it watches.
    pub scope: Scope,
    /// The same in words for people.
    pub owner: String,
    /// How long it runs; absent for a budget of AWS that does not begin anew.
    pub cycle: Option<Cycle>,
    /// The run that is judged.
    pub run: Option<Period>,
    /// The metric.
    pub metric: Option<Metric>,
    /// The limit.
    pub limit: Option<Money>,
    /// Spend so far.
    pub actual: Option<Money>,
    /// Spend expected by the run's end, and who says so.
    pub forecast: Option<(Money, &'static str)>,
    /// The days.
    pub course: Option<Course>,
    /// The thresholds.
    pub notifications: Vec<Notification>,
    /// The currency of its amounts.
    pub currency: &'a str,
    /// What else the reader must know.
    pub remark: String,
    /// Whether only what is crossed is told: of a day of which more is to come, and of a run that is over.
    pub is_so_far: bool,
}

/// What budgets are judged by.
pub struct Ground<'a> {
    snapshot: &'a Snapshot,
    charges: &'a Charges<'a>,
    common: &'a Common,
    tally: Tally<'a>,
    calendar: Calendar<'a>,
    /// The domains that bill or inventory know: an ARN of another account or region is nobody's.
    domains: BTreeSet<DomainKey>,
    /// The open month.
    pub month: Month,
}

impl<'a> Ground<'a> {
    /// Walks a snapshot once for all of its budgets and those given.
    pub fn new(
        snapshot: &'a Snapshot,
        charges: &'a Charges<'a>,
        local: &[Budget],
        common: &'a Common,
    ) -> Ground<'a> {
        let manifest = &snapshot.manifest;
        let today = TimeZone::UTC.to_datetime(manifest.taken_at).date();
        let month = Month::of(today);
        let firsts = local.iter().map(|budget| {
            let run = ended(budget.cycle, manifest, today);
            Month::of(run.unwrap_or_else(|| budget.cycle.run(today)).start)
        });
        let first = firsts.min().map_or(month, |first| first.min(month));
        let with_teams = local.iter().any(|budget| matches!(budget.scope, Scope::Team(_)));
        let tally = Tally::new(snapshot, charges, first, with_teams);
        let calendar = Calendar {
            asked: manifest.days,
            missing: &manifest.missing,
            first_known: tally.first_known,
            last_complete: course::last_complete(manifest.taken_at),
            today,
        };
        let billed = charges.ledger.bearers.iter().filter_map(|it| it.owner.domain());
        let listed = snapshot.inventory.domains.iter().map(|it| &it.key);
        let domains = billed.chain(listed).cloned().collect();
        Ground { snapshot, charges, common, tally, calendar, domains, month }
    }

    /// Returns what a budget of the configuration comes to in its present run, in the one before while that may change, and of a daily one on days that are not over.
    pub fn of_configuration(&self, budget: &'a Budget, metric: Metric) -> Vec<Judged<'a>> {
        let metric = budget.metric.unwrap_or(metric);
        let watch = self.tally.watch(&budget.scope, metric, Some(budget));
        if budget.cycle != Cycle::Daily {
            let today = self.calendar.today;
            let ended = ended(budget.cycle, &self.snapshot.manifest, today);
            let runs = ended.into_iter().chain([budget.cycle.run(today)]);
            return runs.map(|run| self.of_run(budget, metric, &watch, run)).collect();
        }
        let last = self.calendar.last_complete;
        let later = (1..=2_i64).map(|days| last + days.days());
        let later = later.filter(|day| *day <= self.calendar.today);
        let days = std::iter::once(last).chain(later);
        days.map(|day| self.of_day(budget, metric, &watch, day)).collect()
    }

    /// Returns what a budget of AWS comes to: AWS's figures, and our days where we can tell whose it is.
    pub fn of_aws(&self, budget: &'a AwsBudget) -> Judged<'a> {
        let lacking = budget.filter.as_ref().map(keys_without_prefix).unwrap_or_default();
        // A budget that watches nothing shows zero; that is no spend to judge by.
        let is_counted = lacking.is_empty() && budget.unhealthy.is_none();
        let mut remark = String::new();
        if let Some(why) = &budget.unreadable {
            remark = format!("It could not be read: {why}.");
        } else if let Some(why) = &budget.unhealthy {
            remark = format!("AWS cannot calculate it: {why}.");
        } else if !is_counted {
            remark = format!(
                "Its filter names {} without `user:`, so AWS counts nothing for it.",
                lacking.into_iter().collect::<Vec<String>>().join(", ")
            );
        } else if budget.time_unit != Cycle::Monthly.aws_name() {
            remark =
                format!("Its period is {}, so only AWS's own figures are shown.", budget.time_unit);
        }
        let scope = if remark.is_empty() {
            Scope::of_filter(budget.filter.as_ref(), |it| self.domains.contains(it))
        } else {
            Scope::Foreign(budget.filter.as_ref().map(ToString::to_string).unwrap_or_default())
        };
        let course = match (&scope, budget.metric) {
            (Scope::Foreign(_), _) | (_, None) => None,
            (scope, Some(metric)) => {
                let watch = self.tally.watch(scope, metric, None);
                Some(self.course(scope, &watch, self.month.period()))
            }
        };
        let cycle = Cycle::of_aws(&budget.time_unit);
        let by_aws = budget.forecast.filter(|_| is_counted).map(|it| (it, "aws_budgets"));
        let by_days = course.as_ref().and_then(|it| it.forecast).map(|it| (it, "days"));
        Judged {
            name: &budget.name,
            source: Source::Aws,
            owner: self.words(&scope),
            scope,
            cycle,
            run: cycle.map(|cycle| cycle.run(self.calendar.today)),
            metric: budget.metric,
            limit: budget.limit,
            actual: budget.actual.filter(|_| is_counted),
            forecast: by_aws.or(by_days),
            course,
            notifications: budget.notifications.clone(),
            currency: &budget.currency,
            remark,
            is_so_far: false,
        }
    }

    fn of_run(
        &self,
        budget: &'a Budget,
        metric: Metric,
        watch: &Watch<'_>,
        run: Period,
    ) -> Judged<'a> {
        let scope = &budget.scope;
        let is_over = run.end <= self.calendar.today;
        let course = self.course(scope, watch, run);
        let first = self.snapshot.manifest.scope.first;
        // The limit that AWS sets and tells is that of the present run.
        let (limit, no_limit) = if is_over {
            (budget.limit.on(budget.cycle, run.start), None)
        } else {
            self.limit(budget, run.start)
        };
        let mut judged = self.judged(budget, metric, run);
        judged.limit = limit;
        judged.is_so_far = is_over;
        if !self.is_known(scope) {
            judged.remark = whose::unknown(scope);
            return judged;
        }
        let mut remarks = Vec::new();
        if first > Month::of(run.start) {
            remarks.push(format!(
                "The snapshot begins with {first}, and the run with {}, so its spend is not known.",
                Month::of(run.start)
            ));
        } else if !whose::is_cost_read(scope, run, self.calendar.missing) {
            remarks.push(format!(
                "Some of the {}'s cost could not be read, and it may be of this owner.",
                budget.cycle.span()
            ));
        } else if is_over {
            remarks.push("The run is over; its last days may still change.".to_owned());
        } else if !course.is_read {
            remarks
                .push("Some days could not be read, so there is no forecast by days.".to_owned());
        }
        remarks.extend(no_limit);
        remarks.extend(whose::no_shares(scope, self.charges, Month::of(run.start)));
        if matches!(scope, Scope::Team(_)) && !self.charges.pools.is_empty() && !is_over {
            remarks.push(
                "What pools move is in the actual; what they will move yet is not in the forecast."
                    .to_owned(),
            );
        }
        let forecasts = self.snapshot.manifest.forecasts.iter();
        // Cost Explorer's forecast is about all of the scope, in every record type, in the open month.
        let is_its =
            *scope == Scope::All && budget.cycle == Cycle::Monthly && budget.excluded.is_empty();
        let by_aws = forecasts
            .filter(|forecast| is_its && !is_over && forecast.metric == metric)
            .find_map(|forecast| by_cost_explorer(&course, forecast));
        let by_days = course.forecast.filter(|_| !is_over).map(|it| (it, "days"));
        judged.forecast = by_aws.map(|it| (it, "cost_explorer")).or(by_days);
        judged.actual = course.actual;
        judged.remark = remarks.join(" ");
        judged.course = Some(course);
        judged
    }

    fn of_day(
        &self,
        budget: &'a Budget,
        metric: Metric,
        watch: &Watch<'_>,
        day: Date,
    ) -> Judged<'a> {
        let scope = &budget.scope;
        let run = Cycle::Daily.run(day);
        let (limit, no_limit) = self.limit(budget, day);
        let mut judged = self.judged(budget, metric, run);
        judged.limit = limit;
        judged.is_so_far = day > self.calendar.last_complete;
        if !self.is_known(scope) {
            judged.remark = whose::unknown(scope);
            return judged;
        }
        let rows = watch.rows(run);
        let amounts = rows.iter().map(|row| row.money);
        let sum = amounts.into_iter().try_fold(Money::ZERO, |sum, money| Some(sum + money?));
        judged.actual = sum.filter(|_| self.calendar.is_read(run));
        let mut remarks = Vec::new();
        if judged.actual.is_none() {
            remarks.push("The day could not be read.".to_owned());
        } else if judged.is_so_far {
            remarks.push("The day is not complete.".to_owned());
        }
        remarks.extend(no_limit);
        remarks.extend(whose::no_shares(scope, self.charges, Month::of(run.start)));
        if matches!(scope, Scope::Team(_)) && !self.charges.pools.is_empty() {
            remarks.push("What pools move is moved by the month, and is in no day.".to_owned());
        }
        judged.remark = remarks.join(" ");
        judged.course = judged.actual.map(|actual| Course {
            before: Money::ZERO,
            moved: Money::ZERO,
            days: BTreeMap::from([(day, actual)]),
            expected: BTreeMap::new(),
            is_read: true,
            actual: Some(actual),
            forecast: None,
            today: self.calendar.today,
        });
        judged
    }

    fn judged(&self, budget: &'a Budget, metric: Metric, run: Period) -> Judged<'a> {
        let mut notifications: Vec<Notification> = budget.notifications.keys().copied().collect();
        if notifications.is_empty() && budget.cycle == Cycle::Daily {
            notifications = vec![Notification::of_limit(NotificationKind::Actual)];
        }
        Judged {
            name: &budget.name,
            source: Source::Configuration,
            scope: budget.scope.clone(),
            owner: self.words(&budget.scope),
            cycle: Some(budget.cycle),
            run: Some(run),
            metric: Some(metric),
            limit: None,
            actual: None,
            forecast: None,
            course: None,
            notifications,
            currency: &self.snapshot.manifest.currency,
            remark: String::new(),
            is_so_far: false,
        }
    }

    fn words(&self, scope: &Scope) -> String {
        whose::words(scope, &self.snapshot.inventory)
    }

    fn is_known(&self, scope: &Scope) -> bool {
        whose::is_listed(scope, &self.snapshot.inventory) || self.tally.has(scope)
    }

    fn course(&self, scope: &Scope, watch: &Watch<'_>, run: Period) -> Course {
        let known = self.snapshot.manifest.months();
        let months = Month::of(run.start).through(self.month).into_iter().map(|month| {
            let is_known = known.contains(&month)
                && whose::is_cost_read(scope, month.period(), self.calendar.missing);
            (month, watch.month(month).filter(|_| is_known))
        });
        let rows = watch.rows(self.calendar.window(run));
        let is_moved = matches!(scope, Scope::Team(_));
        self.calendar.course(run, &months.collect(), &rows, is_moved)
    }

    /// Returns the limit of a run, and what to say where only AWS knows one and the snapshot does not.
    fn limit(&self, budget: &Budget, day: Date) -> (Option<Money>, Option<String>) {
        if !matches!(budget.limit, Limit::Adjusted(_)) {
            return (budget.limit.on(budget.cycle, day), None);
        }
        let manifest = &self.snapshot.manifest;
        let name = self.common.aws_name(&budget.name);
        let ours: Vec<&AwsBudget> = manifest.budgets.iter().filter(|it| it.name == name).collect();
        let why = match ours.as_slice() {
            [] => format!("AWS sets its limit, and the snapshot has no budget `{name}` of AWS."),
            [one] if one.limit.is_some() && one.currency == manifest.currency => {
                return (one.limit, None);
            }
            [_] => format!("AWS sets its limit, and told none of `{name}`."),
            _ => format!("AWS sets its limit, and several accounts have a budget `{name}`."),
        };
        (None, Some(why))
    }
}

/// Returns the run before the present one while it may still change: the bill of its last days comes days later.
fn ended(cycle: Cycle, manifest: &Manifest, today: Date) -> Option<Period> {
    let run = cycle.before(today);
    let may_change = manifest.is_estimated(Month::of(run.last()))
        || run.last() > course::last_complete(manifest.taken_at);
    (cycle != Cycle::Daily && may_change).then_some(run)
}

/// The month by Cost Explorer's forecast: what was spent before its first day, and its mean from that day on.
///
/// The forecast begins with the present day as a whole, so what that day has come to by now is taken from the actual.
fn by_cost_explorer(course: &Course, forecast: &Forecast) -> Option<Money> {
    let actual = course.actual?;
    let before = actual - course.since(forecast.period.start)?;
    Some((before + forecast.mean).max(actual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_day_is_in_the_forecast_of_cost_explorer_and_counts_once() {
        let money = |text: &str| Money::parse(text).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let mut course = Course {
            before: Money::ZERO,
            moved: Money::ZERO,
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
