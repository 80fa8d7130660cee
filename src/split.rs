//! Owns the one division of amounts: a split by weights.
//!
//! **Invariant:** the parts add up to the whole exactly, and depend on nothing but the whole and the weights.

use ethnum::I256;

use crate::money::{Money, round_half_even, wide_round_half_even};

/// Weights that an amount can be split by: none is negative, and some are positive.
///
/// They are added up once, so that several amounts are split by the same weights cheaply, and one part alone too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// The running totals, all divided by what divides every weight.
    totals: Vec<i128>,
    whole: i128,
}

/// Weights that nothing can be split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWeights {
    /// The weight at that index is the first that is negative.
    #[error("a weight is negative")]
    Negative(usize),
    /// There is none, or none but zeros.
    #[error("no weight is positive")]
    NonePositive,
    /// Their sum lies beyond the range of amounts.
    #[error("the sum of the weights is beyond the range of amounts")]
    TooLarge,
}

impl Weights {
    /// Returns the weights, added up.
    pub fn new(weights: impl IntoIterator<Item = Money>) -> Result<Weights, NotWeights> {
        let (mut totals, mut whole, mut divisor) = (Vec::new(), 0_i128, 0_i128);
        for (index, weight) in weights.into_iter().enumerate() {
            let weight = weight.units();
            if weight < 0 {
                return Err(NotWeights::Negative(index));
            }
            whole = whole.checked_add(weight).ok_or(NotWeights::TooLarge)?;
            totals.push(whole);
            divisor = common_divisor(weight, divisor);
        }
        if whole == 0 {
            return Err(NotWeights::NonePositive);
        }
        // Smaller totals keep the products of a split within 128 bits, and change no part.
        if divisor > 1 {
            for total in &mut totals {
                *total /= divisor;
            }
        }
        Ok(Weights { totals, whole: whole / divisor })
    }

    /// Returns the number of weights.
    pub fn count(&self) -> usize {
        self.totals.len()
    }

    /// Splits an amount into one part a weight, in their order; the parts add up to it exactly.
    ///
    /// The whole is cut at the running totals of the weights, each cut rounded once half to even.
    /// Weight zero gets zero, and no part of a positive whole is negative.
    pub fn split(&self, whole: Money) -> impl Iterator<Item = Money> {
        let (mut total_before, mut cut_before) = (0, 0);
        self.totals.iter().map(move |total| {
            if *total == total_before {
                return Money::ZERO;
            }
            let cut = self.cut(whole, *total);
            let part = Money::from_units(cut - cut_before);
            (total_before, cut_before) = (*total, cut);
            part
        })
    }

    /// Returns the part at an index alone, in constant time; it is the one of [`Weights::split`].
    pub fn part(&self, whole: Money, index: usize) -> Money {
        let total = self.totals[index];
        let total_before = index.checked_sub(1).map_or(0, |before| self.totals[before]);
        if total == total_before {
            return Money::ZERO;
        }
        Money::from_units(self.cut(whole, total) - self.cut(whole, total_before))
    }

    /// Returns where the whole is cut, from its start, for a running total.
    fn cut(&self, whole: Money, total: i128) -> i128 {
        if total == 0 {
            return 0;
        }
        if total == self.whole {
            return whole.units();
        }
        match whole.units().checked_mul(total) {
            Some(product) => round_half_even(product, self.whole),
            None => wide_cut(whole.units(), total, self.whole),
        }
    }
}

impl Money {
    /// Splits the amount by weights so that the parts add up to it exactly, as [`Weights::split`] does.
    ///
    /// Returns `None` when a weight is negative or none is positive: the caller must say what then.
    pub fn split(self, weights: &[Money]) -> Option<Vec<Money>> {
        let weights = Weights::new(weights.iter().copied()).ok()?;
        Some(weights.split(self).collect())
    }
}

fn wide_cut(whole: i128, total: i128, of: i128) -> i128 {
    wide_round_half_even(I256::from(whole) * I256::from(total), I256::from(of))
}

/// Returns the largest number that divides both; zero is divided by all.
fn common_divisor(one: i128, other: i128) -> i128 {
    let (mut one, mut other) = (one, other);
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(units: &[i128]) -> Vec<Money> {
        units.iter().copied().map(Money::from_units).collect()
    }

    #[test]
    fn a_split_survives_the_largest_products() {
        let billion = Money::parse("1000000000").unwrap();
        let parts = billion.split(&[billion, billion, billion]).unwrap();
        assert_eq!(parts.iter().copied().sum::<Money>(), billion);
        assert_eq!(parts[0].to_string(), "333333333.333333333333");
        let most = i128::MAX / 2;
        let parts = Money::from_units(i128::MIN).split(&units(&[most - 1, 1, most])).unwrap();
        assert_eq!(parts.iter().copied().sum::<Money>(), Money::from_units(i128::MIN));
    }

    #[test]
    fn weights_that_split_nothing_are_refused() {
        for (weights, expected) in [
            (vec![], NotWeights::NonePositive),
            (vec![0, 0], NotWeights::NonePositive),
            (vec![2, -1, -3], NotWeights::Negative(1)),
            (vec![i128::MAX, 1], NotWeights::TooLarge),
        ] {
            assert_eq!(Weights::new(units(&weights)), Err(expected), "{weights:?}");
            assert_eq!(Money::from_cents(1).split(&units(&weights)), None);
        }
    }

    #[test]
    fn cuts_round_half_to_even() {
        for (whole, weights, expected) in [
            (1, vec![1, 1], vec![0, 1]),
            (3, vec![1, 1], vec![2, 1]),
            (-1, vec![1, 1], vec![0, -1]),
            (-3, vec![1, 1], vec![-2, -1]),
            (10, vec![0, 3, 0, 3, 3, 0], vec![0, 3, 0, 4, 3, 0]),
            (0, vec![1, 2], vec![0, 0]),
        ] {
            let parts = Money::from_units(whole).split(&units(&weights)).unwrap();
            assert_eq!(parts, units(&expected), "{whole} by {weights:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up_and_follow_their_weights(
            whole in -1_000_000_000_000_i128..1_000_000_000_000,
            weights in prop::collection::vec(0_i128..1_000_000, 1..40),
        ) {
            let Some(parts) = Money::from_units(whole).split(&units(&weights)) else {
                prop_assert!(weights.iter().all(|weight| *weight == 0));
                return Ok(());
            };
            let total: i128 = weights.iter().sum();
            prop_assert_eq!(parts.iter().map(|part| part.units()).sum::<i128>(), whole);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight != 0 || part.is_zero());
                prop_assert!(whole < 0 || part.units() >= 0);
                // Two cuts, each off by half a unit at most.
                prop_assert!((part.units() * total - whole * weight).abs() <= total);
            }
        }

        #[test]
        fn the_fast_ways_are_the_exact_one(
            whole in prop_oneof![any::<i64>().prop_map(i128::from), any::<i128>()],
            weights in prop::collection::vec(prop_oneof![0_i128..40, 0..i128::MAX >> 7], 1..40),
            scale in prop::sample::select(vec![1_i128, 2, 10, 60]),
        ) {
            let weights: Vec<i128> = weights.into_iter().map(|weight| weight / scale * scale).collect();
            let Ok(known) = Weights::new(units(&weights)) else { return Ok(()) };
            let total: i128 = weights.iter().sum();
            let (mut running, mut cut_before) = (0, 0);
            let split: Vec<Money> = known.split(Money::from_units(whole)).collect();
            prop_assert_eq!(split.len(), known.count());
            for (index, weight) in weights.iter().enumerate() {
                running += weight;
                let cut = wide_cut(whole, running, total);
                let expected = Money::from_units(cut - cut_before);
                prop_assert_eq!(split[index], expected);
                prop_assert_eq!(known.part(Money::from_units(whole), index), expected);
                cut_before = cut;
            }
        }
    }
}
