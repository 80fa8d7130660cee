//! Owns the trend of an owner's cost: what a week cost from month to month, and the line through that.
//!
//! **Invariant:** a trend is one that nearly all months agree on, and neither one burst nor one quiet month changes it.

use jiff::civil::Date;

use crate::median::{deviation, median, part, slope, times};
use crate::money::Money;
use crate::period::Month;
use crate::rhythm::{History, Rhythm};

/// The months that levels, trend and spread are read from.
const MONTHS_MAX: usize = 6;
/// The fewest months that show a trend.
const TREND_MONTHS_MIN: usize = 4;
/// The fewest days of a month that stand for it.
const MONTH_DAYS_MIN: usize = 14;

/// How an owner behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Behaviour {
    /// Weeks cost about the same.
    Steady,
    /// Each month costs more than the one before.
    Growing,
    /// Each month costs less than the one before.
    Shrinking,
    /// Weeks cost about the same, and the same days of each cost little.
    Weekly,
    /// Some months cost far more than others.
    Spiky,
    /// There are too few months to tell.
    New,
}

/// What a week of one month cost.
pub struct Level {
    /// The month.
    pub month: Month,
    /// What a week of it cost.
    pub week: Money,
    /// The part of it that is fees and credits, where days tell.
    pub fees: Option<Money>,
}

/// Level, trend and spread of weeks.
pub struct Line {
    /// What a week costs at the end of the last month.
    pub level: Money,
    /// By how much it costs more from month to month; zero without a trend.
    pub trend: Money,
    /// How far weeks lie from both, in the median.
    pub spread: Money,
    /// How the owner behaves.
    pub behaviour: Behaviour,
}

/// Returns what a week cost in each of the last six months; of the first and the last month by the days that count.
pub fn levels(history: &History, rhythm: &Rhythm, began: Date, reach: Date) -> Vec<Level> {
    let first = Month::of(began);
    let mut levels: Vec<Level> = Vec::new();
    for month in first.through(Month::of(reach)) {
        let known = history.known_of(month);
        let whole = history.months().get(&month).copied();
        // Where days are known, cost counts from its first day on, and up to the last complete one.
        let Some(mut period) = whole.map(|_| month.period()).or_else(|| {
            let is_open = month.period().last() > reach;
            known.filter(|_| is_open)
        }) else {
            continue;
        };
        if known.is_some() {
            period.start = period.start.max(began);
        }
        if period.days().count() < MONTH_DAYS_MIN {
            continue;
        }
        let fees = known.map(|known| history.fees(known));
        let total = whole.unwrap_or_else(|| history.spent(period));
        let (of_run, of_fees) = (total - fees.unwrap_or_default(), fees);
        let of_fees = of_fees.map(|fees| rhythm.week_of(fees, month.period()));
        let week = rhythm.week_of(of_run, period) + of_fees.unwrap_or_default();
        levels.push(Level { month, week, fees: of_fees });
    }
    // A first month without days may be a part of one.
    if levels.len() > 1 && levels[0].month == first && history.known_of(first).is_none() {
        levels.remove(0);
    }
    levels.split_off(levels.len().saturating_sub(MONTHS_MAX))
}

/// Draws the line of weeks: a trend where nearly all pairs of months agree on it, else the median of the last three.
pub fn line(levels: &[Level], is_weekly: bool) -> Option<Line> {
    let weeks: Vec<Money> = levels.iter().map(|level| level.week).collect();
    let mut late = median(weeks.iter().rev().take(3).copied())?;
    let is_idle = late <= Money::ZERO;
    if is_idle {
        late = median(weeks.iter().copied().filter(|week| *week > Money::ZERO))?;
    }
    let start = levels.first()?.month;
    let at = |level: &Level| months_between(start, level.month);
    let points: Vec<(u32, Money)> = levels.iter().map(|level| (at(level), level.week)).collect();
    let trend = trend(&points, late);
    // Every point brought forward to the last by the trend.
    let last = points.last()?.0;
    let brought: Vec<Money> =
        points.iter().map(|(at, week)| *week + times(trend, last - at)).collect();
    let level = if trend.is_zero() { late } else { median(brought.iter().copied())? };
    // A step widens the one and a burst the other, so the smaller of the two is the spread.
    let changes = brought.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let around = deviation(brought.iter().copied(), median(brought.iter().copied())?)?;
    let spread = median(changes).map_or(around, |changes| changes.min(around));
    let burst = part(times(level, 3), 2);
    let behaviour = if levels.len() < 3 {
        Behaviour::New
    } else if is_idle || brought.iter().any(|week| *week > burst) || level <= times(spread, 2) {
        Behaviour::Spiky
    } else if trend > Money::ZERO {
        Behaviour::Growing
    } else if trend < Money::ZERO {
        Behaviour::Shrinking
    } else if is_weekly {
        Behaviour::Weekly
    } else {
        Behaviour::Steady
    };
    Some(Line { level, trend, spread, behaviour })
}

/// The slope where four pairs of five agree on its direction and it is a hundredth of the level or more.
fn trend(points: &[(u32, Money)], level: Money) -> Money {
    let Some(slope) = slope(points).filter(|_| points.len() >= TREND_MONTHS_MIN) else {
        return Money::ZERO;
    };
    let agreeing = slope.rising_count.max(slope.falling_count);
    let is_clear = agreeing * 5 >= slope.pair_count * 4;
    let is_large = slope.a_step.abs() >= part(level, 100);
    if is_clear && is_large { slope.a_step } else { Money::ZERO }
}

/// Returns how many months one lies after another.
pub fn months_between(first: Month, last: Month) -> u32 {
    u32::try_from(first.through(last).len()).unwrap_or(u32::MAX).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_to_most_months() {
        let start = Month::parse("2026-01").expect("a month");
        for (weeks, expected) in [
            ("100", "100 0 0 new"),
            ("100 101 99 100", "100 0 0.5 steady"),
            ("100 110 120 130 140 150", "150 10 0 growing"),
            ("100 110 120 500 140 150", "150 10 0 spiky"),
            ("150 140 130 120 110 100", "100 -10 0 shrinking"),
            // Two pairs of six fall.
            ("100 90 110 105", "105 0 5 steady"),
            // Less than a hundredth of the level a month.
            ("1000 1005 1010 1015", "1010 0 5 steady"),
            // A step: months lie far from their middle, and seldom far from the one before.
            ("100 100 100 100 300 300", "300 0 0 steady"),
            ("100 100 100 100 100 300", "100 0 0 spiky"),
            ("100 0 0 100 0 0", "100 0 0 spiky"),
            ("0 0 0", "none"),
        ] {
            let levels: Vec<Level> = weeks
                .split_whitespace()
                .enumerate()
                .map(|(index, week)| Level {
                    month: start.plus(i32::try_from(index).expect("few months")),
                    week: Money::parse(week).expect("an amount"),
                    fees: None,
                })
                .collect();
            let told = line(&levels, false).map_or("none".to_owned(), |line| {
                let behaviour = format!("{:?}", line.behaviour).to_lowercase();
                format!("{} {} {} {behaviour}", line.level, line.trend, line.spread)
            });
            assert_eq!(told, expected, "{weeks}");
        }
        let weekly = [Level { month: start, week: Money::from_cents(1), fees: None }];
        assert_eq!(line(&weekly, true).map(|it| it.behaviour), Some(Behaviour::New));
    }
}
