//! Owns people: one human's user profiles across domains.
//!
//! **Invariant:** a user profile is one person's.

use serde::Deserialize;

use crate::team::TeamName;

/// One human: a `[[person]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Its line in the configuration.
    #[serde(skip)]
    pub line: u64,
    /// The name, said in files and on pages.
    pub name: String,
    /// The team.
    pub team: Option<TeamName>,
    /// The value at the single sign-on provider.
    pub sso: Option<String>,
    /// A user profile's name in whatever domain.
    pub user_profile: Option<String>,
    /// User profiles as `domain/name`, the domain by its id or name.
    #[serde(default)]
    pub profiles: Vec<String>,
}

/// How profiles are joined to one person without being listed: the `[people]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// What makes profiles of several domains one person's.
    pub join: Vec<Join>,
}

/// What makes profiles of several domains one person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// The same value at the single sign-on provider.
    Sso,
    /// The same name.
    Name,
}
