//! Owns the sources that say which team an owner is in, and which of them counts.
//!
//! **Invariant:** the roster counts before a person's own team, that before the first matching assignment, and that before a tag.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::assignment::Assignment;
use crate::facts::Facts;
use crate::person::{Join, Person};
use crate::roster::Roster;
use crate::team::TeamName;

/// Where teams come from besides: the `[teams]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// The roster, a CSV.
    pub file: Option<String>,
    /// Keys of inventory tags whose value is a team, the first that is there.
    pub tags: Vec<String>,
}

/// All that says who belongs to which team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Who is in which team, and when.
    pub roster: Roster,
    /// People and their user profiles.
    pub people: Vec<Person>,
    /// What joins the user profiles of nobody among them.
    pub join: Vec<Join>,
    /// Rules, in order.
    pub assignments: Vec<Assignment>,
    /// Keys of inventory tags.
    pub tags: Vec<String>,
}

/// What says that an owner belongs to a team.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A line of the roster.
    Roster {
        /// The line, from 1.
        line: u64,
    },
    /// A `[[person]]`, by its name.
    Person(String),
    /// An `[[assignment]]`, by its place from 1.
    Assignment(usize),
    /// An inventory tag.
    Tag {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The owner is a team itself.
    Itself,
    /// None does.
    Nothing,
}

impl Sources {
    /// Returns the keys of inventory tags that anything asks for.
    pub fn keys(&self) -> BTreeSet<&str> {
        let of_rules = self.assignments.iter().flat_map(|rule| rule.tags.keys());
        self.tags.iter().chain(of_rules).map(String::as_str).collect()
    }

    /// Tells whether anything could give an owner to a team.
    pub fn is_any(&self) -> bool {
        !self.roster.rows.is_empty()
            || !self.assignments.is_empty()
            || !self.tags.is_empty()
            || self.people.iter().any(|person| person.team.is_some())
    }

    /// Returns the first source that counts where the roster has no row.
    pub fn beyond_roster(&self, facts: &Facts) -> (Source, Option<TeamName>) {
        let person =
            self.person(facts).map(|(person, team)| (Source::Person(person.name.clone()), team));
        let assignment = || {
            let mut rules = self.assignments.iter().zip(1..);
            let (rule, number) = rules.find(|(rule, _)| rule.matches(facts))?;
            Some((Source::Assignment(number), rule.team.clone()))
        };
        let found = person.or_else(assignment).or_else(|| self.tag(facts));
        found.map_or((Source::Nothing, None), |(source, team)| (source, Some(team)))
    }

    /// Returns the person of the configuration whose cost it is, with the team that they are in.
    pub fn person(&self, facts: &Facts) -> Option<(&Person, TeamName)> {
        let person = self.people.get(facts.person?)?;
        Some((person, person.team.clone()?))
    }

    /// Returns the first tag whose value is a team.
    pub fn tag(&self, facts: &Facts) -> Option<(Source, TeamName)> {
        self.tags.iter().find_map(|key| {
            let value = facts.tags.get(key)?;
            let team = TeamName::parse(value).ok()?;
            Some((Source::Tag { key: key.clone(), value: value.clone() }, team))
        })
    }
}
