//! Owns the examples of the bridge from the whole bill to the scope.

use apportion::control;
use apportion::key;
use apportion::money::Money;
use apportion::note::NoteKind;
use apportion::period::Month;

use super::Comparison;
use super::bill::{self, Entry, Setting};
use super::document::{Block, cells, stated};
use super::notation::{money, plain};
use super::owners;

/// Runs rows of service, record type, billed and claimed amounts against the steps of the bridge.
pub(crate) fn run(block: &Block) -> Comparison {
    let mut entries = Vec::new();
    // The first row is the heading.
    for row in &block.sections[0][1..] {
        let [service, record_type, billed, claimed] = cells(row)[..] else { panic!("{row}") };
        let (billed, claimed) = (money(billed).unwrap(), money(claimed).unwrap());
        let of = |money: Money| Entry {
            service: service.to_owned(),
            record_type: record_type.to_owned(),
            ..Entry::new(money)
        };
        let value = "arn:aws:sagemaker:eu-west-1:111122223333:domain/d-a".to_owned();
        let tagged = [(key::DOMAIN.to_owned(), value)].into();
        entries.push(Entry { tags: tagged, ..of(claimed) });
        entries.push(of(billed - claimed));
    }
    let posted = bill::post(&entries, Setting::default());
    let month = Month::parse(bill::MONTH).unwrap();
    let steps = control::bridge(&posted.snapshot.manifest, month);
    assert!(control::bridge_gap(&steps).is_zero(), "the bridge foots");
    assert_eq!(posted.ledger.total(month), steps.last().unwrap().amounts);
    let (notes, rows): (Vec<String>, Vec<String>) =
        block.outcome().iter().cloned().partition(|row| row.starts_with("note: "));
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| stated(row)).collect();
    let mut comparison = Comparison { stated: Vec::new(), done: Vec::new() };
    for cells in &rows {
        let (amount, words) = cells.split_last().unwrap();
        comparison.stated.push(format!("{}: {}", words.join(": "), plain(amount)));
    }
    for (index, step) in steps.iter().enumerate() {
        let amount = step.amounts.get(bill::METRIC);
        let calculation = rows.get(index).and_then(|cells| cells.get(1..cells.len() - 1));
        let calculation = calculation.unwrap_or_default().join(" ");
        // A calculation that is shown is one that comes out.
        let shown = match calculated(&calculation) {
            None => String::new(),
            Some(result) if Some(result) == amount => format!("{calculation}: "),
            Some(result) => format!("{result}: "),
        };
        let printed = amount.map(|money| money.to_string()).unwrap_or_default();
        comparison.done.push(format!("{}: {shown}{printed}", step.what));
    }
    let must = [NoteKind::NearScope, NoteKind::DoesNotReconcile];
    owners::compare_notes(&mut comparison, &must, &notes, &posted.notes());
    comparison
}

/// The result of `−(60.00 + 500.00) + 25.00`; absent where there is no such calculation.
pub(crate) fn calculated(text: &str) -> Option<Money> {
    let text = text.replace('−', "-").replace('(', " ( ").replace(')', " ) ");
    let text = text.replace('-', " - ").replace('+', " + ");
    let (mut sum, mut sign) = (Money::ZERO, 1);
    let mut outer = vec![1];
    let mut count = 0;
    for word in text.split_whitespace() {
        match word {
            "(" => outer.push(outer.last()? * std::mem::replace(&mut sign, 1)),
            ")" => {
                outer.pop();
            }
            "-" => sign = -1,
            "+" => sign = 1,
            amount => {
                let amount = money(amount)?;
                sum += if sign * outer.last()? < 0 { -amount } else { amount };
                count += 1;
            }
        }
    }
    (count > 0).then_some(sum)
}
