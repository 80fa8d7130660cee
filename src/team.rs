//! Owns teams: who is charged, and what the configuration says of each.
//!
//! **Invariant:** a team's name is what people wrote; the name of its files is derived from it, and is safe on every disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// The longest name of a team, in characters.
const LENGTH_MAX: usize = 64;

/// A team's name: 1 to 64 characters, none of them a control character, none a space at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TeamName(String);

/// A text that is not a team's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a team's name has 1 to 64 characters, without control characters, and no space at its ends: `{text}`"
)]
pub struct NotTeamName {
    /// The text as it came.
    pub text: String,
}

/// What the configuration says of a team: a `[[team]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its line in the configuration.
    #[serde(skip)]
    pub line: u64,
    /// The name, as rosters and assignments spell it.
    pub name: TeamName,
    /// The words for people, where the name is a code.
    pub title: Option<String>,
    /// The account that the journal debits.
    pub account: Option<String>,
    /// What the team may spend in a month, in the ledger's currency.
    pub budget: Option<Money>,
}

impl TeamName {
    /// Parses a name.
    pub fn parse(text: &str) -> Result<TeamName, NotTeamName> {
        let count = text.chars().count();
        let is_fit = (1..=LENGTH_MAX).contains(&count)
            && text.trim() == text
            && !text.chars().any(char::is_control);
        if is_fit {
            Ok(TeamName(text.to_owned()))
        } else {
            Err(NotTeamName { text: text.to_owned() })
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TeamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for TeamName {
    type Error = NotTeamName;
    fn try_from(text: String) -> Result<TeamName, NotTeamName> {
        TeamName::parse(&text)
    }
}

impl From<TeamName> for String {
    fn from(name: TeamName) -> String {
        name.0
    }
}

/// Returns the stem of each team's files, in the order of the teams: letters and digits of the name in lower case.
///
/// Names that differ in nothing else get a number; no stem is empty, and none is a name that a disk reserves.
pub fn file_stems(names: &[TeamName]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let stems = names.iter().map(|name| {
        let plain = stem(name.as_str());
        let numbered = (2..).map(|number: u32| format!("{plain}-{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered);
        let found = free.into_iter().find(|stem| !taken.contains(stem));
        let found = found.expect("numbers do not run out");
        taken.insert(found.clone());
        found
    });
    stems.collect()
}

/// Returns names that differ in nothing but case, spaces and signs, so that one may be meant; two or more each.
pub fn alike(names: &[TeamName]) -> Vec<Vec<&TeamName>> {
    let mut groups: BTreeMap<String, Vec<&TeamName>> = BTreeMap::new();
    for name in names {
        groups.entry(stem(name.as_str())).or_default().push(name);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

fn stem(name: &str) -> String {
    let mut stem = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            stem.push(character);
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    let stem = stem.trim_end_matches('-');
    // Windows keeps these for devices, whatever the extension.
    let is_device = ["con", "prn", "aux", "nul"].contains(&stem)
        || (stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")));
    if stem.is_empty() || is_device { format!("team-{stem}") } else { stem.to_owned() }
}

/// Returns the configured teams by name.
pub fn by_name(teams: &[Team]) -> BTreeMap<&TeamName, &Team> {
    teams.iter().map(|team| (&team.name, team)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_people_write_and_nothing_odd() {
        for (text, is_name) in [
            ("Research", true),
            ("R&D / München", true),
            ("", false),
            (" a", false),
            ("a\n", false),
            ("a\tb", false),
        ] {
            assert_eq!(TeamName::parse(text).is_ok(), is_name, "{text:?}");
        }
        assert!(TeamName::parse(&"x".repeat(65)).is_err());
    }

    #[test]
    fn files_of_two_teams_never_share_a_name() {
        let names = ["A B", "a/b", "a-b", "../x", "Con", "???", "München"];
        let names: Vec<TeamName> =
            names.iter().map(|name| TeamName::parse(name).unwrap()).collect();
        assert_eq!(
            file_stems(&names),
            ["a-b", "a-b-2", "a-b-3", "x", "team-con", "team-", "münchen"]
        );
        let alike = alike(&names);
        assert_eq!(alike, [names[..3].iter().collect::<Vec<_>>()]);
    }
}
