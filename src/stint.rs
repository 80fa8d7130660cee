//! Owns stints: the days of a month that an owner spent in each of several teams, and what they weigh.
//!
//! **Invariant:** no weight is negative, and one of them at least is more than nothing.

use jiff::civil::Date;

use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::Period;

/// Why the days of a month were weighed by their number, and not by what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ByDays {
    /// The month was not read day by day.
    NotRead,
    /// The metric was not delivered for every day.
    NotDelivered,
    /// The days of a part come to less than nothing.
    Negative,
    /// The days of all parts come to nothing.
    Zero,
}

impl ByDays {
    /// Returns the words for people.
    pub fn words(self) -> &'static str {
        match self {
            ByDays::NotRead => "the month was not read day by day",
            ByDays::NotDelivered => "the metric was not delivered for every day",
            ByDays::Negative => "the days in one of them come to less than nothing",
            ByDays::Zero => "its days come to nothing",
        }
    }
}

/// Weighs stints by what their days cost, or else by the number of days, and then tells why.
///
/// Together the stints have each of the days.
pub fn weigh<'a>(
    stints: &[Period],
    days: Option<impl Iterator<Item = (Date, &'a Amounts)>>,
    metric: Metric,
) -> (Vec<Money>, Option<ByDays>) {
    match costs(stints, days, metric) {
        Ok(costs) => (costs, None),
        Err(why) => {
            let count = |stint: &Period| stint.days().map(|_| Money::from_cents(100)).sum();
            (stints.iter().map(count).collect(), Some(why))
        }
    }
}

fn costs<'a>(
    stints: &[Period],
    days: Option<impl Iterator<Item = (Date, &'a Amounts)>>,
    metric: Metric,
) -> Result<Vec<Money>, ByDays> {
    let mut sums = vec![Money::ZERO; stints.len()];
    for (day, amounts) in days.ok_or(ByDays::NotRead)? {
        let money = amounts.get(metric).ok_or(ByDays::NotDelivered)?;
        let index = stints.iter().position(|stint| stint.contains(day));
        sums[index.expect("the stints of a month have each of its days")] += money;
    }
    if sums.iter().any(|sum| *sum < Money::ZERO) {
        return Err(ByDays::Negative);
    }
    if sums.iter().all(|sum| sum.is_zero()) { Err(ByDays::Zero) } else { Ok(sums) }
}

#[cfg(test)]
mod tests {
    use super::*;

    use jiff::civil::date;

    #[test]
    fn stints_weigh_what_their_days_cost_or_else_their_number() {
        type Days<'a> = &'a [(i8, Option<&'a str>)];
        let metric = Metric::NetAmortizedCost;
        let cases: [(Option<Days<'_>>, [&str; 2], Option<ByDays>); 7] = [
            (Some(&[(1, Some("2")), (10, Some("1")), (11, Some("0.5"))]), ["3", "0.5"], None),
            (Some(&[(1, Some("2"))]), ["2", "0"], None),
            (Some(&[(1, Some("2")), (20, Some("-1"))]), ["10", "21"], Some(ByDays::Negative)),
            (Some(&[(1, Some("2")), (2, Some("-2"))]), ["10", "21"], Some(ByDays::Zero)),
            (Some(&[]), ["10", "21"], Some(ByDays::Zero)),
            (Some(&[(1, Some("2")), (20, None)]), ["10", "21"], Some(ByDays::NotDelivered)),
            (None, ["10", "21"], Some(ByDays::NotRead)),
        ];
        for (days, expected, why) in cases {
            let days: Option<Vec<(Date, Amounts)>> = days.map(|days| {
                let day = |(at, money): &(i8, Option<&str>)| {
                    let mut amounts = Amounts::ZERO;
                    amounts.put(metric, money.map(|money| Money::parse(money).unwrap()));
                    (date(2026, 10, *at), amounts)
                };
                days.iter().map(day).collect()
            });
            let days = days.as_ref().map(|days| days.iter().map(|(day, it)| (*day, it)));
            let stints = [
                Period { start: date(2026, 10, 1), end: date(2026, 10, 11) },
                Period { start: date(2026, 10, 11), end: date(2026, 11, 1) },
            ];
            let (weights, found) = weigh(&stints, days, metric);
            assert_eq!(weights.iter().map(Money::to_string).collect::<Vec<_>>(), expected);
            assert_eq!(found, why);
        }
    }
}
