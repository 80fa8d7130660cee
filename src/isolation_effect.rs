//! Owns what isolation policies change for the roles of a domain, in words.

use std::collections::BTreeSet;

use crate::access::Decision;
use crate::listing::listed;
use crate::matrix::{Cell, Tally, is_tagging};
use crate::parties::Relation;

/// Tells what a role may do now and will, relation by relation, and what stays visible.
pub fn sentences(whose: &str, now: &[Cell], planned: &[Cell]) -> Vec<String> {
    let part = |relation: Relation, words: &str| {
        let (before, after) = (sum(now, relation), sum(planned, relation));
        let all = before.allowed + before.denied + before.doubtful;
        let told = |tally: Tally| match tally.doubtful {
            0 => tally.allowed.to_string(),
            count => format!("{} (and {count} that cannot be told)", tally.allowed),
        };
        format!("of {all} on {words} {} now and {} then", told(before), told(after))
    };
    let parts = [
        part(Relation::Own, "its own domain's resources"),
        part(Relation::Other, "another domain's"),
        part(Relation::Untagged, "untagged ones"),
    ];
    let mut sentences = vec![format!("{whose} may take these actions: {}.", parts.join("; "))];
    let (own, other) = (Relation::Own, Relation::Other);
    let (before, after) = (open(now, other), open(planned, other));
    let kept: BTreeSet<&str> = after.intersection(&before).copied().collect();
    let reached: BTreeSet<&str> = after.difference(&before).copied().collect();
    for (cells, words) in [
        (changed(now, planned, own, false), "loses of what is its own domain's"),
        (changed(now, planned, own, true), "gains of what is its own domain's"),
        (reached, "comes to reach what is another domain's"),
        (kept, "still reaches what is another domain's"),
        (changed(now, planned, Relation::Untagged, true), "gains of what bears no domain tag"),
        (changed(now, planned, Relation::Untagged, false), "loses of what bears no domain tag"),
        (changed(now, planned, Relation::Untold, true), "gains where no tag tells"),
    ] {
        if !cells.is_empty() {
            sentences.push(format!("{whose} {words}: {}.", listed(&cells)));
        }
    }
    let untold = open(planned, Relation::Untold);
    if !untold.is_empty() {
        sentences.push(format!(
            "{whose} is not isolated where no tag tells: {}; `apportion isolate matrix --format csv` lists them.",
            listed(&untold)
        ));
    }
    sentences
}

/// Counts the cells of a relation; putting tags on and taking them off is not use.
pub fn sum(cells: &[Cell], relation: Relation) -> Tally {
    let mut tally = Tally::default();
    for cell in cells.iter().filter(|it| it.relation == relation && !is_tagging(&it.action)) {
        tally.count(cell.answer.decision);
    }
    tally
}

/// Returns what is gained of a relation, or what is lost.
fn changed<'a>(
    now: &'a [Cell],
    planned: &[Cell],
    relation: Relation,
    is_gained: bool,
) -> BTreeSet<&'a str> {
    let is_changed = |(before, after): &(&Cell, &Cell)| {
        let (less, more) = if is_gained { (before, after) } else { (after, before) };
        before.relation == relation
            && !is_tagging(&before.action)
            && more.answer.decision == Decision::Allowed
            && less.answer.decision < Decision::Doubtful
    };
    now.iter().zip(planned).filter(is_changed).map(|(before, _)| before.action.as_str()).collect()
}

fn open(cells: &[Cell], relation: Relation) -> BTreeSet<&str> {
    let is_open = |it: &&Cell| {
        it.relation == relation
            && !is_tagging(&it.action)
            && it.answer.decision >= Decision::Doubtful
    };
    cells.iter().filter(is_open).map(|it| it.action.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Answer;
    use crate::parties::RELATIONS;

    /// Makes cells of `Action relation sign`, where the sign is `+`, `?`, `-` or `!`: allowed, doubtful, denied or denied explicitly.
    fn cells(text: &str) -> Vec<Cell> {
        let cell = |text: &str| {
            let [action, relation, sign] =
                text.split_whitespace().collect::<Vec<&str>>().try_into().unwrap();
            let decision = match sign {
                "+" => Decision::Allowed,
                "?" => Decision::Doubtful,
                "-" => Decision::ImplicitlyDenied,
                _ => Decision::ExplicitlyDenied,
            };
            Cell {
                action: action.to_owned(),
                verb: action.to_owned(),
                kind: "model".to_owned(),
                relation: RELATIONS.into_iter().find(|it| it.name() == relation).unwrap(),
                is_created: false,
                answer: Answer { decision, by: Vec::new() },
            }
        };
        text.split(", ").map(cell).collect()
    }

    #[test]
    fn what_changes_is_told_relation_by_relation() {
        for (now, planned, expected) in [
            (
                "A own +, A other +, A untagged +, B untold -",
                "A own +, A other !, A untagged +, B untold -",
                "It may take these actions: of 1 on its own domain's resources 1 now and 1 then; of 1 on another \
                 domain's 1 now and 0 then; of 1 on untagged ones 1 now and 1 then.",
            ),
            (
                "A own +, B own ?, A other -, AddTags own +",
                "A own !, B own !, A other ?, AddTags own !",
                "It may take these actions: of 2 on its own domain's resources 1 (and 1 that cannot be told) now and 0 \
                 then; of 1 on another domain's 0 now and 0 (and 1 that cannot be told) then; of 0 on untagged ones 0 \
                 now and 0 then. It loses of what is its own domain's: A. It comes to reach what is another domain's: A.",
            ),
            (
                "A untold +, B untold +, C untold +, D untold +, E untold +, F untold -",
                "A untold +, B untold +, C untold +, D untold +, E untold ?, F untold -",
                "It may take these actions: of 0 on its own domain's resources 0 now and 0 then; of 0 on another \
                 domain's 0 now and 0 then; of 0 on untagged ones 0 now and 0 then. It is not isolated where no tag \
                 tells: A, B, C, D and 1 more; `apportion isolate matrix --format csv` lists them.",
            ),
        ] {
            assert_eq!(sentences("It", &cells(now), &cells(planned)).join(" "), expected, "{now}");
        }
    }

    #[test]
    fn tagging_is_not_counted_as_use() {
        let cells = cells("AddTags own +, DeleteTags own !, A own +, B own -, C own ?");
        let expected = Tally { allowed: 1, denied: 1, doubtful: 1 };
        assert_eq!(sum(&cells, Relation::Own), expected);
        assert_eq!(sum(&cells, Relation::Other), Tally::default());
    }
}
