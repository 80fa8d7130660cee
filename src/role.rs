//! Owns execution roles: which domains use which.
//!
//! **Invariant:** a role is one domain's alone only where every domain of its account could be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{AccountId, Arn, DomainKey};
use crate::inventory::Inventory;
use crate::target::Domains;

/// Calls without which it is not known which roles domains use.
const NEEDED: [&str; 4] =
    ["ListDomains", "DescribeDomain", "ListUserProfiles", "DescribeUserProfile"];

/// The execution roles that domains use.
#[derive(Debug)]
pub struct Roles<'a> {
    users: BTreeMap<&'a str, BTreeSet<&'a DomainKey>>,
    doubtful: BTreeSet<&'a str>,
}

/// Whose a role is that a domain uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// The domain's alone.
    Own,
    /// These domains', the domain itself among them.
    Shared(BTreeSet<DomainKey>),
    /// Another account's.
    OfAccount(String),
    /// Which domains use it was not read whole.
    Unknown,
}

/// Returns a role's name: the end of its ARN, after any path.
pub fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

impl<'a> Roles<'a> {
    /// Collects the roles of domains, of their spaces and of their user profiles.
    pub fn new(inventory: &'a Inventory, domains: &Domains<'a>) -> Roles<'a> {
        let mut users: BTreeMap<&str, BTreeSet<&DomainKey>> = BTreeMap::new();
        for domain in &inventory.domains {
            for role in [&domain.execution_role, &domain.space_role].into_iter().flatten() {
                users.entry(role).or_default().insert(&domain.key);
            }
        }
        for profile in &inventory.user_profiles {
            if let (Some(role), Some(domain)) =
                (&profile.execution_role, domains.by_id(&profile.domain))
            {
                users.entry(role).or_default().insert(&domain.key);
            }
        }
        let doubtful = inventory
            .gaps
            .iter()
            .filter(|gap| gap.region.is_empty() || NEEDED.contains(&gap.operation.as_str()));
        Roles { users, doubtful: doubtful.map(|gap| gap.account.as_str()).collect() }
    }

    /// Returns the domains that use a role; none for a role of no domain.
    pub fn users(&self, role: &str) -> BTreeSet<DomainKey> {
        self.users.get(role).into_iter().flatten().map(|domain| (*domain).clone()).collect()
    }

    /// Returns the roles of a domain.
    pub fn of(&self, domain: &DomainKey) -> Vec<&'a str> {
        let of = |(role, users): (&&'a str, &BTreeSet<&DomainKey>)| {
            users.contains(domain).then_some(*role)
        };
        self.users.iter().filter_map(of).collect()
    }

    /// Tells whether all is known of which roles the domains of an account use, in the regions that were asked for.
    pub fn is_known(&self, account: &AccountId) -> bool {
        !self.doubtful.contains(account.as_str())
    }

    /// Tells whose a role is that a domain uses.
    pub fn holding(&self, role: &str, domain: &DomainKey) -> Holding {
        let account = Arn::parse(role).map(|it| it.account).unwrap_or_default();
        if account != domain.account.as_str() {
            Holding::OfAccount(account)
        } else if !self.is_known(&domain.account) {
            Holding::Unknown
        } else if self.is_only_of(role, domain) {
            Holding::Own
        } else {
            Holding::Shared(self.users(role))
        }
    }

    /// Returns the roles that are a domain's alone and of its account, so that a policy on them is about it and no other.
    pub fn own(&self, domain: &DomainKey) -> Vec<&'a str> {
        let mut roles = self.of(domain);
        roles.retain(|role| self.holding(role, domain) == Holding::Own);
        roles
    }

    /// Tells whether that domain alone uses a role, and that is known.
    pub fn is_only_of(&self, role: &str, domain: &DomainKey) -> bool {
        let is_only = |users: &BTreeSet<&DomainKey>| users.len() == 1 && users.contains(domain);
        self.users.get(role).is_some_and(is_only) && self.is_known(&domain.account)
    }
}
