//! Owns what an owner is expected to cost in a month, and the limit that follows.
//!
//! Amounts are compared as the cost of a week, so neither the length of a month nor its weekends look like growth.
//! **Invariant:** what happens in the month or after it moves nothing: only what came before is looked at.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::median::{deviation, median, part, round_up, times};
use crate::money::Money;
use crate::period::Month;
use crate::rhythm::{History, Rhythm};
use crate::trend::{Behaviour, Level, Line, levels, line, months_between};

/// The weeks that spread is read from, beside the months.
const SPREAD_WEEKS: usize = 13;
/// Days without cost after which an owner is gone: the shortest two months.
const GONE_DAYS: i32 = 59;

/// What a suggestion and its test take for given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Days until AWS tells what a day cost.
    pub delay_days: u8,
    /// The fewest days from the first cost on that a limit is drawn from.
    pub day_count_min: i32,
}

impl Default for Options {
    fn default() -> Options {
        Options { delay_days: 1, day_count_min: 28 }
    }
}

/// Why no limit is proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuggestion {
    /// It never cost anything.
    #[error("nothing was spent so far")]
    Nothing,
    /// Credits make up for all that it costs.
    #[error("no more than nothing is expected to be spent")]
    Credited,
    /// It has cost nothing for two months.
    #[error("nothing was spent since {last}")]
    Gone {
        /// The last day of cost.
        last: Date,
    },
    /// Too little is known.
    #[error("{day_count} days are known from the first cost on, and {day_count_min} are needed")]
    TooLittle {
        /// The days that are known.
        day_count: i32,
        /// The days that are needed.
        day_count_min: i32,
    },
}

/// What an expectation rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// How the owner behaves.
    pub behaviour: Behaviour,
    /// The months that were looked at, a part of the last one included.
    pub month_count: usize,
    /// What a week costs.
    pub level: Money,
    /// By how much a week costs more from month to month; zero without a trend.
    pub trend: Money,
    /// How far the cost of a week lies from its level and trend, in the median.
    pub spread: Money,
    /// What each weekday costs, Monday first, where weeks have a rhythm.
    pub weekdays: Option<Vec<Money>>,
    /// The month by the level and trend of the months before.
    pub by_months: Option<Money>,
    /// The month by the last four weeks.
    pub by_weeks: Option<Money>,
    /// The month by a forecast from outside.
    pub by_forecast: Option<Money>,
    /// What the month is expected to come to: the middle of the three.
    pub expected: Money,
    /// What is added to it, before rounding.
    pub headroom: Money,
}

/// The limit of a month, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The limit: what is expected with headroom, rounded up to two significant digits.
    pub limit: Money,
    /// What it rests on.
    pub basis: Basis,
}

/// Estimates a month from what came before it, with a forecast from outside where there is one.
pub fn estimate(
    history: &History,
    month: Month,
    forecast: Option<Money>,
    options: Options,
) -> Result<Outlook, NoSuggestion> {
    let history = history.as_of(month.start() - 1.day());
    let (began, ended, reach) = span(&history)?;
    if (reach - ended).get_days() >= GONE_DAYS {
        return Err(NoSuggestion::Gone { last: ended });
    }
    let day_count = (reach - began).get_days() + 1;
    let too_little = NoSuggestion::TooLittle { day_count, day_count_min: options.day_count_min };
    if day_count < options.day_count_min {
        return Err(too_little);
    }
    let rhythm = Rhythm::of(&history);
    let levels = levels(&history, &rhythm, began, reach);
    let line = line(&levels, rhythm.is_weekly);
    let recent = history.recent_week();
    let Some(level) = line.as_ref().map(|it| it.level).or(recent) else {
        return Err(too_little);
    };
    let behaviour = line.as_ref().map_or(Behaviour::New, |it| it.behaviour);
    let trend = line.as_ref().map_or(Money::ZERO, |it| it.trend);
    let of_months = line.as_ref().map_or(Money::ZERO, |it| it.spread);
    let spread = of_months.max(spread_of_weeks(&history));
    // Of a new owner weeks tell more than the months that they lie in.
    let line = line.filter(|it| it.behaviour != Behaviour::New || recent.is_none());
    let by_months = line.map(|line| rhythm.month_of(week_by_months(&line, &levels, month), month));
    let by_weeks = recent.map(|week| {
        let week = week_by_weeks(week, trend, &levels, reach, month);
        rhythm.month_of(week, month)
    });
    let by_forecast = forecast.filter(|amount| *amount > Money::ZERO);
    let expected = median([by_months, by_weeks, by_forecast].into_iter().flatten())
        .filter(|amount| *amount > Money::ZERO)
        .ok_or(NoSuggestion::Credited)?;
    let headroom = headroom(behaviour, expected, rhythm.month_of(spread, month));
    let basis = Basis {
        behaviour,
        month_count: levels.len(),
        level,
        trend,
        spread,
        weekdays: rhythm.is_weekly.then(|| rhythm.days_of(level)),
        by_months,
        by_weeks,
        by_forecast,
        expected,
        headroom,
    };
    Ok(Outlook { limit: round_up(expected + headroom), basis })
}

/// Brings the level forward to a month; a decline need not go on, so half of the level is the least.
fn week_by_months(line: &Line, levels: &[Level], month: Month) -> Money {
    let steps = levels.last().map_or(0, |last| months_between(last.month, month));
    (line.level + times(line.trend, steps)).max(part(line.level, 2))
}

/// Brings recent weeks forward, from the middle of four to the middle of a month, with the fees of a usual month.
fn week_by_weeks(week: Money, trend: Money, levels: &[Level], reach: Date, month: Month) -> Money {
    let fees = median(levels.iter().filter_map(|level| level.fees)).unwrap_or_default();
    let days = (month.start() + 15.days() - (reach - 13.days())).get_days();
    let ahead = part(times(trend, u32::try_from(days).unwrap_or(0)), 30);
    (week + fees + ahead).max(Money::ZERO)
}

/// Returns the first and last day of cost, and the last day that is known.
fn span(history: &History) -> Result<(Date, Date, Date), NoSuggestion> {
    let span = (history.began(), history.ended(), history.reach());
    let (Some(began), Some(ended), Some(reach)) = span else {
        return Err(NoSuggestion::Nothing);
    };
    Ok((began, ended, reach))
}

/// Three times the spread, which an even month stays within; a tenth at least, and a quarter where months do not tell yet.
fn headroom(behaviour: Behaviour, expected: Money, spread: Money) -> Money {
    let points = if behaviour == Behaviour::New { 2_500 } else { 1_000 };
    let least = expected.of_basis_points(points).expect("a part of an amount is within range");
    least.max(times(spread, 3))
}

/// The deviation that a mean of four weeks has by that of single weeks: half of it, if they have nothing to do with each other.
fn spread_of_weeks(history: &History) -> Money {
    let weeks = history.weeks(SPREAD_WEEKS);
    let spread = median(weeks.iter().copied()).and_then(|middle| deviation(weeks, middle));
    part(spread.unwrap_or_default(), 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rhythm::Spend;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    /// Months from January 2026 on, each by what one of its days costs.
    fn of_months(days: &str) -> History {
        let day = |text: &str| Money::parse(text).unwrap();
        let months = days.split_whitespace().enumerate().map(|(index, text)| {
            let month = month("2026-01").plus(i32::try_from(index).unwrap());
            (month, times(day(text), u32::try_from(month.day_count()).unwrap()))
        });
        let months: Vec<(Month, Money)> = months.collect();
        let last = months.last().unwrap().0.period().last();
        History::new(months, [], [], last)
    }

    fn told(history: &History, forecast: Option<&str>) -> String {
        let month = Month::of(history.reach().unwrap() + 1.day());
        let forecast = forecast.map(|text| Money::parse(text).unwrap());
        match estimate(history, month, forecast, Options::default()) {
            Ok(Outlook { limit, basis }) => {
                let behaviour = format!("{:?}", basis.behaviour).to_lowercase();
                format!("{behaviour} {} {limit}", Money::from_cents(basis.expected.cents()))
            }
            Err(reason) => reason.to_string(),
        }
    }

    #[test]
    fn a_limit_follows_level_and_trend_of_days_and_not_the_length_of_months() {
        for (days, expected) in [
            ("10 10 10 10 10 10 10", "steady 310 350"),
            ("10 10 10 10 10 10 10 10", "steady 300 330"),
            ("3 10 10", "new 300 380"),
            ("10 10", "new 310 390"),
            ("10 10.5 9.8 10.2 10 9.9 10.1", "steady 310 350"),
            ("10 9 11 8 12 10 11", "steady 341 440"),
            ("10 11 12 13 14 15 16", "growing 527 580"),
            ("10 11 12 13 90 15 16", "spiky 527 580"),
            ("16 15 14 13 12 11 10", "shrinking 279 310"),
            // A step is believed when two months have it, a burst never.
            ("10 10 10 10 10 10 30", "spiky 310 350"),
            ("10 10 10 10 10 30 30", "steady 930 1100"),
            ("10 10 30 30 10 10 10", "spiky 310 350"),
            ("10 10 10 10 40 0 0", "nothing was spent since 2026-05-31"),
            ("10 10 10 10 10 0", "steady 310 350"),
            ("10 0 0 10 0 0 10", "spiky 310 350"),
            ("0 0 0", "nothing was spent so far"),
        ] {
            assert_eq!(told(&of_months(days), None), expected, "{days}");
        }
    }

    #[test]
    fn a_forecast_from_outside_is_one_estimate_of_several() {
        let history = of_months("10 10 10 10 10 10 10");
        for (forecast, expected) in [
            (None, "steady 310 350"),
            (Some("310"), "steady 310 350"),
            (Some("410"), "steady 360 400"),
            (Some("0"), "steady 310 350"),
        ] {
            assert_eq!(told(&history, forecast), expected, "{forecast:?}");
        }
    }

    #[test]
    fn a_few_days_are_too_few() {
        let start = month("2026-03").start();
        let days = |count: i64| {
            let day = |index: i64| Spend {
                day: start + (3 + index).days(),
                amount: Money::from_cents(1_000),
                is_run: true,
            };
            let known = [month("2026-03"), month("2026-04")];
            History::new([], (0..count).map(day), known, start + (2 + count).days())
        };
        let estimate = |count| {
            estimate(&days(count), month("2026-05"), None, Options::default()).map(|it| it.limit)
        };
        let too_little = NoSuggestion::TooLittle { day_count: 27, day_count_min: 28 };
        assert_eq!(estimate(27), Err(too_little));
        assert_eq!(estimate(28), Ok(Money::from_cents(39_000)));
    }
}
