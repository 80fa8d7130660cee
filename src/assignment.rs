//! Owns assignments: rules of the configuration that give owners to teams.
//!
//! **Invariant:** what an assignment says must all match, and the first that matches counts.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::arn::{AccountId, DomainId, SpaceName, UserProfileName};
use crate::facts::Facts;
use crate::pattern::Pattern;
use crate::person::Wrong;
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
    pub domain: Option<Pattern>,
    /// A pattern of the user profile's name; of a private space, its owner's.
    pub user_profile: Option<Pattern>,
    /// A pattern of the space's name.
    pub space: Option<Pattern>,
    /// A pattern of the owner's account.
    pub account: Option<Pattern>,
    /// Patterns of inventory tags, by key.
    #[serde(default)]
    pub tags: BTreeMap<String, Pattern>,
}

impl Assignment {
    /// Tells whether an owner is given to the team.
    pub fn matches(&self, facts: &Facts) -> bool {
        let one = |pattern: &Option<Pattern>, name: Option<&str>| {
            pattern.as_ref().is_none_or(|it| name.is_some_and(|name| it.matches(name)))
        };
        one(&self.user_profile, facts.user_profile.as_ref().map(UserProfileName::as_str))
            && one(&self.space, facts.space.as_ref().map(SpaceName::as_str))
            && one(&self.account, facts.account.as_ref().map(AccountId::as_str))
            && (one(&self.domain, facts.domain.as_ref().map(DomainId::as_str))
                || one(&self.domain, facts.domain_name.as_deref()))
            && self.tags.iter().all(|(key, pattern)| {
                facts.tags.get(key).is_some_and(|value| pattern.matches(value))
            })
    }

    /// Tells whether it would give everybody to the team, pools not excepted.
    fn is_blank(&self) -> bool {
        let patterns = [&self.domain, &self.user_profile, &self.space, &self.account];
        patterns.into_iter().all(Option::is_none) && self.tags.is_empty()
    }
}

/// Checks assignments by themselves.
pub fn check(assignments: &[Assignment]) -> Result<(), Wrong> {
    match assignments.iter().find(|assignment| assignment.is_blank()) {
        Some(Assignment { line, .. }) => {
            let why = "the assignment matches nothing in particular: give `domain`, `user_profile`, `space`, `account` or `tags` (`domain = \"*\"` is every owner in a domain)";
            Err(Wrong { line: *line, why: why.to_owned() })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_must_all_match() {
        let facts = Facts {
            account: Some(AccountId::parse("111122223333").unwrap()),
            domain: Some(DomainId::parse("d-a").unwrap()),
            domain_name: Some("research".to_owned()),
            user_profile: Some(UserProfileName::parse("ana").unwrap()),
            space: Some(SpaceName::parse("notebooks").unwrap()),
            tags: BTreeMap::from([("cost-center".to_owned(), "4711".to_owned())]),
            ..Facts::default()
        };
        for (text, is_match) in [
            ("domain = 'd-a'", true),
            ("domain = 'res*'", true),
            ("domain = 'Res*'", false),
            ("user_profile = 'a??'", true),
            ("space = 'note[a-c]ooks'", true),
            ("account = '1111*'", true),
            ("tags = { cost-center = '47*' }", true),
            ("tags = { cost-center = '47*', owner = '*' }", false),
            ("domain = 'research'\nuser_profile = 'ana'", true),
            ("domain = 'research'\nuser_profile = 'ben'", false),
        ] {
            let assignment: Assignment = toml::from_str(&format!("team = 'T'\n{text}")).unwrap();
            assert_eq!(assignment.matches(&facts), is_match, "{text}");
            check(&[assignment]).unwrap();
        }
        let nobody = Facts::default();
        let all: Assignment = toml::from_str("team = 'T'\ndomain = '*'").unwrap();
        assert!(all.matches(&facts) && !all.matches(&nobody));
        let blank: Assignment = toml::from_str("team = 'T'").unwrap();
        assert!(check(&[blank]).is_err());
    }
}
