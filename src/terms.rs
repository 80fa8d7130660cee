//! Owns terms: all that the configuration says about who is charged, for what, and how it is shown.
//!
//! **Invariant:** terms are checked whole, with their files, before anything is spent or written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::assignment::{self, Assignment};
use crate::fiscal::FiscalYear;
use crate::journal::JournalTerms;
use crate::money::Money;
use crate::person::{self, Person, Wrong};
use crate::pool::Pool;
use crate::rate::{Currency, Rates};
use crate::roster::Roster;
use crate::rule::{self, NotPool};
use crate::sheet::NotSheet;
use crate::source::{self, Sources};
use crate::team::{Team, TeamName};

/// The files that the configuration names, by the name that it gives them.
pub type Files = BTreeMap<String, Vec<u8>>;

/// How cost is charged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Teams that the configuration tells something of.
    pub teams: Vec<Team>,
    /// Who belongs to which team.
    pub sources: Sources,
    /// Shared cost and its rules, in order.
    pub pools: Vec<Pool>,
    /// What statements show.
    pub style: Style,
    /// When a fiscal year begins.
    pub fiscal: FiscalYear,
    /// The currency of a converted column and its rates, where one is wanted.
    pub rates: Option<Rates>,
    /// The accounts of the journal, where one is wanted.
    pub journal: Option<JournalTerms>,
}

/// The tables of the configuration that terms are made of, as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// `[[team]]`.
    pub team: Vec<Team>,
    /// `[teams]`.
    pub teams: source::Table,
    /// `[[assignment]]`.
    pub assignment: Vec<Assignment>,
    /// `[people]`.
    pub people: person::Table,
    /// `[[person]]`.
    pub person: Vec<Person>,
    /// `[[pool]]`.
    pub pool: Vec<Pool>,
    /// `[statements]`.
    pub statements: Style,
    /// `fiscal_year_start`.
    pub fiscal_year_start: FiscalYear,
    /// `[rates]`.
    pub rates: Option<Conversion>,
    /// `[journal]`.
    pub journal: Option<JournalTerms>,
}

/// Which currency amounts are converted to, and where its rates are: the `[rates]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// The CSV of rates.
    pub file: String,
    /// The currency.
    pub currency: Currency,
}

/// What is wrong with terms, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct Problem {
    /// The file of the configuration that it is in; absent for the configuration itself.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// What is wrong.
    pub why: String,
}

impl Problem {
    /// Makes a problem of a line of the configuration itself.
    pub fn at(line: u64, why: impl Into<String>) -> Problem {
        Problem { file: None, line: Some(line), why: why.into() }
    }
}

impl From<NotPool> for Problem {
    fn from(error: NotPool) -> Problem {
        match error {
            NotPool::Table { line, why } => Problem::at(line, why),
            NotPool::File(error) => error.into(),
        }
    }
}

impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Problem {
        Problem::at(wrong.line, wrong.why)
    }
}

impl From<NotSheet> for Problem {
    fn from(error: NotSheet) -> Problem {
        Problem { file: Some(error.file), line: Some(error.line), why: error.why }
    }
}

impl Tables {
    /// Returns the names of the files that must be read before terms can be made.
    pub fn files(&self) -> BTreeSet<&str> {
        let pools = self.pool.iter().filter_map(|pool| pool.file.as_deref());
        let rates = self.rates.as_ref().map(|rates| rates.file.as_str());
        pools.chain(self.teams.file.as_deref()).chain(rates).collect()
    }
}

/// Returns a file that the configuration names.
fn file_of<'a>(files: &'a Files, name: &str) -> Result<&'a [u8], Problem> {
    let why = || format!("the file `{name}` was not read");
    let missing = || Problem { file: None, line: None, why: why() };
    files.get(name).map(Vec::as_slice).ok_or_else(missing)
}

/// Checks what the configuration tells of teams.
fn check_teams(teams: &[Team], journal: Option<&JournalTerms>) -> Result<(), Problem> {
    let mut names: BTreeMap<&TeamName, u64> = BTreeMap::new();
    for team in teams {
        let wrong = |why: String| Err(Problem::at(team.line, why));
        let name = &team.name;
        if let Some(line) = names.insert(name, team.line) {
            return wrong(format!("the team `{name}` is on line {line} already"));
        }
        if team.budget.is_some_and(|budget| budget <= Money::ZERO) {
            return wrong(format!("team `{name}`: its budget must be above zero"));
        }
        let Some(account) = &team.account else { continue };
        if account.trim() != account || account.is_empty() {
            let why = "its account must be a text without space at its ends";
            return wrong(format!("team `{name}`: {why}"));
        }
        if journal.is_some_and(|journal| journal.credit_account() == account) {
            let why = format!(
                "its account and `credit_account` are both `{account}`, so nothing would be booked"
            );
            return wrong(format!("team `{name}`: {why}"));
        }
    }
    Ok(())
}

impl Terms {
    /// Makes terms of their tables and files, or tells the first thing that is wrong.
    pub fn make(mut tables: Tables, files: &Files) -> Result<Terms, Problem> {
        check_teams(&tables.team, tables.journal.as_ref())?;
        rule::check(&mut tables.pool, files)?;
        let rates = match &tables.rates {
            None => None,
            Some(Conversion { file, currency }) => {
                Some(Rates::parse(file, file_of(files, file)?, currency)?)
            }
        };
        person::check(&tables.person)?;
        assignment::check(&tables.assignment)?;
        let roster = match &tables.teams.file {
            Some(file) => Roster::parse(file, file_of(files, file)?, &tables.person)?,
            None => Roster::default(),
        };
        let sources = Sources {
            roster,
            people: tables.person,
            join: tables.people.join,
            assignments: tables.assignment,
            tags: tables.teams.tags,
        };
        Ok(Terms {
            teams: tables.team,
            sources,
            pools: tables.pool,
            style: tables.statements,
            fiscal: tables.fiscal_year_start,
            rates,
            journal: tables.journal,
        })
    }

    /// Tells whether anything says who is charged, so that there is something to state.
    pub fn is_charging(&self) -> bool {
        !(self.teams.is_empty() && self.pools.is_empty()) || self.sources != Sources::default()
    }

    /// Returns every team that the configuration names, each at least once.
    pub fn named(&self) -> impl Iterator<Item = TeamName> + '_ {
        let charged = self.pools.iter().flat_map(Pool::teams);
        self.teams.iter().map(|team| &team.name).chain(charged).cloned()
    }
}

/// What statements show: the `[statements]` table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Style {
    /// Whether credits stand apart or are netted.
    pub credits: Credits,
    /// What one team sees of another's people.
    pub people: People,
}

/// How credits and refunds are shown; the total is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credits {
    /// In a column and section of their own.
    #[default]
    Apart,
    /// Within what was billed.
    Netted,
}

/// What one team sees of another's people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum People {
    /// Their names.
    #[default]
    Names,
    /// A short hash that stays the same from month to month.
    Ids,
    /// That there is somebody.
    Hidden,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_team_can_be_booked_and_kept_to() {
        for (told, expected) in [
            ("account = '6200-1'\nbudget = '0.01'", None),
            ("account = '2150'", Some("`credit_account` are both `2150`, so nothing would be")),
            ("account = ' '", Some("its account must be a text without space at its ends")),
            ("account = ''", Some("its account must be a text without space at its ends")),
            ("budget = '0'", Some("its budget must be above zero")),
            ("budget = '-5'", Some("its budget must be above zero")),
        ] {
            let team: Team = toml::from_str(&format!("name = 'red'\n{told}")).unwrap();
            let journal = toml::from_str("debit_account = '6200'\ncredit_account = '2150'");
            let tables = Tables {
                team: vec![Team { line: 7, ..team }],
                journal: Some(journal.unwrap()),
                ..Tables::default()
            };
            let problem = Terms::make(tables, &Files::new()).err().map(|it| it.to_string());
            match (problem, expected) {
                (None, None) => {}
                (Some(problem), Some(expected)) => {
                    assert!(problem.starts_with("line 7: team `red`: "), "{problem}");
                    assert!(problem.contains(expected), "{problem}");
                }
                other => panic!("{told}: {other:?}"),
            }
        }
    }
}
