//! Owns lists in sentences: some are named, and the rest is counted.

use std::collections::BTreeSet;

/// How many are named before the rest is counted.
const NAMED_COUNT_MAX: usize = 4;

/// Names some and counts the rest.
pub fn listed(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_COUNT_MAX).copied().collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_are_named() {
        for (names, expected) in [
            ("", ""),
            ("a b", "a, b"),
            ("a b c d", "a, b, c, d"),
            ("a b c d e f", "a, b, c, d and 2 more"),
        ] {
            assert_eq!(listed(&names.split_whitespace().collect()), expected);
        }
    }
}
