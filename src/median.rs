//! Owns robust figures of amounts: the middle of several, how far they lie from it, and how fast they change.
//!
//! **Invariant:** no float and no mean of all: an odd month out moves no figure, and of nothing there is no figure.

use crate::money::Money;

/// Returns the middle amount; of an even number the mean of the two in the middle.
pub fn median(amounts: impl IntoIterator<Item = Money>) -> Option<Money> {
    let mut amounts: Vec<Money> = amounts.into_iter().collect();
    amounts.sort_unstable();
    let upper = *amounts.get(amounts.len() / 2)?;
    if amounts.len() % 2 == 1 {
        return Some(upper);
    }
    Some(part(amounts[amounts.len() / 2 - 1] + upper, 2))
}

/// Returns the median absolute deviation from a centre.
pub fn deviation(amounts: impl IntoIterator<Item = Money>, centre: Money) -> Option<Money> {
    median(amounts.into_iter().map(|amount| (amount - centre).abs()))
}

/// Returns one of so many equal parts of an amount, rounded half to even at 10⁻¹².
pub fn part(whole: Money, count: u32) -> Money {
    assert!(count > 0, "an amount has parts");
    let weights = [1, i128::from(count) - 1].map(Money::from_units);
    whole.split(&weights).expect("the first weight is positive")[0]
}

/// Returns an amount so many times over.
pub fn times(amount: Money, count: u32) -> Money {
    (0..count).map(|_| amount).sum()
}

/// How amounts change from one place in time to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slope {
    /// The change a step: the median over all pairs (Theil–Sen).
    pub a_step: Money,
    /// The pairs.
    pub pair_count: usize,
    /// The pairs of which the later is the larger.
    pub rising_count: usize,
    /// The pairs of which the later is the smaller.
    pub falling_count: usize,
}

/// Returns how points change; absent without two of them.
pub fn slope(points: &[(u32, Money)]) -> Option<Slope> {
    let mut slopes = Vec::new();
    for (index, (at, amount)) in points.iter().enumerate() {
        for (later_at, later) in &points[index + 1..] {
            slopes.push(part(*later - *amount, later_at - at));
        }
    }
    Some(Slope {
        a_step: median(slopes.iter().copied())?,
        pair_count: slopes.len(),
        rising_count: slopes.iter().filter(|slope| **slope > Money::ZERO).count(),
        falling_count: slopes.iter().filter(|slope| **slope < Money::ZERO).count(),
    })
}

/// Returns an amount rounded up to two significant digits, as a person would write it, and to whole cents.
pub fn round_up(amount: Money) -> Money {
    let units = amount.units();
    let mut step = Money::from_cents(1).units();
    while units > step * 99 {
        step *= 10;
    }
    let over = units.rem_euclid(step);
    if over == 0 { amount } else { Money::from_units(units - over + step) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn amounts(text: &str) -> Vec<Money> {
        text.split_whitespace().map(money).collect()
    }

    #[test]
    fn an_odd_one_out_moves_neither_the_middle_nor_the_deviation() {
        for (text, middle, off) in [
            ("", None, None),
            ("7", Some("7"), Some("0")),
            ("1 4", Some("2.5"), Some("1.5")),
            ("3 1 2", Some("2"), Some("1")),
            ("100 104 98 101 99", Some("100"), Some("1")),
            ("100 104 98 9000 99", Some("100"), Some("2")),
            ("-5 0 5 10", Some("2.5"), Some("5")),
        ] {
            let found = median(amounts(text));
            assert_eq!(found, middle.map(money), "{text}");
            let found = found.and_then(|centre| deviation(amounts(text), centre));
            assert_eq!(found, off.map(money), "{text}");
        }
    }

    #[test]
    fn a_slope_is_that_of_most_pairs() {
        for (text, a_step, rising, falling) in [
            ("10 20 30 40", "10", 6, 0),
            ("10 20 900 40", "10", 5, 1),
            ("5 5 5", "0", 0, 0),
            ("9 6 3", "-3", 0, 3),
        ] {
            let points: Vec<(u32, Money)> = (0..).zip(amounts(text)).collect();
            let slope = slope(&points).unwrap();
            let counts = (slope.rising_count, slope.falling_count);
            assert_eq!((slope.a_step, counts), (money(a_step), (rising, falling)), "{text}");
        }
        assert_eq!(slope(&[(0, Money::ZERO)]), None);
        // Places that are left out lie between.
        assert_eq!(slope(&[(0, money("1")), (3, money("7"))]).unwrap().a_step, money("2"));
    }

    #[test]
    fn a_limit_is_a_number_that_a_person_would_write() {
        for (text, expected) in [
            ("1240", "1300"),
            ("1300", "1300"),
            ("1300.000000000001", "1400"),
            ("999", "1000"),
            ("99", "99"),
            ("100.01", "110"),
            ("0.991", "1"),
            ("0.0034", "0.01"),
            ("0", "0"),
            ("123456789", "130000000"),
        ] {
            assert_eq!(round_up(money(text)), money(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn rounding_up_never_lowers_and_adds_a_tenth_at_most(cents in 10_i128..1_000_000_000) {
            let (amount, limit) = (Money::from_cents(cents), round_up(Money::from_cents(cents)));
            prop_assert!(limit >= amount);
            prop_assert!(limit.units() * 10 <= amount.units() * 11);
            prop_assert_eq!(round_up(limit), limit);
        }

        #[test]
        fn a_part_is_within_a_unit_of_its_share(units in any::<i64>(), count in 1_u32..400) {
            let whole = Money::from_units(i128::from(units));
            let back = times(part(whole, count), count);
            prop_assert!((back - whole).abs().units() * 2 <= i128::from(count));
        }
    }
}
