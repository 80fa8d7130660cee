//! Owns who bears what a tag value claims: rule A1 for each slice, rule A2 for private spaces, rules A3 and A4 for names.
//!
//! Each distinct value is resolved once; `docs/allocation.md` states the rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::arn::{DomainKey, Identity, SpaceName, UserProfileName};
use crate::inventory::{Inventory, Space};
use crate::key;
use crate::owner::Owner;
use crate::request::REST;
use crate::snapshot::SpaceUser;

/// An owner with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Who bears the cost.
    pub owner: Owner,
    /// The domain's name, where the inventory knew it.
    pub domain_name: Option<String>,
    /// The user profile that the cost is counted to: the owner itself, or a private space's owner.
    pub user_profile: Option<UserProfileName>,
    /// Whether a space is shared.
    pub shared: Option<bool>,
    /// Whether it exists.
    pub existence: Existence,
}

/// Whether an owner exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It was listed.
    Listed,
    /// It was listed by an earlier snapshot, and a complete listing lacked it since.
    Gone {
        /// When it was last listed.
        last_seen_at: Timestamp,
        /// When a complete listing first lacked it.
        gone_by: Timestamp,
    },
    /// It was listed by an earlier snapshot, last at that time; its account and region were not read since.
    LastSeen(Timestamp),
    /// It was never listed, though its account and region were read.
    NeverListed,
    /// Its account and region were not read, or it is nothing that could be listed.
    Unknown,
}

/// Something that the reader must know of how a value was resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// The value is not an ARN of the kind that its key should hold.
    NotAnArn {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The name exists only in another case.
    CaseFolded {
        /// The name in the tag.
        tag: String,
        /// The name in the inventory.
        inventory: String,
    },
}

/// What resolving needs: the inventory, indexed, and who was seen in which space.
pub struct Register<'a> {
    inventory: &'a Inventory,
    taken_at: Timestamp,
    domains: BTreeMap<&'a DomainKey, usize>,
    spaces: BTreeMap<(String, String), usize>,
    profiles: BTreeMap<(String, String), usize>,
    folded: BTreeMap<(String, String), Vec<String>>,
    seen_in_space: BTreeMap<(String, String), BTreeSet<UserProfileName>>,
}

impl<'a> Register<'a> {
    /// Indexes an inventory.
    pub fn new(inventory: &'a Inventory, taken_at: Timestamp, seen: &[SpaceUser]) -> Register<'a> {
        let mut folded: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut spaces = BTreeMap::new();
        for (index, space) in inventory.spaces.iter().enumerate() {
            let name = space.name.to_string();
            spaces.insert((space.domain.to_string(), name.clone()), index);
            let key = (format!("space/{}", space.domain), name.to_lowercase());
            folded.entry(key).or_default().push(name);
        }
        let mut profiles = BTreeMap::new();
        for (index, profile) in inventory.user_profiles.iter().enumerate() {
            let name = profile.name.to_string();
            profiles.insert((profile.domain.to_string(), name.clone()), index);
            let key = (format!("user-profile/{}", profile.domain), name.to_lowercase());
            folded.entry(key).or_default().push(name);
        }
        let mut seen_in_space: BTreeMap<_, BTreeSet<UserProfileName>> = BTreeMap::new();
        for row in seen.iter().filter(|row| !row.amounts.is_zero()) {
            if let (Some(Identity::Space(domain, space)), Some(Identity::UserProfile(home, user))) =
                (Identity::parse(&row.space), Identity::parse(&row.user_profile))
                && domain.id == home.id
            {
                seen_in_space
                    .entry((domain.id.to_string(), space.to_string()))
                    .or_default()
                    .insert(user);
            }
        }
        let domains =
            inventory.domains.iter().enumerate().map(|(index, it)| (&it.key, index)).collect();
        Register { inventory, taken_at, domains, spaces, profiles, folded, seen_in_space }
    }

    /// Tells who bears what a slice's value claims; the rest is decided record by record.
    pub fn resolve(&self, slice: &str, value: &str) -> (Bearer, Option<Doubt>) {
        if slice == REST {
            return (nobody(), None);
        }
        if !key::PRECEDENCE.contains(&slice) {
            let owner = Owner::Tag { key: slice.to_owned(), value: value.to_owned() };
            return (Bearer { owner, ..nobody() }, None);
        }
        let identity = Identity::parse(value).filter(|identity| is_of_kind(slice, identity));
        match identity {
            None => {
                let doubt = Doubt::NotAnArn { key: slice.to_owned(), value: value.to_owned() };
                (nobody(), Some(doubt))
            }
            Some(Identity::Domain(domain)) => (self.domain(domain), None),
            Some(Identity::UserProfile(domain, name)) => self.user_profile(domain, name),
            Some(Identity::Space(domain, name)) => self.space(domain, name),
        }
    }

    fn domain(&self, domain: DomainKey) -> Bearer {
        Bearer {
            domain_name: self.domain_name(&domain),
            existence: self.existence(
                &domain,
                self.domains.get(&domain).map(|index| {
                    let listed = &self.inventory.domains[*index];
                    (listed.last_seen_at, listed.gone_by)
                }),
            ),
            owner: Owner::Domain(domain),
            user_profile: None,
            shared: None,
        }
    }

    fn user_profile(&self, domain: DomainKey, name: UserProfileName) -> (Bearer, Option<Doubt>) {
        let id = domain.id.to_string();
        let (name, doubt) = match self.fold("user-profile", &id, name.as_str(), &self.profiles) {
            Some(other) => {
                let doubt =
                    Doubt::CaseFolded { tag: name.to_string(), inventory: other.to_string() };
                (UserProfileName::parse(other).unwrap_or(name), Some(doubt))
            }
            None => (name, None),
        };
        let found = self.profiles.get(&(id, name.to_string()));
        let listed = found.map(|index| &self.inventory.user_profiles[*index]);
        let seen = listed.map(|profile| (profile.last_seen_at, profile.gone_by));
        let bearer = Bearer {
            domain_name: self.domain_name(&domain),
            existence: self.existence(&domain, seen),
            user_profile: Some(name.clone()),
            shared: None,
            owner: Owner::UserProfile(domain, name),
        };
        (bearer, doubt)
    }

    fn space(&self, domain: DomainKey, name: SpaceName) -> (Bearer, Option<Doubt>) {
        let id = domain.id.to_string();
        let (name, doubt) = match self.fold("space", &id, name.as_str(), &self.spaces) {
            Some(other) => {
                let doubt =
                    Doubt::CaseFolded { tag: name.to_string(), inventory: other.to_string() };
                (SpaceName::parse(other).unwrap_or(name), Some(doubt))
            }
            None => (name, None),
        };
        let found = self.spaces.get(&(id, name.to_string()));
        let listed: Option<&Space> = found.map(|index| &self.inventory.spaces[*index]);
        let shared = listed.and_then(|space| space.shared);
        let bearer = Bearer {
            domain_name: self.domain_name(&domain),
            existence: self
                .existence(&domain, listed.map(|space| (space.last_seen_at, space.gone_by))),
            user_profile: self.private_owner(&domain, &name, listed),
            shared,
            owner: Owner::Space(domain, name),
        };
        (bearer, doubt)
    }

    /// Rule A2: the inventory, then the only user seen on the space's lines, then nobody.
    fn private_owner(
        &self,
        domain: &DomainKey,
        name: &SpaceName,
        listed: Option<&Space>,
    ) -> Option<UserProfileName> {
        match listed {
            Some(Space { shared: Some(true), .. }) => None,
            Some(Space { shared: Some(false), owner: Some(owner), .. }) => Some(owner.clone()),
            // Where nothing was listed a shared space would pass for somebody's own.
            _ if !self.inventory.is_listed(domain) => None,
            _ => {
                let seen = self.seen_in_space.get(&(domain.id.to_string(), name.to_string()))?;
                if seen.len() == 1 { seen.first().cloned() } else { None }
            }
        }
    }

    fn domain_name(&self, domain: &DomainKey) -> Option<String> {
        let index = self.domains.get(domain)?;
        Some(self.inventory.domains[*index].name.clone())
    }

    fn existence(
        &self,
        domain: &DomainKey,
        seen: Option<(Timestamp, Option<Timestamp>)>,
    ) -> Existence {
        let is_listed = self.inventory.is_listed(domain);
        match seen {
            Some((at, _)) if at >= self.taken_at => Existence::Listed,
            Some((last_seen_at, Some(gone_by))) => Existence::Gone { last_seen_at, gone_by },
            // This listing lacks it, whatever was stored of the ones before.
            Some((last_seen_at, None)) if is_listed => {
                Existence::Gone { last_seen_at, gone_by: self.taken_at }
            }
            Some((at, None)) => Existence::LastSeen(at),
            None if is_listed => Existence::NeverListed,
            None => Existence::Unknown,
        }
    }

    /// Finds the one name that differs from a tag's only in case.
    fn fold(
        &self,
        kind: &str,
        domain: &str,
        name: &str,
        exact: &BTreeMap<(String, String), usize>,
    ) -> Option<&str> {
        if exact.contains_key(&(domain.to_owned(), name.to_owned())) {
            return None;
        }
        match self.folded.get(&(format!("{kind}/{domain}"), name.to_lowercase()))?.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

fn nobody() -> Bearer {
    Bearer {
        owner: Owner::Unattributed,
        domain_name: None,
        user_profile: None,
        shared: None,
        existence: Existence::Unknown,
    }
}

fn is_of_kind(slice: &str, identity: &Identity) -> bool {
    match identity {
        Identity::Space(..) => slice == key::SPACE || slice == key::SHARED_SPACE,
        Identity::UserProfile(..) => slice == key::USER_PROFILE,
        Identity::Domain(_) => slice == key::DOMAIN || slice == key::MANAGED_BY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    use crate::arn::{AccountId, DomainId};
    use crate::inventory::{Domain, UserProfile, Whereabouts};
    use crate::metric::{Amounts, Metric};
    use crate::money::Money;
    use crate::period::Month;

    const NOW: &str = "2026-11-20T08:00:00Z";
    const PREFIX: &str = "arn:aws:sagemaker:us-east-1:111122223333:";

    fn inventory() -> Inventory {
        let key = DomainKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: "us-east-1".to_owned(),
            id: DomainId::parse("d-a").unwrap(),
        };
        let space = |name: &str, owner: &str, shared, seen: &str| Space {
            domain: key.id.clone(),
            name: SpaceName::parse(name).unwrap(),
            owner: Some(UserProfileName::parse(owner).unwrap()),
            shared: Some(shared),
            volume_gib: None,
            tags: BTreeMap::new(),
            last_seen_at: seen.parse().unwrap(),
            gone_by: None,
        };
        Inventory {
            spaces: vec![
                space("private", "ana", false, NOW),
                space("shared", "ana", true, NOW),
                space("old", "ben", false, "2026-08-01T00:00:00Z"),
            ],
            user_profiles: vec![UserProfile {
                domain: key.id.clone(),
                name: UserProfileName::parse("Ana").unwrap(),
                sso_value: None,
                execution_role: None,
                tags: BTreeMap::new(),
                last_seen_at: NOW.parse().unwrap(),
                gone_by: None,
            }],
            domains: vec![Domain {
                key,
                arn: String::new(),
                name: "research".to_owned(),
                execution_role: None,
                space_role: None,
                tag_propagation: None,
                home_efs: None,
                tags: BTreeMap::new(),
                last_seen_at: NOW.parse().unwrap(),
                gone_by: None,
            }],
            listed: BTreeSet::from([Whereabouts {
                account: AccountId::parse("111122223333").unwrap(),
                region: "us-east-1".to_owned(),
            }]),
            ..Inventory::default()
        }
    }

    fn seen(space: &str, user: &str) -> SpaceUser {
        let mut amounts = Amounts::ZERO;
        amounts.put(Metric::UnblendedCost, Some(Money::from_cents(1)));
        SpaceUser {
            month: Month::parse("2026-10").unwrap(),
            space: format!("{PREFIX}space/d-a/{space}"),
            user_profile: format!("{PREFIX}user-profile/d-a/{user}"),
            amounts,
        }
    }

    #[test]
    fn each_value_is_borne_by_whom_rule_a1_says() {
        let inventory = inventory();
        let seen = [seen("gone", "eve"), seen("busy", "eve"), seen("busy", "mel")];
        let register = Register::new(&inventory, NOW.parse().unwrap(), &seen);
        let mut text = String::new();
        for (slice, value) in [
            (key::SPACE, "space/d-a/private"),
            (key::SPACE, "space/d-a/shared"),
            (key::SPACE, "space/d-a/old"),
            (key::SPACE, "space/d-a/PRIVATE"),
            (key::SPACE, "space/d-a/gone"),
            (key::SPACE, "space/d-a/busy"),
            (key::SPACE, "user-profile/d-a/Ana"),
            (key::USER_PROFILE, "user-profile/d-a/ana"),
            (key::DOMAIN, "domain/d-a"),
            (key::MANAGED_BY, "domain/d-z"),
            ("team", "ml"),
        ] {
            let value = if slice == "team" { value.to_owned() } else { format!("{PREFIX}{value}") };
            let (bearer, doubt) = register.resolve(slice, &value);
            let user = bearer.user_profile.as_ref().map_or("-", UserProfileName::as_str);
            let doubt = match doubt {
                None => "",
                Some(Doubt::NotAnArn { .. }) => " not-an-arn",
                Some(Doubt::CaseFolded { .. }) => " case-folded",
            };
            writeln!(text, "{} {user} {:?}{doubt}", bearer.owner, bearer.existence).unwrap();
        }
        insta::assert_snapshot!(text, @r"
        space/d-a/private ana Listed
        space/d-a/shared - Listed
        space/d-a/old ben Gone { last_seen_at: 2026-08-01T00:00:00Z, gone_by: 2026-11-20T08:00:00Z }
        space/d-a/private ana Listed case-folded
        space/d-a/gone eve NeverListed
        space/d-a/busy - NeverListed
        unattributed - Unknown not-an-arn
        user-profile/d-a/Ana Ana Listed case-folded
        domain/d-a - Listed
        domain/d-z - NeverListed
        tag/team/ml - Unknown
        ");
    }
}
