//! Owns the cost metrics and the amounts that stand side by side under them.
//!
//! **Invariant:** metrics are never added to one another, and one that was not delivered stays absent.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::split::Weights;

/// A cost metric of Cost Explorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Charges as they are billed: upfront fees in the month they are paid.
    UnblendedCost,
    /// Upfront and recurring commitment fees spread over the days they pay for.
    AmortizedCost,
    /// Amortized, after negotiated discounts.
    NetAmortizedCost,
    /// Unblended, after negotiated discounts: with tax, the invoice.
    NetUnblendedCost,
}

impl Metric {
    /// Every metric, in the order of columns.
    pub const ALL: [Metric; 4] = [
        Metric::UnblendedCost,
        Metric::AmortizedCost,
        Metric::NetAmortizedCost,
        Metric::NetUnblendedCost,
    ];

    /// Returns the name in files and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Metric::UnblendedCost => "unblended_cost",
            Metric::AmortizedCost => "amortized_cost",
            Metric::NetAmortizedCost => "net_amortized_cost",
            Metric::NetUnblendedCost => "net_unblended_cost",
        }
    }

    /// Returns the name that Cost Explorer and Budgets use.
    pub fn aws_name(self) -> &'static str {
        match self {
            Metric::UnblendedCost => "UnblendedCost",
            Metric::AmortizedCost => "AmortizedCost",
            Metric::NetAmortizedCost => "NetAmortizedCost",
            Metric::NetUnblendedCost => "NetUnblendedCost",
        }
    }

    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        match self {
            Metric::UnblendedCost => "unblended cost",
            Metric::AmortizedCost => "amortized cost",
            Metric::NetAmortizedCost => "net amortized cost",
            Metric::NetUnblendedCost => "net unblended cost",
        }
    }

    /// Finds the metric by its name in files or by AWS's name.
    pub fn parse(text: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| text == metric.name() || text == metric.aws_name())
    }

    /// Returns the position in [`Metric::ALL`].
    pub fn index(self) -> usize {
        Metric::ALL.iter().position(|metric| *metric == self).expect("ALL has every metric")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One amount a metric; a metric that was not delivered is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    money: [Money; 4],
    delivered: [bool; 4],
}

impl Amounts {
    /// No money in any metric, all of them delivered.
    pub const ZERO: Amounts = Amounts { money: [Money::ZERO; 4], delivered: [true; 4] };

    /// No metric delivered.
    pub const ABSENT: Amounts = Amounts { money: [Money::ZERO; 4], delivered: [false; 4] };

    /// Returns the amount of a metric, absent when it was not delivered.
    pub fn get(&self, metric: Metric) -> Option<Money> {
        let index = metric.index();
        self.delivered[index].then_some(self.money[index])
    }

    /// Puts the amount of a metric in its place.
    pub fn put(&mut self, metric: Metric, money: Option<Money>) {
        let index = metric.index();
        self.delivered[index] = money.is_some();
        self.money[index] = money.unwrap_or(Money::ZERO);
    }

    /// Adds metric by metric; what either side lacks is lacking in the sum.
    pub fn add(&mut self, other: &Amounts) {
        self.merge(other, |left, right| left + right);
    }

    /// Subtracts metric by metric; what either side lacks is lacking in the difference.
    pub fn subtract(&mut self, other: &Amounts) {
        self.merge(other, |left, right| left - right);
    }

    /// Returns the amounts with their signs turned.
    #[must_use]
    pub fn negated(&self) -> Amounts {
        let mut negated = *self;
        for money in &mut negated.money {
            *money = -*money;
        }
        negated
    }

    /// Splits each delivered metric by the same weights; `None` where [`Money::split`] says so.
    pub fn split(&self, weights: &[Money]) -> Option<Vec<Amounts>> {
        let mut parts = vec![*self; weights.len()];
        for index in 0..Metric::ALL.len() {
            let split = self.money[index].split(weights)?;
            for (part, money) in parts.iter_mut().zip(split) {
                part.money[index] = money;
            }
        }
        Some(parts)
    }

    /// Splits each delivered metric by the same weights, part by part.
    pub fn parts<'a>(&self, weights: &'a Weights) -> impl Iterator<Item = Amounts> + use<'a> {
        let delivered = self.delivered;
        let [a, b, c, d] = self.money.map(|money| weights.split(money));
        let parts = a.zip(b).zip(c.zip(d));
        parts.map(move |((a, b), (c, d))| Amounts { money: [a, b, c, d], delivered })
    }

    /// Tells whether every delivered amount is zero; where nothing was delivered, nothing is known to be zero.
    pub fn is_zero(&self) -> bool {
        self.delivered.contains(&true) && self.money.iter().all(|money| money.is_zero())
    }

    fn merge(&mut self, other: &Amounts, combine: impl Fn(Money, Money) -> Money) {
        for index in 0..Metric::ALL.len() {
            self.delivered[index] &= other.delivered[index];
            self.money[index] = if self.delivered[index] {
                combine(self.money[index], other.money[index])
            } else {
                Money::ZERO
            };
        }
    }
}

impl<'a> std::iter::Sum<&'a Amounts> for Amounts {
    fn sum<I: Iterator<Item = &'a Amounts>>(amounts: I) -> Amounts {
        amounts.fold(Amounts::ZERO, |mut sum, amounts| {
            sum.add(amounts);
            sum
        })
    }
}

impl Serialize for Amounts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let delivered = Metric::ALL.iter().filter_map(|metric| Some((metric, self.get(*metric)?)));
        serializer.collect_map(delivered)
    }
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Amounts, D::Error> {
        let map = std::collections::BTreeMap::<Metric, Money>::deserialize(deserializer)?;
        let mut amounts = Amounts::ABSENT;
        for (metric, money) in map {
            amounts.put(metric, Some(money));
        }
        Ok(amounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_delivered_is_never_a_zero() {
        let mut whole = Amounts::ZERO;
        whole.put(Metric::UnblendedCost, Some(Money::from_cents(150)));
        let mut partial = Amounts::ABSENT;
        partial.put(Metric::UnblendedCost, Some(Money::from_cents(50)));
        whole.add(&partial);
        assert_eq!(whole.get(Metric::UnblendedCost), Some(Money::from_cents(200)));
        assert_eq!(whole.get(Metric::AmortizedCost), None);
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(text, r#"{"unblended_cost":"2"}"#);
        assert_eq!(serde_json::from_str::<Amounts>(&text).unwrap(), whole);
    }
}
