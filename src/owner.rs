//! Owns owners: who bears a cost.
//!
//! **Invariant:** a sum type, never three optional names and never a magic suffix.

use std::fmt;

use crate::arn::{DomainKey, Identity, SpaceName, UserProfileName};

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
    /// Shared cost waiting to be moved by a rule.
    Pool(Pool),
    /// Nobody that the bill can prove.
    Unattributed,
}

/// A pool of shared cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// Fees and untagged negations of Savings Plans.
    SavingsPlan,
}

impl Owner {
    /// Returns the word for files.
    pub fn kind(&self) -> &'static str {
        match self {
            Owner::Space(..) => "space",
            Owner::UserProfile(..) => "user_profile",
            Owner::Domain(_) => "domain",
            Owner::Tag { .. } => "tag",
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
            Owner::Tag { .. } | Owner::Pool(_) | Owner::Unattributed => None,
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
    pub fn name(self) -> &'static str {
        match self {
            Pool::SavingsPlan => "savings-plan",
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
            Owner::Pool(pool) => write!(formatter, "pool/{}", pool.name()),
            Owner::Unattributed => formatter.write_str("unattributed"),
        }
    }
}
