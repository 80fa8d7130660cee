//! Owns what a report says about teams in its month: whose cost has none, and whose was split by days.
//!
//! **Invariant:** where any team is configured, what no team is charged is said with its amount.

use std::collections::BTreeSet;

use crate::charge::Charge;
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::owner::Owner;
use crate::pool::Pool;
use crate::report::Report;
use crate::stint::ByDays;
use crate::team::{self, TeamName};

/// Returns the notes that the month's charges give rise to.
pub fn of(report: &Report<'_>) -> Vec<Note> {
    let mut notes: Vec<Note> = without_team(report).into_iter().collect();
    notes.extend(misspelt(report));
    notes.extend(by_days(report));
    notes
}

/// Owners that could have a team, and have none.
fn without_team(report: &Report<'_>) -> Option<Note> {
    if !report.terms.sources.is_any() {
        return None;
    }
    let charges = report.charges;
    let could = |charge: &Charge| {
        let owner = &charges.bearer(charge).owner;
        charge.team.is_none() && !matches!(owner, Owner::Pool(_) | Owner::Unattributed)
    };
    let without: Vec<Charge> = charges.of_month(report.month).filter(could).collect();
    let owners: BTreeSet<usize> = without.iter().map(|charge| charge.bearer).collect();
    if owners.is_empty() {
        return None;
    }
    let amount = without
        .iter()
        .try_fold(Money::ZERO, |sum, charge| Some(sum + charge.amounts.get(report.metric)?));
    let who = match owners.first() {
        Some(only) if owners.len() == 1 => {
            format!("{} is in no team", charges.bearers[*only].owner)
        }
        _ => format!("{} owners are in no team", owners.len()),
    };
    let text = format!("{who} in {}, or not on every day; `owners.csv` names them.", report.month);
    Some(Note::new(NoteKind::NoTeam, text).with_amount(amount))
}

/// Teams whose names are perhaps not those that were meant.
fn misspelt(report: &Report<'_>) -> Vec<Note> {
    let (terms, membership) = (report.terms, &report.charges.membership);
    let peopled = membership.peopled();
    let is_lonely = |name: &TeamName| {
        let place = membership.teams.binary_search(name);
        place.is_ok_and(|place| !peopled.contains(&place))
    };
    let mut texts = Vec::new();
    // What is both told of and charged by a rule is meant, though nobody is in it.
    let is_charged =
        |name: &TeamName| terms.pools.iter().flat_map(Pool::teams).any(|it| it == name);
    // A team without a line is there for what was booked, and not told of.
    for team in terms.teams.iter().filter(|team| team.line > 0) {
        let (name, line) = (&team.name, team.line);
        if is_lonely(name) && !is_charged(name) {
            texts.push(format!("Nobody is in the team `{name}` on line {line}, in any month."));
        }
    }
    texts.extend(team::alike(&membership.teams).into_iter().map(|names| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(" and ");
        format!("The teams {names} differ in nothing but case, spaces and signs, and are charged each by itself.")
    }));
    texts.into_iter().map(|text| Note::new(NoteKind::Team, text)).collect()
}

/// Owners who changed teams within the month, and whose days could not tell how much each team bears.
fn by_days(report: &Report<'_>) -> Vec<Note> {
    let month = report.month;
    let billed: BTreeSet<usize> =
        report.ledger.of_month(month).iter().map(|line| line.bearer).collect();
    let split = report.charges.membership.by_days.range((month, 0)..(month.plus(1), 0));
    // Two rows of the roster may name one team, whose cost is then split over nobody else.
    let is_moved = |place: usize| {
        let mut teams = report.charges.membership.of(month, place).iter().map(|part| part.team);
        let first = teams.next();
        teams.any(|team| Some(team) != first)
    };
    let split = split.filter(|((_, place), _)| billed.contains(place) && is_moved(*place));
    let note = |place: usize, why: ByDays| {
        let owner = &report.ledger.bearers[place].owner;
        let text = format!(
            "{owner} was in more than one team in {month}; its cost is split by the number of days, since {}.",
            why.words()
        );
        Note::new(NoteKind::Team, text)
    };
    split.map(|((_, place), why)| note(*place, *why)).collect()
}
