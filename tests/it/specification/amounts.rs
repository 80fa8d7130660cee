//! Owns the examples of amounts: how they are read and printed, and how metrics stand side by side.

use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::period::Month;
use apportion::render::text;

use super::Comparison;
use super::bill::{self, Entry, Setting};
use super::document::{Block, cells, halves, stated};
use super::notation::{Notation, money, plain, printed};

/// Runs `text as AWS sent it -> exact  printed`.
pub(crate) fn amounts(block: &Block) -> Comparison {
    let rows: Vec<(&str, &str)> = block.sections[0].iter().filter_map(|row| halves(row)).collect();
    let stated =
        rows.iter().map(|(left, right)| format!("{}: {}", left.trim(), stated(right).join(", ")));
    let done = rows.iter().map(|(left, _)| {
        let left = left.trim();
        let read = Money::parse(left);
        let told = read.map_or_else(
            |_| "refused".to_owned(),
            |money| format!("{money}, {}", text::dollars(money)),
        );
        format!("{left}: {told}")
    });
    Comparison { stated: stated.collect(), done: done.collect() }
}

/// Runs amounts in several metrics, and their sums.
pub(crate) fn metrics(block: &Block) -> Comparison {
    let heading = cells(&block.sections[0][0]);
    let metrics: Vec<Metric> =
        heading[1..].iter().map(|name| Metric::parse(name).expect("a metric")).collect();
    let notation = Notation::new();
    let mut entries = Vec::new();
    for row in &block.sections[0][1..] {
        let cells = cells(row);
        let (key, value) = notation.tag(cells[0]).expect("a tag");
        let mut amounts = Amounts::ABSENT;
        for (metric, cell) in metrics.iter().zip(&cells[1..]) {
            assert!(*cell == "blank" || money(cell).is_some(), "{row}");
            amounts.put(*metric, money(cell));
        }
        entries.push(Entry { tags: [(key, value)].into(), amounts, ..Entry::new(Money::ZERO) });
    }
    let posted = bill::post(&entries, Setting::default());
    let total = posted.ledger.total(Month::parse(bill::MONTH).unwrap());
    let stated = block.outcome().iter().map(|row| {
        let words: Vec<String> = stated(row).into_iter().map(plain).collect();
        words.join(" ")
    });
    let sums: Vec<String> = metrics.iter().map(|metric| printed(total.get(*metric))).collect();
    Comparison { stated: stated.collect(), done: vec![format!("sum {}", sums.join(" "))] }
}
