//! Owns what a budget has spent in its period, and what it will have spent by the period's end.
//!
//! **Invariant:** a budget whose filter cannot be computed shows nothing and says that it is not healthy.

use jiff::civil::Date;
use jiff::{ToSpan, Unit};

use super::super::organisation::{Budget, TimeUnit};
use super::super::wire::Refusal;
use super::super::world::World;
use super::filter::{self, Question};
use super::limit;
use crate::money::Money;
use crate::period::Period;

/// What a budget shows.
pub(super) struct Spent {
    /// The period so far.
    pub actual: Money,
    /// The whole period, where the past is long enough to tell.
    pub forecast: Option<Money>,
    /// The limit in force, where one follows from what is known.
    pub limit: Option<Money>,
    /// Of how many past periods the limit is the mean.
    pub look_back: Option<u8>,
    /// Whether the filter could be computed at all.
    pub healthy: bool,
}

/// Returns what a budget has spent and is expected to spend.
pub(super) fn of(world: &World, budget: &Budget) -> Spent {
    let question = filter::question(world, budget);
    // What waits for data has nothing to be computed; whether it ever can be is seen at once.
    let today = world.today();
    let nothing = Period { start: today, end: today };
    let figures = question.as_ref().and_then(|question| {
        if awaits_data(world, budget) {
            let is_sound = question.spend(world, budget, nothing);
            return is_sound.ok().map(|spend| (spend, None));
        }
        compute(world, budget, question).ok()
    });
    let (limit, look_back) = limit::in_force(world, budget, question.as_ref());
    let healthy = figures.is_some();
    let (actual, forecast) = figures.unwrap_or((Money::ZERO, None));
    Spent { actual, forecast, limit, look_back, healthy }
}

fn compute(
    world: &World,
    budget: &Budget,
    question: &Question,
) -> Result<(Money, Option<Money>), Refusal> {
    let period = limit::period(world, budget);
    let seen = world.visible_end().max(period.start).min(period.end);
    let actual = question.spend(world, budget, Period { start: period.start, end: seen })?;
    // A day is over when the bill shows it, and a period that has not begun has no pace yet.
    if budget.time_unit == TimeUnit::Daily || period.start > world.today() {
        return Ok((actual, None));
    }
    Ok((actual, expected(world, budget, question, period, seen)?))
}

/// Returns what a period was expected to come to on a day of it: what it had cost, and the last four weeks again.
///
/// A forecast wants about five weeks of usage.
pub(super) fn expected(
    world: &World,
    budget: &Budget,
    question: &Question,
    period: Period,
    seen: Date,
) -> Result<Option<Money>, Refusal> {
    let spend = |start, end| question.spend(world, budget, Period { start, end });
    let actual = spend(period.start, seen)?;
    let before = spend(seen - 10.weeks(), seen - 5.weeks() + 1.day())?;
    if before.is_zero() {
        return Ok(None);
    }
    let left = seen.until((Unit::Day, period.end)).expect("days of this era can be counted");
    let (weeks, days) = (left.get_days() / 7, left.get_days() % 7);
    let whole_weeks = spend(seen - 4.weeks(), seen)?;
    let mut four_fold: Money = (0..weeks).map(|_| whole_weeks).sum();
    for weeks_ago in 1..=4 {
        let start = seen - weeks_ago.weeks();
        four_fold += spend(start, start + days.days())?;
    }
    let one = Money::from_cents(100);
    let rest = four_fold.split(&[one; 4]).expect("four weights are positive")[0];
    Ok(Some(actual + rest))
}

/// Tells whether no figures have come in since the budget was changed; they come three times a day.
fn awaits_data(world: &World, budget: &Budget) -> bool {
    const REFRESH_SECONDS: i64 = 8 * 60 * 60;
    let round = |at: jiff::Timestamp| at.as_second().div_euclid(REFRESH_SECONDS);
    round(budget.updated_at) >= round(world.now)
}
