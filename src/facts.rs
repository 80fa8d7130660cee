//! Owns what is known of an owner that can tell its team: its names, account, person and tags.
//!
//! **Invariant:** of one tag key the narrowest thing's value counts: the space's, its user profile's, the domain's.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{AccountId, DomainId, DomainKey, SpaceName, UserProfileName};
use crate::bearer::{Bearer, Existence};
use crate::inventory::{Inventory, Space, Tags, UserProfile};
use crate::owner::Owner;
use crate::person::People;

/// What is known of an owner that can tell its team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The owner's account.
    pub account: Option<AccountId>,
    /// The domain's id.
    pub domain: Option<DomainId>,
    /// The domain's name.
    pub domain_name: Option<String>,
    /// The user profile; of a private space, its owner.
    pub user_profile: Option<UserProfileName>,
    /// The space.
    pub space: Option<SpaceName>,
    /// The user profile's value at the single sign-on provider.
    pub sso: Option<String>,
    /// The person whose user profile it is, by its place.
    pub person: Option<usize>,
    /// Values of the tag keys that are cared for.
    pub tags: BTreeMap<String, String>,
}

/// What facts are looked up in.
pub struct Index<'a> {
    people: &'a People,
    keys: BTreeSet<&'a str>,
    domain_tags: BTreeMap<&'a DomainKey, &'a Tags>,
    user_profiles: BTreeMap<(&'a DomainId, &'a UserProfileName), &'a UserProfile>,
    spaces: BTreeMap<(&'a DomainId, &'a SpaceName), &'a Space>,
}

impl<'a> Index<'a> {
    /// Indexes an inventory; `keys` are the tag keys that are cared for.
    pub fn new(inventory: &'a Inventory, people: &'a People, keys: BTreeSet<&'a str>) -> Index<'a> {
        let profiles = inventory.user_profiles.iter();
        let spaces = inventory.spaces.iter();
        Index {
            people,
            keys,
            domain_tags: inventory.domains.iter().map(|it| (&it.key, &it.tags)).collect(),
            user_profiles: profiles.map(|it| ((&it.domain, &it.name), it)).collect(),
            spaces: spaces.map(|it| ((&it.domain, &it.name), it)).collect(),
        }
    }

    /// Returns what is known of an owner; nothing of a team, a pool or nobody.
    pub fn of(&self, bearer: &Bearer) -> Option<Facts> {
        if let Owner::Tag { key, value } = &bearer.owner {
            // What bears the cost is the tag itself.
            let tags = BTreeMap::from([(key.clone(), value.clone())]);
            return Some(Facts { tags, ..Facts::default() });
        }
        let domain = bearer.owner.domain()?;
        let space = match &bearer.owner {
            Owner::Space(_, space) => Some(space),
            _ => None,
        };
        let user_profile = bearer.user_profile.as_ref();
        let listed = user_profile.and_then(|name| self.user_profiles.get(&(&domain.id, name)));
        let space_tags =
            space.and_then(|name| self.spaces.get(&(&domain.id, name))).map(|space| &space.tags);
        // From the widest to the narrowest, so that the narrowest is what stays.
        let things = [
            self.domain_tags.get(domain).copied(),
            listed.map(|profile| &profile.tags),
            space_tags,
        ];
        let mut tags = BTreeMap::new();
        for key in &self.keys {
            let mut values = things.iter().flatten().filter_map(|tags| tags.get(*key));
            if let Some(value) = values.rfind(|value| !value.is_empty()) {
                tags.insert((*key).to_owned(), value.clone());
            }
        }
        Some(Facts {
            account: Some(domain.account.clone()),
            domain: Some(domain.id.clone()),
            domain_name: bearer.domain_name.clone(),
            user_profile: user_profile.cloned(),
            space: space.cloned(),
            sso: listed.and_then(|profile| profile.sso_value.clone()),
            person: user_profile.and_then(|name| self.people.of(&domain.id, name)),
            tags,
        })
    }
}

/// Returns everything of an inventory that could bear a cost.
pub fn bearers(inventory: &Inventory) -> Vec<Bearer> {
    let domains: BTreeMap<&DomainId, (&DomainKey, &str)> =
        inventory.domains.iter().map(|it| (&it.key.id, (&it.key, it.name.as_str()))).collect();
    let bearer =
        |id: &DomainId, of: &dyn Fn(DomainKey) -> Owner, user: Option<&UserProfileName>| {
            let (domain, name) = domains.get(id)?;
            Some(Bearer {
                owner: of((*domain).clone()),
                domain_name: Some((*name).to_owned()),
                user_profile: user.cloned(),
                shared: None,
                existence: Existence::Unknown,
            })
        };
    let of_domains =
        inventory.domains.iter().filter_map(|it| bearer(&it.key.id, &Owner::Domain, None));
    let of_profiles = inventory.user_profiles.iter().filter_map(|it| {
        let owner = |domain| Owner::UserProfile(domain, it.name.clone());
        bearer(&it.domain, &owner, Some(&it.name))
    });
    let of_spaces = inventory.spaces.iter().filter_map(|it| {
        let owner = |domain| Owner::Space(domain, it.name.clone());
        let user = it.owner.as_ref().filter(|_| it.shared == Some(false));
        bearer(&it.domain, &owner, user)
    });
    of_domains.chain(of_profiles).chain(of_spaces).collect()
}
