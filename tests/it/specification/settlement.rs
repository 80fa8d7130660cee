//! Owns the examples of settlement: how final a month is, and the rule that says so.

use std::collections::BTreeMap;

use apportion::books::{Closing, Objection};
use apportion::money::Money;
use apportion::period::Month;
use apportion::settle;
use apportion::snapshot::Control;
use jiff::Timestamp;
use jiff::civil::Date;

use super::Comparison;
use super::bill;
use super::document::{Block, cells, halves, stated};

const OBJECTIONS: [Objection; 4] =
    [Objection::Open, Objection::Estimated, Objection::Partial, Objection::Moving];

/// Runs `month  snapshot of DAY  facts -> word  reason`.
pub(crate) fn run(block: &Block) -> Comparison {
    let mut comparison = Comparison { stated: Vec::new(), done: Vec::new() };
    for (left, right) in block.sections[0].iter().filter_map(|row| halves(row)) {
        let given = cells(left);
        comparison.stated.push(format!("{}: {}", given.join(", "), stated(right).join(", ")));
        comparison.done.push(format!("{}: {}", given.join(", "), judged(&given)));
    }
    comparison
}

fn judged(given: &[&str]) -> String {
    let month = Month::parse(given[0]).unwrap();
    let mut manifest = bill::manifest(month, month);
    let mut control = Control {
        slice: String::new(),
        month,
        service: "Amazon SageMaker".to_owned(),
        record_type: "Usage".to_owned(),
        amounts: bill::alike(Money::from_cents(100)),
        estimated: false,
        request: 0,
    };
    let mut closing = None;
    for fact in &given[1..] {
        let words: Vec<&str> = fact.split(' ').collect();
        match words.as_slice() {
            ["snapshot", "of", day] => manifest.taken_at = at(day),
            ["estimated"] => control.estimated = true,
            ["changed", day] => {
                manifest.changed.insert(month, at(day));
            }
            ["closed", day, while_open @ ..] => {
                let despite = OBJECTIONS.into_iter().filter(|it| while_open.contains(&it.name()));
                let despite = despite.collect();
                let (at, totals) = (at(day), control.amounts);
                closing = Some(Closing {
                    at,
                    despite,
                    totals,
                    teams: BTreeMap::new(),
                    is_restated: false,
                });
            }
            ["other", "figures"] => closing.as_mut().unwrap().is_restated = true,
            other => panic!("nobody knows what {other:?} means"),
        }
    }
    manifest.bill.push(control);
    let judgement = settle::judge(&manifest, month, closing.as_ref());
    format!("{}, {}", judgement.settlement.name(), judgement.because)
}

fn at(day: &str) -> Timestamp {
    let day: Date = day.parse().unwrap();
    format!("{day}T08:00:00Z").parse().unwrap()
}
