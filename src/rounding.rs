//! Owns what rounding did to a part: how far it is from its exact share.
//!
//! **Invariant:** nothing is rounded here; a difference is an exact fraction, and only its printing is cut off.

use std::fmt;

use ethnum::I256;
use serde::{Serialize, Serializer};

use crate::money::Money;

/// By how many 10⁻¹² units a part exceeds its exact share of a whole: an exact fraction, negative where it falls short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    numerator: I256,
    denominator: I256,
}

impl Rounding {
    /// Returns the rounding of a part of a whole that was split by weights; `None` where the weights' total is not positive.
    pub fn of(part: Money, whole: Money, weight: Money, total: Money) -> Option<Rounding> {
        if total <= Money::ZERO {
            return None;
        }
        let wide = |money: Money| I256::from(money.units());
        let numerator = wide(part) * wide(total) - wide(whole) * wide(weight);
        let denominator = wide(total);
        let divisor = common(numerator.abs(), denominator);
        Some(Rounding { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Tells whether the part is its exact share.
    pub fn is_exact(&self) -> bool {
        self.numerator == I256::ZERO
    }

    /// Tells whether it is at most one unit, which is all that a split's rounding amounts to.
    pub fn is_within_a_unit(&self) -> bool {
        self.numerator.abs() <= self.denominator
    }
}

/// The greatest common divisor; the second is positive.
fn common(left: I256, right: I256) -> I256 {
    let (mut left, mut right) = (left, right);
    while left != I256::ZERO {
        (left, right) = (right % left, left);
    }
    right
}

impl fmt::Display for Rounding {
    /// Prints it in 10⁻¹² units, cut off after four places, with its sign.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exact() {
            return formatter.write_str("0");
        }
        let sign = if self.numerator < I256::ZERO { "-" } else { "+" };
        let digits = self.numerator.abs() * I256::from(10_000) / self.denominator;
        let unit = I256::from(10_000);
        write!(formatter, "{sign}{}.{:04}", digits / unit, digits % unit)
    }
}

impl Serialize for Rounding {
    /// Writes the exact fraction as text: `-1/3`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_exact() {
            return serializer.serialize_str("0");
        }
        serializer.collect_str(&format_args!("{}/{}", self.numerator, self.denominator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_third_is_rounded_by_a_third_of_a_unit() {
        let units = Money::from_units;
        let parts = units(100).split(&[units(1), units(1), units(1)]).unwrap();
        let text: Vec<String> = parts
            .iter()
            .map(|part| {
                let rounding = Rounding::of(*part, units(100), units(1), units(3)).unwrap();
                let json = serde_json::to_string(&rounding).unwrap();
                format!("{} {rounding} {json}", part.units())
            })
            .collect();
        assert_eq!(text, ["33 -0.3333 \"-1/3\"", "34 +0.6666 \"2/3\"", "33 -0.3333 \"-1/3\""]);
        assert!(Rounding::of(units(5), units(10), units(1), units(2)).unwrap().is_exact());
        assert_eq!(Rounding::of(units(5), units(10), units(1), units(0)), None);
    }

    proptest! {
        #[test]
        fn every_part_is_within_a_unit_and_roundings_sum_to_nothing(
            whole in any::<i64>(), weights in prop::collection::vec(0_i128..1_000_000, 1..12),
        ) {
            let whole = Money::from_units(i128::from(whole));
            let weights: Vec<Money> = weights.into_iter().map(Money::from_units).collect();
            if let Some(parts) = whole.split(&weights) {
                let total: Money = weights.iter().copied().sum();
                // All of one whole have the total for a denominator, before they are shortened.
                let mut sum = I256::ZERO;
                for (part, weight) in parts.iter().zip(&weights) {
                    let rounding = Rounding::of(*part, whole, *weight, total).unwrap();
                    prop_assert!(rounding.is_within_a_unit(), "{rounding}");
                    sum += rounding.numerator * I256::from(total.units()) / rounding.denominator;
                }
                prop_assert_eq!(sum, I256::ZERO);
            }
        }
    }
}
