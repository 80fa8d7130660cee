//! Owns the history of one owner's cost, and its rhythm: how the cost of a week is spread over its days.
//!
//! **Invariant:** no day that was not read and no day that is not complete is in a history, so neither passes for a day without cost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use crate::median::{median, part, times};
use crate::money::Money;
use crate::period::{Month, Period};

/// The weeks that a rhythm is read from.
const RHYTHM_WEEKS: i64 = 8;
/// The weeks that recent cost is read from, and the fewest that show a rhythm.
const RECENT_WEEKS: usize = 4;

/// What an owner cost on one day, in one piece of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The day.
    pub day: Date,
    /// The amount.
    pub amount: Money,
    /// Whether it recurs day by day; fees and credits do not ([`crate::usage::is_run`]).
    pub is_run: bool,
}

/// What an owner cost, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    months: BTreeMap<Month, Money>,
    days: BTreeMap<Date, Money>,
    run: BTreeMap<Date, Money>,
    known: BTreeSet<Month>,
    last_complete: Date,
}

impl History {
    /// Puts a history together from full months that are comparable, and from days.
    ///
    /// `known` are the months whose days were read whole, up to the last complete day; days of other months are left out.
    pub fn new(
        months: impl IntoIterator<Item = (Month, Money)>,
        days: impl IntoIterator<Item = Spend>,
        known: impl IntoIterator<Item = Month>,
        last_complete: Date,
    ) -> History {
        let mut history = History {
            months: BTreeMap::new(),
            days: BTreeMap::new(),
            run: BTreeMap::new(),
            known: known.into_iter().filter(|month| month.start() <= last_complete).collect(),
            last_complete,
        };
        for (month, amount) in months {
            if month.period().last() <= last_complete {
                *history.months.entry(month).or_default() += amount;
            }
        }
        for spend in days {
            if spend.day > last_complete || !history.known.contains(&Month::of(spend.day)) {
                continue;
            }
            *history.days.entry(spend.day).or_default() += spend.amount;
            if spend.is_run {
                *history.run.entry(spend.day).or_default() += spend.amount;
            }
        }
        history
    }

    /// Returns the history as it was known when a day was the last complete one.
    #[must_use]
    pub fn as_of(&self, day: Date) -> History {
        let last_complete = day.min(self.last_complete);
        let until = |days: &BTreeMap<Date, Money>| {
            days.range(..=last_complete).map(|(day, amount)| (*day, *amount)).collect()
        };
        let months = self.months.iter().filter(|(month, _)| month.period().last() <= last_complete);
        let known = self.known.iter().filter(|month| month.start() <= last_complete);
        History {
            months: months.map(|(month, amount)| (*month, *amount)).collect(),
            days: until(&self.days),
            run: until(&self.run),
            known: known.copied().collect(),
            last_complete,
        }
    }

    /// Returns what full months came to.
    pub fn months(&self) -> &BTreeMap<Month, Money> {
        &self.months
    }

    /// Returns what days came to, fees and credits included.
    pub fn days(&self) -> &BTreeMap<Date, Money> {
        &self.days
    }

    /// Returns what recurs of what days came to.
    pub fn run(&self) -> &BTreeMap<Date, Money> {
        &self.run
    }

    /// Tells whether all days of a month are known and complete.
    pub fn is_whole(&self, month: Month) -> bool {
        self.known.contains(&month) && month.period().last() <= self.last_complete
    }

    /// Returns the known days of a month: all of it, or those up to the last complete one.
    pub fn known_of(&self, month: Month) -> Option<Period> {
        let Period { start, end } = month.period();
        let end = end.min(self.last_complete + 1.day());
        (self.known.contains(&month) && start < end).then_some(Period { start, end })
    }

    /// Returns the first day of cost: of a month without days its first.
    pub fn began(&self) -> Option<Date> {
        let day = self.days.iter().find(|(_, amount)| **amount > Money::ZERO).map(|it| *it.0);
        let month = self.months.iter().find(|(_, amount)| **amount > Money::ZERO).map(|it| *it.0);
        match (day, month) {
            (Some(day), Some(month)) if Month::of(day) > month => Some(month.start()),
            (Some(day), _) => Some(day),
            (None, month) => month.map(Month::start),
        }
    }

    /// Returns the last day of cost: of a month without days its last.
    pub fn ended(&self) -> Option<Date> {
        let day = self.days.iter().rfind(|(_, amount)| **amount > Money::ZERO).map(|it| *it.0);
        let mut months = self.months.iter().rev().filter(|(month, _)| !self.known.contains(month));
        let month = months.find(|(_, amount)| **amount > Money::ZERO);
        day.max(month.map(|(month, _)| month.period().last()))
    }

    /// Returns the last day of which anything is known.
    pub fn reach(&self) -> Option<Date> {
        let days = self.known.last().and_then(|month| self.known_of(*month)).map(Period::last);
        days.max(self.months.keys().next_back().map(|month| month.period().last()))
    }

    /// Returns the days up to a known one that are known without a gap, from the first day of cost on at the earliest.
    pub fn known_until(&self, last: Date) -> Option<Period> {
        let mut first = Month::of(last);
        if last > self.last_complete || !self.known.contains(&first) {
            return None;
        }
        while self.known.contains(&first.plus(-1)) {
            first = first.plus(-1);
        }
        let start = first.start().max(self.began()?);
        (start <= last).then(|| Period { start, end: last + 1.day() })
    }

    /// Returns what each of the last whole weeks cost, fees and credits left out, latest first; so many at most.
    pub fn weeks(&self, count: usize) -> Vec<Money> {
        let Some(known) = self.reach().and_then(|reach| self.known_until(reach)) else {
            return Vec::new();
        };
        let ends = (0_i64..).map(|weeks| known.end - (weeks * 7).days());
        let starts = ends.map(|end| end - 7.days()).take_while(|start| *start >= known.start);
        starts.take(count).map(|start| sum(&self.run, start, start + 7.days())).collect()
    }

    /// Returns what a week costs of late, fees and credits left out: the median of the last four.
    pub fn recent_week(&self) -> Option<Money> {
        let weeks = self.weeks(RECENT_WEEKS);
        if weeks.len() < RECENT_WEEKS { None } else { median(weeks) }
    }

    /// Returns what a period came to by its days.
    pub fn spent(&self, period: Period) -> Money {
        sum(&self.days, period.start, period.end)
    }

    /// Returns what of that does not recur: fees and credits.
    pub fn fees(&self, period: Period) -> Money {
        self.spent(period) - sum(&self.run, period.start, period.end)
    }
}

fn sum(days: &BTreeMap<Date, Money>, start: Date, end: Date) -> Money {
    days.range(start..end).map(|(_, amount)| *amount).sum()
}

/// How much of a week's cost falls on each of its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// What each weekday weighs, Monday first.
    weights: [Money; 7],
    /// Whether some days are much lighter than others, week by week.
    pub is_weekly: bool,
}

impl Rhythm {
    /// Reads the rhythm of the last eight weeks; without four weeks, or where weeks differ, each day weighs the same.
    pub fn of(history: &History) -> Rhythm {
        let known = history.reach().and_then(|reach| history.known_until(reach));
        let weekly = known.and_then(|known| Rhythm::weekly(history, known));
        weekly.unwrap_or(Rhythm { weights: [Money::from_cents(1); 7], is_weekly: false })
    }

    fn weekly(history: &History, known: Period) -> Option<Rhythm> {
        let mut samples: [Vec<Money>; 7] = Default::default();
        for weeks in 0..RHYTHM_WEEKS {
            let end = known.end - (weeks * 7).days();
            let week = Period { start: end - 7.days(), end };
            if week.start < known.start {
                break;
            }
            for day in week.days() {
                let amount = history.run.get(&day).copied().unwrap_or_default();
                samples[weekday(day)].push(amount.max(Money::ZERO));
            }
        }
        if samples[0].len() < RECENT_WEEKS {
            return None;
        }
        let weights = samples.clone().map(|amounts| median(amounts).unwrap_or_default());
        let mut sorted = weights;
        sorted.sort_unstable();
        // Half of what the busier days cost parts the light days from the others.
        let line = part(median(sorted[2..].iter().copied())?, 2);
        let is_light = |amount: Money| amount < line;
        if !sorted[..2].iter().all(|amount| is_light(*amount)) {
            return None;
        }
        let fits = |(weight, amounts): (&Money, &Vec<Money>)| {
            amounts.iter().filter(|it| is_light(**it) == is_light(*weight)).count()
        };
        let fit_count: usize = weights.iter().zip(&samples).map(fits).sum();
        // Four days of five are where the rhythm has them; else light days come as they please.
        let is_steady = fit_count * 5 >= samples[0].len() * 7 * 4;
        is_steady.then_some(Rhythm { weights, is_weekly: true })
    }

    fn week(&self) -> Money {
        self.weights.iter().copied().sum()
    }

    fn weight(&self, period: Period) -> Money {
        period.days().map(|day| self.weights[weekday(day)]).sum()
    }

    /// Returns what a week costs if a period of a week or more cost that much.
    pub fn week_of(&self, amount: Money, period: Period) -> Money {
        let week = self.week();
        let rest = self.weight(period) - week;
        amount.split(&[week, rest]).expect("a period has a week or more")[0]
    }

    /// Returns what a month costs if a week costs that much.
    pub fn month_of(&self, week: Money, month: Month) -> Money {
        let rest = Period { start: month.start() + 28.days(), end: month.period().end };
        let days = week.split(&self.weights).expect("some day of a week weighs something");
        times(week, 4) + rest.days().map(|day| days[weekday(day)]).sum()
    }

    /// Returns what each weekday costs if a week costs that much, Monday first.
    pub fn days_of(&self, week: Money) -> Vec<Money> {
        week.split(&self.weights).expect("some day of a week weighs something")
    }
}

/// Returns the place of a day in its week, from Monday.
pub fn weekday(day: Date) -> usize {
    usize::try_from(day.weekday().to_monday_zero_offset()).expect("a week has days 0 to 6")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Whole amounts from the 1st of September 2026 on, a week a row, Tuesday first.
    fn history(weeks: &[[i128; 7]], known: &[&str], last: &str) -> History {
        let days = (0_i64..).zip(weeks.iter().flatten()).map(|(index, amount)| Spend {
            day: date("2026-09-01") + index.days(),
            amount: Money::from_cents(100 * amount),
            is_run: true,
        });
        History::new([], days, known.iter().map(|it| month(it)), date(last))
    }

    #[test]
    fn light_days_are_a_rhythm_where_they_are_the_same_days() {
        let weekdays = [10, 10, 10, 10, 1, 0, 10];
        let other = [10, 1, 10, 0, 10, 10, 10];
        let even = [10, 9, 11, 10, 8, 9, 10];
        for (what, weeks, is_weekly) in [
            ("weekdays", vec![weekdays; 8], true),
            ("a holiday", [vec![[0; 7]], vec![weekdays; 7]].concat(), true),
            ("four weeks", vec![weekdays; 4], true),
            ("three weeks", vec![weekdays; 3], false),
            ("other days each week", [weekdays, other].repeat(4), false),
            ("even", vec![even; 8], false),
            ("nothing", vec![[0; 7]; 8], false),
        ] {
            let last = date("2026-08-31") + i64::try_from(weeks.len() * 7).unwrap().days();
            let history = history(&weeks, &["2026-09", "2026-10"], &last.to_string());
            assert_eq!(Rhythm::of(&history).is_weekly, is_weekly, "{what}");
        }
    }

    #[test]
    fn a_month_is_as_dear_as_its_days() {
        let weeks = vec![[10, 10, 10, 10, 0, 0, 10]; 8];
        let history = history(&weeks, &["2026-09", "2026-10"], "2026-10-26");
        let rhythm = Rhythm::of(&history);
        let week = Money::from_cents(5_000);
        for (name, weekday_count) in [("2026-02", 20), ("2026-08", 21), ("2026-10", 22)] {
            let total = rhythm.month_of(week, month(name));
            assert_eq!(total, Money::from_cents(1_000 * weekday_count), "{name}");
            assert_eq!(rhythm.week_of(total, month(name).period()), week, "{name}");
        }
    }

    #[test]
    fn days_that_were_not_read_or_are_not_complete_are_not_there() {
        let weeks = vec![[1; 7]; 12];
        let whole = history(&weeks, &["2026-09", "2026-11"], "2026-11-10");
        assert_eq!(whole.days().len(), 40);
        assert_eq!(
            (whole.is_whole(month("2026-09")), whole.is_whole(month("2026-11"))),
            (true, false)
        );
        let known = whole.known_until(date("2026-11-10")).unwrap();
        assert_eq!(known.to_string(), "2026-11-01..2026-11-11");
        assert_eq!(whole.known_until(date("2026-10-10")), None);
        assert_eq!(whole.recent_week(), None);
        let before = whole.as_of(date("2026-09-29"));
        assert_eq!(before.reach(), Some(date("2026-09-29")));
        assert_eq!(before.recent_week(), Some(Money::from_cents(700)));
        assert!(!before.is_whole(month("2026-09")));
    }

    #[test]
    fn cost_began_and_ended_on_days_where_they_are_known() {
        let days =
            || history(&[[0, 0, 5, 0, 0, 0, 0], [0, 3, 0, 0, 0, 0, 0]], &["2026-09"], "2026-09-30");
        let cost = |name: &str| (month(name), Money::from_cents(100));
        for (months, began, ended) in [
            (vec![], "2026-09-03", "2026-09-09"),
            (vec![cost("2026-09")], "2026-09-03", "2026-09-09"),
            (vec![cost("2026-07")], "2026-07-01", "2026-09-09"),
            (vec![(month("2026-07"), Money::ZERO)], "2026-09-03", "2026-09-09"),
        ] {
            let days = days();
            let spend = days.days.iter();
            let spend =
                spend.map(|(day, amount)| Spend { day: *day, amount: *amount, is_run: true });
            let history =
                History::new(months.clone(), spend, [month("2026-09")], date("2026-09-30"));
            let found = (history.began().unwrap(), history.ended().unwrap());
            assert_eq!(found, (date(began), date(ended)), "{months:?}");
        }
    }
}
