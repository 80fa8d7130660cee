//! Owns how a matrix reads on a terminal: verb by verb, how many kinds of use are allowed now and with what is planned.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::clean;
use crate::matrix::{Cell, Tally, tally};
use crate::parties::{RELATIONS, Relation};

const HEADINGS: [&str; 4] = ["own", "another's", "untagged", "no tag tells"];
const VERB_WIDTH: usize = 14;
const CELL_WIDTH: usize = 21;

/// Writes one role's matrix: `allowed now/all -> allowed then/all`, with `?` behind what cannot be told.
pub fn text(title: &str, now: &[Cell], planned: &[Cell]) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        writeln!(text, "{}", clean(words).trim_end()).expect("writing to a string does not fail");
    };
    line(title);
    let headings = HEADINGS.map(|it| format!("{it:CELL_WIDTH$}"));
    line(&format!("  {:VERB_WIDTH$}{}", "may", headings.concat()));
    let (now, planned) = (tally(now), tally(planned));
    for (verb, before) in &now {
        let after = &planned[verb];
        let cells: String = RELATIONS.iter().map(|it| cell(*it, before, after)).collect();
        line(&format!("  {verb:VERB_WIDTH$}{cells}"));
    }
    text
}

fn cell(
    relation: Relation,
    before: &BTreeMap<Relation, Tally>,
    after: &BTreeMap<Relation, Tally>,
) -> String {
    let told = |tally: &Tally| {
        let all = tally.allowed + tally.denied + tally.doubtful;
        let doubt =
            if tally.doubtful > 0 { format!(" {}?", tally.doubtful) } else { String::new() };
        format!("{}/{all}{doubt}", tally.allowed)
    };
    let words = match (before.get(&relation), after.get(&relation)) {
        (Some(before), Some(after)) if before == after => told(before),
        (Some(before), Some(after)) => format!("{} -> {}", told(before), told(after)),
        _ => "-".to_owned(),
    };
    format!("{words:CELL_WIDTH$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Answer, Decision};

    #[test]
    fn a_verb_has_a_line_and_a_relation_a_column() {
        let cell = |action: &str, relation, decision| Cell {
            action: action.to_owned(),
            verb: action[..8].to_owned(),
            kind: "model".to_owned(),
            relation,
            is_created: false,
            answer: Answer { decision, by: Vec::new() },
        };
        let at = |other| {
            vec![
                cell("DescribeModel", Relation::Own, Decision::Allowed),
                cell("DescribeModel", Relation::Other, other),
                cell("DescribeJob", Relation::Other, Decision::Doubtful),
            ]
        };
        let told = text("Role", &at(Decision::Allowed), &at(Decision::ExplicitlyDenied));
        let expected = "Role\n  may           own                  another's            untagged             no tag tells\n  \
            Describe      1/1                  1/2 1? -> 0/2 1?     -                    -\n";
        assert_eq!(told, expected);
    }
}
