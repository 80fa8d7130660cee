//! Owns overshoot: what can be spent beyond a limit before AWS tells.
//!
//! **Invariant:** it is a share of a day that was, and no estimate.

use jiff::civil::Date;

use crate::money::Money;
use crate::rhythm::History;

/// What can be spent before AWS tells: budgets are updated up to three times a day, 8–12 hours apart
/// (AWS Cost Management User Guide, "Managing your costs with AWS Budgets").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overshoot {
    /// The costliest day that is known, fees left out.
    pub day: Date,
    /// What it came to.
    pub burn: Money,
    /// What eight hours of it come to.
    pub in_8_hours: Money,
    /// What twelve hours of it come to.
    pub in_12_hours: Money,
}

/// Finds the costliest day of a history; absent where no day is known to have cost anything.
pub fn overshoot(history: &History) -> Option<Overshoot> {
    let mut costliest: Option<(Date, Money)> = None;
    for (day, amount) in history.run() {
        if *amount > costliest.map_or(Money::ZERO, |it| it.1) {
            costliest = Some((*day, *amount));
        }
    }
    let (day, burn) = costliest?;
    let hours = |count: i128| {
        let weights = [count, 24 - count].map(Money::from_units);
        burn.split(&weights).expect("a day has hours")[0]
    };
    Some(Overshoot { day, burn, in_8_hours: hours(8), in_12_hours: hours(12) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::Month;
    use crate::rhythm::Spend;

    #[test]
    fn the_costliest_day_of_use_tells_what_is_spent_between_two_updates() {
        let month = Month::parse("2026-07").unwrap();
        let spend = |day: &str, cents, is_run| Spend {
            day: day.parse().unwrap(),
            amount: Money::from_cents(cents),
            is_run,
        };
        let days = [
            spend("2026-07-01", 90_000, false),
            spend("2026-07-02", 1_000, true),
            spend("2026-07-03", 4_000, true),
            spend("2026-07-04", 4_000, true),
        ];
        for (count, expected) in [
            (4, Some(("2026-07-03", "40", "13.333333333333", "20"))),
            (2, Some(("2026-07-02", "10", "3.333333333333", "5"))),
            (1, None),
        ] {
            let history = History::new([], days[..count].to_vec(), [month], month.period().last());
            let found = overshoot(&history).map(|it| {
                let amounts = [it.burn, it.in_8_hours, it.in_12_hours];
                (it.day.to_string(), amounts.map(|amount| amount.to_string()))
            });
            let expected = expected.map(|(day, burn, in_8_hours, in_12_hours)| {
                (day.to_owned(), [burn, in_8_hours, in_12_hours].map(str::to_owned))
            });
            assert_eq!(found, expected, "{count}");
        }
    }
}
