//! Owns those who may have a budget each: every domain, user profile, space or team that exists.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::arn::{DomainId, SpaceName, UserProfileName};
use crate::budget::Scope;
use crate::inventory::Inventory;
use crate::team::TeamName;

/// The sort of those who have a budget each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    /// Domains.
    Domain,
    /// User profiles.
    UserProfile,
    /// Shared spaces; a private one is its user's.
    Space,
    /// Teams.
    Team,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Someone {
    /// A domain, and the name that people gave it.
    Domain(DomainId, String),
    /// A user profile.
    UserProfile(DomainId, UserProfileName),
    /// A space.
    Space(DomainId, SpaceName),
    /// A team.
    Team(TeamName),
}

impl Each {
    /// Returns the word of the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Each::Domain => "domain",
            Each::UserProfile => "user_profile",
            Each::Space => "space",
            Each::Team => "team",
        }
    }

    /// Returns what a name must hold to be of one alone.
    pub fn placeholders(self) -> &'static [&'static str] {
        match self {
            Each::Domain => &["{domain}"],
            Each::UserProfile => &["{domain}", "{user_profile}"],
            Each::Space => &["{domain}", "{space}"],
            Each::Team => &["{team}"],
        }
    }
}

impl Someone {
    /// Returns everybody who exists by an inventory, and the teams.
    pub fn everybody<'a>(
        inventory: &Inventory,
        teams: impl Iterator<Item = &'a TeamName>,
    ) -> BTreeSet<Someone> {
        let domains = inventory.domains.iter().filter(|it| it.gone_by.is_none());
        let domains = domains.map(|it| Someone::Domain(it.key.id.clone(), it.name.clone()));
        let users = inventory.user_profiles.iter().filter(|it| it.gone_by.is_none());
        let users = users.map(|it| Someone::UserProfile(it.domain.clone(), it.name.clone()));
        let is_shared = |shared: Option<bool>| shared == Some(true);
        let spaces = inventory.spaces.iter();
        let spaces = spaces.filter(|it| it.gone_by.is_none() && is_shared(it.shared));
        let spaces = spaces.map(|it| Someone::Space(it.domain.clone(), it.name.clone()));
        let teams = teams.map(|name| Someone::Team(name.clone()));
        domains.chain(users).chain(spaces).chain(teams).collect()
    }

    /// Returns one who stands for all of a sort, with short names, on which a table is tried before anybody is known.
    pub fn example(each: Each) -> Someone {
        let domain = || DomainId::parse("d-abcdefghijkl").expect("a domain id of the usual length");
        match each {
            Each::Domain => Someone::Domain(domain(), "x".to_owned()),
            Each::UserProfile => {
                Someone::UserProfile(domain(), UserProfileName::parse("x").expect("a name"))
            }
            Each::Space => Someone::Space(domain(), SpaceName::parse("x").expect("a name")),
            Each::Team => Someone::Team(TeamName::parse("x").expect("a name")),
        }
    }

    /// Returns the sort.
    pub fn each(&self) -> Each {
        match self {
            Someone::Domain(..) => Each::Domain,
            Someone::UserProfile(..) => Each::UserProfile,
            Someone::Space(..) => Each::Space,
            Someone::Team(_) => Each::Team,
        }
    }

    /// Returns whose spend it is.
    pub fn scope(&self) -> Scope {
        match self {
            Someone::Domain(id, _) => Scope::Domain(id.clone()),
            Someone::UserProfile(id, name) => Scope::UserProfile(id.clone(), name.clone()),
            Someone::Space(id, name) => Scope::Space(id.clone(), name.clone()),
            Someone::Team(name) => Scope::Team(name.clone()),
        }
    }

    /// Fills the placeholders of a name.
    pub fn fill(&self, name: &str) -> String {
        let with = |pairs: &[(&str, &str)]| {
            pairs.iter().fold(name.to_owned(), |text, (key, value)| text.replace(key, value))
        };
        match self {
            Someone::Domain(id, name) => {
                with(&[("{domain}", id.as_str()), ("{domain_name}", name)])
            }
            Someone::UserProfile(id, user) => {
                with(&[("{domain}", id.as_str()), ("{user_profile}", user.as_str())])
            }
            Someone::Space(id, space) => {
                with(&[("{domain}", id.as_str()), ("{space}", space.as_str())])
            }
            Someone::Team(team) => with(&[("{team}", team.as_str())]),
        }
    }
}
