//! Owns statements: what each team is charged in the report's month, against earlier months, its year and its budget.
//!
//! **Invariant:** the printed totals of all statements sum to the printed charged total of the month.

use std::collections::BTreeMap;

use crate::figure::{self, Amount, Class, Figure, Source};
use crate::lookback::{Lookback, Previous, Span, booked};
use crate::money::Money;
use crate::period::Month;
use crate::presence::{self, Presence};
use crate::report::{NO_TEAM, Report};
use crate::team::{self, TeamName};
use crate::terms::Credits;

/// Every statement of a month.
pub struct Statements<'a> {
    /// The report.
    pub report: &'a Report<'a>,
    /// One a team, in the order of teams, and last the one of what has no team.
    pub statements: Vec<Statement>,
    /// What all of them sum to.
    pub total: Amount,
    /// What a spread gave in a section, to whomever.
    pub wholes: BTreeMap<(Section, usize), Amount>,
    /// The weights of each spread of the month, by its place.
    pub weights: BTreeMap<usize, Weights>,
}

/// What a team is charged, or what has no team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The team, by its place in the membership; absent for what has none.
    pub team: Option<usize>,
    /// The team's name, or the words where there is none.
    pub name: String,
    /// The words of the configuration, where the name is a code.
    pub title: Option<String>,
    /// The stem of its files.
    pub stem: String,
    /// Its figures, in order.
    pub figures: Vec<Figure>,
    /// What it is charged.
    pub total: Amount,
    /// What restatements of closed months booked in this one, by the closed month; outside the total.
    pub booked: BTreeMap<Month, Amount>,
    /// The month before.
    pub previous: Previous,
    /// The month, the quarter and the year to date.
    pub spans: [Span; 3],
    /// What was and is there.
    pub presence: Presence,
}

/// A part of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What AWS billed for the team's owners.
    Billed,
    /// Shared cost, by rule.
    Shared,
    /// Credits and refunds, where they stand apart.
    Credits,
    /// SageMaker's share of tax and support.
    Tax,
}

/// How a spread's weights fall to teams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// By team, by its place; absent without one.
    pub by_team: BTreeMap<Option<usize>, Money>,
    /// All of them.
    pub whole: Money,
}

impl Section {
    /// Every section, in the order of a statement.
    pub const ALL: [Section; 4] =
        [Section::Billed, Section::Shared, Section::Credits, Section::Tax];

    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Section::Billed => "billed",
            Section::Shared => "shared",
            Section::Credits => "credits",
            Section::Tax => "tax",
        }
    }

    /// Tells the section of a figure.
    pub fn of(figure: &Figure, credits: Credits) -> Section {
        match (figure.class, figure.source) {
            (Class::Tax | Class::Support, _) => Section::Tax,
            (Class::Credit, _) if credits == Credits::Apart => Section::Credits,
            (_, Source::Billed) => Section::Billed,
            (_, Source::Out(_) | Source::In(_)) => Section::Shared,
        }
    }
}

impl Statement {
    /// Returns what is charged in all: the total, and what was booked of closed months.
    pub fn due(&self) -> Amount {
        [self.total].into_iter().chain(self.booked.values().copied()).sum()
    }

    /// Returns the sum of a section.
    pub fn section(&self, section: Section, credits: Credits) -> Amount {
        let figures = self.figures.iter().filter(|it| Section::of(it, credits) == section);
        figures.map(|figure| figure.amount).sum()
    }
}

/// Returns the statements of the report's month.
///
/// Returns `None` where the report's metric was not delivered for every charge of it: then there is no total to state.
pub fn of<'a>(report: &'a Report<'a>) -> Option<Statements<'a>> {
    let membership = &report.charges.membership;
    let credits = report.terms.style.credits;
    let mut figures: BTreeMap<Option<usize>, Vec<Figure>> = BTreeMap::new();
    let mut wholes: BTreeMap<(Section, usize), Amount> = BTreeMap::new();
    let mut total = Amount::default();
    for figure in figure::of(report)? {
        total += figure.amount;
        if let Source::In(spread) = figure.source {
            *wholes.entry((Section::of(&figure, credits), spread)).or_default() += figure.amount;
        }
        figures.entry(figure.team).or_default().push(figure);
    }
    let mut booked = booked(report, report.month)?;
    let history = Lookback::new(report);
    let configured = team::by_name(&report.terms.teams);
    let stems = stems(&membership.teams);
    let mut presences = presence::of(report).into_iter();
    let teams = (0..membership.teams.len()).map(Some).chain([None]);
    let statements = teams.zip(stems).map(|(place, stem)| {
        let name = place.map(|place| &membership.teams[place]);
        let told = name.and_then(|name| configured.get(name));
        let figures = figures.remove(&place).unwrap_or_default();
        Statement {
            team: place,
            name: name.map_or(NO_TEAM, TeamName::as_str).to_owned(),
            title: told.and_then(|team| team.title.clone()),
            stem,
            total: figures.iter().map(|figure| figure.amount).sum(),
            booked: booked.remove(&name).unwrap_or_default(),
            figures,
            previous: history.previous(report.month.plus(-1), place),
            spans: history.spans(place, told.and_then(|team| team.budget)),
            presence: presences.next().expect("each team has a presence, and so has no team"),
        }
    });
    let statements = statements.collect();
    Some(Statements { report, statements, total, wholes, weights: weights(report) })
}

/// The stems of the teams' files, and last of what has no team, which no team can take.
fn stems(teams: &[TeamName]) -> Vec<String> {
    let nobody = TeamName::parse(NO_TEAM).expect("the words are a fit name");
    let names: Vec<TeamName> = teams.iter().cloned().chain([nobody]).collect();
    team::file_stems(&names)
}

fn weights(report: &Report<'_>) -> BTreeMap<usize, Weights> {
    let charges = report.charges;
    let spreads = charges.allocation.spreads.iter().enumerate();
    let spreads = spreads.filter(|(_, spread)| spread.month == report.month);
    spreads
        .map(|(place, spread)| {
            let mut weights = Weights::default();
            for target in &spread.targets {
                weights.whole += target.weight;
                for (team, part) in charges.over_teams(spread.month, target.bearer, target.weight) {
                    *weights.by_team.entry(team).or_default() += part;
                }
            }
            (place, weights)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_in_one_section() {
        let (billed, moved) = (Source::Billed, Source::In(0));
        for (class, source, credits, expected) in [
            (Class::Cost, billed, Credits::Apart, "billed"),
            (Class::Cost, moved, Credits::Apart, "shared"),
            (Class::Cost, Source::Out(0), Credits::Netted, "shared"),
            (Class::Credit, billed, Credits::Apart, "credits"),
            (Class::Credit, moved, Credits::Apart, "credits"),
            (Class::Credit, billed, Credits::Netted, "billed"),
            (Class::Credit, moved, Credits::Netted, "shared"),
            (Class::Tax, moved, Credits::Netted, "tax"),
            (Class::Support, billed, Credits::Apart, "tax"),
        ] {
            let component = crate::usage::Component::Other;
            let amount = Amount::default();
            let figure = Figure { team: None, bearer: 0, component, class, source, amount };
            assert_eq!(Section::of(&figure, credits).name(), expected, "{class:?} {source:?}");
        }
    }
}
