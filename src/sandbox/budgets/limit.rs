//! Owns which limit of a budget is in force, and for which periods limits are planned.
//!
//! **Invariant:** without a past there is no limit that follows from it; it is absent and not zero.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::organisation::{Budget, BudgetLimit, TimeUnit};
use super::super::world::World;
use super::filter::Question;
use super::spend;
use crate::money::Money;
use crate::period::Period;

/// Returns the limit of the present period and, where it is the mean of past ones, of how many of them.
pub(super) fn in_force(
    world: &World,
    budget: &Budget,
    question: Option<&Question>,
) -> (Option<Money>, Option<u8>) {
    let period = period(world, budget);
    match &budget.limit {
        BudgetLimit::Fixed(limit) => (Some(*limit), None),
        BudgetLimit::Planned(limits) => {
            let begun = limits.range(..=second(period.start)).next_back();
            (begun.or_else(|| limits.iter().next()).map(|(_, limit)| *limit), None)
        }
        BudgetLimit::Historical(count) => {
            let mean = question.and_then(|question| mean(world, budget, question, period, *count));
            (mean.map(|(mean, _)| mean), mean.map(|(_, available)| available))
        }
        BudgetLimit::Forecast => {
            let expect = |question| spend::expected(world, budget, question, period, period.start);
            (question.and_then(|question| expect(question).ok().flatten()), None)
        }
    }
}

/// Returns the mean of the full periods before the present one, from the first that cost something on.
fn mean(
    world: &World,
    budget: &Budget,
    question: &Question,
    present: Period,
    count: u8,
) -> Option<(Money, u8)> {
    let mut figures = Vec::new();
    let mut period = present;
    for _ in 0..count {
        period = budget.time_unit.period(period.start.yesterday().ok()?)?;
        figures.push(question.spend(world, budget, period).ok()?);
    }
    while figures.last().is_some_and(|figure| figure.is_zero()) {
        figures.pop();
    }
    let weights = vec![Money::from_cents(100); figures.len()];
    let parts = figures.iter().copied().sum::<Money>().split(&weights)?;
    Some((*parts.first()?, u8::try_from(figures.len()).ok()?))
}

/// Returns the period that a budget is in: a day is one that the bill shows, so that it can cost something.
pub(super) fn period(world: &World, budget: &Budget) -> Period {
    let today = world.today();
    let day = match budget.time_unit {
        TimeUnit::Daily => world.visible_end().yesterday().unwrap_or(today),
        _ => today,
    };
    budget.period(day)
}

/// Returns the starts for which limits have to be planned: a year of them, from the present period or the first one on.
///
/// Only months and quarters can be planned.
pub(super) fn planned(
    unit: TimeUnit,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    today: Date,
) -> Option<Vec<i64>> {
    let count = match unit {
        TimeUnit::Monthly => 12,
        TimeUnit::Quarterly => 4,
        _ => return None,
    };
    let date = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
    let mut period = unit.period(start.map_or(today, date).max(today))?;
    let mut starts = Vec::new();
    while starts.len() < count && end.is_none_or(|end| second(period.start) < end.as_second()) {
        starts.push(second(period.start));
        period = unit.period(period.end)?;
    }
    Some(starts)
}

/// Returns the second since 1970 in which a day begins.
pub(super) fn second(day: Date) -> i64 {
    let start = day.to_zoned(TimeZone::UTC).expect("a day of this era has a start");
    start.timestamp().as_second()
}
