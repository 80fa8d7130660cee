//! Owns the cents that are printed: whole cents of parts that add up to the cents of their whole.
//!
//! **Invariant:** no part is printed a cent or more from its exact amount, and what is exact in cents stays.

use std::cmp::{Ordering, Reverse};

use crate::money::{Money, UNITS_PER_CENT};

/// Returns the cents of parts that add up to the cents of their whole, by largest remainder.
///
/// The whole's cents are those of the parts' exact sum, rounded in any way to one of the two neighbouring cents: half
/// to even where nothing stands above the whole, or as this function gave them where it is a part itself.
/// Of equal remainders the earlier part goes first, so callers sort by key.
pub fn foot(whole_cents: i128, parts: &[Money]) -> Vec<i128> {
    let mut cents: Vec<i128> =
        parts.iter().map(|part| part.units().div_euclid(UNITS_PER_CENT)).collect();
    let remainder = |index: &usize| parts[*index].units().rem_euclid(UNITS_PER_CENT);
    let mut inexact: Vec<usize> = (0..parts.len()).filter(|index| remainder(index) > 0).collect();
    // With F the sum of the n remainders that are not zero, in cents, the exact sum is the floors and F. Each such
    // remainder is less than a cent, so F < n, or F = 0 = n. The whole's cents are the floors and F rounded down or
    // up, so what is left to hand out is at least 0 and at most n: a cent for each of some inexact parts, which
    // moves them from the cent below their amount to the one above, and none for the exact ones.
    let rest = whole_cents - cents.iter().sum::<i128>();
    let count = usize::try_from(rest).ok().filter(|count| *count <= inexact.len());
    let count = count.expect("the cents of a whole are next to the exact sum of its parts");
    // The sort is stable, so the earlier of equal ones stays first.
    inexact.sort_by_key(|index| Reverse(remainder(index)));
    for index in &inexact[..count] {
        cents[*index] += 1;
    }
    cents
}

/// Returns the cents of the leaves of a tree, handed down from its root level by level.
///
/// The root's cents are those of the exact sum, rounded half to even; then each branch is footed in turn.
/// The cents of a branch are the sum of those of its leaves, so none are returned.
/// Leaves stand in the order of their paths, `compare` tells how two are ordered by the key of a level from 0 up to
/// `level_count` alone, and leaves that have all keys in common share the cents of their branch.
pub fn foot_tree<T>(
    leaves: &[T],
    level_count: usize,
    amount: impl Fn(&T) -> Money,
    compare: impl Fn(&T, &T, usize) -> Ordering,
) -> Vec<i128> {
    let amounts: Vec<Money> = leaves.iter().map(amount).collect();
    let sum: Money = amounts.iter().copied().sum();
    // Each range of leaves with its cents; a level cuts every range into those of its branches.
    let mut ranges = vec![(0..leaves.len(), sum.cents())];
    for level in 0..=level_count {
        let mut next = Vec::with_capacity(ranges.len());
        for (range, cents) in ranges {
            let mut branches = Vec::new();
            let mut start = range.start;
            for end in range.start + 1..=range.end {
                let is_same = end < range.end && level < level_count && {
                    let order = compare(&leaves[end - 1], &leaves[end], level);
                    assert!(order != Ordering::Greater, "leaves stand in the order of their paths");
                    order == Ordering::Equal
                };
                if !is_same {
                    branches.push(start..end);
                    start = end;
                }
            }
            let sums: Vec<Money> = branches
                .iter()
                .map(|branch| amounts[branch.clone()].iter().copied().sum())
                .collect();
            next.extend(branches.into_iter().zip(foot(cents, &sums)));
        }
        ranges = next;
    }
    ranges.into_iter().map(|(_, cents)| cents).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amounts(text: &str) -> Vec<Money> {
        text.split_whitespace().map(|word| Money::parse(word).unwrap()).collect()
    }

    #[test]
    fn the_largest_remainders_get_the_cents() {
        for (parts, whole, expected) in [
            ("", 0, vec![]),
            ("1.25", 125, vec![125]),
            ("0.005", 0, vec![0]),
            ("0.005", 1, vec![1]),
            ("0.333 0.333 0.334", 100, vec![33, 33, 34]),
            ("0.335 0.335 0.33", 100, vec![34, 33, 33]),
            ("0.004 0.004 0.004", 1, vec![1, 0, 0]),
            ("0.006 0.006 0.006", 2, vec![1, 1, 0]),
            ("-0.004 -0.004 -0.004", -1, vec![0, 0, -1]),
            ("10.001 -10.009", -1, vec![1000, -1001]),
            ("10.001 -10.009", 0, vec![1001, -1001]),
            ("0.1 0.005 0.2 0.005", 31, vec![10, 1, 20, 0]),
        ] {
            assert_eq!(foot(whole, &amounts(parts)), expected, "{parts}");
        }
    }

    #[test]
    fn cents_are_handed_down_level_by_level() {
        // The root has 75 cents, so team a (37.4) gets 37 and team b (37.6) gets 38, and so on down.
        let leaves: Vec<(&str, &str, Money)> = [
            ("a", "ana", "0.124"),
            ("a", "bob", "0.25"),
            ("b", "ana", "0.126"),
            ("b", "ben", "0.125"),
            ("b", "ben", "0.125"),
        ]
        .map(|(team, owner, amount)| (team, owner, Money::parse(amount).unwrap()))
        .into();
        let cents = foot_tree(
            &leaves,
            2,
            |leaf| leaf.2,
            |one, other, level| match level {
                0 => one.0.cmp(other.0),
                _ => one.1.cmp(other.1),
            },
        );
        assert_eq!(cents, [12, 25, 13, 13, 12]);
        let none = foot_tree(&[], 2, |leaf: &Money| *leaf, |_, _, _| Ordering::Equal);
        assert!(none.is_empty());
    }

    fn parts() -> impl Strategy<Value = Vec<Money>> {
        let units = prop_oneof![
            -30_000_000_000_i128..30_000_000_000,
            (-300_i128..300).prop_map(|cents| cents * UNITS_PER_CENT),
            (-600_i128..600).prop_map(|halves| halves * (UNITS_PER_CENT / 2)),
        ];
        prop::collection::vec(units.prop_map(Money::from_units), 0..30)
    }

    proptest! {
        #[test]
        fn parts_add_up_and_stay_next_to_their_amount(parts in parts(), is_up in any::<bool>()) {
            let sum = parts.iter().copied().sum::<Money>().units();
            let down = sum.div_euclid(UNITS_PER_CENT);
            let whole = if is_up && sum != down * UNITS_PER_CENT { down + 1 } else { down };
            let cents = foot(whole, &parts);
            prop_assert_eq!(cents.iter().sum::<i128>(), whole);
            for (cents, part) in cents.iter().zip(&parts) {
                prop_assert!((Money::from_cents(*cents) - *part).abs() < Money::from_cents(1));
            }
        }

        #[test]
        fn the_order_of_parts_decides_only_ties(parts in parts()) {
            let whole = parts.iter().copied().sum::<Money>().cents();
            // The remainders that were rounded up and those that were not, whichever parts they are of.
            let rounded = |parts: &[Money]| {
                let cents = foot(whole, parts);
                let mut rounded: Vec<(i128, bool)> = parts
                    .iter()
                    .zip(cents)
                    .map(|(part, cents)| part.units() - cents * UNITS_PER_CENT)
                    .map(|off| (off.rem_euclid(UNITS_PER_CENT), off < 0))
                    .collect();
                rounded.sort_unstable();
                rounded
            };
            let turned: Vec<Money> = parts.iter().rev().copied().collect();
            let there = rounded(&parts);
            prop_assert_eq!(&there, &rounded(&turned));
            let down = there.iter().filter(|it| !it.1).map(|it| it.0).max();
            let up = there.iter().filter(|it| it.1).map(|it| it.0).min();
            prop_assert!(down.zip(up).is_none_or(|(down, up)| down <= up));
        }

        #[test]
        fn every_branch_of_a_tree_is_next_to_its_amount(
            amounts in prop::collection::vec((0..3, 0..3, 0..3, -30_000_000_000_i128..90_000_000_000), 0..60),
        ) {
            let mut leaves: Vec<([i32; 3], Money)> =
                amounts.into_iter().map(|(a, b, c, it)| ([a, b, c], Money::from_units(it))).collect();
            leaves.sort();
            let cents = foot_tree(&leaves, 3, |it| it.1, |one, other, level| one.0[level].cmp(&other.0[level]));
            prop_assert_eq!(cents.len(), leaves.len());
            let total: Money = leaves.iter().map(|leaf| leaf.1).sum();
            prop_assert_eq!(cents.iter().sum::<i128>(), total.cents());
            for depth in 1..=3 {
                for (path, _) in &leaves {
                    let within = leaves.iter().zip(&cents).filter(|((it, _), _)| it[..depth] == path[..depth]);
                    let (mut exact, mut printed) = (Money::ZERO, 0);
                    for ((_, amount), cents) in within {
                        exact += *amount;
                        printed += cents;
                    }
                    prop_assert!((Money::from_cents(printed) - exact).abs() < Money::from_cents(1));
                }
            }
        }
    }
}
