//! Owns the examples of restatement: what was charged for a closed month, and what would be charged now.

use apportion::period::Month;
use apportion::restate::{self, Figures, States};

use super::Comparison;
use super::bill;
use super::charges::Given;
use super::document::{self, Block, cells};
use super::notation::{plain, printed};

/// Runs a closed month against the same month with later data, and with other terms where there are some.
///
/// The sections that begin with `then` and `now` are the bills; a configuration holds until the next one.
pub(crate) fn run(block: &Block) -> Comparison {
    let given = &block.sections[..block.sections.len() - 1];
    let begins = |word: &str| given.iter().position(|section| section[0] == word);
    let (then, now) = (begins("then").unwrap(), begins("now").unwrap());
    let bill = |at: usize| vec![given[at][1..].to_vec()];
    let (before, after) = (&given[..then], &given[now + 1..]);
    let changed = if after.is_empty() { before } else { after };
    let figures = |terms: &[Vec<String>], bill: Vec<Vec<String>>| -> Figures {
        let sections: Vec<Vec<String>> = terms.iter().cloned().chain(bill).collect();
        let posted = Given::of(&sections).post().unwrap();
        let charges = posted.charges();
        restate::figures(&charges, Month::parse(bill::MONTH).unwrap())
    };
    let of_month = States {
        charged: figures(before, bill(then)),
        program: figures(before, bill(then)),
        data: figures(before, bill(now)),
        terms: figures(changed, bill(now)),
    };
    let rows = restate::compare(&of_month, false);
    let outcome = block.outcome();
    let heading = cells(&outcome[0]);
    let mut stated: Vec<String> = outcome[1..]
        .iter()
        .map(|row| document::stated(row).into_iter().map(plain).collect::<Vec<_>>().join(" | "))
        .collect();
    let mut done: Vec<String> = rows
        .iter()
        .map(|row| {
            let amount = |amounts: &apportion::metric::Amounts| printed(amounts.get(bill::METRIC));
            let cells = heading.iter().map(|name| match *name {
                "team" => row.place.team.as_ref().map_or("blank".to_owned(), ToString::to_string),
                "owner" => row.place.owner.clone(),
                "record_type" => row.place.record_type.clone(),
                "cause" => row.cause.name().to_owned(),
                "old" => amount(&row.old),
                "new" => amount(&row.new),
                "difference" => amount(&row.difference),
                other => format!("no column {other}"),
            });
            cells.collect::<Vec<_>>().join(" | ")
        })
        .collect();
    stated.sort();
    done.sort();
    Comparison { stated, done }
}
