//! Owns owners: who bears a cost.
//!
//! **Invariant:** a sum type, never three optional names and never a magic suffix.

use std::fmt;

use crate::arn::{DomainKey, Identity, SpaceName, UserProfileName};
use crate::team::TeamName;

/// Who bears a cost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A space, private or shared.
    Space(DomainKey, SpaceName),
    /// A user profile.
    UserProfile(DomainKey, UserProfileName),
    /// A domain, for what only the domain is known of.
    Domain(DomainKey),
    /// A configured tag.
    Tag {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// A team, for what a rule charges to it as a whole.
    Team(TeamName),
    /// Shared cost waiting to be moved by a rule.
    Pool(Pool),
    /// Nobody that the bill can prove.
    Unattributed,
}

/// A pool of shared cost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// Fees and untagged negations of Savings Plans.
    SavingsPlan,
    /// SageMaker's share of tax, where the configuration charges it.
    Tax,
    /// SageMaker's share of support, where the configuration charges it.
    Support,
    /// What other pools flow into: a pool of the configuration, by its name.
    Named(String),
}

impl Owner {
    /// Returns the word for files.
    pub fn kind(&self) -> &'static str {
        match self {
            Owner::Space(..) => "space",
            Owner::UserProfile(..) => "user_profile",
            Owner::Domain(_) => "domain",
            Owner::Tag { .. } => "tag",
            Owner::Team(_) => "team",
            Owner::Pool(_) => "pool",
            Owner::Unattributed => "unattributed",
        }
    }

    /// Returns the domain that the owner is or lies in.
    pub fn domain(&self) -> Option<&DomainKey> {
        match self {
            Owner::Space(domain, _) | Owner::UserProfile(domain, _) | Owner::Domain(domain) => {
                Some(domain)
            }
            Owner::Tag { .. } | Owner::Team(_) | Owner::Pool(_) | Owner::Unattributed => None,
        }
    }
}

impl From<Identity> for Owner {
    fn from(identity: Identity) -> Owner {
        match identity {
            Identity::Domain(domain) => Owner::Domain(domain),
            Identity::UserProfile(domain, name) => Owner::UserProfile(domain, name),
            Identity::Space(domain, name) => Owner::Space(domain, name),
        }
    }
}

impl Pool {
    /// Returns the pool's name.
    pub fn name(&self) -> &str {
        match self {
            Pool::SavingsPlan => "savings-plan",
            Pool::Tax => "tax",
            Pool::Support => "support",
            Pool::Named(name) => name,
        }
    }
}

impl fmt::Display for Owner {
    /// Prints the owner as a path.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Space(domain, space) => write!(formatter, "space/{}/{space}", domain.id),
            Owner::UserProfile(domain, name) => {
                write!(formatter, "user-profile/{}/{name}", domain.id)
            }
            Owner::Domain(domain) => write!(formatter, "domain/{}", domain.id),
            Owner::Tag { key, value } => write!(formatter, "tag/{key}/{value}"),
            Owner::Team(team) => write!(formatter, "team/{team}"),
            Owner::Pool(pool) => write!(formatter, "pool/{}", pool.name()),
            Owner::Unattributed => formatter.write_str("unattributed"),
        }
    }
}
