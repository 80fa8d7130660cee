//! Owns the examples of printed cents: levels of labels, exact amounts and the cents that they are printed with.

use apportion::cents;
use apportion::money::Money;
use apportion::render::text;

use super::Comparison;
use super::document::{Block, cells, halves, stated};
use super::notation::money;

/// Runs `label  …  exact -> printed` with the printed total below.
pub(crate) fn run(block: &Block) -> Comparison {
    let rows: Vec<(&str, &str)> = block.sections[0].iter().filter_map(|row| halves(row)).collect();
    let leaves: Vec<(Vec<&str>, Money)> = rows
        .iter()
        .map(|(left, _)| {
            let mut labels = cells(left);
            let amount = labels.pop().and_then(money).expect("a row ends in its amount");
            (labels, amount)
        })
        .collect();
    let levels = leaves.iter().map(|(labels, _)| labels.len()).max().unwrap();
    let printed = cents::foot_tree(
        &leaves,
        levels,
        |(_, amount)| *amount,
        |(one, _), (two, _), level| one[level].cmp(two[level]),
    );
    let mut comparison = Comparison { stated: Vec::new(), done: Vec::new() };
    for ((left, right), cents) in rows.iter().zip(&printed) {
        let left = cells(left).join(" ");
        comparison.stated.push(format!("{left}: {}", stated(right).join(" ")));
        comparison.done.push(format!("{left}: {}", text::dollars(Money::from_cents(*cents))));
    }
    for row in block.outcome() {
        comparison.stated.push(stated(row).join(" "));
    }
    let exact: Money = leaves.iter().map(|(_, amount)| *amount).sum();
    let total = Money::from_cents(printed.iter().sum());
    comparison.done.push(format!("total {exact} {}", text::dollars(total)));
    comparison
}
