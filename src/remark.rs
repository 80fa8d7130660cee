//! Owns what the reader must know of pools that could not be moved as their rules say.
//!
//! **Invariant:** what stays, what is split otherwise and what is not weighed is said with its amount.

use crate::basis::Basis;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::period::Month;
use crate::pool::Pool;

/// What a pool holds that nobody has any weight for.
pub struct Stuck {
    /// The owners whom it would leave, by place.
    pub from: Vec<usize>,
    /// The amounts.
    pub amounts: Amounts,
    /// What becomes of it.
    pub outcome: &'static str,
}

/// Says what is odd about files, and which narrowed pools never held anything.
pub fn of_all(pools: &[Pool], is_used: &[bool]) -> Vec<Note> {
    let mut texts: Vec<String> = Vec::new();
    for (pool, is_used) in pools.iter().zip(is_used) {
        texts.extend(pool.weights.remarks.iter().map(|remark| format!("{remark}.")));
        if !is_used && !pool.only.is_empty() {
            texts.push(format!(
                "Nothing of any month matches what the pool `{}` selects.",
                pool.name
            ));
        }
    }
    texts.into_iter().map(|text| Note::new(NoteKind::Allocation, text)).collect()
}

/// Says what is odd about a pool's split in a month; `name` names an owner by its place.
pub fn of_split(
    pool: &Pool,
    month: Month,
    basis: &Basis,
    stuck: &[Stuck],
    metric: Metric,
    name: impl Fn(usize) -> String,
) -> Vec<Note> {
    let note = |text: String, amount| Note::new(NoteKind::Allocation, text).with_amount(amount);
    let because = basis.lacking.unwrap_or("nobody has any weight");
    let title = &pool.name;
    let mut notes = Vec::new();
    for Stuck { from, amounts, outcome } in stuck.iter().filter(|it| !it.from.is_empty()) {
        let from = names(from.iter().copied(), &name);
        let text = format!("The pool `{title}` in {month}, of {from}: {because}, so {outcome}.");
        notes.push(note(text, amounts.get(metric)));
    }
    if basis.lacking.is_none() && !basis.negative.is_empty() {
        let who = names(basis.negative.keys().copied(), &name);
        let text = format!(
            "The pool `{title}` in {month}: less than nothing was billed to {who}, which counts as no weight."
        );
        let sum: Money = basis.negative.values().copied().sum();
        notes.push(note(text, Some(sum)));
    }
    let file = pool.file.as_deref().unwrap_or_default();
    let lines = |lines: &[u64], why: &str| {
        let [first, rest @ ..] = lines else { return None };
        let more = match rest.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        Some(note(format!("`{file}`, line {first}{more}: {why} {month}."), None))
    };
    let nobody = "nobody of that name was billed in any month, so the weight counts for nothing in";
    notes.extend(lines(&basis.unknown, nobody));
    let again = "an earlier line weighs the same under the domain's other name, so the weight counts for nothing in";
    notes.extend(lines(&basis.again, again));
    notes
}

/// Names the first few owners.
fn names(places: impl Iterator<Item = usize>, name: impl Fn(usize) -> String) -> String {
    let mut places: Vec<usize> = places.collect();
    places.sort_unstable();
    places.dedup();
    let shown: Vec<String> = places.iter().take(3).map(|place| name(*place)).collect();
    let shown = shown.join(", ");
    if places.len() > 3 { format!("{shown} and {} more", places.len() - 3) } else { shown }
}
